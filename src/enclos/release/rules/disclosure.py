"""What of a result may be shown: small counts are hidden, then whatever would give them away.

A number that rests on 1 to k-1 distinct persons is hidden, and so is one whose complement or whose difference to
another shown number does. Then the attacker (attack.py) tries; while a hidden number is exposed, the cheapest shown
number that is tied to it is hidden too; then an optimiser (optimum.py) looks for the least that has to be. What is
computed from a hidden number is hidden with it: a rate gives back its count, a time its persons, a standardised rate
the one cell that is hidden. No count, no zero and no rounding is ever changed.

Units: distinct persons; k is the permit's minimum count.
Source: CASD (no cell below 11 patients; secondary secrecy), Fischetti and Salazar-González 2001 for the attacker.
Check: tests/oracle/suppression.py attacks what was released from its table alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from enclos.contracts.result import HIDDEN, ResultSettings, StudyResult
from enclos.contracts.tables import JOB_TABLE
from enclos.lexicon.verdicts import Verdict
from enclos.release.blocks import MOST_SETS
from enclos.release.history import collisions
from enclos.release.model import Assessment, CellEvidence, Finding, Role, Rule, Told
from enclos.release.rules.attack import Seen, System, exposed
from enclos.release.rules.courses import CURVES, of_weighted
from enclos.release.rules.curves import JudgedCurves, judge_curves
from enclos.release.rules.described import GROUPS
from enclos.release.rules.effects import read_effects
from enclos.release.rules.groups import JudgedGroups, judge_groups
from enclos.release.rules.numbers import Numbers
from enclos.release.rules.optimum import cheapest, without_needless
from enclos.release.rules.policy import Policy, policy, roles
from enclos.release.rules.reading import Reading, read_result
from enclos.release.rules.relations import numbers_of
from enclos.release.rules.rounding import Lots, Rounding, rounded_lines
from enclos.release.rules.several import SEVERAL, JudgedSeveral, judge_several
from enclos.release.rules.stretches import said_of_stretches, stretches_of
from enclos.release.rules.texts import rounded
from enclos.release.sets import sets_of

_OF_ALL = (Role.RATIO, Role.LOWER, Role.UPPER)
_MIN_COUNT = "min_cell_count"
_PER_MISSING = 5.0
"""What hiding a number costs more for each person that it is short of the width: it would free too little."""


def kinds_with_rules() -> frozenset[str]:
    """The result types that a rule speaks of: results of any other type stay inside."""
    return frozenset(kind for kind, _, _ in roles()) | GROUPS | CURVES | SEVERAL


def assess(result: StudyResult, min_count: int, rounding: Rounding | None = None) -> Assessment:
    """What the machine finds about a result, and the nearest version of it that is safe.

    In:    min_count — distinct persons; 1 hides nothing; rounding — what shown counts are rounded by, if they are
    Out:   ``safe`` has the same lines, with six digits or three decimals; hidden numbers are written as HIDDEN,
           min_cell_count tells the minimum and results of kinds that no rule speaks of are left out; survival curves
           have the lines of their steps only
    Empty: a result without estimates is refused; nothing that could not be checked is ever safe
    """
    rules = policy()
    n_estimates = result.n_rows
    result, n_aside = _of_known_kinds(result)
    reading = read_result(result, rules)
    read_effects(reading, result, rules)
    findings = reading.findings
    findings += _said_of_kinds(result, n_aside)
    if any(finding.verdict is Verdict.REFUSE for finding in findings):
        return Assessment(min_count, tuple(findings), None, (), {"n_estimates": n_estimates, "share_kept": 0.0})
    numbers = numbers_of(reading, min_count, rules)
    hidden, n_primary, narrow = _decided(reading, numbers)
    told = tuple(_told(reading, numbers, hidden))
    stretches = tuple(stretches_of(reading, numbers, hidden))
    findings += said_of_stretches(stretches, min_count)
    lots = _lots(result, rounding)
    curves = judge_curves(result, told, min_count, rules, lots)
    told = (*told, *curves.told)
    findings += _said_of_curves(curves, min_count)
    groups = judge_groups(result, told, min_count, rules)
    if groups.n_untyped:
        said = f"{groups.n_untyped} line(s) of descriptions have labels or values of no known form"
        findings.append(Finding(Rule.TYPED, Verdict.REFUSE, said))
    several = judge_several(result, (*told, *groups.told), min_count, rules)
    findings += _said_of_several(several)
    findings += _said(numbers, hidden, n_primary, narrow, groups, rules)
    lines = hidden_lines(reading, numbers, hidden) | groups.lines | several.lines
    drawn: dict[int, str | None] = {}
    if lots is not None and rounding is not None:
        findings.append(rounding.finding)
        aside = _rows_of(result, CURVES)
        drawn = rounded_lines(result, reading, groups.shown, lots, lines | aside, several.ratios)
        lines |= {row for row, text in drawn.items() if text == HIDDEN}
    n_of_curves = sum(result.of_type(each).num_rows for each in CURVES)
    n_kept = result.n_rows - len(lines) - n_of_curves + len(curves.lines)
    n_cells_kept = sum(not hidden[position] for position in numbers.denominator_of) + groups.n_kept + curves.n_shown
    findings.append(_content(n_cells_kept + several.n_kept))
    summary = {
        "n_estimates": n_estimates,
        "n_hidden": n_estimates - n_kept,
        "share_kept": round(n_kept / n_estimates, 4) if n_estimates else 0.0,
        "n_cells": len(reading.cells) + len(groups.evidence) + len(curves.evidence) + len(several.evidence),
        "n_cells_touched": sum(bool(_hidden_roles(numbers, hidden, at)) for at in range(len(reading.cells)))
        + sum(bool(each.hidden) for each in (*groups.evidence, *curves.evidence, *several.evidence)),
        "min_count": min_count,
        "policy": rules.id,
    }
    if rounding is not None and lots is not None:
        summary["rounding"] = rounding.as_said
    told_settings = {_MIN_COUNT: str(min_count), **({"rounded_to": str(rounding.base)} if rounding and lots else {})}
    is_sound = not any(finding.verdict is Verdict.REFUSE for finding in findings if finding.rule is not Rule.CONTENT)
    return Assessment(
        min_count,
        tuple(findings),
        _safe(result, lines, groups.left_out | several.left_out, curves, told_settings, drawn) if is_sound else None,
        (*_evidence(reading, numbers, hidden), *groups.evidence, *curves.evidence, *several.evidence),
        summary,
        (*told, *groups.told, *several.told),
        groups.owed,
        stretches,
    )


def _content(n_cells: int) -> Finding:
    if n_cells == 0:
        return Finding(Rule.CONTENT, Verdict.REFUSE, "no estimate is left to release")
    return Finding(Rule.CONTENT, Verdict.PASS, "there are estimates to release")


def _said_of_kinds(result: StudyResult, n_aside: int) -> Iterable[Finding]:
    """What is left out, and what only the persons are known of."""
    if n_aside:
        said = f"{n_aside} result(s) of a kind that no rule of this version speaks of, or weighted curves, are left out"
        yield Finding(Rule.TYPED, Verdict.REVIEW, said)
    if any(each.result_type == JOB_TABLE for each in result.settings):
        said = "who is in which group, and the values, are what a job wrote: its persons were counted again, not these"
        yield Finding(Rule.BACKED, Verdict.REVIEW, said)


def _of_known_kinds(result: StudyResult) -> tuple[StudyResult, int]:
    """The result without what no rule speaks of, and how many result ids that is: a study may have several analyses."""
    known = kinds_with_rules()
    aside = {each.result_id for each in result.settings if each.result_type not in known}
    aside |= of_weighted(result.settings)
    if not aside:
        return result, 0
    kept = ~np.isin(result.table["result_id"].to_numpy(), list(aside))
    settings = tuple(each for each in result.settings if each.result_id not in aside)
    cells = tuple(cell for cell in result.cells if cell.result_id not in aside)
    return StudyResult(result.table.filter(pa.array(kept)), settings, cells), len(aside)


def _lots(result: StudyResult, rounding: Rounding | None) -> Lots | None:
    """What rounds the counts of a result; None where nothing is rounded."""
    if rounding is None or rounding.base == 1:
        return None
    return rounding.lots(next((cell.person_numbers for cell in result.cells), np.zeros(0, dtype=np.int64)))


def _rows_of(result: StudyResult, kinds: Collection[str]) -> set[int]:
    ids = [each.result_id for each in result.settings if each.result_type in kinds]
    return set(np.flatnonzero(np.isin(result.table["result_id"].to_numpy(), ids)).tolist())


def _decided(reading: Reading, numbers: Numbers) -> tuple[npt.NDArray[np.bool_], int, npt.NDArray[np.int64]]:
    """Which numbers are hidden, how many of them for their own sake, and which can still be narrowed."""
    system = numbers.system()
    hidden, n_primary = _primary(numbers)
    always = hidden.copy()
    narrow = _secondary(numbers, system, hidden)
    if not len(narrow):
        hidden = _least(numbers, system, always, hidden)
    suspects: set[bytes] | None = None  # all sets at first; hiding some makes no other collide
    while suspects is None or suspects:
        suspects = _hide_colliding(reading, numbers, hidden, suspects)
        if suspects:
            narrow = _secondary(numbers, system, hidden)
    return hidden, n_primary, narrow


def _primary(numbers: Numbers) -> tuple[npt.NDArray[np.bool_], int]:
    """Hide what may not be shown whatever else is; numbers that are never shown are hidden anyway."""
    hidden = ~np.array(numbers.shown, dtype=np.bool_)
    for position in numbers.primary | numbers.placed:
        _hide(numbers, hidden, position)
    return hidden, int(np.count_nonzero(hidden & np.array(numbers.shown, dtype=np.bool_)))


def _hide(numbers: Numbers, hidden: npt.NDArray[np.bool_], position: int) -> None:
    hidden[position] = True
    for other in numbers.hides_with.get(position, ()):
        hidden[other] = True


def _secondary(numbers: Numbers, system: System, hidden: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Hide more until nothing is exposed; gives what still is when nothing is left to hide."""
    relations_of: dict[int, list[int]] = defaultdict(list)
    for number, relation in enumerate(numbers.relations):
        for position, _ in relation.terms:
            relations_of[position].append(number)
    seen = Seen(len(system.values))
    while True:
        narrow = exposed(system, hidden, seen)
        chosen: set[int] = set()
        for position in narrow.tolist():
            found = _cheapest(numbers, relations_of, hidden, position, chosen)
            if found is not None:
                chosen.add(found)
        if not chosen:
            return narrow
        for position in chosen:
            _hide(numbers, hidden, position)


