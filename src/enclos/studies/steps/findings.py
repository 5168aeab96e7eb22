"""From tallies to the result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from pyroaring import BitMap

from enclos.contracts.result import SEPARATOR, StudyResult
from enclos.studies.model import AgeGroup, Incidence, Interval, Level, PeriodPrevalence, PointPrevalence, Sex
from enclos.studies.rules import attrition
from enclos.studies.rules.attrition import AttritionRow, Left
from enclos.studies.rules.estimated import (
    IncidenceEstimates,
    Label,
    PrevalenceEstimates,
    StandardisedEstimates,
    labels_of,
)
from enclos.studies.rules.outline import WHOLE, Block, Denominator, Outline, Pair, study_days_of
from enclos.studies.rules.report import GROUP_NAME, Report
from enclos.studies.rules.settings import (
    PREVALENCE_OF_RECORDS,
    additional_name,
    incidence_settings,
    prevalence_settings,
    standardised_settings,
)
from enclos.studies.rules.tally import AtRiskTally, CaseTally, PresenceTally, WindowCounts
from enclos.studies.steps.counts import Counts
from enclos.studies.steps.following import Follower
from enclos.studies.work import Survey

_ORDER = list(Interval)


def findings(
    outline: Outline, found: Survey, counts: Counts, followers: Sequence[Follower], report: Report
) -> StudyResult:
    """The result of a study whose persons have all been counted."""
    for number in range(len(outline.blocks)):
        _add_block(report, outline, number, found, counts)
    for follower in followers:
        follower.report(report)
    numbers = [np.zeros(0, dtype=np.int64), *counts.person_numbers]
    return report.result(np.concatenate(numbers))


def _add_block(report: Report, outline: Outline, number: int, found: Survey, counts: Counts) -> None:
    block = outline.blocks[number]
    kind = _kind(block)
    additional, strata = additional_name(kind), _strata_names(block)
    estimate_ids: dict[int, int] = {}
    attrition_ids: dict[int, int] = {}
    for denominator in block.denominators:
        values = _settings(outline, block, denominator, found)
        estimate_ids[denominator] = report.start(kind, GROUP_NAME, strata, additional, values)
    for denominator in block.denominators:
        values = _settings(outline, block, denominator, found)
        attrition_ids[denominator] = report.start(f"{kind}_attrition", GROUP_NAME, "reason", "reason_id", values)
    rows: list[tuple[int, str, list[AttritionRow]]] = []
    for pair in block.pairs:
        group_level = SEPARATOR.join((pair.denominator_name, outline.cohorts[pair.cohort].name))
        result_id = estimate_ids[pair.whole_denominator] if _is_shown(block, pair) else None
        own = _add_pair(report, result_id, group_level, (number, block, pair), counts)
        if pair.whole is not None:
            continue
        shared = _population_chain(outline, number, pair, counts)
        rows.append((attrition_ids[pair.denominator], group_level, attrition.attrition_rows(shared, own)))
    if block.incidence is not None and block.incidence.standard is not None:
        _add_standardised(report, outline, block, found, counts)
    for result_id, group_level, chain in rows:
        report.add_attrition(result_id, group_level, chain)


def _kind(block: Block) -> str:
    """The result type of a block."""
    if block.incidence is not None:
        return "incidence"
    return PREVALENCE_OF_RECORDS if _counts_stays(block.prevalence) else "prevalence"


def _counts_stays(analysis: PointPrevalence | PeriodPrevalence | None) -> bool:
    return isinstance(analysis, PeriodPrevalence) and analysis.level is Level.RECORD


def _is_shown(block: Block, pair: Pair) -> bool:
    return pair.whole is not None or block.analysis.population.include_overall


def _strata_names(block: Block) -> str:
    """The names of all strata, as settings tell them."""
    return SEPARATOR.join(dict.fromkeys(each.value for names in block.analysis.population.strata for each in names))


def _add_standardised(report: Report, outline: Outline, block: Block, found: Survey, counts: Counts) -> None:
    """Add the rates of each outcome over the age groups of each rest of a combination, weighted by the standard."""
    analysis = block.incidence
    if analysis is None or analysis.standard is None:
        raise AssertionError("an incidence with a standard")
    groups = [(each.min_years, each.max_years) for each in analysis.population.age_groups]
    weights = analysis.standard.weights_of(groups) or {}
    all_ages = AgeGroup(min(weights)[0], max(weights)[1])
    by_rest: dict[Denominator, dict[tuple[int, tuple[str, str]], list[tuple[tuple[int, int], Pair]]]] = {}
    for pair in block.pairs:
        each = outline.denominators[pair.denominator]
        if _is_shown(block, pair) and (ages := (each.age_group.min_years, each.age_group.max_years)) in weights:
            rest = replace(each, age_group=all_ages, part=WHOLE)
            by_rest.setdefault(rest, {}).setdefault((pair.cohort, pair.strata), []).append((ages, pair))
    for number, by_cohort in enumerate(by_rest.values(), start=1):
        any_pair = next(iter(by_cohort.values()))[0][1]
        values = standardised_settings(
            _settings(outline, block, any_pair.denominator, found), analysis.standard.name, weights
        )
        result_id = report.start(
            "incidence_standardised", GROUP_NAME, _strata_names(block), additional_name("incidence"), values
        )
        for (cohort, strata), pairs in by_cohort.items():
            level = SEPARATOR.join((f"standardised_cohort_{number}", outline.cohorts[cohort].name))
            parts = [(_incidence(analysis, pair, counts), weights[ages]) for ages, pair in pairs]
            report.add_standardised(result_id, level, StandardisedEstimates.of(parts), strata)


def _add_pair(
    report: Report, result_id: int | None, group_level: str, which: tuple[int, Block, Pair], counts: Counts
) -> list[Left]:
    """Add the estimates of one pair, if it is shown; what its analysis leaves of the denominator comes back."""
    number, block, pair = which
    if (incidence := block.incidence) is not None:
        if result_id is not None:
            report.add_incidence(result_id, group_level, _incidence(incidence, pair, counts), pair.strata)
        return _incidence_chain(incidence, pair, counts)
    if (prevalence := block.prevalence) is not None:
        present, cases = counts.present[number, pair.denominator], counts.cases[pair.number]
        if result_id is not None:
            found = _prevalence(prevalence, present, cases, all_windows=pair.whole is None)
            report.add_prevalence(result_id, group_level, found, pair.strata)
        return _prevalence_chain(prevalence, cases)
    raise AssertionError("a block is an incidence or a prevalence")


def _settings(outline: Outline, block: Block, denominator: int, found: Survey) -> dict[str, str]:
    days = study_days_of(block.analysis.population, found.observed)
    each = outline.denominators[denominator]
    if (incidence := block.incidence) is not None:
        return incidence_settings(incidence, days, each)
    if (prevalence := block.prevalence) is not None:
        return prevalence_settings(prevalence, days, each)
    raise AssertionError("a block is an incidence or a prevalence")


def _population_chain(outline: Outline, number: int, pair: Pair, counts: Counts) -> list[Left]:
    left = counts.attrition[number].n_left
    chain = [Left(step, reason, left[f"r{step}"], left[f"s{step}"]) for step, reason in attrition.SHARED_REASONS]
    sex = outline.denominators[pair.denominator].sex
    if sex is not Sex.BOTH:
        chain.append(Left(*attrition.sex_reason(sex), left[f"r8_{sex.value}"], left[f"s8_{sex.value}"]))
    n_records, n_subjects = int(counts.n_records[pair.denominator]), int(counts.n_subjects[pair.denominator])
    chain.append(Left(*attrition.TIME_REASON, n_records, n_subjects))
    return chain


def _kept(analysis: Incidence, tally: AtRiskTally) -> list[tuple[Interval, WindowCounts, int, int]]:
    """For each calendar interval type, in the peer's order, the index range of the windows that are estimated."""
    if tally.first_day is None or tally.last_day is None:
        return []
    calendars = [each for each in analysis.intervals if each is not Interval.OVERALL]
    kept: list[tuple[Interval, WindowCounts, int, int]] = []
    for interval, counted in sorted(zip(calendars, tally.counts, strict=True), key=lambda each: _ORDER.index(each[0])):
        range_of = counted.windows.within if analysis.complete_intervals else counted.windows.overlapping
        kept.append((interval, counted, *range_of(tally.first_day, tally.last_day)))
    return kept


