"""What of a FHIR resource may leave a sender: types and element names that hold no identity and no free text."""

from __future__ import annotations

_RESOURCES = """
Patient Encounter Condition Procedure Medication MedicationRequest MedicationAdministration MedicationStatement
MedicationDispense Immunization Observation
"""
_PERSON_AND_STATE = """
gender birthDate deceasedDateTime deceasedBoolean subject patient encounter context partOf status clinicalStatus
verificationStatus intent doNotPerform statusReason
"""
_CODES_WITHOUT_DISPLAY = """
code coding system version category class type serviceType priority severity bodySite vaccineCode
medicationCodeableConcept medicationReference reasonReference reasonCode ingredient itemCodeableConcept form diagnosis
condition use rank hospitalization admitSource dischargeDisposition route method
"""
_TIMES = """
period start end onsetDateTime onsetPeriod abatementDateTime abatementPeriod recordedDate performedDateTime
performedPeriod occurrenceDateTime effectiveDateTime effectivePeriod effectiveInstant issued authoredOn whenHandedOver
whenPrepared validityPeriod timing repeat frequency periodUnit boundsPeriod boundsDuration
"""
_QUANTITIES = """
valueQuantity valueCodeableConcept valueInteger valueBoolean value unit comparator low high referenceRange
interpretation component dosage dosageInstruction doseAndRate doseQuantity rateQuantity rateRatio dose quantity amount
strength numerator denominator dispenseRequest expectedSupplyDuration numberOfRepeatsAllowed daysSupply
"""

KEPT_RESOURCES = frozenset(_RESOURCES.split())
"""Types that the warehouse takes."""
KEPT_ELEMENTS = frozenset(f"{_PERSON_AND_STATE} {_CODES_WITHOUT_DISPLAY} {_TIMES} {_QUANTITIES}".split())
"""Elements that may leave, at any depth. ``identifier``, ``name``, ``telecom``, ``address``, ``contact``, ``text``,
``display``, ``note``, ``extension``, ``contained`` and every other name stay behind; so do the ids of elements."""
