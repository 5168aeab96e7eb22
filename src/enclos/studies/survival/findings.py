"""From tallies to the result: estimates, persons at risk and events, summaries, attrition."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyroaring import BitMap

from enclos.contracts.result import SEPARATOR, EstimateType
from enclos.studies.rules.attrition import Left, attrition_rows
from enclos.studies.rules.estimates import printed
from enclos.studies.rules.report import Estimate, Place, Report
from enclos.studies.survival import plans, rules
from enclos.studies.survival.model import Survival, Washout
from enclos.studies.survival.tally import EndingTally, ReasonTally, gaps_of

Ints: TypeAlias = npt.NDArray[np.int64]
GROUP_NAME, VARIABLE, TIME = "target_cohort", "outcome", "time"
LOST = "lost"
"""The variable of cells that hold who was lost since the row before; no line tells them."""
_INFINITE = "Inf"
_DIGITS = 4
_ESTIMATES = ("estimate", "estimate_95CI_lower", "estimate_95CI_upper")
COUNTS = ("n_risk_count", "n_events_count", "n_censor_count")
_QUANTILES = {"q0": 0.0, "q05": 0.05, "q25": 0.25, "q75": 0.75, "q95": 0.95, "q100": 1.0}


@dataclass(slots=True)
class Stratification:
    """One way of cutting the entries: its name, and each level with what was counted."""

    name: str
    levels: list[tuple[str, EndingTally]]


@dataclass(slots=True)
class Pair:
    """One target with one outcome."""

    left_out: ReasonTally
    strata: list[Stratification]
    """All together first."""


def report_survival(report: Report, asked: Survival, pairs: Mapping[tuple[str, str], Pair]) -> None:
    """Add all result ids: for each kind of result one per outcome, holding all targets.

    Source: CohortSurvival 1.1.2, estimateSingleEventSurvival and estimateCompetingRiskSurvival: order, names, digits.
    """
    kinds: dict[str, tuple[str, str, Callable[[_Writer, Pair], None]]] = {
        "survival_estimates": (_strata_names(asked), TIME, _Writer.estimates),
        "survival_events": (_strata_names(asked), TIME, _Writer.events),
        "survival_summary": (_strata_names(asked), "", _Writer.summaries),
        "survival_attrition": ("reason", "reason_id", _Writer.attrition),
    }
    for result_type, (strata, additional, write) in kinds.items():
        gap = {"eventgap": str(asked.shown.event_gap_days)} if result_type == "survival_events" else {}
        for outcome in asked.outcomes:
            values = {**_settings(asked, outcome), **gap}
            result_id = report.start(result_type, GROUP_NAME, strata, additional, values)
            for target in asked.targets:
                write(_Writer(report, asked, target, outcome, result_id), pairs[target, outcome])


def _strata_names(asked: Survival) -> str:
    names = dict.fromkeys(each.value for strata in asked.strata for each in strata)
    return SEPARATOR.join(names)


def _settings(asked: Survival, outcome: str) -> dict[str, str]:
    follow_up, restricted = asked.follow_up, asked.shown.restricted_mean_days
    values = {
        "analysis_type": "single_event" if asked.competing_outcome is None else "competing_risk",
        "censor_on_cohort_exit": "TRUE" if follow_up.on_cohort_exit else "FALSE",
        "competing_outcome": asked.competing_outcome or "none",
        "follow_up_days": _INFINITE if follow_up.n_days is None else str(follow_up.n_days),
        "minimum_survival_days": str(follow_up.minimum_days),
        "outcome": outcome,
        "outcome_date_variable": "cohort_end_date" if asked.outcome_at_end else "cohort_start_date",
        "outcome_washout": _washout(asked.washout),
    }
    if asked.competing_outcome is not None:
        values["competing_outcome_washout"] = _washout(asked.competing_washout)
    if follow_up.on_date is not None:
        values["censor_on_date"] = follow_up.on_date.isoformat()
    if restricted is not None:
        values["restricted_mean_follow_up"] = str(restricted)
    return values


def _washout(washout: Washout) -> str:
    return _INFINITE if washout.n_days is None else str(washout.n_days)


class _Writer:
    """Writes one target with one outcome under one result id."""

    def __init__(self, report: Report, asked: Survival, target: str, outcome: str, result_id: int) -> None:
        self._report = report
        self._asked = asked
        self._target = target
        competing = () if asked.competing_outcome is None else (asked.competing_outcome,)
        self._outcomes = (outcome, *competing)
        self._result_id = result_id

    def _place(self, stratification: Stratification, level: str, outcome: str, time: str | None = None) -> Place:
        strata = (stratification.name, level)
        if time is None:
            return Place(GROUP_NAME, self._target, VARIABLE, outcome, strata)
        return Place(GROUP_NAME, self._target, VARIABLE, outcome, strata, (TIME, time))

    def _shown_days(self, pair: Pair, tally: EndingTally, gap_days: int, *, with_last: bool) -> Ints:
        """The days shown of a stratum: each gap up to the end of follow-up, or to the stratum's own last day."""
        last_day = int(tally.n_endings.shape[1]) - 1
        if tally is pair.strata[0].levels[0][1] and self._asked.follow_up.n_days is not None:
            last_day = self._asked.follow_up.n_days
        days = np.arange(0, last_day + 1, gap_days)
        return np.append(days, last_day) if with_last and days[-1] != last_day else days

    def estimates(self, pair: Pair) -> None:
        """Add the curve of each stratum."""
        kinds = [(name, EstimateType.NUMERIC) for name in _ESTIMATES]
        for stratification in pair.strata:
            for level, tally in stratification.levels:
                days = self._shown_days(pair, tally, self._asked.shown.estimate_gap_days, with_last=False)
                levels = pa.array(days).cast(pa.string())
                table = self._table(tally)
                curves = [rules.kaplan_meier(table)] if len(self._outcomes) == 1 else rules.aalen_johansen(table)
                for kind, (outcome, curve) in enumerate(zip(self._outcomes, curves, strict=True)):
                    place = self._place(stratification, level, outcome, "")
                    where = pa.array(curve.step_on(days))
                    texts = pa.concat_arrays([_rounded(values).take(where) for values in curve.steps()])
                    self._report.add_series(self._result_id, place, levels, kinds, texts)
                    self._add_curve_cells(stratification, level, outcome, tally, kind, days)

    def _add_curve_cells(
        self, stratification: Stratification, level: str, outcome: str, tally: EndingTally, kind: int, days: Ints
    ) -> None:
        """A cell for the first day and for each shown day since whose predecessor somebody had the outcome.

        Other days repeat the estimate before them, and count nobody new.
        """
        having = BitMap()
        by_shown: dict[int, list[BitMap]] = {0: []}
        for day, persons in sorted(tally.with_event[kind].items()):
            at = int(np.searchsorted(days, day))
            if at < len(days):
                by_shown.setdefault(at, []).append(persons)
        for at, parts in by_shown.items():
            having = BitMap.union(having, *parts)
            place = self._place(stratification, level, outcome, str(days[at]))
            self._report.add_cell(self._result_id, place, having, tally.persons)

    def events(self, pair: Pair) -> None:
        """Add who is at risk, and how many had the outcome or were lost since the row before; cells of all."""
        gap_days = self._asked.shown.event_gap_days
        kinds = [(name, EstimateType.NUMERIC) for name in COUNTS]
        for stratification in pair.strata:
            for level, tally in stratification.levels:
                days = self._shown_days(pair, tally, gap_days, with_last=True)
                gaps = gaps_of(tally, days)
                for kind, outcome in enumerate(self._outcomes):
                    counts = (gaps.n_at_risk, gaps.n_ended[plans.OUTCOME + kind], gaps.n_ended[plans.CENSORED])
                    texts = pa.array(np.concatenate(counts)).cast(pa.string())
                    levels = pa.array(days).cast(pa.string())
                    place = self._place(stratification, level, outcome, "")
                    self._report.add_series(self._result_id, place, levels, kinds, texts)
                    for at, day in enumerate(days.tolist()):
                        place = self._place(stratification, level, outcome, str(day))
                        having = gaps.having[kind].get(at, BitMap())
                        self._report.add_cell(self._result_id, place, having, gaps.at_risk[at])
                for at, day in enumerate(days.tolist()):
                    place = replace(self._place(stratification, level, "", str(day)), variable=LOST)
                    self._report.add_cell(self._result_id, place, gaps.lost.get(at, BitMap()), gaps.at_risk[at])

    def summaries(self, pair: Pair) -> None:
        """Add counts, restricted means and quantiles of each stratum."""
        for stratification in pair.strata:
            tables = [self._table(tally) for _, tally in stratification.levels]
            common_day = self._asked.shown.restricted_mean_days or max((each.last_day for each in tables), default=0)
            for (level, tally), table in zip(stratification.levels, tables, strict=True):
                shown_days = self._shown_days(pair, tally, self._asked.shown.estimate_gap_days, with_last=False)
                reached = int(shown_days[-1]) >= (self._asked.shown.restricted_mean_days or 0)
                for kind, outcome in enumerate(self._outcomes):
                    numbers = self._summary(table, kind, common_day if reached else None)
                    found = [Estimate(name, EstimateType.NUMERIC, _whole(value)) for name, value in numbers.items()]
                    place = self._place(stratification, level, outcome)
                    self._report.add(self._result_id, place, found)
                    having = BitMap.union(BitMap(), *tally.with_event[kind].values())
                    self._report.add_cell(self._result_id, place, having, tally.persons)

    def _summary(self, table: rules.LifeTable, kind: int, to_day: int | None) -> dict[str, float]:
        single = len(self._outcomes) == 1
        mean, error = math.nan, math.nan
        if to_day is not None:
            mean, error = rules.restricted_mean(table, to_day) if single else rules.mean_days_with(table, kind, to_day)
        numbers: dict[str, float] = {
            "number_records_count": table.n_records,
            "n_events_count": int(table.n_events[kind].sum()),
            "restricted_mean_survival": mean,
        }
        if single:
            curve = rules.kaplan_meier(table)
            middle = rules.median(curve)
            # The peer shows a median with both ends of its interval or not at all.
            middle = (math.nan,) * 3 if any(map(math.isnan, middle)) else middle
            shown = {"median": middle, **{name: rules.quantile(curve, p) for name, p in _QUANTILES.items()}}
            for name, (value, lower, upper) in shown.items():
                numbers[f"{name}_survival"] = value
                numbers[f"{name}_survival_95CI_lower"] = lower
                numbers[f"{name}_survival_95CI_higher"] = upper
        numbers["restricted_mean_survival_95CI_upper"] = mean + rules.Z_95 * error
        numbers["restricted_mean_survival_95CI_lower"] = mean - rules.Z_95 * error
        return numbers

    def attrition(self, pair: Pair) -> None:
        """Add what each reason leaves of the target cohort's entries."""
        left_out = pair.left_out
        taken: tuple[int, ...] = ()
        start = left_out.left(taken)[1]
        chain: list[Left] = []
        persons: list[BitMap] = []
        for reason_id, (reason, words) in enumerate(_reasons(self._asked), start=1):
            taken = taken if reason is None else (*taken, reason)
            n_records, left = left_out.left(taken)
            chain.append(Left(reason_id, words, n_records, len(left)))
            persons.append(left)
        for row, left in zip(attrition_rows(chain), persons, strict=True):
            strata, additional = ("reason", row.left.reason), ("reason_id", str(row.left.reason_id))
            counts = {
                "number_records": row.left.n_records,
                "number_subjects": row.left.n_subjects,
                "excluded_records": row.excluded_records or 0,
                "excluded_subjects": row.excluded_subjects or 0,
            }
            for name, count in counts.items():
                place = Place(GROUP_NAME, self._target, name, self._outcomes[0], strata, additional)
                self._report.add(self._result_id, place, [Estimate("count", EstimateType.INTEGER, str(count))])
                self._report.add_cell(self._result_id, place, left, start)

    def _table(self, tally: EndingTally) -> rules.LifeTable:
        return rules.life_table(tally.n_endings[: plans.OUTCOME + len(self._outcomes)])


