"""An integer programme over everything that was released about a town recovers nobody; over the bare tables it does."""

from __future__ import annotations

from functools import cache
from itertools import product

import pytest

from enclos.contracts.result import HIDDEN, StudyResult, result_from_csv
from factories.desk import Desk, sets_shown
from factories.synthetic_town import KINDS, Resident, counted, tables, town
from oracle.reconstruction import Kinds, Recovered, reconstruct

K = 11
N_PERSONS = 600


@cache
def attacked(seed: int, *, with_register: bool) -> tuple[Recovered, Recovered]:
    """What is recovered from the bare tables, and from what the desk let out of them."""
    residents = town(N_PERSONS, seed)
    asked, of_kinds = tables(residents), tables(KINDS)
    sizes = counted(residents)
    bare = told([each.table.to_pylist() for each in asked], of_kinds, sizes)
    desk, released = Desk(K), []
    for each in asked:
        said = desk.ask(each)
        if said.leaves:
            desk.release(said)
        released.append(result_from_csv(said.table.encode("utf-8"))[0].to_pylist() if said.leaves else [])
    safe = told(released, of_kinds, sizes)
    register = number({registered(sex, band): 0 for sex, band in product(("Female", "Male"), range(5))}, sizes)
    targets = [*number({frozenset({at}): 0 for at in range(len(KINDS))}, sizes).items(), *bare.items()]
    if with_register:
        bare, safe = {**bare, **register}, {**safe, **register}
        targets = [(group, n) for group, n in targets if group not in register]
    return reconstruct(len(KINDS), bare, targets, K), reconstruct(len(KINDS), safe, targets, K)


def registered(sex: str, band: int) -> Kinds:
    return frozenset(at for at, kind in enumerate(KINDS) if (kind.sex, kind.band) == (sex, band))


def told(shown: list[list[dict[str, object]]], of_kinds: list[StudyResult], sizes: dict[int, int]) -> dict[Kinds, int]:
    """The groups of kinds whose numbers tables show."""
    groups = set().union(*(sets_shown(one, rows) for one, rows in zip(of_kinds, shown, strict=True)))
    return number(dict.fromkeys(groups, 0), sizes)


def number(groups: dict[Kinds, int], sizes: dict[int, int]) -> dict[Kinds, int]:
    return {group: sum(sizes[kind] for kind in group) for group in groups}


@pytest.mark.parametrize("with_register", [False, True])
@pytest.mark.parametrize("seed", [1, 2])
def test_nobody_is_recovered_from_a_release_and_many_are_from_the_bare_tables(
    seed: int, *, with_register: bool
) -> None:
    bare, safe = attacked(seed, with_register=with_register)
    assert bare.n_tried >= 20
    assert len(bare.known) >= 20
    assert safe.n_tried == bare.n_tried
    assert not safe.known


@pytest.mark.parametrize("seed", [1, 2])
def test_the_release_that_recovers_nobody_still_says_something(seed: int) -> None:
    asked = tables(town(N_PERSONS, seed))
    desk = Desk(K)
    rows = [row for each in asked for row in result_from_csv(desk.ask(each).table.encode("utf-8"))[0].to_pylist()]
    counts = [
        row["estimate_value"] for row in rows if row["estimate_name"] in {"count", "outcome_count", "denominator_count"}
    ]
    assert sum(value != HIDDEN for value in counts) / len(counts) >= 0.4


def test_the_attack_solves_what_it_is_given() -> None:
    parts = {frozenset({0, 1}): 30, frozenset({0}): 27}
    assert reconstruct(2, parts, [(frozenset({1}), 3)], K).known == {frozenset({1}): 3}
    assert not reconstruct(2, {frozenset({0, 1}): 30}, [(frozenset({1}), 3)], K).known


def test_every_kind_is_a_resident_once() -> None:
    assert len(set(KINDS)) == len(KINDS) == 40
    assert all(isinstance(kind, Resident) for kind in KINDS)
