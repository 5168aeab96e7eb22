"""SCRAM-SHA-256 as a server: a password is checked without being sent or known.

A password here is 256 random bits, so a salt need be neither secret nor drawn: it follows from the name, also for names
that nobody has, and the least number of iterations is enough.
Source: RFC 5802, RFC 7677, RFC 5929 § 4 (tls-server-end-point)
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence

from enclos.gateway.model import Verifier

PLAIN, BOUND = "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"
ITERATIONS = 4096
_FIRST = re.compile(
    r"(?P<gs2>(?P<flag>n|y|p=tls-server-end-point),,)(?P<bare>n=[^,]*,r=(?P<nonce>[\x21-\x2b\x2d-\x7e]+))"
)
_LAST = re.compile(
    r"(?P<unproven>c=(?P<binding>[A-Za-z0-9+/=]+),r=(?P<nonce>[\x21-\x2b\x2d-\x7e]+)),p=(?P<proof>[A-Za-z0-9+/=]+)"
)


class ScramFailed(Exception):
    """The exchange does not hold; whether by its form or its proof is nobody's to know."""


def salt_of(origin: str, user: str) -> bytes:
    """The salt of a person's passwords at one enclosure."""
    return hashlib.sha256(f"enclos-scram\0{origin}\0{user}".encode()).digest()[:16]


def verifier_of(credential: str, password: str, salt: bytes) -> Verifier:
    """What is kept of a password."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
    stored = hashlib.sha256(_mac(salted, b"Client Key")).digest()
    return Verifier(credential, stored, _mac(salted, b"Server Key"))


class ScramExchange:
    """One exchange.

    In: nonce — this server's part, fresh; binding — the digest of the certificate that the client came in by; is_bound
        — whether the client chose the mechanism that proves it
    """

    def __init__(self, salt: bytes, nonce: str, binding: bytes, *, is_bound: bool) -> None:
        self._salt, self._nonce, self._binding, self._is_bound = salt, nonce, binding, is_bound
        self._so_far = ""
        self._expected = b""

    def __repr__(self) -> str:
        return "ScramExchange()"

    def first(self, message: bytes) -> bytes:
        """The server's first message."""
        found = _FIRST.fullmatch(_text(message))
        # "y" says that the client would prove the channel and was not offered to: somebody in between took it away.
        if found is None or found["flag"] == "y" or (found["flag"] != "n") != self._is_bound:
            raise ScramFailed
        self._nonce = found["nonce"] + self._nonce
        answer = f"r={self._nonce},s={base64.b64encode(self._salt).decode()},i={ITERATIONS}"
        self._so_far = f"{found['bare']},{answer}"
        self._expected = found["gs2"].encode() + (self._binding if self._is_bound else b"")
        return answer.encode()

    def last(self, message: bytes, verifiers: Sequence[Verifier]) -> tuple[Verifier, bytes]:
        """Whose proof it is, and the server's last message."""
        found = _LAST.fullmatch(_text(message))
        if found is None or not self._so_far or found["nonce"] != self._nonce:
            raise ScramFailed
        proof, binding = _bytes(found["proof"]), _bytes(found["binding"])
        said = f"{self._so_far},{found['unproven']}".encode()
        proven: Verifier | None = None
        for verifier in verifiers:
            if _proves(proof, verifier, said):
                proven = verifier
        if proven is None or not hmac.compare_digest(binding, self._expected):
            raise ScramFailed
        signature = base64.b64encode(_mac(proven.server_key, said)).decode()
        return proven, f"v={signature}".encode()


def _proves(proof: bytes, verifier: Verifier, said: bytes) -> bool:
    signature = _mac(verifier.stored_key, said)
    if len(proof) != len(signature):
        return False
    key = bytes(one ^ other for one, other in zip(proof, signature, strict=True))
    return hmac.compare_digest(hashlib.sha256(key).digest(), verifier.stored_key)


def _mac(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()


def _text(message: bytes) -> str:
    try:
        return message.decode("ascii")
    except UnicodeDecodeError:
        # A name in another alphabet is allowed and ignored: the person is the one of the start-up message.
        try:
            return message.decode("utf-8")
        except UnicodeDecodeError:
            raise ScramFailed from None


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ScramFailed from None
