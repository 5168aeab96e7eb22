"""Small pieces of the protocol's prose."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum

from enclos.studies.calibration.model import PositiveControls
from enclos.studies.model import AgeGroup, DateRange, DayWindow
from enclos.studies.standard.model import Standard
from enclos.studies.standard.rules import STANDARDS

_MARKUP = re.compile(r"([\\`*_<>|\[\]#])")


def plain(value: object) -> str:
    """Foreign text on one line, none of it taken as Markdown or HTML."""
    return _MARKUP.sub(r"\\\1", " ".join(str(value).split()))


def names(values: Iterable[str]) -> str:
    """Names of cohorts, as code."""
    return ", ".join(f"`{value}`" for value in values)


def positive_controls(asked: PositiveControls | None) -> str:
    """Which positive controls are made."""
    if asked is None:
        return "none"
    ratios = ", ".join(f"{each:g}" for each in sorted(asked.effects))
    return f"ratios {ratios}, of negative controls with {asked.min_outcomes} outcomes or more, seed {asked.seed}"


def listed(values: Iterable[Enum]) -> str:
    """Options by their words; none when there is none."""
    return ", ".join(str(value.value).replace("_", " ") for value in values) or "none"


def yes(value: bool) -> str:
    return "yes" if value else "no"


def days(value: int | None, without: str) -> str:
    """A number of days, or what holds without one."""
    return without if value is None else f"{value} day{'' if value == 1 else 's'}"


def ages(groups: Sequence[AgeGroup]) -> str:
    return ", ".join(f"{each.word} years" for each in groups) or "not grouped"


def dates(wanted: DateRange) -> str:
    first = "the first observed day" if wanted.start_on is None else wanted.start_on.isoformat()
    last = "the last observed day" if wanted.end_on is None else wanted.end_on.isoformat()
    return f"{first} to {last}, both included"


def windows(values: Iterable[DayWindow]) -> str:
    """Windows in days around an index day."""
    return "; ".join(map(_window, values))


def _window(value: DayWindow) -> str:
    first, last = value.from_day, value.to_day
    if first is None:
        return "any day" if last is None else f"any day up to day {last}"
    if last is None:
        return f"any day from day {first} on"
    return f"day {first}" if first == last else f"day {first} to {last}"


def bullets(pairs: Iterable[tuple[str, object]]) -> Iterator[str]:
    """One line per option."""
    for option, value in pairs:
        yield f"- {option}: {value}."


def standard_words(standard: Standard) -> str:
    """A standard population by its published name, or all of its weights."""
    if standard.name in STANDARDS:
        return f"the European Standard Population 2013 (`{standard.name}`)"
    return "own standard: " + ", ".join(f"{low} to {high} years {weight}" for (low, high), weight in standard.bands)
