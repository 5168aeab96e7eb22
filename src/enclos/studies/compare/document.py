"""How a study writes a comparison."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import replace
from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, Field, StrictBool, StrictFloat, StrictInt, WithJsonSchema

from enclos.lexicon.codes import Code
from enclos.studies.calibration.document import PositiveControlsDocument, Threshold, wrong_controls
from enclos.studies.compare.model import (
    MAX_RATIO,
    Adjustment,
    Base,
    Comparison,
    Covariates,
    Duplicates,
    Eligibility,
    Estimand,
    Following,
    FollowUp,
    Lookback,
    Match,
    OutcomeModel,
    PriorKind,
    Propensity,
    Scale,
    Source,
    Stratify,
    Thresholds,
    Trim,
    TrimFraction,
    TrimPreference,
    Variant,
    Weight,
)
from enclos.studies.document.values import (
    DAYS_SCHEMA,
    NAME_PATTERN,
    Age,
    Complaint,
    Day,
    Days,
    Document,
    Many,
    Names,
    Washout,
    listed,
    one_or_many,
    twice,
    unknown_names,
)
from enclos.studies.model import MAX_CONCEPT_ID, AgeGroup, DateRange, Sex
from enclos.studies.sensitivity.document import OtherWayDocument, SensitiveDocument
from enclos.studies.sensitivity.model import PRIMARY

_Name: TypeAlias = Annotated[str, WithJsonSchema({"type": "string", "pattern": NAME_PATTERN})]
_Share: TypeAlias = Annotated[StrictFloat | StrictInt, Field(ge=0, le=1), WithJsonSchema({"type": "number"})]
_SourceName: TypeAlias = Literal[
    "demographics", "condition", "drug", "procedure", "device", "measurement", "observation", "counts"
]
_LookbackName: TypeAlias = Literal["any_time", "long_term", "medium_term", "short_term"]
_SEARCHED = "auto"


class CovariatesDocument(Document):
    """What the propensity score is made of."""

    domains: Annotated[
        list[_SourceName],
        BeforeValidator(listed),
        Many,
        one_or_many({"type": "string", "enum": [each.value for each in Source]}),
    ] = Field(
        [each.value for each in Source],
        description="Where covariates are made from; all of them when not given.",
    )
    windows: Annotated[
        list[_LookbackName],
        BeforeValidator(listed),
        Many,
        one_or_many({"type": "string", "enum": [each.value for each in Lookback]}),
    ] = Field(
        [each.value for each in Lookback],
        description="Days up to entry: any time, 365, 180 and 30; all of them when not given.",
    )
    exclude: list[Annotated[StrictInt, Field(gt=0, le=MAX_CONCEPT_ID)]] = Field(
        [],
        max_length=1000,
        description="Concepts that are no covariates, nor their descendants; the exposures' own never are.",
    )
    min_fraction: Annotated[StrictFloat | StrictInt, Field(ge=0, lt=1), WithJsonSchema({"type": "number"})] = Field(
        0.001, description="The share of entries below which a covariate is left out of the score."
    )

    def noun(self) -> Covariates:
        """The covariates meant."""
        domains, windows = set(self.domains), set(self.windows)
        return Covariates(
            tuple(each for each in Source if each.value in domains),
            tuple(each for each in Lookback if each.value in windows),
            tuple(dict.fromkeys(self.exclude)),
            float(self.min_fraction),
        )


class PropensityDocument(Document):
    """How the propensity score is fitted."""

    prior: Literal["laplace", "normal", "none"] = Field("laplace", description="What keeps coefficients small.")
    variance: Annotated[
        StrictFloat | StrictInt | Literal["auto"],
        WithJsonSchema({"anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"const": _SEARCHED}]}),
    ] = Field("auto", description="The prior's variance; auto: chosen by cross-validation.")
    folds: Annotated[StrictInt, Field(ge=2, le=100)] = Field(10, description="Folds of the cross-validation.")
    seed: Annotated[StrictInt, Field(ge=0, le=2**31 - 1)] = Field(1, description="Which persons are in which fold.")

    def noun(self) -> Propensity:
        """The fit meant."""
        variance = None if self.variance == _SEARCHED else float(self.variance)
        return Propensity(PriorKind(self.prior), variance, self.folds, self.seed)


class MatchDocument(Document):
    """Matching on the propensity score."""

    ratio: Annotated[StrictInt, Field(ge=1, le=MAX_RATIO)] = Field(1, description="The most comparators in a set.")
    fixed: StrictBool = Field(False, description="Whether sets with fewer comparators are left out.")
    caliper: Annotated[StrictFloat | StrictInt, Field(ge=0), WithJsonSchema({"type": "number"})] = Field(
        0.2, description="The distance below which entries match; 0: any distance."
    )
    scale: Literal["propensity", "standardised", "standardised_logit"] = Field(
        "standardised_logit", description="What the caliper is measured in."
    )


class StratifyDocument(Document):
    """Stratification on the propensity score."""

    strata: Annotated[StrictInt, Field(ge=2, le=MAX_RATIO)] = Field(5, description="How many strata.")
    base: Literal["all", "target", "comparator"] = Field("all", description="Whose scores they divide evenly.")


class WeightDocument(Document):
    """Weighting by the propensity score."""

    estimand: Literal["ate", "att", "overlap"] = Field(
        "ate", description="Whom the effect is about: all, the target, or those who could have had either."
    )
    max_weight: Annotated[StrictFloat | StrictInt | None, WithJsonSchema({"type": "number", "exclusiveMinimum": 0})] = (
        Field(None, description="Larger weights are set to this one.")
    )


_JUDGED = Thresholds()


class DiagnosticsDocument(Document):
    """What must hold before an estimate is shown; null: not judged."""

    equipoise: Threshold = Field(_JUDGED.equipoise, description="The least share of entries in equipoise.")
    max_smd: Threshold = Field(_JUDGED.max_smd, description="The largest difference of a covariate after adjustment.")
    smd_alpha: Threshold = Field(
        _JUDGED.smd_alpha, description="A larger difference passes while chance explains it so often; null: never."
    )
    mdrr: Threshold = Field(_JUDGED.mdrr, description="The largest minimum detectable relative risk.")
    ease: Threshold = Field(_JUDGED.ease, description="The largest expected absolute systematic error.")
    attrition: Threshold = Field(
        _JUDGED.attrition, description="The largest share of the target that adjustment may lose."
    )
    left_out: Threshold = Field(
        _JUDGED.left_out, description="The least share of controls that hold when calibrated by all others."
    )


class _Options(Document):
    """The options that a sensitivity analysis may change."""

    days_prior_observation: Days = Field(365, description="Days under observation before entry.")
    first_exposure: StrictBool = Field(True, description="Whether only a person's first entry into a cohort counts.")
    duplicates: Literal["keep_all", "keep_first", "keep_first_truncate", "remove_all"] = Field(
        "keep_first", description="What becomes of persons who enter both cohorts."
    )
    common_period: StrictBool = Field(
        False, description="Whether only entries from the time in which both cohorts are entered count."
    )
    date_range: Annotated[
        list[Day | None],
        Field(min_length=2, max_length=2),
        WithJsonSchema({"type": "array", "minItems": 2, "maxItems": 2}),
    ] = Field([None, None], description="First and last day of entry; null leaves an end open.")
    age: Annotated[list[Age], Field(min_length=2, max_length=2)] = Field(
        [0, 150], description="Lowest and highest age at entry in completed years."
    )
    sex: Literal["both", "male", "female"] = Field("both", description="Who is compared.")
    outcome_washout: Washout = Field(
        None,
        description="Days before following begins that must be free of the outcome; all: all time; 0: none.",
        json_schema_extra={"default": "all"},
    )
    follow_up: Literal["intention_to_treat", "on_treatment"] = Field(
        "intention_to_treat",
        description="Whether entries are followed to the end of observation, or to the end of the exposure's cohort.",
    )
    grace_days: Days = Field(0, description="Days after the end of the exposure's cohort that still count.")
    risk_from_day: Days = Field(0, description="The first day after entry on which an outcome counts.")
    follow_up_days: Annotated[Days | None, WithJsonSchema(DAYS_SCHEMA)] = Field(
        None, description="The last day after entry on which an outcome counts; no such end when not given."
    )
    min_days_at_risk: Days = Field(1, description="Entries that are at risk for fewer days are left out.")
    censor_at_switch: StrictBool = Field(
        False, description="Whether following ends the day before the other cohort is entered."
    )
    covariates: CovariatesDocument | None = Field(None, description="What the propensity score is made of.")
    propensity: PropensityDocument | None = Field(None, description="How the score is fitted.")
    trim_fraction: Annotated[
        StrictFloat | None, Field(gt=0, lt=1), WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1})
    ] = Field(None, description="The share of each cohort to leave out where the other has hardly anybody.")
    trim_preference: Annotated[
        list[_Share] | None,
        Field(min_length=2, max_length=2),
        WithJsonSchema({"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}),
    ] = Field(None, description="Lowest and highest preference score of the entries that are kept.")
    match: MatchDocument | None = Field(None, description="Match on the score; as a rule 1 to 1.")
    stratify: StratifyDocument | None = Field(None, description="Stratify by the score instead of matching.")
    weight: WeightDocument | None = Field(None, description="Weight by the score instead of matching.")
    model: Literal["cox", "poisson", "logistic"] = Field("cox", description="What estimates the effect.")
    diagnostics: DiagnosticsDocument | None = Field(None, description="What must hold before an estimate is shown.")

    def clashes(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Options that clash with each other."""
        if len(given := [name for name in _ADJUSTMENTS if getattr(self, name) is not None]) > 1:
            yield (given[1],), f"is given beside {given[0]}: a comparison is adjusted in one way"
        if self.trim_fraction is not None and self.trim_preference is not None:
            yield ("trim_preference",), "is given beside trim_fraction"
        if self.trim_preference is not None and self.trim_preference[1] <= self.trim_preference[0]:
            yield ("trim_preference",), "is [lowest, highest]"
        if self.age[1] < self.age[0]:
            yield ("age",), "is [lowest, highest]"
        first, last = self.date_range
        if first is not None and last is not None and last < first:
            yield ("date_range",), "ends before it starts"
        if self.follow_up_days is not None and self.follow_up_days < self.risk_from_day:
            yield ("follow_up_days",), "ends before risk_from_day"
        if self.grace_days and self.follow_up != Following.ON_TREATMENT.value:
            yield ("grace_days",), "belongs to follow_up on_treatment"
        variance = None if self.propensity is None else self.propensity.variance
        if isinstance(variance, int | float) and variance <= 0:
            yield ("propensity", "variance"), "is positive"
        if self.weight is not None and self.weight.max_weight is not None and self.weight.max_weight <= 0:
            yield ("weight", "max_weight"), "is positive"


