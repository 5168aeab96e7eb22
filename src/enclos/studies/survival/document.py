"""How a study writes a survival analysis."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, StrictBool, StrictInt, WithJsonSchema

from enclos.lexicon.codes import Code
from enclos.studies.document.values import (
    NAME_PATTERN,
    AgeGroups,
    AnalysisDocument,
    Complaint,
    Day,
    Days,
    Names,
    StrataSets,
    Washout,
    twice,
    unknown_names,
    wrong_strata,
    wrong_strata_sets,
)
from enclos.studies.model import MAX_DAYS, AgeGroup, Stratum
from enclos.studies.survival import model
from enclos.studies.survival.model import FollowUp, Shown, Survival

_OneDay: TypeAlias = Annotated[StrictInt, Field(ge=1, le=MAX_DAYS)]


class SurvivalDocument(AnalysisDocument):
    """A survival analysis."""

    target: Names = Field(description="The cohort, or cohorts, whose entries are followed; each entry counts.")
    outcome: Names = Field(
        description="The cohort, or cohorts, whose day is the outcome; the target itself when its end is."
    )
    outcome_date: Literal["start", "end"] = Field(
        "start", description="Whether the first or the last day of an entry into the outcome's cohort is the outcome."
    )
    competing_outcome: Annotated[str | None, WithJsonSchema({"type": "string", "pattern": NAME_PATTERN})] = Field(
        None, description="A cohort whose first day makes the outcome impossible, such as death."
    )
    outcome_washout: Washout = Field(
        None,
        description="Days before entry that must be free of the outcome; all: all time.",
        json_schema_extra={"default": "all"},
    )
    competing_outcome_washout: Washout = Field(
        None,
        description="Days before entry that must be free of the competing outcome; all: all time.",
        json_schema_extra={"default": "all"},
    )
    censor_on_cohort_exit: StrictBool = Field(False, description="Whether following ends with the target cohort.")
    censor_on_date: Day | None = Field(
        None, description="The day on which following ends for all; an outcome on it does not count."
    )
    follow_up_days: _OneDay | None = Field(
        None, description="Days after entry at which following ends; to the end of observation when not given."
    )
    minimum_survival_days: Days = Field(1, description="Entries with an outcome, or lost, before are left out.")
    event_gap: _OneDay = Field(30, description="Days between the rows of the table of persons at risk and events.")
    estimate_gap: _OneDay = Field(1, description="Days between the estimates that are shown.")
    restricted_mean_follow_up: _OneDay | None = Field(
        None, description="Days over which the restricted mean is taken; to the last day followed when not given."
    )
    age_groups: AgeGroups | None = Field(
        None, description="Ages at entry in completed years, both included, as [lowest, highest]; none in two groups."
    )
    strata: StrataSets | None = Field(
        None, description="What to tell persons apart by: age_group, sex, or both as a list; beside all together."
    )

    def faults(self, cohorts: Container[str]) -> Iterator[Complaint]:
        """What the shape does not show."""
        yield from unknown_names("target", self.target, cohorts)
        yield from unknown_names("outcome", self.outcome, cohorts)
        yield from twice(self, "target", "outcome")
        for at, name in enumerate(self.outcome if self.outcome_date == "start" else ()):
            if name in self.target:
                yield (
                    ("outcome", at),
                    "who enters a target has it as outcome that day; name another cohort, or give outcome_date: end",
                    Code.STUDY_INVALID,
                )
        if self.competing_outcome is not None:
            if self.competing_outcome not in cohorts:
                yield ("competing_outcome",), "there is no cohort of that name", Code.STUDY_UNKNOWN_NAME
            if self.competing_outcome in self.outcome:
                yield ("competing_outcome",), "an outcome does not compete with itself", Code.STUDY_INVALID
            elif self.competing_outcome in self.target:
                yield (
                    ("competing_outcome",),
                    "who enters a target has it that day, so that nobody would be followed; name another cohort",
                    Code.STUDY_INVALID,
                )
        elif "competing_outcome_washout" in self.model_fields_set:
            yield ("competing_outcome_washout",), "there is no competing outcome", Code.STUDY_INVALID
        if self.follow_up_days is not None and self.minimum_survival_days > self.follow_up_days:
            yield ("minimum_survival_days",), "nobody is followed that long; follow_up_days is less", Code.STUDY_INVALID
        yield from wrong_strata_sets(self.strata or [])
        names = [name for names in self.strata or [] for name in names]
        yield from wrong_strata(self.age_groups or [], names, for_strata_alone=True)

    def noun(self) -> Survival:
        """The analysis meant."""
        return Survival(
            tuple(self.target),
            tuple(self.outcome),
            self.competing_outcome,
            model.Washout(self.outcome_washout),
            model.Washout(self.competing_outcome_washout),
            FollowUp(self.follow_up_days, self.censor_on_cohort_exit, self.censor_on_date, self.minimum_survival_days),
            Shown(self.estimate_gap, self.event_gap, self.restricted_mean_follow_up),
            tuple(AgeGroup(lowest, highest) for lowest, highest in self.age_groups or []),
            tuple(tuple(Stratum(name) for name in names) for names in self.strata or []),
            self.outcome_date == "end",
        )
