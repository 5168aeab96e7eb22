"""Every few persons that earlier releases would tell are found, and nothing is refused for a coincidence."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enclos.release import history, ordered, ranges
from enclos.release.allowance import Sought
from enclos.release.history import collisions
from enclos.release.sets import Sets, told_by
from factories.examples import drawn
from oracle.determined import determined
from oracle.differencing import differing


def sets_of(groups: list[frozenset[int]]) -> Sets:
    arrays = [np.array(sorted(group), dtype=np.int64) for group in groups]
    told = [told_by(array) for array in arrays]
    counts = np.array([counts for counts, _ in told], dtype=np.int32).reshape(len(arrays), -1)
    return Sets(counts, np.array([total for _, total in told], dtype=np.uint64), lambda number: arrays[number])


@st.composite
def populations(draw: st.DrawFn) -> tuple[list[frozenset[int]], list[frozenset[int]]]:
    """Sets that are much alike: blocks of a population, some with a person more or less."""
    n_blocks = draw(st.integers(2, 5))
    ends = draw(st.lists(st.integers(1, 12), min_size=n_blocks, max_size=n_blocks))
    persons = draw(st.lists(st.integers(1, 2**43 - 1), min_size=sum(ends), max_size=sum(ends), unique=True))
    starts = np.cumsum([0, *ends])
    blocks = [persons[a:b] for a, b in pairwise(starts)]
    made = []
    for _ in range(draw(st.integers(2, 8))):
        chosen = draw(st.sets(st.sampled_from(range(n_blocks)), min_size=1))
        group = {person for block in chosen for person in blocks[block]}
        group ^= draw(st.sets(st.sampled_from(persons), max_size=2))
        made.append(frozenset(group))
    n_new = draw(st.integers(1, len(made) - 1))
    return made[n_new:], made[:n_new]


@pytest.fixture(autouse=True, scope="module")
def all_wholes() -> Iterator[None]:
    """So few sets are tried in every combination."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("MOST_WHOLES", "MOST_IN_FOURS"):
            patch.setattr(history, name, 100)
        yield


def is_sought(plus: frozenset[frozenset[int]], minus: frozenset[frozenset[int]], target: frozenset[int]) -> bool:
    """Whether a combination is of those that are always found: of more sets, and of overlaps elsewhere, some are."""
    if len(plus) == 2 and len(minus) == 1:
        (third,) = minus
        return third <= target or target <= third
    return (len(plus) <= 4 and not minus) or (len(plus) == 1 and len(minus) <= 3)


@settings(max_examples=drawn(100), deadline=None)
@given(populations(), st.integers(2, 6))
def test_what_the_slow_search_finds_is_found(groups: tuple[list[frozenset[int]], list[frozenset[int]]], k: int) -> None:
    old, new = groups
    found = {each.new: each for each in collisions(sets_of(new), sets_of(old), k, Sought())}
    everything = [*old, *new]
    for number, target in enumerate(new):
        others = list(dict.fromkeys(each for each in everything if each != target))
        among = [place for place, each in enumerate(others) if each in old]
        slow = [
            tuple(frozenset(others[place] for place in side) for side in each)
            for each in differing(target, others, among, k)
        ]
        sought = [each for each in slow if is_sought(*each, target)]
        assert not sought or number in found
        if number in found:
            sides = (found[number].plus, found[number].minus)
            named = tuple(frozenset(everything[place] for place in side) for side in sides)
            assert named in slow or (not sought and determined(everything, k) is not None)  # or by any sums of all


def test_one_of_many_earlier_sets_is_named() -> None:
    generator = np.random.default_rng(1)
    everybody = np.sort(generator.choice(2**43, 5000, replace=False))
    old = [frozenset(generator.choice(everybody, 400, replace=False).tolist()) for _ in range(300)]
    target = set(old[217]) | set(old[5] - old[217])
    whole = frozenset(target | set(sorted(old[8])[:4]))
    (found,) = collisions(sets_of([whole]), sets_of([*old, frozenset(target)]), 11, Sought())
    assert (found.plus, found.minus) == ((300,), ())
    assert not list(collisions(sets_of([frozenset(target)]), sets_of(old), 11, Sought()))


def test_many_sets_of_one_size_are_searched_as_others_are(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(2)
    blocks = [frozenset(range(20 * at, 20 * at + 20)) for at in range(60)]
    old = [blocks[at] | blocks[(at + 7) % 60] for at in range(60)]
    few = [frozenset(generator.choice(sorted(blocks[0]), 3).tolist()) for _ in range(12)]
    new = [old[at] | old[at + 20] | few[at] for at in range(12)]
    wanted = [each.new for each in collisions(sets_of(new), sets_of(old), 8, Sought())]
    assert len(wanted) > 6
    for steps, at_once in ((0, 1 << 20), (0, 50), (256, 1 << 20)):
        monkeypatch.setattr(ordered, "_MOST_STEPS", steps)
        monkeypatch.setattr(ordered, "_LEAST_A_STEP", 1)
        monkeypatch.setattr(ranges, "MOST_AT_ONCE", at_once)
        assert [each.new for each in collisions(sets_of(new), sets_of(old), 8, Sought())] == wanted
