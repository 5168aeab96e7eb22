"""The PMSI beside medicine: external care (ACE), rehabilitation (SSR), home (HAD), psychiatry (RIP).

A stay of these fields is made of sequences: weeks of SSR, sub-sequences of HAD, sequences of RIP, the care itself of
ACE. A sequence is judged by the traps of a stay, under the same numbers; a stay is kept when one of its sequences is.
ACE alone has no details.

* ACE: outpatient (9202), emergency (9203) where an ATU was billed. AP-HP and AP-HM sent it twice, HCL did not.
* SSR: inpatient or outpatient by HOS_TYP_UM (2 and 4 are by day). A week begins on a Monday and stays within the stay.
* HAD: at home (581476): the patient is not in a bed of a hospital, and studies of hospital days must not count it.
* RIP: inpatient (9201); without an exit the stay ends with its last sequence.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from enclos.warehouse import concepts
from enclos.warehouse.plans.relations import everything, key_sql
from enclos.warehouse.plans.traps import KEPT, Trap, doubled_finess_sql, known_date_sql, return_codes_sql, verdict_sql
from enclos.warehouse.plans.visits import STAY_TRAPS

_WEEK = "CAST(date_trunc('week', entry_on) AS DATE) + 7 * greatest(coalesce(TRY_CAST(RHS_NUM AS INTEGER), 1) - 1, 0)"
"""The Monday of a week of SSR; which of its days the patient was there for is not kept."""
_NEVER = "false"


@dataclass(frozen=True, slots=True)
class Field:
    """How the header rows of a field become sequences and stays."""

    name: str
    table: str
    traps: tuple[Trap, ...]
    sequence: str
    """What tells the rows of a stay apart, as text."""
    concept: str
    start_on: str = "entry_on"
    """First day of the sequence, as SQL over the row with ``entry_on`` and ``exit_on`` of its stay."""
    end_on: str = "exit_on"
    exit_on: str = "exit_on"
    """Last day of the stay."""
    unit: str = "NULL"
    principal: str = "NULL"
    related: str = "NULL"
    aetiology: str = "NULL"
    group: str = "NULL"
    """What the stay is written as: the visit's source value."""
    modes: bool = True
    details: bool = True
    joined: str = ""
    """What the rows are joined to, as a JOIN that may read ``{ace_b}``."""


def _traps(**conditions: str) -> tuple[Trap, ...]:
    """The traps of a stay with the conditions of a field; a trap that it does not know never holds."""
    conditional = {"return_code", "ungroupable", "inter_hospital", "generated"}
    return tuple(
        replace(trap, condition=conditions.get(trap.name, _NEVER if trap.name in conditional else trap.condition))
        for trap in STAY_TRAPS
    )


def _ungroupable(column: str, pattern: str) -> str:
    return f"coalesce({column} LIKE '{pattern}', false)"


_TRANSFER = "coalesce(ENT_MOD = '0' AND SOR_MOD = '0', false)"

ACE = Field(
    name="ACE",
    table="ace",
    traps=_traps(
        return_code=return_codes_sql(dict.fromkeys(("NIR_RET", "NAI_RET", "SEX_RET", "IAS_RET", "ENT_DAT_RET"), 0)),
        doubled_finess=doubled_finess_sql("AP-HP", "AP-HM"),
    ),
    sequence="''",
    concept=f"CASE WHEN emergency THEN {concepts.EMERGENCY_VISIT} ELSE {concepts.OUTPATIENT_VISIT} END",
    group="billed",
    modes=False,
    details=False,
    joined="LEFT JOIN (SELECT person_id AS b_person, stay_key AS b_stay, bool_or(ACT_COD = 'ATU') AS emergency, "
    "coalesce(min(ACT_COD) FILTER (WHERE ACT_COD = 'ATU'), min(ACT_COD)) AS billed "
    "FROM {ace_b} GROUP BY ALL) AS b ON b_person = person_id AND b_stay = stay_key",
)
SSR = Field(
    name="SSR",
    table="ssr_b",
    traps=_traps(
        return_code=return_codes_sql(),
        ungroupable=_ungroupable("GRG_GME", "90%"),
        inter_hospital=_TRANSFER,
        generated="coalesce(nullif(trim(TYP_GEN_RHA), '') <> '0', false)",
    ),
    sequence="lpad(coalesce(RHS_NUM, ''), 4, '0')",
    concept=f"CASE WHEN HOS_TYP_UM IN ('2', '4') THEN {concepts.OUTPATIENT_VISIT} ELSE {concepts.INPATIENT_VISIT} END",
    start_on=_WEEK,
    end_on=f"{_WEEK} + 6",
    unit="AUT_TYP_UM",
    principal="MOR_PRP",
    related="FP_PEC",
    aetiology="ETL_AFF",
    group="GRG_GME",
)
HAD = Field(
    name="HAD",
    table="had_b",
    traps=_traps(return_code=return_codes_sql(), ungroupable=_ungroupable("GHT_NUM", "99%"), inter_hospital=_TRANSFER),
    sequence="concat_ws('/', SEQ_NUM, SSEQ_NUM)",
    concept=str(concepts.HOME_VISIT),
    start_on="entry_on + CAST(coalesce(SEQ_SEJ_NBJ + SSEQ_SEQ_NBJ, days_before) AS INTEGER)",
    end_on="entry_on + CAST(coalesce(SEQ_SEJ_NBJ + SSEQ_SEQ_NBJ, days_before) + greatest(coalesce(SSEQ_NBJ, 1), 1) - 1 "
    "AS INTEGER)",
    unit="PEC_PAL",
    principal="DGN_PAL",
    group="PEC_PAL",
)
RIP = Field(
    name="RIP",
    table="rip_rsa",
    traps=_traps(
        return_code=return_codes_sql(since=2007),
        doubled_finess=_NEVER,
        inter_hospital=_TRANSFER,
        generated="coalesce(nullif(trim(TYP_GEN_RSA), '') <> '0', false)",
    ),
    sequence="lpad(coalesce(SEQ_SEQ_NUM, ''), 4, '0')",
    concept=str(concepts.INPATIENT_VISIT),
    start_on="entry_on + greatest(coalesce(DEL_DAT, 0), 0)",
    end_on="entry_on + greatest(coalesce(DEL_DAT, 0), 0) + greatest(coalesce(SEQ_COU_NBJ, 1), 1) - 1",
    unit="FOR_ACT",
    principal="DGN_PAL",
    group="FOR_ACT",
)
FIELDS: tuple[Field, ...] = (ACE, SSR, HAD, RIP)


