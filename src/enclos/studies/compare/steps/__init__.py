"""Count a comparison bucket by bucket, then estimate it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from enclos.studies.compare.model import Comparison, Variant
from enclos.studies.compare.rules.covariates import CovariateMatrix, demographics_of, matrix
from enclos.studies.compare.rules.population import Entries
from enclos.studies.compare.steps.estimating import Findings, Scored, compared, scored
from enclos.studies.compare.steps.gathering import Gatherer, columns_of_comparison
from enclos.studies.compare.steps.reporting import report_comparison
from enclos.studies.model import Cohort
from enclos.studies.ports import CdmBucket
from enclos.studies.rules.report import Report

Ints: TypeAlias = npt.NDArray[np.int64]

__all__ = ["ComparisonFollower", "columns_of_comparison"]


class ComparisonFollower:
    """Follows the entries of a comparison; everything is estimated when all are known."""

    def __init__(self, analysis: Comparison, cohorts: Sequence[Cohort]) -> None:
        self._analysis = analysis
        self._gatherer = Gatherer(analysis, cohorts)
        self._first: tuple[tuple[object, ...], Scored] | None = None
        """What the primary way of asking scored: others that score the same entries alike need not fit again."""

    def take(self, bucket: CdmBucket, first_person: int) -> None:
        """Take the entries of one bucket, their outcomes and covariates."""
        self._gatherer.take(bucket, first_person)

    def report(self, report: Report) -> None:
        """Estimate each way of asking, and add what was found."""
        found = self.findings()
        report_comparison(report, found, self._gatherer.concept_names)

    def findings(self) -> list[Findings]:
        """What each way of asking finds, the primary one first."""
        return [self._compared(variant) for variant in self._analysis.variants]

    def _compared(self, variant: Variant) -> Findings:
        entries, numbers = self._gatherer.all_entries(variant)

        def score(at: Ints) -> Scored:
            return self._scored(variant, entries, numbers, at)

        return compared(
            variant,
            entries,
            lambda outcome: self._gatherer.events_of(outcome, numbers),
            score,
            self._analysis.outcomes,
            self._analysis.negative_controls,
            self._analysis.positive_controls,
        )

    def _scored(self, variant: Variant, entries: Entries, numbers: Ints, at: Ints) -> Scored:
        key = (variant.target, variant.comparator, variant.covariates, variant.propensity, numbers[at].tobytes())
        if self._first is not None and self._first[0] == key:
            return self._first[1]
        found = scored(self._covariates(variant, entries, numbers, at), entries.treated[at], variant)
        self._first = self._first or (key, found)
        return found

    def _covariates(self, variant: Variant, entries: Entries, numbers: Ints, at: Ints) -> CovariateMatrix:
        row_of = np.full(self._gatherer.found.n_entries, -1, dtype=np.int64)
        row_of[numbers[at]] = np.arange(len(at))
        who = entries.take(at)
        demographics = demographics_of(who.age, who.sex, who.first_day)
        asked = variant.covariates
        return matrix(self._gatherer.found.covariates, demographics, row_of, asked.sources, asked.lookbacks)
