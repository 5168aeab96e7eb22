"""Numbers carry nothing but what they say."""

from __future__ import annotations

import pytest

from enclos.release.rules.texts import rounded


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
