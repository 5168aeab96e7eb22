"""Two permits' numbers of one person have nothing in common: matching by them does no better than chance.

Whoever holds both views and no key may compare numbers, their order, remainders and bits, and the order of rows.
"""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from enclos.app.permits import perimeter_of
from enclos.app.snapshots import reading_snapshot
from enclos.app.sql import ask
from enclos.lexicon.ids import ORDINAL_MASK
from factories.enclosure import ALICE, open_home, permit_text, run_cli

pytestmark = pytest.mark.system("bubblewrap")

PERMITS = ("FR-LINK-A", "FR-LINK-B")
SIGMAS = 5.5
"""Of the normal bound of each comparison: 150 comparisons are all within it but once in 170 000 runs."""
MOST_BY_CHANCE = 10
"""Right pairs of a random matching are Poisson with mean 1: more than 10 once in 10^8 runs."""


@pytest.fixture(scope="module")
def views(built, tmp_path_factory):
    """For each permit: persons as a query shows them; and the truth: the two numbers of each person, side by side."""
    folder = tmp_path_factory.mktemp("unlinkable")
    home = folder / "home"
    shutil.copytree(built, home)
    for permit in PERMITS:
        text = permit_text(permit).replace("access: aggregates", "access: rows")
        (folder / "permit.yaml").write_text(text, encoding="utf-8")
        run_cli("permit", "sign", home, folder / "permit.yaml")
        run_cli("permit", "open", home, permit)
    with open_home(home) as enclosure:

        def answer(permit: str, sql: str) -> list[dict[str, object]]:
            return ask(enclosure, permit=permit, user=ALICE, text=sql, unconfined_for_trying_out=True).table.to_pylist()

        shown = {
            permit: [row["person_id"] for row in answer(permit, "SELECT person_id FROM person")] for permit in PERMITS
        }
        few = {
            permit: {row["person_id"] for row in answer(permit, "SELECT person_id FROM person LIMIT 200")}
            for permit in PERMITS
        }
        rows = {
            permit: answer(permit, "SELECT person_id, condition_occurrence_id AS id FROM condition_occurrence")
            for permit in PERMITS
        }
        places = {
            permit: {row["location_id"] for row in answer(permit, "SELECT location_id FROM person")}
            for permit in PERMITS
        }
        with reading_snapshot(enclosure) as (engine, snapshot):
            one, other = (perimeter_of(enclosure, permit, engine, snapshot).rows() for permit in PERMITS)
    pairs = one.join(other.drop_columns("bucket"), "person_id", right_suffix="_b")
    truth = np.column_stack(
        [pairs[name].to_numpy() for name in ("permit_person", "permit_person_b", "person_id", "bucket")]
    ).astype(np.int64)
    return {"shown": shown, "few": few, "rows": rows, "places": places, "truth": truth}


def right(views, one, other) -> int:
    """How many of the pairs are two numbers of one person."""
    pairs = {(int(a), int(b)) for a, b in views["truth"][:, :2]}
    return sum((int(a), int(b)) in pairs for a, b in zip(one, other, strict=True))


def test_both_views_show_everybody(views):
    first, second = (views["shown"][permit] for permit in PERMITS)
    assert len(views["truth"]) == len(set(first)) == len(set(second)) > 1000


def test_no_number_is_used_twice(views):
    first, second = (set(views["shown"][permit]) for permit in PERMITS)
    assert not first & second
    assert not first & set(views["truth"][:, 2].tolist())
    places = [{place for place in views["places"][permit] if place} for permit in PERMITS]
    assert places[0] and not places[0] & places[1]


def test_neither_rank_nor_the_order_of_rows_matches_persons(views):
    first, second = (views["shown"][permit] for permit in PERMITS)
    assert right(views, sorted(first), sorted(second)) <= MOST_BY_CHANCE
    assert right(views, first, second) <= MOST_BY_CHANCE
    persons = [list(dict.fromkeys(row["person_id"] for row in views["rows"][permit])) for permit in PERMITS]
    assert right(views, *persons) <= MOST_BY_CHANCE


def test_the_first_rows_of_both_are_no_common_selection(views):
    other = dict(views["truth"][:, :2].tolist())
    n, few = len(other), views["few"][PERMITS[0]]
    common = len({other[person] for person in few} & views["few"][PERMITS[1]])
    expected = 200 * 200 / n
    assert common <= expected + SIGMAS * expected**0.5


def test_remainders_bits_differences_and_ranks_agree_as_chance_does(views):
    truth = views["truth"]
    first, second, n = truth[:, 0], truth[:, 1], len(truth)

    def agrees_by_chance(agree: np.ndarray, expected: float) -> bool:
        return abs(int(agree.sum()) - n * expected) <= SIGMAS * (n * expected * (1 - expected)) ** 0.5

    for modulus in range(2, 65):
        assert agrees_by_chance(first % modulus == second % modulus, 1 / modulus), modulus
    for bit in range(43):
        assert agrees_by_chance((first >> bit) & 1 == (second >> bit) & 1, 0.5), bit
    for combined in (first - second, first ^ second, first + second):
        assert len(np.unique(combined)) == n
    ranks = [
        np.argsort(np.argsort(column)) for column in (first, second, truth[:, 2], truth[:, 3] * 2**43 + truth[:, 2])
    ]
    for one in range(2):
        for other in range(one + 1, 4):
            assert abs(np.corrcoef(ranks[one], ranks[other])[0, 1]) <= SIGMAS / n**0.5


def test_a_row_s_number_adds_nothing_but_its_ordinal_which_is_content(views):
    for permit in PERMITS:
        assert all(row["id"] >> 20 == row["person_id"] for row in views["rows"][permit])
    ordinals = [sorted(row["id"] & ORDINAL_MASK for row in views["rows"][permit]) for permit in PERMITS]
    assert ordinals[0] == ordinals[1]
