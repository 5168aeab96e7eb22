"""Long work in the background: its own process, in turn, in the ledger as on the command line, never lost sight of."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from enclos.app.enclosure import Enclosure
from enclos.app.house import House
from enclos.app.jobs import Jobs
from enclos.app.runs import run_files
from enclos.ledger.model import Action, Kind, Outcome
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from factories.enclosure import ALICE, CAROL, DAN, PASSPHRASE, open_home
from factories.working_home import LONG, QUICK, working_home

SECONDS = 60
MINE, BOTH, THEIRS = "FR-1", "FR-2", "FR-3"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    permits = {MINE: (ALICE,), BOTH: (ALICE, CAROL), THEIRS: (CAROL,)}
    return working_home(tmp_path_factory.mktemp("jobs"), permits)


@pytest.fixture
def house(home: Path) -> Iterator[House]:
    with closing(House(home, PASSPHRASE)) as house:
        yield house


@pytest.fixture
def jobs(house: House) -> Iterator[Jobs]:
    with closing(Jobs(house)) as jobs:
        yield jobs


@pytest.fixture
def enclosure(house: House, jobs: Jobs) -> Iterator[Enclosure]:
    with house.open() as enclosure:
        yield enclosure


def until(told: Callable[[], dict[str, Any]], *states: str) -> dict[str, Any]:
    end = time.monotonic() + SECONDS
    while (found := told())["state"] not in states:
        assert time.monotonic() < end, found
        time.sleep(0.05)
    return found


def last_outcome(enclosure: Enclosure, action: Action) -> Any:
    return [e for _, e in enclosure.ledger.entries() if e.action is action and e.kind is Kind.OUTCOME][-1]


def code_of(act: Callable[[], object]) -> Code:
    with pytest.raises(Refusal) as caught:
        act()
    return caught.value.code


def test_a_study_is_started_followed_and_read_by_who_began_it(jobs: Jobs, enclosure: Enclosure) -> None:
    begun = jobs.start(enclosure, "study", {"text": QUICK}, user=ALICE, permit=MINE, title="quick", key="k1")
    assert begun["state"] in {"waiting", "running"}
    done = until(lambda: jobs.show(enclosure, begun["job"], ALICE), "done", "failed", "refused")
    assert done["state"] == "done", done
    found = json.loads(jobs.result(enclosure, begun["job"], ALICE))
    assert found["n_rows"] > 0
    assert done["run"] == found["run"]
    assert run_files(enclosure, MINE).exists(found["run"])
    outcome = last_outcome(enclosure, Action.STUDY)
    assert (outcome.outcome, outcome.permit, outcome.facts["run"]) == (Outcome.DONE, MINE, found["run"])
    again = jobs.start(enclosure, "study", {"text": QUICK}, user=ALICE, permit=MINE, title="quick", key="k1")
    assert again == done, "asked for twice under one key, done once"
    other = lambda: jobs.start(enclosure, "study", {"text": LONG}, user=ALICE, permit=MINE, key="k1")  # noqa: E731
    assert code_of(other) is Code.JOB_KEY
    for act in (jobs.show, jobs.result, jobs.cancel, jobs.again):
        assert code_of(lambda act=act: act(enclosure, begun["job"], CAROL)) is Code.JOB_UNKNOWN
    assert jobs.mine(enclosure, CAROL) == []
    assert [job["job"] for job in jobs.mine(enclosure, ALICE)] == [begun["job"]]
    assert QUICK.encode() not in b"".join(path.read_bytes() for path in enclosure.paths.permits.rglob("*.sealed"))


def test_who_may_not_is_refused_before_anything_is_kept(jobs: Jobs, enclosure: Enclosure) -> None:
    assert code_of(lambda: jobs.start(enclosure, "study", {"text": QUICK}, user=DAN, permit=MINE)) is (
        Code.PERMIT_USER_MISSING
    )
    assert code_of(lambda: jobs.start(enclosure, "study", {"text": QUICK}, user=ALICE, permit="FR-9")) is (
        Code.PERMIT_UNKNOWN
    )
    assert jobs.mine(enclosure, DAN) == []


def test_what_a_rule_refuses_is_told_as_on_the_command_line(jobs: Jobs, enclosure: Enclosure) -> None:
    begun = jobs.start(enclosure, "study", {"text": "study: none\n"}, user=ALICE, permit=MINE)
    told = until(lambda: jobs.show(enclosure, begun["job"], ALICE), "refused", "done", "failed")
    assert told["refused"]["code"].startswith("STU-")
    assert code_of(lambda: jobs.result(enclosure, begun["job"], ALICE)) is Code.JOB_UNFINISHED
    assert last_outcome(enclosure, Action.STUDY).code == told["refused"]["code"]


def far(jobs: Jobs, enclosure: Enclosure, job: str) -> dict[str, Any]:
    """The work, once it has done a part."""
    end = time.monotonic() + SECONDS
    while not (told := jobs.show(enclosure, job, ALICE)).get("done"):
        assert told["state"] in {"waiting", "running"} and time.monotonic() < end, told
        time.sleep(0.05)
    return told


def test_work_ends_when_its_person_says_so_and_nobody_has_all_places(jobs: Jobs, enclosure: Enclosure) -> None:
    first = jobs.start(enclosure, "study", {"text": LONG}, user=ALICE, permit=MINE)["job"]
    second = jobs.start(enclosure, "study", {"text": LONG}, user=ALICE, permit=BOTH)["job"]
    running = far(jobs, enclosure, first)
    assert running["state"] == "running"
    assert 0 < running["done"] < 1
    assert running["note"].partition(" of ")[2].isdigit()
    assert jobs.show(enclosure, second, ALICE)["state"] == "waiting", "there is a place, but not for the same person"
    assert jobs.cancel(enclosure, second, ALICE)["state"] == "cancelled"
    began = time.monotonic()
    jobs.cancel(enclosure, first, ALICE)
    assert until(lambda: jobs.show(enclosure, first, ALICE), "cancelled")["state"] == "cancelled"
    assert time.monotonic() - began < 8
    assert last_outcome(enclosure, Action.STUDY).code == Code.JOB_STOPPED.id


@pytest.mark.slow
def test_others_are_served_beside_long_work_and_a_killed_process_is_told(jobs: Jobs, enclosure: Enclosure) -> None:
    first = jobs.start(enclosure, "study", {"text": LONG}, user=ALICE, permit=MINE)["job"]
    far(jobs, enclosure, first)
    quick = jobs.start(enclosure, "study", {"text": QUICK}, user=CAROL, permit=THEIRS)["job"]
    assert until(lambda: jobs.show(enclosure, quick, CAROL), "done", "failed")["state"] == "done"
    process = jobs._live[first].process
    assert process is not None
    os.kill(process.running.pid, signal.SIGKILL)
    assert until(lambda: jobs.show(enclosure, first, ALICE), "interrupted", "failed")["state"] == "interrupted"


def test_what_ran_when_the_process_died_is_told_and_can_be_started_anew(home: Path, house: House) -> None:
    program = f"""