def _incidence(analysis: Incidence, pair: Pair, counts: Counts) -> IncidenceEstimates:
    """The estimates of a pair; a stratum has the windows of all."""
    tally, whole = counts.at_risk[pair.number], counts.at_risk[pair.whole_pair]
    estimates = IncidenceEstimates()
    if whole.first_day is None or whole.last_day is None:
        return estimates
    own = {id(of_all): counted for of_all, counted in zip(whole.counts, tally.counts, strict=True)}
    for interval, counted_of_all, from_index, to_index in _kept(analysis, whole):
        counted = own[id(counted_of_all)]
        shown = counted_of_all.windows.only(from_index, to_index).clipped(whole.first_day, whole.last_day)
        for index, label in enumerate(labels_of(interval, shown), start=from_index):
            n_events, person_days = int(counted.n_events[index]), int(counted.person_days[index])
            estimates.add(label, index, n_events, person_days, counted.at_risk[index], counted.cases[index])
    if Interval.OVERALL in analysis.intervals:
        label = Label(Interval.OVERALL, whole.first_day, whole.last_day)
        estimates.add(label, 0, tally.n_events, tally.person_days, tally.persons, tally.cases)
    return estimates


def _incidence_chain(analysis: Incidence, pair: Pair, counts: Counts) -> list[Left]:
    tally = counts.at_risk[pair.number]
    n_records, n_subjects = int(counts.n_records[pair.denominator]), int(counts.n_subjects[pair.denominator])
    chain = [
        Left(*attrition.START_REASON, n_records, n_subjects),
        Left(*attrition.washout_reason(analysis.washout_days), tally.n_spans, len(tally.persons)),
    ]
    if Interval.OVERALL in analysis.intervals and tally.n_spans:
        return [*chain, Left(*attrition.INCIDENCE_INCOMPLETE_REASON, tally.n_spans, len(tally.persons))]
    kept = [each for each in _kept(analysis, tally) if each[2] < each[3]]
    if not kept:
        return [*chain, Left(*attrition.INCIDENCE_NO_INTERVAL_REASON, 0, 0)]
    _, early, from_index, _ = min(kept, key=lambda each: int(each[1].windows.first_days[each[2]]))
    _, late, _, to_index = max(kept, key=lambda each: int(each[1].windows.last_days[each[3] - 1]))
    n_outside = int(early.n_ended[:from_index].sum()) + int(late.n_started[to_index:].sum())
    # The windows of all types together leave no gap, so whoever is at risk between the first and the last is in one.
    observed = BitMap.union(BitMap(), *(each for _, c, start, end in kept for each in c.at_risk[start:end]))
    return [*chain, Left(*attrition.INCIDENCE_INCOMPLETE_REASON, tally.n_spans - n_outside, len(observed))]


