"""What a study has to compute, each thing once: denominators, outcomes, and the pairs of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from graphlib import TopologicalSorter
from itertools import product

from enclos.contracts.result import OVERALL, SEPARATOR
from enclos.studies.model import (
    ALL_TIME,
    AgeGroup,
    Cohort,
    CohortAnalysis,
    DateRange,
    DayWindow,
    DerivedCohort,
    Incidence,
    PeriodPrevalence,
    PointPrevalence,
    Population,
    Rate,
    Sex,
    Stratum,
    Study,
    cohorts_used,
    sources_of,
)
from enclos.studies.rules.calendar import day_of


@dataclass(frozen=True, slots=True)
class Part:
    """The stays of a denominator that an estimate is made apart for; all of them when nothing is said."""

    sex: Sex | None = None
    age_group: AgeGroup | None = None
    """Of those whose age on the first day of the stay is in it."""
    department: int | None = None
    """Its number among those of the outline."""
    strata: tuple[str, str] = (OVERALL, OVERALL)
    """Name and level in results."""


WHOLE = Part()


@dataclass(frozen=True, slots=True)
class Denominator:
    """One combination of a population: who is at risk, and from when to when."""

    age_group: AgeGroup
    sex: Sex
    days_prior_observation: int
    date_range: DateRange
    target: str | None = None
    window: DayWindow = ALL_TIME
    """Days after entering the target."""
    requirements_at_entry: bool = False
    part: Part = WHOLE


@dataclass(frozen=True, slots=True)
class Pair:
    """One denominator with one outcome: what one set of estimates is about."""

    number: int
    """Its number among all pairs of the study."""
    denominator: int
    """The denominator's index in the outline."""
    cohort: int
    """The outcome's index in the outline."""
    denominator_number: int
    """The denominator's number within its analysis, from 1."""
    strata: tuple[str, str] = (OVERALL, OVERALL)
    whole: tuple[int, int] | None = None
    """Of a stratum: the number of the pair that it is a part of, and its denominator; their days are its days too."""

    @property
    def whole_pair(self) -> int:
        """The number of the pair whose days are asked; its own when it is no stratum."""
        return self.number if self.whole is None else self.whole[0]

    @property
    def whole_denominator(self) -> int:
        """The denominator whose days are asked; its own when it is no stratum."""
        return self.denominator if self.whole is None else self.whole[1]

    @property
    def denominator_name(self) -> str:
        """The denominator's name in results."""
        return f"denominator_cohort_{self.denominator_number}"


@dataclass(frozen=True, slots=True)
class Block:
    """One analysis of the study with its pairs, outcomes outermost."""

    analysis: Rate
    denominators: tuple[int, ...]
    """Those that are no stratum of another."""
    pairs: tuple[Pair, ...]
    """Outcomes outermost, then denominators, each followed by its strata."""

    @property
    def incidence(self) -> Incidence | None:
        """The analysis when it is an incidence."""
        return self.analysis if isinstance(self.analysis, Incidence) else None

    @property
    def prevalence(self) -> PointPrevalence | PeriodPrevalence | None:
        """The analysis when it is a prevalence."""
        return None if isinstance(self.analysis, Incidence) else self.analysis


@dataclass(frozen=True, slots=True)
class Outline:
    """The whole computation: cohorts that are used, distinct denominators, and the blocks."""

    cohorts: tuple[Cohort, ...]
    denominators: tuple[Denominator, ...]
    blocks: tuple[Block, ...]
    following: tuple[CohortAnalysis, ...] = ()
    """The analyses that follow persons of cohorts, in the study's order."""
    departments: tuple[str, ...] = ()
    """Where persons live, where estimates are made apart for it."""

    @property
    def needs_observed_days(self) -> bool:
        """Whether a population leaves an end of its dates to the data."""
        ranges = [block.analysis.population.date_range for block in self.blocks]
        return any(each.start_on is None or each.end_on is None for each in ranges)

    @property
    def by_department(self) -> bool:
        """Whether it must be known where persons live."""
        return any(block.analysis.population.by_department for block in self.blocks)

    @property
    def places(self) -> dict[str, int]:
        """The index of each cohort by its name."""
        return {cohort.name: index for index, cohort in enumerate(self.cohorts)}

    @property
    def prevalence_denominators(self) -> tuple[int, ...]:
        """The denominators whose first and last day must be known before persons are counted."""
        prevalences = (block for block in self.blocks if block.prevalence is not None)
        found = {pair.denominator for block in prevalences for pair in block.pairs}
        return tuple(sorted(found))


def denominators_of(population: Population) -> tuple[Denominator, ...]:
    """Every combination, window at risk outermost, then age group, sex and days of prior observation.

    Source: IncidencePrevalence, generateDenominatorCohortSet with requirement interactions.
    """
    combinations = product(population.age_groups, population.sexes, population.days_prior_observation)
    anytime = tuple(Denominator(age, sex, days, population.date_range) for age, sex, days in combinations)
    if (target := population.target) is None:
        return anytime
    return tuple(
        replace(each, target=target.cohort, window=window, requirements_at_entry=target.requirements_at_entry)
        for window, each in product(target.windows, anytime)
    )


