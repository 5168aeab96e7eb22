"""An attacker hides what is added among many numbers that let themselves be added to nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import combinations
from random import Random

import numpy as np
import pytest
from pyroaring import BitMap

from enclos.release import history, joins
from enclos.release.allowance import MOST_WITHIN, Allowance, Sought, Untried
from enclos.release.history import collisions
from enclos.release.joins import adding_up
from enclos.release.sets import Sets, sets_of

K = 11
Group = set[int]


def sets(groups: Iterable[Group]) -> Sets:
    return sets_of([BitMap(each).serialize() for each in groups])


def told(target: Group, earlier: Sequence[Group]) -> list[tuple[int, ...]]:
    """The earlier sets that a new one collides with."""
    return [tuple(sorted(each.others)) for each in collisions(sets([target]), sets(earlier), K, Sought())]


def subsets(of: Group, n: int, size: int, seed: int = 1) -> list[Group]:
    random = Random(seed)  # noqa: S311 - test data
    members = sorted(of)
    return [set(random.sample(members, size)) for _ in range(n)]


def parts(n: int, size: int = 300) -> list[Group]:
    return [set(range(10_000 * at, 10_000 * at + size)) for at in range(n)]


@pytest.mark.parametrize("n_parts", [2, 3, 4])
@pytest.mark.parametrize("n_decoys", [70, 200])
def test_parts_of_a_whole_are_found_among_many_other_parts_of_it(n_parts: int, n_decoys: int) -> None:
    """One person more than three groups: each decoy is a group of the same persons that may leave."""
    own = parts(n_parts)
    target = set().union(*own) | {99_999}
    decoys = subsets(target, n_decoys, len(target) - 40)
    assert told(target, [*own, *decoys]) == [tuple(range(n_parts))]
    assert not told(target, decoys)


@pytest.mark.parametrize("n_parts", [1, 2, 3])
def test_what_parts_leave_of_a_whole_is_found_among_many_other_parts_of_it(n_parts: int) -> None:
    own = parts(n_parts + 1)
    whole = set().union(*own) | {99_999}
    decoys = subsets(own[0], 40, 250)
    assert told(own[0], [whole, *own[1:], *decoys]) == [tuple(range(n_parts + 1))]


def test_large_parts_are_found_among_others_that_classes_do_not_tell_apart() -> None:
    """Of groups of ten thousand, others of nine thousand look as if they lay within them."""
    random = np.random.default_rng(1)
    own = parts(3, 4_000)
    target = set().union(*own) | {99_999}
    sizes = random.integers(5_000, 11_000, 600).tolist()
    others = [set(range(100_000 + at * 500, 100_000 + at * 500 + size)) for at, size in enumerate(sizes)]
    assert told(target, [*others, *own]) == [(600, 601, 602)]


def test_who_counts_the_persons_of_too_many_others_is_said_to() -> None:
    target = set(range(900))
    for n, is_said in ((MOST_WITHIN + 1, True), (100, False)):
        sought = Sought()
        assert not list(collisions(sets([target]), sets(subsets(target, n, 500)), K, sought))
        assert (sought.untried.get(Untried.WITHIN) == 1) is is_said


def test_what_is_beyond_the_limit_is_said_not_to_be_tried() -> None:
    own = parts(4)
    targets = sets([set().union(*own) | {99_999}, set(range(10_000, 10_289))])
    old = sets([*own, *subsets(set().union(*own), 500, 310)])
    sought = Sought()
    assert [each.new for each in collisions(targets, old, K, sought)] == [0]
    assert Untried.WORK not in sought.untried
    scarce = Sought(200_000)
    assert not list(collisions(targets, old, K, scarce))
    assert scarce.untried[Untried.WORK] == 1  # the other, within which nothing lies, is done within its share


def test_among_tiny_sets_that_all_meet_the_search_ends_and_says_so() -> None:
    """Of groups of twelve persons of forty-five, thousands of millions of fours have the right size."""
    target = set(range(45))
    groups = subsets(target, 500, 12)
    scarce, ample = Sought(1 << 20), Sought()
    assert not list(collisions(sets([target]), sets(groups), K, scarce))
    (found,) = collisions(sets([target]), sets(groups), K, ample)
    together = Counter(person for place in found.plus for person in groups[place])
    assert not found.minus
    assert sum(abs(together[person] - 1) for person in target) == found.n_persons < K
    assert scarce.untried[Untried.WORK] == ample.untried[Untried.WORK] == 1


def test_of_sets_that_share_persons_of_too_many_none_are_added_and_nothing_is_left_out() -> None:
    """Of three hundred groups every four have the right size, and each two share hundreds of persons: none of all
    these is put in order, so that the allowance is enough for four that do add up, and are smaller than all others.
    """
    own = parts(4, 4_000)
    inside = set().union(*own)
    decoys, target = subsets(inside, 300, 4_002), inside | {99_999}
    for more, expected in (([], []), (own, [(300, 301, 302, 303)])):
        sought = Sought(1 << 20)
        found = collisions(sets([target]), sets([*decoys, *more]), K, sought)
        assert [tuple(sorted(each.others)) for each in found] == expected
        assert Untried.WORK not in sought.untried


def test_what_is_found_is_the_same_where_it_is_asked_first_whether_two_fit_into_a_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By their classes many sets lie within a rest: more than half of the one and less than half of the other."""
    (target, first, second) = parts(3, 4_000)
    far = np.arange(100_000, 140_000)
    random = np.random.default_rng(1)
    others = [set(random.choice(far, size, replace=False).tolist()) for size in range(1_500, 2_500, 10)]
    rest, small = set(sorted(first)[:3_000]), set(sorted(second)[:2_495])
    wholes = [target | rest, target | first | small | {99_999}]
    monkeypatch.setattr(history, "MOST_BESIDE", 4)
    monkeypatch.setattr(history, "_AT_ONCE", 12)

    def found() -> tuple[list[tuple[int, ...]], object]:
        sought = Sought()
        all_found = collisions(sets([target]), sets([*wholes, first, small, *others]), K, sought)
        return [each.others for each in all_found], sought.untried

    answers: list[bool] = []
    fit_no_two = history._Search._fit_no_two
    monkeypatch.setattr(history._Search, "_fit_no_two", lambda *of: answers.append(fit_no_two(*of)) or answers[-1])
    asked_first = found()
    assert set(answers) == {True, False}
    assert asked_first[0] == [(1, 2, 3)]
    monkeypatch.setattr(history._Search, "_fit_no_two", lambda *_: False)
    assert found() == asked_first


