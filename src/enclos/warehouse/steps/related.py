"""The part of the vocabulary that can matter to a few rows, so that a person is made again without Athena's millions.

Codes are compared by their last signs only, numbers without zeros in front: a concept too many changes nothing, since
the build asks by the exact code. What codes lead to is followed as far as a build follows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import pyarrow as pa

from enclos.contracts.sql import SqlEngine
from enclos.warehouse.model import VocabularyStep
from enclos.warehouse.plans.vocabulary import code_key_sql

VOCABULARY_PARTS: tuple[str, ...] = (
    "concept",
    "concept_relationship",
    "concept_ancestor",
    "source_to_concept_map",
    "drug_strength",
)
"""Vocabulary tables that are cut to what can matter; the others are small."""
_MOST_STEPS = 10
_FOLLOWED = "relationship_id IN ('Maps to', 'Concept replaced by')"


def relate(
    engine: SqlEngine, relation: Callable[[str], str | None], tables: Mapping[str, pa.Table], prefix: str
) -> frozenset[str]:
    """Make temporary tables of the concepts that the rows name, of all that these lead to, and of what is above them.

    In: relation — a vocabulary table as it was delivered, None when it was not; prefix — of the names made.
    Out: the vocabulary tables made.
    """
    every = {table: found for table in VOCABULARY_PARTS if (found := relation(table)) is not None}
    engine.register(f"{prefix}named", pa.table({"word": pa.array(sorted(_words(tables)), pa.string())}))
    engine.register(f"{prefix}numbers", pa.table({"id": pa.array(sorted(_numbers(tables)), pa.int64())}))
    try:
        asked = [f"SELECT id FROM {prefix}numbers"]
        if "source_to_concept_map" in every:
            mapped = f"{prefix}source_to_concept_map"
            _make(engine, mapped, f"FROM {every['source_to_concept_map']} WHERE {_named('source_code', prefix)}")
            asked += [f"SELECT unnest([source_concept_id, target_concept_id]) FROM {mapped}"]
        if "concept" in every:
            asked.append(f"SELECT concept_id FROM {every['concept']} WHERE {_named('concept_code', prefix)}")
        _make(engine, f"{prefix}led", f"SELECT DISTINCT id FROM ({' UNION ALL '.join(asked)}) AS x(id) WHERE id > 0")
        if "concept_relationship" in every:
            _follow(engine, every["concept_relationship"], prefix)
        more = [f"SELECT id FROM {prefix}led"]
        for table, (below, above) in {
            "concept_ancestor": ("descendant_concept_id", ("ancestor_concept_id",)),
            "drug_strength": (
                "drug_concept_id",
                ("ingredient_concept_id", "amount_unit_concept_id", "numerator_unit_concept_id"),
            ),
        }.items():
            if table in every:
                _make(engine, f"{prefix}{table}", f"FROM {every[table]} WHERE {below} IN (FROM {prefix}led)")
                more += [f"SELECT {name} FROM {prefix}{table} WHERE {name} IS NOT NULL" for name in above]
        if "concept" in every:
            wanted = f"vocabulary_id = 'UCUM' OR concept_id IN ({' UNION ALL '.join(more)})"
            _make(engine, f"{prefix}concept", f"FROM {every['concept']} WHERE {wanted}")
    finally:
        engine.unregister(f"{prefix}named")
        engine.unregister(f"{prefix}numbers")
    return frozenset(every)


def vocabulary_path(
    engine: SqlEngine, prefix: str, related: frozenset[str], source: int | None, standard: int | None, *, copied: bool
) -> tuple[VocabularyStep, ...]:
    """From a row's source concept to its standard one, by the relationships that lead there.

    In: prefix, related — as ``relate`` made them; copied — whether the row came with its concepts, which nobody asked.
    Empty: the row has no concept.
    """
    if "concept" not in related:
        return ()
    first = "as delivered" if copied else "source concept"
    steps = [_concept(engine, prefix, source, first)] if source else []
    if not standard:
        return (*steps, VocabularyStep("no standard concept", 0)) if standard == 0 else tuple(steps)
    if copied or source == standard:
        return tuple(steps) if source == standard else (*steps, _concept(engine, prefix, standard, first))
    begins = [source] if source else []
    if not begins or _way(engine, prefix, related, begins, standard) is None:
        begins = []
        if "source_to_concept_map" in related:
            of_source = f"WHERE source_concept_id = {source}" if source else ""
            found = engine.rows(f"SELECT DISTINCT target_concept_id FROM {prefix}source_to_concept_map {of_source}")
            begins = [
                target for (target,) in sorted(found) if _way(engine, prefix, related, [target], standard) is not None
            ][:1]
        steps += [_concept(engine, prefix, target, "SOURCE_TO_CONCEPT_MAP") for target in begins]
    way = _way(engine, prefix, related, begins, standard) if begins else []
    return (*steps, *(_concept(engine, prefix, target, relationship) for relationship, target in way or []))


def _way(
    engine: SqlEngine, prefix: str, related: frozenset[str], begins: list[int], end: int
) -> list[tuple[str, int]] | None:
    """The shortest way, each step a relationship and where it leads; None when there is none."""
    ways: dict[int, list[tuple[str, int]]] = {begin: [] for begin in begins}
    new = list(begins)
    for _ in range(_MOST_STEPS):
        if end in ways or not new or "concept_relationship" not in related:
            break
        reached = engine.rows(
            f"SELECT concept_id_1, relationship_id, concept_id_2 FROM {prefix}concept_relationship "
            f"WHERE concept_id_1 IN ({', '.join(map(str, new))}) AND coalesce(invalid_reason, '') = '' "
            "ORDER BY relationship_id DESC, concept_id_2"
        )
        new = []
        for one, relationship, other in reached:
            if other not in ways:
                ways[other] = [*ways[one], (relationship, other)]
                new.append(other)
    return ways.get(end)


def _concept(engine: SqlEngine, prefix: str, concept_id: int, step: str) -> VocabularyStep:
    found = engine.rows(
        "SELECT vocabulary_id, concept_code, coalesce(standard_concept = 'S', false), "
        f"coalesce(invalid_reason, '') = '' FROM {prefix}concept WHERE concept_id = {concept_id}"
    )
    return VocabularyStep(step, concept_id, *found[0]) if found else VocabularyStep(step, concept_id)


def _follow(engine: SqlEngine, relationships: str, prefix: str) -> None:
    """What the concepts lead to, by 'Maps to' and 'Concept replaced by', until nothing new is reached."""
    found, led, new = f"{prefix}concept_relationship", f"{prefix}led", f"{prefix}new"
    _make(engine, found, f"FROM {relationships} LIMIT 0")
    _make(engine, new, f"FROM {led}")
    while engine.scalar(f"SELECT count(*) FROM {new}"):
        engine.execute(f"INSERT INTO {found} FROM {relationships} WHERE {_FOLLOWED} AND concept_id_1 IN (FROM {new})")
        _make(engine, new, f"SELECT DISTINCT concept_id_2 AS id FROM {found} WHERE concept_id_2 NOT IN (FROM {led})")
        engine.execute(f"INSERT INTO {led} FROM {new}")
    engine.execute(f"DROP TABLE {new}")


def _make(engine: SqlEngine, name: str, rows: str) -> None:
    engine.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {rows}")


def _named(code: str, prefix: str) -> str:
    """Whether a code, or the CIP7 or UCD7 within it, may be one that the rows bear."""
    key = code_key_sql(code)
    inner = f"CASE WHEN length({key}) = 13 THEN {key}[6:12] END"
    return f"(ltrim({key}, '0') IN (FROM {prefix}named) OR ltrim({inner}, '0') IN (FROM {prefix}named))"


def _words(tables: Mapping[str, pa.Table]) -> Iterator[str]:
    """Every way in which a value of the rows may be written as a code, without zeros in front."""
    seen = set()
    for rows in tables.values():
        for name, column in zip(rows.schema.names, rows.columns, strict=True):
            if name in ("person_id", "bucket") or not (
                pa.types.is_string(column.type) or pa.types.is_integer(column.type)
            ):
                continue
            for value in column.unique().to_pylist():
                key = str(value).strip().replace(".", "").upper() if value is not None else ""
                seen |= {key, key.split("+")[0], key[:7]} | ({key[5:12], key[6:13]} if len(key) == 13 else set())
    return (word for word in {word.lstrip("0") for word in seen} if word)


def _numbers(tables: Mapping[str, pa.Table]) -> set[int]:
    """The concepts that the rows name by number."""
    return {
        value
        for rows in tables.values()
        for name, column in zip(rows.schema.names, rows.columns, strict=True)
        if name.endswith("concept_id")
        for value in column.unique().to_pylist()
        if value
    }
