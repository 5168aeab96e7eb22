"""The figure of a package, drawn from the checked table alone; a withheld number is not drawn."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from enclos.contracts.result import ResultSettings
from enclos.studies.figures.parts import figures_of
from enclos.studies.figures.reading import analyses_of
from enclos.studies.figures.style import svg_beneath

_MAX_FIGURES = 12


def figure_svg(table: pa.Table, settings: Sequence[ResultSettings]) -> bytes:
    """The pictures that a study's own page has of these numbers, one beneath the other; the first twelve.

    Empty: a result with nothing shown gives a drawing that says so.
    """
    figures = [figure for analysis in analyses_of(table, settings) for figure in figures_of(analysis)]
    return svg_beneath(figures[:_MAX_FIGURES]).encode("utf-8")
