"""What a protocol says of a kind of analysis."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

Options: TypeAlias = Iterator[tuple[str, object]]


@dataclass(frozen=True, slots=True)
class Words:
    """What a protocol says of one kind of analysis."""

    title: str
    design: str
    question: Callable[[Any], str]
    outcomes: Callable[[Any], tuple[str, ...]]
    options: Callable[[Any], Options]
    estimator: str
