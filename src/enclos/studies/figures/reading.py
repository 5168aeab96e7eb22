"""A result's table read place by place, and put together by analysis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

import pyarrow as pa

from enclos.contracts.result import OVERALL, SEPARATOR, ResultSettings
from enclos.studies.figures.model import Analysis, Kind, Point
from enclos.studies.sensitivity.model import PRIMARY, WAY

ATTRITION = "_attrition"
RATES = ("incidence", "incidence_standardised", "prevalence", "prevalence_of_records")
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
    "summarise_adherence": "utilisation",
    "summarise_indication": "utilisation",
    "summarise_treatment": "utilisation",
    "summarise_dose_coverage": "utilisation",
    "summarise_proportion_of_patients_covered": "utilisation",
    "summarise_drug_restart": "utilisation",
    "summarise_cohort_attrition": "utilisation",
    "treatment_pathways": "pathways",
    "code_use": "diagnose",
    "cohort_code_use": "diagnose",
    "orphan_code_use": "diagnose",
    "summarise_trend": "diagnose",
}
_PREFIXES = ("survival", "compare", "sccs", "self_controlled_cohort", "case_crossover", "case_control")
"""Families whose types begin with their name."""
_FIRST = {"compare": "compare_estimates"}
"""The type that a family begins with, where others of its types come again and again."""
_OF_A_DIAGNOSIS = ({"summarise_characteristics", "summarise_cohort_overlap"}, {"summarise_cohort_attrition"})
"""What a diagnosis tells before the use of codes, under types that other families have."""


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
    found: list[tuple[str, list[Kind]]] = []
    for kind in kinds:
        family = family_of(kind.result_type)
        if kind.result_type == "code_use":
            before = [each for _, some in _taken_back(found) for each in some]
            found.append((family, [*before, kind]))
        elif found and found[-1][0] == family and _goes_on(family, found[-1][1], kind):
            _add(found[-1][1], kind)
        else:
            found.append((family, [kind]))
    return [Analysis(at, family, tuple(each)) for at, (family, each) in enumerate(found, start=1)]


def _goes_on(family: str, own: Sequence[Kind], kind: Kind) -> bool:
    if (first := _FIRST.get(family)) is not None:
        return kind.result_type != first
    if _is_another_way(kind):
        return True
    return kind.result_type not in {each.result_type for each in own} or kind.result_type == own[-1].result_type


def _is_another_way(kind: Kind) -> bool:
    """Whether results are those of another way of asking than the primary one."""
    return bool(kind.settings) and kind.settings[0].values.get(WAY, PRIMARY) != PRIMARY


def _add(own: list[Kind], kind: Kind) -> None:
    """Put results beside those of their type; each type is told anew for each way of asking."""
    for at, each in enumerate(own):
        if each.result_type == kind.result_type and (_is_another_way(kind) or family_of(kind.result_type) in _FIRST):
            own[at] = Kind(kind.result_type, each.settings + kind.settings, each.points + kind.points)
            return
    own.append(kind)


def _taken_back(found: list[tuple[str, list[Kind]]]) -> list[tuple[str, list[Kind]]]:
    """What was taken for analyses of other families and is the beginning of a diagnosis."""
    taken: list[tuple[str, list[Kind]]] = []
    for types in reversed(_OF_A_DIAGNOSIS):
        if found and {each.result_type for each in found[-1][1]} <= types:
            taken.insert(0, found.pop())
    return taken


def family_of(result_type: str) -> str:
    """The kind of analysis that gives a result of that type."""
    for family in _PREFIXES:
        if result_type.startswith(family):
            return family
    return _FAMILIES.get(result_type) or result_type.removesuffix(ATTRITION)
