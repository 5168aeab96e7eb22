"""One client after it signed in: simple and extended queries, portals, transactions that hold nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from enclos.gateway.catalog.reading import is_for_catalog
from enclos.gateway.model import Caller
from enclos.gateway.ports import Keeper
from enclos.gateway.postgres import errors, wire
from enclos.gateway.postgres.answers import Calls, fields_of, formats_of
from enclos.gateway.postgres.commands import (
    REPORTED,
    SessionState,
    TransactionFailed,
    columns_of,
    command_of,
    require_no_failure,
    run_command,
)
from enclos.gateway.postgres.parameters import parameter
from enclos.gateway.postgres.types import data_rows
from enclos.gateway.postgres.wire import Malformed, Reader
from enclos.gateway.room import Held, Room
from enclos.gateway.statements import MAX_CHARACTERS, filled, n_parameters, statements_of
from enclos.gateway.tokens import Token
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal

_MOST_KEPT = 256
"""Prepared statements, and portals, of one session."""
_MOST_PREPARED, _MOST_OPEN = 1_000_000, 4_000_000
"""Characters of all of them, the portals' with their values."""
_LONG = 5_000
"""Characters of a statement that is not read between the messages of others."""
_TEXT = 25
_SIMPLE = "\0"
"""The portal of a simple query; a client's names end at this sign."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement that was parsed, with the types of its parameters; zero is not said."""

    tokens: tuple[Token, ...]
    oids: tuple[int, ...]
    n_characters: int


@dataclass(slots=True)
class Portal:
    """A statement with its values; its answer once it was asked, and how far it was read."""

    tokens: tuple[Token, ...]
    text: str
    formats: tuple[int, ...]
    table: pa.Table | None = None
    held: Held | None = None
    at: int = 0


class Unknown(Exception):
    """A name that the session has not."""

    def __init__(self, state: str, what: str) -> None:
        super().__init__(what)
        self.state = state
        self.what = what


