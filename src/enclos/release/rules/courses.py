"""The counts of a survival analysis by gaps of days with the persons behind each: what steps of curves are made of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import pyarrow as pa
from pyroaring import BitMap

from enclos.contracts.result import OVERALL, RESULT_COLUMNS, Cell, ResultSettings, StudyResult
from enclos.release.rules.arrays import Ints
from enclos.release.rules.described import may_label, may_set
from enclos.release.rules.policy import Policy

ESTIMATES, EVENTS = "survival_estimates", "survival_events"
ARM_ESTIMATES, ARM_EVENTS = "compare_survival", "compare_survival_events"
_PAIRS = {ESTIMATES: EVENTS, ARM_ESTIMATES: ARM_EVENTS}
CURVES = frozenset({*_PAIRS, *_PAIRS.values()})
"""Result types of which one analysis has two: the curve, and the counts behind it.

Curves of comparisons in which entries are weighted have no such counts: they stay inside.
"""
AT_RISK, N_EVENTS, N_LOST = COUNTS = ("n_risk_count", "n_events_count", "n_censor_count")

CellKey: TypeAlias = tuple[int, str, str, str, str, str, str]
Line: TypeAlias = dict[str, str | int | None]
_COUNTED = frozenset(_PAIRS.values())
_LABELS = tuple(name for name in RESULT_COLUMNS if name not in {"result_id", "estimate_value"})
_LOST = "lost"
_COMPETING = "competing_risk"
_OWN = frozenset({"result_type", "eventgap"})
"""Settings in which the two results of one analysis differ."""


@dataclass(slots=True, eq=False)
class Part:
    """What happens in a stretch of days: who had each outcome, who was lost, who is followed before and beyond."""

    events: list[BitMap]
    lost: BitMap
    before: BitMap
    beyond: BitMap

    def may_be_told(self, k: int, *, full: bool) -> bool:
        """Whether nothing of it is true of a few, or of everybody who is followed."""
        left = [len(self.before - having) for having in self.events]
        counts = [*map(len, self.events), len(self.lost), len(self.beyond), len(self.before)]
        return not any(0 < n < k for n in (*counts, *left)) and not (full and 0 in left and self.before)


@dataclass(slots=True, eq=False)
class Level:
    """One curve: entries by the gap of days in which they end, and the persons behind them."""

    strata: tuple[str, str]
    outcomes: list[str]
    events: list[list[BitMap]]
    lost: list[BitMap]
    at_risk: list[BitMap]
    n_events: Ints
    """One row per outcome, one column per gap."""
    n_lost: Ints
    is_hidden: bool = False
    steps: tuple[int, ...] = ()
    """Gaps with which a shown step ends."""

    def part(self, first: int, last: int) -> Part:
        """The gaps from the first to the last."""
        united = [BitMap.union(BitMap(), *each[first : last + 1]) for each in self.events]
        beyond = self.at_risk[last + 1] if last + 1 < len(self.at_risk) else BitMap()
        before = self.at_risk[first] if first < len(self.at_risk) else BitMap()
        return Part(united, BitMap.union(BitMap(), *self.lost[first : last + 1]), before, beyond)

    @property
    def persons(self) -> BitMap:
        """Everybody who is followed."""
        return self.at_risk[0]

    @property
    def n_entries(self) -> int:
        """Entries that are followed."""
        return int(self.n_events.sum() + self.n_lost.sum())

    def sets(self) -> Iterator[BitMap]:
        """The persons that its steps tell, from the first day on; what is between them is left of these."""
        yield self.persons
        for last in self.steps:
            part = self.part(0, last)
            yield from (each for each in (*part.events, part.beyond) if each)


@dataclass(slots=True, eq=False)
class Curve:
    """A target with an outcome: its curves by stratification, all together first."""

    target: str
    gap_days: int
    n_gaps: int
    last_named: int
    """The last gap whose end is no person's: a multiple of the gap, or the end that the study set."""
    follow_up: int | None
    ids: tuple[int, int]
    """The result ids of estimates and of counts."""
    kind: str
    """The result type of counts."""
    template: Line
    levels: dict[str, list[Level]] = field(default_factory=lambda: defaultdict(list))

    @property
    def is_arm(self) -> bool:
        """Whether it is of one cohort of a comparison, under the labels that its lines have."""
        return self.kind == ARM_EVENTS

    @property
    def shown(self) -> list[Level]:
        """The curves that may leave."""
        return [level for levels in self.levels.values() for level in levels if not level.is_hidden]

    def day(self, gap: int) -> int:
        """The last day of a gap."""
        end = gap * self.gap_days
        return end if self.follow_up is None else min(end, self.follow_up)


