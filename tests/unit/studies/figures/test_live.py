"""What the marks of a picture say of themselves is what the table says."""

from __future__ import annotations

import re
from html import unescape

import pytest

from enclos.contracts.result import HIDDEN, StudyResult
from enclos.studies.figures.live import SEPARATOR, can_be_read, live_svg, read_span
from enclos.studies.figures.model import Figure
from enclos.studies.figures.parts import figures_of
from enclos.studies.figures.reading import analyses_of
from enclos.studies.figures.style import NARROW, WIDE, svg
from factories.places import curve, rates, result_of_places

ROWS = [
    ("2019-01-01", "100", "12.5", "10", "15.25"),
    ("2020-01-01", "90", HIDDEN, HIDDEN, HIDDEN),
    ("2021-01-01", "80", "7000.25", "6000", "8000"),
]
SEXES = result_of_places(
    *(("incidence", {"denominator_sex": sex}, rates("incidence", ROWS)) for sex in ("Male", "Female"))
)
SINGLE = {"analysis_type": "single_event", "outcome": "bleed"}
ESTIMATES = ("estimate", "estimate_95CI_lower", "estimate_95CI_upper")
CURVE = result_of_places(
    (
        "survival_estimates",
        SINGLE,
        curve("e", {"0": ("1", "1", "1"), "9": ("0.5", "0.4", "0.6"), "20": ("0.25", "0.1", "0.5")}, ESTIMATES),
    )
)
UNIT = "events per 100 000 person-years"


def only(result: StudyResult) -> Figure:
    (figure,) = [figure for each in analyses_of(result.table, result.settings) for figure in figures_of(each)]
    return figure


def said(drawing: str) -> list[tuple[str, str]]:
    """Series and values of all marks that say any."""
    found = [unescape(text).split(SEPARATOR) for text in re.findall(rf'aria-label="([^"]*{SEPARATOR}[^"]*)"', drawing)]
    return [(of, text) for of, text in found if text]


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_each_value_says_its_series_its_place_and_its_interval_and_a_withheld_one_nothing(width: int) -> None:
    assert said(live_svg(only(SEXES), width)) == [
        (sex, text)
        for sex in ("Male", "Female")
        for text in (
            f"2019-01-01; {UNIT}: 12.5 (10 – 15.25)",
            f"2021-01-01; {UNIT}: 7\u202f000 (6\u202f000 – 8\u202f000)",
        )
    ]


def test_numbers_are_written_as_the_language_does() -> None:
    assert said(live_svg(only(SEXES), WIDE, language="fr"))[0][1].endswith("12,5 (10 – 15,25)")


def test_a_curve_without_points_says_its_values_in_points_that_are_not_seen() -> None:
    drawing = live_svg(only(CURVE), WIDE)
    assert [text for _, text in said(drawing)] == [
        "bleed; days since entry: 0; share without the outcome: 100 % (100 % – 100 %)",
        "bleed; days since entry: 9; share without the outcome: 50 % (40 % – 60 %)",
        "bleed; days since entry: 20; share without the outcome: 25 % (10 % – 50 %)",
    ]
    assert 'data-axis="number" data-least="0.0" data-most="20.0"' in drawing


def test_nothing_but_what_is_said_is_added_and_no_style_that_a_page_would_stop() -> None:
    figure = only(SEXES)
    plain, live = svg(figure, titled=False), live_svg(figure, WIDE)
    assert 'style="' not in live
    assert re.findall(r' d="[^"]*"', live) == re.findall(r' d="[^"]*"', plain)


def test_a_part_of_the_time_has_its_own_values_and_its_own_axis() -> None:
    drawing = live_svg(only(SEXES), WIDE, within=read_span("date", "2020-06-01", "2021-06-01"))
    assert {text[:10] for _, text in said(drawing)} == {"2021-01-01"}
    assert 'data-least="2019-01-01" data-most="2021-01-01"' in drawing, "the whole can be asked for again"
    curve_drawing = live_svg(only(CURVE), WIDE, within=read_span("number", "5", "15"))
    assert [text.split("; ")[1] for _, text in said(curve_drawing)] == ["days since entry: 9"]


@pytest.mark.parametrize(
    "asked",
    [
        ("date", "2021-01-01", "2020-01-01"),
        ("date", "x", "2020-01-01"),
        ("number", "nan", "3"),
        ("number", "-1e99", "3"),
        ("", "", ""),
        ("number", "4", "4"),
    ],
)
def test_what_is_no_part_of_an_axis_asks_for_the_whole(asked: tuple[str, str, str]) -> None:
    assert read_span(*asked) is None


def test_a_picture_of_boxes_has_no_values_to_go_through() -> None:
    boxes = Figure("Boxes", "", {"steps": [{"step": 0, "reason": "all", "left": "3 records"}]}, lambda _: None)
    assert (can_be_read(boxes), can_be_read(only(SEXES))) == (False, True)
