"""The worked examples of CohortSurvival's own tests.

Source: darwin-eu/CohortSurvival, ``tests/testthat/test-estimateSurvival.R``; the figures are theirs, each example has
the name of its test there. What is covered where:

- funcionality with created dataset (single event, competing events, censoring at cohort end, after days and on a date,
  washout), different exposure cohort ids, within cohort survival, multiple rows per person, minimum survival days,
  outcomeWashout: here.
- strata specific survival: ``test_survival.py``, and against the slow oracle ``tests/generative/test_survival.py``;
  several exposures and outcomes, estimateGap, quantiles, n_censor: on GiBleed against the package,
  ``tests/acceptance/test_gibleed_parity_survival.py``.
- the examples on mgus2 need that data set of R's; the estimators are held against published curves and the definition
  in ``tests/unit/studies/survival/test_rules.py``.
- names, warnings, errors of R: not comparable.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from enclos.contracts.result import StudyResult
from enclos.studies.model import ConceptCohort, Domain, Limit, OpenEnd, Study
from enclos.studies.steps import run_study
from enclos.studies.survival.model import FollowUp, Survival, Washout
from factories.studies import tables_of
from factories.study_tables import people_of_cohorts
from factories.survival import left, said
from fakes.cdm import cdm_of_rows

TREATED = ConceptCohort("treated", (1,), False, Domain.CONDITION, Limit.ALL, OpenEnd.EVENT_END)
OUTCOME = replace(TREATED, name="outcome", concepts=(2,))
COMPETING = replace(TREATED, name="competing", concepts=(3,))
ASKED = Survival(("treated",), ("outcome",))
WHERE = ("treated", "outcome", "overall", "overall")


def result_of(persons: str, asked: Survival = ASKED) -> StudyResult:
    cohorts = tuple(each for each in (TREATED, OUTCOME, COMPETING) if each.name in asked.cohort_names)
    return run_study(Study("spec", cohorts, (asked,)), cdm_of_rows(tables_of(people_of_cohorts(persons))))


def at_risk(result: StudyResult) -> list[int]:
    """Entries at risk on each day shown: every thirty days and the last."""
    return [int(counts["n_risk_count"] or 0) for counts in said(result, "events")[WHERE].values()]


def curve(result: StudyResult) -> list[float]:
    """The share without the outcome on each day."""
    return [round(each["estimate"] or 0, 3) for each in said(result, "estimates")[WHERE].values()]


def totals(result: StudyResult) -> tuple[int, int]:
    """Entries and outcomes."""
    (found,) = said(result, "summary")[WHERE].values()
    return int(found["number_records_count"] or 0), int(found["n_events_count"] or 0)


THREE = """
    person | sex | born       | observed               | treated                | outcome  | competing
    1      | F   | 1990-02-11 | 2007-03-21..2022-09-08 | 2020-01-01..2020-01-31 | {first}  |
    2      | F   | 1990-02-11 | 2006-09-09..2023-01-03 | 2020-02-03..2022-02-03 | 2020-02-09             | 2020-02-07
    3      | F   | 1990-02-11 | 1980-07-20..2023-05-20 | 2020-05-01..2021-06-28 | 2020-06-01, 2020-06-03 | 2021-02-02
