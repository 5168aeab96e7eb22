"""The account of a build while it runs."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any, Protocol

from enclos.contracts.pseudonymised import PSEUDONYMISED
from enclos.warehouse.model import Fate, TableAccount, UnmappedCode, VocabularyShare
from enclos.warehouse.plans.traps import KEPT, Trap


class Asked(Protocol):
    """Whoever answers a query: the engine, or the stage that makes what the query reads."""

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""


def delivered_as_sql(table: str) -> str:
    """What the account calls a line of a table that crossed: where several delivered tables cross as one, its own."""
    several = table in PSEUDONYMISED and "came_as" in PSEUDONYMISED[table].names
    return f"coalesce(came_as, '{table}')" if several else f"'{table}'"


def kept_account(asked: Asked, parts: str) -> Account:
    """The account of a build, from what each of its parts told. In: parts — SQL of the table of its parts."""
    account = Account()
    for (told,) in asked.rows(f"SELECT told FROM {parts} WHERE part LIKE 'delivered %' OR part LIKE 'mapped %'"):
        account.add(told)
    return account


def kept_rows(asked: Asked, parts: str) -> dict[str, int]:
    """The rows of a build by table, from what each of its parts told. In: parts — as for ``kept_account``."""
    found = asked.rows(
        f"SELECT part[6:], CAST(sum(told::BIGINT) AS BIGINT) FROM {parts} WHERE part LIKE 'rows %' GROUP BY 1"
    )
    return {str(table): int(n_rows) for table, n_rows in found}


class Account:
    """Counts lines by table and fate: of one part of a build, or of all of them."""

    def __init__(self) -> None:
        self._delivered: Counter[str] = Counter()
        self._sources: defaultdict[str, set[str]] = defaultdict(set)
        self._mapped: Counter[str] = Counter()
        self._cancelled: Counter[str] = Counter()
        self._fates: dict[Fate, Counter[str]] = {fate: Counter() for fate in Fate}
        self._reasons: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._unmapped: Counter[tuple[str, str | None]] = Counter()
        self.expected: Counter[str] = Counter()
        """Rows that the part puts into each OMOP table."""

    def deliver(self, table: str, source: str, n_lines: int) -> None:
        """So many lines of the table came."""
        self._delivered[table] += n_lines
        self._sources[table].add(source)

    def map(self, table: str, n_lines: int) -> None:
        """So many lines of the table are in rows of the snapshot."""
        self._mapped[table] += n_lines

    def drop(self, table: str, name: str, fate: Fate, n_lines: int) -> None:
        """So many lines of the table fell to a trap or a reason."""
        if n_lines:
            self._fates[fate][table] += n_lines
            self._reasons[table][name] += n_lines

    def unmapped(self, vocabulary: str, code: str | None, n_rows: int) -> None:
        """So many rows bear a code without a standard concept; no code: so many bear codes that have one."""
        self._unmapped[vocabulary, code] += n_rows

    def judge(self, asked: Asked, table: str, stage: str, traps: Sequence[Trap]) -> Counter[str]:
        """Count the verdicts on a table's lines, and those that cancelled.

        Out: the mapped lines by delivered table, which the caller counts.
        """
        found = asked.rows(
            f"SELECT {delivered_as_sql(table)} AS came, verdict, CAST(sum(n_lines) AS BIGINT), "
            f"CAST(sum(n_mapped) AS BIGINT) FROM {stage} GROUP BY ALL"
        )
        mapped: Counter[str] = Counter()
        for came, verdict, n_lines, n_mapped in found:
            if verdict == KEPT:
                self._cancelled[came] += n_lines - n_mapped
                mapped[came] += n_mapped
            else:
                trap = traps[verdict - 1]
                self.drop(came, trap.name, trap.fate, n_lines)
        return mapped

    def as_text(self) -> str:
        """All of it, to be kept with the part that told it."""
        document = {
            "delivered": self._delivered,
            "sources": {table: sorted(sources) for table, sources in self._sources.items()},
            "mapped": self._mapped,
            "cancelled": self._cancelled,
            "fates": {fate.value: counts for fate, counts in self._fates.items()},
            "reasons": self._reasons,
            "unmapped": [[*code, n_rows] for code, n_rows in self._unmapped.items()],
            "expected": self.expected,
        }
        return json.dumps({name: value for name, value in document.items() if value})

    def add(self, text: str) -> None:
        """Add what ``as_text`` kept."""
        document = json.loads(text)
        self._delivered.update(document.get("delivered", {}))
        self._mapped.update(document.get("mapped", {}))
        self._cancelled.update(document.get("cancelled", {}))
        self.expected.update(document.get("expected", {}))
        for table, sources in document.get("sources", {}).items():
            self._sources[table].update(sources)
        for fate, counts in document.get("fates", {}).items():
            self._fates[Fate(fate)].update(counts)
        for table, counts in document.get("reasons", {}).items():
            self._reasons[table].update(counts)
        for vocabulary, code, n_rows in document.get("unmapped", []):
            self._unmapped[vocabulary, code] += n_rows

    def tables(self) -> tuple[TableAccount, ...]:
        """The account, one entry per table that came."""
        return tuple(
            TableAccount(
                table=table,
                sources=tuple(sorted(self._sources[table])),
                delivered=self._delivered[table],
                mapped=self._mapped[table],
                cancelled=self._cancelled[table],
                filtered=self._fates[Fate.FILTERED][table],
                rejected=self._fates[Fate.REJECTED][table],
                reasons=dict(self._reasons[table]),
            )
            for table in sorted(self._delivered)
        )

    def codes(self) -> tuple[UnmappedCode, ...]:
        """The codes without a standard concept, the most frequent first."""
        found = [(vocabulary, code, n) for (vocabulary, code), n in self._unmapped.items() if code is not None]
        return tuple(UnmappedCode(*one) for one in sorted(found, key=lambda one: (-one[2], one[0], one[1])))

    def vocabularies(self) -> tuple[VocabularyShare, ...]:
        """How much of each vocabulary's rows has a standard concept, the most unmapped rows first."""
        rows, lost, codes = Counter[str](), Counter[str](), Counter[str]()
        for (vocabulary, code), n_rows in self._unmapped.items():
            rows[vocabulary] += n_rows
            lost[vocabulary] += n_rows if code is not None else 0
            codes[vocabulary] += code is not None
        names = sorted(rows, key=lambda name: (-lost[name], name))
        return tuple(VocabularyShare(name, rows[name], lost[name], codes[name]) for name in names)
