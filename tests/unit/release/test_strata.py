"""Strata are parts of all persons: what one hides the others must not give away."""

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from enclos.contracts.result import HIDDEN, RESULT_SCHEMA, StudyResult
from enclos.lexicon.verdicts import Verdict
from enclos.release.model import Rule
from enclos.release.rules.disclosure import assess
from enclos.studies.model import AgeGroup, Incidence, Interval, Population, Stratum, Study
from enclos.studies.standard.model import Standard
from enclos.studies.steps import run_study
from factories.studies import tables_of
from factories.study_tables import EVENTS, people
from fakes.cdm import cdm_of_rows

AGES = (AgeGroup(0, 39), AgeGroup(40, 59), AgeGroup(60, 150))
BORN = ("1990-01-01", "1970-01-01", "1950-01-01")


def result(n_cases: tuple[int, int, int], population: Population | None = None, **options: Any) -> StudyResult:
    """100 persons of each age, half of them women, who live in one place; so many of each age with the outcome."""
    lines = ["person | sex | born | observed | events"]
    for number in range(300):
        at, rank = divmod(number, 100)
        event = "2019-07-02" if rank < n_cases[at] else ""
        sex = "FM"[rank % 2]
        lines.append(f"{number + 1} | {sex} | {BORN[at]} | 2019-01-01..2020-12-31 | {event}")
    by_age = Population(strata=((Stratum.AGE_GROUP,),), strata_age_groups=AGES)
    analysis = Incidence(("events",), population or by_age, (Interval.OVERALL,), **options)
    histories = [replace(each, department=(each.person_id - 1) // 100 + 75) for each in people("\n".join(lines))]
    return run_study(Study("spec", (EVENTS,), (analysis,)), cdm_of_rows(tables_of(histories), n_buckets=2))


def events(found: StudyResult) -> dict[str, str]:
    rows = found.of_type("incidence").to_pylist()
    return {row["strata_level"]: row["estimate_value"] for row in rows if row["estimate_name"] == "outcome_count"}


def test_all_are_shown_where_none_is_small() -> None:
    safe = assess(result((20, 30, 40)), 5).safe
    assert safe is not None
    assert events(safe) == {"overall": "90", "0 to 39": "20", "40 to 59": "30", "60 to 150": "40"}


def test_a_small_stratum_is_not_told_by_all_and_the_others() -> None:
    safe = assess(result((3, 30, 40)), 5).safe
    assert safe is not None
    assert events(safe)["0 to 39"] == HIDDEN
    assert list(events(safe).values()).count(HIDDEN) >= 2


def test_nor_is_one_within_another() -> None:
    """Three young women, whom the young and the young men would tell."""
    both = Population(strata=((Stratum.AGE_GROUP,), (Stratum.AGE_GROUP, Stratum.SEX)), strata_age_groups=AGES)
    lines = result((5, 30, 40), both)  # ranks 0, 2 and 4 of the young are women
    safe = assess(lines, 3).safe
    assert safe is not None
    assert events(safe)["0 to 39 &&& Male"] == HIDDEN
    assert HIDDEN in {events(safe)["0 to 39"], events(safe)["0 to 39 &&& Female"]}


def test_a_standardised_rate_of_a_stratum_rests_on_the_cells_of_the_stratum() -> None:
    own = Standard("own", (((0, 39), 2), ((40, 59), 1), ((60, 150), 1)))
    by_sex = Population(AGES, strata=((Stratum.SEX,),))
    safe = assess(result((20, 30, 5), by_sex, standard=own), 3).safe
    assert safe is not None
    rows = safe.of_type("incidence_standardised").to_pylist()
    shown = {row["strata_level"] for row in rows if row["estimate_value"] != HIDDEN}
    assert {row["strata_level"] for row in rows} == {"overall", "Male", "Female"}
    assert "Male" not in shown


def test_departments_are_parts_of_all_too() -> None:
    by_home = Population(strata=((Stratum.DEPARTMENT,), (Stratum.SEX, Stratum.DEPARTMENT)))
    safe = assess(result((3, 30, 40), by_home), 5).safe
    assert safe is not None
    assert events(safe)["75"] == HIDDEN
    assert list(events(safe).values()).count(HIDDEN) >= 2
    assert events(assess(result((20, 30, 40), by_home), 5).safe or safe)["Female &&& 77"] == "20"


def test_strata_leave_without_all() -> None:
    """What all would tell is told by attrition as well: the persons at risk."""
    alone = Population(strata=((Stratum.DEPARTMENT,),), include_overall=False)
    safe = assess(result((20, 30, 40), alone), 5).safe
    assert safe is not None
    assert events(safe) == {"75": "20", "76": "30", "77": "40"}


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("region", "75"),
        ("department", "Somewhere"),
        ("sex", "Other"),
        ("sex", "0 to 39"),
        ("sex &&& age_group", "Male"),
        ("reason", "x"),
    ],
)
def test_a_stratum_of_unknown_form_is_refused(name: str, level: str) -> None:
    found = result((20, 30, 40))
    rows: list[dict[str, Any]] = found.table.to_pylist()
    rows[0] |= {"strata_name": name, "strata_level": level}
    wrong = replace(found, table=pa.Table.from_pylist(rows, schema=RESULT_SCHEMA))
    assert assess(wrong, 5).verdict is Verdict.REFUSE


@pytest.mark.parametrize(("interval", "is_shown"), [(Interval.WEEKS, False), (Interval.MONTHS, True)])
def test_no_week_of_a_department_is_told_and_its_months_are(interval: Interval, *, is_shown: bool) -> None:
    found = assess(of_departments(interval), 5)
    assert found.safe is not None
    rows = [row for row in found.safe.table.to_pylist() if row["estimate_name"] == "denominator_count"]
    placed = [row["estimate_value"] for row in rows if row["strata_name"] == "department"]
    everywhere = [row["estimate_value"] for row in rows if row["strata_name"] == "overall"]
    assert placed
    assert all((value != HIDDEN) is is_shown for value in placed)
    assert all(value != HIDDEN for value in everywhere)
    said = {each.rule: each.sentence for each in found.findings}
    assert ("of a small place in fewer than 28 days" in said.get(Rule.PLACES, "")) is not is_shown


def of_departments(interval: Interval) -> StudyResult:
    """The persons of three departments in four weeks, all of whom are at risk."""
    by_place = Population(strata=((Stratum.DEPARTMENT,),))
    lines = ["person | sex | born | observed | events"]
    for number in range(300):
        event = "2019-01-09" if number % 100 < 20 else ""
        lines.append(f"{number + 1} | F | {BORN[0]} | 2018-12-31..2019-01-31 | {event}")
    analysis = Incidence(("events",), by_place, (interval,))
    histories = [replace(each, department=(each.person_id - 1) // 100 + 75) for each in people("\n".join(lines))]
    return run_study(Study("spec", (EVENTS,), (analysis,)), cdm_of_rows(tables_of(histories), n_buckets=1))