def parts_of(population: Population, sex: Sex, departments: Sequence[str] = ()) -> list[Part]:
    """The strata of a denominator: every level of each set of names.

    In: sex — that of the denominator: there are no others in it; departments — in order
    """
    sexes = [Part(each, strata=("", each.word)) for each in (Sex.MALE, Sex.FEMALE) if sex in {Sex.BOTH, each}]
    ages = [Part(age_group=each, strata=("", each.word)) for each in population.strata_age_groups]
    homes = [Part(department=number, strata=("", word)) for number, word in enumerate(departments)]
    by_name = {Stratum.SEX: sexes, Stratum.AGE_GROUP: ages, Stratum.DEPARTMENT: homes}
    found: list[Part] = []
    for names in population.strata:
        name = SEPARATOR.join(each.value for each in names)
        for parts in product(*(by_name[each] for each in names)):
            of_sex = next((each.sex for each in parts if each.sex is not None), None)
            of_age = next((each.age_group for each in parts if each.age_group is not None), None)
            home = next((each.department for each in parts if each.department is not None), None)
            found.append(Part(of_sex, of_age, home, (name, SEPARATOR.join(each.strata[1] for each in parts))))
    return found


def outline_of(study: Study, departments: Sequence[str] = ()) -> Outline:
    """What the study has to compute.

    In: departments — where persons live, where the study asks for it, in order
    """
    cohorts = _cohorts_needed(study)
    cohort_index = {cohort.name: index for index, cohort in enumerate(cohorts)}
    denominator_index: dict[Denominator, int] = {}
    blocks: list[Block] = []
    n_pairs = 0
    for analysis in study.analyses:
        if isinstance(analysis, CohortAnalysis):
            continue
        wanted = denominators_of(analysis.population)
        indices = tuple(denominator_index.setdefault(each, len(denominator_index)) for each in wanted)
        pairs: list[Pair] = []
        for outcome, (number, index) in product(analysis.outcomes, enumerate(indices, start=1)):
            whole = Pair(n_pairs + len(pairs), index, cohort_index[outcome], number)
            pairs.append(whole)
            for part in parts_of(analysis.population, wanted[number - 1].sex, departments):
                each = replace(wanted[number - 1], part=part)
                place = denominator_index.setdefault(each, len(denominator_index))
                at = n_pairs + len(pairs)
                pairs.append(Pair(at, place, whole.cohort, number, part.strata, (whole.number, index)))
        n_pairs += len(pairs)
        blocks.append(Block(analysis, indices, tuple(pairs)))
    following = tuple(each for each in study.analyses if isinstance(each, CohortAnalysis))
    return Outline(cohorts, tuple(denominator_index), tuple(blocks), following, tuple(departments))


def _cohorts_needed(study: Study) -> tuple[Cohort, ...]:
    """The cohorts that analyses read, and those that these are made of, in the study's order."""
    by_name = {cohort.name: cohort for cohort in study.cohorts}
    needed: set[str] = set()
    ahead = {name for analysis in study.analyses for name in cohorts_used(analysis)}
    while ahead:
        needed |= ahead
        ahead = {name for reached in ahead for name in sources_of(by_name[reached])} - needed
    return tuple(cohort for cohort in study.cohorts if cohort.name in needed)


def derived_in_order(cohorts: Sequence[Cohort]) -> list[DerivedCohort]:
    """The derived cohorts, each after those among the cohorts that it is made of."""
    by_name = {cohort.name: cohort for cohort in cohorts}
    order = TopologicalSorter({cohort.name: sources_of(cohort) for cohort in cohorts}).static_order()
    return [cohort for cohort in map(by_name.get, order) if isinstance(cohort, DerivedCohort)]


@dataclass(frozen=True, slots=True)
class Draw:
    """One look at all buckets: the cohorts drawn by it, and those that must be there, given or made."""

    drawn: tuple[DerivedCohort, ...]
    cohorts: tuple[Cohort, ...]


def draws_of(cohorts: Sequence[Cohort]) -> list[Draw]:
    """The looks at all buckets that the drawn cohorts need, one after the other."""
    by_name = {cohort.name: cohort for cohort in cohorts}
    level: dict[str, int] = {}
    for cohort in derived_in_order(cohorts):
        before = max(level.get(name, 0) for name in sources_of(cohort))
        level[cohort.name] = before + cohort.operation.is_drawn
    draws = []
    for number in range(1, max(level.values(), default=0) + 1):
        drawn = tuple(
            each
            for each in cohorts
            if isinstance(each, DerivedCohort) and each.operation.is_drawn and level[each.name] == number
        )
        needed: set[str] = set()
        ahead = {name for each in drawn for name in sources_of(each)}
        while ahead:
            needed |= ahead
            made = (by_name[name] for name in ahead)
            ahead = {name for each in made if not _is_drawn(each) for name in sources_of(each)} - needed
        draws.append(Draw(drawn, tuple(each for each in cohorts if each.name in needed)))
    return draws


def _is_drawn(cohort: Cohort) -> bool:
    return isinstance(cohort, DerivedCohort) and cohort.operation.is_drawn


def study_days_of(population: Population, observed: tuple[int, int] | None) -> tuple[int, int] | None:
    """The days that a population's study looks at: its date range, open ends taken from the observed days.

    In:    observed — first and last observed day of the whole database, None when nobody is observed
    Units: days since 1970-01-01, ends included
    """
    wanted = population.date_range
    if observed is None and (wanted.start_on is None or wanted.end_on is None):
        return None
    first, last = observed or (0, 0)
    return (
        first if wanted.start_on is None else day_of(wanted.start_on),
        last if wanted.end_on is None else day_of(wanted.end_on),
    )
