from __future__ import annotations

import numpy as np
import pytest

from enclos.studies.regression.rules.segments import Segments, segments_of


@pytest.mark.parametrize("n_segments", [1, 5, 300])
def test_running_sums_start_again_at_each_segment_and_keep_what_is_small(n_segments):
    rng = np.random.default_rng(1)
    keys = np.sort(rng.integers(0, n_segments, 1000))
    values = np.exp(rng.normal(scale=30, size=(1000, 2)))
    found = segments_of(keys).running(values)
    for key in np.unique(keys):
        np.testing.assert_allclose(found[keys == key], np.cumsum(values[keys == key], axis=0), rtol=1e-12)
    np.testing.assert_allclose(segments_of(keys).running(values[:, 0]), found[:, 0], rtol=1e-12)


def test_segments_turn_around():
    runs = segments_of(np.array([4, 4, 7, 7, 7, 9])).reversed()
    assert runs.lengths.tolist() == [1, 3, 2]


def test_a_row_that_weighs_nothing_does_not_set_the_scale():
    risks, highest = Segments(np.array([0, 2]), 3).relative(np.array([900.0, 1.0, 5.0]), np.array([0.0, 2.0, 0.0]))
    assert risks.tolist() == [0.0, 2.0, 0.0]
    assert highest.tolist() == [1.0, 0.0]
