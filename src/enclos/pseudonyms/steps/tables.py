"""Let one landed table cross, and account for each of its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from enclos.contracts.pseudonymised import PSEUDONYMISED, VOCABULARY
from enclos.contracts.sql import SqlEngine
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import BlockCipher
from enclos.lexicon.refusals import refusal
from enclos.pseudonyms.model import CrossedTable, LeftBehind, Unit
from enclos.pseudonyms.plans import shape
from enclos.pseudonyms.ports import CrossingWriter, Landed
from enclos.pseudonyms.secret_functions import record_keys


@dataclass(frozen=True, slots=True)
class OpenUnit:
    """A unit that is crossing now."""

    engine: SqlEngine
    landed: Landed
    crossing: CrossingWriter
    cipher: BlockCipher
    unit: Unit
    name: str
    n_buckets: int
    n_landed: Mapping[str, int]
    """Landed rows of the unit, by family."""
    brings_vocabulary: bool = False
    """Whether the vocabulary tables of this OMOP unit cross."""

    def rows(self, family: str, columns: Sequence[str]) -> str:
        """The unit's landed rows of a family."""
        return self.landed.relation(
            self.unit.kind, family, columns, source=self.unit.source or None, deliveries=self.unit.ordinals
        )

    def cross(self, family: str, into: str, judged: str) -> CrossedTable:
        """Write what crosses of a judged relation and account for all of it.

        Refuses: CROSSING_UNBALANCED when a landed row is nowhere
        """
        return self._cross(family, into, judged, self.n_landed[family])

    def cross_parts(self, name: str, into: str, judged: str) -> CrossedTable:
        """Write what crosses of the parts of rows (an observation's components); their number is their landing."""
        return self._cross(name, into, judged, int(self.engine.scalar(shape.plan_count(judged))))

    def _cross(self, family: str, into: str, judged: str, n_landed: int) -> CrossedTable:
        contract = PSEUDONYMISED.get(into) or VOCABULARY[into]
        by_bucket = "bucket" in contract.names
        n_crossed = self.crossing.write(
            self.name,
            into,
            family,
            shape.plan_crossing(contract, judged, self.n_buckets),
            by_bucket=by_bucket,
        )
        left: dict[str, int] = {}
        if n_crossed != n_landed:
            left = {str(reason): int(n) for reason, n in self.engine.rows(shape.plan_left_behind(judged))}
        return balanced(CrossedTable(self.unit.source, family, into, n_landed, n_crossed, left))

    def hold_keys(self, table: str, keys: str, columns: Sequence[str], label: str, key_column: str) -> None:
        """Fill a temporary table with the keyed hash of every record of a relation.

        Refuses: PSEUDONYM_COLLISION when two records would have one key
        """
        found = self.engine.query(shape.plan_digests(keys, columns, label))
        digests = found["digest"].combine_chunks().cast(pa.binary(32)) if len(found) else None
        hashed = record_keys(self.cipher, b"" if digests is None else _bytes_of(digests))
        with_keys = found.drop_columns(["digest"]).append_column(key_column, pa.array(hashed, pa.int64()))
        self.engine.register("enclos_arriving", with_keys)
        self.engine.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT * FROM enclos_arriving")
        self.engine.unregister("enclos_arriving")
        twice = self.engine.scalar(f"SELECT count(*) - count(DISTINCT {key_column}) FROM {table}")
        if twice:
            raise refusal(
                Code.PSEUDONYM_COLLISION,
                "Two records would have the same key.",
                "Raise the crossing's version, which changes the keys, and build again.",
            )


KindCrossing = Callable[[OpenUnit], list[CrossedTable]]


def balanced(table: CrossedTable) -> CrossedTable:
    """The account, if every landed row is in it.

    Refuses: CROSSING_UNBALANCED
    """
    if not table.is_balanced:
        raise refusal(
            Code.CROSSING_UNBALANCED,
            f"Rows of {table.table} would be lost or doubled between vault and warehouse.",
            "Report it: the delivery's keys are not what the layout says.",
        )
    return table


def not_mapped(unit: OpenUnit, family: str) -> CrossedTable:
    """The account of a table that no pseudonymised table takes."""
    return never_crosses(unit, family, LeftBehind.NOT_MAPPED)


def never_crosses(unit: OpenUnit, family: str, reason: LeftBehind) -> CrossedTable:
    """The account of a table that stays behind as a whole."""
    n = unit.n_landed[family]
    return CrossedTable(unit.unit.source, family, "", n, 0, {reason.value: n})


def _bytes_of(digests: pa.Array) -> bytes:
    """The bytes of a column of fixed width, in one piece."""
    buffer = digests.buffers()[1]
    start = digests.offset * 32
    return bytes(memoryview(buffer)[start : start + len(digests) * 32])
