"""What is read of a result, and what is made of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from enclos.contracts.result import HIDDEN, ResultSettings

Say: TypeAlias = Callable[..., str]
"""Says a sentence in the reader's language, with its values by name."""
Rows: TypeAlias = Sequence[Mapping[str, Any]]


def english(text: str, **values: object) -> str:
    """The sentence as it is written in the code."""
    return text.format(**values) if values else text


@dataclass(frozen=True, slots=True)
class Point:
    """One place of a result with its estimates as text; None where there is none."""

    result_id: int
    group: Mapping[str, str]
    strata: Mapping[str, str]
    variable: str
    level: str
    additional: Mapping[str, str]
    estimates: dict[str, str | None] = field(default_factory=dict)

    def number(self, name: str) -> float | None:
        """The estimate as a number; None where it is withheld or not there."""
        text = self.estimates.get(name)
        return None if text is None or text == HIDDEN else float(text)

    @property
    def stratum(self) -> str:
        """The levels of the strata in words; empty for the whole."""
        return ", ".join(self.strata.values())

    @property
    def stratification(self) -> str:
        """The names of the strata; empty for the whole."""
        return ", ".join(self.strata)


@dataclass(frozen=True, slots=True)
class Kind:
    """Consecutive results of one type: what one part of an analysis found."""

    result_type: str
    settings: tuple[ResultSettings, ...]
    points: tuple[Point, ...]

    @property
    def by_id(self) -> Mapping[int, Mapping[str, str]]:
        """The settings of each result id."""
        return {each.result_id: each.values for each in self.settings}

    def varying(self) -> tuple[str, ...]:
        """The settings that tell the results of this kind apart, in order of name."""
        names = dict.fromkeys(name for each in self.settings for name in each.values)
        return tuple(sorted(name for name in names if len({each.values.get(name) for each in self.settings}) > 1))


@dataclass(frozen=True, slots=True)
class Analysis:
    """The results of one analysis of a study."""

    number: int
    family: str
    kinds: tuple[Kind, ...]

    def of(self, result_type: str) -> Kind | None:
        """Its results of one type; the first where there are several."""
        return next((kind for kind in self.kinds if kind.result_type == result_type), None)


@dataclass(frozen=True, slots=True, repr=False)
class Figure:
    """A picture at any width, with the words for whoever does not see it.

    ``chart`` draws named data alone; what is drawn is in ``data``.
    """

    title: str
    description: str
    data: Mapping[str, Rows]
    chart: Callable[[int], Any]

    def __repr__(self) -> str:
        return f"Figure({self.title!r})"


@dataclass(frozen=True, slots=True)
class Table:
    """A table for people; the first ``n_texts`` columns are text, the others numbers."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    n_texts: int = 1
    n_left_out: int = 0
    """Rows that the file has and this does not."""
    lead: str = ""
    """What to know before reading it."""