@pytest.mark.parametrize("size", [5, 40, 300])
@pytest.mark.parametrize(("most_choices", "most_met"), [(1 << 19, 0), (0, 0), (0, 1 << 17)])
def test_all_that_add_up_are_those_of_trying_each(
    size: int, most_choices: int, most_met: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the largest first, by sizes, and by classes where sizes say nothing: no three or four that add up are missed.

    However few choices are looked at together.
    """
    random = Random(size)  # noqa: S311 - test data
    pool = [set(random.sample(range(10 * size), random.randint(2, size))) for _ in range(14)]
    some = random.sample(pool, 4)
    target = set().union(*some)
    every = sorted([*pool, *(set(each) - {min(each)} for each in some)], key=len)
    counts, (aim,) = sets(every).counts, sets([target]).counts
    monkeypatch.setattr(joins, "_MOST_BY_SIZE", most_met)
    monkeypatch.setattr(joins, "_MOST_CHOICES", most_choices)
    monkeypatch.setattr(joins, "_AT_ONCE", 7)
    found = {tuple(row) for places in adding_up(aim, counts, K, Allowance(1, 1 << 62)) for row in places.tolist()}
    near = {
        places
        for n in (3, 4)
        for places in combinations(range(len(every)), n)
        if np.abs(sum(counts[at] for at in places) - aim).sum() < K
    }
    assert near <= found
