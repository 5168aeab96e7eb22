"""A result's table read place by place, and put together by analysis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

import pyarrow as pa

from enclos.contracts.result import OVERALL, SEPARATOR, ResultSettings
from enclos.studies.figures.model import Analysis, Kind, Point

ATTRITION = "_attrition"
RATES = ("incidence", "incidence_standardised", "prevalence")
_COLUMNS = ("result_id", "group_name", "group_level", "strata_name", "strata_level", "variable_name", "variable_level",
            "additional_name", "additional_level", "estimate_name", "estimate_value")  # fmt: skip
_FAMILIES = {
    "incidence_standardised": "incidence",
    "summarise_characteristics": "characterise",
    "summarise_large_scale_characteristics": "characterise",
    "summarise_cohort_overlap": "characterise",
    "summarise_cohort_timing": "characterise",
    "summarise_standardised_differences": "characterise",
    "summarise_drug_utilisation": "utilisation",
    "summarise_indication": "utilisation",
    "summarise_proportion_of_patients_covered": "utilisation",
    "summarise_drug_restart": "utilisation",
    "summarise_cohort_attrition": "utilisation",
    "treatment_pathways": "pathways",
}


def analyses_of(table: pa.Table, settings: Sequence[ResultSettings]) -> list[Analysis]:
    """The analyses of a result in its order; a result of an unknown type is an analysis of its own name.

    Empty: a result id without rows is there, without points
    """
    points: dict[int, dict[tuple[object, ...], Point]] = {each.result_id: {} for each in settings}
    types = {each.result_id: each.result_type for each in settings}
    for row in zip(*(table[name].to_pylist() for name in _COLUMNS), strict=True):
        *place, name, text = row
        if types[row[0]] in RATES:  # its estimates are told apart by whom they count; they are of one place
            place[5] = place[6] = None
        key = tuple(place)
        found = points[row[0]].get(key)
        if found is None:
            group, strata, additional = (_named(*place[at : at + 2]) for at in (1, 3, 7))
            found = Point(row[0], group, strata, place[5] or "", place[6] or "", additional)
            points[row[0]][key] = found
        found.estimates[name] = text
    kinds = []
    for result_type, some in groupby(settings, key=lambda each: each.result_type):
        own = tuple(some)
        kinds.append(Kind(result_type, own, tuple(each for one in own for each in points[one.result_id].values())))
    return _together(kinds)


def is_attrition(kind: Kind) -> bool:
    """Whether the results tell what each reason leaves."""
    return kind.result_type.endswith(ATTRITION) and all("reason_id" in point.additional for point in kind.points)


def _named(names: str, levels: str) -> Mapping[str, str]:
    if names == OVERALL:
        return {}
    return dict(zip(names.split(SEPARATOR), levels.split(SEPARATOR), strict=True))


def _together(kinds: Sequence[Kind]) -> list[Analysis]:
    found: list[list[Kind]] = []
    for kind in kinds:
        seen = {each.result_type for each in found[-1]} if found else set()
        same_family = bool(found) and family_of(found[-1][0].result_type) == family_of(kind.result_type)
        if same_family and (kind.result_type not in seen or kind.result_type == found[-1][-1].result_type):
            found[-1].append(kind)
        else:
            found.append([kind])
    return [Analysis(at, family_of(each[0].result_type), tuple(each)) for at, each in enumerate(found, start=1)]


def family_of(result_type: str) -> str:
    """The kind of analysis that gives a result of that type."""
    for family in ("survival", "compare", "sccs"):
        if result_type.startswith(family):
            return family
    return _FAMILIES.get(result_type) or result_type.removesuffix(ATTRITION)
