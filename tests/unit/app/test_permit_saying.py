"""What a permit opens is said in both languages, whatever it touches."""

from __future__ import annotations

import re

import pytest

from enclos.app.pages.acts_words import ACTIONS, FRENCH_ACTS
from enclos.app.pages.rooms import permit_saying
from enclos.app.pages.rooms.permit_saying import said_count, said_warning
from enclos.app.pages.rooms.words_access import FRENCH_ACCESS
from enclos.app.pages.rooms.words_applications import FRENCH_APPLICATIONS
from enclos.app.pages.words import Language, Words
from enclos.contracts.view import PotentialIdentifier
from enclos.ledger.model import Action, Outcome
from enclos.permits.model import Move
from enclos.permits.rules.life import legal_bases


def test_every_text_that_is_chosen_by_a_name_is_said_in_french() -> None:
    tables = (permit_saying.IDENTIFIERS, permit_saying.UNCOUNTED, permit_saying.MOVES, permit_saying.COUNTED_ACCESS)
    texts = {text for table in tables for text in table.values()}
    texts |= {text for _, text in permit_saying.WARNINGS.values()}
    assert texts - FRENCH_APPLICATIONS.keys() == set()
    assert set(permit_saying.DAYS.values()) - FRENCH_ACCESS.keys() == set()
    assert ACTIONS.keys() == {action.value for action in Action}
    assert FRENCH_ACTS.keys() == {*ACTIONS.values(), *(outcome.value for outcome in Outcome)}
    bases = legal_bases().values()
    assert {text for basis in bases for text in (basis.source, basis.title)} <= FRENCH_APPLICATIONS.keys()
    assert {each.value for each in PotentialIdentifier} == permit_saying.IDENTIFIERS.keys()
    assert {each.value for each in Move} == permit_saying.MOVES.keys()


@pytest.mark.parametrize("name", permit_saying.WARNINGS)
def test_a_warning_names_its_values(name: str) -> None:
    wanted = re.findall(r"\{(\w+)\}", permit_saying.WARNINGS[name][1])
    given = {value: ["commune"] if value == "identifiers" else f"<{value}>" for value in wanted}
    for language in Language:
        _, text = said_warning({"warning": name, **given}, Words(language, FRENCH_APPLICATIONS))
        assert "{" not in text
        assert all(f"<{value}>" in text for value in wanted if value != "identifiers")


def test_a_count_below_the_floor_is_not_told() -> None:
    words = Words(Language.EN, FRENCH_APPLICATIONS)
    assert said_count({"n": None, "below": True}, 11, words) == "fewer than 11"
    assert said_count({"n": None, "below": True}, 11, words, is_of_rows=True) == "of fewer than 11"
    assert said_count({"n": 1230, "below": False}, 11, words) == "about 1\u202f230"
