"""One tree of refusals; a caller acts on the branch, a person reads the sentence.

    Refusal
    ├── NotAllowed     exit 3   who, when or under what right is missing
    ├── NotAsPromised  exit 4   a file, table, column, key or store is not what it was declared to be
    └── NotSafe        exit 5   a result would disclose too much

A message says what was refused, which rule (with its source) and what to do next. It never carries a person's
value, a key, SQL with literals or an engine's text. A bug is not a refusal: it stays an ordinary exception (exit 1).
Every refusal has a code from ``lexicon/codes.py``; the code decides the branch.
"""

from __future__ import annotations

from enclos.lexicon.codes import Branch, Code

USAGE_EXIT = 2
BUG_EXIT = 1


class Refusal(Exception):
    """Something was refused for a reason that its reader can act on."""

    exit_code: int = BUG_EXIT

    def __init__(self, code: Code, what: str, next_step: str = "") -> None:
        super().__init__(what)
        self.code = code
        self.what = what
        self.next_step = next_step
        self.is_told = False
        """Whether the ledger tells of it as the outcome of an intent."""

    @property
    def rule(self) -> str:
        """The rule that refused, with its source."""
        return self.code.rule

    def __str__(self) -> str:
        tail = f" Next: {self.next_step}" if self.next_step else ""
        return f"{self.what} ({self.code.id}: {self.rule}){tail}"


class NotAllowed(Refusal):
    """No right for this person, at this time, for this purpose."""

    exit_code = 3


class NotAsPromised(Refusal):
    """A contract is broken: a file, table, column, key, document or store."""

    exit_code = 4


class NotSafe(Refusal):
    """A disclosure rule forbids the result."""

    exit_code = 5


_BRANCHES: dict[Branch, type[Refusal]] = {
    Branch.NOT_ALLOWED: NotAllowed,
    Branch.NOT_AS_PROMISED: NotAsPromised,
    Branch.NOT_SAFE: NotSafe,
}


def refusal(code: Code, what: str, next_step: str = "") -> Refusal:
    """The refusal of the branch that the code belongs to; the caller raises it.

    In: what — one sentence without a person's value; next_step — what the reader can do.
    """
    return _BRANCHES[code.branch](code, what, next_step)
