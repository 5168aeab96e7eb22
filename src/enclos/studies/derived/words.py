"""A derived cohort in words, for a protocol."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import date

from enclos.studies.derived.model import Side, Trait
from enclos.studies.model import AgeGroup, DateRange, DayWindow, Operation, Sex

_LABELS = {
    "n_days_prior_observation": "Days of prior observation",
    "n_days_future_observation": "Days of observation afterwards",
    "n_persons": "Number of persons",
    "keep": "Persons kept",
}
_EITHER = frozenset({"share", "n_persons"})
"""Options of which one is given."""


def operation_words(operation: Operation) -> list[tuple[str, str]]:
    """What the operation is, and each of its options with its value."""
    meaning = " ".join((type(operation).__doc__ or "").split()).removesuffix(".")
    names: list[str] = [each.name for each in fields(operation)] if is_dataclass(operation) else []
    values = {name: getattr(operation, name) for name in names}
    told = {name: value for name, value in values.items() if value is not None or name not in _EITHER}
    named = [(_LABELS.get(name, name.replace("_", " ").capitalize()), _value(value)) for name, value in told.items()]
    return [("Made of cohorts", meaning), *named]


def _value(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(_value(each) for each in value)
    if isinstance(value, Trait | Side):
        return str(value.value).replace("_", " ")
    if isinstance(value, Sex | AgeGroup | DayWindow):
        return value.word
    if isinstance(value, DateRange):
        return f"{_day(value.start_on)} to {_day(value.end_on)}"
    if isinstance(value, str):
        return f"`{value}`"
    return {None: "any", True: "yes", False: "no"}[value] if value is None or isinstance(value, bool) else str(value)


def _day(day: date | None) -> str:
    return "open" if day is None else day.isoformat()
