"""C2: adding or removing anybody whom the permit hides changes nothing that a person can observe in SQL."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from enclos.lexicon.refusals import Refusal
from enclos.stores.engine import Engine, open_engine
from enclos.views.sql.steps import check_query
from factories.asking import HIDDEN, RARE, TABLES, TERMS, VISIBLE, Asked, small_base
from factories.duckdb_grammar import Statements
from oracle.queries import queries

pytestmark = pytest.mark.system("bubblewrap")

RARE_ROWS = f"FROM condition_occurrence WHERE condition_concept_id = {RARE}"
IN_ALL = "SELECT count(*) AS n FROM condition_occurrence"
IF_RARE = f"CASE WHEN condition_concept_id = {RARE} THEN"
QUESTIONS = {
    "18 and 19: a cast that fails": f"SELECT CAST('LEAK' || person_id AS INTEGER) AS x {RARE_ROWS}",
    "19: an overflow": f"SELECT 9223372036854775807 + person_id AS x {RARE_ROWS}",
    "19: a division": f"SELECT 1 // (person_id - person_id) AS x {RARE_ROWS}",
    "19: a bad day": f"SELECT strptime('x' || person_id, '%Y') AS x {RARE_ROWS}",
    "19: a bad pattern": f"{IN_ALL} WHERE regexp_matches('a', {IF_RARE} '(' ELSE 'a' END)",
    "20: a fault or none": f"{IN_ALL} WHERE {IF_RARE} CAST('x' AS INTEGER) ELSE 1 END = 1",
    "20: a fault for all": "SELECT CAST('x' || person_id AS INTEGER) AS x FROM condition_occurrence",
    "22: memory": f"SELECT max(length(lpad('x', {IF_RARE} 400000000 ELSE 1 END, 'y'))) AS n FROM condition_occurrence",
    "23: the order of rows": "SELECT * FROM drug_exposure LIMIT 7",
    "23: the first of rows": "SELECT first(person_id) AS f, list(drug_concept_id) AS l FROM drug_exposure",
    "23: a sum of fractions": "SELECT sum(quantity / 3) AS s, avg(quantity) AS a FROM drug_exposure",
    "24: a key that only hidden rows have": f"SELECT count(*) AS n FROM condition_occurrence c JOIN death d "
    f"ON d.person_id = c.person_id AND c.condition_concept_id = {RARE}",
    "counts": "SELECT condition_concept_id, count(*) AS n FROM condition_occurrence GROUP BY 1 ORDER BY 1",
    "nobody": "SELECT count(*) AS n, min(person_id) AS a, max(year_of_birth) AS b FROM person",
}


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with open_engine() as engine:
        yield engine


def observed(engine: Engine, question: str, hidden: frozenset[int]) -> str:
    """Everything that the person gets: values in their order, or the refusal in its words."""
    try:
        return str(Asked(engine, small_base(VISIBLE, hidden), hidden=hidden).sql(QUESTIONS[question]).to_pylist())
    except Refusal as refused:
        return str(refused)


@cache
def alone(question: str) -> str:
    """What the person gets where nobody is hidden."""
    with open_engine() as engine:
        return observed(engine, question, frozenset())


@pytest.mark.parametrize("question", QUESTIONS)
def test_c2_18_to_24_hidden_persons_change_nothing(engine: Engine, question: str) -> None:
    assert observed(engine, question, frozenset(range(101, 108))) == alone(question)


@given(
    question=st.sampled_from(sorted(QUESTIONS)), hidden=st.frozensets(st.integers(101, 140), min_size=1, max_size=20)
)
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_hidden_persons_change_nothing(engine: Engine, question: str, hidden: frozenset[int]) -> None:
    assert observed(engine, question, hidden) == alone(question)


def told(permit: Asked, text: str) -> tuple[str, str, int]:
    """Everything that the person gets of any statement: values in their order, the code of a refusal, how many rows."""
    try:
        answer = permit.sql(text)
    except Refusal as refused:
        return str(refused), refused.code.value[0], -1
    return str(answer.to_pylist()), "", answer.num_rows


def statements(seed: int, n_statements: int) -> list[str]:
    """Statements of the DuckDB grammar that the guard lets through."""
    grammar, found = Statements(seed), []
    with open_engine() as engine:
        while len(found) < n_statements:
            text = grammar.next()
            with suppress(Refusal):
                check_query(text, TERMS, engine)
                found.append(text)
    return found


@given(
    asked=st.lists(queries(TABLES), min_size=4, max_size=4, unique=True),
    seed=st.integers(0, 10**6),
    hidden=st.frozensets(st.integers(101, 140), min_size=1, max_size=20),
)
@settings(max_examples=3, deadline=None)
def test_any_statement_of_the_grammars_tells_nothing_of_hidden_persons(
    asked: list[str], seed: int, hidden: frozenset[int]
) -> None:
    with open_engine() as engine, open_engine() as other:
        with_hidden = Asked(engine, small_base(VISIBLE, hidden), hidden=hidden)
        without = Asked(other, small_base(VISIBLE, ()), hidden=())
        for text in (*asked, *statements(seed, 4)):
            assert told(with_hidden, text) == told(without, text), text


N_PAIRS, TIMING_BUCKET = 5, 0.5
"""Pairs of questions; seconds of a bucket in which what was measured is told."""


def slow_for(concept: int) -> str:
    """A question that takes long for each row of a diagnosis, and no time where there is none."""
    return (
        f"SELECT count(*) AS n FROM condition_occurrence WHERE condition_concept_id = {concept} AND levenshtein("
        "lpad(condition_concept_id::VARCHAR, 20000, 'x'), lpad(person_id::VARCHAR, 20000, 'y')) > 0"
    )


def test_c2_21_how_long_it_takes_does_not_tell_what_hidden_persons_have(
    engine: Engine, record_property: Callable[[str, object], None]
) -> None:
    base = small_base(VISIBLE, HIDDEN)
    for row in base["condition_occurrence"]:  # the control: one of those who are shown has it as well as the hidden
        if row["person_id"] == min(VISIBLE):
            row["condition_concept_id"] = RARE + 1
    n_hidden = sum(row["condition_concept_id"] == RARE for row in base["condition_occurrence"])
    n_shown = sum(row["condition_concept_id"] == RARE + 1 for row in base["condition_occurrence"])
    permit = Asked(engine, base)
    spent: dict[str, list[float]] = {"rare": [], "nobody": [], "shown": []}
    concepts = {"rare": RARE, "nobody": RARE + 2, "shown": RARE + 1}
    for turn in range(N_PAIRS):
        for name in sorted(concepts, reverse=bool(turn % 2)):
            began = time.perf_counter()
            permit.sql(slow_for(concepts[name]))
            spent[name].append(time.perf_counter() - began)
    shortest = {name: min(seconds) for name, seconds in spent.items()}
    for name, seconds in spent.items():
        record_property(f"{name}: buckets of {TIMING_BUCKET} s", sorted(int(s / TIMING_BUCKET) for s in seconds))
    a_row = (shortest["shown"] - shortest["nobody"]) / n_shown
    assert a_row > 0.1, "the control must be noticed, or nothing is measured"
    assert shortest["rare"] - shortest["nobody"] < n_hidden * a_row / 4
