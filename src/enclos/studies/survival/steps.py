"""Follow entries bucket by bucket, add up by day, and report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from enclos.contracts.result import OVERALL, SEPARATOR
from enclos.studies.homes import homes
from enclos.studies.model import AgeGroup, Cohort, Sex, Stratum
from enclos.studies.plans.entries import FEMALE, MALE, NO_SEX, plan_entries
from enclos.studies.ports import CdmBucket
from enclos.studies.rules.entries import homes_of
from enclos.studies.rules.report import Report
from enclos.studies.survival import findings, plans
from enclos.studies.survival.model import Strata, Survival
from enclos.studies.survival.tally import EndingTally, ReasonTally

Ints: TypeAlias = npt.NDArray[np.int64]
_NOT_KNOWN = "None"
_SEXES = {FEMALE: Sex.FEMALE.word, MALE: Sex.MALE.word, NO_SEX: _NOT_KNOWN}
_SEX_PLACES = {code: place for place, code in enumerate(_SEXES)}


@dataclass(slots=True)
class PairTally:
    """One target with one outcome: why entries are left out, and how the others end, by stratum."""

    left_out: ReasonTally
    endings: dict[tuple[Strata, tuple[int, ...]], EndingTally] = field(default_factory=dict)


def survival_columns(_: Survival) -> Mapping[str, tuple[str, ...]]:
    """Nothing is read beyond the cohorts, the persons and their observation."""
    return {}


class SurvivalFollower:
    """Counts a survival analysis."""

    def __init__(self, analysis: Survival, cohorts: Sequence[Cohort]) -> None:
        self._analysis = analysis
        self._index = {cohort.name: at for at, cohort in enumerate(cohorts)}
        self._departments: dict[str, int] = {}
        self._tallies = {pair: PairTally(ReasonTally.empty()) for pair in product(analysis.targets, analysis.outcomes)}

    def take(self, bucket: CdmBucket, first_person: int) -> None:
        """Follow the entries of one bucket to every outcome."""
        asked = self._analysis
        competing = None if asked.competing_outcome is None else self._index[asked.competing_outcome]
        bucket.execute(plan_entries([self._index[target] for target in asked.targets]))
        live = homes(bucket, asked.strata)
        for target, outcome in self._tallies:
            plan = plans.plan_times(
                self._index[target],
                self._index[outcome],
                competing,
                asked.washout,
                asked.competing_washout,
                asked.follow_up,
                at_end=asked.outcome_at_end,
            )
            found = bucket.query(plan)
            rows = {name: found[name].to_numpy().astype(np.int64) for name in found.column_names}
            rows["home"] = self._homes_of(live, rows["ordinal"])
            rows["ordinal"] += first_person
            self._count(self._tallies[target, outcome], rows)

    def _count(self, tally: PairTally, rows: dict[str, Ints]) -> None:
        tally.left_out.add(rows["ordinal"], rows["reason"])
        kept = rows["reason"] == plans.KEPT
        persons, days, endings = (rows[name][kept] for name in ("ordinal", "n_days", "ending"))
        by = {
            Stratum.SEX: _sex_places(rows["sex"][kept]),
            Stratum.AGE_GROUP: self._age_groups(rows["age"][kept]),
            Stratum.DEPARTMENT: rows["home"][kept],
        }
        for strata in ((), *self._analysis.strata):
            for level, among in _levels([by[each] for each in strata], len(persons)):
                part = tally.endings.setdefault((strata, level), EndingTally.empty(self._analysis.shown.event_gap_days))
                part.add(persons[among], days[among], endings[among])

    def _homes_of(self, live: pa.Table | None, ordinals: Ints) -> Ints:
        """The place of each person's department among those met so far; nought where nobody asks for it."""
        if live is None:
            return np.zeros(len(ordinals), dtype=np.int64)
        words = homes_of(live, ordinals)
        for word in words:
            self._departments.setdefault(word, len(self._departments))
        return np.array([self._departments[word] for word in words], dtype=np.int64)

    def _age_groups(self, ages: Ints) -> Ints:
        """The group of each age by its place in the analysis; one more for those in none."""
        groups = self._analysis.age_groups
        found = np.full(len(ages), len(groups), dtype=np.int64)
        for at, group in enumerate(groups):
            found[(ages >= group.min_years) & (ages <= group.max_years)] = at
        return found

    def report(self, report: Report) -> None:
        """Add estimates, persons at risk and events, summaries and attrition."""
        tallies = {
            pair: findings.Pair(tally.left_out, list(self._strata_of(tally))) for pair, tally in self._tallies.items()
        }
        findings.report_survival(report, self._analysis, tallies)

    def _strata_of(self, tally: PairTally) -> Iterator[findings.Stratification]:
        """Each stratification with its levels in order; one that does not tell anyone apart is left out, as in R."""
        for strata in ((), *self._analysis.strata):
            parts = {level: part for (each, level), part in tally.endings.items() if each == strata}
            if strata and len(parts) < 2:
                continue
            name = SEPARATOR.join(each.value for each in strata) or OVERALL
            yield findings.Stratification(
                name,
                [(self._words(strata, each), parts[each]) for each in sorted(parts, key=partial(self._rank, strata))],
            )

    def _words(self, strata: Strata, level: tuple[int, ...]) -> str:
        return SEPARATOR.join(map(self._word, strata, level)) or OVERALL

    def _word(self, stratum: Stratum, value: int) -> str:
        if stratum is Stratum.SEX:
            return list(_SEXES.values())[value]
        if stratum is Stratum.DEPARTMENT:
            return list(self._departments)[value]
        return _age_word(self._analysis.age_groups, value)

    def _rank(self, strata: Strata, level: tuple[int, ...]) -> list[tuple[bool, int, str]]:
        """The order of a level: departments by their numbers, whichever was met first, those not known last."""
        rank = []
        for stratum, value in zip(strata, level, strict=True):
            word = self._word(stratum, value) if stratum is Stratum.DEPARTMENT else ""
            rank.append((word == _NOT_KNOWN, 0 if word else value, word))
        return rank


def _sex_places(sexes: Ints) -> Ints:
    """The place of each sex in the order of results."""
    places = np.array([_SEX_PLACES[code] for code in sorted(_SEX_PLACES)], dtype=np.int64)
    return places[sexes]


def _age_word(groups: Sequence[AgeGroup], at: int) -> str:
    return groups[at].word if at < len(groups) else _NOT_KNOWN


def _levels(values: Sequence[Ints], n_rows: int) -> Iterator[tuple[tuple[int, ...], npt.NDArray[np.bool_]]]:
    """Each combination of values that occurs, with the rows that have it."""
    if not n_rows:
        return
    if not values:
        yield (), np.ones(n_rows, dtype=np.bool_)
        return
    combined = np.stack(values, axis=1)
    for level in np.unique(combined, axis=0):
        yield tuple(level.tolist()), (combined == level).all(axis=1)
