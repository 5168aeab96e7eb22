"""Descriptions of groups: counts, shares, means and quantiles, each with the persons behind it.

A number leaves when those it counts, and those of its group whom it leaves out, are none or at least the minimum; a
mean when it rests on the minimum; a quantile when the minimum lies on either side of it. Neither leaves where fewer
values than the minimum differ from the most frequent one, nor a mean or a deviation that it owes to two of them.
Extremes are one person's and never leave. A level that was found in the data leaves no line where it is hidden.

Then three things are hidden for the sake of others, the smallest first, until nothing is left to hide: levels of a
variable, or strata of a group, whose rest would be few; sets that differ by a few from a sum or a rest of other shown
sets of the request (``release.history``), incidence and prevalence among them.

Units: distinct persons; k is the permit's minimum count.
Check: tests/generative/test_release_groups.py attacks what is shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from pyroaring import BitMap

from enclos.contracts.result import OVERALL, StudyResult
from enclos.contracts.tables import COUNTS, SUMS, TABLES
from enclos.release.allowance import MOST_SETS, Sought
from enclos.release.history import collisions
from enclos.release.model import CellEvidence, Owed, Told
from enclos.release.rules import chains, counted, designs
from enclos.release.rules.described import (
    DEVIATION,
    MEAN,
    RANK,
    REST,
    SHARE,
    TOLD,
    Group,
    read_groups,
    supports,
    values_of,
)
from enclos.release.rules.designs import ATTRITION, DESIGNS, Designs
from enclos.release.rules.policy import Policy
from enclos.release.rules.tables import Entry, Place, is_coarser, telling, within_level
from enclos.release.sets import sets_of

_SIZES = frozenset({"number subjects", "number records"})
"""Variables that count a group itself."""
_DEFINED = frozenset({"code_use", "cohort_code_use", "orphan_code_use"})
"""Tables in which everybody has what they are chosen by: a concept of the list."""
_OF_OUTCOME = frozenset({"n_events_count", "outcome_count"})
"""Counts of those of a group who had something."""


@dataclass(frozen=True, slots=True)
class JudgedGroups:
    """Groups of which some are hidden, and lines that are."""

    groups: tuple[Group, ...]
    lines: frozenset[int]
    lone: frozenset[int]
    """Of the hidden lines, those that are counted as hidden for their own sake though their group may be shown."""
    n_untyped: int
    owed: tuple[Owed, ...]
    left_out: frozenset[int]
    """Of the hidden lines, those whose label would tell that there is somebody."""

    @property
    def shown(self) -> list[Group]:
        """The groups that are shown."""
        return [group for group in self.groups if not group.is_hidden]

    @property
    def told(self) -> tuple[Told, ...]:
        """The persons that are told."""
        return tuple(
            Told(each, group.cell.person_numbers) for group in self.shown for each in (*group.sets, group.others)
        )

    @property
    def evidence(self) -> tuple[CellEvidence, ...]:
        """What is hidden of each group, and how many it counts."""
        return tuple(_evidence(group) for group in self.groups)

    @property
    def n_primary(self) -> int:
        """Numbers that are hidden for their own sake."""
        return sum(group.is_primary for group in self.groups) + len(self.lone)

    @property
    def n_secondary(self) -> int:
        """Groups that are hidden for others' sake."""
        return sum(group.is_hidden and not group.is_primary for group in self.groups)


def hidden_by_any(every: Sequence[JudgedGroups], result: StudyResult) -> JudgedGroups:
    """What is left of a result's groups where each of several rule sets hides what it has to."""
    same = zip(*(each.groups for each in every), strict=True)
    ways = ((own[0], any(each.is_hidden for each in own), any(each.is_primary for each in own)) for own in same)
    groups = tuple(replace(group, is_hidden=hidden, is_primary=primary) for group, hidden, primary in ways)
    lines, lone, left_out = (
        frozenset().union(*sets)
        for sets in zip(*((each.lines, each.lone, each.left_out) for each in every), strict=True)
    )
    of_hidden = {row for group in groups if group.is_hidden for row, _ in group.rows}
    shown = [group for group in groups if not group.is_hidden]
    owed = _owed(shown, lines, result.table["estimate_value"].to_pylist())
    return JudgedGroups(groups, lines, lone - of_hidden, every[0].n_untyped, tuple(owed), left_out)


