"""A source's next key: what came under the old one and under the new one is the same persons, stays and rows."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from enclos.app import circuits, senders
from enclos.app.deliveries import ingest_deliveries
from enclos.app.enclosure import create_enclosure
from enclos.app.objections import add_objections
from enclos.app.objectors import Objectors
from enclos.app.snapshots import build_omop
from enclos.contracts.delivered.document import Kind
from enclos.lexicon.refusals import Refusal
from enclos.pseudonyms.model import IdentityColumns, Objector
from enclos.pseudonyms.steps.translating import read_translation
from enclos.stores.landing import LandingZone
from factories.deliveries import csv_text
from factories.enclosure import ENCLOS, PASSPHRASE, open_home, refused, run_cli

SOURCE = "hosp-r"


@pytest.fixture(autouse=True)
def passphrase(monkeypatch):
    monkeypatch.setenv("ENCLOS_PASSPHRASE", PASSPHRASE)


def export(folder: Path, form: str, n_patients: int) -> Path:
    """A hospital's own files: each patient with a NIR, a stay, a diagnosis, an act."""
    folder.mkdir(parents=True)
    people = [
        {
            "patient_id": f"IPP{n}",
            "nir": f"25003690010{n:02d}",
            "birth_date": "1950-03-17",
            "sex": "F",
            "death_date": "",
        }
        for n in range(n_patients)
    ]
    stays = [
        {
            "sejour_id": f"S{n}",
            "patient_id": f"IPP{n}",
            "entree": f"2019-04-{n + 1:02d} 08:00:00",
            "sortie": f"2019-05-{n + 1:02d} 10:00:00",
        }
        for n in range(n_patients)
    ]
    if form == "tables":
        of = [{"sejour_id": f"S{n}", "patient_id": f"IPP{n}", "code_cim10": "K92.2"} for n in range(n_patients)]
        for name, rows in (("PATIENT", people), ("SEJOUR", stays), ("DIAGNOSTIC", of)):
            (folder / f"{name}.csv").write_text(csv_text(rows), encoding="utf-8")
        return folder
    resources = [
        {
            "resourceType": "Patient",
            "id": each["patient_id"],
            "identifier": [{"system": "urn:oid:1.2.250.1.213.1.4.8", "value": each["nir"]}],
            "gender": "female",
            "birthDate": each["birth_date"],
        }
        for each in people
    ]
    resources += [
        {
            "resourceType": "Encounter",
            "id": each["sejour_id"],
            "status": "finished",
            "class": {"code": "IMP"},
            "subject": {"reference": f"Patient/{each['patient_id']}"},
            "period": {"start": each["entree"].replace(" ", "T"), "end": each["sortie"].replace(" ", "T")},
        }
        for each in stays
    ]
    resources += [
        {
            "resourceType": "Condition",
            "id": f"C{n}",
            "subject": {"reference": f"Patient/IPP{n}"},
            "encounter": {"reference": f"Encounter/S{n}"},
            "recordedDate": "2019-04-20",
            "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "K92.2"}]},
        }
        for n in range(n_patients)
    ]
    for kind in ("Patient", "Encounter", "Condition"):
        lines = [json.dumps(each) for each in resources if each["resourceType"] == kind]
        (folder / f"{kind}.ndjson").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def sent(given: Path, out: Path, key: Path) -> Path:
    circuits.at_hospital(given, out, key=key, passphrase=PASSPHRASE)
    return out / "health"


def built(home: Path, *deliveries: Path) -> tuple[int, dict[str, int], int]:
    """How many persons, the rows of every table, and how many persons object, once these deliveries are in."""
    with open_home(home) as enclosure:
        ingest_deliveries(enclosure, deliveries)
        found = build_omop(enclosure)
        return found["n_persons"], found["tables"], len(Objectors(enclosure))


def first_patient(delivery: Path) -> str:
    """What the first patient is called in what was sent."""
    path = next(path for path in delivery.iterdir() if path.stem.upper() == "PATIENT")
    if path.suffix == ".ndjson":
        return str(json.loads(path.read_text("utf-8").splitlines()[0])["id"])
    return path.read_text("utf-8").splitlines()[1].split(";")[0]


