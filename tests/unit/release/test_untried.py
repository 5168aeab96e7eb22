"""What a search leaves out is said; where one ended at its limit, nothing leaves by itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pyroaring import BitMap

from enclos.contracts.result import StudyResult
from enclos.lexicon.keys import KeyName, KeyRole, SecretKey
from enclos.lexicon.verdicts import Verdict
from enclos.release import allowance, history
from enclos.release.allowance import MOST_PARTS, MOST_SETS, MOST_WITHIN, Sought, Untried
from enclos.release.history import collisions
from enclos.release.model import Rule
from enclos.release.rules.disclosure import assess
from enclos.release.sets import Sets, sets_of
from enclos.stores.release_files import DeskFiles
from factories.curves import Followed, curves_of
from factories.groups import Subject, description_of
from factories.results import Asked, Person, result_of
from unit.release.test_desk import ask
from unit.release.test_several import controls

K = 11
DOCS = Path(__file__).parents[3] / "docs"
Group = set[int]


def sets(groups: list[Group]) -> Sets:
    return sets_of([BitMap(each).serialize() for each in groups])


def apart(n: int, size: int = 300) -> list[Group]:
    return [set(range(10_000 * at, 10_000 * at + size)) for at in range(n)]


def left_out(new: list[Group], old: list[Group]) -> set[Untried]:
    sought = Sought()
    assert not list(collisions(sets(new), sets(old), K, sought))
    return set(sought.untried)


def test_of_sixty_four_sets_all_sums_are_tried_and_of_more_it_is_said() -> None:
    groups = apart(MOST_SETS + 1)
    assert left_out(groups[:1], groups[1:MOST_SETS]) == set()
    assert left_out(groups[:1], groups[1:]) == {Untried.SUMS}


@pytest.mark.parametrize(("n_wholes", "is_said"), [(history.MOST_WHOLES, False), (history.MOST_WHOLES + 1, True)])
def test_who_is_held_by_more_sets_than_are_tried_is_said_to(n_wholes: int, is_said: bool) -> None:
    target = set(range(400))
    wholes = [target | set(range(10_000 * at, 10_000 * at + 100 + 20 * at)) for at in range(1, n_wholes + 1)]
    others = [{person + 900_000 for person in each} for each in apart(MOST_SETS)]
    assert (Untried.WHOLES in left_out([target], [*wholes, *others])) is is_said


def test_a_rest_with_more_sets_in_it_than_are_tried_is_said_to_have() -> None:
    random = np.random.default_rng(1)
    target, rest = set(range(400)), np.arange(10_000, 12_000)
    inside = [set(random.choice(rest, 900, replace=False).tolist()) for _ in range(history.MOST_BESIDE + 1)]
    assert Untried.WHOLES in left_out([target], [target | set(rest.tolist()), *inside])
    assert Untried.WHOLES not in left_out([target], [target | set(rest.tolist()), *inside[:20], *apart(60)[3:]])


WITHIN, PARTS, SETS, WHOLES, BESIDE = MOST_WITHIN, MOST_PARTS, MOST_SETS, history.MOST_WHOLES, history.MOST_BESIDE


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("release.md", f"{WITHIN} within a number of which threes and fours are added, {WHOLES} wholes"),
        ("release.md", f"{BESIDE} sets in what it leaves of one"),
        ("release.md", f"are sought among {SETS} sets together"),
        ("release.md", f"two of {PARTS} are taken from one"),
        ("release.md", f"more than {WITHIN} sets or {PARTS} sums lie within a"),
        ("release_proof.md", f"are {SETS} sets or fewer; among more, those of three and four among {WITHIN} within"),
        ("security.md", f"more than {WHOLES} wholes, {BESIDE} sets in a rest, {WITHIN} within"),
        ("security.md", f"any sums of more than {SETS} sets"),
        ("security.md", f"more than {WITHIN} sets or {PARTS} sums lie within a number"),
    ],
)
def test_the_pages_say_how_far_searches_go(page: str, said: str) -> None:
    assert said in " ".join((DOCS / page).read_text(encoding="utf-8").split())


@pytest.mark.parametrize(
    ("what", "most"), [(Untried.WITHIN, MOST_WITHIN), (Untried.PARTS, MOST_PARTS), (Untried.SUMS, MOST_SETS)]
)
def test_the_sentence_says_how_many_are_tried_and_of_how_many_not_all(what: Untried, most: int) -> None:
    sought = Sought()
    sought.leave_out(what, 7)
    assert {str(most), "7"} <= set(sought.said.replace(",", " ").split())


def rates() -> StudyResult:
    people = [Person("Male", 1960, (365,), 0 if at < 90 else None) for at in range(300)]
    return result_of(people, Asked(sexes=("Both",), overall=False), attrition=False)


def descriptions() -> StudyResult:
    subjects = [
        Subject("statin", "Female", "20 to 64", frozenset({"asthma"} if at % 2 else ()), None) for at in range(90)
    ]
    return description_of(subjects, ("asthma",))


def several() -> StudyResult:
    return controls({"a": (20, 30), "b": (40, 25), "c": (12, 11)})


def curves() -> StudyResult:
    return curves_of([Followed(at + 1, at % 2) for at in range(300)])


@pytest.mark.parametrize("made", [rates, descriptions, several, curves])
def test_a_search_within_a_request_that_ends_at_its_limit_is_said_to(
    made: Callable[[], StudyResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    result = made()
    assert all(each.rule is not Rule.SEARCH for each in assess(result, K).findings)
    monkeypatch.setattr(allowance, "MOST_WORK", 50)
    found = assess(result, K)
    (said,) = (each for each in found.findings if each.rule is Rule.SEARCH)
    assert said.verdict is Verdict.REVIEW
    assert "ended at its limit" in said.sentence


@pytest.fixture
def desk(tmp_path: Path) -> DeskFiles:
    return DeskFiles(tmp_path / "release", SecretKey(KeyName(KeyRole.DESK), b"k" * 32))


def test_what_was_not_searched_waits_for_two_persons(desk: DeskFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ask(desk, result=rates())["verdict"] == "pass"
    monkeypatch.setattr(allowance, "MOST_WORK", 50)
    answer = ask(desk, result=rates(), run="b")
    assert answer["verdict"] == "review"
    assert any("ended at its limit" in each for each in answer["reasons"])
    assert answer["state"] == "open"


def test_however_often_sets_are_hidden_one_allowance_holds_for_all_rounds() -> None:
    sought = Sought(100_000)
    groups = apart(10)
    n = 0
    while Untried.WORK not in sought.untried:
        list(collisions(sets(groups), sets(groups), K, sought))
        n += 1
    assert 1 < n < 200
    assert not list(collisions(sets([groups[0], groups[0] | {5_555}]), sets(groups), K, sought))
