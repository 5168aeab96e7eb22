"""A sum that left and a new one leave a sum of others between them: it is of enough, or the new one is refused."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole, SecretKey
from enclos.release.rules.policy import policy
from enclos.release.sets import told_by
from enclos.release.steps.kept import digest_of, renumbered_sets
from enclos.release.totals import Total, telling
from enclos.stores.release_files import DeskFiles
from factories.corpus import tables
from unit.release.test_desk import PERMIT, accepted, archive, ask, code_of, export

IN_CI = "CI" in os.environ
DOMINATES = policy().dominance.dominates
Parts = dict[int, float]
FIRST = "60 8507 2020 =ramp ; told sum"
FEW_MORE = "60 8507 2020 =ramp , 14 8507 2020 =1 , 1 8507 2020 =2000 ; told sum"


@pytest.fixture
def desk(tmp_path: Path) -> DeskFiles:
    return DeskFiles(tmp_path / "release", SecretKey(KeyName(KeyRole.DESK), b"k" * 32))


def total_of(parts: Parts, of: str = "cost") -> Total:
    """What a sum owes to its persons, as the platform counts it."""
    persons = np.array(sorted(parts), dtype=np.int64)
    counts, name = told_by(persons)
    largest = [*sorted(parts.values(), reverse=True), 0.0, 0.0]
    return Total(of, sum(parts.values()), (largest[0], largest[1]), counts, name, lambda: persons)


def rests(asked: Parts, earlier: Sequence[Parts]) -> Iterator[Parts]:
    """What one to three numbers leave of another by person, the asked one among them, where they are its parts."""
    for n in (1, 2):
        for some in combinations(earlier, n):
            group = (asked, *some)
            for whole in group:
                others = [each for each in group if each is not whole]
                members = [person for each in others for person in each]
                if len(set(members)) == len(members) and set(members) <= set(whole):
                    taken = {person: value for each in others for person, value in each.items()}
                    yield {person: value - taken.get(person, 0) for person, value in whole.items()}


def is_of_few(rest: Parts, k: int) -> bool:
    """Whether a sum of parts, none below zero, is of 1 to k - 1 persons, or two of them dominate it."""
    own = sorted((value for value in rest.values() if value), reverse=True)
    return 0 < len(own) < k or (bool(own) and DOMINATES((own[0], own[1]), sum(own)))


@st.composite
def towns(draw: st.DrawFn) -> tuple[Parts, list[Parts], int]:
    """Sums over blocks of a town, some with rows of a day more for some; parts only grow, so none is below zero."""
    k = draw(st.integers(2, 5))
    n_blocks = draw(st.integers(2, 4))
    ends = np.cumsum([0, *(draw(st.integers(1, 12)) for _ in range(n_blocks))])
    blocks = [range(a, b) for a, b in pairwise(ends.tolist())]
    large = draw(st.sampled_from((3, 40, 900)))
    worth = draw(st.lists(st.integers(1, large), min_size=int(ends[-1]), max_size=int(ends[-1])))
    found = []
    for _ in range(draw(st.integers(2, 4))):
        chosen = draw(st.sets(st.sampled_from(range(n_blocks)), min_size=1))
        more = draw(st.sets(st.sampled_from(range(int(ends[-1]))), max_size=3))
        people = [person for block in sorted(chosen) for person in blocks[block]]
        found.append({person: float(worth[person] * (1 + (person in more))) for person in people})
    return found[0], found[1:], k


@settings(max_examples=60, deadline=None, derandomize=IN_CI)
@given(towns())
def test_what_is_let_go_leaves_no_sum_of_few(town: tuple[Parts, list[Parts], int]) -> None:
    asked, earlier, k = town
    if list(telling([total_of(asked)], [total_of(each) for each in earlier], k, DOMINATES)):
        return
    for rest in rests(asked, earlier):
        assert min(rest.values()) < 0 or not is_of_few(rest, k)


def test_what_many_make_up_is_let_go_and_what_one_makes_up_is_not() -> None:
    whole = dict.fromkeys(range(60), 10.0)
    some = dict.fromkeys(range(40), 10.0)
    with_one = {**some, **dict.fromkeys(range(40, 59), 1.0), 59: 900.0}
    assert not list(telling([total_of(whole)], [total_of(some)], 11, DOMINATES))
    assert list(telling([total_of(with_one)], [total_of(some)], 11, DOMINATES)) == [(0, 0)]
    assert not list(telling([total_of(with_one)], [total_of(some, "days")], 11, DOMINATES))
    assert not list(telling([total_of(whole)], [total_of(whole)], 11, DOMINATES))


def test_a_request_is_refused_for_a_sum_that_left_under_another_permit_and_again_at_export(desk: DeskFiles) -> None:
    late = accepted(desk, result=tables(FEW_MORE), run="late")
    first = accepted(desk, result=tables(FIRST))
    export(desk, first)
    answer = ask(desk, result=tables(FEW_MORE), run="b")
    assert answer["verdict"] == "refuse"
    assert "what few persons may have made up" in " ".join(answer["reasons"])
    assert first in " ".join(answer["reasons"])
    assert code_of(lambda: export(desk, late)) is Code.RELEASE_DIFFERENCE


def test_what_sums_owe_is_bound_and_moves_with_the_numbers_of_persons(desk: DeskFiles) -> None:
    first = accepted(desk, result=tables(FIRST))
    kept = archive(desk).read(PERMIT.id, first)
    assert kept is not None
    assert b"2000" not in kept
    old = np.arange(0, 2000, dtype=np.int64)
    moved = renumbered_sets(kept, old, old + 5000)
    assert moved != kept
    assert digest_of(moved) == digest_of(kept)
    assert digest_of(kept.replace(b"mean cost", b"mean dose")) != digest_of(kept)
