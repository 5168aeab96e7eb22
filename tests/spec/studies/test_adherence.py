"""How much of the time after entry a drug was at hand: proportion of days covered, medication possession ratio.

Source: terms as in the ISPOR work groups' papers, Cramer et al. 2008 (Value Health 11:44) and Peterson et al. 2007
(Value Health 10:3); 80 % of days covered as the Pharmacy Quality Alliance asks. The examples are our own.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from enclos.studies.model import ConceptCohort, Domain, Limit, OpenEnd, Study
from enclos.studies.steps import run_study
from enclos.studies.utilisation.model import Adherence, Utilisation
from factories.studies import rows_table, tables_of
from factories.study_tables import people, rows_of
from fakes.cdm import cdm_of_rows

DRUG = ConceptCohort("drug", (7,), False, Domain.DRUG, Limit.ALL, OpenEnd.EVENT_END, None, 30)


def told(adherence: Adherence, exposures: str, observed: str = "2019-01-01..2021-12-31") -> dict[str, str]:
    """Means of both measures and the share of adherent persons; person and days of each exposure."""
    rows = [
        (int(person), 7, *map(date.fromisoformat, days.split("..")), None, None, None)
        for person, days in rows_of(exposures)
    ]
    numbers = sorted({row[0] for row in rows})
    persons = "\n".join(f"{number} | F | 1980-01-01 | {observed} |" for number in numbers)
    tables = tables_of(people(f"person | sex | born | observed | events\n{persons}"))
    tables["drug_exposure"] = rows_table("drug_exposure", rows)
    asked = Utilisation(("drug",), ("drug",), adherence=adherence)
    result = run_study(Study("spec", (DRUG,), (asked,)), cdm_of_rows(tables, n_buckets=2))
    return {
        row["variable_name"]: row["estimate_value"]
        for row in result.of_type("summarise_adherence").to_pylist()
        if row["estimate_name"] in {"mean", "percentage"}
    }


def of_one(days: int, exposures: str, observed: str = "2019-01-01..2021-12-31") -> tuple[float, float]:
    """Proportion of days covered and medication possession ratio of one person."""
    listed = "\n".join(f"1 | {each}" for each in exposures.split(", "))
    found = told(Adherence(days), f"person | days\n{listed}", observed)
    return float(found["proportion of days covered"]), float(found["medication possession ratio"])


@pytest.mark.parametrize(
    ("exposures", "covered", "possessed"),
    [
        ("2020-01-01..2020-01-10, 2020-01-06..2020-01-15", 15, 20),
        ("2020-01-01..2020-01-10, 2020-01-21..2020-01-30", 20, 20),
        ("2020-01-01..2020-01-10, 2020-01-25..2020-02-13", 16, 30),
        ("2020-01-01..2020-01-30, 2020-01-01..2020-01-30, 2020-01-10..2020-02-08", 30, 90),
        ("2020-01-01..2020-01-10, 2020-01-31..2020-02-29", 10, 10),
    ],
    ids=["overlap", "gap", "past the last day", "more than there are days", "after the last day"],
)
def test_a_day_is_covered_once_and_supplied_by_each_exposure(exposures: str, covered: int, possessed: int) -> None:
    """Of 30 days from 1 January on; days of supply after the 30th count, those of exposures that start then do not."""
    assert of_one(30, exposures) == pytest.approx((covered / 30, possessed / 30))


@pytest.mark.parametrize(("exposure", "covered"), [("2020-01-01..2020-02-29", 60), ("2021-01-01..2021-02-28", 59)])
def test_sixty_days_end_in_february_of_a_leap_year(exposure: str, covered: int) -> None:
    assert of_one(60, exposure) == pytest.approx((covered / 60, covered / 60))


def test_following_ends_with_observation() -> None:
    assert of_one(365, "2020-01-01..2020-01-10", "2019-01-01..2020-01-20") == (0.5, 0.5)


def test_a_person_is_adherent_whose_first_entry_is_covered_enough() -> None:
    """Of ten days the first has 8, the second 7; the third has 5 and, half a year later, all."""
    found = told(
        Adherence(10, 0.8),
        """
        person | days
        1      | 2020-01-01..2020-01-08
        2      | 2020-01-01..2020-01-07
        3      | 2020-01-01..2020-01-05
        3      | 2020-07-01..2020-07-10
        """,
    )
    assert found["persons with at least this proportion of days covered"].startswith("33.33")
    assert found["proportion of days covered"] == "0.75"


@pytest.mark.parametrize(("rule", "covered"), [("one-box-30", 30), ("ddd", 14), (None, 7)])
def test_days_are_covered_by_the_duration_rule_of_the_drug(rule: str | None, covered: int) -> None:
    """A pack of 28 units holds 14 daily doses; the snapshot itself has it last a week."""
    tables = tables_of(people("person | sex | born | observed | events\n1 | F | 1980-01-01 | 2019-01-01..2021-12-31 |"))
    dispensed, pack = 32869, 70
    row = (1, 7, date(2020, 1, 1), date(2020, 1, 7), dispensed, pack, 28.0)
    tables["drug_exposure"] = rows_table("drug_exposure", [row])
    rules = [(pack, name, f"{name}-1", 28, days_of) for name, days_of in (("one-box-30", 30.0), ("ddd", 14.0))]
    tables["drug_duration"] = rows_table("drug_duration", rules)
    asked = Utilisation(("drug",), ("drug",), adherence=Adherence(60))
    study = Study("spec", (replace(DRUG, duration=rule),), (asked,))
    rows = run_study(study, cdm_of_rows(tables)).of_type("summarise_adherence").to_pylist()
    (mean,) = (row["estimate_value"] for row in rows if (row["variable_name"], row["estimate_name"]) == WANTED)
    assert float(mean) == pytest.approx(covered / 60)


WANTED = ("proportion of days covered", "mean")
