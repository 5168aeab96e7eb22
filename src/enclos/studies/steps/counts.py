"""Counting: from a bucket's rows to tallies that add up over buckets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TypeVar

import numpy as np
import pyarrow as pa

from enclos.studies.model import Interval, Level, PeriodPrevalence, PointPrevalence
from enclos.studies.plans import denominators, incidence, people, prevalence
from enclos.studies.ports import CdmBucket
from enclos.studies.rules.calendar import Windows, calendar_windows, point_windows
from enclos.studies.rules.outline import Block, Outline, Pair, study_days_of
from enclos.studies.rules.tally import AtRiskTally, CaseTally, Ints, Persons, PresenceTally, WindowCounts
from enclos.studies.work import Partial, Survey

MAX_ROWS_AT_ONCE = 8_000_000
"""Rows fetched by one query and kept until they are counted: some hundreds of MiB."""

_ATTRITION = "attrition"
"""Under this word a partial has what is left of each block."""
_NO_DAYS = (0, -1)
"""The days of a study in which nobody is observed."""
_NO_WINDOW = calendar_windows(Interval.OVERALL, *_NO_DAYS)


@dataclass(slots=True)
class SharedAttrition:
    """Records and subjects left after each reason that the denominators of a block share, by reason; see plans."""

    n_left: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, row: dict[str, int]) -> None:
        """Add a bucket's numbers."""
        for name, count in row.items():
            self.n_left[name] += count


@dataclass(slots=True)
class Counts:
    """All tallies of a study; persons are dense numbers, ``person_numbers`` gives theirs by position."""

    n_records: Ints
    """Per denominator."""
    n_subjects: Ints
    """Per denominator."""
    attrition: list[SharedAttrition]
    """Per block."""
    at_risk: dict[int, AtRiskTally] = field(default_factory=dict)
    """Per pair of an incidence."""
    present: dict[tuple[int, int], PresenceTally] = field(default_factory=dict)
    """Per block of a prevalence and denominator."""
    cases: dict[int, CaseTally] = field(default_factory=dict)
    """Per pair of a prevalence."""
    person_numbers: list[Ints] = field(default_factory=list)
    n_persons: int = 0

    def put(self, partial: Partial) -> None:
        """Put what was counted into the partial of a bucket."""
        tally = partial.tally
        tally.put(self.n_records, self.n_subjects, np.concatenate([np.zeros(0, dtype=np.int64), *self.person_numbers]))
        for shared in self.attrition:
            partial.put(_ATTRITION, pa.table({name: pa.array([n], pa.int64()) for name, n in shared.n_left.items()}))
        for each in self._tallies():
            each.put(tally)

    def absorb(self, partial: Partial) -> None:
        """Add what another put, of persons that were not counted yet."""
        tally, first_person = partial.tally, self.n_persons
        self.n_records += tally.numbers()
        self.n_subjects += tally.numbers()
        self.person_numbers.append(tally.numbers())
        self.n_persons += len(self.person_numbers[-1])
        for shared in self.attrition:
            shared.add({name: column[0].as_py() for name, column in _columns(partial.answer(_ATTRITION))})
        for each in self._tallies():
            each.absorb(tally, first_person)

    def _tallies(self) -> Iterator[AtRiskTally | PresenceTally | CaseTally]:
        yield from self.at_risk.values()
        yield from self.present.values()
        yield from self.cases.values()


def empty_counts(outline: Outline, found: Survey) -> Counts:
    """Tallies with their windows, nothing counted yet."""
    n = len(outline.denominators)
    shared = [SharedAttrition() for _ in outline.blocks]
    counts = Counts(np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64), shared)
    for number, block in enumerate(outline.blocks):
        if (analysis := block.incidence) is not None:
            days = study_days_of(analysis.population, found.observed)
            calendars = [each for each in analysis.intervals if each is not Interval.OVERALL]
            windows = [calendar_windows(each, *days) if days else _NO_WINDOW for each in calendars]
            for pair in block.pairs:
                counts.at_risk[pair.number] = AtRiskTally([WindowCounts.empty(each) for each in windows])
        elif (analysis_of := block.prevalence) is not None:
            whole = isinstance(analysis_of, PeriodPrevalence) and analysis_of.full_contribution
            stays = isinstance(analysis_of, PeriodPrevalence) and analysis_of.level is Level.RECORD
            for denominator, of in {pair.denominator: pair.whole_denominator for pair in block.pairs}.items():
                windows = prevalence_windows(analysis_of, found.denominators.get(of))
                counts.present[number, denominator] = PresenceTally.empty(windows, whole=whole, stays=stays)
            for pair in block.pairs:
                windows = counts.present[number, pair.denominator].windows
                counts.cases[pair.number] = CaseTally.empty(windows, whole=whole, stays=stays)
    return counts


