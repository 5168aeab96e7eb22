"""The server: TLS first, then who it is, then a session; bounds on everything that a stranger may do."""

from __future__ import annotations

import asyncio
import secrets
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass

from enclos.app.whence import is_beyond_share, place_of
from enclos.gateway.model import Caller, GateLimits
from enclos.gateway.ports import Keeper
from enclos.gateway.postgres import errors, wire
from enclos.gateway.postgres.answers import Calls
from enclos.gateway.postgres.session import Session
from enclos.gateway.postgres.wire import Malformed, Reader
from enclos.gateway.room import Room
from enclos.gateway.scram import BOUND, PLAIN, ScramExchange, ScramFailed, salt_of
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal

_FAILED_SECONDS = 0.5
"""How long who failed to sign in waits for the answer."""
_LOOK_SECONDS = 0.5
_AND_MORE = 1.25
"""Who is a few connections beyond a share is told so, by TLS; who is further is not."""


@dataclass(slots=True)
class _Line:
    """A connection's two directions."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    limits: GateLimits

    async def send(self, content: bytes) -> None:
        """Send; who does not read for long is left."""
        self.writer.write(content)
        async with asyncio.timeout(self.limits.stalled_seconds):
            await self.writer.drain()
        await asyncio.sleep(0)  # draining alone lets nobody else in while the client takes all, or is gone unnoticed

    def require_silence(self) -> None:
        """What is said in clear behind the request for TLS would be taken for said by TLS (CVE-2021-23214)."""
        if self.reader._buffer:  # type: ignore[attr-defined]  # noqa: SLF001 - nothing else tells
            raise Malformed

    async def start(self) -> tuple[int, Reader]:
        """The first message, which has no kind: its number, and the rest."""
        length = struct.unpack(">I", await self.reader.readexactly(4))[0]
        if not 8 <= length <= self.limits.first_bytes:
            raise Malformed
        reader = Reader(await self.reader.readexactly(length - 4))
        return reader.int32(), reader

    async def message(self, most: int) -> tuple[bytes, bytes]:
        """The next message: its kind and its content."""
        kind = await self.reader.readexactly(1)
        length = struct.unpack(">I", await self.reader.readexactly(4))[0]
        if not 4 <= length <= most:
            raise Malformed
        async with asyncio.timeout(self.limits.stalled_seconds):
            return kind, await self.reader.readexactly(length - 4)


class PostgresDoor:
    """Serves the protocol at one address.

    In: binding — the digest of the certificate, by which a client knows that nobody is in between
    """

    def __init__(
        self, keeper: Keeper, tls: ssl.SSLContext, binding: bytes, limits: GateLimits, threads: Executor, room: Room
    ) -> None:
        self._keeper, self._tls, self._binding, self._limits = keeper, tls, binding, limits
        self._threads, self._room = threads, room
        self._open: dict[asyncio.Task[None], str] = {}  # whose each connection is, once they have shown it
        self._strangers: dict[asyncio.Task[None], str] = {}  # where those come from who have not shown it yet
        self._sessions: dict[tuple[int, int], Session] = {}

    async def serve(self, listening: socket.socket) -> asyncio.Server:
        """Begin to serve on a socket that listens."""
        return await asyncio.start_server(self._meet, sock=listening, limit=1 << 16)

    async def close(self) -> None:
        """Stop what runs, tell everybody, and leave."""
        for session in self._sessions.values():
            session.calls.stop()
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a connection has a task of its own")
        address = place_of(str((writer.get_extra_info("peername") or ("",))[0]))
        self._strangers[task] = address
        if len(self._open) >= 3 * self._limits.n_connections or self._is_beyond_share(address, _AND_MORE):
            del self._strangers[task]
            writer.close()
            return
        self._open[task] = ""
        line = _Line(reader, writer, self._limits)
        _keep_alive(writer)
        try:
            await self._serve(line)
        except (Malformed, RecursionError):
            await _leave(line, errors.plain(errors.PROTOCOL, "This is not the protocol.", fatal=True))
        except asyncio.CancelledError:
            await _leave(line, errors.plain(errors.SHUT_DOWN, "The gateway is shut down.", fatal=True))
        except (OSError, EOFError, TimeoutError):
            pass  # who is gone, or does not speak, is not told
        finally:
            del self._open[task]
            self._strangers.pop(task, None)
            writer.close()
            with suppress(OSError, TimeoutError, asyncio.CancelledError):
                async with asyncio.timeout(1):
                    await writer.wait_closed()

    async def _serve(self, line: _Line) -> None:
        async with asyncio.timeout(self._limits.sign_in_seconds):
            said = await self._greet(line)
            if said is None:
                return
            caller = await self._sign_in(line, said)
        if caller is not None:
            await self._talk(line, caller, said.get("application_name", ""))

    async def _greet(self, line: _Line) -> dict[str, str] | None:
        """What the client says of itself, by TLS; None for who only wanted to stop a statement, or speaks in clear."""
        is_tls = False
        while True:
            number, reader = await line.start()
            if number == wire.CANCEL_REQUEST:
                key = reader.uint32(), reader.uint32()
                reader.end()
                if session := self._sessions.get(key):
                    session.calls.stop()
                return None
            if number == wire.GSS_REQUEST and not is_tls:
                await line.send(b"N")
            elif number == wire.SSL_REQUEST and not is_tls:
                line.require_silence()
                await line.send(b"S")
                line.require_silence()
                await line.writer.start_tls(self._tls, ssl_handshake_timeout=self._limits.sign_in_seconds)
                is_tls = True
            elif number >> 16 == 3 and not is_tls:
                clear = refusal(Code.GATE_CLEAR, "This server speaks over TLS only.", "Use sslmode=verify-full.")
                await _leave(line, errors.fields_of(clear, fatal=True))
                return None
            elif number >> 16 == 3:
                said = wire.startup_parameters(reader)
                if number & 0xFFFF or any(name.startswith("_pq_.") for name in said):
                    await line.send(_older([name for name in said if name.startswith("_pq_.")]))
                return said
            else:
                raise Malformed

    async def _sign_in(self, line: _Line, said: dict[str, str]) -> Caller | None:
        user, permit = said.get("user", ""), said.get("database") or said.get("user", "")
        task = asyncio.current_task()
        address = self._strangers.get(task, "") if task else ""
        if self._n_signed_in() >= self._limits.n_connections or self._is_beyond_share(address):
            await _leave(line, errors.plain(errors.TOO_MANY, "Too many are connected.", fatal=True))
            return None
        loop = asyncio.get_running_loop()
        try:
            credential, last = await self._prove(line, user)
            self._take_place(user)
            caller = await loop.run_in_executor(self._threads, self._keeper.enter, user, permit, credential)
        except ScramFailed:
            kept = loop.run_in_executor(self._threads, self._keeper.turned_away, user)
            await asyncio.gather(kept, asyncio.sleep(_FAILED_SECONDS))  # a stranger waits as long as a known name
            what = errors.plain("28P01", "This name and this credential do not let anybody in.", fatal=True)
            await _leave(line, what)
            return None
        except Refusal as refused:
            await _leave(line, errors.fields_of(refused, fatal=True))
            return None
        await line.send(wire.authentication(12, last) + wire.authentication(0))
        return caller

    def _take_place(self, user: str) -> None:
        """One person's connections do not take all places."""
        if list(self._open.values()).count(user) >= self._limits.n_connections_each:
            raise refusal(Code.GATE_BUSY, "Too many connections of this person are open.", "End some of them.")
        if self._n_signed_in() >= self._limits.n_connections:
            raise refusal(Code.GATE_BUSY, "Too many are connected.", "Ask again in a minute.")
        task = asyncio.current_task()
        if task in self._open:
            self._open[task] = user
            self._strangers.pop(task, None)

    def _n_signed_in(self) -> int:
        return len(self._open) - len(self._strangers)

    def _is_beyond_share(self, address: str, more: float = 1.0) -> bool:
        """Whether an address has more of the places of who has not signed in than it leaves free."""
        held = list(self._strangers.values())
        own = held.count(address)
        return is_beyond_share(own, len(held) - own, int(more * 2 * self._limits.n_connections))

    async def _prove(self, line: _Line, user: str) -> tuple[str, bytes]:
        names = (BOUND, PLAIN)
        await line.send(wire.authentication(10, b"".join(wire.text(name) for name in names) + b"\0"))
        reader = await self._password(line)
        mechanism, first = reader.text(), reader.value()
        reader.end()
        if mechanism not in names or first is None:
            raise ScramFailed
        salt, nonce = salt_of(self._keeper.origin, user), secrets.token_urlsafe(18)
        exchange = ScramExchange(salt, nonce, self._binding, is_bound=mechanism == BOUND)
        await line.send(wire.authentication(11, exchange.first(first)))
        final = (await self._password(line)).rest()
        known = await asyncio.get_running_loop().run_in_executor(self._threads, self._keeper.verifiers, user)
        verifier, last = exchange.last(final, known)
        return verifier.credential, last

    async def _password(self, line: _Line) -> Reader:
        kind, content = await line.message(self._limits.first_bytes)
        if kind != b"p":
            raise Malformed
        return Reader(content)

    async def _talk(self, line: _Line, caller: Caller, program: str) -> None:
        session = Session(self._keeper, caller, Calls(self._threads), self._room)
        session.state.keep("application_name", program)
        key = (secrets.randbelow(1 << 31), secrets.randbelow(1 << 32))
        self._sessions[key] = session
        watch = asyncio.create_task(_stop_when_gone(line, session))
        try:
            await line.send(session.changes() + wire.backend_key(*key) + wire.ready(b"I"))
            async for part in self._answers(line, session):
                await line.send(part)
        finally:
            watch.cancel()
            session.end()
            del self._sessions[key]

    async def _answers(self, line: _Line, session: Session) -> AsyncIterator[bytes]:
        waiting = b""
        while True:
            try:
                async with asyncio.timeout(self._limits.idle_seconds):
                    kind, content = await line.message(self._limits.message_bytes)
            except TimeoutError:
                yield wire.error(errors.plain(errors.IDLE, "Nothing was said for long.", fatal=True))
                return
            if kind == b"X":
                return
            async for part in session.answer(kind, content):
                waiting += part
                if len(waiting) > 1 << 16:
                    yield waiting
                    waiting = b""
            if kind in {b"S", b"Q", b"H"}:  # what belongs together is sent together
                yield waiting
                waiting = b""


async def _stop_when_gone(line: _Line, session: Session) -> None:
    """For a client who has left nothing runs on."""
    while not line.reader.at_eof():  # noqa: ASYNC110 - a stream has no event of its end
        await asyncio.sleep(_LOOK_SECONDS)
    session.calls.stop()


def _older(options: list[str]) -> bytes:
    """NegotiateProtocolVersion: 3.0 and no option."""
    return wire.message(b"v", struct.pack(">ii", 0, len(options)), *(wire.text(name) for name in options))


async def _leave(line: _Line, fields: dict[str, str]) -> None:
    with suppress(OSError, TimeoutError, RuntimeError):
        await line.send(wire.error(fields))


def _keep_alive(writer: asyncio.StreamWriter) -> None:
    """A client whose machine is gone is noticed within a minute or two."""
    found = writer.get_extra_info("socket")
    if isinstance(found, socket.socket) or hasattr(found, "setsockopt"):
        with suppress(OSError):
            found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30)
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10)
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