def judge_groups(
    result: StudyResult, told: Sequence[Told], min_count: int, rules: Policy, sought: Sought, *, only_whole: bool
) -> JudgedGroups | None:
    """What of the descriptions of a result may be shown beside what is told already.

    Lines without persons behind them are hidden; lines of no known form are counted, and the findings refuse.
    Empty: None where a group is too small to be shown, and only what hides none is wanted
    """
    groups, unbacked, n_untyped = read_groups(result, min_count, rules)
    full = counted.full(groups, {each.result_id: each for each in result.settings}) if rules.hides_full_counts else ()
    for at, group in enumerate(groups):
        tells = at in full or _tells_few(group, min_count, rules)
        if tells and only_whole:
            return None
        group.is_primary = group.is_hidden = tells
    cases = Designs(groups, result.settings, min_count, rules.demands.residual_degrees)
    _hide_for_others(groups, [each.persons for each in told], cases, min_count, sought)
    shown = [group for group in groups if not group.is_hidden]
    of_chains, wrong = chains.untold(result, groups, min_count)
    lines = unbacked | of_chains
    for group in groups:
        told_of = (name for _, name in group.rows if not group.is_hidden)
        if group.result_type in DESIGNS:
            may = {name for name in told_of if cases.shows(group, name)}
        elif group.result_type in TABLES:
            may = {name for name in told_of if counted.may(name, group.cell, min_count, rules)}
        else:
            may = {n for n in told_of if _is_supported(n, group, min_count, rules) and _may(n, group, min_count, rules)}
        lines.update(row for row, name in group.rows if name not in may)
    if min_count > 1:
        said = result.table["estimate_value"].to_pylist() if rules.demands.stays else []
        lines |= counted.of_few_records(groups, said, rules.demands.stays) if said else set()
        lines |= counted.of_overlaps(groups, lines)
        lines |= counted.of_wholes(groups, lines)
    of_tables = {row for group in groups if group.result_type in TABLES for row, _ in group.rows if row in lines}
    repeats = counted.lines_of_tables(result, unbacked)  # counts of records that tell who has more than one
    lone = repeats | {row for group in shown for row, _ in group.rows if row in of_tables}
    found = [group for group in groups if group.is_hidden and group.result_type in rules.levels_found]
    left_out = of_tables | repeats | {row for group in found for row, _ in group.rows}
    return JudgedGroups(
        tuple(groups),
        frozenset(lines),
        frozenset(lone),
        n_untyped + len(wrong),
        tuple(_owed(shown, lines, result.table["estimate_value"].to_pylist())),
        frozenset(left_out if min_count > 1 else ()),
    )


def _owed(shown: Sequence[Group], lines: Collection[int], said: Sequence[str | None]) -> Iterator[Owed]:
    """What each shown sum, mean, deviation and count of records owes to its persons."""
    for group in shown:
        values, persons, name = group.cell.values, group.having, group.cell.variable_name
        told = {_kind_of(group, each): said[row] for row, each in group.rows if row not in lines}
        if values is not None and MEAN in told:
            yield Owed(persons, f"{MEAN} {name}", values.total, values.largest)
        if values is not None and (deviation := float(told.get(DEVIATION) or 0)):  # a rank may be a day
            n = values.square / deviation**2 + 1
            yield Owed(persons, f"{DEVIATION} {name}", values.square, values.furthest, (n, values.total / n))


def _kind_of(group: Group, name: str) -> str:
    if group.result_type in TABLES and name in SUMS | COUNTS - {"person_count"}:
        return DEVIATION if name == "sd" else MEAN
    return values_of().get(name, "")


def _tells_few(group: Group, k: int, rules: Policy) -> bool:
    """Whether a group tells of a few persons, of a few who are not in it, or of everybody that they have something."""
    n, n_rest = len(group.having), len(group.among) - len(group.having)
    if group.result_type.endswith(ATTRITION):
        return 0 < n < k
    is_size = group.cell.variable_name.lower() in _SIZES or group.result_type in _DEFINED
    is_part = any(
        supports().get(name) == SHARE
        or name in _OF_OUTCOME
        or name in designs.PARTS
        or (name == "count" and not is_size)
        for _, name in group.rows
    )
    is_full = rules.hides_full_counts and is_part and n > 0 == n_rest
    is_none = rules.demands.hides_zeros and is_part and n == 0 and k > 1
    return 0 < n < k or 0 < n_rest < k or 0 < len(group.among) < k or is_full or is_none


