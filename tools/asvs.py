"""docs/asvs.md: the requirements of OWASP ASVS 5.0.0, levels 1 and 2, with what holds here and which test shows it."""

from __future__ import annotations

import ast
import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "docs" / "asvs.csv"
VERDICTS = ("holds", "does not apply", "outside", "not met")
UNTESTED = "No test: "
_CHAPTERS = (
    "Encoding and sanitization",
    "Validation and business logic",
    "Web frontend",
    "API and web service",
    "File handling",
    "Authentication",
    "Session management",
    "Authorization",
    "Self-contained tokens",
    "OAuth and OIDC",
    "Cryptography",
    "Secure communication",
    "Configuration",
    "Data protection",
    "Secure coding and architecture",
    "Logging and error handling",
    "WebRTC",
)
_HEAD = """# OWASP ASVS, level 2

Generated from `docs/asvs.csv`; a file or test that is named and is not there stops `make check`. Numbers and levels
are those of the [OWASP Application Security Verification Standard 5.0.0](https://github.com/OWASP/ASVS/tree/master/5.0),
all of levels 1 and 2, by the OWASP Foundation under [CC BY-SA 4.0](https://creativecommons.org/licenses/by-sa/4.0/);
what each is about is said in a few words of ours, which do not stand for its text. This page and its table are under
the same licence.

The project's own reading of its own code, not an audit by others. **Holds**: as far as the test beside it shows;
without a test, the remark says why. **Not met**: as a whole; the remark says which part is. **Outside**: the
operator's, or their provider's. **Does not apply**: Enclos has no such thing.
"""


def rows() -> Sequence[Mapping[str, str]]:
    """The table. Refuses: ValueError when a row has another verdict, or names a file or a test that does not exist."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    for row in found:
        if row["verdict"] not in VERDICTS:
            raise ValueError(f"{row['number']} has a verdict of its own")
        for path in row["where"].split():
            if not (ROOT / path).exists():
                raise ValueError(f"{row['number']} names a file that does not exist: {path}")
        for test in row["test"].split():
            path, _, name = test.partition("::")
            if name not in _tests_in(ROOT / path):
                raise ValueError(f"{row['number']} names a test that does not exist: {test}")
        if row["verdict"] == "holds" and not row["test"] and not row["remark"].startswith(UNTESTED):
            raise ValueError(f"{row['number']} holds by nothing that is named")
    return found


def page() -> tuple[Path, str]:
    """The page and its place."""
    table = rows()
    lines = [_HEAD, "| chapter | " + " | ".join(VERDICTS) + " |", "|---" * (len(VERDICTS) + 1) + "|"]
    for number, chapter in enumerate(_CHAPTERS, start=1):
        counted = Counter(row["verdict"] for row in _of(table, number))
        lines.append(f"| {number} {chapter} | " + " | ".join(str(counted[each]) for each in VERDICTS) + " |")
    counted = Counter(row["verdict"] for row in table)
    lines += [f"| all {len(table)} | " + " | ".join(str(counted[each]) for each in VERDICTS) + " |", ""]
    lines += ["## What is not met", ""]
    lines += [f"- {row['number']} {row['what']}: {row['remark']}" for row in table if row["verdict"] == "not met"]
    for number, chapter in enumerate(_CHAPTERS, start=1):
        lines += ["", f"## {number} {chapter}", "", "| number | level | what | verdict | where | test | remark |"]
        lines.append("|---" * 7 + "|")
        lines += [_line(row) for row in _of(table, number)]
    return ROOT / "docs" / "asvs.md", "\n".join([*lines, ""])


@cache
def _tests_in(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8") if path.is_file() else "")
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def _of(table: Sequence[Mapping[str, str]], chapter: int) -> list[Mapping[str, str]]:
    return [row for row in table if row["number"].split(".")[0] == str(chapter)]


def _line(row: Mapping[str, str]) -> str:
    where = " ".join(f"[{path.rpartition('/')[2] or path}](../{path})" for path in row["where"].split())
    tests = "<br>".join(
        f"[{test.partition('::')[2].removeprefix('test_')}](../{test.partition('::')[0]})"
        for test in row["test"].split()
    )
    cells = [row["number"], row["level"], row["what"], row["verdict"], where or "–", tests or "–", row["remark"] or "–"]
    return "| " + " | ".join(cells) + " |"
