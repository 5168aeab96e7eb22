"""A grammar of DuckDB's SQL, honest and hostile, from a seed: statements to try the guard with."""

from __future__ import annotations

from random import Random

_TABLES = ("person", "condition_occurrence", "drug_exposure", "death", "concept")
_COLUMNS = (
    "person_id",
    "year_of_birth",
    "condition_concept_id",
    "condition_start_date",
    "days_supply",
    "death_date",
    "x",
)
_GOOD = (
    "count",
    "sum",
    "min",
    "max",
    "list",
    "abs",
    "lower",
    "year",
    "coalesce",
    "round",
    "concat",
    "length",
    "median",
)
_BAD_CALLS = (
    *("error", "stats", "getvariable", "query", "read_text", "current_setting", "hash", "random", "nextval", "getenv"),
    *(
        "json_execute_serialized_sql",
        "json_serialize_sql",
        "list_transform",
        "list_aggregate",
        "repeat",
        "range",
        "md5",
    ),
    *("pg_backend_pid", "current_schemas", "set_bit", "write_log", "parse_path", "add_parquet_key", "alias", "typeof"),
)
_BAD_SOURCES = (
    *(
        "base.patients",
        '"BASE"."PaTiEnTs"',
        "memory.base.patients",
        "base/**/./**/patients",
        "'secret.csv'",
        '"secret.csv"',
    ),
    *(
        "read_csv('secret.csv')",
        "read_parquet('*')",
        "glob('/*')",
        "query('SELECT nir FROM base.patients')",
        "some_frame",
    ),
    *("query_table(['base.patients'])", "duckdb_tables()", "duckdb_views()", "pg_catalog.pg_class", "range(10)"),
    *("information_schema.tables", "sqlite_master", "pragma_table_info('person')", "pragma_storage_info('person')"),
    *("(SHOW TABLES)", "(DESCRIBE person)", "(SUMMARIZE person)", "(FROM base.patients)", "(TABLE base.patients)"),
    *("UNNEST([1, 2])", "LATERAL (SELECT nir FROM base.patients)", "person TABLESAMPLE 5", "person AT (VERSION => 1)"),
    *("(PIVOT base.patients ON nir USING count(*))", "(VALUES ((SELECT nir FROM base.patients)))", "read_duckdb('x')"),
)
_BAD_STATEMENTS = (
    *("COPY ({q}) TO 'x.csv'", "CREATE TEMP VIEW v AS {q}", "CREATE MACRO m() AS TABLE {q}", "EXPLAIN ANALYZE {q}"),
    *(
        "{q}; {q}",
        "PREPARE p AS {q}",
        "ATTACH ':memory:' AS m; {q}",
        "SET memory_limit = '9GB'; {q}",
        "PRAGMA show_tables",
    ),
    *(
        "INSERT INTO person {q}",
        "CALL pragma_version()",
        "PIVOT ({q}) ON x USING count(*)",
        "DESCRIBE {q}",
        "SUMMARIZE {q}",
    ),
    *(
        "EXECUTE p({q})",
        "VACUUM",
        "SELECT * FROM ({q}) USING SAMPLE 3",
        "WITH RECURSIVE r AS ({q} UNION ALL FROM r) FROM r",
    ),
    *("DELETE FROM person USING ({q}) AS s", "MERGE INTO person USING ({q}) s ON true WHEN MATCHED THEN DELETE"),
    *("{q} INTO OUTFILE 'x'", "LOAD httpfs", "INSTALL httpfs", "USE base", "FROM ({q}) SELECT COLUMNS('.*')"),
)
_NOISE = (
    "/* base.patients */",
    "-- x\n",
    "/**/",
    "\n\t",
    "\u00a0",
    " ",
    ";",
    ")",
    "(",
    "'",
    '"',
    "$$",
    "\\",
    "::",
    "?",
    "#1",
)


