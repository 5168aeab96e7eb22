"""Fifty researchers at once against a served enclosure on loopback, one works heavily; then a stop and a restart.

usage: python bench/load.py [--seconds 60] [--people 50] [--persons 2000]
Bounded: at most ten minutes, this machine alone. Prints one JSON document.
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


@dataclass
class Seen:
    """What the readers met."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    seconds: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)

    def note(self, took: float, status: str) -> None:
        with self.lock:
            self.seconds.append(took)
            self.statuses[status] += 1


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

    def __init__(self, home: Path) -> None:
        command = [
            sys.executable,
            "-c",
            "from enclos.cli import main; main()",
            "serve",
            str(home),
            "--port",
            "0",
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
        began = time.monotonic()
        try:
            status = str(client.get(root + paths[at % len(paths)], timeout=60).status_code)
        except requests.RequestException as error:
            status = type(error).__name__
        seen.note(time.monotonic() - began, status)
        at += 1
        over.wait(1.0)


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


def main() -> None:
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
        heavy, other = people[0], people[1]
        long = [begin(served.root, tokens[heavy], "FR-0", LONG, f"long-{n}")["job"] for n in range(3)]
        seen, over = Seen(), threading.Event()
        readers = [
            threading.Thread(target=read_on, args=(served.root, tokens[user], f"FR-{number}", seen, over))
            for number, user in enumerate(people)
        ]
        for reader in readers:
            reader.start()
        time.sleep(min(10.0, seconds / 4))
        memory_begin = served.megabytes()
        quick = begin(served.root, tokens[other], "FR-1", QUICK, "quick")["job"]
        state, took = waited(served.root, tokens[other], quick, seconds)
        time.sleep(max(0.0, seconds - took - min(10.0, seconds / 4)))
        memory_end = served.megabytes()
        over.set()
        for reader in readers:
            reader.join()
        over.clear()
        ending = Seen()
        again = [
            threading.Thread(target=read_on, args=(served.root, tokens[user], f"FR-{n}", ending, over))
            for n, user in enumerate(people[:10])
        ]
        for reader in again:
            reader.start()
        time.sleep(1)
        stopped = served.stop()
        over.set()
        for reader in again:
            reader.join()
        served = Served(home)
        after = {number: job(served.root, tokens[heavy], number)["state"] for number in long}
        kept = job(served.root, tokens[other], quick)["state"]
        same = begin(served.root, tokens[heavy], "FR-0", LONG, "long-0")["job"] == long[0]
        served.stop()
    ordered = sorted(seen.seconds)
    answer = {
        "people": len(people),
        "seconds": seconds,
        "requests": len(ordered),
        "statuses": dict(seen.statuses),
        "p50_ms": round(statistics.median(ordered) * 1000),
        "p95_ms": round(ordered[int(len(ordered) * 0.95)] * 1000),
        "worst_ms": round(ordered[-1] * 1000),
        "memory_mb": [round(memory_begin), round(memory_end)],
        "another_s_study": {"state": state, "seconds": took},
        "stopped_in_seconds": stopped,
        "after_restart": {"long": after, "quick": kept, "key_holds": same},
    }
    print(json.dumps(answer, indent=1))


if __name__ == "__main__":
    main()