def _prevalence(
    analysis: PointPrevalence | PeriodPrevalence, present: PresenceTally, cases: CaseTally, *, all_windows: bool
) -> PrevalenceEstimates:
    """The estimates of a pair.

    In: all_windows — those too in which nobody is present, as the peer shows them of all and not of a stratum
    """
    estimates = PrevalenceEstimates()
    by_stay = _counts_stays(analysis)
    order = sorted(range(len(analysis.intervals)), key=lambda at: _ORDER.index(analysis.intervals[at]))
    for at in order:
        labels = labels_of(analysis.intervals[at], present.windows[at])
        counts = [(len(each), len(having)) for each, having in zip(present.present[at], cases.cases[at], strict=True)]
        if by_stay:
            counts = list(zip(present.n_stays[at].tolist(), cases.n_stays[at].tolist(), strict=True))
        for label, n, persons, having in zip(labels, counts, present.present[at], cases.cases[at], strict=True):
            if persons or all_windows:
                estimates.add(label, n, persons, having)
    return estimates


def _prevalence_chain(analysis: PointPrevalence | PeriodPrevalence, cases: CaseTally) -> list[Left]:
    chain = [Left(*attrition.START_REASON, cases.n_records, len(cases.persons))]
    if not any(len(windows) for windows in cases.windows):
        chain.append(Left(*attrition.PREVALENCE_INCOMPLETE_REASON, 0, 0))
        return [*chain, Left(*attrition.PREVALENCE_NO_INTERVAL_REASON, 0, 0)]
    observed = (cases.n_records_observed, len(cases.persons_observed))
    chain.append(Left(*attrition.PREVALENCE_INCOMPLETE_REASON, *observed))
    whole = isinstance(analysis, PeriodPrevalence) and analysis.full_contribution
    reason = attrition.FULL_CONTRIBUTION_REASON if whole else attrition.ANY_CONTRIBUTION_REASON
    return [*chain, Left(*reason, cases.n_records_contributing, len(cases.persons_contributing))]
