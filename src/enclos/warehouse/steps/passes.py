"""Make a pass where it is asked, and take what it answers where the build is: the two ends of the seam (work.py)."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable

from enclos.contracts.sql import SqlEngine
from enclos.warehouse.plans.durations import duration_rule
from enclos.warehouse.ports import CrossingReader
from enclos.warehouse.rules import cut
from enclos.warehouse.steps.account import Account
from enclos.warehouse.steps.bucket import Pass
from enclos.warehouse.steps.records import ROWS, Records
from enclos.warehouse.steps.sources import Sources
from enclos.warehouse.steps.stage import Stage
from enclos.warehouse.steps.watch import Watch
from enclos.warehouse.steps.writing import Written
from enclos.warehouse.work import Ground, PassAsked, PassMade


class PassMaker:
    """Makes passes of one build, in a process that has nothing else of it.

    In: engine — which has the tables that passes write under the names of the ground.
    """

    def __init__(self, engine: SqlEngine, crossing: CrossingReader, ground: Ground) -> None:
        self._engine = engine
        self._crossing = crossing
        self._ground = ground
        self._shared = Stage(engine, Sources(engine, crossing, None), ground.rules, outputs=ground.names)
        for name, (signature, rows) in ground.shared.items():
            self._shared.give(name, signature, rows)
        self._written = Written(
            ground.names,
            ground.domains,
            ground.days,
            duration_rule(ground.duration),
            ground.intents,
            ground.n_buckets,
            ground.rules,
            self._shared,
        )

    def make(self, asked: PassAsked, clock: Callable[[], float] = time.perf_counter) -> PassMade:
        """Write the rows of a pass.

        Refuses: BUILD_UNBALANCED.
        """
        persons = cut(asked.number, self._ground.n_passes, self._ground.n_buckets)
        records = Records({(asked.number, part): (signature, told) for part, signature, told in asked.before})
        watch = Watch(clock)
        Pass(
            self._engine,
            Sources(self._engine, self._crossing, persons),
            asked.number,
            persons,
            self._written,
            records,
            Account(),
            Counter(),
            defaultdict(set),
            watch.phase,
        ).make()
        parts, kept = records.of_pass(asked.number)
        return PassMade(parts, kept, watch.phases())


def take_pass(
    made: PassMade,
    number: int,
    ground: Ground,
    records: Records,
    account: Account,
    counts: Counter[str],
    rebuilt: defaultdict[str, set[int]],
) -> None:
    """Add what a pass answered to a build, as if it had been made here."""
    buckets = set(cut(number, ground.n_passes, ground.n_buckets).buckets)
    records.take(number, made.parts, made.kept)
    for part, _, told in made.parts:
        kind, _, table = part.partition(" ")
        if kind == ROWS:
            counts[table] += int(told)
            if part not in made.kept:
                rebuilt[table] |= buckets
        else:
            account.add(told)
