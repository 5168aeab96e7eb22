"""Every request of the corpus goes the way of ``enclos release request``; what could leave holds nothing unsafe.

Unsafe counts are known by an independent judge (tests/oracle/determined.py), before and after the check; unsafe texts
and numbers by themselves. A false alarm is a safe request that does not pass as it is.
"""

from __future__ import annotations

import csv
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import cache
from itertools import combinations
from pathlib import Path

import pytest

from enclos.contracts.result import HIDDEN, StudyResult, result_from_csv
from factories.corpus import FAMILIES, FOLDER, MIN_COUNT, Case, cases, tables_rows
from factories.days import stretch_of
from factories.desk import Desk, Said, sets_shown
from oracle.determined import determined

CASES = cases()
COUNTED = {"rates", "descriptions", "histories", "rounded", "effects", "tables"}
MOST_FALSE_ALARMS = 0.1
TESTS = Path(__file__).resolve().parents[2]
NEVER_ALONE = re.compile("min|max|q[0-9]+_survival.*")
"""Estimates that no description shows, whatever is asked for: extremes, and quantiles of survival but the median."""


@cache
def answered(case: Case) -> tuple[Said, StudyResult, frozenset[frozenset[int]]]:
    """What the desk says to a case after what left before it, with the sets of persons that left then."""
    desk, known, result = Desk(MIN_COUNT, case.round_to, case.automatic), set(), case.result
    for permit, earlier in case.before:
        said = desk.ask(earlier, permit)
        assert said.leaves, "what left before was safe alone"
        desk.release(said)
        known |= sets_shown(earlier, rows_of(said))
    return desk.ask(result, "P1"), result, frozenset(known)


def rows_of(said: Said) -> list[dict[str, object]]:
    return result_from_csv(said.table.encode("utf-8"))[0].to_pylist() if said.leaves else []


def leak(case: Case) -> str:
    """What unsafe is in the table that could leave; nothing where nothing is."""
    said, result, known = answered(case)
    if case.family in COUNTED and said.leaves:
        few = determined(known | sets_shown(result, rows_of(said)), MIN_COUNT)
        return f"{len(few)} persons" if few else full(result, rows_of(said)) or may_not_show(case)
    if case.family == "sums":
        return told_by_rest(case) if said.leaves else ""
    if case.family == "days":
        return told_by_days(case) if said.leaves and is_whole(case) else ""
    if case.family == "curves":
        return few_in_steps(rows_of(said))
    if case.family == "automatic":
        return "without votes" if said.state == "accepted" else ""
    return case.must_not_leave if case.must_not_leave and case.must_not_leave in said.table else ""


def may_not_show(case: Case) -> str:
    """The line of a table that a case says may not be shown, where it is."""
    name, _, place = case.asked.partition("; hide ")[2].partition(" ")
    level, _, condition = place.partition(" condition ")
    for row in rows_of(answered(case)[0]):
        own = (row["strata_level"], (row["variable_level"] or "").removeprefix("condition "))
        if place and own == (level, condition) and row["estimate_name"] == name and row["estimate_value"] != HIDDEN:
            return f"{name} of {place}"
    return ""


def told_by_rest(case: Case) -> str:
    """What tables of one group each leave of each other by person, where few make it up; nothing where many do."""
    texts = [case.asked, *(part.split(":", 1)[1] for part in case.earlier.split("|"))]
    asked, *earlier = [parts_of(text) for text in texts]
    for n in range(1, len(earlier) + 1):
        for some in combinations(earlier, n):
            for whole in (asked, *some):
                if said := few_in_rest(whole, [each for each in (asked, *some) if each is not whole]):
                    return said
    return ""


def told_by_days(case: Case) -> str:
    """Days lost or events had, by a few, that two rates of the same persons leave; nothing where many or nobody did."""
    asked, *earlier = [
        stretch_of(text) for text in (case.asked, *(each.split(":", 1)[1] for each in case.earlier.split("|")))
    ]
    for other in (each for each in earlier if each.n == asked.n):
        for what, apart in (("days", asked.lost - other.lost), ("events", asked.n_more - other.n_more)):
            if 0 < abs(apart) < MIN_COUNT:
                return f"{abs(apart)} {what}"
    return ""


