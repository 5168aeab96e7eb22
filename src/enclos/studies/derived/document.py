"""How a study writes a cohort that is made of others."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, ConfigDict, Field, StrictFloat, StrictInt, WithJsonSchema

from enclos.lexicon.codes import Code
from enclos.studies.derived.model import (
    MAX_RATIO,
    MAX_SAMPLE,
    MAX_SEED,
    Collapse,
    First,
    Intersection,
    Match,
    Near,
    Require,
    Sample,
    Side,
    Trait,
    Union,
)
from enclos.studies.document.values import (
    MAX_LISTED,
    NAME_PATTERN,
    Age,
    Complaint,
    Day,
    Days,
    Document,
    Many,
    Path,
    WindowDays,
    backwards,
    listed,
    one_or_many,
)
from enclos.studies.model import AgeGroup, DateRange, DayWindow, DerivedCohort, Operation, Sex, is_cohort_name

_Fault: TypeAlias = tuple[Path, str]
_NAME_SCHEMA = {"type": "string", "pattern": NAME_PATTERN}
_Name: TypeAlias = Annotated[str, WithJsonSchema(_NAME_SCHEMA)]
_Seed: TypeAlias = Annotated[StrictInt, Field(ge=0, le=MAX_SEED)]
_Traits: TypeAlias = Annotated[
    list[Literal["sex", "year_of_birth", "department"]],
    BeforeValidator(listed),
    Many,
    one_or_many({"type": "string", "enum": [each.value for each in Trait]}),
]
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

    def faults(self) -> Iterator[_Fault]:
        """What the shape does not show."""
        if backwards(self.window):
            yield ("window",), "a window is [first day, last day]"

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
    days_future_observation: Days = Field(0, description="Days observed after the entry's first day.")
    date_range: Annotated[list[Day | None], Field(min_length=2, max_length=2)] = Field(
        [None, None], description="First and last day on which an entry starts, both included; null leaves an end open."
    )

    def faults(self) -> Iterator[_Fault]:
        """What the shape does not show."""
        if self.ages is not None and self.ages[1] < self.ages[0]:
            yield ("ages",), "ages are [lowest, highest]"
        start_on, end_on = self.date_range
        if start_on is not None and end_on is not None and end_on < start_on:
            yield ("date_range",), "a date range is [first day, last day]"

    def noun(self) -> Require:
        """The operation meant."""
        ages = None if self.ages is None else AgeGroup(*self.ages)
        dates = DateRange(*self.date_range)
        days = (self.days_prior_observation, self.days_future_observation)
        return Require(self.cohort, ages, Sex(self.sex), days[0], dates, days[1])


class CollapseDocument(Document):
    """Entries joined over gaps."""

    cohort: _Name = Field(description="The cohort whose entries are joined.")
    gap: Days = Field(description="Days from the end of one entry to the start of the next that are still joined.")

    def noun(self) -> Collapse:
        """The operation meant."""
        return Collapse(self.cohort, self.gap)


class SampledDocument(Document):
    """A share of the persons, or a number of them."""

    cohort: _Name = Field(description="The cohort whose persons are sampled, with all their entries.")
    share: Annotated[StrictFloat, Field(gt=0, lt=1)] | None = Field(
        None, description="The share of persons, between 0 and 1."
    )
    number: Annotated[StrictInt, Field(ge=1, le=MAX_SAMPLE)] | None = Field(
        None, description="The number of persons, in the place of a share; all where there are fewer."
    )
    seed: _Seed = Field(description="Another seed gives another sample.")

    def faults(self) -> Iterator[_Fault]:
        """What the shape does not show."""
        if (self.share is None) == (self.number is None):
            yield (), "a sample has a share or a number"

    def noun(self) -> Sample:
        """The operation meant."""
        return Sample(self.cohort, self.share, self.seed, self.number)


class MatchedDocument(Document):
    """Persons like those of a cohort who never enter it."""

    cohort: _Name = Field(description="The cohort whose entries get matches.")
    traits: _Traits = Field(
        ["sex", "year_of_birth"],
        description="What the two have in common; who has an unknown one has no match.",
    )
    ratio: Annotated[StrictInt, Field(ge=1, le=MAX_RATIO)] = Field(1, description="Matches of an entry, at most.")
    seed: _Seed = Field(description="Another seed gives other matches.")
    keep: Literal["controls", "cases"] = Field(
        "controls",
        description="The matches, from the entry's first day to the end of their observation; or the entries that have "
        "one.",
    )

    def faults(self) -> Iterator[_Fault]:
        """What the shape does not show."""
        if len(set(self.traits)) != len(self.traits):
            yield ("traits",), "a trait is given twice"

    def noun(self) -> Match:
        """The operation meant."""
        traits = tuple(Trait(each) for each in self.traits)
        return Match(self.cohort, self.seed, self.ratio, traits, Side(self.keep))


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
    sampled: SampledDocument | None = Field(None, description="Some of the persons, chosen by a hash.")
    matched: MatchedDocument | None = Field(None, description="Persons like those of a cohort who never enter it.")

    def _given(self) -> list[str]:
        return [name for name in type(self).model_fields if getattr(self, name) is not None]

    def faults(self, name: str) -> Iterator[_Fault]:
        """What the shape does not show."""
        if not is_cohort_name(name):
            yield (), "a cohort's name is snake case, at most 64 characters"
        if len(self._given()) != 1:
            yield (), "a cohort is made by one operation"
        for option in ("union", "intersect"):
            names = getattr(self, option) or []
            if len(set(names)) != len(names):
                yield (option,), "a cohort is given twice"
        for option in ("exclude", "within", "require", "sampled", "matched"):
            if (given := getattr(self, option)) is not None:
                yield from (((option, *where), what) for where, what in given.faults())

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
        one = [each and each.noun() for each in (self.require, self.collapse, self.sampled, self.matched)]
        (made,) = (each for each in (*several, self.first and First(self.first), *near, *one) if each)
        return made


OPERATIONS: tuple[str, ...] = tuple(DerivedCohortDocument.model_fields)
