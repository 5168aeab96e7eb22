"""The worked examples of DrugUtilisation's own tests: exposures of who is in a cohort, and who is covered by one.

Source: darwin-eu/DrugUtilisation, ``tests/testthat``: test-generateDrugUtilisationCohortSet (subsetCohort), its others
in ``test_peer_utilisation.py``; test-summariseProportionOfPatientsCovered (simple working example, multiple cohort
entries). The figures are theirs; both functions are also on GiBleed against the package's results,
``tests/acceptance/test_gibleed_parity_utilisation.py``.

Not here: several cohorts, and strata of columns that a user made.
"""

from __future__ import annotations

import pytest

from enclos.studies.derived.model import Near
from enclos.studies.model import ConceptCohort, DayWindow, Domain, Limit, OpenEnd, Study
from enclos.studies.steps import run_study
from enclos.studies.utilisation.model import Utilisation
from factories.studies import tables_of
from factories.study_tables import EVENTS, derived_members, people
from fakes.cdm import cdm_of_rows

DRUG = ConceptCohort("drug", (3,), False, Domain.DRUG, Limit.ALL, OpenEnd.EVENT_END)


@pytest.mark.parametrize(("third", "persons"), [("2020-01-01", "1 1 2 3"), ("", "1 1 2")])
def test_subset_cohort_functionality(third: str, persons: str) -> None:
    """Exposures of whoever is in another cohort at any time: in both of its parts, or in its first alone."""
    table = f"""
        person | sex | born       | observed               | events | others
        1      | M   | 1980-01-01 | 2015-01-01..2024-01-01 | 2020-01-01..2020-01-31, 2021-01-01..2021-01-20 | 2020-01-01
        2      | M   | 1980-01-01 | 2015-01-01..2024-01-01 | 2020-01-01..2020-01-31 | 2020-01-01
        3      | M   | 1980-01-01 | 2015-01-01..2024-01-01 | 2020-01-01..2020-01-31 | {third}
        4      | M   | 1980-01-01 | 2015-01-01..2024-01-01 | 2020-01-01..2020-01-31 |
    """
    found = derived_members(table, Near("events", "others", DayWindow(None, None), present=True))
    assert [person for person, _ in found] == persons.split()


@pytest.mark.parametrize(
    ("persons", "days", "expected"),
    [
        (
            """
            person | sex | born       | observed               | events
            1      | M   | 1980-01-01 | 2000-01-01..2000-01-25 | 2000-01-01..2000-01-05
            2      | M   | 1980-01-01 | 2002-01-01..2002-01-15 | 2002-01-01..2002-01-15
            3      | M   | 1980-01-01 | 2010-01-01..2010-01-25 | 2010-01-01..2010-01-20
            4      | M   | 1980-01-01 | 2011-01-01..2011-01-25 | 2011-01-01..2011-01-20
            """,
            30,
            {0: "100.00", 4: "100.00", 6: "75.00", 16: "66.67", 21: "0.00"},
        ),
        (
            """
            person | sex | born       | observed               | events
            1      | M   | 1980-01-01 | 2000-01-01..2000-01-20 | 2000-01-01..2000-01-05, 2000-01-10..2000-01-15
            2      | M   | 1980-01-01 | 2010-01-01..2010-01-25 | 2010-01-01..2010-01-15
            """,
            25,
            {4: "100.00", 6: "50.00", 10: "100.00", 21: "0.00"},
        ),
    ],
    ids=["simple working example", "multiple cohort entries"],
)
def test_proportion_of_patients_covered(persons: str, days: int, expected: dict[int, str]) -> None:
    """Of those still observed, per cent in the cohort so many days after their first entry."""
    study = Study("spec", (EVENTS, DRUG), (Utilisation(("events",), ("drug",), covered_days=days),))
    result = run_study(study, cdm_of_rows(tables_of(people(persons))))
    found = {
        int(row["additional_level"]): f"{float(row['estimate_value'] or 0):.2f}"
        for row in result.of_type("summarise_proportion_of_patients_covered").to_pylist()
        if row["estimate_name"] == "ppc"
    }
    assert {day: found[day] for day in expected} == expected
    assert max(found) == days
