"""The nouns of quality: a check, what was counted for it, what that means, a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum, IntEnum
from typing import NamedTuple


class CheckName(Enum):
    """The check types, under the names that DataQualityDashboard gives them.

    Source: OHDSI DataQualityDashboard; Kahn et al. 2016 (doi 10.13063/2327-9214.1244) for the categories.
    """

    TABLE_EXISTS = "cdmTable"
    PERSONS_HAVE_ROWS = "measurePersonCompleteness"
    ERAS_BUILT = "measureConditionEraCompleteness"
    PERIODS_APART = "measureObservationPeriodOverlap"
    FIELD_EXISTS = "cdmField"
    REQUIRED = "isRequired"
    WHOLE_NUMBER = "cdmDatatype"
    UNIQUE = "isPrimaryKey"
    REFERENCE = "isForeignKey"
    DOMAIN = "fkDomain"
    CONCEPT_CLASS = "fkClass"
    STANDARD = "isStandardValidConcept"
    FILLED = "measureValueCompleteness"
    STANDARD_MAPPED = "standardConceptRecordCompleteness"
    SOURCE_MAPPED = "sourceConceptRecordCompleteness"
    VALUES_MAPPED = "sourceValueCompleteness"
    LOW = "plausibleValueLow"
    HIGH = "plausibleValueHigh"
    AFTER = "plausibleTemporalAfter"
    DURING_LIFE = "plausibleDuringLife"
    WITHIN_VISIT = "withinVisitDates"
    AFTER_BIRTH = "plausibleAfterBirth"
    BEFORE_DEATH = "plausibleBeforeDeath"
    START_BEFORE_END = "plausibleStartBeforeEnd"
    SEX = "plausibleGender"
    SEX_OF_DESCENDANTS = "plausibleGenderUseDescendants"
    UNIT = "plausibleUnitConceptIds"


DQD_VERSION = "2.8"
"""The DataQualityDashboard whose checks the lists follow."""


class Status(IntEnum):
    """What a check says. Higher is worse."""

    PASSED = 0
    NOT_APPLICABLE = 1
    FAILED = 2

    @property
    def word(self) -> str:
        """The word that pages and JSON use."""
        return self.name.lower().replace("_", " ")


@dataclass(frozen=True, slots=True)
class CheckType:
    """One kind of check, with its place in the Kahn framework."""

    name: CheckName
    level: str
    context: str
    category: str
    subcategory: str
    severity: str
    sql_file: str
    says: str
    says_fr: str = ""


class CheckKey(NamedTuple):
    """What tells one check from another."""

    name: CheckName
    table: str
    field: str = ""
    concepts: str = ""

    @property
    def id(self) -> str:
        """The check's id in results, as the peer builds it."""
        level = "concept" if self.concepts else "field" if self.field else "table"
        parts = (level, self.name.value, self.table, self.field, self.concepts.replace(" ", ""))
        return "_".join(part for part in parts if part).lower()


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a list: what is asked of which table, field or concept, and how much may deviate.

    Units: threshold_percent, of the denominator; none or 0 means that a single row fails.
    """

    key: CheckKey
    type: CheckType
    threshold_percent: float | None
    description: str
    description_fr: str = ""

    def said(self, language: str) -> str:
        """What is expected, in English or in French ("fr")."""
        return self.description_fr if language == "fr" and self.description_fr else self.description


@dataclass(frozen=True, slots=True)
class Tally:
    """What was counted for a check."""

    n_violated: int
    n_denominator: int

    def __post_init__(self) -> None:
        if self.n_violated < 0 or self.n_denominator < 0:
            raise ValueError("a tally counts rows")

    @property
    def share_violated(self) -> float:
        """Violated rows over the denominator; 0 where nothing could be violated."""
        return self.n_violated / self.n_denominator if self.n_denominator else 0.0


@dataclass(frozen=True, slots=True)
class CheckResult:
    """A check with its counts and its meaning."""

    check: Check
    tally: Tally
    status: Status
    reason: str = ""


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """What the list asks of one field."""

    table: str
    name: str
    kind: str
    whole_number: bool
    required: bool
    primary_key: bool
    foreign_table: str
    foreign_field: str
    domain: str
    concept_class: str
    standard: bool
    filled_threshold: float | None
    standard_mapped_threshold: float | None
    source_mapped_threshold: float | None
    values_mapped_threshold: float | None
    values_mapped_by: str
    low: str
    high: str
    after: str
    after_threshold: float | None
    during_life: bool
    before_end: str
    before_end_threshold: float | None
    after_birth: bool
    before_death: bool
    within_visit_threshold: float | None

    @property
    def is_concept(self) -> bool:
        """Whether the field points to the vocabulary's concepts."""
        return self.foreign_table == "concept"


@dataclass(frozen=True, slots=True)
class TableSpec:
    """What the list asks of one table."""

    name: str
    persons_threshold: float | None
    eras_threshold: float | None
    overlap_threshold: float | None
    fields: tuple[FieldSpec, ...]

    def field(self, name: str) -> FieldSpec | None:
        """The field of that name, when the list has it."""
        return next((field for field in self.fields if field.name == name), None)


