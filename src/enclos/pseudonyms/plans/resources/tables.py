"""How each resource type becomes a hospital record table: what happened, with its code, day and value."""

from __future__ import annotations

from dataclasses import dataclass, field

from enclos.pseudonyms.model import LeftBehind
from enclos.pseudonyms.plans.resources.fields import (
    at,
    birth,
    coding,
    known_coding,
    not_in,
    number,
    on,
    reference,
    text,
    unit,
)


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
    """SELECT text over ``r``, the fields, and what is joined: ``v`` visit, ``k`` rank, ``m`` medication, ``d`` device,
    ``w`` place, ``q`` professional."""
    not_done: str = "false"
    """A condition over one resource: it did not happen, or nobody says that it did."""
    dated: str = ""
    """A column of ``fields`` that must not be empty; none: ''."""
    code: str = "r.coding.code"
    """What must not be empty; none: ''."""
    provider: str = "NULL"
    """Who did it: the reference, over one resource."""
    place: tuple[str, ...] = ()
    """Where, over one resource, the most precise first."""
    leaves: tuple[tuple[str, LeftBehind], ...] = field(default=())
    """Other conditions over ``r`` that keep a resource behind."""


_SUBJECT, _ENCOUNTER = reference("$.subject"), reference("$.encounter")
_CONTEXT = f"coalesce({reference('$.context')}, {_ENCOUNTER})"
_CLASS = f"upper(coalesce({text('$.class.code')}, {text('$.class[0].coding[0].code')}))"
_VISIT_CLASS = (
    f"CASE WHEN {_CLASS} IN ('IMP', 'ACUTE', 'NONAC', 'SS', 'OBSENC', 'PRENC') THEN 'inpatient' "
    f"WHEN {_CLASS} = 'EMER' THEN 'emergency' WHEN {_CLASS} = 'HH' THEN 'home' WHEN {_CLASS} = 'VR' THEN 'virtual' "
    f"WHEN {_CLASS} IN ('AMB', 'FLD') THEN 'outpatient' END"
)
_CODED = "r.coding.vocabulary AS vocabulary, r.coding.code AS code"

_MEDICATION_REFERENCE = text("$.medicationReference.reference")
_CONTAINED = (
    "list_filter(from_json(json_extract(resource, '$.contained'), "
    '\'[{"id":"VARCHAR","code":{"coding":[{"system":"VARCHAR","code":"VARCHAR"}]}}]\'), '
    f"lambda c: '#' || c.id = {_MEDICATION_REFERENCE})[1].code.coding"
)


def _drug(
    resource: str,
    kind: str,
    *,
    start: tuple[str, ...],
    end: tuple[str, ...],
    not_done: str,
    provider: str,
    visit: str = _CONTEXT,
    quantity: str = "NULL",
    dose_unit: str = "NULL",
    days: str = "NULL",
    route: str = "NULL",
    intent: str = "NULL",
) -> ResourceTable:
    return ResourceTable(
        resource,
        "h_drug",
        _SUBJECT,
        visit,
        f"coalesce({coding('$.medicationCodeableConcept')}, {known_coding(_CONTAINED)}) AS coding, "
        f"{reference('$.medicationReference')} AS medication, {at(*start)} AS start_at, {at(*end)} AS end_at, "
        f"{quantity} AS quantity, {dose_unit} AS dose_unit, {days} AS days_supply, {route} AS route, "
        f"CAST({intent} AS VARCHAR) AS intent",
        "coalesce(r.coding.vocabulary, m.vocabulary) AS vocabulary, coalesce(r.coding.code, m.code) "
        f"AS code, '{kind}' AS kind, r.start_at, r.end_at, r.quantity, r.dose_unit, r.days_supply, r.route, r.intent",
        not_done,
        "start_at",
        "coalesce(r.coding.code, m.code)",
        provider,
    )


def _days(path: str) -> str:
    """A Duration in days; in any other unit it is not known here."""
    in_days = f"coalesce({text(f'{path}.code')}, {text(f'{path}.unit')}) IN ('d', 'day', 'days')"
    return f"CASE WHEN {in_days} THEN TRY_CAST({text(f'{path}.value')} AS BIGINT) END"


_STATUS = text("$.status")

RESULT_FIELDS = (
    "coalesce({number}, {integer}) AS value, {comparator} AS comparator, {unit} AS unit, {coded} AS coded, "
    "{boolean} AS flag, {written} AS written, {low} AS range_low, {high} AS range_high"
)
RESULT_VALUES = (
    "r.value, r.comparator, r.unit, CASE WHEN r.flag IS NOT NULL THEN 'boolean' ELSE r.coded.vocabulary END "
    "AS value_vocabulary, coalesce(r.flag, r.coded.code) AS value_code, r.range_low, r.range_high"
)


