"""What a source, an enclosure or a permit demands of what leaves, beyond the platform's own rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields

BOUNDS: Mapping[str, tuple[int, int]] = {
    "dominance_percent": (1, 100),
    "p_percent": (0, 100),
    "stays": (0, 100_000),
    "quantile_persons": (0, 100_000),
    "place_days": (0, 36_600),
    "step_persons": (0, 100_000),
    "residual_degrees": (0, 100_000),
}
"""The least and the largest value that can be demanded of each; nothing is loosened by any of them."""


@dataclass(frozen=True, slots=True)
class Demands:
    """Thresholds that make the platform's rules stricter; each is without effect where the platform's is stricter.

    Units: percent; stays; distinct persons; days
    Empty: what is not said demands nothing
    """

    dominance_percent: int = 100
    """A sum whose two largest parts are more of it is hidden."""
    p_percent: int = 0
    """So is one whose rest is less than that of its largest part."""
    stays: int = 0
    """Counts of stays and of records are none or so many."""
    quantile_persons: int = 0
    """On either side of a median or another percentile."""
    place_days: int = 0
    """Numbers of a small place are of so many days at least."""
    step_persons: int = 0
    """In each step of a survival curve."""
    residual_degrees: int = 0
    """Persons beyond the coefficients of a model."""
    hides_zeros: bool = False
    """Whether a count of nobody is hidden as a small one is."""

    def __post_init__(self) -> None:
        if any(not least <= getattr(self, name) <= most for name, (least, most) in BOUNDS.items()):
            raise ValueError("what is demanded of releases lies within its bounds")

    def as_json(self) -> dict[str, int | bool]:
        """What is demanded, by name; nothing of what is not."""
        nothing = Demands()
        return {name: value for name, value in asdict(self).items() if value != getattr(nothing, name)}


NOTHING_MORE = Demands()
DEMANDED = tuple(field.name for field in fields(Demands))


RuleSets = tuple[Demands, ...]
"""Distinct demands, none of them empty: each holds by itself."""


def rule_sets(demands: Iterable[Demands]) -> RuleSets:
    """Those that demand anything, each once, in the order in which they are named."""
    return tuple(dict.fromkeys(each for each in demands if each != NOTHING_MORE))


def strictest(demands: Iterable[Demands]) -> Demands:
    """All demands at once: of each threshold the strictest."""
    every = [NOTHING_MORE, *demands]
    most = {name: max(getattr(each, name) for each in every) for name in DEMANDED}
    return Demands(**{**most, "dominance_percent": min(each.dominance_percent for each in every)})
