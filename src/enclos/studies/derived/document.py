"""How a study writes a cohort that is made of others."""

from __future__ import annotations

from collections.abc import Container, Iterator
from datetime import date
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import ConfigDict, Field, StrictFloat, StrictInt, WithJsonSchema

from enclos.lexicon.codes import Code
from enclos.studies.derived.model import (
    MAX_SEED,
    Collapse,
    First,
    Intersection,
    Near,
    Require,
    Sample,
    Union,
)
from enclos.studies.document.values import (
    MAX_LISTED,
    NAME_PATTERN,
    Age,
    Complaint,
    Days,
    Document,
    Path,
    WindowDays,
    backwards,
)
from enclos.studies.model import AgeGroup, DateRange, DayWindow, DerivedCohort, Operation, Sex, is_cohort_name

_NAME_SCHEMA = {"type": "string", "pattern": NAME_PATTERN}
_Name: TypeAlias = Annotated[str, WithJsonSchema(_NAME_SCHEMA)]
_Names: TypeAlias = Annotated[list[_Name], Field(min_length=2, max_length=MAX_LISTED)]


class NearDocument(Document):
    """Entries chosen by another cohort."""

    cohort: _Name = Field(description="The cohort whose entries are kept or dropped.")
    other: _Name = Field(description="The cohort looked for.")
    window: WindowDays = Field(
        [None, 0],
        description="First and last day around the first day of the entry, both included, of which one is in the other "
        "cohort; null leaves an end open.",
    )

    def noun(self, *, present: bool) -> Near:
        """The operation meant."""
        return Near(self.cohort, self.other, DayWindow(*self.window), present)


class RequireDocument(Document):
    """Entries chosen by the person on their first day."""

    cohort: _Name = Field(description="The cohort whose entries are kept or dropped.")
    ages: Annotated[list[Age], Field(min_length=2, max_length=2)] | None = Field(
        None, description="Lowest and highest age in completed years, both included."
    )
    sex: Literal["both", "male", "female"] = Field("both", description="With both, persons of unknown sex too.")
    days_prior_observation: Days = Field(0, description="Days observed before the entry.")
    date_range: Annotated[list[date | None], Field(min_length=2, max_length=2)] = Field(
        [None, None], description="First and last day on which an entry starts, both included; null leaves an end open."
    )

    def noun(self) -> Require:
        """The operation meant."""
        ages = None if self.ages is None else AgeGroup(*self.ages)
        return Require(self.cohort, ages, Sex(self.sex), self.days_prior_observation, DateRange(*self.date_range))


class CollapseDocument(Document):
    """Entries joined over gaps."""

    cohort: _Name = Field(description="The cohort whose entries are joined.")
    gap: Days = Field(description="Days from the end of one entry to the start of the next that are still joined.")

    def noun(self) -> Collapse:
        """The operation meant."""
        return Collapse(self.cohort, self.gap)


class SampledDocument(Document):
    """A share of the persons."""

    cohort: _Name = Field(description="The cohort whose persons are sampled, with all their entries.")
    share: Annotated[StrictFloat, Field(gt=0, lt=1)] = Field(description="The share of persons, between 0 and 1.")
    seed: Annotated[StrictInt, Field(ge=0, le=MAX_SEED)] = Field(description="Another seed gives another sample.")

    def noun(self) -> Sample:
        """The operation meant."""
        return Sample(self.cohort, self.share, self.seed)


def _one_operation(schema: dict[str, Any]) -> None:
    schema["minProperties"] = schema["maxProperties"] = 1
    for name, each in schema["properties"].items():
        schema["properties"][name] = {**each["anyOf"][0], "description": each["description"]}


class DerivedCohortDocument(Document):
    """A cohort made of other cohorts of the study by one operation."""

    model_config = ConfigDict(json_schema_extra=_one_operation)

    union: _Names | None = Field(None, description="All entries; those that share a day become one.")
    intersect: _Names | None = Field(None, description="The days that entries of all the cohorts share.")
    first: _Name | None = Field(None, description="Each person's first entry.")
    exclude: NearDocument | None = Field(None, description="Entries without the other cohort in the window.")
    within: NearDocument | None = Field(None, description="Entries with the other cohort in the window.")
    require: RequireDocument | None = Field(None, description="Entries on whose first day the person fits.")
    collapse: CollapseDocument | None = Field(None, description="Entries joined over gaps of one observation period.")
    sampled: SampledDocument | None = Field(None, description="A share of the persons, chosen by a hash.")

    def _given(self) -> list[str]:
        return [name for name in type(self).model_fields if getattr(self, name) is not None]

    def faults(self, name: str) -> Iterator[tuple[Path, str]]:
        """What the shape does not show."""
        if not is_cohort_name(name):
            yield (), "a cohort's name is snake case, at most 64 characters"
        if len(self._given()) != 1:
            yield (), "a cohort is made by one operation"
        for option in ("union", "intersect"):
            names = getattr(self, option) or []
            if len(set(names)) != len(names):
                yield (option,), "a cohort is given twice"
        for option in ("exclude", "within"):
            near = getattr(self, option)
            if near is not None and backwards(near.window):
                yield (option, "window"), "a window is [first day, last day]"
        if self.require is not None:
            if self.require.ages is not None and self.require.ages[1] < self.require.ages[0]:
                yield ("require", "ages"), "ages are [lowest, highest]"
            start_on, end_on = self.require.date_range
            if start_on is not None and end_on is not None and end_on < start_on:
                yield ("require", "date_range"), "a date range is [first day, last day]"

    def sources(self) -> Iterator[tuple[Path, str]]:
        """Where it names other cohorts, and which."""
        for option in self._given():
            value = getattr(self, option)
            if isinstance(value, list):
                yield from (((option, at), name) for at, name in enumerate(value))
            elif isinstance(value, str):
                yield (option,), value
            else:
                yield (option, "cohort"), value.cohort
                if isinstance(value, NearDocument):
                    yield (option, "other"), value.other

    def unknown(self, cohorts: Container[str]) -> Iterator[Complaint]:
        """Cohorts that it names and the study does not define."""
        for where, name in self.sources():
            if name not in cohorts:
                yield where, "there is no cohort of that name", Code.STUDY_UNKNOWN_NAME

    def noun(self, name: str) -> DerivedCohort:
        """The cohort meant."""
        return DerivedCohort(name, self._operation())

    def _operation(self) -> Operation:
        several = [self.union and Union(tuple(self.union)), self.intersect and Intersection(tuple(self.intersect))]
        near = [self.exclude and self.exclude.noun(present=False), self.within and self.within.noun(present=True)]
        one = [each and each.noun() for each in (self.require, self.collapse, self.sampled)]
        (made,) = (each for each in (*several, self.first and First(self.first), *near, *one) if each)
        return made


OPERATIONS: tuple[str, ...] = tuple(DerivedCohortDocument.model_fields)
