"""Components and outcomes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from enclos.linkage.model import HospitalLinks, LinkOutcome
from enclos.linkage.rules import component_labels, link_outcome
from oracle.linkage import components

nodes = st.integers(0, 30)


@given(st.lists(st.tuples(nodes, nodes), max_size=40))
def test_components_equal_the_oracle_and_bear_their_smallest_node(edges):
    left = np.array([one for one, _ in edges], dtype=np.int64)
    right = np.array([other for _, other in edges], dtype=np.int64)
    found, labels = component_labels(left, right)
    groups = {}
    for node, label in zip(found.tolist(), labels.tolist(), strict=True):
        groups.setdefault(label, set()).add(node)
    assert {frozenset(group) for group in groups.values()} == components(edges)
    assert all(label == min(group) for label, group in groups.items())


@pytest.mark.parametrize(
    ("shared", "answers", "persons", "outcome"),
    [
        (0, 0, 0, LinkOutcome.NO_ANSWER),
        (0, 1, 0, LinkOutcome.UNKNOWN_PERSON),
        (0, 1, 1, LinkOutcome.LINKED),
        (0, 2, 1, LinkOutcome.LINKED),  # two pseudonyms of one person
        (0, 2, 2, LinkOutcome.CONFLICT),
        (1, 1, 1, LinkOutcome.CONFLICT),
        (1, 0, 0, LinkOutcome.CONFLICT),
    ],
)
def test_each_patient_has_one_outcome(shared, answers, persons, outcome):
    assert link_outcome(n_shared_ids=shared, n_answers=answers, n_persons=persons) is outcome


def test_a_report_whose_outcomes_do_not_add_up_cannot_be_made():
    with pytest.raises(ValueError, match="one outcome"):
        HospitalLinks("hosp-a", 3, {LinkOutcome.LINKED: 2})
