"""The rules as data: thresholds, forms of labels, and what each estimate is."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources

from enclos.contracts.disclosure import NOTHING_MORE, Demands, strictest
from enclos.contracts.result import RESULT_COLUMNS
from enclos.release.model import Role


@dataclass(frozen=True, slots=True)
class Dominance:
    """When a sum owes too much to its largest parts.

    (n, k): the two largest are more than ``k_percent`` of it. p-percent: what all but the two largest add up to is
    less than ``p_percent`` of the largest, so that the second could reckon the first that closely.

    Source: Hundepool and others 2012, Statistical Disclosure Control, 4.2; thresholds as ACRO's.
    """

    k_percent: float
    p_percent: float

    def dominates(self, largest: tuple[float, float], total: float) -> bool:
        """Whether the two largest parts of a total tell of one of them."""
        first, second = largest
        rest = total - first - second
        return total > 0 and (100 * (first + second) > self.k_percent * total or 100 * rest < self.p_percent * first)


@dataclass(frozen=True, slots=True)
class Policy:
    """The disclosure rules that hold whatever a study asks for."""

    id: str
    source: str
    default_min_count: int
    hides_full_counts: bool
    time_width_days_per_person: int
    dominance: Dominance
    levels_found: frozenset[str]
    """Result types whose levels are what was found: a hidden one leaves no line."""
    small_places: frozenset[str]
    """Strata that are small places: their numbers are of so many days at least."""
    least_days: int
    most_curve_steps: int
    """Steps of one curve; each is kept and compared with all that leaves later."""
    demands: Demands
    """Thresholds that are stricter than the minimum says by itself."""
    n_reviewers: int
    labels: Mapping[str, re.Pattern[str]]
    values: re.Pattern[str]
    settings_names: re.Pattern[str]
    settings_values: re.Pattern[str]


@cache
def policy() -> Policy:
    """The rules of this version; a label column without a form is a broken file."""
    data = json.loads(resources.files("enclos.release").joinpath("policy.json").read_text(encoding="utf-8"))
    labelled = set(RESULT_COLUMNS) - {"result_id", "estimate_value"}
    if set(data["labels"]) != labelled or data["zero_counts"] != "show" or data["full_counts"] not in {"show", "hide"}:
        raise ValueError("the release policy names a form for every label column and known rules only")
    if data["dominance"]["n"] != 2:
        raise ValueError("the two largest contributors of a sum are known, and no more")
    return Policy(
        data["id"],
        data["source"],
        data["default_min_count"],
        data["full_counts"] == "hide",
        data["time_width_days_per_person"],
        Dominance(data["dominance"]["k_percent"], data["dominance"]["p_percent"]),
        frozenset(data["levels_found"]),
        frozenset(data["small_places"]["strata"]),
        data["small_places"]["least_days"],
        data["most_curve_steps"],
        NOTHING_MORE,
        data["n_reviewers"],
        {name: re.compile(form) for name, form in data["labels"].items()},
        re.compile(data["values"]),
        re.compile(data["settings_names"]),
        re.compile(data["settings_values"]),
    )


def stricter(rules: Policy, demands: Demands) -> Policy:
    """The rules with what is demanded beyond them; of each threshold the strictest, so that nothing is loosened."""
    own = rules.dominance
    return replace(
        rules,
        dominance=Dominance(min(own.k_percent, demands.dominance_percent), max(own.p_percent, demands.p_percent)),
        least_days=max(rules.least_days, demands.place_days),
        demands=strictest((rules.demands, demands)),
    )


@cache
def roles() -> dict[tuple[str, str, str], Role]:
    """The role of each known estimate by result type, variable and estimate; any other is refused."""
    text = resources.files("enclos.release").joinpath("estimates.csv").read_text(encoding="utf-8")
    return {
        (row["result_type"], row["variable_name"], row["estimate_name"]): Role(row["role"])
        for row in csv.DictReader(text.splitlines())
    }
