"""Sign-in with a provider of another make: Debian's glewlwyd."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from enclos.app.enclosure import Enclosure, create_enclosure
from enclos.app.providers import asking, begin
from enclos.app.settings import SETTINGS_FILE
from enclos.app.sign_in import person_of, take_answer, token_for
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from enclos.signin.model import Person, Role
from enclos.signin.steps import attempt
from factories.enclosure import PASSPHRASE, open_home
from factories.glewlwyd import CLIENT, SECRET, Glewlwyd, glewlwyd
from factories.providers import answer_of

pytestmark = pytest.mark.system("glewlwyd")
BACK = "https://portal.example/sign-in/answer"


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Glewlwyd]:
    with glewlwyd(tmp_path_factory.mktemp("glewlwyd"), BACK) as running:
        yield running


@pytest.fixture
def enclosure(tmp_path: Path, provider: Glewlwyd, monkeypatch: pytest.MonkeyPatch) -> Iterator[Enclosure]:
    monkeypatch.setenv("ENCLOS_SIGN_IN_SECRET", SECRET)
    home = tmp_path / "home"
    create_enclosure(home, passphrase=PASSPHRASE, buckets=1)
    path = home / SETTINGS_FILE
    text = path.read_text()
    path.write_text(f"""{text[: text.index("[sign_in]")]}[sign_in]
issuer = "{provider.issuer}"
client = "{CLIENT}"
subject = "preferred_username"
role_claim = "groups"
roles = ["team-research=researcher"]
amr = ["otp"]
""")
    with open_home(home) as opened:
        yield opened


def signed_in(enclosure: Enclosure, provider: Glewlwyd) -> Person:
    asked, begun = asking(enclosure.settings), attempt(BACK, enclosure.ledger.now())
    answer = answer_of(provider.sign_in(begin(asked, begun)))
    return take_answer(enclosure, asked, begun, answer, via="test")


def test_a_password_alone_is_refused_and_with_a_code_the_person_is_known(
    enclosure: Enclosure, provider: Glewlwyd
) -> None:
    provider.demand(code=False)
    with pytest.raises(Refusal) as caught:
        signed_in(enclosure, provider)
    assert caught.value.code is Code.SIGN_IN_FACTOR
    provider.demand(code=True)
    provider.show_code()
    who = signed_in(enclosure, provider)
    assert (who.subject, who.name, who.roles, who.provider) == (
        "alice",
        "Alice A.",
        frozenset({Role.RESEARCHER}),
        provider.issuer,
    )
    assert "otp" in who.amr
    assert person_of(enclosure, token_for(enclosure, who)).subject == "alice"
