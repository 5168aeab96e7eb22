"""The permit as a document: YAML that people write, JSON that is signed."""

from enclos.permits.document.fields import faults_in, json_from_permit, permit_from_json, read_permit, whole_permit
from enclos.permits.document.template import draft_permit
from enclos.permits.document.writing import text_from_form, text_from_permit

__all__ = [
    "draft_permit",
    "faults_in",
    "json_from_permit",
    "permit_from_json",
    "read_permit",
    "text_from_form",
    "text_from_permit",
    "whole_permit",
]
