"""The guide to S3 and PostgreSQL, with its secrets in files, on a real gateway and a real database."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from factories.built_in import write_tables
from factories.enclosure import PASSPHRASE, call
from factories.postgres import postgres
from factories.s3_servers import ceph

pytestmark = [
    pytest.mark.slow,
    pytest.mark.system("radosgw"),
    pytest.mark.system("postgresql"),
    pytest.mark.xdist_group("s3"),
]


def test_it_runs_from_a_folder_of_secrets_and_the_ledger_needs_neither_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage, database = ceph(), postgres()
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    held = {"ENCLOS_PASSPHRASE": PASSPHRASE, **storage.environment, **database.environment}
    assert {"ENCLOS_S3_KEY_ID", "ENCLOS_S3_SECRET", "ENCLOS_PG_USER", "ENCLOS_PG_PASSWORD"} <= held.keys()
    for name, value in held.items():
        monkeypatch.delenv(name, raising=False)
        if name.startswith("ENCLOS_"):
            (secrets / name).write_text(value + "\n")
            (secrets / name).chmod(0o400)

    def enclos(*arguments: object, **more: str) -> str:
        done = call(*arguments, ENCLOS_PASSPHRASE="", ENCLOS_SECRETS=str(secrets), **more)
        assert done.returncode == 0, done.stderr
        return done.stdout

    home = tmp_path / "home"
    places = ("--storage", storage.url(storage.bucket()), "--catalog", database.url(database.database()))
    enclos("init", home, *places, "--min-count-floor", 3, "--buckets", 2)
    write_tables(tmp_path / "delivery")
    enclos("delivery", "make", tmp_path / "delivery", "--kind", "omop", "--source", "forty")
    for command in (("ingest", home, tmp_path / "delivery"), ("link", home), ("build", home)):
        enclos(*command)
    assert json.loads(enclos("hosting", "verify", home, "--json"))["strangers"] == []
    # as the units run them: no way to either host, which a wrong address stands for
    settings = home / "enclos.toml"
    told = settings.read_text(encoding="utf-8")
    away = told.replace(f":{database.port}/", ":1/").replace(storage.endpoint, "http://127.0.0.1:1")
    assert away != told
    settings.write_text(away, encoding="utf-8")
    for command in (("ledger", "verify"), ("ledger", "review"), ("ledger", "forget", "--old")):
        enclos(*command[:2], home, *command[2:])
    assert call("hosting", "verify", home, ENCLOS_PASSPHRASE="", ENCLOS_SECRETS=str(secrets)).returncode != 0