def result_fields(of: str) -> str:
    """What an Observation, or a component of one, found; SELECT text."""
    return RESULT_FIELDS.format(
        number=number("$.valueQuantity.value", of),
        integer=number("$.valueInteger", of),
        comparator=text("$.valueQuantity.comparator", of),
        unit=unit("$.valueQuantity", of),
        coded=coding("$.valueCodeableConcept", of),
        boolean=text("$.valueBoolean", of),
        written=text("$.valueString", of),
        low=number("$.referenceRange[0].low.value", of),
        high=number("$.referenceRange[0].high.value", of),
    )


RESULT_LEAVES: tuple[tuple[str, LeftBehind], ...] = (
    ("r.value IS NULL AND r.coded IS NULL AND r.flag IS NULL AND r.written IS NOT NULL", LeftBehind.FREE_TEXT),
    ("r.value IS NULL AND r.coded IS NULL AND r.flag IS NULL", LeftBehind.NO_QUANTITY),
)
OBSERVED_AT = at("$.effectiveDateTime", "$.effectivePeriod.start", "$.effectiveInstant", "$.issued")
OBSERVATION_CATEGORY = (
    "CASE WHEN list_contains(json_extract_string(resource, '$.category[*].coding[*].code'), 'laboratory') "
    f"THEN 'laboratory' ELSE {text('$.category[0].coding[0].code')} END"
)
NOT_FINAL = f"coalesce({_STATUS}, 'final') NOT IN ('final', 'amended', 'corrected')"
PERFORMER = reference("$.performer[0]")

