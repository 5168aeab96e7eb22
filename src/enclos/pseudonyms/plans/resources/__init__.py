"""FHIR R4 resources in the one shape of hospital records.

Which resources count, by type, is docs/hospital-fhir.md. Source: HL7 FHIR R4 (4.0.1).
"""
