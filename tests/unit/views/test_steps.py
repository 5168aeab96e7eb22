"""Opening a permit and reading through it."""

from collections.abc import Iterator
from datetime import date

import numpy as np
import pytest
from numpy.typing import NDArray

from enclos.contracts.view import FromSource, TableGrant, ViewTerms, WholeBase, all_tables
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import NotAllowed, NotAsPromised, refusal
from enclos.lexicon.spans import Span
from enclos.stores.engine import Engine, EngineFault, open_engine
from enclos.views.steps import UNNUMBERED, PermitCdm, numbered, open_view
from factories.cdm import MemoryPerimeter, MemorySnapshot, SeededRandomness, random_base

TERMS = ViewTerms("P-1", all_tables(), WholeBase(), Span(date(1990, 1, 1), date(2100, 1, 1)))


@pytest.fixture
def engine() -> Iterator[Engine]:
    with open_engine(threads=1) as engine:
        yield engine


class Permission:
    """A right that can end."""

    def __init__(self) -> None:
        self.n_asked = 0
        self.ended = False

    def __call__(self) -> None:
        self.n_asked += 1
        if self.ended:
            raise refusal(Code.PERMIT_EXPIRED, "It has ended.")


def opened(
    engine: Engine, terms: ViewTerms = TERMS, check: Permission | None = None, n_persons: int = 9
) -> tuple[PermitCdm, MemorySnapshot, MemoryPerimeter]:
    base = random_base(range(1, n_persons + 1), ["death", "drug_exposure", "location"], 1)
    snapshot, perimeter = MemorySnapshot(engine, base, {}), MemoryPerimeter()
    open_view(terms, engine=engine, snapshot=snapshot, perimeter=perimeter, randomness=SeededRandomness())
    cdm = PermitCdm(
        terms,
        name="base",
        engine=engine,
        snapshot=snapshot,
        perimeter=perimeter,
        opted_out=(),
        check=check or Permission(),
    )
    return cdm, snapshot, perimeter


def names(engine: Engine) -> list[tuple[object, ...]]:
    return engine.rows("SELECT view_name FROM duckdb_views() WHERE NOT internal") + engine.rows(
        "SELECT table_name FROM duckdb_tables() ORDER BY 1"
    )


def test_buckets_are_disjoint_and_together_everybody(engine: Engine) -> None:
    cdm, _, _ = opened(engine)
    seen: list[int] = []
    for number in cdm.buckets:
        with cdm.bucket(number) as bucket:
            seen += bucket.query("SELECT person_id FROM person")["person_id"].to_pylist()
    assert len(seen) == len(set(seen)) == 9
    assert cdm.name == "base"


def test_no_warehouse_number_is_shown(engine: Engine) -> None:
    cdm, _, _ = opened(engine)
    for number in cdm.buckets:
        with cdm.bucket(number) as bucket:
            assert min(bucket.query("SELECT person_id FROM person")["person_id"].to_pylist()) > 9
            rows = bucket.query("SELECT person_id, drug_exposure_id FROM drug_exposure").to_pylist()
            assert all(row["drug_exposure_id"] >> 20 == row["person_id"] for row in rows)


def test_what_is_not_granted_does_not_exist(engine: Engine) -> None:
    cdm, _, _ = opened(engine, ViewTerms("P-1", (TableGrant("person"),), WholeBase(), TERMS.period))
    with cdm.bucket(0) as bucket:
        bucket.query("SELECT person_id, gender_concept_id FROM person")
        for sql in ("FROM drug_exposure", "FROM provider", "FROM note", "SELECT bucket FROM person"):
            with pytest.raises(EngineFault):
                bucket.query(sql)


def test_a_column_that_may_be_empty_and_is_not_granted_is_empty_for_studies(engine: Engine) -> None:
    grant = TableGrant("person", ("year_of_birth",))
    cdm, _, _ = opened(engine, ViewTerms("P-1", (grant,), WholeBase(), TERMS.period))
    with cdm.bucket(0) as bucket:
        row = bucket.query("SELECT year_of_birth, month_of_birth FROM person LIMIT 1").to_pylist()[0]
        assert row == {"year_of_birth": 1960, "month_of_birth": None}
        with pytest.raises(EngineFault):
            bucket.query("SELECT gender_concept_id FROM person")


def test_vocabulary_is_there_and_tables_that_were_never_built_are_empty(engine: Engine) -> None:
    cdm, _, _ = opened(engine)
    with cdm.bucket(0) as bucket:
        assert bucket.query("SELECT concept_id, concept_name FROM concept").num_rows == 0
        assert bucket.query("SELECT measurement_id, person_id FROM measurement").num_rows == 0


def test_a_closed_bucket_leaves_nothing_behind(engine: Engine) -> None:
    cdm, _, _ = opened(engine)
    before = names(engine)

    def study() -> None:
        with cdm.bucket(1) as bucket:
            bucket.execute("CREATE TEMP TABLE cohort AS SELECT person_id FROM person")
            bucket.execute("CREATE TEMP VIEW mine AS FROM cohort")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        study()
    assert names(engine) == before
    with cdm.bucket(1) as bucket:
        assert bucket.query("SELECT table_name FROM duckdb_tables() WHERE temporary").to_pylist() == [
            {"table_name": "permit_perimeter"}
        ]
        for gone in ("cohort", "mine"):
            with pytest.raises(EngineFault):
                bucket.query(f"FROM {gone}")
    with pytest.raises(EngineFault):
        bucket.query("SELECT 1")


