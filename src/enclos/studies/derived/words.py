"""A derived cohort in words, for a protocol."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import date

from enclos.studies.model import AgeGroup, DateRange, DayWindow, Operation, Sex


def operation_words(operation: Operation) -> list[tuple[str, str]]:
    """What the operation is, and each of its options with its value."""
    meaning = " ".join((type(operation).__doc__ or "").split()).removesuffix(".")
    names: list[str] = [each.name for each in fields(operation)] if is_dataclass(operation) else []
    named = [(name, _value(getattr(operation, name))) for name in names]
    return [("Made of cohorts", meaning), *((name.replace("_", " ").capitalize(), value) for name, value in named)]


def _value(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(f"`{name}`" for name in value)
    if isinstance(value, Sex | AgeGroup | DayWindow):
        return value.word
    if isinstance(value, DateRange):
        return f"{_day(value.start_on)} to {_day(value.end_on)}"
    if isinstance(value, str):
        return f"`{value}`"
    return {None: "any", True: "yes", False: "no"}[value] if value is None or isinstance(value, bool) else str(value)


def _day(day: date | None) -> str:
    return "open" if day is None else day.isoformat()
