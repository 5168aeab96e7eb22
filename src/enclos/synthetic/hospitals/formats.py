"""The same record in three formats: FHIR R4 bulk NDJSON, OMOP CDM 5.4 CSV, and the plain layout of
docs/hospital-csv.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

import numpy as np

from enclos.synthetic.hospitals.records import Entries, Record
from enclos.synthetic.people import NEVER
from enclos.synthetic.references import administered_drugs, hospitals, lab_tests
from enclos.synthetic.sheets import Deliveries
from enclos.synthetic.stays import acts, diagnoses
from enclos.synthetic.vocabulary import (
    VERSION,
    atc_id,
    ccam_id,
    cim10_id,
    condition_id,
    dotted,
    ingredient_id,
    laboratory_id,
    procedure_id,
    unit_id,
)

PLAIN_HEADERS = {
    "PATIENT": "patient_id sex birth_date death_date".split(),
    "SEJOUR": "sejour_id patient_id entree sortie mode".split(),
    "DIAGNOSTIC": "sejour_id patient_id code_cim10 rang".split(),
    "ACTE": "sejour_id patient_id code_ccam date".split(),
    "ADMINISTRATION": "sejour_id patient_id code_atc debut fin quantite".split(),
    "BIOLOGIE": "sejour_id patient_id code_loinc date_heure valeur unite_ucum borne_inf borne_sup".split(),
}
OMOP_HEADERS = {
    "person": "person_id gender_concept_id year_of_birth month_of_birth day_of_birth birth_datetime race_concept_id "
    "ethnicity_concept_id location_id provider_id care_site_id person_source_value gender_source_value "
    "gender_source_concept_id race_source_value race_source_concept_id ethnicity_source_value "
    "ethnicity_source_concept_id".split(),
    "observation_period": "observation_period_id person_id observation_period_start_date "
    "observation_period_end_date period_type_concept_id".split(),
    "visit_occurrence": "visit_occurrence_id person_id visit_concept_id visit_start_date visit_start_datetime "
    "visit_end_date visit_end_datetime visit_type_concept_id provider_id care_site_id visit_source_value "
    "visit_source_concept_id admitted_from_concept_id admitted_from_source_value discharged_to_concept_id "
    "discharged_to_source_value preceding_visit_occurrence_id".split(),
    "condition_occurrence": "condition_occurrence_id person_id condition_concept_id condition_start_date "
    "condition_start_datetime condition_end_date condition_end_datetime condition_type_concept_id "
    "condition_status_concept_id stop_reason provider_id visit_occurrence_id visit_detail_id "
    "condition_source_value condition_source_concept_id condition_status_source_value".split(),
    "drug_exposure": "drug_exposure_id person_id drug_concept_id drug_exposure_start_date "
    "drug_exposure_start_datetime drug_exposure_end_date drug_exposure_end_datetime verbatim_end_date "
    "drug_type_concept_id stop_reason refills quantity days_supply sig route_concept_id lot_number provider_id "
    "visit_occurrence_id visit_detail_id drug_source_value drug_source_concept_id route_source_value "
    "dose_unit_source_value".split(),
    "procedure_occurrence": "procedure_occurrence_id person_id procedure_concept_id procedure_date "
    "procedure_datetime procedure_end_date procedure_end_datetime procedure_type_concept_id modifier_concept_id "
    "quantity provider_id visit_occurrence_id visit_detail_id procedure_source_value procedure_source_concept_id "
    "modifier_source_value".split(),
    "measurement": "measurement_id person_id measurement_concept_id measurement_date measurement_datetime "
    "measurement_time measurement_type_concept_id operator_concept_id value_as_number value_as_concept_id "
    "unit_concept_id range_low range_high provider_id visit_occurrence_id visit_detail_id "
    "measurement_source_value measurement_source_concept_id unit_source_value unit_source_concept_id "
    "value_source_value measurement_event_id meas_event_field_concept_id".split(),
    "death": "person_id death_date death_datetime death_type_concept_id cause_concept_id cause_source_value "
    "cause_source_concept_id".split(),
    "care_site": "care_site_id care_site_name place_of_service_concept_id location_id care_site_source_value "
    "place_of_service_source_value".split(),
    "cdm_source": "cdm_source_name cdm_source_abbreviation cdm_holder source_description "
    "source_documentation_reference cdm_etl_reference source_release_date cdm_release_date cdm_version "
    "cdm_version_concept_id vocabulary_version".split(),
}
FHIR_TYPES = (
    "Organization",
    "Patient",
    "Encounter",
    "Condition",
    "Procedure",
    "Observation",
    "MedicationAdministration",
    "MedicationRequest",
)
_FHIR_DRUGS = {"hosp-a": "MedicationAdministration", "hosp-b": "MedicationRequest"}
_CLASSES = ("IMP", "AMB", "EMER")
_ICD, _CCAM = "http://hl7.org/fhir/sid/icd-10", "https://smt.esante.gouv.fr/terminologie-ccam"
_ATC, _LOINC, _UCUM = "http://www.whocc.no/atc", "http://loinc.org", "http://unitsofmeasure.org"
_ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_RANKS = ("DP", "DR", "DAS")
_MODES = ("hospitalisation", "ambulatoire", "urgences")
_VISITS = (9201, 9202, 9203)
_EHR, _EHR_ADMINISTRATION, _EHR_ENCOUNTER, _LAB = 32817, 32818, 32827, 32856
_STATUS = (32902, 32908, 32908)


def begin(deliveries: Deliveries, period: tuple[date, date]) -> None:
    """Begin the four hospitals' deliveries, with the files that are the same for any patients."""
    deliveries.open("hosp-a", "hosp-a", "fhir-bulk", period)
    deliveries.open("hosp-b", "hosp-b", "fhir-bulk", period)
    deliveries.open("hosp-c", "hosp-c", "omop", period)
    deliveries.open("hosp-d", "hosp-d", "hospital-csv", period)
    for index, source in enumerate(("hosp-a", "hosp-b")):
        for resource in FHIR_TYPES:
            if resource in _FHIR_DRUGS.values() and resource != _FHIR_DRUGS[source]:
                continue
            deliveries.sheet(source, f"{resource}.ndjson", resource, None, "")
        line = f'{{"resourceType":"Organization","id":"{source}","identifier":[{{"system":"urn:finess","value":"{hospitals()[index].finess}"}}],"name":"Hospital {source[-1].upper()}"}}\n'
        deliveries.write(deliveries.sheet(source, "Organization.ndjson", "Organization", None, ""), line.encode(), 1)
    for table, header in OMOP_HEADERS.items():
        deliveries.sheet("hosp-c", f"{table}.csv", table, header, ",")
    finess = hospitals()[2].finess
    _omop(deliveries, "care_site", [[1, "Hospital C", 9201, "", finess, "MCO"]])
    about = ["Hospital C", "hosp-c", "Hospital C", "Synthetic hospital stays", "", ""]
    _omop(deliveries, "cdm_source", [[*about, period[1], period[1], "v5.4", 756265, VERSION]])
    for table, header in PLAIN_HEADERS.items():
        deliveries.sheet("hosp-d", f"{table}.csv", table, header)


