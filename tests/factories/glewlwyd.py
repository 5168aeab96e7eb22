"""Debian's glewlwyd on loopback: a provider of another make, set up by its own interface."""

from __future__ import annotations

import base64
import gzip
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import requests
from joserfc.jwk import RSAKey

from enclos.signin.rules.codes import code_of, step_of
from factories.providers import SECONDS, free_port

_TABLES = Path("/usr/share/doc/glewlwyd/database/init.sqlite3.sql.gz")
_MODULES = "/usr/lib/glewlwyd"
CLIENT, SECRET = "enclos", "a-secret-0123456789"
WHO, _PASSWORD = "alice", "alice-password-1"
_OTP = {"scheme_type": "otp", "scheme_name": "otp"}


@dataclass
class Glewlwyd:
    """The running provider, with one person who has a password and one-time codes."""

    root: str
    admin: requests.Session
    person: requests.Session
    secret: str

    @property
    def issuer(self) -> str:
        """Its name."""
        return f"{self.root}/oidc"

    def sign_in(self, address: str) -> str:
        """Where the browser of the person is sent, who signs in as the provider's own page would."""
        self._by(WHO, {"password": _PASSWORD})
        _done(self.person.put(f"{self.root}/auth/grant/{CLIENT}", json={"scope": "openid"}, timeout=SECONDS))
        answer = self.person.get(f"{address}&g_continue", allow_redirects=False, timeout=SECONDS)
        return str(answer.headers["location"])

    def show_code(self) -> None:
        """The person shows a one-time code too."""
        secret = base64.b32decode(self.secret + "=" * (-len(self.secret) % 8))
        self._by(WHO, {**_OTP, "value": {"value": code_of(secret, step_of(datetime.now(UTC)))}})

    def demand(self, *, code: bool) -> None:
        """Who signs in must show a password, and a code as well or not."""
        schemes = {"2": [_OTP]} if code else {}
        scope = {"name": "openid", "password_required": True, "password_max_age": 600, "scheme": schemes}
        asked = {**scope, "scheme_required": {"2": 1}} if code else scope
        _done(self.admin.put(f"{self.root}/scope/openid", json=asked, timeout=SECONDS))

    def _by(self, who: str, means: dict[str, object]) -> None:
        _done(self.person.post(f"{self.root}/auth/", json={"username": who, **means}, timeout=SECONDS))


@contextmanager
def glewlwyd(folder: Path, redirect: str) -> Iterator[Glewlwyd]:
    """The provider, whose one client takes answers at an address."""
    port = free_port()
    with closing(sqlite3.connect(folder / "glewlwyd.db")) as tables:
        tables.executescript(gzip.decompress(_TABLES.read_bytes()).decode())
    (folder / "glewlwyd.conf").write_text(_settings(folder, port))
    with subprocess.Popen(["glewlwyd", "--config-file", str(folder / "glewlwyd.conf")]) as process:
        try:
            _wait_for(port)
            yield _set_up(f"http://127.0.0.1:{port}/api", redirect)
        finally:
            process.terminate()


