"""Whom a permit covers, as its document says it."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib import resources
from typing import Any

from enclos.contracts.definitions import is_definition
from enclos.contracts.view import (
    CONCEPT_COLUMNS,
    DEPARTMENT,
    MOST_CONTROLS,
    FromSource,
    InCohort,
    Population,
    RandomSample,
    Residents,
    WholeBase,
    WithConcept,
    WithControls,
)
from enclos.permits.document.tree import Path, Tree
from enclos.permits.document.values import one_of, pattern, whole
from enclos.permits.model import SOURCE_ID

_MAX_SEED = 2**53 - 1
_MAX_CONCEPT = 2**31 - 1
_FORMS = (
    "`all`, {source: ID}, {sample_percent: N, seed: N}, {region: CODE}, {departments: [CODE]}, "
    "{concepts: [ID], descendants: true, domain: condition}, {circe: FILE} "
    "or {controls_of: POPULATION, per_case: N, seed: N}"
)


@cache
def regions() -> Mapping[str, tuple[str, ...]]:
    """The departments of each region by its code. Source: INSEE, Code officiel géographique 2024."""
    return {row["region"]: tuple(row["departments"].split()) for row in _region_rows()}


@cache
def regions_by_name() -> Mapping[str, str]:
    """The name of each region by its code. Source: as of ``regions``."""
    return {row["region"]: row["name"] for row in _region_rows()}


def _region_rows() -> list[dict[str, str]]:
    text = resources.files("enclos.permits").joinpath("regions.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def json_from_population(population: Population) -> Any:  # noqa: PLR0911 - one form after the other
    """The population as the signed document writes it; a region is written as its departments."""
    match population:
        case FromSource(source):
            return {"source": source}
        case RandomSample(percent, seed):
            return {"sample_percent": format(percent, "f"), "seed": seed}
        case Residents(departments):
            return {"departments": list(departments)}
        case WithConcept(domain, concepts, descendants):
            return {"concepts": list(concepts), "descendants": descendants, "domain": domain}
        case InCohort(definition):
            return {"circe": definition}
        case WithControls(cases, per_case, seed):
            return {"controls_of": json_from_population(cases), "per_case": per_case, "seed": seed}
    return "all"


def read_population(  # noqa: PLR0911 - one form after the other
    tree: Tree, value: Any, path: Path
) -> Population | None:
    """The population at a place of the document; None, with a fault, when it cannot be read."""
    if value == "all":
        return WholeBase()
    names = frozenset(value) if isinstance(value, dict) else frozenset()
    if names == {"circe"}:
        if isinstance(value["circe"], str) and is_definition(value["circe"]):
            return InCohort(value["circe"])
        tree.fault((*path, "circe"), "names a file that did not come with the permit, or is no definition")
    elif names == {"source"}:
        source = pattern(tree, value, (*path, "source"), SOURCE_ID, "the id of a source such as hosp-a")
        return FromSource(source) if source else None
    elif names == {"sample_percent", "seed"}:
        return _sample(tree, value, path)
    elif names == {"region"}:
        code = one_of(tree, value, (*path, "region"), tuple(regions()))
        return Residents(regions()[code]) if code else None
    elif names == {"departments"}:
        return _residents(tree, value["departments"], (*path, "departments"))
    elif names == {"concepts", "descendants", "domain"}:
        return _with_concept(tree, value, path)
    elif names == {"controls_of", "per_case", "seed"}:
        return _with_controls(tree, value, path)
    else:
        tree.fault(path, f"must be {_FORMS}")
    return None


def _sample(tree: Tree, value: dict[str, Any], path: Path) -> RandomSample | None:
    percent = _decimal(value["sample_percent"])
    if percent is None or not 0 < percent <= 100 or percent != round(percent, 4):
        tree.fault((*path, "sample_percent"), "must be above 0, at most 100, with at most four decimals")
        percent = None
    seed = whole(tree, value, (*path, "seed"), 0, _MAX_SEED)
    return RandomSample(percent, seed) if percent is not None and seed is not None else None


def _residents(tree: Tree, codes: Any, path: Path) -> Residents | None:
    if (
        not isinstance(codes, list)
        or not codes
        or not all(isinstance(code, str) and DEPARTMENT.fullmatch(code) for code in codes)
        or len(set(codes)) != len(codes)
    ):
        tree.fault(path, 'must list department codes, each once and quoted: ["01", "2A", "974"]')
        return None
    return Residents(tuple(sorted(codes)))


def _with_concept(tree: Tree, value: dict[str, Any], path: Path) -> WithConcept | None:
    concepts = value["concepts"]
    known = isinstance(concepts, list) and all(
        type(concept) is int and 0 < concept <= _MAX_CONCEPT for concept in concepts
    )
    if not known or not concepts or len(set(concepts)) != len(concepts):
        tree.fault((*path, "concepts"), "must list concept ids, each once")
    if not isinstance(value["descendants"], bool):
        tree.fault((*path, "descendants"), "must be true or false")
    domain = one_of(tree, value, (*path, "domain"), tuple(CONCEPT_COLUMNS))
    if tree.faults or domain is None:
        return None
    return WithConcept(domain, tuple(sorted(concepts)), value["descendants"])


def _with_controls(tree: Tree, value: dict[str, Any], path: Path) -> WithControls | None:
    cases = read_population(tree, value["controls_of"], (*path, "controls_of"))
    per_case = whole(tree, value, (*path, "per_case"), 1, MOST_CONTROLS)
    seed = whole(tree, value, (*path, "seed"), 0, _MAX_SEED)
    if isinstance(cases, WholeBase | WithControls):
        tree.fault((*path, "controls_of"), "must be a population that leaves others to draw controls from")
        return None
    return None if cases is None or per_case is None or seed is None else WithControls(cases, per_case, seed)


def _decimal(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
