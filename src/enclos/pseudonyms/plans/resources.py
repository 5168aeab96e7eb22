"""FHIR R4 resources in the one shape of hospital records.

Which resources count: those that happened (status), with a code and a date. A MedicationRequest counts with any
intent that orders (``order`` included: exports have no other); a MedicationStatement or a plan does not.
Times are taken as written, without their offset: care is dated by the clock on the hospital's wall.

Source: HL7 FHIR R4 (4.0.1); the departures from the FHIR-to-OMOP guide are in docs/decisions.
"""

from __future__ import annotations

from dataclasses import dataclass

from enclos.pseudonyms.model import LeftBehind
from enclos.pseudonyms.plans.persons import PATIENTS
from enclos.pseudonyms.plans.plain import VISIT_KEYS
from enclos.pseudonyms.plans.shape import superseded

RANKS = "enclos_ranks"
"""(_source, condition, rank): what encounters say of their diagnoses."""
MEDICATIONS = "enclos_medications"
"""(_source, medication, vocabulary, code): codes of Medication resources."""

_SYSTEMS: tuple[tuple[str, str], ...] = (
    ("icd-10-cm", "ICD10CM"),
    ("2.16.840.1.113883.6.90", "ICD10CM"),
    ("cim-10", "CIM10"),
    ("cim10", "CIM10"),
    ("icd-10", "CIM10"),
    ("2.16.840.1.113883.6.3", "CIM10"),
    ("ccam", "CCAM"),
    ("whocc", "ATC"),
    ("atc", "ATC"),
    ("loinc", "LOINC"),
    ("2.16.840.1.113883.6.1", "LOINC"),
    ("snomed", "SNOMED"),
    ("2.16.840.1.113883.6.96", "SNOMED"),
    ("rxnorm", "RxNorm"),
    ("cvx", "CVX"),
    ("cip13", "CIP13"),
    ("ucd", "UCD"),
)
"""What a code system's URI contains → the vocabulary's name; the first that fits, exact OIDs before their prefixes."""


def _vocabulary_of(system: str) -> str:
    # An OID is compared whole, since one is the beginning of another; a URI by the word in it.
    tests = [
        f"WHEN replace({system}, 'urn:oid:', '') = '{mark}' THEN '{name}'"
        if mark[0].isdigit()
        else f"WHEN contains({system}, '{mark}') THEN '{name}'"
        for mark, name in _SYSTEMS
    ]
    return f"CASE {' '.join(tests)} END"


def _text(path: str) -> str:
    return f"json_extract_string(resource, '{path}')"


def _coding(path: str) -> str:
    """The first coding of a CodeableConcept whose system is known: {vocabulary, code}, or NULL."""
    shape = '[{"system":"VARCHAR","code":"VARCHAR"}]'
    known = (
        f"list_transform(from_json(json_extract(resource, '{path}.coding'), '{shape}'), "
        f"lambda c: {{'vocabulary': {_vocabulary_of('lower(c.system)')}, 'code': c.code}})"
    )
    return f"list_filter({known}, lambda c: c.vocabulary IS NOT NULL AND c.code IS NOT NULL)[1]"


def _id_in(path: str) -> str:
    """The id that a reference ends with: Patient/1, urn:uuid:1, https://host/fhir/Patient/1."""
    return f"nullif(regexp_extract({_text(path)}, '([^/:?|]+)$', 1), '')"


def _at(*paths: str) -> str:
    """The first of several instants, as its own clock shows it; a date is its midnight."""
    texts = ", ".join(_text(path) for path in paths)
    return f"TRY_CAST(left(coalesce({texts}), 19) AS TIMESTAMP)"


def _on(*paths: str) -> str:
    texts = ", ".join(_text(path) for path in paths)
    return f"TRY_CAST(left(coalesce({texts}), 10) AS DATE)"


