"""What every part of a pass does: write a table's rows and tell its piece of the account, unless nothing changed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from enclos.contracts.sql import SqlEngine
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.lexicon.spans import Span
from enclos.warehouse.model import Cut
from enclos.warehouse.plans import (
    named_rows,
)
from enclos.warehouse.plans.durations import DurationRule
from enclos.warehouse.plans.parts import (
    Part,
    emptied_sql,
)
from enclos.warehouse.plans.traps import Trap
from enclos.warehouse.steps.account import Account
from enclos.warehouse.steps.records import ROWS, Records
from enclos.warehouse.steps.sources import Sources
from enclos.warehouse.steps.stage import Stage


@dataclass(frozen=True, slots=True)
class Written:
    """Where the rows of the build go, by table, and what the build knows before the first bucket."""

    names: Mapping[str, str]
    domains: Mapping[str, frozenset[str]]
    """By vocabulary, the domains that its codes lead to."""
    days: Span | None
    """The days that the national deliveries cover."""
    duration: DurationRule
    intents: tuple[str, ...]
    """Intents of a hospital's prescription that order a drug."""
    n_buckets: int
    rules: str
    """What everything depends on beside what it reads."""
    shared: Stage
    """Codes and places."""


class Writing:
    """The writing of the rows of a cut, and of its account."""

    def __init__(
        self,
        engine: SqlEngine,
        sources: Sources,
        number: int,
        cut: Cut,
        written: Written,
        records: Records,
        account: Account,
        counts: Counter[str],
        rebuilt: defaultdict[str, set[int]],
        phase: Callable[[str], AbstractContextManager[None]],
    ) -> None:
        self._engine = engine
        self._sources = sources
        self._number = number
        self._cut = cut
        self._written = written
        self._records = records
        self._account = account
        self._counts = counts
        self._rebuilt = rebuilt
        self._phase = phase
        self._stage = Stage(engine, sources, written.rules, outer=written.shared, outputs=written.names)
        self._bucket = f"CAST(person_id % {written.n_buckets} AS INTEGER)"

    def _tell(self, part: str, tell: Callable[[Account], None], *reads: str) -> Account:
        """Add a part's piece of the account: what it said before, when nothing it reads has changed since."""

        def anew() -> str:
            piece = Account()
            tell(piece)
            return piece.as_text()

        told = self._records.keep_or_make(self._number, part, self._stage.signature(*reads), anew)
        self._account.add(told)
        piece = Account()
        piece.add(told)
        return piece

    def _write(self, table: str, rows: str, expected: int | None = None) -> None:
        """Write a table's rows, or leave those that are there when nothing they come from has changed.

        In: rows — the table's columns, ``bucket`` first; empty: none.
        """
        part, name = f"{ROWS} {table}", self._written.names[table]

        def anew() -> str:
            if self._records.told_before(self._number, part) not in (None, "0"):
                self._engine.execute(emptied_sql(table, name, self._cut))
            self._rebuilt[table] |= set(self._cut.buckets)
            return str(self._stage.scalar(f"INSERT INTO {name} {rows}") if rows else 0)

        signature = self._stage.signature(rows)
        n_rows = int(self._records.keep_or_make(self._number, part, signature, anew))
        if expected is not None and n_rows != expected:
            raise refusal(
                Code.BUILD_UNBALANCED,
                f"The build was not kept: {table} did not receive the rows that were mapped to it.",
                "The snapshot before it stays. Report this as a bug of the mapping, with the name of the table.",
            )
        self._stage.wrote(table, signature)
        self._counts[table] += n_rows

    def _with_bucket(self, rows: str) -> str:
        return f"SELECT {self._bucket} AS bucket, * FROM ({rows})"

    def _write_parts(
        self, table: str, parts: Sequence[Part], expected: int, laid_out: Callable[[str, Sequence[Part], str], str]
    ) -> None:
        self._write(table, laid_out(table, parts, self._bucket) if parts else "", expected)

    def _tell_named(self, table: str, counted: str) -> None:
        """Account for lines that name rows, each mapped where the rows were delivered."""

        def tell(piece: Account) -> None:
            ((n_lines, n_mapped),) = self._stage.rows(counted)
            piece.map(table, n_mapped)
            piece.drop(table, named_rows.NO_ROW.name, named_rows.NO_ROW.fate, n_lines - n_mapped)

        self._tell(f"mapped {table}", tell, counted)


def tell_lines(stage: Stage, table: str, traps: Sequence[Trap], piece: Account) -> None:
    """Judge a table's lines, each of which is mapped or not."""
    piece.judge(stage, table, f"stage_{table}", traps)
    piece.map(table, int(stage.scalar(f"SELECT coalesce(sum(n_mapped), 0) FROM stage_{table}")))
