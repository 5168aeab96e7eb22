"""What each requirement leaves of a population, and what it takes away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from enclos.studies.model import Sex

SHARED_REASONS: tuple[tuple[int, str], ...] = (
    (1, "Starting population"),
    (2, "Missing year of birth"),
    (3, "Missing sex"),
    (4, "Cannot satisfy age criteria during the study period based on year of birth"),
    (5, "No observation time available during study period"),
    (6, "Doesn't satisfy age criteria during the study period"),
    (7, "Prior history requirement not fulfilled during study period"),
)
"""Reasons by the number and words that the field's readers know.

Source: IncidencePrevalence 1.2, attrition of denominator cohorts; the words are kept so that results can be bound.
"""

SEX_REASON_ID = 8
TIME_REASON = (
    10,
    "No observation time available after applying age, prior observation and, if applicable, target criteria",
)
START_REASON = (11, "Starting analysis population")
WASHOUT_REASON_ID = 12
_INCOMPLETE = "Not observed during the complete database interval"
INCIDENCE_INCOMPLETE_REASON = (14, _INCOMPLETE)
INCIDENCE_NO_INTERVAL_REASON = (13, _INCOMPLETE)
PREVALENCE_INCOMPLETE_REASON = (12, _INCOMPLETE)
PREVALENCE_NO_INTERVAL_REASON = (13, "Do not satisfy full contribution requirement for any time interval")
_CONTRIBUTION = "Do not satisfy full contribution requirement for an interval"
FULL_CONTRIBUTION_REASON = (13, _CONTRIBUTION)
ANY_CONTRIBUTION_REASON = (14, _CONTRIBUTION)


@dataclass(frozen=True, slots=True)
class Left:
    """What is left after one reason."""

    reason_id: int
    reason: str
    n_records: int
    n_subjects: int


@dataclass(frozen=True, slots=True)
class AttritionRow:
    """What is left after one reason and how much it took; nothing is taken at a start."""

    left: Left
    excluded_records: int | None
    excluded_subjects: int | None


def sex_reason(sex: Sex) -> tuple[int, str]:
    """The reason that persons of the other sex are left out."""
    return SEX_REASON_ID, f"Not {sex.word}"


def washout_reason(washout_days: int | None) -> tuple[int, str]:
    """The reason that time after an event is left out."""
    if washout_days is None:
        return WASHOUT_REASON_ID, "Apply washout - anyone with outcome prior to start excluded"
    note = "(note, additional records may be created for those with an outcome)"
    return WASHOUT_REASON_ID, f"Apply washout criteria of {washout_days} days {note}"


def attrition_rows(*chains: Sequence[Left]) -> list[AttritionRow]:
    """The rows of several chains, one after the other; exclusions are counted within a chain.

    Units: records can grow (a washout cuts one stretch into several): then fewer than none are excluded.
    """
    rows: list[AttritionRow] = []
    for chain in chains:
        before: Left | None = None
        for left in chain:
            if before is None:
                rows.append(AttritionRow(left, None, None))
            else:
                n_records, n_subjects = before.n_records - left.n_records, before.n_subjects - left.n_subjects
                rows.append(AttritionRow(left, n_records, n_subjects))
            before = left
    return rows
