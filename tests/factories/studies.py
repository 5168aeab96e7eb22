"""Histories as tables, studies as oracles read them, and results as numbers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256

import pyarrow as pa

from enclos.contracts.result import OVERALL, SEPARATOR, StudyResult
from enclos.studies.circe import read_circe
from enclos.studies.model import AfterDays, CirceCohort, ConceptCohort, Domain, Limit, Population
from fakes.cdm import EMPTY
from oracle.histories import Cohort, History, Requirement


def tables_of(histories: Iterable[History], concepts: Iterable[int] = range(1, 10)) -> dict[str, pa.Table]:
    """The CDM of some persons; every concept is its own only descendant."""
    persons = list(histories)
    rows = {
        "person": [(each.person_id, each.gender_concept_id, *each.born, each.department) for each in persons],
        "location": [(number, str(number)) for number in sorted({each.department or 0 for each in persons} - {0})],
        "observation_period": [(each.person_id, *period) for each in persons for period in each.periods],
        "death": [(each.person_id, each.died_on) for each in persons if each.died_on],
        "condition_occurrence": [
            (each.person_id, record.concept_id, record.start_on, record.end_on)
            for each in persons
            for record in each.records
        ],
        "drug_exposure": [
            (each.person_id, drug.concept_id, drug.start_on, drug.end_on, None, None, drug.quantity, drug.route)
            for each in persons
            for drug in each.exposures
        ],
        "concept": [(concept, f"concept {concept}") for concept in concepts],
        "concept_ancestor": [(concept, concept) for concept in concepts],
    }
    return {name: rows_table(name, values) for name, values in rows.items()}


def rows_table(name: str, rows: Sequence[tuple[object, ...]]) -> pa.Table:
    """Rows of one OMOP table, columns in the order of the fake CDM; the last ones may be left out."""
    columns: list[tuple[object, ...]] = list(zip(*rows, strict=True))
    columns += [(None,) * len(rows)] * (len(EMPTY[name]) - len(columns))
    return pa.table(
        [pa.array(column, field.type) for column, field in zip(columns, EMPTY[name], strict=True)], EMPTY[name]
    )


def death_cohort(name: str) -> CirceCohort:
    """A cohort of all deaths, each of its one day; a study has no domain of deaths, so by a definition."""
    any_one = {"Type": "All"}
    written = json.dumps(
        {
            "PrimaryCriteria": {
                "CriteriaList": [{"Death": {}}],
                "ObservationWindow": {"PriorDays": 0, "PostDays": 0},
                "PrimaryCriteriaLimit": any_one,
            },
            "QualifiedLimit": any_one,
            "ExpressionLimit": any_one,
            "EndStrategy": {"DateOffset": {"DateField": "StartDate", "Offset": 0}},
            "CollapseSettings": {"CollapseType": "ERA", "EraPad": 0},
        }
    )
    return CirceCohort(name, read_circe(written), sha256(written.encode()).hexdigest())


def oracle_cohort(
    cohort: ConceptCohort | CirceCohort, descendants: Mapping[int, Iterable[int]] | None = None
) -> Cohort:
    """The cohort as the oracle reads it; of definitions only the one of deaths."""
    if isinstance(cohort, CirceCohort):
        assert cohort == death_cohort(cohort.name)
        return Cohort(cohort.name, frozenset(), first_only=False, end=0, of_deaths=True)
    below = descendants or {}
    concepts = {each for concept in cohort.concepts for each in (concept, *below.get(concept, ()))}
    end = cohort.end.n_days if isinstance(cohort.end, AfterDays) else cohort.end.value
    gap = cohort.gap_era_days if cohort.domain is Domain.DRUG else None
    return Cohort(cohort.name, frozenset(concepts), cohort.limit is Limit.FIRST, end, gap)


def requirements_of(population: Population, target: Cohort | None = None) -> list[Requirement]:
    """Every combination of a population as the oracle reads it, in the order of the result.

    In: target — the population's target cohort as the oracle reads it
    """
    anytime = [
        Requirement((age.min_years, age.max_years), sex.value, days)
        for age in population.age_groups
        for sex in population.sexes
        for days in population.days_prior_observation
    ]
    if population.target is None:
        return anytime
    at_entry = population.target.requirements_at_entry
    windows = [(each.from_day or 0, each.to_day) for each in population.target.windows]
    return [replace(each, target=target, window=window, at_entry=at_entry) for window in windows for each in anytime]


@dataclass(frozen=True)
class Counted:
    """The numbers of one window."""

    n_denominator: int
    n_outcomes: int
    person_days: int | None
    denominator: frozenset[int]
    numerator: frozenset[int]


def counted(
    result: StudyResult, result_type: str, strata: tuple[str, str] = (OVERALL, OVERALL)
) -> dict[tuple[int, str], dict[tuple[str, date, date], Counted]]:
    """By denominator number and outcome, then by window: what the result counts and whom its cells hold."""
    cells = {cell.key: cell for cell in result.cells}
    values: dict[tuple[int, str, str, str, str, str, str], dict[str, str]] = {}
    for row in result.of_type(result_type).to_pylist():
        if strata != (row["strata_name"], row["strata_level"]):
            continue
        key = (row["result_id"], row["group_level"], *strata, "", "", row["additional_level"])
        values.setdefault(key, {})[row["estimate_name"]] = row["estimate_value"]
    found: dict[tuple[int, str], dict[tuple[str, date, date], Counted]] = {}
    for key, estimates in values.items():
        denominator, outcome = key[1].split(SEPARATOR)
        start, end, *interval = key[6].split(SEPARATOR)
        window = (interval[0] if interval else "overall", date.fromisoformat(start), date.fromisoformat(end))
        cell = cells[key]
        found.setdefault((int(denominator.rpartition("_")[2]), outcome), {})[window] = Counted(
            int(estimates["denominator_count"]),
            int(estimates["outcome_count"]),
            int(estimates["person_days"]) if "person_days" in estimates else None,
            frozenset(cell.denominator),
            frozenset(cell.numerator),
        )
    return found


def attrition(result: StudyResult, result_type: str) -> dict[tuple[int, str], list[tuple[int, int, int]]]:
    """By denominator number and outcome: reason, records and persons left."""
    left: dict[tuple[int, str], dict[int, dict[str, int]]] = {}
    for row in result.of_type(result_type).to_pylist():
        denominator, outcome = row["group_level"].split(SEPARATOR)
        reasons = left.setdefault((int(denominator.rpartition("_")[2]), outcome), {})
        counts = reasons.setdefault(int(row["additional_level"]), {})
        if row["estimate_value"] is not None:
            counts[row["variable_name"]] = int(row["estimate_value"])
    return {
        key: [(reason, counts["number_records"], counts["number_subjects"]) for reason, counts in reasons.items()]
        for key, reasons in left.items()
    }
