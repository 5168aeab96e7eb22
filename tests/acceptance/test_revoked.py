"""A permit that ends while a study runs in another process: the study stops within a second, and keeps nothing."""

from __future__ import annotations

import os
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from enclos.app.watch import watched
from enclos.ledger.model import Action, Entry, Kind, Outcome
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.stores.engine import EngineFault, open_engine
from factories.built_in import write_tables
from factories.enclosure import ALICE, CAROL, ENCLOS, PASSPHRASE, open_home, permit_text, run_cli

PERMIT = "FR-TEST-0001"
LONG = """\
study: long
cohorts:
  gibleed: {concepts: [192671], descendants: true, domain: condition, limit: all, end: {days: 1}}
analyses:
""" + "".join(
    f"  - incidence: {{outcome: [gibleed], interval: [weeks, years], washout_days: {days}, repeated_events: true}}\n"
    for days in range(1, 400)
)
PERIOD = "{start: 1900-01-01, end: 2030-01-01}"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("revoked")
    write_tables(folder / "delivery")
    home = folder / "home"
    run_cli("init", home, "--min-count-floor", "1")
    run_cli("delivery", "make", folder / "delivery", "--kind", "omop", "--source", "gibleed")
    run_cli("ingest", home, folder / "delivery")
    run_cli("build", home)
    (folder / "study.yaml").write_text(LONG, encoding="utf-8")
    return home


def signed(home: Path, permit: str, users: tuple[str, ...]) -> Path:
    file = home.parent / f"{permit}.yaml"
    file.write_text(permit_text(permit, period=PERIOD, min_count=1, users=users), encoding="utf-8")
    run_cli("permit", "sign", home, file)
    run_cli("permit", "open", home, permit)
    return file


def running(home: Path, permit: str, user: str) -> subprocess.Popen[bytes]:
    """A study in a process of its own, its engine open."""
    command = [ENCLOS, "study", home, "--permit", permit, "--user", user, home.parent / "study.yaml", "--json"]
    env = {**os.environ, "ENCLOS_PASSPHRASE": PASSPHRASE}
    process = subprocess.Popen(list(map(str, command)), env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    with open_home(home) as enclosure:
        spill = enclosure.paths.spill
    deadline = time.monotonic() + 60
    while not list(spill.glob(f"{process.pid}-*")):
        assert time.monotonic() < deadline, "the study has not begun"
        time.sleep(0.05)
    time.sleep(1)
    assert process.poll() is None, "the study ended before its permit could"
    return process


def ends(home: Path, process: subprocess.Popen[bytes], action: Action) -> tuple[float, Entry]:
    """Seconds from the end of what ended the permit to the end of the study, by the ledger, and the study's outcome."""
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 3, said
    with open_home(home) as enclosure:
        entries = [entry for _, entry in enclosure.ledger.entries() if entry.kind is Kind.OUTCOME]
    ended = [entry for entry in entries if entry.action is action][-1]
    study = [entry for entry in entries if entry.action is Action.STUDY][-1]
    return (study.at - ended.at).total_seconds(), study


def test_a_revocation_stops_a_running_study(home: Path) -> None:
    signed(home, PERMIT, (ALICE,))
    process = running(home, PERMIT, ALICE)
    run_cli("permit", "revoke", home, PERMIT, "--reason", "the holder asked")
    seconds, study = ends(home, process, Action.PERMIT_REVOKE)
    assert (study.outcome, study.code) == (Outcome.REFUSED, Code.PERMIT_REVOKED.id)
    assert seconds < 1
    assert not list((home / "permits" / PERMIT).glob("runs/*")), "a run that was stopped leaves nothing"


def test_a_user_who_is_removed_stops_too(home: Path) -> None:
    file = signed(home, "FR-TEST-0002", (CAROL, ALICE))
    process = running(home, "FR-TEST-0002", ALICE)
    file.write_text(file.read_text("utf-8").replace(f", {{id: {ALICE}, role: researcher}}", ""), encoding="utf-8")
    run_cli("permit", "amend", home, file, "--reason", "left the team")
    seconds, study = ends(home, process, Action.PERMIT_AMEND)
    assert (study.outcome, study.code) == (Outcome.REFUSED, Code.PERMIT_USER_MISSING.id)
    assert seconds < 1


def test_the_review_says_who_used_what_and_who_did_not(home: Path) -> None:
    signed(home, "FR-TEST-0003", (ALICE, CAROL))
    short = home.parent / "short.yaml"
    short.write_text("".join(LONG.splitlines(keepends=True)[:5]), encoding="utf-8")
    run_cli("study", home, "--permit", "FR-TEST-0003", "--user", ALICE, short)
    found = run_cli("permit", "review", home)
    (permit,) = [permit for permit in found["permits"] if permit["permit"] == "FR-TEST-0003"]
    used = {user["id"]: user["n_done"] for user in permit["users"]}
    assert used == {ALICE: {"study": 1}, CAROL: {}}
    assert [CAROL in sentence for sentence in permit["to_do"]] == [True, False], "thirty days are left, so a reminder"
    assert {"id": ALICE, "permits": ["FR-TEST-0003"]} in found["users"]
    assert run_cli("permit", "review", home, "--year", "2001")["permits"] == []


def test_a_statement_that_never_ends_is_interrupted() -> None:
    began = datetime.now(UTC)

    def look() -> None:
        if (datetime.now(UTC) - began).total_seconds() > 0.5:
            raise refusal(Code.PERMIT_EXPIRED, "It has ended.")

    with (
        open_engine() as engine,
        pytest.raises(type(refusal(Code.PERMIT_EXPIRED, "x"))) as caught,
        watched(engine, look),
    ):
        engine.query("SELECT count(*) FROM range(1000000000) AS a(x), range(1000000000) AS b(y) WHERE x + y = 7")
    assert caught.value.code is Code.PERMIT_EXPIRED
    assert (datetime.now(UTC) - began).total_seconds() < 3


def test_a_fault_stays_a_fault_while_the_right_lasts() -> None:
    with open_engine() as engine, pytest.raises(EngineFault), watched(engine, lambda: None):
        engine.query("SELECT nothing FROM nowhere")
