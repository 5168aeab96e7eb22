"""How a study writes a characterisation."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, StrictBool, WithJsonSchema

from enclos.lexicon.codes import Code
from enclos.studies.characterise.model import (
    Characterisation,
    Entries,
    Intersection,
    LargeScale,
    Shown,
    variable_of,
)
from enclos.studies.document.values import (
    AgeGroups,
    AnalysisDocument,
    Complaint,
    Document,
    Domains,
    Many,
    Names,
    StrataNames,
    WindowDays,
    backwards,
    twice,
    unknown_names,
    wrong_strata,
    wrong_windows,
)
from enclos.studies.model import AgeGroup, DayWindow, Domain, Stratum

_Frequency: TypeAlias = Annotated[
    float, Field(ge=0, le=1), WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1})
]


class IntersectionDocument(Document):
    """Other cohorts of the study around the index day."""

    cohort: Names = Field(description="The cohort, or cohorts, looked for.")
    window: WindowDays = Field(description="First and last day around the index day; null leaves an end open.")
    show: Literal["flag", "count", "days", "date"] = Field(
        "flag", description="Whether there is any, how many, or when the first of them starts."
    )
    label: Annotated[str, Field(pattern="^[A-Za-z][A-Za-z0-9_ ]{0,63}$")] | None = Field(
        None, description="The variable's name in the result."
    )

    def faults(self, cohorts: Container[str]) -> Iterator[Complaint]:
        """What the shape does not show."""
        yield from unknown_names("cohort", self.cohort, cohorts)
        yield from twice(self, "cohort")
        if backwards(self.window):
            yield ("window",), "a window is [first day, last day]", Code.STUDY_INVALID

    @property
    def variable(self) -> str:
        """The variable's name in the result."""
        return variable_of(self.label, Shown(self.show), *self.window)

    def noun(self) -> Intersection:
        """The intersection meant."""
        return Intersection(tuple(self.cohort), DayWindow(*self.window), Shown(self.show), self.label)


class LargeScaleDocument(Document):
    """Every concept of some tables around the index day."""

    windows: Annotated[list[WindowDays], Many] = Field(description="Windows of days around the index day.")
    event_in_window: Domains = Field([], description="Tables whose records count where they start.")
    episode_in_window: Domains = Field([], description="Tables whose records count wherever they last.")
    minimum_frequency: _Frequency = Field(0.005, description="Concepts of fewer entries than this share are left out.")

    def faults(self) -> Iterator[Complaint]:
        """What the shape does not show."""
        yield from wrong_windows("windows", self.windows)
        yield from twice(self, "windows", "event_in_window", "episode_in_window")
        if not (self.event_in_window or self.episode_in_window):
            yield (), "there is event_in_window or episode_in_window", Code.STUDY_INVALID

    def noun(self) -> LargeScale:
        """The characterisation meant."""
        return LargeScale(
            tuple(DayWindow(*each) for each in self.windows),
            tuple(Domain(each) for each in self.event_in_window),
            tuple(Domain(each) for each in self.episode_in_window),
            self.minimum_frequency,
        )


class CharacteriseDocument(AnalysisDocument):
    """A characterisation."""

    cohort: Names = Field(description="The cohort, or cohorts, characterised on the day that each entry starts.")
    age_groups: AgeGroups | None = Field(
        None, description="Ages in completed years that do not overlap, both included, as [lowest, highest]."
    )
    strata: StrataNames = Field([], description="What estimates are also made apart for.")
    intersect: list[IntersectionDocument] = Field([], description="Other cohorts of the study around the index day.")
    large_scale: LargeScaleDocument | None = Field(None, description="Every concept of some tables.")
    overlap: StrictBool = Field(False, description="Persons that the cohorts share, for each pair of them.")
    timing: Literal["first", "all"] | None = Field(
        None, description="Days between entries into each pair of cohorts: first entries only, or all."
    )
    standardised_differences: StrictBool = Field(
        False, description="Standardised mean differences of every characteristic, for each pair of cohorts."
    )

    def faults(self, cohorts: Container[str]) -> Iterator[Complaint]:
        """What the shape does not show."""
        yield from unknown_names("cohort", self.cohort, cohorts)
        yield from twice(self, "cohort", "strata")
        yield from wrong_strata(self.age_groups or [], self.strata)
        yield from self._intersection_faults(cohorts)
        if self.large_scale is not None:
            for where, what, code in self.large_scale.faults():
                yield ("large_scale", *where), what, code
        for option in ("overlap", "timing", "standardised_differences"):
            if getattr(self, option) and len(self.cohort) < 2:
                yield (option,), "comparing cohorts needs two of them", Code.STUDY_INVALID

    def _intersection_faults(self, cohorts: Container[str]) -> Iterator[Complaint]:
        seen: set[tuple[str, str]] = set()
        for at, each in enumerate(self.intersect):
            for where, what, code in each.faults(cohorts):
                yield ("intersect", at, *where), what, code
            names = {(each.variable, name) for name in each.cohort}
            if names & seen:
                yield ("intersect", at), "two intersections have one name; give a label", Code.STUDY_INVALID
            seen |= names

    def noun(self) -> Characterisation:
        """The analysis meant."""
        return Characterisation(
            tuple(self.cohort),
            tuple(AgeGroup(lowest, highest) for lowest, highest in self.age_groups or ()),
            tuple(Stratum(each) for each in self.strata),
            tuple(each.noun() for each in self.intersect),
            None if self.large_scale is None else self.large_scale.noun(),
            self.overlap,
            None if self.timing is None else Entries(self.timing),
            self.standardised_differences,
        )
