"""One request against 100 000 earlier sets of persons, as few large requests and as many small ones.

    python bench/differencing.py [--earlier 100000] [--new 360] [--persons 68000000] [--shapes 5,500]

Sets are unions of blocks of a population, as tables of strata are, some of them with one to twenty persons more. They
lie on a desk of files, sealed as those of an enclosure, in so many requests that left under ten permits. What is asked
for is a table of incidence by year, sex and age whose cells have some 100 000 persons each, of a run of millions; the
whole request goes through ``request_release``: rules, suppression, history, volume, and what is kept of it. It is asked
twice: with no index of what left (all requests are opened one by one, and the index is made), and with it.
The yardstick compares each new set with each earlier one as sets (roaring bitmaps), no sums of them: it is run for a
few new sets and multiplied. Seconds are of the processor where it is not said otherwise.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyroaring import BitMap

from enclos.contracts.result import RESULT_COLUMNS, RESULT_SCHEMA, SEPARATOR, Cell, ResultSettings, StudyResult
from enclos.lexicon.canonical import canonical_bytes
from enclos.lexicon.keys import KeyName, KeyRole, SecretKey
from enclos.release.allowance import Sought
from enclos.release.history import collisions
from enclos.release.model import Course, PermitFacts
from enclos.release.rules.terms import terms_of
from enclos.release.sets import (
    N_CLASSES,
    N_DRAWN,
    Counts,
    Drawn,
    Persons,
    Sets,
    Sums,
    bits_of,
    drawn_of,
    told_by,
    told_of,
)
from enclos.release.steps import Asked, request_release
from enclos.release.steps.documents import EVIDENCE, EXPORTED, REQUEST, RESULT, STUDY, VOTES, course_bytes, votes_bytes
from enclos.release.steps.kept import STANDING, digest_of, read_kept, written
from enclos.stores.release_files import ArchiveFiles, DeskFiles

_N_BLOCKS, _MOST_BLOCKS, _N_SAMPLED = 4000, 12, 3
_K = 11
_N_PERMITS = 10
_NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
_GROUP = SEPARATOR.join(("denominator_cohort_name", "outcome_cohort_name"))
_AGES = [(first, first + 9) for first in range(0, 100, 10)]
_DAYS = 365
Made = tuple[Counts, Sums, list[tuple[int, int]], Drawn]


class Population:
    """Blocks of persons, and sets that are unions of some of them with a few persons more."""

    def __init__(self, n_persons: int, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        ends = np.sort(self.random.choice(n_persons, _N_BLOCKS - 1, replace=False))
        self.edges = np.concatenate([[0], ends, [n_persons]])
        bits = [bits_of(self.block(number)) for number in range(_N_BLOCKS)]
        told = [told_of(each) for each in bits]
        self.drawn = np.array([drawn_of(each) for each in bits])
        self.counts = np.array([counts for counts, _ in told])
        self.sums = np.array([total for _, total in told], dtype=np.uint64)

    def block(self, number: int) -> Persons:
        """The persons of a block."""
        return np.arange(self.edges[number], self.edges[number + 1], dtype=np.int64)

    def made(self, n_sets: int) -> Made:
        """Random unions of blocks that lie side by side: what tells them, and their first and last persons."""
        ends = []
        counts, sums = np.zeros((n_sets, N_CLASSES), np.int32), np.zeros(n_sets, np.uint64)
        drawn = np.zeros((n_sets, N_DRAWN), np.uint64)
        for number in range(n_sets):
            first, n_blocks = self.random.integers(_N_BLOCKS - _MOST_BLOCKS), self.random.integers(1, _MOST_BLOCKS)
            n_extra = int(self.random.integers(1, 20)) if self.random.random() < 3 / n_sets else 0
            beyond = np.arange(self.edges[first + n_blocks], self.edges[first + n_blocks] + n_extra, dtype=np.int64)
            while self.edges[first + n_blocks] - self.edges[first] < _K:  # fewer would never have left
                n_blocks += 1
            ends.append((int(self.edges[first]), int(self.edges[first + n_blocks]) + n_extra))
            more, total = told_by(beyond)
            stand = [self.drawn[first : first + n_blocks].reshape(-1), bits_of(beyond)]
            drawn[number] = np.sort(np.concatenate(stand))[:N_DRAWN]
            blocks = slice(first, first + n_blocks)
            counts[number] = self.counts[blocks].sum(axis=0) + more
            sums[number] = (int(self.sums[blocks].sum(dtype=np.uint64)) + total) % 2**64
        return counts, sums, ends, drawn


def sets_of(made: Made) -> Sets:
    """As they are compared."""
    counts, sums, ends, drawn = made
    return Sets(counts, sums, lambda number: np.arange(*ends[number], dtype=np.int64), drawn)


class Files:
    """A desk and an archive on disk, on which requests that left are laid."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.desk = DeskFiles(root / "release", SecretKey(KeyName(KeyRole.DESK), b"k" * 32))
        keys = {f"P{number}": SecretKey(KeyName(KeyRole.PERMIT, f"P{number}"), b"p" * 32) for number in range(99)}
        self.archive = ArchiveFiles(root / "permits", keys.get)

    def lay(self, made: Made, number: int) -> None:
        """One request that left: its sets are places among the persons of their run, who are side by side."""
        counts, sums, ends, drawn = made
        permit, name = f"P{number % _N_PERMITS}", f"{number:016x}"
        numbers = np.arange(min(first for first, _ in ends), max(stop for _, stop in ends), dtype=np.int64)
        columns: list[Any] = [
            list(counts.astype(np.uint32)),
            sums,
            [_ranged(numbers, *each) for each in ends],
            list(drawn),
        ]
        schema = pa.schema(
            [
                pa.field("classes", pa.list_(pa.uint32(), N_CLASSES)),
                pa.field("sum", pa.uint64()),
                pa.field("members", pa.binary()),
                pa.field("standing", STANDING),
            ]
        ).with_metadata({b"numbers": numbers.tobytes()})
        content = written(pa.table(columns, schema=schema))
        self.archive.keep(permit, name, content)
        people = {"users": ["alice@example.org"], "author": "alice@example.org"}
        volume = {"n_estimates": 2 * len(sums), "n_bytes": 150 * len(sums), "min_count": _K}
        facts = {"request": name, "permit": permit, **people, **volume, "safe": True, "persons": digest_of(content)}
        documents = {
            RESULT: b"a,b\n" * 40 * len(sums),
            STUDY: b"study: x\n",
            EVIDENCE: b"{}",
            VOTES: votes_bytes((), ()),
            EXPORTED: course_bytes(Course(begun_at=_NOW.isoformat())),
            REQUEST: canonical_bytes(facts),
        }
        for each, document in documents.items():
            self.desk.write(name, each, document)

    def forget(self) -> None:
        """No index of what left, and nothing of what was asked for."""
        for path in self._root.glob("permits/*/released/index"):
            shutil.rmtree(path)


