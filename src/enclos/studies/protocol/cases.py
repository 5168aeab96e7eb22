"""The designs around cases in words."""

from __future__ import annotations

from enclos.studies.cases.model import CaseControl, CaseCrossover, SelfControlledCohort
from enclos.studies.protocol.shape import Options, Words
from enclos.studies.protocol.words import dates, days, names, positive_controls, windows, yes
from enclos.studies.sccs.findings import window_words
from enclos.studies.sccs.model import Sccs, Thresholds


def _sccs(each: Sccs) -> Options:
    cases, time = each.cases, each.time
    yield "Exposures, in one model", names(each.exposures)
    yield "Outcomes, one model each", names(each.outcomes)
    yield "Windows in days from an exposure's start or end", "; ".join(map(window_words, each.windows))
    yield "Window before each exposure", _window_days(each.pre_exposure_days)
    yield "Window at the end of observation", _window_days(each.end_of_observation_days)
    yield "Only the first outcome of an observation period", yes(cases.first_outcome_only)
    yield "Days left out at the start of observation", days(cases.naive_days, "")
    yield "Ages", "all" if cases.ages is None else f"{cases.ages.word} years"
    yield "Dates", dates(cases.dates)
    for name, knots in (("age", time.age_knots), ("season", time.season_knots), ("calendar time", time.calendar_knots)):
        yield f"Spline over {name}", f"{knots} knots" if knots else "none"
    yield "Time weighed for observation that ends because of the outcome", yes(each.weigh_observation)
    yield "Negative controls", names(each.negative_controls) if each.negative_controls else "none"
    yield "Positive controls", positive_controls(each.positive_controls)
    yield "Diagnostics before a ratio is shown", _series_thresholds(each.thresholds)
    yield "Estimates shown although a diagnostic fails", yes(each.show_failed)


def _series_thresholds(asked: Thresholds) -> str:
    bounds = {
        "the interval before an exposure touches": asked.pre_exposure,
        "the interval at the end of observation touches": asked.end_of_observation,
    }
    words = {
        "share with a first outcome at most": asked.rare_outcome,
        "mean ratio of outcomes by month to those expected at most": asked.time_stability,
        "minimum detectable rate ratio at most": asked.mdrr,
        "expected absolute systematic error at most": asked.ease,
        "share of controls that the others calibrate at least": asked.left_out,
    }
    said = [f"{what} {pair[0]:g} to {pair[1]:g}" for what, pair in bounds.items() if pair is not None]
    said += [f"{what} {value:g}" for what, value in words.items() if value is not None]
    return "; ".join(said) or "none"


def _window_days(n_days: int) -> str:
    return days(n_days or None, "none")


def _sccs_population(each: Sccs) -> str:
    first = "the first outcome" if each.cases.first_outcome_only else "every outcome"
    naive = f", after {days(each.cases.naive_days, '')}" if each.cases.naive_days else ""
    return f"observation periods with the outcome{naive}, {first} of each"


def _sccs_covariates(each: Sccs) -> str:
    time = each.time
    splines = {"age": time.age_knots, "season": time.season_knots, "calendar time": time.calendar_knots}
    kept = ", ".join(name for name, knots in splines.items() if knots) or "nothing"
    return f"what does not change within a person cannot confound; of what changes, {kept} by splines"


SCCS = Words(
    "Self-controlled case series",
    "persons with the outcome, each compared with their own other time",
    lambda each: f"Does {names(each.outcomes)} occur more often around {names(each.exposures)}?",
    lambda each: each.outcomes,
    _sccs,
    "Rate ratios of a conditional Poisson model with 95 % intervals of its profile likelihood; shown when the "
    "diagnostics of event-dependent exposure and observation, stability over time, strength and, with first outcomes, "
    "a rare outcome hold; calibrated where there are negative controls",
    ("sccs_diagnostics", "sccs", "sccs_controls"),
    _sccs_population,
    _sccs_covariates,
    limitation="A case series fails where the outcome changes later exposure or observation; its diagnostics look at "
    "that, and cannot prove it absent.",
)


def _judged(each: SelfControlledCohort | CaseCrossover | CaseControl) -> Options:
    limits = each.thresholds
    words = {
        "minimum detectable ratio at most": limits.mdrr,
        "expected absolute systematic error at most": limits.ease,
        "share of controls that the others calibrate at least": limits.left_out,
    }
    yield "Negative controls", names(each.negative_controls) if each.negative_controls else "none"
    yield "Positive controls", positive_controls(each.positive_controls)
    said = "; ".join(f"{what} {value:g}" for what, value in words.items() if value is not None)
    yield "Diagnostics before a ratio is shown", said or "none"
    yield "Ratios shown although a diagnostic fails", yes(each.show_failed)


