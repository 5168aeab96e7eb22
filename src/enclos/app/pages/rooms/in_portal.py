"""What a refusal says on a page: what to do next there, and no command, no address of programs and no file of ours."""

from __future__ import annotations

import re
from collections.abc import Mapping

from enclos.lexicon.codes import Code

_ELSEWHERE = re.compile(r"enclos [a-z]|--[a-z]|/api/|docs/|enclos\.toml|\bDIR\b")
"""What a reader of a page cannot do or open there."""
_SOURCE = re.compile(r" \[(?:design|docs)\b[^\]]*\]")
_PARTS = {
    "the columns that docs/sql.md lists": "the columns that stand beside the statement",
    "See docs/sql.md for what a query may hold.": "Write one SELECT over the tables that stand beside it.",
    "Compare it with the examples of docs/sql.md.": "Compare it with the statement that a new page begins with.",
    "Correct the lines named; docs/study.schema.json lists every option.": "Correct the lines named.",
    "Mend the document; `enclos permit draft` prints one to start from.": "Mend the document.",
    "Name it as YYYY-MM: --month 2026-10.": "Name it as YYYY-MM, such as 2026-10.",
}
"""Texts of the command line, and what a page says in their place."""
_OPERATOR = "Tell whoever runs this enclosure."
_LATER = "Come again in some minutes."
_NEXT = {
    Code.ENCLOSURE_BUSY: _LATER,
    Code.ENCLOSURE_MOVED: "Ask for its new address.",
    Code.WORKER_DIED: "Start it anew; if it ends so again, tell whoever runs this enclosure.",
    Code.KEY_ROTATING: _LATER,
    Code.LAKE_EMPTY: "Ask the steward when data will be there.",
    Code.SNAPSHOT_UNKNOWN: "Choose one that is listed.",
    Code.RUN_UNKNOWN: "See what was kept under the permit.",
    Code.PERMIT_UNKNOWN: "See the permits that are listed.",
    Code.PERMIT_UNSIGNED: "Have the access body sign it.",
    Code.PERMIT_EXISTS: "Look at the permit that is signed.",
    Code.VIEW_UNOPENED: "Ask the access body to open the permit.",
    Code.VIEW_NOT_GRANTED: "Use a study, or keep the counts of the statement as a run.",
    Code.APPLICATION_UNKNOWN: "See the applications that are listed.",
    Code.JOB_UNKNOWN: "See what you began under Running.",
    Code.JOB_UNFINISHED: "Wait for its end, which its page tells.",
    Code.RELEASE_UNKNOWN: "See the requests that are listed.",
    Code.RELEASE_UNTYPED: "Ask for the tables of which a rule speaks.",
    Code.RELEASE_TRANSITION: "Look at the request again: it may stand elsewhere now.",
    Code.RELEASE_ALTERED: "Look at the request again, then decide.",
    Code.PACKAGE_BROKEN: "Give the release key that you trust: 64 hexadecimal digits.",
    Code.SIGN_IN_SLOW: (
        "Wait a quarter of an hour, or use a browser in which you signed in before; a steward can open the account."
    ),
    Code.SIGN_IN_TOKEN: "Sign in again.",
    Code.ACCOUNT_UNKNOWN: "See those that are listed.",
    Code.SIGN_IN_PROVIDER: "Try again later; if it stays so, tell whoever runs this enclosure.",
    Code.SIGN_IN_MISSING: "Sign in.",
    Code.LEDGER_MISSING: "Look at what the ledger has now.",
    Code.LEDGER_DAMAGED: "Have whoever runs this enclosure verify it whole.",
}
"""By the rule what is next on a page, where the command line's next step names a command."""


def in_portal(said: Mapping[str, str]) -> dict[str, str]:
    """A refusal as a page says it. In: said — of ``said_of``, or what long work was refused for."""
    what, following = (_said(said[name]) for name in ("what", "next"))
    if _ELSEWHERE.search(following):
        following = next((step for code, step in _NEXT.items() if code.id == said["code"]), _OPERATOR)
    return {**said, "what": what, "next": following, "rule": _SOURCE.sub("", said["rule"])}


def source_shown(source: str) -> str:
    """Where a rule is from, unless that is a document of ours that no page shows."""
    return "" if source.startswith(("design", "conception", "docs/")) else source


def _said(text: str) -> str:
    for english, here in _PARTS.items():
        text = text.replace(english, here)
    return text