import sys, time
from pathlib import Path
from enclos.app.house import House
from enclos.app.jobs import Jobs
house = House(Path({str(home)!r}), {PASSPHRASE!r})
jobs = Jobs(house)
with house.open() as enclosure:
    told = jobs.start(enclosure, "study", {{"text": {LONG!r}}}, user={ALICE!r}, permit={MINE!r}, key="k2")
    while jobs.show(enclosure, told["job"], {ALICE!r}).get("done", 0) == 0:
        time.sleep(0.05)
    live = jobs._live[told["job"]]
    print(told["job"], live.process.running.pid, flush=True)
    time.sleep(60)
"""
    dying = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert dying.stdout is not None
    job, pid = dying.stdout.readline().split()
    dying.send_signal(signal.SIGKILL)
    dying.wait()
    dying.stdout.close()
    end = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and (
        "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2]
        or len(list(Path(f"/proc/{pid}/task").iterdir())) > 1
    ):
        assert time.monotonic() < end, "the work outlives the process that began it"
        time.sleep(0.05)
    with open_home(home) as enclosure:
        assert last_outcome(enclosure, Action.STUDY).outcome is Outcome.INTERRUPTED
    with closing(Jobs(house)) as jobs, house.open() as enclosure:
        assert jobs.show(enclosure, job, ALICE)["state"] == "interrupted"
        same = jobs.start(enclosure, "study", {"text": LONG}, user=ALICE, permit=MINE, key="k2")
        assert (same["job"], same["state"]) == (job, "interrupted"), "a key holds beyond the process"
        anew = jobs.again(enclosure, job, ALICE)
        assert anew["job"] != job
        until(lambda: jobs.show(enclosure, anew["job"], ALICE), "running")
    with closing(Jobs(house)) as jobs, house.open() as enclosure:  # that one was told to end while work ran
        assert jobs.show(enclosure, anew["job"], ALICE)["state"] == "interrupted"
