"""The doors of one process: sockets, the certificate, threads, and a clean end."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from enclos.gateway.flight.server import FlightDoor
from enclos.gateway.model import GateLimits
from enclos.gateway.ports import Keeper
from enclos.gateway.postgres.server import PostgresDoor
from enclos.gateway.room import Room
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal

_SECONDS_TO_END = 20


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a door shows of itself: PEM files of a certificate, with its chain, and of its key."""

    chain: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        """TLS 1.2 or newer with this certificate.

        Refuses: SERVE_PLACE when the files do not make one.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(self.chain, self.key)
        except (OSError, ssl.SSLError):
            raise _no_certificate() from None
        return context

    def binding(self) -> bytes:
        """The digest that binds a sign-in to this certificate.

        Source: RFC 5929, § 4.1
        """
        try:
            certificate = x509.load_pem_x509_certificates(self.chain.read_bytes())[0]
        except (OSError, ValueError):
            raise _no_certificate() from None
        used = certificate.signature_hash_algorithm
        name = "sha256" if used is None or used.name in {"md5", "sha1"} else used.name
        return hashlib.new(name, certificate.public_bytes(Encoding.DER)).digest()


@contextmanager
def postgres_door(
    keeper: Keeper, address: tuple[str, int], certificate: Certificate, limits: GateLimits, room: Room
) -> Iterator[tuple[str, int]]:
    """Serve PostgreSQL's protocol while the block runs; the address, with the port that was taken.

    Refuses: SERVE_PLACE.
    """
    with ExitStack() as stack:
        tls, binding = certificate.context(), certificate.binding()
        listening = stack.enter_context(listen(address))
        threads = ThreadPoolExecutor(limits.n_connections + 8, thread_name_prefix="enclos-gate")
        stack.callback(threads.shutdown, wait=False, cancel_futures=True)
        loop = asyncio.new_event_loop()
        door = PostgresDoor(keeper, tls, binding, limits, threads, room)
        serving = threading.Thread(target=_run, args=(loop,), name="enclos-postgres-door", daemon=True)
        serving.start()
        server = asyncio.run_coroutine_threadsafe(door.serve(listening), loop).result(_SECONDS_TO_END)
        try:
            yield listening.getsockname()[:2]
        finally:
            asyncio.run_coroutine_threadsafe(_end(server, door), loop).result(_SECONDS_TO_END)
            loop.call_soon_threadsafe(loop.stop)
            serving.join(_SECONDS_TO_END)


@contextmanager
def flight_door(
    keeper: Keeper, address: tuple[str, int], certificate: Certificate, room: Room
) -> Iterator[tuple[str, int]]:
    """Serve Flight SQL while the block runs; the address, with the port that was taken.

    Refuses: SERVE_PLACE.
    """
    certificate.context()  # refuses files that do not belong together, which the server would only die of
    host = f"[{address[0]}]" if ":" in address[0] else address[0]
    location = f"grpc+tls://{host}:{address[1]}"
    try:
        chain, key = certificate.chain.read_bytes(), certificate.key.read_bytes()
        door = FlightDoor(keeper, location, chain, key, room)
    except (pa.ArrowException, OSError):
        raise _no_place() from None
    try:
        yield address[0], door.port
    finally:
        door.end()


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    loop.set_exception_handler(lambda *_: None)  # what it says could quote a client
    try:
        loop.run_forever()
    finally:
        loop.close()


async def _end(server: asyncio.Server, door: PostgresDoor) -> None:
    server.close()
    await door.close()


@contextmanager
def listen(address: tuple[str, int]) -> Iterator[socket.socket]:
    """A socket that listens.

    Refuses: SERVE_PLACE.
    """
    try:
        listening = socket.create_server(address, backlog=128)
    except (OSError, OverflowError):
        raise _no_place() from None
    with listening:
        yield listening


def _no_place() -> Refusal:
    return refusal(
        Code.SERVE_PLACE, "The address cannot be listened at.", "Name a free port and an address of this machine."
    )


def _no_certificate() -> Refusal:
    return refusal(
        Code.SERVE_PLACE, "The certificate and its key cannot be read.", "Give two PEM files that belong together."
    )