def _birth(path: str) -> str:
    """A birth date; where only the year or month is given, its first day."""
    value = _text(path)
    return (
        f"TRY_CAST(CASE length({value}) WHEN 4 THEN {value} || '-01-01' WHEN 7 THEN {value} || '-01' "
        f"ELSE left({value}, 10) END AS DATE)"
    )


def _number(path: str) -> str:
    return f"TRY_CAST({_text(path)} AS DOUBLE)"


_CLASS = f"upper(coalesce({_text('$.class.code')}, {_text('$.class[0].coding[0].code')}))"
_VISIT_CLASS = (
    f"CASE WHEN {_CLASS} IN ('IMP', 'ACUTE', 'NONAC', 'SS', 'OBSENC', 'PRENC') THEN 'inpatient' "
    f"WHEN {_CLASS} = 'EMER' THEN 'emergency' WHEN {_CLASS} = 'HH' THEN 'home' "
    f"WHEN {_CLASS} IN ('AMB', 'VR', 'FLD') THEN 'outpatient' END"
)
_RANKS = {"DP": "DP", "AD": "DP", "DD": "DP", "DR": "DR", "DAS": "DAS", "DA": "DAS", "CC": "DAS", "CM": "DAS"}
"""What an encounter calls a diagnosis → its rank in the PMSI's words."""
_STATUS = _text("$.status")


@dataclass(frozen=True, slots=True)
class ResourceTable:
    """How a resource type becomes a hospital record table."""

    resource: str
    into: str
    patient: str
    visit: str
    fields: str
    """SELECT text over one resource; ``coding`` is its code."""
    values: str
    """SELECT text over ``r``, the fields, and its joined visit, rank and medication."""
    not_done: str
    """A condition over one resource: it did not happen."""
    dated: str
    """A column of ``values`` that must not be empty; none: ''."""
    coded: bool = True


_SUBJECT, _ENCOUNTER = _id_in("$.subject.reference"), _id_in("$.encounter.reference")


def _drug(
    resource: str, kind: str, *, start: tuple[str, ...], end: tuple[str, ...], quantity: str, not_done: str, visit: str
) -> ResourceTable:
    return ResourceTable(
        resource,
        "h_drug",
        _SUBJECT,
        visit,
        f"{_coding('$.medicationCodeableConcept')} AS coding, "
        f"{_id_in('$.medicationReference.reference')} AS medication, {_at(*start)} AS start_at, "
        f"{_at(*end)} AS end_at, {quantity} AS quantity",
        "coalesce(r.coding.vocabulary, m.vocabulary) AS vocabulary, coalesce(r.coding.code, m.code) "
        f"AS code, '{kind}' AS kind, r.start_at, r.end_at, r.quantity",
        not_done,
        "start_at",
    )