class Statements:
    """Statements from a seed; about half of them hold something hostile."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 - test data

    def next(self) -> str:
        """One more statement."""
        hostile = self._random.random() < 0.5
        text = self._query(3, hostile)
        if hostile and self._random.random() < 0.3:
            text = self._random.choice(_BAD_STATEMENTS).format(q=text)
        if self._random.random() < 0.15:
            at = self._random.randrange(len(text))
            text = text[:at] + self._random.choice(_NOISE) + text[at:]
        if self._random.random() < 0.1:
            text = text.swapcase()
        return text

    def _is(self, share: float) -> bool:
        return self._random.random() < share

    def _query(self, depth: int, hostile: bool) -> str:
        pick = self._random.choice
        if depth > 1 and self._is(0.15):
            joined = pick(("UNION", "UNION ALL", "EXCEPT", "INTERSECT", "UNION BY NAME"))
            return f"{self._query(depth - 1, hostile)} {joined} {self._query(depth - 1, hostile)}"
        head = ""
        if depth > 1 and self._is(0.2):
            name = pick(("c", "v", '"proj.v"', "person"))
            head = f"WITH {name} AS ({self._query(depth - 1, hostile)}) "
        listed = ", ".join(
            self._expression(depth, hostile) + (f" AS {pick(('a', 'b', 'x'))}" if self._is(0.4) else "")
            for _ in range(self._random.randint(1, 3))
        )
        listed = pick(
            ("*", "* EXCLUDE (x)", "t.*", "DISTINCT person_id", "DISTINCT ON (person_id) person_id", listed, listed)
        )
        if hostile and self._is(0.1):
            listed = pick(("COLUMNS('n.*')", "COLUMNS(*)", "* LIKE 'n%'", "rowid", "t", "#1", "nir", "$1"))
        source = self._source(depth, hostile)
        tail = ""
        if self._is(0.4):
            compared = pick(("=", "<", "LIKE", "IS NOT", "IN"))
            tail += f" WHERE {self._expression(depth, hostile)} {compared} {self._literal()}"
        if self._is(0.3):
            tail += pick(
                (
                    " GROUP BY ALL",
                    " GROUP BY 1",
                    " GROUP BY CUBE (person_id)",
                    " GROUP BY GROUPING SETS ((person_id), ())",
                )
            )
        if self._is(0.1):
            tail += " QUALIFY row_number() OVER (ORDER BY person_id) = 1"
        if self._is(0.3):
            tail += f" ORDER BY {pick(('1', 'ALL', self._expression(1, hostile)))}"
        if self._is(0.2):
            tail += " LIMIT " + pick(("3", "(SELECT 2)", "10%", self._expression(1, hostile)))
        return f"{head}SELECT {listed} FROM {source}{tail}"

    def _source(self, depth: int, hostile: bool) -> str:
        pick = self._random.choice
        if hostile and self._is(0.4):
            first = pick(_BAD_SOURCES)
        elif depth > 1 and self._is(0.2):
            first = f"({self._query(depth - 1, hostile)})"
        else:
            first = pick(_TABLES)
        first += pick((" t", " AS t", "", " t(a, b)" if hostile else " t"))
        if self._is(0.25):
            kind = pick(("JOIN", "LEFT JOIN", "FULL JOIN", "ASOF JOIN", "SEMI JOIN", "POSITIONAL JOIN", "NATURAL JOIN"))
            first += f" {kind} {pick(_TABLES)} u " + pick(("USING (person_id)", "ON t.person_id = u.person_id", ""))
        return first

    def _expression(self, depth: int, hostile: bool) -> str:
        pick = self._random.choice
        if depth <= 0 or self._is(0.3):
            return pick((pick(_COLUMNS), f"t.{pick(_COLUMNS)}", self._literal()))
        if hostile and self._is(0.25):
            inner = self._expression(depth - 1, hostile)
            return pick(
                (
                    f"{pick(_BAD_CALLS)}({inner})",
                    f"{inner}.{pick(_BAD_CALLS)}()",
                    f"main.{pick(_BAD_CALLS)}({inner})",
                    f"(SELECT nir FROM {pick(_BAD_SOURCES)})",
                    f"EXISTS (FROM {pick(_BAD_SOURCES)})",
                    f"list_transform([{inner}], y -> {inner})",
                    f"[y FOR y IN [{inner}]]",
                    f"{inner}::STRUCT(a INTEGER)",
                    f"{inner} COLLATE nocase",
                    f"{inner} -> '$.a'",
                    f"base.patients.nir || {inner}",
                    f"TRY({inner})",
                )
            )
        a, b = self._expression(depth - 1, hostile), self._expression(depth - 1, hostile)
        return pick(
            (
                f"{pick(_GOOD)}({a})",
                f"{a} {pick(('+', '-', '*', '/', '//', '%', '||', '=', '<', 'AND', 'OR', '^', '**', '&'))} {b}",
                f"CASE WHEN {a} THEN {b} END",
                f"({a})",
                f"CAST({a} AS {pick(('INTEGER', 'VARCHAR', 'DATE', 'DECIMAL(10, 2)', 'INTEGER[]'))})",
                f"{a}::{pick(('DOUBLE', 'BIGINT', 'TIMESTAMP', 'BLOB', 'JSON', 'UUID'))}",
                f"sum({a}) OVER (PARTITION BY {b})",
                f"count(*) FILTER (WHERE {a})",
                f"{a} BETWEEN {b} AND {b}",
                f"{a} IS NULL",
                f"[{a}, {b}][1]",
                f"extract(year FROM {a})",
                f"{a} + INTERVAL 3 DAYS",
                f"(SELECT max(person_id) FROM {pick(_TABLES)})",
                f"quantile_cont({a}, 0.5)",
            )
        )

    def _literal(self) -> str:
        literals = (
            "1",
            "'a'",
            "DATE '2020-01-01'",
            "NULL",
            "true",
            "1.5",
            "-3",
            "0x1F",
            "1e3",
            "(1, 2)",
            "e'\\x41'",
            "$$a$$",
        )
        return self._random.choice(literals)
