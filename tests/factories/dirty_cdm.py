"""A small CDM with the faults that quality checks look for, and engine relations over plain rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

import pyarrow as pa

from enclos.lexicon.ids import ORDINALS_PER_PERSON
from enclos.stores.engine import Engine
from oracle.quality import Cdm, Row, check_list

_ARROW = {
    "integer": pa.int64(),
    "float": pa.float64(),
    "date": pa.date32(),
    "datetime": pa.timestamp("us"),
    "text": pa.string(),
}
_CONCEPTS = (0, 8507, 8532, 8840, 26662, 192367, 4041261, 3013721, 3006315, 8645, 77, 78)
_ABSENT = ("cost", "note_nlp")


def small_cdm(seed: int = 1, n_rows: int = 6, version: str = "5.3") -> Cdm:
    """Tables of a CDM version with up to ``n_rows`` random rows each: NULLs, orphans, duplicates, impossible dates."""
    random = Random(seed)  # noqa: S311  # drawn from a seed, guards nothing
    specs: dict[str, dict[str, dict[str, str]]] = {}
    for spec in check_list(f"fields_{version}.csv"):
        specs.setdefault(spec["table"], {})[spec["field"]] = spec
    cdm: Cdm = {
        table: [_row(random, fields) for _ in range(random.randint(1, n_rows))]
        for table, fields in specs.items()
        if table not in _ABSENT
    }
    cdm["concept"] = [_concept(random, concept) for concept in random.sample(_CONCEPTS, 9)]
    cdm["concept"].append(_concept(random, 78))
    cdm["concept_ancestor"] = [
        {"ancestor_concept_id": ancestor, "descendant_concept_id": random.choice(_CONCEPTS)}
        for ancestor in (4041261, 4250917, 443343)
        for _ in range(2)
    ]
    return cdm


def composed(cdm: Cdm, version: str) -> Cdm:
    """Numbers of rows as the warehouse composes them: so they say a bucket, and more than one."""
    numbers = {
        (spec["table"], spec["field"])
        for spec in check_list(f"fields_{version}.csv")
        if (spec["primary_key"] == "1" or spec["foreign_table"] not in {"", "concept", "person"})
        and spec["type"] == "integer"
        and spec["field"] != "person_id"
    }

    def value(table: str, name: str, known: object) -> object:
        is_number = (table, name) in numbers and isinstance(known, int)
        return known * ORDINALS_PER_PERSON if is_number else known  # type: ignore[operator]

    return {
        table: [{name: value(table, name, known) for name, known in row.items()} for row in rows]
        for table, rows in cdm.items()
    }


def _row(random: Random, fields: dict[str, dict[str, str]]) -> Row:
    return {name: _value(random, name, spec) for name, spec in fields.items()}


def _value(random: Random, name: str, spec: dict[str, str]) -> Any:
    if random.random() < 0.15:
        return None
    made: dict[str, Callable[[], Any]] = {
        "date": lambda: _date(random),
        "datetime": lambda: datetime.combine(_date(random), time(random.randint(0, 23))),
        "float": lambda: random.choice((-1.0, 0.0, 0.5, 3.0)),
        "text": lambda: random.choice(("a", "b", "c", "")),
        "integer": lambda: _whole(random, name),
    }
    return made[spec["type"]]()


def _whole(random: Random, name: str) -> int:
    if name == "year_of_birth":
        return random.choice((1700, 1950, 1980, 2000, 3000))
    if name in {"month_of_birth", "day_of_birth"}:
        return random.choice((0, 1, 2, 12, 31))
    return random.choice((*_CONCEPTS, 999)) if "concept_id" in name else random.randint(-1, 6)


def _date(random: Random) -> date:
    base = random.choice((date(1849, 12, 31), date(1949, 12, 31), date(1980, 6, 1), date(2000, 1, 1), date(2025, 7, 1)))
    return base + timedelta(days=random.choice((-60, -8, -7, -1, 0, 0, 1, 7, 8, 61)))


def _concept(random: Random, concept: int) -> Row:
    return {
        "concept_id": concept,
        "domain_id": random.choice(("Gender", "Condition", "Drug", "Type Concept", None)),
        "concept_class_id": random.choice(("Ingredient", "Clinical Finding", None)),
        "standard_concept": random.choice(("S", "S", "C", None)),
        "invalid_reason": random.choice((None, None, "D")),
    }


@contextmanager
def as_relations(engine: Engine, cdm: Cdm, version: str = "5.3") -> Iterator[Callable[[str], str | None]]:
    """Register every table with the types of its field list; yields the relation of a table, or None."""
    types = {(spec["table"], spec["field"]): _ARROW[spec["type"]] for spec in check_list(f"fields_{version}.csv")}
    for table, rows in cdm.items():
        names = list(rows[0])
        schema = pa.schema([(name, types.get((table, name), _guessed(rows, name))) for name in names])
        engine.register(f"dirty_{table}", pa.Table.from_pylist(rows, schema=schema))
    try:
        yield lambda table: f"dirty_{table}" if table in cdm else None
    finally:
        for table in cdm:
            engine.unregister(f"dirty_{table}")


def _guessed(rows: list[Row], name: str) -> pa.DataType:
    return pa.int64() if name.endswith(("concept_id", "bucket")) and not isinstance(rows[0][name], str) else pa.string()