RESOURCE_TABLES: tuple[ResourceTable, ...] = (
    ResourceTable(
        "Patient",
        "h_patient",
        _text("$.id"),
        "NULL",
        f"{_text('$.gender')} AS gender, {_birth('$.birthDate')} AS birth_on, {_on('$.deceasedDateTime')} AS death_on",
        "CASE r.gender WHEN 'female' THEN 'F' WHEN 'male' THEN 'M' ELSE 'U' END AS sex, r.birth_on, r.death_on",
        "false",
        "",
        coded=False,
    ),
    ResourceTable(
        "Encounter",
        "h_visit",
        _SUBJECT,
        _text("$.id"),
        f"{_VISIT_CLASS} AS visit_class, {_at('$.period.start')} AS start_at, {_at('$.period.end')} AS end_at",
        "r.visit_class, r.start_at, r.end_at",
        f"{_STATUS} IN ('planned', 'cancelled', 'entered-in-error')",
        "start_at",
        coded=False,
    ),
    ResourceTable(
        "Condition",
        "h_condition",
        _SUBJECT,
        _ENCOUNTER,
        f"{_coding('$.code')} AS coding, "
        f"{_on('$.onsetDateTime', '$.onsetPeriod.start', '$.recordedDate')} AS start_on, "
        f"{_on('$.abatementDateTime', '$.abatementPeriod.end')} AS end_on, "
        "list_filter(json_extract_string(resource, '$.category[*].coding[*].code'), "
        "lambda w: w IN ('DP', 'DR', 'DAS'))[1] AS rank",
        "r.coding.vocabulary AS vocabulary, r.coding.code AS code, coalesce(k.rank, r.rank) AS rank, "
        "r.start_on, r.end_on",
        "json_extract_string(resource, '$.verificationStatus.coding[0].code') IN "
        "('unconfirmed', 'provisional', 'differential', 'refuted', 'entered-in-error')",
        "start_on",
    ),
    ResourceTable(
        "Procedure",
        "h_procedure",
        _SUBJECT,
        _ENCOUNTER,
        f"{_coding('$.code')} AS coding, {_on('$.performedDateTime', '$.performedPeriod.start')} AS done_on",
        "r.coding.vocabulary AS vocabulary, r.coding.code AS code, r.done_on",
        f"{_STATUS} IN ('preparation', 'not-done', 'entered-in-error')",
        "done_on",
    ),
    _drug(
        "MedicationAdministration",
        "administration",
        start=("$.effectivePeriod.start", "$.effectiveDateTime"),
        end=("$.effectivePeriod.end", "$.effectiveDateTime"),
        quantity=_number("$.dosage.dose.value"),
        not_done=f"{_STATUS} IN ('not-done', 'entered-in-error')",
        visit=f"coalesce({_id_in('$.context.reference')}, {_ENCOUNTER})",
    ),
    _drug(
        "MedicationRequest",
        "prescription",
        start=("$.dispenseRequest.validityPeriod.start", "$.authoredOn"),
        end=("$.dispenseRequest.validityPeriod.end",),
        quantity=_number("$.dispenseRequest.quantity.value"),
        not_done=f"{_STATUS} IN ('cancelled', 'draft', 'entered-in-error') "
        f"OR coalesce({_text('$.intent')}, '') IN ('proposal', 'plan', 'option') "
        f"OR {_text('$.doNotPerform')} = 'true'",
        visit=_ENCOUNTER,
    ),
    _drug(
        "MedicationDispense",
        "dispensing",
        start=("$.whenHandedOver", "$.whenPrepared"),
        end=("$.whenHandedOver",),
        quantity=_number("$.quantity.value"),
        not_done=f"{_STATUS} IN ('preparation', 'cancelled', 'declined', 'entered-in-error')",
        visit=f"coalesce({_id_in('$.context.reference')}, {_ENCOUNTER})",
    ),
    ResourceTable(
        "Immunization",
        "h_drug",
        _id_in("$.patient.reference"),
        _ENCOUNTER,
        f"{_coding('$.vaccineCode')} AS coding, {_at('$.occurrenceDateTime')} AS start_at, "
        f"{_number('$.doseQuantity.value')} AS quantity",
        "r.coding.vocabulary AS vocabulary, r.coding.code AS code, 'immunisation' AS kind, r.start_at, "
        "r.start_at AS end_at, r.quantity",
        f"{_STATUS} IN ('not-done', 'entered-in-error')",
        "start_at",
    ),
    ResourceTable(
        "Observation",
        "h_lab",
        _SUBJECT,
        _ENCOUNTER,
        f"{_coding('$.code')} AS coding, "
        f"{_at('$.effectiveDateTime', '$.effectivePeriod.start', '$.effectiveInstant', '$.issued')} AS taken_at, "
        f"{_number('$.valueQuantity.value')} AS value, "
        f"coalesce({_text('$.valueQuantity.code')}, {_text('$.valueQuantity.unit')}) AS unit, "
        f"{_number('$.referenceRange[0].low.value')} AS range_low, "
        f"{_number('$.referenceRange[0].high.value')} AS range_high",
        "r.coding.vocabulary AS vocabulary, r.coding.code AS code, r.taken_at, r.value, r.unit, "
        "r.range_low, r.range_high",
        f"coalesce({_STATUS}, 'final') NOT IN ('final', 'amended', 'corrected')",
        "taken_at",
    ),
)


