"""Slow and plain: eras, counted day by day from docs/warehouse.md."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta

Record = tuple[int, int, date, date]
"""Person, concept, first day, last day (included)."""
Era = tuple[int, int, date, date, int, int]
"""Person, concept, first day, last day (included), records, days that no record covers."""
DAY = timedelta(days=1)


def eras(records: Iterable[Record]) -> list[Era]:
    """The eras of some records: 30 days after the last day, a record still belongs to the era."""
    by_concept: defaultdict[tuple[int, int], list[tuple[date, date]]] = defaultdict(list)
    for person, concept, first, last in records:
        by_concept[person, concept].append((first, last))
    found: list[Era] = []
    for (person, concept), spans in by_concept.items():
        covered = {first + n * DAY for first, last in spans for n in range((last - first).days + 1)}
        day = min(covered)
        while True:
            last = end = day
            while end <= last + 30 * DAY:  # up to thirty days on, another covered day goes on with the era
                if end in covered:
                    last = end
                end += DAY
            inside = [span for span in spans if day <= span[0] <= last]
            n_days = (last - day).days + 1
            n_covered = sum(1 for each in covered if day <= each <= last)
            found.append((person, concept, day, last, len(inside), n_days - n_covered))
            later = [each for each in covered if each > last]
            if not later:
                break
            day = min(later)
    return sorted(found)
