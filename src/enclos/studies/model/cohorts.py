"""Cohorts: persons from an entry to an end, by concepts, by a Circe definition, or made of other cohorts."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from enclos.contracts.durations import DURATION_RULE_IDS
from enclos.studies.circe.model import Definition

MAX_DAYS = 99_999
MAX_CONCEPT_ID = 2**31 - 1
"""OMOP concept ids are 32-bit integers."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


def is_cohort_name(name: str) -> bool:
    """Whether a cohort can have that name: snake case, as the result's readers expect."""
    return _NAME.fullmatch(name) is not None


class Domain(Enum):
    """The OMOP table that a concept set is looked up in."""

    CONDITION = "condition"
    DRUG = "drug"
    PROCEDURE = "procedure"
    MEASUREMENT = "measurement"
    OBSERVATION = "observation"
    VISIT = "visit"


class Limit(Enum):
    """Which of a person's records enter the cohort."""

    FIRST = "first"
    ALL = "all"


class OpenEnd(Enum):
    """A cohort end that the data give."""

    EVENT_END = "event_end"
    """The record's own last day. Without one a condition or a visit ends the day after, and an exposure is none."""
    OBSERVATION_END = "observation_end"
    """The last day of the observation period that the record starts in."""


@dataclass(frozen=True, slots=True)
class AfterDays:
    """A cohort end a fixed number of days after the start."""

    n_days: int

    def __post_init__(self) -> None:
        if not 0 <= self.n_days <= MAX_DAYS:
            raise ValueError("days after the start are between 0 and 99 999")


CohortEnd: TypeAlias = OpenEnd | AfterDays


@dataclass(frozen=True, slots=True)
class ConceptCohort:
    """Persons with a record of a concept set, from its first day to a defined end, within observation."""

    name: str
    concepts: tuple[int, ...]
    descendants: bool
    domain: Domain
    limit: Limit
    end: CohortEnd
    duration: str | None = None
    """The rule by which dispensings last; None: the one that the snapshot was built with."""
    gap_era_days: int = 0
    """Stretches with at most so many days from the end of one to the start of the next are one era."""

    def __post_init__(self) -> None:
        if not is_cohort_name(self.name):
            raise ValueError("a cohort's name is snake case")
        if not self.concepts or len(set(self.concepts)) != len(self.concepts):
            raise ValueError("a cohort has at least one concept, each once")
        if not all(0 < concept <= MAX_CONCEPT_ID for concept in self.concepts):
            raise ValueError("a concept id is a positive 32-bit integer")
        if self.duration is not None and (self.domain is not Domain.DRUG or self.duration not in DURATION_RULE_IDS):
            raise ValueError("a known duration rule belongs to a drug cohort")
        if not 0 <= self.gap_era_days <= MAX_DAYS or (self.gap_era_days and self.domain is not Domain.DRUG):
            raise ValueError("a gap of 0 to 99 999 days belongs to a drug cohort")


@dataclass(frozen=True, slots=True)
class CirceCohort:
    """Persons with the events that a Circe definition describes."""

    name: str
    definition: Definition
    digest: str
    """SHA-256 of the definition's text."""

    def __post_init__(self) -> None:
        if not is_cohort_name(self.name):
            raise ValueError("a cohort's name is snake case")


class Operation(ABC):
    """How a cohort is made of others; ``derived`` has the kinds."""

    __slots__ = ()

    @property
    @abstractmethod
    def sources(self) -> tuple[str, ...]:
        """The cohorts that it is made of, each once."""

    @property
    def is_drawn(self) -> bool:
        """Whether who is in depends on the persons of all buckets."""
        return False


@dataclass(frozen=True, slots=True)
class DerivedCohort:
    """A cohort made of other cohorts of the study."""

    name: str
    operation: Operation

    def __post_init__(self) -> None:
        if not is_cohort_name(self.name):
            raise ValueError("a cohort's name is snake case")


Cohort: TypeAlias = ConceptCohort | CirceCohort | DerivedCohort


def sources_of(cohort: Cohort) -> tuple[str, ...]:
    """The cohorts that a cohort is made of: none unless it is derived."""
    return cohort.operation.sources if isinstance(cohort, DerivedCohort) else ()


def circular(sources: Mapping[str, Iterable[str]]) -> list[str]:
    """The cohorts that are made of themselves, be it through others, or of such a cohort; other names are passed over.

    In: sources — the cohorts that each cohort is made of
    """
    left = {name: {each for each in of if each in sources} for name, of in sources.items()}
    while ready := {name for name, of in left.items() if not of & left.keys()}:
        left = {name: of for name, of in left.items() if name not in ready}
    return list(left)
