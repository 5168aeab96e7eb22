"""PMSI MCO: stays as T_MCOaaB, C, A, D, UM, MED, FH and DMIP, a delivery a year of discharge."""

from __future__ import annotations

from collections import Counter
from datetime import date

import numpy as np

from enclos.synthetic.illness import Indices
from enclos.synthetic.kin import births
from enclos.synthetic.people import Days, Flags, People
from enclos.synthetic.pmsi_fields import LAST_DOUBLED_YEAR, doubling, places
from enclos.synthetic.references import departments, hospitals, layout
from enclos.synthetic.sheets import (
    Bytes,
    Deliveries,
    Field,
    Sheet,
    block,
    day,
    digits,
    euros,
    line,
    number,
    render,
    texts,
)
from enclos.synthetic.stay_lists import codes
from enclos.synthetic.stays.model import NONE, Stays, act, acts, diagnoses, diagnosis, ghm_roots
from enclos.synthetic.years import layout_of_year, n_renamed, of_year

TABLES = ("B", "C", "A", "D", "UM", "MED", "FH", "DMIP", "VALO")
RETURN_CODES = tuple(name for name in layout("T_MCOaaC") if name.endswith("_RET"))
_BAD_RETURN = 0.014
"""Source: CNAM, MCO stays in error in 2017: 1.40 %."""
_UNGROUPABLE = 0.003
_N_CANCER_DRUGS = 7
"""The first drugs of the list of UCD are those of cancer."""
_INTER_HOSPITAL = 0.006


