"""What a lake's catalog says of whole columns, made to hold for all of the table's files.

The engine leaves out what it will not find by the least and greatest value of a column. DuckLake forgets them when a
file has no value in that column at all, and takes those of the next files alone from then on: nobody who asks for
values of the files before finds their rows any more.

Source: DuckLake 1.0 specification (ducklake_table_column_stats); seen in DuckDB 1.5.5 (decision 0127)
"""

from __future__ import annotations

from enclos.stores.engine import Engine

_TYPES = {"int8": "TINYINT", "int16": "SMALLINT", "int32": "INTEGER", "int64": "BIGINT", "float64": "DOUBLE"}
"""What the engine calls the catalog's types, where it is another word."""


def mend_statistics(engine: Engine, catalog: str) -> None:
    """Let the catalog say of every column what holds for all files of its table, those of earlier snapshots too.

    In: catalog — its alias; in a transaction of the caller's, or alone.
    """
    types = engine.rows(f"SELECT DISTINCT column_type FROM {catalog}.ducklake_column ORDER BY ALL")
    known = " UNION ALL ".join(_known_sql(catalog, told) for (told,) in types)
    if not known:
        return
    engine.execute(f"CREATE OR REPLACE TEMP TABLE known_columns AS {known}")
    engine.execute(
        f"DELETE FROM {catalog}.ducklake_table_column_stats AS s USING known_columns AS k "
        "WHERE s.table_id = k.table_id AND s.column_id = k.column_id"
    )
    engine.execute(
        f"INSERT INTO {catalog}.ducklake_table_column_stats "
        "(table_id, column_id, contains_null, contains_nan, min_value, max_value) FROM known_columns"
    )
    engine.execute("DROP TABLE known_columns")


def _known_sql(catalog: str, told: str) -> str:
    """Of the columns of one type: whether they have nulls, NaN, their least and greatest value (NULL: not known)."""
    sql_type = _TYPES.get(told, told)
    least, greatest = (
        f"CASE WHEN bool_and(is_known) THEN CAST({which}(CAST({which}_value AS {sql_type})) AS VARCHAR) END"
        for which in ("min", "max")
    )
    return (
        f"SELECT table_id, column_id, bool_or(has_null), bool_or(has_nan), {least}, {greatest} FROM ("
        "SELECT table_id, column_id, coalesce(null_count > 0, true) AS has_null, contains_nan AS has_nan, min_value, "
        "max_value, min_value IS NOT NULL AND max_value IS NOT NULL OR coalesce(value_count = 0, false) AS is_known "
        f"FROM {catalog}.ducklake_file_column_stats "
        "UNION ALL SELECT table_id, column_id, contains_null, contains_nan, min_value, max_value, true "
        f"FROM {catalog}.ducklake_table_column_stats) AS told "
        f"JOIN {catalog}.ducklake_column AS c USING (table_id, column_id) "
        f"WHERE c.end_snapshot IS NULL AND c.column_type = '{told}' GROUP BY ALL"
    )
