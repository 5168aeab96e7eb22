from collections.abc import Sequence

from enclos.warehouse.model import Cut
from enclos.warehouse.steps.sources import Sources
from factories.pseudonymised import ben, bench, built


class Nothing:
    def tables(self) -> list[str]:
        return ["ben", "omop_location"]

    def relation(self, table: str, buckets: Sequence[int] | None) -> str | None:
        return f"(SELECT '{table} of {buckets}' AS said)" if table == "omop_location" else None

    def stamp(self, table: str, buckets: Sequence[int] | None) -> str:
        return f"stamp of {table} in {buckets}"

    def n_rows(self) -> int:
        return 0


def test_a_table_that_never_came_has_its_columns_and_no_row() -> None:
    engine, _ = bench()
    relation = Sources(engine, Nothing(), Cut((3,), 4))["pha"]
    assert engine.query(f"SELECT person_id, PHA_PRS_C13 FROM {relation}").num_rows == 0


def test_a_table_without_rows_in_the_bucket_is_empty_too() -> None:
    engine, _ = bench()
    assert engine.scalar(f"SELECT count(*) FROM {Sources(engine, Nothing(), Cut((3,), 4))['ben']}") == 0


def test_a_table_without_persons_is_read_whole() -> None:
    engine, _ = bench()
    sources = Sources(engine, Nothing(), Cut((3,), 4))
    assert sources["omop_location"] == "at_omop_location()"
    assert engine.rows("SELECT said FROM at_omop_location()") == [("omop_location of None",)]
    assert sources.stamps() == {"at_omop_location()": "stamp of omop_location in None"}


def test_tables_of_persons_are_those_that_came() -> None:
    engine, _ = bench()
    sources = Sources(engine, Nothing(), Cut((3,), 4))
    assert sources.of_persons == ("ben",)
    assert "ben" in sources
    assert "pha" not in sources


def test_tables_that_nobody_delivered_exist_without_rows() -> None:
    with built({"ben": [ben(1)]}) as snapshot:
        assert snapshot.report.tables["drug_exposure"] == 0
        assert snapshot.rows("payer_plan_period") == []