def _is_supported(name: str, group: Group, k: int, rules: Policy) -> bool:
    """Whether an estimate rests on enough persons, where its group is shown."""
    support = supports().get(name, "")
    if support in {TOLD, SHARE, REST}:
        return True
    least = max(k, rules.demands.quantile_persons) if values_of().get(name) == RANK and k > 1 else k
    return support.isdigit() and len(group.having) >= int(support) * least


def _may(name: str, group: Group, k: int, rules: Policy) -> bool:
    """Whether a mean, a deviation or a quantile tells of no few values, and not that all are the same."""
    kind, values = values_of().get(name, ""), group.cell.values
    if not kind or k <= 1:
        return True
    if values is None or values.n_unlike < (k if values.n_unlike or rules.hides_full_counts else 0):
        return False
    if kind == MEAN:
        return not rules.dominance.dominates(values.largest, values.total)
    return kind == RANK or not rules.dominance.dominates(values.furthest, values.square)


def _hide_for_others(groups: Sequence[Group], told: Sequence[BitMap], cases: Designs, k: int, sought: Sought) -> None:
    """Hide groups until no few are told by what is shown: neither as a rest of parts nor by sums of sets."""
    families = list(_families(groups))
    collides: set[bytes] | None = None  # all sets at first; hiding some makes no other collide
    seen: dict[object, Seen] = {}
    while k > 1:
        if bound := list(cases.telling()):  # what stands or falls together: it stays hidden whatever else tells
            for group in bound:
                group.is_hidden = group.is_primary = True
            continue
        chosen = [part for whole, parts in families if (part := _telling_rest(whole, parts, k)) is not None]
        if not chosen:
            chosen = _telling_in_tables(groups, told, k, seen)
        if not chosen:
            chosen, collides = _colliding(groups, told, k, collides, sought)
        if not chosen:
            break
        for group in chosen:
            group.is_hidden = True
    known = {each.serialize() for group in groups if not group.is_hidden for each in group.sets}
    for group in groups:  # what others tell of the same persons need not be hidden here
        group.is_hidden &= group.is_primary or not known.issuperset(each.serialize() for each in group.sets)


def _families(groups: Sequence[Group]) -> Iterator[tuple[list[tuple[Group, BitMap]], list[tuple[Group, BitMap]]]]:
    """Parts that a whole may be made of: levels of one variable in their group, strata of one number in all of them."""
    levels: dict[tuple[object, ...], list[Group]] = defaultdict(list)
    strata: dict[tuple[object, ...], dict[str, list[Group]]] = defaultdict(lambda: defaultdict(list))
    for group in groups:
        cell = group.cell
        head = (cell.result_id, cell.group_level, cell.additional_level, cell.variable_name)
        levels[(*head, cell.strata_name, cell.strata_level)].append(group)
        strata[(*head, cell.variable_level)][cell.strata_name].append(group)
    for parts in levels.values():
        yield [(part, part.among) for part in parts], [(part, part.having) for part in parts]
    for by_name in strata.values():
        for name, parts in by_name.items():
            if name != OVERALL:
                wholes = by_name.get(OVERALL, [])
                yield [(each, each.having) for each in wholes], [(part, part.having) for part in parts]
                yield [(each, each.among) for each in wholes], [(part, part.among) for part in parts]
            for coarser in by_name:
                for whole in by_name[coarser] if is_coarser(coarser, name) else ():
                    own = [each for each in parts if _stratum_within(each, coarser) == whole.cell.strata_level]
                    yield [(whole, whole.having)], [(part, part.having) for part in own]


def _stratum_within(group: Group, coarser: str) -> str:
    return within_level(group.cell.strata_name, group.cell.strata_level, coarser)


