"""Release's verbs: check, ask, look, question, vote, export, verify."""

from enclos.release.steps.exporting import check_again, export_release, left_to, mark_exported, may_go_again
from enclos.release.steps.figures import left_under, list_requests, turnaround
from enclos.release.steps.history import drawn_names
from enclos.release.steps.judging import Asked
from enclos.release.steps.kept import renumbered_sets
from enclos.release.steps.looking import find_beside, queue_of, show_beside
from enclos.release.steps.requests import (
    answer_question,
    ask_question,
    check_result,
    request_release,
    review_release,
    show_numbers,
    show_request,
)

__all__ = [
    "Asked",
    "answer_question",
    "ask_question",
    "check_again",
    "check_result",
    "drawn_names",
    "export_release",
    "find_beside",
    "left_to",
    "left_under",
    "list_requests",
    "mark_exported",
    "may_go_again",
    "queue_of",
    "renumbered_sets",
    "request_release",
    "review_release",
    "show_beside",
    "show_numbers",
    "show_request",
    "turnaround",
]
