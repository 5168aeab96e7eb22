"""Persons with unmistakable values go through every command; none of their values is found where it must not be.

Searched: every file of the enclosure, all that commands print, pages and packages, what lay in TMPDIR meanwhile, and
what crossed the wall and stands in the lake, decrypted. Each value is looked for as UTF-8, UTF-16 (both orders),
hexadecimal (both cases), base64 (at its three places) and reversed.
"""

from __future__ import annotations

import base64
import io
import shutil

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from enclos.app.permits import perimeter_of
from enclos.app.snapshots import reading_snapshot
from enclos.stores.crossing import CrossingZone
from factories.canaries import (
    BIRTH,
    LOCAL,
    NAME,
    NIR,
    VALUES,
    Watched,
    delivery_of_a_canary,
    sealing_keys,
    search,
    shows_key,
    written,
)
from factories.enclosure import ALICE, CAROL, DAN, open_home, permit_text

PERMIT = "FR-TEST-0001"
STUDY = """\
study: canaries
cohorts:
  bleed: {concepts: [192671], descendants: true, domain: condition}
analyses:
  - incidence: {outcome: bleed, interval: [overall]}
"""


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
    keys = sealing_keys(home)
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
        assert not shows_key(content, story["keys"]), path.name


def test_nothing_printed_and_no_page_or_answer_holds_one(story):
    # Of what is printed, the pseudonym that a sender makes for itself is not among what is asked.
    texts = {"printed": story["printed"].encode()}
    texts |= {name: (story["folder"] / name).read_bytes() for name in ("quality.html", "profile.html", "answer.json")}
    for name, text in texts.items():
        assert not search(text, story["values"]), name
        assert not shows_key(text, story["keys"]), name


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
