"""Names of concepts as labels: what peers call a result's lines by is kept in the run, and leaves as it may."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple, TypeAlias

import pyarrow as pa

from enclos.contracts.result import SEPARATOR, Cell, StudyResult
from enclos.lexicon.labels import concept_label
from enclos.studies.characterise.model import DIFFERENCES, LARGE_SCALE


class _Place(NamedTuple):
    """What names a line or a cell; empty where a line has nothing."""

    group_level: str
    strata_level: str
    variable_name: str
    variable_level: str
    additional_level: str


_Say: TypeAlias = Callable[[_Place], _Place]


def labelled(result: StudyResult) -> StudyResult:
    """The result with the names of concepts as labels, in its lines and its cells alike.

    Which names are a concept's follows from the type of a result. Where the concept's number stands beside its name,
    it takes the place of a name that no label can say.
    """
    types = {each.result_id: each.result_type for each in result.settings if each.result_type in _SAID}
    if not types:
        return result
    numbers = result.table["result_id"].to_pylist()
    columns = [result.table[name].to_pylist() for name in _Place._fields]
    places = [_Place(*(level or "" for level in levels)) for levels in zip(*columns, strict=True)]
    says = {
        own: _SAID[kind](place for number, place in zip(numbers, places, strict=True) if number == own)
        for own, kind in types.items()
    }
    said = [says[own](place) if own in says else place for own, place in zip(numbers, places, strict=True)]
    table = result.table
    for at, (name, before) in enumerate(zip(_Place._fields, columns, strict=True)):
        field = table.schema.field(name)
        levels = [None if old is None else place[at] for old, place in zip(before, said, strict=True)]
        table = table.set_column(table.schema.get_field_index(name), field, pa.array(levels, field.type))
    cells = tuple(_of_cell(cell, says[cell.result_id]) if cell.result_id in says else cell for cell in result.cells)
    return StudyResult(table, result.settings, cells)


def _of_cell(cell: Cell, say: _Say) -> Cell:
    """The cell named as its line is; of parts that an estimate rests on, the number of the part stays behind it."""
    variable, separator, part = cell.variable_name.rpartition(SEPARATOR)
    place = _Place(
        cell.group_level, cell.strata_level, variable or part, cell.variable_level or "", cell.additional_level
    )
    said = say(place)
    name = f"{said.variable_name}{separator}{part}" if separator else said.variable_name
    return replace(cell, **{**said._asdict(), "variable_name": name})


def _feature(place: _Place) -> _Place:
    """A feature: the concept's number is beside its name."""
    return _named(place, place.additional_level)


def _code(place: _Place) -> _Place:
    """A code that was looked for: the concept's number is its level."""
    return _named(place, place.variable_level)


def _named(place: _Place, concept: str) -> _Place:
    if not concept.isdecimal():
        return place
    return place._replace(variable_name=concept_label(place.variable_name, concept))


def _covariate(place: _Place) -> _Place:
    """A covariate: when it was looked for, then the concept's name; its number is part of the covariate's."""
    if not place.additional_level.isdecimal():
        return place
    when = place.variable_name.partition(": ")[0]
    return place._replace(variable_name=concept_label(place.variable_name, f"{when}: unnamed concept"))


def _plainly(say: _Say) -> Callable[[Iterable[_Place]], _Say]:
    return lambda _: say


def _ingredient(places: Iterable[_Place]) -> _Say:
    """Ingredients by their names alone: of several that a label would say alike each has its place beside it."""
    names = list(dict.fromkeys(place.group_level for place in places))
    labels = {name: concept_label(name, "") for name in names}
    n_alike = Counter(labels.values())
    for at, name in enumerate(names, start=1):
        if not labels[name] or n_alike[labels[name]] > 1:
            labels[name] = f"ingredient {at}"

    def say(place: _Place) -> _Place:
        levels = (concept_label(level, "unnamed route") for level in place.strata_level.split(SEPARATOR))
        return place._replace(
            group_level=labels.get(place.group_level, place.group_level), strata_level=SEPARATOR.join(levels)
        )

    return say


_SAID: Mapping[str, Callable[[Iterable[_Place]], _Say]] = {
    **dict.fromkeys((LARGE_SCALE, DIFFERENCES), _plainly(_feature)),
    **dict.fromkeys(("code_use", "cohort_code_use", "orphan_code_use"), _plainly(_code)),
    **dict.fromkeys(("compare_balance", "compare_score"), _plainly(_covariate)),
    "summarise_dose_coverage": _ingredient,
}
