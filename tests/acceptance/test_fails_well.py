"""Bad input, wrong person, wrong time, no room, no lock: a refusal of the right branch, and nothing lost."""

from __future__ import annotations

import csv
import fcntl
import gzip
import hashlib
import json
import resource
import shutil
import subprocess
import time
from datetime import UTC, datetime, timedelta

import pytest

from factories.enclosure import ALICE, CAROL, ENCLOS, PASSPHRASE, call, permit_text, refused, run_cli

PERMIT = "FR-TEST-0001"
STUDY = """\
study: thin
cohorts:
  gi_bleed: {concepts: [192671], descendants: true, domain: condition, limit: first, end: event_end}
analyses:
  - incidence: {outcome: gi_bleed, sex: [both, male, female], interval: [overall], washout_days: all}
"""


def redeclare(delivery, name, **changes):
    """Declare a file as it now is, so that only the fault under test remains."""
    manifest = json.loads((delivery / "delivery.json").read_text())
    entry = next(file for file in manifest["files"] if file["path"] == name)
    entry["sha256"] = hashlib.sha256((delivery / name).read_bytes()).hexdigest()
    entry |= changes
    (delivery / "delivery.json").write_text(json.dumps(manifest))


def a_file(delivery, table="ER_PHA_F"):
    manifest = json.loads((delivery / "delivery.json").read_text())
    return next(file["path"] for file in manifest["files"] if file["table"] == table)


def rewrite(path, change):
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter=";"))
    with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=";", lineterminator="\n").writerows(change(rows))


def assert_nothing_landed(empty, delivery):
    """After the fault is mended elsewhere, an enclosure that refused takes a good delivery as if nothing had been."""
    landed = empty / "vault" / "landed"
    assert not landed.exists() or not list(landed.rglob("*.parquet"))
    assert run_cli("ledger", "verify", empty)["n_open"] == 0


def test_a_wrong_hash(empty, delivery):
    rewrite(delivery / a_file(delivery), lambda rows: [rows[0], *reversed(rows[1:])])
    assert refused("ingest", empty, delivery)[:2] == (4, "DLV-06")
    assert_nothing_landed(empty, delivery)


def test_a_missing_column(empty, delivery):
    name = a_file(delivery)
    rewrite(
        delivery / name,
        lambda rows: [[v for k, v in zip(rows[0], row, strict=True) if k != "PRS_ORD_NUM"] for row in rows],
    )
    redeclare(delivery, name)
    exit_code, code, text = refused("ingest", empty, delivery)
    assert (exit_code, code) == (4, "DLV-07")
    assert "PRS_ORD_NUM" in text
    assert_nothing_landed(empty, delivery)


def test_an_unknown_encoding(empty, delivery):
    redeclare(delivery, a_file(delivery), encoding="utf-16")
    assert refused("ingest", empty, delivery)[:2] == (4, "DLV-04")


def test_a_truncated_file(empty, delivery):
    name = a_file(delivery)
    path = delivery / name
    path.write_bytes(path.read_bytes()[:-200])
    redeclare(delivery, name)
    assert refused("ingest", empty, delivery)[:2] == (4, "DLV-08")
    assert_nothing_landed(empty, delivery)


def test_a_row_too_few(empty, delivery):
    name = a_file(delivery)
    rewrite(delivery / name, lambda rows: rows[:-1])
    redeclare(delivery, name)
    assert refused("ingest", empty, delivery)[:2] == (4, "DLV-09")


def test_the_same_delivery_twice_changes_nothing_and_its_flux_is_not_taken_under_another_name(
    empty, delivery, tmp_path
):
    first = run_cli("ingest", empty, delivery)
    again = run_cli("ingest", empty, delivery)
    assert (first["n_new"], again["n_new"]) == (1, 0)
    other = tmp_path / "again"
    shutil.copytree(delivery, other)
    manifest = json.loads((other / "delivery.json").read_text())
    manifest["period"]["start"] = "2018-12-01"
    (other / "delivery.json").write_text(json.dumps(manifest))
    exit_code, code, _ = refused("ingest", empty, other)
    assert exit_code == 4
    assert code in {"DLV-10", "DLV-11"}


def test_a_line_that_cannot_be_read_is_kept_with_its_reason_and_counted(empty, delivery):
    name = a_file(delivery)

    def spoil(rows):
        at = rows[0].index("PHA_ACT_QSN")
        rows[5][at] = "CANARY-not-a-number"
        return rows

    rewrite(delivery / name, spoil)
    redeclare(delivery, name)
    answer = run_cli("ingest", empty, delivery)
    assert answer["n_rejected"] == 1
    assert answer["n_delivered"] == answer["n_landed"] + 1
    assert "CANARY" not in json.dumps(answer)


def test_no_delivery_json_and_no_such_folder(empty, tmp_path):
    (tmp_path / "bare").mkdir()
    assert refused("ingest", empty, tmp_path / "bare")[:2] == (4, "DLV-01")
    assert refused("ingest", empty, tmp_path / "absent")[0] == 4


def study_file(tmp_path, text=STUDY):
    path = tmp_path / "study.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def study(home, tmp_path, *, user=ALICE, permit=PERMIT):
    return ("study", home, study_file(tmp_path), "--permit", permit, "--user", user)


def test_a_user_who_is_not_on_the_permit_and_a_permit_that_does_not_exist(home, tmp_path):
    assert refused(*study(home, tmp_path, user=CAROL))[:2] == (3, "PRM-09")
    assert refused(*study(home, tmp_path, permit="FR-NONE-1"))[:2] == (3, "PRM-02")
    shown = run_cli("ledger", "show", home, "--last", "4")["entries"]
    assert [entry["code"] for entry in shown if entry["outcome"] == "REFUSED"] == ["PRM-09", "PRM-02"]


