"""Numbers carry nothing but what they say."""

from __future__ import annotations

from random import Random

import pytest

from enclos.release.rules.described import may_set
from enclos.release.rules.policy import policy
from enclos.release.rules.texts import rounded
from enclos.studies.rules.estimates import printed


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("27.4000000018503121", "27.4"),
        ("27.46666666666666667", "27.4667"),
        ("249.500", "249.500"),
        ("25943.865", "25943.865"),
        ("25943.86512", "25943.865"),
        ("0.000123456789", "0.000123457"),
        ("1.23456789e-12", "1.23457e-12"),
        ("-0.51234567", "-0.512346"),
        ("18503123456789", "18503123456789"),
        ("2021-03-04", "2021-03-04"),
        ("TRUE", "TRUE"),
        ("", ""),
    ],
)
def test_digits_that_nobody_reads_do_not_leave(said: str, shown: str) -> None:
    assert rounded(said) == shown
    assert rounded(shown) == shown


def test_every_number_that_a_result_prints_has_a_known_form() -> None:
    """The longest are just above a ten-thousandth, where an exponent would not be shorter."""
    chance = Random(7)  # noqa: S311 - test data
    numbers = [chance.choice((-1, 1)) * chance.random() * 10 ** chance.uniform(-12, 12) for _ in range(2000)]
    known = policy().values
    assert [text for each in [*numbers, 0.000885577791894335] if not known.fullmatch(text := str(printed(each)))] == []


def test_an_ingredient_of_a_source_may_be_told_and_another_long_number_may_not() -> None:
    assert may_set("ingredient_concept_id", "2000600094", policy())
    assert not may_set("exposure", "2000600094", policy())
    assert not may_set("ingredient_concept_id", "1 85 03 12 345 678", policy())
    assert not may_set("ingredient_concept_id", "1850312345678", policy())
