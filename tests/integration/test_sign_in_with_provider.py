"""Sign-in with a real provider: npm's certified oidc-provider, and what an attacker would try on the way."""

from __future__ import annotations

import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from queue import Queue
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import requests

from enclos.app.enclosure import Enclosure, create_enclosure
from enclos.app.providers import Asking, asking, begin
from enclos.app.settings import SETTINGS_FILE
from enclos.app.sign_in import (
    door_of,
    person_of,
    sign_in_by_browser,
    sign_in_by_device,
    sign_out,
    sign_out_everywhere,
    take_answer,
    token_for,
)
from enclos.ledger.model import Action
from enclos.ledger.rules.acts import acts_of
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from enclos.portal.leaving import LOGOUT
from enclos.signin.model import Role
from enclos.signin.steps import Attempt, attempt
from enclos.stores.provider import OidcProvider
from factories.enclosure import PASSPHRASE, open_home
from factories.portal import served_pages
from factories.providers import PORTAL_SECRET, SECONDS, Browser, answer_of, node_provider

pytestmark = pytest.mark.system("npm")

BACK = "https://portal.example/sign-in/answer"


@dataclass
class House:
    """An enclosure that names the provider, opened, and the way to it."""

    enclosure: Enclosure
    issuer: str

    @property
    def asking(self) -> Asking:
        return asking(self.enclosure.settings)

    def begun(self, asked: Asking) -> tuple[Attempt, str]:
        started = attempt(BACK, self.enclosure.ledger.now())
        return started, begin(asked, started)

    def sent_back(self, who: str = "alice", **said: str) -> tuple[Asking, Attempt, dict[str, str]]:
        """A sign-in as far as the provider's answer to the browser."""
        asked = self.asking
        started, address = self.begun(asked)
        return asked, started, answer_of(Browser(self.issuer).sign_in(address, who, **(said or {"amr": "pwd,otp"})))

    def take(self, asked: Asking, started: Attempt | None, answer: dict[str, str]) -> Any:
        return take_answer(self.enclosure, asked, started, answer, via="test")


@pytest.fixture(scope="module")
def listening() -> Iterator[socket.socket]:
    """Where the portal will be told who left."""
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


@pytest.fixture(scope="module")
def issuer(listening: socket.socket) -> Iterator[str]:
    told = f"http://127.0.0.1:{listening.getsockname()[1]}{LOGOUT}"
    with node_provider(told=told) as address:
        yield address


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, issuer: str) -> Path:
    folder = tmp_path_factory.mktemp("provider") / "home"
    create_enclosure(folder, passphrase=PASSPHRASE, buckets=1)
    settings = f"""
[sign_in]
issuer = "{issuer}"
client = "portal"
command_line_client = "tools"
scopes = "groups"
role_claim = "groups"
roles = ["team-research=researcher", "team-check=checker"]
amr = ["otp", "hwk"]
acr = ["two"]
"""
    path = folder / SETTINGS_FILE
    text = path.read_text()
    path.write_text(text[: text.index("\n[sign_in]")] + settings)
    return folder


@pytest.fixture(scope="module")
def house(home: Path, issuer: str) -> Iterator[House]:
    with pytest.MonkeyPatch.context() as patch, open_home(home) as enclosure:
        patch.setenv("ENCLOS_SIGN_IN_SECRET", PORTAL_SECRET)
        patch.setattr("enclos.app.providers._USUAL_INTERVAL", 0.0)  # between questions of a waiting device
        yield House(enclosure, issuer)


def refused(act: Callable[[], object]) -> Code:
    with pytest.raises(Refusal) as caught:
        act()
    return caught.value.code


# -- what works


def test_who_signs_in_with_two_factors_is_known_with_the_roles_of_their_groups(house: House) -> None:
    who = house.take(*house.sent_back())
    assert (who.subject, who.name, who.roles, who.provider, who.amr) == (
        "alice@example.org",
        "Alice A.",
        frozenset({Role.RESEARCHER}),
        house.issuer,
        ("pwd", "otp"),
    )
    assert house.take(*house.sent_back("dan", amr="hwk")).roles == {Role.CHECKER}


def test_an_address_that_went_to_somebody_else_signs_nobody_in(house: House) -> None:
    assert house.take(*house.sent_back()).of_provider == "alice"
    assert refused(lambda: house.take(*house.sent_back("alison"))) is Code.SIGN_IN_TOKEN
    assert house.take(*house.sent_back()).of_provider == "alice"


def test_who_signs_in_again_is_asked_for_their_factors_though_the_provider_knows_them(house: House) -> None:
    asked, browser = house.asking, Browser(house.issuer)
    for again, is_asked in ((False, True), (False, False), (True, True)):
        started = attempt(BACK, house.enclosure.ledger.now())
        address = begin(asked, started, again=again)
        assert ("prompt=login" in address) == again
        browser.asked = 0
        browser.sign_in(address, "alice", amr="pwd,otp")
        assert (browser.asked > 0) == is_asked


