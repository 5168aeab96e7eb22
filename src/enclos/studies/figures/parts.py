"""What an analysis is told in: its pictures and tables, in the order in which they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from enclos.studies.characterise.model import LARGE_SCALE
from enclos.studies.figures.attrition import attrition_figures
from enclos.studies.figures.codes import code_figures, trend_figures
from enclos.studies.figures.comparisons import comparison_parts
from enclos.studies.figures.curves import covered_figures, survival_figures
from enclos.studies.figures.differences import difference_figures, large_scale_figures
from enclos.studies.figures.model import Analysis, Figure, Kind, Say, Table, english
from enclos.studies.figures.overlap import overlap_figures
from enclos.studies.figures.pathways import pathway_figures
from enclos.studies.figures.rates import rate_figures
from enclos.studies.figures.reading import is_attrition
from enclos.studies.figures.self_controlled import DESIGNS, design_parts
from enclos.studies.figures.spreads import indication_figures, restart_figures, spread_figures, treatment_figures
from enclos.studies.figures.tables import cut, plain_tables

_BY_TYPE: dict[str, Callable[[Kind, Say], list[Figure]]] = {
    "incidence": rate_figures,
    "incidence_standardised": rate_figures,
    "prevalence": rate_figures,
    "prevalence_of_records": rate_figures,
    "summarise_standardised_differences": difference_figures,
    "summarise_cohort_overlap": overlap_figures,
    "summarise_cohort_timing": lambda kind, say: spread_figures(kind, "Days between entries into two cohorts", say),
    "summarise_drug_utilisation": lambda kind, say: spread_figures(kind, "Use of drugs during each entry", say),
    "summarise_adherence": lambda kind, say: spread_figures(kind, "Adherence from the first day of each entry", say),
    "summarise_proportion_of_patients_covered": covered_figures,
    "summarise_drug_restart": restart_figures,
    "summarise_indication": indication_figures,
    "summarise_treatment": treatment_figures,
    "treatment_pathways": pathway_figures,
    "code_use": code_figures,
    "cohort_code_use": code_figures,
    "orphan_code_use": code_figures,
    "summarise_trend": trend_figures,
}
_NUMBERS = ("value", "n", "share", "median", "smd", "concept", "number_records")
"""What a picture draws: where none of it is shown, there is no picture."""


def parts_of(analysis: Analysis, say: Say = english) -> list[Figure | Table]:
    """The pictures and tables of an analysis in their order; tables are cut where they are long.

    Empty: a picture of which nothing is shown is not there; a type that no picture is known for has its table
    """
    return [cut(part) if isinstance(part, Table) else part for part in _parts(analysis, say) if _shows(part)]


def figures_of(analysis: Analysis, say: Say = english) -> list[Figure]:
    """The pictures of an analysis alone."""
    return [part for part in parts_of(analysis, say) if isinstance(part, Figure)]


def tables_of(analysis: Analysis, say: Say = english) -> list[Table]:
    """The tables of an analysis alone."""
    return [part for part in parts_of(analysis, say) if isinstance(part, Table)]


def _parts(analysis: Analysis, say: Say) -> Iterator[Figure | Table]:
    if analysis.family == "compare":
        yield from comparison_parts(analysis, say)
    elif analysis.family in DESIGNS:
        yield from design_parts(analysis, say)
    else:
        yield from _figures(analysis, say)
        yield from plain_tables(analysis, say)


def _figures(analysis: Analysis, say: Say) -> Iterator[Figure]:
    """Pictures by type, attrition last."""
    yield from survival_figures(analysis, say)
    scales = [kind for kind in analysis.kinds if kind.result_type == LARGE_SCALE]
    if any(kind.points for kind in scales):
        yield from large_scale_figures(scales, say)
    for kind in analysis.kinds:
        if kind.points and (draw := _BY_TYPE.get(kind.result_type)) is not None:
            yield from draw(kind, say)
    for kind in analysis.kinds:
        if kind.points and is_attrition(kind):
            yield from attrition_figures(kind, say)


def _shows(part: Figure | Table) -> bool:
    if isinstance(part, Table):
        return bool(part.rows)
    return any(row.get(name) is not None for rows in part.data.values() for row in rows for name in _NUMBERS)
