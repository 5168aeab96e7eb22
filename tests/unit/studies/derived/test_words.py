"""Operations in words."""

from enclos.studies.derived.model import Match, Near, Sample, Union
from enclos.studies.derived.words import operation_words
from enclos.studies.model import DayWindow


def test_a_protocol_can_say_what_a_cohort_is_made_of() -> None:
    assert operation_words(Union(("a", "b")))[1:] == [("Cohorts", "`a`, `b`")]
    words = operation_words(Near("a", "b", DayWindow(None, 0), False))
    assert words[1:] == [("Cohort", "`a`"), ("Other", "`b`"), ("Window", "-inf to 0"), ("Present", "no")]


def test_what_is_drawn_is_told_with_its_seed() -> None:
    assert operation_words(Sample("a", None, 7, 100))[1:] == [
        ("Cohort", "`a`"),
        ("Seed", "7"),
        ("Number of persons", "100"),
    ]
    assert operation_words(Match("a", 7, 2))[1:] == [
        ("Cohort", "`a`"),
        ("Seed", "7"),
        ("Ratio", "2"),
        ("Traits", "sex, year of birth"),
        ("Persons kept", "controls"),
    ]
