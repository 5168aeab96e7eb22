"""Whatever one person leaves unfetched, unread or open at a door, others are answered."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import psycopg
import pytest
from pyarrow import flight

from enclos.gateway.doors import Certificate, flight_door, postgres_door
from enclos.gateway.flight.messages import written
from enclos.gateway.model import GateLimits
from enclos.gateway.room import Room
from factories.enclosure import ALICE, CAROL
from factories.gateway import LARGE_BYTES, QuickKeeper, certificate

LIMITS = GateLimits(n_connections=40, n_connections_each=3)
ROOM_BYTES = 61 << 20
"""Three large answers of one person, and less than a mebibyte more."""
LARGE = "SELECT large FROM person"


class Doors:
    def __init__(self, keeper: QuickKeeper, room: Room, ports: tuple[int, int], shown: Certificate) -> None:
        self.keeper, self.room, (self.postgres, self.flight), self.shown = keeper, room, ports, shown
        self.passwords = {user: keeper.people.password(user) for user in (ALICE, CAROL)}

    def called(self, user: str, way: str = "Bearer") -> flight.FlightCallOptions:
        shown = self.passwords[user]
        if way == "Basic":
            shown = base64.b64encode(f"{user}:{shown}".encode()).decode()
        said = [(b"authorization", f"{way} {shown}".encode()), (b"x-enclos-permit", b"FR-1")]
        return flight.FlightCallOptions(headers=said, timeout=20)

    def bare(self) -> flight.FlightClient:
        return flight.connect(f"grpc+tls://localhost:{self.flight}", tls_root_certs=self.shown.chain.read_bytes())

    def connect(self, user: str) -> psycopg.Connection:
        said = f"hostaddr=127.0.0.1 host=localhost port={self.postgres} user={user} dbname=FR-1 sslmode=verify-full"
        given = {"password": self.passwords[user], "sslrootcert": str(self.shown.chain)}
        return psycopg.connect(said, **given)  # type: ignore[arg-type]

    @contextmanager
    def unread(self, text: str) -> Iterator[None]:
        """A connection of Alice's that asks and reads nothing, which in the end is cut."""
        connection = self.connect(ALICE)
        connection.pgconn.send_query(text.encode())
        try:
            yield
        finally:
            connection.pgconn.finish()
            connection.close()

    def until(self, user: str, n_bytes: int) -> None:
        end = time.monotonic() + 10
        while self.room.of(user) != n_bytes:
            assert time.monotonic() < end, self.room.of(user)
            time.sleep(0.02)


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    shown, keeper, room = certificate(tmp_path_factory.mktemp("tls")), QuickKeeper(), Room(ROOM_BYTES)
    with ExitStack() as stack:
        _, postgres = stack.enter_context(postgres_door(keeper, ("127.0.0.1", 0), shown, LIMITS, room))
        _, arrow = stack.enter_context(flight_door(keeper, ("127.0.0.1", 0), shown, room))
        yield Doors(keeper, room, (postgres, arrow), shown)


def asked(client: flight.FlightClient, said: flight.FlightCallOptions, text: str = LARGE) -> flight.Ticket:
    descriptor = flight.FlightDescriptor.for_command(written("CommandStatementQuery", {1: text.encode()}))
    return client.get_flight_info(descriptor, said).endpoints[0].ticket


def test_who_fetches_nothing_loses_the_oldest_of_their_own_and_others_are_answered(doors: Doors) -> None:
    alice, carol = doors.called(ALICE), doors.called(CAROL)
    with doors.bare() as client:
        of_carol = asked(client, carol, "SELECT n FROM person")
        tickets = [asked(client, alice) for _ in range(20)]
        assert doors.room.of(ALICE) == 3 * LARGE_BYTES
        assert client.do_get(asked(client, carol), carol).read_all().nbytes == LARGE_BYTES
        assert client.do_get(of_carol, carol).read_all().num_rows == 2500
        for ticket in tickets[:-3]:
            with pytest.raises(flight.FlightError, match="No answer of this ticket"):
                client.do_get(ticket, alice).read_all()
        for ticket in tickets[-3:]:
            assert client.do_get(ticket, alice).read_all().nbytes == LARGE_BYTES
    doors.until(ALICE, 0)
    doors.until(CAROL, 0)


def test_who_does_not_read_is_refused_before_a_statement_is_computed(doors: Doors) -> None:
    alice, carol = doors.called(ALICE), doors.called(CAROL)
    with doors.bare() as client:
        unread = [client.do_get(asked(client, alice), alice) for _ in range(3)]
        before = len(doors.keeper.asked)
        with pytest.raises(flight.FlightUnavailableError, match="GAT-03"):
            asked(client, alice)
        assert len(doors.keeper.asked) == before
        assert client.do_get(asked(client, carol), carol).read_all().nbytes == LARGE_BYTES
        for each in unread:
            each.cancel()
        doors.until(ALICE, 0)


def test_what_a_connection_has_not_read_counts_at_both_doors_and_ends_with_it(
    doors: Doors, caplog: pytest.LogCaptureFixture
) -> None:
    alice = doors.called(ALICE)
    with doors.bare() as client:
        with ExitStack() as stack:
            for number in range(3):
                stack.enter_context(doors.unread(LARGE))
                doors.until(ALICE, (number + 1) * LARGE_BYTES)
            with pytest.raises(flight.FlightUnavailableError, match=r"Your answers.*GAT-03"):
                asked(client, alice)
            assert client.do_get(asked(client, doors.called(CAROL)), doors.called(CAROL)).read_all()
        doors.until(ALICE, 0)
        assert "socket.send() raised" not in caplog.text, "nothing more is written for who has left"
        assert client.do_get(asked(client, alice), alice).read_all()
    doors.until(ALICE, 0)
    doors.until(CAROL, 0)


def test_who_holds_their_share_is_refused_by_postgresqls_door_until_they_fetch(doors: Doors) -> None:
    alice = doors.called(ALICE)
    with doors.bare() as client, doors.connect(ALICE) as connection:
        tickets = [asked(client, alice) for _ in range(3)]
        with pytest.raises(psycopg.Error, match="Your answers") as caught:
            connection.execute(LARGE)
        assert caught.value.sqlstate == "53300"
        connection.rollback()
        for ticket in tickets:
            client.do_get(ticket, alice).read_all()
        doors.until(ALICE, 0)
        assert len(connection.execute("SELECT n FROM person").fetchall()) == 2500
    doors.until(ALICE, 0)


def test_one_persons_connections_do_not_take_all_places(doors: Doors) -> None:
    with ExitStack() as stack:
        for _ in range(LIMITS.n_connections_each):
            stack.enter_context(doors.connect(ALICE))
        with pytest.raises(psycopg.OperationalError, match="Too many connections of this person"):
            doors.connect(ALICE)
        with doors.connect(CAROL) as other:
            assert len(other.execute("SELECT n FROM person").fetchall()) == 2500


def test_one_persons_handshakes_end_no_other_session(doors: Doors) -> None:
    with doors.bare() as client:
        pairs = [client.authenticate_basic_token(CAROL, doors.passwords[CAROL])]
        pairs += [client.authenticate_basic_token(ALICE, doors.passwords[ALICE]) for _ in range(70)]
        options = [flight.FlightCallOptions(headers=[pair, (b"x-enclos-permit", b"FR-1")]) for pair in pairs]
        for known in (options[0], options[-1]):
            assert client.do_get(asked(client, known, "SELECT n FROM person"), known).read_all().num_rows == 2500
        with pytest.raises(flight.FlightError):
            asked(client, options[1], "SELECT n FROM person")