def write(deliveries: Deliveries, found: Record) -> None:
    """Write one hospital's record in its format."""
    if found.source in _FHIR_DRUGS:
        _write_fhir(deliveries, found)
    elif found.source == "hosp-c":
        _write_omop(deliveries, found)
    else:
        _write_plain(deliveries, found)


def patient_ids(found: Record) -> list[str]:
    """Patient ids as the hospital writes them."""
    prefix = {"hosp-a": "a", "hosp-b": "b", "hosp-c": "", "hosp-d": "D"}[found.source]
    return [f"{prefix}{number}" for number in found.patients.number.tolist()]


def _days(days: Iterable[int]) -> list[str]:
    found = np.asarray(days, dtype=np.int64)
    text = np.datetime_as_string(found.astype("datetime64[D]")).tolist()
    return ["" if day >= NEVER else str(each) for day, each in zip(found.tolist(), text, strict=True)]


def _instants(minutes: Iterable[int], separator: str) -> list[str]:
    text = np.datetime_as_string(np.asarray(minutes, dtype=np.int64).astype("datetime64[m]").astype("datetime64[s]"))
    return [each.replace("T", separator) for each in text.tolist()]


def _put(deliveries: Deliveries, delivery: str, file: str, table: str, lines: Sequence[str], separator: str) -> None:
    sheet = deliveries.sheet(delivery, file, table, None, separator)
    deliveries.write(sheet, "".join(lines).encode(), len(lines))


