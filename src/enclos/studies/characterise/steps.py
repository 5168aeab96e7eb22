"""Counting and telling a characterisation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations, product
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from enclos.contracts.result import SEPARATOR, EstimateType
from enclos.studies.characterise import plans
from enclos.studies.characterise.model import (
    DIFFERENCES,
    LARGE_SCALE,
    Characterisation,
    Entries,
    Shown,
    in_sentence_case,
)
from enclos.studies.characterise.rules import (
    GROUP_NAME,
    PAIR_NAME,
    Concept,
    Group,
    Level,
    characteristics,
    concept_difference,
    concept_share,
    differences,
    is_frequent,
    overlap,
    timing,
)
from enclos.studies.homes import homes
from enclos.studies.model import Cohort, Domain, Stratum
from enclos.studies.plans import entries as entry_plans
from enclos.studies.plans.cohorts import DOMAIN_TABLES, columns_read
from enclos.studies.ports import CdmBucket
from enclos.studies.rules.entries import (
    NOT_KNOWN,
    SEXES,
    WHOLE,
    EntryColumns,
    Levels,
    Strata,
    levels_of,
    parts_of,
    strata_in_order,
)
from enclos.studies.rules.evidence import Feature, Measure, Row, add_rows
from enclos.studies.rules.report import Estimate, Place, Report
from enclos.studies.rules.tally import person_set

_Ints: TypeAlias = npt.NDArray[np.int64]
_Persons: TypeAlias = npt.NDArray[np.uint32]
_UNKNOWN_CONCEPT = "UNKNOWN CONCEPT"
_AGE, _SEX, _AGE_GROUP = ("Age", ""), "Sex", "Age group"
_DATES = (("Cohort start date", ""), ("Cohort end date", ""))
_DAYS = (("Prior observation", ""), ("Future observation", ""), ("Days in cohort", ""), ("Days to next record", ""))
_VARIABLES = {Stratum.SEX: _SEX, Stratum.AGE_GROUP: _AGE_GROUP}


@dataclass(frozen=True, slots=True)
class _Part:
    """The entries of a bucket that belong to one cohort and stratum."""

    group: Group
    index: _Ints


class CharacterisationCounter:
    """Counts a characterisation."""

    def __init__(self, analysis: Characterisation, cohorts: Sequence[Cohort]) -> None:
        self._analysis = analysis
        self._index = {cohort.name: at for at, cohort in enumerate(cohorts)}
        self._groups: dict[tuple[str, Strata], Group] = defaultdict(Group)
        self._between: dict[tuple[str, str], Measure] = defaultdict(Measure)
        self._names: dict[int, str] = {}
        self._asked = [(each, name) for each in analysis.intersections for name in each.cohorts]
        scale = analysis.large_scale
        self._tables: list[tuple[Domain, bool]] = []
        if scale is not None:
            self._tables = [*((each, False) for each in scale.events), *((each, True) for each in scale.episodes)]

    def take(self, bucket: CdmBucket, first_person: int) -> None:
        """Count a bucket."""
        bucket.execute(entry_plans.plan_entries([self._index[name] for name in self._analysis.cohorts]))
        rows = bucket.query(entry_plans.plan_entry_rows())
        entries = EntryColumns(rows, first_person, homes(bucket, self._analysis.strata))
        if not entries.n:
            return
        levels = levels_of(entries, self._analysis.age_groups)
        cohorts = {name: self._index[name] for name in self._analysis.cohorts}
        parts = [
            _Part(self._groups[key], index) for key, index in parts_of(entries, cohorts, self._analysis.strata, levels)
        ]
        self._count_own(entries, levels, parts)
        self._count_intersections(bucket, entries, parts)
        self._count_concepts(bucket, entries, parts)
        if self._analysis.timing is not None:
            self._count_timing(bucket, first_person)

    def _count_own(self, entries: EntryColumns, of: Levels, parts: Sequence[_Part]) -> None:
        measured = (
            (_DATES[0], entries.first_day, EstimateType.DATE),
            (_DATES[1], entries.last_day, EstimateType.DATE),
            (_AGE, entries.age, EstimateType.INTEGER),
            (_DAYS[0], entries.prior, EstimateType.INTEGER),
            (_DAYS[1], entries.future, EstimateType.INTEGER),
            (_DAYS[2], entries.last_day - entries.first_day + 1, EstimateType.INTEGER),
            (_DAYS[3], entries.to_next, EstimateType.INTEGER),
        )
        for part in parts:
            if not len(part.index):
                continue
            part.group.entries.add(len(part.index), person_set(entries.person[part.index]))
            for key, values, kind in measured:
                _measure(part, key, values, kind, entries.person)
            for stratum, variable in _VARIABLES.items():
                levels, code = of[stratum]
                for at, level in enumerate(levels):
                    if len(some := part.index[code[part.index] == at]):
                        part.group.levels[variable, level].add(len(some), person_set(entries.person[some]))

    def _count_intersections(self, bucket: CdmBucket, entries: EntryColumns, parts: Sequence[_Part]) -> None:
        if not self._asked:
            return
        wanted = [(self._index[name], each.window) for each, name in self._asked]
        rows = bucket.query(entry_plans.plan_intersections(wanted))
        number, entry, n, first_day = (rows[name].to_numpy() for name in ("number", "entry", "n", "first_day"))
        for at, (each, name) in enumerate(self._asked):
            shown = each.shown
            own = np.flatnonzero(number == at)
            found, observed = entry[own], entries.observed(each.window)
            key = (each.variable, in_sentence_case(name))
            if shown in {Shown.FLAG, Shown.COUNT}:
                values = np.where(observed, 0.0, np.nan)
                values[found] = np.where(observed[found], n[own] if shown is Shown.COUNT else 1, np.nan)
            else:
                values = np.full(entries.n, np.nan)
                values[found] = first_day[own] - (entries.first_day[found] if shown is Shown.DAYS else 0)
            for part in parts:
                if not len(part.index):
                    continue
                if shown is Shown.FLAG:
                    _flag(part, key, values, entries.person)
                else:
                    _measure(part, key, values, _KINDS[shown], entries.person)

    def _count_concepts(self, bucket: CdmBucket, entries: EntryColumns, parts: Sequence[_Part]) -> None:
        scale = self._analysis.large_scale
        if scale is None:
            return
        for at, window in enumerate(scale.windows):
            observed = entries.observed(window)
            for part in parts:
                some = part.index[observed[part.index]]
                part.group.in_window[at].add(len(some), person_set(entries.person[some]))
        of_entry = _parts_of_entries(entries.n, parts)
        for table, (domain, episodes) in enumerate(self._tables):
            rows = bucket.query(plans.plan_large_scale(domain, scale.windows, episodes=episodes))
            number, concept, entry = (rows[name].to_numpy() for name in ("number", "concept_id", "entry"))
            for start, end in _runs(number, concept):
                key = (table, int(number[start]), int(concept[start]))
                for group, some in _grouped(entry[start:end], of_entry):
                    group.concepts[key].add(len(some), person_set(entries.person[some]))
            self._name(bucket, np.unique(concept).tolist())

    def _name(self, bucket: CdmBucket, concepts: Sequence[int]) -> None:
        if any(concept not in self._names for concept in concepts):
            # All are asked, not the new ones alone: what is new depends on the buckets before (see Stage).
            found = bucket.query(plans.plan_concept_names(concepts)).to_pydict()
            named = dict(zip(found["concept_id"], found["concept_name"], strict=True))
            self._names.update({concept: named.get(concept) or _UNKNOWN_CONCEPT for concept in concepts})

    def _count_timing(self, bucket: CdmBucket, first_person: int) -> None:
        names = {at: name for name, at in self._index.items()}
        rows = bucket.query(plans.plan_timing(first_only=self._analysis.timing is Entries.FIRST))
        reference, comparator, ordinal, n_days = (
            rows[name].to_numpy() for name in ("reference", "comparator", "ordinal", "n_days")
        )
        for pair in sorted({*zip(reference.tolist(), comparator.tolist(), strict=True)}):
            own = (reference == pair[0]) & (comparator == pair[1])
            measure = self._between[names[pair[0]], names[pair[1]]]
            measure.spread.add(n_days[own])
            measure.persons |= person_set((ordinal[own] + first_person).astype(np.uint32))

    def report(self, report: Report) -> None:
        """Add the characteristics, then what else was asked for, each under a result id of its own."""
        self._report_characteristics(report)
        if self._analysis.large_scale is not None:
            self._report_concepts(report)
        if self._analysis.overlap:
            values = {"overlap_by": "subject_id"}
            result_id = report.start("summarise_cohort_overlap", PAIR_NAME, self._strata_names, "", values)
            for names, strata in self._pairs():
                add_rows(report, result_id, overlap(names, strata, *self._both(names, strata)))
        if (entries := self._analysis.timing) is not None:
            first = "TRUE" if entries is Entries.FIRST else "FALSE"
            values = {"restrict_to_first_entry": first}
            result_id = report.start("summarise_cohort_timing", PAIR_NAME, "", "", values)
            for names in permutations(self._analysis.cohorts, 2):
                both = [self._groups[name, WHOLE].entries.persons for name in names]
                add_rows(
                    report,
                    result_id,
                    timing((names[0], names[1]), self._between[names[0], names[1]], both[0] & both[1]),
                )
        if self._analysis.differences:
            self._report_differences(report)

    @property
    def _strata_names(self) -> str:
        return SEPARATOR.join(each.value for each in self._analysis.strata)

    def _strata(self) -> list[Strata]:
        having = {strata for (_, strata), group in self._groups.items() if group.entries.n}
        return strata_in_order(self._analysis.strata, self._analysis.age_groups, having)

    def _variables(self) -> list[Level]:
        """Every variable and level in the order of the result."""
        groups = [(_AGE_GROUP, each.word) for each in self._analysis.age_groups]
        ages = [*groups, (_AGE_GROUP, NOT_KNOWN)] if groups else []
        sexes = [(_SEX, level) for level in SEXES.values()]
        asked = [(each.variable, in_sentence_case(name)) for each, name in self._asked]
        return [*_DATES, _AGE, *ages, *sexes, *_DAYS, *asked]

    def _report_characteristics(self, report: Report) -> None:
        result_id = report.start("summarise_characteristics", GROUP_NAME, self._strata_names, "", {})
        for name in self._analysis.cohorts:
            for strata in self._strata():
                if strata != WHOLE and (name, strata) not in self._groups:
                    continue
                group = self._groups[name, strata]
                for each in self._analysis.age_groups:
                    group.levels[_AGE_GROUP, each.word].add(0, person_set(np.zeros(0, dtype=np.uint32)))
                add_rows(report, result_id, characteristics(name, strata, group, self._variables()))

    def _report_concepts(self, report: Report) -> None:
        for table, (domain, episodes) in enumerate(self._tables):
            values = {
                "analysis": "standard",
                "table_name": DOMAIN_TABLES[domain],
                "type": "episode" if episodes else "event",
            }
            result_id = report.start(LARGE_SCALE, GROUP_NAME, self._strata_names, "concept_id", values)
            for name, strata in product(self._analysis.cohorts, self._strata()):
                group = self._groups[name, strata]
                for concept in self._shown((group,), table):
                    place = self._place(concept, GROUP_NAME, name, strata)
                    found, among = group.concepts[concept], group.in_window[concept[1]]
                    estimates = (
                        Estimate("count", EstimateType.INTEGER, str(found.n)),
                        Estimate("percentage", EstimateType.PERCENTAGE, concept_share(group, concept)),
                    )
                    add_rows(report, result_id, [Row(place, estimates, found.persons, among.persons | found.persons)])

    def _place(self, concept: Concept, group_name: str, group_level: str, strata: Strata) -> Place:
        scale = self._analysis.large_scale
        window = "" if scale is None else scale.windows[concept[1]].word
        return Place(group_name, group_level, self._names[concept[2]], window, strata, ("concept_id", str(concept[2])))

    def _shown(self, groups: Sequence[Group], table: int) -> list[Concept]:
        """The concepts of a table that are frequent in a group, by window, name and number."""
        least = 0 if self._analysis.large_scale is None else self._analysis.large_scale.minimum_frequency
        found = {
            concept
            for group in groups
            for concept in group.concepts
            if concept[0] == table and is_frequent(group, concept, least)
        }
        return sorted(found, key=lambda concept: (concept[1], self._names[concept[2]], concept[2]))

    def _report_differences(self, report: Report) -> None:
        values = {"estimate": "standardised mean difference"}
        result_id = report.start(DIFFERENCES, PAIR_NAME, self._strata_names, "concept_id", values)
        for names, strata in self._pairs():
            if self._analysis.cohorts.index(names[0]) > self._analysis.cohorts.index(names[1]):
                continue
            groups = self._both(names, strata)
            add_rows(report, result_id, differences(names, strata, groups, self._variables()))
            for table in range(len(self._tables)):
                for concept in self._shown(groups, table):
                    place = self._place(concept, PAIR_NAME, "", strata)
                    add_rows(report, result_id, [concept_difference(names, place, groups, concept)])

    def _pairs(self) -> Iterator[tuple[tuple[str, str], Strata]]:
        for first, second in permutations(self._analysis.cohorts, 2):
            for strata in self._strata():
                yield (first, second), strata

    def _both(self, names: tuple[str, str], strata: Strata) -> tuple[Group, Group]:
        return self._groups[names[0], strata], self._groups[names[1], strata]


_KINDS = {Shown.COUNT: EstimateType.NUMERIC, Shown.DAYS: EstimateType.INTEGER, Shown.DATE: EstimateType.DATE}


def _measure(part: _Part, key: Level, values: npt.NDArray[np.generic], kind: EstimateType, person: _Persons) -> None:
    own = values[part.index].astype(np.float64)
    known = ~np.isnan(own)
    measure = part.group.measures[key]
    measure.kind = kind
    measure.spread.add(own[known])
    measure.persons |= person_set(person[part.index[known]])


def _flag(part: _Part, key: Level, values: npt.NDArray[np.float64], person: _Persons) -> None:
    found, could = part.group.flags.setdefault(key, (Feature(), Feature()))
    own = values[part.index]
    having, asked = part.index[own == 1], part.index[~np.isnan(own)]
    found.add(len(having), person_set(person[having]))
    could.add(len(asked), person_set(person[asked]))


def _runs(*columns: npt.NDArray[np.generic]) -> Iterator[tuple[int, int]]:
    """Start and end of each run of rows in which all columns stay the same."""
    n = len(columns[0])
    if n:
        changes = np.logical_or.reduce([column[1:] != column[:-1] for column in columns])
        starts = np.flatnonzero(np.r_[True, changes]).tolist()
        yield from zip(starts, [*starts[1:], n], strict=True)


def _parts_of_entries(n_entries: int, parts: Sequence[_Part]) -> list[tuple[Group, npt.NDArray[np.bool_]]]:
    """For each part, which entries belong to it."""
    found = []
    for part in parts:
        belongs = np.zeros(n_entries, dtype=np.bool_)
        belongs[part.index] = True
        found.append((part.group, belongs))
    return found


def _grouped(entry: _Ints, of_entry: Sequence[tuple[Group, npt.NDArray[np.bool_]]]) -> Iterator[tuple[Group, _Ints]]:
    """The entries that belong to each part, where there are any."""
    for group, belongs in of_entry:
        if len(some := entry[belongs[entry]]):
            yield group, some


def characterisation_columns(analysis: Characterisation) -> Mapping[str, tuple[str, ...]]:
    """The tables and columns that a characterisation reads beyond its cohorts, persons and their observation."""
    if (scale := analysis.large_scale) is None:
        return {}
    domains = dict.fromkeys((*scale.events, *scale.episodes))
    found = {DOMAIN_TABLES[domain]: columns_read(domain) for domain in domains}
    return {**found, "concept": ("concept_id", "concept_name")}
