"""Cross one person again, inside the vault, and keep beside each row the landed lines that it comes from."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa

from enclos.contracts.delivered.document import Kind
from enclos.contracts.pseudonymised import PSEUDONYMISED, VOCABULARY
from enclos.contracts.sql import SqlEngine
from enclos.lexicon.keys import BlockCipher
from enclos.pseudonyms import rules
from enclos.pseudonyms.model import CrossedTable
from enclos.pseudonyms.plans import persons
from enclos.pseudonyms.ports import CrossingWriter, Landed
from enclos.pseudonyms.steps.crossing import landed_deliveries
from enclos.pseudonyms.steps.kinds import CROSSINGS
from enclos.pseudonyms.steps.tables import OpenUnit

LINES = ("_line", "_prestation", "_chained")
"""The landed lines that a judged row may name: its own, its prestation's, that of the stay or certificate it is of."""


@dataclass(frozen=True, slots=True)
class TracedTable:
    """Rows of one person as they crossed, and for each the landed lines it comes from."""

    table: str
    rows: pa.Table
    lines: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class TracedUnit(OpenUnit):
    """A unit that is crossed again for one person; nothing is written."""

    person_id: int = 0
    found: list[TracedTable] = field(default_factory=list)

    def _cross(self, family: str, into: str, judged: str, n_landed: int) -> CrossedTable:
        contract = PSEUDONYMISED.get(into) or VOCABULARY[into]
        if "person_id" in contract.names:
            told = self.engine.query(f"SELECT * FROM ({judged}) AS judged LIMIT 0").schema.names
            values = [f'CAST({"0" if c.name == "bucket" else c.name} AS {c.sql_type}) AS "{c.name}"' for c in contract]
            values += [name if name in told else f"CAST(NULL AS BIGINT) AS {name}" for name in LINES]
            rows = self.engine.query(
                f"SELECT {', '.join(values)} FROM ({judged}) AS judged "
                f"WHERE _left IS NULL AND person_id = {self.person_id} ORDER BY _line"
            )
            named = zip(*(rows[name].to_pylist() for name in LINES), strict=True)
            lines = tuple(tuple(line for line in each if line is not None) for each in named)
            if rows.num_rows:
                self.found.append(TracedTable(into, rows.drop_columns(list(LINES)), lines))
        return CrossedTable(self.unit.source, family, into, n_landed, n_landed, {})


def trace_person(
    engine: SqlEngine,
    landed: Landed,
    crossing: CrossingWriter,
    cipher: BlockCipher,
    person_id: int,
) -> list[TracedTable]:
    """What crossed of one person, each row with its landed lines; nothing is written.

    Empty: nobody has the number.
    """
    known = engine.rows("SELECT DISTINCT source FROM vault.person_map WHERE person_id = ?", [person_id])
    sources = {str(row[0]) for row in known}
    crossed = [tuple(str(each) for each in note["deliveries"]) for note in crossing.notes().values()]
    found: list[TracedTable] = []
    for unit in rules.units_of(landed_deliveries(engine), crossed):
        if unit.source not in sources or unit.kind == Kind.VOCABULARY.value:
            continue
        counted = engine.rows(
            "SELECT family, sum(n_landed) FROM vault.landed WHERE list_contains(?, delivery_id) "
            "GROUP BY family HAVING sum(n_landed) > 0 ORDER BY family",
            [[delivery.delivery_id for delivery in unit.deliveries]],
        )
        n_landed = {str(family): int(n) for family, n in counted}
        traced = TracedUnit(
            engine, landed, crossing, cipher, unit, "", 1, n_landed, brings_vocabulary=False, person_id=person_id
        )
        try:
            if n_landed:
                CROSSINGS[Kind(unit.kind)](traced)
        finally:
            for statement in persons.plan_forget():
                engine.execute(statement)
        found += traced.found
    return found