@dataclass(frozen=True, slots=True)
class ConceptSpec:
    """What the list asks of one concept, or of the descendants of some."""

    name: CheckName
    table: str
    field: str
    concept_ids: tuple[int, ...]
    gender_concept_id: int | None
    unit_concept_ids: frozenset[int]
    threshold: float

    @property
    def key(self) -> CheckKey:
        """The key of its check."""
        return CheckKey(self.name, self.table, self.field, " ".join(str(concept) for concept in self.concept_ids))


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The checks of one CDM version."""

    cdm_version: str
    tables: tuple[TableSpec, ...]
    concepts: tuple[ConceptSpec, ...]
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class TableShape:
    """A table as it is: where to read it, its columns with their SQL types, and how many rows it holds."""

    relation: str
    columns: Mapping[str, str]

    def has(self, *fields: str) -> bool:
        """Whether all these columns exist."""
        return all(field in self.columns for field in fields)


@dataclass(frozen=True, slots=True)
class Marginal:
    """A published figure of the French population, and what it is here.

    Units: as ``unit`` says. Empty: ``measured`` is None when nothing could be measured.
    """

    name: str
    unit: str
    published: float
    low: float
    high: float
    source: str
    measured: float | None

    @property
    def status(self) -> Status:
        """Passed inside the band, failed outside, not applicable when nothing was measured."""
        if self.measured is None:
            return Status.NOT_APPLICABLE
        return Status.PASSED if self.low <= self.measured <= self.high else Status.FAILED


@dataclass(frozen=True, slots=True)
class Drift:
    """One number that moved between two snapshots: rows of a table, or a concept's share of its table.

    Units: counts for a table (``concept_id`` None), shares of the table's rows for a concept.
    """

    table: str
    concept_id: int | None
    before: float
    after: float

    @property
    def change(self) -> float:
        """Relative change of a count, absolute change of a share."""
        if self.concept_id is not None:
            return self.after - self.before
        if self.before == 0:
            return 0.0 if self.after == 0 else 1.0
        return self.after / self.before - 1


@dataclass(frozen=True, slots=True)
class QualityReport:
    """Every check of the list, judged; with the French marginals that could be compared."""

    cdm_version: str
    checked_on: date
    results: tuple[CheckResult, ...]
    marginals: tuple[Marginal, ...]
    source: Mapping[str, object]
    n_scans: int

    def summary(self) -> dict[str, int]:
        """How many checks passed, failed and were not applicable."""
        statuses = [result.status for result in self.results]
        return {
            "checks": len(statuses),
            "passed": statuses.count(Status.PASSED),
            "failed": statuses.count(Status.FAILED),
            "not_applicable": statuses.count(Status.NOT_APPLICABLE),
            "scans": self.n_scans,
        }

    def as_dqd_json(self, *, started_at: str = "", ended_at: str = "", seconds: float = 0.0) -> dict[str, object]:
        """The report in the shape of DataQualityDashboard's results file, which its viewer opens.

        Out:   single values are lists of one, as the peer's writer leaves them; readers take their first element.
        Units: pctViolatedRows is a share from 0 to 1, thresholdValue is a percentage, as the viewer expects.
        Source: OHDSI DataQualityDashboard 2.x, results JSON.
        """
        return {
            "startTimestamp": [started_at],
            "endTimestamp": [ended_at],
            "executionTime": [f"{seconds:.0f} secs"],
            "executionTimeSeconds": [round(seconds, 3)],
            "CheckResults": [_dqd_result(result) for result in self.results],
            "Metadata": [_dqd_metadata(self.source, self.cdm_version)],
            "Overview": _dqd_overview(self.results),
        }


def _dqd_result(result: CheckResult) -> dict[str, object]:
    check, kind = result.check, result.check.type
    return {
        "numViolatedRows": result.tally.n_violated,
        "pctViolatedRows": round(result.tally.share_violated, 6),
        "numDenominatorRows": result.tally.n_denominator,
        "executionTime": "",
        "queryText": "",
        "checkName": check.key.name.value,
        "checkLevel": kind.level,
        "checkDescription": check.description,
        "cdmTableName": check.key.table.upper(),
        "cdmFieldName": check.key.field.upper() or None,
        "conceptId": check.key.concepts.replace(" ", ",") or None,
        "unitConceptId": None,
        "sqlFile": kind.sql_file,
        "category": kind.category,
        "subcategory": kind.subcategory or None,
        "context": kind.context,
        "severity": kind.severity,
        "warning": None,
        "error": None,
        "checkId": check.key.id,
        "failed": int(result.status is Status.FAILED),
        "passed": int(result.status is Status.PASSED),
        "isError": 0,
        "notApplicable": int(result.status is Status.NOT_APPLICABLE),
        "notApplicableReason": result.reason or None,
        "thresholdValue": check.threshold_percent,
        "notesValue": None,
    }


def _dqd_metadata(source: Mapping[str, object], cdm_version: str) -> dict[str, object]:
    def camel(name: str) -> str:
        first, *rest = name.split("_")
        return first + "".join(word.capitalize() for word in rest)

    named = {"cdmVersion": cdm_version, "dqdVersion": DQD_VERSION}
    return named | {camel(name): _plain(value) for name, value in source.items()}


def _plain(value: object) -> object:
    return value if isinstance(value, str | int | float) or value is None else str(value)


def _dqd_overview(results: tuple[CheckResult, ...]) -> dict[str, object]:
    overview: dict[str, object] = {}
    for category in ("", "Plausibility", "Conformance", "Completeness"):
        here = [result for result in results if category in {"", result.check.type.category}]
        passed = sum(result.status is Status.PASSED for result in here)
        failed = sum(result.status is Status.FAILED for result in here)
        judged = passed + failed
        overview |= {
            f"countTotal{category}": len(here),
            f"countPassed{category}": passed,
            f"countFailed{category}" if category else "countOverallFailed": failed,
            f"percentPassed{category}": round(100 * passed / judged) if judged else None,
            f"percentFailed{category}": round(100 * failed / judged) if judged else None,
        }
    overview["countNotApplicable"] = sum(result.status is Status.NOT_APPLICABLE for result in results)
    overview |= {"countThresholdFailed": overview["countOverallFailed"], "countErrorFailed": 0}
    return {name: [value] for name, value in overview.items()}
