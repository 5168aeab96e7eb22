"""A real PostgreSQL server on loopback (Debian's postgresql), started once by a test process, never as root."""

from __future__ import annotations

import getpass
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pg8000.native import Connection

from factories.gateway import certificate
from factories.s3_servers import Daemons, folder_of_servers, free_ports, listens, wait_for

_HOST, _KEEPER, _CARDED = "127.0.0.1", "keeper", "carded"


@dataclass(frozen=True)
class PostgresServer:
    """A server that runs, and who may use it."""

    port: int
    password: str
    daemons: Daemons
    programs: Path
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to use it."""
        return {"ENCLOS_PG_USER": _KEEPER, "ENCLOS_PG_PASSWORD": self.password}

    @property
    def authority(self) -> Path:
        """What its own certificate is verified by."""
        return self.folder / "server" / "chain.pem"

    @property
    def by_certificate(self) -> dict[str, str]:
        """What a process needs to use it by a certificate of its own, without a password."""
        shown = self.folder / "client"
        return {
            "ENCLOS_PG_USER": _CARDED,
            "ENCLOS_PG_CERTIFICATE": str(shown / "chain.pem"),
            "ENCLOS_PG_KEY": str(shown / "key.pem"),
        }

    @contextmanager
    def over_tls(self) -> Iterator[None]:
        """Have it take TLS too, for a while: who does not need it is answered as before and after."""
        self._set_tls("on")
        try:
            yield
        finally:
            self._set_tls("off")

    def _set_tls(self, to: str) -> None:
        self.run("postgres", f"ALTER SYSTEM SET ssl = {to}")
        self.run("postgres", "SELECT pg_reload_conf()")
        wait_for(lambda: self.run("postgres", "SHOW ssl") == [[to]], "postgres")

    def database(self) -> str:
        """The name of a new database."""
        name = f"t{secrets.token_hex(6)}"
        self.run("postgres", f"CREATE DATABASE {name}")
        return name

    def url(self, database: str) -> str:
        """The URL that init takes."""
        return f"postgresql://{_HOST}:{self.port}/{database}"

    def run(self, database: str, statement: str, **values: object) -> list[list[object]]:
        """What its operator can do, or ask."""
        connection = Connection(_KEEPER, host=_HOST, port=self.port, database=database, password=self.password)
        try:
            return connection.run(statement, **values)
        finally:
            connection.close()

    def dump(self, database: str) -> str:
        """All that its host has of a database."""
        url = f"postgresql://{_KEEPER}:{self.password}@{_HOST}:{self.port}/{database}"
        return self.daemons.run(self.programs / "pg_dump", "--create", url)


@cache
def postgres() -> PostgresServer:
    """A cluster of one, with passwords. Source: PostgreSQL 15 documentation, chapter 19."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    assert found, "postgresql is not installed: make test does it for root"
    folder, programs, (port,) = folder_of_servers("postgres"), found[-1], free_ports(1)
    owner = "postgres" if os.geteuid() == 0 else getpass.getuser()
    password = secrets.token_hex(16)
    (folder / "password").write_text(password)
    if owner == "postgres":
        shutil.chown(folder, owner)
        shutil.chown(folder / "password", owner)
    daemons = Daemons(folder, {"TZ": "UTC"}, user=owner if os.geteuid() == 0 else None)
    data = folder / "data"
    named = ("--username", _KEEPER, "--pwfile", folder / "password", "--auth", "scram-sha-256")
    daemons.run(programs / "initdb", "--no-sync", "--no-instructions", "--locale=C", "-E", "UTF8", "-D", data, *named)
    for who, named_so in (("server", "localhost"), ("client", _CARDED)):
        (folder / who).mkdir()
        made = certificate(folder / who, named_so)
        made.key.chmod(0o600)
        if owner == "postgres" and who == "server":
            shutil.chown(made.key, owner)
    rules = data / "pg_hba.conf"
    rules.write_text(f"hostssl all {_CARDED} {_HOST}/32 cert\n{rules.read_text()}")
    tls = (
        f"ssl_cert_file={folder}/server/chain.pem",
        f"ssl_key_file={folder}/server/key.pem",
        f"ssl_ca_file={folder}/client/chain.pem",
    )
    options = (
        *tls,
        "listen_addresses=127.0.0.1",
        f"unix_socket_directories={folder}",
        "fsync=off",
        "shared_buffers=16MB",
    )
    daemons.start(programs / "postgres", "-D", data, "-p", port, *(word for it in options for word in ("-c", it)))
    wait_for(lambda: listens(port), "postgres")
    server = PostgresServer(port, password, daemons, programs, folder)
    wait_for(lambda: _answers(server), "postgres")
    server.run("postgres", f"CREATE ROLE {_CARDED} LOGIN SUPERUSER")
    return server


def _answers(server: PostgresServer) -> bool:
    try:
        return bool(server.run("postgres", "SELECT 1"))
    except Exception:  # noqa: BLE001 - it is starting up
        return False