def read_curves(result: StudyResult, rules: Policy) -> tuple[list[Curve], int, int]:
    """The curves with their persons; how many lines are of no known form; how many curves are not as their persons say.

    The lines of estimates are not read: what leaves is computed from the counts.
    """
    settings = {each.result_id: each for each in result.settings if each.result_type in CURVES}
    n_untyped = sum(
        not may_set(name, value, rules) for each in settings.values() for name, value in each.values.items()
    )
    events = {result_id: each.result_type for result_id, each in settings.items() if each.result_type in _COUNTED}
    lines: dict[tuple[int, str, str], list[Line]] = defaultdict(list)
    for line in result.table.filter(pa.array(np.isin(result.table["result_id"].to_numpy(), list(events)))).to_pylist():
        labelled = all(may_label(name, str(line[name] or "")) for name in _LABELS)
        counts = line["estimate_name"] in COUNTS and str(line["estimate_value"]).isdigit()
        if labelled and counts and str(line["additional_level"]).isdigit():
            arm = str(line["variable_name"]) if events[line["result_id"]] == ARM_EVENTS else ""
            lines[line["result_id"], str(line["group_level"]), arm].append(line)
        else:
            n_untyped += 1
    cells = {cell.key: cell for cell in result.cells if cell.result_id in events}
    curves, n_unbacked = [], 0
    for ids in _analyses(settings.values()):
        pair = next((pair for pair in _PAIRS.items() if ids.keys() == set(pair)), None)
        if pair is None:
            n_unbacked += 1
            continue
        for (result_id, target, arm), own in lines.items():
            if result_id == ids[pair[1]]:
                curve = _curve(settings[result_id], target, arm, (ids[pair[0]], result_id), own, cells)
                curves += [] if curve is None else [curve]
                n_unbacked += curve is None
    return curves, n_untyped, n_unbacked


def of_weighted(settings: Iterable[ResultSettings]) -> set[int]:
    """The result ids of curves of comparisons whose entries are weighted: no counts stand beside them."""
    curves = [each for each in settings if each.result_type in {ARM_ESTIMATES, ARM_EVENTS}]
    return {ids[ARM_ESTIMATES] for ids in _analyses(curves) if ids.keys() == {ARM_ESTIMATES}}


def _analyses(settings: Iterable[ResultSettings]) -> Iterator[dict[str, int]]:
    """The result ids of each analysis by type; none twice."""
    found: dict[tuple[tuple[str, str], ...], dict[str, int]] = defaultdict(dict)
    for each in settings:
        same = tuple(sorted((name, value) for name, value in each.values.items() if name not in _OWN))
        kind = each.result_type if each.result_type not in found[same] else f"{each.result_type} again"
        found[same][kind] = each.result_id
    yield from found.values()


