"""One request against 100 000 earlier sets of persons, beside a search that compares them one by one.

    python bench/differencing.py [--earlier 100000] [--new 400] [--persons 68000000]

Sets are unions of blocks of a population, as tables of strata are, some of them with one to twenty persons more. The
yardstick compares each new set with each earlier one as sets (roaring bitmaps), no sums of them: it is run for a
few new sets and multiplied.
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np
from pyroaring import BitMap

from enclos.release.history import N_CLASSES, Persons, Sets, collisions, told_by

_N_BLOCKS, _MOST_BLOCKS, _N_SAMPLED = 4000, 12, 3
_K = 11


class Population:
    """Blocks of persons, and sets that are unions of some of them with a few persons more."""

    def __init__(self, n_persons: int, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        ends = np.sort(self.random.choice(n_persons, _N_BLOCKS - 1, replace=False))
        self.edges = np.concatenate([[0], ends, [n_persons]])
        told = [told_by(self.block(number)) for number in range(_N_BLOCKS)]
        self.counts = np.array([counts for counts, _ in told])
        self.sums = np.array([total for _, total in told], dtype=np.uint64)

    def block(self, number: int) -> Persons:
        """The persons of a block."""
        return np.arange(self.edges[number], self.edges[number + 1], dtype=np.int64)

    def sets(self, n_sets: int) -> Sets:
        """Random unions."""
        ends = []
        counts, sums = np.zeros((n_sets, N_CLASSES), np.int32), np.zeros(n_sets, np.uint64)
        for number in range(n_sets):
            first, n_blocks = self.random.integers(_N_BLOCKS - _MOST_BLOCKS), self.random.integers(1, _MOST_BLOCKS)
            n_extra = int(self.random.integers(1, 20)) if self.random.random() < 3 / n_sets else 0
            beyond = np.arange(self.edges[first + n_blocks], self.edges[first + n_blocks] + n_extra, dtype=np.int64)
            ends.append((self.edges[first], self.edges[first + n_blocks] + n_extra))
            more, total = told_by(beyond)
            blocks = slice(first, first + n_blocks)
            counts[number] = self.counts[blocks].sum(axis=0) + more
            sums[number] = (int(self.sums[blocks].sum(dtype=np.uint64)) + total) % 2**64
        return Sets(counts, sums, lambda number: np.arange(*ends[number], dtype=np.int64))


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--earlier", type=int, default=100_000)
    parser.add_argument("--new", type=int, default=400)
    parser.add_argument("--persons", type=int, default=68_000_000)
    asked = parser.parse_args()
    population = Population(asked.persons, 1)
    old, new = population.sets(asked.earlier), population.sets(asked.new)
    began, began_cpu = time.perf_counter(), time.process_time()
    found = list(collisions(new, old, _K))
    seconds, cpu = time.perf_counter() - began, time.process_time() - began_cpu
    some = np.linspace(0, asked.earlier - 1, 300).astype(int)
    maps = [BitMap(old.persons(int(number))) for number in some]
    began_cpu = time.process_time()
    for number in range(_N_SAMPLED):
        target = BitMap(new.persons(number))
        for one in maps:
            target.symmetric_difference_cardinality(one)
    slow = (time.process_time() - began_cpu) / _N_SAMPLED / len(maps) * asked.new * asked.earlier
    print(
        json.dumps(
            [
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
        )
    )


if __name__ == "__main__":
    main()
