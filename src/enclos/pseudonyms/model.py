"""What pseudonyms speak of: units of crossing and their account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class LeftBehind(Enum):
    """Why a landed row did not cross the wall."""

    NO_PERSON = "no_person"
    """Its identity is in no reference of persons (IR_BEN_R, the hospital's patients)."""
    FICTITIOUS_NIR = "fictitious_nir"
    """Its identity is a stand-in: BEN_CDI_NIR is neither 00 nor 03 nor 04, or NIR_ANO_17 is made of x."""
    TWINS_UNTOLD = "twins_untold"
    """Its pseudonym belongs to several persons and its rank tells none of them."""
    NO_PRESTATION = "no_prestation"
    """An affined row without its prestation."""
    NEVER_CHAINED = "never_chained"
    """Nothing in its table leads to a person (psychiatry's ambulatory acts)."""
    NO_STAY = "no_stay"
    """A stay's row without its stay."""
    DUPLICATE_KEY = "duplicate_key"
    """A second row of a key that the layout says is unique."""
    SUPERSEDED = "superseded"
    """A later delivery brought the row again."""
    NOT_MAPPED = "not_mapped"
    """No pseudonymised table takes this table."""
    NO_EVENT = "no_event"
    """The table tells of payment, transport or recovery, and of no clinical event."""
    NOT_DONE = "not_done"
    """Cancelled, planned, refuted or entered in error."""
    NO_DATE = "no_date"
    """Nothing says when it was."""
    NO_CODE = "no_code"
    """Nothing says what it was."""
    NO_QUANTITY = "no_quantity"
    """An observation without a measured quantity or a coded value."""
    FREE_TEXT = "free_text"
    """An observation whose value is a sentence: it may name anybody."""
    IN_COMPONENTS = "in_components"
    """An observation that is the sum of its components, which cross as results of their own."""
    NO_PROVIDER = "no_provider"
    """A role of a professional who was not delivered."""
    LOOKED_UP = "looked_up"
    """A medication that others refer to: its code crosses with them."""
    POINTS_TO_ROWS = "points_to_rows"
    """What it says is which rows of any table belong together, by numbers that no longer hold."""
    OF_A_STUDY = "of_a_study"
    """A study's selection of persons, not care."""
    LATER_PHASE = "later_phase"
    """A later phase of an act counted once."""
    IN_ENCOUNTER = "in_encounter"
    """A claim of an encounter that was delivered: its diagnoses and acts cross with that visit."""


@dataclass(frozen=True, slots=True)
class NumberingReport:
    """What a numbering changed."""

    revision: int
    n_persons: int
    n_new: int
    """Persons that got a number."""
    n_merged: int
    """Numbers given up because two persons were found to be one; the older number stays."""
    n_moved: int
    """Source persons whose number changed."""

    def as_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        return {
            "revision": self.revision,
            "persons": self.n_persons,
            "new": self.n_new,
            "merged": self.n_merged,
            "moved": self.n_moved,
        }


@dataclass(frozen=True, slots=True)
class CrossedTable:
    """One landed table of a unit: landed = crossed + left behind."""

    source: str
    table: str
    into: str
    """The pseudonymised table; empty when there is none."""
    n_landed: int
    n_crossed: int
    left_behind: Mapping[str, int]

    def as_json(self) -> dict[str, Any]:
        """The account as JSON values."""
        return {
            "source": self.source,
            "table": self.table,
            "into": self.into,
            "landed": self.n_landed,
            "crossed": self.n_crossed,
            "left_behind": dict(self.left_behind),
        }

    @property
    def is_balanced(self) -> bool:
        """Whether every landed row is accounted for."""
        return self.n_landed == self.n_crossed + sum(self.left_behind.values())


def crossed_table_from_json(document: Mapping[str, Any]) -> CrossedTable:
    """The account that ``as_json`` wrote."""
    return CrossedTable(
        document["source"],
        document["table"],
        document["into"],
        document["landed"],
        document["crossed"],
        document["left_behind"],
    )


@dataclass(frozen=True, slots=True)
class CrossingAccount:
    """What crossed the wall, over all units."""

    tables: tuple[CrossedTable, ...]
    n_units_written: int
    n_units_kept: int

    def as_json(self) -> dict[str, Any]:
        """The account as JSON values."""
        return {
            "tables": [table.as_json() for table in self.tables],
            "units_written": self.n_units_written,
            "units_kept": self.n_units_kept,
        }


@dataclass(frozen=True, slots=True)
class LandedDelivery:
    """A delivery that can cross."""

    ordinal: int
    delivery_id: str
    source: str
    kind: str
    n_rows: int


@dataclass(frozen=True, slots=True)
class Unit:
    """Deliveries that cross together and are replaced together."""

    source: str
    kind: str
    deliveries: tuple[LandedDelivery, ...]

    @property
    def ordinals(self) -> tuple[int, ...]:
        """The deliveries' ordinals."""
        return tuple(delivery.ordinal for delivery in self.deliveries)


@dataclass(frozen=True, slots=True)
class UnitNote:
    """What is known of a unit that crossed: how it was made and its account."""

    name: str
    unit: str
    """Identifies source, kind, deliveries, buckets and the code's version; see rules.unit_id."""
    deliveries: tuple[str, ...]
    revision: int
    """Of the person map it was made with."""
    tables: tuple[CrossedTable, ...]

    def as_json(self) -> dict[str, Any]:
        """The note as JSON values."""
        return {
            "unit": self.unit,
            "deliveries": list(self.deliveries),
            "revision": self.revision,
            "account": [table.as_json() for table in self.tables],
        }


def unit_note_from_json(name: str, document: Mapping[str, Any]) -> UnitNote:
    """The note that ``as_json`` wrote."""
    return UnitNote(
        name,
        document["unit"],
        tuple(document["deliveries"]),
        document["revision"],
        tuple(crossed_table_from_json(row) for row in document["account"]),
    )


@dataclass(frozen=True, slots=True)
class IdentityColumns:
    """Which columns of a sender's file make an identity, and which others may leave: nothing else does."""

    nir: str
    birth: str
    sex: str
    kept: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        identity = {self.nir, self.birth, self.sex}
        if len(identity) != 3 or not all(identity):
            raise ValueError("an identity has three columns")
        if len(set(self.kept)) != len(self.kept) or identity & {self.nir, self.birth} & set(self.kept):
            raise ValueError("a column is kept once, and neither the NIR nor the birth date is kept")


@dataclass(frozen=True, slots=True)
class Objector:
    """Who objects, under the pseudonym of the circuit that the objection came by.

    ``rank`` tells the holders of one SNDS pseudonym apart; without it all of them are meant.
    """

    source: str
    pseudonym: str = field(repr=False)
    rank: int | None = field(default=None, repr=False)
