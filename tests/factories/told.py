"""Results by place: estimates as numbers, with the persons behind them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from enclos.contracts.result import StudyResult
from oracle.characterise import Key, Number, Told


def told(result: StudyResult, result_type: str, **settings: str) -> dict[Key, Told]:
    """The places of a result type, of those result ids that have the settings."""
    ids = {
        each.result_id
        for each in result.settings
        if each.result_type == result_type and settings.items() <= each.values.items()
    }
    cells = {cell.key: cell for cell in result.cells if cell.result_id in ids}
    found: dict[Key, Told] = {}
    for row in result.table.to_pylist():
        if row["result_id"] not in ids:
            continue
        strata = (row["strata_name"], row["strata_level"])
        place = (
            row["group_level"],
            *strata,
            row["variable_name"],
            row["variable_level"] or "",
            row["additional_level"],
        )
        cell = cells[row["result_id"], *place]
        at = found.setdefault(place, Told({}, frozenset(cell.numerator), frozenset(cell.denominator)))
        at.estimates[row["estimate_name"]] = number(row["estimate_type"], row["estimate_value"])
    return found


def number(kind: str, text: str | None) -> Number:
    """An estimate's text as what it stands for."""
    if text is None:
        return None
    return {"integer": int, "date": date.fromisoformat}.get(kind, float)(text)


def assert_same(found: Mapping[Key, Told], expected: Mapping[Key, Told]) -> None:
    """Places, persons and estimates are the same; numbers that are not whole within 1e-9 of their size."""
    assert found.keys() == expected.keys()
    for key, wanted in expected.items():
        assert (key, found[key].persons, found[key].among) == (key, wanted.persons, wanted.among)
        assert found[key].estimates.keys() == wanted.estimates.keys(), key
        for name, value in wanted.estimates.items():
            own = found[key].estimates[name]
            if isinstance(value, float) and isinstance(own, float):
                assert abs(own - value) <= 1e-9 * max(1, abs(value)), (key, name, own, value)
            else:
                assert own == value, (key, name, own, value)
