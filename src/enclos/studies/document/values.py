"""The values and shapes that documents of several kinds share."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictInt,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)
from pydantic_core import PydanticCustomError

from enclos.lexicon.codes import Code
from enclos.studies.model import (
    MAX_AGE_YEARS,
    MAX_DAYS,
    Analysis,
    Domain,
    Interval,
    Limit,
    Sex,
    Stratum,
    TimePoint,
)

MAX_LISTED = 1000
Path: TypeAlias = tuple[str | int, ...]
Complaint: TypeAlias = tuple[Path, str, Code]
"""Where in an entry something is wrong, what, and of which kind."""


def listed(value: object) -> object:
    return value if isinstance(value, list) or value is None else [value]


def one_or_many(item: Mapping[str, Any]) -> WithJsonSchema:
    many = {"type": "array", "items": dict(item), "minItems": 1, "maxItems": MAX_LISTED, "uniqueItems": True}
    return WithJsonSchema({"anyOf": [dict(item), many]})


def words(values: type[Domain | Limit | Sex | Interval | TimePoint]) -> dict[str, Any]:
    return {"type": "string", "enum": [each.value for each in values]}


NAME_PATTERN = "^[a-z][a-z0-9_]{0,63}$"
Many = Field(min_length=1, max_length=MAX_LISTED)
DAYS_SCHEMA = {"type": "integer", "minimum": 0, "maximum": MAX_DAYS}
AGE_SCHEMA = {"type": "integer", "minimum": 0, "maximum": MAX_AGE_YEARS}
Days: TypeAlias = Annotated[StrictInt, Field(ge=0, le=MAX_DAYS)]
Age: TypeAlias = Annotated[StrictInt, Field(ge=0, le=MAX_AGE_YEARS)]
Names: TypeAlias = Annotated[
    list[str], BeforeValidator(listed), Many, one_or_many({"type": "string", "pattern": NAME_PATTERN})
]
Sexes: TypeAlias = Annotated[
    list[Literal["both", "male", "female"]], BeforeValidator(listed), Many, one_or_many(words(Sex))
]
PriorDays: TypeAlias = Annotated[list[Days], BeforeValidator(listed), Many, one_or_many(DAYS_SCHEMA)]
Intervals: TypeAlias = Annotated[
    list[Literal["weeks", "months", "quarters", "years", "overall"]],
    BeforeValidator(listed),
    Many,
    one_or_many(words(Interval)),
]
Domains: TypeAlias = Annotated[
    list[Literal["condition", "drug", "procedure", "measurement", "observation", "visit"]],
    BeforeValidator(listed),
    one_or_many(words(Domain)),
]
_STRATUM = {"type": "string", "enum": [each.value for each in Stratum]}
StrataNames: TypeAlias = Annotated[
    list[Literal["age_group", "sex", "department"]], BeforeValidator(listed), one_or_many(_STRATUM)
]
StrataSets: TypeAlias = Annotated[
    list[
        Annotated[list[Literal["age_group", "sex", "department"]], BeforeValidator(listed), Many, one_or_many(_STRATUM)]
    ],
    Many,
]
"""Names, or lists of names whose levels are combined."""
AgeGroups: TypeAlias = Annotated[list[Annotated[list[Age], Field(min_length=2, max_length=2)]], Many]

_DAY_SCHEMA = {"anyOf": [{"type": "integer", "minimum": -MAX_DAYS, "maximum": MAX_DAYS}, {"type": "null"}]}
WINDOW_SCHEMA = {"type": "array", "items": _DAY_SCHEMA, "minItems": 2, "maxItems": 2}
WindowDays: TypeAlias = Annotated[
    list[Annotated[StrictInt, Field(ge=-MAX_DAYS, le=MAX_DAYS)] | None],
    Field(min_length=2, max_length=2),
    WithJsonSchema(WINDOW_SCHEMA),
]
"""First and last day relative to the index day; null leaves an end open."""


_WRITTEN_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def _day(value: object, read: ValidatorFunctionWrapHandler) -> object:
    """A day as it is written; a bare number is none, though it could be the seconds since 1970."""
    fault = PydanticCustomError("day", "should be a day, YYYY-MM-DD")
    if isinstance(value, int | float) or (isinstance(value, str) and not _WRITTEN_DAY.match(value)):
        raise fault
    try:
        return read(value)
    except ValidationError:
        raise fault from None


Day: TypeAlias = Annotated[date, WrapValidator(_day)]


def _washout(value: object) -> object:
    if value is None:
        raise PydanticCustomError("washout", "should be a number of days, or all")
    return None if value == "all" else value


Washout: TypeAlias = Annotated[
    Days | None, BeforeValidator(_washout), WithJsonSchema({"anyOf": [DAYS_SCHEMA, {"const": "all"}]})
]


class Document(BaseModel):
    """Options by name; others are refused, and what was given is never repeated in a message."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class AnalysisDocument(Document, ABC):
    """One analysis with its options."""

    @abstractmethod
    def faults(self, cohorts: Container[str]) -> Iterator[Complaint]:
        """What the shape does not show: names that nothing defines, ranges the wrong way round, options that clash.

        In: cohorts — the names of the study's cohorts
        """

    @abstractmethod
    def noun(self) -> Analysis:
        """The analysis meant; asked for only when there are no faults."""


