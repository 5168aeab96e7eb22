"""Doors on loopback: certificates, people with passwords, a keeper that answers without an enclosure."""

from __future__ import annotations

import ipaddress
import secrets
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from enclos.app.turns import Stop, stopped
from enclos.gateway.doors import Certificate
from enclos.gateway.model import Caller, Verifier
from enclos.gateway.people import not_let_in
from enclos.gateway.scram import salt_of, verifier_of
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal


def certificate(folder: Path, common_name: str = "localhost") -> Certificate:
    """A certificate for this machine, or of somebody, that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])
    now = datetime.now(UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "chain.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(pem)
    return Certificate(folder / "chain.pem", folder / "key.pem")


class People:
    """Persons with passwords in memory."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._kept: dict[str, tuple[str, str, Verifier]] = {}

    def password(self, user: str) -> str:
        """A new password of a person."""
        drawn = secrets.token_urlsafe(32)
        credential = secrets.token_hex(8)
        self._kept[credential] = (user, drawn, verifier_of(credential, drawn, salt_of(self._origin, user)))
        return drawn

    def withdraw(self, password: str) -> None:
        """End a password."""
        self._kept = {name: kept for name, kept in self._kept.items() if kept[1] != password}

    def verifiers(self, user: str) -> Sequence[Verifier]:
        return [verifier for known, _, verifier in self._kept.values() if known == user]

    def person_of(self, token: str, user: str) -> tuple[str, str] | None:
        found = next(((known, name) for name, (known, kept, _) in self._kept.items() if kept == token), None)
        return found if found and user in {"", found[0]} else None

    def require(self, credential: str) -> None:
        if credential not in self._kept:
            raise not_let_in()


LARGE_BYTES = 10 << 20
"""Of an answer to a statement that says so."""


def zeros(n_bytes: int) -> pa.Table:
    """A table of so many bytes."""
    return pa.table({"n": pa.Array.from_buffers(pa.int64(), n_bytes // 8, [None, pa.py_buffer(bytes(n_bytes))])})


class QuickKeeper:
    """Answers at once and without an enclosure, so that a test of a door is one of the door."""

    origin = "enclos.example/quick"
    permit = "FR-1"

    def __init__(self) -> None:
        self.people = People(self.origin)
        self.asked: list[str] = []
        self.n_turned_away = self.n_slow = 0
        self.running = threading.Event()

    def verifiers(self, user: str) -> Sequence[Verifier]:
        return self.people.verifiers(user)

    def enter(self, user: str, permit: str, credential: str) -> Caller:
        self.people.require(credential)
        if permit != self.permit:
            raise refusal(Code.PERMIT_UNKNOWN, "There is no such permit.")
        return Caller(user, permit, credential)

    def known(self, user: str, shown: str) -> tuple[str, str]:
        found = self.people.person_of(shown, user)
        if found is None:
            raise not_let_in()
        return found

    def turned_away(self, user: str) -> None:
        assert user
        self.n_turned_away += 1

    def ask(self, caller: Caller, text: str, stop: Stop) -> pa.Table:
        self.people.require(caller.credential)
        self.asked.append(text)
        if "slow" in text:
            self.running.set()
            self.n_slow += 1
            end = time.monotonic() + 30
            while not stop.is_set():
                assert time.monotonic() < end
                time.sleep(0.02)
            self.n_slow -= 1
            raise stopped()
        if "bug" in text:
            raise ValueError("CANARY")
        if "large" in text:
            return zeros(LARGE_BYTES)
        return pa.table({"n": range(2500), "text": ["é" * 10] * 2500})

    def shape(self, caller: Caller, text: str, stop: Stop) -> pa.Schema:
        return self.ask(caller, text, stop).schema

    def names(self, caller: Caller) -> dict[str, dict[str, str]]:
        self.people.require(caller.credential)
        return {"person": {"person_id": "BIGINT", "birth_datetime": "TIMESTAMP"}, "death": {"death_date": "DATE"}}

    def catalog(self, caller: Caller, text: str, stop: Stop) -> pa.Table:
        return self.ask(caller, text, stop)
