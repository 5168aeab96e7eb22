"""Gather bucket by bucket what the designs around cases need; compare and report at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np
import pyarrow as pa
from pyroaring import BitMap

from enclos.studies.calibration.rules.controlled import FoundControl
from enclos.studies.calibration.rules.strength import minimum_detectable_in_series
from enclos.studies.cases import findings, plans
from enclos.studies.cases.controls import rates_with_more, sets_with_more
from enclos.studies.cases.estimates import effect_of_rates, odds_ratios, rate_ratio
from enclos.studies.cases.findings import PairCounts, SetsFound
from enclos.studies.cases.judging import judged
from enclos.studies.cases.matching import Sets, Stays, cross, draw, exposed
from enclos.studies.cases.model import CaseControl, CaseCrossover, SelfControlledCohort
from enclos.studies.model import Cohort, CohortAnalysis
from enclos.studies.plans.entries import from_day, to_day
from enclos.studies.ports import CdmBucket
from enclos.studies.rules.report import Report
from enclos.studies.sccs.intervals import Ints, Stretches


def case_columns(_: CohortAnalysis) -> Mapping[str, tuple[str, ...]]:
    """Nothing is read beyond the cohorts, the persons and their observation."""
    return {}


class SelfControlledCohortFollower:
    """Counts outcomes after and before exposures."""

    def __init__(self, analysis: SelfControlledCohort, cohorts: Sequence[Cohort]) -> None:
        self._analysis = analysis
        self._index = {cohort.name: at for at, cohort in enumerate(cohorts)}
        pairs = product(analysis.exposures, (*analysis.outcomes, *analysis.negative_controls))
        self._counts = {pair: PairCounts() for pair in pairs}

    def take(self, bucket: CdmBucket, first_person: int) -> None:
        """Count the exposures of one bucket."""
        for (exposure, outcome), counts in self._counts.items():
            found = bucket.query(plans.plan_windows(self._index[exposure], self._index[outcome], self._analysis))
            rows = {name: _ints(found, name) for name in found.column_names}
            counts.n_exposures += found.num_rows
            counts.risk_days += int(rows["n_risk_days"].sum())
            counts.control_days += int(rows["n_control_days"].sum())
            counts.n_risk += int(rows["n_risk"].sum())
            counts.n_control += int(rows["n_control"].sum())
            persons = rows["ordinal"] + first_person
            counts.persons |= _set_of(persons)
            counts.having_risk |= _set_of(persons[rows["n_risk"] > 0])
            counts.having_control |= _set_of(persons[rows["n_control"] > 0])

    def report(self, report: Report) -> None:
        """Add counts and exact rate ratios."""
        ratios = {
            pair: rate_ratio(each.n_risk, each.n_control, each.risk_days, each.control_days)
            for pair, each in self._counts.items()
        }
        asked = self._analysis
        every = (*asked.outcomes, *asked.negative_controls)
        effects = {name: [effect_of_rates(ratios[each, name]) for each in asked.exposures] for name in every}
        detectable = {name: [_detectable(self._counts[each, name]) for each in asked.exposures] for name in every}
        positives = {at: self._positives(exposure) for at, exposure in enumerate(asked.exposures)}
        findings.report_cohort(report, asked, self._counts, ratios, judged(asked, effects, detectable, positives))

    def _positives(self, exposure: str) -> list[FoundControl]:
        """The positive controls made of each negative one."""
        asked = self._analysis
        found: list[FoundControl] = []
        for name in asked.negative_controls:
            each = self._counts[exposure, name]
            counts, days = (each.n_risk, each.n_control), (each.risk_days, each.control_days)
            found += rates_with_more(name, counts, days, asked.positive_controls)
        return found


def _detectable(counts: PairCounts) -> float | None:
    days = counts.risk_days + counts.control_days
    return minimum_detectable_in_series(counts.n_risk + counts.n_control, counts.risk_days / days if days else 0.0)


@dataclass(slots=True)
class Columns:
    """Rows of a plan, as buckets gave them."""

    parts: dict[str, list[Ints]] = field(default_factory=dict)

    def add(self, found: pa.Table, first_person: int) -> None:
        """Add the rows of a bucket, persons by their dense numbers."""
        for name in found.column_names:
            values = _ints(found, name)
            self.parts.setdefault(name, []).append(values + first_person if name == "ordinal" else values)

    def __getitem__(self, name: str) -> Ints:
        return np.concatenate(self.parts[name])


@dataclass(slots=True)
class Gathered:
    """Cases of one outcome: with any outcome, with enough time before it."""

    n_outcomes: int = 0
    persons: BitMap = field(default_factory=BitMap)
    index: Columns = field(default_factory=Columns)
    stays: Columns = field(default_factory=Columns)
    eras: Columns = field(default_factory=Columns)

    def in_order(self) -> Ints:
        """The places of the cases' outcomes in the order of persons and days, however they were bucketed."""
        return np.lexsort((self.index["day"], self.index["person_id"]))


