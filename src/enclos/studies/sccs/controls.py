"""Controls of a case series: outcomes that no exposure changes, and such to which outcomes are added in a window.

Outcomes are added to a case's time in the window as its own outcomes and its share of time there let expect. A case
with outcomes added says what so many cases alike would, so that it does not matter whether only first outcomes count.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from enclos.studies.calibration.model import PositiveControls
from enclos.studies.calibration.rules.controlled import Controlled, FoundControl
from enclos.studies.calibration.rules.positive_controls import Exposure, PositiveControl, positive_control
from enclos.studies.sccs.fitting import Model, fit_rows
from enclos.studies.sccs.intervals import Floats, Rows


def controlled(
    series: Mapping[str, tuple[Rows, Floats, Model]], columns: Sequence[int], positive: PositiveControls | None
) -> dict[int, Controlled]:
    """What negative controls, and the positive ones made of them, say of some columns of the model.

    In: series — of each negative control rows, values of splines and the model
    """
    found: dict[int, list[FoundControl]] = {column: [] for column in columns}
    for name, (rows, values, model) in series.items():
        for column, controls in found.items():
            controls.append(FoundControl(name, 0.0, model.effects[column]))
            for control, added in injected(rows, values, model, column, positive):
                effect = fit_rows(added, values, column).effects[column].widened(control.variance)
                controls.append(FoundControl(name, control.true_log, effect))
    return {column: Controlled.of(controls) for column, controls in found.items()} if series else {}


def injected(
    rows: Rows, values: Floats, model: Model, column: int, asked: PositiveControls | None
) -> list[tuple[PositiveControl, Rows]]:
    """The rows with outcomes added in one window, each with the control that this makes.

    Empty: none where none are asked for, or the window has too few outcomes
    """
    within = rows.within[:, column]
    n_observed = int(rows.n_outcomes[within].sum())
    if asked is None or n_observed < asked.min_outcomes:
        return []
    expected = expected_within(rows, values, model, column)
    exposures = [
        Exposure(at, int(rows.n_days[at]), int(rows.n_outcomes[at]), float(expected[at]))
        for at in np.flatnonzero(within).tolist()
    ]
    found = []
    for effect in sorted(asked.effects):
        control = positive_control(exposures, effect, asked.seed, first_only=False)
        if control is not None:
            more = np.bincount([each.key for each in control.added], minlength=len(rows))
            found.append((control, replace(rows, n_outcomes=rows.n_outcomes + more)))
    return found


def expected_within(rows: Rows, values: Floats, model: Model, column: int) -> Floats:
    """The outcomes of each row of a window if the window changed nothing: the case's outcomes times the row's share."""
    logs = np.array([each.log_ratio for each in model.effects])
    logs[column] = math.nan
    rate = rows.within @ np.nan_to_num(logs) + values[rows.moment] @ np.nan_to_num(model.splines)
    weight = rows.time * np.exp(rate - rate.max())
    n_cases = int(rows.case.max()) + 1
    whole = np.bincount(rows.case, weight, n_cases)
    n_outcomes = np.bincount(rows.case, rows.n_outcomes, n_cases)
    return np.asarray(np.where(rows.within[:, column], (n_outcomes / whole)[rows.case] * weight, 0.0))
