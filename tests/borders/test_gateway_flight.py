"""What strangers and clients may do to Flight's door, and what it tells them."""

from __future__ import annotations

import base64
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from adbc_driver_flightsql import DatabaseOptions as Options
from adbc_driver_flightsql import dbapi
from pyarrow import flight

from enclos.gateway.doors import Certificate, flight_door
from enclos.gateway.flight.messages import Command, NotOurs, read_command, written
from enclos.gateway.flight.metadata import metadata
from enclos.gateway.room import Room
from factories.enclosure import ALICE, CAROL
from factories.gateway import QuickKeeper, certificate

PERMIT_OPTION = f"{Options.RPC_CALL_HEADER_PREFIX.value}x-enclos-permit"


class Door:
    def __init__(self, keeper: QuickKeeper, port: int, shown: Certificate) -> None:
        self.keeper, self.port, self.shown = keeper, port, shown

    def connect(self, permit: str = "FR-1", **credential: str) -> dbapi.Connection:
        given = credential or {"username": ALICE, "password": self.keeper.people.password(ALICE)}
        options = {Options.TLS_ROOT_CERTS.value: self.shown.chain.read_text(), PERMIT_OPTION: permit, **given}
        return dbapi.connect(f"grpc+tls://localhost:{self.port}", db_kwargs=options, autocommit=True)

    def bare(self) -> flight.FlightClient:
        return flight.connect(f"grpc+tls://localhost:{self.port}", tls_root_certs=self.shown.chain.read_bytes())


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    shown, keeper = certificate(tmp_path_factory.mktemp("tls")), QuickKeeper()
    with flight_door(keeper, ("127.0.0.1", 0), shown, Room(64 << 20)) as (_, port):
        yield Door(keeper, port, shown)


def headers(**said: str) -> flight.FlightCallOptions:
    return flight.FlightCallOptions(
        headers=[(name.replace("_", "-").encode(), value.encode()) for name, value in said.items()], timeout=20
    )


def of_statement(text: str) -> flight.FlightDescriptor:
    return flight.FlightDescriptor.for_command(written("CommandStatementQuery", {1: text.encode()}))


def test_a_token_a_password_and_a_handshake_let_in(door: Door) -> None:
    password = door.keeper.people.password(ALICE)
    with door.connect(username=ALICE, password=password) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT n FROM public.person")
        assert cursor.fetch_arrow_table().num_rows == 2500
    assert door.keeper.asked[-1] == "SELECT n FROM person"
    with door.connect(**{Options.AUTHORIZATION_HEADER.value: f"Bearer {password}"}) as connection:
        assert connection.adbc_get_info()["vendor_name"] == "Enclos"
    basic = base64.b64encode(f"{ALICE}:{password}".encode()).decode().rstrip("=")
    with door.bare() as client:
        said = headers(authorization=f"Basic {basic}", x_enclos_permit="FR-1")
        info = client.get_flight_info(of_statement("SELECT n FROM person"), said)
        assert info.total_records == 2500


def test_metadata_are_the_permits(door: Door) -> None:
    with door.connect() as connection:
        (catalog,) = connection.adbc_get_objects(depth="columns").read_all().to_pylist()
        assert catalog["catalog_name"] == "FR-1"
        (schema,) = catalog["catalog_db_schemas"]
        tables = {table["table_name"]: table for table in schema["db_schema_tables"]}
        assert (schema["db_schema_name"], sorted(tables)) == ("public", ["death", "person"])
        assert [column["column_name"] for column in tables["person"]["table_columns"]] == [
            "person_id",
            "birth_datetime",
        ]
        only = connection.adbc_get_objects(depth="tables", table_name_filter="d%th").read_all().to_pylist()
        assert [table["table_name"] for table in only[0]["catalog_db_schemas"][0]["db_schema_tables"]] == ["death"]
        assert str(connection.adbc_get_table_schema("death").field("death_date").type) == "date32[day]"
        assert connection.adbc_get_table_types() == ["TABLE"]


def test_no_pattern_of_names_holds_the_door_up() -> None:
    names = {"condition_occurrence": {}, "death": {}}

    def found(pattern: str) -> list[str]:
        asked = Command("CommandGetTables", {3: [pattern.encode()]})
        table = metadata(asked, "FR-1", names)
        assert table is not None
        return list(table["table_name"].to_pylist())

    started = time.process_time()
    assert found("%" * 5000 + "!") == found("%_" * 5000) == found("%c%o%n%" * 700 + "!") == []
    assert time.process_time() - started < 1
    for pattern, expected in (
        *(("%", sorted(names)), ("", []), ("d_a%", ["death"]), ("%occ%nce", ["condition_occurrence"])),
        *(("%_____", sorted(names)), ("_____", ["death"]), ("death%%", ["death"]), ("deat", []), ("d.*", [])),
    ):
        assert found(pattern) == expected, pattern