class StayWriter:
    """Writes the stays of chunk after chunk into the deliveries of their year of discharge."""

    def __init__(self, deliveries: Deliveries, years: tuple[int, int]) -> None:
        self._deliveries = deliveries
        self._years = range(years[0], years[1] + 1)
        self._next = np.ones((len(self._years), len(places())), dtype=np.int64)
        for year in self._years:
            name = f"snds-pmsi-{year}"
            deliveries.open(name, "snds", "snds-pmsi", (date(year, 1, 1), date(year + 1, 1, 1)))
            for letter in TABLES:
                self._sheet(year, letter)

    def _sheet(self, year: int, letter: str) -> Sheet:
        table = f"T_MCO{year % 100:02d}{letter}"
        return self._deliveries.sheet(
            f"snds-pmsi-{year}", f"{table}.csv", table, layout_of_year(f"T_MCOaa{letter}", year)
        )

    def write(
        self, rng: np.random.Generator, folk: People, found: Stays, mother: Indices, traps: Counter[str] | None
    ) -> None:
        """Write one chunk.

        In: mother — by person, the position of who gave birth to them
        """
        typ = np.zeros(len(found), dtype=np.int64)
        ungrouped = np.zeros(len(found), dtype=bool)
        bad = np.full(len(found), NONE, dtype=np.int64)
        no_nir = np.zeros(len(found), dtype=bool)
        if traps is not None:
            found, typ = _with_inter_hospital(rng, found, traps)
            open_to_traps = ~found.certain & (typ == 0)
            ungrouped = open_to_traps & (rng.random(len(found)) < _UNGROUPABLE)
            wrong = open_to_traps & (rng.random(len(found)) < _BAD_RETURN)
            bad = np.where(wrong, rng.integers(0, len(RETURN_CODES), len(found)), NONE)
            no_nir = (bad == 0) & (rng.random(len(found)) < 0.5)
            plus = np.array(["+" in code for code in diagnoses()])
            traps["pmsi_return_codes_not_0"] += int(wrong.sum())
            traps["pmsi_fictitious_nir"] += int(no_nir.sum())
            traps["pmsi_cmd_90"] += int(ungrouped.sum())
            traps["pmsi_principal_codes_with_plus"] += int(plus[found.dp].sum())
            renamed = sum(n_renamed(f"T_MCOaa{letter}", year) for year in self._years for letter in TABLES)
            if renamed:
                traps["pmsi_columns_of_other_names"] = renamed
            traps["pmsi_session_rows"] += int((found.n_sessions > 0).sum())
            traps["pmsi_grouped_session_rows"] += int((found.n_sessions > 1).sum())
        year = found.leave.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
        two_units = (rng.random(len(found)) < 0.15) & (found.leave - found.entry >= 3)
        code = rng.choice(2, len(found), p=[0.8, 0.2])
        if traps is not None:
            typ = _with_sessions_for_others(found, typ, traps)
            again = _sent_again(found, (typ == 0) & ~ungrouped & (bad == NONE), year, traps)
            if len(again):
                rows = np.concatenate([np.arange(len(found)), again])
                found = found.take(rows)
                found.hospital[-len(again) :] = doubling(found.hospital[-len(again) :])
                typ, ungrouped, bad, no_nir = typ[rows], ungrouped[rows], bad[rows], no_nir[rows]
                year, two_units, code = year[rows], two_units[rows], code[rows]
        for index, one_year in enumerate(self._years):
            mine = np.flatnonzero(year == one_year)
            part = found.take(mine)
            rank = self._ranks(index, part.hospital)
            keys = block(len(part), line(_finess(part.hospital), list(digits(rank, 6)))[:-1])
            shape = (two_units[mine], code[mine])
            self._put(
                one_year, "B", len(part), _b_line(one_year, folk, part, keys, typ[mine], ungrouped[mine], shape[0])
            )
            self._put(one_year, "C", len(part), _c_line(one_year, folk, part, keys, bad[mine], no_nir[mine], mother))
            self._secondary(one_year, part, keys)
            self._acts(one_year, part, keys)
            self._units(one_year, part, keys, shape[0], shape[1])
            self._drugs_and_devices(one_year, part, keys)

    def _put(self, year: int, letter: str, n: int, fields: list[Field]) -> None:
        self._deliveries.write(self._sheet(year, letter), render(n, fields), n)

    def _ranks(self, index: int, hospital: Indices) -> Indices:
        """Number of each stay within its hospital and year, going on from the chunk before."""
        order = np.argsort(hospital, kind="stable")
        count = np.bincount(hospital, minlength=len(places()))
        begin = np.cumsum(count) - count
        rank = np.empty(len(hospital), dtype=np.int64)
        rank[order] = np.arange(len(hospital)) - begin[hospital[order]]
        rank += self._next[index][hospital]
        self._next[index] += count
        return rank

    def _secondary(self, year: int, part: Stays, keys: Bytes) -> None:
        stay, nth = np.nonzero(part.secondary != NONE)
        code = part.secondary[stay, nth]
        fields: list[Field] = of_year("T_MCOaaD", year, [number(nth + 1), (texts(diagnoses()), code)])
        self._put(year, "D", len(stay), line((keys, stay), *fields))

    def _acts(self, year: int, part: Stays, keys: Bytes) -> None:
        stay = np.flatnonzero(part.act != NONE)
        delay = np.minimum(part.leave - part.entry, 1)[stay]
        anaesthesia = np.flatnonzero(np.array([name[4] == "A" for name in acts()])[part.act[stay]])
        twice = np.concatenate([stay, stay[anaesthesia]])
        activity = np.concatenate([np.zeros(len(stay), dtype=np.int64), np.ones(len(anaesthesia), dtype=np.int64)])
        delay = np.concatenate([delay, delay[anaesthesia]])
        sort = np.argsort(twice, kind="stable")
        twice, activity, delay = twice[sort], activity[sort], delay[sort]
        row = line(
            (keys, twice), (texts(acts()), part.act[twice]), b"0", (texts(["1", "4"]), activity), number(delay), b"1"
        )
        self._put(year, "A", len(twice), row)

    def _units(self, year: int, part: Stays, keys: Bytes, two: Flags, kind: Indices) -> None:
        nights = part.leave - part.entry
        stay = np.concatenate([np.arange(len(part)), np.flatnonzero(two)])
        order = np.concatenate([np.ones(len(part), dtype=np.int64), np.full(int(two.sum()), 2)])
        sort = np.argsort(stay, kind="stable")
        stay, order = stay[sort], order[sort]
        half = nights[stay] // 2
        share = np.where(two[stay], np.where(order == 1, half, nights[stay] - half), nights[stay])
        row: list[Field] = [
            number(order),
            (texts(diagnoses()), part.dp[stay]),
            (texts([*diagnoses(), ""]), part.related[stay]),
            (texts(["53", "51", "07A"]), np.where(part.emergency[stay] & (order == 1) & two[stay], 2, kind[stay])),
            number(share),
            _finess(part.hospital[stay]),
        ]
        self._put(year, "UM", len(stay), line((keys, stay), *of_year("T_MCOaaUM", year, row)))

    def _drugs_and_devices(self, year: int, part: Stays, keys: Bytes) -> None:
        """Drugs outside the tariff, listed by public and billed by private hospitals; implants; the stay's value."""
        mark = (part.person * 7919 + part.entry * 31) % 1000
        chemotherapy = part.dp == diagnosis("Z511")
        given = (chemotherapy & (mark < 400)) | (mark >= 985)
        which = np.where(chemotherapy, mark % _N_CANCER_DRUGS, mark % len(codes("UCD")))
        delay = np.minimum(part.leave - part.entry, 1)
        public = _of_public(part.hospital)
        for table, mine in (("MED", given & public), ("FH", given & ~public)):
            stay = np.flatnonzero(mine)
            ucd: list[Field] = [b"000000", (texts(codes("UCD")), which[stay])]
            row = line((keys, stay), ucd, number(1 + mark[stay] % 4), number(delay[stay]))
            self._put(year, table, len(stay), row)
        stay = np.flatnonzero(public)
        tariff = np.minimum(60_000 + 45_000 * (part.leave - part.entry) + 100 * mark, 999_999)[stay]
        row = line((keys, stay), list(euros(tariff * 4 // 5)), list(euros(tariff)))
        self._put(year, "VALO", len(stay), row)
        implants = [("DDAF006", 0), ("NEKA018", 1), ("NEKA020", 1)]
        lpp = np.full(len(part), NONE, dtype=np.int64)
        for code, position in implants:
            lpp[part.act == act(code)] = position
        stay = np.flatnonzero(lpp != NONE)
        row = line((keys, stay), (texts(codes("LPP")), lpp[stay]), b"1", number(delay[stay]))
        self._put(year, "DMIP", len(stay), row)


def _finess(hospital: Indices) -> Field:
    return texts(places()), hospital


def _of_public(hospital: Indices) -> Flags:
    """Which are public, those that double others included."""
    public = np.ones(len(places()), dtype=bool)
    public[: len(hospitals())] = [place.public for place in hospitals()]
    found: Flags = public[hospital]
    return found


def _with_sessions_for_others(found: Stays, typ: Indices, traps: Counter[str]) -> Indices:
    """Mark some sessions as given for another hospital, which does not send them: they are no doubles."""
    chosen = (found.n_sessions == 1) & (typ == 0) & ~found.certain & ((found.person * 31 + found.entry) % 250 == 0)
    traps["pmsi_sessions_for_others"] += int(chosen.sum())
    return np.where(chosen, 2, typ)


def _sent_again(found: Stays, open_to_traps: Flags, year: Indices, traps: Counter[str]) -> Indices:
    """Stays that a geographic FINESS sent a second time, until 2017."""
    plain = np.array(["+" not in code for code in diagnoses()])[found.dp]
    chosen = np.flatnonzero(
        open_to_traps
        & plain
        & (found.n_sessions == 0)
        & (year <= LAST_DOUBLED_YEAR)
        & (doubling(found.hospital) >= 0)
        & ((found.person + found.entry) % 2 == 0)
    )
    traps["pmsi_doubled_finess"] += len(chosen)
    return chosen


def _with_inter_hospital(rng: np.random.Generator, found: Stays, traps: Counter[str]) -> tuple[Stays, Indices]:
    """Add services given to patients of another hospital: rows that double a stay."""
    inpatient = (found.n_sessions == 0) & ~found.ambulatory & ~found.certain & (found.leave - found.entry >= 2)
    chosen = np.flatnonzero(inpatient & (rng.random(len(found)) < _INTER_HOSPITAL * 2.2))
    copy = found.take(chosen)
    copy.entry[:] += 1
    copy.leave[:] = copy.entry
    copy.hospital[:] = (copy.hospital + 1 + rng.integers(0, len(hospitals()) - 1, len(chosen))) % len(hospitals())
    copy.secondary[:] = NONE
    copy.died[:] = False
    copy.emergency[:] = False
    traps["pmsi_inter_hospital_rows"] += len(chosen)
    joined = Stays(*(np.concatenate([getattr(found, name), getattr(copy, name)]) for name in Stays.__slots__))
    return joined, np.concatenate([np.zeros(len(found), dtype=np.int64), np.ones(len(chosen), dtype=np.int64)])


def _b_line(
    of: int,
    folk: People,
    part: Stays,
    keys: Bytes,
    typ: Indices,
    ungrouped: Flags,
    two: Flags,
) -> list[Field]:
    age = folk.age(part.entry, part.person)
    days = part.entry - folk.birth[part.person]
    nights = part.leave - part.entry
    session = part.n_sessions > 0
    geography = texts([d.number + "123" if d.number != "97" else "97411" for d in departments()])
    severity = np.where(part.ambulatory, 0, np.where(session, 1, 2 + np.minimum(nights // 4, 3)))
    roots = texts([*ghm_roots(), "90Z00"])
    secondary = (part.secondary != NONE).sum(axis=1)
    month = part.leave.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12 + 1
    year = part.leave.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    mode_in = np.where(typ == 1, 0, 2)
    mode_out = np.where(typ == 1, 0, np.where(part.died, 3, 2))
    modes = texts(["0", "7", "8", "9"])
    row: list[Field | list[Field]] = [
        (texts([*map(str, range(120)), ""]), np.where(days < 365, 120, np.minimum(age, 119).astype(np.int64))),
        (texts([*map(str, range(366)), ""]), np.where(days < 365, np.maximum(days, 0), 366)),
        (geography, folk.department[part.person]),
        (texts([d.number for d in departments()]), folk.department[part.person]),
        (texts(["1", "2"]), folk.female[part.person].astype(np.int64)),
        (texts(diagnoses()), part.dp),
        (texts([*diagnoses(), ""]), part.related),
        (modes, mode_in),
        (texts(["", "5"]), part.emergency.astype(np.int64)),
        (modes, mode_out),
        (texts(["", "2"]), ((part.person + part.entry) % 29 == 0).astype(np.int64) * ~part.died),
        [
            (roots, np.where(ungrouped, len(ghm_roots()), part.ghm)),
            (texts(list("JZ1234")), np.where(ungrouped, 1, severity)),
        ],
        (texts(["0", "1"]), ungrouped.astype(np.int64)),
        (texts(["0", "1"]), (part.act != NONE).astype(np.int64)),
        number(secondary),
        (texts(["1", "2"]), two.astype(np.int64)),
        number(part.n_sessions),
        (texts([*map(str, range(2000)), ""]), np.where(session, 2000, np.minimum(nights, 1999))),
        (texts(["", "B", "B"]), typ),
        list(digits(year, 4)),
        list(digits(month, 2)),
        b"0",
    ]
    return line(keys, *of_year("T_MCOaaB", of, row))


def _c_line(
    of: int, folk: People, part: Stays, keys: Bytes, bad: Indices, no_nir: Flags, mother: Indices
) -> list[Field]:
    psa = _psa_on(folk, part.person, part.entry)
    psa = np.where(no_nir, b"xxxxxxxxxxxxxxxxx", psa)
    year = part.leave.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    month = part.leave.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12 + 1
    codes: list[Field] = [(texts(["0", "1"]), (bad == index).astype(np.int64)) for index in range(len(RETURN_CODES))]
    row: list[Field | list[Field]] = [
        psa,
        [day(part.entry), b" 00:00:00"],
        [day(part.leave), b" 00:00:00"],
        list(digits(year, 4)),
        list(digits(month, 2)),
        *codes,
        list(digits(folk.rank[part.person], 1)),
        _mothers(folk, part, mother),
    ]
    return line(keys, *of_year("T_MCOaaC", of, row))


def _mothers(folk: People, part: Stays, mother: Indices) -> Bytes:
    """The mother's pseudonym in the stay of a birth, else nothing."""
    found: Bytes = np.full(len(part), b"", dtype="S17")
    born = births(part)
    born = born[mother[part.person[born]] != NONE]
    found[born] = _psa_on(folk, mother[part.person[born]], part.entry[born])
    return found


def _psa_on(folk: People, person: Indices, days: Days) -> Bytes:
    return np.where(days >= folk.switch[person], folk.second_psa[person], folk.psa[person])
