"""Results written place by place, as a study would hand them over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from enclos.contracts.result import OVERALL, RESULT_COLUMNS, RESULT_SCHEMA, SEPARATOR, ResultSettings, StudyResult


@dataclass(frozen=True)
class At:
    """The estimates of one place; names and levels of each column side by side."""

    group: Mapping[str, str]
    variable: str | None
    level: str | None
    estimates: Mapping[str, str | None]
    strata: Mapping[str, str] = field(default_factory=dict)
    additional: Mapping[str, str] = field(default_factory=dict)


def result_of_places(*results: tuple[str, Mapping[str, str], Sequence[At]]) -> StudyResult:
    """A result of a type, settings and places for each result id."""
    rows: list[tuple[object, ...]] = []
    settings = []
    for number, (result_type, values, places) in enumerate(results, start=1):
        shared = {"result_type": result_type, "package_name": "enclos", "package_version": "0"}
        settings.append(ResultSettings(number, {**shared, **values}))
        for at in places:
            group, strata, additional = (_joined(each) for each in (at.group, at.strata, at.additional))
            for name, text in at.estimates.items():
                where = (number, "cdm", *group, *strata, at.variable, at.level)
                rows.append((*where, name, "numeric", text, *additional))
    columns = {name: [row[at] for row in rows] for at, name in enumerate(RESULT_COLUMNS)}
    return StudyResult(pa.table(columns, schema=RESULT_SCHEMA), tuple(settings))


def _joined(named: Mapping[str, str]) -> tuple[str, str]:
    if not named:
        return OVERALL, OVERALL
    return SEPARATOR.join(named), SEPARATOR.join(named.values())


def rates(result_type: str, rows: Sequence[tuple[str, str, str | None, str | None, str | None]]) -> Sequence[At]:
    """Estimates of one outcome by year. In: rows of first day, persons, estimate, lower and upper end."""
    name = {"incidence": "incidence_100000_pys", "prevalence": "prevalence"}[result_type]
    group = {"denominator_cohort_name": "denominator_cohort_1", "outcome_cohort_name": "bleed"}
    found = []
    for start, persons, *numbers in rows:
        additional = {
            f"{result_type}_start_date": start,
            f"{result_type}_end_date": f"{start[:4]}-12-31",
            "analysis_interval": "years",
        }
        named = dict(zip((name, f"{name}_95CI_lower", f"{name}_95CI_upper"), numbers, strict=True))
        found.append(At(group, "Denominator", None, {"denominator_count": persons}, additional=additional))
        found.append(At(group, "Outcome", None, named, additional=additional))
    return found


def curve(
    result_type: str, rows: Mapping[str, Sequence[str | None]], names: Sequence[str], target: str = "statin",
    outcome: str = "bleed", strata: Mapping[str, str] | None = None,
) -> Sequence[At]:  # fmt: skip
    """Estimates by day since entry. In: rows — texts by day, one for each of the names."""
    return [
        At({"target_cohort": target}, "outcome", outcome, dict(zip(names, texts, strict=True)), strata or {},
           {"time": day})
        for day, texts in rows.items()
    ]  # fmt: skip