def _who(found: Record, entries: Entries) -> list[int]:
    people: list[int] = found.visits.patient[entries.visit].tolist()
    return people


def _write_fhir(deliveries: Deliveries, found: Record) -> None:
    source, ids = found.source, patient_ids(found)
    letter = source[-1]
    visit_ids = [f"{letter}v{number}" for number in found.visits.number.tolist()]

    def put(resource: str, lines: Sequence[str]) -> None:
        _put(deliveries, source, f"{resource}.ndjson", resource, lines, "")

    births, deaths = _days(found.patients.birth), _days(found.patients.death)
    put(
        "Patient",
        [
            f'{{"resourceType":"Patient","id":"{pid}","gender":"{"female" if woman else "male"}","birthDate":"{birth}"'
            + (f',"deceasedDateTime":"{death}"' if death else "")
            + f',"managingOrganization":{{"reference":"Organization/{source}"}}}}\n'
            for pid, woman, birth, death in zip(ids, found.patients.female.tolist(), births, deaths, strict=True)
        ],
    )
    first = np.searchsorted(found.diagnoses.visit, np.arange(len(found.visits) + 1)).tolist()
    base = int(found.visits.number[0]) * 10 if len(found.visits) else 0
    rank = found.diagnoses.value.astype(int).tolist()
    starts, ends = _instants(found.visits.start, "T"), _instants(found.visits.end, "T")
    who = found.visits.patient.tolist()
    encounters = []
    for index, (vid, kind) in enumerate(zip(visit_ids, found.visits.kind.tolist(), strict=True)):
        listed = ",".join(
            f'{{"condition":{{"reference":"Condition/{letter}c{base + at}"}},"use":{{"text":"{_RANKS[rank[at]]}"}},"rank":{at - first[index] + 1}}}'
            for at in range(first[index], first[index + 1])
        )
        out = (
            ',"hospitalization":{"dischargeDisposition":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/discharge-disposition","code":"exp"}]}}'
            if found.visits.died[index]
            else ""
        )
        encounters.append(
            f'{{"resourceType":"Encounter","id":"{vid}","status":"finished","class":{{"system":"{_ACT_CODE}","code":"{_CLASSES[kind]}"}},'
            f'"subject":{{"reference":"Patient/{ids[who[index]]}"}},"period":{{"start":"{starts[index]}+01:00","end":"{ends[index]}+01:00"}}'
            + (f',"diagnosis":[{listed}]' if listed else "")
            + f'{out},"serviceProvider":{{"reference":"Organization/{source}"}}}}\n'
        )
    put("Encounter", encounters)
    codes = [dotted(code) for code in diagnoses()]
    put(
        "Condition",
        [
            f'{{"resourceType":"Condition","id":"{letter}c{base + at}","clinicalStatus":{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}}]}},'
            f'"verificationStatus":{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/condition-ver-status","code":"confirmed"}}]}},'
            f'"category":[{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/condition-category","code":"encounter-diagnosis"}}]}}],'
            f'"code":{{"coding":[{{"system":"{_ICD}","code":"{codes[what]}"}}]}},"subject":{{"reference":"Patient/{ids[patient]}"}},'
            f'"encounter":{{"reference":"Encounter/{visit_ids[visit]}"}},"onsetDateTime":"{start}+01:00","recordedDate":"{start}+01:00"}}\n'
            for at, (visit, what, patient, start) in enumerate(
                zip(
                    found.diagnoses.visit.tolist(),
                    found.diagnoses.what.tolist(),
                    _who(found, found.diagnoses),
                    _instants(found.diagnoses.start, "T"),
                    strict=True,
                )
            )
        ],
    )
    put(
        "Procedure",
        [
            f'{{"resourceType":"Procedure","id":"{letter}p{base + at}","status":"completed","code":{{"coding":[{{"system":"{_CCAM}","code":"{acts()[what]}"}}]}},'
            f'"subject":{{"reference":"Patient/{ids[patient]}"}},"encounter":{{"reference":"Encounter/{visit_ids[visit]}"}},"performedDateTime":"{start}+01:00"}}\n'
            for at, (visit, what, patient, start) in enumerate(
                zip(
                    found.acts.visit.tolist(),
                    found.acts.what.tolist(),
                    _who(found, found.acts),
                    _instants(found.acts.start, "T"),
                    strict=True,
                )
            )
        ],
    )
    put("Observation", _fhir_results(found, ids, visit_ids))
    put(_FHIR_DRUGS[source], _fhir_drugs(found, ids, visit_ids))


