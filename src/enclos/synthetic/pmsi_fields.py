"""The PMSI beside medicine: external care, rehabilitation, home and psychiatry, in the deliveries of the PMSI.

Random numbers come from a stream of their own: nothing else of a France moves with what is drawn here.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from enclos.synthetic.illness import Indices
from enclos.synthetic.people import DAYS_A_YEAR, NEVER, Days, Flags, People, pseudonyms
from enclos.synthetic.references import hospitals, layout
from enclos.synthetic.sheets import Bytes, Deliveries, Field, block, day, digits, line, number, render, texts
from enclos.synthetic.stay_lists import codes
from enclos.synthetic.stays.model import acts, diagnoses, diagnosis, near, nth_of

STREAM = 3001
"""What tells the stream of these tables from others of the same chunk."""
ACE_RETURN_CODES = tuple(name for name in layout("T_MCOaaCSTC") if name.endswith("_RET"))
RETURN_CODES = tuple(name for name in layout("T_SSRaaC") if name.endswith("_RET"))
FIELD_TABLES: tuple[tuple[str, str], ...] = (
    *(("MCO", table) for table in ("CSTC", "FBSTC", "FMSTC", "FLSTC", "FHSTC")),
    *(("SSR", table) for table in ("C", "B", "D", "CSARR")),
    *(("HAD", table) for table in ("C", "B", "GRP", "D", "DMPP")),
    *(("RIP", table) for table in ("C", "RSA", "RSAD", "R3A")),
)
"""What is delivered of each field."""
_POPULATION = 68.6e6
_EMERGENCIES = 16.7e6 / _POPULATION
"""Per person-year. Source: DREES, emergency visits without hospital stay, by way of marginals.csv."""
_CONSULTATIONS = 0.25
_REHABILITATIONS, _REHABILITATION_DAYS = 1.0e6 / _POPULATION, 33.4
_AT_HOME, _AT_HOME_DAYS = 116_000 / _POPULATION, 44.8
_PSYCHIATRIC, _PSYCHIATRIC_DAYS = 420_000 / _POPULATION, 45.0
"""Persons a year and days of each. Source: ATIH 2017 by way of marginals.csv; days of psychiatry are ours."""
_PSYCHIATRIC_ACTS = 0.1
"""Ambulatory acts of psychiatry per person-year; fewer than the published 21.4 million, since none can be used."""
_BAD_RETURN = {"ACE": 0.02, "SSR": 0.0122, "HAD": 0.0015, "RIP": 0.0352}
"""Source: CNAM, stays in error in 2017."""
_UNGROUPABLE = 0.004
_DOUBLED = {"75": "750100018", "13": "130780521", "69": "690783154"}
"""A geographic FINESS that doubled a department's public hospitals until 2017; of Lyons not the external care."""
LAST_DOUBLED_YEAR = 2017


@dataclass(frozen=True, slots=True)
class _Care:
    """Stays of one field; every array has one element a stay."""

    person: Indices
    entry: Days
    leave: Days
    died: Flags
    place: Indices
    """Position of the FINESS in ``_places()``."""

    def __len__(self) -> int:
        return len(self.person)

    def take(self, chosen: Indices | Flags) -> _Care:
        return _Care(*(getattr(self, name)[chosen] for name in self.__slots__))


def places() -> list[str]:
    """The FINESS of every hospital, then those that double some of them."""
    return [*(place.finess for place in hospitals()), *_DOUBLED.values()]


def doubling(place: Indices, *, external: bool = False) -> Indices:
    """The position of the FINESS under which each hospital's stays were sent again; -1 where there is none."""
    own = list(_DOUBLED)
    found = [
        len(hospitals()) + own.index(h.department)
        if h.public and h.department in own and not (external and h.department == "69")
        else -1
        for h in hospitals()
    ]
    return np.array([*found, *([-1] * len(own))], dtype=np.int64)[place]


def year_of(days: Days) -> npt.NDArray[np.int64]:
    """The year of each day."""
    found: npt.NDArray[np.int64] = days.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    return found


