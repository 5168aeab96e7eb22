"""What hangs on a stay of any field of the PMSI: diagnoses, acts, analyses, drugs and devices.

* An act happens its delay after the entry; a CSARR act without delay in its week; an act of HAD after the begin of its
  sub-sequence. Never outside the stay.
* An analysis of external care is a measurement without value: the SNDS knows that it was billed, not what it found.
* A drug of the lists outside the tariff (MED, MEDATU, MEDTHROMBO, FH, MEDCHL) or of a hospital's pharmacy (FHSTC) is on
  the day of its delay; without one it lasts as the stay. Ordinary drugs of a stay are nowhere in the SNDS. The code is
  the UCD in seven digits.
* A device is implanted its delay after the entry.
"""

from __future__ import annotations

from enclos.warehouse import concepts
from enclos.warehouse.plans.codes import ucd7_sql
from enclos.warehouse.plans.events import Kind
from enclos.warehouse.plans.traps import KEPT, Trap, later_phase, no_code
from enclos.warehouse.plans.visit_details import STAY_LINE_TRAPS, stay_line_verdict_sql
from enclos.warehouse.plans.vocabulary import code_key_sql, icd_key_sql

UCD, NABM, LPP, CSARR, CCAM = "UCD", "NABM", "LPP", "CSARR", "CCAM"

DIAGNOSIS_TRAPS: tuple[Trap, ...] = (*STAY_LINE_TRAPS, no_code("ASS_DGN"))
_ACT = (later_phase("PHA_ACT"), no_code("CDC_ACT"))
ACT_TRAPS: tuple[Trap, ...] = (*STAY_LINE_TRAPS, *_ACT)
ANALYSIS_TRAPS: tuple[Trap, ...] = (*STAY_LINE_TRAPS, no_code("NABM_COD"))
DRUG_TRAPS: tuple[Trap, ...] = (*STAY_LINE_TRAPS, no_code("ltrim(UCD_UCD_COD, '0')"))
DEVICE_TRAPS: tuple[Trap, ...] = (*STAY_LINE_TRAPS, no_code("ltrim(TIP_PRS_IDE, '0')"))
BILLED_TRAPS: tuple[Trap, ...] = (*STAY_LINE_TRAPS, no_code("ACT_COD"))

_CLAIM = (
    f"CASE e.field WHEN 'ACE' THEN {concepts.TYPE_OUTPATIENT_CLAIM_DETAIL} ELSE {concepts.TYPE_INPATIENT_CLAIM} END"
)


def _judged(relation: str, *own: Trap, more: str = "") -> str:
    """Lines with their stay and the verdict on each."""
    return (
        "(SELECT l.*, s.start_on AS stay_start_on, s.end_on AS stay_end_on, s.key, s.field, "
        f"{stay_line_verdict_sql(*own)} AS verdict FROM {relation} AS l LEFT JOIN stage_mco_b AS s "
        f"ON s.person_id = l.person_id AND s.stay_key = l.stay_key AND s.n_before = 0 {more})"
    )


def _after(delay: str, begin: str = "stay_start_on") -> str:
    """The day so long after the begin, within the stay."""
    return f"least({begin} + greatest(coalesce({delay}, 0), 0), stay_end_on)"


def _counted() -> str:
    return f"1 AS n_lines, CAST(verdict = {KEPT} AS INTEGER) AS n_mapped"


def _kept(name: str) -> str:
    """The kept lines of a table with their visit, under the alias ``e``."""
    return (
        f"(SELECT * FROM stage_{name} WHERE verdict = {KEPT}) AS e "
        f"LEFT JOIN stage_stay_visits AS v "
        "ON v.person_id = e.person_id AND v.key = e.key"
    )


def _says(*, lasts: bool = False, **more: str) -> dict[str, str]:
    """What a billed line says: who, when, what and in which visit, and more."""
    return {
        "person_id": "e.person_id",
        "start_on": "e.start_on",
        **({"end_on": "e.end_on"} if lasts else {}),
        "source_value": "e.code",
        "type_concept_id": _CLAIM,
        "visit_occurrence_id": "v.visit_occurrence_id",
        **more,
    }


def _of_vocabulary(
    vocabulary: str, name: str, home: str, lines: str, traps: tuple[Trap, ...], event: dict[str, str]
) -> Kind:
    """Lines whose codes are all of one vocabulary, spelt as it spells them."""
    return Kind(
        name=name,
        home=home,
        lines_sql=lines,
        event=event,
        rows=_kept(name),
        codes=f"stage_codes AS m ON m.vocabulary = '{vocabulary}' AND m.code = e.code",
        vocabulary=f"'{vocabulary}'",
        traps=traps,
        vocabularies=frozenset({vocabulary}),
    )


def billed_lines_sql(ace_b: str) -> str:
    """Acts billed by external care: each is in the visit that it makes, as its kind or its source value."""
    return f"SELECT verdict, {_counted()} FROM {_judged(ace_b, no_code('ACT_COD'))}"


