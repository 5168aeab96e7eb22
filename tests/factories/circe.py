"""Small persons and Circe definitions for the tests of cohorts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import count
from typing import Any

from enclos.studies.circe import circe_rows
from enclos.studies.circe.domains import DOMAINS, CountColumn, Domain, Kind, source_attribute
from enclos.studies.ports import Cdm

_numbers = count(1)
Rows = dict[str, list[dict[str, Any]]]


def day(text: str) -> date:
    """A day from its ISO form."""
    return date.fromisoformat(text)


def condition(concept: int, start: str, end: str | None = None, **more: Any) -> tuple[str, dict[str, Any]]:
    """A condition."""
    return "condition_occurrence", {
        "condition_occurrence_id": next(_numbers),
        "condition_concept_id": concept,
        "condition_start_date": day(start),
        "condition_end_date": day(end) if end else None,
        **more,
    }


def drug(concept: int, start: str, end: str | None = None, **more: Any) -> tuple[str, dict[str, Any]]:
    """An exposure."""
    return "drug_exposure", {
        "drug_exposure_id": next(_numbers),
        "drug_concept_id": concept,
        "drug_exposure_start_date": day(start),
        "drug_exposure_end_date": day(end) if end else None,
        **more,
    }


def person(
    number: int,
    *records: tuple[str, dict[str, Any]],
    observed: Sequence[tuple[str, str]] = (("2020-01-01", "2020-12-31"),),
    born: int = 1950,
    gender: int = 8507,
) -> Rows:
    """The rows of one person, with a vocabulary in which every concept is its own only descendant."""
    rows: Rows = {
        "person": [{"person_id": number, "year_of_birth": born, "gender_concept_id": gender}],
        "observation_period": [
            {
                "observation_period_id": next(_numbers),
                "person_id": number,
                "observation_period_start_date": day(start),
                "observation_period_end_date": day(end),
            }
            for start, end in observed
        ],
        "concept": [{"concept_id": concept} for concept in range(1, 20)],
        "concept_ancestor": [
            {"ancestor_concept_id": concept, "descendant_concept_id": concept} for concept in range(1, 20)
        ],
    }
    for table, row in records:
        rows.setdefault(table, []).append({"person_id": number, **row})
    return rows


def concept_set(number: int, *concepts: int) -> dict[str, Any]:
    """A concept set of single concepts with their descendants."""
    items = [
        {"concept": {"CONCEPT_ID": concept}, "isExcluded": False, "includeDescendants": True, "includeMapped": False}
        for concept in concepts
    ]
    return {"id": number, "name": f"set {number}", "expression": {"items": items}}


def definition(domain: str, concept: int, **more: Any) -> dict[str, Any]:
    """A definition with one primary criterion on one concept; other parts, and attributes in lower case, as given."""
    attributes = more.pop("attributes", {})
    return {
        "ConceptSets": [concept_set(number, number) for number in range(1, 20)],
        "PrimaryCriteria": {
            "CriteriaList": [{domain: {"CodesetId": concept, **attributes}}],
            "ObservationWindow": {"PriorDays": 0, "PostDays": 0},
            "PrimaryCriteriaLimit": {"Type": "All"},
        },
        "QualifiedLimit": {"Type": "First"},
        "ExpressionLimit": {"Type": "All"},
        "InclusionRules": [],
        "CensoringCriteria": [],
        "CollapseSettings": {"CollapseType": "ERA", "EraPad": 0},
        "CensorWindow": {},
        **more,
    }


def cohort_of(expression: Mapping[str, Any], cdm: Cdm) -> list[tuple[int, str, str]]:
    """The rows of a definition: person, start, end."""
    table = circe_rows({"cohort": json.dumps(expression)}, cdm)
    return [
        (row["subject_id"], row["cohort_start_date"].isoformat(), row["cohort_end_date"].isoformat())
        for row in table.to_pylist()
    ]


WINDOW = {"Start": {"Days": 30, "Coeff": -1}, "End": {"Days": 0, "Coeff": 1}}
CORRELATED = {
    "Criteria": {"DrugExposure": {"CodesetId": 3}},
    "StartWindow": WINDOW,
    "Occurrence": {"Type": 2, "Count": 1, "IsDistinct": False},
}

VALUES: dict[Kind, Any] = {
    Kind.INTEGER: {"Op": "gte", "Value": 1},
    Kind.DECIMAL: {"Op": "bt", "Value": 1.5, "Extent": 2},
    Kind.DAY: {"Op": "lt", "Value": "2020-01-31"},
    Kind.TEXT: {"Op": "!contains", "Text": "it's"},
    Kind.CONCEPTS: [{"CONCEPT_ID": 1, "CONCEPT_NAME": "x"}],
    Kind.SELECTION: {"CodesetId": 2, "IsExclusion": True},
    Kind.CONCEPT_SET: 2,
    Kind.FLAG: True,
}


def with_everything(domain: Domain) -> dict[str, Any]:
    """A criterion with all attributes that its domain has."""
    table = DOMAINS[domain]
    attributes: dict[str, Any] = {name: VALUES[each.kind] for name, each in table.attributes.items()}
    attributes |= {each.exclude: True for each in table.attributes.values() if each.exclude}
    if table.concept:
        attributes["CodesetId"] = 1
    if table.source_concept:
        attributes[source_attribute(domain)] = 2
    if table.first:
        attributes["First"] = True
    if table.adjustable:
        attributes["DateAdjustment"] = {
            "StartWith": "START_DATE",
            "StartOffset": -1,
            "EndWith": "START_DATE",
            "EndOffset": 1,
        }
    if table.period:
        attributes["UserDefinedPeriod"] = {"StartDate": "2020-01-01", "EndDate": "2020-12-31"}
    if table.care_site:
        attributes["PlaceOfServiceLocation"] = 3
    attributes["CorrelatedCriteria"] = {"Type": "ANY", "CriteriaList": [CORRELATED]}
    return attributes


def definition_with_everything(domain: Domain) -> str:
    """A definition that uses all attributes of a domain, and counts all its columns around any condition 7."""
    counted = [
        {
            **CORRELATED,
            "Criteria": {domain.value: {}},
            "Occurrence": {"Type": 2, "Count": 1, "IsDistinct": True, "CountColumn": column.name},
        }
        for column in CountColumn
        if column in DOMAINS[domain].counted
    ]
    document = definition("DrugExposure", 7, InclusionRules=[{"expression": {"Type": "ANY", "CriteriaList": counted}}])
    document["PrimaryCriteria"]["CriteriaList"] = [
        {domain.value: with_everything(domain)},
        {"ConditionOccurrence": {"CodesetId": 7}},
    ]
    return json.dumps(document)
