"""Files that one catalog of a lake names, told to another one that is to name them too.

What is told holds the files' keys, so it goes through a pipe alone and rests in no file but an encrypted catalog.

Source: DuckLake 1.0 specification (ducklake_data_file, ducklake_file_column_stats, ducklake_file_partition_value,
    ducklake_table_stats, ducklake_table_column_stats, ducklake_snapshot)
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from enclos.stores.engine import Engine
from enclos.stores.lake import ALIAS
from enclos.stores.lake_statistics import mend_statistics

_CATALOG = f"__ducklake_metadata_{ALIAS}"


@dataclass(frozen=True, slots=True)
class LakeFiles:
    """Files of tables by bucket, one row each, and what the catalog knows of their columns; its repr shows no key."""

    files: pa.Table
    """table_name, path, record_count, file_size_bytes, footer_size, partition_value, encryption_key."""
    columns: pa.Table
    """path, column_id, column_name, and the columns of ducklake_file_column_stats."""

    def __repr__(self) -> str:
        return f"LakeFiles({self.files.num_rows})"

    @property
    def paths(self) -> list[str]:
        """The files, below their table's folder."""
        paths: list[str] = self.files["path"].to_pylist()
        return paths

    def without(self, paths: Collection[str]) -> LakeFiles:
        """The other files."""
        among = pa.array(sorted(paths), pa.string())
        return LakeFiles(
            *(table.filter(pc.invert(pc.is_in(table["path"], among))) for table in (self.files, self.columns))
        )


def named_files(engine: Engine, buckets: Sequence[int] | None = None) -> LakeFiles:
    """The files of tables by bucket that the lake's newest snapshot reads.

    In: buckets — those of these buckets only.
    """
    among = "" if buckets is None else f"AND list_contains({list(buckets)}, CAST(p.partition_value AS INTEGER))"
    chosen = (
        f"FROM {_CATALOG}.ducklake_data_file AS f "
        f"JOIN {_CATALOG}.ducklake_table AS t ON t.table_id = f.table_id AND t.end_snapshot IS NULL "
        f"JOIN {_CATALOG}.ducklake_file_partition_value AS p USING (data_file_id) "
        f"WHERE f.end_snapshot IS NULL {among}"
    )
    files = engine.query(
        "SELECT t.table_name, f.path, f.record_count, f.file_size_bytes, f.footer_size, p.partition_value, "
        f"f.encryption_key {chosen} ORDER BY t.table_name, f.path"
    )
    columns = engine.query(
        f"SELECT chosen.path, c.column_id, c.column_name, s.* EXCLUDE (data_file_id, table_id, column_id) "
        f"FROM {_CATALOG}.ducklake_file_column_stats AS s "
        f"JOIN (SELECT f.data_file_id, f.path {chosen}) AS chosen USING (data_file_id) "
        f"JOIN {_CATALOG}.ducklake_column AS c "
        "ON c.table_id = s.table_id AND c.column_id = s.column_id AND c.end_snapshot IS NULL"
    )
    return LakeFiles(files, columns)


def add_files(engine: Engine, told: Sequence[LakeFiles], gone: Collection[str] = ()) -> None:
    """Let the lake's newest snapshot read these files, in this order, and no longer those that are gone.

    The lake has their tables, with the same columns; nobody has read that snapshot yet.
    """
    files = pa.concat_tables([each.files for each in told])
    lent = {
        "new_files": files.append_column("position", pa.array(range(files.num_rows), pa.int64())),
        "new_columns": pa.concat_tables([each.columns for each in told]),
        "gone_files": pa.table({"path": pa.array(sorted(gone), pa.string())}),
    }
    try:
        for name, rows in lent.items():
            engine.register(name, rows)
        with engine.transaction():
            _add(engine, files.num_rows, len(gone))
    finally:
        for name in lent:
            engine.unregister(name)


