"""Survival results of made-up entries, counted and reported as the study does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from enclos.contracts.result import OVERALL, StudyResult
from enclos.studies.model import Stratum
from enclos.studies.rules.report import Report
from enclos.studies.survival import findings, plans
from enclos.studies.survival.model import FollowUp, Shown, Survival
from enclos.studies.survival.tally import EndingTally, ReasonTally


@dataclass(frozen=True)
class Followed:
    """One entry of one person: days to its end, and how it ends."""

    n_days: int
    ending: int = plans.CENSORED
    sex: str = "Female"


def curves_of(
    people: Sequence[Followed], *, gap_days: int = 10, follow_up: int | None = None, competing: bool = False
) -> StudyResult:
    """A survival analysis of them, in all and by sex."""
    asked = Survival(
        ("statin",),
        ("bleed",),
        "death" if competing else None,
        follow_up=FollowUp(follow_up),
        shown=Shown(event_gap_days=gap_days),
        strata=((Stratum.SEX,),),
    )
    sexes = sorted({each.sex for each in people})
    strata = [findings.Stratification(OVERALL, [(OVERALL, _tally(people, gap_days))])]
    if len(sexes) > 1:
        strata.append(findings.Stratification("sex", [(sex, _tally(people, gap_days, sex)) for sex in sexes]))
    left_out = ReasonTally.empty()
    everybody = np.arange(len(people))
    left_out.add(everybody, np.full(len(people), plans.KEPT))
    report = Report("cdm", "0.1.0")
    findings.report_survival(report, asked, {("statin", "bleed"): findings.Pair(left_out, strata)})
    return report.result(np.arange(5_000, 5_000 + len(people), dtype=np.int64))


def _tally(people: Sequence[Followed], gap_days: int, sex: str | None = None) -> EndingTally:
    tally = EndingTally.empty(gap_days)
    those = np.array([number for number, each in enumerate(people) if sex in {None, each.sex}])
    days = np.array([people[number].n_days for number in those])
    tally.add(those, days, np.array([people[number].ending for number in those]))
    return tally
