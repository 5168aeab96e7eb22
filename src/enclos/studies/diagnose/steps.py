"""Counting and telling phenotype diagnostics."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from pyroaring import BitMap

from enclos.contracts.result import SEPARATOR
from enclos.studies.characterise.model import Characterisation
from enclos.studies.characterise.steps import CharacterisationCounter
from enclos.studies.diagnose.attrition import AttritionCounter
from enclos.studies.diagnose.codes import CodeCounter
from enclos.studies.diagnose.model import Diagnosis
from enclos.studies.homes import homes
from enclos.studies.model import Cohort
from enclos.studies.plans.entries import plan_entry_rows
from enclos.studies.ports import CdmBucket
from enclos.studies.rules.calendar import calendar_windows, in_words
from enclos.studies.rules.entries import WHOLE, EntryColumns, Strata, levels_of, parts_of, strata_in_order
from enclos.studies.rules.evidence import Feature, Row, add_rows, cohort_attrition
from enclos.studies.rules.report import Place, Report
from enclos.studies.rules.spread import count_and_share
from enclos.studies.rules.tally import person_set

GROUP_NAME, CODE_GROUP_NAME = "cohort_name", SEPARATOR.join(("cohort_name", "codelist_name"))


class DiagnosisCounter:
    """Counts phenotype diagnostics."""

    def __init__(self, analysis: Diagnosis, cohorts: Sequence[Cohort]) -> None:
        self._analysis = analysis
        self._numbers = {cohort.name: at for at, cohort in enumerate(cohorts)}
        described = Characterisation(
            analysis.cohorts, analysis.age_groups, analysis.strata, overlap=len(analysis.cohorts) > 1
        )
        self._described = CharacterisationCounter(described, cohorts)
        self._attrition = AttritionCounter(analysis.cohorts, cohorts)
        self._codes = CodeCounter(analysis.cohorts, cohorts)
        self._started: dict[tuple[str, Strata], dict[tuple[int, int], Feature]] = defaultdict(
            lambda: defaultdict(Feature)
        )
        """Of each cohort and stratum: the entries that begin in each stretch of time, by its first and last day."""

    def take(self, bucket: CdmBucket, first_person: int) -> None:
        """Count a bucket."""
        self._described.take(bucket, first_person)
        self._count_started(bucket, first_person)
        self._attrition.take(bucket, first_person)
        self._codes.take(bucket, first_person)

    def _count_started(self, bucket: CdmBucket, first_person: int) -> None:
        rows = bucket.query(plan_entry_rows())
        entries = EntryColumns(rows, first_person, homes(bucket, self._analysis.strata))
        if not entries.n:
            return
        first, last = int(entries.first_day.min()), int(entries.first_day.max())
        windows = calendar_windows(self._analysis.interval, first, last)
        window, _ = windows.touched(entries.first_day, entries.first_day)
        cohorts = {name: self._numbers[name] for name in self._analysis.cohorts}
        levels = levels_of(entries, self._analysis.age_groups)
        for key, index in parts_of(entries, cohorts, self._analysis.strata, levels):
            for at in np.unique(window[index]).tolist():
                some = index[window[index] == at]
                days = (int(windows.first_days[at]), int(windows.last_days[at]))
                self._started[key][days].add(len(some), person_set(entries.person[some]))

    def report(self, report: Report) -> None:
        """Add who is in the cohorts and whom they share, attrition, codes and trend, each under a result id."""
        self._described.report(report)
        result_id = report.start("summarise_cohort_attrition", GROUP_NAME, "reason", "reason_id", {})
        for name in self._analysis.cohorts:
            add_rows(report, result_id, cohort_attrition(name, self._attrition.left[name]))
        result_id = report.start("code_use", "codelist_name", "", "domain_id", {})
        add_rows(report, result_id, self._codes.overall_rows())
        members = [self._members(name) for name in self._analysis.cohorts]
        for timing in ("entry", "any"):
            values = {"timing": timing}
            result_id = report.start("cohort_code_use", CODE_GROUP_NAME, "", "domain_id", values)
            add_rows(report, result_id, self._codes.cohort_rows(timing, members))
        result_id = report.start("orphan_code_use", "codelist_name", "", "domain_id", {})
        add_rows(report, result_id, self._codes.related_rows())
        strata = SEPARATOR.join(each.value for each in self._analysis.strata)
        values = {"interval": self._analysis.interval.value}
        result_id = report.start("summarise_trend", GROUP_NAME, strata, "time_interval", values)
        add_rows(report, result_id, self._trend())

    def _members(self, name: str) -> BitMap:
        return BitMap.union(BitMap(), *(each.persons for each in self._started[name, WHOLE].values()))

    def _trend(self) -> Iterator[Row]:
        """The entries and persons of each stretch of time, from the first that has any to the last.

        Source: OmopSketch 1.0, summariseTrend.
        """
        having = {strata for _, strata in self._started}
        for name in self._analysis.cohorts:
            for strata in strata_in_order(self._analysis.strata, self._analysis.age_groups, having):
                started = self._started.get((name, strata), {})
                if not started:
                    continue
                n = sum(each.n for each in started.values())
                everyone = BitMap.union(BitMap(), *(each.persons for each in started.values()))
                first, last = min(first for first, _ in started), max(last for _, last in started)
                windows = calendar_windows(self._analysis.interval, first, last)
                for days in zip(windows.first_days.tolist(), windows.last_days.tolist(), strict=True):
                    found = started.get(days, Feature())
                    additional = ("time_interval", " to ".join(map(in_words, days)))
                    for variable, count, of in (
                        ("Number of records", found.n, n),
                        ("Number of subjects", len(found.persons), len(everyone)),
                    ):
                        place = Place(GROUP_NAME, name, variable, None, strata, additional)
                        yield Row(place, count_and_share(count, of), found.persons, everyone)


def diagnosis_columns(_: Diagnosis) -> Mapping[str, tuple[str, ...]]:
    """The names of concepts and what is related to them; the cohorts read everything else."""
    return {
        "concept": ("concept_id", "concept_name"),
        "concept_ancestor": ("ancestor_concept_id", "descendant_concept_id", "min_levels_of_separation"),
        "concept_relationship": ("concept_id_1", "concept_id_2", "invalid_reason"),
    }