_ADJUSTMENTS = ("match", "stratify", "weight")
_TRIMS = ("trim_fraction", "trim_preference")


class SensitivityDocument(OtherWayDocument, _Options):
    """The same question asked in another way: what is given replaces what the analysis says."""

    target: _Name | None = Field(None, description="Another cohort in the target's place, such as of other durations.")
    comparator: _Name | None = Field(None, description="Another cohort in the comparator's place.")


class CompareDocument(_Options, SensitiveDocument[SensitivityDocument]):
    """A comparison of new users."""

    _alike = (_ADJUSTMENTS, _TRIMS)

    target: _Name = Field(description="The cohort whose effect is asked for.")
    comparator: _Name = Field(description="The cohort that it is compared with.")
    outcome: Names = Field(description="The cohort, or cohorts, whose first day is the outcome.")
    negative_controls: Names | None = Field(
        None, description="Outcomes that neither drug changes; they tell the systematic error."
    )
    positive_controls: PositiveControlsDocument | None = Field(
        None, description="Outcomes of known effect, made of the negative controls; without it there are none."
    )

    def own_faults(self, cohorts: Container[str]) -> Iterator[Complaint]:
        """What the shape does not show."""
        for option in ("target", "comparator"):
            if getattr(self, option) not in cohorts:
                yield (option,), "there is no cohort of that name", Code.STUDY_UNKNOWN_NAME
        if self.target == self.comparator:
            yield ("comparator",), "a cohort is not compared with itself", Code.STUDY_INVALID
        yield from unknown_names("outcome", self.outcome, cohorts)
        yield from unknown_names("negative_controls", self.negative_controls or [], cohorts)
        yield from twice(self, "outcome")
        yield from wrong_controls(self.outcome, self.negative_controls, self.positive_controls)
        for where, what in self.clashes():
            yield where, what, Code.STUDY_INVALID

    def own_noun(self) -> Comparison:
        """The comparison meant, without its other ways."""
        return Comparison(
            _variant(PRIMARY, self.target, self.comparator, self),
            tuple(self.outcome),
            tuple(self.negative_controls or ()),
            positive_controls=None if self.positive_controls is None else self.positive_controls.noun(),
        )

    def noun(self) -> Comparison:
        """The comparison meant: its ways are gathered together, since they share entries and covariates."""
        others = (replace(self.asked_as(each).own_noun().primary, name=each.name) for each in self.sensitivity or ())
        return replace(self.own_noun(), sensitivity=tuple(others))


