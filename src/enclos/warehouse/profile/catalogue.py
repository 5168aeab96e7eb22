"""The analyses and the tables they are asked of."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

from enclos.contracts.omop import OMOP_53_NAMES
from enclos.warehouse.profile.model import Analysis


@cache
def analyses() -> dict[int, Analysis]:
    """Every analysis by id, in the order of the ids."""
    text = resources.files("enclos.warehouse.profile").joinpath("data/analyses.csv").read_text(encoding="utf-8")
    return {
        int(row["analysis_id"]): Analysis(
            int(row["analysis_id"]),
            row["kind"] == "distribution",
            row["category"],
            row["name"],
            tuple(name for name in row["strata"].split(";") if name),
        )
        for row in csv.DictReader(text.splitlines())
    }


@dataclass(frozen=True, slots=True)
class Grouping:
    """Records by some columns: one analysis.

    In: offset — from the domain's base; as_value — the last column is a number whose spread is asked; inside — only
        records inside observation; known — only records whose column is filled and not 0.
    """

    offset: int
    columns: tuple[str, ...]
    as_value: bool = False
    inside: bool = True
    known: bool = False


@dataclass(frozen=True, slots=True)
class Domain:
    """A table of events, and what is asked of it beyond the questions that all have.

    In: base — the analysis ids begin there; faults — offset by what is wrong with a record.
    """

    base: int
    table: str
    concept: str
    start: str
    end: str = ""
    groupings: tuple[Grouping, ...] = ()
    faults: dict[str, int] = field(default_factory=dict)
    mark: int | None = None
    """The domain's bit in the sets of tables that a person is in (analysis 2004)."""

    def asks(self, offset: int) -> bool:
        """Whether the list has this analysis for the domain."""
        return self.base + offset in analyses()


def _typed(stem: str) -> tuple[Grouping, ...]:
    return (
        Grouping(5, (f"{stem}_concept_id", f"{stem}_type_concept_id")),
        Grouping(25, (f"{stem}_source_concept_id",)),
    )


def _valued(stem: str, qualifier: str) -> tuple[Grouping, ...]:
    concept = f"{stem}_concept_id"
    return (
        Grouping(7, (concept, "unit_concept_id")),
        Grouping(15, (concept, "unit_concept_id", "value_as_number"), as_value=True),
        Grouping(22, (concept, "value_as_concept_id")),
        Grouping(23, (concept, qualifier)),
        Grouping(26, ("value_as_concept_id",)),
        Grouping(27, ("unit_concept_id",)),
    )


_CLINICAL = {"stranger": 9, "outside": 10, "provider": 12, "visit": 13}
_STAY = {"stranger": 7, "care_site": 9, "outside": 10, "backwards": 11}
_ERA = {"stranger": 8, "outside": 10, "backwards": 11}