class FieldWriter:
    """Writes the other fields of chunk after chunk into the deliveries of their year."""

    def __init__(self, deliveries: Deliveries, years: tuple[int, int]) -> None:
        self._deliveries = deliveries
        self._years = range(years[0], years[1] + 1)
        self._next: Counter[tuple[str, int]] = Counter()
        for year in self._years:
            for field, table in FIELD_TABLES:
                name = f"T_{field}{year % 100:02d}{table}"
                deliveries.sheet(f"snds-pmsi-{year}", f"{name}.csv", name, layout(f"T_{field}aa{table}"))

    def write(self, rng: np.random.Generator, folk: People, traps: Counter[str] | None) -> None:
        """Write one chunk."""
        age = folk.age(folk.enters)
        old, even = np.minimum((age / 75) ** 3, 3.0), np.ones(len(folk))
        adult = (age > 15).astype(float)
        emergencies = _drawn(rng, folk, _EMERGENCIES, 0.0, even)
        consultations = _drawn(rng, folk, _CONSULTATIONS, 0.0, even)
        self._external(rng, folk, emergencies, consultations, traps)
        self._rehabilitation(rng, folk, _drawn(rng, folk, _REHABILITATIONS, _REHABILITATION_DAYS, old), traps)
        self._at_home(rng, folk, _drawn(rng, folk, _AT_HOME, _AT_HOME_DAYS, old), traps)
        self._psychiatry(rng, folk, _drawn(rng, folk, _PSYCHIATRIC, _PSYCHIATRIC_DAYS, adult), traps)

    def _put(self, year: int, field: str, table: str, n: int, fields: list[Field]) -> None:
        name = f"T_{field}{year % 100:02d}{table}"
        self._deliveries.write(self._deliveries.begun(f"snds-pmsi-{year}", f"{name}.csv"), render(n, fields), n)

    def _by_year(self, field: str, care: _Care, width: int) -> list[tuple[int, Indices, Bytes]]:
        """Year, the stays that ended in it and their keys."""
        year = year_of(care.leave)
        found = []
        for one in self._years:
            mine = np.flatnonzero(year == one)
            rank = self._next[field, one] + 1 + np.arange(len(mine))
            self._next[field, one] += len(mine)
            keys = block(len(mine), line((texts(places()), care.place[mine]), list(digits(rank, width)))[:-1])
            found.append((one, mine, keys))
        return found

    def _doubled(self, rng: np.random.Generator, care: _Care, field: str, traps: Counter[str] | None) -> _Care:
        """The stays and, to 2017, those that a geographic FINESS sent again."""
        again = doubling(care.place, external=field == "ACE")
        chosen = np.flatnonzero(
            (again >= 0) & (year_of(care.leave) <= LAST_DOUBLED_YEAR) & (rng.random(len(care)) < 0.5)
        )
        if traps is None:
            return care
        traps[f"{field.lower()}_doubled_finess"] += len(chosen)
        copy = care.take(chosen)
        copy.place[:] = again[chosen]
        return _Care(*(np.concatenate([getattr(care, n), getattr(copy, n)]) for n in _Care.__slots__))

    def _chaining(
        self,
        rng: np.random.Generator,
        folk: People,
        care: _Care,
        field: str,
        names: tuple[str, ...],
        traps: Counter[str] | None,
    ) -> tuple[Bytes, Indices]:
        """Whose each stay is, and which of its return codes is not 0 (-1: none)."""
        wrong = rng.random(len(care)) < (_BAD_RETURN[field] if traps is not None else 0.0)
        which = rng.integers(0, len(names), len(care))
        if traps is not None:
            traps[f"{field.lower()}_return_codes_not_0"] += int(wrong.sum())
        psa = np.where(care.entry >= folk.switch[care.person], folk.second_psa[care.person], folk.psa[care.person])
        return psa, np.where(wrong, which, -1)

    @staticmethod
    def _c_line(keys: Bytes, psa: Bytes, care: _Care, bad: Indices, names: tuple[str, ...]) -> list[Field]:
        returns: list[Field] = [(texts(["0", "1"]), (bad == index).astype(np.int64)) for index in range(len(names))]
        return line(keys, psa, [day(care.entry), b" 00:00:00"], [day(care.leave), b" 00:00:00"], *returns)

    def _external(
        self, rng: np.random.Generator, folk: People, urgent: _Care, planned: _Care, traps: Counter[str] | None
    ) -> None:
        care = _Care(*(np.concatenate([getattr(urgent, n), getattr(planned, n)]) for n in _Care.__slots__))
        emergency = np.arange(len(care)) < len(urgent)
        public = np.flatnonzero([h.public for h in hospitals()])
        care.place[:] = public[care.place % len(public)]
        n = len(care)
        care = self._doubled(rng, care, "ACE", traps)
        # a copy is of the first care of the same person and day
        origin = {
            (p, d): i for i, (p, d) in enumerate(zip(care.person[:n].tolist(), care.entry[:n].tolist(), strict=True))
        }
        copies = [origin[p, d] for p, d in zip(care.person[n:].tolist(), care.entry[n:].tolist(), strict=True)]
        emergency = emergency[np.concatenate([np.arange(n), np.array(copies, dtype=np.int64)])]
        psa, bad = self._chaining(rng, folk, care, "ACE", ACE_RETURN_CODES, traps)
        roll, which = rng.random(len(care)), rng.integers(0, 1000, len(care))
        if traps is not None:
            traps["ace_emergencies"] += int(emergency.sum())
        imaging = [position for position, code in enumerate(acts()) if code.startswith(("Z", "A", "D"))]
        for year, mine, keys in self._by_year("ACE", care, 8):
            self._put(
                year,
                "MCO",
                "CSTC",
                len(mine),
                self._c_line(keys, psa[mine], care.take(mine), bad[mine], ACE_RETURN_CODES),
            )
            kind = np.where(emergency[mine], 0, 1 + which[mine] % 2)
            self._put(year, "MCO", "FBSTC", len(mine), line(keys, (texts(["ATU", "CS", "CNPSY"]), kind), b"1", b"0"))
            act = np.flatnonzero(roll[mine] < 0.15)
            code = np.array(imaging)[which[mine][act] % len(imaging)]
            self._put(year, "MCO", "FMSTC", len(act), line((keys, act), (texts(acts()), code), b"0", b"1", b"0"))
            analysis = np.flatnonzero((roll[mine] > 0.1) & (roll[mine] < 0.35))
            code = which[mine][analysis] % len(codes("NABM"))
            self._put(
                year, "MCO", "FLSTC", len(analysis), line((keys, analysis), (texts(codes("NABM")), code), b"1", b"0")
            )
            drug = np.flatnonzero((roll[mine] > 0.985) & ~emergency[mine])
            self._put(year, "MCO", "FHSTC", len(drug), line((keys, drug), *_ucd(which[mine][drug]), b"1", b"0"))

    def _rehabilitation(self, rng: np.random.Generator, folk: People, care: _Care, traps: Counter[str] | None) -> None:
        care = self._doubled(rng, care, "SSR", traps)
        psa, bad = self._chaining(rng, folk, care, "SSR", RETURN_CODES, traps)
        kind = rng.integers(0, 1000, len(care))
        by_day = kind % 5 == 0
        ungrouped = np.zeros(len(care), dtype=bool) if traps is None else kind < 1000 * _UNGROUPABLE
        if traps is not None:
            traps["ssr_gme_90"] += int(ungrouped.sum())
        aetiology = np.array([diagnosis(code) for code in ("I639", "S7200", "M161", "I694", "G20", "I500")])
        monday = care.entry - (care.entry + 3) % 7
        for year, mine, keys in self._by_year("SSR", care, 7):
            part = care.take(mine)
            self._put(year, "SSR", "C", len(mine), self._c_line(keys, psa[mine], part, bad[mine], RETURN_CODES))
            n_weeks = (part.leave - monday[mine]) // 7 + 1
            stay, nth = np.repeat(np.arange(len(mine)), n_weeks), nth_of(n_weeks)
            first, last = nth == 0, nth == n_weeks[stay] - 1
            cause = aetiology[kind[mine][stay] % len(aetiology)]
            row = line(
                (keys, stay),
                list(digits(nth + 1, 3)),
                (texts(["1", "2"]), by_day[mine][stay].astype(np.int64)),
                b"50",
                (texts(["", "7"]), first.astype(np.int64)),
                (texts(["", "1"]), first.astype(np.int64)),
                (texts(["", "8", "9"]), last * np.where(part.died[stay], 2, 1)),
                b"",
                b"Z501" if "Z501" in diagnoses() else b"Z098",
                (texts(diagnoses()), cause),
                (texts(diagnoses()), cause),
                (texts(["0147A1", "9001Z0"]), ungrouped[mine][stay].astype(np.int64)),
                b"0",
            )
            self._put(year, "SSR", "B", len(stay), row)
            self._put(
                year,
                "SSR",
                "D",
                len(stay),
                line((keys, stay), list(digits(nth + 1, 3)), (texts(["I10", "E119", "F03"]), kind[mine][stay] % 3)),
            )
            code = (kind[mine][stay] + nth) % len(codes("CSARR"))
            self._put(
                year,
                "SSR",
                "CSARR",
                len(stay),
                line((keys, stay), list(digits(nth + 1, 3)), (texts(codes("CSARR")), code), number(1 + nth % 4)),
            )

    def _at_home(self, rng: np.random.Generator, folk: People, care: _Care, traps: Counter[str] | None) -> None:
        care = self._doubled(rng, care, "HAD", traps)
        psa, bad = self._chaining(rng, folk, care, "HAD", RETURN_CODES, traps)
        kind = rng.integers(0, 1000, len(care))
        principal = np.array([diagnosis(code) for code in ("Z515", "C509", "C349", "L892", "G35")])
        for year, mine, keys in self._by_year("HAD", care, 5):
            part = care.take(mine)
            self._put(year, "HAD", "C", len(mine), self._c_line(keys, psa[mine], part, bad[mine], RETURN_CODES))
            days = part.leave - part.entry + 1
            n_parts = np.minimum((days + 14) // 15, 99)
            stay, nth = np.repeat(np.arange(len(mine)), n_parts), nth_of(n_parts)
            first, last = nth == 0, nth == n_parts[stay] - 1
            lasts = np.where(last, days[stay] - 15 * nth, 15)
            number_of = [*digits(nth + 1, 2)]
            before = number(np.minimum(15 * nth, 9999))
            row = line(
                (keys, stay),
                list(number_of),
                b"01",
                before,
                b"0",
                number(np.minimum(lasts, 9999)),
                (texts(diagnoses()), principal[kind[mine][stay] % len(principal)]),
                b"04",
                (texts(["", "8"]), first.astype(np.int64)),
                b"",
                (texts(["", "8", "9"]), last * np.where(part.died[stay], 2, 1)),
                b"",
            )
            self._put(year, "HAD", "B", len(stay), row)
            lost = np.zeros(len(stay), dtype=np.int64) if traps is None else (kind[mine][stay] + nth) % 250 == 0
            if traps is not None:
                traps["had_ght_99"] += int(lost.sum())
            group = line((keys, stay), list(number_of), b"01", (texts(["12", "99"]), lost.astype(np.int64)))
            self._put(year, "HAD", "GRP", len(stay), group)
            for table, code in (("D", b"I10"), ("DMPP", b"E440")):
                self._put(year, "HAD", table, len(stay), line((keys, stay), list(number_of), b"01", code))

    def _psychiatry(self, rng: np.random.Generator, folk: People, care: _Care, traps: Counter[str] | None) -> None:
        psa, bad = self._chaining(rng, folk, care, "RIP", RETURN_CODES, traps)
        kind = rng.integers(0, 1000, len(care))
        principal = np.array([diagnosis(code) for code in ("F200", "F329", "F319", "F603", "F419")])
        for year, mine, keys in self._by_year("RIP", care, 6):
            part = care.take(mine)
            self._put(year, "RIP", "C", len(mine), self._c_line(keys, psa[mine], part, bad[mine], RETURN_CODES))
            days = part.leave - part.entry + 1
            n_parts = np.where((days > 20) & (kind[mine] % 3 == 0), 2, 1)
            stay, nth = np.repeat(np.arange(len(mine)), n_parts), nth_of(n_parts)
            first, last = nth == 0, nth == n_parts[stay] - 1
            row = line(
                (keys, stay),
                list(digits(nth + 1, 3)),
                number(np.minimum(10 * nth, 9999)),
                number(np.minimum(np.where(last, days[stay] - 10 * nth, 10), 9999)),
                (texts(diagnoses()), principal[kind[mine][stay] % len(principal)]),
                b"01",
                (texts(["", "8"]), first.astype(np.int64)),
                b"",
                (texts(["", "8", "9"]), last * np.where(part.died[stay], 2, 1)),
                b"",
                b"0",
            )
            self._put(year, "RIP", "RSA", len(stay), row)
            self._put(year, "RIP", "RSAD", len(mine), line(keys, b"001", (texts(["F171", "F102"]), kind[mine] % 2)))
            n_acts = int(rng.poisson(_PSYCHIATRIC_ACTS * len(folk)))
            if traps is not None:
                traps["rip_ambulatory_rows"] += n_acts
            row = line(
                (texts(places()), rng.integers(0, len(hospitals()), n_acts)),
                pseudonyms(rng, n_acts).astype("S16"),
                list(digits(np.arange(n_acts), 8)),
                list(digits(1 + rng.integers(0, 12, n_acts), 2)),
                list(digits(np.full(n_acts, year), 4)),
                b"E",
                b"F329",
            )
            self._put(year, "RIP", "R3A", n_acts, row)


def _ucd(which: Indices) -> list[Field]:
    """The UCD in 13 signs."""
    return [[b"000000", (texts(codes("UCD")), which % len(codes("UCD")))]]  # type: ignore[list-item]


def _drawn(
    rng: np.random.Generator, folk: People, rate: float, mean_days: float, weight: npt.NDArray[np.float64]
) -> _Care:
    """Stays of a field per person-year, more where the weight is higher; nobody stays beyond death or the data."""
    span = np.maximum(folk.leaves - folk.enters, 0)
    days = float(span.sum())
    scale = float((span * weight).sum()) / days if days else 1.0
    n = rng.poisson(rate * span / DAYS_A_YEAR * weight / max(scale, 1e-9))
    person = np.repeat(np.arange(len(folk)), n)
    entry = folk.enters[person] + (rng.random(len(person)) * span[person]).astype(np.int64)
    nights = rng.gamma(1.3, max(mean_days, 1e-9) / 1.3, len(person)).astype(np.int64)
    leave = np.minimum(entry + (nights if mean_days else 0), np.minimum(folk.death[person], folk.end - 1))
    died = (leave == folk.death[person]) & (folk.death[person] < NEVER) & (mean_days > 0)
    return _Care(person, entry, leave, died, near(rng, folk, person))
