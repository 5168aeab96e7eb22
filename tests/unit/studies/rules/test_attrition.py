"""What is taken away is what was there before less what is left."""

from enclos.studies.model import Sex
from enclos.studies.rules.attrition import Left, attrition_rows, sex_reason, washout_reason


def test_exclusions_are_counted_within_a_chain() -> None:
    rows = attrition_rows([Left(1, "a", 10, 9), Left(2, "b", 7, 7)], [Left(11, "c", 7, 7), Left(12, "d", 12, 6)])
    assert [(row.excluded_records, row.excluded_subjects) for row in rows] == [
        (None, None),
        (3, 2),
        (None, None),
        (-5, 1),
    ]


def test_reasons_say_what_was_asked() -> None:
    assert sex_reason(Sex.FEMALE) == (8, "Not Female")
    assert washout_reason(None)[1].endswith("anyone with outcome prior to start excluded")
    assert "365 days" in washout_reason(365)[1]
