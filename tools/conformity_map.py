"""docs/conformity-map.md: which test of this repository shows which requirement."""

from __future__ import annotations

import ast
import csv
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from enclos.conformity.model import Catalogue, Kind
from enclos.conformity.steps import catalogues

ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / "src" / "enclos" / "conformity" / "catalogues" / "tests.csv"
_HEAD = """# Which test shows which requirement

Generated from `conformity/catalogues/` and its `tests.csv`; a test that is named and is not there stops `make check`.

A requirement is reached by its probes, and a probe by its tests. **Holds**: the test fails when Enclos does not do it.
**Looks**: the test shows that the probe sees it on a machine, good or bad; whether a host does it, an assessment says.
Tests are named without `test_`. Requirements that documents alone can show are counted, not listed.
"""


def tests_by_probe() -> Mapping[str, Sequence[tuple[str, str]]]:
    """For each probe how it is shown, and by which test. Refuses: ValueError when a named test does not exist."""
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    known: dict[str, set[str]] = {}
    with TESTS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            path, _, name = row["test"].partition("::")
            if path not in known:
                file_of = ROOT / path
                tree = ast.parse(file_of.read_text(encoding="utf-8") if file_of.is_file() else "")
                known[path] = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
            if name not in known[path]:
                raise ValueError(f"{TESTS.name} names a test that does not exist: {row['test']}")
            found[row["probe"]].append((row["how"], row["test"]))
    return found


def page() -> tuple[Path, str]:
    """The page and its place."""
    tests = tests_by_probe()
    lines = [_HEAD, *_probes(tests)]
    for catalogue in catalogues().values():
        lines += _catalogue(catalogue, tests)
    return ROOT / "docs" / "conformity-map.md", "\n".join([*lines, ""])


def _probes(tests: Mapping[str, Sequence[tuple[str, str]]]) -> list[str]:
    lines = ["## Probes", "", "| probe | holds | looks |", "|---|---|---|"]
    for probe, found in sorted(tests.items()):
        cells = ["<br>".join(_link(test) for how, test in found if how == wanted) for wanted in ("holds", "looks")]
        lines.append(f'| <a id="{_anchor(probe)}"></a>`{probe}` | {cells[0] or "–"} | {cells[1] or "–"} |')
    return [*lines, ""]


def _anchor(probe: str) -> str:
    return "p-" + probe.replace(".", "-").replace(":", "-")


def _link(test: str) -> str:
    path, _, name = test.partition("::")
    return f"[{name.removeprefix('test_')}](../{path})"


def _catalogue(catalogue: Catalogue, tests: Mapping[str, Sequence[tuple[str, str]]]) -> list[str]:
    own = [each for each in catalogue.requirements if each.kind is not Kind.DOCUMENT]
    shown = [each for each in own if any(probe in tests for probe in each.probes)]
    whole = [each for each in shown if all(probe in tests for probe in each.probes)]
    counts = (
        f"{len(catalogue.requirements)} requirements ({catalogue.status.value}): {len(whole)} with a test for each of "
        f"their probes, {len(shown) - len(whole)} for some, {len(own) - len(shown)} for none; "
        f"{len(catalogue.requirements) - len(own)} by documents alone."
    )
    head = "| number | in our words | tested by way of | not tested here |"
    lines = [f"## {catalogue.framework}", "", counts, "", head, "|---|---|---|---|"]
    for each in own:
        tested = [f"[`{probe}`](#{_anchor(probe)})" for probe in each.probes if probe in tests]
        rest = [f"`{probe}`" for probe in each.probes if probe not in tests]
        cells = [", ".join(names) or "–" for names in (tested, rest)]
        lines.append(f"| {each.id} | {each.paraphrase.replace('|', '/')} | {cells[0]} | {cells[1]} |")
    return [*lines, ""]
