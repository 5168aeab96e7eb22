"""A few persons in every kind of delivery, written by hand; identities are unmistakable (they hold ``CANARY``)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from factories.deliveries import NINE, csv_text, write_circuit, write_delivery

CANARY = "KANARI"
IDA, BOB, ROMY, ZOE = (f"{CANARY}HOLDER{i}" for i in range(4))
IDA_PSA, IDA_OLD_PSA, BOB_PSA, TWIN_PSA = (f"{CANARY}PSA{i}" for i in range(4))
UNKNOWN_PSA = f"{CANARY}PSANOBODY"
FHIR_PATIENT, PLAIN_PATIENT = f"{CANARY}-fhir-1", f"{CANARY}-plain-1"
EXECUTANT = f"{CANARY}8"

PERSONS = {
    (IDA_PSA, 1): IDA,
    (IDA_OLD_PSA, 1): IDA,
    (BOB_PSA, 1): BOB,
    (TWIN_PSA, 1): ROMY,
    (TWIN_PSA, 2): ZOE,
}


def references(folder: Path, name: str = "ref", illness_end: str | None = None, **changes: object) -> Path:
    beneficiaries = [
        {
            "BEN_NIR_PSA": psa,
            "BEN_RNG_GEM": rank,
            "BEN_IDT_ANO": holder,
            "BEN_SEX_COD": 2,
            "BEN_NAI_ANN": 1950,
            "BEN_NAI_MOI": "03",
            "BEN_DCD_DTE": "1600-01-01",
            "BEN_RES_DPT": "2A0",
            "BEN_RES_COM": "004",
            "BEN_DTE_INS": "2010-01-01",
            **changes,
        }
        for (psa, rank), holder in PERSONS.items()
    ]
    illness = {
        "BEN_NIR_PSA": IDA_PSA,
        "BEN_RNG_GEM": 1,
        "IMB_ALD_DTD": "2018-05-01",
        "IMB_ALD_DTF": illness_end,
        "IMB_ALD_NUM": 8,
        "IMB_ETM_NAT": 41,
        "MED_MTF_COD": "E11",
    }
    deaths = [
        {"DCD_IDT_ENC": f"{CANARY}C1", "BEN_IDT_ANO": BOB, "BEN_DCD_DTE": "2019-03-04", "DCD_CIM_COD": "I21"},
        {"DCD_IDT_ENC": f"{CANARY}C2", "BEN_IDT_ANO": None, "BEN_DCD_DTE": "2019-03-05", "DCD_CIM_COD": "C34"},
    ]
    if name != "ref":  # a later delivery corrects one certificate
        deaths = deaths[:1]
    files = {
        "IR_BEN_R.csv": csv_text(beneficiaries),
        "IR_IMB_R.csv": csv_text([illness]),
        "KI_CCI_R.csv": csv_text(deaths),
    }
    return write_delivery(folder / name, "snds-ref", "snds", files)


def prestation(number: int, psa: str, rank: int | None = 1, **changes: object) -> dict[str, object]:
    row = {
        **NINE,
        "PRS_ORD_NUM": str(number),
        "BEN_NIR_PSA": psa,
        "BEN_RNG_GEM": rank,
        "EXE_SOI_DTD": "2019-01-10",
        "EXE_SOI_DTF": None,
        "PRS_NAT_REF": 3313,
        "PRS_ACT_QTE": 1,
        "PRS_PAI_MNT": "12.50",
        "PFS_EXE_NUM": EXECUTANT,
        "DPN_QLF": None,
    }
    return {**row, **changes}


def claims(folder: Path, flux: str = "2019-02-01", name: str = "dcir", **files: str) -> Path:
    prestations = [
        prestation(1, IDA_PSA),
        prestation(2, IDA_OLD_PSA, PRS_ACT_QTE=-1, PRS_PAI_MNT="-12.50"),
        prestation(3, BOB_PSA, 0),  # a rank that its scheme does not keep: Bob is alone under his pseudonym
        prestation(4, TWIN_PSA, 2),
        prestation(5, TWIN_PSA, 0),  # twins that no rank tells
        prestation(6, UNKNOWN_PSA),
        prestation(7, IDA_PSA, PFS_EXE_NUM=None),
    ]
    packs = [
        {**NINE, "PRS_ORD_NUM": n, "PHA_PRS_C13": 3400930000000 + n, "PHA_ACT_QSN": q}
        for n, q in ((1, 2), (1, 1), (4, 3), (6, 1), (99, 1))
    ]
    acts = [{**NINE, "PRS_ORD_NUM": "7", "CAM_PRS_IDE": "DEQP003", "CAM_ACT_COD": "1", "CAM_TRT_PHA": 0}]
    establishments = [
        {**NINE, "PRS_ORD_NUM": "1", "ETE_IND_TAA": 1, "ETE_MCO_DDP": "Z", "ETB_EXE_FIN": "2A000001"},
        {**NINE, "PRS_ORD_NUM": "98", "ETE_IND_TAA": 0, "ETE_MCO_DDP": None, "ETB_EXE_FIN": "75000001"},
    ]
    tables: Mapping[str, list[dict[str, object]]] = {
        "ER_PRS_F.csv.gz": prestations,
        "ER_PHA_F.csv.gz": packs,
        "ER_CAM_F.csv.gz": acts,
        "ER_ETE_F.csv.gz": establishments,
    }
    texts = {path: csv_text([{**row, "FLX_DIS_DTD": flux} for row in rows]) for path, rows in tables.items()}
    return write_delivery(folder / name, "snds-dcir", "snds", {**texts, **files})


def stays(folder: Path) -> Path:
    def key(number: int) -> dict[str, object]:
        return {"ETA_NUM": "2A0000014", "RSA_NUM": f"{number:010d}"}

    dates = {"EXE_SOI_DTD": "2019-04-01 00:00:00", "EXE_SOI_DTF": "2019-04-05 00:00:00", "NIR_RET": "0"}
    chaining = [
        {**key(1), "NIR_ANO_17": IDA_PSA, "RNG_NAI": None, **dates},
        {**key(2), "NIR_ANO_17": TWIN_PSA, "RNG_NAI": "2", **dates},
        {**key(3), "NIR_ANO_17": TWIN_PSA, "RNG_NAI": None, **dates},
        {**key(4), "NIR_ANO_17": "x" * 17, "RNG_NAI": None, **dates},
        {**key(5), "NIR_ANO_17": IDA_PSA, "RNG_NAI": None, **dates},
    ]
    resumes = [
        {**key(n), "DGN_PAL": "I210", "DGN_REL": None, "SEJ_NBJ": 4, "GRG_GHM": "05M041"} for n in (1, 2, 3, 4, 6)
    ]
    diagnoses = [{**key(n), "ASS_DGN": code} for n, code in ((1, "E119"), (1, "I10"), (2, "J45+0"), (6, "I10"))]
    units = [{**key(1), "UM_ORD_NUM": 1, "DGN_PAL": "I210", "PAR_DUR_SEJ": 4}]
    acts = [{**key(2), "CDC_ACT": "DDQH009", "PHA_ACT": "0", "ENT_DAT_DEL": 1, "NBR_EXE_ACT": 1}]
    files = {
        "T_MCO19C.csv": csv_text(chaining),
        "T_MCO19B.csv": csv_text(resumes),
        "T_MCO19D.csv": csv_text(diagnoses),
        "T_MCO19UM.csv": csv_text(units),
        "T_MCO19A.csv": csv_text(acts),
    }
    return write_delivery(folder / "pmsi", "snds-pmsi", "snds", files)


def ndjson(*resources: Mapping[str, object]) -> str:
    return "".join(json.dumps(resource) + "\n" for resource in resources)


def coded(system: str, code: str) -> dict[str, object]:
    return {"coding": [{"system": "http://unknown.example", "code": "?"}, {"system": system, "code": code}]}


def fhir(folder: Path, name: str = "hosp-a") -> Path:
    subject = {"reference": f"Patient/{FHIR_PATIENT}"}
    encounter = {"reference": f"Encounter/{CANARY}-enc"}
    drug = {
        "subject": subject,
        "context": encounter,
        "medicationCodeableConcept": coded("http://www.whocc.no/atc", "C10AA01"),
    }
    files = {
        "Patient.ndjson": ndjson(
            {
                "resourceType": "Patient",
                "id": FHIR_PATIENT,
                "name": [{"family": f"{CANARY}NAME"}],
                "gender": "female",
                "birthDate": "1950-03",
                "deceasedDateTime": "2020-05-06T07:08:09+01:00",
            }
        ),
        "Encounter.ndjson": ndjson(
            {
                "resourceType": "Encounter",
                "id": f"{CANARY}-enc",
                "status": "finished",
                "class": {"code": "IMP"},
                "subject": subject,
                "period": {"start": "2019-04-01T08:00:00+02:00", "end": "2019-04-05T18:00:00+02:00"},
                "diagnosis": [{"condition": {"reference": f"Condition/{CANARY}-c1"}, "use": {"text": "DP"}}],
            },
            {
                "resourceType": "Encounter",
                "id": f"{CANARY}-plan",
                "status": "planned",
                "class": {"code": "AMB"},
                "subject": subject,
            },
        ),
        "Condition.ndjson": ndjson(
            {
                "resourceType": "Condition",
                "id": f"{CANARY}-c1",
                "subject": subject,
                "encounter": encounter,
                "code": coded("http://hl7.org/fhir/sid/icd-10", "I21.0"),
                "onsetDateTime": "2019-04-01T08:00:00+02:00",
            },
            {
                "resourceType": "Condition",
                "id": f"{CANARY}-c2",
                "subject": subject,
                "verificationStatus": {"coding": [{"code": "refuted"}]},
                "code": coded("http://hl7.org/fhir/sid/icd-10", "C34"),
                "onsetDateTime": "2019-04-01",
            },
            {
                "resourceType": "Condition",
                "id": f"{CANARY}-c3",
                "subject": {"reference": f"Patient/{CANARY}-nobody"},
                "code": coded("http://hl7.org/fhir/sid/icd-10", "C34"),
                "onsetDateTime": "2019-04-01",
            },
        ),
        "Procedure.ndjson": ndjson(
            {
                "resourceType": "Procedure",
                "id": f"{CANARY}-p1",
                "status": "completed",
                "subject": subject,
                "encounter": encounter,
                "code": coded("https://smt.esante.gouv.fr/terminologie-ccam", "DDQH009"),
                "performedPeriod": {"start": "2019-04-02T09:00:00+02:00"},
            }
        ),
        "Observation.ndjson": ndjson(
            {
                "resourceType": "Observation",
                "id": f"{CANARY}-o1",
                "status": "final",
                "subject": subject,
                "encounter": encounter,
                "code": coded("http://loinc.org", "2160-0"),
                "effectiveDateTime": "2019-04-02T09:30:00+02:00",
                "valueQuantity": {"value": 88.5, "unit": "micromol", "code": "umol/L"},
                "referenceRange": [{"low": {"value": 45}, "high": {"value": 84}}],
            },
            {
                "resourceType": "Observation",
                "id": f"{CANARY}-o2",
                "status": "final",
                "subject": subject,
                "code": coded("http://loinc.org", "882-1"),
                "effectiveDateTime": "2019-04-02",
                "valueCodeableConcept": {"text": "A+"},
            },
        ),
        "MedicationAdministration.ndjson": ndjson(
            {
                "resourceType": "MedicationAdministration",
                "id": f"{CANARY}-m1",
                "status": "completed",
                **drug,
                "effectivePeriod": {"start": "2019-04-02T08:00:00+02:00", "end": "2019-04-02T08:05:00+02:00"},
                "dosage": {"dose": {"value": 40}},
            }
        ),
        "MedicationRequest.ndjson": ndjson(
            {
                "resourceType": "MedicationRequest",
                "id": f"{CANARY}-r1",
                "status": "stopped",
                "intent": "order",
                "subject": subject,
                "medicationReference": {"reference": f"Medication/{CANARY}-med"},
                "authoredOn": "2019-04-05",
            },
            {
                "resourceType": "MedicationRequest",
                "id": f"{CANARY}-r2",
                "status": "active",
                "intent": "plan",
                **drug,
                "authoredOn": "2019-04-05",
            },
        ),
        "Medication.ndjson": ndjson(
            {"resourceType": "Medication", "id": f"{CANARY}-med", "code": coded("http://www.whocc.no/atc", "B01AC06")}
        ),
        "Organization.ndjson": ndjson({"resourceType": "Organization", "id": "org"}),
    }
    return write_delivery(folder / name, "fhir-bulk", "hosp-a", files)


def plain(folder: Path) -> Path:
    stay = {"sejour_id": f"{CANARY}S1", "patient_id": PLAIN_PATIENT}
    files = {
        "PATIENT.csv": csv_text(
            [{"patient_id": PLAIN_PATIENT, "sex": "M", "birth_date": "1950-03-02", "death_date": None}]
        ),
        "SEJOUR.csv": csv_text(
            [{**stay, "entree": "2019-04-01 08:00:00", "sortie": "2019-04-05 18:00:00", "mode": "hospitalisation"}]
        ),
        "DIAGNOSTIC.csv": csv_text(
            [{**stay, "code_cim10": "I210", "rang": "DP"}, {**stay, "code_cim10": None, "rang": "DAS"}]
        ),
        "ACTE.csv": csv_text([{**stay, "code_ccam": "DDQH009", "date": None}]),
        "ADMINISTRATION.csv": csv_text(
            [{**stay, "code_atc": "C10AA01", "debut": "2019-04-02 08:00:00", "fin": None, "quantite": 40}]
        ),
        "BIOLOGIE.csv": csv_text(
            [
                {
                    **stay,
                    "code_loinc": "2160-0",
                    "date_heure": "2019-04-02 09:30:00",
                    "valeur": 88.5,
                    "unite_ucum": "umol/L",
                }
            ]
        ),
    }
    return write_delivery(folder / "hosp-d", "hospital-csv", "hosp-d", files)


def omop(folder: Path, name: str = "hosp-c", **files: str) -> Path:
    standard = {
        "person.csv": csv_text(
            [
                {
                    "person_id": 11,
                    "gender_concept_id": 8507,
                    "year_of_birth": 1950,
                    "person_source_value": f"{CANARY}11",
                },
                {
                    "person_id": 12,
                    "gender_concept_id": 8532,
                    "year_of_birth": 1960,
                    "person_source_value": f"{CANARY}12",
                },
            ],
            ",",
        ),
        "visit_occurrence.csv": csv_text(
            [
                {
                    "visit_occurrence_id": n,
                    "person_id": 11,
                    "visit_start_date": "2019-04-01",
                    "admitting_source_concept_id": 8870,
                    "discharge_to_source_value": "home",
                    "visit_source_value": value,
                    "provider_id": 10_101_010_101,
                }
                for n, value in ((1, f"{CANARY}V1"), (2, "inpatient"), (3, "inpatient"))
            ],
            ",",
        ),
        "condition_occurrence.csv": csv_text(
            [
                {
                    "condition_occurrence_id": 7,
                    "person_id": 11,
                    "condition_concept_id": 192671,
                    "condition_start_date": "2019-04-01",
                },
                {
                    "condition_occurrence_id": 8,
                    "person_id": 99,
                    "condition_concept_id": 192671,
                    "condition_start_date": "2019-04-01",
                },
            ],
            ",",
        ),
        "location.csv": csv_text([{"location_id": 1, "address_1": f"{CANARY} street", "zip": "20000"}], ","),
        "provider.csv": csv_text(
            [
                {
                    "provider_id": 10_101_010_101,
                    "provider_name": f"Dr {CANARY}",
                    "npi": f"{CANARY}-npi",
                    "provider_source_value": f"{CANARY}-rpps",
                    "specialty_source_value": "cardiology",
                    "year_of_birth": 1970,
                }
            ],
            ",",
        ),
        "note.csv": csv_text([{"note_id": 1, "person_id": 11, "note_text": f"{CANARY} said"}], ","),
        "concept.csv": csv_text([{"concept_id": 192671, "concept_name": "bleed", "vocabulary_id": "SNOMED"}], ","),
    }
    return write_delivery(folder / name, "omop", "hosp-c", {**standard, **files}, separator=",")


def vocabulary(folder: Path) -> Path:
    text = "concept_id\tconcept_name\tvalid_start_date\n1\tone\t19700101\n"
    return write_delivery(folder / "vocabulary", "vocabulary", "athena", {"CONCEPT.csv": text}, separator="\t")


def circuits(folder: Path) -> tuple[Path, ...]:
    """Ida is the FHIR patient, Bob the plain one."""
    return (
        *write_circuit(folder, "hosp-a", [(FHIR_PATIENT, f"{CANARY}T1")], [(f"{CANARY}T1", f"{IDA_PSA}/1")]),
        *write_circuit(folder, "hosp-d", [(PLAIN_PATIENT, f"{CANARY}T2")], [(f"{CANARY}T2", f"{BOB_PSA}/1")]),
    )


def everything(folder: Path) -> tuple[Path, ...]:
    """A delivery of every kind."""
    return (
        references(folder),
        claims(folder),
        stays(folder),
        fhir(folder),
        plain(folder),
        omop(folder),
        *circuits(folder),
    )