def _fhir_results(found: Record, ids: list[str], visit_ids: list[str]) -> list[str]:
    letter, tests = found.source[-1], lab_tests()
    base = int(found.visits.number[0]) * 100 if len(found.visits) else 0
    rows = zip(
        found.laboratory.visit.tolist(),
        found.laboratory.what.tolist(),
        _who(found, found.laboratory),
        _instants(found.laboratory.start, "T"),
        found.laboratory.value.tolist(),
        strict=True,
    )
    lines = []
    for at, (visit, what, patient, start, value) in enumerate(rows):
        test = tests[what]
        unit = f'"unit":"{test.unit}","system":"{_UCUM}","code":"{test.unit}"'
        lines.append(
            f'{{"resourceType":"Observation","id":"{letter}o{base + at}","status":"final","category":[{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory"}}]}}],'
            f'"code":{{"coding":[{{"system":"{_LOINC}","code":"{test.loinc}"}}]}},"subject":{{"reference":"Patient/{ids[patient]}"}},'
            f'"encounter":{{"reference":"Encounter/{visit_ids[visit]}"}},"effectiveDateTime":"{start}+01:00","valueQuantity":{{"value":{value},{unit}}},'
            f'"referenceRange":[{{"low":{{"value":{test.low},{unit}}},"high":{{"value":{test.high},{unit}}}}}]}}\n'
        )
    return lines


def _fhir_drugs(found: Record, ids: list[str], visit_ids: list[str]) -> list[str]:
    letter, drugs = found.source[-1], administered_drugs()
    base = int(found.visits.number[0]) * 10 if len(found.visits) else 0
    rows = zip(
        found.drugs.visit.tolist(),
        found.drugs.what.tolist(),
        _who(found, found.drugs),
        _instants(found.drugs.start, "T"),
        _instants(found.drugs.end, "T"),
        found.drugs.value.tolist(),
        strict=True,
    )
    lines = []
    for at, (visit, what, patient, start, end, quantity) in enumerate(rows):
        drug = f'"medicationCodeableConcept":{{"coding":[{{"system":"{_ATC}","code":"{drugs[what][0]}"}}]}},"subject":{{"reference":"Patient/{ids[patient]}"}}'
        where = f'{{"reference":"Encounter/{visit_ids[visit]}"}}'
        if found.source == "hosp-a":
            lines.append(
                f'{{"resourceType":"MedicationAdministration","id":"{letter}m{base + at}","status":"completed",{drug},"context":{where},'
                f'"effectivePeriod":{{"start":"{start}+01:00","end":"{end}+01:00"}},"dosage":{{"dose":{{"value":{quantity}}}}}}}\n'
            )
        else:
            lines.append(
                f'{{"resourceType":"MedicationRequest","id":"{letter}m{base + at}","status":"completed","intent":"order",{drug},"encounter":{where},'
                f'"authoredOn":"{start}+01:00","dispenseRequest":{{"validityPeriod":{{"start":"{start}+01:00","end":"{end}+01:00"}},"quantity":{{"value":{quantity}}}}}}}\n'
            )
    return lines


