"""Which queries may be read by key, who is told to be in by two bitmaps, and what is left behind."""

from collections.abc import Iterator
from datetime import date

import pytest

from enclos.contracts.view import TableGrant, ViewTerms, WholeBase
from enclos.lexicon.spans import Span
from enclos.stores.engine import Engine, open_engine
from enclos.views.plans import PERIMETER, Members, plan_query, reads_by_key
from enclos.views.steps import PermitCdm, open_members, open_view
from factories.cdm import MemoryPerimeter, MemorySnapshot, SeededRandomness, random_base


@pytest.fixture
def engine() -> Iterator[Engine]:
    with open_engine(threads=1) as engine:
        yield engine


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT drug_concept_id, count(*) FROM drug_exposure GROUP BY ALL",
        "select count(DISTINCT person_id) FROM drug_exposure",
        "SELECT count(*) FROM drug_exposure d JOIN death x ON d.person_id = x.person_id",
        "SELECT count(*) FROM drug_exposure JOIN concept ON concept_id = drug_concept_id JOIN death USING (person_id)",
        "SELECT count(*) FROM drug_exposure WHERE person_id NOT IN (SELECT person_id FROM death)",
        "SELECT count(*) FROM drug_exposure WHERE visit_occurrence_id IS NULL",
        "SELECT n, count(*) FROM (SELECT person_id, count(*) AS n FROM drug_exposure GROUP BY 1) GROUP BY n",
        (
            "WITH f AS (SELECT person_id, min(drug_exposure_start_date) AS d FROM drug_exposure GROUP BY person_id) "
            "SELECT count(*) FROM f JOIN death USING (person_id) WHERE death_date > d"
        ),
        (
            "SELECT count(*) FROM (SELECT 1 FROM drug_exposure QUALIFY row_number() OVER (PARTITION BY person_id "
            "ORDER BY drug_exposure_start_date) = 1)"
        ),
    ],
)
def test_who_is_meant_is_enough(sql: str) -> None:
    assert "drug_exposure" in reads_by_key(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT person_id FROM drug_exposure",
        "SELECT * FROM drug_exposure",
        "SELECT d.* FROM drug_exposure AS d",
        "SELECT d FROM drug_exposure AS d",
        "SELECT COLUMNS('.*') FROM drug_exposure",
        "SELECT #1 FROM drug_exposure",
        "FROM drug_exposure",
        "SELECT max(person_id) FROM drug_exposure",
        "SELECT list(DISTINCT person_id) FROM drug_exposure",
        "SELECT approx_count_distinct(person_id) FROM drug_exposure",
        "SELECT count(DISTINCT person_id % 10) FROM drug_exposure",
        "SELECT count(*) FROM drug_exposure WHERE person_id = 5",
        "SELECT count(*) FROM drug_exposure WHERE person_id > 5",
        "SELECT count(*) FROM drug_exposure WHERE 5 IN (SELECT person_id FROM death)",
        "SELECT count(*) FROM drug_exposure WHERE (SELECT person_id FROM death LIMIT 1) = 5",
        "SELECT count(*) FROM drug_exposure WHERE 5 = ANY (SELECT person_id FROM death)",
        "SELECT count(*) FROM drug_exposure WHERE person_id = drug_exposure_id",
        "SELECT count(*) FROM drug_exposure WHERE person_id IN (SELECT drug_concept_id FROM drug_exposure)",
        "SELECT count(*) FROM drug_exposure JOIN (SELECT 5 AS person_id) AS b USING (person_id)",
        "SELECT count(*) FROM drug_exposure JOIN (VALUES (5)) AS b(person_id) USING (person_id)",
        "SELECT count(*) FROM drug_exposure NATURAL JOIN death",
        "SELECT count(*) FROM drug_exposure POSITIONAL JOIN death",
        "SELECT count(*) FROM (SELECT person_id AS p FROM drug_exposure) WHERE p = 5",
        "SELECT count(*) FROM (SELECT person_id FROM drug_exposure ORDER BY 1 LIMIT 3)",
        "SELECT drug_concept_id FROM drug_exposure ORDER BY person_id",
        "SELECT row_number() OVER (ORDER BY person_id) FROM drug_exposure",
        "SELECT person_id, count(*) FROM drug_exposure GROUP BY person_id",
        "SELECT count(*) FROM (SELECT person_id FROM drug_exposure UNION ALL SELECT 5)",
        "SELECT count(*) FROM drug_exposure JOIN study_person USING (person_id)",
        "SELECT count(*) FROM main.drug_exposure",
        "SELECT count(*) FROM query_table('drug_exposure')",
        "SELECT count(*) FROM drug_exposure TABLESAMPLE 10%",
        "WITH RECURSIVE c AS (SELECT person_id FROM drug_exposure) SELECT count(*) FROM c",
        "WITH death AS (SELECT 5 AS n) SELECT count(*) FROM drug_exposure, death",
        "WITH c(x) AS (SELECT person_id FROM drug_exposure) SELECT count(*) FROM c WHERE x = 5",
        "SELECT count(*) FROM drug_exposure; SELECT 1",
        "CREATE TABLE x AS SELECT count(*) FROM drug_exposure",
        "SELECT ((((",
    ],
)
def test_where_a_number_could_be_seen_the_permits_own_stand(sql: str) -> None:
    assert reads_by_key(sql) == frozenset()
    assert plan_query(sql, lambda _: "SELECT 1", ("drug_exposure", "death")) == sql


