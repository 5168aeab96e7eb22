"""Random lines of every pseudonymised table, and all rows of a snapshot to compare."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

from enclos.contracts.omop import omop_tables
from factories.pseudonymised import (
    PACK_CODE,
    Row,
    Snapshot,
    at,
    ben,
    dispensing,
    hospital,
    of_stay,
    prestation,
    stay,
    town_act,
    vocabulary,
)


def everything(snapshot: Snapshot) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables, without the bucket."""
    return {
        name: snapshot.rows(name, *contract.names, order=", ".join(f'"{column}"' for column in contract.names))
        for name, contract in omop_tables().items()
        if snapshot.report.tables.get(name)
    }


def delivery(seed: int) -> dict[str, list[Row]]:
    """Some of everything, with many ties: same days, same codes, same visits."""
    draw = random.Random(seed)  # noqa: S311 - rows for a test
    people = [1, 2, 18, 35, 36, 53]
    day = lambda: date(2019, 3, 1) + timedelta(days=draw.randrange(5))  # noqa: E731 - reads better in the rows below
    stayed = [(draw.choice(people), key) for key in range(12)]
    patients = [(draw.choice(people), key) for key in range(12)]
    return vocabulary() | {
        "ben": [ben(person, BEN_RES_COM=draw.choice(("001", "383"))) for person in people[:5] for _ in range(2)],
        "prs": [prestation(draw.choice(people), day(), draw.choice((1111, 3313))) for _ in range(60)],
        "pha": [dispensing(draw.choice(people), day(), PACK_CODE, draw.choice((1, 1, 2, -1))) for _ in range(60)],
        "cam": [town_act(draw.choice(people), day(), "HHQE005") for _ in range(10)],
        "imb": [
            {"person_id": draw.choice(people), "IMB_ALD_DTD": day(), "IMB_ETM_NAT": 41, "MED_MTF_COD": "I10"}
            for _ in range(6)
        ],
        "cci": [{"person_id": draw.choice(people), "BEN_DCD_DTE": day(), "DCD_CIM_COD": "K922"} for _ in range(3)],
        "mco_b": [stay(person, key, day(), date(2019, 3, 9), DGN_PAL="K922") for person, key in stayed],
        "mco_d": [of_stay(*draw.choice(stayed), ASS_DGN=draw.choice(("I10", "Z850"))) for _ in range(20)],
        "mco_um": [of_stay(*draw.choice(stayed), UM_ORD_NUM=n % 3, PAR_DUR_SEJ=1) for n in range(20)],
        "mco_a": [of_stay(*draw.choice(stayed), CDC_ACT="HHQE005", PHA_ACT="0") for _ in range(20)],
        "h_patient": [hospital(person, sex="F", birth_on=date(1960, 5, 1)) for person in people],
        "h_visit": [
            hospital(
                person, draw.choice(("hosp-a", "hosp-b")), visit_key=key, visit_class="inpatient", start_at=at(day())
            )
            for person, key in patients
        ],
        "h_condition": [
            hospital(person, visit_key=key, vocabulary="CIM10", code="K922", start_on=day()) for person, key in patients
        ],
        "h_lab": [
            hospital(person, visit_key=key, vocabulary="LOINC", code="718-7", taken_at=at(day()), value=draw.random())
            for person, key in patients
        ],
        "omop_visit_occurrence": [
            {
                "person_id": person,
                "source": "hosp-c",
                "visit_occurrence_id": key,
                "visit_concept_id": 9201,
                "visit_start_date": day(),
                "visit_end_date": date(2019, 3, 9),
                "preceding_visit_occurrence_id": draw.choice((None, key, 77)),
            }
            for person, key in patients
        ],
        "omop_measurement": [
            {
                "person_id": person,
                "source": "hosp-c",
                "measurement_id": n,
                "measurement_concept_id": 5,
                "measurement_date": day(),
                "visit_occurrence_id": draw.choice((key, 88, 99)),
                "visit_detail_id": 0,
            }
            for n, (person, key) in enumerate(patients)
        ],
    }
