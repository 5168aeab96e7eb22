"""Pages in French: what is ours is translated, with its numbers; what others named stays."""

from __future__ import annotations

import pytest

from enclos.app.pages.design_words import FRENCH_DESIGNS
from enclos.app.pages.reason_words import FRENCH_REASONS
from enclos.app.pages.study_words import FRENCH_STUDY
from enclos.app.pages.typography import FIXED
from enclos.app.pages.words import Language, Words

WORDS = {**FRENCH_STUDY, **FRENCH_DESIGNS, **FRENCH_REASONS}


def test_a_reason_keeps_its_numbers_and_a_name_of_the_study_stays() -> None:
    say = Words(Language.FR, WORDS, ["years", "primary"])
    assert say("At least 180 days of prior observation") == "Au moins 180 jours d'observation préalable"
    assert say("Age requirement: 40 to 80") == f"Âge demandé{FIXED}: 40 à 80"
    assert (say("years"), say("primary"), say("months")) == ("years", "primary", "mois")
    assert say("rule 7 of a definition") == "rule 7 of a definition"
    assert Words(Language.EN, WORDS)("Missing sex") == "Missing sex"


def test_no_word_is_told_twice() -> None:
    tables = (FRENCH_STUDY, FRENCH_DESIGNS, FRENCH_REASONS)
    assert len(WORDS) == sum(map(len, tables))


@pytest.mark.parametrize(
    ("text", "one"),
    [
        ("{n} months", "1 month"),
        ("{start} to {end}, {n} days", "A to B, 1 day"),
        ("{n} rows, {seconds} s, snapshot {snapshot}.", "1 row, 2 s, snapshot 3."),
        (
            "It ends on {day}. Its legal basis allows {n} renewals of at most {years} years [{source}].",
            "It ends on C. Its legal basis allows 1 renewal of at most 3 years [D].",
        ),
        (
            "{n} faults in all. Keep the files as they are and report it to the access body.",
            "1 fault in all. Keep the files as they are and report it to the access body.",
        ),
    ],
)
def test_one_of_a_thing_is_said_in_the_singular(text: str, one: str) -> None:
    values = {"start": "A", "end": "B", "seconds": 2, "snapshot": 3, "day": "C", "years": 3, "source": "D"}
    assert Words(Language.EN)(text, n=1, **values) == one
