"""What to write into a study file so that it asks for the wider bands: the analyses that change, ready to paste."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from enclos.contracts.result import SEPARATOR
from enclos.release.rules.merging import DropStrata, JoinSexes, Lengthen, MergeAges, Move, longer_than
from enclos.studies.model import MAX_AGE_YEARS

_RATES = ("incidence", "prevalence")
_WIDTH = 110


def changed_analyses(text: str, moves: Sequence[Move]) -> dict[int, dict[str, Any]]:
    """The analyses that change, by their place in the study, each whole with its new options."""
    changed: dict[int, dict[str, Any]] = {}
    for at, analysis in enumerate(yaml.safe_load(text)["analyses"]):
        ((kind, options),) = analysis.items()
        after = dict(options)
        for move in moves:
            after = _after(kind, after, move)
        if after != options:
            changed[at] = {kind: after}
    return changed


def study_change(text: str, moves: Sequence[Move]) -> str:
    """The analyses that change, as lines that take the place of theirs in the study file.

    Empty: no text when the study file has no such analysis.
    """
    parts = []
    for at, analysis in changed_analyses(text, moves).items():
        line = yaml.safe_dump([analysis], sort_keys=False, default_flow_style=None, width=_WIDTH, allow_unicode=True)
        parts.append(f"# in the place of analysis {at + 1}\n{line}")
    return "".join(parts)


def _after(kind: str, options: Mapping[str, Any], move: Move) -> dict[str, Any]:
    match move:
        case MergeAges(low, high) if kind in _RATES:
            ages = [tuple(each) for each in options.get("age_groups", [[0, MAX_AGE_YEARS]])]
            if {low, high} <= {*ages}:
                wider = [move.merged if each == low else each for each in ages if each != high]
                return {**options, "age_groups": [list(each) for each in dict.fromkeys(wider)]}
        case JoinSexes() if kind in _RATES:
            sexes = _listed(options.get("sex", "both"))
            if "both" in sexes or {"male", "female"} <= {*sexes}:
                return {**options, "sex": ["both"]} if sexes != ["both"] else dict(options)
        case Lengthen(interval) if kind in _RATES:
            intervals = _listed(options.get("interval", "years"))
            longer = longer_than(interval, intervals, can_be_made=kind == "incidence")
            if interval in intervals and longer is not None:
                listed = [longer if each == interval else each for each in intervals]
                return {**options, "interval": list(dict.fromkeys(listed))}
        case DropStrata(name) if "strata" in options:
            sets = [_listed(each) for each in _listed(options["strata"])]
            kept = [each for each in sets if {*each} != {*name.split(SEPARATOR)}]
            return {**options, "strata": kept} if kept else {k: v for k, v in options.items() if k != "strata"}
        case _:
            pass
    return dict(options)


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]
