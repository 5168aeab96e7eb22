"""The SNDS reference tables; a row that a later delivery brings again is superseded."""

from __future__ import annotations

from enclos.contracts.pseudonymised import PSEUDONYMISED
from enclos.pseudonyms.model import LeftBehind
from enclos.pseudonyms.plans.persons import SNDS_HOLDERS, SNDS_LEFT, SNDS_PERSON, SNDS_RANKED, joined_snds
from enclos.pseudonyms.plans.shape import superseded

_WALL = frozenset({"person_id", "bucket", "source"})

REFERENCE_TABLES: dict[str, tuple[str, tuple[str, ...]]] = {
    family: (into, tuple(dict.fromkeys((*keys, *(c for c in PSEUDONYMISED[into].names if c not in _WALL)))))
    for family, into, keys in (
        ("IR_BEN_R", "ben", ("BEN_NIR_PSA", "BEN_RNG_GEM")),
        ("IR_IMB_R", "imb", ("BEN_NIR_PSA", "BEN_RNG_GEM")),
        ("KI_CCI_R", "cci", ("DCD_IDT_ENC", "BEN_IDT_ANO")),
    )
}
"""Reference tables: the pseudonymised table and what is read."""

_SUPERSEDED = f"WHEN r._superseded THEN '{LeftBehind.SUPERSEDED.value}'"


def judged_beneficiaries(rows: str) -> str:
    """Every row of IR_BEN_R; each pseudonym once, as its latest delivery has it."""
    latest = superseded(rows, ("BEN_NIR_PSA", "BEN_RNG_GEM"), unique=True)
    return (
        f"SELECT r.*, r._source AS source, p.person_id, CASE {_SUPERSEDED} WHEN p.person_id IS NULL "
        f"THEN '{LeftBehind.NO_PERSON.value}' END AS _left FROM {latest} AS r LEFT JOIN {SNDS_RANKED} AS p "
        "ON p._source = r._source AND p.psa = r.BEN_NIR_PSA AND p.rank = r.BEN_RNG_GEM"
    )


def judged_illnesses(rows: str) -> str:
    """Every row of IR_IMB_R; one entitlement (person, start, number, nature, code) as its latest delivery has it."""
    identity = ("BEN_NIR_PSA", "BEN_RNG_GEM", "IMB_ALD_DTD", "IMB_ALD_NUM", "IMB_ETM_NAT", "MED_MTF_COD")
    return (
        f"SELECT r.*, r._source AS source, {SNDS_PERSON} AS person_id, "
        f"CASE {_SUPERSEDED} ELSE {SNDS_LEFT} END AS _left "
        f"FROM {superseded(rows, identity, unique=False)} AS r {joined_snds('r', 'BEN_NIR_PSA', 'r.BEN_RNG_GEM')}"
    )


def judged_certificates(rows: str) -> str:
    """Every row of KI_CCI_R; the person is found by BEN_IDT_ANO, which is empty where no match was found."""
    return (
        f"SELECT r.*, r._source AS source, h.person_id, CASE {_SUPERSEDED} WHEN h.person_id IS NULL "
        f"THEN '{LeftBehind.NO_PERSON.value}' END AS _left FROM {superseded(rows, ('DCD_IDT_ENC',), unique=True)} AS r "
        f"LEFT JOIN {SNDS_HOLDERS} AS h ON h._source = r._source AND h.holder = r.BEN_IDT_ANO"
    )


JUDGES = {"IR_BEN_R": judged_beneficiaries, "IR_IMB_R": judged_illnesses, "KI_CCI_R": judged_certificates}
