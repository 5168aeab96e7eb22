"""What hangs on a prestation beside packs and acts: hospital drugs (UCD), analyses (NABM), devices (LPP).

* A UCD is billed beside a private stay or handed out by a hospital's pharmacy; the PMSI has both again (FH, FHSTC), so
  that the lines of private stays and of directly billed hospitals are left to it. A line that is not marked so is left
  to it where FHSTC has the same drug of the same person and day. 13 characters are 6 zeros and UCD7.
* An analysis has no result: it is a measurement without a value.
* A device lasts from the start to the end of its rent; one that was bought has no end.

Source: facts on the SNDS, § 1.2 and trap 15; Health Data Hub's published rule for ER_TIP_F.
"""

from __future__ import annotations

from enclos.warehouse import concepts
from enclos.warehouse.model import Fate
from enclos.warehouse.plans.codes import ucd7_sql
from enclos.warehouse.plans.events import Kind
from enclos.warehouse.plans.traps import (
    CARE,
    KEPT,
    NO_PERSON,
    Trap,
    known_date_sql,
    no_code,
    no_date,
    verdict_sql,
)
from enclos.warehouse.plans.visits import care_visit_concept_sql, care_visit_key_sql

_BOUGHT = 1
_NO_DEVICE = 9_999_999_999_999
_UCD7 = ucd7_sql("lpad(trim(UCD_UCD_COD), 13, '0')")

HOSPITAL_DRUG_TRAPS: tuple[Trap, ...] = (
    *CARE,
    no_date("EXE_SOI_DTD"),
    NO_PERSON,
    no_code(f"nullif({_UCD7}, '0000000')"),
    Trap(
        "handed_over",
        f"coalesce((person_id, EXE_SOI_DTD, {_UCD7}) IN (SELECT (person_id, day, code) FROM stage_handed_over), false)",
        Fate.FILTERED,
        "FHSTC has the same drug of the same person and day: a hospital's pharmacy handed it over",
    ),
)
ANALYSIS_TRAPS: tuple[Trap, ...] = (*CARE, no_date("EXE_SOI_DTD"), NO_PERSON, no_code("BIO_PRS_IDE"))
DEVICE_TRAPS: tuple[Trap, ...] = (
    *CARE,
    no_date("EXE_SOI_DTD"),
    NO_PERSON,
    no_code(f"nullif(TIP_PRS_IDE, {_NO_DEVICE})"),
)


def hospital_drugs_in_town(ucd: str) -> Kind:
    """UCD lines; what was handed out lasts its day, since neither posology nor pack is known."""
    return _summed(
        "ucd",
        "drug_exposure",
        ucd,
        HOSPITAL_DRUG_TRAPS,
        vocabulary="UCD",
        code=_UCD7,
        quantity="UCD_DLV_NBR",
        event={"type_concept_id": str(concepts.TYPE_PHARMACY_CLAIM), "quantity": "e.quantity"},
    )


def analyses(bio: str) -> Kind:
    """Analyses that were paid for."""
    return _summed(
        "bio",
        "measurement",
        bio,
        ANALYSIS_TRAPS,
        vocabulary="NABM",
        code="lpad(CAST(BIO_PRS_IDE AS VARCHAR), 4, '0')",
        quantity="BIO_ACT_QSN",
        event={"type_concept_id": str(concepts.TYPE_OUTPATIENT_CLAIM_DETAIL)},
    )


def devices(tip: str) -> Kind:
    """Devices and services of the LPP."""
    start = f"coalesce({known_date_sql('TIP_ACL_DTD')}, EXE_SOI_DTD)"
    rented = f"coalesce(TIP_PRS_TYP <> {_BOUGHT}, true)"
    return _summed(
        "tip",
        "device_exposure",
        tip,
        DEVICE_TRAPS,
        vocabulary="LPP",
        code="lpad(CAST(TIP_PRS_IDE AS VARCHAR), 7, '0')",
        quantity="TIP_ACT_QSN",
        start=start,
        end=f"CASE WHEN {rented} AND {known_date_sql('TIP_ACL_DTF')} >= {start} THEN TIP_ACL_DTF END",
        event={
            "type_concept_id": str(concepts.TYPE_OUTPATIENT_CLAIM_DETAIL),
            "end_on": "e.end_on",
            "quantity": "e.quantity",
        },
    )


def _summed(
    name: str,
    home: str,
    relation: str,
    traps: tuple[Trap, ...],
    *,
    vocabulary: str,
    code: str,
    quantity: str,
    event: dict[str, str],
    start: str = "EXE_SOI_DTD",
    end: str = "CAST(NULL AS DATE)",
) -> Kind:
    """Lines of an affined table, cancelled by sum over person, days, code and executant."""
    key = care_visit_key_sql("EXE_SOI_DTD", "executant_key", care_visit_concept_sql("PRS_NAT_REF"))
    columns = {"person_id": "person_id", "start_on": start, "end_on": end, "code": code, "key": key}
    kept = ", ".join(f"CASE WHEN verdict = {KEPT} THEN {value} END AS {column}" for column, value in columns.items())
    grouped = ", ".join(columns)
    lines = f"""
        SELECT g.verdict, g.person_id, g.start_on, g.end_on, g.code, g.code AS code_key, '{vocabulary}' AS vocabulary,
               g.quantity, g.n_lines, CASE WHEN g.verdict = {KEPT} AND g.quantity > 0 THEN g.n_positive ELSE 0 END
                   AS n_mapped, v.visit_occurrence_id
        FROM (SELECT verdict, {grouped}, CAST(sum(quantity) AS BIGINT) AS quantity, count(*) AS n_lines,
                     count(*) FILTER (WHERE quantity > 0) AS n_positive
              FROM (SELECT verdict, quantity, {kept}
                    FROM (SELECT *, coalesce({quantity}, 1) AS quantity, {verdict_sql(traps)} AS verdict
                          FROM {relation}))
              GROUP BY verdict, {grouped}) AS g
        LEFT JOIN stage_care_visits AS v ON v.person_id = g.person_id AND v.key = g.key
    """
    return Kind(
        name=name,
        home=home,
        lines_sql=lines,
        event={
            "person_id": "e.person_id",
            "start_on": "e.start_on",
            "source_value": "e.code",
            "visit_occurrence_id": "e.visit_occurrence_id",
            **event,
        },
        rows=f"(SELECT * FROM stage_{name} WHERE n_mapped > 0) AS e",
        traps=traps,
        vocabularies=frozenset({vocabulary}),
    )
