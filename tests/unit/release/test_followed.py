"""Nobody learns day by day who is still followed by asking for rates of the same persons until one day and the next."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from random import Random

import pyarrow as pa
import pytest

from enclos.contracts.result import RESULT_SCHEMA, StudyResult
from enclos.release import ranges
from enclos.release.followed import DAYS, EVENTS, Followed, few_between
from factories.days import rate
from factories.desk import Desk

K = 11


def asked_one_after_the_other(*results: StudyResult) -> list[str]:
    """What each was answered, under a policy that lets rates go without votes."""
    desk, states = Desk(K, automatic=("incidence",)), []
    for result in results:
        said = desk.ask(result)
        states.append(said.state)
        if said.state == "accepted":
            desk.release(said)
    return states


LEFT = ["2019-10-01"] * 15 + ["2019-12-29"] * 2


def test_a_day_less_tells_how_many_had_left_and_is_refused() -> None:
    assert asked_one_after_the_other(rate("2019-12-31", LEFT), rate("2019-12-31", LEFT)) == ["accepted"] * 2
    few = ["2019-10-01"] * 3
    assert asked_one_after_the_other(rate("2019-12-31", few), rate("2019-12-30", few)) == ["accepted", "quarantined"]


def test_days_after_entry_are_compared_as_days_of_the_calendar_are() -> None:
    for n_left, then in ((3, "quarantined"), (15, "accepted"), (0, "accepted")):
        leaves = [40] * n_left
        results = [rate("2019-12-31", days_after=[last, *leaves]) for last in (89, 90)]
        assert asked_one_after_the_other(*results) == ["accepted", then]
    # three days are lost by three: the days are hidden
    assert asked_one_after_the_other(rate("2019-12-31", days_after=[90, 89, 89, 89])) == ["open"]


def test_where_enough_have_left_or_nobody_has_a_day_less_may_leave() -> None:
    assert asked_one_after_the_other(rate("2019-12-31", LEFT), rate("2019-12-30", LEFT)) == ["accepted"] * 2
    assert asked_one_after_the_other(rate("2019-12-31"), rate("2019-12-30")) == ["accepted"] * 2


def test_two_stretches_in_one_request_are_compared_as_two_requests_are() -> None:
    few = ["2019-10-01"] * 3
    one, other = rate("2019-12-31", few), rate("2019-12-30", few)
    rows = [*one.table.to_pylist(), *({**row, "result_id": 2} for row in other.table.to_pylist())]
    settings = (*one.settings, replace(other.settings[0], result_id=2))
    cells = (*one.cells, *(replace(each, result_id=2) for each in other.cells))
    both = StudyResult(pa.Table.from_pylist(rows, RESULT_SCHEMA), settings, cells)
    assert asked_one_after_the_other(both) == ["quarantined"]


def test_so_few_days_are_lost_by_few_and_are_not_told() -> None:
    assert asked_one_after_the_other(rate("2019-12-31", ["2019-12-28"] * 2)) == ["open"]  # the days are hidden
    assert asked_one_after_the_other(rate("2019-12-31", ["2019-12-28"] * 11)) == ["accepted"]


def test_an_event_more_of_the_same_cases_is_refused() -> None:
    assert asked_one_after_the_other(rate("2019-12-31", (), 20), rate("2019-12-30", (), 19)) == [
        "accepted",
        "quarantined",
    ]
    assert asked_one_after_the_other(rate("2019-12-31", (), 40), rate("2019-12-30", (), 20)) == ["accepted"] * 2


@pytest.mark.parametrize("seed", range(40))
def test_what_is_let_go_leaves_no_days_of_few_persons(seed: int) -> None:
    """Persons leave on days of a fortnight; what one stretch, two or three of them leave is added up by person."""
    random = Random(seed)  # noqa: S311 - test data
    k = random.randint(2, 4)
    lasts = [random.choice((3, 8, 12, 99)) for _ in range(12)]

    def lost(first: int, last: int) -> list[int]:
        return [max(0, last - max(first - 1, leaves)) for leaves in lasts]

    stretches = [(first, last) for first, last in ((1, 14), (1, 13), (1, 7), (8, 14), (9, 14), (1, 8))]
    random.shuffle(stretches)
    amounts = [Followed(DAYS, "all", *each, sum(lost(*each))) for each in stretches]
    left: list[int] = []
    for at in range(len(amounts)):
        if not list(few_between([amounts[at]], [amounts[each] for each in left], k)):
            left.append(at)
    for one, other in combinations(left, 2):
        apart = [abs(a - b) for a, b in zip(lost(*stretches[one]), lost(*stretches[other]), strict=True)]
        if sum(apart) == abs(amounts[one].amount - amounts[other].amount):
            assert not 0 < sum(apart) < k


def test_stretches_of_other_persons_and_other_kinds_are_not_compared() -> None:
    one = Followed(DAYS, "all", 1, 9, 40)
    for other in (replace(one, persons="others", amount=42), replace(one, kind=EVENTS, amount=42)):
        assert not list(few_between([one], [other], K))
    assert list(few_between([one], [replace(one, last=8, amount=42)], K)) == [(0, 0)]
    parts = [replace(one, last=4, amount=17), replace(one, first=6, amount=20)]
    assert list(few_between([one], parts, K)) == [(0, 0)]  # three days are lost on the day between
    assert list(few_between([parts[0]], [parts[1], one], K)) == [(0, 0)]


def few_in_turn(new: Followed, old: list[Followed], k: int) -> Followed | None:
    """The same, one pair after the other."""

    def holds(whole: Followed, part: Followed) -> bool:
        return whole.first <= part.first and part.last <= whole.last

    others = [each for each in dict.fromkeys(old) if (each.kind, each.persons) == (new.kind, new.persons)]
    others = [each for each in others if each != new]
    for other in others:
        if 0 < abs(new.amount - other.amount) < k:
            return other
    for one, other in combinations(others, 2):
        for whole, left, right in ((new, one, other), (one, new, other), (other, new, one)):
            if not (holds(whole, left) and holds(whole, right)) or (
                left.first <= right.last and right.first <= left.last
            ):
                continue
            if 0 < abs(whole.amount - left.amount - right.amount) < k:
                return one
    return None


@pytest.mark.parametrize("seed", range(300))
def test_the_first_that_leaves_few_is_the_one_that_is_found_in_turn(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "MOST_AT_ONCE", seed % 40 + 1)
    random = Random(seed)  # noqa: S311 - test data

    def drawn() -> Followed:
        first = random.randint(1, 12)
        last = random.randint(first, 14)
        amount = (last - first + 1) * random.randint(3, 6) + random.randint(0, 9)
        return Followed(random.choice((DAYS, EVENTS)), random.choice("xy"), first, last, amount)

    old, k = [drawn() for _ in range(random.randint(0, 25))], random.randint(2, 5)
    new = [drawn() for _ in range(6)] + old[:1]
    wanted = [(at, few_in_turn(each, old, k)) for at, each in enumerate(new)]
    found = [(at, old[place]) for at, place in few_between(new, old, k)]
    assert found == [(at, each) for at, each in wanted if each is not None]
