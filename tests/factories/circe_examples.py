"""Short notation for worked examples of Circe: records in, stretches of a cohort out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from enclos.studies.circe import circe_rows
from fakes.whole_cdm import whole_cdm_of_rows

Definition = dict[str, Any]
Stretch = tuple[int, str, str]
"""Person, first day, last day."""
Rows = Sequence[tuple[str, dict[str, Any]]]
"""Rows of tables by their names."""

TABLES = {
    "ConditionEra": ("condition_era", "condition_concept_id", "condition_era_start_date", "condition_era_end_date"),
    "ConditionOccurrence": (
        "condition_occurrence",
        "condition_concept_id",
        "condition_start_date",
        "condition_end_date",
    ),
    "Death": ("death", "cause_concept_id", "death_date", ""),
    "DeviceExposure": (
        "device_exposure",
        "device_concept_id",
        "device_exposure_start_date",
        "device_exposure_end_date",
    ),
    "DoseEra": ("dose_era", "drug_concept_id", "dose_era_start_date", "dose_era_end_date"),
    "DrugEra": ("drug_era", "drug_concept_id", "drug_era_start_date", "drug_era_end_date"),
    "DrugExposure": ("drug_exposure", "drug_concept_id", "drug_exposure_start_date", "drug_exposure_end_date"),
    "Episode": ("episode", "episode_concept_id", "episode_start_date", "episode_end_date"),
    "Measurement": ("measurement", "measurement_concept_id", "measurement_date", ""),
    "Observation": ("observation", "observation_concept_id", "observation_date", ""),
    "ObservationPeriod": (
        "observation_period",
        "period_type_concept_id",
        "observation_period_start_date",
        "observation_period_end_date",
    ),
    "PayerPlanPeriod": (
        "payer_plan_period",
        "payer_concept_id",
        "payer_plan_period_start_date",
        "payer_plan_period_end_date",
    ),
    "ProcedureOccurrence": ("procedure_occurrence", "procedure_concept_id", "procedure_date", ""),
    "Specimen": ("specimen", "specimen_concept_id", "specimen_date", ""),
    "VisitDetail": (
        "visit_detail",
        "visit_detail_concept_id",
        "visit_detail_start_date",
        "visit_detail_end_date",
    ),
    "VisitOccurrence": ("visit_occurrence", "visit_concept_id", "visit_start_date", "visit_end_date"),
}
"""By type of criterion: table, columns of the concept, the first day and the last one."""

CHILDREN = {1: (2, 3)}
"""The example's vocabulary: two conditions below one parent."""


def stretches(text: str) -> list[Stretch]:
    """Stretches written ``1 2000-01-01..2000-02-01; 2 ...``; one day stands for itself."""
    found = []
    for each in filter(None, (part.strip() for part in text.split(";"))):
        person, days = each.split()
        first, _, last = days.partition("..")
        found.append((int(person), first, last or first))
    return found


