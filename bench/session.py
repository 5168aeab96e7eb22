"""What a question costs in a session that is held open, on GiBleed as an encrypted lake of one bucket.

    python bench/session.py [--definitions 30] [--data ../shared/data]

Circe definitions are asked one by one under a permit: by ``count`` with an engine opened for each and nothing kept, and
by the session of ``enclos.open`` that has asked them once before. Both state each question in the ledger and check the
right to it. Seconds are processor seconds of all threads; the two are asked in turn. What is told is compared.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
from gibleed import GIBLEED, SHARED  # noqa: E402

sys.path.append(str(ROOT / "tests"))

from enclos.app.cohorts import count  # noqa: E402
from enclos.app.deliveries import ingest_deliveries, make_delivery  # noqa: E402
from enclos.app.enclosure import Enclosure, create_enclosure  # noqa: E402
from enclos.app.permits import open_one, sign  # noqa: E402
from enclos.app.python import OpenPermit  # noqa: E402
from enclos.app.snapshots import build_omop  # noqa: E402
from factories.enclosure import ALICE, PASSPHRASE, open_home, permit_text  # noqa: E402 - the tests lie beside
from factories.working_home import PERIOD  # noqa: E402

GOAL = 4.0
ALONE, HELD = "FR-ALONE", "FR-HELD"
"""A permit for each way, since what a permit has shown is looked through at every question."""


def make_home(folder: Path) -> Path:
    """The enclosure, with both permits opened."""
    home = folder / "home"
    shutil.copytree(GIBLEED, folder / "delivery")
    create_enclosure(home, passphrase=PASSPHRASE, buckets=1, min_count_floor=1)
    make_delivery(folder / "delivery", kind="omop", source="gibleed")
    with open_home(home) as enclosure:
        ingest_deliveries(enclosure, [folder / "delivery"])
        build_omop(enclosure)
        for permit in (ALONE, HELD):
            sign(enclosure, permit_text(permit, period=PERIOD, min_count=1))
            open_one(enclosure, permit)
    return home


def taken(ask: Callable[[], Any]) -> tuple[float, Any]:
    """Processor seconds, and what was told."""
    began = process_time()
    told = ask()
    return process_time() - began, told


def measure(enclosure: Enclosure, definitions: dict[str, str]) -> dict[str, Any]:
    """The figure: medians, and their ratio."""
    fresh = replace(enclosure, spare=None)
    held = OpenPermit(enclosure, HELD, ALICE, unconfined_for_trying_out=False)
    alone: list[float] = []
    again: list[float] = []
    for text in definitions.values():
        held.cohorts({"asked": text})
    for name, text in definitions.items():
        asked = {"asked": text}
        seconds, told = taken(partial(count, fresh, permit=ALONE, user=ALICE, texts=asked))
        alone.append(seconds)
        seconds, told_again = taken(partial(held.cohorts, asked))
        again.append(seconds)
        if told["cohorts"] != told_again:
            raise SystemExit(f"{name}: a session tells something else")
    reference, seconds = statistics.median(alone), statistics.median(again)
    return {
        "name": f"a Circe definition in a held session, median of {len(definitions)}",
        "seconds": round(seconds, 4),
        "reference_seconds": round(reference, 4),
        "ratio": round(reference / seconds, 2),
        "goal": GOAL,
        "met": reference / seconds >= GOAL,
    }


def main() -> int:
    """Measure and print, in words and as one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--definitions", type=int, default=30)
    parser.add_argument("--data", type=Path, default=SHARED)
    arguments = parser.parse_args()
    files = sorted((arguments.data / "circe" / "definitions").glob("*.json"))
    if not files:
        print(f"no Circe definitions at {arguments.data}: give --data", file=sys.stderr)
        return 2
    chosen = files[:: max(1, len(files) // arguments.definitions)][: arguments.definitions]
    definitions = {file.stem: file.read_text(encoding="utf-8") for file in chosen}
    with tempfile.TemporaryDirectory(prefix="enclos-session-") as folder, open_home(make_home(Path(folder))) as home:
        line = measure(home, definitions)
    milliseconds = f"{1000 * line['seconds']:.0f} ms against {1000 * line['reference_seconds']:.0f}"
    print(f"{line['name']}: {milliseconds}, × {line['ratio']}", file=sys.stderr)
    print(json.dumps([line]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
