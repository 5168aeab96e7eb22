"""Cohort definitions of Circe as frozen nouns; two that mean the same rows are equal, so that studies can share them.

Concept sets are compared by content, not by the number that a definition gives them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import NamedTuple, TypeAlias

from enclos.studies.circe.domains import CountColumn, Domain, Target


class ConceptSetItem(NamedTuple):
    """One concept of a set, and what it brings along; a tuple, since definitions have hundreds."""

    concept_id: int
    descendants: bool = False
    mapped: bool = False
    """Whether source concepts that map to it count too."""
    excluded: bool = False


@dataclass(frozen=True, slots=True)
class ConceptSet:
    """Concepts by expression."""

    key: str
    """Equal for sets of equal content."""
    items: tuple[ConceptSetItem, ...] = field(compare=False, repr=False)


class Comparison(Enum):
    """How a value is held against another one; between has two, both included."""

    LESS = "<"
    AT_MOST = "<="
    EQUAL = "="
    NOT_EQUAL = "<>"
    MORE = ">"
    AT_LEAST = ">="
    BETWEEN = "between"
    NOT_BETWEEN = "not between"


@dataclass(frozen=True, slots=True)
class NumberTest:
    """A number within a range; values are decimal texts, rounded as Circe rounds them."""

    comparison: Comparison
    value: str
    extent: str | None = None


@dataclass(frozen=True, slots=True)
class DayTest:
    """A day within a range."""

    comparison: Comparison
    value: date
    extent: date | None = None


@dataclass(frozen=True, slots=True)
class TextTest:
    """A text like a pattern; % and _ in the definition's text are wildcards, as in Circe."""

    pattern: str
    negated: bool


@dataclass(frozen=True, slots=True)
class ConceptsTest:
    """A concept that is one of a list."""

    concepts: tuple[int, ...]
    negated: bool


@dataclass(frozen=True, slots=True)
class ConceptSetTest:
    """A concept that is in a concept set."""

    concept_set: ConceptSet
    negated: bool


@dataclass(frozen=True, slots=True)
class AbnormalTest:
    """A measured value outside its range, or judged so."""


Test: TypeAlias = NumberTest | DayTest | TextTest | ConceptsTest | ConceptSetTest | AbnormalTest


@dataclass(frozen=True, slots=True)
class Filter:
    """A test of one property of a record."""

    target: Target
    test: Test


@dataclass(frozen=True, slots=True)
class DateAdjustment:
    """Days of an event counted from the record's start or end."""

    start_with_end: bool
    start_days: int
    end_with_end: bool
    end_days: int


@dataclass(frozen=True, slots=True)
class Criterion:
    """The records of one domain that count, and how they become events."""

    domain: Domain
    concept_set: ConceptSet | None = None
    source_set: ConceptSet | None = None
    first: bool = False
    """Only a person's first record of the concept sets; decided before any filter, as in Circe."""
    filters: tuple[Filter, ...] = ()
    adjustment: DateAdjustment | None = None
    period_start: date | None = None
    """A day that replaces the start, and that the period has to hold."""
    period_end: date | None = None
    location_set: ConceptSet | None = None
    """Regions of the care site."""
    correlated: Group | None = None


@dataclass(frozen=True, slots=True)
class Bound:
    """One end of a window: days after (or before, when negative) the index; None is without end."""

    days: int | None
    before: bool
    """For a bound without end: whether it lies before the index."""


@dataclass(frozen=True, slots=True)
class Window:
    """Days between two bounds, both included."""

    start: Bound
    end: Bound
    use_index_end: bool
    use_event_end: bool


class Count(Enum):
    """How a number of occurrences is held against the wanted one."""

    EXACTLY = "="
    AT_MOST = "<="
    AT_LEAST = ">="


@dataclass(frozen=True, slots=True)
class Correlated:
    """So many occurrences of a criterion in windows around an index event."""

    criterion: Criterion
    windows: tuple[Window, ...]
    restrict_visit: bool
    within_observation: bool
    """Whether occurrences have to lie in the index event's observation period."""
    count: Count
    n: int
    distinct: CountColumn | None
    """Count different values of it, not occurrences."""


@dataclass(frozen=True, slots=True)
class Demographic:
    """Tests of the person at the index event; its targets are columns of the person and days of the event."""

    filters: tuple[Filter, ...]


class GroupKind(Enum):
    """How many members of a group have to hold."""

    ALL = "ALL"
    ANY = "ANY"
    AT_LEAST = "AT_LEAST"
    AT_MOST = "AT_MOST"


@dataclass(frozen=True, slots=True)
class Group:
    """Conditions on an index event, of which so many have to hold; without any it always holds."""

    kind: GroupKind
    n: int
    members: tuple[Correlated | Demographic | Group, ...]


class Limit(Enum):
    """Which of a person's events stay."""

    ALL = "ALL"
    FIRST = "FIRST"
    LAST = "LAST"


@dataclass(frozen=True, slots=True)
class InclusionRule:
    """A named condition that every event of the cohort fulfils."""

    name: str
    group: Group


@dataclass(frozen=True, slots=True)
class DateOffset:
    """The cohort ends so many days after the event's start or end."""

    from_end: bool
    days: int


@dataclass(frozen=True, slots=True)
class DrugEraEnd:
    """The cohort ends with the era of exposure that the event lies in."""

    concept_set: ConceptSet
    gap_days: int
    offset_days: int
    days_supply: int | None
    """Days of every exposure, when not those recorded."""


@dataclass(frozen=True, slots=True)
class Definition:
    """A cohort: entry events, the rules that they fulfil, and the exit."""

    criteria: tuple[Criterion, ...]
    prior_days: int
    post_days: int
    primary_limit: Limit
    additional: Group | None
    qualified_limit: Limit
    """Applied only when the definition has additional criteria; ALL otherwise."""
    rules: tuple[InclusionRule, ...]
    expression_limit: Limit
    end: DateOffset | DrugEraEnd | None
    """None: the end of the observation period."""
    censoring: tuple[Criterion, ...]
    censor_from: date | None
    censor_until: date | None
    era_pad_days: int
    beyond: tuple[tuple[str, tuple[str, ...]], ...] = field(default=(), compare=False, repr=False)
    """Paths of the text that read what OMOP CDM 5.4 does not have, each with the tables and columns missing."""
