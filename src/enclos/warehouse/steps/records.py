"""What a build remembers of its parts, so that the next one makes only those whose signature differs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

import pyarrow as pa

from enclos.contracts.columns import Column, TableContract
from enclos.contracts.sql import SqlEngine
from enclos.warehouse.work import Told

BUILD_PART = TableContract(
    "build_part",
    (
        Column("pass", "INTEGER"),
        Column("part", "VARCHAR"),
        Column("signature", "VARCHAR"),
        Column("told", "VARCHAR"),
    ),
)
"""One row per part of a build: what it depended on, and what it told (its rows, its piece of the account).

Not a table of OMOP; it stays inside the lake."""
ROWS = "rows"
"""A part of this name, followed by a table's, tells how many rows were written."""
WHOLE = -1
"""The pass of the parts that hold no person."""


class Records:
    """The parts of the snapshot before and of the one being made."""

    def __init__(self, before: dict[tuple[int, str], tuple[str, str]]) -> None:
        self._before = before
        self._made: dict[tuple[int, str], tuple[str, str]] = {}
        self._kept: set[tuple[int, str]] = set()

    def keep_or_make(self, number: int, part: str, signature: str, make: Callable[[], str]) -> str:
        """What the part told when it was last made, if it would tell the same again; else what it tells now."""
        known = self._before.get((number, part))
        if known is not None and known[0] == signature:
            self._kept.add((number, part))
            told = known[1]
        else:
            told = make()
        self._made[number, part] = (signature, told)
        return told

    def told_before(self, number: int, part: str) -> str | None:
        """What the part told in the snapshot before."""
        known = self._before.get((number, part))
        return known[1] if known else None

    def kept(self, number: int, part: str) -> bool:
        """Whether the part is as it was."""
        return (number, part) in self._kept

    def before(self, number: int) -> tuple[Told, ...]:
        """What the parts of a pass told in the snapshot before."""
        return tuple((part, *told) for (pass_, part), told in self._before.items() if pass_ == number)

    def of_pass(self, number: int) -> tuple[tuple[Told, ...], frozenset[str]]:
        """What the parts of a pass tell, in the order in which they were made, and which of them are as they were."""
        told = tuple((part, *told) for (pass_, part), told in self._made.items() if pass_ == number)
        return told, frozenset(part for pass_, part in self._kept if pass_ == number)

    def take(self, number: int, parts: Iterable[Told], kept: Collection[str]) -> None:
        """Take what the parts of a pass told that was made elsewhere."""
        self._made |= {(number, part): (signature, told) for part, signature, told in parts}
        self._kept |= {(number, part) for part in kept}

    def write(self, engine: SqlEngine, name: str) -> None:
        """Write the parts of this build into the table of that name."""
        rows = [(*key, *value) for key, value in sorted(self._made.items())]
        columns = zip(BUILD_PART.names, zip(*rows, strict=True), strict=True)
        engine.register("enclos_parts", pa.table({column: list(values) for column, values in columns}))
        engine.execute(f"INSERT INTO {name} SELECT * FROM enclos_parts")
        engine.unregister("enclos_parts")


def read_records(engine: SqlEngine, name: str) -> Records:
    """The parts that the newest snapshot remembers."""
    return Records({(int(n), str(p)): (str(s), str(t)) for n, p, s, t in engine.rows(f"FROM {name}")})
