"""Single values of a document: each is what it must be, or a fault."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from typing import Any, TypeVar

from enclos.permits.document.tree import Path, Tree

_ONE_LINE = re.compile(r"[^\x00-\x1f\x7f\u2028\u2029]*")
_E = TypeVar("_E", bound=Enum)


def _last(path: Path) -> Any:
    return path[-1]


def _checked(tree: Tree, fields: dict[Any, Any], path: Path, accept: Callable[[Any], bool], wanted: str) -> Any:
    """The field's value when it is there and accepted; None, with a fault when it is there, otherwise."""
    if _last(path) not in fields:
        return None
    value = fields[_last(path)]
    if accept(value):
        return value
    tree.fault(path, f"must be {wanted}")
    return None


def pattern(tree: Tree, fields: dict[Any, Any], path: Path, form: re.Pattern[str], wanted: str) -> str | None:
    found: str | None = _checked(
        tree, fields, path, lambda value: isinstance(value, str) and bool(form.fullmatch(value)), wanted
    )
    return found


def line(tree: Tree, fields: dict[Any, Any], path: Path) -> str | None:
    def accept(value: Any) -> bool:
        return isinstance(value, str) and 3 <= len(value.strip()) <= 2000 and bool(_ONE_LINE.fullmatch(value))

    found: str | None = _checked(tree, fields, path, accept, "one line of 3 to 2000 characters")
    return found


def whole(tree: Tree, fields: dict[Any, Any], path: Path, least: int, most: int) -> int | None:
    def accept(value: Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most

    found: int | None = _checked(tree, fields, path, accept, f"a whole number from {least} to {most}")
    return found


def one_of(tree: Tree, fields: dict[Any, Any], path: Path, known: tuple[str, ...]) -> str | None:
    found: str | None = _checked(
        tree, fields, path, lambda value: isinstance(value, str) and value in known, f"one of {', '.join(known)}"
    )
    return found


def choice(tree: Tree, fields: dict[Any, Any], path: Path, kind: type[_E]) -> _E | None:
    found = one_of(tree, fields, path, tuple(member.value for member in kind))
    return kind(found) if found is not None else None


def day(tree: Tree, fields: dict[Any, Any], path: Path) -> date | None:
    value = fields.get(_last(path))
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if _last(path) in fields:
        tree.fault(path, "must be a day such as 2019-01-01")
    return None


def instant(tree: Tree, fields: dict[Any, Any], path: Path) -> datetime | None:
    value = fields.get(_last(path))
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(Z|[+-]\d{2}:\d{2})", value):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            value = None
    if (
        isinstance(value, datetime)
        and value.tzinfo is not None
        and value.microsecond == 0
        and isinstance(value.utcoffset(), timedelta)
    ):
        return value.astimezone(UTC)
    if _last(path) in fields:
        tree.fault(path, "must be an instant with its time zone such as 2026-11-01T00:00:00Z, in whole seconds")
    return None
