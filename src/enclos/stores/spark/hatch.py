"""Where tasks on other machines come for what they need, so that Spark need not carry it.

TLS 1.3 under a certificate of this run, which tasks are told, and a token that is worth nothing after the run. A task's
closure holds both and nothing else: neither opens anything by itself, and Spark sees no key, no question and no answer.
Who comes without the token is sent away unheard.

Source: RFC 8446 (keys agreed on for each connection alone, so that what was recorded opens with nothing that is kept).
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
import socket
import ssl
import struct
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal

_HELLO = struct.Struct(">I")
_LONGEST_HELLO = 4096
_SECONDS_TO_GREET = 15.0
_SECONDS_TO_NOTICE = 30
"""After so long without a sign of life a machine is taken for gone."""
_NAME = "enclos"


@dataclass(frozen=True, slots=True, repr=False)
class HatchPlace:
    """What a task knows: where to come, whom to believe, and what to show."""

    host: str
    port: int
    certificate: str
    """In PEM; it holds no secret."""
    token: str
    code: str
    """The digest of the program: a task of another program is not heard."""

    def __repr__(self) -> str:
        return f"HatchPlace({self.host}:{self.port})"

    def told(self) -> str:
        """The place as text."""
        return json.dumps(asdict(self))

    @classmethod
    def of(cls, told: str) -> Self:
        """The place that was told."""
        return cls(**json.loads(told))


class Hatch:
    """Hears tasks until it is closed, each in a thread of its own.

    In: host — under which name or address tasks reach this machine; port — 0: any free one; code — the digest of the
        program; heard — called with the connection of each task that showed the token, which is closed after it
    Refuses: SPARK_FAILED when the port cannot be had
    """

    def __init__(self, host: str, port: int, code: str, heard: Callable[[ssl.SSLSocket], None]) -> None:
        certificate, self._tls = _certified()
        self._heard = heard
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._over = False
        self.n_sent_away = 0
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        # A name or an address behind a translation is not this machine's own to listen at.
        try:
            self._listener = socket.create_server((_own(host, family), port), family=family, backlog=1024)
        except OSError:
            raise refusal(
                Code.SPARK_FAILED,
                "Executors cannot come to this machine: its port is taken, or not this account's.",
                "Choose another `port` in the section [spark] of enclos.toml; 0 is any.",
            ) from None
        where = self._listener.getsockname()[1]
        self.place = HatchPlace(host, where, certificate, secrets.token_hex(32), code)
        threading.Thread(target=self._listen, name="enclos-hatch", daemon=True).start()

    def __repr__(self) -> str:
        return "Hatch()"

    def close(self) -> None:
        """Hear nobody any more; whoever is connected notices."""
        with self._lock:
            self._over = True
            connected = list(self._open)
        # A listener that another thread waits at is woken by its end only.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in connected:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _listen(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._meet, args=(plain,), name="enclos-hatch", daemon=True).start()

    def _meet(self, plain: socket.socket) -> None:
        try:
            with plain:
                plain.settimeout(_SECONDS_TO_GREET)
                keep_alive(plain)
                with self._tls.wrap_socket(plain, server_side=True) as connection:
                    if not self._is_known(connection):
                        self.n_sent_away += 1
                        return
                    connection.settimeout(None)
                    with self._lock:
                        if self._over:
                            return
                        self._open.add(connection)
                    try:
                        self._heard(connection)
                    finally:
                        with self._lock:
                            self._open.discard(connection)
        except (OSError, EOFError):
            return

    def _is_known(self, connection: ssl.SSLSocket) -> bool:
        (size,) = _HELLO.unpack(receive(connection, _HELLO.size))
        if size > _LONGEST_HELLO:
            return False
        shown = receive(connection, size)
        return hmac.compare_digest(shown, _hello(self.place))


def come(place: HatchPlace) -> ssl.SSLSocket:
    """Come to the hatch as a task, and show the token.

    Refuses: OSError when nobody is there, or another than whom the place names.
    """
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.minimum_version = ssl.TLSVersion.TLSv1_3
    tls.load_verify_locations(cadata=place.certificate)
    plain = socket.create_connection((place.host, place.port), timeout=_SECONDS_TO_GREET)
    keep_alive(plain)
    connection = tls.wrap_socket(plain, server_hostname=_NAME)
    shown = _hello(place)
    connection.sendall(_HELLO.pack(len(shown)) + shown)
    connection.settimeout(None)
    return connection


def receive(connection: socket.socket, size: int) -> bytes:
    """So many bytes.

    Refuses: an EOFError when there are fewer.
    """
    found = bytearray()
    while len(found) < size:
        more = connection.recv(min(size - len(found), 1 << 20))
        if not more:
            raise EOFError
        found += more
    return bytes(found)


def keep_alive(connection: socket.socket) -> None:
    """Let the system notice that the other machine is gone, also while nobody speaks."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 10), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 4)):
        if (number := getattr(socket, option, None)) is not None:
            connection.setsockopt(socket.IPPROTO_TCP, number, value)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _SECONDS_TO_NOTICE * 1000)


def _hello(place: HatchPlace) -> bytes:
    return json.dumps({"token": place.token, "code": place.code}).encode()


def _own(host: str, family: socket.AddressFamily) -> str:
    """The address to listen at: loopback where the host is loopback, else every one of this machine."""
    loopback = {"127.0.0.1", "localhost", "::1"}
    if host in loopback:
        return "::1" if family is socket.AF_INET6 else "127.0.0.1"
    return "::" if family is socket.AF_INET6 else "0.0.0.0"  # noqa: S104 - executors are on other machines


def _certified() -> tuple[str, ssl.SSLContext]:
    """A certificate of its own for this run, and what serves under it.

    The library reads keys from files alone: it is given one encrypted under a password that this process forgets, which
    is gone before anybody is heard.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, _NAME)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=400))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(_NAME)]), critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    password = secrets.token_bytes(32).hex().encode()
    sealed = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password),
    )
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.minimum_version = ssl.TLSVersion.TLSv1_3
    tls.num_tickets = 0
    with tempfile.TemporaryDirectory(prefix="enclos-") as folder:
        path = Path(folder) / "certificate.pem"
        path.touch(mode=0o600)
        path.write_bytes(certificate + sealed)
        tls.load_cert_chain(os.fspath(path), password=password)
    return certificate.decode("ascii"), tls