def _reasons(asked: Survival) -> list[tuple[int | None, str]]:
    """The reasons in their order, with their words."""
    minimum = asked.follow_up.minimum_days
    reasons: list[tuple[int | None, str]] = [(None, "Initial qualifying events")]
    if asked.follow_up.on_date is not None:
        reasons.append((plans.AFTER_CENSORING, "Starts on or before the date of censoring"))
    washout = _washout(asked.washout)
    reasons += [
        (plans.IN_WASHOUT, f"No outcome event in washout period of {washout} days"),
        (plans.TOO_SHORT, f"Survival days for outcome less than {minimum}"),
    ]
    if asked.competing_outcome is not None:
        washout = _washout(asked.competing_washout)
        reasons += [
            (plans.IN_COMPETING_WASHOUT, f"No competing outcome event in washout period of {washout} days"),
            (plans.COMPETING_TOO_SHORT, f"Survival days for competing outcome less than {minimum}"),
        ]
    return reasons


def _rounded(values: rules.Floats) -> pa.Array:
    """The text of each share, to four decimals."""
    rounded = [round(value, _DIGITS) for value in values.tolist()]
    texts = {value: printed(value) for value in set(rounded)}
    return pa.array([texts[value] for value in rounded], pa.string())


def _whole(value: float) -> str | None:
    return None if math.isnan(value) else str(round(value))
