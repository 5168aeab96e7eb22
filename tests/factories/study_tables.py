"""Small text tables: persons in, counts out; what the specs of studies are written in."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace
from datetime import date

from enclos.contracts.result import StudyResult
from enclos.studies.model import (
    CohortAnalysis,
    ConceptCohort,
    DerivedCohort,
    Domain,
    Incidence,
    Limit,
    OpenEnd,
    Operation,
    PeriodPrevalence,
    PointPrevalence,
    Population,
    Study,
)
from enclos.studies.steps import cohort_table, denominator_table, run_study
from factories.studies import counted, tables_of
from fakes.cdm import CdmOfTables, cdm_of_rows
from oracle.histories import FEMALE, MALE, History, Record, Stretch

EVENTS = ConceptCohort("events", (1,), False, Domain.CONDITION, Limit.ALL, OpenEnd.EVENT_END)
OTHERS = ConceptCohort("others", (2,), False, Domain.CONDITION, Limit.ALL, OpenEnd.EVENT_END)
Row = tuple[str, ...]


def rows_of(text: str) -> list[Row]:
    """The rows of a text table without its head, cells between bars, trimmed."""
    lines = [line.strip() for line in text.strip().splitlines()]
    return [tuple(cell.strip() for cell in line.split("|")) for line in lines[1:]]


def _stretch(text: str) -> Stretch:
    first, _, last = text.partition("..")
    return date.fromisoformat(first), date.fromisoformat(last or first)


def _stretches(text: str) -> tuple[Stretch, ...]:
    return tuple(_stretch(each.strip()) for each in text.split(",") if each.strip())


def people(text: str) -> list[History]:
    """Persons of a table: number, sex (M or F), born, observed, events, maybe others; stretches between commas."""
    found = []
    for person, sex, born, observed, *happened in rows_of(text):
        born_on = date.fromisoformat(born)
        records = tuple(
            Record(concept, first, last)
            for concept, stretches in enumerate(happened, start=1)
            for first, last in _stretches(stretches)
        )
        gender = {"M": MALE, "F": FEMALE}[sex]
        birth = (born_on.year, born_on.month, born_on.day)
        found.append(History(int(person), gender, birth, _stretches(observed), records))
    return found


def cdm(text: str) -> CdmOfTables:
    """The CDM of a table of persons, in two buckets."""
    return cdm_of_rows(tables_of(people(text)), n_buckets=2)


def rates(persons: str, analysis: Incidence) -> list[Row]:
    """Denominator, window, persons, days and events of each rate of the outcome ``events``."""
    result = run_study(Study("spec", (EVENTS, OTHERS), (analysis,)), cdm(persons))
    return [
        (str(number), f"{start}..{end}", str(cell.n_denominator), str(cell.person_days), str(cell.n_outcomes))
        for (number, _), windows in counted(result, "incidence").items()
        for (_, start, end), cell in windows.items()
    ]


def shares(persons: str, analysis: PointPrevalence | PeriodPrevalence) -> list[Row]:
    """Denominator, window, persons and cases of each share of the outcome ``events``."""
    result = run_study(Study("spec", (EVENTS, OTHERS), (analysis,)), cdm(persons))
    return [
        (str(number), f"{start}..{end}", str(cell.n_denominator), str(cell.n_outcomes))
        for (number, _), windows in counted(result, "prevalence").items()
        for (_, start, end), cell in windows.items()
    ]


def at_risk(persons: str, population: Population) -> list[Row]:
    """Denominator, person and stretch of each stay of a population, whose target can be ``events`` or ``others``."""
    rows = denominator_table(population, cdm(persons), cohorts_at_hand=(EVENTS, OTHERS)).to_pylist()
    return [
        (
            row["denominator_cohort_name"].rpartition("_")[2],
            str(row["subject_id"]),
            f"{row['cohort_start_date']}..{row['cohort_end_date']}",
        )
        for row in rows
    ]


def members(persons: str, cohort: ConceptCohort) -> list[Row]:
    """Person and stretch of each row of a cohort."""
    study = Study("spec", (cohort,), (Incidence((cohort.name,), Population()),))
    return _members(persons, study, cohort.name)


def derived_members(persons: str, *operations: Operation) -> list[Row]:
    """Person and stretch of each row of a cohort made of ``events`` and ``others``; each operation reads the one before
    as ``step_1``, ``step_2`` and so on."""
    steps = [DerivedCohort(f"step_{number}", each) for number, each in enumerate(operations, start=1)]
    name = steps[-1].name
    # The order of a study's cohorts is the writer's: here the last comes first.
    study = Study("spec", (*reversed(steps), OTHERS, EVENTS), (Incidence((name,), Population()),))
    return _members(persons, study, name)


def _members(persons: str, study: Study, name: str) -> list[Row]:
    rows = [row for row in cohort_table(study, cdm(persons)).to_pylist() if row["cohort_name"] == name]
    return [(str(row["subject_id"]), f"{row['cohort_start_date']}..{row['cohort_end_date']}") for row in rows]


def estimates(persons: str, analysis: CohortAnalysis, *variables: str) -> list[Row]:
    """Cohort, stratum, variable, level and estimates of some variables, for the cohorts ``events`` and ``others``."""
    return place_rows(run_study(Study("spec", (EVENTS, OTHERS), (analysis,)), cdm(persons)), *variables)


def place_rows(result: StudyResult, *variables: str, without: Container[str] = ()) -> list[Row]:
    """Cohort, stratum, variable, level and estimates of some variables, some estimates left out."""
    found: dict[Row, list[str]] = {}
    for row in result.table.to_pylist():
        if row["variable_name"] in variables and row["estimate_name"] not in without:
            strata = " ".join(dict.fromkeys((row["strata_name"], row["strata_level"])))
            place = (row["group_level"], strata, row["variable_name"], row["variable_level"] or "")
            found.setdefault(place, []).append(f"{row['estimate_name']} {row['estimate_value']}")
    return [(*place, ", ".join(each)) for place, each in found.items()]


def people_of_cohorts(text: str) -> list[History]:
    """Persons of a table whose last columns are cohorts: records of concept 1 in the first of them, and so on."""
    found = []
    head = "person | sex | born | observed | events"
    for person, sex, born, observed, *events in rows_of(text):
        parts = [people(f"{head}\n{person}|{sex}|{born}|{observed}|{each}")[0] for each in events]
        records = [
            Record(concept, each.start_on, each.end_on)
            for concept, part in enumerate(parts, 1)
            for each in part.records
        ]
        found.append(replace(parts[0], records=tuple(records)))
    return found
