"""What is said to a session and not to the data: transactions that hold nothing, settings that change little."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from enclos.gateway.catalog.tables import SETTINGS
from enclos.gateway.statements import words_of
from enclos.gateway.tokens import Token
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal

REPORTED = {
    "server_version": "server_version",
    "server_encoding": "server_encoding",
    "client_encoding": "client_encoding",
    "DateStyle": "datestyle",
    "IntervalStyle": "intervalstyle",
    "TimeZone": "timezone",
    "integer_datetimes": "integer_datetimes",
    "standard_conforming_strings": "standard_conforming_strings",
    "is_superuser": "is_superuser",
    "application_name": "application_name",
}
"""Settings that a client is told of without asking, under the names that it looks for."""
_FIXED = {
    *("client_encoding", "datestyle", "timezone", "standard_conforming_strings", "server_version"),
    *("server_encoding", "intervalstyle"),
}
_UTF8 = {"utf8", "utf-8", "unicode"}
_MOST_SETTINGS, _LONGEST_NAME, _LONGEST_VALUE = 200, 63, 200


class TransactionFailed(Exception):
    """A statement in a transaction that has failed already."""


@dataclass(slots=True)
class SessionState:
    """What a session remembers: its settings, and whether it believes to be in a transaction."""

    settings: dict[str, str] = field(default_factory=lambda: dict(SETTINGS))
    status: bytes = b"I"

    def keep(self, name: str, value: str) -> None:
        """Set a setting that nothing here depends on.

        Refuses: GATE_COMMAND when the session would hold too many.
        """
        if len(name) > _LONGEST_NAME or (name not in self.settings and len(self.settings) >= _MOST_SETTINGS):
            raise _no_setting()
        self.settings[name] = value if len(value) <= _LONGEST_VALUE else ""

    def failed(self) -> None:
        """A statement was refused: a transaction goes on only to its end."""
        if self.status == b"T":
            self.status = b"E"


@dataclass(frozen=True, slots=True)
class Done:
    """What a command gave: its tag, and perhaps a table."""

    tag: str
    table: pa.Table | None = None
    forget: tuple[str, ...] = ()
    """Prepared statements to forget; ``*`` for all."""


def command_of(tokens: Sequence[Token]) -> str:
    """The word that makes a statement a command of the session; nothing for a question."""
    words = words_of(tokens)
    first = words[0] if words else ""
    return first if first in _COMMANDS else ""


def run_command(tokens: Sequence[Token], state: SessionState) -> Done:
    """Do what a command says.

    Refuses: GATE_COMMAND for a setting that cannot be had.
    """
    words = words_of(tokens)
    return _COMMANDS[words[0]](words, state)


def require_no_failure(tokens: Sequence[Token], state: SessionState) -> None:
    """In a failed transaction nothing is done but to end it."""
    if state.status == b"E" and command_of(tokens) not in {"rollback", "commit", "end", "abort"}:
        raise TransactionFailed


def columns_of(tokens: Sequence[Token], state: SessionState) -> pa.Schema | None:
    """The columns that a command will give, or None."""
    words = words_of(tokens)
    if words[0] != "show":
        return None
    return _shown(words, state).schema


def _begin(_: Sequence[str], state: SessionState) -> Done:
    state.status = b"T"
    return Done("BEGIN")


def _commit(_: Sequence[str], state: SessionState) -> Done:
    tag = "ROLLBACK" if state.status == b"E" else "COMMIT"
    state.status = b"I"
    return Done(tag)


def _rollback(words: Sequence[str], state: SessionState) -> Done:
    if "to" in words:
        if state.status == b"E":
            state.status = b"T"
        return Done("ROLLBACK")
    state.status = b"I"
    return Done("ROLLBACK")


def _savepoint(words: Sequence[str], _: SessionState) -> Done:
    return Done(words[0].upper())


def _set(words: Sequence[str], state: SessionState) -> Done:
    said = [word for word in words[1:] if word not in {"session", "local"}]
    if said[:1] == ["characteristics"] or said[:1] == ["transaction"] or said[:1] == ["names"]:
        return Done("SET")
    if said[:2] == ["time", "zone"]:
        said = ["timezone", "=", *said[2:]]
    if len(said) > 3 and said[1] == ".":  # a setting of a program's own
        said = ["".join(said[:3]), *said[3:]]
    if len(said) < 3 or said[1] not in {"=", "to"}:
        raise _no_setting()
    name, value = said[0], "".join(said[2:]).strip("'\"")
    if name in _FIXED and value != "default":
        _require_same(name, value, state)
    else:
        state.keep(name, value)
    return Done("SET")


def _require_same(name: str, value: str, state: SessionState) -> None:
    """A setting that answers depend on stays; to say what it is already is no change."""
    now = state.settings[name].lower()
    same = value.lower() in now or (name == "client_encoding" and value.lower() in _UTF8)
    same = same or (name == "timezone" and value.lower() in {"utc", "gmt", "etc/utc", "z", "0"})
    if not same and name != "timezone":
        raise _no_setting()


def _reset(words: Sequence[str], state: SessionState) -> Done:
    name = _setting_of(words)
    if name == "all":
        state.settings = dict(SETTINGS)
    elif name in SETTINGS:
        state.settings[name] = SETTINGS[name]
    else:
        state.settings.pop(name, None)
    return Done("RESET")


def _show(words: Sequence[str], state: SessionState) -> Done:
    return Done("SHOW", _shown(words, state))


def _shown(words: Sequence[str], state: SessionState) -> pa.Table:
    name = _setting_of(words)
    if name == "all":
        known = sorted(state.settings.items())
        return pa.table({"name": [key for key, _ in known], "setting": [value for _, value in known]})
    if name not in state.settings:
        raise _no_setting()
    return pa.table({name: [state.settings[name]]})


def _setting_of(words: Sequence[str]) -> str:
    name = ("" if "." in words else "_").join(words[1:]).strip('"')
    return {"transaction_isolation_level": "transaction_isolation", "time_zone": "timezone"}.get(name, name)


def _discard(words: Sequence[str], state: SessionState) -> Done:
    if words[1:] != ["all"]:  # plans, sequences, temporary tables: there are none
        return Done(f"DISCARD {' '.join(words[1:2]).upper()}")
    state.settings = dict(SETTINGS)
    return Done("DISCARD ALL", forget=("*",))


def _deallocate(words: Sequence[str], _: SessionState) -> Done:
    name = [word for word in words[1:] if word != "prepare"][-1:]
    forget = "*" if name in ([], ["all"]) else name[0].strip('"')
    return Done("DEALLOCATE", forget=(forget,))


def _no_setting() -> Refusal:
    return refusal(Code.GATE_COMMAND, "This setting cannot be had here.", "Leave it as it is: docs/gateway.md.")


_COMMANDS = {
    "begin": _begin,
    "start": _begin,
    "commit": _commit,
    "end": _commit,
    "rollback": _rollback,
    "abort": _rollback,
    "savepoint": _savepoint,
    "release": _savepoint,
    "set": _set,
    "reset": _reset,
    "show": _show,
    "discard": _discard,
    "deallocate": _deallocate,
}
