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

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from enclos.contracts.disclosure import RuleSets, strictest
from enclos.contracts.result import HIDDEN, ResultSettings, StudyResult
from enclos.lexicon.verdicts import Verdict
from enclos.release import allowance
from enclos.release.allowance import Sought
from enclos.release.model import Assessment, CellEvidence, Finding, Role, Rule, Told
from enclos.release.rules.arrays import Bools, Ints
from enclos.release.rules.cells import Reading
from enclos.release.rules.courses import CURVES, of_weighted
from enclos.release.rules.curves import JudgedCurves, curves_hidden_by_any, judge_curves
from enclos.release.rules.described import GROUPS
from enclos.release.rules.effects import read_effects
from enclos.release.rules.groups import JudgedGroups, hidden_by_any, judge_groups
from enclos.release.rules.hiding import decided, hidden_lines, hidden_roles, hides_a_cell
from enclos.release.rules.labelled import labelled
from enclos.release.rules.numbers import Numbers
from enclos.release.rules.policy import Policy, policy, roles, stricter
from enclos.release.rules.reading import read_result
from enclos.release.rules.relations import numbers_of
from enclos.release.rules.rounding import Lots, Rounding, rounded_lines
from enclos.release.rules.saying import (
    said_of_content,
    said_of_curves,
    said_of_demands,
    said_of_groups,
    said_of_kinds,
    said_of_numbers,
    said_of_search,
    said_of_several,
)
from enclos.release.rules.several import SEVERAL, JudgedSeveral, hidden_by_any_of, judge_several
from enclos.release.rules.stretches import said_of_stretches, stretches_of
from enclos.release.rules.texts import rounded

_OF_ALL = (Role.RATIO, Role.LOWER, Role.UPPER)
_MIN_COUNT = "min_cell_count"
_PER_MISSING = 5.0
"""What hiding a number costs more for each person that it is short of the width: it would free too little."""


def kinds_with_rules() -> frozenset[str]:
    """The result types that a rule speaks of: results of any other type stay inside."""
    return frozenset(kind for kind, _, _ in roles()) | GROUPS | CURVES | SEVERAL


@dataclass(frozen=True, slots=True)
class _Judged:
    """What rules say of a result that was read: what is hidden, what is told, what of curves and groups is left."""

    numbers: Numbers
    hidden: Bools
    narrow: Ints
    curves: JudgedCurves
    groups: JudgedGroups
    several: JudgedSeveral
    lines: frozenset[int]

    @property
    def left_out(self) -> frozenset[int]:
        """Of the hidden lines, those that leave no line."""
        return self.groups.left_out | self.several.left_out


def assess(
    result: StudyResult,
    min_count: int,
    rounding: Rounding | None = None,
    demands: RuleSets = (),
    *,
    only_whole: bool = False,
) -> Assessment:
    """What the machine finds about a result, and the nearest version of it that is safe.

    In:    min_count — distinct persons; 1 hides nothing; rounding — what shown counts are rounded by, if they are;
           demands — what sources, enclosure and permit demand beyond the platform's rules. Each hides by itself
           what it has to, for others' sake too; what any of them or the platform hides is hidden, so that one
           more never lets more out
           only_whole — what hides a cell is not wanted: the rest of it is not looked at, and ``safe`` is None
    Out:   ``safe`` has the same lines, with six digits or three decimals; hidden numbers are written as HIDDEN,
           min_cell_count tells the minimum and results of kinds that no rule speaks of are left out; survival curves
           have the lines of their steps only
    Empty: a result without estimates is refused; nothing that could not be checked is ever safe
    """
    rules = stricter(policy(), strictest(demands))
    n_estimates = result.n_rows
    result, n_aside = _of_known_kinds(labelled(result))
    reading = read_result(result, rules)
    read_effects(reading, result, rules)
    findings = reading.findings
    findings += said_of_kinds(result, n_aside)
    if any(finding.verdict is Verdict.REFUSE for finding in findings):
        return _nothing(min_count, findings, n_estimates)
    lots = _lots(result, rounding)
    sets = [policy(), *(stricter(policy(), each) for each in demands if min_count > 1)]
    sought = Sought(allowance.MOST_WORK)
    every: list[_Judged] = []
    for each in sets:
        own = _judged(result, reading, min_count, (each, rules), lots, sought, only_whole=only_whole)
        if own is None:
            return _nothing(min_count, findings, n_estimates)
        every.append(own)
    judged = _hidden_by_any(every, result)
    lines = set(judged.lines)
    numbers, hidden, curves, groups, several = (
        judged.numbers,
        judged.hidden,
        judged.curves,
        judged.groups,
        judged.several,
    )
    stretches = tuple(stretches_of(reading, numbers, hidden))
    findings += said_of_stretches(stretches, min_count)
    findings += said_of_curves(curves, min_count)
    findings += said_of_several(several)
    findings += said_of_groups(groups)
    findings += said_of_numbers(numbers, hidden, judged.narrow, groups, rules)
    findings += said_of_demands(demands)
    findings += said_of_search(sought)
    drawn: dict[int, str | None] = {}
    if lots is not None and rounding is not None:
        findings.append(rounding.finding)
        aside = _rows_of(result, CURVES)
        drawn = rounded_lines(result, reading, groups.shown, lots, lines | aside, several.ratios)
        lines |= {row for row, text in drawn.items() if text == HIDDEN}
    n_of_curves = sum(result.of_type(each).num_rows for each in CURVES)
    n_kept = result.n_rows - len(lines) - n_of_curves + len(curves.lines)
    evidence = (*_evidence(reading, numbers, hidden), *groups.evidence, *curves.evidence, *several.evidence)
    findings.append(said_of_content(sum(Role.DENOMINATOR.value not in each.hidden for each in evidence)))
    summary = {
        "n_estimates": n_estimates,
        "n_hidden": n_estimates - n_kept,
        "share_kept": round(n_kept / n_estimates, 4) if n_estimates else 0.0,
        "n_cells": len(evidence),
        "n_cells_touched": sum(bool(each.hidden) for each in evidence),
        "min_count": min_count,
        "policy": rules.id,
        **({"demands": [each.as_json() for each in demands]} if demands else {}),
    }
    if rounding is not None and lots is not None:
        summary["rounding"] = rounding.as_said
    told_settings = {_MIN_COUNT: str(min_count), **({"rounded_to": str(rounding.base)} if rounding and lots else {})}
    is_sound = not any(finding.verdict is Verdict.REFUSE for finding in findings if finding.rule is not Rule.CONTENT)
    return Assessment(
        min_count,
        tuple(findings),
        _safe(result, lines, judged.left_out, curves, told_settings, drawn) if is_sound else None,
        evidence,
        summary,
        (*_told(reading, numbers, hidden), *curves.told, *groups.told, *several.told),
        groups.owed,
        stretches,
        demands,
    )


