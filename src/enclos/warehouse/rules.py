"""Decisions of a build that need no row: the days observed, the account's balance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.lexicon.spans import Span
from enclos.warehouse.model import Cut, DeliveredPeriod, TableAccount

_CLAIMS = "snds-dcir"
_NATIONAL_CARE = (_CLAIMS, "snds-pmsi")
MONTHS_OF_FLUX = 6
"""After so many months of flux care is as good as complete."""


def national_days(periods: Iterable[DeliveredPeriod]) -> Span | None:
    """The days on which care in town and stays are both delivered; of one kind alone, its own days.

    Empty: None when no national care was delivered, or when the kinds share no day.
    """
    spans: dict[str, Span] = {}
    for period in periods:
        if period.kind in _NATIONAL_CARE:
            span = Span(period.start_on, period.end_on)
            known = spans.get(period.kind, span)
            spans[period.kind] = Span(min(known.start_on, span.start_on), max(known.end_on, span.end_on))
    days: Span | None = None
    for number, span in enumerate(spans.values()):
        days = span if number == 0 else days and days.cut(span)
    return days


def complete_until(periods: Iterable[DeliveredPeriod]) -> date | None:
    """The first day of care that later fluxes of claims will still complete: six months before the last delivered one.

    Empty: None without claims.
    Source: CNAM: 99 % of the care of a day is visible after six months of flux (trap 6 of the SNDS).
    """
    ends = [period.end_on for period in periods if period.kind == _CLAIMS]
    if not ends:
        return None
    months = max(ends).year * 12 + max(ends).month - 1 - MONTHS_OF_FLUX
    return date(months // 12, months % 12 + 1, 1)


def passes(n_lines: int, n_buckets: int, lines_per_pass: int, before: int | None) -> int:
    """In how many passes a build is made: a power of two, one per bucket, or that times a power of two.

    In: before — the passes of the snapshot before, of as many buckets: another number would make everything again, so
    they stay while they are not twice too few.
    """
    if before is not None and n_lines <= 2 * before * lines_per_pass:
        return before
    n_passes = 1
    while n_passes < n_buckets and n_lines > n_passes * lines_per_pass:
        n_passes *= 2
    n_passes = min(n_passes, n_buckets)
    while n_lines > n_passes * lines_per_pass:
        n_passes *= 2
    return n_passes


def cut(number: int, n_passes: int, n_buckets: int) -> Cut:
    """The persons of a pass: whole buckets, or a slice of one where there are more passes than buckets."""
    n_slices = max(1, n_passes // n_buckets)
    if n_slices == 1:
        return Cut(tuple(range(number, n_buckets, n_passes)), n_buckets)
    return Cut((number // n_slices,), n_buckets, number % n_slices, n_slices)


def check_balance(account: Sequence[TableAccount]) -> None:
    """Every delivered line is accounted for, in every table.

    Refuses: BUILD_UNBALANCED, naming the tables.
    """
    wrong = [line.table for line in account if not line.adds_up]
    if wrong:
        raise refusal(
            Code.BUILD_UNBALANCED,
            f"The build was not kept: lines of {', '.join(wrong)} are unaccounted for.",
            "The snapshot before it stays. Report this as a bug of the mapping, with the names of the tables.",
        )
