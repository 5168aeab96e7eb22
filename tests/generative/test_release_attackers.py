"""An attacker asks for one table after the other; of a small town nothing that left may determine a few persons.

Moves: the same but for a person, complements, intersections, unions, padding with persons who are counted elsewhere,
thresholds swept by one, chunks. What the desk lets out leaves. The judge
(tests/oracle/determined.py) knows every set that was counted, whose number it shows, and nothing of the rules.
"""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from enclos.contracts.result import StudyResult, result_from_csv
from factories.corpus import cohorts
from factories.desk import Desk, sets_shown
from oracle.determined import determined


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


def attack(results: Sequence[StudyResult], k: int) -> None:
    """Ask for one after the other; let out what may leave; look after each."""
    desk, known = Desk(k), set()
    for number, result in enumerate(results):
        said = desk.ask(result, f"P{number % 2}")
        if not said.leaves:
            continue
        desk.release(said)
        known |= sets_shown(result, result_from_csv(said.table.encode("utf-8"))[0].to_pylist())
        few = determined(known, k)
        assert few is None, f"{len(few)} persons after request {number + 1}"


@settings(max_examples=15, deadline=None)
@given(cohorts_asked(), st.integers(2, 4))
def test_no_sequence_of_requests_determines_a_few(asked: list[str], k: int) -> None:
    attack([cohorts(text) for text in asked], k)