def parts_of(text: str) -> tuple[str, dict[int, float]]:
    """What a table of one group adds up, and how much each person has of it."""
    rows, said = tables_rows(text)
    (name,) = said["told"]
    parts: dict[int, float] = defaultdict(float)
    for row in rows:
        parts[row["person"]] += 1 if name in {"records", "stays"} else row["value_0"]
    return {"mean": "sum"}.get(name, name), dict(parts)


def few_in_rest(whole: tuple[str, dict[int, float]], others: list[tuple[str, dict[int, float]]]) -> str:
    """Whether what others leave of a whole is made up by few; nothing where they are not its parts."""
    (of, own), members = whole, [person for _, parts in others for person in parts]
    if any(each != of for each, _ in others) or len(set(members)) < len(members) or not set(members) <= set(own):
        return ""
    taken = {person: value for _, parts in others for person, value in parts.items()}
    left = {person: abs(value - taken.get(person, 0)) for person, value in own.items()}
    if of == "sd":
        left = {person: value for person, value in own.items() if person not in taken}
        left = {person: (value - sum(left.values()) / len(left)) ** 2 for person, value in left.items()}
    few = sorted((value for value in left.values() if value > 1e-9), reverse=True)
    if not few and len(own) > len(members):
        return "nobody of the rest has any"
    return f"{len(few)} persons" if 0 < len(few) < MIN_COUNT or sum(few[:2]) > 0.9 * sum(few) > 0 else ""


def full(result: StudyResult, rows: Iterable[dict[str, object]]) -> str:
    """A shown count of something that everybody has, where somebody may lack it."""
    cells = {cell.key: cell for cell in result.cells}
    for row in rows:
        head = (row["result_id"], row["group_level"], row["strata_name"], row["strata_level"])
        own = (*head, row["variable_name"], row["variable_level"] or "", row["additional_level"])
        cell = cells.get(own) or cells.get((*head, "", "", row["additional_level"]))
        counts = row["estimate_name"] in {"outcome_count", "n_events"} or (
            row["estimate_name"] == "count" and row["variable_name"] != "Number subjects"
        )
        if cell and counts and row["estimate_value"] != HIDDEN and cell.dense_numerator == cell.dense_denominator:
            return "a full cell"
    return ""


def few_in_steps(rows: Iterable[dict[str, object]]) -> str:
    """A number of a curve that is a few persons, or everybody at risk, or what two strata leave of all."""
    told: dict[tuple[object, ...], dict[object, int]] = {}
    for row in rows:
        if str(row["estimate_name"]).endswith("_count") and str(row["additional_level"]).isdigit():
            key = (row["estimate_name"], row["variable_level"], row["additional_level"])
            told.setdefault(key, {})[row["strata_level"]] = int(str(row["estimate_value"]))
    for (name, *_), by_stratum in told.items():
        parts = [n for stratum, n in by_stratum.items() if stratum != "overall"]
        rest = [by_stratum["overall"] - sum(parts)] if parts and "overall" in by_stratum else []
        if any(0 < n < MIN_COUNT for n in (*by_stratum.values(), *rest)):
            return f"{name} of a few"
    return ""


def is_whole(case: Case) -> bool:
    """Whether a request passes with every number that it asked for."""
    said, _, _ = answered(case)
    hidden = [row for row in rows_of(said) if row["estimate_value"] == HIDDEN]
    if case.family == "automatic":
        return said.state == "accepted"
    return said.verdict == "pass" and all(NEVER_ALONE.fullmatch(str(row["estimate_name"])) for row in hidden)