def killed(home: Path, watched: list[Path], *arguments: object) -> None:
    """Run a rotation and kill it as soon as one of the files appears or is another one."""
    before = [path.stat().st_ino if path.exists() else 0 for path in watched]
    command = [str(ENCLOS), "keys", "rotate", str(home), *map(str, arguments)]
    process = subprocess.Popen(command, env={**os.environ}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and [path.stat().st_ino if path.exists() else 0 for path in watched] == before:
        time.sleep(0.0005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert process.returncode == -signal.SIGKILL, "it ended before it was killed"


@pytest.mark.slow
@pytest.mark.parametrize("form", ["tables", "fhir"])
def test_a_source_s_next_key_killed_at_two_stages_changes_no_person_and_no_row(form, tmp_path):
    key, home, control = tmp_path / "key", tmp_path / "home", tmp_path / "control"
    senders.make_source_key(key, source=SOURCE, place="file", passphrase=PASSPHRASE)
    once, twice = export(tmp_path / "once", form, 10), export(tmp_path / "twice", form, 12)
    first, second = sent(once, tmp_path / "a", key), sent(twice, tmp_path / "b", key)
    for folder in (home, control):
        create_enclosure(folder, passphrase=PASSPHRASE, buckets=2)
        with open_home(folder) as enclosure:
            ingest_deliveries(enclosure, [first])
            add_objections(enclosure, [Objector(SOURCE, first_patient(first))])
    undisturbed = built(control, second)
    assert built(home)[0] == 10

    made = run_cli("keys", "source", key, "--next")
    assert refused("keys", "source", key, "--next")[1] == "KEY-05"
    anew = sent(twice, tmp_path / "c", key)
    assert first_patient(anew) != first_patient(first)
    assert built(home, anew)[0] == 22  # nobody is known under both yet
    told = circuits.translate_export(twice, tmp_path / "d", key=key, passphrase=PASSPHRASE)
    assert told["n"] == (24 if form == "tables" else 12 * 4)  # patients and stays; conditions and identities too
    text = (tmp_path / "d" / "TRANSLATION.csv").read_text()
    assert "25003690010" not in text and "IPP" not in text

    landed = sorted((home / "vault" / "landed").rglob("*.parquet"))
    asked = ("source", "--source", SOURCE, "--translation", tmp_path / "d")
    killed(home, [home / ".rotation.json"], *asked)
    stolen = (home / "vault" / "translation.sealed").read_bytes()
    assert refused("build", home)[1] == "KEY-05"
    killed(home, landed, "--resume")
    done = run_cli("keys", "rotate", home, "--resume")
    assert (done["role"], done["subject"]) == ("source", SOURCE)
    assert not (home / ".rotation.json").exists() and not (home / "vault" / "translation.sealed").exists()

    assert len(done["certificates"]) == 1
    (home / "vault" / "translation.sealed").write_bytes(stolen)  # from a backup, say
    with open_home(home) as enclosure:
        names = [e.name for e in enclosure.keys.entries() if e.name.subject.startswith("translation-")]
        assert len(names) == 1 and not enclosure.keys.exists(names[0])
    (home / "vault" / "translation.sealed").unlink()

    old = {line.split(";")[1] for line in text.splitlines()[1:]}
    with open_home(home) as enclosure, enclosure.vault_engine() as engine:
        zone = LandingZone(engine, enclosure.paths.vault / "landed", enclosure.keys)
        held = [engine.query("SELECT * FROM vault.person_map").to_pylist()]
        for kind, families in ((Kind.HOSPITAL_CSV, ("PATIENT", "SEJOUR")), (Kind.FHIR_BULK, ("Patient", "Condition"))):
            columns = {"PATIENT": ("patient_id",), "SEJOUR": ("sejour_id", "patient_id")}
            for family in families:
                relation = zone.relation(kind.value, family, columns.get(family, ("id", "resource")))
                held.append(engine.query(f"SELECT * FROM {relation}").to_pylist())
        assert not [each for each in old if each in str(held)]
        assert engine.scalar("SELECT count(*) FROM vault.person_map") == 12
    assert built(home) == undisturbed == (12, undisturbed[1], 1)

    late = built(home, second)  # prepared under the old key, arrived after the translation
    assert late[0] == 24
    assert run_cli("keys", "rotate", home, *asked)["moved"]["n_files"] >= 2
    assert built(home) == undisturbed
    ended = run_cli("keys", "source", key, "--end")
    assert ended["destroyed"] == made["earlier"]
    with pytest.raises(Refusal) as no_more:
        circuits.translate_export(twice, tmp_path / "e", key=key, passphrase=PASSPHRASE)
    assert no_more.value.code.id == "KEY-04"
    assert run_cli("ledger", "verify", home)["n_open"] == 0


def test_a_csv_s_translation_leads_from_each_earlier_pseudonym_to_the_present_one(tmp_path):
    key, given, columns = tmp_path / "key", tmp_path / "in.csv", IdentityColumns("NIR", "DDN", "SEXE")
    given.write_text("NIR;DDN;SEXE\n" + "".join(f"25003690010{n:02d};1950-03-17;2\n" for n in range(30)), "utf-8")
    senders.make_source_key(key, source=SOURCE, place="file", passphrase=PASSPHRASE)

    def shown(name: str) -> list[str]:
        senders.pseudonymise(given, tmp_path / name, key=key, passphrase=PASSPHRASE, columns=columns)
        return (tmp_path / name).read_text().replace('"', "").split()[1:]

    before = shown("before.csv")
    senders.next_source_key(key, PASSPHRASE)
    told = circuits.translate_export(given, tmp_path / "t", key=key, passphrase=PASSPHRASE, columns=columns)
    text = (tmp_path / "t" / "TRANSLATION.csv").read_text()
    pairs = {line.split(";")[1]: line.split(";")[2] for line in text.splitlines()[1:]}
    assert told["n"] == 30 and [pairs[each] for each in before] == shown("after.csv")
    assert list(pairs.values()) == sorted(pairs.values())  # in no order of the file
    rows = [{"source": SOURCE, "old": old, "new": new} for old, new in pairs.items()]
    assert read_translation(("source", "old", "new"), rows, SOURCE).num_rows == 30


@pytest.mark.parametrize(
    ("lines", "rule"),
    [
        ([("hosp-x", "a", "b")], "another source"),
        ([(SOURCE, "250036900100166", "b")], "no pseudonym"),
        ([(SOURCE, "a", "b"), (SOURCE, "a", "c")], "two new ones"),
        ([(SOURCE, "a", "c"), (SOURCE, "b", "c")], "two old ones"),
        ([(SOURCE, "a", "b"), (SOURCE, "b", "c")], "or is one"),
        ([], "or is one"),
    ],
)
def test_a_translation_that_is_none_is_refused_without_its_values(lines, rule):
    long = [(source, *(value * 32 if len(value) == 1 else value for value in pair)) for source, *pair in lines]
    rows = [dict(zip(("source", "old", "new"), line, strict=True)) for line in long]
    with pytest.raises(Refusal) as told:
        read_translation(("source", "old", "new"), rows, SOURCE)
    assert told.value.code.id == "KEY-09" and rule in str(told.value) and "2500369" not in str(told.value)