def test_the_command_line_signs_in_by_a_browser_on_this_machine(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("enclos.app.sign_in.LASTS", timedelta(seconds=SECONDS))
    shown: Queue[str] = Queue()

    def browse() -> None:
        back = Browser(house.issuer).sign_in(shown.get(timeout=SECONDS), "alice", amr="otp")
        parts = urlsplit(back)
        with closing(HTTPConnection("127.0.0.1", parts.port or 0, timeout=SECONDS)) as stranger:
            stranger.request("GET", "/answer?code=stolen")
            assert stranger.getresponse().status == 404
        with urllib.request.urlopen(back, timeout=SECONDS) as answer:  # noqa: S310 - loopback
            assert b"Go back" in answer.read()

    browsing = threading.Thread(target=browse)
    browsing.start()
    person, token = sign_in_by_browser(house.enclosure, shown.put)
    browsing.join()
    assert person_of(house.enclosure, token) == replace(person, expires_at=person_of(house.enclosure, token).expires_at)
    sign_out(house.enclosure, token)
    assert refused(lambda: person_of(house.enclosure, token)) is Code.SIGN_IN_TOKEN


def test_the_command_line_signs_in_by_another_device(house: House) -> None:
    pages: list[str] = []

    def show(address: str, code: str) -> None:
        assert code in address
        pages.append(Browser(house.issuer).type_in(address, "dan", amr="hwk"))

    person, token = sign_in_by_device(house.enclosure, show)
    assert (pages, person.subject) == (["typed in"], "dan@example.org")
    sign_out_everywhere(house.enclosure, "dan@example.org")
    assert refused(lambda: person_of(house.enclosure, token)) is Code.SIGN_IN_TOKEN


def test_who_is_not_let_in_on_another_device_is_refused(house: House) -> None:
    def show(address: str, _code: str) -> None:
        Browser(house.issuer).type_in(address, "alice", amr="pwd")

    assert refused(lambda: sign_in_by_device(house.enclosure, show)) is Code.SIGN_IN_FACTOR


def test_a_provider_s_access_token_for_us_is_taken_and_one_for_others_is_not(house: House) -> None:
    def access_token(resource: str) -> str:
        asked, (started, address) = house.asking, house.begun(house.asking)
        back = Browser(house.issuer).sign_in(f"{address}&{urlencode({'resource': resource})}", "alice", amr="otp")
        tokens = requests.post(
            asked.way.address("token_endpoint"),
            data={
                "grant_type": "authorization_code",
                "code": answer_of(back)["code"],
                "code_verifier": started.verifier,
                "redirect_uri": BACK,
                "resource": resource,
            },
            auth=("portal", PORTAL_SECRET),
            timeout=SECONDS,
        ).json()
        assert refused(lambda: person_of(house.enclosure, tokens["id_token"])) is Code.SIGN_IN_TOKEN
        return str(tokens["access_token"])

    origin = house.enclosure.settings.ledger.origin
    good = access_token(f"https://{origin}")
    door = door_of(house.enclosure)
    now = datetime.now(UTC)
    assert door.person_of(good, now).subject == "alice@example.org"
    for late in (timedelta(seconds=601 + 60), timedelta(days=1)):
        assert refused(lambda at=now + late: door.person_of(good, at)) is Code.SIGN_IN_TOKEN
    assert refused(lambda: door.person_of(access_token("https://elsewhere.example"), now)) is Code.SIGN_IN_TOKEN


def test_who_leaves_the_provider_is_signed_in_nowhere_here_at_once(
    house: House, home: Path, listening: socket.socket
) -> None:
    def signed_in(who: str) -> tuple[Browser, str, dict[str, str]]:
        asked, browser = house.asking, Browser(house.issuer)
        started, address = house.begun(asked)
        person = house.take(asked, started, answer_of(browser.sign_in(address, who, amr="otp")))
        token = token_for(house.enclosure, person)
        return browser, token, {"enclos": portal.people.enter(person, token)}

    def let_in(token: str, cookies: dict[str, str]) -> tuple[int, int]:
        shown = {"Authorization": f"Bearer {token}"}
        page = requests.get(f"{portal.root}/me", cookies=cookies, allow_redirects=False, timeout=SECONDS)
        return page.status_code, requests.get(f"{portal.root}/api/me", headers=shown, timeout=SECONDS).status_code

    with served_pages(home, listening) as portal:
        browser, of_alice, hers = signed_in("alice")
        _, of_dan, his = signed_in("dan")
        assert let_in(of_alice, hers) == let_in(of_dan, his) == (200, 200)
        browser.sign_out()
        assert (let_in(of_alice, hers), let_in(of_dan, his)) == ((303, 401), (200, 200))
        acts = list(acts_of(house.enclosure.ledger.entries()))
        (told,) = [act for act in acts if act.action is Action.LOGIN and act.facts.get("via") == "provider-logout"]
        assert (told.code, told.facts["n"], "alice" in str(told)) == (None, 1, False)
        _, token, cookies = signed_in("alice")
        # a stranger, and who shows a token of another kind, end nothing and are told nothing
        for form in ({}, {"logout_token": "x.y.z"}, {"logout_token": token}):
            answer = requests.post(portal.root + LOGOUT, data=form, timeout=SECONDS)
            assert (answer.status_code, answer.json()) == (400, {"error": "invalid_request"})
            assert answer.headers["cache-control"] == "no-store"
        assert requests.get(portal.root + LOGOUT, cookies=cookies, timeout=SECONDS).status_code == 404
        assert let_in(token, cookies) == (200, 200)


# -- what an attacker tries


def test_an_answer_with_another_state_or_to_nothing_is_refused(house: House) -> None:
    asked, started, answer = house.sent_back()
    assert refused(lambda: house.take(asked, started, {**answer, "state": "x"})) is Code.SIGN_IN_ANSWER
    assert refused(lambda: house.take(asked, started, {"code": answer["code"]})) is Code.SIGN_IN_ANSWER
    assert refused(lambda: house.take(asked, None, answer)) is Code.SIGN_IN_ANSWER
    other = {**answer, "iss": "https://idp.example"}
    assert refused(lambda: house.take(asked, started, other)) is Code.SIGN_IN_ANSWER
    long_ago = replace(started, began_at=started.began_at - timedelta(minutes=10, seconds=1))
    assert refused(lambda: house.take(asked, long_ago, answer)) is Code.SIGN_IN_ANSWER
    assert house.take(asked, started, answer).subject == "alice@example.org"


def test_a_code_is_taken_once(house: House) -> None:
    asked, started, answer = house.sent_back()
    house.take(asked, started, answer)
    assert refused(lambda: house.take(asked, started, answer)) is Code.SIGN_IN_ANSWER


def test_a_stolen_code_is_worth_nothing_to_who_did_not_begin(house: House) -> None:
    """The thief began a sign-in too: their state fits, their verifier and nonce do not (RFC 9700 § 4.5)."""
    _, _, answer = house.sent_back()
    asked = house.asking
    thief, _ = house.begun(asked)
    assert refused(lambda: house.take(asked, thief, {**answer, "state": thief.state})) is Code.SIGN_IN_ANSWER


def test_an_id_token_of_another_sign_in_is_refused(house: House) -> None:
    asked, started, answer = house.sent_back()
    assert refused(lambda: house.take(asked, replace(started, nonce="another"), answer)) is Code.SIGN_IN_ANSWER


@pytest.mark.parametrize(
    ("who", "said", "code"),
    [
        ("alice", {"amr": "pwd"}, Code.SIGN_IN_FACTOR),
        ("alice", {"amr": ""}, Code.SIGN_IN_FACTOR),
        ("eve", {"amr": "otp"}, Code.SIGN_IN_TOKEN),
        ("frank", {"amr": "otp"}, Code.SIGN_IN_ROLE),
        ("alice", {"deny": "yes"}, Code.SIGN_IN_ANSWER),
    ],
)
def test_who_shows_one_factor_an_unverified_address_or_no_group_of_ours_is_refused(
    house: House, who: str, said: dict[str, str], code: Code
) -> None:
    asked, started, answer = house.sent_back(who, **said)
    assert refused(lambda: house.take(asked, started, answer)) is code
    last = list(acts_of(house.enclosure.ledger.entries()))[-1]
    assert (last.action, last.code) == (Action.LOGIN, code.id)
    assert who not in str(last)


def test_an_id_token_for_another_client_or_under_another_algorithm_is_refused(house: House) -> None:
    asked, started, answer = house.sent_back()
    strict = Asking(replace(asked.provider, algorithms=("ES256",)), asked.way)
    assert refused(lambda: house.take(strict, started, answer)) is Code.SIGN_IN_TOKEN
    asked, started, answer = house.sent_back()
    real = asked.way.exchange
    asked.way.exchange = lambda *given: _renamed(asked, real(*given))  # type: ignore[method-assign]
    assert refused(lambda: house.take(asked, started, answer)) is Code.SIGN_IN_TOKEN


def _renamed(asked: Asking, tokens: Any) -> Any:
    asked.way.client = "somebody-else"
    return tokens


def test_a_provider_that_names_itself_otherwise_or_is_away_is_refused(house: House) -> None:
    for issuer in (f"{house.issuer}/", "http://127.0.0.1:9", "http://idp.example", "ftp://idp.example"):
        assert refused(OidcProvider(issuer, "portal").metadata) is Code.SIGN_IN_PROVIDER
