"""Positive controls of the designs around cases: negative ones with outcomes added while exposed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from enclos.studies.calibration.model import PositiveControls
from enclos.studies.calibration.rules.controlled import FoundControl
from enclos.studies.calibration.rules.positive_controls import Exposure, Growth, n_to_add, positive_control
from enclos.studies.cases.estimates import effect_of_rates, odds_ratios, rate_ratio
from enclos.studies.sccs.intervals import Bools, Ints


def rates_with_more(
    name: str, counts: tuple[int, int], days: tuple[int, int], asked: PositiveControls | None
) -> Iterator[FoundControl]:
    """The ratio of two rates with outcomes added to the time at risk.

    In:    name — of the negative control; counts, days — at risk, and compared with
    Empty: none where none are asked for, or too few outcomes fell into the time at risk
    """
    n_risk, n_control = counts
    if asked is None or n_risk < asked.min_outcomes:
        return
    for effect in sorted(asked.effects):
        growth = Growth(n_risk, n_to_add(n_risk, effect))
        if growth.n_added:
            found = effect_of_rates(rate_ratio(n_risk + growth.n_added, n_control, *days))
            yield FoundControl(name, growth.true_log, found.widened(growth.variance))


def sets_with_more(
    name: str, number: Ints, is_case: Bools, exposed: Bools, column: int, asked: PositiveControls | None
) -> Iterator[FoundControl]:
    """The odds ratio of one exposure with more sets of which the case is exposed.

    Such a set counts as often as the effect is large, which multiplies the odds ratio of a conditional likelihood by as
    much, whatever else its members take. Copied are sets in which somebody is not exposed: others say nothing.

    In:    name — of the negative control; number — the set of each row; exposed — one column per exposure
    Empty: none where none are asked for, or too few sets have an exposed case
    """
    if asked is None or not len(number):
        return
    n_sets = int(number.max()) + 1
    others = np.bincount(number, ~exposed[:, column], n_sets) > 0
    telling = number[is_case & exposed[:, column] & others[number]]
    if len(telling) < asked.min_outcomes:
        return
    sets = [Exposure(int(each), 1, 1, 1.0) for each in telling]
    for effect in sorted(asked.effects):
        control = positive_control(sets, effect, asked.seed, first_only=False)
        if control is not None:
            n_copies = np.bincount([each.key for each in control.added], minlength=n_sets)
            found = odds_ratios(*_copied(number, is_case, exposed, n_copies))[column]
            yield FoundControl(name, control.true_log, found.widened(control.variance))


def _copied(number: Ints, is_case: Bools, exposed: Bools, n_copies: Ints) -> tuple[Ints, Bools, Bools]:
    """All rows, and those of each set so many times again under numbers of their own."""
    numbers, places = [number], [np.arange(len(number))]
    for copy in range(int(n_copies.max(initial=0))):
        again = np.flatnonzero(n_copies[number] > copy)
        numbers.append(number[again] + (copy + 1) * (int(number.max()) + 1))
        places.append(again)
    at = np.concatenate(places)
    return np.concatenate(numbers), is_case[at], exposed[at]
