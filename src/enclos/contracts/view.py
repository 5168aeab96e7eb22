"""What a permit lets a view show: written by permits, obeyed by views, quoted by release."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from types import MappingProxyType

from enclos.contracts.omop import PERSON_TABLES, omop_tables
from enclos.lexicon.spans import Span

PLACE_TABLES: tuple[str, ...] = ("location", "care_site", "provider")
"""Rows that persons share; a permit shows those that its rows lead to."""

RELATIONS = "fact_relationship"
"""Who is whose mother: a permit shows the relations of two persons who are both in it, and no other relations."""

GRANTABLE_TABLES: tuple[str, ...] = (*PERSON_TABLES, "cost", RELATIONS, *PLACE_TABLES)
"""What a permit may name. Vocabulary tables need no grant."""


PERSON_SOURCE_TABLE = "person_source"
"""A table that a snapshot may hold beside OMOP's: bucket, person_id, source; one row per person and source."""


DEPARTMENT = re.compile(r"0[1-9]|[1-8][0-9]|9[0-5]|2[AB]|97[1-8]|98[678]|99")
"""The code of a department. Source: INSEE, Code officiel géographique; 99 is abroad."""

MOST_CONTROLS = 20

CONCEPT_COLUMNS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "condition": ("condition_occurrence", "condition_concept_id"),
        "drug": ("drug_exposure", "drug_concept_id"),
        "procedure": ("procedure_occurrence", "procedure_concept_id"),
        "measurement": ("measurement", "measurement_concept_id"),
        "observation": ("observation", "observation_concept_id"),
        "device": ("device_exposure", "device_concept_id"),
        "visit": ("visit_occurrence", "visit_concept_id"),
    }
)
"""Where the records of a domain are, and the column of their concept."""


class Access(Enum):
    """What may be seen inside: rows, or only counts and estimates."""

    ROWS = "rows"
    AGGREGATES = "aggregates"


class PotentialIdentifier(Enum):
    """A detail that identifies when combined; shown only when the permit lists it.

    Source: the five identifiants potentiels of the SNDS (commune, birth month, care date, death date, death commune).
    """

    COMMUNE = "commune"
    BIRTH_MONTH = "birth_month"
    EXACT_DATES = "exact_dates"
    DEATH_DATE = "death_date"
    DEATH_COMMUNE = "death_commune"


@dataclass(frozen=True, slots=True)
class WholeBase:
    """Everybody in the snapshot."""


@dataclass(frozen=True, slots=True)
class FromSource:
    """The persons that a source delivered, with their rows from every source."""

    source: str


@dataclass(frozen=True, slots=True)
class RandomSample:
    """A stable random share of the persons.

    Units: percent — above 0, at most 100, four decimals; the same seed draws the same persons for ever.
    """

    percent: Decimal
    seed: int

    def __post_init__(self) -> None:
        if not 0 < self.percent <= 100 or self.percent != round(self.percent, 4):
            raise ValueError("a sample is above 0 % and at most 100 %, with at most four decimals")


@dataclass(frozen=True, slots=True)
class Residents:
    """The persons who live in one of these departments, by their code in the official geographic code of INSEE."""

    departments: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.departments or not all(DEPARTMENT.fullmatch(code) for code in self.departments):
            raise ValueError("residents live in at least one department, each by its code")


@dataclass(frozen=True, slots=True)
class WithConcept:
    """The persons with at least one record of a concept that begins in the permit's period."""

    domain: str
    concepts: tuple[int, ...]
    descendants: bool

    def __post_init__(self) -> None:
        if self.domain not in CONCEPT_COLUMNS or not self.concepts or min(self.concepts) < 1:
            raise ValueError("a record has a known domain and at least one concept")


@dataclass(frozen=True, slots=True)
class InCohort:
    """The persons whom a Circe definition puts into its cohort on some day of the permit's period."""

    definition: str
    """The definition's JSON, as its file had it."""


@dataclass(frozen=True, slots=True)
class WithControls:
    """Cases, and for each so many others of the same year of birth, sex and department, where there are as many.

    Who is drawn follows from the seed and the person alone; the same seed draws the same persons from the same base.
    """

    cases: FromSource | RandomSample | Residents | WithConcept | InCohort
    per_case: int
    seed: int

    def __post_init__(self) -> None:
        if not 1 <= self.per_case <= MOST_CONTROLS:
            raise ValueError("there are from one to twenty controls for a case")


Population = WholeBase | FromSource | RandomSample | Residents | WithConcept | InCohort | WithControls


@dataclass(frozen=True, slots=True)
class TableGrant:
    """One granted table: all its columns, or those named."""

    table: str
    columns: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.table not in GRANTABLE_TABLES:
            raise ValueError("a permit grants OMOP tables that a view can show")
        unknown = set(self.columns or ()) - set(omop_tables()[self.table].names)
        if unknown or self.columns == ():
            raise ValueError("a permit grants columns of the OMOP table, at least one")

    def shows(self, column: str) -> bool:
        """Whether the column is granted."""
        return self.columns is None or column in self.columns


@dataclass(frozen=True, slots=True)
class ViewTerms:
    """The persons, tables, columns and days of one permit.

    Units: period is half-open, in days.
    """

    permit_id: str
    grants: tuple[TableGrant, ...]
    population: Population
    period: Span
    identifiers: frozenset[PotentialIdentifier] = frozenset()
    access: Access = Access.AGGREGATES
    _by_table: Mapping[str, TableGrant] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_table = {grant.table: grant for grant in self.grants}
        if not by_table or len(by_table) != len(self.grants):
            raise ValueError("a permit grants at least one table, each once")
        if self.period.n_days == 0:
            raise ValueError("a permit's period has at least one day")
        object.__setattr__(self, "_by_table", MappingProxyType(by_table))

    def grant(self, table: str) -> TableGrant | None:
        """The grant of the table, or None: then it does not exist for this permit."""
        return self._by_table.get(table)

    @property
    def tables(self) -> tuple[str, ...]:
        """The granted tables, in the order of the OMOP contract."""
        return tuple(table for table in GRANTABLE_TABLES if table in self._by_table)


def all_tables() -> tuple[TableGrant, ...]:
    """Every grantable table with all its columns."""
    return tuple(TableGrant(table) for table in GRANTABLE_TABLES)
