"""Every number of a result once: its value, the width that it needs, and what hides with it.

Two cells that hold the same persons carry the same number. What a difference of shown numbers would count is a number
too: it is never shown, and when it is small it must stay unknown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from pyroaring import BitMap

from enclos.release.model import Role
from enclos.release.rules.attack import Relation, System, system_of
from enclos.release.rules.cells import ReadCell, ReadCount
from enclos.release.rules.policy import Policy

BOTH_SEXES = "Both"
SEXES = ("Male", "Female")
_ANY_AGE, _ANY_PRIOR, _ANY_TIME = (-1, -1), -1, (-1, -1)
_CHAIN_LEFT = {Role.LEFT_PERSONS: Role.TAKEN_PERSONS, Role.LEFT_RECORDS: Role.TAKEN_RECORDS}


@dataclass(slots=True)
class Numbers:
    """The numbers of a result, by position: values, who needs what width, what hides with what."""

    min_count: int
    values: list[int] = field(default_factory=list)
    required: list[int] = field(default_factory=list)
    signed: list[bool] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    shown: list[bool] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)
    primary: set[int] = field(default_factory=set)
    """Numbers that may not be shown whatever else is hidden."""
    placed: set[int] = field(default_factory=set)
    """Numbers of a small place in a few days: not shown either, however many persons they count."""
    relations: list[Relation] = field(default_factory=list)
    hides_with: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    numerator_of: list[int] = field(default_factory=list)
    denominator_of: list[int] = field(default_factory=list)
    time_of: list[int | None] = field(default_factory=list)
    count_of: list[int] = field(default_factory=list)
    _same: dict[Hashable, int] = field(default_factory=dict)

    def add(self, value: int, *, cost: float, step: int = 1, signed: bool = False, same: Hashable = None) -> int:
        """A number that could be shown; ``same`` names numbers that are one wherever they stand."""
        if same is not None and same in self._same:
            return self._same[same]
        position = self._append(value, step=step, signed=signed, shown=True, cost=cost)
        if same is not None:
            self._same[same] = position
        return position

    def add_unshown(self, value: int, *, step: int = 1) -> int:
        """A number that a difference of others would tell; when it is small it must not be told."""
        position = self._append(value, step=step, signed=False, shown=False, cost=0.0)
        if self.is_small(value):
            self.required[position] = self.min_count
        return position

    def _append(self, value: int, *, step: int, signed: bool, shown: bool, cost: float) -> int:
        self.values.append(value)
        self.required.append(0)
        self.signed.append(signed)
        self.steps.append(step)
        self.shown.append(shown)
        self.costs.append(cost)
        return len(self.values) - 1

    def is_small(self, n_persons: int) -> bool:
        """Whether so many persons are too few, and not none."""
        return 0 < abs(n_persons) < self.min_count

    def protect(self, position: int, width: int) -> None:
        """Never show this number, and keep its interval at least this wide."""
        self.primary.add(position)
        self.required[position] = max(self.required[position], width)

    def equate(self, terms: Sequence[tuple[int, int]]) -> None:
        """The weighted numbers add up to nothing."""
        self._relate(terms, is_equation=True)

    def bound(self, terms: Sequence[tuple[int, int]]) -> None:
        """The weighted numbers add up to nothing or less."""
        self._relate(terms, is_equation=False)

    def _relate(self, terms: Sequence[tuple[int, int]], *, is_equation: bool) -> None:
        weights: dict[int, int] = defaultdict(int)
        for position, weight in terms:
            weights[position] += weight
        left = tuple((position, weight) for position, weight in weights.items() if weight)
        slack = -sum(weight * self.values[position] for position, weight in left)
        if left:
            self.relations.append(Relation(left, is_equation, slack))

    def tie(
        self,
        total: int,
        parts: Sequence[int],
        *,
        tiles: bool,
        flows: bool = False,
        step: int = 1,
        n_rest: int | None = None,
    ) -> None:
        """Relate a total to parts of it: exactly, up to a rest, or as far as overlapping parts allow.

        In: tiles — the parts leave nothing of the total out; flows — persons pass from part to part and are counted
            in each, so that a rest counts nobody; step — as in system_of; n_rest — the persons of a rest, where it
            counts what they can have several of.
        """
        rest = self.values[total] - sum(self.values[part] for part in parts)
        terms = [(part, 1) for part in parts]
        for part in parts:
            if self.values[part] <= self.values[total]:
                self.bound([(part, 1), (total, -1)])
        if rest == 0:
            self.equate([*terms, (total, -1)])
        elif rest < 0 and tiles:
            self.bound([(total, 1), *((part, -1) for part in parts)])
        elif rest > 0 and not flows:
            unshown = self.add_unshown(rest) if step == 1 else self._time_rest(rest, step)
            if n_rest is not None and n_rest < self.min_count:
                self.required[unshown] = self.min_count
            self.equate([*terms, (unshown, 1), (total, -1)])

    def _time_rest(self, rest: int, step: int) -> int:
        return self._append(rest, step=step, signed=False, shown=False, cost=0.0)

    def system(self) -> System:
        """The numbers and relations as the attacker sees them."""
        return system_of(self.values, self.required, self.signed, self.steps, self.relations)


def _set_of(persons: BitMap) -> bytes:
    return blake2b(persons.serialize(), digest_size=16).digest()


def _cost(value: int, *, weight: float, is_total: bool) -> float:
    """What hiding a number loses: more for larger numbers and for totals, which readers look at first."""
    return weight * (1 + value.bit_length()) * (3 if is_total else 1)


def add_cell(numbers: Numbers, cell: ReadCell, rules: Policy) -> None:
    """The persons of a cell, those with the outcome and their time, and what of them may not be shown."""
    behind, days = cell.cell, cell.window.n_days
    n, d = behind.n_numerator, behind.n_denominator
    is_total = cell.window.interval == "overall" or cell.stratum.sex == BOTH_SEXES
    case_set, person_set = _set_of(behind.dense_numerator), _set_of(behind.dense_denominator)
    of_stays = ("stays", cell.denominator) if cell.counts_stays else ("persons",)
    denominator = numbers.add(
        cell.denominator, cost=_cost(cell.denominator, weight=3, is_total=is_total), same=(*of_stays, person_set)
    )
    numerator = numbers.add(
        cell.numerator,
        cost=_cost(cell.numerator, weight=1, is_total=is_total),
        same=("events", cell.counts_stays, case_set, cell.numerator) if cell.numerator else None,
    )
    time = None
    if cell.time is not None:
        time = numbers.add(
            cell.time,
            cost=_cost(cell.time, weight=0.5, is_total=is_total),
            step=days,
            same=("time", person_set, cell.time),
        )
        numbers.bound([(denominator, 1), (time, -1)])
        numbers.bound([(time, 1), (denominator, -days)])
        numbers.hides_with[denominator].add(time)
    if cell.has_ratio:
        numbers.hides_with[denominator].add(numerator)
    numbers.numerator_of.append(numerator)
    numbers.denominator_of.append(denominator)
    numbers.time_of.append(time)
    k = numbers.min_count
    places = {name for name, _ in cell.stratum.part} & rules.small_places
    if places and 1 < days < rules.least_days and k > 1:  # one day is that of a count, not of an event
        numbers.placed |= {denominator, numerator, *([] if time is None else [time])}
    if cell.counts_stays:
        _add_stays(numbers, cell, numerator, denominator, rules)
    if numbers.is_small(d):
        numbers.protect(denominator, k)
        if time is not None:
            numbers.protect(time, k * min(rules.time_width_days_per_person, days))
    elif time is not None and any(
        numbers.is_small(lost or 0) for lost in (d * days - (cell.time or 0), cell.n_days_lost)
    ):
        numbers.protect(time, k)  # so few days are lost by few, who left
    if numbers.is_small(n) or (n == 0 and rules.demands.hides_zeros and k > 1):
        numbers.protect(numerator, k)
    _add_others(numbers, cell, numerator, denominator, rules)


def _add_others(numbers: Numbers, cell: ReadCell, numerator: int, denominator: int, rules: Policy) -> None:
    """Those of the denominator who do not have the outcome are a count too, told by the other two."""
    if not cell.counts_persons or cell.denominator == 0:
        return
    others = cell.denominator - cell.numerator
    is_full = others == 0 and rules.hides_full_counts and numbers.min_count > 1
    if numbers.is_small(others) or is_full:
        position = numbers.add_unshown(others)
        numbers.required[position] = numbers.min_count
        numbers.primary.add(numerator)
        numbers.equate([(numerator, 1), (position, 1), (denominator, -1)])
    else:
        numbers.bound([(numerator, 1), (denominator, -1)])


def _add_stays(numbers: Numbers, cell: ReadCell, numerator: int, denominator: int, rules: Policy) -> None:
    """Stays beyond one a person are a count, and so are stays without the outcome; neither may be of a few persons."""
    behind, k = cell.cell, numbers.min_count
    for position, n in ((numerator, behind.n_numerator), (denominator, behind.n_denominator)):
        stays, least = numbers.values[position], rules.demands.stays if k > 1 else 0
        if numbers.is_small(stays - n) or 0 < stays < least:
            numbers.protect(position, max(k, least))
    n_without = behind.n_denominator - behind.n_numerator
    is_full = n_without == 0 and rules.hides_full_counts and k > 1 and cell.denominator > 0
    if numbers.is_small(n_without) or is_full:
        position = numbers.add_unshown(cell.denominator - cell.numerator)
        numbers.required[position] = k
        numbers.primary.add(numerator)
        numbers.equate([(numerator, 1), (position, 1), (denominator, -1)])
    else:
        numbers.bound([(numerator, 1), (denominator, -1)])


def add_count(numbers: Numbers, count: ReadCount) -> None:
    """A count of attrition."""
    position = numbers.add(
        count.value,
        cost=_cost(abs(count.value), weight=0.1, is_total=False),
        signed=count.role is Role.TAKEN_RECORDS,
        same=("attrition", count.role, count.reason_id, count.reason, count.value),
    )
    numbers.count_of.append(position)
    if numbers.is_small(count.value):
        numbers.protect(position, numbers.min_count)
