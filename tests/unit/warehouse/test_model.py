from datetime import date

import pytest

from enclos.warehouse.model import BuildReport, DeliveredPeriod, TableAccount, UnmappedCode


def account(**changes: int) -> TableAccount:
    counts = {"delivered": 10, "mapped": 5, "cancelled": 2, "filtered": 2, "rejected": 1} | changes
    return TableAccount("pha", ("snds",), **counts, reasons={"majoration": 2, "no_date": 1})


def test_an_account_adds_up_or_not() -> None:
    assert account().adds_up
    assert not account(mapped=4).adds_up
    assert not account(delivered=11).adds_up


def test_a_delivery_covers_at_least_a_day() -> None:
    with pytest.raises(ValueError, match="at least one day"):
        DeliveredPeriod("snds", "snds-dcir", date(2019, 1, 1), date(2019, 1, 1))


def test_a_report_is_one_json_document() -> None:
    report = BuildReport(
        7, {"person": 3}, (account(),), (UnmappedCode("CIM10", "J189", 4),), {"total": 1.23456, "visits": 0.5}
    )
    assert report.as_json() == {
        "snapshot": 7,
        "tables": {"person": 3},
        "account": [
            {
                "table": "pha",
                "sources": ["snds"],
                "delivered": 10,
                "mapped": 5,
                "cancelled": 2,
                "filtered": 2,
                "rejected": 1,
                "reasons": {"majoration": 2, "no_date": 1},
            }
        ],
        "unmapped": [{"vocabulary": "CIM10", "code": "J189", "n_rows": 4}],
        "vocabularies": [],
        "mode": "full",
        "rebuilt": {},
        "kept": ["person"],
        "seconds": 1.235,
        "phases": {"visits": 0.5},
    }
