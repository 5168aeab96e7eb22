"""FHIR resources in one line each, and the snapshot that they make through the vault."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from enclos.warehouse.model import DeliveredPeriod
from factories.deliveries import open_vault, write_delivery
from factories.pseudonymised import Row, Snapshot, built

Resource = dict[str, Any]
MAY = (DeliveredPeriod("hosp-a", "fhir-bulk", date(2019, 5, 1), date(2019, 6, 1)),)

LOINC, SNOMED, CIM10 = "http://loinc.org", "http://snomed.info/sct", "http://hl7.org/fhir/sid/icd-10"
ATC, UCUM = "http://www.whocc.no/atc", "http://unitsofmeasure.org"


def code(system: str, value: str) -> Resource:
    """A CodeableConcept of one coding."""
    return {"coding": [{"system": system, "code": value}]}


def to(what: str) -> Resource:
    """A reference."""
    return {"reference": what}


def quantity(value: float, unit: str, **more: Any) -> Resource:
    """A Quantity in UCUM."""
    return {"value": value, "unit": unit, "system": UCUM, "code": unit, **more}


def resource(kind: str, number: str, **fields: Any) -> Resource:
    """A resource of the one patient."""
    whose = "patient" if kind in ("Immunization", "AllergyIntolerance", "Device", "Claim") else "subject"
    return {"resourceType": kind, "id": number, whose: to("Patient/ada"), **fields}


def patient(number: str = "ada", **fields: Any) -> Resource:
    """A woman born in May 1960."""
    return {"resourceType": "Patient", "id": number, "gender": "female", "birthDate": "1960-05-02", **fields}


def encounter(number: str, start: str, end: str | None = None, **fields: Any) -> Resource:
    """A visit that took place."""
    period = {"start": start} | ({"end": end} if end else {})
    return resource("Encounter", number, **{"status": "finished", "class": {"code": "IMP"}, "period": period} | fields)


def observation(number: str, **fields: Any) -> Resource:
    """A haemoglobin of 1 May 2019."""
    said = {"status": "final", "code": code(LOINC, "718-7"), "effectiveDateTime": "2019-05-01T08:00:00+02:00"}
    return resource("Observation", number, **said | fields)


class Hospital:
    """What became of a hospital's resources: in the vault's account and in the snapshot."""

    def __init__(self, snapshot: Snapshot, left: Mapping[str, Mapping[str, int]]) -> None:
        self.snapshot = snapshot
        self.left = left
        """Resources left behind by type and reason."""

    def rows(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        """The columns of a table's rows, sorted."""
        return self.snapshot.rows(table, *columns)


@contextmanager
def delivered(
    folder: Path, *resources: Resource, vocabulary: Mapping[str, list[Row]] | None = None
) -> Iterator[Hospital]:
    """Deliver resources (a patient is added), let them cross, build."""
    by_type: defaultdict[str, str] = defaultdict(str)
    listed = resources if any(each["resourceType"] == "Patient" for each in resources) else (patient(), *resources)
    for each in listed:
        by_type[each["resourceType"]] += json.dumps(each) + "\n"
    files = {f"{kind}.ndjson": lines for kind, lines in by_type.items()}
    with open_vault(folder / "enclosure") as bench:
        bench.accept(write_delivery(folder / "hosp-a", "fhir-bulk", "hosp-a", files))
        account = bench.cross()
        zone = bench.crossing
        tables = {name: bench.engine.query(f"SELECT * FROM {zone.relation(name, None)}") for name in zone.tables()}
    left = {table.table: dict(table.left_behind) for table in account.tables if table.left_behind}
    with built({**tables, **(vocabulary or {})}, n_buckets=4, periods=MAY) as snapshot:
        yield Hospital(snapshot, left)
