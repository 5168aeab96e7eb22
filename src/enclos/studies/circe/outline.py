"""What the definitions of one study have in common, numbered: done once for all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from enclos.studies.circe.domains import DOMAINS, END, CountColumn, Domain, Joined, Target
from enclos.studies.circe.model import (
    ConceptSet,
    ConceptSetTest,
    Correlated,
    Criterion,
    DateOffset,
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
    """Criteria whose events are kept in a table of their own."""
    counted: Mapping[Criterion, tuple[CountColumn, ...]]
    """Columns that the events of a kept criterion need."""
    beside: Mapping[Joined, tuple[str, ...]]
    """The tables joined to records by some filter, with the columns that are read of them."""
    told: tuple[str, ...]
    """The columns that demographic criteria read of persons."""
    keeps_persons: bool
    """Whether persons are read so often that what filters read of them is kept in a table."""
    asks_visits: bool
    """Whether something has to happen in the visit of an event."""
    asks_ends: bool
    """Whether something rests on when an event ends."""
    moves_days: bool
    """Whether the day of some event is not that of its record."""

    @property
    def tells_apart(self) -> bool:
        """Whether it matters which of a person's events of one day is taken."""
        return self.asks_visits or self.asks_ends or self.moves_days


def pick_of(criterion: Criterion) -> Pick:
    """The records that a criterion looks at."""
    return Pick(criterion.domain, criterion.concept_set, criterion.source_set)


def is_plain(criterion: Criterion) -> bool:
    """Whether the records that it looks at are its events, as they are, but for which of them are first and for what
    correlates with them.
    """
    return (
        not criterion.filters
        and (criterion.adjustment, criterion.location_set) == (None, None)
        and (criterion.period_start, criterion.period_end) == (None, None)
    )


def read_for(criterion: Criterion) -> Criterion:
    """The criterion whose events are read for another one: which are first, where that is all that it asks, and what
    correlates is decided afterwards.
    """
    if criterion.correlated is None and not (criterion.first and is_plain(criterion)):
        return criterion
    return replace(criterion, first=criterion.first and not is_plain(criterion), correlated=None)


def outline_of(definitions: Sequence[Definition]) -> Outline:
    """Number what the definitions share."""
    shared = _Shared()
    for definition in definitions:
        shared.take(definition)
    kept = [each for each, n_definitions in shared.uses.items() if n_definitions > 1 and not is_plain(each)]
    stored = shared.stored(set(kept))
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
        tuple(shared.told),
        shared.n_of_persons > _READ_AGAIN,
        shared.asks_visits,
        shared.asks_ends,
        any(each.adjustment is not None or each.period_start is not None for each in shared.uses),
    )


