"""The report as one HTML page: no script, no request, pictures inside."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from enclos.app.report import charts
from enclos.contracts.omop import VOCABULARY_TABLES


def report_page(figures: Mapping[str, Any]) -> str:
    """The page for the figures of report.json.

    In: figures — as ``app.demo`` writes them; nothing is shown that is not in report.json.
    """
    template = resources.files("enclos.app.report").joinpath("report.html.j2").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"n": _grouped, "mb": _megabytes, "pct": _percent, "two": _two}
    pictures = {
        "stages": charts.stages(figures["stages"]),
        "flow": charts.flow_of_rows([row for row in figures["account"] if row["table"] not in VOCABULARY_TABLES]),
        "match": charts.match_rates(figures["linkage"]["hospitals"]),
        "rates": charts.rates_against_truth(figures["incidence"]),
        "suppression": charts.suppression(figures["release"]["cells"]),
    }
    marked = {name: Markup(svg) for name, svg in pictures.items()}  # noqa: S704 - SVG that vl-convert escaped
    return environment.from_string(template).render(figures=figures, pictures=marked)


def _grouped(number: float) -> str:
    return f"{number:,.0f}".replace(",", "\u202f")


def _megabytes(n_bytes: float) -> str:
    return f"{n_bytes / 1e6:,.1f}\u202fMB".replace(",", "\u202f")


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.2f}\u202f%"


def _two(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
