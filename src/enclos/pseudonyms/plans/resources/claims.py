"""Claim, where a hospital writes its PMSI so (EDSClaimRSS): a stay, its diagnoses (DP, DR, DA, DAD) and CCAM acts.

A claim of an encounter that was delivered lends it its diagnoses and acts; any other is a visit of its own. Claims of
payers, whose diagnoses bear none of these types, are not mapped.

Source: ansforge IG-FHIR-EDS-SOCLE-COMMUN, profile EDSClaimRSS (FHIR 4.0.1): diagnosis.type of PMSIMCODiagType,
supportingInfo code 0 (entry mode) and 1 (exit mode), acts as 13 characters: CCAM code, 3 of extension, phase, activity.
"""

from __future__ import annotations

from enclos.contracts.pseudonymised import PSEUDONYMISED
from enclos.pseudonyms.model import LeftBehind
from enclos.pseudonyms.plans.persons import PATIENTS
from enclos.pseudonyms.plans.plain import VISIT_KEYS
from enclos.pseudonyms.plans.resources.fields import at, coding, not_in, reference, text
from enclos.pseudonyms.plans.shape import in_shape, superseded

OWN_VISIT = "'Claim/' || json_extract_string(resource, '$.id')"
"""What a claim's own visit is known by."""
_TYPES = "json_extract_string(resource, '$.diagnosis[*].type[*].coding[*].code')"
_RANKS = {"DP": "DP", "DR": "DR", "DA": "DAS", "DAD": "DAD"}
"""A diagnosis's type → its rank; DAD documents and is no diagnosis of its own."""


def _mode(code: str) -> str:
    shape = '[{"code":{"coding":[{"code":"VARCHAR"}]},"valueString":"VARCHAR"}]'
    return (
        f"list_filter(from_json(json_extract(resource, '$.supportingInfo'), '{shape}'), "
        f"lambda s: s.code.coding[1].code = '{code}')[1].valueString"
    )


def _claims(rows: str, more: str) -> str:
    """Every claim with its person, its stay's days and key, and why it stays behind."""
    latest = superseded(rows, ("id",), unique=True)
    unknown = f"NOT coalesce(list_has_any({_TYPES}, {list(_RANKS)}), false)"
    not_done = (
        f"{not_in('$.status', 'cancelled', 'draft', 'entered-in-error')} OR "
        f"{not_in('$.use', 'preauthorization', 'predetermination')}"
    )
    return (
        "SELECT r.*, p.person_id, e.visit_key AS of_encounter, coalesce(e.visit_key, c.visit_key) AS visit_key, CASE "
        f"WHEN r._superseded THEN '{LeftBehind.SUPERSEDED.value}' WHEN r.unknown THEN '{LeftBehind.NOT_MAPPED.value}' "
        f"WHEN p.person_id IS NULL THEN '{LeftBehind.NO_PERSON.value}' WHEN r.not_done "
        f"THEN '{LeftBehind.NOT_DONE.value}' END AS whole FROM (SELECT _source, _delivery, _line, _superseded, "
        f"{reference('$.patient')} AS patient, {reference('$.item[0].encounter[0]')} AS encounter, {OWN_VISIT} AS own, "
        f"{unknown} AS unknown, {not_done} AS not_done, {at('$.billablePeriod.start')} AS start_at, "
        f"{at('$.billablePeriod.end')} AS end_at, {more} FROM {latest}) AS r "
        f"LEFT JOIN {PATIENTS} AS p ON p._source = r._source AND p.patient = r.patient "
        f"LEFT JOIN {VISIT_KEYS} AS e ON e._source = r._source AND e.visit = r.encounter "
        f"LEFT JOIN {VISIT_KEYS} AS c ON c._source = r._source AND c.visit = r.own"
    )


def judged_claims(rows: str) -> str:
    """Every claim as a visit."""
    modes = f"{_mode('0')} AS admitted_from, {_mode('1')} AS discharged_to"
    return in_shape(
        PSEUDONYMISED["h_visit"],
        "SELECT _source AS source, _delivery, _line, person_id, visit_key, 'inpatient' AS visit_class, start_at, "
        "end_at, admitted_from, discharged_to, CASE WHEN whole IS NOT NULL THEN whole "
        f"WHEN of_encounter IS NOT NULL THEN '{LeftBehind.IN_ENCOUNTER.value}' "
        f"WHEN start_at IS NULL THEN '{LeftBehind.NO_DATE.value}' END AS _left "
        f"FROM ({_claims(rows, modes)})",
    )


def _parts(rows: str, path: str) -> str:
    return _claims(rows, f"unnest(TRY_CAST(json_extract(resource, '{path}') AS JSON[])) AS part")


def judged_claim_diagnoses(rows: str) -> str:
    """Every diagnosis of every claim, on the days of its stay."""
    ranks = " ".join(f"WHEN '{word}' THEN '{rank}'" for word, rank in _RANKS.items())
    known = coding("$.diagnosisCodeableConcept", "part")
    written = text("$.diagnosisCodeableConcept.coding[0].code", "part")
    return in_shape(
        PSEUDONYMISED["h_condition"],
        "SELECT _source AS source, _delivery, _line, person_id, visit_key, "
        f"coalesce({known}.vocabulary, 'CIM10') AS vocabulary, "
        f"coalesce({known}.code, {written}) AS code, "
        f"CASE upper({text('$.type[0].coding[0].code', 'part')}) {ranks} END AS rank, "
        "CAST(start_at AS DATE) AS start_on, CAST(end_at AS DATE) AS end_on, "
        f"CASE WHEN whole IS NOT NULL THEN whole WHEN {written} IS NULL THEN '{LeftBehind.NO_CODE.value}' "
        f"WHEN start_at IS NULL THEN '{LeftBehind.NO_DATE.value}' END AS _left "
        f"FROM ({_parts(rows, '$.diagnosis')})",
    )


def judged_claim_acts(rows: str) -> str:
    """Every act of every claim; without a day of its own it is dated by the entry."""
    written = (
        f"trim(coalesce({text('$.procedureCodeableConcept.coding[0].code', 'part')}, "
        f"{text('$.procedureCodeableConcept.text', 'part')}))"
    )
    day = f"coalesce(TRY_CAST(left({text('$.date', 'part')}, 10) AS DATE), CAST(start_at AS DATE))"
    phase = f"nullif(trim(replace(substr({written}, 11, 1), '·', '')), '')"
    return in_shape(
        PSEUDONYMISED["h_procedure"],
        "SELECT _source AS source, _delivery, _line, person_id, visit_key, "
        f"'CCAM' AS vocabulary, left({written}, 7) AS code, "
        f"nullif(trim(replace(substr({written}, 12, 1), '·', '')), '') AS activity, {day} AS done_on, "
        f"CASE WHEN whole IS NOT NULL THEN whole WHEN {written} IS NULL THEN '{LeftBehind.NO_CODE.value}' "
        f"WHEN coalesce({phase}, '0') NOT IN ('0', '1') THEN '{LeftBehind.LATER_PHASE.value}' "
        f"WHEN {day} IS NULL THEN '{LeftBehind.NO_DATE.value}' END AS _left "
        f"FROM ({_parts(rows, '$.procedure')})",
    )
