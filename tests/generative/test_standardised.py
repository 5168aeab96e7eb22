"""Random strata: the rate and its gamma interval are those of the slow oracle."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enclos.studies.standard.rules import standardised
from factories.examples import drawn
from oracle import standard as oracle

GROUPS = st.lists(
    st.tuples(st.integers(0, 300), st.floats(0.01, 1e5, allow_nan=False), st.integers(1, 7000)), min_size=1, max_size=18
)


@settings(max_examples=drawn(200), deadline=None)
@given(GROUPS)
def test_rate_and_interval_are_the_oracle_s(groups: list[tuple[int, float, int]]) -> None:
    n_events, years, weights = zip(*groups, strict=True)
    found = standardised(n_events, years, weights)
    assert found == pytest.approx(oracle.standardised(n_events, years, weights), rel=1e-6, abs=1e-12)
    assert 0 <= found[1] <= found[0] < found[2]
