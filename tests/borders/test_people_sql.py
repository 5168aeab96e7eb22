"""C1: everything that SQL could reach beside the permit's tables. One test per line of the reviewers' list."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from enclos.stores.engine import Engine, open_engine
from enclos.views.sql.steps import check_query
from factories.asking import TERMS, Asked, small_base

pytestmark = pytest.mark.system("bubblewrap")


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with open_engine() as engine:
        yield engine


@pytest.fixture(scope="module")
def permit(engine: Engine) -> Asked:
    return Asked(engine, small_base())


def refusal_of(engine: Engine, text: str) -> Refusal:
    with pytest.raises(Refusal) as caught:
        check_query(text, TERMS, engine)
    assert caught.value.code in {Code.SQL_NOT_ALLOWED, Code.VIEW_NOT_GRANTED, Code.SQL_LIMIT}
    return caught.value


C1 = {
    "01-base-tables": [
        "SELECT nir FROM base.patients",
        'SELECT * FROM "BASE"."PaTiEnTs"',
        "SELECT nir FROM base/**/./**/patients",
        "SELECT * FROM memory.cdm.person",
        "SELECT * FROM cdm.person",
        "SELECT * FROM main.person",
        "SELECT * FROM permit_perimeter",
        "SELECT * FROM scan_0",
        "SELECT * FROM __ducklake_metadata_lake.ducklake_data_file",
    ],
    "new-syntax": [
        "SELECT COLUMNS('.*') FROM person",
        "SELECT COLUMNS(* EXCLUDE (person_id)) FROM person",
        "SELECT *COLUMNS(*) FROM person",
        "SELECT coalesce(*COLUMNS(*)) FROM person",
        "SELECT count(COLUMNS(*)) FROM person",
        "SELECT * FROM person WHERE COLUMNS(*) > 1",
        "SELECT * FROM person ORDER BY COLUMNS('person_id')",
        "SELECT * LIKE '%id' FROM person",
        "SELECT * REPLACE (error('x') AS person_id) FROM person",
        "FROM query('FROM x')",
        "SELECT * FROM person POSITIONAL JOIN death",
        "SELECT * FROM (SUMMARIZE FROM person)",
        "SELECT {'a': person_id}.a FROM person",
        "SELECT struct_pack(a := person_id).a FROM person",
        "SELECT person FROM person",
        "SELECT array_agg(person) FROM person",
        "SELECT person_id.abs() FROM person",
        "SELECT ('a').concat('b').query() FROM person",
        "WITH RECURSIVE t(a) USING KEY (a) AS (SELECT 1 UNION SELECT a + 1 FROM t WHERE a < 3) FROM t",
        "SELECT * FROM person, LATERAL (SELECT person_id) x",
        "SELECT * FROM person p1, p1.person_id",
        "SELECT [x for x in [1, 2]] FROM person",
        "SELECT list_transform([1], lambda x: x) FROM person",
        "SELECT person_id IN death FROM person",
        "SELECT ARRAY(SELECT person_id FROM person)",
        "SELECT MAP {'a': person_id}['a'] FROM person",
        "SELECT union_value(a := 1)",
        "SELECT CAST('person' AS REGCLASS)",
        "SELECT CAST(1 AS STRUCT(a INT))",
        "SELECT CAST(1 AS VARIANT)",
        "SELECT CAST(person_id AS ENUM('a')) FROM person",
        "SELECT variant_extract(1, 2)",
        "SELECT count(*) AS n FROM person AT (VERSION => 1)",
        "SELECT session_user",
        "SELECT current_role, user, current_catalog",
        "SELECT localtimestamp",
        "SELECT localtime",
        "SELECT age(birth_datetime) FROM person",
        "SELECT #1 FROM person",
        "SELECT virtual_column FROM person",
        "SELECT filename, file_row_number FROM person",
        "SELECT * FROM repeat_row(1, num_rows=3)",
        "SELECT * FROM seq_scan('person')",
        "SELECT * FROM duckdb_logs()",
        "SELECT write_log('a')",
        "DECLARE c CURSOR FOR SELECT 1",
        "MERGE INTO person USING death ON true WHEN MATCHED THEN DELETE",
    ],
    "02-short-forms": [
        "FROM base.patients",
        "TABLE base.patients",
        "SUMMARIZE person",
        "DESCRIBE person",
        "PIVOT person ON year_of_birth USING count(*)",
        "UNPIVOT person ON year_of_birth INTO NAME a VALUE b",
        "SELECT * FROM person PIVOT (count(*) FOR year_of_birth IN (1960))",
        "SHOW ALL TABLES",
        "SHOW TABLES",
        "SELECT * FROM (DESCRIBE person)",
        "SELECT * FROM (SHOW TABLES)",
        "SELECT * FROM (SUMMARIZE person)",
    ],
    "03-query-functions": [
        "SELECT * FROM query('select nir from ba'||'se.patients')",
        "SELECT * FROM query_table(['cdm.person'])",
        "SELECT * FROM query(getvariable('q'))",
        "SELECT getvariable('q')",
        "SELECT query('select 1')",
    ],
    "04-serialized": [
        "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))",
        "SELECT json_execute_serialized_sql(json_serialize_sql('SELECT 1'))",
        "SELECT json_serialize_sql('SELECT 1')",
        "PRAGMA json_execute_serialized_sql('{}')",
    ],
    "05-prepared-and-two": [
        "PREPARE q AS SELECT 1",
        "EXECUTE q",
        "DEALLOCATE q",
        "SELECT 1; SELECT nir FROM base.patients",
        "SELECT $1",
        "SELECT ?",
        "SELECT $name",
    ],
    "06-files": [
        *(
            f"SELECT * FROM {f}('/etc/*')"
            for f in ("read_csv", "read_csv_auto", "read_parquet", "parquet_scan", "glob")
        ),
        *(
            f"SELECT * FROM {f}('/etc/passwd')"
            for f in ("read_json", "read_text", "read_blob", "sniff_csv", "read_xlsx")
        ),
        *(f"SELECT * FROM {f}('x.parquet')" for f in ("parquet_metadata", "parquet_schema", "parquet_kv_metadata")),
        "FROM 'x.parquet'",
        "SELECT * FROM '/etc/passwd'",
        'SELECT * FROM "/etc/passwd.csv"',
        "SELECT * FROM read_blob('/proc/self/environ')",
        "SELECT content FROM read_text('/proc/self/environ')",
        "SELECT read_text('/etc/passwd')",
        "SELECT getenv('HOME')",
    ],
    "07-database-files": [
        "SELECT * FROM read_duckdb('own.duckdb', table_name='patients')",
        "SELECT * FROM sqlite_scan('a.db', 't')",
        "SELECT * FROM postgres_query('db', 'SELECT pg_read_file(1)')",
        "SELECT * FROM delta_scan('x')",
        "SELECT * FROM iceberg_scan('x')",
        "SELECT * FROM ducklake_snapshots('lake')",
    ],
    "08-copy-and-attach": [
        "COPY (SELECT 1) TO ''",
        "COPY person TO '/tmp/x.csv'",
        "EXPORT DATABASE '/tmp/x'",
        "IMPORT DATABASE '/tmp/x'",
        "ATTACH ':memory:' AS m",
        "DETACH lake",
        "INSTALL httpfs",
        "LOAD httpfs",
        "USE lake",
    ],
    "09-settings": [
        "SET enable_external_access=true",
        "RESET ALL",
        "PRAGMA database_list",
        "SET lock_configuration=false",
        "SET memory_limit='64GB'",
        "SET VARIABLE q = 1",
        "SELECT current_setting('memory_limit')",
        "SELECT set_config('a','b')",
        "SELECT * FROM duckdb_settings()",
        "SELECT version()",
        "SELECT current_user",
        "SELECT current_database(), current_schema()",
    ],
    "10-writing": [
        "CREATE TEMP VIEW v AS SELECT 1",
        "CREATE MACRO f(x) AS x",
        "CREATE TABLE t AS SELECT 1",
        "UPDATE person SET year_of_birth = 1",
        "INSERT INTO person VALUES (1) RETURNING *",
        "MERGE INTO person USING death ON true WHEN MATCHED THEN DELETE",
        "DELETE FROM person",
        "DROP TABLE person",
        "ALTER TABLE person RENAME TO x",
        "CHECKPOINT",
        "VACUUM",
        "CALL pragma_version()",
        "BEGIN",
        "CREATE SECRET s (TYPE s3)",
        "SELECT 1 INTO x",
        "WITH x AS (INSERT INTO person VALUES (1) RETURNING *) SELECT * FROM x",
        "SELECT nextval('s')",
    ],
    "11-replacement-scans": [
        "SELECT * FROM some_df",
        "SELECT * FROM engine",
        "SELECT * FROM base",
        "SELECT * FROM incoming",
    ],
    "12-shadowing": [
        "WITH v AS (SELECT nir FROM base.patients) SELECT * FROM v",
        'WITH "proj.v" AS (SELECT * FROM cdm.person) SELECT * FROM "proj.v"',
        "WITH person AS (SELECT * FROM cdm.person) SELECT * FROM person",
        "WITH person AS (SELECT 1 AS year_of_birth) SELECT * FROM person",
        "WITH RECURSIVE r AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM r) SELECT * FROM r",
        "WITH x AS (FROM person) SELECT * FROM y",
    ],
    "13-odd-places": [
        "SELECT year_of_birth FROM person ORDER BY (SELECT max(nir) FROM base.patients)",
        "SELECT * FROM person, LATERAL (SELECT * FROM base.patients)",
        "SELECT * FROM person POSITIONAL JOIN base.patients",
        "SELECT * FROM person POSITIONAL JOIN death",
        "SELECT * FROM person ASOF JOIN base.patients p ON p.a >= person.person_id",
        "SELECT list_transform([1], x -> (SELECT max(nir) FROM base.patients))",
        "SELECT list_transform([1], lambda x: x)",
        "SELECT [x FOR x IN [1, 2]]",
        "SELECT 1 WHERE EXISTS (FROM base.patients)",
        "SELECT * FROM person LIMIT (SELECT count(*) FROM base.patients)",
        "SELECT * FROM person NATURAL JOIN death",
        "SELECT sum(year_of_birth) OVER (ORDER BY (SELECT max(nir) FROM base.patients)) FROM person",
        "SELECT * FROM (VALUES ((SELECT nir FROM base.patients))) AS v(a)",
        "SELECT CASE WHEN EXISTS (SELECT 1 FROM base.patients) THEN 1 END",
        "SELECT count(*) FILTER (WHERE EXISTS (SELECT 1 FROM base.patients)) FROM person",
        "SELECT COLUMNS('.*') FROM person",
        "SELECT COLUMNS(*) FROM person",
        "SELECT * LIKE 'p%' FROM person",
        "SELECT * REPLACE ((SELECT max(nir) FROM base.patients) AS year_of_birth) FROM person",
        "SELECT UNNEST([1, 2])",
        "SELECT * FROM UNNEST([1, 2])",
        "SELECT person FROM person",
        "SELECT p FROM person p",
        "SELECT * FROM person AS p(a, b)",
        "SELECT list_aggregate([1], 'string_agg')",
        "SELECT /*+ hint(1) */ 1 FROM person USING SAMPLE 1",
        "SELECT #1 FROM person",
        "SELECT alias(year_of_birth) FROM person",
    ],
    "15-catalogs": [
        *(f"SELECT * FROM {f}()" for f in ("duckdb_views", "duckdb_tables", "duckdb_columns", "duckdb_secrets")),
        *(
            f"SELECT * FROM {f}()"
            for f in ("duckdb_temporary_files", "duckdb_memory", "duckdb_logs", "pragma_user_agent")
        ),
        "SELECT reltuples FROM pg_catalog.pg_class",
        "SELECT * FROM pg_class",
        "SELECT * FROM information_schema.tables",
        "SELECT * FROM sqlite_master",
        "SELECT * FROM duckdb_tables",
    ],
    "16-statistics": [
        "SELECT * FROM pragma_storage_info('cdm.person')",
        "CALL pragma_storage_info('person')",
        "SELECT stats(year_of_birth) FROM person",
        "SELECT typeof(year_of_birth) FROM person",
    ],
    "17-explain": ["EXPLAIN SELECT * FROM person", "EXPLAIN ANALYZE SELECT * FROM person"],
    "23-fingerprints": [
        "SELECT * FROM person USING SAMPLE 3",
        "SELECT * FROM person TABLESAMPLE 10%",
        "SELECT rowid FROM person",
        'SELECT "RowId" FROM person',
        "SELECT hash(year_of_birth) FROM person",
        "SELECT md5(gender_source_value) FROM person",
        "SELECT approx_count_distinct(year_of_birth) FROM person",
        "SELECT approx_quantile(year_of_birth, 0.5) FROM person",
        "SELECT random() FROM person",
        "SELECT uuid() FROM person",
        "SELECT now()",
        "SELECT current_date",
        "SELECT txid_current()",
    ],
}


@pytest.mark.parametrize(("line", "text"), [(line, text) for line, texts in C1.items() for text in texts])
def test_c1_what_is_not_the_permits_is_refused(engine: Engine, line: str, text: str) -> None:
    refused = refusal_of(engine, text)
    said = str(refused).lower()
    for name in ("nir", "patients", "base.", "passwd", "proj", "some_df", "64gb"):
        assert name not in said, line


@pytest.mark.parametrize(
    "text",
    [
        "SELECT gender_concept_id FROM person WHERE person_source_value = 'CANARY-1' AND nope = 2",
        "SELECT 'CANARY-1' FROM nowhere",
        "SELECT error('CANARY-1')",
        "SELECT 'CANARY-1",
        "SELECT CANARY_1 FROM person",
        "SELECT CANARY_1(1) FROM person",
        "CANARY_1 CANARY",
    ],
)
def test_c2_26_a_refusal_quotes_nothing_of_the_statement(engine: Engine, text: str, caplog) -> None:
    assert "canary" not in (str(refusal_of(engine, text)) + caplog.text).lower()


GOOD = [
    "SELECT count(*) AS n FROM person",
    "SELECT year_of_birth, count(*) AS n FROM person GROUP BY ALL ORDER BY n DESC, 1 LIMIT 3",
    (
        "WITH f AS (SELECT person_id, min(condition_start_date) AS d FROM condition_occurrence GROUP BY 1) "
        "SELECT p.gender_concept_id, count(DISTINCT f.person_id) AS n FROM f JOIN person p USING (person_id) "
        "WHERE f.d >= DATE '2019-01-01' GROUP BY CUBE (p.gender_concept_id) ORDER BY 1 NULLS LAST"
    ),
    "SELECT p.*, rank() OVER (PARTITION BY gender_concept_id ORDER BY person_id) AS r FROM person p QUALIFY r = 1",
    (
        "SELECT DISTINCT ON (person_id) person_id, drug_concept_id FROM drug_exposure "
        "ORDER BY person_id, drug_exposure_start_date, drug_concept_id"
    ),
    (
        "SELECT date_trunc('month', drug_exposure_start_date) AS m, drug_exposure_start_date + INTERVAL 3 DAYS AS d, "
        "date_diff('day', drug_exposure_start_date, drug_exposure_end_date) AS n FROM drug_exposure"
    ),
    (
        "SELECT list(drug_concept_id ORDER BY drug_concept_id) AS l, list_sum(list(days_supply)) AS s, "
        "median(days_supply) FILTER (WHERE days_supply > 1) AS m FROM drug_exposure GROUP BY person_id"
    ),
    "SELECT a.person_id FROM person a WHERE EXISTS (SELECT 1 FROM death d WHERE d.person_id = a.person_id)",
    "SELECT person_id FROM person INTERSECT SELECT person_id FROM drug_exposure EXCEPT SELECT person_id FROM death",
    "SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS t(x, y)",
    (
        "SELECT CASE WHEN year_of_birth < 1950 THEN 'old' ELSE 'young' END AS g, avg(year_of_birth) AS a FROM person "
        "GROUP BY g HAVING count(*) > 3"
    ),
    "FROM person SELECT year_of_birth, person_id",
    (
        "SELECT a.person_id, b.drug_exposure_start_date AS d FROM death a ASOF LEFT JOIN drug_exposure b "
        "ON a.person_id = b.person_id AND a.death_date >= b.drug_exposure_start_date"
    ),
    "SELECT count(*) AS n FROM person ANTI JOIN death USING (person_id) -- the living",
    "SELECT try_cast('12' AS INTEGER) AS a, round(1.5) AS b, 7 // 2 AS c, [1, 2][1] AS d, 'a' ILIKE 'A' AS e",
    (
        "SELECT lag(year_of_birth) OVER w AS b FROM person WINDOW w AS (ORDER BY person_id ROWS BETWEEN 1 PRECEDING "
        "AND CURRENT ROW)"
    ),
    (
        "SELECT condition_concept_id, count(*) AS n FROM condition_occurrence WHERE condition_concept_id IN (1, 2, 3) "
        "AND condition_start_date BETWEEN DATE '2018-01-01' AND DATE '2021-12-31' GROUP BY GROUPING SETS "
        "((condition_concept_id), ()) ORDER BY ALL"
    ),
]


COPIED = ("person", "condition_occurrence", "drug_exposure", "death")


@pytest.fixture(scope="module")
def copy(permit: Asked) -> Iterator[Engine]:
    """The permit's tables, copied, in an engine where a person's own text may run: the tests' oracle."""
    with open_engine() as oracle:
        for table in COPIED:
            oracle.register("rows_of_table", permit.sql(f"SELECT * FROM {table}"))
            oracle.execute(f"CREATE TABLE {table} AS SELECT * FROM rows_of_table")
            oracle.unregister("rows_of_table")
        yield oracle


