"""What several sites say together, question by question, as a result of its own.

Each pooled question has three answers: one effect for all from the sites' likelihoods (``likelihood profiles``, as good
as the data of all sites in one place), the mean of effects that differ (``random effects``, by REML), and the same with
its uncertainty whole (``posterior``). A site without a profile counts with the normal one of its estimate.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from enclos.contracts.result import (
    OVERALL,
    RESULT_COLUMNS,
    RESULT_SCHEMA,
    SEPARATOR,
    EstimateType,
    ResultSettings,
    StudyResult,
)
from enclos.lexicon.version import __version__
from enclos.studies.calibration.model import PROFILE_POINTS, Pooled, Profile
from enclos.studies.calibration.rules.pooling import pooled
from enclos.studies.calibration.rules.profiles import normal_profile, pooled_posterior, pooled_profile
from enclos.studies.calibration.rules.sites import RATE, Answer, Question, rate_profile, shared_questions
from enclos.studies.rules.estimates import PERSON_YEARS_UNIT
from enclos.studies.sensitivity.model import PRIMARY, WAY

POOLED = "pooled"
"""The name that stands for all sites together."""
SITE, PROFILES, RANDOM, POSTERIOR = "site", "likelihood profiles", "random effects", "posterior"
_DIGITS = 8


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a forest plot, on the scale that people read; None where there is no number."""

    site: str
    method: str
    value: float | None
    lower: float | None
    upper: float | None
    numbers: Mapping[str, float]
    """What else the line says, by name."""


@dataclass(frozen=True, slots=True)
class Forest:
    """One question with what each site and all together say."""

    question: Question
    measure: str
    lines: tuple[Line, ...]

    @property
    def title(self) -> str:
        """The question in the words of the table."""
        columns = (self.question.group, self.question.strata, self.question.additional)
        told = [level for name, level in columns if name not in {"", OVERALL}]
        told += [each for each in self.question.variable if each]
        told += [
            value for name, value in self.question.settings if name in {"denominator_age_group", "denominator_sex"}
        ]
        told += [value for name, value in self.question.settings if name == WAY and value != PRIMARY]
        return ", ".join(part.replace(SEPARATOR, " · ") for part in told)


def pool(sites: Mapping[str, Mapping[Question, Answer]]) -> list[Forest]:
    """Every question that two sites or more answer, pooled.

    In: sites — by name, what each answers
    """
    return [_pooled(question, sites) for question in shared_questions(list(sites.values()))]


def _pooled(question: Question, sites: Mapping[str, Mapping[Question, Answer]]) -> Forest:
    told = {name: answers[question] for name, answers in sites.items() if question in answers}
    profiles = _profiles(list(told.values()))
    lines = [_site_line(name, answer) for name, answer in told.items()]
    together = pooled_profile(profiles)
    n_sites = {"n_sites": float(len(told))}
    lines.append(_line(POOLED, PROFILES, together.log, together.lower, together.upper, n_sites))
    if (mean := pooled([each.estimate for each in told.values() if each.estimate is not None])) is not None:
        lines.append(_line(POOLED, RANDOM, mean.log, mean.lower, mean.upper, _random_numbers(mean)))
    measure = next(iter(told.values())).measure
    # No effect is a place to start from for ratios; for rates there is none.
    prior = {"prior_sd": math.inf} if measure == RATE else {}
    if (posterior := pooled_posterior(profiles, **prior)) is not None:
        numbers = {**n_sites, "standard_error": posterior.standard_error, "tau": posterior.tau}
        lines.append(_line(POOLED, POSTERIOR, posterior.log, posterior.lower, posterior.upper, numbers))
    return Forest(question, measure, tuple(lines))


def _profiles(answers: Sequence[Answer]) -> list[Profile]:
    n_events = sum(each.n_events or 0 for each in answers)
    years = sum(each.person_years or 0.0 for each in answers)
    centre = math.log((n_events + 0.5) / years * PERSON_YEARS_UNIT) if years else 0.0
    points = [centre + point for point in PROFILE_POINTS]
    found: list[Profile] = []
    for each in answers:
        if each.profile is not None:
            found.append(each.profile)
        elif each.person_years:
            found.append(rate_profile(each, points))
        elif each.estimate is not None:
            found.append(normal_profile(each.estimate, points))
    return found


def _site_line(name: str, answer: Answer) -> Line:
    interval = pooled_profile(_profiles([answer]))
    numbers = {} if answer.estimate is None else {"standard_error": answer.estimate.standard_error}
    if answer.n_events is not None and answer.person_years is not None:
        numbers |= {"outcome_count": float(answer.n_events), "person_years": answer.person_years}
    log = interval.log if answer.estimate is None else answer.estimate.log
    return _line(name, SITE, log, interval.lower, interval.upper, numbers)


def _random_numbers(mean: Pooled) -> dict[str, float]:
    numbers = {
        "n_sites": float(mean.n_sites),
        "standard_error": mean.standard_error,
        "tau2": mean.tau2,
        "i2": mean.i2,
        "q": mean.q,
    }
    if mean.q_p_value is not None:
        numbers["q_p_value"] = mean.q_p_value
    if mean.predicted_lower is not None and mean.predicted_upper is not None:
        numbers |= {
            "predicted_lower": math.exp(mean.predicted_lower),
            "predicted_upper": math.exp(mean.predicted_upper),
        }
    return numbers


def _line(
    site: str, method: str, log: float | None, lower: float | None, upper: float | None, numbers: Mapping[str, float]
) -> Line:
    whole = {**numbers, "log": log} if log is not None else dict(numbers)
    return Line(site, method, _exp(log), _exp(lower), _exp(upper), whole)


def _exp(log: float | None) -> float | None:
    return None if log is None else math.exp(log)


def pooled_result(forests: Sequence[Forest]) -> StudyResult:
    """The pooled questions as a summarised result: ``cdm_name`` is the site, or ``pooled``; the method is a level."""
    rows: list[tuple[object, ...]] = []
    settings: list[ResultSettings] = []
    for result_id, forest in enumerate(forests, start=1):
        question = forest.question
        own = {name: value for name, value in question.settings if name != "result_type"}
        kind = {"result_type": f"pooled_{question.result_type}", "package_name": "enclos"}
        settings.append(ResultSettings(result_id, {**own, **kind, "package_version": __version__}))
        for line in forest.lines:
            shown = {forest.measure: line.value, "lower": line.lower, "upper": line.upper, **line.numbers}
            place = (*question.group, *question.strata, question.variable[0] or "Outcome", line.method)
            for name, value in shown.items():
                text = None if value is None else f"{value:.{_DIGITS}g}"
                estimate = (name, EstimateType.NUMERIC.value, text)
                rows.append((result_id, line.site, *place, *estimate, *question.additional))
    columns = zip(*rows, strict=True) if rows else ([] for _ in RESULT_COLUMNS)
    table = pa.table(dict(zip(RESULT_COLUMNS, map(list, columns), strict=True)), schema=RESULT_SCHEMA)
    return StudyResult(table, tuple(settings))


def as_json(forest: Forest) -> dict[str, object]:
    """A pooled question as scripts read it: what it is about, and one object a line."""
    question = forest.question
    about = dict(zip(*(part.split(SEPARATOR) for part in question.group), strict=True))
    lines = [
        {"site": each.site, "method": each.method, "value": each.value, "lower": each.lower, "upper": each.upper}
        | {name: value for name, value in each.numbers.items() if name != "log"}
        for each in forest.lines
    ]
    head = {"analysis": question.result_type, "measure": forest.measure, "title": forest.title}
    return {**head, **about, "lines": lines}