def _curve(
    settings: ResultSettings,
    target: str,
    arm: str,
    ids: tuple[int, int],
    lines: Sequence[Line],
    cells: Mapping[CellKey, Cell],
) -> Curve | None:
    """The curve of a target, or None when its counts are not those of its persons.

    In: arm — the cohort of a comparison; empty where the target is no comparison
    """
    values = settings.values
    outcomes = ["" if arm else values.get("outcome", "")]
    if values.get("analysis_type") == _COMPETING:
        outcomes.append(values.get("competing_outcome", ""))
    gap_days, end = values.get("eventgap", ""), values.get("follow_up_days", "")
    follow_up = int(end) if end.isdigit() else None
    counted: dict[tuple[str, str], dict[int, dict[tuple[str, str], int]]] = defaultdict(lambda: defaultdict(dict))
    for line in lines:
        strata = (OVERALL, OVERALL) if arm else (str(line["strata_name"]), str(line["strata_level"]))
        what = (str(line["variable_level"] or ""), str(line["estimate_name"]))
        on_day = counted[strata][int(str(line["additional_level"]))]
        if what in on_day or what[0] not in outcomes:
            return None
        on_day[what] = int(str(line["estimate_value"]))
    if not gap_days.isdigit() or int(gap_days) < 1 or (OVERALL, OVERALL) not in counted:
        return None
    gap = int(gap_days)
    last_day = max(counted[OVERALL, OVERALL])
    n_gaps = 1 + max(-(-day // gap) for days in counted.values() for day in days)
    last_named = -(-last_day // gap) if last_day == follow_up else last_day // gap
    curve = Curve(target, gap, n_gaps, last_named, follow_up, ids, settings.result_type, lines[0])
    own_strata = (str(lines[0]["strata_name"]), str(lines[0]["strata_level"]))
    for strata, days in counted.items():
        head = (ids[1], target, *(own_strata if arm else strata))
        names = (arm, f"{arm} {_LOST}") if arm else ("outcome", _LOST)
        level = _level(strata, outcomes, gap, n_gaps, days, names, lambda *at: cells.get((*head, *at)))  # noqa: B023
        if level is None:
            return None
        curve.levels[strata[0]].append(level)
    return curve


def _level(
    strata: tuple[str, str],
    outcomes: list[str],
    gap: int,
    n_gaps: int,
    days: Mapping[int, Mapping[tuple[str, str], int]],
    names: tuple[str, str],
    cell_of: Callable[[str, str, str], Cell | None],
) -> Level | None:
    """One curve, or None when its counts are not those of its persons."""
    events = [[BitMap()] * n_gaps for _ in outcomes]
    lost, at_risk = [BitMap()] * n_gaps, [BitMap()] * n_gaps
    n_events, n_lost = np.zeros((len(outcomes), n_gaps), dtype=np.int64), np.zeros(n_gaps, dtype=np.int64)
    n_at_risk = np.zeros(n_gaps, dtype=np.int64)
    for day, counts in days.items():
        at = -(-day // gap)
        behind = [cell_of(names[0], outcome, str(day)) for outcome in outcomes]
        gone = cell_of(names[1], "", str(day))
        if len(counts) != len(outcomes) * len(COUNTS) or gone is None or at_risk[at]:
            return None
        for kind, (outcome, cell) in enumerate(zip(outcomes, behind, strict=True)):
            if cell is None or counts[outcome, N_LOST] != counts[outcomes[0], N_LOST]:
                return None
            if (
                counts[outcome, AT_RISK] != counts[outcomes[0], AT_RISK]
                or cell.dense_denominator != gone.dense_denominator
            ):
                return None
            events[kind][at], n_events[kind, at] = cell.dense_numerator, counts[outcome, N_EVENTS]
        lost[at], n_lost[at] = gone.dense_numerator, counts[outcomes[0], N_LOST]
        at_risk[at], n_at_risk[at] = gone.dense_denominator, counts[outcomes[0], AT_RISK]
    level = Level(strata, outcomes, events, lost, at_risk, n_events, n_lost)
    return level if _agrees(level, n_at_risk) else None


def _agrees(level: Level, n_at_risk: Ints) -> bool:
    """Whether the counts are those of the persons: as many entries or more, and none of nobody."""
    kinds = [*zip(level.events, level.n_events, strict=True), (level.lost, level.n_lost)]
    for sets, counts in kinds:
        sizes = np.array([len(each) for each in sets])
        if (counts < sizes).any() or ((counts > 0) != (sizes > 0)).any():
            return False
    for at, followed in enumerate(level.at_risk):
        beyond = level.at_risk[at + 1] if at + 1 < len(level.at_risk) else BitMap()
        ended = BitMap.union(level.lost[at], *(kind[at] for kind in level.events))
        if not (beyond.issubset(followed) and ended.issubset(followed) and (followed - beyond).issubset(ended)):
            return False
    left = level.n_entries - (level.n_events.sum(axis=0) + level.n_lost).cumsum()
    before = np.concatenate(([level.n_entries], left[:-1]))
    between = (n_at_risk <= before).all() and (n_at_risk >= left).all()
    return bool(between and n_at_risk[0] == level.n_entries)
