"""How each column is shown, and to whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from enclos.contracts.view import PotentialIdentifier
from enclos.lexicon.ids import PERSON_BITS, PLACE_BITS


class Reader(Enum):
    """Who reads the view: the platform's own studies, or a person."""

    PLATFORM = "platform"
    PERSON = "person"


class Numbered(Enum):
    """What has numbers of a permit's own. Units: ``bits`` — of a number, the warehouse's and the permit's alike."""

    PERSON = ("person", PERSON_BITS)
    PROVIDER = ("provider", PLACE_BITS)
    CARE_SITE = ("care_site", PLACE_BITS)

    def __init__(self, word: str, bits: int) -> None:
        self.word = word
        self.bits = bits


class Treatment(Enum):
    """What a view does to a column."""

    PLAIN = "plain"
    """As it is."""
    PERSON = "person"
    """The permit's number of the person."""
    RELATIVE = "relative"
    """The permit's number of a person who may be of another bucket."""
    ROW_ID = "row_id"
    """The row's own id, carrying the permit's number."""
    ROW_REF = "row_ref"
    """The id of another row of the same person; empty when it belongs to anybody else."""
    DAY = "day"
    """A date, cut to the period; its month for persons unless the identifier is listed."""
    INSTANT = "instant"
    """A date and time, empty outside the period; for persons only when the identifier is listed."""
    BIRTH_MONTH = "birth_month"
    """For persons only when the identifier is listed."""
    BIRTH_DAY = "birth_day"
    """For platform studies only."""
    BIRTH_INSTANT = "birth_instant"
    """For platform studies only."""
    CODE = "code"
    """Kept where the concept column beside it says that it is a code of a code list; empty otherwise."""
    WHOLE_ROW = "whole_row"
    """Kept where the row was not cut; it would tell of days after the period otherwise."""
    PLACE = "place"
    """The permit's number of the department, or of the commune when that is listed."""
    PROVIDER = "provider"
    """The permit's number of the professional."""
    CARE_SITE = "care_site"
    """The permit's number of the care site."""
    COMMUNE = "commune"
    """Only when the commune is listed."""
    HIDDEN = "hidden"
    """Always empty."""


@dataclass(frozen=True, slots=True)
class ColumnRule:
    """How one column is shown.

    ``argument`` is the column that a treatment looks at; ``unless`` is the potential identifier that lifts it.
    """

    table: str
    column: str
    treatment: Treatment
    argument: str = ""
    unless: PotentialIdentifier | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """What opening a permit wrote. Units: n_bytes — of the sealed perimeter; nothing else was written."""

    snapshot: int
    n_persons: int
    n_new: int
    n_bytes: int


@dataclass(frozen=True, slots=True)
class Foreseen:
    """Who would be in, and how many rows of them would be shown.

    ``tables``: by granted person table, rows and the persons who have any, of those who were looked at and in
    proportion of all; ``n_looked_at`` of ``n_persons``.
    """

    n_persons: int
    n_looked_at: int
    tables: Mapping[str, tuple[int, int]]
