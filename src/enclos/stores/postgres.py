"""A sealed catalog in PostgreSQL: two tables that hold ciphertext, its revision and its digest, nothing else."""

from __future__ import annotations

import os
import re
import ssl
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal
from enclos.stores.remote_catalog import Kept

USER, PASSWORD = "ENCLOS_PG_USER", "ENCLOS_PG_PASSWORD"
CERTIFICATE, KEY = "ENCLOS_PG_CERTIFICATE", "ENCLOS_PG_KEY"
"""PEM files of a certificate and its key, which stand in the place of a password."""
_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}")
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_SECONDS, _ATTEMPTS, _WAIT_SECONDS = 30, 4, 0.25
_PART_BYTES = 4 << 20
_DENIED = {"28000", "28P01", "42501"}
_HEADS = "enclos_catalog (name text PRIMARY KEY, revision bigint NOT NULL, digest text NOT NULL)"
_PARTS = "enclos_catalog_part (name text, revision bigint, part int, sealed bytea, PRIMARY KEY (name, revision, part))"
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class PostgresPlace:
    """A database, without credentials; TLS with a verified certificate except on the loopback."""

    host: str
    port: int
    database: str

    @classmethod
    def from_url(cls, url: str) -> PostgresPlace:
        """The database that ``postgresql://host:port/database`` names.

        Refuses: STORAGE_URL, also when it holds credentials.
        """
        try:
            parts = urlsplit(url)
            host, port, database = parts.hostname or "", parts.port or 5432, parts.path.strip("/")
        except ValueError:
            raise _url_refused() from None
        extra = parts.username or parts.password or parts.query or parts.fragment or "@" in parts.netloc
        if parts.scheme not in {"postgresql", "postgres"} or not host or not _NAME.fullmatch(database) or extra:
            raise _url_refused()
        return cls(host, port, database)

    @property
    def url(self) -> str:
        """The line that names it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"postgresql://{host}:{self.port}/{self.database}"


class PostgresCatalog:
    """The newest revision of one enclosure's sealed catalog; every request is tried a few times.

    Refuses: STORAGE_UNREACHABLE, STORAGE_CREDENTIALS.
    """

    def __init__(self, place: PostgresPlace, name: str, environment: Mapping[str, str] | None = None) -> None:
        self._place = place
        self._name = name
        self._environment = os.environ if environment is None else environment

    def __repr__(self) -> str:
        return "PostgresCatalog()"

    def prepare(self) -> None:
        """Make the tables where they are missing."""
        self._tried(
            lambda connection: [connection.run(f"CREATE TABLE IF NOT EXISTS {table}") for table in (_HEADS, _PARTS)]
        )

    def revision(self) -> int:
        """The newest revision's number; 0 before the first."""
        return self._tried(self._revision)

    def fetch(self) -> Kept | None:
        """The newest revision; None before the first."""

        def ask(connection: Any) -> Kept | None:
            revision = self._revision(connection)
            parts = connection.run(
                "SELECT sealed FROM enclos_catalog_part WHERE name = :name AND revision = :revision ORDER BY part",
                name=self._name,
                revision=revision,
            )
            return Kept(revision, b"".join(part for (part,) in parts)) if revision else None

        return self._tried(ask)

    def replace(self, expected: int, sealed: bytes, digest: str) -> bool:
        """Put the next revision in the place of the expected one; whether it was still that one.

        When the answer to a commit is lost, the next try finds the revision there under the same digest.
        """
        named = {"name": self._name, "revision": expected + 1}

        def ask(connection: Any) -> bool:
            head = connection.run(
                "SELECT revision, digest FROM enclos_catalog WHERE name = :name FOR UPDATE", name=self._name
            )
            revision, known = head[0] if head else (0, "")
            if revision != expected:
                return bool(revision == expected + 1 and known == digest)
            for part, start in enumerate(range(0, len(sealed), _PART_BYTES)):
                connection.run(
                    "INSERT INTO enclos_catalog_part VALUES (:name, :revision, :part, :sealed)",
                    **named,
                    part=part,
                    sealed=sealed[start : start + _PART_BYTES],
                )
            if expected:
                connection.run(
                    "UPDATE enclos_catalog SET revision = :revision, digest = :digest WHERE name = :name",
                    **named,
                    digest=digest,
                )
            else:  # two machines that begin at once: the key lets one of them
                connection.run("INSERT INTO enclos_catalog VALUES (:name, :revision, :digest)", **named, digest=digest)
            connection.run("DELETE FROM enclos_catalog_part WHERE name = :name AND revision <> :revision", **named)
            return True

        return self._tried(ask)

    def forget(self) -> None:
        """Remove every revision of this enclosure's catalog; other enclosures' stay."""
        self._tried(
            lambda connection: [
                connection.run(f"DELETE FROM {table} WHERE name = :name", name=self._name)
                for table in ("enclos_catalog_part", "enclos_catalog")
            ]
        )

    def _revision(self, connection: Any) -> int:
        found = connection.run("SELECT revision FROM enclos_catalog WHERE name = :name", name=self._name)
        return int(found[0][0]) if found else 0

    def _tried(self, ask: Callable[[Any], _Answer]) -> _Answer:
        """One transaction, tried again when the connection or the server fails."""
        for attempt in range(_ATTEMPTS):
            try:
                with _border(), self._transaction() as connection:
                    return ask(connection)
            except Refusal as refused:
                if refused.code is not Code.STORAGE_UNREACHABLE or attempt == _ATTEMPTS - 1:
                    raise
                time.sleep(_WAIT_SECONDS * 2**attempt)
        raise AssertionError("the last try raises")

    @contextmanager
    def _transaction(self) -> Iterator[Any]:
        from pg8000.native import Connection

        user, password = self._environment.get(USER), self._environment.get(PASSWORD)
        certificate, key = self._environment.get(CERTIFICATE), self._environment.get(KEY)
        if not user or not (password or (certificate and key)):
            raise _credentials("The credentials of the catalog's database are not there.")
        context = None if self._place.host in _LOOPBACK and not certificate else ssl.create_default_context()
        if certificate and key and context is not None:
            _show(context, Path(certificate), Path(key))
            password = None
        connection = Connection(
            user,
            host=self._place.host,
            port=self._place.port,
            database=self._place.database,
            password=password,
            ssl_context=context,
            timeout=_SECONDS,
        )
        try:
            connection.run("START TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            yield connection
            connection.run("COMMIT")
        finally:
            with suppress(Exception):  # what failed is told; a connection that is gone cannot be closed
                connection.close()


@contextmanager
def _border() -> Iterator[None]:
    """Replace the client's exceptions, which quote statements and values, by refusals."""
    from pg8000.exceptions import DatabaseError, Error

    try:
        yield
    except DatabaseError as error:
        code = error.args[0].get("C", "") if error.args and isinstance(error.args[0], dict) else ""
        if code in _DENIED:
            raise _credentials("The catalog's database refuses these credentials.") from None
        raise _unreachable() from None
    except (Error, OSError):
        raise _unreachable() from None


def _show(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    """Have a connection show a certificate; both files are read for each connection, so what renews them is followed.

    Refuses: STORAGE_CREDENTIALS when they cannot be read, or others than its owner can read the key.
    """
    try:
        if key.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise _credentials("Others than its owner can use the key of the database's certificate.")
        context.load_cert_chain(certificate, key, password="")  # so that nobody is asked for one
    except OSError:
        raise _credentials("The certificate of the catalog's database, or its key, cannot be read.") from None


def _credentials(what: str) -> Refusal:
    next_step = f"Set {USER} and {PASSWORD}, or {CERTIFICATE} and {KEY} to files, the key's of mode 0600."
    return refusal(Code.STORAGE_CREDENTIALS, what, next_step)


def _unreachable() -> Refusal:
    return refusal(
        Code.STORAGE_UNREACHABLE,
        "The catalog's database does not answer as it should, several times in a row.",
        "Nothing was lost: run it again when the database answers.",
    )


def _url_refused() -> Refusal:
    return refusal(
        Code.STORAGE_URL,
        "The catalog cannot be understood from its URL, or the URL would not be safe.",
        f"Write postgresql://HOST:PORT/DATABASE; credentials go into {USER} and {PASSWORD}.",
    )
