"""Backups tell their place nothing, and what they bring back undoes no right."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from enclos.app import permits, studies
from enclos.app.backups import back_up
from enclos.app.hosting import verify_hosting
from enclos.app.ledger import verify
from enclos.app.objections import add_objections, list_all
from enclos.app.objectors import Objectors
from enclos.app.restoring import restore
from enclos.app.rotation import destroy_key, rotate_key
from enclos.app.snapshots import build_omop
from enclos.ledger.model import Action
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole
from enclos.lexicon.refusals import Refusal
from enclos.pseudonyms.model import Objector
from factories.dying import dies_at
from factories.enclosure import ALICE, PASSPHRASE, open_home, permit_text, run_cli
from factories.postgres import postgres
from factories.released_home import PERMIT, STUDY, rows_of
from factories.s3_servers import ceph, swift

LATER, ENDED = "FR-TEST-0002", "FR-TEST-0003"
OBJECTOR = Objector("forty", "4398046511105", None)


@pytest.fixture
def home(released, tmp_path) -> Path:
    return Path(shutil.copytree(released, tmp_path / "home"))


def backed_up(home: Path, place: Path | str, keep: int = 0):
    with open_home(home) as enclosure:
        return back_up(enclosure, str(place), keep=keep)


def restored(place: Path | str, to: Path, **more):
    return restore(str(place), to, passphrase=PASSPHRASE, **more)


def code_of(attempt) -> Code:
    with pytest.raises(Refusal) as caught:
        attempt()
    return caught.value.code


def granted(home: Path, permit: str) -> None:
    with open_home(home) as enclosure:
        permits.sign(enclosure, permit_text(permit, period="{start: 2000-01-01, end: 2030-01-01}", min_count=3))
        permits.open_one(enclosure, permit)


def test_what_was_decided_since_is_not_undone(home, tmp_path):
    place, again = tmp_path / "place", tmp_path / "again"
    granted(home, ENDED)
    before = rows_of(home)
    first = backed_up(home, place)
    assert first["sent"] == first["objects"] > 30
    # since then: somebody objects, a permit is revoked, another's key destroyed, a third granted, and all is built anew
    with open_home(home) as enclosure:
        add_objections(enclosure, [OBJECTOR])
        assert len(Objectors(enclosure)) == 1
        permits.revoke(enclosure, PERMIT, reason="it is over")
        destroy_key(enclosure, permit=ENDED, reason="it is over")
        assert build_omop(enclosure, full=True)["snapshot"] == 2
        size = enclosure.ledger.size()
    second = backed_up(home, place)
    assert second["backup"] == 2 and 0 < second["sent"] < first["sent"]
    answer = restored(place, again, survivors=home, backup=1)
    assert (answer["snapshot"], answer["objections"], answer["ledger_since"] > 0) == (1, 1, True)
    assert rows_of(again) == before
    with open_home(again) as enclosure:
        assert verify_hosting(enclosure)["strangers"] == []
        assert (len(Objectors(enclosure)), list_all(enclosure)["standing"]) == (1, 1)
        for permit, code in ((PERMIT, Code.PERMIT_REVOKED), (ENDED, Code.KEY_MISSING)):
            asked = {"permit": permit, "user": ALICE, "text": STUDY}
            assert code_of(lambda asked=asked: studies.run(enclosure, **asked)) is code
        assert [path.name for path in (again / "permits" / ENDED).rglob("*.sealed")] == []
        assert enclosure.ledger.size() > size
        assert [entry.action for _, entry in enclosure.ledger.entries(0)].count(Action.RESTORE) == 2
        assert build_omop(enclosure)["snapshot"] == 2
        assert len(Objectors(enclosure)) == 1
    granted(again, LATER)
    assert verify(again)["n_open"] == 0
    # everything lost but the keys: the newest backup knows of the objection and of both endings
    shutil.copytree(home / "keys", tmp_path / "kept keys")
    shutil.rmtree(home)
    answer = restored(place, tmp_path / "third", survivors=tmp_path / "kept keys")
    assert (answer["backup"], answer["snapshot"], answer["objections"], answer["left_out"]) == (2, 2, 1, 0)
    assert rows_of(tmp_path / "third") == rows_of(again)


def test_the_place_learns_nothing_and_opens_with_the_catalogs_key_only(home, tmp_path):
    place = tmp_path / "place"
    backed_up(home, place)
    with open_home(home) as enclosure:
        lake = enclosure.paths.lake
        secret = enclosure.keys.secret(KeyName(KeyRole.CATALOG)).reveal()
    known = [PERMIT, ALICE, "forty", "condition", "bronchitis", "ENCLOS1", "vault", "catalog", "enclos.example"]
    for path in (each for each in place.rglob("*") if each.is_file()):
        name, content = str(path.relative_to(place)), path.read_bytes()
        assert not any(word in name for word in [*known, *(each.stem for each in lake.rglob("*.parquet"))])
        content = content.removeprefix(b"ENCLOS1\x00")
        assert secret not in content and not any(word.encode() in content for word in known), name
    # a rotation destroys the earlier key: what it sealed opens no more, the next backup does, and prunes the rest
    with open_home(home) as enclosure:
        rotate_key(enclosure, "catalog")
    assert code_of(lambda: restored(place, tmp_path / "x", survivors=home)) is Code.KEY_MISSING
    assert backed_up(home, place, keep=1)["removed"] > 30
    assert len([path for path in (place / "index").rglob("*") if path.is_file()]) == 1
    assert restored(place, tmp_path / "y", survivors=home)["backup"] == 1


@pytest.mark.slow
def test_lost_data_come_back_in_place_and_a_place_that_lies_is_found_out(home, tmp_path):
    place, before = tmp_path / "place", rows_of(home)
    backed_up(home, place)
    altered = max((path for path in (home / "lake").rglob("*.parquet")), key=lambda path: path.stat().st_size)
    altered.write_bytes(altered.read_bytes()[:-1])
    with open_home(home) as enclosure:  # neither read nor backed up as it is
        assert code_of(lambda: verify_hosting(enclosure)) is Code.STORAGE_ALTERED
    assert backed_up(home, place)["sent"] < 20, "what is known by its seal is not read again"
    assert code_of(lambda: backed_up(home, tmp_path / "another place")) is Code.STORAGE_ALTERED
    shutil.rmtree(home / "crossing")
    (home / "catalog.ducklake").unlink()
    answer = restored(place, home)
    assert answer["written"] >= 3 and rows_of(home) == before
    # a place that lost or altered an object: nothing is half restored without being said
    largest = max((place / "data").iterdir(), key=lambda path: path.stat().st_size)
    whole = largest.read_bytes()
    for broken in (whole[:-1], whole[:-1] + bytes([whole[-1] ^ 1]), None):
        largest.unlink() if broken is None else largest.write_bytes(broken)
        assert code_of(lambda: restored(place, tmp_path / "new", survivors=home)) is Code.STORAGE_ALTERED
        assert not (tmp_path / "new" / "enclos.toml").exists()
    largest.write_bytes(whole)
    assert restored(place, tmp_path / "new", survivors=home)["snapshot"] == 1
    assert code_of(lambda: restored(tmp_path / "nothing here", tmp_path / "z", survivors=home)) is Code.KEY_MISSING
    assert code_of(lambda: restored(place, tmp_path)) is Code.ENCLOSURE_EXISTS


@pytest.mark.slow
@pytest.mark.parametrize(
    ("function", "number"),
    [
        ("enclos.stores.backup_place:BackupPlace.put", 20),
        ("enclos.stores.backup_place:BackupPlace.keep", 1),
        ("enclos.stores.backup_place:BackupPlace.prune", 1),
    ],
)
def test_a_killed_backup_goes_on_where_it_was(home, tmp_path, function, number):
    place = tmp_path / "place"
    dies_at(function, number, "backup", home, "--to", place, "--keep", 1)
    done = run_cli("backup", home, "--to", place, "--keep", 1)
    assert done["sent"] < done["objects"]
    restored(place, tmp_path / "new", survivors=home)
    assert rows_of(tmp_path / "new") == rows_of(home)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("function", "number"),
    [
        ("enclos.app.restoring:write_as_it_was", 15),
        ("enclos.app.restoring:_bring_data", 1),
        ("enclos.app.restoring:_newest_objections", 1),
        ("enclos.app.restoring:write_as_it_was", 45),
        ("enclos.app.restoring:_objections_hold", 1),
        ("enclos.app.restoring:_verified", 1),
    ],
)
def test_a_killed_restoration_goes_on_where_it_was(home, tmp_path, function, number):
    place, new = tmp_path / "place", tmp_path / "new"
    with open_home(home) as enclosure:
        add_objections(enclosure, [OBJECTOR])
    backed_up(home, place)
    dies_at(function, number, "restore", place, "--to", new, "--keys", home / "keys")
    assert not (new / "enclos.toml").exists()
    run_cli("restore", place, "--to", new, "--keys", home / "keys")
    assert rows_of(new) == rows_of(home)
    with open_home(new) as enclosure:
        assert len(Objectors(enclosure)) == 1


@pytest.mark.slow
@pytest.mark.system("radosgw")
@pytest.mark.system("swift-proxy")
@pytest.mark.system("postgresql")
@pytest.mark.xdist_group("s3")
@pytest.mark.parametrize("start", [ceph, swift], ids=["ceph", "swift"])
def test_to_a_bucket_and_back_into_another_with_the_catalog_in_a_database(home, tmp_path, start):
    server, database, before = start(), postgres(), rows_of(home)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**server.environment, **database.environment}.items():
            patch.setenv(name, value)
        place = server.url(server.bucket(), "backups")
        assert backed_up(home, place)["sent"] > 30
        assert backed_up(home, place)["sent"] < 15
        storage, catalog = server.url(server.bucket()), database.url(database.database())
        restored(place, tmp_path / "new", survivors=home, storage=storage, catalog=catalog)
        assert rows_of(tmp_path / "new") == before
        with open_home(tmp_path / "new") as enclosure:
            assert verify_hosting(enclosure)["storage"] == "s3"
            assert build_omop(enclosure, full=True)["snapshot"] == 2
        backed_up(tmp_path / "new", place)
        # the database loses the catalog, the bucket an object: both come back in place
        (row,) = database.run(catalog.rsplit("/", 1)[1], "DELETE FROM enclos_catalog RETURNING revision")
        assert row[0] > 1
        names = list(server.kept(storage.split("/")[2]))
        server.client().delete_object(Bucket=storage.split("/")[2], Key=names[0])
        assert restored(place, tmp_path / "new")["written"] >= 1
        with open_home(tmp_path / "new") as enclosure:
            assert verify_hosting(enclosure)["snapshot"] == 2
