"""Refusals as PostgreSQL's clients read them: a closed list of SQLSTATEs, our own sentences, nothing of an engine."""

from __future__ import annotations

from enclos.lexicon.codes import Branch, Code
from enclos.lexicon.refusals import Refusal

_STATES = {
    Code.GATE_CREDENTIAL: "28P01",
    Code.GATE_CLEAR: "28000",
    Code.GATE_BUSY: "53300",
    Code.GATE_STOPPED: "57014",
    Code.GATE_CATALOG: "0A000",
    Code.GATE_PARAMETER: "22P02",
    Code.GATE_COMMAND: "25006",
    Code.SQL_NOT_ALLOWED: "0A000",
    Code.SQL_LIMIT: "54000",
    Code.SQL_FAILED: "22000",
    Code.SQL_UNCONFINED: "58000",
    Code.SQL_WITHHELD: "42501",
    Code.VIEW_NOT_GRANTED: "42P01",
    Code.ENCLOSURE_BUSY: "55P03",
    Code.KEY_ROTATING: "57P03",
}
_BY_BRANCH = {Branch.NOT_ALLOWED: "42501", Branch.NOT_AS_PROMISED: "58000", Branch.NOT_SAFE: "42501"}
PROTOCOL, FAILED_TRANSACTION, BUG = "08P01", "25P02", "XX000"
NO_SUCH_STATEMENT, NO_SUCH_PORTAL = "26000", "34000"
TOO_MANY, SHUT_DOWN, IDLE = "53300", "57P01", "57P05"


def state_of(code: Code) -> str:
    """The SQLSTATE of a refusal."""
    return _STATES.get(code, _BY_BRANCH[code.branch])


def fields_of(refused: Refusal, *, fatal: bool = False) -> dict[str, str]:
    """A refusal's fields: what, the rule, what next."""
    return plain(
        state_of(refused.code), refused.what, f"{refused.code.id}: {refused.rule}", refused.next_step, fatal=fatal
    )


def plain(state: str, what: str, detail: str = "", hint: str = "", *, fatal: bool = False) -> dict[str, str]:
    """The fields of an error of the door's own."""
    severity = "FATAL" if fatal else "ERROR"
    return {"S": severity, "V": severity, "C": state, "M": what, "D": detail, "H": hint}
