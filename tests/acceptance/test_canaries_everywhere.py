"""Persons with unmistakable values go through every command; none of their values is found where it must not be.

Searched: every file of the enclosure, all that commands print, pages and packages, what lay in TMPDIR meanwhile, and
what crossed the wall and stands in the lake, decrypted. Each value is looked for as UTF-8, UTF-16 (both orders),
hexadecimal (both cases), base64 (at its three places) and reversed.
"""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import subprocess
import threading
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from enclos.app.permits import perimeter_of
from enclos.app.snapshots import reading_snapshot
from enclos.lexicon.keys import KeyName, KeyRole
from enclos.stores.crossing import CrossingZone
from factories.deliveries import write_delivery
from factories.enclosure import ALICE, CAROL, DAN, ENCLOS, PASSPHRASE, open_home, permit_text

NIR, BIRTH = "2850578006084", "1985-05-17"
NAME, STREET, PHONE, LOCAL = (
    "Zoé-Canaria Martinoux",
    "7 impasse du Canari Jaune",
    "+33 6 98 76 54 32",
    "IPP-CANARI-4711",
)
VALUES = [NIR, NAME, STREET, PHONE, LOCAL]
PERMIT = "FR-TEST-0001"
SEALING = (
    KeyRole.VAULT,
    KeyRole.CROSSING,
    KeyRole.CATALOG,
    KeyRole.DESK,
    KeyRole.OBJECTIONS,
    KeyRole.LEDGER_SALT,
)
STUDY = """\
study: canaries
cohorts:
  bleed: {concepts: [192671], descendants: true, domain: condition}
analyses:
  - incidence: {outcome: bleed, interval: [overall]}
"""


def written(value: str) -> dict[str, bytes]:
    """The value in each writing that is looked for."""
    plain = value.encode("utf-8")
    found = {
        "utf-8": plain,
        "latin-1": value.encode("latin-1"),
        "utf-16-le": value.encode("utf-16-le"),
        "utf-16-be": value.encode("utf-16-be"),
        "hex": plain.hex().encode(),
        "HEX": plain.hex().upper().encode(),
        "reversed": plain[::-1],
    }
    for shift in range(3):  # the letters that depend on what stands before and after are left out
        encoded = base64.b64encode(b"\0" * shift + plain)
        found[f"base64+{shift}"] = encoded[4 if shift else 0 : len(encoded) // 4 * 4 - 4]
    return found


def search(content: bytes, values: list[str]) -> set[tuple[int, str]]:
    """Which values stand in the content, by place in the list, and in what writing."""
    return {(n, how) for n, value in enumerate(values) for how, text in written(value).items() if text in content}


class Watched:
    """Runs commands with a TMPDIR of their own; keeps what they print and whatever lay there while they ran."""

    def __init__(self, folder: Path) -> None:
        self.temporary = folder / "watched"
        self.temporary.mkdir()
        self.printed = ""
        self.seen: dict[str, bytes] = {}

    def __call__(self, *arguments: object, stdin: str = "", status: int = 0) -> dict[str, object]:
        env = {**os.environ, "ENCLOS_PASSPHRASE": PASSPHRASE, "TMPDIR": str(self.temporary)}
        stop = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(stop,))
        watcher.start()
        command = [str(ENCLOS), *map(str, arguments), "--json"]
        done = subprocess.run(command, input=stdin, env=env, capture_output=True, text=True, check=False, timeout=600)
        stop.set()
        watcher.join()
        assert done.returncode == status, done.stderr
        self.printed += done.stdout + done.stderr
        document: dict[str, object] = json.loads(done.stdout)
        return document

    def _watch(self, stop: threading.Event) -> None:
        while not stop.wait(0.02):
            for path in self.temporary.rglob("*"):
                try:
                    if path.is_file():
                        self.seen[path.name] = path.read_bytes()
                except OSError:  # gone meanwhile
                    continue


