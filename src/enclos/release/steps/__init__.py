"""Release's verbs: ask, look, vote, export, verify."""

from enclos.release.steps.exporting import export_release, mark_exported
from enclos.release.steps.history import Renumber, renumbered_sets
from enclos.release.steps.requests import list_requests, request_release, review_release, show_request

__all__ = [
    "Renumber",
    "export_release",
    "list_requests",
    "mark_exported",
    "renumbered_sets",
    "request_release",
    "review_release",
    "show_request",
]