def _self_controlled_cohort(each: SelfControlledCohort) -> Options:
    yield "Exposures", names(each.exposures)
    yield "Outcomes", names(each.outcomes)
    yield "Time at risk from the beginning of an exposure", windows((each.risk_window,))
    yield "Time it is compared with", windows((each.control_window,))
    yield "Both longer by the length of the exposure", yes(each.add_exposure_days)
    yield "Only a person's first exposure", yes(each.first_exposure_only)
    yield "Only a person's first outcome", yes(each.first_outcome_only)
    yield "All days of both are observed", yes(each.full_windows)
    yield "Days of prior observation", each.days_prior_observation
    yield "Days observed after an exposure begins", each.follow_up_days
    yield from _judged(each)


SELF_CONTROLLED_COHORT = Words(
    "Self-controlled cohort",
    "exposed persons, their time after exposure compared with that before",
    lambda each: f"Does {names(each.outcomes)} occur more often after {names(each.exposures)} begins than before?",
    lambda each: each.outcomes,
    _self_controlled_cohort,
    "Rate ratio with exact 95 % interval, given the outcomes in all",
    ("self_controlled_cohort_diagnostics", "self_controlled_cohort", "self_controlled_cohort_controls"),
    lambda each: (
        f"persons exposed to {names(each.exposures)}, observed {each.days_prior_observation} days before and "
        f"{each.follow_up_days} after an exposure begins"
    ),
    lambda _: "what does not change within a person cannot confound; age and calendar time are not adjusted for",
    limitation="What makes a person start the drug may also make the outcome come: time before is not alike.",
)


def _crossover(each: CaseCrossover) -> Options:
    yield "Exposures, in one model", names(each.exposures)
    yield "Outcomes, one model each", names(each.outcomes)
    yield "Days from the outcome in which exposure counts", windows((each.risk_window,))
    yield "Control windows, in days before", ", ".join(str(-offset) for offset in each.control_offsets)
    yield "Only a person's first outcome", yes(each.first_outcome_only)
    yield "Days of prior observation", each.days_prior_observation
    yield from _judged(each)


CASE_CROSSOVER = Words(
    "Case-crossover",
    "persons with the outcome, their exposure before it compared with that at earlier times",
    lambda each: f"Is {names(each.exposures)} more frequent just before {names(each.outcomes)} than earlier?",
    lambda each: each.outcomes,
    _crossover,
    "Odds ratios of conditional logistic regression with 95 % intervals of its profile likelihood",
    ("case_crossover_diagnostics", "case_crossover", "case_crossover_controls"),
    lambda each: f"persons with {names(each.outcomes)} observed for {each.days_prior_observation} days before it",
    lambda _: "what does not change within a person cannot confound; what changes with time can",
    limitation="Exposures that last, or become more frequent with time, bias a case-crossover.",
)


def _control(each: CaseControl) -> Options:
    matching = each.matching
    yield "Exposures, in one model", names(each.exposures)
    yield "Outcomes, one model each", names(each.outcomes)
    yield "Nested in", "all who are observed" if each.within is None else f"`{each.within}`"
    yield "Days from the outcome in which exposure counts", windows((each.risk_window,))
    yield "Only a person's first outcome", yes(each.first_outcome_only)
    yield "Days of prior observation", each.days_prior_observation
    yield "Controls of each case, at most", matching.n_controls
    yield "Controls are drawn by the seed", matching.seed
    yield "Controls have the case's sex", yes(matching.sex)
    years = matching.age_caliper_years
    yield "Largest difference of ages", "any" if years is None else f"{years} years"
    yield "Largest difference of entries", days(matching.entry_caliper_days, "any")
    yield from _judged(each)


def _control_covariates(each: CaseControl) -> str:
    matching = each.matching
    by = [
        "sex" if matching.sex else "",
        "" if matching.age_caliper_years is None else f"age within {matching.age_caliper_years} years",
        "" if matching.entry_caliper_days is None else f"entry within {matching.entry_caliper_days} days",
    ]
    return f"cases and controls are alike in {', '.join(each for each in by if each) or 'the day alone'}"


CASE_CONTROL = Words(
    "Case-control",
    "persons with the outcome, compared with matched persons still without it on the same day",
    lambda each: f"Is {names(each.exposures)} more frequent among persons with {names(each.outcomes)}?",
    lambda each: each.outcomes,
    _control,
    "Odds ratios of conditional logistic regression, which estimate rate ratios since controls are drawn from those at "
    "risk; 95 % intervals of the profile likelihood",
    ("case_control_diagnostics", "case_control", "case_control_controls"),
    lambda each: (
        f"persons with {names(each.outcomes)}, and up to {each.matching.n_controls} controls each, "
        + ("of all who are observed" if each.within is None else f"of `{each.within}`")
    ),
    _control_covariates,
    limitation="Cases and controls differ in what they are not matched by; nothing else is adjusted for.",
)
