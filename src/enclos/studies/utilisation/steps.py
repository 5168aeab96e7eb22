"""Counting and telling the use of drugs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyroaring import BitMap

from enclos.contracts.result import SEPARATOR, EstimateType
from enclos.studies.concepts import check_known
from enclos.studies.homes import homes
from enclos.studies.model import Cohort, ConceptCohort, Domain, Limit
from enclos.studies.plans import cohorts as cohort_plans
from enclos.studies.plans import entries as entry_plans
from enclos.studies.ports import CdmBucket
from enclos.studies.rules.entries import WHOLE, EntryColumns, Strata, levels_of, parts_of, strata_in_order
from enclos.studies.rules.evidence import Feature, add_rows
from enclos.studies.rules.report import Report
from enclos.studies.rules.tally import person_set
from enclos.studies.utilisation import adherence, coverage, plans, rules
from enclos.studies.utilisation.adherence import AdherenceCounter
from enclos.studies.utilisation.around import AroundCounter
from enclos.studies.utilisation.coverage import CoverageCounter
from enclos.studies.utilisation.model import Indications, Restart, Until, Utilisation

_Parts: TypeAlias = Sequence[tuple[rules.Use, npt.NDArray[np.int64]]]
"""Of each cohort and stratum: what is counted, and its entries."""
_COLUMNS = {
    "number exposures": "n_exposures",
    "time to exposure": "days_to_exposure",
    "initial exposure duration": "initial_days",
    "number eras": "n_eras",
    "days exposed": "days_exposed",
    "days prescribed": "days_prescribed",
    "cumulative quantity": "quantity",
    "initial quantity": "initial_quantity",
}
_MISSING_WITHOUT_EXPOSURE = frozenset({"time to exposure", "initial exposure duration"})


class UtilisationCounter:
    """Counts a utilisation."""

    def __init__(self, analysis: Utilisation, cohorts: Sequence[Cohort]) -> None:
        self._analysis = analysis
        self._cohorts = cohorts
        self._index = {cohort.name: at for at, cohort in enumerate(cohorts)}
        self._around = [AroundCounter(each) for each in (analysis.indications, analysis.treatments) if each is not None]
        self._coverage = CoverageCounter(analysis.dose_coverage)
        self._is_checked = False
        self._adherence = None if (asked := analysis.adherence) is None else AdherenceCounter(asked, analysis.exposures)
        self._uses: dict[tuple[str, Strata], rules.Use] = {}
        for name in analysis.cohorts:
            self._use(name, WHOLE)

    def _use(self, name: str, strata: Strata) -> rules.Use:
        n_days = (self._analysis.covered_days or -1) + 1
        empty = rules.Use(covered=[(BitMap(), BitMap()) for _ in range(n_days)])
        return self._uses.setdefault((name, strata), empty)

    def take(self, bucket: CdmBucket, first_person: int) -> None:
        """Count a bucket."""
        analysis = self._analysis
        self._check_ingredients(bucket)
        self._coverage.count(bucket, first_person)
        self._count_left(bucket, first_person)
        bucket.execute(entry_plans.plan_entries([self._index[name] for name in analysis.cohorts]))
        rows = bucket.query(entry_plans.plan_entry_rows())
        entries = EntryColumns(rows, first_person, homes(bucket, analysis.strata))
        if not entries.n:
            return
        cohorts = {name: self._index[name] for name in analysis.cohorts}
        levels = levels_of(entries, analysis.age_groups)
        named = list(parts_of(entries, cohorts, analysis.strata, levels))
        parts = [(self._use(*key), index) for key, index in named]
        for use, index in parts:
            use.entries.add(len(index), person_set(entries.person[index]))
        self._count_use(bucket, entries, parts)
        if self._adherence is not None:
            self._count_adherence(bucket, entries, named, self._adherence)
        for counter in self._around:
            counter.count(bucket, entries, named, self._index)
        if analysis.covered_days is not None:
            _count_covered(entries, parts)
        if analysis.restart is not None:
            self._count_restarts(bucket, entries, parts, analysis.restart)

    def _check_ingredients(self, bucket: CdmBucket) -> None:
        """Refuse ingredients that the vocabulary does not have; it is the same in every bucket."""
        if not self._is_checked:
            wanted = dict.fromkeys(self._analysis.dose_coverage, "utilisation.dose_coverage")
            if self._analysis.ingredient is not None:
                wanted[self._analysis.ingredient] = "utilisation.ingredient"
            check_known(wanted, bucket)
        self._is_checked = True

    @property
    def _with_gaps(self) -> list[ConceptCohort]:
        found = (self._cohorts[self._index[name]] for name in self._analysis.cohorts)
        return [each for each in found if isinstance(each, ConceptCohort) and each.domain is Domain.DRUG]

    def _count_left(self, bucket: CdmBucket, first_person: int) -> None:
        wanted = [self._index[cohort.name] for cohort in self._with_gaps]
        if not wanted:
            return
        stages = [
            bucket.query(cohort_plans.plan_stretch_counts(self._cohorts, wanted, joined=joined))
            for joined in (False, True)
        ]
        for cohort in self._with_gaps:
            is_first = cohort.limit is Limit.FIRST
            left = self._use(cohort.name, WHOLE).left
            left += [Feature() for _ in range((3 if is_first else 2) - len(left))]
            for stage, rows in zip(left, stages, strict=False):
                own = rows["cohort"].to_numpy() == self._index[cohort.name]
                persons = person_set((rows["ordinal"].to_numpy()[own] + first_person).astype(np.uint32))
                stage.add(int(rows["n"].to_numpy()[own].sum()), persons)
                if is_first and stage is left[1]:
                    left[2].add(len(persons), persons)

    def _count_use(self, bucket: CdmBucket, entries: EntryColumns, parts: _Parts) -> None:
        analysis = self._analysis
        drugs = [self._index[name] for name in analysis.exposures]
        bucket.execute(
            plans.plan_exposures(
                drugs, analysis.until, ruled=self._ruled, incident=analysis.incident, ingredient=analysis.ingredient
            )
        )
        rows = bucket.query(plans.plan_use(analysis.gap_era_days))
        for drug, name in zip(drugs, analysis.exposures, strict=True):
            of_drug = rows.filter(pa.array(rows["drug"].to_numpy() == drug))
            entry = of_drug["entry"].to_numpy()
            for variable, column in _COLUMNS.items():
                missing = variable in _MISSING_WITHOUT_EXPOSURE
                values = np.full(entries.n, np.nan if missing else 0.0)
                values[entry] = of_drug[column].to_numpy()
                is_whole = variable in rules.WHOLE_NUMBERS
                kind = EstimateType.INTEGER if is_whole else EstimateType.NUMERIC
                self._measure(entries, parts, (variable, "", name), values, kind)
        if analysis.ingredient is not None:
            self._count_doses(bucket, entries, parts)

    @property
    def _ruled(self) -> bool:
        """Whether exposures last by a duration rule."""
        names = self._analysis.exposures
        return any(getattr(self._cohorts[self._index[name]], "duration", None) for name in names)

    def _count_adherence(
        self,
        bucket: CdmBucket,
        entries: EntryColumns,
        named: Sequence[tuple[tuple[str, Strata], npt.NDArray[np.int64]]],
        counter: AdherenceCounter,
    ) -> None:
        """What each entry has of the drugs while it is followed; ``study_exposure`` is made anew."""
        drugs = [self._index[name] for name in self._analysis.exposures]
        bucket.execute(
            plans.plan_exposures(
                drugs,
                Until.OBSERVATION_END,
                ruled=self._ruled,
                incident=self._analysis.incident,
                n_days=counter.asked.days,
            )
        )
        counter.count(bucket.query(plans.plan_use(0)), entries, named, drugs)

    def _count_doses(self, bucket: CdmBucket, entries: EntryColumns, parts: _Parts) -> None:
        """Doses of each unit that there is."""
        rows = bucket.query(plans.plan_doses())
        drug, unit, entry = rows["drug"].to_numpy(), np.array(rows["unit"].to_pylist()), rows["entry"].to_numpy()
        names = {self._index[name]: name for name in self._analysis.exposures}
        for each in sorted({*zip(drug.tolist(), unit.tolist(), strict=True)}):
            own_rows = (drug == each[0]) & (unit == each[1])
            for variable, column in zip(rules.DOSES, ("initial_dose", "dose"), strict=True):
                values = np.full(entries.n, np.nan)
                values[entry[own_rows]] = rows[column].to_numpy()[own_rows]
                self._measure(entries, parts, (variable, each[1], names[each[0]]), values, EstimateType.NUMERIC)

    def _measure(
        self,
        entries: EntryColumns,
        parts: _Parts,
        key: rules.Used,
        values: npt.NDArray[np.float64],
        kind: EstimateType,
    ) -> None:
        for use, index in parts:
            if len(index):
                known = index[~np.isnan(values[index])]
                measure = use.measures[key]
                measure.kind = kind
                measure.spread.add(values[known])
                measure.persons |= person_set(entries.person[known])

    def _count_restarts(self, bucket: CdmBucket, entries: EntryColumns, parts: _Parts, asked: Restart) -> None:
        switch = [self._index[name] for name in asked.switch]
        rows = bucket.query(plans.plan_switches(switch, incident=asked.incident))
        to_switch = np.full(entries.n, np.nan)
        to_switch[rows["entry"].to_numpy()] = rows["n_days"].to_numpy()
        observed = entries.future - (entries.last_day - entries.first_day)
        """Days from the end of an entry to the end of its observation."""
        for use, index in parts:
            some = index[entries.is_first[index]] if asked.first_only else index
            use.ended.add(len(some), person_set(entries.person[some]))
            for number, days in enumerate(asked.days):
                end = observed[some] if days is None else np.minimum(observed[some], days)
                again, other = entries.to_next[some] <= end, to_switch[some] <= end
                for level, which in zip(
                    rules.RESTARTS, (again & ~other, other & ~again, again & other, ~again & ~other), strict=True
                ):
                    having = some[which]
                    use.restarts[number, level].add(len(having), person_set(entries.person[having]))

    def report(self, report: Report) -> None:
        """Add the use of drugs, then what else was asked for, each under a result id of its own."""
        self._report_use(report)
        if self._adherence is not None:
            values = {**self._values_of_use(to_cohort_end=False), **self._adherence.settings}
            result_id = report.start(adherence.RESULT_TYPE, rules.GROUP_NAME, self._strata_names, "concept_set", values)
            for key, use in self._in_order():
                add_rows(report, result_id, self._adherence.rows(*key, use.entries.persons))
        for counter in self._around:
            self._report_around(report, counter)
        if self._analysis.covered_days is not None:
            kind = "summarise_proportion_of_patients_covered"
            result_id = report.start(kind, rules.GROUP_NAME, self._strata_names, "time", {})
            for (name, strata), use in self._in_order():
                add_rows(report, result_id, rules.covered_rows(name, strata, use))
        if (restart := self._analysis.restart) is not None:
            self._report_restarts(report, restart)
        if self._analysis.dose_coverage:
            result_id = report.start(coverage.RESULT_TYPE, coverage.GROUP_NAME, coverage.STRATA_NAMES, "", {})
            add_rows(report, result_id, self._coverage.rows())
        if self._with_gaps:
            result_id = report.start("summarise_cohort_attrition", rules.GROUP_NAME, "reason", "reason_id", {})
            for cohort in self._with_gaps:
                rows = rules.attrition_rows(cohort.name, self._use(cohort.name, WHOLE), cohort.gap_era_days)
                add_rows(report, result_id, rows)

    @property
    def _strata_names(self) -> str:
        return SEPARATOR.join(each.value for each in self._analysis.strata)

    def _in_order(self) -> Iterator[tuple[tuple[str, Strata], rules.Use]]:
        """Cohort by cohort, whole first, strata that it has somebody in."""
        having = {strata for _, strata in self._uses}
        for name in self._analysis.cohorts:
            for strata in strata_in_order(self._analysis.strata, self._analysis.age_groups, having):
                if (name, strata) in self._uses:
                    yield (name, strata), self._uses[name, strata]

    def _report_use(self, report: Report) -> None:
        analysis = self._analysis
        values = self._values_of_use(to_cohort_end=analysis.until is Until.COHORT_END)
        values = {"censor_date": values["censor_date"], "gap_era": str(analysis.gap_era_days), **values}
        if analysis.ingredient is not None:
            values["ingredient_concept_id"] = str(analysis.ingredient)
        result_id = report.start(
            "summarise_drug_utilisation", rules.GROUP_NAME, self._strata_names, "concept_set", values
        )
        rules.fill_doses(self._uses.values())
        for (name, strata), use in self._in_order():
            add_rows(report, result_id, rules.use_rows(name, strata, use, analysis.exposures))

    def _values_of_use(self, *, to_cohort_end: bool) -> dict[str, str]:
        return {
            "censor_date": "cohort_end_date" if to_cohort_end else "observation_period_end_date",
            "index_date": "cohort_start_date",
            "restrict_incident": _logical(value=self._analysis.incident),
        }

    def _report_around(self, report: Report, counter: AroundCounter) -> None:
        asked = counter.asked
        values = {
            "censor_date": "observation_period_end_date",
            "index_date": "cohort_start_date",
            "mutually_exclusive": _logical(value=asked.exclusive),
        }
        if isinstance(counter.given, Indications):
            tables = "; ".join(cohort_plans.DOMAIN_TABLES[each] for each in asked.unknown)
            values |= {"not_in_observation": "include", "unknown_indication_table": tables}
        result_id = report.start(asked.result_type, rules.GROUP_NAME, self._strata_names, "window_name", values)
        for (name, strata), use in self._in_order():
            add_rows(report, result_id, counter.rows(name, strata, use.entries))

    def _report_restarts(self, report: Report, asked: Restart) -> None:
        values = {
            "censor_date": "observation_period_end_date",
            "incident": _logical(value=asked.incident),
            "restrict_to_first_discontinuation": _logical(value=asked.first_only),
            "switch_cohort_names": "; ".join(asked.switch),
        }
        result_id = report.start(
            "summarise_drug_restart", rules.GROUP_NAME, self._strata_names, "follow_up_days", values
        )
        for (name, strata), use in self._in_order():
            add_rows(report, result_id, rules.restart_rows(name, strata, use, asked.days))


def _count_covered(entries: EntryColumns, parts: _Parts) -> None:
    """Add the persons covered and observed on each day after their first entry."""
    start = np.flatnonzero(entries.is_first)
    first = np.repeat(entries.first_day[start], np.diff(np.r_[start, entries.n]))
    from_day, to_day = entries.first_day - first, entries.last_day - first
    observed = from_day + entries.future
    for use, index in parts:
        for day, (covered, seen) in enumerate(use.covered):
            covered.update(person_set(entries.person[index[(from_day[index] <= day) & (to_day[index] >= day)]]))
            seen.update(person_set(entries.person[index[observed[index] >= day]]))


def _logical(value: bool) -> str:
    return "TRUE" if value else "FALSE"


def utilisation_columns(analysis: Utilisation) -> Mapping[str, tuple[str, ...]]:
    """The tables and columns that a utilisation reads beyond its cohorts, persons and their observation."""
    found: dict[str, tuple[str, ...]] = {
        "drug_exposure": (*cohort_plans.columns_read(Domain.DRUG), "quantity"),
    }
    if analysis.dose_coverage:
        found["drug_exposure"] = (*found["drug_exposure"], "route_concept_id")
        found["concept_ancestor"] = ("ancestor_concept_id", "descendant_concept_id")
        found["concept"] = ("concept_id", "concept_name")
    if analysis.ingredient is not None or analysis.dose_coverage:
        found["drug_strength"] = (
            "drug_concept_id",
            "ingredient_concept_id",
            "amount_value",
            "amount_unit_concept_id",
            "numerator_value",
            "numerator_unit_concept_id",
            "denominator_value",
            "denominator_unit_concept_id",
        )
    for domain in () if analysis.indications is None else analysis.indications.unknown:
        table = cohort_plans.DOMAIN_TABLES[domain]
        found[table] = (*found.get(table, ()), *cohort_plans.columns_read(domain))
    return found
