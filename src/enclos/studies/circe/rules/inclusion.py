"""Which rules the events of a cohort pass, each by itself, and the best event of every person."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from enclos.studies.circe.rules.columns import Events, Truth, begins


def patterns(held: Sequence[Truth], n_events: int) -> list[bytes]:
    """Of each event one letter for each rule, 1 where it passes, in the order of the rules.

    In: held — which events pass each rule
    """
    if not held:
        return [b""] * n_events
    letters = np.ascontiguousarray(np.stack(held, axis=1).astype(np.uint8) + ord("0"))
    found: list[bytes] = letters.view(f"S{len(held)}").ravel().tolist()
    return found


def best_events(events: Events, held: Sequence[Truth]) -> Truth:
    """Of each person the event that passes most rules; of these the one that passes the earliest rule, then the first.

    Source: circe-be, generateCohort.sql (best_events). Ties are ordered as entry events are.
    """
    found = np.zeros(len(events), dtype=np.bool_)
    if not len(events):
        return found
    n_passed, first_passed = np.zeros(len(events), dtype=np.int64), np.zeros(len(events), dtype=np.int64)
    for number, rule in enumerate(held):
        first_passed[rule & (n_passed == 0)] = number
        n_passed += rule
    ties = (events.end, events.place, events.event, events.sort)
    order = np.lexsort((*ties, events.start, first_passed, -n_passed, events.person))
    person = events.person[order]
    found[order[begins(person)]] = True
    return found
