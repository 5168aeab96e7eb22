"""A comparison in the words of a protocol."""

from __future__ import annotations

from collections.abc import Iterator

from enclos.studies.compare.model import Comparison, TrimFraction, TrimPreference, Variant
from enclos.studies.compare.words import adjusted_by
from enclos.studies.protocol.shape import Options, Words, changes
from enclos.studies.protocol.words import dates, days, listed, names, positive_controls, yes


def _comparison(each: Comparison) -> Options:
    """Every option of a comparison but those that sensitivity analyses change."""
    yield from _options(each.primary)
    yield "Negative controls", names(each.negative_controls) if each.negative_controls else "none"
    yield "Positive controls", positive_controls(each.positive_controls)


def _population(each: Comparison) -> str:
    who = each.primary.eligibility
    first = "a person's first entry" if who.first_exposure else "every entry"
    return (
        f"new users of `{each.primary.target}` and of `{each.primary.comparator}`, {first}, after "
        f"{days(who.days_prior_observation, '')} of observation; ages {who.ages.word}, sex {who.sex.word}, "
        f"entries from {dates(who.date_range)}"
    )


def _covariates(each: Comparison) -> str:
    made = each.primary.covariates
    excluded = ", ".join(map(str, made.excluded)) or "those of the exposures"
    return (
        f"the propensity score is made of {listed(made.sources)}, in the windows {listed(made.lookbacks)} before "
        f"entry, without the concepts {excluded} and their descendants, and without what a share of the persons "
        f"below {made.min_fraction:g} has"
    )


def _sensitivity(each: Comparison) -> Iterator[str]:
    for other in each.sensitivity:
        yield f"`{other.name}`: {changes(_options(each.primary), _options(other))}"


def _options(each: Variant) -> Options:
    who, follow, made, score = each.eligibility, each.follow_up, each.covariates, each.propensity
    yield "Target", f"`{each.target}`"
    yield "Comparator", f"`{each.comparator}`"
    yield "Days of prior observation", days(who.days_prior_observation, "")
    yield "Only a person's first entry", yes(who.first_exposure)
    yield "Persons who enter both cohorts", who.duplicates.value.replace("_", " ")
    yield "Only the time in which both cohorts are entered", yes(who.common_period)
    yield "Study dates", dates(who.date_range)
    yield "Age at entry", who.ages.word
    yield "Sex", who.sex.word
    yield "Washout of the outcome", days(who.outcome_washout_days, "all time")
    yield "Follow-up", follow.kind.value.replace("_", " ")
    yield "First day at risk", f"day {follow.from_day} after entry"
    yield "Days of grace", days(follow.grace_days, "")
    yield "Longest follow-up", days(follow.longest_days, "no other end")
    yield "Least time at risk", days(follow.min_days, "")
    yield "Follow-up ends at a switch", yes(follow.censor_at_switch)
    yield "Covariates made from", listed(made.sources)
    yield "Windows of covariates", listed(made.lookbacks)
    yield "Concepts that are no covariates", ", ".join(map(str, made.excluded)) or "those of the exposures"
    yield "Least share of a covariate", made.min_fraction
    variance = f"{score.folds}-fold cross-validation, seed {score.seed}" if score.variance is None else score.variance
    yield "Propensity score", f"logistic regression, {score.prior.value} prior, variance by {variance}"
    yield "Trimming", _trim(each)
    yield "Adjustment", adjusted_by(each)
    yield "Outcome model", each.model.value
    yield "Diagnostics before an estimate is shown", _thresholds(each)


def _trim(each: Variant) -> str:
    if isinstance(each.trim, TrimFraction):
        return f"{each.trim.fraction:g} of each cohort"
    if isinstance(each.trim, TrimPreference):
        return f"preference scores from {each.trim.lower:g} to {each.trim.upper:g}"
    return "none"


def _thresholds(each: Variant) -> str:
    asked = each.thresholds
    words = {
        "equipoise at least": asked.equipoise,
        "standardised differences at most": asked.max_smd,
        "unless chance explains them with a probability of": asked.smd_alpha,
        "minimum detectable relative risk at most": asked.mdrr,
        "expected absolute systematic error at most": asked.ease,
        "share of the target lost at most": asked.attrition,
        "share of controls that the others calibrate at least": asked.left_out,
    }
    return "; ".join(f"{what} {value:g}" for what, value in words.items() if value is not None) or "none"


COMPARISON = Words(
    "Comparison of new users",
    "new-user active-comparator cohorts, made alike by the propensity score",
    lambda each: (
        f"Do new users of `{each.primary.target}` have {names(each.outcomes)} more often than new users of "
        f"`{each.primary.comparator}`?"
    ),
    lambda each: each.outcomes,
    _comparison,
    "Ratio of hazards, rates or odds with its 95 % interval (profile of the likelihood; sandwich variance where "
    "entries are weighted), after the diagnostics; calibrated where there are negative controls",
    (
        "compare_estimates",
        "compare_controls",
        "compare_score",
        "compare_balance",
        "compare_survival",
        "compare_survival_events",
    ),
    _population,
    _covariates,
    _sensitivity,
    "What decides on the treatment and the outcome and is not recorded is not in the score; negative controls show the "
    "error that is left, where there are any.",
)
