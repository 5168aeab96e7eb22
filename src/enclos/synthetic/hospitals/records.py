"""What the four hospitals recorded, before any format.

Stays are the stays that the PMSI knows under the hospital's FINESS; outpatient and emergency visits, laboratory
results and drugs given are only here.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from enclos.synthetic.illness import Indices
from enclos.synthetic.people import DAYS_A_YEAR, Days, Flags, People
from enclos.synthetic.references import administered_drugs, hospitals, lab_tests
from enclos.synthetic.sheets import Bytes
from enclos.synthetic.stays.model import NONE, Stays, diagnosis

SOURCES = ("hosp-a", "hosp-b", "hosp-c", "hosp-d")
INPATIENT, OUTPATIENT, EMERGENCY = range(3)
PRINCIPAL, RELATED, SECONDARY = range(3)

NO_NIR = 0.05
MISTYPED_NIR = 0.01
_SHIFTED = 0.01
_ONE_IN = 100
"""Of this many patients one has a mistyped birth month, and of this many stays one a mistyped principal diagnosis."""
_SECOND_NUMBER = 0.005
_VISITS_A_YEAR = 0.35
_MINUTES_A_DAY = 1440
_MONTH = 31
_COMMON = ("I10", "E119", "R104", "R074", "S060", "M545", "N390", "J459")


@dataclass(frozen=True, slots=True)
class Patients:
    """Persons under the number that one hospital gave them; a person may have two numbers."""

    person: Indices
    number: Indices
    female: Flags
    birth: Days
    death: Days
    """NEVER when alive, or when the hospital does not know of the death."""
    psa: Bytes
    rank: Indices
    has_nir: Flags
    mistyped: Flags

    def __len__(self) -> int:
        return len(self.person)


@dataclass(frozen=True, slots=True)
class Visits:
    """Visits of one hospital; ``patient`` is a position in its patients, times are minutes since 1970."""

    patient: Indices
    number: Indices
    kind: Indices
    start: Indices
    end: Indices
    died: Flags

    def __len__(self) -> int:
        return len(self.patient)


@dataclass(frozen=True, slots=True)
class Entries:
    """Rows under visits: which visit, what, when it began and ended (minutes), rank or value."""

    visit: Indices
    what: Indices
    start: Indices
    end: Indices
    value: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.visit)


@dataclass(frozen=True, slots=True)
class Record:
    """Everything that one hospital holds about the persons of one chunk."""

    source: str
    finess: str
    patients: Patients
    visits: Visits
    diagnoses: Entries
    """``what``: position of the diagnosis, ``value``: PRINCIPAL, RELATED or SECONDARY."""
    acts: Entries
    laboratory: Entries
    drugs: Entries


def record(
    rng: np.random.Generator, folk: People, found: Stays, place: int, first_visit: int, traps: Counter[str] | None
) -> Record:
    """The record of the hospital at ``place`` (0 to 3 in SOURCES); visits are numbered from ``first_visit``."""
    mine = found.take(np.flatnonzero(found.hospital == place))
    patients, of_person = _patients(rng, folk, np.unique(mine.person), place, traps)
    entry, leave = mine.entry.copy(), mine.leave.copy()
    if traps is not None:
        shifted = (rng.random(len(mine)) < _SHIFTED) & ~mine.certain & (mine.n_sessions == 0)
        step = np.where(rng.random(len(mine)) < 0.5, 1, -1) * shifted
        moved = (entry + step >= folk.enters[mine.person]) & (leave + step < folk.leaves[mine.person])
        entry += step * moved
        leave += step * moved
        traps["hospital_shifted_dates"] += int((shifted & moved).sum())
    kind = np.where(mine.ambulatory | (mine.n_sessions > 0), OUTPATIENT, INPATIENT)
    more_patient, more_day, more_kind = _other_visits(rng, folk, patients)
    patient = np.concatenate([of_person[mine.person], more_patient])
    second = _second_numbers(patients, of_person, np.concatenate([mine.person, patients.person[more_patient]]), patient)
    start = np.concatenate([entry, more_day]) * _MINUTES_A_DAY + 480 + rng.integers(0, 300, len(patient))
    length = np.concatenate([(leave - entry) * _MINUTES_A_DAY, np.zeros(len(more_day), dtype=np.int64)])
    end = start + length + 30 + rng.integers(0, 300, len(patient))
    visits = Visits(
        second,
        first_visit + np.arange(len(patient)),
        np.concatenate([kind, more_kind]),
        start,
        end,
        np.concatenate([mine.died, np.zeros(len(more_day), dtype=bool)]),
    )
    return Record(
        SOURCES[place],
        hospitals()[place].finess,
        patients,
        visits,
        _diagnoses(rng, _mistyped(mine, traps), visits, len(more_day)),
        _acts(mine, visits),
        _laboratory(rng, mine, visits),
        _drugs(rng, mine, visits),
    )


def patient_number(person: Indices, place: int) -> Indices:
    """An eight-digit number, different for every person, in no order."""
    found: Indices = (person * 48_271 + 7_919 * (place + 1)) % 89_999_999 + 10_000_000
    return found


def _patients(
    rng: np.random.Generator, folk: People, persons: Indices, place: int, traps: Counter[str] | None
) -> tuple[Patients, Indices]:
    of_person = np.full(len(folk), NONE, dtype=np.int64)
    of_person[persons] = np.arange(len(persons))
    twice = persons[rng.random(len(persons)) < _SECOND_NUMBER] if traps is not None else persons[:0]
    both = np.concatenate([persons, twice])
    number = np.concatenate(
        [patient_number(folk.first + persons, place), 100_000_000 + patient_number(folk.first + twice, place)]
    )
    birth = folk.birth[both].copy()
    if traps is not None:
        # told by the person and not drawn: the random numbers of what follows stay the same
        wrong = ((folk.first + both) * 613 + place * 29) % _ONE_IN == 41
        birth[wrong] -= _MONTH
        traps["hospital_mistyped_births"] += int(wrong.sum())
    has_nir = rng.random(len(both)) >= NO_NIR
    mistyped = has_nir & (rng.random(len(both)) < MISTYPED_NIR)
    now_second = folk.second_psa[both] != b""
    if traps is not None:
        traps["hospital_second_numbers"] += len(twice)
        traps["hospital_no_nir"] += int((~has_nir).sum())
        traps["hospital_mistyped_nir"] += int(mistyped.sum())
    return (
        Patients(
            both,
            number,
            folk.female[both],
            birth,
            folk.death[both],
            np.where(now_second, folk.second_psa[both], folk.psa[both]),
            folk.rank[both],
            has_nir,
            mistyped,
        ),
        of_person,
    )


def _second_numbers(patients: Patients, of_person: Indices, person: Indices, patient: Indices) -> Indices:
    """Every other visit of a person with two numbers stands under the second."""
    n_first = int((of_person != NONE).sum())
    other = np.full(len(of_person), NONE, dtype=np.int64)
    other[patients.person[n_first:]] = np.arange(n_first, len(patients))
    moved = (other[person] != NONE) & (np.arange(len(person)) % 2 == 1)
    found: Indices = np.where(moved, other[person], patient)
    return found


def _other_visits(rng: np.random.Generator, folk: People, patients: Patients) -> tuple[Indices, Days, Indices]:
    span = np.maximum(folk.leaves - folk.enters, 0)[patients.person]
    n = rng.poisson(_VISITS_A_YEAR * span / DAYS_A_YEAR)
    patient = np.repeat(np.arange(len(patients)), n)
    day = folk.enters[patients.person[patient]] + (rng.random(len(patient)) * span[patient]).astype(np.int64)
    return patient, day, np.where(rng.random(len(patient)) < 0.55, OUTPATIENT, EMERGENCY)


def _mistyped(mine: Stays, traps: Counter[str] | None) -> Stays:
    """The stays as the hospital's record has them: now and then with another principal diagnosis than the PMSI's."""
    if traps is None:
        return mine
    mark = mine.person * 211 + mine.entry * 17
    wrong = (mark % _ONE_IN == 7) & ~mine.certain & (mine.n_sessions == 0)
    common = np.array([diagnosis(code) for code in _COMMON])
    traps["hospital_mistyped_diagnoses"] += int(wrong.sum())
    return replace(mine, dp=np.where(wrong, common[mark // _ONE_IN % len(common)], mine.dp))


def _diagnoses(rng: np.random.Generator, mine: Stays, visits: Visits, n_more: int) -> Entries:
    stay = np.arange(len(mine))
    related = np.flatnonzero(mine.related != NONE)
    secondary, nth = np.nonzero(mine.secondary != NONE)
    common = np.array([diagnosis(code) for code in _COMMON])
    more = len(mine) + np.arange(n_more)
    visit = np.concatenate([stay, related, secondary, more])
    what = np.concatenate(
        [mine.dp, mine.related[related], mine.secondary[secondary, nth], common[rng.integers(0, len(common), n_more)]]
    )
    rank = np.concatenate(
        [
            np.full(len(stay), PRINCIPAL),
            np.full(len(related), RELATED),
            np.full(len(secondary), SECONDARY),
            np.full(n_more, PRINCIPAL),
        ]
    ).astype(float)
    order = np.lexsort((rank, visit))
    visit = visit[order]
    return Entries(visit, what[order], visits.start[visit], visits.end[visit], rank[order])


def _acts(mine: Stays, visits: Visits) -> Entries:
    visit = np.flatnonzero(mine.act != NONE)
    when = np.minimum(visits.start[visit] + 90, visits.end[visit])
    return Entries(visit, mine.act[visit], when, when, np.zeros(len(visit)))


def _laboratory(rng: np.random.Generator, mine: Stays, visits: Visits) -> Entries:
    tests = lab_tests()
    nights = mine.leave - mine.entry
    inpatient = np.flatnonzero((mine.n_sessions == 0) & (~mine.ambulatory | (rng.random(len(mine)) < 0.2)))
    n_draws = 1 + np.minimum(nights[inpatient] // 2, 5)
    draw = np.repeat(np.arange(len(inpatient)), n_draws)
    nth = np.arange(len(draw)) - np.repeat(np.cumsum(n_draws) - n_draws, n_draws)
    asked = rng.random((len(draw), len(tests))) < np.where(nth == 0, 0.75, 0.35)[:, None]
    row, what = np.nonzero(asked)
    visit = inpatient[draw[row]]
    when = np.minimum(visits.start[visit] + 60 + nth[row] * 2 * _MINUTES_A_DAY, visits.end[visit])
    mean, sd = np.array([t.mean for t in tests])[what], np.array([t.sd for t in tests])[what]
    bleeding = np.isin(mine.dp[visit], [diagnosis(code) for code in ("K920", "K921", "K922", "D649")])
    mean = np.where(bleeding & (what == 0), 8.9, mean)
    skewed = np.isin(what, [5, 6, 7, 9])
    value = np.where(skewed, mean * np.exp(rng.normal(0, 0.5, len(what)) - 0.125), rng.normal(mean, sd))
    floor = np.array([t.mean * 0.12 for t in tests])[what]
    rounded: npt.NDArray[np.float64] = np.round(np.maximum(value, floor), 1).astype(np.float64)
    return Entries(visit, what, when, when, rounded)


def _drugs(rng: np.random.Generator, mine: Stays, visits: Visits) -> Entries:
    inpatient = np.flatnonzero((mine.n_sessions == 0) & ~mine.ambulatory)
    n = rng.poisson(2.6, len(inpatient))
    visit = np.repeat(inpatient, n)
    weights = np.array([weight for _, weight, _ in administered_drugs()])
    what = rng.choice(len(weights), len(visit), p=weights / weights.sum())
    start = np.minimum(visits.start[visit] + 120, visits.end[visit])
    nights = (mine.leave - mine.entry)[visit]
    quantity: npt.NDArray[np.float64] = (1 + nights * rng.integers(1, 4, len(visit))).astype(np.float64)
    return Entries(visit, what, start, visits.end[visit], quantity)