def test_values_stand_in_the_statement(door: Door) -> None:
    with door.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT n FROM person WHERE a = ? AND b = '?' AND c = ?", (7, "it's"))
        cursor.fetchall()
        assert door.keeper.asked[-1] == "SELECT n FROM person WHERE a = 7 AND b = '?' AND c = 'it''s'"
        with pytest.raises(dbapi.Error):
            cursor.executemany("SELECT n FROM person WHERE a = ?", [(1,), (2,)])


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"authorization": "Bearer wrong"},
        {"authorization": "Bearer "},
        {"authorization": "Basic ????"},
        {"authorization": "Basic " + base64.b64encode(b"nobody@example.org:x").decode()},
        {"authorization": "Negotiate abc"},
        {"authorization": "Bearer " + "x" * 5000},
    ],
)
def test_who_shows_nothing_that_holds_gets_nothing(door: Door, said: dict[str, str]) -> None:
    before = len(door.keeper.asked)
    with door.bare() as client:
        for call in (
            lambda: client.get_flight_info(of_statement("SELECT n"), headers(**said, x_enclos_permit="FR-1")),
            lambda: list(client.do_action(flight.Action("CreatePreparedStatement", b""), headers(**said))),
            lambda: list(client.list_actions(headers(**said))),
            lambda: client.do_get(flight.Ticket(b"x"), headers(**said)).read_all(),
        ):
            with pytest.raises((flight.FlightUnauthenticatedError, flight.FlightError)) as caught:
                call()
            assert "Traceback" not in str(caught.value)
    assert len(door.keeper.asked) == before


def test_others_permits_tickets_and_handles_are_not_to_be_had(door: Door) -> None:
    alice, carol = (door.keeper.people.password(user) for user in (ALICE, CAROL))
    with door.bare() as client:
        as_alice = headers(authorization=f"Bearer {alice}", x_enclos_permit="FR-1")
        as_carol = headers(authorization=f"Bearer {carol}", x_enclos_permit="FR-1")
        for permit in ({"x_enclos_permit": "FR-2"}, {}):
            with pytest.raises(flight.FlightError):
                client.get_flight_info(of_statement("SELECT n"), headers(authorization=f"Bearer {alice}", **permit))
        ticket = client.get_flight_info(of_statement("SELECT n FROM person"), as_alice).endpoints[0].ticket
        with pytest.raises(flight.FlightError):
            client.do_get(ticket, as_carol).read_all()
        assert client.do_get(ticket, as_alice).read_all().num_rows == 2500
        with pytest.raises(flight.FlightError):  # it is fetched once
            client.do_get(ticket, as_alice).read_all()
        prepare = flight.Action(
            "CreatePreparedStatement", written("ActionCreatePreparedStatementRequest", {1: b"SELECT n FROM person"})
        )
        (made,) = client.do_action(prepare, as_alice)
        handle = read_command(made.body.to_pybytes()).content(1)
        descriptor = flight.FlightDescriptor.for_command(written("CommandPreparedStatementQuery", {1: handle}))
        assert client.get_flight_info(descriptor, as_alice).total_records == 2500
        with pytest.raises(flight.FlightError):
            client.get_flight_info(descriptor, as_carol)


def test_a_withdrawn_password_answers_nothing_more(door: Door) -> None:
    password = door.keeper.people.password(ALICE)
    with door.connect(username=ALICE, password=password) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT n FROM person")
        cursor.fetchall()
        door.keeper.people.withdraw(password)
        with pytest.raises(dbapi.Error):
            cursor.execute("SELECT n FROM person")
        with pytest.raises(dbapi.Error):
            connection.adbc_get_objects(depth="tables").read_all()


def test_an_error_tells_our_own_words(door: Door, capfd: pytest.CaptureFixture[str]) -> None:
    with door.connect() as connection, connection.cursor() as cursor, pytest.raises(dbapi.Error) as caught:
        cursor.execute("SELECT bug FROM person")
    out, err = capfd.readouterr()
    assert "CANARY" not in str(caught.value) + out + err


@pytest.mark.parametrize(
    "content", [b"", b"\xff" * 20, b"\x0a\xff\xff\xff\xff\x0f", b"\x0a\x01x", b"\x09" + b"\0" * 8, b"\x0a" * 500]
)
def test_bytes_that_are_no_message(door: Door, content: bytes) -> None:
    with pytest.raises(NotOurs):
        read_command(content)
    said = headers(authorization=f"Bearer {door.keeper.people.password(ALICE)}", x_enclos_permit="FR-1")
    with door.bare() as client, pytest.raises(flight.FlightError):
        client.get_flight_info(flight.FlightDescriptor.for_command(content), said)


def test_who_cancels_has_nothing_run_on(door: Door) -> None:
    door.keeper.running.clear()
    password = door.keeper.people.password(ALICE)
    said = flight.FlightCallOptions(
        headers=[(b"authorization", f"Bearer {password}".encode()), (b"x-enclos-permit", b"FR-1")], timeout=1.0
    )
    with door.bare() as client, pytest.raises(flight.FlightError):
        client.get_flight_info(of_statement("SELECT slow FROM person"), said)
    end = time.monotonic() + 10
    while door.keeper.n_slow:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_nothing_is_said_in_clear(door: Door) -> None:
    with socket.create_connection(("127.0.0.1", door.port), 10) as plain:
        plain.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0")
        plain.settimeout(10)
        said = b""
        try:
            while part := plain.recv(4096):
                said += part
        except OSError:
            pass
    assert b"\0\0\0\4" not in said, "no HTTP/2 settings in clear"


def test_the_end_of_the_door_stops_what_runs(tmp_path: Path) -> None:
    shown, keeper = certificate(tmp_path), QuickKeeper()
    ended: list[str] = []
    with flight_door(keeper, ("127.0.0.1", 0), shown, Room(64 << 20)) as (_, port):
        password = keeper.people.password(ALICE)

        def ask() -> None:
            said = headers(authorization=f"Bearer {password}", x_enclos_permit="FR-1")
            with Door(keeper, port, shown).bare() as client, pytest.raises(flight.FlightError):
                client.get_flight_info(of_statement("SELECT slow FROM person"), said)
            ended.append("ended")

        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        assert keeper.running.wait(10)
    asking.join(10)
    assert ended == ["ended"]
