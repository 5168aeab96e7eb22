"""A whole FHIR bulk export through the commands, compared with a plain reading of its lines.

The Synthea export beside the checkout; where it is absent, the export of hospital A of a small synthetic France.
Every resource is in the snapshot, or left out under a name that ``enclos build --account`` prints with its count.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter, defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest

from enclos.app.snapshots import reading_snapshot
from enclos.synthetic import make_france
from factories.enclosure import open_home, run_cli
from shared_data import shared

PARIS = ZoneInfo("Europe/Paris")
INTO = {
    "Patient": "person",
    "Encounter": "visit_occurrence",
    "Practitioner": "provider",
}
EVENTS = ("Condition", "Procedure", "MedicationRequest", "MedicationAdministration", "Immunization", "Observation")
EVENT_TABLES = {
    "condition_occurrence": "condition_start_date",
    "drug_exposure": "drug_exposure_start_date",
    "procedure_occurrence": "procedure_date",
    "device_exposure": "device_exposure_start_date",
    "measurement": "measurement_date",
    "observation": "observation_date",
}
WITHOUT_DAY = {"Device"}


class Built(NamedTuple):
    """The lines of the export, what the build said, and the enclosure."""

    lines: dict[str, list[dict[str, Any]]]
    answer: dict[str, Any]
    home: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("fhir")
    bulk = shared("fhir", "bulk")
    if bulk is None:
        make_france(folder / "france", 1500, (2019, 2019), 3)
        bulk = next((folder / "france" / "deliveries").glob("*/Patient.ndjson")).parent
    delivery = folder / "delivery"
    delivery.mkdir()
    lines: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for path in bulk.glob("*.ndjson"):
        shutil.copyfile(path, delivery / path.name)
        for line in path.read_text(encoding="utf-8").splitlines():
            resource = json.loads(line)
            lines[resource["resourceType"]].append(resource)
    run_cli("init", folder / "home")
    run_cli("delivery", "make", delivery, "--kind", "fhir-bulk", "--source", "hosp-x")
    ingested = run_cli("ingest", folder / "home", delivery)
    assert ingested["n_landed"] == sum(map(len, lines.values()))
    return Built(lines, run_cli("build", folder / "home", "--account"), folder / "home")


def instant(resource: dict[str, Any]) -> str:
    """When it was, as written."""
    found = (
        resource.get("onsetDateTime")
        or resource.get("performedDateTime")
        or resource.get("performedPeriod", {}).get("start")
        or resource.get("effectivePeriod", {}).get("start")
        or resource.get("effectiveDateTime")
        or resource.get("occurrenceDateTime")
        or resource.get("dispenseRequest", {}).get("validityPeriod", {}).get("start")
        or resource.get("authoredOn")
    )
    return str(found)


def day_in_paris(written: str) -> str:
    return datetime.fromisoformat(written).astimezone(PARIS).date().isoformat()


def test_every_resource_is_mapped_or_left_out_under_a_name(built: Built) -> None:
    by_type = {line["table"]: line for line in built.answer["crossing"]["tables"]}
    for kind, resources in built.lines.items():
        line = by_type[kind]
        assert line["landed"] == len(resources), kind
        assert line["crossed"] + sum(line["left_behind"].values()) == len(resources), kind
        left = {"no_date": len(resources)} if kind in WITHOUT_DAY else {}
        assert line["left_behind"] == left, kind
    for line in built.answer["account"]:
        assert line["delivered"] == line["mapped"] + line["cancelled"] + line["filtered"] + line["rejected"]
        assert line["delivered"] == line["mapped"], line


def test_a_type_makes_as_many_rows_as_it_has_resources(built: Built) -> None:
    tables = built.answer["tables"]
    for kind, table in INTO.items():
        assert tables[table] == len(built.lines[kind]), kind
    n_events = sum(len(built.lines[kind]) for kind in (*EVENTS, "AllergyIntolerance"))
    assert sum(tables[table] for table in EVENT_TABLES) == n_events
    assert tables["death"] == sum("deceasedDateTime" in each for each in built.lines["Patient"])


def test_each_code_has_its_rows_on_its_days_in_paris(built: Built) -> None:
    expected: Counter[tuple[str, str]] = Counter()
    for kind in EVENTS:
        for resource in built.lines[kind]:
            concept = resource.get("code") or resource.get("medicationCodeableConcept") or resource.get("vaccineCode")
            expected[concept["coding"][0]["code"], day_in_paris(instant(resource))] += 1
    found: Counter[tuple[str, str]] = Counter()
    with open_home(built.home) as enclosure, reading_snapshot(enclosure) as (engine, snapshot):
        for table, day in EVENT_TABLES.items():
            code = f"{table.removesuffix('_occurrence').removesuffix('_exposure')}_source_value"
            query = (
                f"SELECT {code}, CAST({day} AS VARCHAR), count(*) FROM {snapshot.relation(table)} "
                f"{'WHERE qualifier_source_value IS NULL' if table == 'observation' else ''} GROUP BY ALL"
            )
            found.update({(str(row[0]), str(row[1])): int(row[2]) for row in engine.rows(query)})
    assert found == expected


def test_visits_lead_to_place_and_professional(built: Built) -> None:
    named = sum(bool(each.get("participant")) for each in built.lines["Encounter"])
    with open_home(built.home) as enclosure, reading_snapshot(enclosure) as (engine, snapshot):
        visits, providers, sites = (snapshot.relation(name) for name in ("visit_occurrence", "provider", "care_site"))
        count = "SELECT count(*) FROM {0} WHERE {1} IN (SELECT {1} FROM {2})"
        assert engine.scalar(count.format(visits, "provider_id", providers)) == named
        assert engine.scalar(count.format(visits, "care_site_id", sites)) == len(built.lines["Encounter"])
        names = f"SELECT count(provider_name) + count(npi) + count(year_of_birth) FROM {providers}"
        assert engine.scalar(names) == 0
        assert engine.scalar(f"SELECT count(care_site_name) FROM {sites}") == 0


def test_the_same_export_again_changes_nothing(built: Built) -> None:
    assert run_cli("ingest", built.home, built.home.parent / "delivery")["n_new"] == 0
    again = run_cli("build", built.home, "--account")
    assert again["tables"] == built.answer["tables"]
    assert again["account"] == built.answer["account"]
