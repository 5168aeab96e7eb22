"""A site's checked table read as effects: which question each answers, its estimate, its counts or its profile.

An effect is an estimate ``log_…ratio`` with its ``standard_error``; its profile, where the site gives one, stands at
the same place with the additional column ``log_ratio``, one ``log_likelihood`` a point. A rate is an ``incidence`` with
its events and its time, a self-controlled cohort is those of both windows. What is withheld is not there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
import pyarrow as pa

from enclos.contracts.result import HIDDEN, OVERALL, SEPARATOR, ResultSettings
from enclos.studies.calibration.model import PROFILE_POINTS, Estimate, Profile
from enclos.studies.model import Interval
from enclos.studies.rules.estimates import DAYS_PER_YEAR, PERSON_YEARS_UNIT

RATE = "incidence_100000_pys"
_INCIDENCE, _TWO_RATES = "incidence", "self_controlled_cohort"
_LOG_RATIO = re.compile(r"log_((?:hazard|rate|odds|risk)_)?ratio")
_RATIOS = ("hazard_ratio", "rate_ratio", "odds_ratio", "risk_ratio")
_POINT = "log_ratio"
_OF_THE_SITE = re.compile(
    r"package_(name|version)|.*_(start|end)_date|min_cell_count|group|strata|additional"
    r"|prior_variance|unblinded|withheld_for"
)
"""Settings in which sites may differ and still answer one question."""


@dataclass(frozen=True, slots=True)
class Question:
    """What an estimate is about; equal for sites that answer the same."""

    result_type: str
    settings: tuple[tuple[str, str], ...]
    group: tuple[str, str]
    strata: tuple[str, str]
    variable: tuple[str, str]
    additional: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one site says to a question; ``measure`` names it as the site's table does."""

    measure: str
    estimate: Estimate | None = None
    n_events: int | None = None
    person_years: float | None = None
    profile: Profile | None = None


@dataclass(slots=True)
class _Gathered:
    values: dict[str, float] = field(default_factory=dict)
    points: dict[float, float] = field(default_factory=dict)


_Row: TypeAlias = Mapping[str, str]


def answers(table: pa.Table, settings: Sequence[ResultSettings]) -> dict[Question, Answer]:
    """The questions that a site's table answers, in the order of the table."""
    known = {each.result_id: each for each in settings}
    found: dict[Question, _Gathered] = {}
    for row in table.to_pylist():
        value = _number(row["estimate_value"])
        if value is None:
            continue
        question = _question(row, known[row["result_id"]])
        point = _point(question, row)
        if point is None:
            found.setdefault(question, _Gathered()).values[row["estimate_name"]] = value
        else:
            found.setdefault(replace(question, additional=(OVERALL, OVERALL)), _Gathered()).points[point] = value
    read = ((question, _answer(question, gathered)) for question, gathered in found.items())
    return {question: answer for question, answer in read if answer is not None}


def _number(text: str | None) -> float | None:
    try:
        value = float(text) if text is not None and text != HIDDEN else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _question(row: _Row, settings: ResultSettings) -> Question:
    is_rate = settings.result_type == _INCIDENCE
    asked = ((name, value) for name, value in settings.values.items() if not _OF_THE_SITE.fullmatch(name))
    return Question(
        settings.result_type,
        tuple(sorted(asked)),
        (row["group_name"], row["group_level"]),
        (row["strata_name"], row["strata_level"]),
        ("", "") if is_rate else (row["variable_name"], row["variable_level"] or ""),
        _window(row) if is_rate else (row["additional_name"], row["additional_level"]),
    )


def _window(row: _Row) -> tuple[str, str]:
    """The days of a rate; a rate over all days is one question, though sites begin and end on different ones."""
    names, levels = row["additional_name"], row["additional_level"]
    return (names, levels) if len(names.split(SEPARATOR)) > 2 else ("analysis_interval", Interval.OVERALL.value)


def _point(question: Question, row: _Row) -> float | None:
    if question.additional[0] != _POINT or row["estimate_name"] != "log_likelihood":
        return None
    return _number(question.additional[1])


def _answer(question: Question, gathered: _Gathered) -> Answer | None:
    values = gathered.values
    if question.result_type == _INCIDENCE:
        return _rate(values)
    if question.result_type == _TWO_RATES:
        return _two_rates(values)
    logs = next((values[name] for name in values if _LOG_RATIO.fullmatch(name)), None)
    if logs is None and not gathered.points:
        return None
    measure = next((name for name in _RATIOS if name in values), "ratio")
    estimate = None if logs is None else Estimate(logs, values.get("standard_error", math.nan))
    usable = estimate if estimate is not None and estimate.is_usable else None
    profile = None
    if len(gathered.points) >= 4:
        points, heights = zip(*sorted(gathered.points.items()), strict=True)
        profile = Profile(np.array(points), np.array(heights))
    return Answer(measure, usable, profile=profile) if usable or profile else None


def _rate(values: Mapping[str, float]) -> Answer | None:
    n_events = values.get("outcome_count")
    years = values["person_days"] / DAYS_PER_YEAR if "person_days" in values else values.get("person_years")
    if n_events is None or not years:
        return None
    estimate = Estimate(math.log(n_events / years * PERSON_YEARS_UNIT), 1 / math.sqrt(n_events)) if n_events else None
    return Answer(RATE, estimate, int(n_events), years)


def _two_rates(values: Mapping[str, float]) -> Answer | None:
    """The ratio of two rates given all events: each falls into the first window by the times and the ratio."""
    try:
        events, others = values["n_events"], values["n_events_unexposed"]
        log_time = math.log(values["person_days"] / values["person_days_unexposed"])
    except (KeyError, ValueError, ZeroDivisionError):
        return None
    if not events + others:
        return None
    points = np.asarray(PROFILE_POINTS)
    profile = Profile(points, events * points - (events + others) * np.logaddexp(0.0, points + log_time))
    both = events and others
    estimate = Estimate(math.log(events / others) - log_time, math.sqrt(1 / events + 1 / others)) if both else None
    return Answer("rate_ratio", estimate, profile=profile)


def rate_profile(answer: Answer, points: Sequence[float]) -> Profile:
    """The log-likelihood of the log of a rate per 100 000 person-years, from its events and its time."""
    at = np.asarray(points, dtype=np.float64)
    n_events, per = answer.n_events or 0, (answer.person_years or 0.0) / PERSON_YEARS_UNIT
    return Profile(at, n_events * at - per * np.exp(at))


def shared_questions(sites: Sequence[Mapping[Question, Answer]]) -> Iterator[Question]:
    """The questions that two sites or more answer, in the order in which they come up."""
    for question in dict.fromkeys(question for site in sites for question in site):
        if sum(question in site for site in sites) > 1:
            yield question