def records(domain: str, concept: int, text: str, *more: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Records of one type and concept, numbered from 1, written as stretches; a single day has no end.

    In: more — further columns of the first, second... record
    """
    table, concept_column, start, end = TABLES[domain]
    found = []
    for number, each in enumerate(filter(None, (part.strip() for part in text.split(";"))), start=1):
        person, days = each.split()
        first, _, last = days.partition("..")
        row: dict[str, Any] = {"person_id": int(person), concept_column: concept, start: date.fromisoformat(first)}
        if table != "death":
            row[f"{table}_id"] = number
        if end and last:
            row[end] = date.fromisoformat(last)
        found.append((table, row | (more[number - 1] if number <= len(more) else {})))
    return found


def cohorts(
    definitions: Sequence[Definition],
    rows: Rows,
    observed: str,
    genders: Mapping[int, int] | None = None,
) -> list[list[Stretch]]:
    """The stretches of every definition.

    In: observed — the observation periods of all persons, as stretches; genders — of some persons, else 0
    """
    tables: dict[str, list[dict[str, Any]]] = {}
    for table, row in [*records("ObservationPeriod", 0, observed), *rows]:
        tables.setdefault(table, []).append(row)
    persons = {row["person_id"] for row in tables["observation_period"]}
    tables["person"] = [
        {"person_id": each, "year_of_birth": 0, "gender_concept_id": (genders or {}).get(each, 0)}
        for each in sorted(persons)
    ]
    tables["concept"] = [{"concept_id": concept} for concept in range(1, 10)]
    tables["concept_ancestor"] = [
        {"ancestor_concept_id": parent, "descendant_concept_id": each}
        for parent in range(1, 10)
        for each in (parent, *CHILDREN.get(parent, ()))
    ]
    named = {f"cohort {number:02}": json.dumps(each) for number, each in enumerate(definitions)}
    found: dict[str, list[Stretch]] = {name: [] for name in named}
    for row in circe_rows(named, whole_cdm_of_rows(tables)).to_pylist():
        days = (row["cohort_start_date"].isoformat(), row["cohort_end_date"].isoformat())
        found[row["cohort_name"]].append((row["subject_id"], *days))
    return [sorted(each) for each in found.values()]


def check(definitions: Sequence[Definition], rows: Rows, observed: str, *expected: str, **more: Any) -> None:
    """Every definition gives the stretches written for it."""
    assert cohorts(definitions, rows, observed, **more) == [stretches(each) for each in expected]


def concept_set(number: int, *concepts: int, descendants: bool = False) -> dict[str, Any]:
    """A concept set."""
    items = [{"concept": {"CONCEPT_ID": each}, "includeDescendants": descendants} for each in concepts]
    return {"id": number, "name": f"set {number}", "expression": {"items": items}}


def expression(criterion: Definition, limits: str = "All", **more: Any) -> Definition:
    """A definition with one entry criterion: its sets are the parent with its children (0), and 1, 2 and 3 alone.

    In: limits — of initial, qualified and included events
    """
    return {
        "ConceptSets": [concept_set(0, 1, descendants=True), *(concept_set(each, each) for each in (1, 2, 3))],
        "PrimaryCriteria": {
            "CriteriaList": [criterion],
            "ObservationWindow": {"PriorDays": 0, "PostDays": 0},
            "PrimaryCriteriaLimit": {"Type": limits},
        },
        "QualifiedLimit": {"Type": limits},
        "ExpressionLimit": {"Type": limits},
        "InclusionRules": [],
        "CensoringCriteria": [],
        "CollapseSettings": {"CollapseType": "ERA", "EraPad": 0},
        "CensorWindow": {},
        **more,
    }


def group(kind: str, *criteria: Definition, **more: Any) -> Definition:
    """A group of correlated criteria."""
    return {"Type": kind, "CriteriaList": list(criteria), "DemographicCriteriaList": [], "Groups": [], **more}


def before(criterion: Definition, from_day: int | None, to_day: int, count: tuple[int, int] = (2, 1)) -> Definition:
    """A criterion so many days before the index event, the earlier first; count is (type, number), 2 for at least."""
    start = {"Coeff": -1} if from_day is None else {"Coeff": -1, "Days": from_day}
    return {
        "Criteria": criterion,
        "StartWindow": {"Start": start, "End": {"Coeff": -1, "Days": to_day}, "UseEventEnd": False},
        "Occurrence": {"Type": count[0], "Count": count[1]},
    }


def distinct(criterion: Definition, n: int, column: str | None) -> Definition:
    """At least so many different values of a column in the year before; of the concept where none is named."""
    asked = before(criterion, 365, 0, (2, n))
    asked["Occurrence"] |= {"IsDistinct": True} | ({"CountColumn": column} if column else {})
    return asked


def offset(field: str, days: int) -> Definition:
    """The end of a stretch: so many days after the start or end of its event."""
    return {"DateOffset": {"DateField": field, "Offset": days}}
