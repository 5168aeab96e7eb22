"""A catalog that PostgreSQL keeps: nothing can be read there, and nothing is taken from there that was not given."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from enclos.app.deliveries import ingest_deliveries, make_delivery
from enclos.app.enclosure import create_enclosure
from enclos.app.hosting import verify_hosting
from enclos.app.rotation import rotate_key
from enclos.app.snapshots import build_omop, reading_snapshot
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole, SecretKey
from enclos.lexicon.refusals import Refusal
from enclos.stores.postgres import PostgresCatalog, PostgresPlace
from enclos.stores.remote_catalog import RemoteCatalog
from factories.built_in import write_tables
from factories.enclosure import PASSPHRASE, open_home
from factories.lakes import CANARIES, attached, build
from factories.postgres import postgres
from factories.pseudonymised import CATALOG_KEY
from factories.s3_servers import free_ports

pytestmark = [pytest.mark.system("postgresql"), pytest.mark.xdist_group("postgres")]
NAME, OTHER_NAME = "ab" * 16, "cd" * 16
OTHER_KEY = SecretKey(KeyName(KeyRole.CATALOG), b"another catalog key of the tests")


@pytest.fixture
def database():
    return postgres().database()


def keeper(database: str, name: str = NAME, **changes: str) -> PostgresCatalog:
    server = postgres()
    made = PostgresCatalog(PostgresPlace.from_url(server.url(database)), name, server.environment | changes)
    if not changes:
        made.prepare()
    return made


def refused_with(code: Code, call, *arguments) -> str:
    with pytest.raises(Refusal) as caught:
        call(*arguments)
    assert caught.value.code is code
    return str(caught.value)


def test_a_revision_follows_the_one_before_and_no_other(database):
    one = keeper(database)
    assert (one.revision(), one.fetch()) == (0, None)
    large = os.urandom(9_000_001)
    assert one.replace(0, b"first", "d1")
    assert one.replace(0, b"first", "d1"), "the answer was lost: it is asked again"
    assert not one.replace(0, b"another first", "d2")
    assert one.replace(1, large, "d3")
    assert not one.replace(1, b"late", "d4")
    kept = one.fetch()
    assert kept is not None and (kept.revision, kept.sealed) == (2, large)
    other = keeper(database, OTHER_NAME)
    assert other.revision() == 0 and other.replace(0, b"other", "d5") and one.revision() == 2
    assert postgres().run(database, "SELECT count(DISTINCT revision) FROM enclos_catalog_part") == [[2]]


def test_wrong_credentials_and_a_server_that_is_away_are_refused(database):
    text = refused_with(Code.STORAGE_CREDENTIALS, keeper(database, ENCLOS_PG_PASSWORD="NOTTHISONE").revision)
    assert "NOTTHISONE" not in text and database not in text
    refused_with(Code.STORAGE_CREDENTIALS, keeper(database, ENCLOS_PG_USER="").revision)
    away = PostgresPlace("127.0.0.1", free_ports(1)[0], database)
    text = refused_with(Code.STORAGE_UNREACHABLE, PostgresCatalog(away, NAME, postgres().environment).revision)
    assert postgres().password not in text


def test_a_certificate_stands_for_a_password_and_is_read_anew_for_each_connection(database, tmp_path, monkeypatch):
    server = postgres()
    monkeypatch.setenv("SSL_CERT_FILE", str(server.authority))
    place, shown = PostgresPlace.from_url(server.url(database)), server.by_certificate
    own = {name: Path(shown[name]).read_bytes() for name in ("ENCLOS_PG_CERTIFICATE", "ENCLOS_PG_KEY")}
    files = {name: tmp_path / name for name in own}
    one = PostgresCatalog(place, NAME, shown | {name: str(path) for name, path in files.items()})
    with server.over_tls():
        refused_with(Code.STORAGE_CREDENTIALS, one.prepare)
        for given, mode in ((own, 0o640), (own | {"ENCLOS_PG_KEY": b"no key"}, 0o600), (own, 0o600)):
            for name, content in given.items():
                files[name].write_bytes(content)
                files[name].chmod(mode)
            if (given, mode) != (own, 0o600):
                refused_with(Code.STORAGE_CREDENTIALS, one.prepare)
        one.prepare()
        assert one.replace(0, b"first", "d1")
        assert one.revision() == 1
        without = {"ENCLOS_PG_USER": shown["ENCLOS_PG_USER"], "ENCLOS_PG_PASSWORD": server.password}
        refused_with(Code.STORAGE_CREDENTIALS, PostgresCatalog(place, NAME, without).revision)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mysql://h/d",
        "postgresql://user:secret@h/d",
        "postgresql://u@h/d",
        "postgresql://h/",
        "postgresql://h/d?x=1",
    ],
)
def test_a_url_holds_no_credentials(url):
    assert "user:" not in refused_with(Code.STORAGE_URL, PostgresPlace.from_url, url)


def machine(folder, database, name=NAME):
    folder.mkdir(exist_ok=True)
    return folder / "catalog.ducklake", RemoteCatalog(folder / "catalog.ducklake", keeper(database, name), name)


def changed(remote, catalog, content, *, publish=True):
    """What a build does to the copy, without the build."""
    remote.refresh(CATALOG_KEY)
    remote.take_mark_off()
    catalog.write_bytes(content)
    if publish:
        remote.publish(CATALOG_KEY)


def test_two_machines_share_a_catalog_and_neither_loses_the_others_build(database, tmp_path):
    (here, mine), (there, theirs) = (machine(tmp_path / name, database) for name in ("here", "there"))
    changed(mine, here, b"one")
    theirs.refresh(CATALOG_KEY)
    assert there.read_bytes() == b"one"
    changed(theirs, there, b"a build that begins", publish=False)
    changed(mine, here, b"two")
    refused_with(Code.ENCLOSURE_BUSY, theirs.publish, CATALOG_KEY)
    theirs.refresh(CATALOG_KEY)
    assert there.read_bytes() == b"two"
    # killed after its own commit, before the database had it: the copy and its log count for nothing
    changed(theirs, there, b"a build that was killed", publish=False)
    log = there.with_name("catalog.ducklake.wal")
    log.write_bytes(b"of the killed one")
    _, again = machine(tmp_path / "there", database)
    again.refresh(CATALOG_KEY)
    assert there.read_bytes() == b"two" and not log.exists()
    # on the way to another key it is sealed under one of two
    refused_with(Code.STORAGE_BROKEN, machine(tmp_path / "new", database)[1].refresh, OTHER_KEY)
    machine(tmp_path / "new", database)[1].refresh(OTHER_KEY, CATALOG_KEY)
    assert (tmp_path / "new" / "catalog.ducklake").read_bytes() == b"two"


def test_a_database_that_gives_back_something_else_is_found_out(database, tmp_path):
    (here, mine), (_, other) = machine(tmp_path / "here", database), machine(tmp_path / "other", database, OTHER_NAME)
    run = postgres().run
    changed(mine, here, b"one")
    first = run(database, "SELECT sealed FROM enclos_catalog_part")[0][0]
    changed(mine, here, b"two")
    second = run(database, "SELECT sealed FROM enclos_catalog_part")[0][0]
    for sealed in (first, second[:-1] + bytes([second[-1] ^ 1]), second[:-1], b""):
        run(database, "UPDATE enclos_catalog_part SET sealed = :sealed", sealed=sealed)
        refused_with(Code.STORAGE_BROKEN, machine(tmp_path / "fresh", database)[1].refresh, CATALOG_KEY)
    run(database, "UPDATE enclos_catalog_part SET sealed = :sealed, revision = 1", sealed=first)
    run(database, "UPDATE enclos_catalog SET revision = 1")
    refused_with(Code.STORAGE_ALTERED, mine.refresh, CATALOG_KEY)
    run(database, "INSERT INTO enclos_catalog VALUES (:name, 1, 'x')", name=OTHER_NAME)
    run(database, "INSERT INTO enclos_catalog_part VALUES (:name, 1, 0, :sealed)", name=OTHER_NAME, sealed=first)
    refused_with(Code.STORAGE_BROKEN, other.refresh, CATALOG_KEY)


def test_a_dump_holds_no_key_no_statistic_and_no_name(database, tmp_path):
    here, mine = machine(tmp_path / "here", database)
    mine.refresh(CATALOG_KEY)
    mine.take_mark_off()
    build(here, tmp_path / "lake", 30)
    mine.publish(CATALOG_KEY)
    with attached(here, tmp_path / "lake") as (engine, _):
        of = "FROM __ducklake_metadata_lake"
        keys = {key for (key,) in engine.rows(f"SELECT DISTINCT encryption_key {of}.ducklake_data_file")}
        paths = {path for (path,) in engine.rows(f"SELECT path {of}.ducklake_data_file")}
        statistics = f"SELECT min_value || max_value {of}.ducklake_file_column_stats WHERE min_value IS NOT NULL"
        assert any(CANARIES[0] in text for (text,) in engine.rows(statistics)), "the catalog holds values"
    assert len(keys) > 5 and len(paths) > 10
    dump = postgres().dump(database)
    raw = b"".join(bytes.fromhex(part) for part in re.findall(r"\\\\x([0-9a-f]{100,})", dump))
    assert len(raw) > 100_000
    for word in {*CANARIES, *paths, *keys, "ducklake", "2019-03-01", CATALOG_KEY.reveal_base64()}:
        assert word not in dump and word.encode() not in raw, word


def test_an_enclosure_keeps_its_catalog_there_from_init_to_a_new_key(database, tmp_path, monkeypatch):
    for name, value in postgres().environment.items():
        monkeypatch.setenv(name, value)
    home, copy = tmp_path / "home", tmp_path / "home" / "catalog.ducklake"
    write_tables(tmp_path / "delivery")
    create_enclosure(home, passphrase=PASSPHRASE, buckets=2, catalog=postgres().url(database))
    assert postgres().password not in (home / "enclos.toml").read_text()
    make_delivery(tmp_path / "delivery", kind="omop", source="forty")

    def people():
        with open_home(home) as enclosure, reading_snapshot(enclosure) as (engine, snapshot):
            return snapshot.id, engine.scalar(f"SELECT count(*) FROM {snapshot.relation('person')}")

    with open_home(home) as enclosure:
        ingest_deliveries(enclosure, [tmp_path / "delivery"])
        built = build_omop(enclosure)["snapshot"]
    assert people() == (built, 40)
    for file in home.glob("catalog.ducklake*"):
        file.unlink()
    assert people() == (built, 40) and copy.exists()
    with open_home(home) as enclosure:
        rotate_key(enclosure, role="catalog")
    copy.unlink()
    (home / "catalog.ducklake.revision").unlink()
    assert people() == (built, 40)
    with open_home(home) as enclosure:
        assert verify_hosting(enclosure)["snapshot"] == built
    postgres().run(database, "DELETE FROM enclos_catalog")
    assert "earlier" in refused_with(Code.STORAGE_ALTERED, people)
    for file in home.glob("catalog.ducklake*"):
        file.unlink()
    assert "not there" in refused_with(Code.STORAGE_ALTERED, people)