def _add(engine: Engine, n_files: int, n_gone: int) -> None:
    ((snapshot, first),) = engine.rows(
        f"SELECT snapshot_id, next_file_id FROM {_CATALOG}.ducklake_snapshot ORDER BY snapshot_id DESC LIMIT 1"
    )
    tables = f"{_CATALOG}.ducklake_table AS t ON t.table_name = n.table_name AND t.end_snapshot IS NULL"
    before = "ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING"
    engine.execute(
        f"INSERT INTO {_CATALOG}.ducklake_data_file (data_file_id, table_id, begin_snapshot, path, path_is_relative, "
        "file_format, record_count, file_size_bytes, footer_size, row_id_start, partition_id, encryption_key) "
        f"SELECT {first} + n.position, t.table_id, {snapshot}, n.path, true, 'parquet', n.record_count, "
        "n.file_size_bytes, n.footer_size, coalesce(s.next_row_id, 0) + coalesce("
        f"sum(n.record_count) OVER (PARTITION BY t.table_id ORDER BY n.position {before}), 0), "
        f"p.partition_id, n.encryption_key FROM new_files AS n JOIN {tables} "
        f"JOIN {_CATALOG}.ducklake_partition_info AS p ON p.table_id = t.table_id AND p.end_snapshot IS NULL "
        f"LEFT JOIN {_CATALOG}.ducklake_table_stats AS s ON s.table_id = t.table_id"
    )
    engine.execute(
        f"UPDATE {_CATALOG}.ducklake_data_file SET end_snapshot = {snapshot} "
        "WHERE path IN (SELECT path FROM gone_files)"
    )
    file = f"{_CATALOG}.ducklake_data_file AS f ON f.path = n.path AND f.begin_snapshot = {snapshot}"
    column = f"{_CATALOG}.ducklake_column AS c ON c.table_id = f.table_id AND c.end_snapshot IS NULL"
    engine.execute(
        f"INSERT INTO {_CATALOG}.ducklake_file_partition_value "
        f"SELECT f.data_file_id, f.table_id, 0, n.partition_value FROM new_files AS n JOIN {file}"
    )
    engine.execute(
        f"INSERT INTO {_CATALOG}.ducklake_file_column_stats "
        "SELECT f.data_file_id, f.table_id, n.* EXCLUDE (path, column_name) "
        f"FROM new_columns AS n JOIN {file} JOIN {column} "
        "AND c.column_id = n.column_id AND c.column_name = n.column_name"
    )
    placed = engine.scalar(f"SELECT count(*) FROM {_CATALOG}.ducklake_data_file WHERE data_file_id >= {first}")
    known = engine.scalar(f"SELECT count(*) FROM {_CATALOG}.ducklake_file_column_stats WHERE data_file_id >= {first}")
    ended = engine.scalar(
        f"SELECT count(*) FROM {_CATALOG}.ducklake_data_file "
        f"WHERE end_snapshot = {snapshot} AND path IN (SELECT path FROM gone_files)"
    )
    if (placed, known, ended) != (n_files, engine.scalar("SELECT count(*) FROM new_columns"), n_gone):
        raise AssertionError("files were told of tables that this lake does not have")
    _add_statistics(engine, first)
    engine.execute(
        f"UPDATE {_CATALOG}.ducklake_snapshot SET next_file_id = {first + n_files} WHERE snapshot_id = {snapshot}"
    )


def _add_statistics(engine: Engine, first: int) -> None:
    """Add the new files to what the catalog says of whole tables."""
    engine.execute(
        f"INSERT INTO {_CATALOG}.ducklake_table_stats SELECT DISTINCT table_id, 0, 0, 0 "
        f"FROM {_CATALOG}.ducklake_data_file WHERE data_file_id >= {first} "
        f"AND table_id NOT IN (SELECT table_id FROM {_CATALOG}.ducklake_table_stats)"
    )
    engine.execute(
        f"UPDATE {_CATALOG}.ducklake_table_stats AS s SET record_count = s.record_count + n.n_rows, "
        "next_row_id = s.next_row_id + n.n_rows, file_size_bytes = s.file_size_bytes + n.n_bytes "
        "FROM (SELECT table_id, CAST(sum(record_count) AS BIGINT) AS n_rows, CAST(sum(file_size_bytes) AS BIGINT) "
        f"AS n_bytes FROM {_CATALOG}.ducklake_data_file WHERE data_file_id >= {first} GROUP BY ALL) AS n "
        "WHERE s.table_id = n.table_id"
    )
    mend_statistics(engine, _CATALOG)


def table_folders(engine: Engine) -> dict[str, str]:
    """By table, the folder of its files in the lake's newest snapshot."""
    return {
        str(name): str(path).rstrip("/")
        for name, path in engine.rows(
            f"SELECT table_name, path FROM {_CATALOG}.ducklake_table WHERE end_snapshot IS NULL"
        )
    }
