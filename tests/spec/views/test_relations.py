"""Mother and child through a permit: both must be in, whatever their buckets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from enclos.contracts.view import FromSource, Population, TableGrant, ViewTerms, WholeBase
from enclos.lexicon.spans import Span
from enclos.stores.engine import Engine, open_engine
from enclos.views.steps import PermitCdm, open_view
from factories.cdm import MemoryPerimeter, MemorySnapshot, Row, SeededRandomness, random_base

YEAR = Span(date(2020, 1, 1), date(2021, 1, 1))
IDA, MAY = 1, 5  # a child and her mother, of two buckets
MOTHER_OF, CHILD_OF, PERSON, CONDITION = 40478925, 40485452, 56, 19
GRANTS = tuple(TableGrant(table) for table in ("person", "observation_period", "fact_relationship"))


@pytest.fixture
def engine() -> Iterator[Engine]:
    with open_engine(threads=1) as engine:
        yield engine


def relation(one: int, other: int, concept: int, domain: int = PERSON) -> Row:
    facts = {"domain_concept_id_1": domain, "fact_id_1": one, "domain_concept_id_2": domain, "fact_id_2": other}
    return {"bucket": IDA % 3, **facts, "relationship_concept_id": concept}


def seen(
    engine: Engine, opted_out: tuple[int, ...] = (), population: Population | None = None
) -> tuple[list[Row], dict[int, int]]:
    """What the permit shows, over all buckets, and its numbers."""
    base = random_base([IDA, MAY], [], 1)
    observed = {"observation_period_start_date": date(2020, 1, 1), "observation_period_end_date": date(2020, 12, 31)}
    base["observation_period"] = [row | observed for row in base["observation_period"]]
    base["fact_relationship"] = [
        relation(IDA, MAY, MOTHER_OF),
        relation(MAY, IDA, CHILD_OF),
        relation(IDA << 20, MAY << 20, MOTHER_OF, CONDITION),
    ]
    snapshot, perimeter = MemorySnapshot(engine, base, {IDA: {"hosp-a"}, MAY: {"snds"}}), MemoryPerimeter()
    terms = ViewTerms("P-1", GRANTS, population or WholeBase(), YEAR)
    opening = {"engine": engine, "snapshot": snapshot, "perimeter": perimeter, "opted_out": opted_out}
    open_view(terms, randomness=SeededRandomness(), **opening)
    cdm = PermitCdm(terms, name="x", check=lambda: None, **opening)
    found: list[Row] = []
    for number in cdm.buckets:
        with cdm.bucket(number) as bucket:
            found += bucket.query("FROM fact_relationship ORDER BY ALL").to_pylist()
    return found, perimeter.numbers()


def test_mother_and_child_are_related_under_numbers_of_the_permit(engine: Engine) -> None:
    found, numbers = seen(engine)
    told = {(row["fact_id_1"], row["fact_id_2"], row["relationship_concept_id"]) for row in found}
    ida, may = numbers[IDA], numbers[MAY]
    assert told == {(ida, may, MOTHER_OF), (may, ida, CHILD_OF)}
    assert not {ida, may} & {IDA, MAY}


def test_relations_of_other_rows_are_not_shown(engine: Engine) -> None:
    found, _ = seen(engine)
    assert {row["domain_concept_id_1"] for row in found} == {PERSON}


@pytest.mark.parametrize("objecting", [IDA, MAY])
def test_a_relation_goes_with_either_of_the_two_who_objects(engine: Engine, objecting: int) -> None:
    assert seen(engine, opted_out=(objecting,))[0] == []


def test_a_relation_to_somebody_outside_the_population_is_not_there(engine: Engine) -> None:
    assert seen(engine, population=FromSource("hosp-a"))[0] == []
