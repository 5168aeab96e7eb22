"""Which days of a case are compared, and when a ratio is shown."""

from __future__ import annotations

from dataclasses import replace

from enclos.contracts.result import StudyResult
from enclos.studies.model import ConceptCohort, Domain, Limit, OpenEnd, Study
from enclos.studies.sccs.model import Anchor, Cases, Sccs, Window
from enclos.studies.steps import run_study
from factories.studies import tables_of
from factories.study_tables import Row, people_of_cohorts, rows_of
from fakes.cdm import cdm_of_rows

DRUG = ConceptCohort("drug", (1,), False, Domain.CONDITION, Limit.ALL, OpenEnd.EVENT_END)
BLEED = replace(DRUG, name="bleed", concepts=(2,))
ASKED = Sccs(("drug",), ("bleed",), pre_exposure_days=0, end_of_observation_days=0, show_failed=True)

# A hundred days each. The first two bleed while exposed, the third before; the fourth never bleeds and tells nothing.
PERSONS = """
    person | sex | born       | observed               | drug                   | bleed
    1      | F   | 1980-01-01 | 2020-01-01..2020-04-09 | 2020-02-01..2020-02-20 | 2020-02-03
    2      | M   | 1950-01-01 | 2020-01-01..2020-04-09 | 2020-03-01..2020-03-20 | 2020-03-20, 2020-04-01
    3      | F   | 1950-01-01 | 2020-01-01..2020-04-09 | 2020-02-11..2020-02-20 | 2020-01-20
    4      | M   | 1980-01-01 | 2020-01-01..2020-04-09 | 2020-02-01..2020-03-31 |
"""


def result_of(persons: str, asked: Sccs) -> StudyResult:
    return run_study(
        Study("spec", (DRUG, BLEED), (asked,)), cdm_of_rows(tables_of(people_of_cohorts(persons)), n_buckets=2)
    )


def shown(persons: str, asked: Sccs) -> list[Row]:
    """Window, persons, outcomes, days and ratio of each window, empty where not shown."""
    found: dict[str, dict[str, str]] = {}
    for row in result_of(persons, asked).of_type("sccs").to_pylist():
        if row["variable_name"] != "model":
            found.setdefault(row["variable_name"], {})[row["estimate_name"]] = row["estimate_value"]
    rows = []
    for window, said in found.items():
        ratio = f"{float(said['rate_ratio']):.3g}" if "rate_ratio" in said else ""
        rows.append((window, *(said.get(name, "") for name in ("n_persons", "n_events", "person_days")), ratio))
    return rows


def test_the_rate_while_exposed_is_compared_with_that_in_the_same_persons_other_time() -> None:
    # 2 outcomes in 50 days exposed, 2 in 250 others. Each person has as many outcomes in all as they have, so the ratio
    # is not their quotient: it makes 2 = r 20/(r 20 + 80) + 2 r 20/(r 20 + 80) + r 10/(r 10 + 90) true.
    assert shown(PERSONS, ASKED) == rows_of("""
        window    | persons | outcomes | days | ratio
        exposed   | 3       | 2        | 50   | 4.88
        reference | 3       | 2        | 250  |
    """)


def test_windows_before_an_exposure_and_at_the_end_stand_beside_it() -> None:
    assert [
        row[:4] for row in shown(PERSONS, replace(ASKED, pre_exposure_days=30, end_of_observation_days=30))
    ] == rows_of("""
        window             | persons | outcomes | days
        exposed            | 3       | 2        | 50
        pre_exposure       | 3       | 1        | 90
        end_of_observation | 3       | 2        | 90
        reference          | 3       | 0        | 80
    """)


def test_a_window_ends_where_the_next_exposure_begins() -> None:
    again = PERSONS.replace("2020-02-01..2020-02-20 |", "2020-02-01..2020-02-20, 2020-02-25 |")
    late = replace(ASKED, windows=(Window("late", 1, Anchor.END, 30, Anchor.END),))
    # Person 1: four days from the 21st to the 24th, then thirty from the 26th on; the others twenty and thirty.
    assert [row[:4] for row in shown(again, late)] == rows_of("""
        window    | persons | outcomes | days
        late      | 3       | 1        | 84
        reference | 3       | 3        | 216
    """)


def test_naive_days_take_their_outcomes_with_them() -> None:
    # The third person bled on the twentieth day only.
    assert [row[:4] for row in shown(PERSONS, replace(ASKED, cases=Cases(naive_days=30)))] == rows_of("""
        window    | persons | outcomes | days
        exposed   | 2       | 2        | 40
        reference | 2       | 1        | 100
    """)


def test_nothing_of_a_ratio_is_shown_when_a_diagnostic_fails() -> None:
    # Three of four persons have the outcome: taking only the first of each is wrong when it is so common.
    common = replace(ASKED, cases=Cases(first_outcome_only=True), show_failed=False)
    assert shown(PERSONS, common) == rows_of("""
        window    | persons | outcomes | days | ratio
        exposed   | 3       |          |      |
        reference | 3       |          |      |
    """)
    diagnostics = result_of(PERSONS, common).of_type("sccs_diagnostics").to_pylist()
    verdicts = {row["variable_name"]: row["estimate_value"] for row in diagnostics if row["estimate_name"] == "verdict"}
    assert verdicts["rare_outcome"] == "fail"
