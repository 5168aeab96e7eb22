"""What the definitions of one study have in common, numbered: done once for all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from enclos.studies.circe.domains import DOMAINS, CountColumn, Domain, Joined, Target
from enclos.studies.circe.model import (
    ConceptSet,
    ConceptSetTest,
    Correlated,
    Criterion,
    Definition,
    Demographic,
    DrugEraEnd,
    Filter,
    Group,
)

_READ_AGAIN = 2
"""A table is read so many times; for more what is wanted of it is kept once. Entry events are read apart, at once."""


@dataclass(frozen=True, slots=True)
class Pick:
    """The records of a domain with concepts of the sets; those of all concepts when there is no set."""

    domain: Domain
    concept_set: ConceptSet | None
    source_set: ConceptSet | None


@dataclass(frozen=True, slots=True)
class Outline:
    """The definitions and what they share."""

    definitions: tuple[Definition, ...]
    criteria: tuple[Criterion, ...]
    concept_sets: Mapping[ConceptSet, int]
    picks: Mapping[Pick, int]
    columns: Mapping[Domain, tuple[str, ...]]
    """Columns of each domain's table that some filter or count reads."""
    stored: Mapping[Pick, int]
    """Picks of domains that are read so often that one table holds the records of all of them."""
    kept: Mapping[Criterion, int]
    """Criteria whose events are kept in a table of their own, those that others rest on first."""
    counted: Mapping[Criterion, tuple[CountColumn, ...]]
    """Columns that the events of a kept criterion need."""
    beside: Mapping[Joined, tuple[str, ...]]
    """The tables joined to records by some filter, with the columns that are read of them."""
    keeps_persons: bool
    """Whether persons are read so often that what filters read of them is kept in a table."""


def pick_of(criterion: Criterion) -> Pick:
    """The records that a criterion looks at."""
    return Pick(criterion.domain, criterion.concept_set, criterion.source_set)


def is_plain(criterion: Criterion) -> bool:
    """Whether the records that it looks at are its events, as they are."""
    return criterion == Criterion(criterion.domain, criterion.concept_set, criterion.source_set)


def outline_of(definitions: Sequence[Definition]) -> Outline:
    """Number what the definitions share."""
    shared = _Shared()
    for definition in definitions:
        for criterion, column in _criteria_of(definition):
            shared.take_criterion(criterion, column)
        for demographic in _demographics_of(definition):
            for each in demographic.filters:
                shared.take_beside(each.target)
        for concept_set in _sets_of(definition):
            shared.concept_sets.setdefault(concept_set, len(shared.concept_sets))
        if isinstance(definition.end, DrugEraEnd):
            for pick in era_picks(definition.end):
                shared.picks.setdefault(pick, len(shared.picks))
    kept = [
        each
        for each, n_uses in shared.uses.items()
        if each.correlated is not None or (n_uses > 1 and not is_plain(each))
    ]
    n_reads: Counter[Pick] = Counter()
    for criterion, n_uses in shared.uses.items():
        n_reads[pick_of(criterion)] += 1 if criterion in kept else n_uses
    entered = Counter(pick_of(each) for definition in definitions for each in definition.criteria if is_plain(each))
    n_reads -= entered
    of_domain: Counter[Domain] = Counter()
    for pick, n_times in n_reads.items():
        of_domain[pick.domain] += n_times
    stored = [pick for pick in shared.picks if n_reads[pick] and of_domain[pick.domain] > _READ_AGAIN]
    return Outline(
        tuple(definitions),
        tuple(shared.uses),
        shared.concept_sets,
        shared.picks,
        {domain: tuple(names) for domain, names in shared.columns.items()},
        {pick: number for number, pick in enumerate(stored)},
        {each: number for number, each in enumerate(kept)},
        {each: tuple(names) for each, names in shared.counted.items()},
        {joined: tuple(names) for joined, names in shared.beside.items()},
        shared.n_of_persons > _READ_AGAIN,
    )


