"""Rotation under real kills: nothing is lost, the old key opens nothing, and its end is proved."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from enclos.app.certificates import verify_certificate
from enclos.app.enclosure import open_enclosure
from enclos.app.permits import perimeter_of
from enclos.app.reviews import review_access
from enclos.app.rotation import rotate_key
from enclos.app.snapshots import reading_snapshot
from enclos.ledger.model import Action, Outcome
from enclos.lexicon.keys import KeyName, KeyRole
from enclos.lexicon.refusals import Refusal
from enclos.stores.engine import open_engine
from enclos.stores.keys import FileKeyStore
from enclos.stores.perimeter_file import PERIMETER_CONTEXT, PERIMETER_FILE
from enclos.stores.sealed import sealed_scan_sql, unseal
from factories.enclosure import ALICE, ENCLOS, PASSPHRASE, call, open_home, refused, run_cli

PERMIT = "FR-TEST-0001"


def killed(home: Path, *arguments: str, when: Callable[[], bool]) -> None:
    """Run a command and kill it as soon as the condition holds."""
    env = {**os.environ, "ENCLOS_PASSPHRASE": PASSPHRASE}
    command = [str(ENCLOS), "keys", "rotate", str(home), *arguments]
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 300
    while process.poll() is None and not when() and time.monotonic() < deadline:
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL, "it ended before it was killed"


def keys_before(home: Path, tmp_path: Path) -> FileKeyStore:
    """A copy of the key file as it was: what a thief would have."""
    copy = tmp_path / "before.json"
    shutil.copy(home / "keys" / "keystore.json", copy)
    return FileKeyStore.open(copy, PASSPHRASE)


def opens_no_table(key, files: list[Path]) -> bool:
    with open_engine() as engine:
        engine.add_parquet_key(key)
        for file in files:
            try:
                engine.scalar(f"SELECT count(*) FROM {sealed_scan_sql(file, key.name)}")
            except Refusal:
                continue
            return False
    return bool(files)


@pytest.mark.slow
def test_a_vault_rotation_killed_at_every_stage_loses_nothing(home, tmp_path):
    old = keys_before(home, tmp_path).secret(KeyName(KeyRole.VAULT))
    tables = run_cli("build", home)["tables"]
    inodes = {path: path.stat().st_ino for path in (home / "vault" / "landed").rglob("*.parquet")}

    def n_moved() -> int:
        return sum(path.stat().st_ino != inode for path, inode in inodes.items())

    killed(home, "vault", when=(home / ".rotation.json").exists)
    assert refused("build", home)[1] == "KEY-05"
    killed(home, "--resume", when=lambda: n_moved() > 3)
    reached = n_moved()
    assert 0 < reached < len(inodes)
    killed(home, "--resume", when=lambda: n_moved() > reached + 10)
    assert refused("keys", "rotate", home, "desk")[1] == "KEY-05"
    done = run_cli("keys", "rotate", home, "--resume")
    assert done["from"] != done["to"] and not (home / ".rotation.json").exists()
    files = sorted((home / "vault" / "landed").rglob("*.parquet"))
    assert opens_no_table(old, files)
    with open_engine() as engine, pytest.raises(Refusal):
        engine.attach_database("vault", home / "vault" / "vault.duckdb", old, read_only=True)
    assert run_cli("build", home)["tables"] == tables
    assert run_cli("ledger", "verify", home)["n_open"] == 0
    assert not list(home.rglob("*.rekeying"))


def test_every_other_key_rotates_and_its_end_is_proved(home, tmp_path):
    before = keys_before(home, tmp_path)
    first_ledger_key = (home / "ledger" / "ledger.vkey").read_text().strip()
    tables = run_cli("build", home)["tables"]
    assert run_cli("ledger", "witness", home, "--state", tmp_path / "witness", "--key", first_ledger_key)
    for role in ("crossing", "catalog", "desk", "release", "access-body", "ledger"):
        assert run_cli("keys", "rotate", home, role)["role"] == role
    assert run_cli("keys", "rotate", home, "permit", "--permit", PERMIT)["moved"]["n_files"] >= 1
    assert opens_no_table(before.secret(KeyName(KeyRole.CROSSING)), sorted((home / "crossing").rglob("*.parquet")))
    sealed = (home / "permits" / PERMIT / PERIMETER_FILE).read_bytes()
    with pytest.raises(Refusal):
        unseal(before.secret(KeyName(KeyRole.PERMIT, PERMIT)), sealed, PERIMETER_CONTEXT)
    with open_engine() as engine, pytest.raises(Refusal):
        engine.attach_database("c", home / "catalog.ducklake", before.secret(KeyName(KeyRole.CATALOG)), read_only=True)
    assert run_cli("permit", "show", home, PERMIT)["state"] == "GRANTED"  # signed by the key before
    assert run_cli("permit", "open", home, PERMIT)["n_persons"] > 500
    assert run_cli("build", home)["tables"] == tables
    verified = run_cli("ledger", "verify", home)
    assert verified["n_open"] == 0
    assert call("ledger", "verify", home, "--key", first_ledger_key).returncode == 4
    entries = {entry["key"]: entry for entry in run_cli("keys", "list", home)["keys"]}
    gone = [entry for entry in entries.values() if entry["destroyed_at"]]
    in_use = next(e["public_key"] for e in entries.values() if e["role"] == "ledger" and e["in_use"])
    earlier = next(e["public_key"] for e in entries.values() if e["role"] == "ledger" and not e["in_use"])
    assert {entry["role"] for entry in gone} >= {
        "crossing",
        "catalog",
        "desk",
        "release",
        "access-body",
        "ledger",
        "permit",
    }
    for entry in gone:
        certificate = home / "keys" / "destroyed" / f"{entry['key']}.json"
        signer = json.loads(certificate.read_bytes())["signed_by"]
        assert signer in {in_use, earlier}
        said = verify_certificate(certificate, signer)
        assert said["opens"] is False and said["key"] == entry["key"]
    assert run_cli("keys", "verify", certificate, "--key", signer)["key"] == entry["key"]
    forged = tmp_path / "forged.json"
    forged.write_text(certificate.read_text().replace('"opens":false', '"opens":true'))
    assert refused("keys", "verify", forged, "--key", signer)[0] == 4


def perimeter(home: Path) -> dict[int, int]:
    with open_home(home) as enclosure, reading_snapshot(enclosure) as (engine, snapshot):
        rows = perimeter_of(enclosure, PERMIT, engine, snapshot).rows()
    return dict(zip(rows["permit_person"].to_pylist(), rows["person_id"].to_pylist(), strict=True))


@pytest.mark.slow
def test_new_person_numbers_for_all_keep_every_count_and_every_permits_own_numbers(home):
    old = perimeter(home)
    tables = run_cli("build", home)["tables"]
    inode = (home / "permits" / PERMIT / PERIMETER_FILE).stat().st_ino
    changed = lambda: (home / "permits" / PERMIT / PERIMETER_FILE).stat().st_ino != inode  # noqa: E731
    killed(home, "pseudonym", when=changed)
    done = run_cli("keys", "rotate", home, "--resume")
    assert done["moved"]["n_persons"] >= len(old)
    new = perimeter(home)
    assert new.keys() == old.keys() and not set(new.values()) & set(old.values())
    assert len(run_cli("snapshots", home)["snapshots"]) == 1
    assert run_cli("build", home)["tables"] == tables
    assert run_cli("permit", "open", home, PERMIT)["n_persons"] == len(old)
    assert perimeter(home) == new


def test_a_permits_destroyed_key_takes_its_view_with_it(home):
    done = run_cli("keys", "destroy", home, "--permit", PERMIT, "--reason", "the permit has ended")
    assert len(done["certificates"]) >= 1
    code = refused("permit", "open", home, PERMIT)[1]
    assert code == "ENC-07"
    assert refused("keys", "destroy", home, "--permit", PERMIT, "--reason", "again")[1] == "ENC-07"


def uses_of_alice(home: Path) -> list[tuple[dict[str, int], int]]:
    with open_home(home) as enclosure:
        users = [user for permit in review_access(enclosure)["permits"] for user in permit["users"]]
    return [(user["n_done"], user["n_refused"]) for user in users if user["id"] == ALICE]


def test_the_key_of_the_ledger_s_digests_killed_at_every_stage_still_tells_who_did_what(small, tmp_path):
    old = keys_before(small, tmp_path).secret(KeyName(KeyRole.LEDGER_SALT))
    with open_home(small) as enclosure:
        enclosure.ledger.intent(Action.STUDY, ALICE, PERMIT).outcome(Outcome.DONE)
    before = uses_of_alice(small)
    assert before == [({"study": 1}, 0)]
    register, earlier = small / "keys" / "keystore.json", small / "ledger" / "private" / "earlier-salts.sealed"
    killed(small, "ledger-salt", when=(small / ".rotation.json").exists)
    killed(small, "--resume", when=earlier.exists)
    killed(small, "--resume", when=lambda: '"ledger-salt":2' in register.read_text())
    done = run_cli("keys", "rotate", small, "--resume")
    assert done["from"] != done["to"]
    said = json.loads((small / "keys" / "destroyed" / f"{done['from']}.json").read_bytes())
    assert said["opens"] is False and "sealed under the key that followed" in said["worth"]
    assert uses_of_alice(small) == before
    with open_home(small) as enclosure:
        assert set(enclosure.ledger.digests(ALICE)).isdisjoint(enclosure.ledger.digests(ALICE, [old])[1:])
        enclosure.ledger.intent(Action.STUDY, ALICE, PERMIT).outcome(Outcome.DONE)
        actors = {entry.actor for _, entry in enclosure.ledger.entries() if entry.action is Action.STUDY}
    assert len(actors) == 2  # who stole the old key knows nobody in what came after
    with open_enclosure(small, PASSPHRASE, to_rotate=True) as enclosure:
        assert rotate_key(enclosure, "ledger-salt")["moved"] == {"n_earlier": 2}
    assert uses_of_alice(small) == [({"study": 2}, 0)]
    assert run_cli("ledger", "verify", small)["n_open"] == 0
    with pytest.raises(Refusal):
        unseal(old, earlier.read_bytes(), "enclos earlier ledger salts")


def test_keys_that_are_not_rotated_are_refused(empty):
    for arguments in (("recipient",), ("permit",), ("vault", "--permit", "X")):
        assert refused("keys", "rotate", empty, *arguments)[1] == "KEY-04"
    assert refused("keys", "rotate", empty, "--resume")[1] == "KEY-04"
    assert run_cli("keys", "rotate", empty, "vault")["moved"] == {"n_files": 0}
