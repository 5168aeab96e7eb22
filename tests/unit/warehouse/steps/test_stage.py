from enclos.warehouse.steps.stage import Stage
from factories.pseudonymised import bench


def test_rows_are_kept_under_a_name_until_they_are_forgotten() -> None:
    engine, _ = bench()
    stage = Stage(engine)
    stage.put("numbers", "SELECT * FROM range(200000) AS t(n)")
    assert engine.scalar("SELECT count(*) FROM stage_numbers") == 200_000
    stage.put("numbers", "SELECT 1 AS n")
    assert engine.rows("FROM stage_numbers") == [(1,)]
    stage.clear()
    assert engine.scalar("SELECT count(*) FROM duckdb_views() WHERE view_name = 'stage_numbers'") == 0


def test_a_join_with_large_keys_reads_the_kept_rows() -> None:
    """A join pushes its bounds into Arrow tables; keys above 2**63 would not pass."""
    engine, _ = bench()
    stage = Stage(engine)
    key = "CAST(hash(n) >> 1 AS BIGINT)"
    stage.put("many", f"SELECT n, {key} AS key FROM range(100000) AS t(n)")
    stage.put("few", f"SELECT n, {key} AS key FROM range(3) AS t(n)")
    assert engine.scalar("SELECT count(*) FROM stage_many AS m JOIN stage_few AS f USING (key)") == 3
    stage.clear()