def test_a_table_that_is_not_granted_stays_unknown() -> None:
    sql = "SELECT count(*) FROM drug_exposure JOIN death USING (person_id)"
    assert plan_query(sql, lambda _: "SELECT 1", ("drug_exposure",)) == sql


TERMS = ViewTerms("P-1", (TableGrant("person"),), WholeBase(), Span(date(1990, 1, 1), date(2100, 1, 1)))
A, B, BOTH_BITS_OF_A_AND_B = 1 << 40, 3, (1 << 40) + 3


@pytest.mark.parametrize(
    ("out", "members"),
    [
        ((), Members(everyone=True, bits=0, exceptions=())),
        ((B,), Members(everyone=False, bits=10, exceptions=())),
        ((BOTH_BITS_OF_A_AND_B,), Members(everyone=False, bits=10, exceptions=(BOTH_BITS_OF_A_AND_B,))),
    ],
)
def test_bitmaps_tell_exactly_who_is_in(engine: Engine, out: tuple[int, ...], members: Members) -> None:
    persons = [A, B, BOTH_BITS_OF_A_AND_B]
    snapshot = MemorySnapshot(engine, {**random_base(persons, [], 1), "person": one_bucket(persons)}, {})
    listed = ", ".join(f"({person})" for person in persons if person not in out)
    engine.execute(f"CREATE TEMP TABLE {PERIMETER} AS SELECT * FROM (VALUES {listed}) AS p(person_id)")
    found = open_members(engine, snapshot, 0)
    assert found == members
    kept = engine.rows(f"SELECT person_id FROM memory.cdm.person AS t WHERE {found.test('t.person_id')} ORDER BY 1")
    assert [person for (person,) in kept] == sorted(set(persons) - set(out))


def test_who_left_the_warehouse_makes_room_for_nobody(engine: Engine) -> None:
    snapshot = MemorySnapshot(engine, {**random_base([7], [], 1), "person": one_bucket([7, 8])}, {})
    engine.execute(f"CREATE TEMP TABLE {PERIMETER} AS SELECT unnest([7, 9]::BIGINT[]) AS person_id")
    test = open_members(engine, snapshot, 0).test("t.person_id")
    assert engine.rows(f"SELECT person_id FROM memory.cdm.person AS t WHERE {test}") == [(7,)]


def test_with_many_exceptions_the_perimeter_is_asked(engine: Engine) -> None:
    highs, lows = [(1 << 33) * n for n in range(1, 12)], list(range(1, 12))
    mixed = [high + low for high in highs for low in lows]
    snapshot = MemorySnapshot(engine, {**random_base([1], [], 1), "person": one_bucket([*highs, *lows, *mixed])}, {})
    engine.execute(f"CREATE TEMP TABLE {PERIMETER} AS SELECT unnest({[*highs, *lows]}) AS person_id")
    found = open_members(engine, snapshot, 0)
    assert found == Members(everyone=False, bits=12, exceptions=None)
    n_in = engine.scalar(f"SELECT count(*) FROM memory.cdm.person AS t WHERE {found.test('t.person_id')}")
    assert n_in == len(highs) + len(lows)


def test_numbers_that_no_person_has_fail_nothing(engine: Engine) -> None:
    engine.execute(f"CREATE TEMP TABLE {PERIMETER} AS SELECT 7::BIGINT AS person_id")
    snapshot = MemorySnapshot(engine, {**random_base([7], [], 1), "person": one_bucket([7, 8])}, {})
    test = open_members(engine, snapshot, 0).test("x")
    odd = f"SELECT x FROM unnest([NULL, -1, {-(2**63)}, {2**63 - 1}, 0, 7]::BIGINT[]) AS t(x) WHERE {test}"
    assert engine.rows(odd) == [(7,)]


def test_a_closed_bucket_leaves_no_bitmap(engine: Engine) -> None:
    snapshot, perimeter = MemorySnapshot(engine, random_base(range(1, 9), [], 1), {}), MemoryPerimeter()
    out = {1, 2, 3}
    open_view(
        TERMS, engine=engine, snapshot=snapshot, perimeter=perimeter, randomness=SeededRandomness(), opted_out=out
    )
    cdm = PermitCdm(
        TERMS, name="x", engine=engine, snapshot=snapshot, perimeter=perimeter, opted_out=(), check=lambda: None
    )
    with cdm.bucket(0) as bucket:
        assert bucket.query("SELECT count(DISTINCT person_id) AS n FROM person").to_pylist() == [{"n": 1}]
        assert bucket.query("SELECT name FROM duckdb_variables()").num_rows == 2
    with cdm.bucket(0) as bucket:
        assert bucket.query("SELECT name FROM duckdb_variables()").num_rows == 0
    assert engine.rows("SELECT name FROM duckdb_variables()") == []


def one_bucket(persons: list[int]) -> list[dict[str, object]]:
    return [row | {"bucket": 0} for row in random_base(persons, [], 1)["person"]]
