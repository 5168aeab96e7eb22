"""A stay, the codes it carries, and what all stays have in common: a hospital nearby, secondary diagnoses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache

import numpy as np
import numpy.typing as npt

from enclos.synthetic.illness import Indices
from enclos.synthetic.people import Days, Flags, People
from enclos.synthetic.references import departments, hospitals, labels, stay_kinds, weighted_codes

NONE = -1
"""No code."""


@cache
def diagnoses() -> tuple[str, ...]:
    """All codes that stays may carry; stays hold positions in it."""
    return tuple(labels("cim10.csv"))


@cache
def acts() -> tuple[str, ...]:
    """All CCAM codes that stays may carry."""
    return tuple(labels("ccam.csv"))


@cache
def diagnosis(code: str) -> int:
    """Position of a diagnosis."""
    return diagnoses().index(code)


@cache
def act(code: str) -> int:
    """Position of an act; NONE for the empty code."""
    return acts().index(code) if code else NONE


@cache
def ghm_roots() -> tuple[str, ...]:
    """Roots of the groups that stays may fall into. They are plausible; grouping is not reproduced."""
    special = ("28Z04", "28Z07", "28Z17", "28Z11", "14Z14", "15M05", "23Z02", "06K02", "06M03", "05M04", "90Z00")
    return tuple(sorted({kind.ghm_root for kind in stay_kinds()} | set(special)))


@cache
def ghm_root(code: str) -> int:
    """Position of a root."""
    return ghm_roots().index(code)


@dataclass(frozen=True, slots=True)
class Stays:
    """Stays of a chunk; every array has one element a stay."""

    person: Indices
    entry: Days
    leave: Days
    """Day of discharge; the day of entry for a stay without a night."""
    dp: Indices
    related: Indices
    """DR, or NONE."""
    secondary: npt.NDArray[np.int64]
    """n × 3 positions of diagnoses, or NONE."""
    act: Indices
    ghm: Indices
    hospital: Indices
    ambulatory: Flags
    n_sessions: Indices
    """0 for what is not a session."""
    emergency: Flags
    died: Flags
    certain: Flags
    """Stays of the studied outcomes: no trap may hide them."""

    def __len__(self) -> int:
        return len(self.person)

    def take(self, chosen: Indices | Flags) -> Stays:
        """Some of the stays."""
        return Stays(*(getattr(self, field.name)[chosen] for field in fields(self)))


def joined(parts: Sequence[Stays]) -> Stays:
    """Several sets of stays as one."""
    return Stays(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Stays)))


def made(
    rng: np.random.Generator,
    folk: People,
    person: Indices,
    entry: Days,
    nights: Indices,
    dp: Indices,
    root: Indices,
    *,
    procedure: Indices | None = None,
    related: Indices | None = None,
    ambulatory: Flags | None = None,
    sessions: Indices | None = None,
    emergency: float = 0.0,
    certain: bool = False,
    hospital: Indices | None = None,
) -> Stays:
    """Stays of the named persons; the rest is drawn, or as given. Nobody stays beyond death or the data."""
    n = len(person)
    alive_until = np.minimum(folk.death[person], folk.end - 1)
    leave = np.minimum(entry + nights, alive_until)
    nothing = np.full(n, NONE, dtype=np.int64)
    session = sessions if sessions is not None else np.zeros(n, dtype=np.int64)
    return Stays(
        person,
        entry,
        leave,
        dp,
        nothing if related is None else related,
        _secondary(rng, folk, person, entry, session > 0),
        nothing if procedure is None else procedure,
        root,
        near(rng, folk, person) if hospital is None else hospital,
        np.zeros(n, dtype=bool) if ambulatory is None else ambulatory,
        session,
        (rng.random(n) < emergency) & (session == 0),
        (leave == folk.death[person]) & (session == 0),
        np.full(n, certain),
    )


@cache
def _hospital_choice() -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Per department: the hospitals it goes to, and the cumulated shares."""
    places = hospitals()
    served = sorted({place.department for place in places})
    options = np.zeros((len(departments()), 3), dtype=np.int64)
    shares = np.zeros((len(departments()), 3))
    for index, department in enumerate(departments()):
        near = department.number if department.number in served else served[(index * 7) % len(served)]
        local = [number for number, place in enumerate(places) if place.department == near]
        local = (local * 3)[:3]
        options[index] = local
        shares[index] = (0.6, 0.85, 1.0)
    return options, shares


def near(rng: np.random.Generator, folk: People, person: Indices) -> Indices:
    """A hospital for each person: mostly one of the department, or of the one that serves it."""
    options, shares = _hospital_choice()
    home = folk.department[person]
    roll = rng.random(len(person))
    nth = (roll[:, None] >= shares[home]).sum(axis=1)
    chosen = options[home, np.minimum(nth, 2)]
    away = rng.random(len(person)) < 0.06
    elsewhere = rng.integers(0, len(hospitals()), len(person))
    found: Indices = np.where(away, elsewhere, chosen)
    return found


def _secondary(
    rng: np.random.Generator, folk: People, person: Indices, entry: Days, session: Flags
) -> npt.NDArray[np.int64]:
    codes, weights = weighted_codes("secondary_diagnoses.csv")
    positions = np.array([diagnosis(code) for code in codes])
    share = np.array(weights) / sum(weights)
    age = folk.age(entry, person)
    n = np.minimum(rng.poisson(np.where(session, 0.0, np.maximum(age - 20, 1) / 32)), 3)
    first = rng.choice(len(codes), len(person), p=share)
    second = (first + 1 + rng.integers(0, len(codes) - 1, len(person))) % len(codes)
    third = np.where((second + 1) % len(codes) == first, (first + 1) % len(codes), (second + 1) % len(codes))
    found = positions[np.stack([first, second, third], axis=1)]
    found[np.arange(3)[None, :] >= n[:, None]] = NONE
    return np.asarray(found)


def same(like: Indices, value: int) -> Indices:
    """One value for each element."""
    return np.full(len(like), value, dtype=np.int64)


def nth_of(n: Indices) -> Indices:
    """0, 1, … n-1 for each count, one after another."""
    found: Indices = np.arange(int(n.sum())) - np.repeat(np.cumsum(n) - n, n)
    return found
