"""Objections: who says no is not there at the next query, and nobody can tell."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from enclos.app.enclosure import open_enclosure
from enclos.app.objections import add_objections, list_all, remove_objections
from enclos.app.objectors import objectors_at_query
from enclos.app.permits import newest, open_one, perimeter_of
from enclos.app.rotation import rotate_key
from enclos.app.snapshots import reading_snapshot
from enclos.lexicon.refusals import Refusal
from enclos.pseudonyms.model import Objector
from enclos.pseudonyms.steps.objections import read_objections
from enclos.views.steps import PermitCdm
from factories.enclosure import ALICE, ENCLOS, PASSPHRASE, call, open_home, permit_text, refused, run_cli

PERMIT, OF_FEW = "FR-TEST-0002", "FR-TEST-0001"
"""The permit of the small synthetic France, and that of the sixty patients."""
STUDY = """\
study: bleeding
cohorts:
  bleed: {concepts: [192671], descendants: true, domain: condition}
analyses:
  - incidence: {outcome: bleed, interval: [overall]}
"""


@pytest.fixture
def home(southern: Path) -> Path:
    """Where the test reads every bucket: there are two."""
    return southern


def seen(home: Path, permit: str = PERMIT, after_first: Callable[[], object] = lambda: None) -> set[int]:
    """The permit's numbers of everybody whom the view shows, read bucket by bucket."""
    with open_home(home) as enclosure, reading_snapshot(enclosure) as (engine, snapshot):
        signed = newest(enclosure, permit)
        cdm = PermitCdm(
            signed.permit.terms,
            name="x",
            engine=engine,
            snapshot=snapshot,
            perimeter=perimeter_of(enclosure, permit, engine, snapshot),
            check=lambda: None,
            opted_out=objectors_at_query(enclosure, signed),
        )
        numbers: set[int] = set()
        for place, bucket in enumerate(cdm.buckets):
            with cdm.bucket(bucket) as opened:
                numbers |= set(opened.query("SELECT person_id FROM person")["person_id"].to_pylist())
            if place == 0:
                after_first()
        return numbers


def member(home: Path, bucket: int | None = None) -> tuple[str, str, int, int]:
    """Somebody of the perimeter who has an SNDS pseudonym: source, pseudonym, rank, the permit's number."""
    with open_home(home) as enclosure, reading_snapshot(enclosure) as (engine, snapshot):
        perimeter = perimeter_of(enclosure, PERMIT, engine, snapshot).rows()
    with open_home(home) as enclosure, enclosure.vault_engine() as engine:
        engine.register("perimeter", perimeter)
        source, key, number = engine.rows(
            "SELECT m.source, m.source_person_key, p.permit_person FROM vault.person_map AS m JOIN perimeter AS p "
            "ON p.person_id = m.person_id WHERE m.source_person_key LIKE '%/%' AND (? IS NULL OR p.bucket = ?) "
            "ORDER BY p.permit_person LIMIT 1",
            [bucket, bucket],
        )[0]
    pseudonym, _, rank = key.rpartition("/")
    return source, pseudonym, int(rank), number


def objection(path: Path, *lines: tuple[object, ...]) -> Path:
    rows = [";".join("" if part is None else str(part) for part in line[:3]) for line in lines]
    path.write_text("\n".join(["source;pseudonym;rank", *rows]) + "\n", encoding="utf-8")
    return path


def object_(home: Path, path: Path, *lines: tuple[object, ...]) -> dict[str, object]:
    """Record objections in this process."""
    with open_home(home) as enclosure:
        return add_objections(enclosure, read_objections(objection(path, *lines).read_text(encoding="utf-8")))


def test_an_objection_and_its_withdrawal_work_at_the_next_query(home, tmp_path):
    someone = member(home)
    before = seen(home)
    study = tmp_path / "study.yaml"
    study.write_text(STUDY, encoding="utf-8")
    asked = ("study", home, "--permit", PERMIT, "--user", ALICE, study)
    first = run_cli(*asked)
    file = objection(tmp_path / "o.csv", someone)
    added = run_cli("optout", home, "add", file)
    assert (added["recorded"], added["already"], len(added["receipts"])) == (1, 0, 1)
    assert before - seen(home) == {someone[3]}
    second = run_cli(*asked)
    assert second["run"] != first["run"] and not second["already"]
    again = run_cli("optout", home, "add", file)
    assert (again["recorded"], again["already"], again["receipts"]) == (0, 1, added["receipts"])
    listed = run_cli("optout", home, "list")
    assert (listed["standing"], listed["withdrawn"]) == (1, 0)
    assert set(listed["objections"][0]) == {"receipt", "source", "recorded_at", "withdrawn_at"}
    assert someone[1] not in str(listed)
    assert run_cli("optout", home, "remove", "--receipt", added["receipts"][0]) == {"withdrawn": 1, "unknown": 0}
    assert run_cli("optout", home, "remove", file) == {"withdrawn": 0, "unknown": 1}
    assert seen(home) == before
    third = run_cli(*asked)
    assert (third["run"], third["already"]) == (first["run"], True)
    assert run_cli("ledger", "verify", home)["n_open"] == 0