def sequences_sql(field: Field, rows: str, ace_b: str) -> str:
    """The sequences of a field with the verdict on each.

    In: rows — its header rows; ace_b — the billed acts of external care

    Out: one row per delivered row: field, verdict, n_before, nth (in its stay), person_id, stay_key, sequence,
    stay_start_on, stay_end_on, start_on, end_on, visit_concept_id, care_site, unit, the diagnoses, the modes, ghm,
    n_lines, n_mapped.
    """
    nights = "greatest(coalesce(SSEQ_NBJ, 0), 0)" if field.name == "HAD" else "0"
    modes = (
        "nullif(concat(ENT_MOD, ENT_PRV), '') AS admitted_from, SOR_MOD AS exit_mode, "
        "nullif(concat(SOR_MOD, SOR_DES), '') AS discharged_to"
        if field.modes
        else "CAST(NULL AS VARCHAR) AS admitted_from, CAST(NULL AS VARCHAR) AS exit_mode, "
        "CAST(NULL AS VARCHAR) AS discharged_to"
    )
    texts = {"unit": field.unit, "principal": field.principal, "related": field.related, "aetiology": field.aetiology}
    said = ", ".join(f"CAST({value} AS VARCHAR) AS {name}" for name, value in (texts | {"ghm": field.group}).items())
    return f"""
        SELECT '{field.name}' AS field, verdict, n_before, person_id, stay_key, sequence,
               row_number() OVER (PARTITION BY person_id, stay_key ORDER BY verdict <> {KEPT}, sequence, n_before)
                   AS nth,
               entry_on AS stay_start_on, stay_end_on, least(greatest(first_on, entry_on), stay_end_on) AS start_on,
               greatest(least(last_on, stay_end_on), least(greatest(first_on, entry_on), stay_end_on)) AS end_on,
               CAST({field.concept} AS INTEGER) AS visit_concept_id, ETA_NUM AS care_site, {said}, {modes},
               1 AS n_lines, CAST(verdict = {KEPT} AS INTEGER) AS n_mapped
        FROM (SELECT *, greatest(coalesce(exit_on, max(last_on) OVER stay), entry_on) AS stay_end_on
              FROM (SELECT *, {field.start_on} AS first_on, {field.end_on} AS last_on,
                           {verdict_sql(field.traps)} AS verdict
                    FROM (SELECT r.*, {field.sequence} AS sequence, EXE_SOI_DTD AS entry_on,
                                 {known_date_sql("EXE_SOI_DTF")} AS exit_on,
                                 coalesce(sum({nights}) OVER (PARTITION BY person_id, stay_key
                                     ORDER BY {field.sequence}, hash({everything(field.table)})
                                     ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS days_before,
                                 row_number() OVER (PARTITION BY person_id, stay_key, {field.sequence}
                                     ORDER BY hash({everything(field.table)})) - 1 AS n_before
                          FROM {rows} AS r) AS r {field.joined.format(ace_b=ace_b)})
              WINDOW stay AS (PARTITION BY person_id, stay_key))
    """


def stays_of_sequences_sql() -> str:
    """The stays that the staged sequences make, in the shape of staged stays.

    A stay came as its first sequence says and went as its last one says.
    """
    return f"""
        SELECT verdict, CAST(0 AS BIGINT) AS n_before, person_id, {key_sql("stay_key")} AS key, stay_key,
               stay_start_on AS start_on, stay_end_on AS end_on, visit_concept_id, care_site, ghm,
               CAST(NULL AS VARCHAR) AS principal, CAST(NULL AS VARCHAR) AS related, admitted_from,
               o.exit_mode, o.discharged_to, 0 AS n_lines, 0 AS n_mapped, field
        FROM (SELECT * EXCLUDE (exit_mode, discharged_to) FROM stage_sequences WHERE nth = 1)
        JOIN (SELECT person_id, stay_key, max_by(exit_mode, (sequence, -n_before)) AS exit_mode,
                     max_by(discharged_to, (sequence, -n_before)) AS discharged_to
              FROM stage_sequences GROUP BY person_id, stay_key) AS o USING (person_id, stay_key)
    """


def details_of_sequences_sql() -> str:
    """The details that the staged sequences make, in the shape of staged units."""
    fields = ", ".join(f"'{field.name}'" for field in FIELDS if field.details)
    return f"""
        SELECT verdict, person_id, stay_key, start_on, end_on, visit_concept_id, care_site, unit, principal, related,
               nth AS tie, 0 AS n_lines, 0 AS n_mapped, field, aetiology, sequence
        FROM stage_sequences WHERE field IN ({fields})
    """
