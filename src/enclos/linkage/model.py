"""What linkage reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any


class LinkOutcome(Enum):
    """What the direct circuit says of one hospital patient."""

    LINKED = "linked"
    """One SNDS person."""
    NO_ANSWER = "no_answer"
    """The national side has no person for the temporary id."""
    UNKNOWN_PERSON = "unknown_person"
    """The answered pseudonym is in no landed IR_BEN_R."""
    CONFLICT = "conflict"
    """Two SNDS persons, or a temporary id that two patients share."""


@dataclass(frozen=True, slots=True)
class HospitalLinks:
    """The direct circuit of one hospital; every patient of its link delivery has one outcome."""

    source: str
    n_patients: int
    outcomes: Mapping[LinkOutcome, int]

    def __post_init__(self) -> None:
        if sum(self.outcomes.values()) != self.n_patients:
            raise ValueError("every patient has one outcome")

    @property
    def n_linked(self) -> int:
        """Patients linked to an SNDS person."""
        return self.outcomes.get(LinkOutcome.LINKED, 0)

    def as_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        return {
            "source": self.source,
            "patients": self.n_patients,
            "linked": self.n_linked,
            "unlinked": self.n_patients - self.n_linked,
            "conflicts": self.outcomes.get(LinkOutcome.CONFLICT, 0),
            "reasons": {outcome.value: self.outcomes.get(outcome, 0) for outcome in LinkOutcome},
        }


@dataclass(frozen=True, slots=True)
class LinkReport:
    """All hospitals' circuits; ``already`` says that there was nothing new to link."""

    hospitals: tuple[HospitalLinks, ...]
    waiting: tuple[str, ...]
    """Hospitals of which only one half of the circuit has come."""
    destroyed: int
    """Link deliveries whose temporary ids were destroyed in this step."""
    already: bool

    def as_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        return {
            "hospitals": [hospital.as_json() for hospital in self.hospitals],
            "waiting": list(self.waiting),
            "destroyed": self.destroyed,
            "already": self.already,
        }


@dataclass(frozen=True, slots=True)
class GroupReport:
    """How many source persons (a pseudonym, a patient number) there are, and how many persons they are."""

    n_source_persons: Mapping[str, int]
    """By source."""
    n_persons: int
    n_conflicts: int
    """Hospital patients whose links name two SNDS persons; they stay on their own."""

    def as_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        return {
            "source_persons": dict(self.n_source_persons),
            "persons": self.n_persons,
            "conflicts": self.n_conflicts,
        }


@dataclass(frozen=True, slots=True)
class LinkTruth:
    """Links against the truth of a synthetic France.

    ``n_linkable``: hospital patients for whom a true answer exists; ``n_known``: those who truly are in the SNDS.
    ``n_true``: linked to their own pseudonyms only, ``n_found`` the linkable among them; ``n_false``: linked to another
    person's. Recall is n_found over the linkable, recall_all n_true over all who truly are in the SNDS.
    """

    n_known: int
    n_linkable: int
    n_true: int
    n_found: int
    n_false: int

    def as_json(self) -> dict[str, Any]:
        """``direct`` with recall, recall_all and false_links; a recall over nobody is null."""
        return {
            "direct": {
                "recall": self.n_found / self.n_linkable if self.n_linkable else None,
                "recall_all": self.n_true / self.n_known if self.n_known else None,
                "false_links": self.n_false,
                "linked": self.n_true + self.n_false,
                "linkable": self.n_linkable,
                "known": self.n_known,
            }
        }