def _variant(name: str, target: str, comparator: str, asked: _Options) -> Variant:
    return Variant(
        name,
        target,
        comparator,
        Eligibility(
            asked.days_prior_observation,
            asked.first_exposure,
            Duplicates(asked.duplicates),
            asked.common_period,
            DateRange(*asked.date_range),
            AgeGroup(*asked.age),
            Sex(asked.sex),
            asked.outcome_washout,
        ),
        FollowUp(
            Following(asked.follow_up),
            asked.risk_from_day,
            asked.grace_days,
            asked.follow_up_days,
            asked.min_days_at_risk,
            asked.censor_at_switch,
        ),
        Covariates() if asked.covariates is None else asked.covariates.noun(),
        Propensity() if asked.propensity is None else asked.propensity.noun(),
        _trim(asked),
        _adjustment(asked),
        OutcomeModel(asked.model),
        Thresholds() if asked.diagnostics is None else Thresholds(**_floats(asked.diagnostics)),
    )


def _floats(asked: DiagnosticsDocument) -> dict[str, float | None]:
    given = {name: getattr(asked, name) for name in DiagnosticsDocument.model_fields}
    return {name: None if value is None else float(value) for name, value in given.items()}


def _trim(asked: _Options) -> Trim | None:
    if asked.trim_fraction is not None:
        return TrimFraction(asked.trim_fraction)
    bounds = asked.trim_preference
    return None if bounds is None else TrimPreference(float(bounds[0]), float(bounds[1]))


def _adjustment(asked: _Options) -> Adjustment:
    if asked.stratify is not None:
        return Stratify(asked.stratify.strata, Base(asked.stratify.base))
    if asked.weight is not None:
        largest = asked.weight.max_weight
        return Weight(Estimand(asked.weight.estimand), None if largest is None else float(largest))
    if (found := asked.match) is None:
        return Match()
    return Match(found.ratio, found.fixed, float(found.caliper), Scale(found.scale))