def prevalence_windows(analysis: PointPrevalence | PeriodPrevalence, days: tuple[int, int] | None) -> list[Windows]:
    """The windows of each interval type of a prevalence, within the days of the denominator."""
    if days is None:
        return [_NO_WINDOW for _ in analysis.intervals]
    if isinstance(analysis, PointPrevalence):
        return [point_windows(each, analysis.time_point, *days) for each in analysis.intervals]
    windows = [calendar_windows(each, *days) for each in analysis.intervals]
    if analysis.complete_intervals:
        return [each.only(*each.within(*days)) for each in windows]
    return [each.clipped(*days) for each in windows]


class Pending:
    """Rows of several small buckets, counted together: what a count costs does not depend on the buckets.

    When they are many they are counted at once, within a bucket too: the rows of one pair or denominator come whole.
    """

    def __init__(self, outline: Outline, found: Survey, counts: Counts) -> None:
        self._outline = outline
        self._found = found
        self._counts = counts
        self._at_risk: list[tuple[Ints, ...]] = []
        self._cases: list[tuple[Ints, ...]] = []
        self._stays: list[tuple[Ints, ...]] = []
        self._n_events: list[tuple[int, list[Ints]]] = []
        """Of each pending bucket: its first person, and per cohort the stretches of each person."""
        self._offset = 0
        """The first person of the bucket being taken."""
        self._n_rows = 0

    def add_bucket(self, bucket: CdmBucket) -> None:
        """Take the rows of one bucket whose tables are made."""
        self._add_persons(bucket)
        if not self._outline.blocks:
            return
        n_records = self._add_attrition(bucket)
        for block in self._outline.blocks:
            with_strata = [list(group) for _, group in groupby(block.pairs, lambda pair: pair.whole_pair)]
            n_rows = [sum(int(n_records[pair.denominator]) for pair in group) for group in with_strata]
            for groups in _portions(with_strata, n_rows):
                self._add_pairs(block, [pair for group in groups for pair in group], bucket)
        if wanted := self._outline.prevalence_denominators:
            self._n_events.append((self._offset, self._events_per_person(bucket)))
            for some in _portions(wanted, [int(n_records[denominator]) for denominator in wanted]):
                rows = bucket.query(prevalence.plan_stays(some))
                self._take(self._stays, rows, "denominator", "ordinal", "first_day", "last_day")

    def _add_persons(self, bucket: CdmBucket) -> None:
        numbers = bucket.query(people.plan_person_numbers())["person_id"].to_numpy()
        self._offset = self._counts.n_persons
        self._counts.person_numbers.append(numbers)
        self._counts.n_persons += len(numbers)

    def _add_attrition(self, bucket: CdmBucket) -> Ints:
        """The records of each denominator in the bucket, after all reasons that do not depend on an outcome."""
        left = bucket.query(denominators.plan_denominator_counts()).to_pydict()
        n_records = np.zeros(len(self._outline.denominators), dtype=np.int64)
        n_records[left["denominator"]] = left["n_records"]
        self._counts.n_records += n_records
        self._counts.n_subjects[left["denominator"]] += np.array(left["n_subjects"], dtype=np.int64)
        asked: dict[str, dict[str, int]] = {}
        for block, shared in zip(self._outline.blocks, self._counts.attrition, strict=True):
            days = study_days_of(block.analysis.population, self._found.observed) or _NO_DAYS
            plan = denominators.plan_attrition(block.analysis.population, *days)
            if plan not in asked:
                asked[plan] = bucket.query(plan).to_pylist()[0]
            shared.add(asked[plan])
        return n_records

    def _add_pairs(self, block: Block, pairs: Sequence[Pair], bucket: CdmBucket) -> None:
        if (analysis := block.incidence) is not None:
            plan = incidence.plan_at_risk(
                pairs,
                analysis.washout_days,
                repeated_events=analysis.repeated_events,
                censor=None if analysis.censor is None else self._outline.places[analysis.censor],
            )
            self._take(self._at_risk, bucket.query(plan), "pair", "ordinal", "first_day", "last_day", "has_event")
        else:
            names = ("pair", "ordinal", "stay_first_day", "stay_last_day", "first_day", "last_day")
            self._take(self._cases, bucket.query(prevalence.plan_cases(pairs)), *names)

    def _events_per_person(self, bucket: CdmBucket) -> list[Ints]:
        n_persons = self._counts.n_persons - self._offset
        n_events = [np.zeros(n_persons, dtype=np.int64) for _ in self._outline.cohorts]
        found = bucket.query(prevalence.plan_event_counts())
        rows = tuple(found[name].to_numpy() for name in ("cohort", "ordinal", "n_events"))
        for cohort, (ordinals, n) in _groups([rows], 3):
            n_events[cohort][ordinals] = n
        return n_events

    def _take(self, rows: list[tuple[Ints, ...]], table: pa.Table, *names: str) -> None:
        columns = {name: table[name].to_numpy() for name in names}
        columns["ordinal"] = columns["ordinal"].astype(np.uint32) + np.uint32(self._offset)
        rows.append(tuple(columns[name] for name in names))
        self._n_rows += table.num_rows
        if self._n_rows >= MAX_ROWS_AT_ONCE:
            self.count()

    def count(self) -> None:
        """Count the rows taken so far and forget them."""
        for number, (persons, first, last, event) in _groups(self._at_risk, 5):
            self._counts.at_risk[number].add(_dense(persons), first, last, event.astype(np.bool_))
        for number, (persons, stay_first, stay_last, first, last) in _groups(self._cases, 6):
            self._counts.cases[number].add_cases(_dense(persons), stay_first, stay_last, first, last)
        self._count_stays()
        self._at_risk, self._cases, self._stays, self._n_rows = [], [], [], 0
        self._n_events = [each for each in self._n_events if each[0] == self._offset]  # more of its stays may come

    def _count_stays(self) -> None:
        blocks = [(number, block) for number, block in enumerate(self._outline.blocks) if block.prevalence is not None]
        if not self._stays:
            return
        first_person = self._n_events[0][0]
        n_events = [np.concatenate(parts) for parts in zip(*(each for _, each in self._n_events), strict=True)]
        for denominator, (persons, first, last) in _groups(self._stays, 4):
            for number, block in blocks:
                if (number, denominator) not in self._counts.present:
                    continue
                self._counts.present[number, denominator].add(_dense(persons), first, last)
                for pair in block.pairs:
                    if pair.denominator == denominator:
                        n_rows = np.maximum(n_events[pair.cohort][persons - np.uint32(first_person)], 1)
                        self._counts.cases[pair.number].add_stays(_dense(persons), first, last, n_rows)