@dataclass(slots=True)
class _Shared:
    """What is gathered over the definitions, each thing in the order in which it is met."""

    concept_sets: dict[ConceptSet, int] = field(default_factory=dict)
    picks: dict[Pick, int] = field(default_factory=dict)
    columns: dict[Domain, dict[str, None]] = field(default_factory=dict)
    uses: Counter[Criterion] = field(default_factory=Counter)
    counted: dict[Criterion, dict[CountColumn, None]] = field(default_factory=dict)
    beside: dict[Joined, dict[str, None]] = field(default_factory=dict)
    n_of_persons: int = 0

    def take_criterion(self, criterion: Criterion, column: CountColumn | None) -> None:
        """Count a use of a criterion, and note what it reads."""
        self.uses[criterion] += 1
        self.picks.setdefault(pick_of(criterion), len(self.picks))
        read = self.columns.setdefault(criterion.domain, {})
        targets = [each.target for each in criterion.filters]
        if column is not None:
            self.counted.setdefault(criterion, {}).setdefault(column, None)
            targets.append(DOMAINS[criterion.domain].counted[column])
        if criterion.location_set is not None:
            read.setdefault("care_site_id", None)
        for target in targets:
            self.take_beside(target)
            read.update(dict.fromkeys(target.columns))

    def take_beside(self, target: Target) -> None:
        """Note what a target reads of another table."""
        self.n_of_persons += target.joined is Joined.PERSON
        if target.joined is not Joined.NONE:
            self.beside.setdefault(target.joined, {}).update(dict.fromkeys(target.beside))


def era_picks(end: DrugEraEnd) -> tuple[Pick, Pick]:
    """The exposures that make an era: by concept, and by source concept."""
    return Pick(Domain.DRUG_EXPOSURE, end.concept_set, None), Pick(Domain.DRUG_EXPOSURE, None, end.concept_set)


def _criteria_of(definition: Definition) -> Iterator[tuple[Criterion, CountColumn | None]]:
    """Every criterion of a definition, each after those that it rests on; with the column that is counted in it."""
    for criterion in (*definition.criteria, *definition.censoring):
        yield from criteria_in(criterion, None)
    for group in _groups_of(definition):
        yield from criteria_below(group)


def criteria_in(criterion: Criterion, column: CountColumn | None) -> Iterator[tuple[Criterion, CountColumn | None]]:
    """A criterion, after those that it rests on."""
    if criterion.correlated is not None:
        yield from criteria_below(criterion.correlated)
    yield criterion, column


def criteria_below(group: Group) -> Iterator[tuple[Criterion, CountColumn | None]]:
    """The criteria of a group, each after those that it rests on."""
    for member in group.members:
        if isinstance(member, Group):
            yield from criteria_below(member)
        elif isinstance(member, Correlated):
            yield from criteria_in(member.criterion, member.distinct)


def _groups_of(definition: Definition) -> Iterator[Group]:
    if definition.additional is not None:
        yield definition.additional
    yield from (rule.group for rule in definition.rules)


def _demographics_of(definition: Definition) -> Iterator[Demographic]:
    groups = [*_groups_of(definition)]
    groups += [criterion.correlated for criterion, _ in _criteria_of(definition) if criterion.correlated is not None]
    while groups:
        for member in groups.pop().members:
            if isinstance(member, Group):
                groups.append(member)
            elif isinstance(member, Demographic):
                yield member


def _sets_of(definition: Definition) -> Iterator[ConceptSet]:
    filters: list[Filter] = []
    for criterion, _ in _criteria_of(definition):
        yield from (
            each for each in (criterion.concept_set, criterion.source_set, criterion.location_set) if each is not None
        )
        filters += criterion.filters
    for demographic in _demographics_of(definition):
        filters += demographic.filters
    yield from (each.test.concept_set for each in filters if isinstance(each.test, ConceptSetTest))
    if isinstance(definition.end, DrugEraEnd):
        yield definition.end.concept_set
