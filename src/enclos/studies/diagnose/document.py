"""How a study writes phenotype diagnostics."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Literal

from pydantic import Field

from enclos.studies.diagnose.model import DECADES, Diagnosis
from enclos.studies.document.values import (
    AgeGroups,
    AnalysisDocument,
    Complaint,
    Names,
    StrataNames,
    twice,
    unknown_names,
    wrong_strata,
)
from enclos.studies.model import AgeGroup, Interval, Stratum


class DiagnoseDocument(AnalysisDocument):
    """Phenotype diagnostics."""

    cohort: Names = Field(description="The cohort, or cohorts, looked at.")
    age_groups: AgeGroups = Field(
        [[each.min_years, each.max_years] for each in DECADES],
        description="Ages in completed years that do not overlap, both included, as [lowest, highest].",
    )
    strata: StrataNames = Field([], description="What characteristics, overlap and trend are also told apart for.")
    interval: Literal["weeks", "months", "quarters", "years"] = Field(
        "years", description="The stretch of time for which beginning entries are counted."
    )

    def faults(self, cohorts: Container[str]) -> Iterator[Complaint]:
        """What the shape does not show."""
        yield from unknown_names("cohort", self.cohort, cohorts)
        yield from twice(self, "cohort", "strata")
        yield from wrong_strata(self.age_groups, self.strata, for_strata_alone=False)

    def noun(self) -> Diagnosis:
        """The analysis meant."""
        return Diagnosis(
            tuple(self.cohort),
            tuple(AgeGroup(lowest, highest) for lowest, highest in self.age_groups),
            tuple(Stratum(each) for each in self.strata),
            Interval(self.interval),
        )
