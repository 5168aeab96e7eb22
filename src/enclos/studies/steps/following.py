"""Analyses that follow the persons of cohorts: what each kind does with a bucket, and what it says at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from enclos.studies.cases.model import CaseControl, CaseCrossover, SelfControlledCohort
from enclos.studies.cases.steps import (
    CaseControlFollower,
    CaseCrossoverFollower,
    SelfControlledCohortFollower,
    case_columns,
)
from enclos.studies.characterise.model import Characterisation
from enclos.studies.characterise.steps import CharacterisationCounter, characterisation_columns
from enclos.studies.compare.model import Comparison
from enclos.studies.compare.steps import ComparisonFollower, columns_of_comparison
from enclos.studies.diagnose.model import Diagnosis
from enclos.studies.diagnose.steps import DiagnosisCounter, diagnosis_columns
from enclos.studies.model import Cohort, CohortAnalysis
from enclos.studies.pathways.model import Pathways
from enclos.studies.pathways.steps import PathwayFollower, pathway_columns
from enclos.studies.ports import CdmBucket
from enclos.studies.rules.report import Report
from enclos.studies.sccs.model import Sccs
from enclos.studies.sccs.steps import SccsFollower, sccs_columns
from enclos.studies.sensitivity.model import Ways
from enclos.studies.survival.model import Survival
from enclos.studies.survival.steps import SurvivalFollower, survival_columns
from enclos.studies.utilisation.model import Utilisation
from enclos.studies.utilisation.steps import UtilisationCounter, utilisation_columns


class Follower(Protocol):
    """Counts one analysis, bucket by bucket, so that the result is the same for any number of buckets."""

    def take(self, bucket: CdmBucket, first_person: int) -> None:
        """Count a bucket whose ``study_person``, ``study_observed`` and ``study_event`` are made.

        In: first_person — the dense number of the bucket's ordinal 0; a cell's bitmaps hold dense numbers
        """

    def report(self, report: Report) -> None:
        """Add what was found, each result id with its settings, rows and cells."""


class WaysFollower:
    """Follows each way of asking by itself: each finds what a study finds that asks it alone."""

    def __init__(self, analysis: Ways, cohorts: Sequence[Cohort]) -> None:
        self._followers = {name: follower_of(each, cohorts) for name, each in analysis.every}

    def take(self, bucket: CdmBucket, first_person: int) -> None:
        """Count a bucket for each of them."""
        for follower in self._followers.values():
            follower.take(bucket, first_person)

    def report(self, report: Report) -> None:
        """Add what each found, under its name."""
        for name, follower in self._followers.items():
            with report.asked_as(name):
                follower.report(report)


def columns_of_ways(analysis: Ways) -> Mapping[str, tuple[str, ...]]:
    """What any of them reads."""
    found: dict[str, tuple[str, ...]] = {}
    for _, each in analysis.every:
        for table, columns in columns_followed(each).items():
            found[table] = tuple(dict.fromkeys((*found.get(table, ()), *columns)))
    return found


@dataclass(frozen=True, slots=True)
class Kind:
    """What a kind of analysis brings: what counts one, and the columns that one reads."""

    follower: Callable[[Any, Sequence[Cohort]], Follower]
    columns: Callable[[Any], Mapping[str, tuple[str, ...]]]


_KINDS: Mapping[type[CohortAnalysis], Kind] = {
    Characterisation: Kind(CharacterisationCounter, characterisation_columns),
    Survival: Kind(SurvivalFollower, survival_columns),
    Pathways: Kind(PathwayFollower, pathway_columns),
    Utilisation: Kind(UtilisationCounter, utilisation_columns),
    Diagnosis: Kind(DiagnosisCounter, diagnosis_columns),
    Sccs: Kind(SccsFollower, sccs_columns),
    SelfControlledCohort: Kind(SelfControlledCohortFollower, case_columns),
    CaseCrossover: Kind(CaseCrossoverFollower, case_columns),
    CaseControl: Kind(CaseControlFollower, case_columns),
    Comparison: Kind(ComparisonFollower, columns_of_comparison),
    Ways: Kind(WaysFollower, columns_of_ways),
}


def follower_of(analysis: CohortAnalysis, cohorts: Sequence[Cohort]) -> Follower:
    """What counts the analysis.

    In: cohorts — those that the study uses, in the order of ``study_event.cohort``
    """
    return _KINDS[type(analysis)].follower(analysis, cohorts)


def columns_followed(analysis: CohortAnalysis) -> Mapping[str, tuple[str, ...]]:
    """The tables and columns that an analysis reads beyond its cohorts, persons and their observation."""
    return _KINDS[type(analysis)].columns(analysis)
