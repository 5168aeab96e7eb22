"""The nouns of Circe's criterion types: domains, their attributes, and what these test.

Source: OHDSI circe-be, org.ohdsi.circe.cohortdefinition.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

_OF_RECORD = re.compile(r"\bd\.(\w+)")


class Domain(Enum):
    """Circe's criterion types, in the order that decides between records of one day and one number."""

    CONDITION_ERA = "ConditionEra"
    CONDITION_OCCURRENCE = "ConditionOccurrence"
    DEATH = "Death"
    DEVICE_EXPOSURE = "DeviceExposure"
    DOSE_ERA = "DoseEra"
    DRUG_ERA = "DrugEra"
    DRUG_EXPOSURE = "DrugExposure"
    EPISODE = "Episode"
    LOCATION_REGION = "LocationRegion"
    MEASUREMENT = "Measurement"
    OBSERVATION = "Observation"
    OBSERVATION_PERIOD = "ObservationPeriod"
    PAYER_PLAN_PERIOD = "PayerPlanPeriod"
    PROCEDURE_OCCURRENCE = "ProcedureOccurrence"
    SPECIMEN = "Specimen"
    VISIT_DETAIL = "VisitDetail"
    VISIT_OCCURRENCE = "VisitOccurrence"


class CountColumn(Enum):
    """What different values of are counted."""

    DAYS_SUPPLY = "days_supply"
    DOMAIN_CONCEPT = "domain_concept_id"
    DURATION = "duration"
    END_DATE = "end_date"
    ERA_OCCURRENCES = "occurrence_count"
    GAP_DAYS = "gap_days"
    QUANTITY = "quantity"
    RANGE_HIGH = "range_high"
    RANGE_LOW = "range_low"
    REFILLS = "refills"
    START_DATE = "start_date"
    UNIT = "unit_concept_id"
    VALUE_AS_NUMBER = "value_as_number"
    VISIT_ID = "visit_occurrence_id"
    VISIT_DETAIL_ID = "visit_detail_id"


class Kind(Enum):
    """How an attribute is written in a definition."""

    INTEGER = "a range of whole numbers"
    DECIMAL = "a range of numbers"
    DAY = "a range of days"
    TEXT = "a text filter"
    CONCEPTS = "a list of concepts"
    SELECTION = "a concept set, included or excluded"
    CONCEPT_SET = "the id of a concept set"
    FLAG = "true or false"


class Joined(Enum):
    """The table beside the record that a property is in."""

    NONE = ""
    PERSON = "person"
    PROVIDER = "provider"
    VISIT = "visit"
    CARE_SITE = "care_site"


@dataclass(frozen=True, slots=True)
class Target:
    """A property of a record: SQL over the record ``c`` and the table joined to it.

    Aliases: c record, p person, pr provider, v visit, cs care site.
    """

    sql: str
    columns: tuple[str, ...] = ()
    """The columns of the record's own table that it reads."""
    joined: Joined = Joined.NONE
    beside: tuple[str, ...] = ()
    """The columns of the joined table that it reads."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of a criterion."""

    kind: Kind
    target: Target
    exclude: str = ""
    """The attribute that turns the test round."""


@dataclass(frozen=True, slots=True)
class DomainTable:
    """How a domain's records become events; days are SQL over the record ``d``."""

    table: str
    event_id: str
    start: str
    end: str
    concept: str | None = None
    source_concept: str | None = None
    visit: bool = False
    first: bool = True
    adjustable: bool = True
    period: bool = False
    """Whether a definition can give days of its own."""
    care_site: bool = False
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    counted: Mapping[CountColumn, Target] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that make an event, beside person_id."""
        read = dict.fromkeys((self.event_id, *_OF_RECORD.findall(f"{self.start} {self.end}")))
        return tuple(name for name in read if name != "person_id")
