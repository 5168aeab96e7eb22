"""DCIR: town care as prestations with their affined rows, month of flux by month of flux.

The flux of a month holds care that was paid in the months before: FLX_DIS_DTD is the first day of the month in
which lines became available, one to six months after the month of care.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, fields
from datetime import date
from functools import cache

import numpy as np
import numpy.typing as npt

from enclos.synthetic.care import SPECIALITIES, TownCare
from enclos.synthetic.illness import Indices
from enclos.synthetic.people import Days, People
from enclos.synthetic.references import city_acts, departments, hospitals, products
from enclos.synthetic.sheets import (
    DAY_1600,
    Bytes,
    Deliveries,
    Field,
    block,
    day,
    digits,
    euros,
    line,
    render,
    signed,
    texts,
)

MOST_LAG_MONTHS = 6
_LAG = np.cumsum([0.62, 0.23, 0.08, 0.04, 0.02, 0.01])
_PHARMACY_LAG = np.cumsum([0.86, 0.10, 0.02, 0.01, 0.006, 0.004])

KEYS = "FLX_DIS_DTD FLX_TRT_DTD FLX_EMT_TYP FLX_EMT_NUM FLX_EMT_ORD ORG_CLE_NUM DCT_ORD_NUM PRS_ORD_NUM REM_TYP_AFF"
HEADERS = {
    "ER_PRS_F": KEYS.split()
    + "BEN_NIR_PSA BEN_RNG_GEM BEN_CDI_NIR BEN_SEX_COD BEN_NAI_ANN BEN_RES_DPT RGM_GRG_COD".split()
    + "EXE_SOI_DTD EXE_SOI_DTF PRE_PRE_DTD PRS_NAT_REF BSE_PRS_NAT PSE_SPE_COD PSE_ACT_NAT PSP_SPE_COD".split()
    + "PSP_ACT_NAT CPL_MAJ_TOP CPL_AFF_COD DPN_QLF PRS_DPN_QLP PFS_EXE_NUM PRS_ACT_QTE PRS_PAI_MNT BSE_REM_MNT".split(),
    "ER_PHA_F": [*KEYS.split(), "PHA_ORD_NUM", "PHA_PRS_C13", "PHA_PRS_IDE", "PHA_ACT_PRU", "PHA_ACT_QSN"],
    "ER_CAM_F": [*KEYS.split(), *"CAM_ORD_NUM CAM_PRS_IDE CAM_ACT_COD CAM_TRT_PHA CAM_ACT_PRU".split()],
    "ER_ETE_F": [*KEYS.split(), *"ETE_IND_TAA ETB_EXE_FIN ETE_CAT_COD ETE_TYP_COD ETE_MCO_DDP PRS_PPU_SEC".split()],
}
"""Columns of the four tables, in the order in which they are delivered."""

# Ways a line may be irregular: qualifiers of expenditure and markers of supplements.
PLAIN, NO_QUALIFIER, INFORMATION, INFORMATION_72, SUPPLEMENT, AFFINED_16 = range(6)
_VARIANTS = ("0;0;0;0", "0;0;;", "0;0;71;71", "0;0;72;71", "2;0;0;0", "0;16;0;0")
"""CPL_MAJ_TOP;CPL_AFF_COD;DPN_QLF;PRS_DPN_QLP of each."""

_PHARMACY_NATURE = {65: 3313, 30: 3312, 35: 3312, 15: 3341, 100: 3311}
_PRICES = {3: 5000, 7: 3000, 12: 3200, 15: 3000, 5: 3000, 33: 4670}


@dataclass(frozen=True, slots=True)
class Kind:
    """A nature of care and who gives and prescribes it."""

    nature: int
    speciality: int
    activity: int
    prescriber_speciality: int
    price_cents: int
    percent: int


@cache
def kinds() -> tuple[Kind, ...]:
    """Every kind of prestation: 3 of the GP, specialists, laboratory, hospital consultation, acts, 4 of pharmacy."""
    found = [Kind(1111, 1, 0, 0, 2500, 70), Kind(1110, 1, 0, 0, 2500, 70), Kind(1211, 1, 0, 0, 3500, 70)]
    found += [Kind(1112, speciality, 0, 1, _PRICES.get(speciality, 3000), 70) for speciality in SPECIALITIES]
    found += [Kind(3211, 0, 30, 1, 3105, 60), Kind(1112, 4, 0, 0, 2500, 70)]
    found += [Kind(act.nature, act.speciality, 0, 1, act.price_cents, 70) for act in city_acts()]
    found += [Kind(nature, 0, 50, 1, 0, rate) for rate, nature in ((65, 3313), (30, 3312), (15, 3341), (100, 3311))]
    return tuple(found)


_GP = 0
_SPECIALIST = 3
_LABORATORY = _SPECIALIST + len(SPECIALITIES)
_HOSPITAL = _LABORATORY + 1
_ACT = _HOSPITAL + 1
_PHARMACY_RATES = (65, 30, 15, 100)


@cache
def _kind_texts() -> Bytes:
    """PRS_NAT_REF to PRS_DPN_QLP and the first sign of PFS_EXE_NUM, of every kind in every variant."""
    return texts(
        [
            f"{kind.nature};{kind.nature};{kind.speciality};{kind.activity};{kind.prescriber_speciality};0;{variant};"
            f"{_role(kind)}"
            for kind in kinds()
            for variant in _VARIANTS
        ]
    )


def _role(kind: Kind) -> int:
    if kind.activity:
        return {30: 6, 50: 2}[kind.activity]
    return 1


@cache
def _product_texts() -> Bytes:
    return texts([f"{p.cip13};{p.cip7};{p.price_cents // 100}.{p.price_cents % 100:02d}" for p in products()])


@cache
def _act_texts() -> Bytes:
    return texts([f"{a.ccam};1;0;{a.price_cents // 100}.{a.price_cents % 100:02d}" for a in city_acts()])


@cache
def _establishment_texts() -> Bytes:
    """ETE_IND_TAA to PRS_PPU_SEC: directly billed public hospitals, then private ones."""
    public = [f"1;{h.finess[:8]};355;1;;1" for h in hospitals()]
    private = [f"0;{h.finess[:8]};365;2;Z;2" for h in hospitals()]
    return texts(public + private)


@dataclass(frozen=True, slots=True)
class Prestations:
    """Prestations of a chunk; one element each."""

    person: Indices
    day: Days
    until: Days
    prescribed: Days
    kind: Indices
    variant: Indices
    provider: Indices
    quantity: Indices
    cents: Indices
    sheet: Indices
    """The décompte: prestations of one visit to a pharmacy share it."""
    order: Indices
    """PRS_ORD_NUM within the décompte."""
    flux: Indices
    """Month of flux, 0 being the month after the first of the data."""

    def __len__(self) -> int:
        return len(self.person)

    def take(self, chosen: Indices) -> Prestations:
        """Some of the prestations."""
        return Prestations(*(getattr(self, field.name)[chosen] for field in fields(self)))


@dataclass(frozen=True, slots=True)
class Affined:
    """Rows below prestations: which prestation, what, how much, which in its prestation."""

    prestation: Indices
    what: Indices
    quantity: Indices
    order: Indices

    def copied(self, sources: Indices, at: int, sign: npt.NDArray[np.int64], n: int) -> Affined:
        """These rows and copies of those of ``sources``, whose copies stand at ``at`` and after."""
        count = np.bincount(self.prestation, minlength=n)
        begin = np.cumsum(count) - count
        mine = count[sources]
        rows = np.repeat(begin[sources], mine) + np.arange(int(mine.sum())) - np.repeat(np.cumsum(mine) - mine, mine)
        owner = np.repeat(np.arange(len(sources)), mine)
        return Affined(
            np.concatenate([self.prestation, at + owner]),
            np.concatenate([self.what, self.what[rows]]),
            np.concatenate([self.quantity, self.quantity[rows] * sign[owner]]),
            np.concatenate([self.order, self.order[rows]]),
        )


@dataclass(frozen=True, slots=True)
class Claims:
    """All claims of a chunk."""

    prestations: Prestations
    pharmacy: Affined
    acts: Affined
    establishments: Affined


def months_of(days: Days, start: int) -> Indices:
    """Calendar months since the month of ``start``."""
    month = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    found: Indices = month - np.datetime64(start, "D").astype("datetime64[M]").astype(np.int64)
    return found


def flux_months(start: int, end: int) -> list[date]:
    """First days of the months of flux in which care of [start, end) arrives."""
    first = np.datetime64(start, "D").astype("datetime64[M]").astype(int) + 1
    last = np.datetime64(end - 1, "D").astype("datetime64[M]").astype(int) + MOST_LAG_MONTHS
    return [date(1970 + month // 12, month % 12 + 1, 1) for month in range(first, last + 1)]


def claims(rng: np.random.Generator, folk: People, care: TownCare, traps: Counter[str] | None) -> Claims:
    """The claims of town care, with the irregularities of real ones when ``traps`` counts them."""
    base, pharmacy = _prestations(rng, folk, care, with_hospital=traps is not None)
    acts = _acts(base)
    establishments = _establishments(rng, folk, base)
    if traps is None:
        return Claims(base, pharmacy, acts, establishments)
    return _with_traps(rng, folk, Claims(base, pharmacy, acts, establishments), traps)


def _prestations(
    rng: np.random.Generator, folk: People, care: TownCare, *, with_hospital: bool
) -> tuple[Prestations, Affined]:
    lines = care.dispensed
    rate_position = np.zeros(101, dtype=np.int64)
    for index, rate in enumerate(_PHARMACY_RATES):
        rate_position[rate] = index
    rate_position[35] = 1
    rate = rate_position[np.array([p.rate for p in products()])][lines.product]
    key = (lines.person * 40_000 + (lines.day - folk.start)) * 4 + rate
    sort = np.argsort(key, kind="stable")
    key, person, when = key[sort], lines.person[sort], lines.day[sort]
    product, boxes, prescribed = lines.product[sort], lines.boxes[sort], lines.prescribed[sort]
    new = np.r_[True, key[1:] != key[:-1]] if len(key) else np.zeros(0, dtype=bool)
    heads = np.flatnonzero(new)
    owner = np.cumsum(new) - 1
    visit_new = np.r_[True, key[heads][1:] // 4 != key[heads][:-1] // 4] if len(heads) else np.zeros(0, dtype=bool)
    visit = np.cumsum(visit_new) - 1
    within = np.arange(len(heads)) - np.flatnonzero(visit_new)[visit] if len(heads) else visit
    price = np.array([p.price_cents for p in products()])
    cents = np.bincount(owner, weights=price[product] * boxes, minlength=len(heads)).astype(np.int64)
    total = np.bincount(owner, weights=boxes, minlength=len(heads)).astype(np.int64)
    n_in = np.bincount(owner, minlength=len(heads))
    order = np.arange(len(product)) - np.repeat(np.cumsum(n_in) - n_in, n_in) + 1

    parts: list[tuple[Indices, Days, Indices]] = [
        (care.gp.person, care.gp.day, _GP + care.gp.what),
        (care.specialist.person, care.specialist.day, _SPECIALIST + care.specialist.what),
        (care.laboratory.person, care.laboratory.day, np.full(len(care.laboratory), _LABORATORY)),
        (care.act.person, care.act.day, _ACT + care.act.what),
    ]
    if with_hospital:
        parts.append((care.hospital.person, care.hospital.day, np.full(len(care.hospital), _HOSPITAL)))
    other_person = np.concatenate([part[0] for part in parts])
    other_day = np.concatenate([part[1] for part in parts])
    other_kind = np.concatenate([part[2] for part in parts])
    n_visits, n_other = int(visit[-1]) + 1 if len(visit) else 0, len(other_person)

    all_person = np.concatenate([person[heads], other_person])
    all_day = np.concatenate([when[heads], other_day])
    kind = np.concatenate([_first_pharmacy() + key[heads] % 4, other_kind])
    sheet = np.concatenate([visit, n_visits + np.arange(n_other)])
    lag = np.concatenate(
        [
            np.searchsorted(_PHARMACY_LAG, rng.random(n_visits) * 0.999999)[visit],
            np.searchsorted(_LAG, rng.random(n_other) * 0.999999),
        ]
    )
    price_of = np.array([k.price_cents for k in kinds()])
    nearby = folk.department[all_person] * 400
    own_doctor = (all_person * 7919 + folk.first) % 97
    provider = nearby + np.where(kind < _SPECIALIST, own_doctor, (all_person * 31 + kind * 17) % 400)
    prestations = Prestations(
        all_person,
        all_day,
        all_day.copy(),
        np.concatenate([prescribed[heads], other_day]),
        kind,
        np.zeros(len(kind), dtype=np.int64),
        provider,
        np.concatenate([total, np.ones(n_other, dtype=np.int64)]),
        np.concatenate([cents, price_of[other_kind]]),
        sheet,
        np.concatenate([within + 1, np.ones(n_other, dtype=np.int64)]),
        months_of(all_day, folk.start) + lag,
    )
    return prestations, Affined(owner, product, boxes, order)


def _first_pharmacy() -> int:
    return len(kinds()) - len(_PHARMACY_RATES)


def _acts(base: Prestations) -> Affined:
    mine = np.flatnonzero((base.kind >= _ACT) & (base.kind < _first_pharmacy()))
    one = np.ones(len(mine), dtype=np.int64)
    return Affined(mine, base.kind[mine] - _ACT, one, one)


def _establishments(rng: np.random.Generator, folk: People, base: Prestations) -> Affined:
    places = hospitals()
    public = np.array([i for i, place in enumerate(places) if place.public])
    private = np.array([i for i, place in enumerate(places) if not place.public])
    direct = np.flatnonzero(base.kind == _HOSPITAL)
    acts = np.flatnonzero((base.kind >= _ACT) & (base.kind < _first_pharmacy()))
    clinic = acts[rng.random(len(acts)) < 0.12]
    what = np.concatenate(
        [
            public[folk.department[base.person[direct]] % len(public)],
            len(places) + private[folk.department[base.person[clinic]] % len(private)],
        ]
    )
    prestation = np.concatenate([direct, clinic])
    sort = np.argsort(prestation)
    one = np.ones(len(prestation), dtype=np.int64)
    return Affined(prestation[sort], what[sort], one, one)


def _with_traps(rng: np.random.Generator, folk: People, plain: Claims, traps: Counter[str]) -> Claims:
    base = plain.prestations
    n = len(base)
    roll = rng.random(n)
    pharmacy = base.kind >= _first_pharmacy()
    base.variant[rng.random(n) < 0.08] = NO_QUALIFIER
    no_end, no_prescription = rng.random(n) < 0.01, rng.random(n) < 0.02
    base.until[no_end], base.prescribed[no_prescription] = DAY_1600, DAY_1600
    corrected = np.flatnonzero(roll < 0.004)
    cancelled = np.flatnonzero((roll >= 0.004) & (roll < 0.005))
    told = np.flatnonzero((roll >= 0.005) & (roll < 0.010))
    told_72 = np.flatnonzero((roll >= 0.010) & (roll < 0.012))
    consultation = base.kind < _LABORATORY
    supplement = np.flatnonzero(consultation & (roll >= 0.012) & (roll < 0.042))
    affined_16 = np.flatnonzero(consultation & (roll >= 0.042) & (roll < 0.045))
    traps["dcir_regularisations_corrected"] += len(corrected)
    traps["dcir_regularisations_cancelled"] += len(cancelled)
    traps["dcir_information_lines_71"] += len(told)
    traps["dcir_information_lines_72"] += len(told_72)
    traps["dcir_supplement_lines"] += len(supplement)
    traps["dcir_affined_16_lines"] += len(affined_16)
    traps["dcir_t2a_direct_lines"] += int((base.kind == _HOSPITAL).sum())
    traps["dcir_no_qualifier_lines"] += int((base.variant == NO_QUALIFIER).sum())
    traps["dcir_dates_1600"] += int(no_end.sum() + no_prescription.sum())
    sources = np.concatenate([corrected, cancelled, corrected, told, told_72, supplement, affined_16])
    sign = np.ones(len(sources), dtype=np.int64)
    sign[: len(corrected) + len(cancelled)] = -1
    variant = np.concatenate(
        [
            base.variant[corrected],
            base.variant[cancelled],
            base.variant[corrected],
            np.full(len(told), INFORMATION),
            np.full(len(told_72), INFORMATION_72),
            np.full(len(supplement), SUPPLEMENT),
            np.full(len(affined_16), AFFINED_16),
        ]
    )
    later = rng.integers(1, 4, len(corrected))
    delay = np.concatenate(
        [
            later,
            rng.integers(1, 4, len(cancelled)),
            later,
            np.zeros(len(told) + len(told_72) + len(supplement) + len(affined_16), dtype=np.int64),
        ]
    )
    traps["dcir_negative_lines"] += int((sign < 0).sum())
    traps["dcir_negative_pharmacy_lines"] += int(
        np.bincount(plain.pharmacy.prestation, minlength=n)[sources[(sign < 0) & pharmacy[sources]]].sum()
    )
    copy = base.take(sources)
    last = len(flux_months(folk.start, folk.end)) - 1
    made = Prestations(
        copy.person,
        copy.day,
        copy.until,
        copy.prescribed,
        copy.kind,
        variant,
        copy.provider,
        copy.quantity * sign,
        copy.cents * sign,
        int(base.sheet.max(initial=-1)) + 1 + np.arange(len(sources)),
        np.ones(len(sources), dtype=np.int64),
        np.minimum(copy.flux + delay, last),
    )
    joined = Prestations(
        *(np.concatenate([getattr(base, field.name), getattr(made, field.name)]) for field in fields(Prestations))
    )
    return Claims(
        joined,
        plain.pharmacy.copied(sources, n, sign, n),
        plain.acts.copied(sources, n, sign, n),
        plain.establishments.copied(sources, n, sign, n),
    )


class ClaimWriter:
    """Writes the claims of chunk after chunk into the deliveries of their flux."""

    def __init__(self, deliveries: Deliveries, start: int, end: int) -> None:
        self._deliveries = deliveries
        self._months = flux_months(start, end)
        self._next_sheet = np.full(len(self._months), 10_000_000, dtype=np.int64)
        for month in self._months:
            after = date(month.year + month.month // 12, month.month % 12 + 1, 1)
            # care begins the month before the first flux: the first delivery speaks of both months
            since = date(month.year - (month.month == 1), (month.month - 2) % 12 + 1, 1)
            first = month == self._months[0]
            deliveries.open(self._delivery(month), "snds", "snds-dcir", (since if first else month, after))
            for table, header in HEADERS.items():
                deliveries.sheet(self._delivery(month), f"{table}.csv.gz", table, header)

    @staticmethod
    def _delivery(month: date) -> str:
        return f"snds-dcir-{month:%Y-%m}"

    def write(self, folk: People, found: Claims) -> None:
        """Write one chunk."""
        people = _person_texts(folk)
        by_flux = np.argsort(found.prestations.flux.astype(np.uint8), kind="stable")
        ordered = found.prestations.take(by_flux)
        place = np.empty(len(by_flux), dtype=np.int64)
        place[by_flux] = np.arange(len(by_flux))
        edges = np.searchsorted(ordered.flux, np.arange(len(self._months) + 1))
        below = {
            "ER_PHA_F": _placed(found.pharmacy, place),
            "ER_CAM_F": _placed(found.acts, place),
            "ER_ETE_F": _placed(found.establishments, place),
        }
        ends = {table: np.searchsorted(rows.prestation, edges) for table, rows in below.items()}
        for index, month in enumerate(self._months):
            low, high = int(edges[index]), int(edges[index + 1])
            part = ordered.take(np.arange(low, high))
            keys = self._keys(folk, part, index)
            self._put(month, "ER_PRS_F", high - low, _prestation_line(folk, people, part, keys))
            for table, rows in below.items():
                first, last = int(ends[table][index]), int(ends[table][index + 1])
                chosen = slice(first, last)
                self._put(month, table, last - first, _affined_line(table, rows, chosen, keys, low))

    def _put(self, month: date, table: str, n_rows: int, fields_: list[Field]) -> None:
        sheet = self._deliveries.sheet(self._delivery(month), f"{table}.csv.gz", table, HEADERS[table])
        self._deliveries.write(sheet, render(n_rows, fields_), n_rows)

    def _keys(self, folk: People, part: Prestations, index: int) -> Bytes:
        """The nine keys of every prestation, as text."""
        month = self._months[index]
        before = date(month.year - (month.month == 1), (month.month - 2) % 12 + 1, 1)
        heads = texts(
            [
                f"{month};{before:%Y-%m}-{treated:02d};1;{office % 20 + 1};{treated};01C{office:03d}000;"
                for office in range(len(departments()))
                for treated in range(1, 29)
            ]
        )
        sheet, number = np.unique(part.sheet, return_inverse=True)
        treated = (part.sheet * 13 + part.flux) % 28
        number = number + self._next_sheet[index]
        self._next_sheet[index] += len(sheet)
        office = folk.department[part.person]
        one = digits(part.order, 1)
        return block(len(part), [(heads, office * 28 + treated), *digits(number, 8), b";", *one, b";0;"])


def _placed(rows: Affined, place: Indices) -> Affined:
    prestation = place[rows.prestation]
    sort = np.argsort(prestation, kind="stable")
    return Affined(prestation[sort], rows.what[sort], rows.quantity[sort], rows.order[sort])


def _person_texts(folk: People) -> Bytes:
    """BEN_NIR_PSA to RGM_GRG_COD of every person, under the first and then under the second pseudonym."""
    year = folk.birth.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    codes = texts([d.snds_code for d in departments()])
    rest = line(
        digits(folk.rank, 1),
        (texts(["00", "03"]), folk.provisional.astype(np.int64)),
        (texts(["1", "2"]), folk.female.astype(np.int64)),
        digits(year, 4),
        (codes, folk.department),
        (texts(["1", "2", "3"]), _scheme(folk)),
    )[:-1]
    first = block(len(folk), [folk.psa, b";", *rest])
    second = block(len(folk), [folk.second_psa, b";", *rest])
    return np.concatenate([first, second])


def _scheme(folk: People) -> Indices:
    found: Indices = np.where((np.arange(len(folk)) * 53 + folk.first) % 100 < 88, 0, (np.arange(len(folk)) % 2) + 1)
    return found


def _prestation_line(folk: People, people: Bytes, part: Prestations, keys: Bytes) -> list[Field]:
    percent = np.array([kind.percent for kind in kinds()])[part.kind]
    return [
        keys,
        *line(
            (people, part.person + len(folk) * (part.day >= folk.switch[part.person])),
            day(part.day),
            day(part.until),
            day(part.prescribed),
            [(_kind_texts(), part.kind * len(_VARIANTS) + part.variant), *digits(part.provider, 8)],
            signed(part.quantity),
            list(euros(part.cents)),
            list(euros(part.cents * percent // 100)),
        ),
    ]


def _affined_line(table: str, rows: Affined, chosen: slice, keys: Bytes, low: int) -> list[Field]:
    what, order = rows.what[chosen], rows.order[chosen]
    key: Field = (keys, rows.prestation[chosen] - low)
    if table == "ER_PHA_F":
        return [key, *line(signed(order), (_product_texts(), what), signed(rows.quantity[chosen]))]
    if table == "ER_CAM_F":
        return [key, *line(signed(order), (_act_texts(), what))]
    return [key, *line((_establishment_texts(), what))]
