"""From eras of treatments to a path."""

from __future__ import annotations

import pytest

from enclos.studies.pathways.model import Keep, Steps
from enclos.studies.pathways.rules import Era, path_of


def path(eras: str, **options: object) -> str:
    """The path of eras such as ``a 0..40, b 30..90``, in days since the index day."""
    found = []
    for each in eras.split(","):
        name, days = each.split()
        first, last = days.split("..")
        found.append(Era(int(first), int(last), (name,)))
    return path_of(found, Steps(**options))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("eras", "expected"),
    [
        ("a 0..40, b 40..90", "a-b"),
        ("a 0..40, b 30..90", "a-b"),  # ten days together are a switch
        ("a 0..90, b 50..140", "a-a+b-b"),  # forty days together are a combination
        ("a 0..40, b 0..40", "a+b"),
        ("a 0..200, b 50..100", "a-a+b"),  # a again is not a new treatment
        ("a 0..90, b 80..90", "a"),  # wholly together, but too short to be kept
        ("a 0..100, b 20..100", "a+b"),  # twenty days of a alone are too short to be kept
    ],
)
def test_eras_that_overlap_are_a_switch_or_a_combination(eras: str, expected: str) -> None:
    assert path(eras) == expected


@pytest.mark.parametrize(
    ("keep", "expected"),
    [(Keep.FIRST, "a-b"), (Keep.CHANGES, "a-b-a"), (Keep.ALL, "a-b-b-a")],
)
def test_treatments_that_come_again_are_kept_as_asked(keep: Keep, expected: str) -> None:
    assert path("a 0..40, b 50..90, b 130..170, a 200..240", keep=keep) == expected


def test_eras_of_one_treatment_with_a_short_gap_are_one() -> None:
    eras = "a 0..40, a 70..100, a 131..160"
    assert path(eras, keep=Keep.ALL) == "a-a"
    assert path(eras, keep=Keep.ALL, collapse_days=31) == "a"


def test_a_path_is_cut_after_its_last_treatment() -> None:
    assert path("a 0..40, b 50..90, c 100..140", max_length=2) == "a-b"


def test_a_path_without_treatment_is_none() -> None:
    assert path_of([], Steps()) == "None"