def _least(
    numbers: Numbers, system: System, always: npt.NDArray[np.bool_], chosen: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """The cheapest that exposes nothing, or what was chosen where that costs no more."""
    costs = np.array(numbers.costs)
    found = cheapest(system, always, chosen, costs, numbers.hides_with)
    narrow = _secondary(numbers, system, found)
    found = without_needless(system, always, found, costs, numbers.hides_with)
    return chosen if len(narrow) or costs[found].sum() >= costs[chosen].sum() else found


def _hide_colliding(
    reading: Reading, numbers: Numbers, hidden: npt.NDArray[np.bool_], suspects: set[bytes] | None
) -> set[bytes]:
    """Hide the cheapest of shown sets of persons that together tell a few, whatever their labels; gives those sets.

    Labels tie parts to their whole; bands that overlap, and strata that cross, tell by what they share.
    In: suspects — the sets to look at; None for all
    """
    telling: dict[bytes, set[int]] = defaultdict(set)
    for at, cell in enumerate(reading.cells):
        places = ((numbers.denominator_of[at], cell.cell.dense_denominator),)
        for position, persons in (*places, (numbers.numerator_of[at], cell.cell.dense_numerator)):
            if persons and not hidden[position]:
                telling[persons.serialize()].add(position)
        without = cell.cell.dense_denominator - cell.cell.dense_numerator
        if without and not hidden[places[0][0]] and not hidden[numbers.numerator_of[at]]:
            telling[without.serialize()].add(numbers.numerator_of[at])  # who has no event is told by both
    names = list(telling)
    asked = names if suspects is None or len(names) <= MOST_SETS else [name for name in names if name in suspects]
    colliding, chosen = set[bytes](), set[int]()
    everything = sets_of(names)
    for found in collisions(everything if asked is names else sets_of(asked), everything, numbers.min_count):
        colliding.add(asked[found.new])
        others = [names[place] if place < len(names) else asked[place - len(names)] for place in found.others]
        part = [telling[name] for name in (asked[found.new], *others)]
        if not any(positions & chosen for positions in part):
            chosen |= min(part, key=lambda positions: (sum(numbers.costs[each] for each in positions), min(positions)))
    for position in chosen:
        _hide(numbers, hidden, position)
    return colliding


def _cheapest(
    numbers: Numbers,
    relations_of: Mapping[int, list[int]],
    hidden: npt.NDArray[np.bool_],
    position: int,
    chosen: set[int],
) -> int | None:
    """The cheapest shown number among those tied to a hidden one; numbers tied through hidden ones come after.

    Empty: None when nothing tied to it is shown, or when one of the nearest was chosen already in this round.
    """
    reached, front = {position}, [position]
    while front:
        near = {
            other for each in front for number in relations_of[each] for other, _ in numbers.relations[number].terms
        }
        shown = [other for other in near if not hidden[other]]
        if chosen.intersection(shown):
            return None
        if shown:
            short_of = {other: max(0, numbers.required[position] - abs(numbers.values[other])) for other in shown}
            return min(shown, key=lambda other: (numbers.costs[other] + _PER_MISSING * short_of[other], other))
        front = sorted(near - reached)
        reached |= near
    return None


def _said(
    numbers: Numbers,
    hidden: npt.NDArray[np.bool_],
    n_primary: int,
    narrow: npt.NDArray[np.int64],
    groups: JudgedGroups,
    rules: Policy,
) -> Iterable[Finding]:
    k = numbers.min_count
    n_secondary = int(np.count_nonzero(hidden & np.array(numbers.shown, dtype=np.bool_))) - n_primary
    n_placed = len(numbers.placed - numbers.primary)
    if n_placed:
        said = f"{n_placed} number(s) of a small place in fewer than {rules.least_days} days are hidden"
        yield Finding(Rule.PLACES, Verdict.REVIEW, said)
    n_primary += groups.n_primary - n_placed
    n_secondary += groups.n_secondary
    if n_primary:
        said = f"{n_primary} number(s) that rest on fewer than {k} persons, or tell such a number, are hidden"
        yield Finding(Rule.MINIMUM, Verdict.REVIEW, said)
    else:
        yield Finding(Rule.MINIMUM, Verdict.PASS, f"every number rests on at least {k} persons")
    if n_secondary:
        said = f"{n_secondary} more number(s) are hidden, because totals or differences would give a hidden one away"
        yield Finding(Rule.SECONDARY, Verdict.REVIEW, said)
    else:
        yield Finding(Rule.SECONDARY, Verdict.PASS, "nothing else had to be hidden")
    if len(narrow):
        said = f"{len(narrow)} hidden number(s) can be narrowed to fewer than {k} values from what would be shown"
        yield Finding(Rule.ATTACK, Verdict.REFUSE, said)
    else:
        yield Finding(Rule.ATTACK, Verdict.PASS, f"no hidden number can be narrowed to fewer than {k} values")


def _said_of_several(several: JudgedSeveral) -> Iterable[Finding]:
    if several.n_untyped:
        said = f"{several.n_untyped} line(s) of controls, balance or scores have labels or values of no known form"
        yield Finding(Rule.TYPED, Verdict.REFUSE, said)
    if several.n_hidden:
        said = f"{several.n_hidden} control(s), covariate(s) or coefficient(s) rest on too few, or tell a few"
        yield Finding(Rule.SECONDARY, Verdict.REVIEW, said)


def _said_of_curves(curves: JudgedCurves, k: int) -> Iterable[Finding]:
    if curves.n_untyped:
        said = f"{curves.n_untyped} line(s) of survival curves have labels or values of no known form"
        yield Finding(Rule.TYPED, Verdict.REFUSE, said)
    if curves.n_unbacked:
        said = f"{curves.n_unbacked} survival curve(s) have no persons behind them or do not agree with them"
        yield Finding(Rule.BACKED, Verdict.REFUSE, said)
    if curves.n_hidden:
        said = f"{curves.n_hidden} survival curve(s) are left out: they or what they leave of others have no step"
        yield Finding(Rule.STEPS, Verdict.REVIEW, said)
    elif curves.n_shown:
        said = f"every step of every survival curve has {k} persons or nobody; the curves are computed from these steps"
        yield Finding(Rule.STEPS, Verdict.PASS, said)


def _hidden_roles(numbers: Numbers, hidden: npt.NDArray[np.bool_], at: int) -> set[Role]:
    """What of a cell is hidden."""
    time = numbers.time_of[at]
    roles: set[Role] = set()
    if hidden[numbers.numerator_of[at]]:
        roles |= {Role.NUMERATOR, *_OF_ALL}
    if time is not None and hidden[time]:
        roles |= {Role.TIME, Role.OF_TIME, *_OF_ALL}
    if hidden[numbers.denominator_of[at]]:
        roles |= {Role.DENOMINATOR, *_OF_ALL}
    return roles


def hidden_lines(reading: Reading, numbers: Numbers, hidden: npt.NDArray[np.bool_]) -> set[int]:
    """The lines of the table whose number is not shown."""
    lines = {count.row for count, position in zip(reading.counts, numbers.count_of, strict=True) if hidden[position]}
    for at, cell in enumerate(reading.cells):
        for role in _hidden_roles(numbers, hidden, at):
            lines.update(cell.rows.get(role, ()))
    touched = {id(cell) for at, cell in enumerate(reading.cells) if _hidden_roles(numbers, hidden, at)}
    for rate in reading.standardised:
        if touched.intersection(map(id, rate.parts)):
            lines.update(rate.rows)
    return lines


def _safe(
    result: StudyResult,
    lines: set[int],
    left_out: frozenset[int],
    curves: JudgedCurves,
    said: Mapping[str, str],
    drawn: Mapping[int, str | None],
) -> StudyResult:
    """The result with those lines hidden or left out, with what curves became, and without its persons."""
    values = [drawn.get(row, value) for row, value in enumerate(result.table["estimate_value"].to_pylist())]
    shown = [HIDDEN if row in lines else value and rounded(value) for row, value in enumerate(values)]
    place = result.table.schema.get_field_index("estimate_value")
    table = result.table.set_column(place, result.table.schema.field(place), pa.array(shown, pa.string()))
    if left_out:
        table = table.filter(pa.array([row not in left_out for row in range(table.num_rows)]))
    ids = [each.result_id for each in result.settings if each.result_type in CURVES]
    if ids and int(said[_MIN_COUNT]) > 1:
        others = table.filter(pa.array(~np.isin(table["result_id"].to_numpy(), ids)))
        table = pa.concat_tables([others, pa.Table.from_pylist(list(curves.lines), table.schema)])
        table = table.take(pa.array(np.argsort(table["result_id"].to_numpy(), kind="stable")))
    settings = tuple(ResultSettings(each.result_id, {**each.values, **said}) for each in result.settings)
    return StudyResult(table, settings)


def _told(reading: Reading, numbers: Numbers, hidden: npt.NDArray[np.bool_]) -> Iterable[Told]:
    """The persons of every number that is shown, and those without the outcome, whom two numbers tell."""
    for at, cell in enumerate(reading.cells):
        if not hidden[numbers.denominator_of[at]]:
            yield Told(cell.cell.dense_denominator, cell.cell.person_numbers)
            if not hidden[numbers.numerator_of[at]]:
                yield Told(cell.cell.dense_numerator, cell.cell.person_numbers)
                yield Told(cell.cell.dense_denominator - cell.cell.dense_numerator, cell.cell.person_numbers)


def _evidence(reading: Reading, numbers: Numbers, hidden: npt.NDArray[np.bool_]) -> Iterable[CellEvidence]:
    for at, cell in enumerate(reading.cells):
        roles = sorted(role.value for role in _hidden_roles(numbers, hidden, at))
        behind = cell.cell
        yield CellEvidence(
            behind.result_id,
            behind.group_level,
            behind.additional_level,
            behind.n_numerator,
            behind.n_denominator,
            tuple(roles),
            cell.window.interval,
        )
