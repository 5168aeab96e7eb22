"""Labels and numbers carry nothing but what they say."""

from __future__ import annotations

import pytest

from enclos.release.rules.texts import is_label, is_plain, is_setting, rounded


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


@pytest.mark.parametrize(
    "text",
    ["-365 to -1", "-inf to 0", "0 to 30", "-1", "E11.9", "μg per ml", "Œdème", "kg/m²", "1,25-dihydroxyvitamin D", ""],
)
def test_ordinary_labels_are_labels(text: str) -> None:
    assert is_label(text)


@pytest.mark.parametrize(
    "text", ["-1+2", "=1", "a\u200bb", "a  b", "a ", "\uff1d1", "x\\y", "../x", "g\u043eut", "e\u0301"]
)
def test_what_hides_or_runs_is_not_plain(text: str) -> None:
    assert not is_plain(text)


def test_days_stand_in_settings_and_windows_only() -> None:
    assert is_setting("2019-01-01 to 2023-12-31")
    assert is_setting("0-4 5-9 10-14 15-19 20-24")
    assert not is_setting("2019-01-01 1850312345678")
    assert not is_setting("1 85 03 12 345 678")
    assert is_label("2019-01-01 to 2023-12-31", is_window=True)
    assert not is_label("2019-01-01 to 2023-12-31")
