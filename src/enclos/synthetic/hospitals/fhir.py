"""Two hospitals as FHIR R4 bulk NDJSON, one file a resource type.

One writes what was given (MedicationAdministration), the other what was prescribed (MedicationRequest). A diagnosis
has its PMSI rank as text of Encounter.diagnosis.use. All times carry +01:00 and lie in the day.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import numpy as np

from enclos.synthetic.hospitals.records import Entries, Record
from enclos.synthetic.hospitals.written import RANKS, days, first_number, instants, patient_ids, put, who
from enclos.synthetic.references import administered_drugs, hospitals, lab_tests
from enclos.synthetic.sheets import Deliveries
from enclos.synthetic.stays.model import acts, diagnoses
from enclos.synthetic.vocabulary import dotted

DRUGS = {"hosp-a": "MedicationAdministration", "hosp-b": "MedicationRequest"}
"""The two hospitals and the resource in which each tells drugs."""
_TYPES = ("Organization", "Patient", "Encounter", "Condition", "Procedure", "Observation")
_HL7 = "http://terminology.hl7.org/CodeSystem"
_ICD, _CCAM = "http://hl7.org/fhir/sid/icd-10", "https://smt.esante.gouv.fr/terminologie-ccam"
_ATC, _LOINC, _UCUM = "http://www.whocc.no/atc", "http://loinc.org", "http://unitsofmeasure.org"
_CLASSES = ("IMP", "AMB", "EMER")
_ZONE = "+01:00"
_ROWS_A_VISIT = 100

Resource = dict[str, Any]


def begin(deliveries: Deliveries, period: tuple[date, date]) -> None:
    """Begin both deliveries."""
    finess = {hospital.source: hospital.finess for hospital in hospitals()}
    for source, drugs in DRUGS.items():
        deliveries.open(source, source, "fhir-bulk", period)
        for resource in (*_TYPES, drugs):
            deliveries.sheet(source, f"{resource}.ndjson", resource, None, "")
        identifier = [{"system": "urn:finess", "value": finess[source]}]
        name = f"Hospital {source[-1].upper()}"
        _put(deliveries, source, "Organization", [{"id": source, "identifier": identifier, "name": name}])


def write(deliveries: Deliveries, found: Record) -> None:
    """Write one record."""
    ids, letter = patient_ids(found), found.source[-1]
    visits = [f"{letter}v{number}" for number in found.visits.number.tolist()]
    first = first_number(found, _ROWS_A_VISIT)

    def listed(entries: Entries, kind: str) -> Iterator[tuple[Resource, Resource, int, str, str, float]]:
        """Per entry: id and subject, its encounter, what, start, end, value."""
        rows = zip(
            who(found, entries),
            entries.visit.tolist(),
            entries.what.tolist(),
            instants(entries.start, "T", _ZONE),
            instants(entries.end, "T", _ZONE),
            entries.value.tolist(),
            strict=True,
        )
        for number, (patient, visit, what, start, end, value) in enumerate(rows, start=first):
            head = {"id": f"{letter}{kind}{number}", "subject": _reference("Patient", ids[patient])}
            yield head, _reference("Encounter", visits[visit]), what, start, end, value

    _put(deliveries, found.source, "Patient", _patients(found, ids))
    _put(deliveries, found.source, "Encounter", _encounters(found, ids, visits, first))
    _put(
        deliveries,
        found.source,
        "Condition",
        [
            {
                **head,
                "clinicalStatus": _code(f"{_HL7}/condition-clinical", "active"),
                "verificationStatus": _code(f"{_HL7}/condition-ver-status", "confirmed"),
                "category": [_code(f"{_HL7}/condition-category", "encounter-diagnosis")],
                "code": _code(_ICD, dotted(diagnoses()[what])),
                "encounter": encounter,
                "onsetDateTime": start,
                "recordedDate": start,
            }
            for head, encounter, what, start, _, _ in listed(found.diagnoses, "c")
        ],
    )
    _put(
        deliveries,
        found.source,
        "Procedure",
        [
            {
                **head,
                "status": "completed",
                "code": _code(_CCAM, acts()[what]),
                "encounter": encounter,
                "performedDateTime": start,
            }
            for head, encounter, what, start, _, _ in listed(found.acts, "p")
        ],
    )
    _put(
        deliveries,
        found.source,
        "Observation",
        [
            {
                **head,
                "status": "final",
                "category": [_code(f"{_HL7}/observation-category", "laboratory")],
                "code": _code(_LOINC, lab_tests()[what].loinc),
                "encounter": encounter,
                "effectiveDateTime": start,
                "valueQuantity": _quantity(value, lab_tests()[what].unit),
                "referenceRange": [
                    {
                        "low": _quantity(lab_tests()[what].low, lab_tests()[what].unit),
                        "high": _quantity(lab_tests()[what].high, lab_tests()[what].unit),
                    }
                ],
            }
            for head, encounter, what, start, _, value in listed(found.laboratory, "o")
        ],
    )
    given = found.source == "hosp-a"
    _put(
        deliveries,
        found.source,
        DRUGS[found.source],
        [
            {
                **head,
                "status": "completed",
                "medicationCodeableConcept": _code(_ATC, administered_drugs()[what][0]),
                **(_given if given else _prescribed)(encounter, start, end, value),
            }
            for head, encounter, what, start, end, value in listed(found.drugs, "m")
        ],
    )


def _put(deliveries: Deliveries, source: str, kind: str, resources: list[Resource]) -> None:
    lines = [json.dumps({"resourceType": kind, **each}, separators=(",", ":")) + "\n" for each in resources]
    put(deliveries, source, f"{kind}.ndjson", lines)


def _reference(kind: str, number: str) -> Resource:
    return {"reference": f"{kind}/{number}"}


def _code(system: str, code: str) -> Resource:
    return {"coding": [{"system": system, "code": code}]}


def _quantity(value: float, unit: str) -> Resource:
    return {"value": value, "unit": unit, "system": _UCUM, "code": unit}


def _given(encounter: Resource, start: str, end: str, quantity: float) -> Resource:
    dosage = {"dose": {"value": quantity}}
    return {"context": encounter, "effectivePeriod": {"start": start, "end": end}, "dosage": dosage}


def _prescribed(encounter: Resource, start: str, end: str, quantity: float) -> Resource:
    dispense = {"validityPeriod": {"start": start, "end": end}, "quantity": {"value": quantity}}
    return {"intent": "order", "encounter": encounter, "authoredOn": start, "dispenseRequest": dispense}


def _patients(found: Record, ids: list[str]) -> list[Resource]:
    rows = zip(
        ids,
        found.patients.female.tolist(),
        days(found.patients.birth),
        days(found.patients.death),
        strict=True,
    )
    return [
        {
            "id": number,
            "gender": "female" if woman else "male",
            "birthDate": birth,
            **({"deceasedDateTime": death} if death else {}),
            "managingOrganization": _reference("Organization", found.source),
        }
        for number, woman, birth, death in rows
    ]


def _encounters(found: Record, ids: list[str], visits: list[str], first: int) -> list[Resource]:
    edges = np.searchsorted(found.diagnoses.visit, np.arange(len(visits) + 1)).tolist()
    rank = found.diagnoses.value.astype(int).tolist()
    rows = zip(
        visits,
        found.visits.patient.tolist(),
        found.visits.kind.tolist(),
        instants(found.visits.start, "T", _ZONE),
        instants(found.visits.end, "T", _ZONE),
        found.visits.died.tolist(),
        strict=True,
    )
    resources: list[Resource] = []
    for index, (number, patient, kind, start, end, died) in enumerate(rows):
        ranked = [
            {
                "condition": _reference("Condition", f"{found.source[-1]}c{first + at}"),
                "use": {"text": RANKS[rank[at]]},
                "rank": at - edges[index] + 1,
            }
            for at in range(edges[index], edges[index + 1])
        ]
        resource = {
            "id": number,
            "status": "finished",
            "class": {"system": f"{_HL7}/v3-ActCode", "code": _CLASSES[kind]},
            "subject": _reference("Patient", ids[patient]),
            "period": {"start": start, "end": end},
            "diagnosis": ranked,
            "serviceProvider": _reference("Organization", found.source),
        }
        if died:
            resource["hospitalization"] = {"dischargeDisposition": _code(f"{_HL7}/discharge-disposition", "exp")}
        resources.append(resource)
    return resources
