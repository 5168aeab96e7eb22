"""A run is checked, asked for, judged blind, exported once to each, and every step of it is in the ledger."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from enclos.app import ledger, looks, permits, releases, sql, studies, tables
from enclos.app.enclosure import SystemClock
from enclos.app.rounding import desk_of
from enclos.app.runs import run_files
from enclos.ledger.model import Kind
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from factories.built_in import built_in, write_tables
from factories.enclosure import ALICE, CAROL, DAN, PASSPHRASE, open_home, permit_text, run_cli

PERMIT, BOB = "FR-TEST-0001", "bob@example.org"
STUDY = """\
study: ages
cohorts:
  bronchitis: {concepts: [260139], domain: condition, limit: first, end: {days: 1}}
analyses:
  - incidence: {outcome: bronchitis, age_groups: [[0, 64], [65, 68], [69, 150]], interval: overall}
"""


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """A permit is open and nothing was asked under it yet: it is copied, never used."""
    folder = tmp_path_factory.mktemp("life")
    people = [each if number % 2 else replace(each, records=()) for number, each in enumerate(built_in())]
    write_tables(folder / "delivery", people)
    home = folder / "home"
    run_cli("init", home, "--min-count-floor", "3", "--buckets", "2")
    settings = home / "enclos.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("automatic = []", 'automatic = ["incidence"]'), encoding="utf-8")
    run_cli("delivery", "make", folder / "delivery", "--kind", "omop", "--source", "forty")
    run_cli("ingest", home, folder / "delivery")
    run_cli("build", home)
    permit = permit_text(users=(ALICE, BOB), period="{start: 2000-01-01, end: 2030-01-01}", min_count=3)
    (folder / "permit.yaml").write_text(permit, encoding="utf-8")
    run_cli("permit", "sign", home, folder / "permit.yaml")
    run_cli("permit", "open", home, PERMIT)
    return home


@pytest.fixture(scope="module")
def home(opened, tmp_path_factory):
    return Path(shutil.copytree(opened, tmp_path_factory.mktemp("lived") / "home"))


def studied(home, text):
    (home.parent / "study.yaml").write_text(text, encoding="utf-8")
    return run_cli("study", home, home.parent / "study.yaml", "--permit", PERMIT, "--user", ALICE)["run"]


def entries(enclosure, action):
    """What the ledger says of an action, in full."""
    every = [entry for _, entry in enclosure.ledger.entries(0)]
    return repr([entry for entry in every if entry.action.value.startswith(action)])


def test_from_a_check_to_copies_for_each_with_every_step_in_the_ledger(home, tmp_path):
    run = studied(home, STUDY)
    found = run_cli("release", "check", home, run, "--permit", PERMIT, "--user", ALICE)
    assert found["verdict"] == "review"
    assert not found["automatic"]
    assert "age_groups" in found["nearest_safe"]["merged"]["study_change"]
    with open_home(home) as enclosure:
        assert looks.list_all(enclosure)["requests"] == []
        answer = releases.request(enclosure, permit=PERMIT, user=ALICE, run=run, purpose="For the yearly report")
        request = answer["request"]
        assert answer["state"] == "open"
        asked = releases.ask(enclosure, request, user=CAROL, text="Why these ages?")
        releases.answer(enclosure, request, asked["question"], user=BOB, text="As the protocol says.")
        releases.review(enclosure, request, user=CAROL, accept=True, reason="Counts are fine")
        half = entries(enclosure, "release.review")
        assert "half" in half
        assert "accept" not in half
        assert releases.review(enclosure, request, user=DAN, accept=True, reason="It is clear")["state"] == "accepted"
        exported = releases.export(enclosure, request, tmp_path / "one.zip")
        releases.export(enclosure, request, tmp_path / "two.zip", recipient=BOB)
        with pytest.raises(Refusal) as caught:
            releases.export(enclosure, request, tmp_path / "three.zip", recipient=BOB)
        assert caught.value.code is Code.RELEASE_RECIPIENT
        assert releases.verify(tmp_path / "two.zip", exported["release_key"])["released"] == "by two persons"
        told = looks.list_all(enclosure)
        assert told["turnaround"]["n_decided"] == 1
        assert told["volume"][0]["n_estimates"] > 0
        for step in ("check", "request", "ask", "answer", "review", "export"):
            assert entries(enclosure, f"release.{step}") != "[]"
        assert "'turnaround_seconds': " in entries(enclosure, "release.export")
        assert "protocol says" not in entries(enclosure, "release")


def test_a_package_is_sent_again_for_a_quarter_of_an_hour_and_left_once_it_is_whole(opened, tmp_path, monkeypatch):
    home = Path(shutil.copytree(opened, tmp_path / "home"))
    run = studied(home, STUDY.replace("[65, 68], [69, 150]", "[65, 150]").replace("ages", "again", 1))
    with open_home(home) as enclosure:
        request = releases.request(enclosure, permit=PERMIT, user=ALICE, run=run, purpose="a paper")["request"]
        for user in (CAROL, DAN):
            releases.review(enclosure, request, user=user, accept=True, reason="Counts are fine")
        (tmp_path / "file").touch()
        with pytest.raises(OSError):
            releases.export(enclosure, request, tmp_path / "file" / "one.zip")
        assert looks.show_one(enclosure, request)["state"] == "accepted", "nothing was written"
        assert releases.export(enclosure, request, tmp_path / "one.zip")["copy"] == 1
        with pytest.raises(Refusal) as caught:
            releases.package_of(enclosure, request, user=ALICE)
        assert caught.value.code is Code.RELEASE_RECIPIENT, "what the host wrote is the host's to hand over"
        package = releases.package_of(enclosure, request, user=BOB)
        assert releases.package_of(enclosure, request, user=BOB) == package
        taken = enclosure.ledger.now()
        kept = list((home / "release" / request).glob("package-*.sealed"))
        assert len(kept) == 1
        assert package[:4] not in kept[0].read_bytes()[:64]
        assert "release.again" in entries(enclosure, "release.again")
    monkeypatch.setattr(SystemClock, "now", lambda _: taken + timedelta(minutes=16))
    with open_home(home) as enclosure:
        with pytest.raises(Refusal) as caught:
            releases.package_of(enclosure, request, user=BOB)
        assert caught.value.code is Code.RELEASE_RECIPIENT
        assert not kept[0].exists()


def test_what_policy_names_leaves_at_once_and_the_ledger_calls_it_automatic(home, tmp_path):
    run = studied(home, STUDY.replace("[65, 68], [69, 150]", "").replace("ages", "younger", 1))
    with open_home(home) as enclosure:
        assert releases.check(enclosure, permit=PERMIT, user=ALICE, run=run, tables=["incidence"])["automatic"]
        answer = releases.request(
            enclosure, permit=PERMIT, user=ALICE, run=run, purpose="For the yearly report", tables=["incidence"]
        )
        assert answer["state"] == "accepted"
        exported = releases.export(enclosure, answer["request"], tmp_path / "alone.zip")
        assert releases.verify(tmp_path / "alone.zip", exported["release_key"])["released"] == "automatically"
        assert "'automatic': True" in entries(enclosure, "release.request")


def test_what_is_exchanged_on_the_desk_before_anybody_voted_is_known_by_the_ledger(home):
    run = studied(home, STUDY)
    with open_home(home) as enclosure:
        own = {"permit": PERMIT, "user": ALICE, "run": run, "purpose": "For a second report"}
        request = releases.request(enclosure, **own)["request"]
        desk = desk_of(enclosure)
        before = desk.read(request, "results.csv")
        desk.write(request, "results.csv", before.replace(b"incidence", b"incidencf"))  # by who holds the desk's key
        assert releases.request(enclosure, **own)["request"] == request  # asking again makes it no better
        for content in ("", looks.look(enclosure, request, user=CAROL)["content"]):
            with pytest.raises(Refusal) as caught:
                releases.review(enclosure, request, user=CAROL, accept=True, reason="It is fine", content=content)
            assert caught.value.code is Code.RELEASE_ALTERED
        desk.write(request, "results.csv", before)
        releases.review(enclosure, request, user=CAROL, accept=True, reason="It is fine")


def test_who_probes_what_left_is_stopped_and_those_who_check_see_it(home, tmp_path):
    """One version after the other, each a few persons apart from the other: every answer tells of those."""
    texts = [STUDY.replace("[[0, 64], [65, 68]", f"[[0, {age}], [{age + 1}, 68]") for age in (65, 66, 63)]
    runs = [studied(home, text) for text in texts]
    copy = tmp_path / "home"
    shutil.copytree(home, copy)
    with open_home(copy) as enclosure:
        n_told = sum(
            probe.differed_at is not None for probe in enclosure.marks.probes(PERMIT).values()
        )  # by other tests
    settings = (copy / "enclos.toml").read_text(encoding="utf-8")
    most = f"[release]\nmax_collisions_told_per_day = {n_told + 2}"
    (copy / "enclos.toml").write_text(settings.replace("[release]", most), encoding="utf-8")
    with open_home(copy) as enclosure:
        own = {"permit": PERMIT, "user": ALICE}
        first = studies.run(enclosure, text=STUDY, **own)["run"]
        asked = releases.request(enclosure, run=first, purpose="For the yearly report", **own)
        if asked["state"] == "open":
            for user in (CAROL, DAN):
                releases.review(enclosure, asked["request"], user=user, accept=True, reason="Counts are fine")
            releases.export(enclosure, asked["request"], tmp_path / "left.zip")
        told = [releases.check(enclosure, run=run, **own)["verdict"] for run in runs[:2]]
        assert told == ["refuse", "refuse"]
        assert releases.check(enclosure, run=runs[0], **own)["verdict"] == "refuse"  # as it was told today
        for probe in (
            lambda: releases.check(enclosure, run=runs[2], **own),
            lambda: releases.request(enclosure, run=runs[2], purpose="For the yearly report", **own),
            lambda: releases.check(enclosure, run=runs[0], tables=["incidence"], **own),
        ):
            with pytest.raises(Refusal) as caught:
                probe()
            assert caught.value.code is Code.RELEASE_PROBING
        assert "'differs': True" in entries(enclosure, "release.check")


def test_that_nothing_differs_is_told_so_often_a_day_too(opened, tmp_path):
    """Each answer that one more version differs from nothing says who is not in what left."""
    copy = tmp_path / "home"
    shutil.copytree(opened, copy)
    runs = [studied(copy, STUDY.replace("[[0, 64], [65, 68]", f"[[0, {age}], [{age + 1}, 68]")) for age in (60, 61)]
    settings = (copy / "enclos.toml").read_text(encoding="utf-8")
    (copy / "enclos.toml").write_text(
        settings.replace("[release]", "[release]\nmax_checks_per_day = 2"), encoding="utf-8"
    )
    own = {"permit": PERMIT, "user": ALICE}
    with open_home(copy) as enclosure:
        for run, asked in ((runs[0], {}), (runs[0], {"tables": ["incidence"]}), (runs[0], {})):
            releases.check(enclosure, run=run, **asked, **own)
        for probe in (
            lambda: releases.check(enclosure, run=runs[1], **own),
            lambda: releases.request(enclosure, run=runs[1], purpose="For the yearly report", **own),
        ):
            with pytest.raises(Refusal) as caught:
                probe()
            assert caught.value.code is Code.RELEASE_PROBING
            assert "were checked or asked for" in str(caught.value)
        assert all(probe.differed_at is None for probe in enclosure.marks.probes(PERMIT).values())


BASE, ROUNDED, OTHER = 3, "FR-TEST-0011", "FR-TEST-0012"
WOMEN = "FROM person WHERE gender_concept_id = 8532"  # the study is about men: who has records is one
QUESTION = f"SELECT year_of_birth < 1943, count(DISTINCT person_id) {WOMEN} GROUP BY 1"
FORM = "table: job\nkeys: [{column: flag, kind: flag}]\nmeasures: [person_count, record_count, {sum: days}]\n"


def left(enclosure, permit, run, out):
    """The counts that leave of a run, two people having accepted: by place and name."""
    answer = releases.request(enclosure, permit=permit, user=ALICE, run=run, purpose="For the yearly report")
    assert answer["state"] == "open", answer["reasons"]
    for user in (CAROL, DAN):
        releases.review(enclosure, answer["request"], user=user, accept=True, reason="Counts are fine")
    releases.export(enclosure, answer["request"], out)
    with zipfile.ZipFile(out) as package:
        files = {name.rsplit("/", 1)[-1]: package.read(name) for name in package.namelist()}
    assert json.loads(files["evidence.json"])["summary"]["rounding"]["base"] == BASE
    return counts_of(csv.DictReader(files["results.csv"].decode("utf-8").splitlines()))


def counts_of(rows):
    return {
        (row["strata_level"], row["variable_name"], row["estimate_name"]): int(row["estimate_value"])
        for row in rows
        if row["variable_name"] != "settings"
        and row["estimate_name"].endswith("_count")
        and (row["estimate_value"] or "").isdigit()
    }


def runs_of(enclosure, permit):
    """A study, a question in SQL and a code job under a permit: the same persons each time, whatever their numbers."""
    listed = sql.ask(enclosure, permit=permit, user=ALICE, text=f"SELECT person_id, year_of_birth {WOMEN}").table
    people = sorted(zip(*(listed[name].to_pylist() for name in ("year_of_birth", "person_id")), strict=True))
    lines = [f"{person},{'yes' if at % 3 else 'no'},{5 + at % 7}" for at, (_, person) in enumerate(people)]
    rows = "\n".join(["person_id,flag,days", *lines, ""]).encode("utf-8")
    own = {"permit": permit, "user": ALICE}
    return (
        studies.run(enclosure, text=STUDY, **own)["run"],
        tables.keep_answer(enclosure, **own, text=QUESTION)["run"],
        tables.keep_job(enclosure, **own, rows=rows, form=FORM)["run"],
    )


@pytest.mark.slow
@pytest.mark.system("bubblewrap")
def test_counts_of_a_study_a_question_and_a_job_leave_rounded_and_new_keys_draw_none_again(home, tmp_path):
    copy = tmp_path / "home"
    shutil.copytree(home, copy)
    with open_home(copy) as enclosure:
        for permit in (ROUNDED, OTHER):
            text = permit_text(permit, period="{start: 2000-01-01, end: 2030-01-01}", min_count=BASE, access="rows")
            permits.sign(enclosure, text.replace("{min_count: 3}", f"{{min_count: 3, round_to: {BASE}}}"))
            permits.open_one(enclosure, permit)
        runs = runs_of(enclosure, ROUNDED)
        first = [left(enclosure, ROUNDED, run, tmp_path / f"a{at}.zip") for at, run in enumerate(runs)]
        exact = [counts_of(run_files(enclosure, ROUNDED).read(run).result.table.to_pylist()) for run in runs]
    for counts, bare in zip(first, exact, strict=True):
        assert len(counts) >= 2, (counts, bare)
        assert all(n % BASE == 0 and abs(n - bare[place]) < BASE for place, n in counts.items())
        assert counts != {place: bare[place] for place in counts}
    run_cli("keys", "rotate", copy, "pseudonym")
    with open_home(copy) as enclosure:
        runs = runs_of(enclosure, OTHER)
        again = [left(enclosure, OTHER, run, tmp_path / f"b{at}.zip") for at, run in enumerate(runs)]
    assert again == first


N_DEATHS = 24
DIES = """\
import os, signal, sys
from pathlib import Path
from enclos.app import releases
from enclos.app.enclosure import open_enclosure

