"""What a checker is shown beside a request, in a history of releases of other persons.

    python bench/beside.py [--persons 1000000] [--releases 8] [--years 5] [--share 0.9] [--times 5]

Numbers are drawn as the warehouse draws them. Each release is of a permit of its own, which lets it see a share of
them in an order of its own; what left of it are counts by year, sex and age of three sets each: all, who have the
outcome, who have it not. The request that is looked at is such a one. They lie on a desk of files, sealed as in an
enclosure. Measured is ``show_beside`` in processor seconds: the first time where nobody found anything before, the
first time after it was found ahead (as by the process that serves an enclosure), and the median of the times after
that. The goal is that of a page, which does more than this.
JSON on standard output.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyroaring import BitMap

from enclos.contracts.result import RESULT_COLUMNS, RESULT_SCHEMA, SEPARATOR, Cell, PersonNumbers, result_csv
from enclos.lexicon.canonical import canonical_bytes
from enclos.lexicon.ids import MAX_PERSONS
from enclos.lexicon.keys import KeyName, KeyRole, SecretKey
from enclos.release.model import Assessment, Course, Told
from enclos.release.steps import find_beside, show_beside
from enclos.release.steps.documents import EVIDENCE, EXPORTED, REQUEST, RESULT, STUDY, VOTES, course_bytes, votes_bytes
from enclos.release.steps.index import left_earlier
from enclos.release.steps.kept import digest_of, kept_sets
from enclos.stores.release_files import ArchiveFiles, DeskFiles

K, GOAL_SECONDS = 11, 0.3
_NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
_OWN = f"{255:016x}"
_CHECKER = "carol@example.org"


class History:
    """A desk and an archive on disk, each release under a permit of its own."""

    def __init__(self, root: Path, population: PersonNumbers, share: float, n_years: int) -> None:
        self.random = np.random.default_rng(5)
        self.population, self.n_seen, self.n_years = population, round(share * len(population)), n_years
        self.desk = DeskFiles(root / "release", SecretKey(KeyName(KeyRole.DESK), b"k" * 32))
        self.archive = ArchiveFiles(
            root / "permits", lambda permit: SecretKey(KeyName(KeyRole.PERMIT, permit), b"p" * 32)
        )

    def lay(self, number: int, *, leaves: bool) -> list[Cell]:
        """One request, which left or waits; its cells."""
        name, permit = f"{number:016x}", f"P{number}"
        seen = self.random.choice(self.population, self.n_seen, replace=False)
        cells = list(self._cells(np.sort(self.random.choice(MAX_PERSONS, self.n_seen))))
        told = [
            Told(each, cell.person_numbers)
            for cell in cells
            for each in (
                cell.dense_denominator,
                cell.dense_numerator,
                cell.dense_denominator - cell.dense_numerator,
            )
        ]
        kept = kept_sets(Assessment(K, (), None, (), {}, tuple(told)), lambda _: seen)
        self.archive.keep(permit, name, kept)
        facts = {
            "request": name, "permit": permit, "users": ["alice@example.org"], "author": "alice@example.org",
            "asked_at": _NOW.isoformat(), "n_estimates": len(told), "n_bytes": 9, "min_count": K, "safe": True,
            "persons": digest_of(kept),
        }  # fmt: skip
        documents = {
            RESULT: result_csv(_table(cells), ()),
            STUDY: b"study: x\n",
            EVIDENCE: b"{}",
            VOTES: votes_bytes((), ()),
            EXPORTED: course_bytes(Course(begun_at=_NOW.isoformat() if leaves else "")),
            REQUEST: canonical_bytes(facts),
        }
        for each, document in documents.items():
            self.desk.write(name, each, document)
        return cells

    def _cells(self, numbers: PersonNumbers) -> Iterator[Cell]:
        """Counts by year of everybody, of each sex and of ten ages, of whom some have the outcome."""
        strata = {"overall": self._some(1.0)}
        for names, n_parts in (("sex", 2), ("age_group", 10)):
            part = self.random.integers(0, n_parts, self.n_seen)
            strata |= {f"{names} {at}": np.flatnonzero(part == at).astype(np.uint32) for at in range(n_parts)}
        for year in range(self.n_years):
            has_it, there = BitMap(self._some(0.1)), BitMap(self._some(0.97))
            for level, persons in strata.items():
                of = BitMap(persons) & there
                window = SEPARATOR.join((f"{2019 + year}-01-01", f"{2019 + year}-12-31", "years"))
                yield Cell(1, "cohort", "overall", level, window, of & has_it, of, numbers)

    def _some(self, share: float) -> Any:
        return np.flatnonzero(self.random.random(self.n_seen) < share).astype(np.uint32)


def _table(cells: list[Cell]) -> pa.Table:
    rows = [
        dict.fromkeys(RESULT_COLUMNS, "overall")
        | {"result_id": cell.result_id, "group_level": cell.group_level, "strata_level": cell.strata_level}
        | {"variable_level": None, "additional_level": cell.additional_level, "estimate_type": "integer"}
        | {"estimate_name": name, "estimate_value": str(n)}
        for cell in cells
        for name, n in (("denominator_count", cell.n_denominator), ("outcome_count", cell.n_numerator))
    ]
    return pa.Table.from_pylist(rows, RESULT_SCHEMA)


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", type=int, default=1_000_000)
    parser.add_argument("--releases", type=int, default=8)
    parser.add_argument("--years", type=int, default=5)
    parser.add_argument("--share", type=float, default=0.9)
    parser.add_argument("--times", type=int, default=5)
    given = parser.parse_args()
    population = np.random.default_rng(3).integers(0, MAX_PERSONS, given.persons)
    with tempfile.TemporaryDirectory(prefix="beside-") as folder:
        history = History(Path(folder), population, given.share, given.years)
        for number in range(given.releases):
            history.lay(number, leaves=True)
        cells = history.lay(int(_OWN, 16), leaves=False)
        left_earlier(history.desk, history.archive)  # as the request itself has had it made

        def looked() -> tuple[dict[str, Any], float]:
            began = time.process_time()
            found = show_beside(_OWN, user=_CHECKER, cells=cells, desk=history.desk, archive=history.archive)
            return found, time.process_time() - began

        _, unprepared = looked()
        for kept in Path(folder).glob("permits/*/released/beside/*.sealed"):
            kept.unlink()
        began = time.process_time()
        n_found = find_beside(history.desk, history.archive, check=lambda _: None)
        ahead = time.process_time() - began
        found, first = looked()
        took = [looked()[1] for _ in range(given.times)]
    again = statistics.median(took)
    print(json.dumps([{
        "name": f"beside a request of {given.persons} persons, {given.releases} releases of others",
        "ratio": round(max(first, again) / GOAL_SECONDS, 2), "goal": 1.0, "met": max(first, again) < GOAL_SECONDS,
        "cpu_seconds": round(again, 3), "cpu_seconds_first": round(first, 3),
        "cpu_seconds_unprepared": round(unprepared, 3),
        "cpu_seconds_ahead": round(ahead, 3), "n_found_ahead": n_found, "n_sets": found["beside"]["n_rows"],
    }]))  # fmt: skip


if __name__ == "__main__":
    main()
