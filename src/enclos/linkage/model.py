"""What linkage reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

import pyarrow as pa


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
class MatchReport:
    """What linkage left: the direct circuit by hospital and when, what stays said of patients, and who is one person.

    ``indirect``: by source and method, patients by outcome; ``n_source_persons`` by source; ``n_persons`` of all.
    """

    hospitals: tuple[HospitalLinks, ...]
    linked_at: Mapping[str, datetime]
    indirect: Mapping[tuple[str, str], Mapping[str, int]]
    n_source_persons: Mapping[str, int]
    n_persons: int

    def as_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        return {
            "hospitals": [
                {**each.as_json(), "linked_at": self.linked_at[each.source].isoformat(timespec="seconds")}
                for each in self.hospitals
            ],
            "indirect": [
                {"source": source, "method": method, "groups": dict(groups)}
                for (source, method), groups in self.indirect.items()
            ],
            "source_persons": dict(self.n_source_persons),
            "persons": self.n_persons,
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


# -- indirect linkage

VARIABLES: tuple[str, ...] = ("finess", "entry_on", "exit_on", "sex", "birth_month", "principal", "acts_key")
"""What two stays are compared on, n = 7: hospital, entry, exit, sex, birth month, principal diagnosis, set of acts."""
RELAXED = 2
"""How many variables may disagree in the last step of the deterministic relaxation."""
MARGIN = 7.0
"""Bits by which the heaviest person must surpass the next: odds of 128 to 1."""
SUCCESS = 0.9
"""Share of a hospital's patients that must be found. Source: facts on regulation, § 5.3."""


class Method(Enum):
    """How stays are compared when there is no NIR."""

    DETERMINISTIC = "deterministic"
    """Agree on n, n-1, n-2 variables, with uniqueness."""
    PROBABILISTIC = "probabilistic"
    """Fellegi and Sunter's weights, learnt from the stays."""


DEFAULT_THRESHOLD: Mapping[Method, float] = {
    Method.DETERMINISTIC: float(len(VARIABLES) - RELAXED),
    Method.PROBABILISTIC: 6.0,
}
"""Variables that agree; bits of match weight, the prior included. Chosen on synthetic truth: docs/linkage.md."""


@dataclass(frozen=True, slots=True)
class Share:
    """A proportion with its numerator, its denominator and Wilson's 95 % interval; all empty over nobody."""

    n: int
    of: int
    lower: float | None
    upper: float | None

    @property
    def value(self) -> float | None:
        """The proportion."""
        return self.n / self.of if self.of else None

    def as_json(self) -> dict[str, Any]:
        """The proportion as JSON values."""
        return {"value": self.value, "n": self.n, "of": self.of, "lower": self.lower, "upper": self.upper}


@dataclass(frozen=True, slots=True)
class IndirectReport:
    """What indirect linkage found under a threshold; each patient with stays is in one group of its hospital."""

    method: Method
    threshold: float
    groups: Mapping[str, Mapping[str, int]]
    """By hospital: group_1, group_2, linked, multiple, none."""
    stays: Mapping[str, int]
    """Stays compared on both sides, and the hospital's by group of the relaxation."""
    direct: tuple[int, int, int]
    """Patients who have a direct link: same person, another person, none."""
    compared: bool
    """Whether stays were compared in this step; otherwise kept candidates were decided anew."""

    @property
    def n_patients(self) -> int:
        """Patients with a stay that could be compared."""
        return sum(sum(groups.values()) for groups in self.groups.values())

    @property
    def n_linked(self) -> int:
        """Patients with one person."""
        return sum(n for groups in self.groups.values() for group, n in groups.items() if group in _FOUND)

    def as_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        names = sorted({group for groups in self.groups.values() for group in groups})
        found = self.n_linked / self.n_patients if self.n_patients else None
        return {
            "method": self.method.value,
            "threshold": self.threshold,
            "patients": self.n_patients,
            "linked": self.n_linked,
            "groups": {name: sum(groups.get(name, 0) for groups in self.groups.values()) for name in names},
            "by_hospital": {source: dict(groups) for source, groups in self.groups.items()},
            "found_rate": found,
            "success": found is not None and found >= SUCCESS,
            "stays": dict(self.stays),
            "against_direct": dict(zip(("same", "another", "none"), self.direct, strict=True)),
            "compared": self.compared,
        }


_FOUND = frozenset({"group_1", "group_2", "linked"})


@dataclass(frozen=True, slots=True)
class IndirectTruth:
    """Indirect links against truth: recall over patients whose person has a stay of the PMSI, precision over links."""

    recall: Share
    precision: Share

    def as_json(self) -> dict[str, Any]:
        """``recall`` and ``precision``, each with its interval and counts beside it."""
        return {
            "recall": self.recall.value,
            "precision": self.precision.value,
            "recall_interval": [self.recall.lower, self.recall.upper],
            "precision_interval": [self.precision.lower, self.precision.upper],
            "true_links": self.precision.n,
            "links": self.precision.of,
            "concerned": self.recall.of,
            "concerned_are": "hospital patients with a compared stay whose person has a usable stay in the PMSI",
        }


@dataclass(frozen=True, slots=True)
class ScoredStays:
    """What a comparison of all stays gives: pairs with weights, the model, and its chart."""

    pairs: pa.Table
    """stay, other, weight (bits, prior included), own (bits without sex, birth month and prior); decimals."""
    model: Mapping[str, Any]
    """Levels with m, u and weight, as JSON values; it holds no stay and no code."""
    chart: Mapping[str, Any]
    """Vega-Lite of the weights."""
