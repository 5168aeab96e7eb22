"""Months of flux, and the writing of claims into the deliveries of their month.

The flux of a month holds care that was paid in the months before: FLX_DIS_DTD is the first day of the month in
which lines became available, one to six months after the month of care.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from functools import cache

import numpy as np

from enclos.synthetic import stay_lists
from enclos.synthetic.claims.model import (
    FICTITIOUS,
    NO_NATURE,
    VARIANTS,
    Affined,
    Claims,
    Kind,
    Prestations,
    kinds,
)
from enclos.synthetic.illness import Indices
from enclos.synthetic.people import Days, Flags, People
from enclos.synthetic.references import city_acts, departments, hospitals, layout, products
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
    render,
    signed,
    texts,
)

MOST_LAG_MONTHS = 6
TABLES = ("ER_PRS_F", "ER_PHA_F", "ER_CAM_F", "ER_ETE_F", "ER_BIO_F", "ER_TIP_F", "ER_UCD_F", "ER_LOT_F")
_NO_DEVICE = "9999999999999"
_NOBODY = "XXXXXXXXXXXXXXXXX"
_LOOSE_UNITS = 7


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


LAST_ARCHIVED_YEAR = 2012


def archive_of(month: date) -> str:
    """What the tables of a flux are called beside their name: to 2012 they lie by year, which ends in February."""
    year = month.year - (month.month < 3)
    return f"_{year}" if year <= LAST_ARCHIVED_YEAR else ""


class ClaimWriter:
    """Writes the claims of chunk after chunk into the deliveries of their flux."""

    def __init__(self, deliveries: Deliveries, start: int, end: int, *, archived: bool) -> None:
        """In: archived — whether old fluxes lie in tables of their year."""
        self._deliveries = deliveries
        self._archived = archived
        self._months = flux_months(start, end)
        self._next_sheet = np.full(len(self._months), 10_000_000, dtype=np.int64)
        for month in self._months:
            after = date(month.year + month.month // 12, month.month % 12 + 1, 1)
            # care begins the month before the first flux: the first delivery speaks of both months
            since = date(month.year - (month.month == 1), (month.month - 2) % 12 + 1, 1)
            first = month == self._months[0]
            deliveries.open(self._delivery(month), "snds", "snds-dcir", (since if first else month, after))
            for table in TABLES:
                self._sheet(month, table)

    @staticmethod
    def _delivery(month: date) -> str:
        return f"snds-dcir-{month:%Y-%m}"

    def _sheet(self, month: date, table: str) -> Sheet:
        name = f"{table}{archive_of(month)}" if self._archived else table
        return self._deliveries.sheet(self._delivery(month), f"{name}.csv.gz", name, layout(table))

    def write(self, folk: People, found: Claims, traps: Counter[str] | None) -> None:
        """Write one chunk."""
        unranked = _without_rank(folk) if traps is not None else np.zeros(len(folk), dtype=bool)
        if traps is not None:
            named = found.prestations.variant != FICTITIOUS
            traps["dcir_rank_0_lines"] += int((unranked[found.prestations.person] & named).sum())
            if n_archived := sum(bool(archive_of(month)) for month in self._months):
                traps["dcir_archived_tables"] = n_archived * len(TABLES)
        people = _person_texts(folk, unranked)
        by_flux = np.argsort(found.prestations.flux.astype(np.uint8), kind="stable")
        ordered = found.prestations.take(by_flux)
        place = np.empty(len(by_flux), dtype=np.int64)
        place[by_flux] = np.arange(len(by_flux))
        edges = np.searchsorted(ordered.flux, np.arange(len(self._months) + 1))
        below = {
            "ER_PHA_F": _placed(found.pharmacy, place),
            "ER_CAM_F": _placed(found.acts, place),
            "ER_ETE_F": _placed(found.establishments, place),
            "ER_BIO_F": _placed(found.analyses, place),
            "ER_TIP_F": _placed(found.devices, place),
            "ER_UCD_F": _placed(found.hospital_drugs, place),
            "ER_LOT_F": _placed(found.hospital_drugs, place),
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
                self._put(month, table, last - first, _affined_line(table, rows, chosen, keys, low, part))

    def _put(self, month: date, table: str, n_rows: int, fields_: list[Field]) -> None:
        self._deliveries.write(self._sheet(month, table), render(n_rows, fields_), n_rows)

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


def _person_texts(folk: People, unranked: Flags) -> Bytes:
    """BEN_NIR_PSA to RGM_GRG_COD of every person, under the first, then under the second pseudonym, and of nobody."""
    year = folk.birth.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    codes = texts([d.snds_code for d in departments()])
    rest = line(
        digits(np.where(unranked, 0, folk.rank), 1),
        (texts(["00", "03"]), folk.provisional.astype(np.int64)),
        (texts(["1", "2"]), folk.female.astype(np.int64)),
        digits(year, 4),
        (codes, folk.department),
        (texts(["1", "2", "3"]), _scheme(folk)),
    )[:-1]
    first = block(len(folk), [folk.psa, b";", *rest])
    second = block(len(folk), [folk.second_psa, b";", *rest])
    nobody = np.array([f"{_NOBODY};1;09;1;1950;075;1".encode()])
    return np.concatenate([first, second, nobody])


def _scheme(folk: People) -> Indices:
    found: Indices = np.where((np.arange(len(folk)) * 53 + folk.first) % 100 < 88, 0, (np.arange(len(folk)) % 2) + 1)
    return found


def _without_rank(folk: People) -> Flags:
    """Whose scheme (RGM_GRG_COD 3, the self-employed) writes rank 0 in claims; twins under one PSA keep theirs."""
    twin = folk.rank > 1
    twin[:-1] |= twin[1:]
    found: Flags = (_scheme(folk) == 2) & ~twin
    return found


def _prestation_line(folk: People, people: Bytes, part: Prestations, keys: Bytes) -> list[Field]:
    own = part.person + len(folk) * (part.day >= folk.switch[part.person])
    percent = np.array([kind.percent for kind in kinds()])[part.kind]
    return [
        keys,
        *line(
            (people, np.where(part.variant == FICTITIOUS, 2 * len(folk), own)),
            day(part.day),
            day(part.until),
            day(part.prescribed),
            [(_kind_texts(), part.kind * len(VARIANTS) + part.variant), *digits(part.provider, 8)],
            signed(part.quantity),
            list(euros(part.cents)),
            list(euros(part.cents * percent // 100)),
        ),
    ]


def _affined_line(table: str, rows: Affined, chosen: slice, keys: Bytes, low: int, part: Prestations) -> list[Field]:
    what, order, quantity = rows.what[chosen], rows.order[chosen], rows.quantity[chosen]
    above = rows.prestation[chosen] - low
    key: Field = (keys, above)
    if table == "ER_PHA_F":
        loose = np.where(what >= 2 * len(products()), 1 + (quantity < 0), 0)
        return [key, *line(signed(order), (_product_texts(), what), signed(quantity), (_loose_texts(), loose))]
    if table == "ER_TIP_F":
        device = (_device_texts(), what)
        return [key, *line(signed(order), device, signed(quantity), day(part.day[above]), day(part.until[above]))]
    columns: dict[str, list[Field]] = {
        "ER_BIO_F": [signed(order), (texts(stay_lists.codes("NABM")), what), signed(quantity)],
        "ER_CAM_F": [signed(order), (_act_texts(), what)],
        "ER_ETE_F": [(_establishment_texts(), what)],
        "ER_LOT_F": [signed(order), signed(quantity)],
        "ER_UCD_F": [signed(order), (_ucd_texts(), what), signed(quantity)],
    }
    return [key, *line(*columns[table])]


@cache
def _ucd_texts() -> Bytes:
    """UCD in 13 characters: zeros, then UCD7."""
    return texts([f"{code:0>13}" for code in stay_lists.codes("UCD")])


@cache
def _kind_texts() -> Bytes:
    """PRS_NAT_REF to PRS_DPN_QLP and the first sign of PFS_EXE_NUM, of every kind in every variant."""
    return texts(
        [
            f"{kind.nature};{0 if number == NO_NATURE else kind.nature};{kind.speciality};{kind.activity};"
            f"{kind.prescriber_speciality};0;{variant};{_role(kind)}"
            for kind in kinds()
            for number, variant in enumerate(VARIANTS)
        ]
    )


def _role(kind: Kind) -> int:
    if kind.activity:
        return {30: 6, 50: 2}[kind.activity]
    return 1


@cache
def _product_texts() -> Bytes:
    """Packs as they are, then without their CIP13, then those out of which units are taken."""
    named = [f"{p.cip13};{p.cip7};{p.price_cents // 100}.{p.price_cents % 100:02d}" for p in products()]
    return texts([*named, *(f"0;{text.split(';', 1)[1]}" for text in named), *named])


@cache
def _loose_texts() -> Bytes:
    """PHA_DEC_TOP and PHA_DEC_QSU: of a box, of units, of units taken back."""
    return texts([";", f"D;{_LOOSE_UNITS}", f"D;-{_LOOSE_UNITS}"])


@cache
def _device_texts() -> Bytes:
    """TIP_PRS_IDE and TIP_PRS_TYP (1 bought, 2 rented): each device bought, then rented, then both without a code."""
    codes = stay_lists.codes("LPP")
    return texts(
        [f"{code};{kind}" for named in (codes, [_NO_DEVICE] * len(codes)) for kind in (1, 2) for code in named]
    )


@cache
def _act_texts() -> Bytes:
    return texts([f"{a.ccam};1;0;{a.price_cents // 100}.{a.price_cents % 100:02d}" for a in city_acts()])


@cache
def _establishment_texts() -> Bytes:
    """ETE_IND_TAA to PRS_PPU_SEC: directly billed public hospitals, private ones, and private ones during a stay."""
    public = [f"1;{h.finess[:8]};355;1;;1" for h in hospitals()]
    private = [f"0;{h.finess[:8]};365;2;Z;2" for h in hospitals()]
    stays = [f"0;{h.finess[:8]};365;2;A;2" for h in hospitals()]
    return texts(public + private + stays)
