"""A cohort made of others is read from the study, or refused with its line."""

from datetime import date

import pytest
from jsonschema import Draft202012Validator

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import NotAsPromised
from enclos.studies.derived.model import (
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
from enclos.studies.document import study_from_yaml, study_json_schema
from enclos.studies.document.reading import node_of, plain
from enclos.studies.model import AgeGroup, DateRange, DayWindow, DerivedCohort, Operation, Sex
from enclos.studies.rules.outline import derived_in_order, draws_of, outline_of
from enclos.studies.steps import columns_read

HEAD = """\
study: derived
cohorts:
  a: {concepts: [1], domain: drug}
  b: {concepts: [2], domain: drug}
"""
TAIL = """\
analyses:
  - incidence: {outcome: c}
"""


def text(*cohorts: str) -> str:
    return HEAD + "".join(f"  {cohort}\n" for cohort in cohorts) + TAIL


@pytest.mark.parametrize(
    ("cohort", "operation"),
    [
        ("{union: [a, b]}", Union(("a", "b"))),
        ("{intersect: [b, a]}", Intersection(("b", "a"))),
        ("{first: a}", First("a")),
        ("{exclude: {cohort: a, other: b}}", Near("a", "b", DayWindow(None, 0), False)),
        ("{within: {cohort: a, other: b, window: [-30, null]}}", Near("a", "b", DayWindow(-30, None), True)),
        ("{require: {cohort: a}}", Require("a")),
        (
            "{require: {cohort: a, ages: [4, 8], sex: male, days_prior_observation: 1}}",
            Require("a", AgeGroup(4, 8), Sex.MALE, 1),
        ),
        (
            "{require: {cohort: a, date_range: [2019-01-01, null]}}",
            Require("a", date_range=DateRange(date(2019, 1, 1), None)),
        ),
        ("{collapse: {cohort: a, gap: 60}}", Collapse("a", 60)),
        (
            "{require: {cohort: a, days_future_observation: 30}}",
            Require("a", n_days_future_observation=30),
        ),
        ("{sampled: {cohort: a, share: 0.25, seed: 7}}", Sample("a", 0.25, 7)),
        ("{sampled: {cohort: a, number: 100, seed: 7}}", Sample("a", None, 7, 100)),
        ("{matched: {cohort: a, seed: 7}}", Match("a", 7)),
        (
            "{matched: {cohort: a, seed: 7, ratio: 4, traits: [department, sex], keep: cases}}",
            Match("a", 7, 4, (Trait.DEPARTMENT, Trait.SEX), Side.CASES),
        ),
    ],
)
def test_each_operation_is_read_and_fits_the_schema(cohort: str, operation: Operation) -> None:
    written = text(f"c: {cohort}")
    assert study_from_yaml(written).cohorts[2] == DerivedCohort("c", operation)
    raw = plain(node_of(written.replace("2019-01-01", '"2019-01-01"')))
    assert list(Draft202012Validator(study_json_schema()).iter_errors(raw)) == []


@pytest.mark.parametrize(
    ("cohort", "code", "fault"),
    [
        ("{union: [a, z]}", Code.STUDY_UNKNOWN_NAME, "line 5, cohorts.c.union[1]: there is no cohort of that name"),
        ("{first: z}", Code.STUDY_UNKNOWN_NAME, "line 5, cohorts.c.first: there is no cohort of that name"),
        (
            "{exclude: {cohort: a, other: z}}",
            Code.STUDY_UNKNOWN_NAME,
            "line 5, cohorts.c.exclude.other: there is no cohort of that name",
        ),
        ("{first: c}", Code.STUDY_INVALID, "line 5, cohorts.c: is made of itself"),
        ("{union: [a, a]}", Code.STUDY_INVALID, "line 5, cohorts.c.union: a cohort is given twice"),
        ("{union: [a]}", Code.STUDY_INVALID, "line 5, cohorts.c.union"),
        ("{first: a, union: [a, b]}", Code.STUDY_INVALID, "line 5, cohorts.c: a cohort is made by one operation"),
        ("{require: {cohort: a, ages: [80, 40]}}", Code.STUDY_INVALID, "cohorts.c.require.ages: ages are"),
        ("{within: {cohort: a, other: b, window: [1, 0]}}", Code.STUDY_INVALID, "cohorts.c.within.window: a window is"),
        (
            "{require: {cohort: a, date_range: [2020-01-01, 2019-01-01]}}",
            Code.STUDY_INVALID,
            "cohorts.c.require.date_range: a date range is",
        ),
        ("{sampled: {cohort: a, share: 1.0, seed: 7}}", Code.STUDY_INVALID, "cohorts.c.sampled.share"),
        ("{sampled: {cohort: a, share: 0.5}}", Code.STUDY_INVALID, "cohorts.c.sampled.seed: is missing"),
        ("{sampled: {cohort: a, seed: 1}}", Code.STUDY_INVALID, "cohorts.c.sampled: a sample has a share or a number"),
        (
            "{sampled: {cohort: a, share: 0.5, number: 5, seed: 1}}",
            Code.STUDY_INVALID,
            "cohorts.c.sampled: a sample has a share or a number",
        ),
        ("{matched: {cohort: a}}", Code.STUDY_INVALID, "cohorts.c.matched.seed: is missing"),
        ("{matched: {cohort: a, seed: 1, ratio: 0}}", Code.STUDY_INVALID, "cohorts.c.matched.ratio"),
        ("{matched: {cohort: a, seed: 1, traits: []}}", Code.STUDY_INVALID, "cohorts.c.matched.traits"),
        (
            "{matched: {cohort: a, seed: 1, traits: [sex, sex]}}",
            Code.STUDY_INVALID,
            "cohorts.c.matched.traits: a trait is given twice",
        ),
        (
            "{matched: {cohort: z, seed: 1}}",
            Code.STUDY_UNKNOWN_NAME,
            "cohorts.c.matched.cohort: there is no cohort of that name",
        ),
        ("{first: a, domain: drug}", Code.STUDY_UNKNOWN_NAME, "cohorts.c.domain: there is no such option"),
    ],
)
def test_what_is_wrong_is_refused_with_its_line(cohort: str, code: Code, fault: str) -> None:
    with pytest.raises(NotAsPromised) as refused:
        study_from_yaml(text(f"c: {cohort}"))
    assert refused.value.code is code
    assert fault in str(refused.value)


def test_a_cycle_through_others_is_refused_at_each_of_its_lines() -> None:
    with pytest.raises(NotAsPromised) as refused:
        study_from_yaml(
            text("c: {first: d}", "d: {union: [a, e]}", "e: {collapse: {cohort: c, gap: 1}}", "f: {first: a}")
        )
    for line, name in ((5, "c"), (6, "d"), (7, "e")):
        assert f"line {line}, cohorts.{name}: is made of itself, directly or through others" in str(refused.value)
    assert "cohorts.f" not in str(refused.value)


def test_a_study_computes_the_cohorts_that_others_are_made_of_and_each_after_its_own() -> None:
    study = study_from_yaml(text("c: {first: d}", "d: {first: e}", "e: {first: a}", "f: {first: b}"))
    needed = outline_of(study).cohorts
    assert [cohort.name for cohort in needed] == ["a", "c", "d", "e"]
    assert [cohort.name for cohort in derived_in_order(needed)] == ["e", "d", "c"]


def test_a_look_at_all_buckets_makes_what_is_drawn_from_and_no_more() -> None:
    study = study_from_yaml(
        text(
            "c: {first: m}",
            "m: {matched: {cohort: f, seed: 1}}",
            "f: {first: s}",
            "s: {sampled: {cohort: a, number: 5, seed: 1}}",
            "t: {sampled: {cohort: b, number: 5, seed: 1}}",
        ).replace("outcome: c", "outcome: [c, t]")
    )
    draws = draws_of(outline_of(study).cohorts)
    found = [([each.name for each in draw.drawn], [each.name for each in draw.cohorts]) for draw in draws]
    assert found == [(["s", "t"], ["a", "b"]), (["m"], ["f", "s"])]


def test_a_matching_on_department_reads_where_persons_live() -> None:
    study = study_from_yaml(text("c: {matched: {cohort: a, seed: 1, traits: department}}"))
    columns = columns_read(study)
    assert columns["location"] == ("location_id", "county")
    assert "location_id" in columns["person"]
    assert "location" not in columns_read(study_from_yaml(text("c: {matched: {cohort: a, seed: 1}}")))