DOMAINS: tuple[Domain, ...] = (
    Domain(
        200,
        "visit_occurrence",
        "visit_concept_id",
        "visit_start_date",
        "visit_end_date",
        (Grouping(25, ("visit_source_concept_id",)), Grouping(1003, ("discharged_to_concept_id",), known=True)),
        _STAY,
    ),
    Domain(
        1300,
        "visit_detail",
        "visit_detail_concept_id",
        "visit_detail_start_date",
        "visit_detail_end_date",
        (Grouping(25, ("visit_detail_source_concept_id",)),),
        _STAY,
    ),
    Domain(
        400,
        "condition_occurrence",
        "condition_concept_id",
        "condition_start_date",
        "condition_end_date",
        (
            *_typed("condition"),
            Grouping(14, ("condition_status_concept_id",)),
            Grouping(15, ("condition_type_concept_id",)),
            Grouping(16, ("condition_status_concept_id", "condition_type_concept_id")),
        ),
        _CLINICAL | {"backwards": 11},
        6,
    ),
    Domain(
        600,
        "procedure_occurrence",
        "procedure_concept_id",
        "procedure_date",
        groupings=_typed("procedure"),
        faults=_CLINICAL,
        mark=1,
    ),
    Domain(
        700,
        "drug_exposure",
        "drug_concept_id",
        "drug_exposure_start_date",
        "drug_exposure_end_date",
        (
            *_typed("drug"),
            Grouping(15, ("drug_concept_id", "days_supply"), as_value=True),
            Grouping(16, ("drug_concept_id", "refills"), as_value=True),
            Grouping(17, ("drug_concept_id", "quantity"), as_value=True),
        ),
        _CLINICAL | {"backwards": 11},
        5,
    ),
    Domain(
        800,
        "observation",
        "observation_concept_id",
        "observation_date",
        groupings=(*_typed("observation"), *_valued("observation", "qualifier_concept_id")),
        faults=_CLINICAL,
        mark=0,
    ),
    Domain(
        1800,
        "measurement",
        "measurement_concept_id",
        "measurement_date",
        groupings=(
            *_typed("measurement"),
            *_valued("measurement", "operator_concept_id"),
            Grouping(16, ("measurement_concept_id", "unit_concept_id", "_range_low"), as_value=True),
            Grouping(17, ("measurement_concept_id", "unit_concept_id", "_range_high"), as_value=True),
            Grouping(18, ("measurement_concept_id", "unit_concept_id", "_place")),
            Grouping(33, ("measurement_concept_id", "_has_value")),
        ),
        faults=_CLINICAL,
        mark=3,
    ),
    Domain(900, "drug_era", "drug_concept_id", "drug_era_start_date", "drug_era_end_date", faults=_ERA),
    Domain(
        1000, "condition_era", "condition_concept_id", "condition_era_start_date", "condition_era_end_date", faults=_ERA
    ),
    Domain(
        2100,
        "device_exposure",
        "device_concept_id",
        "device_exposure_start_date",
        "device_exposure_end_date",
        _typed("device"),
        {"outside": 10},
        4,
    ),
    Domain(
        500,
        "death",
        "cause_concept_id",
        "death_date",
        groupings=(Grouping(5, ("death_type_concept_id",)), Grouping(25, ("cause_source_concept_id",), inside=False)),
        faults={"stranger": 9, "outside": 10},
        mark=2,
    ),
)

OLDER_NAMES = {(table, new): old for table, names in OMOP_53_NAMES.items() for old, new in names.items()}
"""What CDM 5.3 calls a column of CDM 5.4."""

UNMAPPED: tuple[tuple[str, str, str], ...] = (
    ("measurement", "measurement_source_value", "measurement_concept_id"),
    ("measurement", "unit_source_value", "unit_concept_id"),
    ("procedure_occurrence", "procedure_source_value", "procedure_concept_id"),
    ("procedure_occurrence", "modifier_source_value", "modifier_concept_id"),
    ("drug_exposure", "drug_source_value", "drug_concept_id"),
    ("drug_exposure", "route_source_value", "route_concept_id"),
    ("condition_occurrence", "condition_source_value", "condition_concept_id"),
    ("condition_occurrence", "condition_status_source_value", "condition_status_concept_id"),
    ("observation", "observation_source_value", "observation_concept_id"),
    ("observation", "unit_source_value", "unit_concept_id"),
    ("observation", "qualifier_source_value", "qualifier_concept_id"),
    ("payer_plan_period", "payer_source_value", "payer_concept_id"),
    ("payer_plan_period", "plan_source_value", "plan_concept_id"),
    ("payer_plan_period", "sponsor_source_value", "sponsor_concept_id"),
    ("payer_plan_period", "stop_reason_source_value", "stop_reason_concept_id"),
    ("provider", "specialty_source_value", "specialty_concept_id"),
    ("provider", "gender_source_value", "gender_concept_id"),
    ("person", "gender_source_value", "gender_concept_id"),
    ("person", "race_source_value", "race_concept_id"),
    ("person", "ethnicity_source_value", "ethnicity_concept_id"),
    ("specimen", "specimen_source_value", "specimen_concept_id"),
    ("specimen", "unit_source_value", "unit_concept_id"),
    ("specimen", "anatomic_site_source_value", "anatomic_site_concept_id"),
    ("specimen", "disease_status_source_value", "disease_status_concept_id"),
    ("visit_occurrence", "visit_source_value", "visit_concept_id"),
    ("visit_occurrence", "admitted_from_source_value", "admitted_from_concept_id"),
    ("visit_occurrence", "discharged_to_source_value", "discharged_to_concept_id"),
    ("device_exposure", "device_source_value", "device_concept_id"),
    ("death", "cause_source_value", "cause_concept_id"),
)
"""Where a source value is without a standard concept: table, source value, concept (analysis 1900)."""

TABLES: tuple[str, ...] = (
    "person",
    "observation_period",
    "payer_plan_period",
    *(domain.table for domain in DOMAINS),
    "provider",
    "care_site",
    "location",
    "specimen",
    "note",
    "cdm_source",
)
