"""The permit as a document: YAML that people write, JSON that is signed."""

from enclos.permits.document.fields import faults_in, json_from_permit, permit_from_json, read_permit, whole_permit
from enclos.permits.document.forms import document_of, field_of, form_from_document, text_from_form
from enclos.permits.document.template import draft_permit
from enclos.permits.document.writing import text_from_permit, text_of

__all__ = [
    "document_of",
    "draft_permit",
    "faults_in",
    "field_of",
    "form_from_document",
    "json_from_permit",
    "permit_from_json",
    "read_permit",
    "text_from_form",
    "text_from_permit",
    "text_of",
    "whole_permit",
]
