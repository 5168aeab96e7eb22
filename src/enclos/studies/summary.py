"""The estimates of a study as one flat object each, for the command line's JSON and for people's scripts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from enclos.contracts.result import HIDDEN, OVERALL, SEPARATOR, ResultSettings, StudyResult
from enclos.studies.model import Interval
from enclos.studies.rules.report import GROUP_NAME
from enclos.studies.sensitivity.model import WAY

Value: TypeAlias = str | int | float | None
_Row: TypeAlias = Mapping[str, str | None]
_RATES = GROUP_NAME
_ATTRITION = "_attrition"
_PROFILE = "log_ratio"
"""What points of a likelihood are by: they are for pooling, not for reading."""
_OF_A_WAY = (WAY, "withheld_for")
"""Settings that tell the ways of asking apart, and why an estimate is not shown."""
_AS_NUMBERS = frozenset({"integer", "numeric", "percentage", "proportion"})
_NUMBERS: dict[str, tuple[str, type[int | float]]] = {
    "denominator_count": ("n_persons", int),
    "outcome_count": ("n_events", int),
    "person_days": ("person_days", int),
    "person_years": ("person_years", float),
    "incidence_100000_pys": ("per_100k_person_years", float),
    "incidence_100000_pys_95CI_lower": ("lower", float),
    "incidence_100000_pys_95CI_upper": ("upper", float),
    "standardised_100000_pys": ("standardised_per_100k_person_years", float),
    "standardised_100000_pys_95CI_lower": ("lower", float),
    "standardised_100000_pys_95CI_upper": ("upper", float),
    "prevalence": ("prevalence", float),
    "prevalence_95CI_lower": ("lower", float),
    "prevalence_95CI_upper": ("upper", float),
}


def summary(result: StudyResult) -> list[dict[str, Value]]:
    """One object per estimate: what was estimated for whom and when, with its counts and 95 % interval.

    Out:   analysis, denominator, outcome, age_group, sex, days_prior_observation, interval, start_on, end_on,
           n_persons, n_events (persons with the outcome for a prevalence); for incidence person_days, person_years and
           per_100k_person_years (standardised_per_100k_person_years where ages are weighted, without counts),
           for prevalence its share; lower, upper; of a stratum stratum_sex, stratum_age_group; for other analyses, per
           place of the result: analysis, its group, strata and additional columns by name, variable, level, and its
           estimates by name; where the same is asked in several ways also the way,
           and of a comparison why its estimate is withheld
    Empty: a number that is not there (a share of nobody) or is withheld is None
    """
    settings = {each.result_id: each for each in result.settings}
    shown: dict[tuple[int, str, str, str], dict[str, Value]] = {}
    others: dict[tuple[object, ...], dict[str, Value]] = {}
    for row in result.table.to_pylist():
        if settings[row["result_id"]].result_type.endswith(_ATTRITION) or row["additional_name"] == _PROFILE:
            continue
        if row["group_name"] != _RATES:
            _add_other(others, settings[row["result_id"]], row)
            continue
        if row["estimate_name"] not in _NUMBERS:
            continue
        key = (row["result_id"], row["group_level"], row["strata_level"], row["additional_level"])
        if key not in shown:
            shown[key] = _head(settings[row["result_id"]], row["group_level"], row["additional_level"])
            if row["strata_name"] != OVERALL:
                names, levels = row["strata_name"].split(SEPARATOR), row["strata_level"].split(SEPARATOR)
                shown[key].update({f"stratum_{name}": level for name, level in zip(names, levels, strict=True)})
        name, number = _NUMBERS[row["estimate_name"]]
        text = row["estimate_value"]
        shown[key][name] = None if text in {None, HIDDEN} else number(text)
    return [*shown.values(), *others.values()]


def _add_other(others: dict[tuple[object, ...], dict[str, Value]], settings: ResultSettings, row: _Row) -> None:
    """Add an estimate to the object of its place."""
    place = tuple(value for name, value in row.items() if not name.startswith("estimate_"))
    told = {name: settings.values[name] for name in _OF_A_WAY if name in settings.values}
    found = others.setdefault(place, {"analysis": settings.result_type, **told})
    for column in ("group", "strata", "additional"):
        if row[f"{column}_name"] != OVERALL:
            names, levels = (str(row[f"{column}_{what}"]).split(SEPARATOR) for what in ("name", "level"))
            found.update(zip(names, levels, strict=True))
    found.update({"variable": row["variable_name"], "level": row["variable_level"]})
    text = row["estimate_value"]
    if text is not None and text != HIDDEN and row["estimate_type"] in _AS_NUMBERS:
        found[str(row["estimate_name"])] = int(text) if row["estimate_type"] == "integer" else float(text)
    else:
        found[str(row["estimate_name"])] = None if text == HIDDEN else text


def _head(settings: ResultSettings, group_level: str, additional_level: str) -> dict[str, Value]:
    denominator, outcome = group_level.split(SEPARATOR)
    start_on, end_on, *interval = additional_level.split(SEPARATOR)
    values = settings.values
    return {
        "analysis": values.get("analysis_type", settings.result_type),
        "denominator": denominator,
        "outcome": outcome,
        "age_group": values["denominator_age_group"],
        "sex": values["denominator_sex"],
        "days_prior_observation": int(values["denominator_days_prior_observation"]),
        "interval": interval[0] if interval else Interval.OVERALL.value,
        "start_on": start_on,
        "end_on": end_on,
    }
