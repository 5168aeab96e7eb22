from collections import Counter
from datetime import date

import pytest

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import NotAsPromised
from enclos.lexicon.spans import Span
from enclos.warehouse.model import DeliveredPeriod, TableAccount
from enclos.warehouse.rules import check_balance, cut, national_days, passes


def period(kind: str, start: str, end: str) -> DeliveredPeriod:
    return DeliveredPeriod("snds", kind, date.fromisoformat(start), date.fromisoformat(end))


def test_the_days_of_a_kind_span_all_its_deliveries() -> None:
    months = [period("snds-dcir", "2019-03-01", "2019-04-01"), period("snds-dcir", "2019-01-01", "2019-02-01")]
    assert national_days(months) == Span(date(2019, 1, 1), date(2019, 4, 1))


def test_both_kinds_must_cover_a_day() -> None:
    """The last flux comes months after the last day that the stays cover."""
    kinds = [period("snds-dcir", "2019-01-01", "2020-07-01"), period("snds-pmsi", "2019-01-01", "2020-01-01")]
    assert national_days(kinds) == Span(date(2019, 1, 1), date(2020, 1, 1))
    assert national_days(reversed(kinds)) == national_days(kinds)


def test_kinds_that_share_no_day_leave_none() -> None:
    kinds = [period("snds-dcir", "2019-01-01", "2020-01-01"), period("snds-pmsi", "2021-01-01", "2022-01-01")]
    assert national_days(kinds) is None


def test_other_deliveries_say_nothing_of_national_days() -> None:
    others = [period("snds-ref", "2006-01-01", "2030-01-01"), period("fhir-bulk", "2006-01-01", "2030-01-01")]
    assert national_days(others) is None
    assert national_days([]) is None


def test_an_account_that_does_not_add_up_is_refused_by_name() -> None:
    good = TableAccount("pha", ("snds",), 1, 1, 0, 0, 0)
    bad = TableAccount("cam", ("snds",), 2, 1, 0, 0, 0)
    check_balance([good])
    with pytest.raises(NotAsPromised) as refused:
        check_balance([good, bad])
    assert refused.value.code is Code.BUILD_UNBALANCED
    assert "cam" in str(refused.value)
    assert "pha" not in str(refused.value)


def test_passes_grow_with_the_lines_first_to_buckets_then_to_slices_of_them() -> None:
    lines = (0, 10, 11, 25, 40, 41, 81, 1000)
    assert [passes(n, 4, 10, None) for n in lines] == [1, 1, 2, 4, 4, 8, 16, 128]
    assert [passes(n, 3, 10, None) for n in lines] == [1, 1, 2, 3, 6, 6, 12, 192]


def test_the_passes_of_before_stay_until_they_are_twice_too_few() -> None:
    assert [passes(n, 4, 10, 2) for n in (1, 40, 41)] == [2, 2, 8]
    assert [passes(n, 4, 10, 8) for n in (1, 160, 161)] == [8, 8, 32]


@pytest.mark.parametrize(("n_passes", "n_buckets"), [(1, 1), (1, 4), (2, 4), (4, 4), (8, 4), (3, 3), (12, 3), (32, 1)])
def test_every_person_is_in_one_pass(n_passes: int, n_buckets: int) -> None:
    found: Counter[int] = Counter()
    for cut_ in (cut(number, n_passes, n_buckets) for number in range(n_passes)):
        found.update(
            person
            for person in range(500)
            if person % n_buckets in cut_.buckets and person // n_buckets % cut_.n_slices == cut_.slice
        )
    assert found == dict.fromkeys(range(500), 1)
