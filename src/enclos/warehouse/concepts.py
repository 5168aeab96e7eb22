"""Public concept ids that the rules name; every other id comes from the delivered vocabulary.

Source: OHDSI standardised vocabularies, ids as used in OHDSI's published conversions.
"""

from __future__ import annotations

from typing import Final

UNKNOWN: Final = 0

MALE: Final = 8507
FEMALE: Final = 8532

INPATIENT_VISIT: Final = 9201
OUTPATIENT_VISIT: Final = 9202
EMERGENCY_VISIT: Final = 9203
EMERGENCY_THEN_INPATIENT_VISIT: Final = 262
HOME_VISIT: Final = 581476
PHARMACY_VISIT: Final = 581458

TYPE_CLAIM_DISCHARGE: Final = 32812
TYPE_ENROLMENT: Final = 32813
TYPE_DEATH_CERTIFICATE: Final = 32815
TYPE_EHR: Final = 32817
TYPE_EHR_ADMINISTRATION: Final = 32818
TYPE_EHR_ENCOUNTER: Final = 32827
TYPE_EHR_PRESCRIPTION: Final = 32838
TYPE_INPATIENT_CLAIM: Final = 32853
TYPE_INPATIENT_CLAIM_HEADER: Final = 32855
TYPE_LABORATORY: Final = 32856
TYPE_OUTPATIENT_CLAIM: Final = 32859
TYPE_OUTPATIENT_CLAIM_DETAIL: Final = 32860
TYPE_PHARMACY_CLAIM: Final = 32869
TYPE_ALGORITHM: Final = 32880

STATUS_PRIMARY: Final = 32902
STATUS_SECONDARY: Final = 32908

CDM_5_4: Final = 756265
"""The concept of CDM version 5.4."""
