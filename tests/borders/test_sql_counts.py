"""SQL under a permit for aggregates: counts of groups with enough persons, and nothing that few persons tell apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap64

from enclos.contracts.view import Access
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from enclos.stores.engine import Engine, open_engine
from enclos.views.sql.rules.withholding import is_safe, shown_sets
from enclos.views.sql.steps import check_query, withhold
from factories.asking import TERMS, Asked, small_base

pytestmark = pytest.mark.system("bubblewrap")

COUNTS = replace(TERMS, access=Access.AGGREGATES)
MIN_COUNT = 5


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with open_engine() as engine:
        yield engine


@pytest.fixture(scope="module")
def permit(engine: Engine) -> Asked:
    base = small_base()
    for number, row in enumerate(base["person"]):
        row["gender_concept_id"] = 8507 if number % 2 else 8532
        row["year_of_birth"] = 1930 if number < 2 else 1960 + number % 2
    return Asked(engine, base, terms=COUNTS)


def counted(permit: Asked, text: str, known: list[BitMap64]) -> list[dict[str, object]]:
    """The answer; what is shown is added to what is known."""
    answer, told = withhold(permit.sql(text), check_query(text, COUNTS, permit.engine), known, MIN_COUNT)
    known += told
    return list(answer.to_pylist())


def test_c6_51_small_groups_are_withheld(permit: Asked) -> None:
    text = "SELECT year_of_birth, count(*) AS n FROM person GROUP BY 1 ORDER BY 1"
    assert counted(permit, text, []) == [{"year_of_birth": 1960, "n": 14}, {"year_of_birth": 1961, "n": 14}]


def test_c6_53_a_total_and_its_parts_do_not_give_the_small_part_away(permit: Asked) -> None:
    known: list[BitMap64] = []
    assert counted(permit, "SELECT count(*) AS n FROM person", known) == [{"n": 30}]
    rows = counted(permit, "SELECT year_of_birth, count(*) AS n FROM person GROUP BY 1", known)
    assert len(rows) == 1  # a second group goes, or the two of 1930 would be what is left


def test_c6_54_a_question_minus_a_few_persons_is_not_answered(permit: Asked) -> None:
    known: list[BitMap64] = []
    counted(permit, "SELECT count(*) AS n FROM person", known)
    assert counted(permit, "SELECT count(*) AS n FROM person WHERE year_of_birth > 1930", known) == []


def test_c6_57_the_same_people_give_the_same_answer_however_asked(permit: Asked) -> None:
    known: list[BitMap64] = []
    asked = (
        "count(*) AS n FROM person",
        "count(person_id) AS n FROM person WHERE 1 = 1",
        "count(*) AS n FROM person p",
    )
    assert [counted(permit, f"SELECT {text}", known) for text in asked] == [[{"n": 30}]] * 3


def test_c6_71_withheld_and_absent_look_the_same(permit: Asked) -> None:
    grouped = "SELECT gender_concept_id, count(*) AS n FROM person WHERE year_of_birth = {} GROUP BY 1"
    alone = "SELECT count(*) AS n FROM person WHERE year_of_birth = {}"
    for text in (grouped, alone):
        assert counted(permit, text.format(1930), []) == counted(permit, text.format(1931), []) == []


def test_counts_of_few_in_a_large_group_are_empty(permit: Asked) -> None:
    text = "SELECT count(*) AS n, count(*) FILTER (WHERE year_of_birth = {}) AS few FROM person"
    for year in (1930, 1931):
        assert counted(permit, text.format(year), []) == [{"n": 30, "few": None}]


@pytest.mark.parametrize(
    "text",
    [
        *("SELECT * FROM person", "SELECT person_id FROM person", "SELECT max(year_of_birth) AS x FROM person"),
        *("SELECT min(person_id) AS x FROM person", "SELECT list(person_id) AS x FROM person"),
        *(
            "SELECT any_value(person_id) AS x FROM person",
            "SELECT string_agg(gender_source_value, ',') AS x FROM person",
        ),
        *("SELECT median(year_of_birth) AS x FROM person", "SELECT sum(year_of_birth) AS x FROM person"),
        *("SELECT stddev(year_of_birth) AS x FROM person", "SELECT count(*) OVER () AS x FROM person"),
        *("SELECT count(*) AS n FROM (SELECT * FROM person)", "WITH p AS (FROM person) SELECT count(*) AS n FROM p"),
        *(
            "SELECT count(*) AS n FROM person UNION ALL SELECT count(*) FROM person",
            "SELECT DISTINCT count(*) AS n FROM person",
        ),
        *("SELECT count(*) AS n FROM person HAVING count(*) > 3", "SELECT count(*) AS n FROM person LIMIT 1"),
        *("SELECT count(*) AS n FROM person, death", "SELECT count(*) AS n FROM person p JOIN death d ON true"),
        *(
            "SELECT count(*) AS n FROM person a JOIN person b ON a.year_of_birth = b.year_of_birth",
            "SELECT count(*) AS n",
        ),
        *("SELECT count(*) AS n FROM drug_exposure", "SELECT count(DISTINCT drug_concept_id) AS n FROM drug_exposure"),
        *("SELECT count(*) AS n FROM person JOIN death USING (person_id)",),
        *("SELECT count(*) AS n FROM person p LEFT JOIN concept c ON c.concept_id = p.gender_concept_id",),
        *(
            "SELECT count(*) AS n FROM person WHERE person_id <> 7",
            "SELECT person_id, count(*) AS n FROM person GROUP BY 1",
        ),
        *(
            "SELECT count(*) FILTER (WHERE person_id IN (1, 2)) AS n FROM person",
            "SELECT 1 AS person_id, count(*) AS n FROM person",
        ),
        *("SELECT count(DISTINCT person_id) AS n FROM drug_exposure WHERE drug_exposure_id = 7",),
        *("SELECT count(*) AS n FROM person p JOIN death d ON d.person_id = p.person_id AND p.person_id = 7",),
        *("SELECT count(*) + 1 AS n FROM person", "SELECT count(*) AS n FROM concept", "SELECT 1 AS n FROM person"),
        *(
            "SELECT count(*) AS n FROM person WHERE EXISTS (FROM death)",
            "SELECT max(1) FILTER (WHERE true) AS n FROM person",
        ),
        *("SELECT count(*) AS n FROM person WHERE regexp_matches(gender_source_value, '(a+)+b')",),
        *("SELECT count(*) AS n FROM person WHERE length(lpad('x', 400000000, 'y')) > 1",),
    ],
)
def test_c6_60_61_66_72_what_is_not_a_count_of_groups_is_refused(engine: Engine, text: str) -> None:
    with pytest.raises(Refusal) as caught:
        check_query(text, COUNTS, engine)
    assert caught.value.code is Code.SQL_NOT_ALLOWED


def test_c2_20_no_fault_tells_of_a_person(permit: Asked) -> None:
    fault = "CASE WHEN year_of_birth = 1930 THEN CAST('x' AS INTEGER)"
    for text in (
        f"SELECT count(*) AS n FROM person WHERE {fault} ELSE 1 END = 1",
        "SELECT count(*) AS n FROM person WHERE 9223372036854775807 + year_of_birth > 0 OR true",
        f"SELECT {fault} END AS g, count(*) AS n FROM person GROUP BY 1",
        f"SELECT {fault} END AS g, count(*) AS n FROM person GROUP BY ALL",
        "SELECT count(*) FILTER (WHERE CAST('x' || year_of_birth AS INTEGER) = 1) AS n FROM person",
    ):
        counted(permit, text, [])  # no refusal: what fails is empty


def test_computed_groups_joins_and_totals_work(permit: Asked) -> None:
    text = (
        "SELECT p.year_of_birth // 100 * 100 AS century, p.gender_concept_id, count(DISTINCT p.person_id) AS n, "
        "count(DISTINCT d.person_id) AS m FROM person p LEFT JOIN drug_exposure d ON d.person_id = p.person_id "
        "AND d.days_supply > 0 GROUP BY ALL ORDER BY 1, 2"
    )
    rows = counted(permit, text, [])
    assert [row["century"] for row in rows] == [1900, 1900]
    text = "SELECT gender_concept_id, count(*) AS n FROM person GROUP BY CUBE (gender_concept_id) ORDER BY 1 NULLS LAST"
    assert [row["n"] for row in counted(permit, text, [])] == [15, 15, 30]


PERSONS = st.frozensets(st.integers(1, 14))


@given(st.lists(PERSONS, max_size=8), st.integers(2, 5))
def test_no_two_shown_sets_and_no_filled_set_differ_by_few(drawn: list[frozenset[int]], min_count: int) -> None:
    sets = [BitMap64(found) for found in drawn]
    shown = [set(found) for found, is_in in zip(sets, shown_sets(sets, [], min_count), strict=True) if is_in]
    small = range(1, min_count)
    for one in shown:
        assert len(one) >= min_count
        inside = [other for other in shown if other < one]
        assert not inside or len(one - set().union(*inside)) not in small
        assert all(len(one ^ other) not in small for other in shown)


@given(st.lists(PERSONS, max_size=8), st.integers(2, 5))
def test_no_shown_set_misses_the_sum_of_two_others_by_a_few(drawn: list[frozenset[int]], min_count: int) -> None:
    sets = [BitMap64(found) for found in drawn]
    shown = {frozenset(found) for found, is_in in zip(sets, shown_sets(sets, [], min_count), strict=True) if is_in}
    for target in shown:
        for one, other in combinations(shown - {target}, 2):
            counted = Counter([*one, *other])
            missed = sum(abs(counted[person] - (person in target)) for person in {*counted, *target})
            assert missed not in range(1, min_count)


def test_after_one_objection_a_total_does_not_tell_of_whom() -> None:
    """Women and men were shown; then one of the women objects, and the total is asked for, or the women's part."""
    women, men = BitMap64(range(40)), BitMap64(range(40, 70))
    before = [women, men]
    assert is_safe(women | men, before, 5)
    assert not is_safe((women | men) - BitMap64([3]), before, 5)
    assert not is_safe((women | men) - BitMap64([3, 41]), before, 5)
    assert is_safe((women | men) - BitMap64(range(10)), before, 5)
    assert not is_safe(women - BitMap64([3]), [men, women | men], 5)
    ages = [BitMap64(range(at, at + 14)) for at in range(0, 70, 14)]
    assert not is_safe((women | men) - BitMap64([3]), ages, 5)
    assert not is_safe(BitMap64(range(14)) - BitMap64([3]), [*ages[1:], women | men], 5)


def test_what_was_shown_before_counts() -> None:
    before = [BitMap64(range(20))]
    assert not is_safe(BitMap64(range(18)), before, 5)
    assert is_safe(BitMap64(range(10)), before, 5)
    assert shown_sets([BitMap64(range(20))], before, 5) == [True]
