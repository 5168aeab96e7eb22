"""What is judged of the designs around cases before a ratio is shown."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from enclos.studies.calibration.model import Effect
from enclos.studies.calibration.rules.controlled import Controlled, FoundControl
from enclos.studies.calibration.rules.error_model import share_held
from enclos.studies.cases.model import CaseControl, CaseCrossover, SelfControlledCohort
from enclos.studies.sccs.diagnostics import EASE, LEFT_OUT, MDRR, Diagnostic, at_least, at_most


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdicts by outcome, and what the controls say by the place of the exposure."""

    diagnostics: Mapping[str, Sequence[Diagnostic]]
    controls: Mapping[int, Controlled]
    show_failed: bool

    def shows(self, outcome: str, exposure: str) -> bool:
        """Whether a ratio is shown: nothing that was judged of it fails, or the study asks for it all the same."""
        about = (each for each in self.diagnostics[outcome] if each.exposure == exposure)
        return self.show_failed or all(each.passed is not False for each in about)


def judged(
    asked: SelfControlledCohort | CaseCrossover | CaseControl,
    effects: Mapping[str, Sequence[Effect]],
    detectable: Mapping[str, Sequence[float | None]],
    positives: Mapping[int, Sequence[FoundControl]],
) -> Judged:
    """Each ratio judged.

    In: effects — of outcomes and negative controls, one per exposure; detectable — the smallest ratio to be seen
        positives — by the place of the exposure
    """
    limits, names = asked.thresholds, asked.negative_controls
    controls = {
        at: Controlled.of([*(FoundControl(name, 0.0, effects[name][at]) for name in names), *positives[at]])
        for at in range(len(asked.exposures))
        if names
    }
    found: dict[str, list[Diagnostic]] = {outcome: [] for outcome in asked.outcomes}
    for outcome, more in found.items():
        for at, exposure in enumerate(asked.exposures):
            place, mdrr = (None, exposure), detectable[outcome][at]
            more.append(at_most(MDRR, math.nan if mdrr is None else mdrr, limits.mdrr, place))
            if at in controls:
                calibration = controls[at].calibration
                more.append(at_most(EASE, calibration.ease, limits.ease, place))
                more.append(at_least(LEFT_OUT, share_held(calibration.coverage), limits.left_out, place))
    return Judged(found, controls, asked.show_failed)
