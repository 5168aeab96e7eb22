"""Fifty researchers at once against a served enclosure on loopback, one works heavily; a stop and a restart under load.

usage: python bench/load.py [--seconds 60] [--people 50] [--persons 2000]
Everybody looks at light pages, one keeps the queue of long work full, another runs a short study beside it, a third
writes applications, each under an idempotency key, and sends again what nobody answered. All of them go on while the
service is told to end and is started again at the same address. Each clause of the goal is a row that is met or not.
Bounded: at most ten minutes, this machine alone. Prints one JSON document; ends with 1 when a clause is not met.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import requests

from enclos.app.deliveries import ingest_deliveries
from enclos.app.enclosure import create_enclosure, open_enclosure
from enclos.app.permits import open_one, sign
from enclos.app.persons import link_persons
from enclos.app.sign_in import token_for
from enclos.app.snapshots import build_omop
from enclos.signin.model import Person, Role
from enclos.synthetic import make_france

PASSPHRASE = "a passphrase for load"  # noqa: S105 - of an enclosure that lives for a minute
ISSUER = "http://127.0.0.1:9"
COHORT = """\
cohorts:
  ill: {concepts: [192671], descendants: true, domain: condition, limit: all, end: {days: 1}}
analyses:
"""
QUICK = f"study: quick\n{COHORT}  - incidence: {{outcome: [ill], interval: [years], washout_days: 0}}\n"
LONG = f"study: long\n{COHORT}" + "".join(
    f"  - incidence: {{outcome: [ill], interval: [weeks, years], washout_days: {days}, repeated_events: true}}\n"
    for days in range(1, 400)
)
PERMIT = """\
permit: {id}
holder: {{organisation: "CHU de Demain", investigator: {user}}}
users: [{{id: {user}, role: researcher}}]
purpose: {{article: "53(1)(e)", text: "A load"}}
legal_basis: ehds-permit
data: {{tables: all, population: all, period: {{start: 2019-01-01, end: 2024-01-01}}, potential_identifiers: []}}
access: aggregates
opt_out: {{applied: true, as_of: now}}
disclosure: {{min_count: 11}}
valid: {{from: {start}, until: {end}}}
"""


GOAL_MS, GOAL_GROWTH, GOAL_SECONDS_TO_STOP = 500, 1.1, 30.0
LONGEST_RETURN = 60.0
"""Seconds within which all are answered again after a restart."""
STEADY, BETWEEN, AFTER = "steady", "between", "after"


@dataclass
class Seen:
    """What the readers met: while all was steady, from the stop until the service answers again, and after it."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    phase: str = STEADY
    seconds: dict[str, list[float]] = field(default_factory=lambda: {STEADY: [], BETWEEN: [], AFTER: []})
    statuses: dict[str, Counter[str]] = field(
        default_factory=lambda: {STEADY: Counter(), BETWEEN: Counter(), AFTER: Counter()}
    )

    def note(self, phase: str, took: float, status: str) -> None:
        """Keep one answer. In: phase — when it was asked; what ends in another counts as between"""
        with self.lock:
            of = phase if phase == self.phase else BETWEEN
            self.seconds[of].append(took)
            self.statuses[of][status] += 1

    def errors(self, phase: str) -> int:
        """How many answers were not what they should be."""
        return sum(n for status, n in self.statuses[phase].items() if status not in {"200", "201"})


@dataclass
class Written:
    """Applications that were sent under keys of their own, and what was answered for each."""

    answered: dict[str, str] = field(default_factory=dict)
    told_otherwise: list[str] = field(default_factory=list)
    n_again: int = 0


def made_home(folder: Path, n_persons: int, people: list[str]) -> tuple[Path, dict[str, str]]:
    """A small synthetic France with a permit for each researcher, and a token for each."""
    make_france(folder / "france", n_persons, (2019, 2023), 7)
    home = folder / "home"
    create_enclosure(home, passphrase=PASSPHRASE, buckets=4)
    now = datetime.now(UTC).replace(microsecond=0)
    start, end = (f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in (now - timedelta(days=1), now + timedelta(days=30)))
    with open_enclosure(home, PASSPHRASE) as enclosure:
        deliveries = sorted(path.parent for path in (folder / "france").rglob("delivery.json"))
        ingest_deliveries(enclosure, deliveries)
        link_persons(enclosure)
        build_omop(enclosure)
        for number, user in enumerate(people):
            sign(enclosure, PERMIT.format(id=f"FR-{number}", user=user, start=start, end=end))
        for number in (0, 1):
            open_one(enclosure, f"FR-{number}")
    settings = home / "enclos.toml"
    text = settings.read_text(encoding="utf-8")
    section = f'[sign_in]\nissuer = "{ISSUER}"\nclient = "portal"\n'
    settings.write_text(text[: text.index("[sign_in]")] + section, encoding="utf-8")
    with open_enclosure(home, PASSPHRASE) as enclosure:
        now, tokens = enclosure.ledger.now(), {}
        for user in people:
            roles, ends = frozenset({Role.RESEARCHER}), now + timedelta(minutes=55)
            someone = Person(user, user, roles, ISSUER, now, ends, amr=("pwd", "otp"), token=f"of-{user}")
            tokens[user] = token_for(enclosure, replace(someone))
    return home, tokens


