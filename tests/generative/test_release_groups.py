"""Whoever holds all that is shown of descriptions can single out no few persons."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enclos.contracts.result import HIDDEN, OVERALL, Cell, StudyResult
from enclos.release import history
from enclos.release.rules.disclosure import assess
from factories.examples import drawn
from factories.groups import Subject, description_of
from oracle.differencing import differing


@pytest.fixture(autouse=True, scope="module")
def all_wholes() -> Iterator[None]:
    """So few sets are tried in every combination."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(history, "MOST_WHOLES", 1000)
        patch.setattr(history, "MOST_IN_TRIPLES", 1000)
        yield


FLAGS = ("asthma", "gout", "migraine")
subjects = st.builds(
    Subject,
    st.sampled_from(["statin", "other"]),
    st.sampled_from(["Female", "Male"]),
    st.sampled_from(["0 to 19", "20 to 64", "65 to 150"]),
    st.frozensets(st.sampled_from(FLAGS)),
    st.none() | st.integers(0, 9),
)


def shown_cells(result: StudyResult, safe: StudyResult) -> list[Cell]:
    """The cells of which a number is shown."""
    shown = {
        (row["group_level"], row["strata_name"], row["strata_level"], row["variable_name"], row["variable_level"] or "")
        for row in safe.table.to_pylist()
        if row["estimate_value"] != HIDDEN
    }
    return [cell for cell in result.cells if cell.key[1:6] in shown]


@settings(max_examples=drawn(40), deadline=None)
@given(st.lists(subjects, min_size=1, max_size=60), st.integers(2, 5))
def test_no_few_are_told_by_sums_and_rests_of_what_is_shown(people: list[Subject], k: int) -> None:
    result = description_of(people, FLAGS)
    safe = assess(result, k).safe
    if safe is None:
        return
    cells = shown_cells(result, safe)
    told = {frozenset(each) for cell in cells for each in (cell.dense_numerator, cell.dense_denominator) if each}
    assert all(len(each) >= k for each in told)
    for target in told:
        others = sorted(told - {target}, key=sorted)[:9]  # pairs and triples of nine: every kind of combination
        assert not list(differing(target, others, range(len(others)), k))
    for cell in cells:
        assert not 0 < cell.n_denominator - cell.n_numerator < k


@settings(max_examples=drawn(40), deadline=None)
@given(st.lists(subjects, min_size=1, max_size=60), st.integers(2, 5))
def test_the_levels_of_a_variable_do_not_tell_the_one_that_is_hidden(people: list[Subject], k: int) -> None:
    result = description_of(people, FLAGS)
    safe = assess(result, k).safe
    cells = [] if safe is None else shown_cells(result, safe)
    for whole in cells:
        if whole.variable_name != "Number subjects":
            continue
        parts = [
            cell.dense_numerator
            for cell in cells
            if cell.key[:4] == whole.key[:4] and cell.variable_name == "Age group" and cell.dense_numerator
        ]
        rest = whole.n_denominator - sum(len(each) for each in parts)
        assert not parts or not 0 < rest < k
        strata = [
            cell.dense_numerator
            for cell in cells
            if cell.strata_name != OVERALL == whole.strata_name
            and (cell.group_level, cell.variable_name) == (whole.group_level, whole.variable_name)
        ]
        rest = whole.n_denominator - sum(len(each) for each in strata)
        assert not strata or not 0 < rest < k
