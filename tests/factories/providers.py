"""Real OpenID Connect providers on loopback, and a browser that signs in with them."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urljoin, urlsplit

import requests

from factories.npm import npm_installed, npm_program

HERE = Path(__file__).resolve().parents[1] / "providers" / "oidc"
PORTAL_SECRET = "portal-secret-0123456789"
SECONDS = 30


@dataclass
class Browser:
    """Keeps cookies, follows redirects within the provider, and stops where it is sent elsewhere."""

    issuer: str
    session: requests.Session = field(default_factory=requests.Session)
    asked: int = 0
    """How often a page asked who they are."""

    def sign_in(self, address: str, who: str, **said: str) -> str:
        """Where the provider sends the browser in the end, once somebody signed in there.

        In: said — amr and acr, how they did; deny to be turned away
        """
        answer = self.session.get(address, allow_redirects=False, timeout=SECONDS)
        while True:
            if answer.is_redirect:
                address = urljoin(answer.url, answer.headers["location"])
                if not address.startswith(self.issuer):
                    return address
                answer = self.session.get(address, allow_redirects=False, timeout=SECONDS)
            elif "/who/" in answer.url:
                self.asked += 1
                form = {"who": who, **said}
                answer = self.session.post(answer.url, data=form, allow_redirects=False, timeout=SECONDS)
            else:
                raise AssertionError(f"{answer.status_code}: {answer.text[:300]}")

    def sign_out(self) -> None:
        """Leave the provider, at its own page."""
        page = self.session.get(f"{self.issuer}/session/end", timeout=SECONDS)
        mark = page.text.split('name="xsrf" value="')[1].split('"')[0]
        address = f"{self.issuer}/session/end/confirm"
        self.session.post(address, data={"xsrf": mark, "logout": "yes"}, timeout=SECONDS).raise_for_status()

    def type_in(self, address: str, who: str, **said: str) -> str:
        """Sign in on another device: the page that is shown in the end."""
        page = self.session.get(address, timeout=SECONDS)
        for _ in range(6):
            if "/who/" in page.url:
                page = self.session.post(page.url, data={"who": who, **said}, timeout=SECONDS)
            elif "<form" in page.text:
                hidden = {
                    part.split('name="')[1].split('"')[0]: part.split('value="')[1].split('"')[0]
                    for part in page.text.split("<input")[1:]
                    if 'name="' in part and 'value="' in part
                }
                action = page.text.split('action="')[1].split('"')[0]
                page = self.session.post(urljoin(page.url, action), data={**hidden, "confirm": "yes"}, timeout=SECONDS)
            else:
                return page.text
        raise AssertionError(page.text[:300])


def answer_of(address: str) -> dict[str, str]:
    """What a redirect back to us brings."""
    return dict(parse_qsl(urlsplit(address).query))


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@contextmanager
def node_provider(
    redirect: str = "https://portal.example/sign-in/answer", after: str = "https://portal.example/", told: str = ""
) -> Iterator[str]:
    """The issuer of npm's oidc-provider, as tests/providers/oidc sets it up.

    In: redirect, after — where the portal takes answers, and goes after signing out; told — where it is told that
        somebody left the provider
    """
    npm_installed(HERE)
    port = free_port()
    command = [npm_program("node"), "server.mjs", str(port), redirect, after, told]
    with subprocess.Popen(command, cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            assert any(line.strip() == "ready" for line in process.stdout), "the provider did not start"
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