class Served:
    """``enclos serve`` in processes of its own."""

    def __init__(self, home: Path, port: int = 0) -> None:
        command = [
            sys.executable,
            "-c",
            "from enclos.cli import main; main()",
            "serve",
            str(home),
            "--port",
            str(port),
            "--json",
        ]
        env = {**os.environ, "ENCLOS_PASSPHRASE": PASSPHRASE}
        self.process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
        self.root = str(json.JSONDecoder().raw_decode(self._document())[0]["address"]).rstrip("/")

    def _document(self) -> str:
        text = ""
        while True:
            text += self.process.stdout.readline()  # type: ignore[union-attr]
            try:
                json.loads(text)
            except ValueError:
                if self.process.poll() is not None:
                    raise SystemExit("the service did not begin") from None
            else:
                return text

    def megabytes(self) -> float:
        """Resident memory of what serves, without the processes of long work."""
        of = [self.process.pid]
        for path in Path("/proc").glob("[0-9]*/status"):
            try:
                text = path.read_text(encoding="ascii", errors="replace")
                said = (path.parent / "cmdline").read_bytes()
            except OSError:
                continue
            if f"PPid:\t{self.process.pid}\n" in text and b"enclos.portal" in said:
                of.append(int(path.parent.name))
        return sum(_resident(pid) for pid in of)

    def stop(self) -> float:
        """End it cleanly; the seconds that it took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(120)
        return round(time.monotonic() - began, 2)


def _resident(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def read_on(root: str, token: str, permit: str, seen: Seen, over: threading.Event) -> None:
    """One researcher, who looks at light pages, about one a second."""
    client = requests.Session()
    client.headers["Authorization"] = f"Bearer {token}"
    paths = (
        "/api/me",
        "/api/permits",
        f"/api/permits/{permit}",
        "/api/releases",
        "/api/jobs",
        f"/api/permits/{permit}/runs",
    )
    at = hash(permit)
    while not over.is_set():
        began, phase = time.monotonic(), seen.phase
        try:
            status = str(client.get(root + paths[at % len(paths)], timeout=60).status_code)
        except requests.RequestException as error:
            status = type(error).__name__
        seen.note(phase, time.monotonic() - began, status)
        at += 1
        over.wait(1.0)


def write_on(root: str, token: str, user: str, written: Written, over: threading.Event) -> None:
    """One researcher, who writes an application a second, and sends again what was not answered."""
    number = 0
    while not over.is_set():
        key = f"application-{number}"
        text = PERMIT.format(id=f"FR-W-{number}", user=user, start="2026-01-01T00:00:00Z", end="2026-12-01T00:00:00Z")
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
        try:
            answer = requests.post(
                f"{root}/api/applications", json={"document": text, "files": {}}, headers=headers, timeout=60
            )
        except requests.RequestException:
            written.n_again += 1
        else:
            if answer.status_code in {429, 502, 503}:
                written.n_again += 1
            else:
                if answer.status_code == 201:
                    written.answered[key] = answer.json()["application"]
                else:
                    written.told_otherwise.append(f"{answer.status_code} {answer.json().get('code', '')}".strip())
                number += 1
        over.wait(1.0)


def listed(root: str, token: str) -> set[str]:
    """The applications that are there."""
    found, after = set[str](), ""
    while True:
        headers = {"Authorization": f"Bearer {token}"}
        page = {"after": after, "limit": "200"}
        told = requests.get(f"{root}/api/applications", params=page, headers=headers, timeout=60).json()
        found |= {row["application"] for row in told["applications"]}
        if not (after := told["next"]):
            return found


def begin(root: str, token: str, permit: str, study: str, key: str = "") -> dict[str, Any]:
    """Start a study."""
    headers = {"Authorization": f"Bearer {token}"} | ({"Idempotency-Key": key} if key else {})
    body = {"permit": permit, "study": study}
    answer = requests.post(f"{root}/api/studies", json=body, headers=headers, timeout=60)
    answer.raise_for_status()
    told: dict[str, Any] = answer.json()
    return told


def job(root: str, token: str, number: str) -> dict[str, Any]:
    """How a piece of work is."""
    told: dict[str, Any] = requests.get(
        f"{root}/api/jobs/{number}", headers={"Authorization": f"Bearer {token}"}, timeout=60
    ).json()
    return told


def waited(root: str, token: str, number: str, seconds: float) -> tuple[str, float]:
    """How a piece of work ended, and after how long."""
    began = time.monotonic()
    while (state := job(root, token, number)["state"]) in {"waiting", "running"}:
        if time.monotonic() - began > seconds:
            break
        time.sleep(0.5)
    return state, round(time.monotonic() - began, 1)


def main() -> int:
    """Measure, and say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--persons", type=int, default=2_000)
    given = parser.parse_args()
    seconds = min(given.seconds, 600)
    people = [f"r{number}@example.org" for number in range(given.people)]
    with TemporaryDirectory(prefix="enclos-load-") as folder:
        home, tokens = made_home(Path(folder), given.persons, people)
        served = Served(home)
        root, port = served.root, int(served.root.rpartition(":")[2])
        heavy, other, writer = people[0], people[1], people[2]
        long = [begin(root, tokens[heavy], "FR-0", LONG, f"long-{n}")["job"] for n in range(3)]
        seen, written, over = Seen(), Written(), threading.Event()
        at_work = [
            threading.Thread(target=read_on, args=(root, tokens[user], f"FR-{number}", seen, over), daemon=True)
            for number, user in enumerate(people)
        ]
        at_work.append(
            threading.Thread(target=write_on, args=(root, tokens[writer], writer, written, over), daemon=True)
        )
        for each in at_work:
            each.start()
        end = time.monotonic() + seconds
        time.sleep(min(10.0, seconds / 4))
        memory = [served.megabytes()]
        quick = begin(root, tokens[other], "FR-1", QUICK, "quick")["job"]
        state, took = waited(root, tokens[other], quick, seconds)
        beside = [job(root, tokens[heavy], number)["state"] for number in long]
        while time.monotonic() < end:
            time.sleep(min(10.0, max(0.1, end - time.monotonic())))
            memory.append(served.megabytes())
        seen.phase = BETWEEN
        stopped = served.stop()
        is_clean = served.process.returncode == 0
        served = Served(home, port)
        seen.phase = AFTER
        time.sleep(min(10.0, seconds / 4))
        end = time.monotonic() + LONGEST_RETURN
        while len(seen.seconds[AFTER]) < len(people) and time.monotonic() < end:
            time.sleep(0.5)  # everybody has asked once more
        over.set()
        for each in at_work:
            each.join()
        after = {number: job(root, tokens[heavy], number)["state"] for number in long}
        kept = job(root, tokens[other], quick)["state"]
        same = begin(root, tokens[heavy], "FR-0", LONG, "long-0")["job"] == long[0]
        there = listed(root, tokens[writer])
        served.stop()
    ordered = sorted(seen.seconds[STEADY])
    p95 = round(ordered[int(len(ordered) * 0.95)] * 1000)
    acknowledged = set(written.answered.values())
    clauses = {
        "no error": seen.errors(STEADY) == 0 and not written.told_otherwise,
        "all are answered again": len(seen.seconds[AFTER]) >= len(people) and seen.errors(AFTER) == 0,
        f"p95 of light pages under {GOAL_MS} ms": p95 < GOAL_MS,
        "memory is flat": max(memory[1:] or memory) <= GOAL_GROWTH * memory[0],
        "a heavy query stops nobody": state == "done" and "running" in beside,
        f"it stops cleanly within {GOAL_SECONDS_TO_STOP:.0f} s": is_clean and stopped < GOAL_SECONDS_TO_STOP,
        "a restart under load loses nothing": (
            acknowledged <= there
            and len(acknowledged) == len(written.answered)
            and set(after.values()) <= {"interrupted", "done"}
            and kept == ("done" if state == "done" else "interrupted")
            and same
        ),
    }
    answer = {
        "people": len(people),
        "seconds": seconds,
        "requests": len(ordered),
        "statuses": {phase: dict(found) for phase, found in seen.statuses.items()},
        "p50_ms": round(statistics.median(ordered) * 1000),
        "p95_ms": p95,
        "worst_ms": round(ordered[-1] * 1000),
        "memory_mb": [round(each) for each in (memory[0], max(memory), memory[-1])],
        "another_s_study": {"state": state, "seconds": took, "beside": beside},
        "stopped_in_seconds": stopped,
        "after_restart": {"long": after, "quick": kept, "key_holds": same},
        "written": {
            "acknowledged": len(written.answered),
            "there": len(there),
            "sent_again": written.n_again,
            "told_otherwise": written.told_otherwise,
        },
        "clauses": clauses,
    }
    print(json.dumps(answer, indent=1))
    return 0 if all(clauses.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
