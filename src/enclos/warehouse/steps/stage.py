"""The rows that several statements of a build read, and what every statement's result depends on.

Staged rows are Arrow tables registered under a name, not temporary tables: a temporary table dropped inside a
transaction keeps its memory until the transaction ends, and a build is one transaction over all buckets.

A statement's text names all it reads: ``at_prs()`` from the crossing, ``stage_visits`` staged rows. Its signature is
the hash of its text and of the signatures of what it names, so that two statements with one signature give the same
rows. No list of dependencies is kept anywhere; a build compares signatures to know what it may keep.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from enclos.contracts.sql import SqlEngine
from enclos.lexicon.canonical import canonical_bytes, sha256_hex
from enclos.warehouse.steps.sources import Sources

_ROWS_A_CHUNK = 61_440
"""An Arrow table is scanned by as many threads as it has chunks; slices copy nothing."""
_NAMES = re.compile(r"\b(?:(?:at|all)_\w+\(\)|stage_\w+)")


class Stage:
    """Named intermediate rows, made when a statement first reads them; forgetting them frees their memory at once."""

    def __init__(
        self, engine: SqlEngine, sources: Sources, rules: str, *, outer: Stage | None = None, outputs: Mapping[str, str]
    ) -> None:
        """In: rules — what every result depends on beside its text; outer — a stage whose rows are seen too;
        outputs — the lake's names of the tables that the build writes, whose rows a statement may read.
        """
        self._engine = engine
        self._sources = sources
        self._rules = rules
        self._outer = outer
        self._outputs = outputs
        self._sql: dict[str, str] = {}
        self._by_content: set[str] = set()
        self._of_no_weight: set[str] = set()
        self._made: set[str] = set()
        self._signatures: dict[str, str] = {}

    def define(self, name: str, sql: str, *, by_content: bool = False, of_no_weight: bool = False) -> None:
        """Let ``stage_<name>`` be the query's rows, made when first read.

        In: by_content — what reads them depends on the rows themselves, not on what they were made of: worth a pass
        over few rows that seldom change while their sources do; of_no_weight — they only leave out what no statement
        asks for, so no result depends on them.
        """
        full = f"stage_{name}"
        self._sql[full] = sql
        if by_content:
            self._by_content.add(full)
        if of_no_weight:
            self._of_no_weight.add(full)

    def give(self, name: str, signature: str, rows: pa.Table) -> None:
        """Let ``stage_<name>`` be these rows, made elsewhere, which depend on what the signature stands for."""
        full = f"stage_{name}"
        self._signatures[full] = signature
        self._engine.register(full, rows)
        self._made.add(full)

    def given(self) -> dict[str, tuple[str, pa.Table]]:
        """All defined rows, made now, as ``give`` takes them, by name."""
        return {
            name.removeprefix("stage_"): (self.signature_of(name), self._rows_of(name)) for name in sorted(self._sql)
        }

    def _rows_of(self, name: str) -> pa.Table:
        sql = f"FROM {name}"
        self.ensure(sql)
        return self._engine.query(sql)

    def signature(self, *statements: str) -> str:
        """What the statements' results depend on."""
        return sha256_hex(canonical_bytes([self._rules, *(self._signature(sql) for sql in statements)]))

    def wrote(self, table: str, signature: str) -> None:
        """Let statements that read a table of the lake depend on what was written there."""
        self._signatures[self._outputs[table]] = signature

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query over staged rows."""
        self.ensure(sql)
        return self._engine.rows(sql)

    def scalar(self, sql: str) -> Any:
        """The first value of a statement over staged rows."""
        self.ensure(sql)
        return self._engine.scalar(sql)

    def forget(self, *names: str) -> None:
        """Free the memory of rows that are hardly read again; whoever reads them has them made again."""
        for full in {f"stage_{name}" for name in names} & self._made:
            self._engine.unregister(full)
            self._made.remove(full)

    def clear(self) -> None:
        """Forget everything kept."""
        for name in self._made:
            self._engine.unregister(name)
        self._made.clear()

    def _signature(self, sql: str) -> str:
        named = {name: self.signature_of(name) for name in sorted(set(_NAMES.findall(sql)))}
        named |= {name: self._signatures.get(name, "") for name in self._outputs.values() if name in sql}
        return sha256_hex(canonical_bytes([sql, named]))

    def signature_of(self, name: str) -> str:
        """What the rows of that name depend on."""
        if name not in self._signatures:
            if name in self._of_no_weight:
                self._signatures[name] = "of no weight"
            elif name in self._by_content:
                self._signatures[name] = self._fingerprint(name)
            elif name in self._sql:
                self._signatures[name] = self._signature(self._sql[name])
            elif self._outer is not None and name.startswith("stage_"):
                self._signatures[name] = self._outer.signature_of(name)
            else:
                self._signatures |= self._sources.stamps()
        return self._signatures[name]

    def _fingerprint(self, name: str) -> str:
        """A number for the bag of rows: neither their order nor where they came from changes it."""
        found = self.rows(f"SELECT count(*), sum(CAST(hash(kept) AS HUGEINT)) FROM {name} AS kept")
        return f"rows {found}"

    def ensure(self, sql: str) -> None:
        """Make the staged rows that a statement reads."""
        for name in set(_NAMES.findall(sql)):
            if name in self._sql and name not in self._made:
                self._make(name)
            elif name not in self._sql and self._outer is not None:
                self._outer.ensure(name)

    def _make(self, name: str) -> None:
        self.ensure(self._sql[name])
        rows = self._engine.query(self._sql[name])
        self._engine.register(name, _in_own_memory(rows))
        self._made.add(name)


def _in_own_memory(rows: pa.Table) -> pa.Table:
    """The rows in chunks, copied into Arrow's pool.

    What the engine hands over lies in its own heap, which is left in pieces: a build of 54 million lines kept gigabytes
    that nobody used.
    """
    chunks = (chunk.serialize() for chunk in rows.to_batches(max_chunksize=_ROWS_A_CHUNK))
    return pa.Table.from_batches([pa.ipc.read_record_batch(chunk, rows.schema) for chunk in chunks], rows.schema)
