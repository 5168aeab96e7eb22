"""What a permit was told before stands in the evidence, and people look at what follows upon collisions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from enclos.lexicon.keys import KeyName, KeyRole, SecretKey
from enclos.lexicon.verdicts import Verdict
from enclos.release.model import Finding, Probes, Rule
from enclos.release.rules.terms import terms_of
from enclos.release.steps import check_result, queue_of, request_release
from enclos.release.steps.judging import tells_of_few
from enclos.stores.release_files import DeskFiles
from factories.results import Asked, Person, result_of
from unit.release.test_desk import NOW, archive, asked_of, valid

ALONE = terms_of(["incidence"])
RESULT = result_of(
    [Person("Male", 1960, (365,), 0 if number < 90 else None) for number in range(300)],
    Asked(sexes=("Both",), overall=False),
    attrition=False,
)


@pytest.fixture
def desk(tmp_path: Path) -> DeskFiles:
    return DeskFiles(tmp_path / "release", SecretKey(KeyName(KeyRole.DESK), b"k" * 32))


@pytest.mark.parametrize(
    ("probes", "verdict", "is_said"),
    [
        (Probes(), "pass", False),
        (Probes(4, 0, 0), "pass", True),
        (Probes(4, 2, 0), "pass", True),
        (Probes(4, 2, 1), "review", True),
    ],
)
def test_who_was_told_of_collisions_lately_leaves_with_two_persons_only(
    desk: DeskFiles, probes: Probes, verdict: str, is_said: bool
) -> None:
    asked = replace(asked_of(RESULT, terms=ALONE), probes=probes)
    found = check_result(asked, desk=desk, archive=archive(desk), check=valid)
    assert (found["verdict"], found["automatic"], found["differs"]) == (verdict, verdict == "pass", False)
    answer = request_release(
        asked,
        run="a1b2",
        purpose="For the annual report",
        author="bob@example.org",
        snapshot=1,
        desk=desk,
        archive=archive(desk),
        now=NOW,
        check=valid,
    )
    assert answer.state.word == ("accepted" if verdict == "pass" else "open")
    (row,) = queue_of("carol@example.org", desk=desk, now=NOW)["waiting"] or [None]
    assert row is None or row["n_collided_before"] == probes.n_collided
    assert any("2 of them were told" in each for each in answer.reasons) is (is_said and verdict == "review")


@pytest.mark.parametrize(
    ("own", "proposed", "differs"),
    [("pass", None, False), ("refuse", None, True), ("review", {"verdict": "refuse"}, True), ("review", {}, False)],
)
def test_an_answer_tells_of_a_few_by_itself_or_by_what_it_proposes(own: str, proposed: object, differs: bool) -> None:
    findings = [Finding(Rule.MINIMUM, Verdict.REFUSE, "x"), Finding(Rule.HISTORY, Verdict[own.upper()], "x")]
    assert tells_of_few(findings, {"merged": proposed}) is differs


def test_an_enclosure_has_fewer_told_and_never_more() -> None:
    assert terms_of().max_collisions == terms_of(max_collisions=1000).max_collisions == 10
    assert terms_of(max_collisions=3).max_collisions == 3
    assert terms_of().max_checks == terms_of(max_checks=1000).max_checks == 100
    assert terms_of(max_checks=3).max_checks == 3