def _omop(deliveries: Deliveries, table: str, rows: Iterable[Sequence[object]]) -> None:
    lines = [",".join(map(str, row)) + "\n" for row in rows]
    _put(deliveries, "hosp-c", f"{table}.csv", table, lines, ",")


def _write_omop(deliveries: Deliveries, found: Record) -> None:
    numbers = found.patients.number.tolist()
    births, deaths = _days(found.patients.birth), _days(found.patients.death)
    women = found.patients.female.tolist()
    _omop(
        deliveries,
        "person",
        (
            [n, 8532 if w else 8507, int(b[:4]), int(b[5:7]), int(b[8:]), f"{b} 00:00:00", 0, 0, "", "", 1, n]
            + ["F" if w else "M", 0, "", 0, "", 0]
            for n, w, b in zip(numbers, women, births, strict=True)
        ),
    )
    _omop(
        deliveries,
        "death",
        ([n, d, f"{d} 00:00:00", _EHR, 0, "", 0] for n, d in zip(numbers, deaths, strict=True) if d),
    )
    _omop_visits(deliveries, found, numbers)
    _omop_rows(deliveries, found, numbers)


def _omop_visits(deliveries: Deliveries, found: Record, numbers: list[int]) -> None:
    starts, ends = _instants(found.visits.start, " "), _instants(found.visits.end, " ")
    who, kinds = found.visits.patient.tolist(), found.visits.kind.tolist()
    first, last = np.full(len(numbers), NEVER * 1440), np.full(len(numbers), -1)
    np.minimum.at(first, found.visits.patient, found.visits.start)
    np.maximum.at(last, found.visits.patient, found.visits.end)
    seen = np.flatnonzero(last >= 0)
    opened, closed = _instants(first[seen], " "), _instants(last[seen], " ")
    _omop(
        deliveries,
        "observation_period",
        (
            [numbers[p], numbers[p], a[:10], b[:10], _EHR_ENCOUNTER]
            for p, a, b in zip(seen.tolist(), opened, closed, strict=True)
        ),
    )
    _omop(
        deliveries,
        "visit_occurrence",
        (
            [v, numbers[p], _VISITS[k], a[:10], a, b[:10], b, _EHR_ENCOUNTER, "", 1, _CLASSES[k], 0, 0, "", 0, "", ""]
            for v, p, k, a, b in zip(found.visits.number.tolist(), who, kinds, starts, ends, strict=True)
        ),
    )


