"""What tools ask a catalog, answered from a permit's names: their own statements, run on the engine."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pytest

from enclos.gateway.catalog.reading import is_for_catalog, read_catalog_query
from enclos.gateway.catalog.tables import INFORMATION_PREFIX, catalog_table
from enclos.gateway.catalog.words import Asker
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal

NAMES = {
    "person": {"person_id": "BIGINT", "birth_datetime": "TIMESTAMP"},
    "death": {"person_id": "BIGINT", "death_date": "DATE", "note": "VARCHAR"},
}
ASKER = Asker("alice@example.org", "FR-1", NAMES)
CLASSES = {"death": 16_384, "person": 16_385}


def answer(text: str) -> pa.Table:
    """The catalog's answer, as the keeper has it computed."""
    assert is_for_catalog(text)
    query = read_catalog_query(text, ASKER)
    engine = duckdb.connect()
    for name, information in query.tables:
        table = catalog_table(name, NAMES, ASKER.user, ASKER.database, information=information)
        engine.register(f"{INFORMATION_PREFIX}{name}" if information else name, table)
    return engine.execute(query.sql).to_arrow_table()


def rows(text: str) -> list[tuple[object, ...]]:
    return list(zip(*(column.to_pylist() for column in answer(text).columns), strict=True))


def test_what_dbplyr_and_odbi_list() -> None:
    """DBI's dbListTables and dbListFields, as RPostgres writes them."""
    listed = (
        "SELECT table_name FROM INFORMATION_SCHEMA.tables WHERE ((table_schema = ANY(current_schemas(true))) "
        "AND (table_schema <> 'pg_catalog'))"
    )
    assert sorted(rows(listed)) == [("death",), ("person",)]
    fields = (
        "SELECT column_name FROM information_schema.columns WHERE (table_schema = ANY(current_schemas(true))) AND "
        "(table_name = 'death') ORDER BY ordinal_position"
    )
    assert rows(fields) == [("person_id",), ("death_date",), ("note",)]
    kinds = "SELECT oid, typname FROM pg_type WHERE typname IN ('int8', 'date')"
    assert sorted(rows(kinds)) == [(20, "int8"), (1082, "date")]


DBEAVER = {
    "databases": "SELECT db.oid,db.* FROM pg_catalog.pg_database db WHERE datname='FR-1'",
    "schemas": """SELECT n.oid,n.*,d.description FROM pg_catalog.pg_namespace n
        LEFT OUTER JOIN pg_catalog.pg_description d
        ON d.objoid=n.oid AND d.objsubid=0 AND d.classoid='pg_namespace'::regclass ORDER BY nspname""",
    "tables": """SELECT c.oid,c.*,d.description,pg_catalog.pg_get_expr(c.relpartbound, c.oid) as partition_expr,
        pg_catalog.pg_get_partkeydef(c.oid) as partition_key FROM pg_catalog.pg_class c
        LEFT OUTER JOIN pg_catalog.pg_description d
        ON d.objoid=c.oid AND d.objsubid=0 AND d.classoid='pg_class'::regclass
        WHERE c.relnamespace=2200 AND c.relkind not in ('i','I','c')""",
    "columns": """SELECT c.relname,a.*,pg_catalog.pg_get_expr(ad.adbin, ad.adrelid, true) as def_value,dsc.description,
        dep.objid FROM pg_catalog.pg_attribute a INNER JOIN pg_catalog.pg_class c ON (a.attrelid=c.oid)
        LEFT OUTER JOIN pg_catalog.pg_attrdef ad ON (a.attrelid=ad.adrelid AND a.attnum = ad.adnum)
        LEFT OUTER JOIN pg_catalog.pg_description dsc ON (c.oid=dsc.objoid AND a.attnum = dsc.objsubid)
        LEFT OUTER JOIN pg_catalog.pg_depend dep on dep.refobjid = a.attrelid AND dep.deptype = 'i'
        and dep.refobjsubid = a.attnum and dep.classid = dep.refclassid
        WHERE NOT a.attisdropped AND c.oid=16384 ORDER BY a.attnum""",
    "types": """SELECT t.oid,t.*,c.relkind,format_type(nullif(t.typbasetype, 0), t.typtypmod) as base_type_name,
        d.description FROM pg_catalog.pg_type t LEFT OUTER JOIN pg_catalog.pg_class c ON c.oid=t.typrelid
        LEFT OUTER JOIN pg_catalog.pg_description d ON t.oid=d.objoid WHERE t.typname IS NOT NULL
        AND (c.relkind IS NULL OR c.relkind = 'c')""",
    "constraints": """SELECT c.oid,c.*,t.relname as tabrelname,rt.relnamespace as refnamespace,d.description,
        case when c.contype='c' then "substring"(pg_get_constraintdef(c.oid), 7) else null end consrc_copy
        FROM pg_catalog.pg_constraint c INNER JOIN pg_catalog.pg_class t ON t.oid=c.conrelid
        LEFT OUTER JOIN pg_catalog.pg_class rt ON rt.oid=c.confrelid LEFT OUTER JOIN pg_catalog.pg_description d
        ON d.objoid=c.oid AND d.objsubid=0 AND d.classoid='pg_constraint'::regclass WHERE c.conrelid=16384
        ORDER BY c.oid""",
}
"""What DBeaver asks when a connection is opened and a table is looked at, and how many rows the answer has."""


