"""The end of a project, and of everything: nothing opens, no copy either, and a certificate says so."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from enclos.app import permits
from enclos.app.backups import back_up
from enclos.app.certificates import verify_certificate
from enclos.app.destroying import destroy_all, destroy_permit, list_due
from enclos.app.ledger import verify
from enclos.app.restoring import restore
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from factories.dying import dies_at
from factories.enclosure import PASSPHRASE, call, open_home, permit_text, refused, run_cli
from factories.postgres import postgres
from factories.released_home import PERMIT, released_home
from factories.s3_servers import ceph

OTHER = "FR-TEST-0009"
STAYS = {"ledger", "keys", "permits", "enclos.toml", "destroyed.json"}


@pytest.fixture
def home(released, tmp_path) -> Path:
    return Path(shutil.copytree(released, tmp_path / "home"))


def code_of(attempt) -> Code:
    with pytest.raises(Refusal) as caught:
        attempt()
    return caught.value.code


def ledger_key(home: Path) -> str:
    return next(
        entry["public"]
        for name, entry in json.loads((home / "keys" / "keystore.json").read_text())["keys"].items()
        if name == "ledger"
    )


def ended(home: Path, confirm: str = "home"):
    return destroy_all(home, passphrase=PASSPHRASE, confirm=confirm, reason="the authorisation has ended")


def test_a_project_ends_within_six_months_and_the_days_are_counted(home):
    with open_home(home) as enclosure:
        assert list_due(enclosure) == {"permits": [], "n_late": 0}
        assert code_of(lambda: destroy_permit(enclosure, PERMIT, "too early")) is Code.LEDGER_RETENTION
        permits.sign(enclosure, permit_text(OTHER, lasts=timedelta(days=2)))
        permits.revoke(enclosure, PERMIT, reason="it is over")
        (row,) = list_due(enclosure)["permits"]
        assert (row["permit"], row["state"], row["destroyed_on"]) == (PERMIT, "REVOKED", None)
        assert 178 <= row["days_left"] <= 184
        later = enclosure.ledger.now() + timedelta(days=200)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(type(enclosure.ledger), "now", lambda _: later)
            assert [(each["permit"], each["state"]) for each in list_due(enclosure)["permits"]] == [
                (PERMIT, "REVOKED"),
                (OTHER, "EXPIRED"),
            ]
            assert list_due(enclosure)["n_late"] == 2
        answer = destroy_permit(enclosure, PERMIT, "six months")
        assert (answer["in_time"], answer["delete_by"], answer["n_files"] > 5) == (True, row["delete_by"], True)
        (row,) = list_due(enclosure)["permits"]
        assert row["destroyed_on"] == datetime.now(UTC).date().isoformat()
    proof = verify_certificate(home / "keys" / "destroyed" / answer["certificates"][0], ledger_key(home))
    assert (proof["subject"], proof["opens"]) == (PERMIT, False)


def test_everything_ends_here_and_in_every_copy(home, tmp_path):
    with open_home(home) as enclosure:
        back_up(enclosure, str(tmp_path / "place"))
    assert code_of(lambda: ended(home, confirm="another")) is Code.DESTROY_UNCONFIRMED
    assert call("destroy", home, "--all", "--json").returncode == 2
    answer = ended(home)
    left = {str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()}
    assert all(name.split("/")[0] in STAYS or name[0] == "." for name in left)
    endings = (".sealed", ".parquet", ".duckdb", ".manifest")
    assert not any(name.endswith(endings) or "private" in name for name in left)
    keys = json.loads((home / "keys" / "keystore.json").read_text())["keys"]
    assert not any("wrapped" in entry for name, entry in keys.items() if name != "check")
    # what stays verifies without the enclosure: the ledger, and the certificate under its last key
    assert verify(home)["n_open"] == 0
    proof = verify_certificate(Path(answer["certificate"]), ledger_key(home))
    assert proof["opens"] == [] and len(proof["keys"]) + len(proof["ends_with_this"]) == len(answer["keys"]) >= 11
    assert refused("snapshots", home)[1] == "ENC-17"
    assert ended(home)["keys"] == answer["keys"]
    again = {"passphrase": PASSPHRASE, "survivors": home / "keys"}
    assert code_of(lambda: restore(str(tmp_path / "place"), tmp_path / "new", **again)) is Code.KEY_MISSING


@pytest.mark.slow
@pytest.mark.parametrize(
    ("function", "number"),
    [
        ("enclos.stores.keys.file:FileKeyStore.destroy", 4),
        ("enclos.app.destroying:forget_sealed", 1),
        ("enclos.app.destroying:certify_end", 1),
        ("enclos.stores.keys.file:FileKeyStore.destroy", 10),
        ("enclos.stores.keys.file:FileKeyStore.destroy", 11),
    ],
)
def test_a_killed_end_is_brought_to_its_end(home, function, number):
    words = ("destroy", home, "--all", "--confirm", "home", "--reason", "x")
    dies_at(function, number, *words)
    assert refused("snapshots", home)[1] == "ENC-17"
    answer = run_cli(*words)
    proof = verify_certificate(Path(answer["certificate"]), ledger_key(home))
    assert proof["opens"] == [] and verify(home)["n_open"] == 0
    assert not any(path.suffix == ".sealed" for path in home.rglob("*"))


@pytest.mark.slow
@pytest.mark.system("radosgw")
@pytest.mark.system("postgresql")
@pytest.mark.xdist_group("s3")
def test_bucket_and_database_are_emptied_and_an_absent_host_hinders_nothing(tmp_path):
    server, database = ceph(), postgres()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**server.environment, **database.environment}.items():
            patch.setenv(name, value)
        bucket, base = server.bucket(), database.database()
        home = released_home(tmp_path, storage=server.url(bucket), catalog=database.url(base))
        copy = Path(shutil.copytree(home, tmp_path / "copy"))
        patch.setenv("ENCLOS_PG_PASSWORD", "wrong")
        assert ended(copy)["left"] == ["catalog"]
        patch.setenv("ENCLOS_PG_PASSWORD", database.password)
        assert database.run(base, "SELECT count(*) FROM enclos_catalog_part")[0][0] > 0
        assert server.kept(bucket) == {}
        assert ended(home)["left"] == []
        assert database.run(base, "SELECT count(*) FROM enclos_catalog_part")[0][0] == 0
        assert database.run(base, "SELECT count(*) FROM enclos_catalog")[0][0] == 0
