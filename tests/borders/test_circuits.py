"""Nobody in a circuit holds identities and health data together: four hospitals, a third party, a body that rebuilds
NIRs, the national side and the platform, each with the files it is given.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from enclos.app import circuits as actors
from enclos.app.senders import make_source_key
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole
from enclos.lexicon.refusals import NotAsPromised
from enclos.linkage.steps import circuits
from enclos.pseudonyms.steps.sent_resources import BIRTH_PLACE
from factories.deliveries import csv_text, open_vault, write_snds
from factories.enclosure import run_cli

HOSPITALS = ("hosp-a", "hosp-b", "hosp-c", "hosp-d")
FHIR_HOSPITALS = ("hosp-b", "hosp-c")
FR_CORE = "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core"
IDA = {"nir": "250036900100166", "birth_date": "1950-03-17", "sex": "F"}
BOB = {"nir": "149117500200203", "birth_date": "1949-11-02", "sex": "M"}
ZOE = {
    "nir": "",
    "birth_date": "1980-05-20",
    "sex": "F",
    "birth_name": "VOGELSANG",
    "first_names": "Zoé",
    "birth_place": "69123",
}
ZOE_NIR = "2800569123456"
REFERENCE = [
    {**IDA, "nir": IDA["nir"][:13], "sex": "2", "BEN_NIR_PSA": "PSAIDA", "BEN_RNG_GEM": "1"},
    {**BOB, "nir": BOB["nir"][:13], "sex": "1", "BEN_NIR_PSA": "PSABOB", "BEN_RNG_GEM": "1"},
    {**BOB, "nir": BOB["nir"][:13], "sex": "1", "BEN_NIR_PSA": "PSABOBOLD", "BEN_RNG_GEM": "1"},
    {"nir": ZOE_NIR, "birth_date": "1980-05-20", "sex": "2", "BEN_NIR_PSA": "PSAZOE", "BEN_RNG_GEM": "1"},
]
IDENTITY_VALUES = (
    IDA["nir"][:13],
    BOB["nir"][:13],
    ZOE_NIR,
    "VOGELSANG",
    "Zoé",
    "1950-03-17",
    "1949-11-02",
    "1980-05-20",
)
HEALTH_VALUES = ("KANARIACT", "K92.2", "2019-04-01", "SEJOUR-77")
DIAGNOSIS = {"sejour_id": "SEJOUR-77", "patient_id": "IPP1", "code_cim10": "K92.2", "rang": "DP"}


@pytest.fixture(autouse=True)
def passphrase(monkeypatch):
    monkeypatch.setenv("ENCLOS_PASSPHRASE", "a long enough passphrase")


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


def texts(*folders: Path) -> str:
    return "\n".join(path.read_text("utf-8") for folder in folders for path in folder.rglob("*") if path.is_file())


def export(folder: Path, patients: list[dict[str, str]], **more: str) -> Path:
    folder.mkdir(parents=True)
    blank = dict.fromkeys(("birth_name", "first_names", "birth_place"), "")
    told = [{"patient_id": f"IPP{n}", "death_date": "", **blank, **each} for n, each in enumerate(patients, 1)]
    stay = {
        "sejour_id": "SEJOUR-77",
        "patient_id": "IPP1",
        "entree": "2019-04-01 08:00:00",
        "sortie": "2019-04-05 10:00:00",
    }
    act = {"sejour_id": "SEJOUR-77", "patient_id": "IPP1", "code_ccam": "KANARIACT", **more}
    for name, found in (("PATIENT", told), ("SEJOUR", [stay]), ("DIAGNOSTIC", [DIAGNOSIS]), ("ACTE", [act])):
        (folder / f"{name}.csv").write_text(csv_text(found), encoding="utf-8")
    return folder


def fhir_patient(number: int, told: dict[str, str]) -> dict[str, object]:
    """A patient as a hospital exports one: with all that must not go further."""
    nir = [{"system": "urn:oid:1.2.250.1.213.1.4.8", "value": told["nir"]}] if told["nir"] else []
    town = {"url": f"{FR_CORE}-address-insee-code", "valueCoding": {"code": told.get("birth_place", "75056")}}
    return {
        "resourceType": "Patient",
        "id": f"IPP{number}",
        "identifier": [*nir, {"system": "urn:hospital", "value": f"IPP{number}"}],
        "name": [
            {"use": "usual", "family": "ELSEWHERE", "given": ["X"]},
            {"use": "official", "family": told.get("birth_name", "N"), "given": [told.get("first_names", "F")]},
        ],
        "extension": [{"url": BIRTH_PLACE, "valueAddress": {"city": "Lyon", "extension": [town]}}],
        "address": [{"line": ["3 rue des Lilas"], "city": "Brest"}],
        "gender": {"F": "female", "M": "male"}[told["sex"]],
        "birthDate": told["birth_date"],
    }


def fhir_export(folder: Path, patients: list[dict[str, str]], code: str = "KANARIACT") -> Path:
    """The same hospital as FHIR NDJSON, a type a file; professionals stay behind."""
    folder.mkdir(parents=True)
    whose = {"subject": {"reference": "Patient/IPP1", "display": "VOGELSANG Zoé"}}
    at = {"encounter": {"reference": "Encounter/SEJOUR-77"}}
    period = {"start": "2019-04-01T08:00:00+02:00", "end": "2019-04-05T10:00:00+02:00"}
    resources = [
        *(fhir_patient(n, each) for n, each in enumerate(patients, 1)),
        {"resourceType": "Encounter", "id": "SEJOUR-77", "status": "finished", "period": period, **whose},
        {"resourceType": "Condition", "id": "c1", **whose, **at, "code": {"coding": [{"code": "K92.2"}]}},
        {"resourceType": "Procedure", "id": "a1", **whose, **at, "code": {"coding": [{"code": code}]}},
        {"resourceType": "Practitioner", "id": "d1", "name": [{"family": "KNOCK"}]},
    ]
    for kind in {str(each["resourceType"]) for each in resources}:
        lines = [json.dumps(each, ensure_ascii=False) for each in resources if each["resourceType"] == kind]
        (folder / f"{kind}.ndjson").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def emc2(tmp_path_factory):
    """Everything that the actors hand on: Ida and Bob in two hospitals each, Zoé without NIR in another."""
    tmp_path = tmp_path_factory.mktemp("circuit")
    patients = {"hosp-a": [IDA], "hosp-b": [IDA, BOB], "hosp-c": [ZOE], "hosp-d": [BOB]}
    sent = {}
    for hospital in HOSPITALS:
        key = tmp_path / "keys" / hospital
        make_source_key(key, source=hospital, place="file", passphrase=lambda: "a long enough passphrase")
        sent[hospital] = tmp_path / "sent" / hospital
        write = fhir_export if hospital in FHIR_HOSPITALS else export
        given = write(tmp_path / "export" / hospital, patients[hospital])
        actors.at_hospital(given, sent[hospital], key=key, passphrase=lambda: "a long enough passphrase")
    register = tmp_path / "register.csv"
    register.write_text(csv_text([{**ZOE, "nir": ZOE_NIR}]), encoding="utf-8")
    rebuilt = tmp_path / "rebuilt"
    actors.at_reconstruction(sent["hosp-c"] / "traits", rebuilt, register=register)
    merged = tmp_path / "merged"
    identities = [sent[hospital] / "identity" for hospital in HOSPITALS] + [rebuilt / "identity"]
    actors.at_third_party(merged, identities, name="emc2")
    reference, answered = tmp_path / "reference.csv", tmp_path / "answered"
    reference.write_text(csv_text(REFERENCE), encoding="utf-8")
    actors.at_national_side(merged / "identity", answered, reference=reference)
    return {"sent": sent, "rebuilt": rebuilt, "merged": merged, "answered": answered, "root": tmp_path}


def test_the_hospital_parts_identities_from_health_data(emc2):
    for sent in emc2["sent"].values():
        with_identity, with_health = texts(sent / "identity", sent / "traits"), texts(sent / "health")
        assert not [value for value in HEALTH_VALUES if value in with_identity]
        assert not [value for value in IDENTITY_VALUES if value in with_health]
        assert not [value for value in ("IPP1", "Lilas", "KNOCK", "ELSEWHERE") if value in texts(sent)]
        assert "K92.2" in with_health and "2019-04-0" in with_health
        assert "id_temp" not in with_health and "SEJOUR-77" not in with_health
    for hospital in ("hosp-a", "hosp-b"):
        sent = emc2["sent"][hospital]
        assert rows(sent / "identity" / "IDENTITY.csv")[0].keys() == set(circuits.IDENTITY)
    (zoe,) = rows(emc2["sent"]["hosp-c"] / "traits" / "TRAITS.csv")
    assert {name: zoe[name] for name in ZOE if name not in {"nir", "sex"}} == {
        name: value for name, value in ZOE.items() if name not in {"nir", "sex"}
    }
    assert not rows(emc2["sent"]["hosp-c"] / "identity" / "IDENTITY.csv")


def test_a_hospital_s_fhir_resources_keep_the_month_of_birth_and_fit_each_other(emc2):
    health = emc2["sent"]["hosp-b"] / "health"
    assert {path.name for path in health.iterdir()} == {
        *("delivery.json", "Patient.ndjson", "Encounter.ndjson", "Condition.ndjson", "Procedure.ndjson")
    }
    patients = [json.loads(line) for line in (health / "Patient.ndjson").read_text("utf-8").splitlines()]
    assert [patient["birthDate"] for patient in patients] == ["1950-03", "1949-11"]
    assert all(patient.keys() == {"resourceType", "id", "gender", "birthDate"} for patient in patients)
    condition = json.loads((health / "Condition.ndjson").read_text("utf-8"))
    stay = json.loads((health / "Encounter.ndjson").read_text("utf-8"))
    assert condition["subject"]["reference"] == stay["subject"]["reference"] == f"Patient/{patients[0]['id']}"
    assert condition["encounter"]["reference"] == f"Encounter/{stay['id']}"
    linked = {row["patient_id"] for row in rows(emc2["sent"]["hosp-b"] / "link" / "LINK_HOSPITAL.csv")}
    assert linked == {patient["id"] for patient in patients}


def test_what_an_actor_writes_is_read_by_its_own_account_only(emc2):
    made = [path for part in ("sent", "rebuilt", "merged", "answered") for path in (emc2["root"] / part).rglob("*.*")]
    assert len(made) > 20
    readable = [path.name for path in made if path.is_file() and path.stat().st_mode & 0o077]
    assert set(readable) <= {"delivery.json"}


def test_the_third_party_sees_identities_only_and_asks_without_naming_a_hospital(emc2):
    asked, linked = texts(emc2["merged"] / "identity"), texts(emc2["merged"] / "link")
    assert not [value for value in HEALTH_VALUES if value in asked + linked]
    assert not [hospital for hospital in HOSPITALS if hospital in asked]
    assert not [value for value in IDENTITY_VALUES if value in linked]
    assert len(rows(emc2["merged"] / "identity" / "IDENTITY.csv")) == 3  # Ida, Bob and Zoé, once each
    assert len(rows(emc2["merged"] / "link" / "LINK_THIRD_PARTY.csv")) == 5


def test_no_temporary_id_of_a_hospital_reaches_the_national_side(emc2):
    own = {row["id_temp"] for sent in emc2["sent"].values() for row in rows(sent / "link" / "LINK_HOSPITAL.csv")}
    assert len(own) == 5
    assert not [number for number in own if number in texts(emc2["merged"] / "identity", emc2["answered"])]


def test_the_platform_is_given_temporary_ids_and_pseudonyms_and_no_identity(emc2):
    given = [emc2["answered"] / "link", emc2["merged"] / "link"]
    given += [sent / name for sent in emc2["sent"].values() for name in ("health", "link")]
    assert not [value for value in IDENTITY_VALUES if value in texts(*given)]
    assert rows(emc2["answered"] / "link" / "LINK_SNDS.csv")[0].keys() == set(circuits.LINK_SNDS)


def test_a_person_of_two_hospitals_and_of_two_pseudonyms_is_one_at_the_platform(emc2, tmp_path):
    with open_vault(tmp_path / "enclosure") as bench:
        holders = {"ida": ["PSAIDA/1"], "bob": ["PSABOB/1", "PSABOBOLD/1"], "zoe": ["PSAZOE/1"]}
        bench.accept(write_snds(tmp_path, holders))
        for sent in emc2["sent"].values():
            bench.accept(sent / "health")
            bench.accept(sent / "link")
        assert bench.link().waiting == HOSPITALS
        bench.accept(emc2["merged"] / "link")
        assert bench.link().waiting == HOSPITALS
        bench.accept(emc2["answered"] / "link")
        sealed = {p: p.read_bytes() for p in (bench.folder / "vault" / "landed").rglob("LINK_*/*.parquet")}
        subjects = [
            s for (s,) in bench.engine.rows("SELECT DISTINCT key_subject FROM vault.landed WHERE kind = 'link'")
        ]
        report = bench.link()
        assert (report.waiting, report.destroyed, sum(h.n_linked for h in report.hospitals)) == ((), 6, 5)
        bench.number()
        numbers = bench.persons()
        persons = {}
        for (source, _), person in numbers.items():
            persons.setdefault(person, []).append(source)
        assert sorted(sorted(sources) for sources in persons.values()) == [
            ["hosp-a", "hosp-b", "snds"],
            ["hosp-b", "hosp-d", "snds", "snds"],
            ["hosp-c", "snds"],
        ]
        # crypto-erasure: no file of the vault holds a temporary id, and the sealed tables put back do not open
        temporary = {row["id_temp"] for s in emc2["sent"].values() for row in rows(s / "link" / "LINK_HOSPITAL.csv")}
        temporary |= {row["id_third"] for row in rows(emc2["merged"] / "link" / "LINK_THIRD_PARTY.csv")}
        assert len(temporary) == 8
        bench.engine.execute("CHECKPOINT vault")
        files = [path.read_bytes() for path in bench.folder.rglob("*") if path.is_file()]
        assert files
        assert len(sealed) == 6
        for number in temporary:
            assert not [content for content in (*files, *sealed.values()) if number.encode() in content]
        tables = bench.engine.rows("SELECT table_name FROM duckdb_tables() WHERE database_name = 'vault'")
        for (table,) in tables:
            cells = str(bench.engine.query(f"SELECT * FROM vault.{table}").to_pylist())
            assert not [number for number in temporary if number in cells], table
        for subject in subjects:
            with pytest.raises(NotAsPromised) as refused:
                bench.keys.secret(KeyName(KeyRole.VAULT, subject))
            assert refused.value.code is Code.KEY_MISSING


@pytest.mark.parametrize("actor", ["third party", "national side", "reconstruction"])
def test_an_actor_refuses_a_file_with_more_than_its_step_needs(tmp_path, actor):
    folder = tmp_path / "given"
    folder.mkdir()
    identity = {"source": "hosp-a", "id_temp": "t1", **IDA, "code_cim10": "K92.2"}
    (folder / "IDENTITY.csv").write_text(csv_text([identity]), encoding="utf-8")
    traits = {"source": "hosp-a", "id_temp": "t1", **ZOE, "code_cim10": "K92.2"}
    (folder / "TRAITS.csv").write_text(csv_text([traits]), encoding="utf-8")
    acts = {
        "third party": lambda: actors.at_third_party(tmp_path / "out", [folder], name="emc2"),
        "national side": lambda: actors.at_national_side(folder, tmp_path / "out", reference=tmp_path / "none.csv"),
        "reconstruction": lambda: actors.at_reconstruction(folder, tmp_path / "out", register=tmp_path / "none.csv"),
    }
    with pytest.raises(NotAsPromised) as refused:
        acts[actor]()
    assert refused.value.code is Code.CIRCUIT_BORDER
    assert "code_cim10" in str(refused.value)
    assert "K92.2" not in str(refused.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("form", ["tables", "fhir"])
def test_a_hospital_does_not_send_a_value_that_shows_a_nir(tmp_path, form):
    make_source_key(tmp_path / "key", source="hosp-a", place="file", passphrase=lambda: "a long enough passphrase")
    shown = f"seen {IDA['nir'][:13]}"
    if form == "fhir":
        given = fhir_export(tmp_path / "export", [IDA], code=shown)
    else:
        given = export(tmp_path / "export", [IDA], code_ccam=shown)
    with pytest.raises(NotAsPromised) as refused:
        actors.at_hospital(given, tmp_path / "out", key=tmp_path / "key", passphrase=lambda: "a long enough passphrase")
    assert refused.value.code is Code.IDENTITY_SHOWN
    assert IDA["nir"][:13] not in str(refused.value)
    assert shown not in texts(tmp_path / "out" / "health")


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"nir": "250036900100199"}, "identifier"),
        ({"nir": "12345"}, "identifier"),
        ({"birth_date": "1950-03"}, "birthDate"),
    ],
)
def test_a_fhir_patient_whose_identity_is_none_is_refused_without_its_value(tmp_path, changes, rule):
    make_source_key(tmp_path / "key", source="hosp-a", place="file", passphrase=lambda: "a long enough passphrase")
    given = fhir_export(tmp_path / "export", [{**IDA, **changes}])
    with pytest.raises(NotAsPromised) as refused:
        actors.at_hospital(given, tmp_path / "out", key=tmp_path / "key", passphrase=lambda: "a long enough passphrase")
    assert refused.value.code is Code.IDENTITY_INVALID and rule in str(refused.value)
    assert not [value for value in changes.values() if value in str(refused.value)]
    assert not (tmp_path / "out").exists()


def test_two_persons_of_the_register_with_the_same_traits_are_rebuilt_as_nobody():
    traits = [{"source": "hosp-c", "id_temp": "t1", **{name: ZOE[name] for name in circuits.TRAITS[2:]}}]
    register = [{**traits[0], "nir": "2800569123456"}, {**traits[0], "nir": "2800569123457"}]
    assert circuits.rebuilt(traits, register) == []
    assert circuits.rebuilt(traits, register[:1])[0]["nir"] == "2800569123456"


def test_a_register_without_accents_hyphens_or_letters_for_a_sex_has_the_same_traits():
    told = {**ZOE, "birth_name": "L'Éveillé-Müller", "first_names": "Zoé  Anne-Marie"}
    traits = [{"source": "hosp-c", "id_temp": "t1", **{name: told[name] for name in circuits.TRAITS[2:]}}]
    plain = {"birth_name": "L EVEILLE MULLER", "first_names": "ZOE ANNE MARIE", "sex": "2", "nir": "2800569123456"}
    assert circuits.rebuilt(traits, [{**traits[0], **plain}])[0]["nir"] == "2800569123456"
    assert circuits.rebuilt(traits, [{**traits[0], **plain, "sex": "1"}]) == []


def test_a_single_centre_needs_no_third_party(tmp_path):
    key, sent, answered = tmp_path / "key", tmp_path / "sent", tmp_path / "answered"
    given, reference = export(tmp_path / "export", [IDA, BOB]), tmp_path / "reference.csv"
    reference.write_text(csv_text(REFERENCE), encoding="utf-8")
    run_cli("keys", "source", key, "--source", "hosp-a")
    assert run_cli("circuit", "hospital", given, sent, "--key", key)["rows"]["identity"] == 2
    found = run_cli("circuit", "cnam", sent / "identity", answered, "--reference", reference)
    assert found == {"asked": 2, "answers": 3}
    with open_vault(tmp_path / "enclosure") as bench:
        bench.accept(write_snds(tmp_path, {"ida": ["PSAIDA/1"], "bob": ["PSABOB/1", "PSABOBOLD/1"]}))
        for folder in (sent / "health", sent / "link", answered / "link"):
            bench.accept(folder)
        assert bench.link().hospitals[0].n_linked == 2


def test_a_hospital_draws_new_temporary_ids_each_time_and_keeps_its_keyed_numbers(tmp_path):
    make_source_key(tmp_path / "key", source="hosp-a", place="file", passphrase=lambda: "a long enough passphrase")
    given = export(tmp_path / "export", [IDA])
    drawn, numbers = set(), set()
    for name in ("one", "two"):
        out = tmp_path / name
        actors.at_hospital(given, out, key=tmp_path / "key", passphrase=lambda: "a long enough passphrase")
        drawn.add(rows(out / "link" / "LINK_HOSPITAL.csv")[0]["id_temp"])
        numbers.add(rows(out / "health" / "PATIENT.csv")[0]["patient_id"])
    assert (len(drawn), len(numbers)) == (2, 1)
