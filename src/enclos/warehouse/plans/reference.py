"""The rules' own tables, from package data."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources


@cache
def _rows(name: str) -> tuple[dict[str, str], ...]:
    text = resources.files("enclos.warehouse").joinpath("data", name).read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


@cache
def doubled_finess(*hospitals: str) -> tuple[str, ...]:
    """The geographic FINESS whose stays are sent twice until 2017, of the named hospitals or of all.

    Source: CNAM, Essentiel SNDS; the Lyons hospitals (HCL) have one in Hyères.
    """
    rows = _rows("doubled_finess.csv")
    return tuple(row["finess"] for row in rows if not hospitals or row["hospitals"] in hospitals)


@cache
def visit_natures() -> tuple[tuple[int, int, int], ...]:
    """First and last nature of a range and the visit concept that it makes."""
    rows = _rows("visit_natures.csv")
    return tuple((int(row["first"]), int(row["last"]), int(row["visit_concept_id"])) for row in rows)


@cache
def pack_days() -> tuple[tuple[int, int], ...]:
    """Units in a box and the days that the box covers."""
    return tuple((int(row["units"]), int(row["days"])) for row in _rows("pack_days.csv"))


@dataclass(frozen=True, slots=True)
class DoseUnit:
    """A unit of strengths (UCUM) and of daily doses (as WHO writes it); what kind of amount it measures."""

    ucum: str
    who: str
    kind: str
    factor: float
    """How many of the kind's own unit it is."""


@cache
def dose_units() -> tuple[DoseUnit, ...]:
    """The units in which a strength can be compared with a daily dose."""
    return tuple(
        DoseUnit(row["ucum"], row["who"], row["kind"], float(row["factor"])) for row in _rows("dose_units.csv")
    )


@cache
def stay_places(side: str) -> tuple[tuple[str, str, int], ...]:
    """Mode (empty: any), place (``*``: any, empty: none) and concept of where a stay came from or went to.

    Source: ATIH, modes and places of entry (ENT_MOD, ENT_PRV) and exit (SOR_MOD, SOR_DES); OHDSI concepts of the CMS
    places of service.
    """
    rows = [row for row in _rows("stay_places.csv") if row["side"] == side]
    return tuple((row["mode"], row["place"], int(row["concept_id"])) for row in rows)


@cache
def event_fields() -> tuple[tuple[int, str], ...]:
    """The concepts of key fields and their tables, for a vocabulary that lacks them."""
    return tuple((int(row["concept_id"]), row["table"]) for row in _rows("event_fields.csv"))


@cache
def ucum_units() -> tuple[tuple[str, int], ...]:
    """UCUM codes and their unit concepts, for a vocabulary that lacks them."""
    return tuple((row["ucum"], int(row["concept_id"])) for row in _rows("ucum_units.csv"))


@cache
def ald_numbers() -> tuple[tuple[str, int], ...]:
    """Beginnings of CIM-10 codes and the number of the long-term illness (0: none); the longest one holds."""
    return tuple((row["prefix"], int(row["ald"])) for row in _rows("ald_numbers.csv"))
