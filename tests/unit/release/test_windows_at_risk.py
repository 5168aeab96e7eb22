"""Windows after an entry add up to the time that holds them: what one hides the others must not give away."""

from enclos.contracts.result import HIDDEN, StudyResult
from enclos.release.rules.disclosure import assess
from enclos.studies.model import DayWindow, Incidence, Interval, Population, Study, Target
from enclos.studies.steps import run_study
from factories.study_tables import EVENTS, OTHERS, cdm

WINDOWS = (DayWindow(0, None), DayWindow(0, 30), DayWindow(31, 60), DayWindow(61, None))


def result(n_early: int) -> StudyResult:
    """200 persons treated for half a year: some have the outcome early, 20 in the second month, 30 later."""
    lines = ["person | sex | born | observed | events | others"]
    for number in range(200):
        when = "2020-02-01" if number < n_early else "2020-02-15" if number < n_early + 20 else "2020-05-01"
        event = when if number < n_early + 50 else ""
        lines.append(f"{number + 1} | F | 1980-01-01 | 2019-01-01..2020-12-31 | {event} | 2020-01-10..2020-06-30")
    target = Population(target=Target("others", WINDOWS))
    analysis = Incidence(("events",), target, (Interval.OVERALL,))
    return run_study(Study("spec", (EVENTS, OTHERS), (analysis,)), cdm("\n".join(lines)))


def events(found: StudyResult) -> list[str]:
    return [row["estimate_value"] for row in found.table.to_pylist() if row["estimate_name"] == "outcome_count"]


def test_all_are_shown_where_none_is_small() -> None:
    safe = assess(result(25), 5).safe
    assert safe is not None
    assert events(safe) == ["75", "25", "20", "30"]


def test_a_small_one_is_not_told_by_the_whole_and_the_rest() -> None:
    """52 in all less 20 less 30 would be the two of the first month."""
    safe = assess(result(2), 5).safe
    assert safe is not None
    shown = events(safe)
    assert shown[1] == HIDDEN
    assert shown.count(HIDDEN) >= 2
