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
    on_stay,
    prestation,
    sequence,
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
    own = random.Random(seed)  # noqa: S311 - rows for a test; a stream of their own
    return told_again(
        vocabulary()
        | pmsi_fields(own, people)
        | {
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
                    person,
                    draw.choice(("hosp-a", "hosp-b")),
                    visit_key=key,
                    visit_class="inpatient",
                    start_at=at(day()),
                )
                for person, key in patients
            ],
            "h_condition": [
                hospital(person, visit_key=key, vocabulary="CIM10", code="K922", start_on=day())
                for person, key in patients
            ],
            "h_lab": [
                hospital(
                    person, visit_key=key, vocabulary="LOINC", code="718-7", taken_at=at(day()), value=draw.random()
                )
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
            "omop_cost": [
                {
                    "person_id": person,
                    "source": "hosp-c",
                    "cost_id": n % 2,
                    "cost_event_id": key,
                    "cost_domain_id": "Visit",
                    "total_paid": float(n % 5),
                }
                for n, (person, key) in enumerate(patients * 2)
            ]
            + [
                {"person_id": person, "source": "hosp-c", "cost_id": n, "cost_event_id": n, "cost_domain_id": domain}
                for n, (person, _key) in enumerate(patients)
                for domain in ("Measurement", "Drug")
            ],
            "omop_episode": [
                {
                    "person_id": person,
                    "source": "hosp-c",
                    "episode_id": n // 2,
                    "episode_parent_id": n // 2 + 1,
                    "episode_concept_id": n % 3,
                    "episode_start_date": date(2019, 3, 2),
                }
                for n, (person, _key) in enumerate(patients)
            ],
            "omop_episode_event": [
                {
                    "person_id": person,
                    "source": "hosp-c",
                    "episode_id": n // 2,
                    "event_id": n,
                    "episode_event_field_concept_id": 1147138 + n % 4 // 3,
                }
                for n, (person, _key) in enumerate(patients)
            ],
            "omop_fact_link": [
                {
                    "person_id": person,
                    "source": "hosp-c",
                    "domain_concept_id_1": 8,
                    "fact_id_1": key,
                    "domain_concept_id_2": 21,
                    "fact_id_2": n,
                    "relationship_concept_id": 5,
                }
                for n, (person, key) in enumerate(patients)
            ],
            "omop_fact_relationship": [
                {"person_id": person, "other_id": 1, "source": "hosp-c", "relationship_concept_id": 40478925 + n % 2}
                for n, (person, _key) in enumerate(patients)
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
    )


OTHERWISE: dict[str, Row] = {
    "mco_b": {"DGN_PAL": "I10"},
    "h_visit": {"visit_class": "outpatient"},
    "omop_visit_occurrence": {"visit_concept_id": 9202},
}


def told_again(tables: dict[str, list[Row]]) -> dict[str, list[Row]]:
    """Every visit a second time under the same key and on the same days, told otherwise: all values settle ties."""
    return tables | {
        name: [*tables[name], *({**row, **said} for row in tables[name])] for name, said in OTHERWISE.items()
    }


def pmsi_fields(draw: random.Random, people: list[int]) -> dict[str, list[Row]]:
    """Stays of the PMSI's other fields, some of their rows twice, and what hangs on them and on those of medicine."""
    keys = {"ace": range(100, 108), "ssr_b": range(200, 204), "had_b": range(300, 304), "rip_rsa": range(400, 404)}
    whose = {key: draw.choice(people) for keys_of in keys.values() for key in keys_of}
    day = lambda: date(2019, 3, 1) + timedelta(days=draw.randrange(5))  # noqa: E731 - reads better in the rows below
    leave = date(2019, 3, 20)
    line = lambda *fields: draw.choice([key for field in fields for key in keys[field]])  # noqa: E731 - as above
    numbers = {"ace": (), "ssr_b": ("RHS_NUM",), "had_b": ("SEQ_NUM", "SSEQ_NUM"), "rip_rsa": ("SEQ_SEQ_NUM",)}
    tables: dict[str, list[Row]] = {
        table: [
            sequence(whose[key], key, day(), leave, **dict.fromkeys(numbers[table], draw.choice(("001", "002"))))
            for key in keys_of
            for _ in range(1 if table == "ace" else 3)
        ]
        for table, keys_of in keys.items()
    }
    hung = {
        "ace_b": (("ace",), {"ACT_COD": ("ATU", "CS")}),
        "pmsi_diagnosis": (("ssr_b", "had_b"), {"place": ("DAS", "DMPP"), "ASS_DGN": ("I10", "K922")}),
        "pmsi_act": (
            ("ace", "ssr_b"),
            {"vocabulary": ("CCAM",), "CDC_ACT": ("HHQE005",), "sequence": (None, "001"), "ENT_DAT_DEL": (None, 1)},
        ),
        "pmsi_analysis": (("ace",), {"NABM_COD": ("1104",), "DEL_DAT_ENT": (0, 1)}),
        "pmsi_drug": (("ace", "had_b"), {"UCD_UCD_COD": ("9261104", ""), "ADM_NBR": (1.0,), "DAT_DELAI": (None, 2)}),
        "pmsi_device": (("ace",), {"TIP_PRS_IDE": ("3101411",), "NBR_POS": (1.0,)}),
    }
    for table, (fields, values) in hung.items():
        tables[table] = []
        for _ in range(10):
            key = line(*fields)
            said = {name: draw.choice(options) for name, options in values.items()}
            tables[table].append(on_stay(whose[key], key, **said))
    return tables