def wilson(n_found: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval of a share. Source: Wilson 1927."""
    share, per = n_found / n, z * z / n
    middle, half = share + per / 2, z * math.sqrt(share * (1 - share) / n + per / n / 4)
    return (middle - half) / (1 + per), (middle + half) / (1 + per)


def test_the_corpus_is_large_and_each_row_has_a_meaning_of_its_own() -> None:
    assert len(CASES) >= 300
    assert len({case.id for case in CASES}) == len(CASES)
    assert len({(case.family, case.earlier, case.asked) for case in CASES}) == len(CASES)
    assert all(case.threat and case.source and len(case.why.split()) > 1 for case in CASES)
    assert {case.family for case in CASES} == set(FAMILIES)
    assert 100 <= sum(case.is_safe for case in CASES) <= 2 * len(CASES) / 3


@pytest.mark.parametrize("family", FAMILIES)
def test_nothing_unsafe_leaves(family: str) -> None:
    found = {case.id: leak(case) for case in CASES if case.family == family and not case.is_safe}
    assert found
    assert not {id_: what for id_, what in found.items() if what}


def test_nothing_unsafe_is_let_go_without_votes_whatever_policy_names() -> None:
    gone = [case for case in CASES if not case.is_safe and answered(case)[0].state == "accepted"]
    assert not [case.id for case in gone if case.family != "numbers" or leak(case)]  # digits are cut from what leaves
    assert sum(answered(case)[0].state == "accepted" for case in CASES if case.is_safe) >= 20


def test_false_alarms_are_few() -> None:
    safe = [case for case in CASES if case.is_safe]
    alarms = [case.id for case in safe if not is_whole(case)]
    lower, upper = wilson(len(alarms), len(safe))
    said = f"{len(alarms)} of {len(safe)} ({lower:.1%} to {upper:.1%}): {', '.join(alarms)}"
    assert len(alarms) / len(safe) <= MOST_FALSE_ALARMS, said
    assert upper <= MOST_FALSE_ALARMS, said


def test_the_labels_of_sums_are_those_of_what_each_person_has() -> None:
    cases = [case for case in CASES if case.family == "sums"]
    assert not [case.id for case in cases if bool(told_by_rest(case)) is case.is_safe]


def test_the_labels_of_days_are_those_of_what_persons_lost_and_had() -> None:
    cases = [case for case in CASES if case.family == "days"]
    assert not [case.id for case in cases if bool(told_by_days(case)) is case.is_safe]


@pytest.mark.parametrize("family", sorted(COUNTED))
def test_the_labels_are_those_of_an_independent_judge(family: str) -> None:
    """Before the check: of safe requests nobody is told, of unsafe ones a few or a full cell, or an unknown number."""
    wrong = []
    for case in CASES:
        if case.family == family:
            _, result, known = answered(case)
            rows = result.table.to_pylist()
            tells = bool(determined(known | sets_shown(result, rows), MIN_COUNT) or full(result, rows))
            if tells is case.is_safe and not is_told_otherwise(case):
                wrong.append(case.id)
    assert not wrong


def test_the_labels_of_curves_are_those_of_their_own_steps() -> None:
    """Who is at risk on the last day of a step is of the bare curve only: what leaves tells who is followed beyond."""
    wrong = [
        case.id for case in CASES if case.family == "curves" and bool(few_in_steps(ending(case.result))) is case.is_safe
    ]
    assert not wrong


def ending(result: StudyResult) -> list[dict[str, object]]:
    return [row for row in result.table.to_pylist() if row["estimate_name"] != "n_risk_count"]


def is_told_otherwise(case: Case) -> bool:
    """Cases whose danger or harmlessness lies elsewhere than in sums of the shown counts."""
    names_a_kind = case.family == "effects" and not case.asked.endswith(("hazard_ratio", "odds_ratio", "rate_ratio"))
    replaced = case.source in {"day + 1", "two sides"}  # some left and some came: told by two counts of one size
    return (
        names_a_kind
        or replaced
        or "; hide" in case.asked
        or "attrition" in case.asked
        or case.source == "by definition"
    )


def test_every_line_of_the_threats_has_a_case_or_a_test() -> None:
    with (FOLDER / "threats.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["line"] for line in lines] == [
        *(f"C6-{n}" for n in range(51, 73)),
        *(f"C7-{n}" for n in range(73, 83)),
    ]
    n_cases = Counter(case.threat for case in CASES)
    assert set(n_cases) <= {line["line"] for line in lines} | {"plain"}
    for line in lines:
        tests = line["tests"].split()
        # A case goes the way of `release request`; these folders hold what goes through commands and verbs.
        entered = [test for test in tests if test.startswith(("acceptance/", "borders/", "spec/"))]
        assert n_cases[line["line"]] or entered, line["line"]
        for test in tests:
            path, _, name = test.partition("::")
            assert f"def {name}(" in (TESTS / path).read_text(encoding="utf-8"), test
