"""How a study writes an analysis of pathways."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, Field, StrictInt

from enclos.studies.document.values import (
    AgeGroups,
    AnalysisDocument,
    Complaint,
    Days,
    Many,
    Names,
    listed,
    one_or_many,
    twice,
    unknown_names,
    wrong_strata,
)
from enclos.studies.model import MAX_DAYS, AgeGroup
from enclos.studies.pathways.model import MAX_PATH_LENGTH, Keep, Pathways, Steps, Stratum

_Strata: TypeAlias = Annotated[
    list[Literal["age_group", "sex", "department", "index_year"]],
    BeforeValidator(listed),
    Many,
    one_or_many({"type": "string", "enum": [each.value for each in Stratum]}),
]


class PathwaysDocument(AnalysisDocument):
    """An analysis of pathways."""

    target: Names = Field(description="The cohort, or cohorts, whose persons are looked at from their first entry on.")
    treatments: Names = Field(description="The cohorts that a path is made of.")
    follow_up_days: Annotated[StrictInt, Field(ge=1, le=MAX_DAYS)] | None = Field(
        None, description="Days after entry in which treatments start; within the target cohort when not given."
    )
    min_era_duration: Days = Field(0, description="Treatments that last fewer days are left out.")
    era_collapse: Days = Field(30, description="Days between two eras of one treatment that are still one era.")
    combination_window: Days = Field(30, description="Days that two treatments overlap to be a combination.")
    min_post_combination: Days = Field(30, description="Days that a part left by an overlap lasts to be kept.")
    filter_treatments: Literal["first", "changes", "all"] = Field(
        "first", description="Keep each treatment the first time, each that differs from the one before, or all."
    )
    max_path_length: Annotated[StrictInt, Field(ge=1, le=MAX_PATH_LENGTH)] = Field(
        5, description="Treatments of a path after which it is cut."
    )
    age_groups: AgeGroups | None = Field(
        None, description="Ages at entry in completed years, both included, as [lowest, highest]; none in two groups."
    )
    strata: _Strata | None = Field(None, description="What paths are also counted apart for.")

    def faults(self, cohorts: Container[str]) -> Iterator[Complaint]:
        """What the shape does not show."""
        yield from unknown_names("target", self.target, cohorts)
        yield from unknown_names("treatments", self.treatments, cohorts)
        yield from twice(self, "target", "treatments", *(["strata"] if self.strata else []))
        yield from wrong_strata(self.age_groups or [], self.strata or [], for_strata_alone=True)

    def noun(self) -> Pathways:
        """The analysis meant."""
        return Pathways(
            tuple(self.target),
            tuple(self.treatments),
            self.follow_up_days,
            Steps(
                self.min_era_duration,
                self.era_collapse,
                self.combination_window,
                self.min_post_combination,
                Keep(self.filter_treatments),
                self.max_path_length,
            ),
            tuple(AgeGroup(lowest, highest) for lowest, highest in self.age_groups or []),
            tuple(Stratum(each) for each in self.strata or []),
        )
