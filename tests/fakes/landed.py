"""A landing zone in memory: rows by kind and table, seen through the same port."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from enclos.contracts.delivered.document import Kind
from enclos.contracts.delivered.tables import delivered_tables
from enclos.contracts.sql import SqlEngine
from enclos.contracts.vault import VAULT_DDL


def literal(value: object) -> str:
    return "NULL" if value is None else "'" + str(value).replace("'", "''") + "'"


class LandedInMemory:
    def __init__(self, engine: SqlEngine) -> None:
        self._engine = engine
        self._rows: dict[tuple[str, str], list[tuple[str, int, Mapping[str, object]]]] = {}
        self._n_deliveries = 0
        self.destroyed: list[str] = []
        engine.execute("ATTACH ':memory:' AS vault")
        for statement in VAULT_DDL:
            engine.execute(statement)

    def close(self) -> None:
        self._engine.execute("DETACH vault")

    def deliver(self, kind: Kind, source: str, tables: Mapping[str, Sequence[Mapping[str, object]]]) -> None:
        """Land rows as the next delivery."""
        self._n_deliveries += 1
        number = self._n_deliveries
        name, at = f"delivery-{number}", datetime.fromisoformat("2026-03-01")
        self._engine.execute(
            "INSERT INTO vault.deliveries VALUES (?, ?, ?, ?, NULL, NULL, ?, '{}')",
            [name, number, source, kind.value, at],
        )
        for family, rows in tables.items():
            self._rows.setdefault((kind.value, family), []).extend((source, number, row) for row in rows)
            self._engine.execute(
                "INSERT INTO vault.landed VALUES (?, ?, ?, ?, ?, ?, 'there', 'link-key', [], 'f', 'h', ?, ?, 0)",
                [name, number, source, kind.value, family, family, len(rows), len(rows)],
            )

    def relation(
        self,
        kind: str,
        family: str,
        columns: Sequence[str],
        *,
        source: str | None = None,
        deliveries: Sequence[int] = (),
    ) -> str:
        types = {c.name: c.sql_type for c in delivered_tables(Kind(kind))[family.lower()].columns}
        selects = []
        for line, (of_source, number, row) in enumerate(self._rows.get((kind, family), [])):
            if (source and source != of_source) or (deliveries and number not in deliveries):
                continue
            values = [f'CAST({literal(row.get(c))} AS {types[c]}) AS "{c}"' for c in columns]
            hidden = [
                f"'{of_source}' AS _source",
                f"'{family}' AS _table",
                f"{number} AS _delivery",
                f"{line} AS _line",
            ]
            selects.append(f"SELECT {', '.join([*values, *hidden])}")
        if not selects:
            values = [f'CAST(NULL AS {types[c]}) AS "{c}"' for c in columns]
            hidden = ["'' AS _source", "'' AS _table", "0 AS _delivery", "0 AS _line"]
            selects.append(f"SELECT {', '.join([*values, *hidden])} WHERE false")
        return f"({' UNION ALL '.join(selects)})"

    def destroy_link(self, delivery_id: str, key_subject: str) -> None:  # noqa: ARG002 - the port's words
        self.destroyed.append(delivery_id)
