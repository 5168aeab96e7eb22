"""What changed between two assessments, and hosts in their order."""

from __future__ import annotations

from typing import Any

from enclos.conformity.rules.comparing import changes_between, ranked


def document(
    verdicts: dict[str, str], *, score: float = 0.0, floor: bool = False, why: str = "", catalogue: str = "c"
) -> dict[str, Any]:
    rows = [
        {"id": id_, "paraphrase": "words", "verdict": verdict, "rests_on": "probes", "why": why}
        for id_, verdict in verdicts.items()
    ]
    counts = dict.fromkeys(("met", "not_met", "not_demonstrated", "not_applicable"), 0)
    return {"catalogues": [{"id": catalogue, "score": score, "floor_reached": floor, "requirements": rows, **counts}]}


def test_other_words_are_no_change_and_numbers_stand_by_their_value() -> None:
    before = document({"9.1": "met", "10.1": "met", "2": "met"}, why="one")
    assert changes_between(before, document({"9.1": "met", "10.1": "met", "2": "met"}, why="other")) == []
    after = document({"10.1": "not met", "9.1": "not met", "11": "met"})
    assert [(each["id"], each["before"], each["after"]) for each in changes_between(before, after)] == [
        ("2", "met", None),
        ("9.1", "met", "not met"),
        ("10.1", "met", "not met"),
        ("11", None, "met"),
    ]


def test_the_same_number_of_another_catalogue_is_another_requirement() -> None:
    one, other = document({"R3": "met"}, catalogue="a"), document({"R3": "met"}, catalogue="b")
    assert [(each["catalogue"], each["after"]) for each in changes_between(one, other)] == [("a", None), ("b", "met")]


def test_who_reached_the_floor_stands_before_who_has_more_and_did_not() -> None:
    hosts = [
        document({}, score=0.9),
        document({}, score=0.4, floor=True),
        document({}, score=0.9),
        document({}, score=0.6, floor=True),
        document({}, catalogue="other"),
    ]
    rows = [row for row in ranked(hosts, list("ABCDE")) if row["catalogue"] == "c"]
    assert [(row["host"], row["rank"]) for row in rows] == [("D", 1), ("B", 2), ("A", 3), ("C", 3), ("E", None)]
