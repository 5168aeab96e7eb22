"""An attacker asks for one table after the other; of a small town nothing that left may determine a few persons.

Moves: the same but for a person, complements, intersections, unions, padding with persons who are counted elsewhere,
thresholds swept by one, chunks, tables of levels and strata. What the desk lets out leaves. The judge
(tests/oracle/determined.py) knows every set that was counted, whose number it shows, and nothing of the rules.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from itertools import product

from hypothesis import example, given, settings
from hypothesis import strategies as st

from enclos.contracts.result import StudyResult, result_from_csv
from factories.corpus import cohorts
from factories.desk import Desk, sets_shown
from factories.groups import NUMBERS, Subject, description_of
from factories.results import ALL_AGES, Asked, Person, result_of
from oracle.determined import determined

IN_CI = "CI" in os.environ
"""There the same towns each time, so that what lands does not hang on luck; everywhere else others."""


@st.composite
def cohorts_asked(draw: st.DrawFn) -> list[str]:
    """Requests for cohorts of a town of blocks, each made from what was asked before by a move."""
    ends = draw(st.lists(st.integers(1, 14), min_size=4, max_size=6))
    starts = [sum(ends[:at]) for at in range(len(ends))]
    blocks = [set(range(start, start + n)) for start, n in zip(starts, ends, strict=True)]
    town = set().union(*blocks)
    asked: list[set[int]] = [town]
    for _ in range(draw(st.integers(1, 6))):
        known = draw(st.sampled_from(asked))
        other = draw(st.sampled_from([*asked, *blocks]))
        person = draw(st.sampled_from(sorted(town)))
        last = max(known, default=0)
        moves = (
            known - {person},  # differencing
            known | {person},
            town - known,  # complement
            known & other,  # intersection
            known | other,  # union; padding where the other is counted elsewhere
            other - known,
            set(range(last)),  # a threshold swept by one
            set(range(last + draw(st.integers(1, 3)))),
            {each for each in known if each % 2},  # a chunk
        )
        asked.append(draw(st.sampled_from(moves)) & town)
    order = draw(st.permutations([each for each in asked if each]))
    sizes = draw(st.lists(st.integers(1, 3), min_size=len(order), max_size=len(order)))
    return requests_of(order, sizes)


def requests_of(sets: Sequence[set[int]], sizes: Sequence[int]) -> list[str]:
    """Some sets at a time."""
    found, left = [], list(sets)
    for size in sizes:
        part, left = left[:size], left[size:]
        if part:
            found.append(" ; ".join(f"c{at} {' '.join(map(str, sorted(each)))}" for at, each in enumerate(part)))
    return found


def attack(results: Sequence[StudyResult], k: int, round_to: int = 1) -> None:
    """Ask for one after the other; let out what may leave; look after each."""
    desk, known = Desk(k, round_to), set()
    for number, result in enumerate(results):
        said = desk.ask(result, f"P{number % 2}")
        if not said.leaves:
            continue
        desk.release(said)
        known |= sets_shown(result, result_from_csv(said.table.encode("utf-8"))[0].to_pylist())
        few = determined(known, k)
        assert few is None, f"{len(few)} persons after request {number + 1}"


@settings(max_examples=10, deadline=None, derandomize=IN_CI)
@given(cohorts_asked(), st.integers(2, 4))
def test_no_sequence_of_requests_determines_a_few(asked: list[str], k: int) -> None:
    attack([cohorts(text) for text in asked], k)


FLAGS = ("asthma", "gout")
SEXES, AGES = ("Female", "Male"), ("0 to 19", "20 to 64", "65 to 150")
KINDS = [
    Subject("statin", sex, age, frozenset(flag for flag, has in zip(FLAGS, flags, strict=True) if has))
    for sex, age, flags in product(SEXES, AGES, product((False, True), repeat=len(FLAGS)))
]
"""Everybody whom the words of the table allow, once."""


@settings(max_examples=12, deadline=None, derandomize=IN_CI)
@given(st.lists(st.sampled_from(KINDS), min_size=10, max_size=80), st.integers(2, 4))
def test_no_table_of_levels_and_strata_determines_a_few(people: list[Subject], k: int) -> None:
    said = Desk(k).ask(description_of(people, FLAGS))
    rows = result_from_csv(said.table.encode("utf-8"))[0].to_pylist() if said.leaves else []
    counted = Counter(people)
    sizes = {int(NUMBERS[at]): counted[kind] for at, kind in enumerate(KINDS)}
    assert determined(sets_shown(description_of(KINDS, FLAGS), rows), k, sizes) is None


BORN = range(1946, 1966)
TOWN = [Person(sex, born, (365,), event) for sex, born, event in product(SEXES, BORN, (None, 0))]


@settings(max_examples=12, deadline=None, derandomize=IN_CI)
@given(
    st.lists(st.sampled_from(TOWN), min_size=8, max_size=80), st.integers(54, 73), st.integers(0, 1), st.integers(2, 4)
)
@example([TOWN[at] for at in (0, 0, 1, 21, 22, 23, 23, 40, 40, 41, 41)], 63, 1, 2)
def test_no_bands_that_touch_or_overlap_determine_a_few(people: list[Person], limit: int, by: int, k: int) -> None:
    asked = Asked(ages=(ALL_AGES, (0, limit), (limit + 1 - by, 150)), overall=False)
    said = Desk(k).ask(result_of(people, asked, attrition=False))
    rows = result_from_csv(said.table.encode("utf-8"))[0].to_pylist() if said.leaves else []
    counted = Counter(people)
    sizes = {at * 1000 + 7: counted[kind] for at, kind in enumerate(TOWN)}
    assert determined(sets_shown(result_of(TOWN, asked, attrition=False), rows), k, sizes) is None
