"""The server: statements are answered when they are asked for, and fetched by who asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from threading import Event, Thread
from typing import Any, TypeVar

import pyarrow as pa
from pyarrow import flight

from enclos.gateway.catalog.reading import is_for_catalog
from enclos.gateway.flight.answers import Waiting
from enclos.gateway.flight.callers import Called, Callers, Handshake
from enclos.gateway.flight.errors import error_of
from enclos.gateway.flight.messages import Command, NotOurs, read_command, written
from enclos.gateway.flight.metadata import metadata
from enclos.gateway.model import Caller
from enclos.gateway.ports import Keeper
from enclos.gateway.room import Room
from enclos.gateway.statements import MAX_CHARACTERS, filled, n_parameters, numbered, statements_of
from enclos.gateway.tokens import Token
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal

_CALLERS = "callers"
_MOST_VALUES_BYTES = 1 << 20
_LOOK_SECONDS = 5.0
_Given = TypeVar("_Given")


class _Stop:
    """Whether the client has left, or the door ends."""

    def __init__(self, context: Any, ended: Event) -> None:
        self._context, self._ended = context, ended

    def is_set(self) -> bool:
        """Whether the statement is to end."""
        return self._ended.is_set() or bool(self._context.is_cancelled())


def _in_our_words(answer: Callable[..., _Given]) -> Callable[..., _Given]:
    """An answer whose errors tell what we say and nothing else."""

    @wraps(answer)
    def answered(*given: Any) -> _Given:
        try:
            return answer(*given)
        except Exception as error:  # noqa: BLE001 - a bug is told by its number only
            raise error_of(error) from None

    return answered


class FlightDoor(flight.FlightServerBase):  # type: ignore[misc]
    """Serves Flight SQL at one address; ``certificate`` and ``key`` are PEM."""

    def __init__(self, keeper: Keeper, location: str, certificate: bytes, key: bytes, room: Room) -> None:
        self._keeper = keeper
        self._callers = Callers(keeper)
        self._waiting = Waiting(room)
        self._ended = Event()
        super().__init__(
            location,
            auth_handler=Handshake(),
            tls_certificates=[(certificate, key)],
            middleware={_CALLERS: self._callers},
        )
        Thread(target=self._look_after, name="enclos-flight-answers", daemon=True).start()

    def end(self) -> None:
        """Stop what runs, then the server."""
        self._ended.set()
        self.shutdown()

    # -- the calls of Flight

    @_in_our_words
    def get_flight_info(self, context: Any, descriptor: flight.FlightDescriptor) -> flight.FlightInfo:
        """Where an answer is fetched: of a statement it is computed now, of metadata later."""
        caller, command = self._caller(context), read_command(descriptor.command)
        found = metadata(command, caller.permit, self._keeper.names(caller))
        if found is not None:
            ticket, schema = descriptor.command, found.schema
            return flight.FlightInfo(schema, descriptor, [flight.FlightEndpoint(ticket, [])], found.num_rows, -1)
        text = self._statement(caller, command)
        self._waiting.require_room(caller)
        table = self._answer(caller, text, context)
        ticket = written("TicketStatementQuery", {1: self._waiting.keep(caller, table)})
        endpoints = [flight.FlightEndpoint(ticket, [])]
        return flight.FlightInfo(table.schema, descriptor, endpoints, table.num_rows, table.nbytes)

    @_in_our_words
    def get_schema(self, context: Any, descriptor: flight.FlightDescriptor) -> flight.SchemaResult:
        """The columns of an answer, without its rows."""
        caller, command = self._caller(context), read_command(descriptor.command)
        found = metadata(command, caller.permit, self._keeper.names(caller))
        if found is not None:
            return flight.SchemaResult(found.schema)
        text, stop = self._statement(caller, command), _Stop(context, self._ended)
        if is_for_catalog(text):
            return flight.SchemaResult(self._keeper.catalog(caller, text, stop).schema)
        return flight.SchemaResult(self._keeper.shape(caller, text, stop))

    @_in_our_words
    def do_get(self, context: Any, ticket: flight.Ticket) -> flight.RecordBatchStream:
        """An answer: one that waits, or metadata."""
        caller, command = self._caller(context), read_command(ticket.ticket)
        names = self._keeper.names(caller)  # also refuses whose right has ended since
        if command.name == "TicketStatementQuery":
            return flight.RecordBatchStream(self._waiting.fetch(caller, command.content(1)))
        found = metadata(command, caller.permit, names)
        if found is None:
            raise NotOurs
        return flight.RecordBatchStream(found)

    @_in_our_words
    def do_action(self, context: Any, action: flight.Action) -> Iterator[flight.Result]:
        """Prepare a statement, or forget it."""
        caller = self._caller(context)
        command = read_command(action.body.to_pybytes())
        if action.type == "CreatePreparedStatement":
            tokens = _one_statement(command.text(1))
            self._keeper.names(caller)
            handle = self._waiting.prepare(caller, tokens)
            expected = pa.schema([(f"${number + 1}", pa.null()) for number in range(n_parameters(tokens))])
            fields = {1: handle, 3: expected.serialize().to_pybytes()} if len(expected) else {1: handle}
            return iter([flight.Result(written("ActionCreatePreparedStatementResult", fields))])
        if action.type == "ClosePreparedStatement":
            self._waiting.close(caller, command.content(1))
            return iter([])
        raise NotOurs

    @_in_our_words
    def do_put(self, context: Any, descriptor: flight.FlightDescriptor, reader: Any, writer: Any) -> None:  # noqa: ARG002
        """Values for a prepared statement: one row."""
        caller, command = self._caller(context), read_command(descriptor.command)
        if command.name != "CommandPreparedStatementQuery":
            raise NotOurs
        prepared = self._waiting.prepared(caller, command.content(1))
        table = _one_row(reader)
        prepared.values = [column[0].as_py() for column in table.columns]

    @_in_our_words
    def list_actions(self, context: Any) -> list[tuple[str, str]]:
        """The actions that there are."""
        self._caller(context)
        return [("CreatePreparedStatement", "Prepare a statement."), ("ClosePreparedStatement", "Forget it.")]

    @_in_our_words
    def list_flights(self, context: Any, criteria: bytes) -> Iterator[flight.FlightInfo]:  # noqa: ARG002
        """There are none but what is asked for."""
        self._caller(context)
        return iter([])

    @_in_our_words
    def do_exchange(self, context: Any, descriptor: Any, reader: Any, writer: Any) -> None:  # noqa: ARG002
        """Nothing is exchanged."""
        self._caller(context)
        raise NotOurs

    # -- what is asked

    def _look_after(self) -> None:
        """What waited too long goes, though nobody calls."""
        while not self._ended.wait(_LOOK_SECONDS):
            self._waiting.expire()

    def _caller(self, context: Any) -> Caller:
        called = context.get_middleware(_CALLERS)
        if not isinstance(called, Called):
            raise refusal(Code.GATE_CREDENTIAL, "The call shows no credential.", "Send a token.")
        return self._callers.caller(called)

    def _statement(self, caller: Caller, command: Command) -> str:
        if command.name == "CommandStatementQuery":
            return filled(_one_statement(command.text(1)), ())
        if command.name == "CommandPreparedStatementQuery":
            prepared = self._waiting.prepared(caller, command.content(1))
            return filled(prepared.tokens, prepared.values)
        raise NotOurs

    def _answer(self, caller: Caller, text: str, context: Any) -> pa.Table:
        ask = self._keeper.catalog if is_for_catalog(text) else self._keeper.ask
        return ask(caller, text, _Stop(context, self._ended))


def _one_statement(text: str) -> list[Token]:
    if len(text) > MAX_CHARACTERS:
        raise refusal(Code.SQL_LIMIT, "The query has too many characters.", "Split it, or join a smaller table.")
    found = statements_of(text)
    if len(found) != 1:
        raise refusal(Code.GATE_COMMAND, "A call holds one statement.", "Ask each by itself.")
    return numbered(found[0])


def _one_row(reader: Any) -> pa.Table:
    """The values of one execution; more rows than one would be as many statements."""
    parts = []
    n_rows = 0
    for chunk in reader:
        n_rows += chunk.data.num_rows
        parts.append(chunk.data)
        if n_rows > 1:
            break
        if chunk.data.nbytes > _MOST_VALUES_BYTES:
            raise refusal(Code.GATE_PARAMETER, "The values are too many bytes.", "Join a smaller table.")
    if n_rows != 1:
        raise refusal(Code.GATE_PARAMETER, "A statement is given one row of values.", "Execute it once for each row.")
    return pa.Table.from_batches(parts)
