"""The figure of a package, drawn from the checked table alone; a withheld number is not drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pyarrow as pa
import vl_convert

from enclos.contracts.result import HIDDEN, SEPARATOR, ResultSettings

_SHOWN = {
    "incidence_100000_pys": ("value", "events per 100 000 person-years"),
    "incidence_100000_pys_95CI_lower": ("lower", ""),
    "incidence_100000_pys_95CI_upper": ("upper", ""),
    "standardised_100000_pys": ("value", "age-standardised events per 100 000 person-years"),
    "standardised_100000_pys_95CI_lower": ("lower", ""),
    "standardised_100000_pys_95CI_upper": ("upper", ""),
    "prevalence": ("value", "prevalence (share of persons)"),
    "prevalence_95CI_lower": ("lower", ""),
    "prevalence_95CI_upper": ("upper", ""),
}
_MAX_PANELS = 12


def figure_svg(table: pa.Table, settings: Sequence[ResultSettings]) -> bytes:
    """One panel per analysis and outcome: estimates with their 95 % intervals over time, one line per population.

    Empty: a result with nothing shown gives a drawing that says so.
    """
    panels = _panels(table, settings)
    if not panels:
        empty = alt.Chart(alt.InlineData(values=[{"t": "No estimate is shown."}])).mark_text().encode(text="t:N")
        return _svg(empty)
    drawn = [_panel(title, unit, rows) for (title, unit), rows in list(panels.items())[:_MAX_PANELS]]
    return _svg(alt.vconcat(*drawn).resolve_scale(color="independent"))


def _panels(table: pa.Table, settings: Sequence[ResultSettings]) -> dict[tuple[str, str], list[dict[str, Any]]]:
    who = {
        each.result_id: ", ".join(
            each.values[name] for name in ("denominator_sex", "denominator_age_group") if name in each.values
        )
        for each in settings
    }
    points: dict[tuple[int, str, str], dict[str, Any]] = {}
    for row in table.to_pylist():
        known = _SHOWN.get(row["estimate_name"])
        if known is None or row["estimate_value"] in {None, HIDDEN}:
            continue
        key = (row["result_id"], row["group_level"], row["additional_level"])
        point = points.setdefault(key, {})
        point[known[0]] = float(row["estimate_value"])
        point["unit"] = known[1] or point.get("unit", "")
    panels: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for (result_id, group, additional), point in points.items():
        if "value" not in point:
            continue
        denominator, outcome = group.split(SEPARATOR)
        start_on, *rest = additional.split(SEPARATOR)
        kind = rest[-1] if rest else ""
        line = who.get(result_id) or denominator
        panels.setdefault((f"{outcome}, {kind}", point["unit"]), []).append({**point, "start": start_on, "who": line})
    return panels


def _panel(title: str, unit: str, rows: list[dict[str, Any]]) -> Any:
    base = alt.Chart(alt.InlineData(values=rows), width=520, height=200, title=title).encode(
        x=alt.X("start:T", title="start of the interval"), color=alt.Color("who:N", title=None)
    )
    spans = base.mark_rule(opacity=0.5).encode(y=alt.Y("lower:Q", title=unit), y2="upper:Q")
    return spans + base.mark_point(filled=True, size=35).encode(y="value:Q")


def _svg(chart: Any) -> bytes:
    svg: str = vl_convert.vegalite_to_svg(chart.configure(font="Helvetica, Arial, sans-serif").to_json())
    return svg.encode("utf-8")
