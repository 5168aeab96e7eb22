"""The rules' own tables, from package data."""

from __future__ import annotations

import csv
from functools import cache
from importlib import resources


@cache
def _rows(name: str) -> tuple[dict[str, str], ...]:
    text = resources.files("enclos.warehouse").joinpath("data", name).read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


@cache
def doubled_finess() -> tuple[str, ...]:
    """The geographic FINESS whose stays are sent twice until 2017."""
    return tuple(row["finess"] for row in _rows("doubled_finess.csv"))


@cache
def visit_natures() -> tuple[tuple[int, int, int], ...]:
    """First and last nature of a range and the visit concept that it makes."""
    rows = _rows("visit_natures.csv")
    return tuple((int(row["first"]), int(row["last"]), int(row["visit_concept_id"])) for row in rows)


@cache
def pack_days() -> tuple[tuple[int, int], ...]:
    """Units in a box and the days that the box covers."""
    return tuple((int(row["units"]), int(row["days"])) for row in _rows("pack_days.csv"))


@cache
def ucum_units() -> tuple[tuple[str, int], ...]:
    """UCUM codes and their unit concepts, for a vocabulary that lacks them."""
    return tuple((row["ucum"], int(row["concept_id"])) for row in _rows("ucum_units.csv"))
