"""What strangers and clients may do to PostgreSQL's door, and what it tells them."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from enclos.gateway.doors import Certificate, postgres_door
from enclos.gateway.model import GateLimits
from enclos.gateway.room import Room
from factories.enclosure import ALICE, CAROL
from factories.gateway import QuickKeeper, certificate

LIMITS = GateLimits(n_connections=60, sign_in_seconds=1.5, stalled_seconds=3)
SSL_REQUEST = struct.pack(">II", 8, 80_877_103)


class Door:
    def __init__(self, keeper: QuickKeeper, port: int, shown: Certificate) -> None:
        self.keeper, self.port, self.shown = keeper, port, shown

    def connect(self, password: str | None = None, user: str = ALICE, **changed: object) -> psycopg.Connection:
        given = {
            "hostaddr": "127.0.0.1",
            "host": "localhost",
            "port": self.port,
            "user": user,
            "dbname": "FR-1",
            "password": password or self.keeper.people.password(user),
            "sslmode": "verify-full",
            "sslrootcert": str(self.shown.chain),
            "channel_binding": "require",
            "connect_timeout": 20,
        }
        return psycopg.connect(**{**given, **changed}, autocommit=True)  # type: ignore[arg-type]

    def raw(self, most: int = 0) -> socket.socket:
        """A connection; where told, one that the system holds little for."""
        plain = socket.socket()
        if most:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, most)
        plain.settimeout(10)
        plain.connect(("127.0.0.1", self.port))
        return plain

    def secure(self, most: int = 0) -> ssl.SSLSocket:
        plain = self.raw(most)
        plain.sendall(SSL_REQUEST)
        assert plain.recv(1) == b"S"
        context = ssl.create_default_context(cafile=str(self.shown.chain))
        return context.wrap_socket(plain, server_hostname="localhost")


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    shown, keeper = certificate(tmp_path_factory.mktemp("tls")), QuickKeeper()
    with postgres_door(keeper, ("127.0.0.1", 0), shown, LIMITS, Room(64 << 20)) as (_, port):
        yield Door(keeper, port, shown)


def startup(**said: str) -> bytes:
    body = struct.pack(">I", 196_608) + b"".join(f"{key}\0{value}\0".encode() for key, value in said.items()) + b"\0"
    return struct.pack(">I", len(body) + 4) + body


def message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack(">I", len(body) + 4) + body


PREPARED = message(b"P", b"\0SELECT 1\0\0\0")


def everything(connection: socket.socket) -> bytes:
    """All that is said until the door closes."""
    connection.settimeout(10)
    found = b""
    try:
        while part := connection.recv(65536):
            found += part
    except (ConnectionError, ssl.SSLError):
        pass
    return found


def state_of(caught: pytest.ExceptionInfo[psycopg.Error]) -> str | None:
    return caught.value.sqlstate


def test_nothing_is_said_in_clear(door: Door) -> None:
    with door.raw() as plain:
        plain.sendall(startup(user=ALICE, database="FR-1"))
        said = everything(plain)
    assert b"C28000\0" in said
    assert b"R\0\0\0" not in said, "no one is asked for a password in clear"
    with pytest.raises(psycopg.OperationalError):
        door.connect(sslmode="disable", channel_binding="disable")


def test_what_was_slipped_in_before_tls_is_never_taken_for_said_by_tls(door: Door) -> None:
    with door.raw() as plain:
        plain.sendall(SSL_REQUEST + startup(user=ALICE, database="FR-1"))
        assert b"S" not in everything(plain)[:1]


@pytest.mark.parametrize(
    "first",
    [
        *(b"GET / HTTP/1.1\r\n\r\n", struct.pack(">II", 4, 0), struct.pack(">II", 2**31, 196_608), b"\0" * 64),
        *(struct.pack(">III", 12, 80_877_102, 1), struct.pack(">II", 8, 131_072), startup(user="a")[:-1] + b"x"),
        struct.pack(">I", 9_999) + b"\xff" * 9_995,
    ],
)
def test_what_is_no_protocol_ends_the_connection(door: Door, first: bytes) -> None:
    before = len(door.keeper.asked)
    for connection in (door.raw(), door.secure()):
        with connection:
            connection.sendall(first)
            connection.shutdown(socket.SHUT_WR) if not isinstance(connection, ssl.SSLSocket) else None
            said = everything(connection)
            assert b"Traceback" not in said
            assert not said.startswith(b"R")
    assert len(door.keeper.asked) == before


def test_who_says_nothing_or_half_is_left_in_time(door: Door) -> None:
    waiting = [door.raw(), door.raw(), door.secure()]
    waiting[1].sendall(b"\0\0")
    waiting[2].sendall(startup(user=ALICE, database="FR-1"))
    started = time.monotonic()
    for connection in waiting:
        everything(connection)
        connection.close()
    assert time.monotonic() - started < 2 * LIMITS.sign_in_seconds + 3
    with door.connect() as connection:
        assert connection.execute("SELECT n FROM person LIMIT 1").fetchone() == (0, "é" * 10)


def test_wrong_passwords_strangers_and_others_permits_look_alike_or_are_refused(door: Door) -> None:
    right = door.keeper.people.password(ALICE)
    told = []
    for password, user in (
        ("wrong", ALICE),
        (right, CAROL),
        (right, "nobody@example.org"),
        (right, "x" * 200),
        ("é" * 90, ALICE),
    ):
        with pytest.raises(psycopg.OperationalError) as caught:
            door.connect(password, user)
        told.append(str(caught.value).rsplit("FATAL:", 1)[-1])
    assert len(set(told)) == 1
    assert "do not let anybody in" in told[0]
    assert door.keeper.n_turned_away >= 5
    with pytest.raises(psycopg.OperationalError, match="no such permit"):
        door.connect(right, dbname="FR-OTHER")


def test_a_withdrawn_password_answers_nothing_more_in_the_middle_of_a_session(door: Door) -> None:
    password = door.keeper.people.password(ALICE)
    with door.connect(password) as connection:
        connection.execute("SELECT n FROM person")
        door.keeper.people.withdraw(password)
        with pytest.raises(psycopg.Error) as caught:
            connection.execute("SELECT n FROM person")
        assert state_of(caught) == "28P01"
    with pytest.raises(psycopg.OperationalError):
        door.connect(password)


@pytest.mark.parametrize(
    "sent",
    [
        *(
            message(b"?", b""),
            message(b"Q", b"no end"),
            message(b"Q", b"\xff\0"),
            message(b"P", b"a\0b\0"),
            b"Q\0\0\0\1",
        ),
        *(
            PREPARED + message(b"B", b"\0\0\0\1\0\x09"),
            message(b"D", b"Q\0"),
            message(b"E", b"\0"),
            message(b"C", b""),
        ),
        *(b"Q" + struct.pack(">I", 2**31 - 1), message(b"p", b"again"), message(b"P", b"\0x\0\x7f\xff")),
    ],
)
def test_a_malformed_message_of_who_signed_in_ends_the_session_and_no_other(door: Door, sent: bytes) -> None:
    with door.connect() as other:
        tunnel = Tunnel(door)
        tunnel.send(sent)
        assert b"C08P01\0" in tunnel.rest()
        assert other.execute("SELECT n FROM person LIMIT 1").fetchone() is not None


class Tunnel:
    """A client that signs in and then says what it likes."""

    def __init__(self, door: Door, most: int = 0) -> None:
        import base64
        import hashlib
        import hmac

        self.line = door.secure(most)
        self.line.sendall(startup(user=ALICE, database="FR-1"))
        self.read()
        first = b"n,,n=,r=abc"
        self.line.sendall(message(b"p", b"SCRAM-SHA-256\0" + struct.pack(">i", len(first)) + first))
        told = self.read()[1][4:].decode()
        said = dict(part.split("=", 1) for part in told.split(","))
        password = door.keeper.people.password(ALICE).encode()
        salted = hashlib.pbkdf2_hmac("sha256", password, base64.b64decode(said["s"]), int(said["i"]))
        unproven = f"c=biws,r={said['r']}"
        key = hmac.digest(salted, b"Client Key", "sha256")
        signed = f"n=,r=abc,{told},{unproven}".encode()
        signature = hmac.digest(hashlib.sha256(key).digest(), signed, "sha256")
        proof = base64.b64encode(bytes(a ^ b for a, b in zip(key, signature, strict=True))).decode()
        self.line.sendall(message(b"p", f"{unproven},p={proof}".encode()))
        self.key = b""
        while (found := self.read())[0] != b"Z":
            assert found[0] in {b"R", b"S", b"K"}, found
            self.key = found[1] if found[0] == b"K" else self.key

    def read(self) -> tuple[bytes, bytes]:
        head = self._exactly(5)
        return head[:1], self._exactly(struct.unpack(">I", head[1:])[0] - 4)

    def send(self, content: bytes) -> None:
        self.line.sendall(content)

    def rest(self) -> bytes:
        found = everything(self.line)
        self.line.close()
        return found

    def _exactly(self, n: int) -> bytes:
        found = b""
        while len(found) < n:
            part = self.line.recv(n - len(found))
            assert part, "the door closed"
            found += part
        return found


def test_an_error_tells_a_number_and_our_own_words(door: Door, capfd: pytest.CaptureFixture[str]) -> None:
    with door.connect() as connection, pytest.raises(psycopg.Error) as caught:
        connection.execute("SELECT bug FROM person")
    assert state_of(caught) == "XX000"
    out, err = capfd.readouterr()
    assert "CANARY" not in str(caught.value) + out + err


def test_only_who_has_its_key_stops_a_statement(door: Door) -> None:
    door.keeper.running.clear()
    with door.connect() as connection:
        number = connection.info.backend_pid
        ended: list[str | None] = []

        def ask() -> None:
            with pytest.raises(psycopg.Error) as caught:
                connection.execute("SELECT slow FROM person")
            ended.append(state_of(caught))

        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        assert door.keeper.running.wait(10)
        for secret in (0, 1, 2**32 - 1):
            with door.raw() as plain:
                plain.sendall(struct.pack(">IIII", 16, 80_877_102, number, secret))
                assert everything(plain) == b""
        time.sleep(0.3)
        assert ended == []
        connection.cancel_safe(timeout=10)
        asking.join(10)
        assert ended == ["57014"]


def test_for_a_client_who_has_left_nothing_runs_on(door: Door) -> None:
    door.keeper.running.clear()
    tunnel = Tunnel(door)
    tunnel.send(message(b"Q", b"SELECT slow FROM person\0"))
    assert door.keeper.running.wait(10)
    tunnel.line.close()
    started = time.monotonic()
    with door.connect() as connection:
        connection.execute("SELECT n FROM person")
    end = started + 10
    while door.keeper.n_slow:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_fifty_connections_are_served_and_more_than_may_be_are_refused(door: Door) -> None:
    passwords = {number: door.keeper.people.password(f"u{number}@example.org") for number in range(50)}

    def one(number: int) -> int:
        with door.connect(passwords[number], f"u{number}@example.org") as connection:
            time.sleep(0.5)
            return len(connection.execute("SELECT n FROM person").fetchall())

    with ThreadPoolExecutor(50) as pool:
        assert list(pool.map(one, range(50))) == [2500] * 50
    held = [door.raw() for _ in range(LIMITS.n_connections)]
    with pytest.raises(psycopg.OperationalError, match="Too many"):
        door.connect()
    for each in held:
        each.close()


def test_strangers_of_one_address_leave_others_places_to_sign_in(door: Door) -> None:
    held = [socket.create_connection(("127.0.0.1", door.port), 10, ("127.0.0.2", 0)) for _ in range(200)]
    with door.connect() as connection:
        assert connection.execute("SELECT n FROM person LIMIT 1").fetchone() is not None
    with suppress(ConnectionResetError):
        held[-1].settimeout(1)
        assert held[-1].recv(1) == b"", "what is far beyond a share is not kept"
    for each in held:
        each.close()


def test_who_does_not_read_holds_nobody_up(door: Door) -> None:
    tunnel = Tunnel(door, most=8192)
    tunnel.send(message(b"Q", b"SELECT n FROM person\0") * 400)
    started = time.monotonic()
    with door.connect() as connection:
        assert len(connection.execute("SELECT n FROM person").fetchall()) == 2500
    assert time.monotonic() - started < 5
    time.sleep(2 * LIMITS.stalled_seconds)
    assert len(tunnel.rest()) < 400 * 2500 * 30, "the rest of the answers was not kept for it"


def test_portals_give_as_many_rows_as_they_are_asked_for(door: Door) -> None:
    tunnel = Tunnel(door)
    tunnel.send(message(b"P", b"s\0SELECT n FROM person WHERE x = $1\0\0\0"))
    tunnel.send(message(b"B", b"p\0s\0\0\0\0\1\0\0\0\1x\0\1\0\1"))
    tunnel.send(message(b"D", b"Ss\0") + message(b"D", b"Pp\0"))
    for _ in range(3):
        tunnel.send(message(b"E", b"p\0" + struct.pack(">i", 1000)))
    tunnel.send(message(b"C", b"Pp\0") + message(b"S", b""))
    kinds = []
    while (found := tunnel.read())[0] != b"Z":
        kinds.append(found[0])
    assert b"".join(kinds) == b"12tTT" + b"D" * 1000 + b"s" + b"D" * 1000 + b"s" + b"D" * 500 + b"C3"
    assert door.keeper.asked[-1] == "SELECT n FROM person WHERE x = 'x'"
    tunnel.send(message(b"E", b"p\0\0\0\0\0") + message(b"S", b""))
    assert b"C34000" in tunnel.read()[1]
    tunnel.line.close()


def test_transactions_hold_nothing_and_behave(door: Door) -> None:
    with door.connect() as connection:
        connection.autocommit = False
        connection.execute("SELECT n FROM person")
        assert connection.info.transaction_status is psycopg.pq.TransactionStatus.INTRANS
        with pytest.raises(psycopg.Error):
            connection.execute("SELECT bug FROM person")
        with pytest.raises(psycopg.errors.InFailedSqlTransaction):
            connection.execute("SELECT n FROM person")
        connection.rollback()
        with connection.transaction(), connection.transaction():
            connection.execute("SELECT n FROM person")
        connection.commit()
        for text in (
            "SET extra_float_digits = 3",
            "SET search_path TO public",
            "SET client_encoding TO 'UTF8'",
            "DISCARD ALL",
        ):
            connection.execute(sql.SQL(text))  # type: ignore[arg-type]
        assert connection.execute("SHOW server_version").fetchone() == ("13.0 (Enclos)",)
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            connection.execute("SET client_encoding TO 'LATIN1'")


def test_settings_are_a_sessions_own(door: Door) -> None:
    with door.connect(application_name="R é") as connection:

        def shown(name: str) -> object:
            found = connection.execute(sql.SQL(f"SHOW {name}")).fetchone()  # type: ignore[arg-type]
            return found and found[0]

        assert shown("application_name") == connection.info.parameter_status("application_name") == "R é"
        connection.execute("SET my.own TO 'x'")
        assert shown("my.own") == "x"
        connection.execute("SET application_name = 'other'")
        assert connection.info.parameter_status("application_name") == "other"
        connection.execute("RESET application_name")
        connection.execute("DISCARD PLANS")
        assert (shown("application_name"), shown("my.own")) == ("", "x")
        connection.execute("RESET ALL")
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            shown("my.own")


def test_a_session_keeps_little(door: Door) -> None:
    with door.connect() as connection:
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            connection.execute(sql.SQL(f"SET {'x' * 64} = 1"))  # type: ignore[arg-type]
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            connection.execute("; ".join(f"SET my.s{number} = 1" for number in range(300)).encode())
    tunnel, long = Tunnel(door), b"SELECT n FROM person /*" + b"x" * 99_000 + b"*/\0\0\0"
    for number in range(11):
        tunnel.send(message(b"P", b"s%d\0" % number + long))
    tunnel.send(message(b"S", b""))
    told = [tunnel.read() for _ in range(12)]
    assert [kind for kind, _ in told] == [b"1"] * 10 + [b"E", b"Z"]
    assert b"C53300\0" in told[10][1]
    tunnel.send(message(b"C", b"Ss0\0") + message(b"P", b"s10\0" + long) + message(b"S", b""))
    assert [tunnel.read()[0] for _ in range(3)] == [b"3", b"1", b"Z"]
    value = b"\0t\0\0\0\0\1" + struct.pack(">i", 900_000) + b"x" * 900_000 + b"\0\0"
    tunnel.send(message(b"P", b"t\0SELECT n FROM person WHERE x = $1\0\0\0"))
    for number in range(5):
        tunnel.send(message(b"B", b"p%d" % number + value))
    tunnel.send(message(b"S", b""))
    told = [tunnel.read() for _ in range(7)]
    assert [kind for kind, _ in told] == [b"1", b"2", b"2", b"2", b"2", b"E", b"Z"]
    tunnel.line.close()


def test_the_end_of_the_door_is_told_and_stops_what_runs(tmp_path: Path) -> None:
    shown, keeper = certificate(tmp_path), QuickKeeper()
    ended: list[str | None] = []
    with postgres_door(keeper, ("127.0.0.1", 0), shown, LIMITS, Room(64 << 20)) as (_, port):
        connection = Door(keeper, port, shown).connect()

        def ask() -> None:
            with pytest.raises(psycopg.Error) as caught:
                connection.execute("SELECT slow FROM person")
            ended.append(state_of(caught))

        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        assert keeper.running.wait(10)
    asking.join(10)
    assert ended in (["57P01"], ["57014"])
