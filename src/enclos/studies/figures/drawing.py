"""Which pictures an analysis has."""

from __future__ import annotations

from collections.abc import Callable

from enclos.studies.figures.attrition import attrition_figures
from enclos.studies.figures.curves import covered_figures, survival_figures
from enclos.studies.figures.differences import difference_figures, large_scale_figures
from enclos.studies.figures.model import Analysis, Figure, Kind, Say, english
from enclos.studies.figures.overlap import overlap_figures
from enclos.studies.figures.pathways import pathway_figures
from enclos.studies.figures.rates import rate_figures
from enclos.studies.figures.reading import is_attrition
from enclos.studies.figures.spreads import indication_figures, restart_figures, spread_figures

_LARGE_SCALE = "summarise_large_scale_characteristics"
_BY_TYPE: dict[str, Callable[[Kind, Say], list[Figure]]] = {
    "incidence": rate_figures,
    "incidence_standardised": rate_figures,
    "prevalence": rate_figures,
    "summarise_standardised_differences": difference_figures,
    "summarise_cohort_overlap": overlap_figures,
    "summarise_cohort_timing": lambda kind, say: spread_figures(kind, "Days between entries into two cohorts", say),
    "summarise_drug_utilisation": lambda kind, say: spread_figures(kind, "Use of drugs during each entry", say),
    "summarise_proportion_of_patients_covered": covered_figures,
    "summarise_drug_restart": restart_figures,
    "summarise_indication": indication_figures,
    "treatment_pathways": pathway_figures,
}
_NUMBERS = ("value", "n", "share", "median", "smd", "concept", "number_records")
"""What a picture draws: where none of it is shown, there is no picture."""


def figures_of(analysis: Analysis, say: Say = english) -> list[Figure]:
    """The pictures of an analysis, attrition last.

    Empty: a type that no picture is known for, and one of which nothing is shown, have none
    """
    found: list[Figure] = list(survival_figures(analysis, say))
    scales = [kind for kind in analysis.kinds if kind.result_type == _LARGE_SCALE]
    found += large_scale_figures(scales, say) if any(kind.points for kind in scales) else []
    for kind in analysis.kinds:
        if kind.points and (draw := _BY_TYPE.get(kind.result_type)) is not None:
            found += draw(kind, say)
    for kind in analysis.kinds:
        if kind.points and is_attrition(kind):
            found += attrition_figures(kind, say)
    return [figure for figure in found if _shows(figure)]


def _shows(figure: Figure) -> bool:
    return any(row.get(name) is not None for rows in figure.data.values() for row in rows for name in _NUMBERS)
