"""PMSI MCO: stays with their person, and the diagnoses, units and acts of each stay."""

from __future__ import annotations

from enclos.contracts.pseudonymised import PSEUDONYMISED
from enclos.pseudonyms.model import LeftBehind
from enclos.pseudonyms.plans.persons import SNDS_PERSON, fictitious_pseudonym, joined_snds, snds_left

CHAINED = "enclos_chained"
"""Every stay of T_MCOaaC, once: year, keys, dates, return codes, person, stay's key and reason to stay."""
STAY_KEYS = "enclos_stay_keys"
"""(_source, year, ETA_NUM, RSA_NUM, stay_key)."""

YEAR = "substr(_table, 6, 2)"
"""The year of a yearly table, from its name: T_MCO19B is of 2019."""

_RETURN_CODES = tuple(name for name in PSEUDONYMISED["mco_b"].names if name.endswith("_RET"))
_STAY = frozenset({"person_id", "bucket", "source", "stay_key", "ETA_NUM", "EXE_SOI_DTD", "EXE_SOI_DTF"})
_KEYS = ("_source", "year", "ETA_NUM", "RSA_NUM")

CHAINING_COLUMNS: tuple[str, ...] = (
    "ETA_NUM",
    "RSA_NUM",
    "NIR_ANO_17",
    "RNG_NAI",
    "EXE_SOI_DTD",
    "EXE_SOI_DTF",
    *_RETURN_CODES,
)
"""What is read of T_MCOaaC."""

STAY_TABLES: dict[str, tuple[str, tuple[str, ...]]] = {
    family: (
        into,
        (
            "ETA_NUM",
            "RSA_NUM",
            *(name for name in PSEUDONYMISED[into].names if name not in _STAY and name not in _RETURN_CODES),
        ),
    )
    for family, into in {
        "T_MCOaaB": "mco_b",
        "T_MCOaaD": "mco_d",
        "T_MCOaaUM": "mco_um",
        "T_MCOaaA": "mco_a",
    }.items()
}
"""Tables of a stay: the pseudonymised table and what is read."""


def with_year(relation: str) -> str:
    """A relation with the year that its table's name says."""
    return f"(SELECT *, {YEAR} AS year FROM {relation})"


def plan_chained(chaining: str) -> str:
    """Fill CHAINED; a second row of the same stay stays behind."""
    keys = ", ".join(f"c.{key}" for key in _KEYS)
    left = snds_left(fictitious_pseudonym("c.NIR_ANO_17"))
    columns = ", ".join(f"c.{name}" for name in CHAINING_COLUMNS if name not in {"NIR_ANO_17", "RNG_NAI"})
    return (
        f"CREATE OR REPLACE TEMP TABLE {CHAINED} AS SELECT c._source, c._delivery, c._line, c.year, {columns}, "
        f"k.stay_key, {SNDS_PERSON} AS person_id, "
        f"CASE WHEN row_number() OVER (PARTITION BY {keys} ORDER BY c._line) > 1 "
        f"THEN '{LeftBehind.DUPLICATE_KEY.value}' ELSE {left} END AS _left FROM {chaining} AS c "
        f"JOIN {STAY_KEYS} AS k ON {_same('k', 'c')} "
        f"{joined_snds('c', 'NIR_ANO_17', 'TRY_CAST(c.RNG_NAI AS BIGINT)')}"
    )


def judged_stay_rows(family: str, rows: str) -> str:
    """Every row of a stay's table with its stay; of T_MCOaaB a second row of the same stay stays behind."""
    into, read = STAY_TABLES[family]
    of_row = [name for name in read if name not in {"ETA_NUM", "RSA_NUM"}]
    of_stay = [name for name in PSEUDONYMISED[into].names if name not in {*of_row, "bucket", "source"}]
    columns = ", ".join([*(f"s.{name}" for name in of_stay), *(f"r.{name}" for name in of_row)])
    left = f"CASE WHEN s._source IS NULL THEN '{LeftBehind.NO_STAY.value}' ELSE s._left END"
    if into == "mco_b":
        rank = f"row_number() OVER (PARTITION BY {', '.join(f'r.{key}' for key in _KEYS)} ORDER BY r._line)"
        left = f"CASE WHEN {rank} > 1 THEN '{LeftBehind.DUPLICATE_KEY.value}' ELSE {left} END"
    return (
        f"SELECT r._source AS source, {columns}, r._delivery, r._line, s._delivery AS _chained_delivery, "
        f"s._line AS _chained, {left} AS _left FROM {rows} AS r LEFT JOIN {CHAINED} AS s "
        f"ON {_same('s', 'r')} AND s._left IS DISTINCT FROM '{LeftBehind.DUPLICATE_KEY.value}'"
    )


def plan_joined_stays(stays: str) -> str:
    """Of the chaining rows: how many belong to a stay, how many to none, how many repeat a stay."""
    repeated = f"c._left IS NOT DISTINCT FROM '{LeftBehind.DUPLICATE_KEY.value}'"
    return (
        f"SELECT count(*) FILTER (WHERE NOT {repeated} AND b.year IS NOT NULL), "
        f"count(*) FILTER (WHERE NOT {repeated} AND b.year IS NULL), count(*) FILTER (WHERE {repeated}) "
        f"FROM {CHAINED} AS c LEFT JOIN (SELECT DISTINCT {', '.join(_KEYS)} FROM {stays}) AS b ON {_same('b', 'c')}"
    )


def _same(left: str, right: str) -> str:
    return " AND ".join(f"{left}.{key} = {right}.{key}" for key in _KEYS)