def test_the_right_is_asked_for_at_every_bucket_and_statement(engine: Engine) -> None:
    right = Permission()
    cdm, _, _ = opened(engine, check=right)
    with cdm.bucket(0) as bucket:
        bucket.query("FROM person")
        bucket.execute("CREATE TEMP TABLE x AS FROM person")
        assert right.n_asked == 3
        right.ended = True
        for ask in (bucket.query, bucket.execute):
            with pytest.raises(NotAllowed) as caught:
                ask("FROM person")
            assert caught.value.code is Code.PERMIT_EXPIRED
    with pytest.raises(NotAllowed), cdm.bucket(1):
        pass


def test_an_unopened_permit_is_refused(engine: Engine) -> None:
    snapshot = MemorySnapshot(engine, random_base([1], [], 1), {})
    with pytest.raises(NotAsPromised) as caught:
        PermitCdm(
            TERMS,
            name="x",
            engine=engine,
            snapshot=snapshot,
            perimeter=MemoryPerimeter(),
            opted_out=(),
            check=Permission(),
        )
    assert caught.value.code is Code.VIEW_UNOPENED


def test_a_source_that_nobody_knows_is_refused_and_an_unknown_one_is_empty(engine: Engine) -> None:
    base = random_base([1, 2], [], 1)
    snapshot, perimeter = MemorySnapshot(engine, base, {1: {"hosp-a"}}), MemoryPerimeter()
    for source, n_persons in (("hosp-a", 1), ("hosp-z", 0)):
        terms = ViewTerms("P-1", all_tables(), FromSource(source), TERMS.period)
        opened_view = open_view(
            terms, engine=engine, snapshot=snapshot, perimeter=perimeter, randomness=SeededRandomness()
        )
        assert opened_view.n_persons == n_persons
    snapshot.tables = frozenset(base)
    with pytest.raises(NotAsPromised) as caught:
        open_view(terms, engine=engine, snapshot=snapshot, perimeter=perimeter, randomness=SeededRandomness())
    assert caught.value.code is Code.VIEW_POPULATION


def test_opened_again_everybody_keeps_their_number(engine: Engine) -> None:
    _, _, perimeter = opened(engine, n_persons=5)
    first = perimeter.numbers()
    snapshot = MemorySnapshot(engine, random_base(range(1, 9), [], 1), {})
    again = open_view(
        TERMS, engine=engine, snapshot=snapshot, perimeter=perimeter, randomness=SeededRandomness(2), opted_out={3}
    )
    second = perimeter.numbers()
    assert (again.n_persons, again.n_new) == (7, 3)
    assert {person: second[person] for person in first if person != 3} == {p: n for p, n in first.items() if p != 3}
    assert 3 not in second


def test_other_persons_or_another_period_ask_for_opening_again(engine: Engine) -> None:
    _, snapshot, perimeter = opened(engine)
    parts = {"engine": engine, "snapshot": snapshot, "perimeter": perimeter, "opted_out": ()}
    later = Span(date(2001, 1, 1), TERMS.period.end_on)
    for population, period in ((FromSource("hosp-a"), TERMS.period), (TERMS.population, later)):
        amended = ViewTerms("P-1", TERMS.grants, population, period)
        with pytest.raises(NotAsPromised) as caught:
            PermitCdm(amended, name="x", check=Permission(), **parts)
        assert caught.value.code is Code.VIEW_UNOPENED
    fewer = ViewTerms("P-1", TERMS.grants[:1], TERMS.population, TERMS.period)
    assert PermitCdm(fewer, name="x", check=Permission(), **parts).buckets == (0, 1, 2)


def test_who_objects_after_opening_is_gone_at_the_next_bucket(engine: Engine) -> None:
    _, snapshot, perimeter = opened(engine)
    cdm = PermitCdm(
        TERMS, name="x", engine=engine, snapshot=snapshot, perimeter=perimeter, check=Permission(), opted_out={3, 6}
    )
    with cdm.bucket(0) as bucket:
        assert bucket.query("FROM person").num_rows == 1


class Scripted:
    """Numbers that were written down before."""

    def __init__(self, *draws: list[int]) -> None:
        self.draws = list(draws)

    def numbers(self, n_numbers: int, n_bits: int) -> NDArray[np.int64]:
        drawn = self.draws.pop(0) if len(self.draws) > 1 else self.draws[0]
        assert len(drawn) >= n_numbers
        assert n_bits == 43
        return np.array(drawn[:n_numbers], dtype=np.int64)


def known(*numbers: int) -> NDArray[np.int64]:
    return np.array(numbers, dtype=np.int64)


def test_equal_numbers_are_drawn_again() -> None:
    own = known(7, 1, 9, 9)
    drawn = numbered(known(UNNUMBERED, 7, UNNUMBERED, UNNUMBERED), own, Scripted([5, 0, 6], [8]))
    assert drawn.tolist() == [5, 7, 8, 6]
    assert numbered(known(), known(), Scripted([])).tolist() == []


def test_who_has_a_number_keeps_it_and_others_have_their_own() -> None:
    assert numbered(known(UNNUMBERED, 7), known(3, 1), Scripted([])).tolist() == [3, 7]


def test_a_source_that_repeats_itself_is_noticed() -> None:
    with pytest.raises(RuntimeError):
        numbered(known(UNNUMBERED, UNNUMBERED), known(4, 4), Scripted([4, 4]))
    for wrong in (2**43, -1):
        with pytest.raises(ValueError, match="range"):
            numbered(known(UNNUMBERED), known(wrong), Scripted([wrong]))
