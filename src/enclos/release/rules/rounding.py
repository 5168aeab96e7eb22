"""Sticky rounding: the same persons are always rounded the same way, and what follows from counts is computed anew.

A count goes to one of the two multiples of the base beside it, to the nearer one more often, so that rounded counts
are right on average. Which one is a lot that the platform's key draws from the set of persons and the count: the same
set under any permit, in any table and however often it is asked for, has the same lot, and nobody without the key can
draw it. Averaging answers therefore gives nothing. Everything else holds as without rounding: small numbers are hidden
and sets are compared exactly, so that what rounding keeps back comes on top of what is safe without it.

What rests on counts is computed from the rounded ones: rates, shares, intervals, days at risk (as many days a person),
life tables, standardised rates. Means and deviations lose the digits that would give their count back, ratios of
models keep three digits, likelihoods are hidden, and so is what no rule here speaks of.

Units: distinct persons; base, from 1 (no rounding) to the permit's minimum count.
Source: OpenSAFELY rounds to 5 and recomputes; Fraser and Wooton 2005 (cell key: same persons, same noise); random
        rounding to a base as Statistics Canada and Stats NZ do.
Check: tests/unit/release/test_rounding.py, tests/generative/test_release_rounding.py.
"""

from __future__ import annotations

import hmac
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from types import MappingProxyType

import numpy as np
from pyroaring import BitMap

from enclos.contracts.result import HIDDEN, OVERALL, EstimateType, PersonNumbers, StudyResult
from enclos.lexicon.verdicts import Verdict
from enclos.release.model import Finding, Renumber, Role, Rule
from enclos.release.rules import chains, designs
from enclos.release.rules.cells import ReadCell, Reading, ReadStandardised, Stratum
from enclos.release.rules.described import DEVIATION, MEAN, RANK, SHARE, Group, supports, values_of
from enclos.release.rules.rates import incidence_values, prevalence_values
from enclos.release.sets import name_of, told_by
from enclos.studies.rules.estimates import per_100k, person_years, printed
from enclos.studies.standard.rules import standardised

_LOT_BITS = 64
_MODEL_DIGITS = 3
_WHOLE = 100
_SAME_SHARE = 0.006
"""How far a percentage may be from that of its persons: half of its last digit, where it has two decimals."""
_LIKELIHOOD = "log_likelihood"
_DAYS = "person_days"
_BARE = b"a count without persons"
_RATIOS = ("ppc", "ppc_lower", "ppc_upper")
_COLUMNS = ("variable_name", "estimate_name", "estimate_type", "estimate_value")