def _omop_rows(deliveries: Deliveries, found: Record, numbers: list[int]) -> None:
    visit_numbers = found.visits.number.tolist()

    def listed(entries: Entries) -> Iterable[tuple[int, int, int, int, str, str, float]]:
        """Row number, person, visit, what, start, end, value."""
        base = int(found.visits.number[0]) * 100 if len(found.visits) else 0
        return zip(
            range(base, base + len(entries)),
            [numbers[p] for p in _who(found, entries)],
            [visit_numbers[v] for v in entries.visit.tolist()],
            entries.what.tolist(),
            _instants(entries.start, " "),
            _instants(entries.end, " "),
            entries.value.tolist(),
            strict=True,
        )

    codes, tests, drugs = diagnoses(), lab_tests(), administered_drugs()
    _omop(
        deliveries,
        "condition_occurrence",
        (
            [n, p, condition_id(codes[w]), a[:10], a, b[:10], b, _EHR, _STATUS[int(r)], "", "", v, ""]
            + [codes[w], cim10_id(codes[w]), _RANKS[int(r)]]
            for n, p, v, w, a, b, r in listed(found.diagnoses)
        ),
    )
    _omop(
        deliveries,
        "procedure_occurrence",
        (
            [
                n,
                p,
                procedure_id(acts()[w]),
                a[:10],
                a,
                b[:10],
                b,
                _EHR,
                0,
                1,
                "",
                v,
                "",
                acts()[w],
                ccam_id(acts()[w]),
                "",
            ]
            for n, p, v, w, a, b, _ in listed(found.acts)
        ),
    )
    _omop(
        deliveries,
        "drug_exposure",
        (
            [n, p, ingredient_id(drugs[w][2]), a[:10], a, b[:10], b, b[:10], _EHR_ADMINISTRATION, "", "", q, ""]
            + ["", 0, "", "", v, "", drugs[w][0], atc_id(drugs[w][0]), "", ""]
            for n, p, v, w, a, b, q in listed(found.drugs)
        ),
    )
    _omop(
        deliveries,
        "measurement",
        (
            [n, p, laboratory_id(tests[w].loinc), a[:10], a, "", _LAB, 0, q, 0, unit_id(tests[w].unit)]
            + [tests[w].low, tests[w].high, "", v, "", tests[w].loinc, laboratory_id(tests[w].loinc)]
            + [tests[w].unit, 0, q, "", ""]
            for n, p, v, w, a, _, q in listed(found.laboratory)
        ),
    )


def _write_plain(deliveries: Deliveries, found: Record) -> None:
    source, ids = found.source, patient_ids(found)
    visit_ids = [f"S{number}" for number in found.visits.number.tolist()]

    def put(table: str, rows: Iterable[Sequence[object]]) -> None:
        lines = [";".join(map(str, row)) + "\n" for row in rows]
        _put(deliveries, source, f"{table}.csv", table, lines, ";")

    women = found.patients.female.tolist()
    put(
        "PATIENT",
        (
            (pid, "F" if woman else "M", birth, death)
            for pid, woman, birth, death in zip(
                ids, women, _days(found.patients.birth), _days(found.patients.death), strict=True
            )
        ),
    )
    who = found.visits.patient.tolist()
    starts, ends = _instants(found.visits.start, " "), _instants(found.visits.end, " ")
    put(
        "SEJOUR",
        (
            (vid, ids[p], a, b, _MODES[kind])
            for vid, p, a, b, kind in zip(visit_ids, who, starts, ends, found.visits.kind.tolist(), strict=True)
        ),
    )

    def listed(entries: Entries) -> Iterable[tuple[str, str, int, str, str, float]]:
        return zip(
            [visit_ids[v] for v in entries.visit.tolist()],
            [ids[p] for p in _who(found, entries)],
            entries.what.tolist(),
            _instants(entries.start, " "),
            _instants(entries.end, " "),
            entries.value.tolist(),
            strict=True,
        )

    tests, drugs = lab_tests(), administered_drugs()
    put("DIAGNOSTIC", ((v, p, diagnoses()[w], _RANKS[int(r)]) for v, p, w, _, _, r in listed(found.diagnoses)))
    put("ACTE", ((v, p, acts()[w], a[:10]) for v, p, w, a, _, _ in listed(found.acts)))
    put("ADMINISTRATION", ((v, p, drugs[w][0], a, b, q) for v, p, w, a, b, q in listed(found.drugs)))
    put(
        "BIOLOGIE",
        (
            (v, p, tests[w].loinc, a, q, tests[w].unit, tests[w].low, tests[w].high)
            for v, p, w, a, _, q in listed(found.laboratory)
        ),
    )