def _set_up(root: str, redirect: str) -> Glewlwyd:
    admin, person = requests.Session(), requests.Session()
    _done(admin.post(f"{root}/auth/", json={"username": "admin", "password": "password"}, timeout=SECONDS))
    key = RSAKey.generate_key(2048)
    made = {
        "mod/plugin": {"module": "oidc", "name": "oidc", "display_name": "oidc", "parameters": _plugin(root, key)},
        "mod/scheme": {
            "module": "otp",
            "name": "otp",
            "display_name": "otp",
            "expiration": 600,
            "max_use": 0,
            "allow_user_register": True,
            "parameters": {
                "issuer": "tests",
                "secret-minimum-size": 16,
                "otp-length": 6,
                "hotp-allow": False,
                "hotp-window": 0,
                "totp-allow": True,
                "totp-window": 1,
                "totp-start-offset": 0,
            },
        },
        "scope": {
            "name": "team-research",
            "display_name": "research",
            "password_required": False,
            "scheme": {"2": [_OTP]},
            "scheme_required": {"2": 1},
        },
        "user": {
            "username": WHO,
            "password": _PASSWORD,
            "name": "Alice A.",
            "scope": ["openid", "team-research", "g_profile"],
            "enabled": True,
        },
        "client": {
            "client_id": CLIENT,
            "client_name": CLIENT,
            "confidential": True,
            "client_secret": SECRET,
            "password": SECRET,
            "redirect_uri": [redirect],
            "authorization_type": ["code"],
            "scope": [],
            "token_endpoint_auth_method": ["client_secret_basic"],
            "enabled": True,
        },
    }
    for place, content in made.items():
        _done(admin.post(f"{root}/{place}/", json=content, timeout=SECONDS))
    _done(person.post(f"{root}/auth/", json={"username": WHO, "password": _PASSWORD}, timeout=SECONDS))
    enrol, scheme = f"{root}/profile/scheme/register/", {"username": WHO, **_OTP}
    secret = _done(person.post(enrol, json={**scheme, "value": {"generate-secret": True}}, timeout=SECONDS)).json()
    value = {"secret": secret["secret"], "type": "TOTP", "time_step_size": 30}
    _done(person.post(enrol, json={**scheme, "value": value}, timeout=SECONDS))
    return Glewlwyd(root, admin, person, secret["secret"].rstrip("="))


def _plugin(root: str, key: RSAKey) -> dict[str, object]:
    off = ("token", "implicit", "password", "client", "none", "refresh", "device")
    return {
        "iss": f"{root}/oidc",
        "jwt-type": "rsa",
        "jwt-key-size": "256",
        "key": key.as_pem(private=True).decode(),
        "cert": key.as_pem(private=False).decode(),
        "access-token-duration": 600,
        "refresh-token-duration": 600,
        "code-duration": 60,
        "allow-non-oidc": False,
        "auth-type-code-enabled": True,
        "auth-type-code-revoke-replayed": True,
        **{f"auth-type-{name}-enabled": False for name in off},
        "pkce-allowed": True,
        "pkce-method-plain-allowed": False,
        "subject-type": "public",
        "allowed-scope": ["openid"],
        "name-claim": "mandatory",
        "claims": [
            {"name": "preferred_username", "user-property": "username", "type": "string", "mandatory": True},
            {"name": "groups", "user-property": "scope", "type": "string", "mandatory": True},
        ],
    }


def _settings(folder: Path, port: int) -> str:
    kinds = {"user": "user", "user_middleware": "user_middleware", "client": "client", "plugin": "plugin"}
    modules = "\n".join(f'{name}_module_path="{_MODULES}/{place}"' for name, place in kinds.items())
    return f"""
port={port}
bind_address="127.0.0.1"
external_url="http://127.0.0.1:{port}"
login_url="login.html"
api_prefix="api"
static_files_path="{folder}"
log_mode="file"
log_level="ERROR"
log_file="{folder}/log"
cookie_domain="127.0.0.1"
cookie_secure=0
session_expiration=3600
session_key="G"
admin_session_authentication="cookie"
profile_session_authentication="cookie"
admin_scope="g_admin"
profile_scope="g_profile"
{modules}
user_auth_scheme_module_path="{_MODULES}/scheme"
hash_algorithm="SHA512"
database = {{ type="sqlite3" path="{folder}/glewlwyd.db" }};
"""


def _wait_for(port: int) -> None:
    until = time.monotonic() + SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            assert time.monotonic() < until, "the provider did not start"
            time.sleep(0.02)
        else:
            return


def _done(answer: requests.Response) -> requests.Response:
    assert answer.status_code == 200, f"{answer.request.method} {answer.url}: {answer.status_code} {answer.text[:300]}"
    return answer
