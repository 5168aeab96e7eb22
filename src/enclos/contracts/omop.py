"""OMOP CDM 5.4 tables, from the official field list.

Source: OHDSI CommonDataModel, OMOP_CDMv5.4_Field_Level.csv (Apache-2.0), reduced to names, types and keys.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib import resources

from enclos.contracts.columns import Column, TableContract

_SQL_TYPES = {"integer": "BIGINT", "date": "DATE", "datetime": "TIMESTAMP", "float": "DOUBLE"}

VOCABULARY_TABLES: tuple[str, ...] = (
    "concept",
    "vocabulary",
    "domain",
    "concept_class",
    "concept_relationship",
    "relationship",
    "concept_synonym",
    "concept_ancestor",
    "source_to_concept_map",
    "drug_strength",
)
"""Readable by every permit; they hold no person."""

SHARED_TABLES: tuple[str, ...] = ("location", "care_site", "provider", "cdm_source", "metadata")
"""Neither vocabulary nor per person; their ids are small integers."""

PERSON_TABLES: tuple[str, ...] = (
    "person",
    "observation_period",
    "visit_occurrence",
    "visit_detail",
    "condition_occurrence",
    "drug_exposure",
    "procedure_occurrence",
    "device_exposure",
    "measurement",
    "observation",
    "death",
    "drug_era",
    "condition_era",
    "dose_era",
    "specimen",
    "payer_plan_period",
    "episode",
)
"""Rows belong to one person; stored with a leading ``bucket`` column."""

LINKED_TABLES: tuple[str, ...] = ("cost", "fact_relationship", "episode_event")
"""Rows belong to a person by what they point to, and carry no person's number; stored with a leading ``bucket``."""

START_DATES: dict[str, str] = {
    "observation_period": "observation_period_start_date",
    "visit_occurrence": "visit_start_date",
    "visit_detail": "visit_detail_start_date",
    "condition_occurrence": "condition_start_date",
    "drug_exposure": "drug_exposure_start_date",
    "procedure_occurrence": "procedure_date",
    "device_exposure": "device_exposure_start_date",
    "measurement": "measurement_date",
    "observation": "observation_date",
    "death": "death_date",
    "drug_era": "drug_era_start_date",
    "condition_era": "condition_era_start_date",
    "dose_era": "dose_era_start_date",
    "specimen": "specimen_date",
    "payer_plan_period": "payer_plan_period_start_date",
    "episode": "episode_start_date",
}
"""The date that places a row in time."""

END_DATES: dict[str, str] = {
    "observation_period": "observation_period_end_date",
    "visit_occurrence": "visit_end_date",
    "visit_detail": "visit_detail_end_date",
    "condition_occurrence": "condition_end_date",
    "drug_exposure": "drug_exposure_end_date",
    "procedure_occurrence": "procedure_end_date",
    "device_exposure": "device_exposure_end_date",
    "drug_era": "drug_era_end_date",
    "condition_era": "condition_era_end_date",
    "dose_era": "dose_era_end_date",
    "payer_plan_period": "payer_plan_period_end_date",
    "episode": "episode_end_date",
}
"""The inclusive last day of a row that lasts."""

DOMAIN_TABLES: dict[str, tuple[int, str]] = {
    "Visit": (8, "visit_occurrence"),
    "Procedure": (10, "procedure_occurrence"),
    "Drug": (13, "drug_exposure"),
    "Device": (17, "device_exposure"),
    "Condition": (19, "condition_occurrence"),
    "Measurement": (21, "measurement"),
    "Observation": (27, "observation"),
    "Specimen": (36, "specimen"),
}
"""By domain its concept and the table that a row of it is in: what COST and FACT_RELATIONSHIP name rows by."""

CHILD_OF_SUBJECT = 40485452
"""The relationship of a mother to her child: such a row is the child's, who is its second person."""

OMOP_53_NAMES: dict[str, dict[str, str]] = {
    "visit_occurrence": {
        "admitting_source_concept_id": "admitted_from_concept_id",
        "admitting_source_value": "admitted_from_source_value",
        "discharge_to_concept_id": "discharged_to_concept_id",
        "discharge_to_source_value": "discharged_to_source_value",
    },
    "visit_detail": {
        "admitting_source_concept_id": "admitted_from_concept_id",
        "admitting_source_value": "admitted_from_source_value",
        "discharge_to_concept_id": "discharged_to_concept_id",
        "discharge_to_source_value": "discharged_to_source_value",
        "visit_detail_parent_id": "parent_visit_detail_id",
    },
}
"""Columns that CDM 5.3 spells differently, with their 5.4 name. Source: OHDSI CommonDataModel, changes 5.3 to 5.4."""


def table_of_domain_sql(domain: str) -> str:
    """The table that the name of a domain stands for, as SQL; NULL for any other."""
    whens = " ".join(f"WHEN '{name}' THEN '{table}'" for name, (_, table) in DOMAIN_TABLES.items())
    return f"CASE {domain} {whens} END"


def table_of_domain_concept_sql(concept: str) -> str:
    """The table that the concept of a domain stands for, as SQL; NULL for any other."""
    whens = " ".join(f"WHEN {number} THEN '{table}'" for number, table in DOMAIN_TABLES.values())
    return f"CASE {concept} {whens} END"


def _sql_type(datatype: str) -> str:
    return "VARCHAR" if datatype.startswith("varchar") else _SQL_TYPES[datatype]


@cache
def omop_tables() -> dict[str, TableContract]:
    """Every table of CDM 5.4 by name, columns in the official order."""
    text = resources.files("enclos.contracts").joinpath("omop_fields.csv").read_text(encoding="utf-8")
    columns: dict[str, list[Column]] = {}
    for row in csv.DictReader(text.splitlines()):
        column = Column(row["field"], _sql_type(row["type"]), row["required"] == "1")
        columns.setdefault(row["table"], []).append(column)
    return {name: TableContract(name, tuple(fields)) for name, fields in columns.items()}


@cache
def primary_keys() -> dict[str, str]:
    """The single-column primary key of each table that has one."""
    text = resources.files("enclos.contracts").joinpath("omop_fields.csv").read_text(encoding="utf-8")
    return {row["table"]: row["field"] for row in csv.DictReader(text.splitlines()) if row["primary_key"] == "1"}


@cache
def foreign_keys() -> dict[tuple[str, str], str]:
    """The table that a (table, field) points to, where the field is a foreign key."""
    text = resources.files("enclos.contracts").joinpath("omop_fields.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return {(row["table"], row["field"]): row["foreign_table"] for row in rows if row["foreign_table"]}