class _Cases:
    """What case-crossover and case-control share: the cases and the exposures."""

    def __init__(self, analysis: CaseCrossover | CaseControl, cohorts: Sequence[Cohort]) -> None:
        self._asked = analysis
        self._index = {cohort.name: at for at, cohort in enumerate(cohorts)}
        self._gathered = {name: Gathered() for name in (*analysis.outcomes, *analysis.negative_controls)}
        self._within: int | None = None
        self._exposures_of_cases = True

    def take(self, bucket: CdmBucket, first_person: int) -> None:
        """Gather the cases of one bucket, their exposures, and where asked all who could be compared."""
        asked = self._asked
        exposures = [self._index[name] for name in asked.exposures]
        for name, gathered in self._gathered.items():
            outcome = self._index[name]
            having = bucket.query(plans.plan_n_outcomes(outcome))
            gathered.n_outcomes += int(_ints(having, "n_outcomes").sum())
            gathered.persons |= _set_of(_ints(having, "ordinal") + first_person)
            first_only, days_prior = asked.first_outcome_only, asked.days_prior_observation
            bucket.execute(plans.plan_index(outcome, self._within, days_prior, first_only=first_only))
            gathered.index.add(bucket.query(plans.plan_index_rows()), first_person)
            if not self._exposures_of_cases:
                gathered.stays.add(bucket.query(plans.plan_stays(outcome, self._within)), first_person)
            eras = bucket.query(plans.plan_exposures(exposures, of_cases=self._exposures_of_cases))
            gathered.eras.add(eras, first_person)

    def _eras(self, gathered: Gathered) -> Stretches:
        place = np.full(len(self._index), -1)
        place[[self._index[name] for name in self._asked.exposures]] = np.arange(len(self._asked.exposures))
        eras = gathered.eras
        return Stretches(eras["ordinal"], place[eras["cohort"]], eras["first_day"], eras["last_day"])

    def _report(self, report: Report, kind: str, settings: Mapping[str, str], found: Mapping[str, SetsFound]) -> None:
        """Judge the ratios, and add them."""
        effects = {name: each.effects for name, each in found.items()}
        detectable = {name: each.detectable() for name, each in found.items()}
        asked = self._asked
        positives: dict[int, list[FoundControl]] = {at: [] for at in range(len(asked.exposures))}
        for at, name in product(positives, asked.negative_controls):
            sets, shown = found[name].sets, found[name].exposed
            made = sets_with_more(name, sets.number, sets.is_case, shown, at, asked.positive_controls)
            positives[at].extend(made)
        findings.report_sets(report, kind, asked, settings, found, judged(asked, effects, detectable, positives))

    def _found(self, gathered: Gathered, sets: Sets, first_day: Ints) -> SetsFound:
        """Exposure and odds ratios of the sets in which a case is compared with anything.

        In: first_day — of each row's window
        """
        asked = self._asked
        n_days = to_day(asked.risk_window) - from_day(asked.risk_window)
        shown = exposed(sets.person, first_day, first_day + n_days, self._eras(gathered), len(asked.exposures))
        compared = np.zeros(int(sets.number.max(initial=-1)) + 1, dtype=np.bool_)
        compared[sets.number[~sets.is_case]] = True
        kept = compared[sets.number]
        number, person, is_case = sets.number[kept], sets.person[kept], sets.is_case[kept]
        days = f"With {asked.days_prior_observation} days before the outcome"
        steps = [
            ("With the outcome", gathered.n_outcomes, gathered.persons),
            (days, int(sets.is_case.sum()), _set_of(sets.person[sets.is_case])),
            ("Compared", int(is_case.sum()), _set_of(person[is_case])),
        ]
        effects = odds_ratios(number, is_case, shown[kept])
        return SetsFound(Sets(number, person, sets.day[kept], is_case), shown[kept], effects, steps)


class CaseCrossoverFollower(_Cases):
    """Compares cases with themselves at earlier times."""

    def __init__(self, analysis: CaseCrossover, cohorts: Sequence[Cohort]) -> None:
        super().__init__(analysis, cohorts)
        self._analysis = analysis

    def report(self, report: Report) -> None:
        """Add odds ratios and attrition."""
        asked = self._analysis
        found = {outcome: self._crossed(each) for outcome, each in self._gathered.items()}
        self._report(report, findings.CROSSOVER, findings.crossover_settings(asked), found)

    def _crossed(self, gathered: Gathered) -> SetsFound:
        order, index = gathered.in_order(), gathered.index
        person, day, entry = (index[name][order] for name in ("ordinal", "day", "entry_day"))
        return self._found(gathered, *cross(person, day, entry, self._analysis))


class CaseControlFollower(_Cases):
    """Compares cases with persons still at risk on the same day."""

    def __init__(self, analysis: CaseControl, cohorts: Sequence[Cohort]) -> None:
        super().__init__(analysis, cohorts)
        self._analysis = analysis
        self._within = None if analysis.within is None else self._index[analysis.within]
        self._exposures_of_cases = False

    def report(self, report: Report) -> None:
        """Add odds ratios and attrition."""
        asked = self._analysis
        found = {outcome: self._matched(each) for outcome, each in self._gathered.items()}
        self._report(report, findings.CONTROL, findings.control_settings(asked), found)

    def _matched(self, gathered: Gathered) -> SetsFound:
        asked, order = self._analysis, gathered.in_order()
        index, rows = gathered.index, gathered.stays
        person, day, entry = (index[name][order] for name in ("ordinal", "day", "entry_day"))
        names = ("ordinal", "person_id", "sex", "born_day", "first_day", "last_day", "outcome_day")
        stays = Stays(*(rows[name] for name in names))
        sets = draw(person, day, entry, stays, asked.days_prior_observation, asked.matching)
        return self._found(gathered, sets, sets.day + from_day(asked.risk_window))


def _ints(table: pa.Table, name: str) -> Ints:
    values: Ints = table[name].to_numpy().astype(np.int64)
    return values


def _set_of(persons: Ints) -> BitMap:
    return BitMap(persons.astype(np.uint32))
