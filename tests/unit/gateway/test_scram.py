"""SCRAM as its standards write it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

import pytest

from enclos.gateway.model import Verifier
from enclos.gateway.scram import ITERATIONS, ScramExchange, ScramFailed, salt_of, verifier_of

SALT, BINDING = b"s" * 16, b"d" * 32


def client(
    password: str,
    *,
    gs2: str = "n,,",
    binding: bytes = b"",
    is_bound: bool = False,
    known: list[Verifier] | None = None,
) -> tuple[Verifier, bytes, bytes]:
    """One whole exchange, its client written from RFC 5802 § 3; what the server says last and what it should."""
    exchange = ScramExchange(SALT, "server", BINDING, is_bound=is_bound)
    bare = "n=,r=client"
    first = exchange.first(f"{gs2}{bare}".encode()).decode()
    said = dict(part.split("=", 1) for part in first.split(","))
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(said["s"]), int(said["i"]))
    unproven = f"c={base64.b64encode(gs2.encode() + binding).decode()},r={said['r']}"
    message = f"{bare},{first},{unproven}".encode()
    key = hmac.digest(salted, b"Client Key", "sha256")
    signature = hmac.digest(hashlib.sha256(key).digest(), message, "sha256")
    proof = base64.b64encode(bytes(a ^ b for a, b in zip(key, signature, strict=True))).decode()
    wanted = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), message, "sha256")
    found, last = exchange.last(f"{unproven},p={proof}".encode(), known or [verifier_of("c", "right", SALT)])
    return found, last, b"v=" + base64.b64encode(wanted)


def test_the_example_of_rfc_7677() -> None:
    salt = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
    exchange = ScramExchange(salt, "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", b"", is_bound=False)
    first = exchange.first(b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO")
    assert first == b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    last = b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    found, told = exchange.last(last, [verifier_of("one", "another", salt), verifier_of("two", "pencil", salt)])
    assert (found.credential, told) == ("two", b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")


def test_each_of_a_persons_passwords_lets_in_and_no_other() -> None:
    known = [verifier_of(each, each, SALT) for each in ("old", "new")]
    for password in ("old", "new"):
        found, told, wanted = client(password, known=known)
        assert (found.credential, told) == (password, wanted)
    for wrong in ("wrong", "", "ol"):
        with pytest.raises(ScramFailed):
            client(wrong, known=known)
    with pytest.raises(ScramFailed):
        client("right", known=[verifier_of("c", "right", b"t" * 16)])


def test_a_client_that_proves_the_channel_is_believed_for_this_certificate_only() -> None:
    gs2 = "p=tls-server-end-point,,"
    assert client("right", gs2=gs2, binding=BINDING, is_bound=True)[0].credential == "c"
    for faulty in (
        {"gs2": gs2, "binding": b"e" * 32, "is_bound": True},
        {"gs2": gs2, "binding": BINDING, "is_bound": False},
        {"gs2": "n,,", "is_bound": True},
        {"gs2": "y,,"},  # could have proven it, and was not offered to
        {"gs2": "n,a=root,"},
    ):
        with pytest.raises(ScramFailed):
            client("right", **faulty)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "message", [b"", b"n,,", b"n,,n=a,r=", b"n,,n=a,r=b c", b"\xff\xfe", b"n,,m=x,n=a,r=b", b"n,,n=a,r=b," * 99]
)
def test_what_is_no_first_message_fails(message: bytes) -> None:
    with pytest.raises(ScramFailed):
        ScramExchange(SALT, "server", BINDING, is_bound=False).first(message)


@pytest.mark.parametrize(
    "message", [b"", b"c=biws,r=clientserver,p=", b"c=biws,r=client,p=AAAA", b"c=biws,r=clientserver,p=A", b"p=AA"]
)
def test_what_is_no_last_message_fails(message: bytes) -> None:
    exchange = ScramExchange(SALT, "server", BINDING, is_bound=False)
    exchange.first(b"n,,n=,r=client")
    with pytest.raises(ScramFailed):
        exchange.last(message, [verifier_of("c", "right", SALT)])


def test_salts_differ_by_person_and_place_and_a_verifier_shows_nothing() -> None:
    salts = {salt_of(place, user) for place in ("a", "b") for user in ("x", "y", secrets.token_hex(4))}
    assert (len(salts) >= 5, ITERATIONS) == (True, 4096)
    assert repr(verifier_of("number", "right", SALT)) == "Verifier()"
