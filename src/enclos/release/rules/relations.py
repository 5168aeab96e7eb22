"""How the numbers of a result belong together.

Sums over sex, age and time, nested populations and the chain of attrition tie numbers to each other. Labels say which
numbers could belong together; the numbers themselves say whether they do, since an attacker can try every sum.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace
from itertools import permutations

from pyroaring import BitMap

from enclos.contracts.result import Cell
from enclos.release.model import Role
from enclos.release.rules.cells import ReadCell, ReadCount, Reading, Stratum, Window
from enclos.release.rules.numbers import BOTH_SEXES, SEXES, Numbers, add_cell, add_count
from enclos.release.rules.policy import Policy

_ANY_AGE, _ANY_PRIOR, _ANY_TIME = (-1, -1), -1, (-1, -1)
_CHAIN_LEFT = {Role.LEFT_PERSONS: Role.TAKEN_PERSONS, Role.LEFT_RECORDS: Role.TAKEN_RECORDS}
_OUTCOMES, _PERSONS, _TIME = 0, 1, 2


def numbers_of(reading: Reading, min_count: int, rules: Policy) -> Numbers:
    """All numbers of a result with their relations and with what must not be shown."""
    numbers = Numbers(min_count)
    for cell in reading.cells:
        add_cell(numbers, cell, rules)
    for count in reading.counts:
        add_count(numbers, count)
    _tie_strata(numbers, reading.cells)
    _tie_overlaps(numbers, reading.cells)
    _tie_windows(numbers, reading.cells)
    _tie_nested_sets(numbers, reading.cells)
    _tie_attrition(numbers, reading)
    _give_up_attrition(numbers, reading)
    return numbers


def _give_up_attrition(numbers: Numbers, reading: Reading) -> None:
    """Where one count of an attrition is too small, none of that attrition is shown.

    Its counts are sums of each other and lead to the denominator: hiding one, then another for its sake, would in the
    end hide the estimates that the result is asked for. Attrition is context; estimates come first.
    """
    parts: dict[int, list[int]] = defaultdict(list)
    for count, position in zip(reading.counts, numbers.count_of, strict=True):
        parts[count.result_id].append(position)
    for positions in parts.values():
        if numbers.primary.intersection(positions):
            numbers.primary.update(positions)


def _kinds(numbers: Numbers, at: int) -> list[int | None]:
    return [numbers.numerator_of[at], numbers.denominator_of[at], numbers.time_of[at]]


def _tie_cells(
    numbers: Numbers,
    cells: Sequence[ReadCell],
    total: int,
    parts: Sequence[int],
    *,
    tiles: bool,
    through_time: bool = False,
) -> None:
    """Tie each kind of number of a cell to those of cells that are parts of it.

    In: through_time — the parts are shorter stretches of the same time.
    """
    if not parts:
        return
    days = cells[total].window.n_days
    n_rests = _rests(cells[total].cell, [cells[part].cell for part in parts])
    kinds = [_kinds(numbers, part) for part in parts]
    for which, whole in enumerate(_kinds(numbers, total)):
        pieces = [kind[which] for kind in kinds if kind[which] is not None]
        if whole is not None and len(pieces) == len(parts):
            numbers.tie(
                whole,
                [piece for piece in pieces if piece is not None],
                tiles=tiles,
                flows=through_time and which == _PERSONS,
                step=days if which == _TIME else 1,
                n_rest=n_rests[which] if _has_several(cells[total], which) else None,
            )


def _has_several(cell: ReadCell, which: int) -> bool:
    """Whether a person can be counted more than once: then a large rest may be of a few, whose sets tell nothing."""
    return cell.counts_stays or (which == _OUTCOMES and not cell.counts_persons)


def _rests(total: Cell, parts: Sequence[Cell]) -> tuple[int, int, int]:
    """Persons of a cell who are in no part of it: with the outcome, at all, and none of its time."""
    having = total.dense_numerator - BitMap.union(*(part.dense_numerator for part in parts))
    among = total.dense_denominator - BitMap.union(*(part.dense_denominator for part in parts))
    return len(having), len(among), 0


def _tie_strata(numbers: Numbers, cells: Sequence[ReadCell]) -> None:
    """Both sexes are men and women; an age group is the groups within it; more prior observation is fewer persons.

    Days after an entry are those of the windows within them. Strata by what persons are on their first day are parts of
    all, and of strata by less; who is in none of them is a rest.
    """
    place = {(cell.stratum, cell.window): at for at, cell in enumerate(cells)}
    ages: dict[tuple[Stratum, Window], set[tuple[int, int]]] = defaultdict(set)
    priors: dict[tuple[Stratum, Window], set[int]] = defaultdict(set)
    times: dict[tuple[Stratum, Window], set[tuple[int, int]]] = defaultdict(set)
    parts_by: dict[tuple[Stratum, Window], dict[frozenset[str], set[frozenset[tuple[str, str]]]]] = defaultdict(
        lambda: defaultdict(set)
    )
    for cell in cells:
        names = frozenset(name for name, _ in cell.stratum.part)
        parts_by[replace(cell.stratum, part=frozenset()), cell.window][names].add(cell.stratum.part)
        times[replace(cell.stratum, at_risk=_ANY_TIME), cell.window].add(cell.stratum.at_risk)
        ages[replace(cell.stratum, age=_ANY_AGE), cell.window].add(cell.stratum.age)
        priors[replace(cell.stratum, prior_days=_ANY_PRIOR), cell.window].add(cell.stratum.prior_days)
    for at, cell in enumerate(cells):
        s, window = cell.stratum, cell.window
        if s.sex == BOTH_SEXES:
            sexes = [p for sex in SEXES if (p := place.get((replace(s, sex=sex), window))) is not None]
            _tie_cells(numbers, cells, at, sexes, tiles=len(sexes) == len(SEXES))
        for groups in _disjoint_families(s.age, ages[replace(s, age=_ANY_AGE), window]):
            parts = [place[replace(s, age=age), window] for age in groups]
            tiles = sum(oldest - youngest + 1 for youngest, oldest in groups) == s.age[1] - s.age[0] + 1
            _tie_cells(numbers, cells, at, parts, tiles=tiles)
        for windows in _disjoint_families(s.at_risk, times[replace(s, at_risk=_ANY_TIME), window]):
            parts = [place[replace(s, at_risk=at_risk), window] for at_risk in windows]
            _tie_cells(numbers, cells, at, parts, tiles=False, through_time=True)
        for stratified in parts_by[replace(s, part=frozenset()), window].values():
            parts = [place[replace(s, part=part), window] for part in stratified if s.part < part]
            _tie_cells(numbers, cells, at, parts, tiles=False)
        longer = [prior for prior in priors[replace(s, prior_days=_ANY_PRIOR), window] if prior > s.prior_days]
        if longer:
            fewer = _kinds(numbers, place[replace(s, prior_days=min(longer)), window])
            for more, less in zip(_kinds(numbers, at), fewer, strict=True):
                if more is not None and less is not None:
                    _bound_if_true(numbers, [(less, 1), (more, -1)])


def _tie_overlaps(numbers: Numbers, cells: Sequence[ReadCell]) -> None:
    """Two age groups that overlap and together are a third tell who is in both; so they do for each sex."""
    by_rest: dict[tuple[Stratum, Window], dict[tuple[int, int], int]] = defaultdict(dict)
    for at, cell in enumerate(cells):
        by_rest[replace(cell.stratum, age=_ANY_AGE), cell.window][cell.stratum.age] = at
    found: dict[Hashable, dict[str, int]] = defaultdict(dict)
    for (rest, window), ages in by_rest.items():
        for young, old in permutations(ages, 2):
            whole = ages.get((young[0], old[1]))
            if whole is None or not young[0] < old[0] <= young[1] < old[1]:
                continue
            for kind, shared in _shared(numbers, *(_kinds(numbers, at) for at in (ages[young], ages[old], whole))):
                found[replace(rest, sex=BOTH_SEXES), window, young, old, kind][rest.sex] = shared
    for by_sex in found.values():
        if by_sex.keys() >= {BOTH_SEXES, *SEXES}:
            _equate_if_true(numbers, [(by_sex[BOTH_SEXES], -1), *((by_sex[sex], 1) for sex in SEXES)])


def _shared(
    numbers: Numbers, young: Sequence[int | None], old: Sequence[int | None], whole: Sequence[int | None]
) -> list[tuple[int, int]]:
    """Who is in both of two overlapping age groups: with the outcome, and in all; those without are a number too."""
    found: list[tuple[int, int]] = []
    for kind in range(_TIME):
        one, other, both = young[kind], old[kind], whole[kind]
        if one is None or other is None or both is None:
            continue
        n_shared = numbers.values[one] + numbers.values[other] - numbers.values[both]
        if n_shared >= 0:
            shared = numbers.add_unshown(n_shared)
            numbers.equate([(one, 1), (other, 1), (shared, -1), (both, -1)])
            found.append((kind, shared))
    if len(found) == _TIME:
        (_, having), (_, among) = found
        if numbers.values[having] <= numbers.values[among]:
            others = numbers.add_unshown(numbers.values[among] - numbers.values[having])
            numbers.equate([(having, 1), (others, 1), (among, -1)])
    return found


def _disjoint_families(whole: tuple[int, int], groups: Iterable[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """The largest families of disjoint age groups within a group."""
    inside = sorted(group for group in groups if group != whole and whole[0] <= group[0] and group[1] <= whole[1])
    families: list[list[tuple[int, int]]] = []

    def extend(family: list[tuple[int, int]], from_age: int) -> None:
        following = [group for group in inside if group[0] >= from_age]
        if not following:
            if family:
                families.append(family)
            return
        horizon = min(group[1] for group in following)
        for group in following:
            if group[0] <= horizon:  # a later start would leave room for the group that ends at the horizon
                extend([*family, group], group[1] + 1)

    extend([], whole[0])
    return families


def _tie_windows(numbers: Numbers, cells: Sequence[ReadCell]) -> None:
    """A stretch of time is the shorter ones within it."""
    by_stratum: dict[Stratum, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for at, cell in enumerate(cells):
        by_stratum[cell.stratum][cell.window.interval].append(at)
    for intervals in by_stratum.values():
        for longer, shorter in permutations(intervals, 2):
            for whole in intervals[longer]:
                window = cells[whole].window
                inside = [piece for piece in intervals[shorter] if window.holds(cells[piece].window)]
                tiles = sum(cells[piece].window.n_days for piece in inside) == window.n_days
                _tie_cells(numbers, cells, whole, inside, tiles=tiles, through_time=True)


def _bound_if_true(numbers: Numbers, terms: Sequence[tuple[int, int]]) -> None:
    if sum(weight * numbers.values[position] for position, weight in terms) <= 0:
        numbers.bound(terms)


def _tie_nested_sets(numbers: Numbers, cells: Sequence[ReadCell]) -> None:
    """Where one shown set of persons holds another and a few more, those few must not be told by the difference.

    Sets of all ages and sexes together: who grows older in the days counts in two age groups, so that parts do not add
    up to their whole, and a whole less one part tells the rest all the same.
    """
    groups: dict[tuple[object, ...], dict[int, BitMap]] = defaultdict(dict)
    for at, cell in enumerate(cells):
        s, days = cell.stratum, (cell.window.first_on, cell.window.last_on)
        if not cell.counts_stays:  # the persons of stays are compared as sets
            groups["persons", days][numbers.denominator_of[at]] = cell.cell.dense_denominator
        if cell.counts_persons and cell.numerator:
            groups["cases", s.outcome, days][numbers.numerator_of[at]] = cell.cell.dense_numerator
    seen: set[tuple[int, int]] = set()
    for sets in groups.values():
        by_size = sorted(sets.items(), key=lambda item: (len(item[1]), item[0]))
        for place, (smaller, few) in enumerate(by_size):
            for larger, many in by_size[place + 1 :]:
                if len(many) - len(few) >= numbers.min_count:
                    break
                if len(many) > len(few) and (smaller, larger) not in seen and few.issubset(many):
                    seen.add((smaller, larger))
                    rest = numbers.add_unshown(len(many) - len(few))
                    numbers.equate([(smaller, 1), (rest, 1), (larger, -1)])


def _tie_attrition(numbers: Numbers, reading: Reading) -> None:
    """What is left is what was there without what was taken; persons are at most records; sexes and ages add up."""
    chains: dict[tuple[int, str], list[tuple[ReadCount, int]]] = defaultdict(list)
    for count, position in zip(reading.counts, numbers.count_of, strict=True):
        chains[count.result_id, count.group_level].append((count, position))
    ends: dict[tuple[Stratum, int, Role], int] = {}
    for chain in chains.values():
        steps: dict[int, dict[Role, int]] = {}
        for count, position in chain:
            steps.setdefault(count.reason_id, {})[count.role] = position
            ends[count.stratum, count.reason_id, count.role] = position
        before: dict[Role, int] = {}
        for step in steps.values():
            for left, taken in _CHAIN_LEFT.items():
                if left in step and left in before:
                    now, then = step[left], before[left]
                    if taken in step:
                        _equate_if_true(numbers, [(now, 1), (step[taken], 1), (then, -1)])
                    elif numbers.values[now] == numbers.values[then]:
                        numbers.equate([(now, 1), (then, -1)])
            if Role.LEFT_PERSONS in step and Role.LEFT_RECORDS in step:
                _bound_if_true(numbers, [(step[Role.LEFT_PERSONS], 1), (step[Role.LEFT_RECORDS], -1)])
            before = step
    _tie_attrition_strata(numbers, ends)
    _tie_attrition_to_cells(numbers, reading.cells, ends)


def _equate_if_true(numbers: Numbers, terms: Sequence[tuple[int, int]]) -> None:
    if sum(weight * numbers.values[position] for position, weight in terms) == 0:
        numbers.equate(terms)


def _tie_attrition_strata(numbers: Numbers, ends: dict[tuple[Stratum, int, Role], int]) -> None:
    by_rest: dict[tuple[object, ...], dict[tuple[int, int], dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for (s, reason_id, role), position in ends.items():
        by_rest[s.family, s.outcome, s.prior_days, reason_id, role][s.age][s.sex] = position
    for ages in by_rest.values():
        for sexes in ages.values():
            if BOTH_SEXES in sexes:
                _tie_if_true(numbers, sexes[BOTH_SEXES], [p for sex, p in sexes.items() if sex != BOTH_SEXES])
        for age, sexes in ages.items():
            for groups in _disjoint_families(age, ages):
                for sex, position in sexes.items():
                    _tie_if_true(numbers, position, [ages[group][sex] for group in groups if sex in ages[group]])


def _tie_if_true(numbers: Numbers, total: int, parts: Sequence[int]) -> None:
    if parts and total not in parts and sum(numbers.values[part] for part in parts) == numbers.values[total]:
        numbers.equate([*((part, 1) for part in parts), (total, -1)])


def _tie_attrition_to_cells(
    numbers: Numbers, cells: Sequence[ReadCell], ends: dict[tuple[Stratum, int, Role], int]
) -> None:
    """The persons whom attrition leaves at the end are those of the overall window."""
    left: dict[Stratum, list[int]] = defaultdict(list)
    for (stratum, _, role), position in ends.items():
        if role is Role.LEFT_PERSONS:
            left[stratum].append(position)
    for at, cell in enumerate(cells):
        if cell.window.interval == "overall":
            for position in left[cell.stratum]:
                if numbers.values[position] == cell.denominator:
                    numbers.equate([(position, 1), (numbers.denominator_of[at], -1)])
