"""People sign in to the portal: with a real provider, with a local account, and what nobody may do."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from enclos.app.accounts import change_account
from enclos.app.enclosure import create_enclosure
from enclos.app.settings import SETTINGS_FILE
from enclos.signin.model import Role
from factories.enclosure import ENCLOS, PASSPHRASE, open_home
from factories.people import PASSWORD, local_account, shown_code
from factories.providers import PORTAL_SECRET, SECONDS, Browser, free_port, node_provider

pytestmark = pytest.mark.system("npm")


@dataclass
class Served:
    """A portal that runs, its enclosure and its provider."""

    root: str
    issuer: str
    home: Path

    def get(self, session: requests.Session, path: str) -> requests.Response:
        return session.get(self.root + path, allow_redirects=False, timeout=SECONDS)

    def post(self, session: requests.Session, path: str, *, origin: str = "", **form: str) -> requests.Response:
        headers = {"Origin": origin or self.root}
        address = self.root + path
        return session.post(address, data=form, headers=headers, allow_redirects=False, timeout=SECONDS)

    def to_answer(self, session: requests.Session, who: str = "alice", amr: str = "otp") -> str:
        """Where the provider sends the browser back to."""
        begun = self.post(session, "/sign-in/provider")
        assert begun.status_code == 303
        return Browser(self.issuer, session).sign_in(begun.headers["location"], who, amr=amr)

    def signed_in(self, who: str = "alice") -> requests.Session:
        session = requests.Session()
        entered = session.get(self.to_answer(session, who), allow_redirects=False, timeout=SECONDS)
        assert (entered.status_code, entered.headers["location"]) in {(303, "/research"), (303, "/me")}
        return session


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("portal") / "home"
    create_enclosure(home, passphrase=PASSPHRASE, buckets=1)
    port = free_port()
    root = f"http://127.0.0.1:{port}"
    with node_provider(f"{root}/sign-in/answer", f"{root}/") as issuer:
        text = (home / SETTINGS_FILE).read_text()
        chosen = {
            "issuer": issuer,
            "client": "portal",
            "scopes": "groups",
            "role_claim": "groups",
            "roles": ["team-research=researcher", "team-check=checker"],
            "amr": ["otp"],
        }
        section = "\n".join(f"{name} = {json.dumps(value)}" for name, value in chosen.items())
        (home / SETTINGS_FILE).write_text(f"{text[: text.index('[sign_in]')]}[sign_in]\n{section}\n")
        env = {**os.environ, "ENCLOS_PASSPHRASE": PASSPHRASE, "ENCLOS_SIGN_IN_SECRET": PORTAL_SECRET}
        command = [str(ENCLOS), "serve", str(home), "--port", str(port), "--json"]
        with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert json.loads(process.stdout.readline())["address"] == f"{root}/"
            try:
                yield Served(root, issuer, home)
            finally:
                process.send_signal(signal.SIGTERM)
                assert process.wait(SECONDS) == 0


def csrf_of(page: str) -> str:
    return re.findall(r'name="csrf" value="([^"]+)"', page)[0]


def test_a_person_signs_in_with_the_provider_is_known_and_signs_out(served: Served) -> None:
    session = served.signed_in()
    page = served.get(session, "/me")
    assert "alice@example.org" in page.text
    assert "researcher" in page.text
    cookie = next(each for each in session.cookies if each.name == "enclos")
    assert cookie.has_nonstandard_attr("HttpOnly")
    assert cookie.get_nonstandard_attr("SameSite") == "lax"
    for form in ("/sign-out", "/me/token"):
        assert served.post(session, form, csrf="guessed").status_code == 403
    token = re.findall(r"<code>([^<]+)</code>", served.post(session, "/me/token", csrf=csrf_of(page.text)).text)[0]
    shown = {"Authorization": f"Bearer {token}"}
    assert requests.get(f"{served.root}/api/me", headers=shown, timeout=SECONDS).json()["roles"] == ["researcher"]
    left = served.post(session, "/sign-out", csrf=csrf_of(page.text))
    assert left.headers["location"].startswith(f"{served.issuer}/session/end?client_id=portal")
    assert left.headers["clear-site-data"] == '"cache", "storage"'
    session.cookies.set("enclos", cookie.value, domain="127.0.0.1")
    again = served.get(session, "/me")
    assert (again.status_code, again.headers["location"]) == (303, "/sign-in")
    assert requests.get(f"{served.root}/api/me", headers=shown, timeout=SECONDS).status_code == 401


def test_an_answer_is_taken_once_and_from_the_browser_that_began(served: Served) -> None:
    session = requests.Session()
    back = served.to_answer(session)
    assert requests.get(back, allow_redirects=False, timeout=SECONDS).status_code == 403
    assert session.get(back, allow_redirects=False, timeout=SECONDS).status_code == 303
    assert session.get(back, allow_redirects=False, timeout=SECONDS).status_code == 403


def test_a_browser_that_is_led_to_another_s_answer_does_not_become_them(served: Served) -> None:
    """An attacker's answer in the victim's browser, who has begun a sign-in too (RFC 9700 § 4.7)."""
    attacker, victim = requests.Session(), requests.Session()
    back = served.to_answer(attacker, "dan")
    served.post(victim, "/sign-in/provider")
    assert victim.get(back, allow_redirects=False, timeout=SECONDS).status_code == 403
    assert served.get(victim, "/me").status_code == 303


def test_one_factor_is_not_enough_and_the_page_says_why(served: Served) -> None:
    session = requests.Session()
    refused = session.get(served.to_answer(session, amr="pwd"), allow_redirects=False, timeout=SECONDS)
    assert (refused.status_code, "SGN-04" in refused.text) == (403, True)
    assert served.get(session, "/me").status_code == 303


def test_who_shows_their_factors_anew_is_sent_to_the_provider_which_asks_for_them(served: Served) -> None:
    session = served.signed_in()
    for form, asks in (({}, []), ({"again": "1"}, ["login"])):
        begun = served.post(session, "/sign-in/provider", **form)
        way = urlsplit(begun.headers["location"])
        assert (begun.status_code, f"{way.scheme}://{way.netloc}") == (303, served.issuer)
        assert parse_qs(way.query).get("prompt", []) == asks
    assert served.get(session, "/me").status_code == 200, "until they have shown them, they stay who they are"


def test_a_session_s_cookie_is_new_at_each_sign_in(served: Served) -> None:
    session = requests.Session()
    session.cookies.set("enclos", "planted", domain="127.0.0.1")
    session.get(served.to_answer(session), allow_redirects=False, timeout=SECONDS)
    planted = requests.Session()
    planted.cookies.set("enclos", "planted", domain="127.0.0.1")
    assert served.get(planted, "/me").status_code == 303
    assert served.get(session, "/me").status_code == 200


def test_forms_from_elsewhere_are_refused(served: Served) -> None:
    session = served.signed_in()
    csrf = csrf_of(served.get(session, "/me").text)
    for origin in ("https://elsewhere.example", "null", "http://127.0.0.1"):
        assert served.post(session, "/sign-out", origin=origin, csrf=csrf).status_code == 403
        assert served.post(session, "/sign-in/provider", origin=origin).status_code == 403
        assert served.post(session, "/sign-in/account", origin=origin, account="a").status_code == 403
    assert served.get(session, "/me").status_code == 200


def test_a_local_account_signs_in_and_ends_at_once_when_it_changes(served: Served) -> None:
    with open_home(served.home) as enclosure:
        enrolment = local_account(enclosure, "carol@example.org", "", [Role.CHECKER])
    session = requests.Session()
    page = served.get(session, "/sign-in").text
    assert "trying out" in page
    (field,) = [each for each in re.findall(r"<input[^>]*>", page) if 'name="password"' in each]
    assert {'type="password"', 'autocomplete="current-password"'} <= set(field.rstrip(">").split())
    assert "<script" not in page.replace('<script src="/assets/', "")
    form = {"account": "carol@example.org", "password": PASSWORD, "code": "000000"}
    wrong = served.post(session, "/sign-in/account", **form)
    assert (wrong.status_code, "SGN-01" in wrong.text) == (403, True)
    assert PASSWORD not in wrong.text
    entered = served.post(session, "/sign-in/account", **{**form, "code": shown_code(enrolment, datetime.now(UTC))})
    assert entered.headers["location"] == "/check"
    assert "carol@example.org" in served.get(session, "/me").text
    with open_home(served.home) as enclosure:
        change_account(enclosure, "carol@example.org", roles=[Role.STEWARD])
    assert served.get(session, "/me").status_code == 303


def test_who_has_a_local_account_changes_their_own_password_and_ends_all_their_sign_ins(served: Served) -> None:
    with open_home(served.home) as enclosure:
        enrolment = local_account(enclosure, "erin@example.org", "", [Role.CHECKER])
    session = requests.Session()
    form = {"account": "erin@example.org", "password": PASSWORD, "code": shown_code(enrolment, datetime.now(UTC))}
    assert served.post(session, "/sign-in/account", **form).status_code == 303
    page = served.get(session, "/me").text
    token = re.findall(r"<code>([^<]+)</code>", served.post(session, "/me/token", csrf=csrf_of(page)).text)[0]
    next_code = shown_code(enrolment, datetime.now(UTC) + timedelta(seconds=30))
    asked = {"csrf": csrf_of(page), "present": PASSWORD, "code": next_code, "new": "four other quiet words"}
    short = served.post(session, "/me/password", **{**asked, "new": "short"})
    assert (short.status_code, "SGN-06" in short.text) == (409, True)
    assert served.post(session, "/me/password", **{**asked, "csrf": "guessed"}).status_code == 403
    assert served.get(session, "/me").status_code == 200, "nothing has changed yet"
    assert served.post(session, "/me/password", **asked).headers["location"] == "/sign-in"
    assert served.get(session, "/me").status_code == 303
    shown = {"Authorization": f"Bearer {token}"}
    assert requests.get(f"{served.root}/api/me", headers=shown, timeout=SECONDS).status_code == 401
    elsewhere = served.signed_in()
    csrf = csrf_of(served.get(elsewhere, "/me").text)
    assert served.post(elsewhere, "/me/password", **{**asked, "csrf": csrf}).status_code == 404, "of a provider"


def test_pages_are_in_both_languages_run_nothing_and_are_kept_by_nobody(served: Served) -> None:
    for language, said in (("en", "Sign in"), ("fr", "Se connecter")):
        answer = requests.get(f"{served.root}/sign-in", headers={"Accept-Language": language}, timeout=SECONDS)
        assert said in answer.text
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self'; style-src 'self'; img-src 'self'" in policy
        assert not {"<script", "<style", "style="} & set(re.findall(r"<script|<style|style=", answer.text))
        assert f"form-action 'self' {served.issuer};" in policy
        assert (answer.headers["cache-control"], answer.headers["referrer-policy"]) == ("no-store", "same-origin")
        assert answer.headers["x-content-type-options"] == "nosniff"
    for path in ("/sign-in/nothing", "/me/../enclos.toml"):
        assert requests.get(served.root + path, allow_redirects=False, timeout=SECONDS).status_code in {404, 405}
    led = requests.get(f"{served.root}/sign-out", allow_redirects=False, timeout=SECONDS)
    assert (led.status_code, led.headers["location"]) == (303, "/me"), "signing out is a form, not a link"
    too_long = requests.post(f"{served.root}/sign-in/account", data=b"x" * (2 << 20), timeout=SECONDS)
    assert too_long.status_code == 413
