"""One hospital as OMOP CDM 5.4 in CSV, with the concept ids of the vocabulary delivery.

The patient number is person_id; rows of the same table have numbers of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

import numpy as np

from enclos.contracts.omop import omop_tables
from enclos.synthetic.hospitals.records import Entries, Record
from enclos.synthetic.hospitals.written import RANKS, days, first_number, instants, put, separated, who
from enclos.synthetic.references import administered_drugs, hospitals, lab_tests
from enclos.synthetic.sheets import Deliveries
from enclos.synthetic.stays.model import acts, diagnoses
from enclos.synthetic.vocabulary import (
    VERSION,
    atc_id,
    ccam_id,
    cim10_id,
    condition_id,
    ingredient_id,
    laboratory_id,
    procedure_id,
    unit_id,
)

SOURCE = "hosp-c"
_TABLES = (
    "person",
    "observation_period",
    "visit_occurrence",
    "condition_occurrence",
    "drug_exposure",
    "procedure_occurrence",
    "measurement",
    "death",
    "care_site",
    "cdm_source",
)
_FEMALE, _MALE = 8532, 8507
_VISITS, _CLASSES = (9201, 9202, 9203), ("IMP", "AMB", "EMER")
_EHR, _ADMINISTRATION, _ENCOUNTER, _LABORATORY = 32817, 32818, 32827, 32856
_STATUS = (32902, 32908, 32908)
_CDM_5_4 = 756265
_ROWS_A_VISIT = 100


def begin(deliveries: Deliveries, period: tuple[date, date]) -> None:
    """Begin the delivery."""
    deliveries.open(SOURCE, SOURCE, "omop", period)
    for table in _TABLES:
        deliveries.sheet(SOURCE, f"{table}.csv", table, omop_tables()[table].names, ",")
    finess = next(hospital.finess for hospital in hospitals() if hospital.source == SOURCE)
    _put(
        deliveries, "care_site", [{"care_site_id": 1, "care_site_name": "Hospital C", "care_site_source_value": finess}]
    )
    about = {
        "cdm_source_name": "Hospital C",
        "cdm_source_abbreviation": SOURCE,
        "cdm_holder": "Hospital C",
        "source_description": "Synthetic hospital stays",
        "source_release_date": period[1],
        "cdm_release_date": period[1],
        "cdm_version": "v5.4",
        "cdm_version_concept_id": _CDM_5_4,
        "vocabulary_version": VERSION,
    }
    _put(deliveries, "cdm_source", [about])


def write(deliveries: Deliveries, found: Record) -> None:
    """Write the record."""
    numbers = found.patients.number.tolist()
    _put(deliveries, "person", _persons(found, numbers))
    _put(
        deliveries,
        "death",
        (
            {"person_id": number, "death_date": day, "death_type_concept_id": _EHR}
            for number, day in zip(numbers, days(found.patients.death), strict=True)
            if day
        ),
    )
    _put(deliveries, "observation_period", _observation_periods(found, numbers))
    _put(deliveries, "visit_occurrence", _visits(found, numbers))
    codes, tests, drugs = diagnoses(), lab_tests(), administered_drugs()
    _put(
        deliveries,
        "condition_occurrence",
        (
            {
                "condition_occurrence_id": number,
                **_dated("condition", whose, start, end),
                "condition_concept_id": condition_id(codes[what]),
                "condition_type_concept_id": _EHR,
                "condition_status_concept_id": _STATUS[int(rank)],
                "condition_source_value": codes[what],
                "condition_source_concept_id": cim10_id(codes[what]),
                "condition_status_source_value": RANKS[int(rank)],
            }
            for number, whose, what, start, end, rank in _listed(found, found.diagnoses)
        ),
    )
    _put(
        deliveries,
        "procedure_occurrence",
        (
            {
                "procedure_occurrence_id": number,
                **whose,
                "procedure_concept_id": procedure_id(acts()[what]),
                "procedure_date": start[:10],
                "procedure_datetime": start,
                "procedure_type_concept_id": _EHR,
                "quantity": 1,
                "procedure_source_value": acts()[what],
                "procedure_source_concept_id": ccam_id(acts()[what]),
            }
            for number, whose, what, start, _, _ in _listed(found, found.acts)
        ),
    )
    _put(
        deliveries,
        "drug_exposure",
        (
            {
                "drug_exposure_id": number,
                **_dated("drug_exposure", whose, start, end),
                "drug_concept_id": ingredient_id(drugs[what][2]),
                "drug_type_concept_id": _ADMINISTRATION,
                "quantity": quantity,
                "drug_source_value": drugs[what][0],
                "drug_source_concept_id": atc_id(drugs[what][0]),
            }
            for number, whose, what, start, end, quantity in _listed(found, found.drugs)
        ),
    )
    _put(
        deliveries,
        "measurement",
        (
            {
                "measurement_id": number,
                **whose,
                "measurement_concept_id": laboratory_id(tests[what].loinc),
                "measurement_date": start[:10],
                "measurement_datetime": start,
                "measurement_type_concept_id": _LABORATORY,
                "value_as_number": value,
                "unit_concept_id": unit_id(tests[what].unit),
                "range_low": tests[what].low,
                "range_high": tests[what].high,
                "measurement_source_value": tests[what].loinc,
                "measurement_source_concept_id": laboratory_id(tests[what].loinc),
                "unit_source_value": tests[what].unit,
                "value_source_value": value,
            }
            for number, whose, what, start, _, value in _listed(found, found.laboratory)
        ),
    )


def _put(deliveries: Deliveries, table: str, rows: Iterable[dict[str, object]]) -> None:
    names = omop_tables()[table].names
    lines = separated(([row.get(name, "") for name in names] for row in rows), ",")
    put(deliveries, SOURCE, f"{table}.csv", lines)


def _dated(prefix: str, whose: dict[str, object], start: str, end: str) -> dict[str, object]:
    return {
        **whose,
        f"{prefix}_start_date": start[:10],
        f"{prefix}_start_datetime": start,
        f"{prefix}_end_date": end[:10],
        f"{prefix}_end_datetime": end,
    }


def _listed(found: Record, entries: Entries) -> Iterator[tuple[int, dict[str, object], int, str, str, float]]:
    """Per entry: row number, person and visit, what, start, end, value."""
    numbers, visits = found.patients.number.tolist(), found.visits.number.tolist()
    rows = zip(
        who(found, entries),
        entries.visit.tolist(),
        entries.what.tolist(),
        instants(entries.start, " "),
        instants(entries.end, " "),
        entries.value.tolist(),
        strict=True,
    )
    first = first_number(found, _ROWS_A_VISIT)
    for number, (patient, visit, what, start, end, value) in enumerate(rows, start=first):
        whose: dict[str, object] = {"person_id": numbers[patient], "visit_occurrence_id": visits[visit]}
        yield number, whose, what, start, end, value


def _persons(found: Record, numbers: Sequence[int]) -> Iterator[dict[str, object]]:
    rows = zip(numbers, found.patients.female.tolist(), days(found.patients.birth), strict=True)
    for number, woman, birth in rows:
        yield {
            "person_id": number,
            "gender_concept_id": _FEMALE if woman else _MALE,
            "year_of_birth": int(birth[:4]),
            "month_of_birth": int(birth[5:7]),
            "day_of_birth": int(birth[8:]),
            "birth_datetime": f"{birth} 00:00:00",
            "race_concept_id": 0,
            "ethnicity_concept_id": 0,
            "care_site_id": 1,
            "person_source_value": number,
            "gender_source_value": "F" if woman else "M",
        }


def _observation_periods(found: Record, numbers: Sequence[int]) -> Iterator[dict[str, object]]:
    first = np.full(len(numbers), np.iinfo(np.int64).max)
    last = np.full(len(numbers), -1, dtype=np.int64)
    np.minimum.at(first, found.visits.patient, found.visits.start)
    np.maximum.at(last, found.visits.patient, found.visits.end)
    seen = np.flatnonzero(last >= 0)
    for patient, start, end in zip(seen.tolist(), instants(first[seen], " "), instants(last[seen], " "), strict=True):
        yield {
            "observation_period_id": numbers[patient],
            "person_id": numbers[patient],
            "observation_period_start_date": start[:10],
            "observation_period_end_date": end[:10],
            "period_type_concept_id": _ENCOUNTER,
        }


def _visits(found: Record, numbers: Sequence[int]) -> Iterator[dict[str, object]]:
    rows = zip(
        found.visits.number.tolist(),
        found.visits.patient.tolist(),
        found.visits.kind.tolist(),
        instants(found.visits.start, " "),
        instants(found.visits.end, " "),
        strict=True,
    )
    for number, patient, kind, start, end in rows:
        yield {
            "visit_occurrence_id": number,
            **_dated("visit", {"person_id": numbers[patient]}, start, end),
            "visit_concept_id": _VISITS[kind],
            "visit_type_concept_id": _ENCOUNTER,
            "care_site_id": 1,
            "visit_source_value": _CLASSES[kind],
        }
