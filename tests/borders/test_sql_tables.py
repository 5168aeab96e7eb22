"""What a statement may not make a table of: each line of C6 and C7 that speaks of SQL, refused before it runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from enclos.stores.engine import Engine, open_engine
from enclos.views.sql.steps import check_table
from factories.asking import TERMS

JOINED = "FROM person p JOIN drug_exposure d USING (person_id)"
NAMED = "FROM condition_occurrence c JOIN concept k ON k.concept_id = c.condition_concept_id"


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with open_engine() as engine:
        yield engine


def said_of(engine: Engine, text: str) -> str:
    with pytest.raises(Refusal) as caught:
        check_table(text, TERMS, engine)
    assert caught.value.code in {Code.SQL_NOT_ALLOWED, Code.VIEW_NOT_GRANTED}
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        # C6-60: extremes and chosen values
        ("SELECT max(year_of_birth) FROM person", "one person's"),
        ("SELECT min(year_of_birth) FROM person", "one person's"),
        ("SELECT mode(year_of_birth) FROM person", "one person's"),
        ("SELECT arg_max(year_of_birth, gender_concept_id) FROM person", "one person's"),
        ("SELECT any_value(year_of_birth) FROM person", ""),
        ("SELECT first(year_of_birth) FROM person", "one person's"),
        ("SELECT quantile_cont(year_of_birth, 1) FROM person", "quantile"),
        ("SELECT quantile_cont(year_of_birth, 0) FROM person", "quantile"),
        ("SELECT quantile_cont(year_of_birth, 0.999) FROM person", "quantile"),
        ("SELECT quantile_disc(year_of_birth, 0.5) FROM person", ""),
        # C6-61, 77: one-person dummies, several numbers packed into one, low digits, rounding by arithmetic
        ("SELECT sum(CASE WHEN year_of_birth = 1923 THEN 1 ELSE 0 END) FROM person", "computed"),
        (f"SELECT avg(d.days_supply * (p.year_of_birth = 1923)) {JOINED}", "computed"),
        (f"SELECT stddev(d.days_supply * 1000000) {JOINED}", "computed"),
        (f"SELECT sum(d.days_supply + p.year_of_birth * 1000) {JOINED}", "computed"),
        (f"SELECT sum(round(d.days_supply, -1)) {JOINED}", "computed"),
        ("SELECT sum(gender_concept_id) FROM person", "computed"),
        ("SELECT sum(1) FROM person", "computed"),
        ("SELECT count(*) + 1 FROM person", "computed from aggregates"),
        (f"SELECT sum(d.days_supply) / count(*) {JOINED}", "computed from aggregates"),
        ("SELECT round(count(*), -1) FROM person", "computed from aggregates"),
        ("SELECT sum(DISTINCT year_of_birth) FROM person", "distinct"),
        # C6-62, 63: fits and vectors
        ("SELECT corr(year_of_birth, gender_concept_id) FROM person", "how many persons"),
        ("SELECT regr_slope(year_of_birth, gender_concept_id) FROM person", "how many persons"),
        ("SELECT covar_pop(year_of_birth, gender_concept_id) FROM person", "how many persons"),
        # C6-66: texts as values or labels
        ("SELECT string_agg(gender_source_value, ',') FROM person", "list"),
        ("SELECT list(year_of_birth) FROM person", "list"),
        ("SELECT gender_source_value, count(*) FROM person GROUP BY 1", "labels"),
        ("SELECT CASE WHEN year_of_birth < 1950 THEN 'Dupont' ELSE 'b' END, count(*) FROM person GROUP BY 1", "labels"),
        ("SELECT CASE WHEN year_of_birth < 1950 THEN 73 ELSE 21 END, count(*) FROM person GROUP BY 1", "labels"),
        ("SELECT CASE WHEN year_of_birth < 1950 THEN 2 ELSE 1 END, count(*) FROM person GROUP BY 1", "labels"),
        ("SELECT concat('Dupont ', year_of_birth), count(*) FROM person GROUP BY 1", "labels"),
        ("SELECT 'Dupont' || gender_concept_id, count(*) FROM person GROUP BY 1", "labels"),
        ("SELECT 'Dupont', count(*) FROM person GROUP BY 1", "labels"),
        (f"SELECT k.concept_name || 'x', count(*) {NAMED} GROUP BY 1", "labels"),
        (f"SELECT upper(k.concept_name), count(*) {NAMED} GROUP BY 1", "labels"),
        ("SELECT count(*) FROM person WHERE gender_source_value = 'Dupont; HIV +, 0612345678'", "text"),
        ("SELECT count(*) FROM person WHERE gender_source_value = 'Dupont HIV'", "text"),
        ("SELECT count(*) FROM person WHERE year_of_birth > 1950.0612345678", "digits"),
        ("SELECT count(*) FROM person WHERE year_of_birth < 1850317045123", "digits"),
        # C6-67: days and values as groups, numbers of persons and rows
        ("SELECT condition_start_date, count(*) FROM condition_occurrence GROUP BY 1", "day as a group"),
        (
            "SELECT date_trunc('day', condition_start_date), count(*) FROM condition_occurrence GROUP BY 1",
            "days or weeks",
        ),
        (
            "SELECT date_trunc('week', condition_start_date), count(*) FROM condition_occurrence GROUP BY 1",
            "days or weeks",
        ),
        ("SELECT day(condition_start_date), count(*) FROM condition_occurrence GROUP BY 1", "labels"),
        ("SELECT days_supply, count(*) FROM drug_exposure GROUP BY 1", "values as groups"),
        ("SELECT days_supply // 1, count(*) FROM drug_exposure GROUP BY 1", "narrow"),
        ("SELECT person_id, count(*) FROM person GROUP BY 1", "number of a person"),
        ("SELECT person_id % 2 = 1, count(*) FROM person GROUP BY 1", "number of a person"),
        ("SELECT count(*) FILTER (WHERE person_id = 7) FROM person", "number of a person"),
        ("SELECT drug_exposure_id // 10, count(*) FROM drug_exposure GROUP BY 1", "number of a person"),
        # C6-52, 72: who is behind a number must stay known: rows of others, sets, fan-out
        ("SELECT count(*) FROM (SELECT * FROM person)", "subquery"),
        ("WITH p AS (SELECT * FROM person) SELECT count(*) FROM p", "WITH"),
        ("SELECT avg(n) FROM (SELECT gender_concept_id, count(*) n FROM person GROUP BY 1)", "subquery"),
        ("SELECT count(*) FROM person UNION ALL SELECT count(*) FROM person", "one SELECT"),
        ("SELECT count(*) FROM person a JOIN person b ON a.year_of_birth = b.year_of_birth", "person_id"),
        ("SELECT count(*) FROM person, death", ""),
        ("SELECT count(*) FROM person WHERE year_of_birth = (SELECT max(year_of_birth) FROM person)", "subquery"),
        ("SELECT CASE WHEN EXISTS (FROM death) THEN 1 ELSE 2 END, count(*) FROM person GROUP BY 1", "subquery"),
        ("SELECT rank() OVER (ORDER BY year_of_birth), count(*) FROM person GROUP BY ALL", "window"),
        ("SELECT gender_concept_id, count(*) FROM person GROUP BY 1 HAVING count(*) = 12", "HAVING"),
        ("SELECT gender_concept_id, count(*) FROM person GROUP BY 1 ORDER BY 2 LIMIT 1", "LIMIT"),
        ("SELECT DISTINCT gender_concept_id FROM person", "DISTINCT"),
        ("SELECT count(*) FROM concept", "no table of persons"),
        ("SELECT count(DISTINCT year_of_birth) FROM person", "neither persons"),
        ("SELECT count(gender_concept_id) FROM person", "neither persons"),
        ("SELECT count_if(year_of_birth > 1950) FROM person", "how many persons"),
        ("SELECT 1 = 1, count(*) FROM person GROUP BY 1", "own columns"),
        ("SELECT count(*) FILTER (WHERE 1 = 1) FROM person", "own columns"),
        # rows do not leave
        ("SELECT * FROM person", "rows do not leave"),
        ("SELECT year_of_birth FROM person", "rows do not leave"),
        ("SELECT gender_concept_id, count(*) FROM person GROUP BY gender_concept_id, year_of_birth", "not shown"),
        ("SELECT gender_concept_id, count(*) FROM person", "without GROUP BY"),
        ("SELECT count(*) AS n FROM note", ""),
    ],
)
def test_c6_51_to_72_what_cannot_be_told_with_its_persons_is_refused_with_what_to_write(
    engine: Engine, text: str, said: str
) -> None:
    message = said_of(engine, text)
    assert said in message
    assert "Next: " in message
    assert "Dupont" not in message
    assert "1923" not in message


def test_c6_66_nothing_that_a_person_calls_something_leaves(engine: Engine) -> None:
    text = """SELECT dupont.gender_concept_id AS "has HIV", count(*) AS "0612345678" /* a remark */
              FROM person AS dupont GROUP BY ROLLUP ("has HIV") ORDER BY 2 DESC -- and another"""
    query = check_table(text, TERMS, engine)
    assert query.table is not None
    told = query.statement + repr(query.table)
    for word in ("dupont", "HIV", "0612345678", "remark", "another", "DESC"):
        assert word not in told


@pytest.mark.parametrize("padding", ["", " WHERE 1 = 1", " WHERE NOT (1 = 2)", " WHERE year_of_birth = 3 OR 1 = 1"])
def test_c6_57_however_a_question_is_padded_its_persons_are_the_same(engine: Engine, padding: str) -> None:
    people = "SELECT range AS person_id, 1950 + range % 3 AS year_of_birth FROM range(9)"
    engine.execute(f"CREATE OR REPLACE TEMP VIEW scan_0 AS {people}")
    query = check_table(f"SELECT year_of_birth, count(*) FROM person{padding} GROUP BY 1", TERMS, engine)
    rows = engine.query(f"FROM ({query.sql}) ORDER BY ALL")
    assert rows.num_rows == 9
    assert rows["n"].to_pylist() == [1] * 9


def test_a_code_and_its_name_are_one_axis_and_so_are_parts_of_a_day(engine: Engine) -> None:
    keys = "k.concept_name, c.condition_concept_id, year(c.condition_start_date), month(c.condition_start_date)"
    query = check_table(f"SELECT {keys}, count(*) {NAMED} GROUP BY ALL", TERMS, engine)
    assert query.table is not None
    assert [key.axis for key in query.table.keys] == [0, 0, 1, 1]


def test_c6_66_long_numbers_of_a_statement_are_to_be_concepts(engine: Engine) -> None:
    where = "condition_concept_id IN (192671, 0, 4329847) AND condition_start_date > DATE '2019-01-01'"
    text = f"SELECT count(*) FROM condition_occurrence WHERE {where}"
    assert check_table(text, TERMS, engine).codes == {192671, 4329847}
