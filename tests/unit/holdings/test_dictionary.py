"""The dictionary of a view tells nothing of few, and what it tells is rounded down."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Any

import duckdb

from enclos.holdings.steps import read_dictionary

PERSON = {"person_id": "BIGINT", "gender_concept_id": "BIGINT", "year_of_birth": "BIGINT", "month_of_birth": "BIGINT"}
CONDITION = {"person_id": "BIGINT", "condition_concept_id": "BIGINT", "condition_start_date": "DATE"}
DEATH = {"person_id": "BIGINT", "death_date": "DATE"}


def test_numbers_are_counted_over_buckets_rounded_down_and_of_few_not_told() -> None:
    buckets = [_bucket(range(90)), _bucket(range(90, 137))]
    tables = {"person": PERSON, "condition_occurrence": CONDITION, "death": DEATH, "concept": {"concept_id": "BIGINT"}}
    named = {8507: "MALE", 8532: "FEMALE", 7: "seven", 8: "eight"}
    person, condition, death = read_dictionary(
        buckets, tables, floor=10, names=lambda wanted: {each: named[each] for each in wanted}
    )
    assert (person.n_records, person.n_persons) == (130, 130)
    of = {each.column: each for each in person.columns}
    assert of["gender_concept_id"].values == ((8507, "MALE", 60), (8532, "FEMALE", 60))
    assert of["year_of_birth"].values == ((1950, "", 50), (1955, "", None), (1960, "", 80)), "a gap where there are few"
    assert (of["month_of_birth"].n_persons, of["month_of_birth"].values) == (None, ()), "nine persons look like none"
    assert (of["person_id"].n_persons, of["person_id"].kind) == (130, "")
    concepts = next(each for each in condition.columns if each.column == "condition_concept_id")
    assert concepts.values == ((7, "seven", 130), (8, "eight", 10)), "once a person; nine with concept 9 are not told"
    days = next(each for each in condition.columns if each.column == "condition_start_date")
    assert (days.kind, days.values) == ("year", ((2019, "", 50), (2020, "", 130))), "a column's values are its own"
    assert (death.n_records, death.n_persons) == (None, None)
    assert all(each.n_persons is None and not each.values for each in death.columns)


def test_a_table_is_asked_twice_in_a_bucket_and_once_where_it_says_nothing() -> None:
    ask, asked = _bucket(range(30)), []

    def counted(sql: str) -> Iterable[tuple[Any, ...]]:
        asked.append(next(name for name in ("person", "condition_occurrence", "death") if f"FROM {name} AS t" in sql))
        return ask(sql)

    none_died = {**DEATH, "cause_concept_id": "BIGINT"}
    ask("ALTER TABLE death ADD COLUMN cause_concept_id BIGINT")
    ask("DELETE FROM death")
    tables = {"person": PERSON, "condition_occurrence": CONDITION, "death": none_died}
    read_dictionary([counted], tables, floor=10, names=lambda _: {})
    assert Counter(asked) == {"person": 2, "condition_occurrence": 2, "death": 1}


def _bucket(persons: range) -> Any:
    connection = duckdb.connect()
    for table, columns in (("person", PERSON), ("condition_occurrence", CONDITION), ("death", DEATH)):
        connection.execute(f"CREATE TABLE {table} ({', '.join(f'{name} {kind}' for name, kind in columns.items())})")
    for person in persons:
        born = 1951 if person < 50 else 1957 if person < 53 else 1962
        month = 3 if person < 9 else None
        connection.execute("INSERT INTO person VALUES (?, ?, ?, ?)", [person, 8507 + 25 * (person % 2), born, month])
        for concept in [7, 7, 0] + [8] * (person < 12) + [9] * (person < 9):
            connection.execute("INSERT INTO condition_occurrence VALUES (?, ?, ?)", [person, concept, date(2020, 1, 1)])
        if person % 2 and person < 119:
            connection.execute("INSERT INTO condition_occurrence VALUES (?, NULL, ?)", [person, date(2019, 5, 1)])
        if person < 9:
            connection.execute("INSERT INTO death VALUES (?, ?)", [person, date(2021, 1, 1)])

    def ask(sql: str) -> Iterable[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = connection.execute(sql).fetchall()
        return found

    return ask
