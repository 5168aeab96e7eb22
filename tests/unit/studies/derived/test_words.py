"""Operations in words."""

from enclos.studies.derived.model import Near, Union
from enclos.studies.derived.words import operation_words
from enclos.studies.model import DayWindow


def test_a_protocol_can_say_what_a_cohort_is_made_of() -> None:
    assert operation_words(Union(("a", "b")))[1:] == [("Cohorts", "`a`, `b`")]
    words = operation_words(Near("a", "b", DayWindow(None, 0), False))
    assert words[1:] == [("Cohort", "`a`"), ("Other", "`b`"), ("Window", "-inf to 0"), ("Present", "no")]
