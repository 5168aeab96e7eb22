"""The pure rules of comparisons against the slow oracle, on random entries with many ties."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csc_array

from enclos.studies.compare.model import (
    Base,
    Duplicates,
    Eligibility,
    Following,
    FollowUp,
    Match,
    Scale,
    Stratify,
    TrimFraction,
)
from enclos.studies.compare.rules.balance import balance, set_weights
from enclos.studies.compare.rules.curves import weighted_curve
from enclos.studies.compare.rules.matching import matched
from enclos.studies.compare.rules.population import (
    Entries,
    Events,
    at_risk,
    eligible,
    followed,
    no_switch,
    prior_outcomes,
)
from enclos.studies.compare.rules.scores import area_under_curve, strata_of, trimmed
from factories.examples import drawn
from oracle import compare as oracle

few = st.integers(0, 6)
rows = st.lists(
    st.builds(oracle.Row, few, st.booleans(), few, st.integers(0, 40), few, st.integers(0, 9)),
    max_size=14,
    unique_by=lambda row: (row.person, row.target, row.day),
)
scored = st.lists(
    st.tuples(st.sampled_from([0.1, 0.2, 0.25, 0.3, 0.5, 0.55, 0.8]), st.booleans()), min_size=2, max_size=16
)


def entries_of(given_rows: list[oracle.Row]) -> tuple[list[oracle.Row], Entries]:
    ordered = sorted(given_rows, key=lambda row: (row.person, row.day, not row.target))
    columns = [
        np.array([value(row) for row in ordered], dtype=np.int64)
        for value in (
            lambda row: row.person,
            lambda row: row.day,
            lambda row: row.observed_before,
            lambda row: row.to_cohort_end,
            lambda row: row.to_observed_end,
        )
    ]
    n = len(ordered)
    zeros = np.zeros(n, dtype=np.int64)
    treated = np.array([row.target for row in ordered], dtype=np.bool_)
    return ordered, Entries(columns[0], treated, columns[1], zeros, zeros, *columns[2:], no_switch(n))


@settings(max_examples=drawn(150), deadline=None)
@given(rows, st.sampled_from(["keep_all", "keep_first", "remove_all"]), st.booleans())
def test_who_is_eligible(given_rows: list[oracle.Row], rule: str, first_only: bool) -> None:
    ordered, entries = entries_of(given_rows)
    asked = Eligibility(days_prior_observation=10, first_exposure=first_only, duplicates=Duplicates(rule))
    kept = oracle.first_entries(ordered) if first_only else list(range(len(ordered)))
    kept = [at for at in kept if ordered[at].observed_before >= 10]
    expected = kept if rule == "keep_all" else oracle.without_duplicates(ordered, kept, rule)
    assert np.flatnonzero(eligible(entries, asked)[-1][1]).tolist() == expected


@settings(max_examples=drawn(150), deadline=None)
@given(
    rows,
    st.lists(st.tuples(st.integers(0, 13), st.integers(-9, 9)), max_size=25),
    st.booleans(),
    st.integers(0, 3),
    st.integers(0, 3),
    st.sampled_from([None, 4, 7]),
    st.sampled_from([None, 0, 2, 5]),
    st.integers(0, 3),
)
def test_who_is_followed(
    given_rows: list[oracle.Row],
    outcomes: list[tuple[int, int]],
    on_treatment: bool,
    from_day: int,
    grace: int,
    longest: int | None,
    washout: int | None,
    min_days: int,
) -> None:
    ordered, entries = entries_of(given_rows)
    outcomes = [(at, days) for at, days in outcomes if at < len(ordered)]
    kind = Following.ON_TREATMENT if on_treatment else Following.INTENTION_TO_TREAT
    follow_up = FollowUp(kind, from_day, grace if on_treatment else 0, longest, min_days)
    events = Events(*(np.array([each[at] for each in outcomes], dtype=np.int64) for at in (0, 1)))
    risk = at_risk(entries, follow_up, Duplicates.KEEP_ALL)
    kept = ~prior_outcomes(len(entries), events, from_day, washout) & (risk.n_days >= max(min_days, 1))
    seen = followed(entries, risk, events, kept)
    expected = oracle.study_population(
        ordered,
        outcomes,
        on_treatment=on_treatment,
        from_day=from_day,
        grace=follow_up.grace_days,
        longest=longest,
        washout=washout,
        min_days=min_days,
    )
    found = zip(seen.at.tolist(), seen.n_outcomes.tolist(), seen.days_at_risk.tolist(), seen.days.tolist(), strict=True)
    assert list(found) == expected


@settings(max_examples=drawn(200), deadline=None)
@given(scored, st.integers(1, 4), st.sampled_from([0.0, 0.06, 0.2]))
def test_sets_are_those_of_all_pairs(entries: list[tuple[float, bool]], ratio: int, caliper: float) -> None:
    score, treated = np.array([each[0] for each in entries]), np.array([each[1] for each in entries])
    found = matched(score, treated, Match(ratio, caliper=caliper, scale=Scale.PROPENSITY))
    order = sorted(range(len(score)), key=lambda at: (score[at], at))
    width = caliper if caliper > 0 and score.max() > score.min() else math.inf
    expected = oracle.greedy_sets(score[order].tolist(), treated[order].tolist(), width, ratio)
    assert found[order].tolist() == expected


@settings(max_examples=drawn(100), deadline=None)
@given(scored, st.integers(2, 5), st.sampled_from(list(Base)))
def test_strata_and_area(entries: list[tuple[float, bool]], n: int, base: Base) -> None:
    score, treated = np.array([each[0] for each in entries]), np.array([each[1] for each in entries])
    among = {Base.ALL: treated | ~treated, Base.TARGET: treated, Base.COMPARATOR: ~treated}[base]
    expected = oracle.strata(score.tolist(), score[among].tolist(), n) if among.any() else [1] * len(score)
    assert strata_of(score, treated, Stratify(n, base)).tolist() == expected
    if 0 < treated.sum() < len(treated):
        assert area_under_curve(score, treated) == oracle.auc(score.tolist(), treated.tolist())


@settings(max_examples=drawn(100), deadline=None)
@given(scored, st.sampled_from([0.1, 0.3]))
def test_trimming_takes_both_tails(entries: list[tuple[float, bool]], fraction: float) -> None:
    score, treated = np.array([each[0] for each in entries]), np.array([each[1] for each in entries])
    kept = trimmed(score, score, treated, TrimFraction(fraction))
    for at, (own, is_target) in enumerate(entries):
        arm = [each for each, other in entries if other == is_target]
        border = oracle.quantile(arm, 1 - fraction if is_target else fraction)
        if abs(own - border) > 1e-12:
            assert kept[at] == (own < border if is_target else own > border)


@settings(max_examples=drawn(100), deadline=None)
@given(scored, st.lists(st.sampled_from([0.0, 0.0, 1.0, 2.5]), min_size=16, max_size=16), st.integers(0, 2))
def test_balance(entries: list[tuple[float, bool]], values: list[float], how: int) -> None:
    treated = np.array([each[1] for each in entries])
    n = len(entries)
    if treated.all() or not treated.any():
        return
    column = np.array(values[:n])
    sets = np.arange(n) // 4
    weights = [None, np.array([each[0] for each in entries]), set_weights(sets, treated)][how]
    if how == 2:
        counts = [sum(1 for o in range(n) if sets[o] == sets[at] and treated[o] == treated[at]) for at in range(n)]
        expected_weights = None if max(counts) == 1 else [1 / each for each in counts]
        assert (weights is None) == (expected_weights is None)
    found = balance(csc_array(column.reshape(-1, 1)), treated, weights)
    expected = oracle.difference(column.tolist(), treated.tolist(), None if weights is None else weights.tolist())
    if not math.isnan(expected):
        np.testing.assert_allclose(found.difference[0], expected, rtol=1e-9, atol=1e-12)


@settings(max_examples=drawn(100), deadline=None)
@given(st.lists(st.tuples(st.integers(1, 6), st.booleans(), st.sampled_from([0.5, 1.0, 3.0])), min_size=1, max_size=15))
def test_weighted_curve(entries: list[tuple[int, bool, float]]) -> None:
    days, outcome, weights = (list(each) for each in zip(*entries, strict=True))
    found = weighted_curve(np.array(days), np.array(outcome), np.array(weights))
    shown, _, _ = found.on(np.arange(8))
    for day in range(8):
        np.testing.assert_allclose(shown[day], oracle.curve(days, outcome, weights, day), atol=1e-12)
