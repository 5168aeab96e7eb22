"""DCIR: prestations with their establishment, and what hangs on them by the nine keys (packs, acts, devices…)."""

from __future__ import annotations

from enclos.contracts.delivered.snds import NINE_KEYS
from enclos.contracts.pseudonymised import PSEUDONYMISED
from enclos.pseudonyms.model import LeftBehind
from enclos.pseudonyms.plans.persons import (
    SNDS_PERSON,
    fictitious_pseudonym,
    fictitious_status,
    joined_snds,
    snds_left,
)

CARE = "enclos_care"
"""Every prestation of the unit, once, with its establishment, person, executant's key and reason to stay."""
EXECUTANTS = "enclos_executants"
"""(_source, PFS_EXE_NUM, executant_key)."""

_OF_ESTABLISHMENT = ("ETE_IND_TAA", "ETE_MCO_DDP", "ETB_EXE_FIN")
_NOT_OF_PRESTATION = frozenset({"person_id", "bucket", "source", "executant_key", *_OF_ESTABLISHMENT})

PRESTATION_COLUMNS: tuple[str, ...] = tuple(
    dict.fromkeys(
        (
            *NINE_KEYS,
            "BEN_NIR_PSA",
            "BEN_RNG_GEM",
            "BEN_CDI_NIR",
            "PFS_EXE_NUM",
            *(name for name in PSEUDONYMISED["prs"].names if name not in _NOT_OF_PRESTATION),
        )
    )
)
"""What is read of ER_PRS_F."""
ESTABLISHMENT_COLUMNS: tuple[str, ...] = (*NINE_KEYS, *_OF_ESTABLISHMENT)
"""What is read of ER_ETE_F."""
AFFINED_COLUMNS: dict[str, tuple[str, tuple[str, ...]]] = {
    "ER_PHA_F": (
        "pha",
        (*NINE_KEYS, "PHA_PRS_C13", "PHA_PRS_IDE", "PHA_ACT_QSN", "PHA_DEC_TOP", "PHA_DEC_QSU"),
    ),
    "ER_CAM_F": ("cam", (*NINE_KEYS, "CAM_PRS_IDE", "CAM_ACT_COD", "CAM_TRT_PHA")),
    "ER_UCD_F": ("ucd", (*NINE_KEYS, "UCD_UCD_COD", "UCD_DLV_NBR")),
    "ER_BIO_F": ("bio", (*NINE_KEYS, "BIO_PRS_IDE", "BIO_ACT_QSN")),
    "ER_TIP_F": (
        "tip",
        (*NINE_KEYS, "TIP_PRS_IDE", "TIP_ACT_QSN", "TIP_PRS_TYP", "TIP_ACL_DTD", "TIP_ACL_DTF"),
    ),
}
"""Affined tables: the pseudonymised table and what is read."""

_KEYS = ("_source", "_delivery", *NINE_KEYS)


def _same(left: str, right: str) -> str:
    return " AND ".join(f"{left}.{key} = {right}.{key}" for key in _KEYS)


def plan_key_repeats(relation: str) -> str:
    """How many rows of a relation repeat the nine keys of another row of the same delivery (by a hash: at most)."""
    return f"SELECT count(*) - count(DISTINCT hash({', '.join(_KEYS)})) FROM {relation}"


def first_of_key(relation: str) -> str:
    """A relation with the first row of each nine keys only."""
    keys = ", ".join(_KEYS)
    return f"(SELECT * FROM {relation} QUALIFY row_number() OVER (PARTITION BY {keys} ORDER BY _line) = 1)"


def plan_care(prestations: str, establishments: str, *, repeats: bool) -> str:
    """Fill CARE.

    In: establishments — at most one row per nine keys; repeats — whether prestations may repeat their keys: then only
    the first of them is cared for, and the others stay behind as duplicates
    """
    rank = f"row_number() OVER (PARTITION BY {', '.join(f'p.{key}' for key in _KEYS)} ORDER BY p._line)"
    left = snds_left(f"{fictitious_status('p.BEN_CDI_NIR')} OR {fictitious_pseudonym('p.BEN_NIR_PSA')}")
    if repeats:
        left = f"CASE WHEN {rank} > 1 THEN '{LeftBehind.DUPLICATE_KEY.value}' ELSE {left} END"
    columns = ", ".join(
        f"p.{name}"
        for name in PRESTATION_COLUMNS
        if name not in {"BEN_NIR_PSA", "BEN_RNG_GEM", "BEN_CDI_NIR", "PFS_EXE_NUM"}
    )
    ours = ", ".join(f"e.{name}" for name in _OF_ESTABLISHMENT)
    return (
        f"CREATE OR REPLACE TEMP TABLE {CARE} AS SELECT p._source, p._delivery, p._line, {columns}, {ours}, "
        f"x.executant_key, {SNDS_PERSON} AS person_id, p._source AS source, {left} AS _left FROM {prestations} AS p "
        f"LEFT JOIN {establishments} AS e ON {_same('e', 'p')} "
        f"LEFT JOIN {EXECUTANTS} AS x ON x._source = p._source AND x.PFS_EXE_NUM = p.PFS_EXE_NUM "
        f"{joined_snds('p', 'BEN_NIR_PSA', 'p.BEN_RNG_GEM')}"
    )


def judged_prestations() -> str:
    """Every prestation."""
    return f"SELECT * FROM {CARE}"


def judged_affined(table: str, affined: str) -> str:
    """Every affined row with the context of its prestation."""
    into, read = AFFINED_COLUMNS[table]
    of_row = [name for name in read if name not in NINE_KEYS]
    of_care = [name for name in PSEUDONYMISED[into].names if name not in {*of_row, "bucket"}]
    columns = ", ".join([*(f"c.{name}" for name in of_care), *(f"a.{name}" for name in of_row)])
    return (
        f"SELECT {columns}, a._delivery, a._line, c._line AS _prestation, "
        f"CASE WHEN c._source IS NULL THEN '{LeftBehind.NO_PRESTATION.value}' ELSE c._left END "
        f"AS _left FROM {affined} AS a LEFT JOIN {CARE} AS c ON {_same('c', 'a')} "
        f"AND c._left IS DISTINCT FROM '{LeftBehind.DUPLICATE_KEY.value}'"
    )


def plan_joined_establishments(establishments: str) -> str:
    """How many establishment rows have their prestation, how many have none, and how many repeat a key."""
    return (
        f"SELECT count(*) FILTER (WHERE repeated = 1 AND found), count(*) FILTER (WHERE repeated = 1 AND NOT found), "
        "count(*) FILTER (WHERE repeated > 1) FROM (SELECT c._source IS NOT NULL AS found, "
        f"row_number() OVER (PARTITION BY {', '.join(f'e.{key}' for key in _KEYS)} ORDER BY e._line) AS repeated "
        f"FROM {establishments} AS e LEFT JOIN {CARE} AS c ON {_same('c', 'e')} "
        f"AND c._left IS DISTINCT FROM '{LeftBehind.DUPLICATE_KEY.value}')"
    )
