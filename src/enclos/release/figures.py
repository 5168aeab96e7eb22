"""The figures of a package, drawn from the checked table alone; a withheld number is not drawn."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from enclos.contracts.result import ResultSettings
from enclos.release.pictures import clean_png, clean_svg
from enclos.studies.figures.parts import figures_of
from enclos.studies.figures.reading import analyses_of
from enclos.studies.figures.style import png_of_svg, svg_beneath

_MAX_FIGURES = 12


def figures_of_table(table: pa.Table, settings: Sequence[ResultSettings]) -> dict[str, bytes]:
    """The pictures that a study's own page has of these numbers, one beneath the other: as SVG and as PNG.

    Both are written anew and carry nothing but what they draw; the first twelve pictures are drawn.
    Empty: a result with nothing shown gives a drawing that says so.
    """
    figures = [figure for analysis in analyses_of(table, settings) for figure in figures_of(analysis)]
    drawing = clean_svg(svg_beneath(figures[:_MAX_FIGURES]).encode("utf-8"))
    return {"figure.svg": drawing, "figure.png": clean_png(png_of_svg(drawing.decode("utf-8")))}
