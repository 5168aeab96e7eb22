"""Spans of days are half-open in all our arithmetic; OMOP end dates are inclusive; one function converts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Days from ``start_on`` up to, not including, ``end_on``.

    Refuses: ValueError when the end is before the start (an empty span is allowed).
    """

    start_on: date
    end_on: date

    def __post_init__(self) -> None:
        if self.end_on < self.start_on:
            raise ValueError("a span cannot end before it starts")

    @property
    def n_days(self) -> int:
        """Number of days in the span."""
        return (self.end_on - self.start_on).days

    def cut(self, other: Span) -> Span | None:
        """The days in both spans, or None when there is none."""
        start_on, end_on = max(self.start_on, other.start_on), min(self.end_on, other.end_on)
        return Span(start_on, end_on) if start_on < end_on else None


def span_from_inclusive(start_on: date, end_on: date) -> Span:
    """The span of an OMOP row, whose end date is its last day."""
    return Span(start_on, end_on + timedelta(days=1))