@dataclass(slots=True)
class Session:
    """What a client says, answered message by message."""

    keeper: Keeper
    caller: Caller
    calls: Calls
    room: Room
    state: SessionState = field(default_factory=SessionState)
    prepared: dict[str, Prepared] = field(default_factory=dict)
    portals: dict[str, Portal] = field(default_factory=dict)
    reported: dict[str, str] = field(default_factory=dict)
    """The settings that the client was told of last."""
    skips: bool = False
    """Whether messages are left unread until Sync, after an error."""

    def end(self) -> None:
        """Stop what runs, and hold nothing any more."""
        self.calls.stop()
        self._drop(*self.portals)

    def changes(self) -> bytes:
        """What a client is told of its settings without asking, as far as it does not know it."""
        now = {name: self.state.settings.get(key, "") for name, key in REPORTED.items()}
        new = [wire.parameter_status(name, value) for name, value in now.items() if self.reported.get(name) != value]
        self.reported = now
        return b"".join(new)

    async def answer(self, kind: bytes, content: bytes) -> AsyncIterator[bytes]:
        """The answer to one message, part by part."""
        if kind == b"S":
            self.skips = False
            self._end_of_batch()
            yield wire.ready(self.state.status)
            return
        if self.skips and kind != b"Q":
            return
        reader = Reader(content)
        try:
            async for part in self._answer(kind, reader):
                yield part
        except Malformed:
            raise
        except Exception as error:  # noqa: BLE001 - a bug is told by its number only
            yield wire.error(_told(error))
            self.state.failed()
            self.skips = kind != b"Q"
        if kind == b"Q":
            self.skips = False
            self._drop(_SIMPLE)
            self._end_of_batch()
            yield wire.ready(self.state.status)

    async def _answer(self, kind: bytes, reader: Reader) -> AsyncIterator[bytes]:
        if kind == b"Q":
            text = reader.text()
            reader.end()
            async for part in self._simple(text):
                yield part
        elif kind == b"P":
            yield self._parse(reader)
        elif kind == b"B":
            yield self._bind(reader)
        elif kind == b"D":
            yield await self._describe(reader)
        elif kind == b"E":
            async for part in self._execute(reader):
                yield part
        elif kind == b"C":
            yield self._close(reader)
        elif kind == b"H":
            yield b""
        else:
            raise Malformed

    # -- simple

    async def _simple(self, text: str) -> AsyncIterator[bytes]:
        statements = statements_of(_bounded(text))
        if not statements:
            yield wire.EMPTY_QUERY
        for tokens in statements:
            portal = self._open(_SIMPLE, Portal(tuple(tokens), filled(tokens, ()), ()))
            tag = await self._have(portal)
            if portal.table is not None:
                yield wire.row_description(fields_of(portal.table.schema, ()))
                async for part in self._rows(portal, 0):
                    yield part
            yield (self.changes() if tag else b"") + wire.complete(tag or f"SELECT {portal.at}")

    # -- extended

    def _parse(self, reader: Reader) -> bytes:
        name, text = reader.text(), _bounded(reader.text())
        oids = [reader.uint32() for _ in range(reader.count())]
        reader.end()
        statements = statements_of(text)
        if len(statements) > 1:
            raise refusal(Code.GATE_COMMAND, "A prepared statement is one statement.", "Prepare each by itself.")
        tokens = tuple(statements[0]) if statements else ()
        require_no_failure(tokens, self.state)
        n = max(n_parameters(tokens), len(oids))
        oids += [0] * (n - len(oids))
        held = [each.n_characters for key, each in self.prepared.items() if key != name]
        if len(held) >= _MOST_KEPT or sum(held) + len(text) > _MOST_PREPARED:
            raise refusal(Code.GATE_BUSY, "The session holds too many prepared statements.", "Close some.")
        self.prepared[name] = Prepared(tokens, tuple(oids), len(text))
        return wire.PARSE_COMPLETE

    def _bind(self, reader: Reader) -> bytes:
        portal, name = reader.text(), reader.text()
        prepared = self._statement(name)
        forms = [reader.int16() for _ in range(reader.count())]
        values = [reader.value() for _ in range(reader.count())]
        results = [reader.int16() for _ in range(reader.count())]
        reader.end()
        if (
            len(values) != len(prepared.oids)
            or not set(forms + results) <= {0, 1}
            or len(forms) not in {0, 1, len(values)}
        ):
            raise Malformed
        forms = (forms or [0]) * len(values) if len(forms) < 2 else forms
        read = [
            parameter(value, oid, is_binary=bool(form))
            for value, oid, form in zip(values, prepared.oids, forms, strict=False)
        ]
        opened = Portal(prepared.tokens, filled(prepared.tokens, read), tuple(results))
        held = [len(each.text) for key, each in self.portals.items() if key != portal]
        if len(held) >= _MOST_KEPT or (held and sum(held) + len(opened.text) > _MOST_OPEN):
            raise refusal(Code.GATE_BUSY, "The session holds too many portals.", "Close some.")
        self._open(portal, opened)
        return wire.BIND_COMPLETE

    async def _describe(self, reader: Reader) -> bytes:
        what, name = reader.take(1), reader.text()
        reader.end()
        if what == b"S":
            prepared = self._statement(name)
            told = wire.parameter_description([oid or _TEXT for oid in prepared.oids])
            text = filled(prepared.tokens, [None] * len(prepared.oids))
            schema = await self._shape(prepared.tokens, text)
            return told + (wire.NO_DATA if schema is None else wire.row_description(fields_of(schema, ())))
        if what != b"P":
            raise Malformed
        portal = self._portal(name)
        if not portal.tokens or (command_of(portal.tokens) and columns_of(portal.tokens, self.state) is None):
            return wire.NO_DATA
        await self._have(portal)
        if portal.table is None:
            return wire.NO_DATA
        return wire.row_description(fields_of(portal.table.schema, portal.formats))

    async def _execute(self, reader: Reader) -> AsyncIterator[bytes]:
        name, most = reader.text(), reader.int32()
        reader.end()
        portal = self._portal(name)
        if not portal.tokens:
            yield wire.EMPTY_QUERY
            return
        tag = await self._have(portal)
        async for part in self._rows(portal, most):
            yield part
        if portal.table is not None and portal.at < portal.table.num_rows:
            yield wire.SUSPENDED
        else:
            yield (self.changes() if tag else b"") + wire.complete(tag or f"SELECT {portal.at}")

    def _close(self, reader: Reader) -> bytes:
        what, name = reader.take(1), reader.text()
        reader.end()
        if what not in {b"S", b"P"}:
            raise Malformed
        if what == b"S":
            self.prepared.pop(name, None)
        else:
            self._drop(name)
        return wire.CLOSE_COMPLETE

    def _end_of_batch(self) -> None:
        """Outside a transaction portals end with their batch."""
        if self.state.status == b"I":
            self._drop(*self.portals)

    def _open(self, name: str, portal: Portal) -> Portal:
        """Keep a portal in the place of one of its name."""
        self._drop(name)
        self.portals[name] = portal
        return portal

    def _drop(self, *names: str) -> None:
        """Forget portals, and give back the room of their answers."""
        for name in names:
            portal = self.portals.pop(name, None)
            if portal is not None and portal.held is not None:
                portal.held.release()

    def _statement(self, name: str) -> Prepared:
        if name not in self.prepared:
            raise Unknown(errors.NO_SUCH_STATEMENT, "There is no prepared statement of this name.")
        return self.prepared[name]

    def _portal(self, name: str) -> Portal:
        if name not in self.portals:
            raise Unknown(errors.NO_SUCH_PORTAL, "There is no portal of this name.")
        return self.portals[name]

    # -- what is asked

    async def _have(self, portal: Portal) -> str:
        """Have the portal's answer, once; the tag of a command, or nothing."""
        require_no_failure(portal.tokens, self.state)
        if command_of(portal.tokens):
            done = run_command(portal.tokens, self.state)
            for name in done.forget:
                self._forget(name)
            portal.table = done.table
            return done.tag
        if portal.table is None:
            is_catalog = await self._is_for_catalog(portal.text)
            if not is_catalog:
                self.room.require(self.caller.user)
            ask = self.keeper.catalog if is_catalog else self.keeper.ask
            table = await self.calls.run(lambda stop: ask(self.caller, portal.text, stop))
            portal.held = self.room.hold(self.caller.user, table.nbytes)
            portal.table = table
        return ""

    async def _shape(self, tokens: Sequence[Token], text: str) -> pa.Schema | None:
        if not tokens or command_of(tokens):
            return columns_of(tokens, self.state) if tokens else None
        if await self._is_for_catalog(text):
            return (await self.calls.run(lambda stop: self.keeper.catalog(self.caller, text, stop))).schema
        return await self.calls.run(lambda stop: self.keeper.shape(self.caller, text, stop))

    async def _is_for_catalog(self, text: str) -> bool:
        """As ``is_for_catalog``; while a long statement is read others are served."""
        return is_for_catalog(text) if len(text) < _LONG else await self.calls.run(lambda _: is_for_catalog(text))

    def _forget(self, name: str) -> None:
        if name == "*":
            self.prepared.clear()
        else:
            self.prepared.pop(name, None)

    async def _rows(self, portal: Portal, most: int) -> AsyncIterator[bytes]:
        if portal.table is None:
            return
        left = portal.table.num_rows - portal.at
        n_rows = min(most, left) if most > 0 else left
        formats = formats_of(portal.formats, portal.table.num_columns)
        for part in data_rows(portal.table, portal.at, n_rows, formats):
            yield part
        portal.at += n_rows


def _bounded(text: str) -> str:
    if len(text) > MAX_CHARACTERS:
        raise refusal(Code.SQL_LIMIT, "The query has too many characters.", "Split it, or join a smaller table.")
    return text


def _told(error: Exception) -> dict[str, str]:
    if isinstance(error, Refusal):
        return errors.fields_of(error)
    if isinstance(error, TransactionFailed):
        return errors.plain(errors.FAILED_TRANSACTION, "The transaction has failed.", hint="End it with ROLLBACK.")
    if isinstance(error, Unknown):
        return errors.plain(error.state, error.what)
    return errors.plain(errors.BUG, "The gateway has a bug: this is not your fault.")
