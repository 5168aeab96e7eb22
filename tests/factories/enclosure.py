"""Enclosures made by the commands that a person types."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from enclos.app.enclosure import Enclosure, open_enclosure
from factories import warm

ENCLOS = warm.ENCLOS
PASSPHRASE = "a passphrase for tests"
ALICE, CAROL, DAN = "alice@example.org", "carol@example.org", "dan@example.org"
YESTERDAY = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)


def call(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run one command in a process of its own."""
    return warm.run_command(arguments, {**os.environ, "ENCLOS_PASSPHRASE": PASSPHRASE, **environment})


def run_cli(*arguments: object) -> dict[str, Any]:
    """Run one command with --json and give its document; a refusal fails the test with what a person would read."""
    done = call(*arguments, "--json")
    assert done.returncode == 0, f"{arguments[:2]}: exit {done.returncode}\n{done.stderr}"
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def refused(*arguments: object) -> tuple[int, str, str]:
    """Run one command that must be refused: exit number, code, and all that was printed."""
    done = call(*arguments, "--json")
    assert done.returncode in {3, 4, 5}, f"{arguments[:2]}: exit {done.returncode}\n{done.stdout}{done.stderr}"
    document = json.loads(done.stdout)["refused"]
    return done.returncode, document["code"], done.stdout + done.stderr


def open_home(folder: Path) -> AbstractContextManager[Enclosure]:
    """Open an enclosure in this process."""
    return open_enclosure(folder, PASSPHRASE)


def permit_text(
    permit: str = "FR-TEST-0001",
    *,
    users: tuple[str, ...] = (ALICE,),
    period: str = "{start: 2019-01-01, end: 2021-01-01}",
    min_count: int = 11,
    starts: datetime | None = None,
    lasts: timedelta = timedelta(days=30),
    population: str = "all",
    access: str = "aggregates",
    identifiers: str = "[]",
) -> str:
    """A permit document; in force from yesterday unless told otherwise.

    Yesterday is one instant for the whole run, so that a document written twice is the same permit to the second.
    """
    start = starts or YESTERDAY
    listed = ", ".join(f"{{id: {user}, role: researcher}}" for user in users)
    return f"""\
permit: {permit}
holder: {{organisation: "CHU de Demain", investigator: {users[0]}}}
users: [{listed}]
purpose: {{article: "53(1)(e)", text: "A test of the whole chain"}}
legal_basis: ehds-permit
data:
  tables: all
  population: {population}
  period: {period}
  potential_identifiers: {identifiers}
access: {access}
opt_out: {{applied: true, as_of: now}}
disclosure: {{min_count: {min_count}}}
valid: {{from: {start:%Y-%m-%dT%H:%M:%SZ}, until: {start + lasts:%Y-%m-%dT%H:%M:%SZ}}}
"""