@dataclass(frozen=True, slots=True, repr=False)
class Rounding:
    """To what released counts are rounded, and what draws the lots: a key, and the warehouse's numbers of persons.

    ``drawn`` are the names that lots of sets which left were drawn by, where their persons had other numbers then.
    """

    base: int
    key: bytes
    persons: Renumber
    drawn: Mapping[bytes, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.base < 1 or not self.key:
            raise ValueError("counts are rounded to a whole number, by a key")

    def __repr__(self) -> str:
        return f"Rounding({self.base})"

    def lots(self, numbers: PersonNumbers) -> Lots:
        """The lots of sets of these persons."""
        return Lots(self.base, self.key, np.asarray(self.persons(numbers), dtype=np.int64), self.drawn)

    @property
    def as_said(self) -> dict[str, object]:
        """What evidence tells of it."""
        return {
            "base": self.base,
            "counts": "to a multiple beside it, the nearer one more often; the same persons always to the same",
            "rates_and_shares": "computed from the rounded counts",
            "means": "with no more digits than their rounded count gives away",
            "ratios_of_models": f"not computed anew; {_MODEL_DIGITS} digits",
        }

    @property
    def finding(self) -> Finding:
        """What the evidence says, in a sentence."""
        said = f"counts are rounded to {self.base}, the same persons always the same way; what follows from them too"
        return Finding(Rule.ROUNDING, Verdict.PASS, said)


class Lots:
    """Rounded counts of sets of persons."""

    def __init__(
        self, base: int, key: bytes, numbers: PersonNumbers, drawn: Mapping[bytes, bytes] = MappingProxyType({})
    ) -> None:
        self._base, self._key, self._numbers, self._drawn_by = base, key, numbers, drawn
        self._names: dict[bytes, bytes] = {}

    def of(self, n: int, persons: BitMap) -> int:
        """A count of these persons, or of what they have, rounded."""
        return self._drawn(n, self._name(persons))

    def bare(self, n: int) -> int:
        """A count whose persons are not known, rounded by what it is; its sign stays."""
        return self._drawn(abs(n), _BARE) * (-1 if n < 0 else 1)

    def _name(self, persons: BitMap) -> bytes:
        serial = persons.serialize()
        if serial not in self._names:
            counts, total = told_by(self._numbers[np.frombuffer(persons.to_array(), dtype=np.uint32)])
            name = name_of(counts, total)
            self._names[serial] = self._drawn_by.get(name, name)
        return self._names[serial]

    def _drawn(self, n: int, name: bytes) -> int:
        above = n % self._base
        if not above:
            return n
        lot = hmac.digest(self._key, n.to_bytes(8, "big") + name, "sha256")[: _LOT_BITS // 8]
        goes_up = int.from_bytes(lot, "big") * self._base < above << _LOT_BITS
        return n - above + (self._base if goes_up else 0)


def rounded_lines(
    result: StudyResult,
    reading: Reading,
    groups: Sequence[Group],
    lots: Lots,
    known: set[int],
    ratios: Collection[int] = (),
) -> dict[int, str | None]:
    """What takes the place of lines that would be shown; lines that no rule speaks of are hidden.

    In: known — lines that are hidden already, and those of curves, which are made of rounded counts elsewhere
        ratios — lines of models that rest on several counts
    """
    table = Table(*(result.table[name].to_pylist() for name in _COLUMNS))
    found: dict[int, str | None] = {}
    by_cell = {id(cell): _of_cell(cell, lots) for cell in reading.cells}
    for cell in reading.cells:
        for role, rows in cell.rows.items():
            found.update((row, by_cell[id(cell)].get(role, HIDDEN)) for row in rows)
    for rate in reading.standardised:
        is_rate = bool(rate.weights)
        found.update(_of_standardised(rate, by_cell, table) if is_rate else _of_effect(rate, lots, table))
    found.update(_of_attrition(reading, lots))
    for group in groups:
        found.update((row, table.of_group(row, group, lots)) for row, _ in group.rows)
    for gone, before, left in chains.differences(result, groups):
        if gone not in known and found.get(left, HIDDEN) != HIDDEN and found.get(before or left, HIDDEN) != HIDDEN:
            found[gone] = "0" if before is None else str(max(0, int(found[before] or 0) - int(found[left] or 0)))
    found.update((row, digits(table.values[row], _MODEL_DIGITS)) for row in ratios)
    others = (row for row, value in enumerate(table.values) if row not in found and row not in known)
    found.update((row, HIDDEN) for row in others if _number(table.values[row]) is not None)
    return found


def _of_cell(cell: ReadCell, lots: Lots) -> Mapping[Role, str | None]:
    """Every estimate of a cell from its rounded counts; of nobody at risk, and of times, as they are."""
    behind = cell.cell
    persons = lots.of(cell.denominator, behind.dense_denominator)
    cases = lots.of(cell.numerator, behind.dense_numerator)
    if cell.counts_persons or cell.counts_stays:
        cases = min(cases, persons)
    if not cell.has_ratio or not persons:
        return {Role.DENOMINATOR: str(persons), Role.NUMERATOR: str(cases)}
    if cell.time is None:
        return prevalence_values(cases, persons)
    return incidence_values(cases, _scaled(cell.time, persons, cell.denominator), persons)


def _scaled(n_days: int, n_rounded: int, n: int) -> int:
    """Days of so many rounded persons: as many days a person as before, which any count near it could give."""
    return (2 * n_days * n_rounded + n) // (2 * n) if n else 0


def _days(value: str | None, persons: BitMap, lots: Lots) -> str | None:
    """Days of persons, as many for each of the rounded ones."""
    number, n = _number(value), len(persons)
    if number is None:
        return value
    return str(_scaled(int(number), lots.of(n, persons), n)) if n and number == int(number) else HIDDEN


def _of_standardised(
    rate: ReadStandardised, by_cell: Mapping[int, Mapping[Role, str | None]], table: Table
) -> Iterator[tuple[int, str | None]]:
    """A standardised rate of rounded cells."""
    said = [by_cell[id(part)] for part in rate.parts]
    events = [int(each[Role.NUMERATOR] or 0) for each in said]
    days = [int(each.get(Role.TIME) or 0) for each in said]
    if not all(days):
        yield from ((row, HIDDEN) for row in rate.rows)
        return
    years = person_years(np.array(days, dtype=np.int64))
    middle, lower, upper = standardised(events, years.tolist(), rate.weights)
    for row in rate.rows:
        name = table.names[row]
        value = lower if name.endswith("lower") else upper if name.endswith("upper") else middle
        yield row, printed(per_100k(value))


def _of_effect(rate: ReadStandardised, lots: Lots, table: Table) -> Iterator[tuple[int, str | None]]:
    """What a model says beside its rounded counts."""
    for row in rate.rows:
        name, value = table.names[row], table.values[row]
        if name == _LIKELIHOOD:
            yield row, HIDDEN
        elif name.startswith(_DAYS):
            own = [part for part in rate.parts if part.cell.variable_name == table.variables[row]]
            yield row, _days(value, own[0].cell.dense_denominator, lots) if own else HIDDEN
        else:
            yield row, digits(value, _MODEL_DIGITS)


def _of_attrition(reading: Reading, lots: Lots) -> Iterator[tuple[int, str]]:
    """Counts of attrition: the last has the persons of the estimates, of the others only the number is known."""
    whole: dict[tuple[Stratum, int], ReadCell] = {}
    for cell in reading.cells:
        if cell.window.interval == OVERALL:
            whole[cell.stratum, cell.denominator] = cell
    for count in reading.counts:
        same = whole.get((count.stratum, count.value)) if count.role is Role.LEFT_PERSONS else None
        rounded = lots.bare(count.value) if same is None else lots.of(count.value, same.cell.dense_denominator)
        yield count.row, str(rounded)


@dataclass(frozen=True, slots=True)
class Table:
    """The lines of a result by variable, and by name, type and value of their estimate."""

    variables: Sequence[str]
    names: Sequence[str]
    types: Sequence[str]
    values: Sequence[str | None]

    def of_group(self, row: int, group: Group, lots: Lots) -> str | None:
        """What a line of a description says after rounding."""
        name, kind, value = self.names[row], self.types[row], self.values[row]
        number = _number(value)
        if number is None or value is None or kind == EstimateType.DATE.value:
            return value
        if values_of().get(name) == RANK or name in designs.LIMITS:
            return value
        if name.startswith(_DAYS):
            return _days(value, group.having, lots)
        if kind == EstimateType.INTEGER.value:
            return self._count(int(number), name, group, lots)
        if supports().get(name) == SHARE or kind == EstimateType.PERCENTAGE.value:
            return _share(name, float(number), group.having, group.among, lots)
        return self._of_values(name, number, group, lots)

    @staticmethod
    def _of_values(name: str, number: Decimal, group: Group, lots: Lots) -> str | None:
        if name == _LIKELIHOOD:
            return HIDDEN
        if values_of().get(name) in {MEAN, DEVIATION}:
            return _to_step(number, max(0, len(str(lots.of(len(group.having), group.having))) - 1))
        return digits(str(number), _MODEL_DIGITS)

    @staticmethod
    def _count(n: int, name: str, group: Group, lots: Lots) -> str:
        if name == "count_missing":
            return str(lots.of(n, group.among - group.having))
        persons = designs.counted(name, group.cell) if group.result_type in designs.DESIGNS else group.counted(name)
        rounded = lots.of(n, persons)
        whole = lots.of(len(group.among), group.among)
        return str(min(rounded, whole) if n == len(persons) else rounded)


def _share(name: str, value: float, having: BitMap, among: BitMap, lots: Lots) -> str | None:
    """A share of persons computed anew; a share of anything else is not known from counts of persons, and hidden."""
    if name == "percentage_missing":
        having = among - having
    n, n_of = lots.of(len(having), having), lots.of(len(among), among)
    n = min(n, n_of)
    if not among or not n_of:
        return HIDDEN
    if name in _RATIOS:
        said = prevalence_values(n, n_of)
        role = dict(zip(_RATIOS, (Role.RATIO, Role.LOWER, Role.UPPER), strict=True))[name]
        return printed(round(_WHOLE * float(said[role] or 0), 2))
    if abs(value - _WHOLE * len(having) / len(among)) > _SAME_SHARE:
        return HIDDEN
    return printed(_WHOLE * n / n_of)


def digits(text: str | None, n_digits: int) -> str | None:
    """A number with so many digits; whole numbers too, words and days as they are."""
    number = _number(text)
    if number is None or not number:
        return text
    exponent = number.adjusted() - max(1, n_digits) + 1
    return printed(float(number.quantize(Decimal(1).scaleb(exponent), ROUND_HALF_EVEN)))


def _to_step(number: Decimal, n_decimals: int) -> str | None:
    """A mean with so few decimals that every count near its own could have given it."""
    return printed(float(number.quantize(Decimal(1).scaleb(-n_decimals), ROUND_HALF_EVEN)))


def _number(text: str | None) -> Decimal | None:
    try:
        number = Decimal(text or "")
    except ArithmeticError:
        return None
    return number if number.is_finite() else None
