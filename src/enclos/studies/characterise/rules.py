"""What is counted of a cohort, and how it is said."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from pyroaring import BitMap

from enclos.contracts.result import EstimateType
from enclos.studies.rules.entries import Strata
from enclos.studies.rules.estimates import printed
from enclos.studies.rules.evidence import Feature, Measure, Row
from enclos.studies.rules.report import Estimate, Place
from enclos.studies.rules.spread import (
    ALL_ESTIMATES,
    DATE_ESTIMATES,
    count_and_share,
    standardised_difference,
)

GROUP_NAME = "cohort_name"
PAIR_NAME = "cohort_name_reference &&& cohort_name_comparator"
_PERCENT_DIGITS = 2


Level: TypeAlias = tuple[str, str]
"""A variable and its level."""
Concept: TypeAlias = tuple[int, int, int]
"""Number of the table, number of the window, concept."""


@dataclass(slots=True)
class Group:
    """Everything counted of one cohort in one stratum."""

    entries: Feature = field(default_factory=Feature)
    measures: dict[Level, Measure] = field(default_factory=lambda: defaultdict(Measure))
    levels: dict[Level, Feature] = field(default_factory=lambda: defaultdict(Feature))
    """Levels of a variable: an entry has one."""
    flags: dict[Level, tuple[Feature, Feature]] = field(default_factory=dict)
    """Those who have it, among those who could: whose window is observed."""
    concepts: dict[Concept, Feature] = field(default_factory=lambda: defaultdict(Feature))
    in_window: dict[int, Feature] = field(default_factory=lambda: defaultdict(Feature))
    """Entries some day of whose window is observed, by number of the window."""


def characteristics(cohort: str, strata: Strata, group: Group, variables: Sequence[Level]) -> Iterator[Row]:
    """The characteristics of one cohort in one stratum.

    In:     variables — the order in which they are told
    Source: CohortCharacteristics 1.1, summariseCharacteristics: an empty cohort has no values, and 0 % of each level
            that is asked for.
    """
    everyone = group.entries.persons

    def at(variable: str, level: str | None = None) -> Place:
        return Place(GROUP_NAME, cohort, variable, level, strata)

    for variable, n in (("Number records", group.entries.n), ("Number subjects", len(everyone))):
        yield Row(at(variable), [Estimate("count", EstimateType.INTEGER, str(n))], everyone, everyone)
    for key in variables:
        variable, level = key
        if (measure := group.measures.get(key)) is not None:
            names = DATE_ESTIMATES if measure.kind is EstimateType.DATE else ALL_ESTIMATES
            estimates = measure.spread.estimates(names, measure.kind)
            yield Row(at(variable, level or None), estimates, measure.persons, everyone, measure.spread.values)
        elif key in group.levels:
            found = group.levels[key]
            yield Row(at(variable, level), count_and_share(found.n, group.entries.n), found.persons, everyone)
        elif key in group.flags:
            found, could = group.flags[key]
            yield Row(at(variable, level), count_and_share(found.n, could.n), found.persons, could.persons)


def concept_share(group: Group, concept: Concept) -> str:
    """The percentage of entries that have the concept, as it is printed.

    Source: CohortCharacteristics 1.1: two decimals, and the frequency is judged by the printed number. A record that
            lasts beyond the observation period counts in a window that is not observed: a share can pass 100.
    """
    among = group.in_window[concept[1]].n
    n = group.concepts[concept].n if concept in group.concepts else 0
    return f"{100 * n / among if among else 0:.{_PERCENT_DIGITS}f}"


def is_frequent(group: Group, concept: Concept, minimum_frequency: float) -> bool:
    """Whether a concept is shown."""
    return (
        concept in group.concepts
        and group.in_window[concept[1]].n > 0
        and float(concept_share(group, concept)) >= 100 * minimum_frequency
    )


def overlap(names: tuple[str, str], strata: Strata, reference: Group, comparator: Group) -> Iterator[Row]:
    """The persons that two cohorts share.

    Source: CohortCharacteristics 1.1, summariseCohortOverlap by person.
    """
    mine, theirs = reference.entries.persons, comparator.entries.persons
    either = mine | theirs
    parts = (
        ("Only in reference cohort", mine - theirs),
        ("In both cohorts", mine & theirs),
        ("Only in comparator cohort", theirs - mine),
    )
    for variable, persons in parts:
        place = Place(PAIR_NAME, _pair(names), variable, "Subjects", strata)
        yield Row(place, count_and_share(len(persons), len(either)), persons, either)


def timing(names: tuple[str, str], measure: Measure, both: BitMap) -> Iterator[Row]:
    """Days between entries into two cohorts; nothing of cohorts that nobody is in both of.

    Source: CohortCharacteristics 1.1, summariseCohortTiming, without densities.
    """
    if not measure.spread.n:
        return
    for variable, n in (("number records", measure.spread.n), ("number subjects", len(measure.persons))):
        estimates = [Estimate("count", EstimateType.INTEGER, str(n))]
        yield Row(Place(PAIR_NAME, _pair(names), variable), estimates, measure.persons, both)
    place = Place(PAIR_NAME, _pair(names), "days_between_cohort_entries")
    estimates = measure.spread.estimates(DATE_ESTIMATES, EstimateType.INTEGER)
    yield Row(place, estimates, measure.persons, both, measure.spread.values)


def differences(
    names: tuple[str, str], strata: Strata, groups: tuple[Group, Group], variables: Sequence[Level]
) -> Iterator[Row]:
    """The standardised mean difference of each characteristic between two cohorts; dates have none."""
    either = groups[0].entries.persons | groups[1].entries.persons
    for key in variables:
        mine, theirs = (_moments(group, key) for group in groups)
        if (mine or theirs) is None:
            continue
        first, having = mine or (_share_moments(0, groups[0].entries.n), BitMap())
        second, also_having = theirs or (_share_moments(0, groups[1].entries.n), BitMap())
        place = Place(PAIR_NAME, _pair(names), key[0], key[1] or None, strata)
        yield Row(place, [_difference(first, second)], having | also_having, either)


def concept_difference(names: tuple[str, str], place: Place, groups: tuple[Group, Group], concept: Concept) -> Row:
    """The standardised mean difference of having a concept in a window.

    In: place — the concept's in the large-scale characteristics of either cohort
    """
    having = [group.concepts[concept] if concept in group.concepts else Feature() for group in groups]
    among = [group.in_window[concept[1]] for group in groups]
    first, second = (_share_moments(found.n, could.n) for found, could in zip(having, among, strict=True))
    own = Place(PAIR_NAME, _pair(names), place.variable, place.variable_level, place.strata, place.additional)
    persons = having[0].persons | having[1].persons
    return Row(own, [_difference(first, second)], persons, persons | among[0].persons | among[1].persons)


_Moments: TypeAlias = tuple[float | None, float | None]


def _moments(group: Group, key: Level) -> tuple[_Moments, BitMap] | None:
    """Mean and variance of a characteristic, with the persons who have it; None of a date, or where nobody has it."""
    if (measure := group.measures.get(key)) is not None:
        is_date = measure.kind is EstimateType.DATE
        return None if is_date else ((measure.spread.mean, measure.spread.variance), measure.persons)
    if key in group.levels:
        found = group.levels[key]
        return _share_moments(found.n, group.entries.n), found.persons
    if key in group.flags:
        found, could = group.flags[key]
        return _share_moments(found.n, could.n), found.persons
    return None


def _share_moments(n: int, n_of: int) -> _Moments:
    if not n_of:
        return None, None
    share = n / n_of
    return share, max(0.0, share * (1 - share))


def _difference(first: _Moments, second: _Moments) -> Estimate:
    value = standardised_difference(first, second)
    return Estimate("smd", EstimateType.NUMERIC, None if value is None else printed(value))


def _pair(names: tuple[str, str]) -> str:
    return " &&& ".join(names)