def _nothing(min_count: int, findings: Sequence[Finding], n_estimates: int) -> Assessment:
    """The assessment of what is not safe, or not looked at to its end."""
    return Assessment(min_count, tuple(findings), None, (), {"n_estimates": n_estimates, "share_kept": 0.0})


def _judged(
    result: StudyResult,
    reading: Reading,
    min_count: int,
    own: tuple[Policy, Policy],
    lots: Lots | None,
    sought: Sought,
    *,
    only_whole: bool,
) -> _Judged | None:
    """What some rules say; curves have the steps that all rules together allow, the second of them.

    Empty: None where a cell is hidden and only what hides none is wanted
    """
    rules, together = own
    numbers = numbers_of(reading, min_count, rules)
    hidden, narrow = decided(reading, numbers, sought, only_whole=only_whole)
    if only_whole and hides_a_cell(numbers, hidden):
        return None
    told = tuple(_told(reading, numbers, hidden))
    curves = judge_curves(result, told, min_count, together, sought, lots)
    told = (*told, *curves.told)
    groups = judge_groups(result, told, min_count, rules, sought, only_whole=only_whole)
    if groups is None:
        return None
    several = judge_several(result, (*told, *groups.told), min_count, rules, sought)
    lines = frozenset(hidden_lines(reading, numbers, hidden) | groups.lines | several.lines)
    return _Judged(numbers, hidden, narrow, curves, groups, several, lines)


def _hidden_by_any(every: Sequence[_Judged], result: StudyResult) -> _Judged:
    """What is left where each of several rule sets hides what it has to: what any of them hides is hidden."""
    if len(every) == 1:
        return every[0]
    numbers = replace(
        every[0].numbers,
        primary=set().union(*(each.numbers.primary for each in every)),
        placed=set().union(*(each.numbers.placed for each in every)),
    )
    return _Judged(
        numbers,
        np.logical_or.reduce([each.hidden for each in every]),
        np.unique(np.concatenate([each.narrow for each in every])),
        curves_hidden_by_any([each.curves for each in every]),
        hidden_by_any([each.groups for each in every], result),
        hidden_by_any_of([each.several for each in every]),
        frozenset().union(*(each.lines for each in every)),
    )


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


def _told(reading: Reading, numbers: Numbers, hidden: Bools) -> Iterable[Told]:
    """The persons of every number that is shown, and those without the outcome, whom two numbers tell."""
    for at, cell in enumerate(reading.cells):
        if not hidden[numbers.denominator_of[at]]:
            yield Told(cell.cell.dense_denominator, cell.cell.person_numbers)
            if not hidden[numbers.numerator_of[at]]:
                yield Told(cell.cell.dense_numerator, cell.cell.person_numbers)
                yield Told(cell.cell.dense_denominator - cell.cell.dense_numerator, cell.cell.person_numbers)


def _evidence(reading: Reading, numbers: Numbers, hidden: Bools) -> Iterable[CellEvidence]:
    for at, cell in enumerate(reading.cells):
        roles = sorted(role.value for role in hidden_roles(numbers, hidden, at))
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