def test_an_altered_and_an_unsigned_permit(home, tmp_path):
    path = home / "permits" / PERMIT / "v0001.json"
    whole = path.read_text()
    assert ALICE in whole
    path.write_text(whole.replace(ALICE, CAROL))
    assert refused(*study(home, tmp_path, user=CAROL))[0] == 3
    signed = json.loads(whole)
    signature = next(key for key in signed if "signature" in key)
    path.write_text(json.dumps({**signed, signature: ""}))
    assert refused(*study(home, tmp_path))[0] == 3
    path.write_text(whole)
    run_cli(*study(home, tmp_path))


def test_an_expired_permit_and_one_not_yet_in_force(home, tmp_path):
    soon = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=60)
    short = tmp_path / "short.yaml"
    short.write_text(permit_text("FR-SHORT-1", starts=soon, lasts=timedelta(seconds=75)))
    run_cli("permit", "sign", home, short)
    run_cli("permit", "open", home, "FR-SHORT-1")
    later = tmp_path / "later.yaml"
    later.write_text(permit_text("FR-LATER-1", starts=datetime.now(UTC) + timedelta(days=2)))
    run_cli("permit", "sign", home, later)
    assert refused(*study(home, tmp_path, permit="FR-LATER-1"))[:2] == (3, "PRM-06")
    until = soon + timedelta(seconds=75)
    time.sleep(max(0.0, (until - datetime.now(UTC)).total_seconds()) + 0.2)
    assert refused(*study(home, tmp_path, permit="FR-SHORT-1"))[:2] == (3, "PRM-07")
    dead = tmp_path / "dead.yaml"
    dead.write_text(permit_text("FR-DEAD-1", starts=datetime.now(UTC) - timedelta(days=9), lasts=timedelta(days=1)))
    assert refused("permit", "sign", home, dead)[:2] == (3, "PRM-07")


def test_a_revoked_permit_does_not_come_back_with_its_old_folder(home, tmp_path):
    folder = home / "permits" / PERMIT
    shutil.copytree(folder, tmp_path / "kept")
    run_cli("permit", "revoke", home, PERMIT, "--reason", "the holder asked")
    assert refused(*study(home, tmp_path))[:2] == (3, "PRM-08")
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "kept", folder)
    assert refused(*study(home, tmp_path))[:2] == (3, "PRM-05")


def test_an_unknown_study_option_names_its_line(home, tmp_path):
    path = study_file(tmp_path, STUDY.replace("washout_days: all", "washout_weeks: 3"))
    exit_code, code, text = refused("study", home, path, "--permit", PERMIT, "--user", ALICE)
    assert exit_code == 4
    assert code.startswith("STU-")
    assert "washout_weeks" in text
    assert "line 5" in text


def test_a_permit_that_says_nonsense_names_its_lines(home, tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text(permit_text("FR-BAD-1").replace("ehds-permit", "because").replace("min_count: 11", "min_count: 2"))
    exit_code, code, text = refused("permit", "sign", home, path)
    assert (exit_code, code) == (4, "PRM-01")
    assert "legal_basis" in text
    assert "min_count" in text


def test_a_wrong_passphrase(home):
    done = call("build", home, "--json", ENCLOS_PASSPHRASE="not this one")
    assert done.returncode == 3
    assert json.loads(done.stdout)["refused"]["code"] == "ENC-06"
    assert PASSPHRASE not in done.stdout + done.stderr


@pytest.mark.parametrize("command", ["ingest", "link", "build"])
def test_a_second_process_is_turned_away(home, delivery, command):
    with (home / ".data.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        arguments = (command, home, delivery) if command == "ingest" else (command, home)
        assert refused(*arguments)[:2] == (3, "ENC-03")


def test_a_study_waits_for_no_build(home, tmp_path):
    with (home / ".data.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert refused(*study(home, tmp_path))[:2] == (3, "ENC-03")
    run_cli(*study(home, tmp_path))


def in_little_room(n_bytes, *arguments, **environment):
    """Run a command that may write no file longer than n_bytes: the operating system answers as a full disk does."""

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, n_bytes))

    return subprocess.run(
        [str(ENCLOS), *map(str, arguments), "--json"],
        # No bytecode: a compiled file cut off by the limit would break every later import.
        env={"PATH": "/usr/bin:/bin", "ENCLOS_PASSPHRASE": PASSPHRASE, "PYTHONDONTWRITEBYTECODE": "1", **environment},
        preexec_fn=limit,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.parametrize("n_bytes", [2_000, 20_000, 40_000])
def test_a_full_disk_loses_nothing(empty, delivery, n_bytes):
    done = in_little_room(n_bytes, "ingest", empty, delivery)
    assert done.returncode == 4, done.stdout + done.stderr
    assert json.loads(done.stdout)["refused"]["code"] in {"ENC-04", "LDG-01"}
    answer = run_cli("ingest", empty, delivery)
    assert answer["n_new"] == 1
    assert run_cli("ledger", "verify", empty)["n_open"] == 0


def test_a_build_without_room_keeps_the_snapshot_before_it(home):
    before = run_cli("snapshots", home)
    done = in_little_room(100_000, "build", home, "--full")  # with nothing new a build writes little
    assert done.returncode == 4, done.stdout + done.stderr
    assert json.loads(done.stdout)["refused"]["code"] in {"ENC-04", "LDG-01"}
    assert run_cli("snapshots", home) == before
    run_cli("build", home)
    assert len(run_cli("snapshots", home)["snapshots"]) == len(before["snapshots"]) + 1


@pytest.mark.parametrize("arguments", [("nonsense",), ("study",), ("init",), ("synth", "x", "--persons", "many")])
def test_usage_errors_exit_with_2(arguments):
    assert call(*arguments).returncode == 2
