"""Canaries on the ways that end badly or out of the enclosure: refusals, SQL, releases, the ledger, rotations."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from factories.canaries import (
    BIRTH,
    LOCAL,
    NAME,
    NIR,
    PHONE,
    VALUES,
    Watched,
    delivery_of_a_canary,
    sealing_keys,
    search,
    shows_key,
)
from factories.deliveries import write_delivery
from factories.enclosure import ALICE, CAROL, DAN, permit_text
from factories.small_france import vocabulary

pytestmark = [pytest.mark.system("bubblewrap"), pytest.mark.slow]

PERMIT = "FR-CANARY-0001"
STUDY = """\
study: canaries
cohorts:
  one: {concepts: [1], descendants: false, domain: condition}
analyses:
  - incidence: {outcome: one, interval: [overall]}
"""
ROLES = ("catalog", "objections", "ledger-salt", "pseudonym", "ledger")


def broken_deliveries(folder: Path) -> list[Path]:
    """Deliveries that are refused, or whose lines are, with canaries where the fault is."""
    patient = f"patient_id;sex;birth_date\n{LOCAL};{NAME};{PHONE}\nX;F;1950-01-01\n"
    return [
        write_delivery(folder / "faulty", "hospital-csv", "hosp-y", {"PATIENT.csv": patient}),
        write_delivery(folder / "torn", "fhir-bulk", "hosp-x", {"Patient.ndjson": f'{{"name": "{NAME}", {NIR}\n'}),
        write_delivery(folder / "other", "hospital-csv", "hosp-w", {"PATIENT.csv": f"{NAME};{NIR}\n1;2\n"}),
    ]


def told_badly(run: Watched, home: Path, folder: Path) -> None:
    """Everything that is refused with a canary in it."""
    asked = ("sql", home, "--permit", PERMIT, "--user", ALICE)
    run(*asked, f"SELECT count(*) AS n FROM person WHERE ethnicity_source_value = '{NAME}'", status=None)
    run(*asked, f"SELECT CAST('{NIR}x' AS INTEGER) FROM person -- {NAME}", status=None)
    for each in broken_deliveries(folder):
        run("ingest", home, each, status=None)
    for name, text in (
        ("IDENTITY.csv", f"source;id_temp;nir;birth_date;sex;nom\nh;t;{NIR};{BIRTH};2;{NAME}\n"),
        ("o.csv", f"source;pseudonym;rank\nhosp-z;{NIR}41;\n"),
        ("p.csv", f"source;pseudonym\nhosp-z;{NAME};1;2\n"),
        ("n.csv", f"NIR;DDN;SEXE;nom\n{NIR};{BIRTH};2;{NIR}\n"),
        ("t.csv", f"source;old;new\nhosp-z;{NIR};{NAME}\n"),
        ("permit.yaml", f"permit: {NAME}\n"),
        ("study.yaml", f"study: {NAME}\ncohorts: [{NIR}]\n"),
    ):
        (folder / name).write_text(text, encoding="utf-8")
    run("circuit", "third-party", folder / "out", folder, "--name", "t", status=4)
    for name in ("o.csv", "p.csv"):
        run("optout", home, "add", folder / name, status=4)
    kept = ("--columns", "nir=NIR,birth=DDN,sex=SEXE", "--keep", "nom")
    run("pseudonymise", folder / "n.csv", folder / "out.csv", "--key", folder / "key", *kept, status=4)
    run("keys", "rotate", home, "source", "--source", "hosp-z", "--translation", folder / "t.csv", status=4)
    run("permit", "sign", home, folder / "permit.yaml", status=None)
    run("study", home, "--permit", PERMIT, "--user", ALICE, folder / "study.yaml", status=None)
    run("permit", "revoke", home, "NO-SUCH", "--reason", f"asked by {NAME}", status=None)
    run("explain", home, "person", 1, status=None)
    run("ledger", "show", home, "--last", 3, passphrase=f"wrong {NAME}", status=3)


def released(run: Watched, home: Path, folder: Path) -> None:
    """A study's way out, with canaries in every reason that a person gives."""
    (folder / "good.yaml").write_text(STUDY, encoding="utf-8")
    found = run("study", home, "--permit", PERMIT, "--user", ALICE, folder / "good.yaml")
    asked = ("release", "request", home, "--permit", PERMIT, "--user", ALICE, "--run", found["run"])
    request = run(*asked, "--purpose", "a test of canaries")["request"]
    for voter in (CAROL, DAN):
        run("release", "review", home, request, "--user", voter, "--accept", "--reason", f"as {NAME} asked")
    key = run("release", "export", home, request, folder / "package")["release_key"]
    run("release", "verify", folder / "package", "--key", key)


@pytest.fixture(scope="module")
def story(few, tmp_path_factory):
    folder = tmp_path_factory.mktemp("canaries-end")
    home, run = folder / "home", Watched(folder)
    shutil.copytree(few, home)
    run("keys", "source", folder / "key", "--source", "hosp-z")
    run("ingest", home, delivery_of_a_canary(folder), vocabulary(folder))
    run("build", home)
    (folder / "good-permit.yaml").write_text(permit_text(PERMIT, min_count=1), encoding="utf-8")
    run("permit", "sign", home, folder / "good-permit.yaml")
    run("permit", "open", home, PERMIT)
    (folder / "objection.csv").write_text(f"source;pseudonym;rank\nhosp-z;{LOCAL};\n", encoding="utf-8")
    run("optout", home, "add", folder / "objection.csv")
    run("sql", home, "--permit", PERMIT, "--user", ALICE, "SELECT count(DISTINCT person_id) AS n FROM visit_occurrence")
    told_badly(run, home, folder)
    released(run, home, folder)
    keys = sealing_keys(home)
    for role in ROLES:
        run("keys", "rotate", home, role)
    run("ledger", "show", home, "--last", 100)
    run("ledger", "verify", home)
    run("ledger", "witness", home, "--state", folder / "witness")
    run("permit", "review", home)
    run("keys", "destroy", home, "--permit", PERMIT, "--reason", f"{NAME} wants it")
    return {"folder": folder, "home": home, "run": run, "keys": keys + sealing_keys(home)}


def test_no_file_that_is_left_holds_a_value_or_a_key(story):
    folder = story["folder"]
    files = [path for part in ("home", "witness", "package") for path in (folder / part).rglob("*") if path.is_file()]
    assert len(files) > 60 and (folder / "package").is_dir()
    for path in files:
        content = path.read_bytes()
        assert not search(content, VALUES), path.name
        assert not shows_key(content, story["keys"]), path.name
    for name in files:
        assert not search(str(name).encode(), VALUES)


def test_no_message_shows_one_whatever_was_refused(story):
    printed = story["run"].printed.encode()
    assert printed.count(b'"refused"') >= 10
    assert not search(printed, VALUES)
    assert not shows_key(printed, story["keys"])


def test_nothing_lay_in_temporary_files_and_no_core_is_left(story):
    for name, content in story["run"].seen.items():
        assert not search(content, VALUES), name
        assert not shows_key(content, story["keys"]), name
    assert not [path for path in (story["folder"] / "watched").rglob("*") if path.is_file()]
    assert not list(story["folder"].rglob("core*"))
