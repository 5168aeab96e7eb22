"""Attrition with the persons left after each step: what of it may leave beside the sets that are shown.

Persons left are sets like any other. What a step took away follows from the step before, so that it leaves where both
do. Records have no sets of their own: what a step takes of them leaves where it takes none, or all of at least the
minimum of persons; else the records of that chain stay inside, since a few persons may have all that is taken.

Units: distinct persons; k is the permit's minimum count.
Check: tests/unit/release/test_chains.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pyarrow as pa

from enclos.contracts.result import StudyResult
from enclos.release.rules.designs import ATTRITION, Backed

_SUBJECTS, _GONE, _RECORDS, _GONE_RECORDS = "number_subjects", "excluded_subjects", "number_records", "excluded_records"


def follows(result_type: str, variable: str) -> bool:
    """Whether a line tells what a step takes away, which follows from what it leaves."""
    return result_type.endswith(ATTRITION) and variable in {_GONE, _GONE_RECORDS}


@dataclass(slots=True)
class _Step:
    rows: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Of each variable the line and the number in it."""
    left: Backed | None = None

    def number(self, variable: str) -> int:
        text = self.rows.get(variable, (0, ""))[1]
        return int(text) if text.isdigit() else 0


def untold(result: StudyResult, groups: Iterable[Backed], k: int) -> tuple[set[int], set[int]]:
    """The lines of attrition that stay inside because of other steps, and those that do not follow from these.

    In: groups — of all descriptions, those that are hidden marked
    """
    kept: set[int] = set()
    wrong: set[int] = set()
    for chain in _chains(result, groups):
        shows_records = k <= 1 or all(_may_tell_records(*steps, k) for steps in _steps(chain))
        for before, step in _steps(chain):
            taken = (before, step) if before is not None else (step,)
            for left, gone in ((_SUBJECTS, _GONE), (_RECORDS, _GONE_RECORDS)):
                if gone in step.rows:
                    row, text = step.rows[gone]
                    difference = 0 if before is None else before.number(left) - step.number(left)
                    if left not in step.rows or text != str(difference):
                        wrong.add(row)
            if k > 1 and _GONE in step.rows and any(each.left is None or each.left.is_hidden for each in taken):
                kept.add(step.rows[_GONE][0])
            if not shows_records:
                kept.update(row for name, (row, _) in step.rows.items() if name not in {_SUBJECTS, _GONE})
    return kept, wrong


def differences(result: StudyResult, groups: Iterable[Backed]) -> Iterator[tuple[int, int | None, int]]:
    """Each line of what a step takes, with the lines of what the step before and itself leave; the first takes none."""
    for chain in _chains(result, groups):
        for before, step in _steps(chain):
            for left, gone in ((_SUBJECTS, _GONE), (_RECORDS, _GONE_RECORDS)):
                if gone in step.rows and left in step.rows and (before is None or left in before.rows):
                    yield step.rows[gone][0], before.rows[left][0] if before else None, step.rows[left][0]


def _steps(chain: Sequence[_Step]) -> list[tuple[_Step | None, _Step]]:
    return [(None, chain[0]), *pairwise(chain)]


def _may_tell_records(before: _Step | None, step: _Step, k: int) -> bool:
    """Whether records of a step, and what it takes of them, are of none or of the minimum of persons."""
    if step.left is None or step.left.is_hidden:
        return False
    more = step.number(_RECORDS) - len(step.left.having)
    if 0 < more < k:
        return False
    if before is None or before.left is None:
        return True
    gone = before.left.having - step.left.having
    return before.number(_RECORDS) == step.number(_RECORDS) or len(gone) >= k


def _chains(result: StudyResult, groups: Iterable[Backed]) -> Iterable[list[_Step]]:
    types = {each.result_id for each in result.settings if each.result_type.endswith(ATTRITION)}
    left = {each.cell.key: each for each in groups if each.cell.variable_name == _SUBJECTS}
    chains: dict[tuple[int, str, str], dict[int, _Step]] = defaultdict(lambda: defaultdict(_Step))
    for row, line in _lines(result, types & {key[0] for key in left}):
        level = line["variable_level"] or ""
        if not line["additional_level"].isdigit() or line["estimate_value"] is None:
            continue
        step = chains[int(line["result_id"]), line["group_level"], level][int(line["additional_level"])]
        step.rows[line["variable_name"]] = (row, line["estimate_value"])
        head = (int(line["result_id"]), line["group_level"], line["strata_name"], line["strata_level"])
        step.left = step.left or left.get((*head, _SUBJECTS, level, line["additional_level"]))
    for steps in chains.values():
        yield [steps[at] for at in sorted(steps)]


def _lines(result: StudyResult, ids: set[int]) -> Iterable[tuple[int, Mapping[str, str]]]:
    rows = np.flatnonzero(np.isin(result.table["result_id"].to_numpy(), list(ids)))
    yield from zip(rows.tolist(), result.table.take(pa.array(rows)).to_pylist(), strict=True)
