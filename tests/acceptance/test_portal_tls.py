"""The portal over TLS in a real browser: cookies that only https carries, https for good, nothing in plain http."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization as to
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from playwright.sync_api import Error

from enclos.app.enclosure import create_enclosure
from enclos.app.settings import SETTINGS_FILE
from enclos.signin.model import Role
from factories.browsing import chromium, tab
from factories.enclosure import ALICE, PASSPHRASE, open_home
from factories.people import local_account
from factories.providers import free_port
from factories.serving import serving

pytestmark = [pytest.mark.system("chromium"), pytest.mark.system("npm")]
HOST = "portal.example"
RESOLVED = f"--host-resolver-rules=MAP {HOST} 127.0.0.1"


@dataclass(frozen=True)
class Served:
    """A portal behind a certificate of an authority of the test's own, which a browser knows by the pin of its key."""

    root: str
    authenticator: str
    pin: str


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("tls")
    home, port = folder / "home", free_port()
    root = f"https://{HOST}:{port}"
    create_enclosure(home, passphrase=PASSPHRASE, buckets=1)
    settings = home / SETTINGS_FILE
    text = settings.read_text()
    settings.write_text(f'{text[: text.index("[sign_in]")]}[sign_in]\nportal = "{root}"\n')
    with open_home(home) as enclosure:
        authenticator = local_account(enclosure, ALICE, "Alice", [Role.RESEARCHER])
    pin = certified(folder)
    with serving(home, "--port", port, "--certificate", folder / "chain.pem", "--key", folder / "key.pem"):
        yield Served(root, authenticator, pin)


def certified(folder: Path) -> str:
    """A certificate for HOST by an authority of its own, with its key; the pin of that key."""
    now = datetime.now(UTC)
    authority, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    names = [x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, each)]) for each in ("An authority", HOST)]
    made = (
        x509.CertificateBuilder(names[0], names[1], key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(authority, SHA256())
    )
    (folder / "chain.pem").write_bytes(made.public_bytes(to.Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(to.Encoding.PEM, to.PrivateFormat.PKCS8, to.NoEncryption()))
    public = key.public_key().public_bytes(to.Encoding.DER, to.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(sha256(public).digest()).decode()


def test_a_session_lives_in_https_alone_and_the_browser_asks_in_nothing_else_afterwards(served: Served) -> None:
    plain = served.root.replace("https:", "http:")
    with chromium(RESOLVED, f"--ignore-certificate-errors-spki-list={served.pin}") as browser:
        with tab(browser, served.root) as early, pytest.raises(Error, match="ERR_"):
            early.page.goto(f"{plain}/sign-in")  # before it was told that all of it is https
        with tab(browser, served.root) as opened:
            opened.sign_in(ALICE, served.authenticator)
            cookies = {each["name"]: each for each in opened.context.cookies()}
            assert set(cookies) == {"__Host-enclos", "__Host-enclos-known"}
            for kept in cookies.values():
                assert (kept["secure"], kept["httpOnly"], kept["sameSite"]) == (True, True, "Lax")
                assert (kept["path"], kept["domain"]) == ("/", HOST), "of this host alone"
            answer = opened.page.goto(f"{served.root}/me")
            assert answer is not None
            assert answer.headers["strict-transport-security"].startswith("max-age=31536000")
            assert opened.faults == []
            opened.page.goto(f"{plain}/me")
            assert opened.page.url == f"{served.root}/me", "it went to https by itself"
            assert ALICE in opened.page.inner_text("main")
            opened.page.get_by_role("button", name="Sign out").click()
            opened.page.wait_for_url("**/sign-in")
            assert [each["name"] for each in opened.context.cookies()] == ["__Host-enclos-known"]


def test_a_browser_that_does_not_know_the_certificate_shows_nothing(served: Served) -> None:
    with (
        chromium(RESOLVED) as browser,
        tab(browser, served.root) as opened,
        pytest.raises(Error, match="ERR_CERT_AUTHORITY_INVALID"),
    ):
        opened.page.goto(f"{served.root}/sign-in")
