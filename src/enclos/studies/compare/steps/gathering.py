"""Take entries, outcomes and covariates out of bucket after bucket."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from enclos.studies.characterise.plans import plan_concept_names
from enclos.studies.compare import plans
from enclos.studies.compare.model import Comparison, Covariates, Source, Variant
from enclos.studies.compare.rules.covariates import Gathered, recent
from enclos.studies.compare.rules.population import Entries, Events, at_risk, eligible, no_switch
from enclos.studies.model import Cohort, ConceptCohort, sources_of
from enclos.studies.plans.entries import plan_entries
from enclos.studies.ports import CdmBucket

Ints: TypeAlias = npt.NDArray[np.int64]


def covariates_wanted(analysis: Comparison) -> Covariates:
    """What must be gathered so that every variant finds its covariates."""
    asked = [each.covariates for each in analysis.variants]
    return Covariates(
        tuple(source for source in Source if any(source in each.sources for each in asked)),
        excluded=tuple(dict.fromkeys(concept for each in asked for concept in each.excluded)),
    )


def columns_of_comparison(analysis: Comparison) -> Mapping[str, tuple[str, ...]]:
    """The tables and columns that a comparison reads beyond its cohorts, persons and their observation."""
    wanted = covariates_wanted(analysis).sources
    found: dict[str, tuple[str, ...]] = {}
    for source in wanted:
        if source in plans.DOMAINS:
            found[plans.DOMAINS[source].table] = plans.DOMAINS[source].columns
    if Source.COUNTS in wanted:
        for table in plans.COUNTS:
            found[table] = tuple(dict.fromkeys((*found.get(table, ()), *plans.count_columns(table))))
    found["concept"] = ("concept_id", "concept_name")
    found["concept_ancestor"] = ("ancestor_concept_id", "descendant_concept_id")
    return found


def exposures_of(analysis: Comparison, cohorts: Sequence[Cohort]) -> list[int]:
    """The cohorts of concepts that the compared cohorts are, or are made of."""
    by_name = {cohort.name: cohort for cohort in cohorts}
    place = {cohort.name: at for at, cohort in enumerate(cohorts)}
    ahead = [name for each in analysis.variants for name in (each.target, each.comparator)]
    seen: set[str] = set()
    while ahead:
        name = ahead.pop()
        if name not in seen:
            seen.add(name)
            ahead += sources_of(by_name[name])
    return sorted(place[name] for name in seen if isinstance(by_name[name], ConceptCohort))


@dataclass(slots=True)
class Everything:
    """All that was taken; entries are of all compared cohorts, told apart by their cohort."""

    tables: list[pa.Table] = field(default_factory=list)
    """The rows of entries, ``ordinal`` already dense."""
    outcomes: dict[int, list[tuple[Ints, Ints]]] = field(default_factory=lambda: defaultdict(list))
    """By cohort: entries and days."""
    covariates: Gathered = field(default_factory=Gathered)
    n_entries: int = 0


class Gatherer:
    """Takes what a comparison needs."""

    def __init__(self, analysis: Comparison, cohorts: Sequence[Cohort]) -> None:
        self._analysis = analysis
        self._index = {cohort.name: at for at, cohort in enumerate(cohorts)}
        self._arms = sorted({self._index[name] for v in analysis.variants for name in (v.target, v.comparator)})
        outcomes = (*analysis.outcomes, *analysis.negative_controls)
        self._outcomes = [self._index[name] for name in outcomes]
        self._wanted = covariates_wanted(analysis)
        self._excluded = plans.plan_excluded(self._wanted.excluded, exposures_of(analysis, cohorts))
        self.found = Everything()
        self.concept_names: dict[int, str] = {}

    def take(self, bucket: CdmBucket, first_person: int) -> None:
        """Take from one bucket."""
        bucket.execute(plan_entries(self._arms))
        rows = bucket.query(plans.plan_rows())
        if not rows.num_rows:
            return
        offset = self.found.n_entries
        for cohort, part in _by(bucket.query(plans.plan_outcomes(self._outcomes)), "cohort"):
            self.found.outcomes[cohort].append((part["entry"].to_numpy() + offset, part["days"].to_numpy()))
        ordinal = pa.array(rows["ordinal"].to_numpy().astype(np.int64) + first_person)
        rows = rows.set_column(rows.schema.get_field_index("ordinal"), "ordinal", ordinal)
        candidates = self._candidates(rows)
        if len(candidates):
            bucket.execute(plans.plan_candidates(candidates.tolist()))
            self._take_covariates(bucket, offset)
            bucket.execute(f"DROP TABLE {plans.CANDIDATE}")
        self.found.tables.append(rows)
        self.found.n_entries += rows.num_rows

    def _candidates(self, rows: pa.Table) -> Ints:
        """The entries that some variant may compare: what needs all persons to be known is judged later."""
        wanted = np.zeros(rows.num_rows, dtype=np.bool_)
        for variant in self._analysis.variants:
            entries, at = entries_of(rows, self._index[variant.target], self._index[variant.comparator])
            asked = replace(variant.eligibility, common_period=False)
            risk = at_risk(entries, variant.follow_up, asked.duplicates)
            wanted[at[eligible(entries, asked)[-1][1] & (risk.n_days >= variant.follow_up.min_days)]] = True
        found: Ints = rows["entry"].to_numpy()[wanted].astype(np.int64)
        return found

    def _take_covariates(self, bucket: CdmBucket, offset: int) -> None:
        gathered = self.found.covariates
        for source in self._wanted.sources:
            if source in plans.DOMAINS:
                found = bucket.query(plans.plan_concepts(plans.DOMAINS[source], self._excluded))
                entry, concept, days = (found[name].to_numpy() for name in ("entry", "concept_id", "days"))
                gathered.concepts.setdefault(source, []).append(recent(entry + offset, concept, days))
                self._name(bucket, np.unique(concept))
        if Source.COUNTS in self._wanted.sources:
            for table in plans.COUNTS:
                found = bucket.query(plans.plan_counts(table, self._excluded))
                numbers = np.stack([found[f"n_{at}"].to_numpy() for at in range(3)], axis=1)
                gathered.counts.setdefault(table, []).append((found["entry"].to_numpy() + offset, numbers))

    def _name(self, bucket: CdmBucket, concepts: Ints) -> None:
        asked = concepts.tolist()
        if any(concept not in self.concept_names for concept in asked):
            # All are asked, not the new ones alone: what is new depends on the buckets before (see Stage).
            found = bucket.query(plan_concept_names(asked)).to_pydict()
            self.concept_names.update(dict.fromkeys(asked, "unknown concept"))
            named = zip(found["concept_id"], found["concept_name"], strict=True)
            self.concept_names.update({concept: name for concept, name in named if name})

    def all_entries(self, variant: Variant) -> tuple[Entries, Ints]:
        """The entries that a variant compares, in the order that breaks ties, and their numbers among all."""
        rows = pa.concat_tables(self.found.tables) if self.found.tables else _NO_ROWS
        return entries_of(rows, self._index[variant.target], self._index[variant.comparator])

    def events_of(self, outcome: str, numbers: Ints) -> Events:
        """The outcomes of some entries.

        In: numbers — of the entries among all
        """
        parts = self.found.outcomes[self._index[outcome]]
        entry = np.concatenate([np.zeros(0, dtype=np.int64), *(entry for entry, _ in parts)])
        days = np.concatenate([np.zeros(0, dtype=np.int64), *(days for _, days in parts)])
        position = np.full(self.found.n_entries, -1, dtype=np.int64)
        position[numbers] = np.arange(len(numbers))
        kept = position[entry] >= 0
        return Events(position[entry][kept], days[kept].astype(np.int64))


_COLUMNS = ("ordinal", "cohort", "person_id", "first_day", "last_day", "observed_first", "observed_last", "age", "sex")
_NO_ROWS = pa.table({name: pa.array([], pa.int64()) for name in _COLUMNS})


def entries_of(rows: pa.Table, target: int, comparator: int) -> tuple[Entries, Ints]:
    """The entries into two cohorts, sorted by the permit's number of the person, day and cohort, and their rows."""
    columns = {name: rows[name].to_numpy().astype(np.int64) for name in rows.column_names}
    at = np.flatnonzero((columns["cohort"] == target) | (columns["cohort"] == comparator))
    of = {name: column[at] for name, column in columns.items()}
    treated = of["cohort"] == target
    order = np.lexsort((~treated, of["first_day"], of["person_id"]))
    of = {name: column[order] for name, column in of.items()}
    at, treated = at[order], treated[order]
    entries = Entries(
        of["ordinal"],
        treated,
        of["first_day"],
        of["age"],
        of["sex"],
        of["first_day"] - of["observed_first"],
        of["last_day"] - of["first_day"],
        of["observed_last"] - of["first_day"],
        _days_to_switch(of["person_id"], treated, of["first_day"]),
    )
    return entries, at.astype(np.int64)


def _days_to_switch(person: Ints, treated: npt.NDArray[np.bool_], first_day: Ints) -> Ints:
    """Days to the person's next entry into the other cohort on a later day; rows are sorted by person and day."""
    found = no_switch(len(person))
    for arm in (True, False):
        others, own = np.flatnonzero(treated != arm), np.flatnonzero(treated == arm)
        if not len(others) or not len(own):
            continue
        # Person and day as one number, so that one search finds the next of the same person.
        span = int(first_day.max() - first_day.min()) + 2
        _, rank = np.unique(person, return_inverse=True)
        key = rank * span + (first_day - first_day.min())
        place = np.searchsorted(key[others], key[own], side="right")
        there = place < len(others)
        follower = others[place[there]]
        mine = own[there]
        same = person[follower] == person[mine]
        found[mine[same]] = first_day[follower[same]] - first_day[mine[same]]
    return found


def _by(rows: pa.Table, column: str) -> list[tuple[int, pa.Table]]:
    """The rows of each value of a column."""
    values = rows[column].to_numpy()
    return [(int(value), rows.filter(pa.array(values == value))) for value in np.unique(values)]
