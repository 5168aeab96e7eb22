"""How a study writes the designs around cases."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Annotated, Generic, TypeAlias, TypeVar

from pydantic import BeforeValidator, Field, StrictBool, StrictInt, WithJsonSchema

from enclos.lexicon.codes import Code
from enclos.studies.calibration.document import PositiveControlsDocument, Threshold, wrong_controls
from enclos.studies.calibration.model import PositiveControls
from enclos.studies.cases.model import (
    MAX_CALIPER_YEARS,
    MAX_CONTROLS,
    MAX_SEED,
    CaseControl,
    CaseCrossover,
    Matching,
    SelfControlledCohort,
    Thresholds,
)
from enclos.studies.document.values import (
    NAME_PATTERN,
    Complaint,
    Days,
    Document,
    Many,
    Names,
    listed,
    one_or_many,
    twice,
    unknown_names,
    wrong_pairs,
)
from enclos.studies.model import MAX_DAYS, DayWindow
from enclos.studies.sccs.document import wrong_range
from enclos.studies.sensitivity.document import OtherWayDocument, SensitiveDocument

_WindowDays: TypeAlias = Annotated[
    list[Annotated[StrictInt, Field(ge=-MAX_DAYS, le=MAX_DAYS)]], Field(min_length=2, max_length=2)
]
_OFFSET_SCHEMA = {"type": "integer", "minimum": -MAX_DAYS, "maximum": -1}
_Offsets: TypeAlias = Annotated[
    list[Annotated[StrictInt, Field(ge=-MAX_DAYS, le=-1)]], BeforeValidator(listed), Many, one_or_many(_OFFSET_SCHEMA)
]
_Name: TypeAlias = Annotated[str, WithJsonSchema({"type": "string", "pattern": NAME_PATTERN})]


_JUDGED = Thresholds()


class CaseDiagnosticsDocument(Document):
    """What must hold before a ratio is shown; null: not judged."""

    mdrr: Threshold = Field(_JUDGED.mdrr, description="The largest minimum detectable ratio.")
    ease: Threshold = Field(_JUDGED.ease, description="The largest expected absolute systematic error.")
    left_out: Threshold = Field(
        _JUDGED.left_out, description="The least share of controls that hold when calibrated by all others."
    )

    def noun(self) -> Thresholds:
        """The thresholds meant."""
        return Thresholds(*(None if each is None else float(each) for each in (self.mdrr, self.ease, self.left_out)))


class _Judged(Document):
    diagnostics: CaseDiagnosticsDocument | None = Field(None, description="What must hold before a ratio is shown.")


class _OtherExposure(OtherWayDocument):
    exposure: Names | None = Field(
        None, description="Other cohorts in the exposures' place, such as of other durations or gaps."
    )


_Other = TypeVar("_Other", bound=OtherWayDocument)


class _AroundOutcomes(_Judged, SensitiveDocument[_Other], Generic[_Other]):
    exposure: Names = Field(description="The cohort, or cohorts, of exposures.")
    outcome: Names = Field(description="The cohort, or cohorts, whose first day is the outcome; one result each.")
    negative_controls: Names | None = Field(
        None, description="Outcomes that no exposure changes; they tell the systematic error."
    )
    positive_controls: PositiveControlsDocument | None = Field(
        None, description="Controls of known effect, made of the negative ones by adding outcomes while exposed."
    )
    show_failed: StrictBool = Field(False, description="Whether ratios are shown although a diagnostic fails.")

    def own_faults(self, cohorts: Container[str]) -> Iterator[Complaint]:
        """What the shape does not show."""
        yield from wrong_pairs(self, self.exposure, self.outcome, cohorts)
        yield from unknown_names("negative_controls", self.negative_controls or [], cohorts)
        yield from wrong_controls([*self.exposure, *self.outcome], self.negative_controls, self.positive_controls)

    def judged(self) -> tuple[tuple[str, ...], PositiveControls | None, Thresholds, bool]:
        """Controls, thresholds, and whether ratios that fail are shown."""
        limits = Thresholds() if self.diagnostics is None else self.diagnostics.noun()
        positive = None if self.positive_controls is None else self.positive_controls.noun()
        return tuple(self.negative_controls or ()), positive, limits, self.show_failed


class _BeforeAfterOptions(_Judged):
    """The options that another way of asking may change."""

    risk_window: _WindowDays = Field(
        [1, 30], description="First and last day from the beginning of an exposure, both included."
    )
    control_window: _WindowDays = Field(
        [-30, -1], description="First and last day from the beginning of an exposure; ends before the risk window."
    )
    add_exposure_days: StrictBool = Field(
        True, description="Whether both windows are longer, away from the beginning, by the length of the exposure."
    )
    first_exposure_only: StrictBool = Field(True, description="Whether only a person's first exposure counts.")
    first_outcome_only: StrictBool = Field(True, description="Whether only a person's first outcome counts.")
    full_windows: StrictBool = Field(False, description="Whether all days of both windows are to be observed.")
    days_prior_observation: Days = Field(0, description="Days observed before an exposure begins.")
    follow_up_days: Days = Field(0, description="Days observed after an exposure begins.")


class SelfControlledCohortSensitivityDocument(_OtherExposure, _BeforeAfterOptions):
    """The same asked in another way: what is given replaces what the analysis says."""


class SelfControlledCohortDocument(_BeforeAfterOptions, _AroundOutcomes[SelfControlledCohortSensitivityDocument]):
    """The rate of an outcome after exposures begin against that before, of the same persons."""

    def own_faults(self, cohorts: Container[str]) -> Iterator[Complaint]:
        """What the shape does not show."""
        yield from super().own_faults(cohorts)
        yield from wrong_range("risk_window", self.risk_window)
        yield from wrong_range("control_window", self.control_window)
        if self.control_window[1] >= self.risk_window[0]:
            yield ("control_window",), "ends before the risk window", Code.STUDY_INVALID

    def own_noun(self) -> SelfControlledCohort:
        """The analysis meant, without its other ways."""
        return SelfControlledCohort(
            tuple(self.exposure),
            tuple(self.outcome),
            DayWindow(*self.risk_window),
            DayWindow(*self.control_window),
            self.add_exposure_days,
            self.first_exposure_only,
            self.first_outcome_only,
            self.full_windows,
            self.days_prior_observation,
            self.follow_up_days,
            *self.judged(),
        )


class _CaseOptions(_Judged):
    first_outcome_only: StrictBool = Field(True, description="Whether only a person's first outcome makes a case.")
    days_prior_observation: Days = Field(180, description="Days before the outcome in which a case is observed.")


def _wrong_risk_window(window: list[int]) -> Iterator[Complaint]:
    yield from wrong_range("risk_window", window)
    if window[1] > 0:
        yield ("risk_window",), "ends with the outcome", Code.STUDY_INVALID


class _CaseCrossoverOptions(_CaseOptions):
    """The options that another way of asking may change."""

    risk_window: _WindowDays = Field([-30, 0], description="First and last day from the outcome, both included.")
    control_offsets: _Offsets = Field(
        [-60], description="Days by which each control window lies before the risk window, below zero."
    )


class CaseCrossoverSensitivityDocument(_OtherExposure, _CaseCrossoverOptions):
    """The same asked in another way: what is given replaces what the analysis says."""


class CaseCrossoverDocument(_CaseCrossoverOptions, _AroundOutcomes[CaseCrossoverSensitivityDocument]):
    """Exposure just before an outcome against exposure of the same person at earlier times; exposures in one model."""

    def own_faults(self, cohorts: Container[str]) -> Iterator[Complaint]:
        """What the shape does not show."""
        yield from super().own_faults(cohorts)
        yield from twice(self, "control_offsets")
        yield from _wrong_risk_window(self.risk_window)
        if any(-offset <= self.risk_window[1] - self.risk_window[0] for offset in self.control_offsets):
            yield ("control_offsets",), "a control window overlaps the risk window", Code.STUDY_INVALID

    def own_noun(self) -> CaseCrossover:
        """The analysis meant, without its other ways."""
        return CaseCrossover(
            tuple(self.exposure),
            tuple(self.outcome),
            DayWindow(*self.risk_window),
            tuple(self.control_offsets),
            self.first_outcome_only,
            self.days_prior_observation,
            *self.judged(),
        )


class _CaseControlOptions(_CaseOptions):
    """The options that another way of asking may change."""

    risk_window: _WindowDays = Field([0, 0], description="First and last day from the outcome, both included.")
    within: _Name | None = Field(None, description="The cohort that cases and controls are nested in; none: all.")
    controls: Annotated[StrictInt, Field(ge=1, le=MAX_CONTROLS)] = Field(
        4, description="Controls of each case, at most."
    )
    seed: Annotated[StrictInt, Field(ge=0, le=MAX_SEED)] = Field(0, description="What controls are drawn by.")
    match_sex: StrictBool = Field(True, description="Whether controls have the case's sex.")
    age_caliper_years: Annotated[StrictInt, Field(ge=0, le=MAX_CALIPER_YEARS)] | None = Field(
        2, description="Largest difference of ages; null: persons of any age."
    )
    entry_caliper_days: Days | None = Field(
        None, description="Largest difference of the days on which observation, or the cohort, began; null: any."
    )


class CaseControlSensitivityDocument(_OtherExposure, _CaseControlOptions):
    """The same asked in another way: what is given replaces what the analysis says."""


class CaseControlDocument(_CaseControlOptions, _AroundOutcomes[CaseControlSensitivityDocument]):
    """Exposure of cases against that of persons still without the outcome on the same day; exposures in one model."""

    def own_faults(self, cohorts: Container[str]) -> Iterator[Complaint]:
        """What the shape does not show."""
        yield from super().own_faults(cohorts)
        yield from _wrong_risk_window(self.risk_window)
        if self.within is not None and self.within not in cohorts:
            yield ("within",), "there is no cohort of that name", Code.STUDY_UNKNOWN_NAME
        if self.within in [*self.outcome, *(self.negative_controls or [])]:
            yield ("within",), "cases are not nested in their own outcome", Code.STUDY_INVALID

    def own_noun(self) -> CaseControl:
        """The analysis meant, without its other ways."""
        matching = Matching(self.controls, self.seed, self.match_sex, self.age_caliper_years, self.entry_caliper_days)
        return CaseControl(
            tuple(self.exposure),
            tuple(self.outcome),
            self.within,
            DayWindow(*self.risk_window),
            self.first_outcome_only,
            self.days_prior_observation,
            matching,
            *self.judged(),
        )
