"""What is said of the numbers, descriptions and curves of a result that were judged."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from enclos.contracts.disclosure import RuleSets, strictest
from enclos.contracts.result import StudyResult
from enclos.contracts.tables import JOB_TABLE
from enclos.lexicon.verdicts import Verdict
from enclos.release.allowance import Sought
from enclos.release.model import Finding, Role, Rule
from enclos.release.rules.arrays import Bools, Ints
from enclos.release.rules.curves import JudgedCurves
from enclos.release.rules.groups import JudgedGroups
from enclos.release.rules.hiding import n_primary
from enclos.release.rules.numbers import Numbers
from enclos.release.rules.policy import Policy
from enclos.release.rules.several import JudgedSeveral

_OF_ALL = (Role.RATIO, Role.LOWER, Role.UPPER)
_MIN_COUNT = "min_cell_count"
_PER_MISSING = 5.0
"""What hiding a number costs more for each person that it is short of the width: it would free too little."""


def said_of_content(n_cells: int) -> Finding:
    """Whether anything is left to release."""
    if n_cells == 0:
        return Finding(Rule.CONTENT, Verdict.REFUSE, "no estimate is left to release")
    return Finding(Rule.CONTENT, Verdict.PASS, "there are estimates to release")


def said_of_kinds(result: StudyResult, n_aside: int) -> Iterable[Finding]:
    """What is left out, and what only the persons are known of."""
    if n_aside:
        said = f"{n_aside} result(s) of a kind that no rule of this version speaks of, or weighted curves, are left out"
        yield Finding(Rule.TYPED, Verdict.REVIEW, said)
    if any(each.result_type == JOB_TABLE for each in result.settings):
        said = "who is in which group, and the values, are what a job wrote: its persons were counted again, not these"
        yield Finding(Rule.BACKED, Verdict.REVIEW, said)


def said_of_numbers(
    numbers: Numbers,
    hidden: Bools,
    narrow: Ints,
    groups: JudgedGroups,
    rules: Policy,
) -> Iterable[Finding]:
    """What was hidden of rates and descriptions, and whether an attacker can narrow it."""
    k, n_first = numbers.min_count, n_primary(numbers)
    n_secondary = int(np.count_nonzero(hidden & np.array(numbers.shown, dtype=np.bool_))) - n_first
    n_placed = len(numbers.placed - numbers.primary)
    if n_placed:
        said = f"{n_placed} number(s) of a small place in fewer than {rules.least_days} days are hidden"
        yield Finding(Rule.PLACES, Verdict.REVIEW, said)
    n_first += groups.n_primary - n_placed
    n_secondary += groups.n_secondary
    if n_first:
        said = f"{n_first} number(s) that rest on fewer than {k} persons, or tell such a number, are hidden"
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


def said_of_several(several: JudgedSeveral) -> Iterable[Finding]:
    """What was hidden of estimates that rest on several counts."""
    if several.n_untyped:
        said = f"{several.n_untyped} line(s) of controls, balance or scores have labels or values of no known form"
        yield Finding(Rule.TYPED, Verdict.REFUSE, said)
    if several.n_hidden:
        said = f"{several.n_hidden} control(s), covariate(s) or coefficient(s) rest on too few, or tell a few"
        yield Finding(Rule.SECONDARY, Verdict.REVIEW, said)


def said_of_curves(curves: JudgedCurves, k: int) -> Iterable[Finding]:
    """What became of survival curves."""
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


def said_of_groups(groups: JudgedGroups) -> Iterable[Finding]:
    """Whether descriptions are of known form."""
    if groups.n_untyped:
        said = f"{groups.n_untyped} line(s) of descriptions have labels or values of no known form"
        yield Finding(Rule.TYPED, Verdict.REFUSE, said)


def said_of_search(sought: Sought) -> Iterable[Finding]:
    """What was left out when differences within the request were sought."""
    if sought.said:
        verdict = Verdict.REVIEW if sought.is_ended else Verdict.PASS
        yield Finding(Rule.SEARCH, verdict, f"not all differences within the request were sought: {sought.said}")


def said_of_demands(demands: RuleSets) -> Iterable[Finding]:
    """What held beyond the platform's rules."""
    if demands:
        said = ", ".join(f"{name} {value}" for name, value in strictest(demands).as_json().items())
        yield Finding(Rule.DEMANDS, Verdict.PASS, f"sources, enclosure or permit demand more, and it holds: {said}")
