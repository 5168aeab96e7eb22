"""Names of concepts as labels: what peers call a result's lines by is kept in the run, and leaves as it may."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from enclos.contracts.result import StudyResult
from enclos.lexicon.labels import concept_label

_LARGE_SCALE = "summarise_large_scale_characteristics"
_CONCEPT = "concept_id"


def labelled(result: StudyResult) -> StudyResult:
    """The result with the names of features that are concepts as labels, in its lines and its cells alike."""
    ids = {each.result_id for each in result.settings if each.result_type == _LARGE_SCALE}
    if not ids:
        return result
    columns = (
        result.table[name].to_pylist() for name in ("result_id", "variable_name", "additional_name", "additional_level")
    )
    names = [
        _label(name, level) if own in ids and added == _CONCEPT else name
        for own, name, added, level in zip(*columns, strict=True)
    ]
    at = result.table.schema.get_field_index("variable_name")
    field = result.table.schema.field(at)
    cells = tuple(
        replace(cell, variable_name=_label(cell.variable_name, cell.additional_level))
        if cell.result_id in ids
        else cell
        for cell in result.cells
    )
    return StudyResult(result.table.set_column(at, field, pa.array(names, field.type)), result.settings, cells)


def _label(name: str, concept: str) -> str:
    return concept_label(int(concept), name) if name and concept.isdecimal() else name
