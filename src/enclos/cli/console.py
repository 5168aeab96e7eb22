"""What a person sees: progress and refusals on standard error, the result on standard output."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import Any, TypeGuard

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from enclos.app.progress import Report

_ERROR = Console(stderr=True, highlight=False)
_OUT = Console(highlight=False, width=None if sys.stdout.isatty() else 200)
_SECONDS_BETWEEN_LINES = 10.0
_MAX_ROWS = 60
"""Longer tables are cut on a terminal."""
_MAX_INSIDE = 30
"""Of what lies inside a value, so much is printed."""


def say(text: str) -> None:
    """A line on standard error."""
    _ERROR.print(text, markup=False, soft_wrap=True)


def show(result: Mapping[str, Any], *, as_json: bool) -> None:
    """The result of a command: one JSON document, or a few readable lines."""
    if as_json:
        sys.stdout.write(json.dumps(result, ensure_ascii=False, default=str) + "\n")
        return
    for key, value in result.items():
        if isinstance(value, list) and value and isinstance(value[0], Mapping):
            _show_rows(key, value)
        else:
            for line in _lines(str(key), value, ""):
                _OUT.print(line, markup=False, soft_wrap=True)


def hint(text: str, *, as_json: bool) -> None:
    """What a person may do next, on standard error; programs are told nothing."""
    if not as_json:
        say(f"next: {text}")


def _lines(name: str, value: object, indent: str) -> Iterator[str]:
    """A value by its name, what is inside it below and further in; long lists are cut."""
    inner = f"{indent}  "
    if isinstance(value, Mapping) and value:
        yield f"{indent}{name}:"
        for count, (key, item) in enumerate(value.items()):
            if count == _MAX_INSIDE:
                yield f"{inner}… and {len(value) - count} more: --json has them all"
                return
            yield from _lines(str(key), item, inner)
    elif _holds_mappings(value):
        yield f"{indent}{name}:"
        for count, item in enumerate(value):
            if count == _MAX_INSIDE:
                yield f"{inner}… and {len(value) - count} more: --json has them all"
                return
            yield f"{inner}- {_text(item)}"
    elif isinstance(value, str) and "\n" in value:
        yield f"{indent}{name}:"
        yield from (f"{inner}{line}" for line in value.rstrip("\n").split("\n"))
    elif isinstance(value, Mapping) or (isinstance(value, Sequence) and not value):
        yield f"{indent}{name}: –"
    else:
        yield f"{indent}{name}: {_text(value)}"


def _holds_mappings(value: object) -> TypeGuard[Sequence[Mapping[str, Any]]]:
    return _is_nested(value) and isinstance(value, Sequence) and bool(value) and isinstance(value[0], Mapping)


def _text(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "–"}[value]
    if isinstance(value, int):
        return f"{value:,}".replace(",", " ")
    if isinstance(value, float):
        return f"{value:,.6g}".replace(",", " ")
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_text(item)}" for key, item in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "; ".join(_text(item) for item in value)
    return str(value)


def _show_rows(title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    # What is nested inside a row would not fit a table; --json has it.
    names = list(dict.fromkeys(name for row in rows for name, value in row.items() if not _is_nested(value)))
    same = [name for name in names if len(rows) > 1 and len({_text(row.get(name)) for row in rows}) == 1]
    shared_by_all = ", ".join(f"{name} {_text(rows[0].get(name))}" for name in same)
    _OUT.print(f"{title}{f' (all: {shared_by_all})' if same else ''}:", markup=False, soft_wrap=True)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in names:
        if name not in same:
            numeric = all(isinstance(row.get(name), int | float | None) for row in rows)
            table.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in rows[:_MAX_ROWS]:
        table.add_row(*(_text(row.get(name)) for name in names if name not in same))
    _OUT.print(table)
    if len(rows) > _MAX_ROWS:
        _OUT.print(f"… and {len(rows) - _MAX_ROWS} more: --json has them all", markup=False)


def _is_nested(value: object) -> bool:
    return isinstance(value, Mapping) or (isinstance(value, Sequence) and not isinstance(value, str))


@contextmanager
def progress_bars() -> Iterator[Report]:
    """A reporter that draws one bar per phase on standard error, on a terminal; otherwise a line per
    phase, and one every ten seconds with rate and time left.
    """
    if not _ERROR.is_terminal:
        began: dict[str, float] = {}
        told: dict[str, float] = {}

        def lines(phase: str, done: float, note: str = "") -> None:
            now = perf_counter()
            if phase not in began:
                began[phase] = told[phase] = now
                say(f"… {phase}")
            elif note and now - told[phase] >= _SECONDS_BETWEEN_LINES and 0 < done < 1:
                told[phase] = now
                left = (now - began[phase]) * (1 - done) / done
                say(f"… {phase} {done:.0%}, {note}, {left:.0f} s left")

        yield lines
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=_ERROR, transient=False) as progress:
        tasks: dict[str, Any] = {}

        def bars(phase: str, done: float, note: str = "") -> None:
            if phase not in tasks:
                tasks[phase] = progress.add_task(phase, total=1.0, note="")
            progress.update(tasks[phase], completed=done, note=note)

        yield bars
