"""Rates of the same persons until one day and until another: who left before it lost the days in between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import pyarrow as pa

from enclos.contracts.result import RESULT_SCHEMA, SEPARATOR, ResultSettings, StudyResult
from factories.results import Asked, Person, result_of

FIRST = date(2019, 1, 1)


def rate(
    last: str, left_on: Sequence[str] = (), n_more: int = 0, days_after: Sequence[int] = (), n: int = 200
) -> StudyResult:
    """Incidence of so many persons from the first day of 2019 to a day, those who left on a day before it less."""
    people = [Person("Male", 1960, (365,), 0 if number < 40 else None) for number in range(n)]
    result = result_of(people, Asked(sexes=("Both",), years=False, washout="0"), attrition=False)
    until = date.fromisoformat(last)
    n_days = n * ((until - FIRST).days + 1) - days_lost(last, left_on)
    settings = result.settings
    if days_after:  # from entry to a day; the others after it leave on days of their own
        until_day, *leaves = days_after
        n_days = sum(min(until_day, day) + 1 for day in [*leaves, *[until_day] * (n - len(leaves))])
        values = {**settings[0].values, "denominator_time_at_risk": f"0 to {until_day}"}
        settings = (ResultSettings(settings[0].result_id, values),)
    years = n_days / 365.25
    said = {"person_days": str(n_days), "person_years": f"{years:.3f}", "outcome_count": str(40 + n_more)}
    for name, factor in (("", 1.0), ("_95CI_lower", 0.8), ("_95CI_upper", 1.3)):
        said[f"incidence_100000_pys{name}"] = f"{factor * (40 + n_more) / round(years, 3) * 1e5:.3f}"
    rows = result.table.to_pylist()
    for row in rows:
        row["estimate_value"] = said.get(row["estimate_name"], row["estimate_value"])
        row["additional_level"] = row["additional_level"].replace("2019-12-31", last)
    cells = [replace(each, additional_level=SEPARATOR.join((FIRST.isoformat(), last))) for each in result.cells]
    assert {each.additional_level for each in cells} == {row["additional_level"] for row in rows}
    return StudyResult(pa.Table.from_pylist(rows, RESULT_SCHEMA), settings, tuple(cells))


def days_lost(last: str, left_on: Sequence[str]) -> int:
    """Days from leaving to the last one, of all who left."""
    return sum(max(0, (date.fromisoformat(last) - date.fromisoformat(day)).days) for day in left_on)


@dataclass(frozen=True)
class Stretch:
    """What a row of the corpus says of a rate."""

    last: str
    left_on: tuple[str, ...]
    n_more: int
    n: int

    @property
    def lost(self) -> int:
        """Days that its persons lost."""
        return days_lost(self.last, self.left_on)

    @property
    def result(self) -> StudyResult:
        """As a study hands it over."""
        return rate(self.last, self.left_on, self.n_more, n=self.n)


def stretch_of(text: str) -> Stretch:
    """``until 2019-12-31 ; left 15 2019-10-01 2 2019-12-29 ; more 3 ; of 200``: what is not said is nobody, 0, 200."""
    said = {name: words for name, *words in (part.split() for part in text.split(";"))}
    left = said.get("left", [])
    pairs = zip(left[::2], left[1::2], strict=True)
    left_on = tuple(day for n, day in pairs for _ in range(int(n)))
    (more,), (n,) = said.get("more", ["0"]), said.get("of", ["200"])
    return Stretch(said["until"][0], left_on, int(more), int(n))
