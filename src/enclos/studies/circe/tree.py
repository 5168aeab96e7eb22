"""JSON as a tree that knows where it is: every fault is kept with its path, and reading goes on."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal

MAX_TEXT_CHARS = 20_000_000
MAX_INTEGER = 2**31 - 1
_BEYOND = 1e24
"""No number is so large: one of more digits has no four decimals, and no database a column for it."""
_WRITTEN_NUMBER = re.compile(r"[+-]?\d{1,18}(\.\d{1,18})?", re.ASCII)
_MAX_DEPTH = 100
_MAX_TOLD = 20
_CONTAINERS = frozenset((dict, list))
_FLAT = "ConceptSets"
"""What is below it is read layer by layer, never by a function that calls itself, and is most of a long definition: its
depth is not looked for."""
_Word = TypeVar("_Word")


@dataclass(slots=True)
class Faults:
    """What is wrong with a document, each with its path."""

    found: list[str] = field(default_factory=list)
    beyond: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By path, tables and columns that a right document reads and OMOP CDM 5.4 does not have; no fault of its own."""

    def add(self, path: str, what: str) -> None:
        """Keep one."""
        self.found.append(f"{path or 'the definition'} {what}")

    def refuse(self) -> None:
        """Raise the refusal that names them.

        Refuses: CIRCE_INVALID when there is any.
        """
        if not self.found:
            return
        told = "; ".join(self.found[:_MAX_TOLD])
        more = f"; and {len(self.found) - _MAX_TOLD} more" if len(self.found) > _MAX_TOLD else ""
        raise refusal(
            Code.CIRCE_INVALID,
            f"The cohort definition is not valid: {told}{more}.",
            "Correct what the paths name, in ATLAS or in the file.",
        )


@dataclass(slots=True)
class Node:
    """A value and its path; never changed, and not frozen because definitions have thousands."""

    value: Any
    path: str
    faults: Faults

    def fault(self, what: str) -> None:
        """Say what is wrong here."""
        self.faults.add(self.path, what)

    def reads(self, missing: tuple[str, ...]) -> None:
        """Keep what is read here that the CDM does not have."""
        if missing:
            self.faults.beyond[self.path] = missing

    def fields(
        self, known: Mapping[str, str], described: Collection[str] = (), *, others: bool = False
    ) -> dict[str, Node]:
        """The object's values that are not null, by the names known.

        Names are matched whatever their case; a name that is not known is a fault, also when its value is null.
        In: described — names whose values nobody reads; others — pass over names that are not known
        """
        if not isinstance(self.value, dict):
            self.fault("should be an object")
            return {}
        found: dict[str, Node] = {}
        for name, value in self.value.items():
            own = known.get(name) or known.get(name.lower())
            if own is None and others:
                continue
            if own is None or own in found:
                path = f"{self.path}.{name}" if self.path else str(name)
                self.faults.add(path, "is not known to Circe" if own is None else "is given twice")
            elif value is not None:
                found[own] = (
                    self if own in described else Node(value, f"{self.path}.{name}" if self.path else name, self.faults)
                )
        return found

    def items(self) -> list[Node]:
        """The list's values."""
        if not isinstance(self.value, list):
            self.fault("should be a list")
            return []
        return [self.item(index) for index in range(len(self.value))]

    def item(self, index: int) -> Node:
        """One of the list's values."""
        return Node(self.value[index], f"{self.path}[{index}]", self.faults)

    def _written(self) -> Any:
        """The value, or the number that a text writes, as circe-be reads it too; Capr writes numbers so."""
        if isinstance(self.value, str) and _WRITTEN_NUMBER.fullmatch(self.value):
            return float(self.value) if "." in self.value else int(self.value)
        return self.value

    def integer(self, least: int = -MAX_INTEGER) -> int:
        """A whole number of 32 bits."""
        value = self._written()
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= MAX_INTEGER:
            self.fault(f"should be a whole number of at least {least}" if least >= 0 else "should be a whole number")
            return max(least, 0)
        return value

    def number(self) -> float | int:
        """A number."""
        value = self._written()
        if not isinstance(value, int | float) or isinstance(value, bool) or not -_BEYOND < value < _BEYOND:
            self.fault("should be a number")
            return 0
        return value

    def boolean(self) -> bool:
        """True or false."""
        if not isinstance(self.value, bool):
            self.fault("should be true or false")
        return self.value is True

    def text(self) -> str:
        """A text."""
        if not isinstance(self.value, str):
            self.fault("should be a text")
            return ""
        return self.value

    def day(self) -> date:
        """A day, written as year-month-day."""
        parts = self.value.split("-") if isinstance(self.value, str) else []
        try:
            year, month, day = (int(part) for part in parts)
            return date(year, month, day)
        except ValueError:
            self.fault("should be a day, written as 2020-12-31")
            return date(1970, 1, 1)

    def word(self, words: Mapping[str, _Word], default: _Word) -> _Word:
        """One of some words, whatever its case."""
        if isinstance(self.value, str) and self.value.lower() in words:
            return words[self.value.lower()]
        self.fault(f"should be one of {', '.join(words)}")
        return default


def tree_of(text: str) -> Node:
    """The tree of a JSON text, whether or not the mark of its encoding is before it.

    Refuses: CIRCE_UNREADABLE when it is too long, too deep or not JSON, or names a key of an object twice.
    """
    if len(text) > MAX_TEXT_CHARS:
        raise _unreadable("it is longer than twenty million characters")
    try:
        value = _parsed(text.removeprefix("\ufeff"))
    except RecursionError:
        raise _unreadable("it nests too deep") from None
    except json.JSONDecodeError as error:
        raise _unreadable(f"line {error.lineno} is not JSON") from None
    except ValueError:
        raise _unreadable("a number in it is none, or too long") from None
    nested = [inner for name, inner in value.items() if name != _FLAT] if type(value) is dict else value
    if _depth(nested) > _MAX_DEPTH:
        raise _unreadable("it nests too deep")
    return Node(value, "", Faults())


def _parsed(text: str) -> Any:
    """The value of a JSON text in which no object has a name twice.

    Every name that is written has a colon behind it. Where the names and the strings that are left account for all
    colons of the text, none was written over; only where they do not are the names of each object compared.
    """
    objects: list[dict[str, Any]] = []

    def seen(found: dict[str, Any]) -> dict[str, Any]:
        objects.append(found)
        return found

    value = json.loads(text, object_hook=seen, parse_constant=_no_constant)
    others = text.count(":") - sum(map(len, objects))
    if others and "\\u" not in text:  # an escape may stand for a colon that is not in the text
        others -= sum(each.count(":") for found in objects for each in found.values() if type(each) is str)
    return json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant) if others else value


def _unreadable(what: str) -> Refusal:
    return refusal(
        Code.CIRCE_UNREADABLE, f"The cohort definition cannot be read: {what}.", "Export it again, as Circe JSON."
    )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = dict(pairs)
    if len(keys) != len(pairs):
        names = [name for name, _ in pairs]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise _unreadable(f"an object in it has {twice[0][:100]} twice")
    return keys


def _no_constant(_: str) -> Any:
    raise ValueError


def _depth(value: Any) -> int:
    depth, level = 0, [value] if type(value) in _CONTAINERS else []
    while level:
        depth += 1
        if depth > _MAX_DEPTH:
            break
        level = [
            inner
            for each in level
            for inner in (each.values() if type(each) is dict else each)
            if type(inner) in _CONTAINERS
        ]
    return depth


def known(*names: str) -> dict[str, str]:
    """Names by their lower case, and by themselves."""
    return {name.lower(): name for name in names} | {name: name for name in names}
