"""Run every benchmark and append one line to bench/history.jsonl: machine facts and goals as ratios."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> int:
    """Run, print the goals, append the history."""
    rows = []
    for script in (
        "incidence.py",
        "circe.py",
        "analyses.py",
        "pseudonyms.py",
        "ingest.py",
        "view_queries.py",
        "permits.py",
        "regression.py",
        "covariates.py",
        "ledger.py",
        "move.py",
    ):
        done = subprocess.run([sys.executable, str(HERE / script)], capture_output=True, text=True, check=False)
        if done.returncode:
            print(done.stderr, file=sys.stderr)
            return 1
        rows += json.loads(done.stdout)
    goals = [{"goal": None, "met": None, **row} for row in rows]
    machine = {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.machine()}
    line = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine, "goals": goals}
    with (HERE / "history.jsonl").open("a", encoding="utf-8") as history:
        history.write(json.dumps(line) + "\n")
    print(json.dumps(line, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
