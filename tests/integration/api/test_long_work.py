"""Long work over REST: begun once under a key, by who may, and told what the command is told."""

from __future__ import annotations

from typing import Any

import requests

from enclos.app.sign_in import token_for
from enclos.portal.api.examples import PERMIT, STUDY
from enclos.signin.model import Role
from factories.api import ERIN, FAY, SECONDS, Api, nothing_runs, over, problem, sent, signed_in
from factories.enclosure import ALICE, DAN, open_home

LONG_ASKED: dict[str, tuple[str, dict[str, Any]]] = {
    "/api/permits/FR-1/dictionary": (ALICE, {}),
    "/api/permits/FR-1/open": (FAY, {}),
    "/api/studies": (ALICE, {"permit": "FR-1", "study": STUDY}),
    "/api/permits/FR-1/runs/0123/rerun": (ALICE, {}),
    "/api/cohorts": (ALICE, {"permit": "FR-1", "definitions": {"a": "{}"}}),
    "/api/sql/keep": (ALICE, {"permit": "FR-1", "query": "SELECT 1"}),
    "/api/tables": (ALICE, {"permit": "FR-1", "rows": "a", "form": "b"}),
    "/api/deliveries/ingest": (ERIN, {"deliveries": ["none"]}),
    "/api/persons/link": (ERIN, {}),
    "/api/snapshots": (ERIN, {}),
    "/api/quality": (ERIN, {}),
    "/api/profile": (ERIN, {}),
    "/api/catalogue": (ERIN, {}),
    "/api/conformity/assess": (DAN, {}),
    "/api/ledger/verify": (DAN, {}),
    "/api/ledger/review": (FAY, {"month": "2026-01"}),
    "/api/hosting/verify": (ERIN, {}),
}


def test_long_work_is_begun_once_under_a_key_and_by_who_may_now(api: Api) -> None:
    described = requests.get(f"{api.root}/openapi.json", timeout=SECONDS).json()["paths"]
    long = {path for path, methods in described.items() if "202" in methods.get("post", {"responses": ()})["responses"]}
    known = {path.replace("FR-1", "{permit}").replace("0123", "{run}") for path in LONG_ASKED}
    assert long == known | {"/api/jobs/{job}/again"}
    with nothing_runs(api):
        for path, (who, body) in LONG_ASKED.items():
            begun = sent(api, who, path, 202, key=path, **body)
            assert begun["state"] == "waiting"
            at, once = f"/api/jobs/{begun['job']}", {"headers": {"Idempotency-Key": path}}
            assert problem(api.ask(who, f"{at}/cancel", "POST", **once))["code"] == "JOB-05", "a key of long work"
            assert sent(api, who, f"{at}/cancel", 200, key=f"end {path}")["state"] == "cancelled"
            assert problem(api.ask(who, f"{at}/again", "POST", **once))["code"] == "JOB-05", "it is another piece"
            anew = sent(api, who, f"{at}/again", 202)
            assert anew["job"] != begun["job"]
            sent(api, who, f"/api/jobs/{anew['job']}/cancel", 200)
        used = {"headers": {"Idempotency-Key": f"end {path}"}}
        assert problem(api.ask(who, path, "POST", json=body, **used))["code"] == "JOB-05", "a key of something else"
        with open_home(api.portal.home) as enclosure:
            token = token_for(enclosure, signed_in(ERIN, Role.AUDITOR, enclosure.ledger.now()))
        lost = requests.post(f"{api.root}{at}/again", headers={"Authorization": f"Bearer {token}"}, timeout=SECONDS)
        assert problem(lost)["code"] == "SGN-05", "who was a steward then"


def test_long_work_is_told_what_the_command_is_told(api: Api) -> None:
    link = sent(api, ERIN, "/api/persons/link", 202, indirect=True, method="deterministic", threshold=6)
    alone = {"threshold": 6.0}
    assert problem(api.ask(ERIN, "/api/persons/link", "POST", json=alone))["status"] == 422
    named = {"permit": PERMIT, "study": STUDY, "on": "spark:spark://elsewhere:7077"}
    assert problem(api.ask(ALICE, "/api/studies", "POST", json=named))["status"] == 422, "the host names clusters"
    assert over(api, ERIN, link)["state"] == "done"
    assert "indirect" in api.ask(ERIN, f"/api/jobs/{link['job']}/result").json()


def test_what_the_command_writes_to_files_is_kept_for_who_began_the_work(api: Api) -> None:
    judged = over(api, ERIN, sent(api, ERIN, "/api/quality", 202))
    assert judged["files"] == ["page-en.html", "page-fr.html", "results.json"]
    at = f"/api/jobs/{judged['job']}/files"
    page = api.ask(ERIN, f"{at}/page-fr.html")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert '<html lang="fr"' in page.text
    checks = api.ask(ERIN, f"{at}/results.json").json()["CheckResults"]
    assert len(checks) == api.ask(ERIN, f"/api/jobs/{judged['job']}/result").json()["checks"]
    assert problem(api.ask(DAN, f"{at}/results.json"))["code"] == "JOB-01"
    assert problem(api.ask(ERIN, f"{at}/none.json"))["code"] == "JOB-01"
    assert b"CheckResults" not in b"".join(path.read_bytes() for path in (api.portal.home / "jobs").rglob("*.sealed"))


def test_a_month_is_reviewed_by_who_may_and_keys_are_named_without_themselves(api: Api) -> None:
    month = api.ask(FAY, "/api/ledger/review").json()["month"]
    asked = sent(api, FAY, "/api/ledger/review", 202, month=month)
    told = over(api, FAY, asked)
    assert (told["state"], told["files"]) == ("done", ["page-en.html", "page-fr.html"])
    assert problem(api.ask(ERIN, "/api/ledger/review", "POST", json={}))["code"] == "SGN-05"
    keys = api.ask(DAN, "/api/keys?limit=200").json()["keys"]
    assert {"ledger", "desk", "permit"} <= {key["role"] for key in keys}
    assert len({key["name"] for key in keys}) == len(keys)
    assert problem(api.ask(ALICE, "/api/keys"))["code"] == "SGN-05"
    assert "title" in api.ask(ERIN, "/api/catalogue-draft").json()["document"]