def test_an_objection_works_between_two_buckets_of_a_running_query(home, tmp_path):
    someone = member(home, bucket=1)
    file = objection(tmp_path / "o.csv", someone)
    before = seen(home)
    during = seen(home, after_first=lambda: run_cli("optout", home, "add", file))
    assert before - during == {someone[3]}


def test_who_is_bound_when_is_the_permits_to_say(home, tmp_path):
    someone = member(home)
    for permit, opt_out in (("FR-OPENED", "true, as_of: permit"), ("FR-LIFTED", "false, as_of: now")):
        text = permit_text(permit).replace("opt_out: {applied: true, as_of: now}", f"opt_out: {{applied: {opt_out}}}")
        (tmp_path / "permit.yaml").write_text(text, encoding="utf-8")
        run_cli("permit", "sign", home, tmp_path / "permit.yaml")
        run_cli("permit", "open", home, permit)
    n_all = len(seen(home))
    object_(home, tmp_path / "o.csv", someone)
    assert [len(seen(home, permit)) for permit in (PERMIT, "FR-OPENED", "FR-LIFTED")] == [n_all - 1, n_all, n_all]
    for permit, n_persons in (("FR-OPENED", n_all - 1), ("FR-LIFTED", n_all)):
        assert run_cli("permit", "open", home, permit)["n_persons"] == n_persons
        assert len(seen(home, permit)) == n_persons


@pytest.mark.slow
def test_an_objection_outlives_builds_and_new_numbers(home, tmp_path):
    before = len(seen(home))
    object_(home, tmp_path / "o.csv", member(home))
    for role in ("objections", "pseudonym"):
        run_cli("keys", "rotate", home, role)
        assert len(seen(home)) == before - 1
    assert run_cli("permit", "open", home, PERMIT)["n_persons"] == before - 1


def test_new_numbers_for_all_find_who_objects_again(small, tmp_path):
    before = len(seen(small, OF_FEW))
    object_(small, tmp_path / "o.csv", ("hosp-e", "p7", None), ("hosp-e", "p8", None))
    for role in ("objections", "pseudonym"):
        with open_enclosure(small, PASSPHRASE, to_rotate=True) as enclosure:
            rotate_key(enclosure, role)
        assert len(seen(small, OF_FEW)) == before - 2
    with open_home(small) as enclosure:
        assert open_one(enclosure, OF_FEW)["n_persons"] == before - 2
        assert remove_objections(enclosure, [Objector("hosp-e", "p7")])["withdrawn"] == 1
        assert open_one(enclosure, OF_FEW)["n_persons"] == before - 1


def killed(home: Path, when: Callable[[], bool], after: float, *arguments: object) -> None:
    """Run a change of objections and kill it a moment after the condition holds."""
    command = [str(ENCLOS), "optout", str(home), *map(str, arguments)]
    env = {**os.environ, "ENCLOS_PASSPHRASE": PASSPHRASE}
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and not when():
        time.sleep(0.0005)
    time.sleep(after)
    process.send_signal(signal.SIGKILL)
    process.wait()


def stamp(*paths: Path) -> list[tuple[int, int]]:
    return [(path.stat().st_mtime_ns, path.stat().st_size) for path in paths if path.exists()]


@pytest.mark.slow
def test_an_objection_killed_at_any_moment_holds_whole_or_not_at_all(small, tmp_path):
    draw, everybody = random.Random(2), len(seen(small, OF_FEW))  # noqa: S311 - moments for a test
    file = objection(tmp_path / "o.csv", *(("hosp-e", f"p{n}", None) for n in range(1, 6)))
    objectors = read_objections(file.read_text(encoding="utf-8"))
    ledger, vault = small / "ledger" / "checkpoint", small / "vault"
    moments = [([ledger], 0.1), ([vault / "vault.duckdb", vault / "vault.duckdb.wal"], 0.005)]
    for watched, most in moments:
        for verb, goal in (("add", 5), ("remove", 0)):
            before = stamp(*watched)
            killed(small, lambda: stamp(*watched) != before, draw.uniform(0, most), verb, file)  # noqa: B023
            assert everybody - len(seen(small, OF_FEW)) in {0, 5}
            with open_home(small) as enclosure:
                n_standing = list_all(enclosure)["standing"]
            assert n_standing in {0, 5} and everybody - len(seen(small, OF_FEW)) == n_standing
            with open_home(small) as enclosure:
                (add_objections if verb == "add" else remove_objections)(enclosure, objectors)
                listed = list_all(enclosure)
            assert (listed["standing"], everybody - len(seen(small, OF_FEW))) == (goal, goal)
    assert (listed["withdrawn"], len({each["receipt"] for each in listed["objections"]})) == (10, 10)
    assert run_cli("ledger", "verify", small)["n_open"] == 0