class Noting(Container[bytes]):
    """Names that are known, and what was asked of them."""

    def __init__(self, known: Collection[bytes]) -> None:
        self._known = known
        self.answers: dict[object, bool] = {}

    def __contains__(self, name: object) -> bool:
        self.answers[name] = name in self._known
        return self.answers[name]


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found of a table, and all that it was found from."""

    kept: tuple[bool, ...]
    free: set[bytes]
    answers: dict[object, bool]
    hidden: set[bytes]

    def holds(self, kept: tuple[bool, ...], free: set[bytes], known: Collection[bytes]) -> bool:
        """Whether it would be found again."""
        same = self.kept == kept and self.free == free
        return same and all((name in known) is answer for name, answer in self.answers.items())


def _telling_in_tables(
    groups: Sequence[Group], told: Sequence[BitMap], k: int, seen: dict[object, Seen]
) -> list[Group]:
    """Groups to hide because the margins of a table of levels and strata would tell a hidden number.

    In: seen — what was found of each table before, for the same groups; this call adds to it
    """
    known = {each.serialize() for each in told}
    showing: dict[bytes, int] = defaultdict(int)
    for group in groups:
        for each in () if group.is_hidden else group.sets:
            showing[each.serialize()] += 1
    tables: dict[tuple[object, ...], list[Group]] = defaultdict(list)
    for group in groups:
        cell = group.cell
        tables[cell.result_id, cell.group_level, cell.additional_level, cell.variable_name].append(group)
    chosen: list[Group] = []
    shown = known | showing.keys()
    for table, own in tables.items():
        entries: dict[Place, Entry] = {
            (each.cell.strata_name, each.cell.strata_level, each.cell.variable_level): Entry(
                each.having,
                each.among,
                each.is_primary and not (each.result_type in TABLES and each.having == each.among),
            )
            for each in own
        }
        names = {each.having.serialize() for each in own if not each.is_hidden}
        free = {name for name in names if name not in known and showing[name] == _n_showing(own, name)}
        kept, before = tuple(entry.is_kept for entry in entries.values()), seen.get(table)
        if before is None or not before.holds(kept, free, shown):
            asked = Noting(shown)
            before = seen[table] = Seen(kept, free, asked.answers, telling(entries, asked, free, k))
        chosen += [each for each in own if not each.is_hidden and each.having.serialize() in before.hidden]
    return chosen


def _n_showing(groups: Sequence[Group], name: bytes) -> int:
    return sum(each.serialize() == name for group in groups if not group.is_hidden for each in group.sets)


def _telling_rest(
    wholes: Iterable[tuple[Group, BitMap]], parts: Iterable[tuple[Group, BitMap]], k: int
) -> Group | None:
    """The smallest shown part, where what shown parts leave of a shown whole is a few persons."""
    shown = [(group, persons) for group, persons in parts if not group.is_hidden and persons]
    withheld = [persons for group, persons in parts if group.is_primary and persons]
    together = BitMap.union(BitMap(), *(persons for _, persons in shown))
    if not shown or len(together) < sum(len(persons) for _, persons in shown):
        return None
    for group, whole in wholes:
        rest = whole - together
        is_one = len(rest) >= k and withheld == [rest]  # everybody of a part has it, and a subtraction would tell
        tells = is_one or 0 < len(rest) < k
        if not group.is_hidden and together.issubset(whole) and tells and len(rest) < len(whole):
            return min(shown, key=lambda part: (len(part[1]), part[0].cell.key))[0]
    return None


def _colliding(
    groups: Sequence[Group], told: Sequence[BitMap], k: int, suspects: set[bytes] | None, sought: Sought
) -> tuple[list[Group], set[bytes]]:
    """For each shown set that others tell but for a few: the smallest group that takes part; and those sets.

    In: suspects — the sets to look at; None for all
    """
    of_set: dict[bytes, list[Group]] = defaultdict(list)
    for group in groups:
        for persons in () if group.is_hidden else group.sets:
            of_set[persons.serialize()].append(group)
    if not of_set:  # what is told beside was compared where it was decided
        return [], set()
    fixed = {persons.serialize() for persons in told if persons}
    names = list(dict.fromkeys([*of_set, *fixed]))
    everything = sets_of(names)
    asked = names if suspects is None or len(names) <= MOST_SETS else [name for name in names if name in suspects]
    chosen, colliding = [], set()
    for found in collisions(sets_of(asked), everything, k, sought):
        colliding.add(asked[found.new])
        earlier = [names[place] if place < len(names) else asked[place - len(names)] for place in found.others]
        free = [group for name in (asked[found.new], *earlier) if name not in fixed for group in of_set[name]]
        if free:
            chosen.append(min(free, key=_costs))
    return chosen, colliding


def _costs(group: Group) -> tuple[object, ...]:
    """What hiding a group loses: attrition is context, then other ways of asking, and smaller numbers go first."""
    is_estimate = not group.result_type.endswith(ATTRITION)
    return is_estimate, group.is_asked_first, len(group.having) or len(group.among), group.cell.key


def _evidence(group: Group) -> CellEvidence:
    cell = group.cell
    hidden = ("numerator", "denominator") if group.is_hidden else ()
    return CellEvidence(
        cell.result_id,
        cell.group_level,
        cell.additional_level,
        cell.n_numerator,
        cell.n_denominator,
        hidden,
        group.result_type,
    )
