"""Attackers who ask a town one question in SQL after the other: of all that left, nothing determines a few persons.

Moves: WHERE moved by one year, a year left out, complements, conditions, padding that changes nothing, margins with and
without their parts, chunks. Every question is read and counted as ``enclos sql --keep`` does, and goes to the desk.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from enclos.contracts.result import StudyResult, result_from_csv
from enclos.contracts.tables import SQL_TABLE
from enclos.stores.engine import Engine, open_engine
from enclos.studies.tables.rules import counted
from enclos.views.sql.steps import check_table
from factories.asking import TERMS
from factories.desk import Desk, sets_shown
from factories.examples import drawn
from oracle.determined import determined

IN_CI = "CI" in os.environ
SEX, BORN, AGED = "gender_concept_id", "year_of_birth", "year_of_birth // 2"
PERSON = st.tuples(st.sampled_from([8507, 8532]), st.integers(1950, 1956))
WHERE = st.sampled_from(
    [
        "",
        *(f"WHERE year_of_birth <= {year}" for year in range(1951, 1956)),
        *(f"WHERE year_of_birth <> {year}" for year in range(1950, 1953)),
        "WHERE NOT (year_of_birth <= 1953)",
        "WHERE gender_concept_id = 8507",
        "WHERE year_of_birth <= 1953 OR 1 = 2",
        "WHERE gender_concept_id = 8507 OR year_of_birth = 1950",
    ]
)
KEYS = st.sampled_from([(), (SEX,), (BORN,), (AGED,), (SEX, AGED), (SEX, BORN), (SEX, "year_of_birth < 1953")])
TOLD = st.sampled_from(
    [
        "count(*)",
        "count(*), count(*) FILTER (WHERE year_of_birth > 1952)",
        "count(*) FILTER (WHERE gender_concept_id = 8507)",
    ]
)
ASKED = st.tuples(KEYS, st.sampled_from(["ALL", "CUBE", "ROLLUP"]), TOLD, WHERE)
People = list[tuple[int, int]]


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with open_engine(threads=1) as engine:
        yield engine


def live(engine: Engine, people: Sequence[tuple[int, int]]) -> None:
    """Make the town."""
    columns = {"person_id": range(len(people)), SEX: [sex for sex, _ in people], BORN: [born for _, born in people]}
    engine.register("incoming", pa.table({name: pa.array(list(each), pa.int64()) for name, each in columns.items()}))
    engine.execute("CREATE OR REPLACE TEMP TABLE scan_0 AS SELECT * FROM incoming")
    engine.unregister("incoming")


def answer(engine: Engine, asked: tuple[tuple[str, ...], str, str, str]) -> StudyResult:
    """What a question gives, with the persons behind it."""
    keys, grouped, told, where = asked
    named = ", ".join(f"{key} AS k{at}" for at, key in enumerate(keys))
    by = "ALL" if grouped == "ALL" or not keys else f"{grouped} ({', '.join(f'k{at}' for at in range(len(keys)))})"
    query = check_table(f"SELECT {named + ', ' if keys else ''}{told} FROM person {where} GROUP BY {by}", TERMS, engine)
    assert query.table is not None
    return counted(engine.query(query.sql), query.table, result_type=SQL_TABLE, name="town", version="1")


@settings(max_examples=drawn(25), deadline=None, derandomize=IN_CI)
@given(st.lists(PERSON, min_size=8, max_size=40), st.lists(ASKED, min_size=1, max_size=4), st.integers(2, 4))
@example([(8507 if at % 2 else 8532, 1950 + at % 5) for at in range(40)], [((SEX, BORN), "CUBE", "count(*)", "")], 4)
def test_no_questions_one_after_the_other_determine_a_few(engine: Engine, people: People, asked: list, k: int) -> None:
    live(engine, people)
    desk, known = Desk(k), set()
    for number, each in enumerate(asked):
        result = answer(engine, each)
        said = desk.ask(result, f"P{number % 2}")
        if not said.leaves:
            continue
        desk.release(said)
        known |= sets_shown(result, result_from_csv(said.table.encode("utf-8"))[0].to_pylist())
        few = determined(known, k)
        assert few is None, f"{len(few)} persons after question {number + 1}"


TOWN = [(sex, born) for sex in (8507, 8532) for born in range(1950, 1957)]


@settings(max_examples=15, deadline=None, derandomize=IN_CI)
@given(st.lists(st.sampled_from(TOWN), min_size=8, max_size=60), st.integers(2, 4))
def test_no_table_with_margins_determines_a_few_to_who_knows_what_the_words_mean(
    engine: Engine, people: People, k: int
) -> None:
    asked = ((SEX, BORN), "CUBE", "count(*)", "")
    live(engine, people)
    said = Desk(k).ask(answer(engine, asked))
    rows = result_from_csv(said.table.encode("utf-8"))[0].to_pylist() if said.leaves else []
    live(engine, TOWN)
    sizes = Counter(people)
    of_kinds = {at: sizes[kind] for at, kind in enumerate(TOWN)}
    assert determined(sets_shown(answer(engine, asked), rows), k, of_kinds) is None


def test_two_questions_that_tell_a_few_together_leave_not_both(engine: Engine) -> None:
    live(engine, [(8507 if at % 2 else 8532, 1950 if at < 5 else 1951 + at % 4) for at in range(101)])
    whole, without = (
        answer(engine, ((SEX,), "ALL", "count(*)", where)) for where in ("", "WHERE year_of_birth > 1950")
    )
    bare = set().union(*(sets_shown(each, each.table.to_pylist()) for each in (whole, without)))
    assert determined(bare, 11) is not None
    desk = Desk(11)
    first = desk.ask(whole)
    assert first.verdict == "pass"
    desk.release(first)
    second = desk.ask(without, "P2")
    assert second.verdict == "refuse"
    assert first.request in " ".join(second.reasons)