def test_a_table_that_is_gone_or_older_than_the_ledger_stops_every_query(home, tmp_path):
    table = home / "rights" / "objections.sealed"
    someone = member(home)
    receipt = object_(home, tmp_path / "o.csv", someone)["receipts"][0]
    old = table.read_bytes()
    with open_home(home) as enclosure:
        assert remove_objections(enclosure, receipts=[receipt])["withdrawn"] == 1
    object_(home, tmp_path / "o.csv", someone)
    newest_table = table.read_bytes()
    table.write_bytes(old)
    with pytest.raises(Refusal) as told:
        seen(home)
    assert told.value.code.id == "ENC-05" and "objection" not in str(told.value).lower()
    table.unlink()
    assert refused("permit", "open", home, PERMIT)[1] == "ENC-05"
    table.write_bytes(newest_table)
    seen(home)
    table.unlink()
    assert object_(home, tmp_path / "o.csv", someone)["already"] == 1
    assert someone[3] not in seen(home)


def test_a_typed_identity_becomes_the_sources_pseudonym_and_is_kept_nowhere(empty, tmp_path):
    nir, birth, key = "2850578006084", "1985-05-17", tmp_path / "key"
    run_cli("keys", "source", key, "--source", "hosp-a")
    (tmp_path / "in.csv").write_text(f"NIR;DDN;SEXE\n{nir};{birth};2\n", encoding="utf-8")
    run_cli(
        "pseudonymise",
        tmp_path / "in.csv",
        tmp_path / "out.csv",
        "--key",
        key,
        "--columns",
        "nir=NIR,birth=DDN,sex=SEXE",
    )
    pseudonym = (tmp_path / "out.csv").read_text().split()[1].strip('"')
    command = [str(ENCLOS), "optout", str(empty), "add", "--key", str(key), "--json"]
    env = {**os.environ, "ENCLOS_PASSPHRASE": PASSPHRASE}
    done = subprocess.run(
        command, input=f"{nir}\n{birth}\n2\n", env=env, capture_output=True, text=True, check=True, timeout=120
    )
    assert '"recorded": 1' in done.stdout and nir not in done.stdout + done.stderr
    again = run_cli("optout", empty, "add", tmp_path / "out.csv", "--source", "hosp-a")
    assert (again["recorded"], again["already"]) == (0, 1)
    for path in [*empty.rglob("*"), *key.rglob("*")]:
        content = path.read_bytes() if path.is_file() else b""
        assert not [value for value in (nir, birth, pseudonym) if value.encode() in content], path.name


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("nir\n2850578006084\n", "RGT-01"),
        ("source;pseudonym;rank\n", "RGT-01"),
        ("source;pseudonym;rank\nsnds;;1\n", "RGT-01"),
        ("source;pseudonym;rank\nsnds;PSA;one\n", "RGT-01"),
        ("source;pseudonym;rank\nsnds;PSA;1;2\n", "RGT-01"),
        ("source;pseudonym;rank\nhosp-a;285057800608441;\n", "KEY-07"),
    ],
)
def test_a_file_that_is_no_list_of_objections_is_refused_without_its_values(tmp_path, text, code):
    file = tmp_path / "o.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(Refusal) as told:
        read_objections(file.read_text(encoding="utf-8"))
    assert told.value.code.id == code
    assert "PSA" not in str(told.value) and "285057800" not in str(told.value)


def test_usage_is_told(empty):
    for arguments in (("add",), ("list", "--receipt", "x"), ("add", "--receipt", "x"), ("forget",)):
        assert call("optout", empty, *arguments).returncode == 2


def test_a_hospital_s_own_number_reaches_the_linked_person(home, south, tmp_path):
    identities = pq.read_table(south.parent / "france-south" / "truth" / "identities.parquet").to_pylist()
    linked = [row for row in identities if row["linkable"] and "/" not in str(row["source_person_id"])]
    before = len(seen(home))
    lines = [(row["source"], row["source_person_id"], None) for row in linked[:40]]
    assert object_(home, tmp_path / "o.csv", *lines)["recorded"] == len(set(lines))
    gone = before - len(seen(home))
    assert 0 < gone <= len({row["true_person"] for row in linked[:40]})
