"""Prestations, the rows below them, and the kinds of care they tell."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache

import numpy as np
import numpy.typing as npt

from enclos.synthetic.care import SPECIALITIES
from enclos.synthetic.illness import Indices
from enclos.synthetic.people import Days
from enclos.synthetic.references import city_acts

# Ways a line may be irregular: qualifiers of expenditure and markers of supplements.
PLAIN, NO_QUALIFIER, INFORMATION, INFORMATION_72, SUPPLEMENT, AFFINED_16, FICTITIOUS, NO_NATURE = range(8)
VARIANTS = ("0;0;0;0", "0;0;;", "0;0;71;71", "0;0;72;71", "2;0;0;0", "0;16;0;0", "0;0;0;0", "0;0;0;0")
"""CPL_MAJ_TOP;CPL_AFF_COD;DPN_QLF;PRS_DPN_QLP of each."""

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
    """Every kind of prestation: 3 of the GP, specialists, laboratory, hospital, acts, 4 of pharmacy, 3 more.

    The last are devices that are bought, devices that are rented, and drugs of a hospital's pharmacy.
    """
    found = [Kind(1111, 1, 0, 0, 2500, 70), Kind(1110, 1, 0, 0, 2500, 70), Kind(1211, 1, 0, 0, 3500, 70)]
    found += [Kind(1112, speciality, 0, 1, _PRICES.get(speciality, 3000), 70) for speciality in SPECIALITIES]
    found += [Kind(3211, 0, 30, 1, 3105, 60), Kind(1112, 4, 0, 0, 2500, 70)]
    found += [Kind(act.nature, act.speciality, 0, 1, act.price_cents, 70) for act in city_acts()]
    found += [Kind(nature, 0, 50, 1, 0, rate) for rate, nature in ((65, 3313), (30, 3312), (15, 3341), (100, 3311))]
    found += [Kind(3515, 0, 50, 1, 2500, 65), Kind(3511, 0, 50, 1, 6000, 65), Kind(3317, 0, 50, 1, 48_000, 100)]
    return tuple(found)


GP = 0
SPECIALIST = 3
LABORATORY = SPECIALIST + len(SPECIALITIES)
HOSPITAL = LABORATORY + 1
ACT = HOSPITAL + 1
"""Positions in kinds(): the first of each sort; pharmacy comes last."""
PHARMACY_RATES = (65, 30, 15, 100)
"""Rates of reimbursement by which a visit to a pharmacy is split."""
BOUGHT, RENTED, HANDED_OUT = range(3)
_N_OTHERS = 3


def first_pharmacy() -> int:
    """Position in kinds() of the first of pharmacy."""
    return len(kinds()) - len(PHARMACY_RATES) - _N_OTHERS


def other_kind(place: int) -> int:
    """Position in kinds() of BOUGHT, RENTED or HANDED_OUT."""
    return len(kinds()) - _N_OTHERS + place


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


NONE = Affined(*(np.zeros(0, dtype=np.int64) for _ in range(4)))


@dataclass(frozen=True, slots=True)
class Claims:
    """All claims of a chunk."""

    prestations: Prestations
    pharmacy: Affined
    acts: Affined
    establishments: Affined
    analyses: Affined = NONE
    devices: Affined = NONE
    hospital_drugs: Affined = NONE
