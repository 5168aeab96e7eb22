"""Who stands for a set rules out what cannot be part of a new one, or hold it, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from pyroaring import BitMap

from enclos.release.sets import N_DRAWN, Sets, bits_of, found_among, sets_of
from enclos.release.standing import Standing

Group = set[int]


def standing_of(groups: list[Group]) -> tuple[Sets, Standing]:
    sets = sets_of([BitMap(each).serialize() for each in groups])
    return sets, Standing(sets.who_stand(), sets.counts.sum(axis=1))


def groups_of(seed: int) -> list[Group]:
    """Groups around one of four hundred: parts of it, wholes and strangers, each with up to fifteen persons more."""
    random = np.random.default_rng(seed)
    made: list[Group] = [set(range(400))]
    for _ in range(60):
        size = int(random.integers(200, 900))
        first = int(random.choice([0, 150, 300, 5000]))
        beside = random.choice(9000, int(random.integers(0, 15)), replace=False).tolist()
        made.append(set(range(first, first + size)) | set(beside))
    return made


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("k", [2, 5, 11, 16, 30])
def test_nothing_that_could_be_part_of_a_set_or_hold_it_is_ruled_out(seed: int, k: int) -> None:
    groups = groups_of(seed)
    sets, standing = standing_of(groups)
    who = sets.who_among(standing.bits)
    n_ruled_out = 0
    for number, target in enumerate(groups):
        met = standing.met(who(number))
        within, around = (
            standing.may_be_within(met, k),
            standing.may_be_around(met, sets.who_stand()[number], k),
        )
        assert all(within[at] for at, each in enumerate(groups) if len(each - target) < k)
        assert all(around[at] for at, each in enumerate(groups) if len(target - each) < k)
        n_ruled_out += int((~within).sum()) + int((~around).sum())
    assert (n_ruled_out > 0) is (k <= N_DRAWN)


def test_who_is_met_is_counted_person_by_person() -> None:
    groups = groups_of(9)
    sets, standing = standing_of(groups)
    who = sets.who_among(standing.bits)
    target = bits_of(np.array(sorted(groups[7]), dtype=np.int64))
    expected = np.isin(sets.who_stand(), target).sum(axis=1)
    assert standing.met(who(7)).tolist() == expected.tolist()


def test_who_is_in_each_set_is_the_same_by_places_and_by_persons() -> None:
    groups = groups_of(5)
    sets, standing = standing_of(groups)
    numbers = np.random.default_rng(1).permutation(10_000).astype(np.int64)
    members = [BitMap(np.flatnonzero(np.isin(numbers, sorted(each))).astype(np.uint32)) for each in groups]
    found = found_among(standing.bits, bits_of(numbers), members.__getitem__)
    plain = Sets(sets.counts, sets.sums, sets.persons).who_among(standing.bits)
    for number in range(len(groups)):
        expected = sorted(sets.who_among(standing.bits)(number).tolist())
        assert sorted(found(number).tolist()) == sorted(plain(number).tolist()) == expected