"""


@pytest.mark.parametrize(
    ("first", "follow_up", "n_risk", "shares"),
    [
        ("2020-01-10, 2020-02-02", FollowUp(), [3, 1, 1], [1.0] * 6 + [0.667] * 3 + [0.333] * 22 + [0.0]),
        ("2020-02-02", FollowUp(on_cohort_exit=True), [3, 2, 1], [1.0] * 6 + [0.667] * 25 + [0.0]),
        ("2020-02-02", FollowUp(n_days=10), [3, 2], [1.0] * 6 + [0.667] * 5),
        ("2019-01-10", FollowUp(), [2, 1, 1], [1.0] * 6 + [0.5] * 25 + [0.0]),
        ("2020-01-10", FollowUp(on_date=date(2020, 5, 4)), [3, 1], [1.0] * 6 + [0.5] * 3 + [0.0]),
    ],
    ids=["no competing events", "censor at cohort end", "follow up days", "washout for outcome", "censor on date"],
)
def test_functionality_with_created_dataset(
    first: str, follow_up: FollowUp, n_risk: list[int], shares: list[float]
) -> None:
    result = result_of(THREE.format(first=first), replace(ASKED, follow_up=follow_up))
    assert (at_risk(result), curve(result)) == (n_risk, shares)


def test_functionality_with_created_dataset_competing_events() -> None:
    """The second person has the competing outcome on day 4, the third the outcome on day 31, the first neither."""
    result = result_of(THREE.format(first=""), replace(ASKED, competing_outcome="competing"))
    assert at_risk(result) == [3, 2, *[1] * 32]


@pytest.mark.parametrize(
    ("treated", "n_risk", "shares"),
    [
        ([1, 2], [2, 1], [1.0] + [0.5] * 8 + [0.0]),
        ([3], [1, 1], [1.0] * 8 + [0.0]),
    ],
)
def test_different_exposure_cohort_ids(treated: list[int], n_risk: list[int], shares: list[float]) -> None:
    rows = {
        1: "1 | F | 1990-02-11 | 2000-01-01..2023-04-01 | 2020-01-01..2020-01-11 | 2020-01-10",
        2: "2 | F | 1990-02-11 | 2000-01-02..2023-05-02 | 2020-01-02..2020-01-12 | 2020-01-03",
        3: "3 | F | 1990-02-11 | 2000-01-01..2023-03-01 | 2020-01-01..2020-01-11 | 2020-01-09",
    }
    head = "person | sex | born | observed | treated | outcome"
    result = result_of("\n".join([head, *(rows[each] for each in treated)]))
    assert (at_risk(result), curve(result)) == (n_risk, shares)


def test_within_cohort_survival() -> None:
    """The outcome is the end of the cohort itself: after 91, 213 and 425 days."""
    persons = """
        person | sex | born       | observed               | treated                | outcome | competing
        1      | F   | 1990-02-11 | 2000-01-01..2023-04-01 | 2020-01-01..2020-04-01 |         |
        2      | F   | 1990-02-11 | 2000-01-02..2023-05-02 | 2020-01-02..2020-08-02 |         |
        3      | F   | 1990-02-11 | 2000-01-01..2023-03-01 | 2020-01-01..2021-03-01 |         |
    """
    result = result_of(persons, replace(ASKED, outcomes=("treated",), outcome_at_end=True))
    where = (WHERE[0], "treated", *WHERE[2:])
    found = said(result, "events")[where]
    assert max(int(counts["n_risk_count"] or 0) for counts in found.values()) == 3
    shares = [round(each["estimate"] or 0, 3) for each in said(result, "estimates")[where].values()]
    assert shares == [1.0] * 91 + [0.667] * (213 - 91) + [0.333] * (425 - 213) + [0.0]


def test_multiple_rows_per_person_same_observation_period() -> None:
    """The first person's second entry is after the outcome; both of the second person are before it and count."""
    result = result_of("""
        person | sex | born       | observed               | treated                | outcome
        1      | F   | 1990-02-11 | 2007-03-21..2022-09-08 | 2010-01-01, 2015-01-01 | 2012-01-10
        2      | F   | 1990-02-11 | 2006-09-09..2023-01-03 | 2010-01-01, 2016-01-01 | 2017-01-10
        3      | F   | 1990-02-11 | 1980-07-20..2023-05-20 | 2010-01-01             |
        4      | F   | 1990-02-11 | 1980-07-20..2023-05-20 | 2010-01-01             |
    """)
    assert totals(result) == (5, 3)


FIVE = """
    person | sex | born       | observed               | treated                | outcome
    1      | F   | 1990-02-11 | 2007-03-21..2022-09-08 | 2008-01-01..2020-01-31 | 2020-01-10
    2      | F   | 1990-02-11 | 2008-09-09..2022-01-03 | 2010-01-01..2012-01-01 | {second}
    3      | F   | 1990-02-11 | 1980-07-20..2023-05-20 | 2000-01-01..2021-06-28 | 2020-06-01, 2020-06-03
    4      | F   | 1990-02-11 | 2009-09-09..2015-01-03 | 2010-01-01..2012-01-01 |
    5      | F   | 1990-02-11 | 2009-09-09..2015-01-05 | 2010-01-01..2012-01-01 |
"""


@pytest.mark.parametrize(
    ("second", "washout", "minimum", "expected"),
    [
        ("2009-01-01..2009-02-02, 2011-02-09", Washout(), 1, (4, 2)),
        ("2009-01-01..2009-02-02, 2011-02-09", Washout(1), 1, (5, 3)),
        ("2010-01-01..2010-02-02, 2011-02-09", Washout(0), 0, (5, 3)),
        ("2009-12-31..2010-02-02, 2009-02-09", Washout(0), 0, (5, 2)),
    ],
    ids=["all history", "one day", "outcome on the day of entry", "outcome from the day before"],
)
def test_outcome_washout(second: str, washout: Washout, minimum: int, expected: tuple[int, int]) -> None:
    asked = replace(ASKED, washout=washout, follow_up=FollowUp(minimum_days=minimum))
    assert totals(result_of(FIVE.format(second=second), asked)) == expected


def test_minimum_survival_days() -> None:
    """An outcome on the day of entry is less than a day of survival."""
    result = result_of(FIVE.format(second="2010-01-01..2010-02-02, 2011-02-09"))
    ((*_, before, last),) = left(result).values()
    assert last[0] == "Survival days for outcome less than 1"
    assert before[1] - last[1] == 1
