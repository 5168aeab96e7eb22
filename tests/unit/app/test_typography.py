"""French as it is set: spaces that no line breaks at, forms that go with a number, and the marks of numbers."""

from __future__ import annotations

from datetime import timedelta

import pytest

from enclos.app.pages.rooms.frame import time_left
from enclos.app.pages.rooms.words_frame import FRENCH_FRAME
from enclos.app.pages.typography import FIXED, NARROW, french_spaces, source_in_french
from enclos.app.pages.words import Language, Words

FR, EN = Words(Language.FR, FRENCH_FRAME), Words(Language.EN, FRENCH_FRAME)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Oui ; non : peut-être ? Si !", "Oui¤; non~: peut-être¤? Si¤!"),
        ("« un mot »", "«~un mot~»"),
        ("{share} % de 100 000 personnes", "{share}¤% de 100¤000 personnes"),
        ("règlement EEDS, art. 68(12)", "règlement EEDS, art.~68(12)"),
        ("WHERE person_id % 100 = 0", "WHERE person_id % 100 = 0"),
        ("{source: hosp-a}, année 2026, 12 345", "{source: hosp-a}, année 2026, 12¤345"),
    ],
)
def test_no_line_begins_with_a_mark(written: str, expected: str) -> None:
    assert french_spaces(written) == expected.replace("¤", NARROW).replace("~", FIXED)


def test_spaces_are_of_our_own_text_and_values_stay() -> None:
    said = Words(Language.FR, {"Because {why}": "Motif : {why}"})("Because {why}", why="a : b ; c")
    assert said == f"Motif{FIXED}: a : b ; c"
    assert Words(Language.EN)("Really ?") == "Really ?"


@pytest.mark.parametrize(
    ("n", "french", "english"),
    [
        (0, "0 heure", "0 hours"),
        (1, "1 heure", "1 hour"),
        (2, "2 heures", "2 hours"),
        ("1,5", "1,5 heure", "1,5 hours"),
        (f"1{NARROW}234", f"1{NARROW}234 heures", f"1{NARROW}234 hours"),
        ("moins de 11", "moins de 11 heures", "moins de 11 hours"),
    ],
)
def test_a_word_has_the_form_of_its_number(n: object, french: str, english: str) -> None:
    assert (FR("{n} hours", n=n), EN("{n} hours", n=n)) == (french, english)


@pytest.mark.parametrize(
    ("left", "french", "english"),
    [
        (timedelta(0), "terminé", "ended"),
        (timedelta(minutes=40), "moins d'une heure", "less than an hour"),
        (timedelta(minutes=119), "1 heure", "1 hour"),
        (timedelta(hours=47), "47 heures", "47 hours"),
        (timedelta(days=61), "61 jours", "61 days"),
        (timedelta(days=62), "2 mois", "2 months"),
        (timedelta(days=735), "2 ans", "2 years"),
        (timedelta(days=800), "2 ans et 2 mois", "2 years 2 months"),
    ],
)
def test_the_time_that_is_left(left: timedelta, french: str, english: str) -> None:
    assert (time_left(FR, left), time_left(EN, left)) == (french, english)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("590.207", "590,207"),
        ("-0.25", "-0,25"),
        ("1234567.5", f"1{NARROW}234{NARROW}567,5"),
        ("12", "12"),
        ("2019-01-01", "2019-01-01"),
        ("1.2.3", "1.2.3"),
        ("007", "007"),
        ("", ""),
    ],
)
def test_what_a_result_holds_has_french_marks_in_french_alone(text: str, expected: str) -> None:
    assert (FR.written(text), EN.written(text)) == (expected, text)


def test_laws_and_our_documents_are_named_in_french_and_standards_stay() -> None:
    assert source_in_french("GDPR Art. 12(3)") == f"RGPD, art.{FIXED}12(3)"
    assert source_in_french("design § 3.1") == "conception, § 3.1"
    assert source_in_french("RFC 9700 § 2.1") == "RFC 9700 § 2.1"
