"""What a protocol says of a kind of analysis."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

Options: TypeAlias = Iterator[tuple[str, object]]


def untold(_: Any) -> str:
    """Of what a design has nothing to say."""
    return ""


@dataclass(frozen=True, slots=True)
class Words:
    """What a protocol says of one kind of analysis."""

    title: str
    design: str
    question: Callable[[Any], str]
    outcomes: Callable[[Any], tuple[str, ...]]
    options: Callable[[Any], Options]
    estimator: str
    results: tuple[str, ...] = ()
    """The types of results that it can have, attrition aside."""
    population: Callable[[Any], str] = untold
    """Whom it counts, beyond the cohorts that it reads."""
    covariates: Callable[[Any], str] = untold
    sensitivity: Callable[[Any], Iterable[str]] = untold
    """Each other way in which it asks the same."""
    limitation: str = ""
    """What the design cannot do, whatever the data."""


def changes(own: Options, other: Options) -> str:
    """What another way of asking changes, option by option."""
    kept = dict(own)
    changed = [f"{option.lower()} {value}" for option, value in other if kept.get(option) != value]
    return "; ".join(changed) or "as the analysis"
