"""What is kept of tables with hidden cells: the optimiser of release against the field's heuristics.

    PYTHONPATH=src python bench/suppression.py [--seeds N]

Random tables of counts with their margins: two and three ways, and two ways with regions above departments. Cells of
1 to 10 are hidden. Then more is, by: nothing else; a second cell in each sum (as sdcTable's simple heuristic); the
hypercube method (Repsilber; as tau-argus' GHMITER: the cheapest box whose corners give the cell room); HITAS (de Wolf
2002: each simple table of a hierarchy by itself, from the top, until none changes); a greedy choice as release starts
from; its optimiser. Every cell costs the same.

Prints for each the cells hidden beside the small ones, the share of cells kept, and how many hidden small cells an
attacker who solves all margins at once still bounds to fewer than 11 values. All meet the same tables and attacker.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from enclos.release.rules.arrays import Bools
from enclos.release.rules.attack import Relation, System, exposed, system_of
from enclos.release.rules.optimum import cheapest, without_needless

K = 11
Cell = tuple[int, ...]
TOTAL = -1


@dataclass(frozen=True)
class Table:
    """Cells by their places, totals as TOTAL; and what adds up to what."""

    cells: dict[Cell, int]
    sums: list[tuple[Cell, list[Cell]]]
    """A total, and its parts."""

    @property
    def primary(self) -> Bools:
        return np.array([0 < n < K for n in self.cells.values()])

    def system(self, sums: list[tuple[Cell, list[Cell]]] | None = None) -> System:
        at = {cell: number for number, cell in enumerate(self.cells)}
        values = list(self.cells.values())
        relations = [
            Relation(((at[total], -1), *((at[part], 1) for part in parts)), is_equation=True)
            for total, parts in (self.sums if sums is None else sums)
        ]
        required = [K if 0 < n < K else 0 for n in values]
        return system_of(values, required, [False] * len(values), [1] * len(values), relations)


def ways(shape: tuple[int, ...], seed: int) -> Table:
    """A table of so many ways, with all margins."""
    random = np.random.default_rng(seed)
    inner = random.poisson(random.gamma(0.7, 90, size=shape))
    cells: dict[Cell, int] = {}
    for cell in itertools.product(*(range(TOTAL, n) for n in shape)):
        part = inner[tuple(slice(None) if at == TOTAL else at for at in cell)]
        cells[cell] = int(part.sum())
    sums = []
    for cell in cells:
        for way, n in enumerate(shape):
            if cell[way] == TOTAL:
                sums.append((cell, [(*cell[:way], at, *cell[way + 1 :]) for at in range(n)]))
    return Table(cells, sums)


def regions(n_regions: int, n_each: int, n_columns: int, seed: int) -> Table:
    """Departments in regions by a second way; place: region, department, column."""
    random = np.random.default_rng(seed)
    inner = random.poisson(random.gamma(0.7, 90, size=(n_regions, n_each, n_columns)))
    cells: dict[Cell, int] = {}
    sums: list[tuple[Cell, list[Cell]]] = []
    columns = range(TOTAL, n_columns)
    for column in columns:
        part = inner if column == TOTAL else inner[..., column : column + 1]
        cells[TOTAL, TOTAL, column] = int(part.sum())
        sums.append(((TOTAL, TOTAL, column), [(region, TOTAL, column) for region in range(n_regions)]))
        for region in range(n_regions):
            cells[region, TOTAL, column] = int(part[region].sum())
            sums.append(((region, TOTAL, column), [(region, each, column) for each in range(n_each)]))
            for each in range(n_each):
                cells[region, each, column] = int(part[region, each].sum())
    sums += [(cell, [(*cell[:2], at) for at in range(n_columns)]) for cell in list(cells) if cell[2] == TOTAL]
    return Table(cells, sums)


def nothing_else(table: Table) -> Bools:
    return table.primary


def hypercube(table: Table) -> Bools:
    """For each small cell the box of cells with the fewest not yet hidden, whose corners leave room for 11 values."""
    names = list(table.cells)
    at = {cell: number for number, cell in enumerate(names)}
    hidden = table.primary.copy()
    lines: dict[Cell, list[list[Cell]]] = defaultdict(list)
    for total, parts in table.sums:
        for cell in (total, *parts):
            lines[cell].append([other for other in (total, *parts) if other != cell])
    for number in np.flatnonzero(table.primary).tolist():
        best: tuple[int, int, list[int]] | None = None
        for box, room in _boxes(table, names[number], lines):
            new = [at[cell] for cell in box if not hidden[at[cell]]]
            rank = (len(new), -room)
            if room >= K and (best is None or rank < best[:2]):
                best = (*rank, new)
        if best is not None:
            hidden[best[2]] = True
    return hidden


def _boxes(table: Table, cell: Cell, lines: dict[Cell, list[list[Cell]]]) -> Iterator[tuple[list[Cell], int]]:
    """Boxes with a corner there: another place in each way, all corners in the table; and the room they leave."""
    others = [
        sorted({other[way] for line in lines[cell] for other in line if _along(cell, other, way)})
        for way in range(len(cell))
    ]
    used = [way for way, each in enumerate(others) if each]
    for places in itertools.product(*(others[way] for way in used)):
        corners = []
        for flips in itertools.product((0, 1), repeat=len(used)):
            corner = list(cell)
            for way, place, flip in zip(used, places, flips, strict=True):
                corner[way] = place if flip else cell[way]
            # Along a way, a part against another part changes its sign; against the total it does not.
            sign = 1
            for way, place, flip in zip(used, places, flips, strict=True):
                if flip and TOTAL not in (place, cell[way]):
                    sign = -sign
            corners.append((tuple(corner), sign))
        if not all(corner in table.cells and (table.cells[corner] or corner == cell) for corner, _ in corners):
            continue
        down = [table.cells[corner] for corner, sign in corners if sign > 0]
        up = [table.cells[corner] for corner, sign in corners if sign < 0]
        yield [corner for corner, _ in corners], min(down) + (min(up) if up else K)


def _along(cell: Cell, other: Cell, way: int) -> bool:
    return other[way] != cell[way] and other[:way] + other[way + 1 :] == cell[:way] + cell[way + 1 :]


def greedy(table: Table, system: System | None = None, start: Bools | None = None) -> Bools:
    """The smallest shown cell that shares a sum with an exposed one, until none is."""
    system = table.system() if system is None else system
    hidden = (table.primary if start is None else start).copy()
    matrix = system.matrix.tocsc()
    while len(narrow := exposed(system, hidden)):
        chosen: set[int] = set()
        for number in narrow.tolist():
            rows = matrix[:, number].indices
            near = np.unique(system.matrix[rows].indices)
            shown = near[~hidden[near]]
            if not len(shown):  # tied through hidden ones: any other
                shown = np.flatnonzero(~hidden)
            if len(shown) and not chosen.intersection(shown.tolist()):
                short = np.maximum(system.required[number] - system.values[shown], 0)
                chosen.add(int(shown[np.lexsort((system.values[shown], short))[0]]))
        if not chosen:
            break
        hidden[list(chosen)] = True
    return hidden


def optimum(table: Table, system: System | None = None, start: Bools | None = None) -> Bools:
    """What release hides, each cell at the same cost."""
    system = table.system() if system is None else system
    always = table.primary if start is None else start
    chosen = greedy(table, system, always)
    costs = np.ones(len(always))
    found = greedy(table, system, cheapest(system, always, chosen, costs, {}))
    found = without_needless(system, always, found, costs, {})
    return found if found.sum() < chosen.sum() else chosen


def simple(table: Table) -> Bools:
    """In each sum where one cell alone is hidden, the smallest other that is not nothing, until none is left alone."""
    at = {cell: number for number, cell in enumerate(table.cells)}
    hidden, alone = table.primary.copy(), True
    while alone:
        alone = False
        for total, parts in table.sums:
            line = [at[cell] for cell in (total, *parts)]
            shown = [number for number in line if not hidden[number] and list(table.cells.values())[number]]
            if sum(hidden[line]) == 1 and shown:
                hidden[min(shown, key=lambda number: list(table.cells.values())[number])] = alone = True
    return hidden


def hitas(table: Table) -> Bools:
    """Each simple table of the hierarchy by itself, from the top, what is hidden in one being small in the next."""
    by_region: dict[int, list[tuple[Cell, list[Cell]]]] = defaultdict(list)
    for total, parts in table.sums:
        if total[1] != TOTAL:
            by_region[total[0]].append((total, parts))  # a department's columns
        elif parts[0][1] != TOTAL:
            by_region[total[0]].append((total, parts))  # a region's departments
        else:
            for region in {total[0]} if total[0] != TOTAL else {TOTAL}:
                by_region[region].append((total, parts))  # a region's columns
            if total[0] != TOTAL:
                by_region[TOTAL].append((total, parts))
    hidden = table.primary.copy()
    for _ in range(10):
        before = hidden.copy()
        for region in sorted(by_region):
            system = table.system(by_region[region])
            wanted = np.where(hidden & (system.required == 0) & (system.values > 0), 1, system.required)
            narrowed = System(
                system.values, wanted, system.signed, system.reach, system.matrix, system.is_equation, system.slack
            )
            hidden = optimum(table, narrowed, hidden)
        if (hidden == before).all():
            break
    return hidden


METHODS: dict[str, Callable[[Table], Bools]] = {
    "nothing else": nothing_else,
    "simple": simple,
    "hypercube": hypercube,
    "greedy": greedy,
    "optimiser": optimum,
}


def main() -> None:
    """Print one line of JSON for each kind of table and method."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    n_seeds = parser.parse_args().seeds
    kinds: dict[str, Callable[[int], Table]] = {
        "8 x 6": lambda seed: ways((8, 6), seed),
        "12 x 10": lambda seed: ways((12, 10), seed),
        "5 x 4 x 3": lambda seed: ways((5, 4, 3), seed),
        "4 regions of 4 x 5": lambda seed: regions(4, 4, 5, seed),
    }
    for kind, make in kinds.items():
        tables = [make(seed) for seed in range(n_seeds)]
        methods = {**METHODS, "HITAS": hitas} if "regions" in kind else METHODS
        for method, hide in methods.items():
            started = perf_counter()
            found = [hide(table) for table in tables]
            seconds = perf_counter() - started
            n_cells = sum(len(table.cells) for table in tables)
            n_small = sum(int(table.primary.sum()) for table in tables)
            n_hidden = sum(int(each.sum()) for each in found)
            n_exposed = sum(len(exposed(table.system(), each)) for table, each in zip(tables, found, strict=True))
            said = {
                "table": kind,
                "method": method,
                "n_small": n_small,
                "n_more_hidden": n_hidden - n_small,
                "share_kept": round(1 - n_hidden / n_cells, 3),
                "n_exposed": n_exposed,
                "seconds": round(seconds / n_seeds, 2),
            }
            print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
