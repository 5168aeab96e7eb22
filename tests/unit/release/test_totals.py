"""A sum that left and a new one leave a sum of others between them: it is of enough, or the new one is refused."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole, SecretKey
from enclos.release import totals
from enclos.release.allowance import MOST_PARTS, Sought, Untried
from enclos.release.model import Rule
from enclos.release.rules.policy import policy
from enclos.release.sets import told_by
from enclos.release.steps.documents import load
from enclos.release.steps.kept import digest_of, renumbered_sets
from enclos.release.totals import MOST_WHOLES, Total, telling
from enclos.stores.release_files import DeskFiles
from factories.corpus import tables
from unit.release.test_desk import PERMIT, accepted, archive, ask, code_of, export

IN_CI = "CI" in os.environ
DOMINATES = policy().dominance.dominates
Parts = dict[int, float]
FIRST = "60 8507 2020 =ramp ; told sum"
TWICE = "60 8507 2020 =ramp , 60 8507 2020 =ramp ; told sum"
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
    if list(telling([total_of(asked)], [total_of(each) for each in earlier], k, DOMINATES, Sought())):
        return
    for rest in rests(asked, earlier):
        assert min(rest.values()) < 0 or not is_of_few(rest, k)


def test_what_many_make_up_is_let_go_and_what_one_makes_up_is_not() -> None:
    whole = dict.fromkeys(range(60), 10.0)
    some = dict.fromkeys(range(40), 10.0)
    with_one = {**some, **dict.fromkeys(range(40, 59), 1.0), 59: 900.0}
    assert not list(telling([total_of(whole)], [total_of(some)], 11, DOMINATES, Sought()))
    assert list(telling([total_of(with_one)], [total_of(some)], 11, DOMINATES, Sought())) == [(0, 0)]
    assert not list(telling([total_of(with_one)], [total_of(some, "days")], 11, DOMINATES, Sought()))
    assert not list(telling([total_of(whole)], [total_of(whole)], 11, DOMINATES, Sought()))


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


def left_out(new: Parts, old: Sequence[Parts], most: int = 1 << 29) -> set[Untried]:
    sought = Sought(most)
    assert not list(telling([total_of(new)], [total_of(each) for each in old], 11, DOMINATES, sought))
    return set(sought.untried)


def among(n: int, of: int, size: int) -> list[Parts]:
    random = np.random.default_rng(1)
    return [dict.fromkeys(random.choice(of, size, replace=False).tolist(), 10.0) for _ in range(n)]


def test_two_parts_are_found_among_many_larger_ones() -> None:
    """What two of three hundred numbers leave of the new one is of one person, who has most of it."""
    own = [dict.fromkeys(range(450), 10.0), dict.fromkeys(range(450, 899), 10.0)]
    whole = {**own[0], **own[1], 899: 3000.0}
    decoys = among(300, 899, 500)
    old = [total_of(each) for each in (*decoys, *own)]
    assert list(telling([total_of(whole)], old, 11, DOMINATES, Sought())) == [(0, 300)]
    assert left_out(whole, decoys) == {Untried.RESTS}
    assert not left_out(whole, decoys[:3])


@pytest.mark.parametrize(("n", "said"), [(MOST_PARTS, set()), (MOST_PARTS + 1, {Untried.PARTS})])
def test_who_adds_up_more_released_sums_than_are_taken_away_is_said_to(n: int, said: set[Untried]) -> None:
    assert left_out(dict.fromkeys(range(900), 10.0), among(n, 900, 30)) == {Untried.RESTS, *said}


@pytest.mark.parametrize(("n", "said"), [(MOST_WHOLES, set()), (MOST_WHOLES + 1, {Untried.RESTS})])
def test_who_is_added_up_by_more_released_sums_than_are_tried_is_said_to(n: int, said: set[Untried]) -> None:
    wholes = [dict.fromkeys((*range(40), *range(1000 * at, 1000 * at + 40 + at)), 10.0) for at in range(1, n + 1)]
    assert left_out(dict.fromkeys(range(40), 10.0), wholes) == said


def test_a_search_among_sums_that_ends_at_its_limit_is_said_to() -> None:
    assert left_out(dict.fromkeys(range(900), 10.0), among(60, 900, 30), 1_000) == {Untried.RESTS, Untried.WORK}


def of_history(desk: DeskFiles, answer: dict[str, Any]) -> str:
    findings = load(desk, answer["request"]).evidence["findings"]
    (sentence,) = (str(each["sentence"]) for each in findings if each["rule"] == Rule.HISTORY.value)
    return sentence


@pytest.mark.parametrize(
    ("name", "verdict", "said"),
    [("MOST_PARTS", "review", "not all twos were taken away"), ("MOST_WHOLES", "pass", "beside them, leave of one")],
)
def test_what_of_sums_was_not_tried_stands_in_the_evidence(
    desk: DeskFiles, name: str, verdict: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """People decide where who asks can bring it about, as of sets."""
    first, second = (FIRST, TWICE) if name == "MOST_PARTS" else (TWICE, FIRST)
    export(desk, accepted(desk, result=tables(first)))
    assert "not looked at" not in of_history(desk, ask(desk, result=tables(second), run="b"))
    monkeypatch.setattr(totals, name, 0)
    answer = ask(desk, result=tables(second), run="c")
    assert said in of_history(desk, answer)
    assert answer["verdict"] == verdict
