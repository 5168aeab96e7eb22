"""What several enclosures say of one question, and all together, as forest plots."""

from __future__ import annotations

from collections.abc import Sequence

from enclos.studies.calibration.rules.together import SITE, Forest
from enclos.studies.figures.model import Figure, Say, english
from enclos.studies.figures.ratios import Line, forest_figure

MOST_FIGURES = 12


def pooled_figures(forests: Sequence[Forest], say: Say = english) -> list[Figure]:
    """A forest plot a question: each site, then what they say together by each method; the first twelve.

    Empty: a question of which no number is shown has none
    """
    figures = []
    for forest in forests:
        lines = [
            Line(
                each.site if each.method == SITE else say(each.method),
                say("site") if each.method == SITE else say("together"),
                each.value,
                each.lower,
                each.upper,
            )
            for each in forest.lines
            if each.value
        ]
        if lines:
            figures.append(forest_figure(forest.title, forest.measure, lines, say))
    return figures[:MOST_FIGURES]