def unknown_names(option: str, names: Sequence[str], cohorts: Container[str]) -> Iterator[Complaint]:
    """Names of cohorts that the study does not define."""
    for at, name in enumerate(names):
        if name not in cohorts:
            yield (option, at), "there is no cohort of that name", Code.STUDY_UNKNOWN_NAME


def twice(document: Document, *options: str) -> Iterator[Complaint]:
    """Options in which a value is given twice."""
    for option in options:
        values = [str(value) for value in getattr(document, option)]
        if len(set(values)) != len(values):
            yield (option,), "a value is given twice", Code.STUDY_INVALID


def wrong_pairs(
    document: Document, exposure: Sequence[str], outcome: Sequence[str], cohorts: Container[str]
) -> Iterator[Complaint]:
    """Exposures and outcomes that the study does not define, are given twice, or are both."""
    yield from unknown_names("exposure", exposure, cohorts)
    yield from unknown_names("outcome", outcome, cohorts)
    yield from twice(document, "exposure", "outcome")
    if set(exposure) & set(outcome):
        yield ("outcome",), "an exposure is not its own outcome", Code.STUDY_INVALID


def wrong_ages(age_groups: Sequence[Sequence[int]], option: str = "age_groups") -> Iterator[Complaint]:
    """Age groups whose lowest age is above their highest."""
    for at, (lowest, highest) in enumerate(age_groups):
        if highest < lowest:
            yield (option, at), "an age group is [lowest, highest]", Code.STUDY_INVALID


def wrong_windows(option: str, windows: Sequence[Sequence[int | None]]) -> Iterator[Complaint]:
    """Windows of days whose first day is after their last."""
    for at, window in enumerate(windows):
        if backwards(window):
            yield (option, at), "a window is [first day, last day]", Code.STUDY_INVALID


def backwards(window: Sequence[int | None]) -> bool:
    """Whether a window's first day is after its last."""
    first, last = window
    return first is not None and last is not None and last < first


def wrong_strata_sets(strata: Sequence[Sequence[str]]) -> Iterator[Complaint]:
    """Names twice in one set, or two sets of the same names."""
    sets = {frozenset(names) for names in strata}
    if len(sets) != len(strata) or any(len(set(names)) != len(names) for names in strata):
        yield ("strata",), "a value is given twice", Code.STUDY_INVALID


def wrong_strata(
    age_groups: Sequence[Sequence[int]],
    strata: Iterable[str],
    *,
    for_strata_alone: bool = False,
    option: str = "age_groups",
) -> Iterator[Complaint]:
    """Age groups that cannot tell persons apart: an age in two of them, strata by age without groups or groups without.

    In: for_strata_alone — whether age groups serve nothing but strata; option — what the age groups are called
    """
    yield from wrong_ages(age_groups, option)
    ordered = sorted((lowest, highest) for lowest, highest in age_groups)
    if any(after[0] <= before[1] for before, after in pairwise(ordered)):
        yield (option,), "an age is in two groups", Code.STUDY_INVALID
    by_age = Stratum.AGE_GROUP.value in strata
    if by_age and not age_groups:
        yield ("strata",), f"age_group needs {option}", Code.STUDY_INVALID
    if age_groups and not by_age and for_strata_alone:
        yield (option,), "strata does not name age_group", Code.STUDY_INVALID