home, request, out, point = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), int(sys.argv[4])
n_calls = 0

def deadly(call):
    def counted(*args, **more):
        global n_calls
        n_calls += 1
        if n_calls - 1 == point:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*args, **more)
    return counted

with open_enclosure(home, os.environ["ENCLOS_PASSPHRASE"]) as enclosure:
    for name in ("write", "fsync", "fdatasync", "replace", "rename", "unlink", "mkdir", "open"):
        setattr(os, name, deadly(getattr(os, name)))
    releases.export(enclosure, request, out)
print(n_calls)
"""


@pytest.mark.slow
def test_killed_at_any_write_no_result_has_left_without_its_entry(home, tmp_path):
    run = studied(home, STUDY.replace("[69, 150]", "[69, 149]").replace("ages", "older", 1))
    with open_home(home) as enclosure:
        asked = releases.request(enclosure, permit=PERMIT, user=ALICE, run=run, purpose="For the report")
        request = asked["request"]
        for user in (CAROL, DAN) if asked["state"] == "open" else ():
            releases.review(enclosure, request, user=user, accept=True, reason="Counts are fine")

    def export(copy, point):
        shutil.copytree(home, copy)
        env = {**os.environ, "ENCLOS_PASSPHRASE": PASSPHRASE}
        command = [sys.executable, "-c", DIES, str(copy), request, f"{copy}.zip", str(point)]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=300)

    whole = export(tmp_path / "whole", -1)
    assert whole.returncode == 0, whole.stderr
    n_calls, n_left = int(whole.stdout), 0
    for point in sorted({step * n_calls // N_DEATHS for step in range(N_DEATHS)}):
        copy = tmp_path / str(point)
        assert export(copy, point).returncode == -9
        with open_home(copy) as enclosure:
            every = dict(enclosure.ledger.entries())
        begun = [index for index, entry in every.items() if entry.kind is Kind.INTENT]
        assert sorted(entry.intent for entry in every.values() if entry.intent is not None) == begun
        has_left = Path(f"{copy}.zip").exists()
        assert not has_left or "release.export" in {every[index].action.value for index in begun}
        n_left += has_left
        assert ledger.verify(copy)["n_open"] == 0
        shutil.rmtree(copy)
    assert n_left > 0