def delivery_of_a_canary(folder: Path) -> Path:
    """A hospital that sends more than it should: names, NIR, address, telephone."""
    patient = {
        "resourceType": "Patient",
        "id": LOCAL,
        "identifier": [{"system": "urn:oid:1.2.250.1.213.1.4.8", "value": NIR}],
        "name": [{"text": NAME}],
        "telecom": [{"value": PHONE}],
        "address": [{"line": [STREET], "postalCode": "75011"}],
        "gender": "female",
        "birthDate": BIRTH,
    }
    encounter = {
        "resourceType": "Encounter",
        "id": "e1",
        "status": "finished",
        "class": {"code": "IMP"},
        "subject": {"reference": f"Patient/{LOCAL}"},
        "period": {"start": "2019-05-01T08:00:00+02:00", "end": "2019-05-04T08:00:00+02:00"},
    }
    lines = {
        f"{each['resourceType']}.ndjson": json.dumps(each, ensure_ascii=False) + "\n" for each in (patient, encounter)
    }
    return write_delivery(folder / "hosp-z", "fhir-bulk", "hosp-z", lines)


@pytest.fixture(scope="module")
def story(built, tmp_path_factory):
    folder = tmp_path_factory.mktemp("canaries")
    home, run = folder / "home", Watched(folder)
    shutil.copytree(built, home)
    run("ingest", home, delivery_of_a_canary(folder))
    run("link", home)
    run("build", home)
    run("quality", home, "--page", folder / "quality.html")
    run("profile", home, "--page", folder / "profile.html")
    (folder / "permit.yaml").write_text(permit_text("FR-CANARY"), encoding="utf-8")
    run("permit", "sign", home, folder / "permit.yaml")
    run("permit", "open", home, PERMIT)
    (folder / "study.yaml").write_text(STUDY, encoding="utf-8")
    found = run("study", home, "--permit", PERMIT, "--user", ALICE, folder / "study.yaml")
    asked = ("release", "request", home, "--permit", PERMIT, "--user", ALICE, "--run", found["run"])
    run(*asked, "--purpose", "a test of canaries")
    with open_home(home) as enclosure, enclosure.vault_engine() as engine:
        person = engine.scalar("SELECT person_id FROM vault.person_map WHERE source_person_key = ?", [LOCAL])
        psa = engine.rows(
            "SELECT regexp_replace(source_person_key, '/.*', '') FROM vault.person_map "
            "WHERE source_person_key LIKE '%/%' ORDER BY person_id LIMIT 3"
        )
    with open_home(home) as enclosure, reading_snapshot(enclosure) as (engine, snapshot):
        rows = perimeter_of(enclosure, PERMIT, engine, snapshot).rows()
        number = rows.filter(pc.field("person_id") == person)["permit_person"][0].as_py()
    run("explain", home, "person", person)
    key, answers = folder / "key", folder / "answers"
    run("keys", "source", key, "--source", "hosp-z")
    (folder / "in.csv").write_text(f"NIR;DDN;SEXE;nom\n{NIR};{BIRTH};2;{NAME}\n", encoding="utf-8")
    columns = ("--columns", "nir=NIR,birth=DDN,sex=SEXE")
    run("pseudonymise", folder / "in.csv", folder / "out.csv", "--key", key, *columns)
    pseudonym = (folder / "out.csv").read_text().split()[1].strip('"')
    run("optout", home, "add", "--key", key, stdin=f"{NIR}\n{BIRTH}\n2\n")
    run("optout", home, "add", "--key", key, stdin=f"{NIR[:-1]}\n{BIRTH}\n2\n", status=4)
    (folder / "o.csv").write_text(f"source;pseudonym;rank\nhosp-z;{LOCAL};\n", encoding="utf-8")
    run("optout", home, "add", folder / "o.csv")
    run("optout", home, "remove", folder / "o.csv")
    run("optout", home, "list")
    run("reidentify", "key", answers, "--source", "hosp-z")
    request = run(
        *("reidentify", "request", home, "--permit", PERMIT, "--user", ALICE, "--person", number),
        *("--reason", "medical-emergency", "--recipient", answers / "recipient.json", "--why", "care at once"),
    )["request"]
    for user in (CAROL, DAN):
        run("reidentify", "approve", home, request, "--user", user, "--why", "it is so")
    run("reidentify", "carry-out", home, request, folder / "answer.json")
    printed, seen = run.printed, dict(run.seen)
    at_source = run("reidentify", "open", answers, folder / "answer.json")  # prints it: this is the source
    for role in ("vault", "desk"):
        run.printed = ""
        run("keys", "rotate", home, role)
        printed += run.printed
    values = [*VALUES, pseudonym, *(row[0] for row in psa)]
    with open_home(home) as enclosure:
        keys = [enclosure.keys.secret(KeyName(role)).reveal() for role in SEALING]
    return {
        "folder": folder,
        "home": home,
        "values": values,
        "keys": keys,
        "printed": printed,
        "seen": {**seen, **run.seen},
        "at_source": at_source,
    }


