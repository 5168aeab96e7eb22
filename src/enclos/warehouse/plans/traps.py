"""The named traps and reasons that keep a delivered line out of the snapshot.

A condition is SQL over one line of its table and is never NULL: the missing value is spelt out, because a plain
``<>`` drops the lines where the field is empty. The first that holds gives the line its verdict; 0 means kept.

Source: SNDS practice as collected by the Health Data Hub, CNAM and sndsTools; see docs/warehouse.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from enclos.warehouse.model import Fate
from enclos.warehouse.plans.reference import doubled_finess

KEPT = 0
_STAY_YEAR = "year(coalesce(EXE_SOI_DTF, EXE_SOI_DTD))"
_LAST_DOUBLED_YEAR = 2017
_RETURN_CODES = {
    "NIR_RET": 0,
    "NAI_RET": 0,
    "SEX_RET": 0,
    "SEJ_RET": 0,
    "FHO_RET": 0,
    "PMS_RET": 0,
    "DAT_RET": 2006,
    "COH_NAI_RET": 2013,
    "COH_SEX_RET": 2013,
}
"""The return codes of a chained stay and the year from which each says something; earlier ones are filled at random.

Source: CNAM, Essentiel SNDS; docs of the Health Data Hub on the PMSI's chaining.
"""


@dataclass(frozen=True, slots=True)
class Trap:
    """One reason to leave a line out."""

    name: str
    condition: str
    fate: Fate
    meaning: str


def verdict_sql(traps: Sequence[Trap]) -> str:
    """The number of the first trap that holds, from 1; 0 when none does."""
    whens = " ".join(f"WHEN {trap.condition} THEN {number}" for number, trap in enumerate(traps, start=1))
    return f"CAST(CASE {whens} ELSE {KEPT} END AS UTINYINT)"


def known_date_sql(column: str) -> str:
    """The date, or NULL where the source writes 1600-01-01 or another year before 1900 for a missing one."""
    return f"CASE WHEN {column} >= DATE '1900-01-01' THEN {column} END"


def return_codes_sql(codes: Mapping[str, int] = MappingProxyType(_RETURN_CODES), since: int = 0) -> str:
    """Whether a return code other than 0 says that the stay is not chained with certainty.

    In: codes — by name, the year from which each counts; since — the year from which the field is controlled
    """
    tests = []
    for name, year in codes.items():
        wrong = f"coalesce({name}, '0') <> '0'"
        first = max(year, since)
        # 1600-01-01 is no year: nothing says then that the code was filled at random
        counts = f"coalesce(NOT ({_STAY_YEAR} BETWEEN 1900 AND {first - 1}), true)"
        tests.append(f"({wrong} AND {counts})" if first else wrong)
    return " OR ".join(tests)


def doubled_finess_sql(*hospitals: str) -> str:
    """Whether the row was sent a second time under a geographic FINESS of the named hospitals, or of any."""
    listed = ", ".join(f"'{finess}'" for finess in doubled_finess(*hospitals))
    return f"coalesce({_STAY_YEAR} <= {_LAST_DOUBLED_YEAR} AND lpad(ETA_NUM, 9, '0') IN ({listed}), false)"


def _filtered(name: str, condition: str, meaning: str) -> Trap:
    return Trap(name, condition, Fate.FILTERED, meaning)


def _rejected(name: str, condition: str, meaning: str) -> Trap:
    return Trap(name, condition, Fate.REJECTED, meaning)


def no_date(column: str) -> Trap:
    """The line has no date to stand on."""
    return _rejected("no_date", f"coalesce({column} < '1900-01-01', true)", "no date of care, or 1600-01-01")


def no_code(column: str) -> Trap:
    """The line has no code."""
    return _rejected("no_code", f"coalesce(CAST({column} AS VARCHAR) IN ('', '0'), true)", "no code")


NO_PERSON = _rejected(
    "no_person", "person_id NOT IN (SELECT person_id FROM stage_known)", "no reference row gives the person's birth"
)

REPEATED = _filtered("repeated_key", "n_before > 0", "the same stay or visit again")

CARE: tuple[Trap, ...] = (
    _filtered(
        "information_line",
        "coalesce(DPN_QLF IN (71, 72), false) OR coalesce(PRS_DPN_QLP = 71, false)",
        "DPN_QLF 71 or 72, PRS_DPN_QLP 71: a line for information, not care",
    ),
    _filtered(
        "public_hospital",
        "coalesce(ETE_IND_TAA = 1, false)",
        "ETE_IND_TAA 1: a public hospital's care, which the PMSI also holds",
    ),
    _filtered(
        "private_stay",
        "coalesce(ETE_MCO_DDP NOT IN ('Z', 'X'), false)",
        "ETE_MCO_DDP other than Z or X: a private stay's line, which the PMSI also holds",
    ),
    _filtered("majoration", "coalesce(CPL_MAJ_TOP >= 2, false)", "CPL_MAJ_TOP 2 or more: an extra charge, not an act"),
    _filtered("complement", "coalesce(CPL_AFF_COD = 16, false)", "CPL_AFF_COD 16: a complement, not an act"),
    _filtered("no_nature", "coalesce(BSE_PRS_NAT = 0, false)", "BSE_PRS_NAT 0: no act of its own"),
)
"""What every table of the DCIR shares."""

CHARGES = ("majoration", "complement")
"""Traps whose lines are no act but are paid for: their amounts belong to the visit."""

CASH_BENEFIT = _filtered(
    "cash_benefit",
    "coalesce(PRS_NAT_REF BETWEEN 6000 AND 8999, false)",
    "PRS_NAT_REF 6000 to 8999: sick pay, pensions and annuities, not care",
)

PHASE = _filtered(
    "later_phase",
    "coalesce(CAST({column} AS VARCHAR) NOT IN ('0', '1'), false)",
    "a later phase of an act counted once",
)


def later_phase(column: str) -> Trap:
    """The act's phase is neither 0 nor 1."""
    return Trap(PHASE.name, PHASE.condition.format(column=column), PHASE.fate, PHASE.meaning)


