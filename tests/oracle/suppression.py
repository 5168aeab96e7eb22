"""An attacker who has nothing but the released table.

Reads the lines as anybody can, writes down every sum that the labels promise, and asks a linear programme how small
and how large each hidden number can be. Knows nothing of the engine's rules, its person sets or what it hid first.

Knows: both sexes are men and women; ages that tile an age group add up for events and days, and cover its persons;
years that tile a period add up for events and days, and cover its persons; more prior observation is fewer persons;
events are at most persons, persons at most days; what is left after a reason and what it took was there before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import combinations, pairwise
from typing import Any

import numpy as np
from scipy.optimize import linprog

HIDDEN = "-"
KINDS = {"outcome_count": "events", "denominator_count": "persons", "person_days": "days"}
Key = tuple[Any, ...]


@dataclass
class Attack:
    """What is shown, what is not, and how it hangs together."""

    shown: dict[Key, int] = field(default_factory=dict)
    unknown: dict[Key, int] = field(default_factory=dict)
    equal: list[dict[Key, int]] = field(default_factory=list)
    at_most: list[dict[Key, int]] = field(default_factory=list)

    def learn(self, key: Key, value: str) -> None:
        if value == HIDDEN:
            self.unknown.setdefault(key, len(self.unknown))
        else:
            self.shown[key] = int(value)

    def knows(self, key: Key) -> bool:
        return key in self.shown or key in self.unknown

    def add_up(self, total: Key, parts: Sequence[Key]) -> None:
        if parts and all(map(self.knows, (total, *parts))):
            self.equal.append({total: -1, **dict.fromkeys(parts, 1)})

    def cover(self, total: Key, parts: Sequence[Key]) -> None:
        if parts and all(map(self.knows, (total, *parts))):
            self.at_most.append({total: 1, **dict.fromkeys(parts, -1)})

    def within(self, part: Key, total: Key, times: int = 1) -> None:
        if self.knows(part) and self.knows(total):
            self.at_most.append({part: 1, total: -times})

    def interval(self, key: Key) -> tuple[float, float]:
        """The smallest and the largest value that a hidden number can have."""
        weights = np.zeros(len(self.unknown))
        weights[self.unknown[key]] = 1.0
        ends = []
        for sign in (1.0, -1.0):
            solved = linprog(
                sign * weights,
                **self._rows("eq", self.equal),
                **self._rows("ub", self.at_most),
                bounds=(0, None),
                method="highs",
            )
            assert solved.status in {0, 3}, "the released table contradicts itself"
            ends.append(sign * solved.fun if solved.status == 0 else -sign * np.inf)
        return ends[0], ends[1]

    def _rows(self, name: str, relations: Iterable[Mapping[Key, int]]) -> dict[str, Any]:
        rows, limits = [], []
        for relation in relations:
            row = np.zeros(len(self.unknown))
            limit = 0
            for key, weight in relation.items():
                if key in self.shown:
                    limit -= weight * self.shown[key]
                else:
                    row[self.unknown[key]] += weight
            if row.any():
                rows.append(row)
                limits.append(limit)
        return {f"A_{name}": np.array(rows), f"b_{name}": np.array(limits)} if rows else {}


def attack_of(rows: Sequence[Mapping[str, Any]], settings: Mapping[int, Mapping[str, str]]) -> Attack:
    """Everything that the released lines tell. Keys: (kind, analysis, outcome, age, sex, prior, first, last)."""
    attack = Attack()
    chains: dict[Key, list[tuple[str, str]]] = defaultdict(list)
    for row in rows:
        who = _who(row, settings[row["result_id"]])
        if row["strata_name"] == "reason":
            if row["estimate_value"] is not None and row["variable_name"].endswith("_subjects"):
                attack.learn((row["variable_name"], *who, row["strata_level"]), row["estimate_value"])
                chains[who].append((row["variable_name"], row["strata_level"]))
        elif row["estimate_name"] in KINDS:
            first, last = (date.fromisoformat(day) for day in row["additional_level"].split(" &&& ")[:2])
            attack.learn((KINDS[row["estimate_name"]], *who, first, last), row["estimate_value"])
    _within_cells(attack)
    _between_strata(attack)
    _over_time(attack)
    for who, steps in chains.items():
        reasons = list(dict.fromkeys(reason for _, reason in steps))
        for before, now in pairwise(reasons):
            left = [("number_subjects", *who, reason) for reason in (before, now)]
            attack.add_up(left[0], [left[1], ("excluded_subjects", *who, now)])
    return attack


def _who(row: Mapping[str, Any], values: Mapping[str, str]) -> Key:
    youngest, oldest = values["denominator_age_group"].split(" to ")
    return (
        values["analysis_outcome_washout"],
        row["group_level"].split(" &&& ")[1],
        (int(youngest), int(oldest)),
        values["denominator_sex"],
        int(values["denominator_days_prior_observation"]),
    )


def _cells(attack: Attack) -> list[Key]:
    return sorted({key[1:] for key in (*attack.shown, *attack.unknown) if key[0] in KINDS.values()})


def _within_cells(attack: Attack) -> None:
    for cell in _cells(attack):
        events, persons, days = (("events", *cell), ("persons", *cell), ("days", *cell))
        attack.within(events, persons)
        attack.within(persons, days)
        attack.within(days, persons, times=(cell[-1] - cell[-2]).days + 1)


def _between_strata(attack: Attack) -> None:
    cells = _cells(attack)
    ages = {cell[2] for cell in cells}
    for analysis, outcome, age, sex, prior, first, last in cells:

        def at(kind: str, age: Any = age, sex: str = sex, prior: int = prior, rest: Key = (first, last)) -> Key:
            return (kind, analysis, outcome, age, sex, prior, *rest)  # noqa: B023 - used at once

        for kind in KINDS.values():
            if sex == "Both":
                attack.add_up(at(kind), [at(kind, sex="Male"), at(kind, sex="Female")])
                attack.within(at(kind, sex="Male"), at(kind))
                attack.within(at(kind, sex="Female"), at(kind))
            for parts in _tilings(age, ages):
                pieces = [at(kind, age=part) for part in parts]
                if kind == "persons":
                    attack.cover(at(kind), pieces)
                else:
                    attack.add_up(at(kind), pieces)
            for part in ages:
                if part != age and age[0] <= part[0] and part[1] <= age[1]:
                    attack.within(at(kind, age=part), at(kind))
            for longer in {cell[4] for cell in cells if cell[4] > prior}:
                attack.within(at(kind, prior=longer), at(kind))


def _tilings(age: tuple[int, int], ages: Iterable[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    inside = sorted(part for part in ages if part != age and age[0] <= part[0] and part[1] <= age[1])
    return [
        list(parts)
        for n in range(2, len(inside) + 1)
        for parts in combinations(inside, n)
        if parts[0][0] == age[0] and parts[-1][1] == age[1] and all(b[0] == a[1] + 1 for a, b in pairwise(parts))
    ]


def _over_time(attack: Attack) -> None:
    by_who: dict[Key, list[Key]] = defaultdict(list)
    for cell in _cells(attack):
        by_who[cell[:-2]].append(cell[-2:])
    for who, windows in by_who.items():
        for first, last in windows:
            inside = [w for w in windows if first <= w[0] and w[1] <= last and w != (first, last)]
            tiles = sum((w[1] - w[0]).days + 1 for w in inside) == (last - first).days + 1
            for kind in KINDS.values():
                whole, pieces = (kind, *who, first, last), [(kind, *who, *window) for window in inside]
                for piece in pieces:
                    attack.within(piece, whole)
                if tiles and kind == "persons":
                    attack.cover(whole, pieces)
                elif tiles:
                    attack.add_up(whole, pieces)
