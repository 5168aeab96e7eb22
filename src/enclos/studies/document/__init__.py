"""A study as people write it, and its published schema."""

from enclos.studies.document.reading import MAX_TEXT_CHARS
from enclos.studies.document.study import (
    definition_texts,
    study_from_yaml,
    study_json_schema,
    study_schema_text,
    whole_study,
    with_saved,
)

__all__ = [
    "MAX_TEXT_CHARS",
    "definition_texts",
    "study_from_yaml",
    "study_json_schema",
    "study_schema_text",
    "whole_study",
    "with_saved",
]