STAY: tuple[Trap, ...] = (
    _filtered(
        "return_code",
        return_codes_sql(),
        "a return code other than 0: the stay is not chained to its person with certainty",
    ),
    _filtered("ungroupable", "coalesce(GRG_GHM LIKE '90%', false)", "GRG_GHM 90…: a stay that could not be grouped"),
    _filtered(
        "inter_hospital",
        "coalesce(SEJ_TYP = 'B' OR (SEJ_TYP IS NULL AND ENT_MOD = '0' AND SOR_MOD = '0'), false) AND NOT "
        "coalesce(GRG_GHM LIKE '28%' AND left(GRG_GHM, 5) NOT IN ('28Z14', '28Z15', '28Z16'), false)",
        "SEJ_TYP B, or came for an act and went back: a service rendered to another hospital, which sends the stay; "
        "séances but those of 28Z14 to 28Z16 are sent by the one that gives them",
    ),
    _filtered("generated", "coalesce(TYP_GEN_RSA <> 0, false)", "TYP_GEN_RSA other than 0: a stay made by a program"),
    _filtered(
        "doubled_finess",
        doubled_finess_sql(),
        "one of the 46 geographic FINESS of AP-HP, AP-HM, HCL to data year 2017, sent a second time",
    ),
)
"""What excludes a stay of the PMSI, and all its lines with it."""

NO_STAY = _rejected("no_stay", "s.verdict IS NULL", "a diagnosis, act or unit whose stay was not delivered")

RIGHTS_PERIOD = _filtered(
    "within_rights", "known_by_snds", "a delivered observation period of a person whose rights give the period"
)
INITIAL_CAUSE = _filtered(
    "initial_cause",
    "coalesce(replace(trim(ECD_CIM_COD), '.', '') = replace(trim(DCD_CIM_COD), '.', ''), false)",
    "a line of the certificate that repeats the initial cause, which DEATH has",
)
SAME_MOTHER = _filtered("same_row", "n_before > 0", "another stay that names the same mother of the same child")
DEATH_KNOWN = _filtered("death_known", "not_first", "a second record of a death that a better source gives")
