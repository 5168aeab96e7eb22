"""Components and outcomes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from enclos.linkage.model import HospitalLinks, LinkOutcome
from enclos.linkage.rules import component_labels, link_outcome, share, stay_group
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


@given(st.integers(1, 5000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_a_share_has_wilsons_interval(counts):
    n, of = counts
    found, interval = share(n, of), binomtest(n, of).proportion_ci(0.95, method="wilson")
    assert found.value == n / of
    assert (found.lower, found.upper) == pytest.approx((interval.low, interval.high), abs=1e-9)


def test_a_share_of_nobody_is_empty():
    assert share(0, 0).as_json() == {"value": None, "n": 0, "of": 0, "lower": None, "upper": None}


@pytest.mark.parametrize(
    ("n_agree", "matched", "group"),
    [(7, True, "group_1"), (6, True, "group_2"), (5, True, "group_2"), (7, False, "multiple"), (None, False, "none")],
)
def test_the_group_of_a_stay(n_agree, matched, group):
    assert stay_group(n_agree, matched=matched) == group