def diagnoses(pmsi_diagnosis: str) -> Kind:
    """Associated diagnoses of SSR, HAD and RIP, each in its place; a code borne several times there is one row."""
    lines = f"""
        SELECT verdict, came_as, person_id, stay_key, key, field, trim(ASS_DGN) AS code, place,
               stay_start_on AS start_on,
               stay_end_on AS end_on, {_counted()}
        FROM {_judged(pmsi_diagnosis, no_code("ASS_DGN"))}
    """
    source = f"""
        (SELECT person_id, key, code, place, 'CIM10' AS vocabulary, {icd_key_sql("code")} AS code_key,
                any_value(start_on) AS start_on, any_value(end_on) AS end_on, sum(n_mapped) AS n_mapped
         FROM stage_pmsi_diagnosis WHERE verdict = {KEPT} GROUP BY person_id, key, code, place) AS e
        LEFT JOIN stage_stay_visits AS v
          ON v.person_id = e.person_id AND v.key = e.key
    """
    event = {
        "person_id": "e.person_id",
        "start_on": "e.start_on",
        "end_on": "e.end_on",
        "source_value": "e.code",
        "type_concept_id": str(concepts.TYPE_INPATIENT_CLAIM),
        "status_concept_id": f"CASE e.place WHEN 'DMPP' THEN {concepts.STATUS_PRIMARY} "
        f"ELSE {concepts.STATUS_SECONDARY} END",
        "status_source_value": "e.place",
        "visit_occurrence_id": "v.visit_occurrence_id",
    }
    return Kind(
        name="pmsi_diagnosis",
        home="condition_occurrence",
        lines_sql=lines,
        event=event,
        rows=source,
        traps=DIAGNOSIS_TRAPS,
        vocabularies=frozenset({"CIM10"}),
    )


def acts(pmsi_act: str) -> Kind:
    """CCAM acts of external care, SSR, HAD and RIP, and CSARR acts of SSR."""
    begins = (
        "LEFT JOIN (SELECT person_id, stay_key, sequence, min(start_on) AS start_on FROM stage_mco_um "
        "WHERE sequence IS NOT NULL GROUP BY ALL) AS d ON d.person_id = l.person_id AND d.stay_key = l.stay_key "
        "AND d.sequence = CASE WHEN contains(l.sequence, '/') THEN l.sequence ELSE lpad(l.sequence, 4, '0') END"
    )
    judged = _judged(pmsi_act, *_ACT, more=begins).replace("s.field, ", "s.field, d.start_on AS sequence_start_on, ", 1)
    lines = f"""
        SELECT verdict, came_as, person_id, key, field,
               CASE WHEN delay_from = 'sequence' THEN
                         {_after("ENT_DAT_DEL", "coalesce(sequence_start_on, stay_start_on)")}
                    WHEN ENT_DAT_DEL IS NULL THEN coalesce(sequence_start_on, stay_start_on)
                    ELSE {_after("ENT_DAT_DEL")} END AS start_on,
               trim(CDC_ACT) AS code, {code_key_sql("CDC_ACT")} AS code_key, vocabulary, ACV_ACT AS activity,
               coalesce(NBR_EXE_ACT, 1) AS acts, {_counted()}
        FROM {judged}
    """
    return Kind(
        name="pmsi_act",
        home="procedure_occurrence",
        lines_sql=lines,
        event=_says(quantity="e.acts", modifier="nullif(e.activity, '')"),
        rows=_kept("pmsi_act"),
        traps=ACT_TRAPS,
        vocabularies=frozenset({CCAM, CSARR}),
    )


def analyses(pmsi_analysis: str) -> Kind:
    """Analyses that external care billed; the quantity is not kept, a measurement has none."""
    lines = f"""
        SELECT verdict, person_id, key, field, {_after("DEL_DAT_ENT")} AS start_on,
               lpad(ltrim(trim(NABM_COD), '0'), 4, '0') AS code, '{NABM}' AS vocabulary, {_counted()}
        FROM {_judged(pmsi_analysis, no_code("NABM_COD"))}
    """
    return _of_vocabulary(NABM, "pmsi_analysis", "measurement", lines, ANALYSIS_TRAPS, _says())


def drugs(pmsi_drug: str) -> Kind:
    """Drugs outside the tariff of stays, and those that a hospital's pharmacy handed over."""
    lines = f"""
        SELECT verdict, came_as, person_id, key, field, {_after("DAT_DELAI")} AS start_on,
               CASE WHEN DAT_DELAI IS NULL AND field <> 'ACE' THEN stay_end_on ELSE {_after("DAT_DELAI")} END AS end_on,
               {ucd7_sql("trim(UCD_UCD_COD)")} AS code, ADM_NBR AS quantity, {_counted()}
        FROM {_judged(pmsi_drug, no_code("ltrim(UCD_UCD_COD, '0')"))}
    """
    return _of_vocabulary(
        UCD, "pmsi_drug", "drug_exposure", lines, DRUG_TRAPS, _says(lasts=True, quantity="e.quantity")
    )


def handed_over_sql(pmsi_drug: str) -> str:
    """What a hospital's pharmacy handed over to whom on which day, by stays that are kept."""
    return f"""
        SELECT DISTINCT person_id, {_after("DAT_DELAI")} AS day, {ucd7_sql("trim(UCD_UCD_COD)")} AS code
        FROM {_judged(pmsi_drug, no_code("ltrim(UCD_UCD_COD, '0')"))} WHERE list = 'FHSTC' AND verdict = {KEPT}
    """


def devices(pmsi_device: str) -> Kind:
    """Implanted devices of stays."""
    lines = f"""
        SELECT verdict, person_id, key, field, {_after("DELAI")} AS start_on,
               lpad(ltrim(trim(TIP_PRS_IDE), '0'), 7, '0') AS code,
               NBR_POS AS quantity, {_counted()}
        FROM {_judged(pmsi_device, no_code("ltrim(TIP_PRS_IDE, '0')"))}
    """
    return _of_vocabulary(LPP, "pmsi_device", "device_exposure", lines, DEVICE_TRAPS, _says(quantity="e.quantity"))
