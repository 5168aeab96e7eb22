"""Statements from a grammar of DuckDB, honest and hostile: what the guard lets through reads granted tables only."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import duckdb
import pytest

from enclos.lexicon.refusals import Refusal
from enclos.stores.engine import Engine, open_engine
from enclos.views.sql.model import CheckedQuery
from enclos.views.sql.steps import check_query
from factories.asking import TERMS, Asked, small_base
from factories.duckdb_grammar import Statements

pytestmark = pytest.mark.system("bubblewrap")

ESCAPES = re.compile(
    r"patients|\bnir\b|read_|secret|duckdb_|pragma|pg_|information_schema|sqlite_|glob\(|query|getvariable|rowid|getenv"
    r"|error\(|stats\(|columns\(|current_|\bset\b|attach|copy|some_frame|lambda|->|unnest|range\(|random|sample|\$|hash\(",
    re.IGNORECASE,
)

QUOTED = re.compile(r"""\"(?:[^"]|\"\")*\"|'(?:[^']|'')*'""")


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with open_engine() as engine:
        yield engine


def let_through(engine: Engine, n_statements: int, seed: int) -> list[CheckedQuery]:
    statements, passed = Statements(seed), []
    for _ in range(n_statements):
        text = statements.next()
        try:
            passed.append(check_query(text, TERMS, engine))
        except Refusal:
            continue
    return passed


def check_escapes(passed: list[CheckedQuery]) -> None:
    """Held against what the guard does not use: the text, the kinds of statements and the tables that DuckDB names."""
    with duckdb.connect() as independent:
        for query in passed:
            text = QUOTED.sub(lambda name: re.sub(r"\W", "", name[0]), query.sql)  # signs in quotes do nothing
            assert not ESCAPES.search(text), query.sql
            kinds = [statement.type for statement in independent.extract_statements(query.sql)]
            assert kinds == [duckdb.StatementType.SELECT], query.sql
            try:
                found = independent.get_table_names(query.sql)
            except duckdb.Error:
                continue  # it cannot be bound, so it cannot run
            tables = {name.lower().strip('"') for name in found}
            assert tables <= {scan.name for scan in query.scans} | query.names, query.sql


def test_of_2000_statements_none_escapes_and_many_pass(engine: Engine) -> None:
    passed = let_through(engine, 2000, seed=20261127)
    assert 100 < len(passed) < 1800
    check_escapes(passed)


def test_a_sample_of_what_passes_runs_behind_the_walls_and_shows_nothing_hidden(engine: Engine) -> None:
    base = small_base()
    permit = Asked(engine, base)
    numbers = {row["person_id"] for row in base["person"]}
    statements, n_run = Statements(7), 0
    while n_run < 6:
        text = statements.next()
        try:
            answer = permit.sql(text)
        except Refusal:
            continue
        n_run += 1
        for name, values in zip(answer.column_names, answer.columns, strict=True):
            if name == "person_id":
                assert not numbers & set(values.to_pylist()), "a number of the warehouse"


@pytest.mark.slow
def test_of_100000_statements_none_escapes(engine: Engine) -> None:
    n_statements = int(os.environ.get("ENCLOS_FUZZ_STATEMENTS", "100000"))
    for part in range(n_statements // 2000):
        check_escapes(let_through(engine, 2000, seed=part))