@dataclass(slots=True)
class _Shared:
    """What is gathered over the definitions, each thing in the order in which it is met."""

    concept_sets: dict[ConceptSet, int] = field(default_factory=dict)
    picks: dict[Pick, int] = field(default_factory=dict)
    columns: dict[Domain, dict[str, None]] = field(default_factory=dict)
    uses: Counter[Criterion] = field(default_factory=Counter)
    """In how many definitions each criterion is."""
    entering: list[tuple[Criterion, ...]] = field(default_factory=list)
    around: list[tuple[Criterion, ...]] = field(default_factory=list)
    """Of each definition, the criteria of entry events and those that are looked for around them."""
    counted: dict[Criterion, dict[CountColumn, None]] = field(default_factory=dict)
    beside: dict[Joined, dict[str, None]] = field(default_factory=dict)
    told: dict[str, None] = field(default_factory=dict)
    n_of_persons: int = 0
    asks_visits: bool = False
    asks_ends: bool = False

    def take(self, definition: Definition) -> None:
        """Note what a definition reads."""
        pairs = [(read_for(criterion), column) for criterion, column in _criteria_of(definition)]
        self.entering.append(tuple(dict.fromkeys(map(read_for, definition.criteria))))
        self.around.append(tuple(dict.fromkeys(each for each, _ in pairs[len(definition.criteria) :])))
        for criterion in dict.fromkeys(each for each, _ in pairs):
            self.uses[criterion] += 1
            self.n_of_persons += any(each.target.joined is Joined.PERSON for each in criterion.filters)
        for criterion, column in pairs:
            self._take_criterion(criterion, column)
        for condition in _conditions_of(definition):
            if isinstance(condition, Correlated):
                self.asks_visits |= condition.restrict_visit
                self.asks_ends |= any(each.use_index_end or each.use_event_end for each in condition.windows)
                continue
            for each in condition.filters:
                self.asks_ends |= each.target == END
                self._take_beside(each.target)
                self.told.update(dict.fromkeys(each.target.beside))
        for concept_set in _sets_of(definition):
            self.concept_sets.setdefault(concept_set, len(self.concept_sets))
        self.asks_ends |= isinstance(definition.end, DateOffset) and definition.end.from_end
        if isinstance(definition.end, DrugEraEnd):
            self.asks_ends |= definition.end.days_supply is None
            for pick in era_picks(definition.end):
                self.picks.setdefault(pick, len(self.picks))

    def _take_criterion(self, criterion: Criterion, column: CountColumn | None) -> None:
        self.picks.setdefault(pick_of(criterion), len(self.picks))
        read = self.columns.setdefault(criterion.domain, {})
        targets = [each.target for each in criterion.filters]
        if column is not None:
            self.counted.setdefault(criterion, {}).setdefault(column, None)
            targets.append(DOMAINS[criterion.domain].counted[column])
        if criterion.location_set is not None:
            read.setdefault("care_site_id", None)
        for target in targets:
            self._take_beside(target)
            read.update(dict.fromkeys(target.columns))

    def _take_beside(self, target: Target) -> None:
        if target.joined is not Joined.NONE:
            self.beside.setdefault(target.joined, {}).update(dict.fromkeys(target.beside))

    def stored(self, kept: Collection[Criterion]) -> list[Pick]:
        """The picks of domains whose table would be read too often.

        Plain criteria of one statement read it together, a kept criterion once.
        """
        n_reads = Counter(criterion.domain for criterion in kept)
        picks = dict.fromkeys(pick_of(criterion) for criterion in kept)
        for entering, around in zip(self.entering, self.around, strict=True):
            read = [each for each in (*entering, *around) if not is_plain(each) and each not in kept]
            plain = [each for each in around if is_plain(each)]
            n_reads.update(criterion.domain for criterion in read)
            n_reads.update({criterion.domain for criterion in plain})
            picks.update(dict.fromkeys(pick_of(criterion) for criterion in (*read, *plain)))
        return [pick for pick in picks if n_reads[pick.domain] > _READ_AGAIN]


def era_picks(end: DrugEraEnd) -> tuple[Pick, Pick]:
    """The exposures that make an era: by concept, and by source concept."""
    return Pick(Domain.DRUG_EXPOSURE, end.concept_set, None), Pick(Domain.DRUG_EXPOSURE, None, end.concept_set)


def _criteria_of(definition: Definition) -> Iterator[tuple[Criterion, CountColumn | None]]:
    """Every criterion of a definition, those of entry events first; with the column that is counted in it."""
    yield from ((criterion, None) for criterion in definition.criteria)
    for criterion in definition.criteria:
        if criterion.correlated is not None:
            yield from criteria_below(criterion.correlated)
    for criterion in definition.censoring:
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


def _conditions_of(definition: Definition) -> Iterator[Correlated | Demographic]:
    """Every condition of the definition's groups."""
    groups = [*_groups_of(definition)]
    groups += [criterion.correlated for criterion, _ in _criteria_of(definition) if criterion.correlated is not None]
    while groups:
        for member in groups.pop().members:
            if isinstance(member, Group):
                groups.append(member)
            else:
                yield member


def _sets_of(definition: Definition) -> Iterator[ConceptSet]:
    filters: list[Filter] = []
    for criterion, _ in _criteria_of(definition):
        yield from (
            each for each in (criterion.concept_set, criterion.source_set, criterion.location_set) if each is not None
        )
        filters += criterion.filters
    for condition in _conditions_of(definition):
        filters += condition.filters if isinstance(condition, Demographic) else ()
    yield from (each.test.concept_set for each in filters if isinstance(each.test, ConceptSetTest))
    if isinstance(definition.end, DrugEraEnd):
        yield definition.end.concept_set
