"""Tables of levels and strata: what the margins would tell is hidden, and no more."""

from __future__ import annotations

from itertools import combinations

from pyroaring import BitMap

from enclos.contracts.result import OVERALL
from enclos.release.rules.groups import Noting, Seen
from enclos.release.rules.tables import Entry, Place, telling

AGES, SEXES = ("young", "middle", "old"), ("Female", "Male")


def table(counts: dict[tuple[str, str], int]) -> dict[Place, Entry]:
    """Counts of sex and age with both margins."""
    persons, first = {}, 0
    for place, n in counts.items():
        persons[place] = BitMap(range(first, first + n))
        first += n

    def of(*, sex: str | None = None, age: str | None = None) -> BitMap:
        kept = [each for (s, a), each in persons.items() if sex in {None, s} and age in {None, a}]
        return BitMap.union(BitMap(), *kept)

    entries = {(OVERALL, OVERALL, age): Entry(of(age=age), of(), is_kept=False) for age in AGES}
    for sex in SEXES:
        for age in AGES:
            entries["sex", sex, age] = Entry(of(sex=sex, age=age), of(sex=sex), is_kept=False)
    return entries


def asked(counts: dict[tuple[str, str], int], hidden: list[Place]) -> set[bytes]:
    entries = table(counts)
    shown = {entry.persons.serialize() for place, entry in entries.items() if place not in hidden}
    sizes = {entry.among.serialize() for entry in entries.values()}
    return telling(entries, shown | sizes, shown, 11)


TOWN = {("Female", "young"): 60, ("Female", "middle"): 60, ("Female", "old"): 6, ("Male", "young"): 0}
TOWN |= {("Male", "middle"): 60, ("Male", "old"): 60}


def test_margins_of_both_ways_tell_no_cell() -> None:
    old, young = ("sex", "Female", "old"), ("sex", "Female", "young")
    assert asked(TOWN, [old])
    assert asked(TOWN, [old, young, ("sex", "Male", "old")])  # all young are the women, since no man is young


def test_a_cell_that_stays_wide_hides_nothing_more() -> None:
    many = {**TOWN, ("Male", "young"): 40}
    corners = [("sex", sex, age) for sex in SEXES for age in ("young", "old")]
    assert not asked(many, corners)
    assert not asked({**many, ("Female", "old"): 50}, [])


def test_what_was_found_of_a_table_holds_while_what_it_asked_for_is_the_same() -> None:
    entries = table({**TOWN, ("Male", "young"): 4})
    hidden = [(OVERALL, OVERALL, "old"), *(("sex", sex, age) for sex in SEXES for age in ("young", "old"))]
    free = {entry.persons.serialize() for place, entry in entries.items() if place not in hidden}
    sizes = {entry.among.serialize() for entry in entries.values()}
    elsewhere = BitMap(range(5000, 5100)).serialize()  # no set of this table
    shown = [
        free | sizes | {entries[place].persons.serialize() for place in told} | more
        for n in range(len(hidden) + 1)
        for told in combinations(hidden, n)
        for more in (set(), {elsewhere})
    ]
    found: list[Seen] = []
    for known in shown:
        asked = Noting(known)
        found.append(Seen((), free, asked.answers, telling(entries, asked, free, 11)))
    held = [
        (seen, again)
        for seen in found
        for known, again in zip(shown, found, strict=True)
        if seen.holds((), free, known)
    ]
    assert len(held) >= 2 * len(found)  # the other set changes nothing
    assert all(seen.hidden == again.hidden for seen, again in held)
    assert len({frozenset(seen.hidden) for seen in found}) > 1
    assert not found[0].holds((True,), free, shown[0])
    assert not found[0].holds((), free - {next(iter(free))}, shown[0])
