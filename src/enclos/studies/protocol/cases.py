"""The designs around cases in words."""

from __future__ import annotations

from enclos.studies.protocol.shape import Options, Words
from enclos.studies.protocol.words import dates, days, names, yes
from enclos.studies.sccs.findings import window_words
from enclos.studies.sccs.model import Sccs


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
    yield "Estimates shown although a diagnostic fails", yes(each.show_failed)


def _window_days(n_days: int) -> str:
    return days(n_days or None, "none")


SCCS = Words(
    "Self-controlled case series",
    "persons with the outcome, each compared with their own other time",
    lambda each: f"Does {names(each.outcomes)} occur more often around {names(each.exposures)}?",
    lambda each: each.outcomes,
    _sccs,
    "Rate ratios of a conditional Poisson model with 95 % intervals of its profile likelihood; shown when the "
    "diagnostics of event-dependent exposure and observation, stability over time and, with first outcomes, a "
    "rare outcome hold",
)
