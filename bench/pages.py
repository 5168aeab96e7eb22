"""How long every page of every role takes and what it weighs, in an enclosure of so many persons.

    python bench/pages.py [--persons 20000] [--years 2023-2023] [--entries 20000] [--home DIR] [--times 5]

The enclosure is made by the commands that a person types (synth, init with a bucket for each 25 000 persons, ingest,
link, build, quality), unless ``--home`` names one that is built already and lies open to the passphrase of the tests:
what follows is written into it. Then permits, studies, requests for release and questions of six persons are made, and
entries of a busy ledger. `enclos serve` answers; each person signs in in Debian's Chromium and follows every link that
they are shown, as the tests do, and each page is opened ``--times`` times. Told are milliseconds in Chromium, from the
click to the last picture (``load``), and of those the server's, from the request to the last byte of the page
(``server``): median and worst, and the bytes of the page with all that it needs. Goals: 300 ms and 200 kB. On a machine
with other work these times are the other work's too: ``processor`` is what the service computed for the page, in the
mean, which hardly depends on it.
JSON on standard output, a table on standard error.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from enclos.app.permits import open_one, sign  # noqa: E402
from enclos.ledger.model import Action  # noqa: E402
from factories.browsing import Tab, chromium, tab  # noqa: E402 - as the tests steer it
from factories.enclosure import ALICE, ENCLOS, PASSPHRASE, open_home, permit_text  # noqa: E402
from factories.lively_home import PERMIT, ROLES, Lively, enlivened  # noqa: E402
from factories.serving import serving  # noqa: E402
from factories.walking import patterns_of, walk  # noqa: E402

PERSONS_A_BUCKET = 25_000
GOAL_MS, GOAL_BYTES = 300, 200_000
N_PERMITS = 100
EVERY_SECONDS = 60
"""Between looks at whether the register is to be renewed: what ``enclos serve`` does when nothing else is said."""
_A_SECOND = 4
"""So many requests of a person are answered without a pause (portal/pace.py)."""
_PATIENCE_SECONDS, _PATIENCE_SECONDS_A_PERSON = 600.0, 0.002
"""For a dictionary: it takes some seconds of processor time for each bucket."""
_BETWEEN_LOOKS = 2.0
_TIMES = """() => {
  const page = performance.getEntriesByType('navigation')[0];
  const all = performance.getEntries().filter(each => each.encodedBodySize !== undefined);
  return {
    server: page.responseEnd - page.requestStart,
    load: page.loadEventEnd - page.startTime,
    bytes: all.reduce((sum, each) => sum + each.encodedBodySize, 0),
    asked: all.filter(each => !each.name.includes('/assets/')).length,
  };
}"""


@dataclass
class Looked:
    """What one page of a person took, each time that it was opened."""

    person: str
    name: str
    path: str
    status: int
    server: list[float] = field(default_factory=list)
    load: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    n_bytes: int = 0

    def as_json(self) -> dict[str, Any]:
        """In whole milliseconds; the path is left out where it has a run's or a request's name in it."""
        times = {"server": self.server, "load": self.load}
        told = {
            f"{name}_{which}_ms": round(of(values))
            for name, values in times.items()
            for which, of in (("median", statistics.median), ("worst", max))
        }
        told["processor_ms"] = round(statistics.mean(self.processor))
        return {"role": self.person, "page": self.name, "status": self.status, **told, "bytes": self.n_bytes}


def built(folder: Path, n_persons: int, years: str) -> Path:
    """An enclosure of a synthetic France, by the commands."""
    home = folder / "home"
    run("synth", folder / "france", "--persons", n_persons, "--years", years, "--seed", 7)
    run("init", home, "--buckets", max(2, n_persons // PERSONS_A_BUCKET))
    run("ingest", home, *sorted((folder / "france" / "deliveries").iterdir()))
    for command in ("link", "build", "quality"):
        run(command, home)
    return home


def run(*arguments: object) -> None:
    """One command, however long it takes."""
    known = {**os.environ, "ENCLOS_PASSPHRASE": PASSPHRASE}
    subprocess.run([str(ENCLOS), *map(str, arguments), "--json"], check=True, stdout=subprocess.DEVNULL, env=known)


def inhabited(home: Path, folder: Path, study: str, n_entries: int) -> Lively:
    """Permits, people, studies and requests, and a ledger of some length."""
    period = "{start: 1900-01-01, end: 2030-01-01}"
    with open_home(home) as enclosure:
        for number in range(N_PERMITS):
            permit = PERMIT if number == 0 else f"FR-2027-{number:04d}"
            users = (ALICE,) if number < 10 else (f"zoe{number}@example.org",)
            lasts = timedelta(days=30 + 3 * number)
            sign(enclosure, permit_text(permit, period=period, users=users, lasts=lasts))
        open_one(enclosure, PERMIT)
        for number in range(n_entries):
            facts = {"via": "bench", "code": "SGN-05", "n_before": 0}
            enclosure.ledger.record(Action.DENIED, f"zoe{number % N_PERMITS}@example.org", facts=facts)
    return enlivened(home, folder, study)


def processor_ms(service: int) -> float:
    """What a service and the process that answers for it have computed so far, in milliseconds."""
    children = Path(f"/proc/{service}/task/{service}/children").read_text("ascii").split()
    ticks = 0
    for pid in (service, *children):
        after_name = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
        ticks += int(after_name[11]) + int(after_name[12])
    return 1000 * ticks / os.sysconf("SC_CLK_TCK")


def opened_once(opened: Tab, looked: Looked, service: int) -> bool:
    """Open the page and keep what it took; whether it is one."""
    began, computed = time.monotonic(), processor_ms(service)
    status = opened.go(looked.path)
    if not status or opened.page.evaluate("document.contentType") != "text/html":
        return False
    opened.page.wait_for_load_state("load")
    took: dict[str, float] = opened.page.evaluate(_TIMES)
    looked.server.append(took["server"])
    looked.load.append(took["load"])
    looked.processor.append(processor_ms(service) - computed)
    looked.n_bytes, looked.status = max(looked.n_bytes, int(took["bytes"])), status
    time.sleep(max(0.0, took["asked"] / _A_SECOND - (time.monotonic() - began)))
    return True


def walked(opened: Tab, who: str, home: Path, times: int, service: int) -> list[Looked]:
    """All pages that a person gets to by links, two of each kind."""
    found: list[Looked] = []

    def look(path: str, name: str, _is_first: bool) -> bool:
        looked = Looked(ROLES[who][1].value, name, path, 0)
        n_opened = sum(opened_once(opened, looked, service) for _ in range(times))
        found.extend([looked] if n_opened else [])
        return n_opened > 0

    walk(opened, ["/me", "/"], patterns_of(home), 2, look)
    return found


def worked(opened: Tab, patience: float) -> float:
    """What makes pages that only somebody's work makes: a dictionary counted. Seconds until it was there.

    In: patience — seconds; whoever waits opens the page now and then, since what a page asks for by itself keeps no
        session alive
    """
    path, began = f"/research/permits/{PERMIT}/data", time.monotonic()
    opened.go(path)
    button = opened.page.locator(f"form[action='{path}'] button")
    if not button.count():  # of a home that was walked before
        return 0.0
    button.first.click()
    while button.count() or "work" in opened.page.url.split("/"):  # not there yet, or the page of the work on it
        if time.monotonic() > began + patience:
            raise TimeoutError(f"No dictionary after {patience:.0f} seconds.")
        time.sleep(_BETWEEN_LOOKS)
        opened.go(path)
    return time.monotonic() - began


@contextmanager
def place(given: Path | None, n_persons: int, years: str) -> Iterator[tuple[Path, Path]]:
    """The enclosure, and a folder beside it that goes at the end."""
    with tempfile.TemporaryDirectory(prefix="enclos-pages-", dir=given.parent if given else None) as folder:
        yield given or built(Path(folder), n_persons, years), Path(folder)


def rows_of(looked: list[Looked], about: str) -> list[dict[str, Any]]:
    """The goals, as ratios of the worst page, and every page."""
    slow = max(looked, key=lambda each: statistics.median(each.load))
    heavy = max(looked, key=lambda each: each.n_bytes)
    took = statistics.median(slow.load)
    return [
        {
            "name": f"the slowest page of {about}, against 300 ms",
            "ratio": round(took / GOAL_MS, 2),
            "goal": 1.0,
            "met": took < GOAL_MS,
            "page": slow.name,
            "n_pages": len(looked),
            "n_over_by_worst": sum(max(each.load) >= GOAL_MS for each in looked),
            "median_of_pages_ms": round(statistics.median(statistics.median(each.load) for each in looked)),
        },
        {
            "name": f"the heaviest page of {about}, against 200 kB",
            "ratio": round(heavy.n_bytes / GOAL_BYTES, 2),
            "goal": 1.0,
            "met": heavy.n_bytes < GOAL_BYTES,
            "page": heavy.name,
        },
        {"name": "pages", "pages": [each.as_json() for each in looked]},
    ]


def main() -> int:
    """Make, walk, say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", type=int, default=20_000)
    parser.add_argument("--years", default="2023-2023")
    parser.add_argument("--entries", type=int, default=20_000)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--times", type=int, default=5)
    given = parser.parse_args()
    with ExitStack() as stack:
        home, folder = stack.enter_context(place(given.home, given.persons, given.years))
        study = folder / "study"
        run("synth", study, "--persons", 100, "--years", "2023-2023")
        lively = inhabited(home, folder, (study / "truth/studies/first.yaml").read_text("utf-8"), given.entries)
        service, told = stack.enter_context(serving(home, "--every", EVERY_SECONDS))
        browser, root = stack.enter_context(chromium()), told["address"].rstrip("/")
        looked: list[Looked] = []
        for who in ROLES:
            opened = stack.enter_context(tab(browser, root, locale="en-GB", viewport={"width": 1280, "height": 900}))
            opened.sign_in(who, lively.authenticators[who])
            if who == ALICE:
                took = worked(opened, _PATIENCE_SECONDS + given.persons * _PATIENCE_SECONDS_A_PERSON)
                sys.stderr.write(f"the dictionary was there after {took:.0f} s\n")
            looked += walked(opened, who, home, given.times, service.pid)
    about = f"{given.persons:,} persons".replace(",", " ")
    rows = rows_of(looked, about)
    for each in sorted(looked, key=lambda each: -max(each.load)):
        told = each.as_json()
        sys.stderr.write(
            f"{told['processor_ms']:>6} {told['load_median_ms']:>6} {told['load_worst_ms']:>6} "
            f"{told['server_median_ms']:>6} "
            f"{told['server_worst_ms']:>6} {told['bytes']:>8}  {told['role']:<12} {told['page']}\n"
        )
    print(json.dumps(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
