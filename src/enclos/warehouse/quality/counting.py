"""Runs scans and keeps what they counted, by check; scans over many keys part by part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from enclos.contracts.sql import SqlEngine
from enclos.warehouse.quality.model import CheckKey, TableShape, Tally
from enclos.warehouse.quality.plans.keyed import KeyedScan
from enclos.warehouse.quality.plans.parts import BUCKET, KeyColumn, KeyPart, cut_keys, part_shape, plan_strays
from enclos.warehouse.quality.plans.scan import Part, Scan

KEYS_PER_PART = 1 << 23
"""Keys that a scan holds in memory at a time: some hundred megabytes."""


@dataclass(slots=True)
class Counter:
    """Runs scans and keeps their counts by check.

    n_buckets — those of the snapshot; 1 where it has none: nothing is cut into parts then.
    """

    engine: SqlEngine
    shapes: Mapping[str, TableShape]
    n_buckets: int = 1
    keys_per_part: int = KEYS_PER_PART
    n_rows: dict[str, int] = field(default_factory=dict)
    violated: dict[CheckKey, int] = field(default_factory=dict)
    denominators: dict[CheckKey, int] = field(default_factory=dict)
    tallies: dict[CheckKey, Tally] = field(default_factory=dict)
    n_scans: int = 0
    in_bucket: dict[KeyColumn, bool] = field(default_factory=dict)

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """Run one query."""
        self.n_scans += 1
        return self.engine.rows(sql)

    def count_rows(self) -> None:
        """Know how many rows each table has."""
        there = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM {s.relation}" for name, s in self.shapes.items())
        self.n_rows = {str(name): int(str(n)) for name, n in self.rows(there)} if there else {}

    def run(self, scan: Scan | None, *, empty: bool = False) -> None:
        """In: empty — there are no rows to scan: every count is 0, and planning to find so costs more than to know."""
        if scan is not None:
            self._keep(scan, [] if empty else self.rows(scan.sql))

    def run_keyed(self, keyed: KeyedScan, *, empty: bool = False) -> None:
        """Run a scan part by part, and add up."""
        shapes = self._within(keyed)
        whole, parts = keyed.plan(shapes), cut_keys(keyed.n_keys, self.n_buckets, self.keys_per_part)
        if empty or whole is None or len(parts) == 1 or not _says_buckets(keyed, shapes):
            self.run(whole, empty=empty)
            return
        cut = (
            keyed.plan(shapes | {name: self.part(key, part) for name, key in keyed.columns.items()}) for part in parts
        )
        self._keep(whole, [row for scan in cut if scan is not None for row in self.rows(scan.sql)])

    def _keep(self, scan: Scan, answers: Iterable[tuple[object, ...]]) -> None:
        counts = [0] * (1 + max(column for _, _, column in scan.cells))
        for answer in answers:
            counts = [count + int(str(value)) for count, value in zip(counts, answer, strict=True)]
        for key, part, column in scan.cells:
            target = self.violated if part is Part.VIOLATED else self.denominators
            target[key] = counts[column]

    def _within(self, keyed: KeyedScan) -> dict[str, TableShape]:
        """All shapes, those with keys under the names of the scan."""
        return {**self.shapes, **{name: self.shapes[key.table] for name, key in keyed.columns.items()}}

    def part(self, key: KeyColumn, part: KeyPart) -> TableShape:
        """The rows of a table whose keys are of a part."""
        return part_shape(self.shapes[key.table], key, part, by_bucket=self._is_in_bucket(key))

    def _is_in_bucket(self, key: KeyColumn) -> bool:
        """Whether every row lies in the bucket that its key says; a table without buckets has none."""
        if key not in self.in_bucket:
            shape = self.shapes[key.table]
            strays = shape.has(BUCKET) and self.rows(plan_strays(shape, key, self.n_buckets))[0][0]
            self.in_bucket[key] = shape.has(BUCKET) and not strays
        return self.in_bucket[key]

    def collected(self) -> dict[CheckKey, Tally]:
        """Tallies of all checks of which both counts are known."""
        both = self.violated.keys() & self.denominators.keys()
        return {key: Tally(self.violated[key], self.denominators[key]) for key in both} | self.tallies


def _says_buckets(keyed: KeyedScan, shapes: Mapping[str, TableShape]) -> bool:
    """Whether each of its keys says the bucket that it is of."""
    return all(key.says_a_bucket(shapes[name]) for name, key in keyed.columns.items())