def visits_of(encounters: str) -> str:
    """The visits of a hospital, each once: ``visit`` and its times."""
    return f"(SELECT DISTINCT _source, {_text('$.id')} AS visit FROM {encounters})"


def plan_ranks(encounters: str) -> str:
    """Fill RANKS from Encounter.diagnosis: DP, DR, DAS; the admission or discharge diagnosis is DP, others DAS."""
    shape = '[{"condition":{"reference":"VARCHAR"},"use":{"coding":[{"code":"VARCHAR"}],"text":"VARCHAR"}}]'
    ranks = " ".join(f"WHEN '{word}' THEN '{rank}'" for word, rank in _RANKS.items())
    return (
        f"CREATE OR REPLACE TEMP TABLE {RANKS} AS SELECT _source, condition, min(rank) AS rank FROM ("
        "SELECT _source, nullif(regexp_extract(d.condition.reference, '([^/:]+)$', 1), '') AS condition, "
        f"CASE coalesce(d.use.coding[1].code, d.use.text) {ranks} END AS rank FROM ("
        f"SELECT _source, unnest(from_json(json_extract(resource, '$.diagnosis'), '{shape}')) AS d FROM {encounters})) "
        "WHERE condition IS NOT NULL AND rank IS NOT NULL GROUP BY _source, condition"
    )


def plan_medications(medications: str) -> str:
    """Fill MEDICATIONS from Medication resources."""
    return (
        f"CREATE OR REPLACE TEMP TABLE {MEDICATIONS} AS SELECT _source, medication, "
        "min(coding.vocabulary) AS vocabulary, min(coding.code) AS code FROM ("
        f"SELECT _source, {_text('$.id')} AS medication, {_coding('$.code')} AS coding FROM {medications}) "
        "WHERE coding IS NOT NULL GROUP BY _source, medication"
    )


def judged_resource(table: ResourceTable, rows: str) -> str:
    """Every resource of a type with its person and its visit."""
    latest = superseded(rows, ("id",), unique=True)
    fields = (
        f"SELECT _source, id, _superseded, {table.patient} AS patient, {table.visit} AS visit, "
        f"coalesce({table.not_done}, false) AS not_done, {table.fields} FROM {latest}"
    )
    left = [
        f"WHEN r._superseded THEN '{LeftBehind.SUPERSEDED.value}'",
        f"WHEN p.person_id IS NULL THEN '{LeftBehind.NO_PERSON.value}'",
        f"WHEN r.not_done THEN '{LeftBehind.NOT_DONE.value}'",
    ]
    joins = [
        f"LEFT JOIN {PATIENTS} AS p ON p._source = r._source AND p.patient = r.patient",
        f"LEFT JOIN {VISIT_KEYS} AS v ON v._source = r._source AND v.visit = r.visit",
    ]
    code = "r.coding.code"
    if table.into == "h_drug" and table.resource != "Immunization":
        joins.append(f"LEFT JOIN {MEDICATIONS} AS m ON m._source = r._source AND m.medication = r.medication")
        code = "coalesce(r.coding.code, m.code)"
    if table.into == "h_condition":
        joins.append(f"LEFT JOIN {RANKS} AS k ON k._source = r._source AND k.condition = r.id")
    if table.coded:
        left.append(f"WHEN {code} IS NULL THEN '{LeftBehind.NO_CODE.value}'")
    if table.dated:
        left.append(f"WHEN r.{table.dated} IS NULL THEN '{LeftBehind.NO_DATE.value}'")
    if table.into == "h_lab":
        left.append(f"WHEN r.value IS NULL THEN '{LeftBehind.NO_QUANTITY.value}'")
    return (
        f"SELECT r._source AS source, p.person_id, v.visit_key, {table.values}, CASE {' '.join(left)} END AS _left "
        f"FROM ({fields}) AS r {' '.join(joins)}"
    )
