"""C2: adding or removing anybody whom the permit hides changes nothing that a person can observe in SQL."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from enclos.lexicon.refusals import Refusal
from enclos.stores.engine import Engine, open_engine
from factories.asking import RARE, VISIBLE, Asked, small_base

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
