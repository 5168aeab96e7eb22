"""What the wall rests on in an engine, asked of whichever DuckDB this Python has; prints one JSON object.

Each answer is true when the engine behaves as the wall needs. Run by test_engine_contract.py in several environments.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import duckdb

THROWING = (
    "SELECT count(*) FROM {v} WHERE dx = 'RARE' AND CAST('LEAK' || patient AS INTEGER) > 0",
    "SELECT count(*) FROM {v} WHERE CASE WHEN dx = 'RARE' THEN error('LEAK' || patient) ELSE true END",
    "SELECT count(*) FROM {v} WHERE CASE WHEN dx = 'RARE' THEN CAST('LEAK' || patient AS INTEGER) ELSE 1 END > 0",
)
VIEWS = {
    "objections": "SELECT d.* FROM diag d WHERE NOT EXISTS (SELECT 1 FROM out o WHERE o.patient = d.patient)",
    "not_in": "SELECT d.* FROM diag d WHERE d.patient NOT IN (SELECT patient FROM out)",
    "anti": "SELECT d.* FROM diag d ANTI JOIN out o USING (patient)",
    "cohort": "SELECT d.* FROM diag d JOIN cohort c USING (patient)",
    "semi": "SELECT d.* FROM diag d WHERE d.patient IN (SELECT patient FROM cohort)",
}


def base() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute("CREATE TABLE diag AS SELECT range AS patient, if(range < 3, 'RARE', 'I10') AS dx FROM range(5000)")
    con.execute("CREATE TABLE out AS SELECT range AS patient FROM range(3)")
    con.execute("CREATE TABLE cohort AS SELECT range AS patient FROM range(3, 5000)")
    return con


def leaks(con: duckdb.DuckDBPyConnection, source: str) -> bool:
    for query in THROWING:
        try:
            con.execute(query.format(v=source)).fetchall()
        except duckdb.Error:
            return True
    return False


def fails(con: duckdb.DuckDBPyConnection, sql: str) -> bool:
    try:
        con.execute(sql).fetchall()
    except (duckdb.Error, MemoryError):
        return True
    return False


def main() -> None:
    found: dict[str, bool] = {}
    for name, view in VIEWS.items():
        con = base()
        found[f"throwing stays above the view: {name}"] = not leaks(con, f"({view})")
        con.execute(f"CREATE TABLE barrier AS {view}")
        found[f"throwing stays above the barrier: {name}"] = not leaks(con, "barrier")
    with tempfile.TemporaryDirectory() as folder:
        found |= locked(Path(folder))
    sys.stdout.write(json.dumps({"version": duckdb.__version__, "holds": found}))


def locked(folder: Path) -> dict[str, bool]:
    """The lock-down of the worker: nothing outside, nothing changed back."""
    secret, inside = folder / "secret.csv", folder / "inside"
    secret.write_text("a\n1\n")
    inside.mkdir()
    (inside / "link.csv").symlink_to(secret)
    con = duckdb.connect(config={"python_enable_replacements": "false", "autoload_known_extensions": "false"})
    con.execute("SET temp_directory = ''")
    con.execute("SET enable_external_access = false")
    con.execute("SET lock_configuration = true")
    some_frame = [1]  # noqa: F841 - what a replacement scan would find
    return {
        "no file is read": fails(con, f"FROM read_csv('{secret}')") and fails(con, f"FROM '{secret}'"),
        "no text is read": fails(con, f"FROM read_text('{secret}')")
        and fails(con, "FROM read_blob('/proc/self/environ')"),
        "no file is sniffed": fails(con, f"FROM sniff_csv('{secret}')"),
        "no symlink is followed": fails(con, f"FROM read_csv('{inside / 'link.csv'}')"),
        "nothing is copied out": fails(con, f"COPY (SELECT 1) TO '{inside / 'x.csv'}'")
        and not (inside / "x.csv").exists(),
        "no file is attached": fails(con, f"ATTACH '{folder / 'x.duckdb'}' AS x"),
        "no file is listed": fails(con, f"FROM glob('{folder}/*')"),
        "no setting comes back": all(
            fails(con, sql)
            for sql in (
                "SET enable_external_access = true",
                "RESET enable_external_access",
                "SET memory_limit = '64GB'",
                "SET lock_configuration = false",
            )
        ),
        "no extension is loaded": fails(con, "LOAD httpfs") and fails(con, "INSTALL httpfs"),
        "no variable of Python is read": fails(con, "FROM some_frame"),
        "no database file is read": fails(con, f"FROM read_duckdb('{folder / 'y.duckdb'}', table_name = 't')"),
        "a parser that binds nothing": "json_serialize_sql"
        in str(con.execute("SELECT json_serialize_sql('SELECT json_serialize_sql(1) FROM nowhere')").fetchall()),
    }


if __name__ == "__main__":
    main()