def _ranged(numbers: Persons, first: int, stop: int) -> bytes:
    low, high = np.searchsorted(numbers, (first, stop)).tolist()
    members = BitMap(range(low, high))
    members.run_optimize()
    return members.serialize()


def table_of(population: Population, n_sets: int) -> StudyResult:
    """Incidence by year, sex and age of three sets a cell: who is at risk, who has the outcome, who has not."""
    n_cells = n_sets // 3
    size = population.edges[-1] // 600
    numbers = np.arange(int(population.edges[-1]) // 3, int(population.edges[-1]) // 3 + size * 20, dtype=np.int64)
    rows: list[dict[str, Any]] = []
    settings: list[ResultSettings] = []
    cells: list[Cell] = []
    for at in range(n_cells):
        year, sex, age = 2000 + at // 20, ("Male", "Female")[at % 2], _AGES[at % 20 // 2]
        said = {"package_name": "enclos", "package_version": "0.1.0", "group": _GROUP, "min_cell_count": "0"}
        said |= {"result_type": "incidence", "analysis_outcome_washout": "0", "denominator_days_prior_observation": "0"}
        said |= {"denominator_age_group": f"{age[0]} to {age[1]}", "denominator_sex": sex}
        settings.append(ResultSettings(at + 1, said))
        first = int(population.random.integers(0, size * 19))
        at_risk = BitMap(range(first, first + int(size)))
        cases = BitMap(range(first, first + int(size) // 7 + int(population.random.integers(0, 9999))))
        group = SEPARATOR.join((f"denominator_cohort_{at + 1}", "bleed"))
        window = SEPARATOR.join((f"{year}-01-01", f"{year}-12-31", "years"))
        cells.append(Cell(at + 1, group, "overall", "overall", window, cases, at_risk, numbers))
        n_days, n_years = len(at_risk) * _DAYS, round(len(at_risk) * _DAYS / 365.25, 3)
        rate = len(cases) / n_years * 100_000
        for variable, name, value in (
            ("Denominator", "denominator_count", str(len(at_risk))),
            ("Outcome", "outcome_count", str(len(cases))),
            ("Denominator", "person_days", str(n_days)),
            ("Denominator", "person_years", f"{n_years:.3f}"),
            ("Outcome", "incidence_100000_pys", f"{rate:.3f}"),
            ("Outcome", "incidence_100000_pys_95CI_lower", f"{rate * 0.98:.3f}"),
            ("Outcome", "incidence_100000_pys_95CI_upper", f"{rate * 1.02:.3f}"),
        ):
            row = dict.fromkeys(RESULT_COLUMNS, "overall") | {"result_id": at + 1, "cdm_name": "bench"}
            row |= {"group_name": _GROUP, "group_level": group, "variable_name": variable, "variable_level": None}
            row |= {"estimate_name": name, "estimate_type": "numeric", "estimate_value": value}
            row |= {"additional_name": "incidence_start_date &&& incidence_end_date &&& analysis_interval"}
            rows.append(row | {"additional_level": window})
    return StudyResult(pa.Table.from_pylist(rows, RESULT_SCHEMA), tuple(settings), tuple(cells))


def timed(act: Callable[[], Any]) -> tuple[Any, float, float]:
    """What it gives, seconds of the processor, and seconds."""
    began, began_cpu = time.perf_counter(), time.process_time()
    found = act()
    return found, time.process_time() - began_cpu, time.perf_counter() - began


def whole_request(made: Made, n_requests: int, result: StudyResult) -> dict[str, Any]:
    """A whole request beside so many that left, without an index of them and with it."""
    counts, sums, ends, drawn = made
    root = Path(tempfile.mkdtemp(prefix="differencing"))
    try:
        files = Files(root)
        in_order = np.array(sorted(range(len(ends)), key=lambda at: ends[at]))  # each run is of a part of the persons
        for number, part in enumerate(np.array_split(in_order, n_requests)):
            files.lay((counts[part], sums[part], [ends[at] for at in part.tolist()], drawn[part]), number)
        files.forget()
        permit = PermitFacts("P50", 1, "d" * 64, frozenset({"bob@example.org"}), _K, _NOW + timedelta(days=9))
        asked = Asked(result, permit, "study: x\nanalyses: []\n", terms_of(), lambda numbers: numbers)

        def ask(run: str) -> Any:
            return request_release(
                asked,
                run=run,
                purpose="For the yearly report",
                author="bob@example.org",
                snapshot=1,
                desk=files.desk,
                archive=files.archive,
                now=_NOW,
                check=lambda: None,
            )

        answer, first, _ = timed(lambda: ask("a"))
        _, cpu, seconds = timed(lambda: ask("b"))
        n_sets = len(read_kept("", files.archive.read("P50", answer.request) or b""))
        return {
            "name": f"whole request of {3 * len(result.cells)} sets, {len(sums)} released in {n_requests} requests",
            "goal": None,
            "met": None,
            "verdict": answer.verdict.word,
            "seconds": round(seconds, 2),
            "seconds_goal": 2.0,
            "cpu_seconds": round(cpu, 2),
            "cpu_seconds_without_index": round(first, 2),
            "sets_kept": n_sets,
        }
    finally:
        shutil.rmtree(root)


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--earlier", type=int, default=100_000)
    parser.add_argument("--new", type=int, default=360)
    parser.add_argument("--persons", type=int, default=68_000_000)
    parser.add_argument("--shapes", default="5,500")
    asked = parser.parse_args()
    population = Population(asked.persons, 1)
    made = population.made(asked.earlier)
    old, new = sets_of(made), sets_of(population.made(asked.new))
    found, cpu, seconds = timed(lambda: list(collisions(new, old, _K, Sought())))
    maps = [BitMap(old.persons(int(number))) for number in np.linspace(0, asked.earlier - 1, 300).astype(int)]

    def one_by_one() -> None:
        for number in range(_N_SAMPLED):
            target = BitMap(new.persons(number))
            for one in maps:
                target.symmetric_difference_cardinality(one)

    slow = timed(one_by_one)[1] / _N_SAMPLED / len(maps) * asked.new * asked.earlier
    rows: list[dict[str, Any]] = [
        {
            "name": f"{asked.new} sets against {asked.earlier} earlier ones and sums of them, against pairs",
            "ratio": round(slow / cpu, 1),
            "goal": None,
            "met": None,
            "seconds": round(seconds, 2),
            "seconds_goal": 2.0,
            "cpu_seconds": round(cpu, 2),
            "cpu_seconds_of_pairs": round(slow, 1),
            "n_collisions": len(found),
        }
    ]
    result = table_of(population, asked.new)
    rows += [whole_request(made, int(shape), result) for shape in asked.shapes.split(",")]
    print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
