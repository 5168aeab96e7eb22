"""A derived cohort in words, for a protocol and for attrition."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import date

from enclos.studies.derived.model import Collapse, First, Intersection, Match, Near, Sample, Side, Trait, Union
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


INITIAL = "Initial qualifying events"
CONTROL_REASONS = ("In observation", "Exclude cases from controls", "Exclude individuals to fulfil the ratio")
"""What leads to the matches of a cohort; who is like no entry, or not observed on its day, is among the last."""


def reason_of(operation: Operation) -> str:
    """What takes entries away, or where a cohort begins anew, in the words of the peer's attrition.

    Source: CohortConstructor 0.5, attrition of cohorts; a share of persons is not among its samples.
    """
    match operation:
        case Union() | Intersection():
            reason = INITIAL
        case First():
            reason = "Restricted to first entry"
        case Near():
            ends = [operation.window.from_day, operation.window.to_day]
            first, last = (far if end is None else str(end) for end, far in zip(ends, ("-Inf", "Inf"), strict=True))
            n = "1 or more" if operation.present else "0"
            reason = (
                f"Require {n} intersections with cohort {operation.other}. Intersection window: {first} to {last} days "
                "relative to cohort_start_date"
            )
        case Collapse():
            reason = f"Collapse cohort with a gap of {operation.gap_days} days."
        case Sample():
            reason = f"Sample {operation.n_persons or f'a share of {operation.share} of'} individuals"
        case Match():
            reason = "No possible pairs in observation"
        case _:
            raise TypeError("no such operation")
    return reason
