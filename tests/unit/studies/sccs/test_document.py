"""What a study file may say of a self-controlled case series, and what it is told when it says something else."""

from __future__ import annotations

from datetime import date

import pytest

from enclos.lexicon.refusals import Refusal
from enclos.studies.document import study_from_yaml
from enclos.studies.model import AgeGroup, DateRange
from enclos.studies.sccs.model import Anchor, Cases, Sccs, Time, Window

HEAD = """
study: s
cohorts:
  drug: {concepts: [1], domain: drug, limit: all, end: event_end}
  other: {concepts: [2], domain: drug, limit: all, end: event_end}
  bleed: {concepts: [3], domain: condition, limit: all}
analyses:
  - sccs: """


def asked(options: str) -> object:
    return study_from_yaml(HEAD + options).analyses[0]


def test_the_days_exposed_are_one_window_beside_those_before_and_at_the_end() -> None:
    found = asked("{exposure: drug, outcome: bleed}")
    assert found == Sccs(("drug",), ("bleed",), (Window("exposed"),), Cases(), Time(), 30, 30, show_failed=False)
    assert isinstance(found, Sccs)
    assert found.all_windows[1] == Window("pre_exposure", -30, Anchor.START, -1, Anchor.START)


def test_every_option_is_read() -> None:
    options = """{exposure: [drug, other], outcome: bleed, pre_exposure_days: 0, end_of_observation_days: 60,
    windows: {early: {end: 6, end_anchor: start, first_only: true}, late: {start: 1, start_anchor: end, end: 30}},
    first_outcome_only: true, naive_days: 180, ages: [18, 74], date_range: [2015-01-01, null],
    age_spline: true, season_spline: 6, calendar_spline: false, show_failed: true}"""
    assert asked(options) == Sccs(
        ("drug", "other"),
        ("bleed",),
        (
            Window("early", 0, Anchor.START, 6, Anchor.START, first_only=True),
            Window("late", 1, Anchor.END, 30, Anchor.END),
        ),
        Cases(first_outcome_only=True, naive_days=180, ages=AgeGroup(18, 74), dates=DateRange(date(2015, 1, 1), None)),
        Time(5, 6, 0),
        0,
        60,
        show_failed=True,
    )


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ("{exposure: nobody, outcome: bleed}", "exposure[0]: there is no cohort of that name"),
        ("{exposure: drug, outcome: nobody}", "outcome[0]: there is no cohort of that name"),
        ("{exposure: drug, outcome: drug}", "an exposure is not its own outcome"),
        ("{exposure: [drug, drug], outcome: bleed}", "a value is given twice"),
        ("{exposure: drug, outcome: bleed, windows: {}}", "windows"),
        ("{exposure: drug, outcome: bleed, windows: {Late: {}}}", "windows"),
        ("{exposure: drug, outcome: bleed, windows: {pre_exposure: {}}}", "this window has an option of its own"),
        (
            "{exposure: drug, outcome: bleed, windows: {late: {start: 9, end: 1, end_anchor: start}}}",
            "a window runs from its first to its last day",
        ),
        ("{exposure: drug, outcome: bleed, ages: [80, 18]}", "a range is [first, last]"),
        ("{exposure: drug, outcome: bleed, date_range: [2020-01-01, 2019-01-01]}", "a range is [first, last]"),
        ("{exposure: drug, outcome: bleed, age_spline: 2}", "age_spline"),
        ("{exposure: drug, outcome: bleed, naive_days: -1}", "naive_days"),
        ("{exposure: drug}", "outcome: is missing"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(options: str, what: str) -> None:
    with pytest.raises(Refusal) as refused:
        asked(options)
    assert what in str(refused.value)
    assert "line 8" in str(refused.value)
