"""Indirect linkage on a synthetic France with its default errors, on a real vault, against its truth."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from enclos.app.report.charts import svg_of
from enclos.linkage.model import Method
from enclos.linkage.plans import deciding, relaxation, stays
from enclos.linkage.steps import link_indirectly, measure_indirect, measure_links
from enclos.stores.stay_scorer import EphemeralBlinding, SplinkStays
from enclos.synthetic import make_france
from factories.deliveries import NOON, open_vault

TABLES_OF_THE_MOMENT = {
    *(stays.TOLD_HOSPITAL, stays.TOLD_NATIONAL, stays.BLINDED_CODES, stays.KNOWN),
    *(stays.HOSPITAL_STAYS, stays.NATIONAL_STAYS, stays.PATIENT_NUMBERS, stays.PERSON_NUMBERS),
    *(deciding.SCORED, relaxation.PAIRS, relaxation.SETTLED, relaxation.TAKEN),
}
PERSONS, YEARS, SEED = 3_000, (2019, 2020), 11


@pytest.fixture(scope="module")
def france(tmp_path_factory):
    folder = tmp_path_factory.mktemp("indirect") / "france"
    make_france(folder, PERSONS, YEARS, SEED)
    return folder


@pytest.fixture(scope="module")
def bench(france, tmp_path_factory):
    with open_vault(tmp_path_factory.mktemp("indirect-vault")) as opened:
        for name in ("snds-ref", "snds-pmsi-2019", "snds-pmsi-2020", "hosp-a", "hosp-b", "hosp-c", "hosp-d"):
            opened.accept(france / "deliveries" / name)
        for folder in sorted((france / "deliveries").glob("link-*")):
            opened.accept(folder)
        opened.link()
        yield opened


@pytest.fixture(scope="module")
def identities(france):
    return pq.read_table(france / "truth" / "identities.parquet")


def links(bench):
    return bench.engine.rows("SELECT * FROM vault.indirect_links ORDER BY ALL")


@pytest.mark.parametrize("method", list(Method))
def test_patients_are_recovered_from_their_stays(bench, identities, method):
    report = bench.link_indirectly(method)
    truth = measure_indirect(bench.engine, bench.landing, identities)
    assert truth.recall.of > 100
    assert truth.recall.value >= 0.97, truth
    assert truth.precision.value >= 0.995, truth
    assert report.as_json()["success"]
    assert report.direct[1] == 0  # nobody whom the NIR knows as another


def test_the_direct_circuit_is_measured_without_the_indirect_links(bench, france, identities):
    bench.link_indirectly()
    persons = pq.read_table(france / "truth" / "persons.parquet")
    direct = measure_links(bench.engine, bench.landing, identities, persons).as_json()["direct"]
    assert direct["recall"] >= 0.999
    assert direct["false_links"] == 0
    assert direct["recall_all"] < 0.97  # who has no NIR is not found by it


def test_the_same_seed_gives_the_same_weights_again(bench):
    bench.link_indirectly(Method.PROBABILISTIC)
    before, model = links(bench), bench.engine.rows("SELECT model FROM vault.indirect_rounds ORDER BY ALL")
    bench.engine.execute("DELETE FROM vault.indirect_rounds")
    assert bench.link_indirectly(Method.PROBABILISTIC).compared
    assert links(bench) == before
    assert bench.engine.scalar("SELECT model FROM vault.indirect_rounds") in [text for (text,) in model]


class Compares:
    """What a scorer is given, kept for the test; no stay may be compared when it says so."""

    def __init__(self, scorer=None):
        self.scorer, self.seen = scorer, []

    def score(self, hospital, national, **given):
        assert self.scorer is not None, "stays were compared again"
        self.seen += [hospital, national]
        return self.scorer.score(hospital, national, **given)


def test_another_threshold_decides_anew_without_comparing_and_persons_follow(bench):
    bench.link_indirectly(Method.PROBABILISTIC)
    bench.number()
    n_before = len(set(bench.persons().values()))
    report = bench.link_indirectly(Method.PROBABILISTIC, 1e6, scorer=Compares())
    assert (report.compared, report.n_linked) == (False, 0)
    bench.number()
    n_alone = len(set(bench.persons().values()))
    report = bench.link_indirectly(Method.PROBABILISTIC, scorer=Compares())
    assert report.n_linked > 0
    bench.number()
    assert len(set(bench.persons().values())) == n_before < n_alone


def test_fewer_are_linked_the_higher_the_threshold(bench):
    found = [bench.link_indirectly(Method.PROBABILISTIC, bits).n_linked for bits in (0, 10, 20, 30, 60)]
    assert found == sorted(found, reverse=True)
    assert found[0] > found[-1]


def test_the_scorer_sees_numbers_only_and_nothing_of_a_comparison_stays(bench, identities):
    compares = Compares(SplinkStays(None))
    bench.engine.execute("DELETE FROM vault.indirect_rounds")
    bench.link_indirectly(Method.PROBABILISTIC, scorer=compares)
    persons = set(identities["source_person_id"].to_pylist())
    for side in compares.seen:
        assert side.schema.names == [*stays.COMPARED]
        texts = {name for name in side.schema.names if pa.types.is_string(side.schema.field(name).type)}
        assert texts == {"finess"}
        assert not persons & set(side["finess"].to_pylist())
    left = {name for (name,) in bench.engine.rows("SELECT table_name FROM duckdb_tables() WHERE temporary")}
    assert not left & TABLES_OF_THE_MOMENT
    columns = {
        name
        for (name,) in bench.engine.rows("SELECT column_name FROM duckdb_columns() WHERE table_name LIKE 'indirect%'")
    }
    assert not columns & {"principal", "codes", "acts", "acts_key", "entry_on", "exit_on", "finess", "birth_month"}


def test_what_is_kept_of_the_model_holds_no_stay(bench):
    bench.link_indirectly(Method.PROBABILISTIC)
    model = json.loads(bench.engine.scalar("SELECT model FROM vault.indirect_rounds WHERE method = 'probabilistic'"))
    assert set(model) == {"prior", "comparisons"}
    assert {tuple(sorted(level)) for levels in model["comparisons"].values() for level in levels} == {
        ("level", "m", "u")
    }


def test_the_chart_of_weights_is_one_file_that_asks_nothing_of_the_network(bench):
    bench.engine.execute("DELETE FROM vault.indirect_rounds")
    _, chart = link_indirectly(
        bench.engine,
        bench.landing,
        EphemeralBlinding(),
        SplinkStays(None),
        method=Method.PROBABILISTIC,
        threshold=6.0,
        seed=7,
        linked_at=NOON,
    )
    svg = svg_of(chart).decode()
    assert svg.startswith("<svg")
    assert "birth_month" in svg
    outside = svg.replace("http://www.w3.org/2000/svg", "").replace("http://www.w3.org/1999/xlink", "")
    assert "http" not in outside
    assert "<script" not in svg


def test_a_comparison_that_dies_leaves_no_table(bench):
    class Dies:
        def score(self, *_, **__):
            raise KeyboardInterrupt

    bench.link_indirectly(Method.PROBABILISTIC)
    before = links(bench)
    bench.engine.execute("DELETE FROM vault.indirect_rounds")
    with pytest.raises(KeyboardInterrupt):
        bench.link_indirectly(Method.PROBABILISTIC, scorer=Dies())
    left = {name for (name,) in bench.engine.rows("SELECT table_name FROM duckdb_tables() WHERE temporary")}
    assert not left & TABLES_OF_THE_MOMENT
    assert links(bench) == before
