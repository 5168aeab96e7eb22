"""The direct circuit: what each hospital and the national side deliver so that patients are found in the SNDS.

The hospital sends NIR, birth date and sex with a temporary id to the national side, which answers with the temporary
id and the pseudonym. The NIR never reaches the enclosure. A patient without NIR is not sent; a mistyped NIR has no
answer.
"""

from __future__ import annotations

from datetime import date

import numpy as np

from enclos.synthetic.hospitals.records import SOURCES, Record
from enclos.synthetic.hospitals.written import patient_ids
from enclos.synthetic.sheets import Deliveries

_HOSPITAL = ["source", "patient_id", "id_temp"]
_NATIONAL = ["source", "id_temp", "BEN_NIR_PSA", "BEN_RNG_GEM"]


def begin(deliveries: Deliveries, period: tuple[date, date]) -> None:
    """Begin the link deliveries."""
    for source in SOURCES:
        deliveries.open(f"link-{source}", source, "link", period)
        deliveries.sheet(f"link-{source}", "LINK_HOSPITAL.csv", "LINK_HOSPITAL", _HOSPITAL)
    deliveries.open("link-snds", "snds", "link", period)
    deliveries.sheet("link-snds", "LINK_SNDS.csv", "LINK_SNDS", _NATIONAL)


def write(rng: np.random.Generator, deliveries: Deliveries, found: Record) -> None:
    """Write both sides for one hospital's patients; the national side answers in an order of its own."""
    ids, n = patient_ids(found), len(found.patients)
    temporary = ["".join(f"{part:08x}" for part in parts) for parts in rng.integers(0, 2**32, (n, 3)).tolist()]
    sent = np.flatnonzero(found.patients.has_nir).tolist()
    answered = rng.permutation(np.flatnonzero(found.patients.has_nir & ~found.patients.mistyped)).tolist()
    psa, rank = found.patients.psa.tolist(), found.patients.rank.tolist()
    own = [f"{found.source};{ids[p]};{temporary[p]}\n" for p in sent]
    national = [f"{found.source};{temporary[p]};{psa[p].decode()};{rank[p]}\n" for p in answered]
    sheet = deliveries.sheet(f"link-{found.source}", "LINK_HOSPITAL.csv", "LINK_HOSPITAL", _HOSPITAL)
    deliveries.write(sheet, "".join(own).encode(), len(own))
    sheet = deliveries.sheet("link-snds", "LINK_SNDS.csv", "LINK_SNDS", _NATIONAL)
    deliveries.write(sheet, "".join(national).encode(), len(national))