def test_the_search_sees_each_writing():
    for how, text in written(NAME).items():
        assert (0, how) in search(b"\x01\x02" + text + b"\x03", [NAME])
    for shift in range(3):
        content = base64.b64encode(b"abc"[:shift] + LOCAL.encode() + b"and more")
        assert search(content, [LOCAL])


def test_the_canary_went_through(story):
    assert story["at_source"]["pseudonyms"] == [LOCAL]
    assert {(0, "utf-8"), (1, "utf-8"), (4, "utf-8")} <= search(
        (story["folder"] / "hosp-z" / "Patient.ndjson").read_bytes(), VALUES
    )


def test_no_file_of_the_enclosure_holds_a_value_or_a_key(story):
    files = [path for path in story["home"].rglob("*") if path.is_file()]
    assert len(files) > 50
    for path in files:
        content = path.read_bytes()
        assert not search(content, story["values"]), path.name
        assert not [
            1 for key in story["keys"] for text in (key, key.hex().encode(), base64.b64encode(key)) if text in content
        ]


def test_nothing_printed_and_no_page_or_answer_holds_one(story):
    # Of what is printed, the pseudonym that a sender makes for itself is not among what is asked.
    texts = {"printed": story["printed"].encode()}
    texts |= {name: (story["folder"] / name).read_bytes() for name in ("quality.html", "profile.html", "answer.json")}
    for name, text in texts.items():
        assert not search(text, story["values"]), name
        assert not [1 for key in story["keys"] if key.hex().encode() in text or base64.b64encode(key) in text]


def test_no_temporary_file_held_one_and_none_is_left(story):
    for name, content in story["seen"].items():
        assert not search(content, story["values"]), name
    assert not [path for path in (story["folder"] / "watched").rglob("*") if path.is_file()]
    assert not list(story["folder"].rglob("core*"))


def test_what_crossed_and_what_the_lake_holds_shows_none_decrypted_either(story):
    n_tables = 0
    with open_home(story["home"]) as enclosure, reading_snapshot(enclosure) as (engine, snapshot):
        crossing = CrossingZone(engine, enclosure.paths.crossing, enclosure.keys)
        relations = {f"crossing {name}": crossing.relation(name, None) for name in crossing.tables()}
        relations |= {f"lake {name}": snapshot.relation(name) for name in sorted(snapshot.tables)}
        for name, relation in relations.items():
            if relation is None or name.endswith((" concept", "_concept", "concept_relationship", "concept_ancestor")):
                continue
            table = engine.query(f"SELECT * FROM {relation}")
            out = io.BytesIO()
            with pa.ipc.new_stream(out, table.schema) as writer:
                writer.write_table(table)
            assert not search(out.getvalue(), story["values"]), name
            n_tables += 1
    assert n_tables > 20
