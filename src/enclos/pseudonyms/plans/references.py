"""The SNDS reference tables; a row that a later delivery brings again is superseded."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from enclos.contracts.pseudonymised import PSEUDONYMISED
from enclos.pseudonyms.model import LeftBehind
from enclos.pseudonyms.plans.persons import (
    SNDS_HOLDERS,
    SNDS_LEFT,
    SNDS_PERSON,
    SNDS_RANKED,
    fictitious_status,
    joined_snds,
)
from enclos.pseudonyms.plans.shape import superseded

_WALL = frozenset({"person_id", "bucket", "source"})
_PAIR = ("BEN_NIR_PSA", "BEN_RNG_GEM")
Read = Callable[[str, Sequence[str]], str]
"""Another table of the unit: its family and the columns wanted."""


def _entry(
    family: str, into: str, *more: str, without: frozenset[str] = _WALL
) -> tuple[str, tuple[str, tuple[str, ...]]]:
    own = (name for name in PSEUDONYMISED[into].names if name not in without)
    return family, (into, tuple(dict.fromkeys((*more, *own))))


REFERENCE_TABLES: dict[str, tuple[str, tuple[str, ...]]] = dict(
    (
        _entry("IR_BEN_R", "ben", *_PAIR, "BEN_CDI_NIR"),
        _entry("IR_BEN_R_ARC", "ben", *_PAIR, "BEN_CDI_NIR"),
        _entry("IR_IMB_R", "imb", *_PAIR),
        _entry("IR_ORC_R", "orc", *_PAIR),
        _entry("IR_MAT_R", "mat", *_PAIR),
        _entry("KI_CCI_R", "cci", "DCD_IDT_ENC", "BEN_IDT_ANO"),
        _entry(
            "KI_ECD_R",
            "ecd",
            *("DCD_IDT_ENC", "BEN_IDT_ANO", "CER_LIG_NUM", "ECD_CAU_RNG"),
            without=_WALL | {"DCD_CIM_COD"},
        ),
    )
)
"""Reference tables: the pseudonymised table and what is read."""

_SUPERSEDED = f"WHEN r._superseded THEN '{LeftBehind.SUPERSEDED.value}'"


def judged_beneficiaries(rows: str, _read: Read) -> str:
    """Every row of IR_BEN_R; each pseudonym once, as its latest delivery has it."""
    return _of_pseudonyms(superseded(rows, _PAIR, unique=True))


def judged_archive(rows: str, read: Read) -> str:
    """Every row of IR_BEN_R_ARC; a pseudonym that IR_BEN_R has too is superseded."""
    archived = superseded(rows, _PAIR, unique=True)
    return _of_pseudonyms(
        "(SELECT a.* EXCLUDE (_superseded), a._superseded OR b._source IS NOT NULL AS _superseded "
        f"FROM {archived} AS a LEFT JOIN (SELECT DISTINCT _source, BEN_NIR_PSA, BEN_RNG_GEM "
        f"FROM {read('IR_BEN_R', _PAIR)}) AS b ON b._source = a._source "
        "AND b.BEN_NIR_PSA = a.BEN_NIR_PSA AND b.BEN_RNG_GEM = a.BEN_RNG_GEM)"
    )


def _of_pseudonyms(latest: str) -> str:
    return (
        f"SELECT r.*, r._source AS source, p.person_id, CASE {_SUPERSEDED} WHEN {fictitious_status('r.BEN_CDI_NIR')} "
        f"THEN '{LeftBehind.FICTITIOUS_NIR.value}' WHEN p.person_id IS NULL "
        f"THEN '{LeftBehind.NO_PERSON.value}' END AS _left FROM {latest} AS r LEFT JOIN {SNDS_RANKED} AS p "
        "ON p._source = r._source AND p.psa = r.BEN_NIR_PSA AND p.rank = r.BEN_RNG_GEM"
    )


def _of_entitled(*identity: str) -> Callable[[str, Read], str]:
    """Every row of an entitlement; the same one, by the columns named, as its latest delivery has it."""

    def judged(rows: str, _read: Read) -> str:
        return (
            f"SELECT r.*, r._source AS source, {SNDS_PERSON} AS person_id, "
            f"CASE {_SUPERSEDED} ELSE {SNDS_LEFT} END AS _left "
            f"FROM {superseded(rows, (*_PAIR, *identity), unique=False)} AS r "
            f"{joined_snds('r', 'BEN_NIR_PSA', 'r.BEN_RNG_GEM')}"
        )

    return judged


def judged_certificates(rows: str, _read: Read) -> str:
    """Every row of KI_CCI_R; the person is found by BEN_IDT_ANO, which is empty where no match was found."""
    return (
        f"SELECT r.*, r._source AS source, h.person_id, CASE {_SUPERSEDED} WHEN h.person_id IS NULL "
        f"THEN '{LeftBehind.NO_PERSON.value}' END AS _left FROM {superseded(rows, ('DCD_IDT_ENC',), unique=True)} AS r "
        f"LEFT JOIN {SNDS_HOLDERS} AS h ON h._source = r._source AND h.holder = r.BEN_IDT_ANO"
    )


def judged_causes(rows: str, read: Read) -> str:
    """Every row of KI_ECD_R with the certificate it is a line of; the certificate says whose and when, else the row."""
    certificates = superseded(
        read("KI_CCI_R", ("DCD_IDT_ENC", "BEN_IDT_ANO", "BEN_DCD_DTE", "DCD_CIM_COD")), ("DCD_IDT_ENC",), unique=True
    )
    lines = superseded(rows, ("DCD_IDT_ENC", "CER_LIG_NUM", "ECD_CAU_RNG", "ECD_CIM_COD"), unique=False)
    return (
        "SELECT r.ECD_CIM_COD, coalesce(c.BEN_DCD_DTE, r.BEN_DCD_DTE) AS BEN_DCD_DTE, c.DCD_CIM_COD, "
        f"r._line, c._line AS _chained, r._source AS source, h.person_id, CASE {_SUPERSEDED} WHEN h.person_id IS NULL "
        f"THEN '{LeftBehind.NO_PERSON.value}' END AS _left FROM {lines} AS r "
        f"LEFT JOIN (SELECT * FROM {certificates} WHERE NOT _superseded) AS c "
        "ON c._source = r._source AND c.DCD_IDT_ENC = r.DCD_IDT_ENC "
        f"LEFT JOIN {SNDS_HOLDERS} AS h ON h._source = r._source "
        "AND h.holder = coalesce(c.BEN_IDT_ANO, r.BEN_IDT_ANO)"
    )


JUDGES: dict[str, Callable[[str, Read], str]] = {
    "IR_BEN_R": judged_beneficiaries,
    "IR_BEN_R_ARC": judged_archive,
    "IR_IMB_R": _of_entitled("IMB_ALD_DTD", "IMB_ALD_NUM", "IMB_ETM_NAT", "MED_MTF_COD"),
    "IR_ORC_R": _of_entitled("BEN_CTA_TYP", "MLL_CTA_DSD"),
    "IR_MAT_R": _of_entitled("BEN_GRS_DTE", "BEN_DRA_AME"),
    "KI_CCI_R": judged_certificates,
    "KI_ECD_R": judged_causes,
}
