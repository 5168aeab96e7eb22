"""Treatments around entry, coverage of doses, adherence: they leave by the persons behind each number."""

from datetime import date

from enclos.contracts.result import HIDDEN, StudyResult
from enclos.release.rules.disclosure import assess
from enclos.studies.model import ConceptCohort, DayWindow, Domain, Limit, OpenEnd, Study
from enclos.studies.steps import run_study
from enclos.studies.utilisation.model import Adherence, Treatments, Utilisation
from factories.studies import rows_table, tables_of
from fakes.cdm import cdm_of_rows
from oracle.histories import FEMALE, MALE, Exposure, History

DRUG = ConceptCohort("drug", (4,), False, Domain.DRUG, Limit.ALL, OpenEnd.EVENT_END)
OTHER = ConceptCohort("other", (5,), False, Domain.DRUG, Limit.ALL, OpenEnd.EVENT_END)


def result(n_persons: int, n_treated: int) -> StudyResult:
    """Persons who take a drug of known strength, of whom some also take one of unknown strength."""
    people = []
    for number in range(1, n_persons + 1):
        exposures = [Exposure(4, date(2020, 1, 1), date(2020, 1, 10), 10.0)]
        exposures += [Exposure(5, date(2020, 1, 5), date(2020, 1, 6), 2.0)] if number <= n_treated else []
        period = (date(2019, 1, 1), date(2020, 12, 31))
        people.append(History(number, (MALE, FEMALE)[number % 2], (1980, 1, 1), (period,), (), tuple(exposures)))
    tables = tables_of(people)
    tables["drug_strength"] = rows_table("drug_strength", [(4, 9, 500.0, 8576, None, None, None, None)])
    tables["concept_ancestor"] = rows_table("concept_ancestor", [(9, 4), (9, 5)])
    asked = Utilisation(
        ("drug",),
        ("drug", "other"),
        treatments=Treatments(("other",), (DayWindow(0, 30),)),
        dose_coverage=(9,),
        adherence=Adherence(10, 0.2),
    )
    return run_study(Study("spec", (DRUG, OTHER), (asked,)), cdm_of_rows(tables))


def shown(n_persons: int, n_treated: int) -> dict[tuple[str, str], str]:
    """By variable or level, and estimate, what of all persons could leave."""
    safe = assess(result(n_persons, n_treated), 11).safe
    assert safe is not None
    rows = [*safe.of_type("summarise_treatment").to_pylist(), *safe.of_type("summarise_dose_coverage").to_pylist()]
    return {
        (row["variable_level"] or row["variable_name"], row["estimate_name"]): row["estimate_value"]
        for row in rows
        if row["strata_level"] == "overall"
    }


def adherent(n_persons: int, n_treated: int) -> dict[str, str]:
    """Of all persons, estimates of who took the other drug on two days of ten or more."""
    safe = assess(result(n_persons, n_treated), 11).safe
    assert safe is not None
    rows = safe.of_type("summarise_adherence").to_pylist()
    return {
        row["estimate_name"]: row["estimate_value"]
        for row in rows
        if (row["additional_level"], row["variable_level"]) == ("other", "0.2")
    }


def test_who_is_adherent_is_told_by_enough_persons() -> None:
    assert adherent(60, 20)["count"] == "20"
    assert set(adherent(60, 5).values()) == {HIDDEN}


def test_counts_of_enough_persons_are_shown() -> None:
    found = shown(60, 20)
    assert (found["other", "count"], found["untreated", "count"]) == ("20", "40")
    assert (found["number records", "count"], found["Missing dose", "count_missing"]) == ("80", "20")


def test_a_few_treated_are_told_by_neither() -> None:
    found = shown(60, 5)
    assert {found[level, "count"] for level in ("other", "untreated")} == {HIDDEN}
    assert found["Missing dose", "count_missing"] == found["Missing dose", "percentage_missing"] == HIDDEN
