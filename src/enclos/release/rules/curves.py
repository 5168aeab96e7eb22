"""Survival curves: steps put together until each rests on enough, and the curve computed from what they tell.

A curve drawn day by day is a list of persons: each fall is somebody's day, and its height with the number at risk says
how many. So no estimate of the study leaves. The counts of its days are put together into steps in which the minimum
or nobody had each outcome, the minimum or nobody was lost, and the minimum or nobody is followed beyond; what leaves is
these counts and the life table of them. The last part, whose end would be somebody's last day, is cut off.

Strata have the steps of all together, or some of them, so that no subtraction of curves tells a shorter step. A
stratum that cannot be shown takes others with it until what all hidden ones have in common may be told.

Units: distinct persons; k is the permit's minimum count. Entries are counted in what is shown, persons decide.
Source: Cutler and Ederer 1958 (life table); OpenSAFELY's kaplan-meier and ACRO's survival tables coarsen as well.
Check: tests/unit/release/test_curves.py rebuilds every course of days that the released curve allows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from pyroaring import BitMap

from enclos.contracts.result import OVERALL, SEPARATOR, PersonNumbers, StudyResult
from enclos.release.allowance import Sought
from enclos.release.history import collisions
from enclos.release.model import CellEvidence, Told
from enclos.release.rules.arrays import Ints
from enclos.release.rules.courses import (
    AT_RISK,
    N_EVENTS,
    N_LOST,
    Curve,
    Level,
    Line,
    read_curves,
)
from enclos.release.rules.policy import Policy
from enclos.release.rules.rounding import Lots
from enclos.release.sets import sets_of
from enclos.studies.rules.estimates import printed
from enclos.studies.survival import rules as survival

_NAMES = ("estimate", "estimate_95CI_lower", "estimate_95CI_upper")
_DIGITS = 4


@dataclass(frozen=True)
class JudgedCurves:
    """Curves of which some are hidden, and what leaves in place of all lines of curves.

    numbers — those of the persons that sets count places of; lots — what rounds counts, if anything does
    """

    curves: tuple[Curve, ...]
    n_untyped: int
    n_unbacked: int
    numbers: PersonNumbers
    lots: Lots | None

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """The lines that leave."""
        return tuple(line for curve in self.curves for line in _lines(curve, self.lots))

    @property
    def told(self) -> tuple[Told, ...]:
        """The persons that they tell."""
        shown = (level for curve in self.curves for level in curve.shown)
        return tuple(Told(each, self.numbers) for level in shown for each in level.sets())

    @property
    def evidence(self) -> tuple[CellEvidence, ...]:
        """What is hidden of each curve, and how many it counts."""
        return tuple(each for curve in self.curves for each in _evidence(curve))

    @property
    def n_hidden(self) -> int:
        """Curves that do not leave."""
        return sum(level.is_hidden for curve in self.curves for levels in curve.levels.values() for level in levels)

    @property
    def n_shown(self) -> int:
        """Curves that leave."""
        return sum(len(curve.shown) for curve in self.curves)


def curves_hidden_by_any(every: Sequence[JudgedCurves]) -> JudgedCurves:
    """What is left of a result's curves where each of several rule sets hides what it has to; all have the same steps.

    Beside what one set shows a curve may be safe that another hides: the other's proof would no longer be one.
    """
    return replace(every[0], curves=tuple(map(_of_any, zip(*(each.curves for each in every), strict=True))))


def _of_any(every: Sequence[Curve]) -> Curve:
    """One curve as it was judged several times."""
    levels = {
        name: [
            replace(level, is_hidden=any(each.is_hidden for each in (level, *others)))
            for level, *others in zip(*(each.levels[name] for each in every), strict=True)
        ]
        for name in every[0].levels
    }
    return replace(every[0], levels=levels)


def judge_curves(
    result: StudyResult, told: Sequence[Told], min_count: int, rules: Policy, sought: Sought, lots: Lots | None = None
) -> JudgedCurves:
    """What of the survival curves of a result may be shown beside what is told already.

    Lines of no known form are counted, and curves that do not agree with their persons; the findings refuse.
    In: lots — what rounds the counts that a curve is made of; None where they are as they are
    """
    curves, n_untyped, n_unbacked = read_curves(result, rules)
    numbers = next((cell.person_numbers for cell in result.cells), np.zeros(0, dtype=np.int64))
    for curve in curves:
        apart = -(-curve.n_gaps // rules.most_curve_steps)
        least = max(min_count, rules.demands.step_persons) if min_count > 1 else min_count
        _choose(curve, apart, least, full=rules.hides_full_counts and min_count > 1)
    if len(curves) > 1 or (curves and told):  # one curve's steps tell of no few by the way they were chosen
        _hide_colliding(curves, [each.persons for each in told], min_count, sought)
    return JudgedCurves(tuple(curves), n_untyped, n_unbacked, numbers, lots)


def _choose(curve: Curve, apart: int, k: int, *, full: bool) -> None:
    """Hide what has no step that may be told, and find the steps of the others: strata have some of their wholes'.

    In: apart — so many gaps at least are a step
    """
    names = sorted(curve.levels, key=lambda name: len(_variables(name)))
    steps: dict[frozenset[str], tuple[int, ...]] = {}
    for name in names:
        levels, own = curve.levels[name], _variables(name)
        wholes = [ends for variables, ends in steps.items() if variables < own]
        named = {*range(0, curve.last_named + 1, apart), curve.last_named}
        ends = sorted(named.intersection(*wholes))
        rest = _hide(levels, len(own), curve.n_gaps - 1, k, full=full)
        shown = [level for level in levels if not level.is_hidden]
        found = _ends([*shown, *rest], ends, curve.n_gaps - 1, k, full=full) if shown else ()
        for level in levels:
            level.is_hidden |= not found
            level.steps = found
        steps[own] = found


def _variables(name: str) -> frozenset[str]:
    return frozenset() if name == OVERALL else frozenset(name.split(SEPARATOR))


def _hide(levels: Sequence[Level], n_variables: int, last: int, k: int, *, full: bool) -> list[Level]:
    """Hide levels that tell of a few, and others until what is hidden may be told as one; gives that one."""
    for level in levels:
        level.is_hidden = not level.part(0, last).may_be_told(k, full=full)
    while any(level.is_hidden for level in levels):
        shown = [level for level in levels if not level.is_hidden]
        rest = _together([level for level in levels if level.is_hidden])
        if n_variables > 1 or not shown:  # hidden ones have a rest in each variable: none is shown
            for level in shown:
                level.is_hidden = True
            return []
        if rest.part(0, last).may_be_told(k, full=full):
            return [rest]
        min(shown, key=lambda level: (len(level.persons), level.strata)).is_hidden = True
    return []


def _together(levels: Sequence[Level]) -> Level:
    def united(sets: Sequence[Sequence[BitMap]]) -> list[BitMap]:
        return [BitMap.union(BitMap(), *each) for each in zip(*sets, strict=True)]

    kinds = [united(kind) for kind in zip(*(level.events for level in levels), strict=True)]
    lost, at_risk = united([level.lost for level in levels]), united([level.at_risk for level in levels])
    first = levels[0]
    return Level(("", ""), first.outcomes, kinds, lost, at_risk, first.n_events, first.n_lost)


def _ends(levels: Sequence[Level], allowed: Sequence[int], last: int, k: int, *, full: bool) -> tuple[int, ...]:
    """The earliest ends of steps that may be told in every level, and so may what comes after the last of them."""

    def may(first: int, end: int) -> bool:
        return all(level.part(first, end).may_be_told(k, full=full) for level in levels)

    ends: list[int] = []
    for end in allowed:
        if may(ends[-1] + 1 if ends else 0, end):
            ends.append(end)
    while ends and ends[-1] < last and not may(ends[-1] + 1, last):
        popped = ends.pop()
        first = ends[-1] + 1 if ends else 0
        later = (end for end in allowed if end > popped and may(first, end) and (end == last or may(end + 1, last)))
        ends += [end for end in [next(later, None)] if end is not None]
    return tuple(ends)


def _hide_colliding(curves: Sequence[Curve], told: Sequence[BitMap], k: int, sought: Sought) -> None:
    """Hide stratifications while sums or rests of sets that are told miss one of theirs by a few persons."""
    fixed = list(dict.fromkeys(persons.serialize() for persons in told if persons))
    while k > 1:
        owners: dict[bytes, list[list[Level]]] = defaultdict(list)
        for curve in curves:
            for levels in curve.levels.values():
                for level in levels:
                    for persons in () if level.is_hidden else level.sets():
                        owners[persons.serialize()].append(levels)
        own = list(owners)
        names = list(dict.fromkeys([*own, *fixed]))
        chosen = []
        for found in collisions(sets_of(own), sets_of(names), k, sought):
            others = [names[place] if place < len(names) else own[place - len(names)] for place in found.others]
            free = [levels for name in (own[found.new], *others) for levels in owners.get(name, ())]
            chosen.append(min(free, key=lambda levels: (-len(levels), len(levels[0].persons), levels[0].strata)))
        if not chosen:
            return
        for levels in chosen:
            for level in levels:
                level.is_hidden = True


def _lines(curve: Curve, lots: Lots | None) -> Iterator[Line]:
    """The lines of a curve that leave: a life table, and its counts."""
    for level in curve.shown:
        ends = list(level.steps)
        days = np.array([curve.day(end) for end in ends])
        events, lost, followed = _counts(level) if lots is None else _rounded(level, lots)
        # Lost within a step, entries are at risk for half of it; lost where all following ends, for all of it.
        exposed = followed[:-1] - np.where(days == curve.follow_up, 0.0, lost / 2)
        table = survival.LifeTable(days, exposed, events, lost)
        drawn = [survival.kaplan_meier(table)] if len(events) == 1 else survival.aalen_johansen(table)
        for kind, (outcome, one) in enumerate(zip(level.outcomes, drawn, strict=True)):
            names = dict(zip(("strata_name", "strata_level"), level.strata, strict=True))
            own: Line = {} if curve.is_arm else {**names, "variable_level": outcome}
            place: Line = {**curve.template, **own}
            for day in dict.fromkeys([0, *days.tolist()]):
                place = {**place, "additional_level": str(day)}
                at = int(one.step_on(np.array([day]))[0])
                for name, values in zip(_NAMES, one.steps(), strict=True):
                    text = None if np.isnan(values[at]) else printed(round(float(values[at]), _DIGITS))
                    yield {**place, "result_id": curve.ids[0], "estimate_name": name, "estimate_value": text}
                counts = {AT_RISK: followed[at]}
                if at:
                    counts |= {N_EVENTS: events[kind, at - 1], N_LOST: lost[at - 1]}
                for name, count in counts.items():
                    said = {"estimate_name": name, "estimate_value": str(int(count))}
                    yield {**place, "result_id": curve.ids[1], **said}


def _counts(level: Level) -> tuple[Ints, Ints, Ints]:
    """Entries that end in each step by outcome, that are lost in it, and that are followed before and beyond."""
    ends = list(level.steps)
    events = np.diff(level.n_events.cumsum(axis=1)[:, ends], prepend=0)
    lost = np.diff(level.n_lost.cumsum()[ends], prepend=0)
    return events, lost, level.n_entries - np.concatenate(([0], (events.sum(axis=0) + lost).cumsum()))


def _rounded(level: Level, lots: Lots) -> tuple[Ints, Ints, Ints]:
    """The same of rounded counts: of those who had an outcome until a step, and of those who are followed beyond it."""
    events, _, followed = _counts(level)
    until = events.cumsum(axis=1)
    left = [lots.of(level.n_entries, level.persons)]
    before, rounded = np.zeros(len(events), dtype=np.int64), np.zeros_like(events)
    for at, end in enumerate(level.steps):
        part = level.part(0, end)
        reached = [lots.of(int(n), having) for n, having in zip(until[:, at], part.events, strict=True)]
        room = left[-1]
        for kind, n in enumerate(reached):  # a curve never rises, and nobody ends who is not followed
            rounded[kind, at] = min(max(0, n - int(before[kind])), room)
            room -= int(rounded[kind, at])
        before = before + rounded[:, at]
        left.append(min(lots.of(int(followed[at + 1]), part.beyond), room))
    rest = np.array(left, dtype=np.int64)
    return rounded, rest[:-1] - rest[1:] - rounded.sum(axis=0), rest


def _evidence(curve: Curve) -> Iterator[CellEvidence]:
    for levels in curve.levels.values():
        for level in levels:
            whole = level.part(0, curve.n_gaps - 1)
            hidden = ("numerator", "denominator") if level.is_hidden else ()
            n_events = len(BitMap.union(BitMap(), *whole.events))
            n = len(level.persons)
            yield CellEvidence(curve.ids[1], curve.target, OVERALL, n_events, n, hidden, curve.kind)