def _columns(table: pa.Table) -> Iterator[tuple[str, pa.ChunkedArray]]:
    return zip(table.column_names, table.columns, strict=True)


def _dense(persons: Ints) -> Persons:
    return persons.astype(np.uint32, copy=False)


def _groups(parts: Iterable[tuple[Ints, ...]], n_columns: int) -> Iterator[tuple[int, tuple[Ints, ...]]]:
    """The rows of each group, by the first column, in order of the group."""
    tables = list(parts)
    if not tables:
        return
    columns = [np.concatenate([table[at] for table in tables]) for at in range(n_columns)]
    order = np.argsort(columns[0], kind="stable")
    keys = columns[0][order]
    starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]]) if len(keys) else np.zeros(0, dtype=np.int64)
    for start, end in zip(starts, [*starts[1:], len(keys)], strict=False):
        rows = order[start:end]
        yield int(keys[start]), tuple(column[rows] for column in columns[1:])


_Item = TypeVar("_Item")


def _portions(items: Sequence[_Item], n_rows: Sequence[int]) -> Iterator[Sequence[_Item]]:
    """The items in portions whose rows fit in memory, at least one item each."""
    portion: list[_Item] = []
    n_taken = 0
    for item, n in zip(items, n_rows, strict=True):
        if portion and n_taken + n > MAX_ROWS_AT_ONCE:
            yield portion
            portion, n_taken = [], 0
        portion.append(item)
        n_taken += n
    if portion:
        yield portion
