"""How a study writes a self-controlled case series."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field, StrictBool, StrictFloat, StrictInt, WithJsonSchema

from enclos.lexicon.codes import Code
from enclos.studies.calibration.document import PositiveControlsDocument, Threshold, wrong_controls
from enclos.studies.document.values import (
    AGE_SCHEMA,
    NAME_PATTERN,
    Age,
    Complaint,
    Day,
    Days,
    Document,
    Names,
    unknown_names,
    wrong_pairs,
)
from enclos.studies.model import MAX_DAYS, AgeGroup, DateRange
from enclos.studies.sccs.model import MAX_KNOTS, RESERVED, Anchor, Cases, Sccs, Thresholds, Time, Window
from enclos.studies.sensitivity.document import OtherWayDocument, SensitiveDocument

_N_KNOTS = 5
_AnyDays: TypeAlias = Annotated[StrictInt, Field(ge=-MAX_DAYS, le=MAX_DAYS)]
AgeRange: TypeAlias = Annotated[
    list[Age],
    Field(min_length=2, max_length=2),
    WithJsonSchema({"type": "array", "items": AGE_SCHEMA, "minItems": 2, "maxItems": 2}),
]
_Name: TypeAlias = Annotated[str, Field(pattern=NAME_PATTERN)]
Dates: TypeAlias = Annotated[list[Day | None], Field(min_length=2, max_length=2)]


def _knots(value: object) -> object:
    return (_N_KNOTS if value else 0) if isinstance(value, bool) else value


_KNOTS_SCHEMA: dict[str, Any] = {
    "anyOf": [{"type": "boolean"}, {"type": "integer", "minimum": 3, "maximum": MAX_KNOTS}, {"const": 0}]
}
_Knots: TypeAlias = Annotated[
    Literal[0] | Annotated[StrictInt, Field(ge=3, le=MAX_KNOTS)],
    BeforeValidator(_knots),
    WithJsonSchema(_KNOTS_SCHEMA),
]


class WindowDocument(Document):
    """Days around each exposure, both ends included."""

    start: _AnyDays = Field(0, description="First day, from its anchor.")
    start_anchor: Literal["start", "end"] = Field("start", description="The exposure's day that start counts from.")
    end: _AnyDays = Field(0, description="Last day, from its anchor; never as far as the next exposure.")
    end_anchor: Literal["start", "end"] = Field("end", description="The exposure's day that end counts from.")
    first_only: StrictBool = Field(False, description="Whether only a person's first exposure has the window.")

    def noun(self, name: str) -> Window:
        """The window meant."""
        return Window(name, self.start, Anchor(self.start_anchor), self.end, Anchor(self.end_anchor), self.first_only)


_Ratio: TypeAlias = Annotated[StrictFloat | StrictInt, Field(gt=0)]
_Bounds: TypeAlias = Annotated[list[_Ratio], Field(min_length=2, max_length=2)] | None
_JUDGED = Thresholds()


class DiagnosticsDocument(Document):
    """What must hold before a ratio is shown; null: not judged."""

    rare_outcome: Threshold = Field(
        _JUDGED.rare_outcome, description="The largest share with the outcome, where only the first counts."
    )
    pre_exposure: _Bounds = Field(
        [0.8, 1.25], description="Bounds that the interval of the window before an exposure touches."
    )
    end_of_observation: _Bounds = Field(
        [0.5, 2.0], description="Bounds that the interval of the window at the end of observation touches."
    )
    time_stability: Threshold = Field(
        _JUDGED.time_stability, description="The largest mean ratio of outcomes by month to those expected."
    )
    mdrr: Threshold = Field(_JUDGED.mdrr, description="The largest minimum detectable rate ratio.")
    ease: Threshold = Field(_JUDGED.ease, description="The largest expected absolute systematic error.")
    left_out: Threshold = Field(
        _JUDGED.left_out, description="The least share of controls that hold when calibrated by all others."
    )

    def noun(self) -> Thresholds:
        """The thresholds meant."""
        pairs = (self.pre_exposure, self.end_of_observation)
        before, end = (None if each is None else (float(each[0]), float(each[1])) for each in pairs)
        singles = (self.rare_outcome, self.time_stability, self.mdrr, self.ease, self.left_out)
        rare, stable, mdrr, ease, left_out = (None if each is None else float(each) for each in singles)
        return Thresholds(rare, before, end, stable, mdrr, ease, left_out)


class _Options(Document):
    """The options that another way of asking may change."""

    windows: (
        Annotated[dict[_Name, WindowDocument], Field(min_length=1, json_schema_extra={"additionalProperties": False})]
        | None
    ) = Field(
        None, description="Windows around each exposure, by name; the days exposed, named exposed, when not given."
    )
    pre_exposure_days: Days = Field(
        30, description="Days before each exposure that are a window of their own; 0: none."
    )
    end_of_observation_days: Days = Field(
        30, description="Days at the end of a person's time that are a window of their own; 0: none."
    )
    first_outcome_only: StrictBool = Field(
        False, description="Whether only the first outcome of an observation period counts."
    )
    naive_days: Days = Field(0, description="Days at the start of an observation period that are left out.")
    ages: AgeRange | None = Field(
        None, description="Ages at which time counts, in completed years, as [lowest, highest]."
    )
    date_range: Dates = Field(
        [None, None], description="First and last day on which time counts; null leaves it to the data."
    )
    age_spline: _Knots = Field(0, description="Adjust for age: number of knots, or true for 5.")
    season_spline: _Knots = Field(0, description="Adjust for season: number of knots, or true for 5.")
    calendar_spline: _Knots = Field(0, description="Adjust for calendar time: number of knots, or true for 5.")
    event_dependent_observation: StrictBool = Field(
        False,
        description="Whether time is weighed for observation that ends because of the outcome; first outcomes only.",
    )
    diagnostics: DiagnosticsDocument | None = Field(None, description="What must hold before a ratio is shown.")


class SccsSensitivityDocument(OtherWayDocument, _Options):
    """The same case series asked in another way: what is given replaces what the analysis says."""

    exposure: Names | None = Field(
        None, description="Other cohorts in the exposures' place, such as of other durations or gaps."
    )


class SccsDocument(_Options, SensitiveDocument[SccsSensitivityDocument]):
    """A self-controlled case series: the rate of an outcome while exposed against the same person's other time."""

    exposure: Names = Field(
        description="The cohort, or cohorts, of exposures; in one model, each adjusted for the others."
    )
    outcome: Names = Field(description="The cohort, or cohorts, whose first day is the outcome; one model each.")
    negative_controls: Names | None = Field(
        None, description="Outcomes that no exposure changes; they tell the systematic error."
    )
    positive_controls: PositiveControlsDocument | None = Field(
        None, description="Outcomes of known effect, made of the negative controls; without it there are none."
    )
    show_failed: StrictBool = Field(False, description="Whether estimates are shown although a diagnostic fails.")

    def own_faults(self, cohorts: Container[str]) -> Iterator[Complaint]:
        """What the shape does not show."""
        yield from wrong_pairs(self, self.exposure, self.outcome, cohorts)
        yield from self._wrong_windows()
        yield from wrong_range("ages", self.ages)
        yield from wrong_range("date_range", self.date_range)
        if self.event_dependent_observation and not self.first_outcome_only:
            yield ("event_dependent_observation",), "belongs to first_outcome_only", Code.STUDY_INVALID
        yield from unknown_names("negative_controls", self.negative_controls or [], cohorts)
        yield from wrong_controls([*self.exposure, *self.outcome], self.negative_controls, self.positive_controls)
        for option in ("pre_exposure", "end_of_observation"):
            for where, what, code in wrong_range(option, getattr(self.diagnostics, option, None)):
                yield ("diagnostics", *where), what, code

    def _wrong_windows(self) -> Iterator[Complaint]:
        for name, window in (self.windows or {}).items():
            if name in RESERVED:
                yield ("windows", name), "this window has an option of its own", Code.STUDY_INVALID
            if window.start_anchor == window.end_anchor and window.end < window.start:
                yield ("windows", name), "a window runs from its first to its last day", Code.STUDY_INVALID

    def own_noun(self) -> Sccs:
        """The analysis meant, without its other ways."""
        windows = (
            tuple(each.noun(name) for name, each in self.windows.items()) if self.windows else (Window("exposed"),)
        )
        ages = None if self.ages is None else AgeGroup(*self.ages)
        return Sccs(
            tuple(self.exposure),
            tuple(self.outcome),
            windows,
            Cases(self.first_outcome_only, self.naive_days, ages, DateRange(*self.date_range)),
            Time(self.age_spline, self.season_spline, self.calendar_spline),
            self.pre_exposure_days,
            self.end_of_observation_days,
            self.show_failed,
            Thresholds() if self.diagnostics is None else self.diagnostics.noun(),
            tuple(self.negative_controls or ()),
            None if self.positive_controls is None else self.positive_controls.noun(),
            self.event_dependent_observation,
        )


def wrong_range(option: str, values: list[Any] | None) -> Iterator[Complaint]:
    """A range whose first end is after its last."""
    first, last = values or (None, None)
    if first is not None and last is not None and last < first:
        yield (option,), "a range is [first, last]", Code.STUDY_INVALID
