"""How a study writes an incidence or a prevalence."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, StrictBool, StrictInt

from enclos.lexicon.codes import Code
from enclos.studies.document.values import (
    NAME_PATTERN,
    AgeGroups,
    AnalysisDocument,
    Complaint,
    Day,
    Intervals,
    Many,
    Names,
    PriorDays,
    Sexes,
    StrataSets,
    Washout,
    WindowDays,
    twice,
    unknown_names,
    wrong_ages,
    wrong_strata,
    wrong_strata_sets,
    wrong_windows,
)
from enclos.studies.model import (
    MAX_AGE_YEARS,
    AgeGroup,
    DateRange,
    DayWindow,
    Incidence,
    Interval,
    Level,
    PeriodPrevalence,
    PointPrevalence,
    Population,
    Sex,
    Stratum,
    Target,
    TimePoint,
)
from enclos.studies.standard.model import MAX_GROUPS, MAX_WEIGHT, Standard
from enclos.studies.standard.rules import STANDARDS, default_groups


class PopulationDocument(AnalysisDocument):
    """Options that all estimates about a population share."""

    outcome: Names = Field(description="The cohort, or cohorts, counted as outcome.")
    age_groups: AgeGroups = Field(
        [[0, MAX_AGE_YEARS]], description="Ages in completed years, both included, as [lowest, highest]."
    )
    sex: Sexes = Field(["both"], description="Who is at risk.")
    days_prior_observation: PriorDays = Field([0], description="Days observed before a person is at risk.")
    interval: Intervals = Field(["years"], description="The stretches of time that estimates are made for.")
    date_range: Annotated[list[Day | None], Field(min_length=2, max_length=2)] = Field(
        [None, None], description="First and last day of the study, both included; null leaves it to the data."
    )
    target: Annotated[str, Field(pattern=NAME_PATTERN)] | None = Field(
        None, description="A cohort that persons count in only while they are in it."
    )
    time_at_risk: Annotated[list[WindowDays], Many] | None = Field(
        None,
        description="With target: days after each entry, [first, last], null for no end; each window has results of "
        "its own. [0, null] when not given.",
    )
    requirements_at_entry: StrictBool | None = Field(
        None,
        description="With target: whether age, prior observation and study dates hold on the day of entry, or from "
        "whenever they are met; true when not given.",
    )

    strata: StrataSets | None = Field(
        None,
        description="What estimates are also made apart for: sex, age_group, department, or several as a list; by what "
        "a person is on the first day of each stay at risk, and by where the person lives (LOCATION.county).",
    )
    include_overall: StrictBool | None = Field(
        None, description="With strata: whether there are estimates of all persons too; true when not given."
    )
    strata_age_groups: AgeGroups | None = Field(
        None, description="For strata by age: completed years on that day, both included; none in two groups."
    )

    def faults(self, cohorts: Container[str]) -> Iterator[Complaint]:
        """What the shape does not show."""
        yield from unknown_names("outcome", self.outcome, cohorts)
        yield from twice(self, "outcome", "age_groups", "sex", "days_prior_observation", "interval")
        yield from wrong_ages(self.age_groups)
        yield from self._target_faults(cohorts)
        yield from wrong_strata_sets(self.strata or [])
        if self.include_overall is not None and not self.strata:
            yield ("include_overall",), "only with strata is there this option", Code.STUDY_INVALID
        yield from wrong_strata(
            self.strata_age_groups or [], self._strata_names(), for_strata_alone=True, option="strata_age_groups"
        )
        start_on, end_on = self.date_range
        if start_on is not None and end_on is not None and end_on < start_on:
            yield ("date_range",), "a date range is [first day, last day]", Code.STUDY_INVALID

    def _target_faults(self, cohorts: Container[str]) -> Iterator[Complaint]:
        if self.target is None:
            for option in ("time_at_risk", "requirements_at_entry"):
                if getattr(self, option) is not None:
                    yield (option,), "only a population in a target has this option", Code.STUDY_INVALID
            return
        if self.target not in cohorts:
            yield ("target",), "there is no cohort of that name", Code.STUDY_UNKNOWN_NAME
        if self.time_at_risk is not None:
            yield from twice(self, "time_at_risk")
            yield from wrong_windows("time_at_risk", self.time_at_risk)
            for at, (first, _) in enumerate(self.time_at_risk):
                if first is None or first < 0:
                    yield ("time_at_risk", at), "time at risk starts on day 0 or later", Code.STUDY_INVALID

    def _strata_names(self) -> list[str]:
        return [name for names in self.strata or [] for name in names]

    def _target(self) -> Target | None:
        if self.target is None:
            return None
        windows = tuple(DayWindow(first, last) for first, last in self.time_at_risk or [[0, None]])
        return Target(self.target, windows, self.requirements_at_entry is not False)

    def _ages(self) -> list[tuple[int, int]]:
        """The age groups, given or not."""
        return [(lowest, highest) for lowest, highest in self.age_groups]

    @property
    def population(self) -> Population:
        """Who is at risk."""
        return Population(
            tuple(AgeGroup(lowest, highest) for lowest, highest in self._ages()),
            tuple(Sex(value) for value in self.sex),
            tuple(self.days_prior_observation),
            DateRange(*self.date_range),
            self._target(),
            tuple(tuple(Stratum(name) for name in names) for names in self.strata or []),
            tuple(AgeGroup(lowest, highest) for lowest, highest in self.strata_age_groups or []),
            self.include_overall is not False,
        )

    @property
    def intervals(self) -> tuple[Interval, ...]:
        """The kinds of interval, in the order given."""
        return tuple(Interval(value) for value in self.interval)


_Weight: TypeAlias = Annotated[StrictInt, Field(ge=0, le=MAX_WEIGHT)]
_Standardise: TypeAlias = Annotated[
    Literal["esp2013"] | Annotated[list[Annotated[list[_Weight], Field(min_length=3, max_length=3)]], Many],
    Field(union_mode="left_to_right"),
]


class IncidenceDocument(PopulationDocument):
    """An incidence."""

    washout_days: Washout = Field(
        None,
        description="Days after an outcome before a person is at risk again; all: never again.",
        json_schema_extra={"default": "all"},
    )
    repeated_events: StrictBool = Field(False, description="Whether a person can have several events in the study.")
    complete_intervals: StrictBool = Field(True, description="Leave out intervals that are not wholly observed.")
    censor: Annotated[str, Field(pattern=NAME_PATTERN)] | None = Field(
        None, description="The cohort on whose first day a person's time at risk ends, that day included."
    )
    standardise: _Standardise | None = Field(
        None,
        description="Also rates standardised by age: esp2013, or a standard of one's own as [lowest age, highest age, "
        "weight]. Age groups are made of its bands; without age_groups they are five years up to 85 and over, or one's "
        "own bands.",
    )

    def faults(self, cohorts: Container[str]) -> Iterator[Complaint]:
        """What the shape does not show."""
        yield from super().faults(cohorts)
        if self.censor is not None and self.censor not in cohorts:
            yield ("censor",), "there is no cohort of that name", Code.STUDY_UNKNOWN_NAME
        if self.standardise is not None and Stratum.AGE_GROUP.value in self._strata_names():
            yield ("strata",), "a rate standardised by age has no strata by age", Code.STUDY_INVALID
        if self.standardise is not None:
            try:
                standard = self._standard()
            except ValueError:
                what = "a standard is [lowest age, highest age, weight], in order of age, weights above 0"
                yield ("standardise",), what, Code.STUDY_INVALID
            else:
                if standard is not None and standard.weights_of(self._ages()) is None:
                    what = f"age groups are made of whole bands of the standard, none overlaps, at most {MAX_GROUPS}"
                    yield ("age_groups",), what, Code.STUDY_INVALID

    def _standard(self) -> Standard | None:
        if self.standardise is None or isinstance(self.standardise, str):
            return None if self.standardise is None else STANDARDS[self.standardise]()
        return Standard("own", tuple(((lowest, highest), weight) for lowest, highest, weight in self.standardise))

    def _ages(self) -> list[tuple[int, int]]:
        standard = self._standard()
        if standard is not None and "age_groups" not in self.model_fields_set:
            return default_groups(standard)
        return super()._ages()

    def noun(self) -> Incidence:
        """The analysis meant."""
        return Incidence(
            tuple(self.outcome),
            self.population,
            self.intervals,
            self.washout_days,
            self.repeated_events,
            self.complete_intervals,
            self.censor,
            self._standard(),
        )


class PrevalenceDocument(PopulationDocument):
    """A prevalence."""

    type: Literal["point", "period"] = Field(description="On one day, or at any time in an interval.")
    time_point: Literal["start", "middle", "end"] | None = Field(
        None, description="For point prevalence: the day of each interval; start when not given."
    )
    full_contribution: StrictBool | None = Field(
        None, description="For period prevalence: count only persons present all of the interval; false when not given."
    )
    complete_intervals: StrictBool | None = Field(
        None, description="For period prevalence: leave out intervals not wholly observed; true when not given."
    )

    level: Literal["person", "record"] | None = Field(
        None,
        description="For period prevalence: record counts stays, so that a person who is present twice in an interval "
        "counts twice; person when not given.",
    )

    def faults(self, cohorts: Container[str]) -> Iterator[Complaint]:
        """What the shape does not show."""
        yield from super().faults(cohorts)
        for option, what in self._clashes():
            yield (option,), what, Code.STUDY_INVALID

    def _clashes(self) -> Iterator[tuple[str, str]]:
        if self.type == "point":
            if "overall" in self.interval:
                yield "interval", "a point prevalence has no overall interval"
            for option in ("full_contribution", "complete_intervals", "level"):
                if getattr(self, option) is not None:
                    yield option, "only a period prevalence has this option"
        elif self.time_point is not None:
            yield "time_point", "only a point prevalence has this option"

    def noun(self) -> PointPrevalence | PeriodPrevalence:
        """The analysis meant."""
        outcomes = tuple(self.outcome)
        if self.type == "point":
            return PointPrevalence(outcomes, self.population, self.intervals, TimePoint(self.time_point or "start"))
        complete = self.complete_intervals is not False
        level = Level(self.level or Level.PERSON.value)
        return PeriodPrevalence(
            outcomes, self.population, self.intervals, bool(self.full_contribution), complete, level
        )
