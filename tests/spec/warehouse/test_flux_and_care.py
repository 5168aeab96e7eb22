"""Trap 6: claims come by month of flux, care happened in the months before, and the last months are not complete."""

from __future__ import annotations

from datetime import date

import pytest

from enclos.warehouse.model import DeliveredPeriod
from enclos.warehouse.rules import complete_until
from factories.pseudonymised import YEAR_2019, ben, built, prestation


def test_care_is_dated_by_the_day_of_care_not_by_its_flux() -> None:
    late = prestation(1, date(2019, 3, 1), FLX_DIS_DTD=date(2019, 11, 1))
    with built({"ben": [ben(1)], "prs": [late]}) as snapshot:
        assert snapshot.rows("visit_occurrence", "visit_start_date") == [(date(2019, 3, 1),)]


def test_a_correction_cancels_care_of_another_flux() -> None:
    paid, back = (
        prestation(1, date(2019, 3, 1), quantity=quantity, FLX_DIS_DTD=date(2019, month, 1))
        for quantity, month in ((1, 4), (-1, 9))
    )
    with built({"ben": [ben(1)], "prs": [paid, back]}) as snapshot:
        assert snapshot.rows("visit_occurrence") == []
        assert snapshot.account("prs") == {"delivered": 2, "cancelled": 2}


@pytest.mark.parametrize(
    ("end_on", "until"),
    [(date(2020, 1, 1), date(2019, 7, 1)), (date(2019, 4, 1), date(2018, 10, 1)), (date(2019, 7, 1), date(2019, 1, 1))],
)
def test_the_last_six_months_of_flux_are_still_being_completed(end_on: date, until: date) -> None:
    fluxes = [
        DeliveredPeriod("snds", "snds-dcir", date(2017, 1, 1), date(2018, 1, 1)),
        DeliveredPeriod("snds", "snds-dcir", date(2018, 1, 1), end_on),
        DeliveredPeriod("snds", "snds-pmsi", date(2018, 1, 1), date(2021, 1, 1)),
    ]
    assert complete_until(fluxes) == until


def test_a_snapshot_says_from_when_its_care_is_not_complete() -> None:
    with built({"ben": [ben(1)], "prs": [prestation(1, date(2019, 3, 1))]}) as snapshot:
        assert snapshot.lake.snapshots()[-1].facts["complete_until"] == "2019-07-01"
    assert complete_until(YEAR_2019[1:]) is None