@pytest.mark.parametrize(
    ("what", "wanted"),
    [("databases", 1), ("schemas", 3), ("tables", 2), ("columns", 3), ("types", 38), ("constraints", 0)],
)
def test_what_dbeaver_asks(what: str, wanted: int) -> None:
    assert answer(DBEAVER[what]).num_rows == wanted


def test_what_a_session_asks_about_itself() -> None:
    table = answer(
        "SELECT current_user, current_database(), current_schema(), session_user, version(), 1 AS one, 'a'::text"
    )
    assert table.column_names == [
        "current_user",
        "current_database",
        "current_schema",
        "session_user",
        "version",
        "one",
        "?column?",
    ]
    (row,) = table.to_pylist()
    assert list(row.values())[:4] == ["alice@example.org", "FR-1", "public", "alice@example.org"]
    assert str(row["version"]).startswith("PostgreSQL 13.0 (Enclos ")


def test_names_become_numbers_and_numbers_names() -> None:
    assert rows("SELECT 'public.person'::regclass, 'pg_class'::pg_catalog.regclass, to_regclass('nowhere')") == [
        (CLASSES["person"], 1259, None)
    ]
    text = "SELECT attrelid::regclass::text, pg_catalog.format_type(atttypid, -1) FROM pg_attribute WHERE attnum = 2"
    assert sorted(rows(text)) == [("death", "date"), ("person", "timestamp without time zone")]


def test_a_catalog_has_no_other_tables_and_makes_no_rows() -> None:
    for text in (
        "SELECT * FROM pg_catalog.pg_shadow",
        "SELECT * FROM pg_statistic",
        "SELECT * FROM information_schema.secrets",
    ):
        with pytest.raises(Refusal) as caught:
            read_catalog_query(text, ASKER)
        assert caught.value.code is Code.GATE_CATALOG


@pytest.mark.parametrize(
    "text",
    [
        *("SELECT * FROM person", "SELECT * FROM pg_class, person", "SELECT * FROM read_text('/etc/passwd')"),
        *("SELECT * FROM generate_series(1, 3)", "INSERT INTO pg_class VALUES (1)"),
        *("COPY pg_class TO '/tmp/x'", "SELECT 1; SELECT 2", "SELECT * FROM '/etc/passwd'", "ATTACH 'x'"),
        *("WITH p AS (SELECT * FROM person) SELECT * FROM p", "SELECT * FROM other.pg_class", "SET x = 1", ""),
    ],
)
def test_only_questions_about_names_go_to_the_catalog(text: str) -> None:
    assert not is_for_catalog(text)
