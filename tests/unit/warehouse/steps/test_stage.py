from collections.abc import Sequence

from enclos.warehouse.model import Cut
from enclos.warehouse.steps.sources import Sources
from enclos.warehouse.steps.stage import Stage
from factories.pseudonymised import bench


class Stamped:
    """Beneficiaries and packs, with a stamp each."""

    def __init__(self, **stamps: str) -> None:
        self._stamps = {"ben": "1", "pha": "1"} | stamps

    def tables(self) -> list[str]:
        return list(self._stamps)

    def relation(self, table: str, buckets: Sequence[int] | None) -> str | None:  # noqa: ARG002 - the port's words
        return f"(SELECT '{self._stamps[table]}' AS said, 7 AS person_id)"

    def stamp(self, table: str, buckets: Sequence[int] | None) -> str:  # noqa: ARG002 - the port's words
        return self._stamps[table]

    def n_rows(self) -> int:
        return 2


def stage(rules: str = "rules", outer: Stage | None = None, **stamps: str) -> Stage:
    engine, _ = bench()
    sources = Sources(engine, Stamped(**stamps), Cut((0,), 1))
    made = Stage(engine, sources, rules, outer=outer, outputs={"drug_exposure": "lake.drug_exposure"})
    made.define("packs", f"SELECT * FROM {sources['pha']}")
    made.define("known", f"SELECT person_id FROM {sources['ben']}", by_content=True)
    made.define("drugs", "SELECT * FROM stage_packs WHERE person_id IN (FROM stage_known)")
    return made


def test_rows_are_made_when_first_read_and_kept_until_they_are_forgotten() -> None:
    engine, _ = bench()
    made = stage()
    made.define("numbers", "SELECT * FROM range(200000) AS t(n)")
    made.define("wrong", "SELECT * FROM nowhere")
    made.define("few", "SELECT * FROM stage_numbers WHERE n < 3")
    assert made.scalar("SELECT count(*) FROM stage_few") == 3
    assert engine.scalar("SELECT count(*) FROM stage_numbers") == 200_000
    made.clear()
    assert engine.scalar("SELECT count(*) FROM duckdb_views() WHERE view_name = 'stage_numbers'") == 0


def test_forgotten_rows_are_made_again_when_somebody_reads_them() -> None:
    engine, _ = bench()
    made = stage()
    made.define("numbers", "SELECT * FROM range(3) AS t(n)")
    assert made.scalar("SELECT count(*) FROM stage_numbers") == 3
    made.forget("numbers", "never made")
    assert engine.scalar("SELECT count(*) FROM duckdb_views() WHERE view_name = 'stage_numbers'") == 0
    assert made.scalar("SELECT count(*) FROM stage_numbers") == 3
    made.clear()


def test_a_join_with_large_keys_reads_the_kept_rows() -> None:
    """A join pushes its bounds into Arrow tables; keys above 2**63 would not pass."""
    made = stage()
    key = "CAST(hash(n) >> 1 AS BIGINT)"
    made.define("many", f"SELECT n, {key} AS key FROM range(100000) AS t(n)")
    made.define("few", f"SELECT n, {key} AS key FROM range(3) AS t(n)")
    assert made.scalar("SELECT count(*) FROM stage_many AS m JOIN stage_few AS f USING (key)") == 3
    made.clear()


def test_a_signature_follows_text_rules_and_all_that_is_read() -> None:
    drugs = "SELECT * FROM stage_drugs"
    signature = stage().signature(drugs)
    assert stage().signature(drugs) == signature
    assert stage().signature(f"{drugs} WHERE true") != signature
    assert stage("other rules").signature(drugs) != signature
    assert stage(pha="2").signature(drugs) != signature


def test_what_depends_on_rows_does_not_change_with_where_they_came_from() -> None:
    drugs = "SELECT * FROM stage_drugs"
    assert stage(ben="2").signature(drugs) == stage().signature(drugs)
    assert stage(ben="2").signature("FROM at_ben()") != stage().signature("FROM at_ben()")


def test_what_only_leaves_out_what_nobody_asks_for_has_no_weight() -> None:
    signatures = set()
    for sql in ("SELECT 1 AS name", "SELECT 2 AS name"):
        made = stage()
        made.define("borne", sql, of_no_weight=True)
        signatures.add(made.signature("SELECT * FROM stage_packs WHERE person_id IN (FROM stage_borne)"))
    assert len(signatures) == 1


def test_rows_of_an_outer_stage_are_seen_and_count() -> None:
    outer, other = stage(), stage()
    outer.define("codes", "SELECT 1 AS code")
    other.define("codes", "SELECT 2 AS code")
    inner = stage(outer=outer)
    assert inner.rows("FROM stage_codes") == [(1,)]
    assert inner.signature("FROM stage_codes") != stage(outer=other).signature("FROM stage_codes")
    outer.clear()


def test_a_table_of_the_lake_stands_for_what_was_written_into_it() -> None:
    eras, one, two = "SELECT * FROM lake.drug_exposure", stage(), stage()
    one.wrote("drug_exposure", "a")
    two.wrote("drug_exposure", "b")
    assert one.signature(eras) != two.signature(eras)
