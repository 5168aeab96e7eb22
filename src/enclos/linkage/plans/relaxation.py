"""Deterministic indirect linkage: stays that agree on n, then n-1, then n-2 variables, and on no other's.

The names of intermediate tables are the steps of the reasoning: pairs (which stays agree on enough), then for each
step what is settled: matched, or several.
Source: HDH, appariement indirect; facts on regulation, § 5.3.
"""

from __future__ import annotations

from enclos.linkage.model import RELAXED, VARIABLES
from enclos.linkage.plans.stays import HOSPITAL_STAYS, NATIONAL_STAYS

PAIRS = "enclos_stay_pairs"
"""(stay, patient, other, person, n_agree): pairs that agree on at least n-2 variables."""
SETTLED = "enclos_settled_stays"
"""(stay, patient, person, n_agree): hospital stays that were matched, or several (person empty)."""
TAKEN = "enclos_taken_stays"
"""(other): stays of the PMSI that were matched."""
_FOUND = "enclos_found_stays"

_BLOCKS: tuple[tuple[str, ...], ...] = (
    ("birth_month", "entry_on"),
    ("birth_month", "exit_on"),
    ("birth_month", "finess", "sex", "principal", "acts_key"),
    ("finess", "entry_on", "exit_on", "principal"),
    ("finess", "entry_on", "exit_on", "sex", "acts_key"),
    ("finess", "entry_on", "sex", "principal", "acts_key"),
    ("finess", "exit_on", "sex", "principal", "acts_key"),
    ("entry_on", "exit_on", "sex", "principal", "acts_key"),
)
"""Whoever agrees on five of the seven agrees on all of one of these: with the birth month, entry, exit or neither;
without it, five of the other six. Checked in tests/generative/test_relaxation.py."""


def agreement(left: str, right: str) -> str:
    """How many of the variables two stays agree on; what a side does not tell does not agree."""
    return " + ".join(f"CAST(coalesce({left}.{name} = {right}.{name}, false) AS TINYINT)" for name in VARIABLES)


def plan_pairs() -> str:
    """Fill PAIRS."""
    parts = []
    for block in _BLOCKS:
        same = " AND ".join(f"h.{name} = n.{name}" for name in block)
        parts.append(
            f"SELECT h.unique_id AS stay, h.owner AS patient, n.unique_id AS other, n.owner AS person, "
            f"{agreement('h', 'n')} AS n_agree FROM {HOSPITAL_STAYS} AS h JOIN {NATIONAL_STAYS} AS n ON {same} "
            f"WHERE {agreement('h', 'n')} >= {len(VARIABLES) - RELAXED}"
        )
    return f"CREATE OR REPLACE TEMP TABLE {PAIRS} AS {' UNION '.join(parts)}"


def plan_begin() -> tuple[str, ...]:
    """Nothing is settled yet."""
    return (
        f"CREATE OR REPLACE TEMP TABLE {SETTLED} (stay BIGINT, patient BIGINT, person BIGINT, n_agree TINYINT)",
        f"CREATE OR REPLACE TEMP TABLE {TAKEN} (other BIGINT)",
    )


def plan_step(n_agree: int) -> tuple[str, ...]:
    """One step of the relaxation: open stays that agree on so many variables.

    A hospital stay that finds one person is matched, unless another patient's stay finds the same stay of the PMSI;
    one that finds several persons, or is disputed, is several. Both are set aside, and so are the PMSI's matched ones.
    """
    open_pairs = (
        f"SELECT * FROM {PAIRS} WHERE n_agree = {n_agree} AND stay NOT IN (SELECT stay FROM {SETTLED}) "
        f"AND other NOT IN (SELECT other FROM {TAKEN})"
    )
    return (
        (
            f"CREATE OR REPLACE TEMP TABLE {_FOUND} AS WITH open AS MATERIALIZED ({open_pairs}), "
            "disputed AS (SELECT other FROM open GROUP BY other HAVING count(DISTINCT patient) > 1) "
            "SELECT o.stay, any_value(o.patient) AS patient, CASE WHEN count(DISTINCT o.person) = 1 "
            "AND NOT bool_or(d.other IS NOT NULL) THEN any_value(o.person) END AS person "
            "FROM open AS o LEFT JOIN disputed AS d ON d.other = o.other GROUP BY o.stay"
        ),
        (
            f"INSERT INTO {TAKEN} SELECT DISTINCT p.other FROM {PAIRS} AS p JOIN {_FOUND} AS f ON f.stay = p.stay "
            f"AND f.person = p.person WHERE p.n_agree = {n_agree}"
        ),
        f"INSERT INTO {SETTLED} SELECT stay, patient, person, {n_agree} FROM {_FOUND}",
        f"DROP TABLE {_FOUND}",
    )


def plan_stay_groups() -> str:
    """How many hospital stays are in each group: n_agree (empty: none), whether one person was found, how many."""
    return (
        f"SELECT s.n_agree, s.person IS NOT NULL, count(*) FROM {HOSPITAL_STAYS} AS h "
        f"LEFT JOIN {SETTLED} AS s ON s.stay = h.unique_id GROUP BY ALL ORDER BY ALL"
    )


def ranked_by_agreement() -> str:
    """SELECT text: (patient, person, weight, n_stays) of what was matched; the weight is the best agreement."""
    return (
        "SELECT patient, person, CAST(max(n_agree) AS DOUBLE) AS weight, count(*) AS n_stays "
        f"FROM {SETTLED} WHERE person IS NOT NULL GROUP BY ALL"
    )


def several_of_patients() -> str:
    """SELECT text: (patient, n_several) stays that found several persons."""
    return f"SELECT patient, count(*) AS n_several FROM {SETTLED} WHERE person IS NULL GROUP BY patient"


def plan_forget_relaxation() -> tuple[str, ...]:
    """Drop the intermediate tables."""
    return tuple(f"DROP TABLE IF EXISTS {name}" for name in (PAIRS, SETTLED, TAKEN, _FOUND))
