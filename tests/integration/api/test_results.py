"""Over REST a study runs, its results leave, statements are answered; the examples of the docs do it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import requests

from enclos.ledger.model import Action
from enclos.portal.api.examples import PERMIT, STUDY, as_curl, as_python
from factories.api import BOB, GUS, SECONDS, Api, problem, sent
from factories.enclosure import ALICE, CAROL, DAN, open_home


def test_a_study_runs_in_the_background_and_its_results_leave_by_two_votes(api: Api) -> None:
    judged = sent(api, ALICE, "/api/studies/validate", 200, study=STUDY)
    assert (judged["study"], judged["cohorts"]) == ("quick", ["gibleed"])
    assert problem(api.ask(ALICE, "/api/studies/validate", "POST", json={"study": "a: ["}))["code"] == "STU-01"
    assert sent(api, ALICE, "/api/studies/validate", 200, permit=PERMIT, study="study: none\n")["is_valid"] is False
    assert "# " in sent(api, ALICE, "/api/studies/protocol", 200, study=STUDY)["protocol"]
    begun = sent(api, ALICE, "/api/studies", 202, key="first-study", permit=PERMIT, study=STUDY)
    end = time.monotonic() + SECONDS
    while (job := api.ask(ALICE, f"/api/jobs/{begun['job']}").json())["state"] in {"waiting", "running"}:
        assert time.monotonic() < end
        time.sleep(0.5)
    assert (job["state"], job["title"]) == ("done", "quick")
    assert sent(api, ALICE, "/api/studies", 202, key="first-study", permit=PERMIT, study=STUDY)["job"] == job["job"]
    assert problem(api.ask(BOB, f"/api/jobs/{job['job']}"))["status"] == 404
    result = api.ask(ALICE, f"/api/jobs/{job['job']}/result").json()
    at = f"/api/permits/{PERMIT}/runs/{result['run']}"
    assert [run["run"] for run in api.ask(ALICE, f"/api/permits/{PERMIT}/runs").json()["runs"]] == [result["run"]]
    shown = api.ask(ALICE, at).json()
    assert (shown["summary"], shown["n_rows"]) == (result["summary"], result["n_rows"])
    table = api.ask(ALICE, f"{at}/files/{next(name for name in shown['files'] if name.endswith('.csv'))}")
    assert table.headers["content-type"].startswith("text/csv")
    assert b"gibleed" in table.content
    page = api.ask(ALICE, f"{at}/page?lang=fr")
    assert (page.status_code, "<script" in page.text) == (200, False)
    assert problem(api.ask(BOB, at))["code"] == "PRM-09"
    assert problem(api.ask(ALICE, f"{at}/files/none.csv"))["status"] == 404

    wish = {"permit": PERMIT, "run": result["run"]}
    assert sent(api, ALICE, "/api/releases/check", 200, **wish)["verdict"] in {"pass", "review"}
    asked = sent(api, ALICE, "/api/releases", 201, key="two", purpose="a paper", **wish)
    assert sent(api, ALICE, "/api/releases", 201, key="two", purpose="a paper", **wish) == asked
    other = api.ask(ALICE, "/api/releases", "POST", json={**wish, "purpose": "x"}, headers={"Idempotency-Key": "two"})
    assert problem(other)["code"] == "JOB-05"
    assert [row["request"] for row in api.ask(DAN, "/api/releases").json()["requests"]] == [asked["request"]]
    own = f"/api/releases/{asked['request']}"
    assert problem(api.ask(BOB, own))["status"] == 404
    assert problem(api.ask(ALICE, f"{own}/export", "POST"))["status"] in {403, 409}
    sent(api, CAROL, f"{own}/questions", 201, text="Why are these years shown?")
    sent(api, ALICE, f"{own}/questions/1/answer", 201, text="They are those of the protocol.")
    numbers = api.ask(CAROL, f"{own}/numbers").json()
    for voter in (CAROL, GUS):
        sent(api, voter, f"{own}/votes", 201, accept=True, reason="counts and context fit", content=numbers["content"])
    once = {"headers": {"Idempotency-Key": "package"}}
    package = api.ask(ALICE, f"{own}/export", "POST", **once)
    assert (package.status_code, package.headers["content-type"]) == (200, "application/zip")
    for more in (once, {}):
        assert api.ask(ALICE, f"{own}/export", "POST", **more).content == package.content, "it broke on its way"
    assert problem(api.ask(ALICE, f"{own}/votes", "POST", json={"accept": True, "reason": "x"}))["code"] == "SGN-05"
    assert problem(api.ask(ALICE, f"{own}/questions/1/answer", "POST", json={"text": "x"}, **once))["code"] == "JOB-05"
    zipped = {"Content-Type": "application/zip"}
    assert api.ask(BOB, "/api/releases/verify", "POST", data=package.content, headers=zipped).json()["request"]
    forged = package.content[:-30] + bytes(30)
    assert problem(api.ask(BOB, "/api/releases/verify", "POST", data=forged, headers=zipped))["code"] == "REL-08"
    with open_home(api.portal.home) as enclosure:
        told = [entry for _, entry in enclosure.ledger.entries(0) if entry.action.value.startswith("release.")]
    left = [entry.action for entry in told if entry.facts.get("copy") or entry.facts.get("package")]
    assert left == [Action.RELEASE_EXPORT, Action.RELEASE_AGAIN, Action.RELEASE_AGAIN]


def test_the_examples_of_the_docs_are_those_of_the_description_and_run(api: Api, tmp_path: Path) -> None:
    described = requests.get(f"{api.root}/openapi.json", timeout=SECONDS).json()
    page = (Path(__file__).parents[3] / "docs" / "rest.md").read_text(encoding="utf-8")
    known = {"PATH": os.environ["PATH"], "ENCLOS_ROOT": api.root, "TOKEN": api.tokens[ALICE]}
    for program, text in (("bash", as_curl(described)), (sys.executable, as_python(described))):
        assert text.rstrip() in page
        file = tmp_path / "example"
        file.write_text(text if program != "bash" else f"set -eu\n{text}", encoding="utf-8")
        done = subprocess.run([program, file], env=known, capture_output=True, text=True, timeout=SECONDS, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.splitlines()[-1] in {"pass", "review"}
        assert "n\n40\n" in done.stdout


def test_a_statement_is_answered_in_three_forms_and_guarded_as_on_the_command_line(api: Api) -> None:
    said = {"permit": "FR-1", "query": "SELECT gender_concept_id, count(*) AS n FROM person GROUP BY 1 ORDER BY 1"}
    told = sent(api, ALICE, "/api/sql", 200, **said)
    assert sum(row["n"] for row in told["rows"]) == 40
    lines = api.ask(ALICE, "/api/sql?form=csv", "POST", json=said).text.splitlines()
    assert lines == ["gender_concept_id,n", *(f"{row['gender_concept_id']},{row['n']}" for row in told["rows"])]
    arrow = api.ask(ALICE, "/api/sql?form=arrow", "POST", json=said).content
    assert pa.ipc.open_stream(arrow).read_all().to_pylist() == told["rows"]
    evil = {"permit": "FR-1", "query": "SELECT * FROM read_csv('/etc/passwd')"}
    assert problem(api.ask(ALICE, "/api/sql", "POST", json=evil))["code"] == "SQL-01"
    assert problem(api.ask(ALICE, "/api/sql", "POST", json={**said, "permit": "FR-2"}))["code"] == "PRM-09"
    assert problem(api.ask(CAROL, "/api/sql", "POST", json=said))["code"] == "SGN-05"
    tables = api.ask(ALICE, "/api/permits/FR-1/tables").json()["tables"]
    assert "year_of_birth" in tables["person"]
