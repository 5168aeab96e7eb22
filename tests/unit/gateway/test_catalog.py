"""What tools ask a catalog, answered from a permit's names: their own statements, run on the engine."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pytest

from enclos.gateway.catalog.reading import is_for_catalog, read_catalog_query
from enclos.gateway.catalog.tables import INFORMATION_PREFIX, catalog_table
from enclos.gateway.catalog.words import CatalogReader
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal

NAMES = {
    "person": {"person_id": "BIGINT", "birth_datetime": "TIMESTAMP"},
    "death": {"person_id": "BIGINT", "death_date": "DATE", "note": "VARCHAR"},
}
ASKER = CatalogReader("alice@example.org", "FR-1", NAMES)
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


def test_what_lists_tables_for_r() -> None:
    """The tables and the fields that DBI asks for."""
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


LOOKED = {
    "databases": "SELECT b.oid, b.* FROM pg_catalog.pg_database b WHERE datname = 'FR-1'",
    "schemas": """SELECT s.oid, s.*, note.description FROM pg_catalog.pg_namespace s
        LEFT OUTER JOIN pg_catalog.pg_description note ON note.objoid = s.oid AND note.objsubid = 0
        AND note.classoid = 'pg_namespace'::regclass ORDER BY nspname""",
    "tables": """SELECT t.oid, t.*, pg_catalog.pg_get_expr(t.relpartbound, t.oid) AS bound,
        pg_catalog.pg_get_partkeydef(t.oid) AS parts, pg_catalog.obj_description(t.oid, 'pg_class') AS note
        FROM pg_catalog.pg_class t WHERE t.relnamespace = 2200 AND t.relkind NOT IN ('i', 'I', 'c')
        AND pg_catalog.pg_table_is_visible(t.oid)""",
    "columns": """SELECT c.*, t.relname, pg_catalog.format_type(c.atttypid, c.atttypmod),
        (SELECT pg_catalog.pg_get_expr(v.adbin, v.adrelid, true) FROM pg_catalog.pg_attrdef v
        WHERE v.adrelid = c.attrelid AND v.adnum = c.attnum AND c.atthasdef)
        FROM pg_catalog.pg_attribute c JOIN pg_catalog.pg_class t ON c.attrelid = t.oid
        LEFT OUTER JOIN pg_catalog.pg_depend d ON d.refobjid = c.attrelid AND d.classid = d.refclassid
        WHERE c.attrelid = '16384' AND c.attnum > 0 AND NOT c.attisdropped ORDER BY c.attnum""",
    "one table": """SELECT t.oid, s.nspname, t.relname FROM pg_catalog.pg_class t
        LEFT JOIN pg_catalog.pg_namespace s ON s.oid = t.relnamespace
        WHERE t.relname OPERATOR(pg_catalog.~) '^(death)$' COLLATE pg_catalog.default AND s.nspname !~ '^pg_toast'""",
    "types": """SELECT k.oid, k.*, format_type(nullif(k.typbasetype, 0), k.typtypmod) FROM pg_catalog.pg_type k
        LEFT OUTER JOIN pg_catalog.pg_class t ON t.oid = k.typrelid WHERE t.relkind IS NULL OR t.relkind = 'c'""",
    "constraints": """SELECT k.oid, k.conkey, CASE WHEN k.contype = 'c' THEN "substring"(pg_get_constraintdef(k.oid), 7)
        END FROM pg_catalog.pg_constraint k WHERE k.conrelid = 16384 AND 1 = ANY (k.conkey)""",
    "keys": """SELECT i.indisunique, (information_schema._pg_expandarray(i.indkey)).n FROM pg_catalog.pg_index i""",
    "statistics": """SELECT oid, x.stxrelid::pg_catalog.regclass, 'd' = any(stxkind),
        (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(attname), ', ') FROM pg_catalog.unnest(stxkeys) n(attnum)
        JOIN pg_catalog.pg_attribute a ON a.attnum = n.attnum) FROM pg_catalog.pg_statistic_ext x""",
    "rights": """SELECT t.relname, pg_catalog.array_to_string(t.relacl, E'\\n'), CASE t.relkind WHEN 'r' THEN 'it' END
        FROM pg_catalog.pg_class t WHERE has_table_privilege(t.oid, 'SELECT')""",
}
"""With the joins, casts, operators and functions of what psql, DBeaver and pgJDBC ask when they look at a table."""


@pytest.mark.parametrize(
    ("what", "wanted"),
    [
        *(("databases", 1), ("schemas", 3), ("tables", 2), ("columns", 3), ("one table", 1), ("types", 38)),
        *(("constraints", 0), ("keys", 0), ("statistics", 0), ("rights", 2)),
    ],
)
def test_what_tools_ask_when_they_look_around(what: str, wanted: int) -> None:
    assert answer(LOOKED[what]).num_rows == wanted


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


ORDERED = """LEFT JOIN (select ns.oid as nspoid, ns.nspname, r.r from pg_namespace as ns join (select s.r,
    (current_schemas(false))[s.r] as nspname from generate_series(1, array_upper(current_schemas(false), 1)) as s(r))
    as r using (nspname)) as sp ON sp.nspoid = typnamespace"""
"""How pgJDBC asks by the order of schemas."""


def test_what_pgjdbc_asks_about_types_words_and_keys() -> None:
    """``getTypeInfo``, ``getVersionColumns``, ``getSQLKeywords``, ``getImportedKeys``."""
    types = f"""SELECT typinput = 'pg_catalog.array_in'::regproc AS is_array, typtype, typname, pg_type.oid
        FROM pg_catalog.pg_type {ORDERED} ORDER BY sp.r, pg_type.oid DESC"""
    assert (None, "b", "int8", 20) in rows(types)
    one = f"SELECT pg_type.oid, typname FROM pg_catalog.pg_type {ORDERED} WHERE typname = 'date' ORDER BY sp.r LIMIT 1"
    assert rows(one) == [(1082, "date")]
    words = """select string_agg(word, ',') from pg_catalog.pg_get_keywords()
        where word <> ALL ('{a,abs,"null"}'::text[])"""
    assert rows(words) == [("ilike",)]
    assert rows("""SELECT 'b' <> ALL ('{a,"b"}'::text[]), 'c' <> ALL ('{a,"b"}'::text[])""") == [(False, True)]
    keys = """SELECT pkc.relname, pos.n, con.conname FROM pg_catalog.pg_class pkc, pg_catalog.pg_attribute pka,
        pg_catalog.pg_constraint con, pg_catalog.generate_series(1, 32) pos(n)
        WHERE pkc.oid = pka.attrelid AND pka.attnum = con.confkey[pos.n] AND con.confrelid = pkc.oid"""
    assert rows(keys) == []


def test_a_catalog_has_no_other_tables_and_makes_no_rows() -> None:
    for text in (
        "SELECT * FROM pg_catalog.pg_shadow",
        "SELECT * FROM pg_statistic",
        "SELECT * FROM information_schema.secrets",
        "SELECT * FROM pg_catalog.read_text('/etc/passwd')",
        "SELECT 'a' = ANY('{a,{b}}'::text[])",
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
