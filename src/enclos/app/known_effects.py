"""The drugs of the synthetic France whose effect is known, asked after as a researcher would, and held against it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from enclos.app import studies
from enclos.app.enclosure import Enclosure
from enclos.app.progress import Report
from enclos.app.runs import run_files
from enclos.studies.summary import summary

_ESTIMATES, _ATTRITION = "compare_estimates", "compare_attrition"
_ADJUSTED, _CRUDE = "Adjusted", "Crude"
_BALANCE = ("n_covariates", "n_above_a_tenth", "mean_abs_smd", "max_abs_smd")


def run_known_effects(
    enclosure: Enclosure, *, permit: str, user: str, truth: Path, folder: Path, report: Report
) -> list[dict[str, Any]]:
    """Run the studies that the truth brings, and say of each what was found beside what is true.

    In:    permit — shows rows with their days, since all diagnostics are told; folder — gets a page for each
    Out:   per effect: id, true_ratio, drawn (the same of the persons drawn: ratio, lower, upper, and n_persons,
           n_events, person_days by arm), page, verdict of release, and what ``held_against`` says of the result
    """
    found = []
    for effect in json.loads((truth / "effects.json").read_text(encoding="utf-8")):
        text = (truth / effect["study"]).read_text(encoding="utf-8")
        page = folder / f"{effect['id']}.html"
        done = studies.run(enclosure, permit=permit, user=user, text=text, page=page, report=report)
        result = run_files(enclosure, permit).read(done["run"]).result
        told = held_against(summary(result), effect["hazard_ratio"])
        attrition = result.of_type(_ATTRITION).to_pylist()
        found.append(
            {
                "id": effect["id"],
                "true_ratio": effect["hazard_ratio"],
                "drawn": effect["drawn"],
                "page": page.name,
                "seconds": done["seconds"],
                "release": done["verdict"],
                **told,
                "attrition": _attrition(attrition),
            }
        )
    return found


def held_against(shown: Sequence[Mapping[str, Any]], true_ratio: float) -> dict[str, Any]:
    """The estimates of one comparison, its persons and its diagnostics, and whether the interval holds the truth.

    Out:   ratio, lower, upper, crude_ratio, holds_truth, called_harmful (None where the estimate is withheld); target
           and comparator with n_persons, n_events; diagnostics with name, value, threshold, passed
    """
    places = {
        (row["adjustment"], row["variable"]): row for row in shown if row["analysis"] == _ESTIMATES and not row["level"]
    }
    effect, crude = places.get((_ADJUSTED, "Effect"), {}), places.get((_CRUDE, "Effect"), {})
    ratio, lower, upper = (effect.get(name) for name in ("hazard_ratio", "lower", "upper"))
    said = places.get((_ADJUSTED, "Diagnostics"), {})
    return {
        "ratio": ratio,
        "lower": lower,
        "upper": upper,
        "crude_ratio": crude.get("hazard_ratio"),
        "holds_truth": lower < true_ratio < upper if lower is not None and upper is not None else None,
        "called_harmful": lower > 1 if lower is not None else None,
        **{
            arm.lower(): {name: places.get((_ADJUSTED, arm), {}).get(name) for name in ("n_persons", "n_events")}
            for arm in ("Target", "Comparator")
        },
        "diagnostics": [
            {
                "name": name,
                "value": said[name],
                "threshold": said[f"{name}_threshold"],
                "passed": said[f"{name}_passed"] == 1,
            }
            for name in said
            if f"{name}_passed" in said
        ],
        "balance": {
            when: {name: places.get((how, "Balance"), {}).get(name) for name in _BALANCE}
            for when, how in (("before", _CRUDE), ("after", _ADJUSTED))
        },
    }


def _attrition(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Persons of both cohorts after each step."""
    steps: dict[str, dict[str, Any]] = {}
    for row in rows:
        if row["variable_name"] == "number_subjects":
            step = steps.setdefault(row["additional_level"], {"step": row["strata_level"]})
            step[row["variable_level"].lower()] = int(row["estimate_value"])
    return list(steps.values())