RESOURCE_TABLES: tuple[ResourceTable, ...] = (
    ResourceTable(
        "Patient",
        "h_patient",
        text("$.id"),
        "NULL",
        f"{text('$.gender')} AS gender, {birth('$.birthDate')} AS birth_on, {on('$.deceasedDateTime')} AS death_on",
        "CASE r.gender WHEN 'female' THEN 'F' WHEN 'male' THEN 'M' ELSE 'U' END AS sex, r.birth_on, r.death_on",
        code="",
    ),
    ResourceTable(
        "Encounter",
        "h_visit",
        _SUBJECT,
        text("$.id"),
        f"{_VISIT_CLASS} AS visit_class, {at('$.period.start')} AS start_at, {at('$.period.end')} AS end_at, "
        f"{_STATUS} IN ('arrived', 'triaged', 'in-progress', 'onleave') AND {text('$.period.end')} IS NULL AS present, "
        f"{text('$.hospitalization.admitSource.coding[0].code')} AS admitted_from, "
        f"{text('$.hospitalization.dischargeDisposition.coding[0].code')} AS discharged_to",
        "r.visit_class, r.start_at, r.end_at, r.present, r.admitted_from, r.discharged_to",
        not_in("$.status", "planned", "cancelled", "entered-in-error", "unknown"),
        "start_at",
        "",
        reference("$.participant[0].individual"),
        (reference("$.location[0].location"), reference("$.serviceProvider")),
    ),
    ResourceTable(
        "Condition",
        "h_condition",
        _SUBJECT,
        _ENCOUNTER,
        f"{coding('$.code')} AS coding, "
        f"{on('$.onsetDateTime', '$.onsetPeriod.start', '$.recordedDate')} AS start_on, "
        f"{on('$.abatementDateTime', '$.abatementPeriod.end')} AS end_on, "
        "json_extract_string(resource, '$.category[*].coding[*].code') AS categories",
        f"{_CODED}, coalesce(k.rank, list_filter(r.categories, lambda w: w IN ('DP', 'DR', 'DAS'))[1]) AS rank, "
        "CASE WHEN list_contains(r.categories, 'problem-list-item') THEN 'problem' END AS category, "
        "r.start_on, r.end_on",
        not_in(
            "$.verificationStatus.coding[0].code",
            "unconfirmed",
            "provisional",
            "differential",
            "refuted",
            "entered-in-error",
        ),
        "start_on",
        provider=f"coalesce({reference('$.recorder')}, {reference('$.asserter')})",
    ),
    ResourceTable(
        "Procedure",
        "h_procedure",
        _SUBJECT,
        _ENCOUNTER,
        f"{coding('$.code')} AS coding, {on('$.performedDateTime', '$.performedPeriod.start')} AS done_on, "
        f"{on('$.performedPeriod.end')} AS end_on",
        f"{_CODED}, r.done_on, r.end_on",
        not_in("$.status", "preparation", "not-done", "entered-in-error", "unknown"),
        "done_on",
        provider=reference("$.performer[0].actor"),
    ),
    _drug(
        "MedicationAdministration",
        "administration",
        start=("$.effectivePeriod.start", "$.effectiveDateTime"),
        end=("$.effectivePeriod.end", "$.effectiveDateTime"),
        quantity=number("$.dosage.dose.value"),
        dose_unit=unit("$.dosage.dose"),
        route=text("$.dosage.route.coding[0].code"),
        not_done=not_in("$.status", "not-done", "entered-in-error", "unknown"),
        provider=reference("$.performer[0].actor"),
    ),
    _drug(
        "MedicationRequest",
        "prescription",
        start=("$.dispenseRequest.validityPeriod.start", "$.authoredOn"),
        end=("$.dispenseRequest.validityPeriod.end",),
        quantity=number("$.dispenseRequest.quantity.value"),
        days=_days("$.dispenseRequest.expectedSupplyDuration"),
        route=text("$.dosageInstruction[0].route.coding[0].code"),
        not_done=f"{not_in('$.status', 'cancelled', 'draft', 'entered-in-error', 'unknown')} OR "
        f"coalesce({text('$.doNotPerform')} = 'true', false)",
        intent=f"coalesce({text('$.intent')}, 'unknown')",
        visit=_ENCOUNTER,
        provider=reference("$.requester"),
    ),
    _drug(
        "MedicationDispense",
        "dispensing",
        start=("$.whenHandedOver", "$.whenPrepared"),
        end=("$.whenHandedOver",),
        quantity=number("$.quantity.value"),
        days=_days("$.daysSupply"),
        not_done=not_in("$.status", "preparation", "cancelled", "on-hold", "declined", "entered-in-error", "unknown"),
        provider=reference("$.performer[0].actor"),
    ),
    _drug(
        "MedicationStatement",
        "statement",
        start=("$.effectivePeriod.start", "$.effectiveDateTime"),
        end=("$.effectivePeriod.end",),
        route=text("$.dosage[0].route.coding[0].code"),
        not_done=not_in("$.status", "entered-in-error", "intended", "unknown", "not-taken"),
        provider="NULL",
    ),
    ResourceTable(
        "Immunization",
        "h_drug",
        reference("$.patient"),
        _ENCOUNTER,
        f"{coding('$.vaccineCode')} AS coding, {at('$.occurrenceDateTime')} AS start_at, "
        f"{number('$.doseQuantity.value')} AS quantity, {unit('$.doseQuantity')} AS dose_unit, "
        f"{text('$.route.coding[0].code')} AS route",
        f"{_CODED}, 'immunisation' AS kind, r.start_at, r.start_at AS end_at, r.quantity, r.dose_unit, r.route",
        not_in("$.status", "not-done", "entered-in-error"),
        "start_at",
        provider=reference("$.performer[0].actor"),
    ),
    ResourceTable(
        "Observation",
        "h_lab",
        _SUBJECT,
        _ENCOUNTER,
        f"{coding('$.code')} AS coding, {OBSERVED_AT} AS taken_at, {OBSERVATION_CATEGORY} AS category, "
        f"json_array_length(resource, '$.component') > 0 AS has_parts, {result_fields('resource')}",
        f"{_CODED}, r.category, r.taken_at, {RESULT_VALUES}",
        NOT_FINAL,
        "taken_at",
        provider=PERFORMER,
        leaves=(
            ("r.has_parts AND r.value IS NULL AND r.coded IS NULL AND r.flag IS NULL", LeftBehind.IN_COMPONENTS),
            *RESULT_LEAVES,
        ),
    ),
    ResourceTable(
        "AllergyIntolerance",
        "h_allergy",
        reference("$.patient"),
        _ENCOUNTER,
        f"{coding('$.code')} AS coding, {text('$.type')} AS kind, "
        f"{on('$.onsetDateTime', '$.onsetPeriod.start', '$.recordedDate')} AS start_on",
        f"{_CODED}, r.kind, r.start_on",
        not_in("$.verificationStatus.coding[0].code", "unconfirmed", "refuted", "entered-in-error"),
        "start_on",
    ),
    ResourceTable(
        "DeviceUseStatement",
        "h_device",
        _SUBJECT,
        "NULL",
        f"{reference('$.device')} AS device, {on('$.timingPeriod.start', '$.timingDateTime')} AS start_on, "
        f"{on('$.timingPeriod.end')} AS end_on",
        "d.vocabulary, d.code, r.start_on, r.end_on",
        not_in("$.status", "entered-in-error", "intended"),
        "start_on",
        "d.code",
    ),
    # A Device is a thing, not its use: R4 gives it no day on which the patient had it.
    ResourceTable(
        "Device",
        "h_device",
        reference("$.patient"),
        "NULL",
        f"{coding('$.type')} AS coding, CAST(NULL AS DATE) AS start_on",
        f"{_CODED}, r.start_on",
        not_in("$.status", "entered-in-error"),
        "start_on",
    ),
)
