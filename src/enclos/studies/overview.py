"""The summary of a study as people read it on a terminal: a table for each kind of result, of the columns that tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from enclos.contracts.result import SEPARATOR
from enclos.studies.figures.model import Point, english
from enclos.studies.figures.ratios import RATIOS, diagnostic, why_none
from enclos.studies.sensitivity.model import WAY
from enclos.studies.summary import Value

Row = Mapping[str, Value]
_COMPARISON, _SCORES = "compare_estimates", ("score_fitted", "equipoise", "max_smd", "mdrr", "ease", "left_out")
_BEHIND = frozenset(
    {"compare_controls", "compare_score", "compare_balance", "compare_survival", "compare_survival_events"}
)
"""What stands behind a comparison: hundreds of rows, for the page."""
_DESIGNS = frozenset({"sccs", "self_controlled_cohort", "case_crossover", "case_control"})
_NOTHING = frozenset({None, ""})


def overview(rows: Sequence[Row]) -> dict[str, list[dict[str, Value]]]:
    """The objects of a summary as tables, by what they are about; a column that tells nothing is not there.

    Out: of a comparison one row for each way of asking, outcome and adjustment with its ratio, interval, and persons
         and outcomes of both cohorts, and its diagnostics in a table of their own; of a design around cases why
         there is no ratio; of all others one row an object
    """
    kinds: dict[str, list[Row]] = {}
    for row in rows:
        if row["analysis"] not in _BEHIND:
            kinds.setdefault(str(row["analysis"]), []).append(row)
    found: dict[str, list[dict[str, Value]]] = {}
    for kind, some in kinds.items():
        if kind == _COMPARISON:
            found["diagnostics"] = _diagnostics(some)
            found["estimates"] = _comparison(some)
        elif kind in _DESIGNS:
            found[kind.replace("_", " ")] = [_design(row) for row in some]
        else:
            found[kind.replace("_", " ")] = [_plain(row) for row in some]
    return {name: _told(table) for name, table in found.items() if table}


def _told(rows: Sequence[Mapping[str, Value]]) -> list[dict[str, Value]]:
    """The rows without columns that hold nothing in any."""
    names = dict.fromkeys(name for row in rows for name in row)
    kept = [name for name in names if name in RATIOS or any(row.get(name) not in _NOTHING for row in rows)]
    return [{name: row.get(name) for name in kept} for row in rows]


def _plain(row: Row) -> dict[str, Value]:
    asked = {"asked as": row[WAY]} if WAY in row else {}
    return {**asked, **{name: value for name, value in row.items() if name not in {"analysis", WAY}}}


def _comparison(rows: Iterable[Row]) -> list[dict[str, Value]]:
    found: dict[tuple[Value, ...], dict[str, Value]] = {}
    for row in rows:
        key = (row.get(WAY), row["outcome_cohort_name"], row.get("adjustment"))
        if row["variable"] == "Diagnostics":
            continue
        said = found.setdefault(key, dict(zip(("asked as", "outcome", "adjustment"), key, strict=True)))
        if row["variable"] == "Effect":
            ratio = next((name for name in RATIOS if name in row), RATIOS[0])
            said |= {ratio: row.get(ratio), "lower": row.get("lower"), "upper": row.get("upper")}
            if row.get("withheld_for"):
                said["withheld for"] = _failed(row)
        else:
            arm = str(row["variable"]).lower()
            said |= {f"{arm} persons": row.get("n_persons"), f"{arm} outcomes": row.get("n_events")}
    return list(found.values())


def _failed(row: Row) -> str:
    return ", ".join(diagnostic(name, english) for name in str(row["withheld_for"]).split(SEPARATOR))


def _diagnostics(rows: Iterable[Row]) -> list[dict[str, Value]]:
    """A row a way of asking and outcome: each diagnostic's number, and which of them fail."""
    return [
        {
            "asked as": row.get(WAY),
            "outcome": row["outcome_cohort_name"],
            **{name.replace("_", " "): row.get(name) for name in _SCORES},
            "verdict": f"fails: {_failed(row)}" if row.get("withheld_for") else "holds",
        }
        for row in rows
        if row["variable"] == "Diagnostics"
    ]


def _design(row: Row) -> dict[str, Value]:
    said = _plain(row)
    counts: dict[str, str | None] = {
        name: _as_text(value) for name, value in row.items() if name.startswith("n_") or name in RATIOS
    }
    if row["variable"] not in {"model", "reference"} and not any(name in row for name in RATIOS):
        point = Point(0, {}, {}, "", "", {}, counts)
        said["no ratio because"] = why_none(point, english)
    return said


def _as_text(value: Value) -> str:
    return "-" if value is None else str(value)