@pytest.mark.parametrize("text", GOOD)
def test_c1_14_what_is_allowed_means_what_the_person_wrote(permit: Asked, copy: Engine, text: str) -> None:
    """The answer through guard and walls equals the person's own text over a copy of the permit's tables."""
    expected, found = copy.query(text), permit.sql(text)
    assert found.num_rows > 0
    assert found.column_names == expected.column_names
    assert sorted(map(str, found.to_pylist())) == sorted(map(str, expected.to_pylist()))


@pytest.mark.parametrize(
    "text",
    [
        "SELECT count(*) AS n FROM person WHERE person_id IN (" + ", ".join(map(str, range(300_000))) + ")",
        "SELECT count(*) AS n FROM person WHERE person_id IN (" + ", ".join(map(str, range(8_000))) + ")",
        "SELECT " + ", ".join(f"{n} AS c{n}" for n in range(50_000)),
        "SELECT " + "(" * 5_000 + "1" + ")" * 5_000,
        "SELECT " + "NOT " * 3_000 + "true AS x",
        "SELECT " + " + ".join(["1"] * 9_000) + " AS x",
        "SELECT count(*) AS n FROM person GROUP BY CUBE (" + ", ".join(f"year_of_birth + {n}" for n in range(16)) + ")",
        "SELECT count(*) AS n FROM " + ", ".join(f"person p{n}" for n in range(60)),
        "SELECT '" + "x" * 200_000 + "' AS x",
        "/*" * 2_000 + "*/" * 2_000 + " SELECT 1",
        "-" * 50_000,
        "SELECT " + "CASE WHEN true THEN " * 900 + "1" + " END" * 900,
    ],
    ids=lambda text: text[:30],
)
def test_c3_30_what_is_too_large_or_too_deep_is_refused_before_it_runs(engine: Engine, text: str) -> None:
    assert refusal_of(engine, text).code in {Code.SQL_LIMIT, Code.SQL_NOT_ALLOWED}


def test_a_part_may_be_called_as_we_call_a_table(permit: Asked) -> None:
    text = "WITH scan_0 AS (SELECT 7 AS a) SELECT scan_0.a, count(*) AS n FROM scan_0, person GROUP BY ALL"
    assert permit.sql(text).to_pylist() == [{"a": 7, "n": 30}]
    again = "WITH scan_0 AS (SELECT person_id FROM person) SELECT count(*) AS n FROM scan_0"
    assert permit.sql(again).to_pylist() == [{"n": 30}]
