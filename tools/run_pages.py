"""Run the commands of pages in a fresh folder and compare what they print, or with --write put it into the pages.

    python tools/run_pages.py [--write] [--in FOLDER] docs/tutorial.md …

A page's fenced blocks of ``console`` hold commands after ``$ `` (further lines after ``> ``) and what they print.
``[…]`` stands for any lines. Pages are run one after another in the same folder, as a reader would. Ids, hashes,
instants and seconds differ from run to run: they are compared by their kind, and an id that a later command names is
replaced by this run's.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_FENCE = re.compile(r"^```(\w*)\s*$")
_ELIDED = "[…]"
_ID = re.compile(r"\b(?=[0-9a-f]*[0-9])[0-9a-f]{16,}\b")
_VOLATILE = (
    (re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?"), "<instant>"),
    (_ID, "<id>"),
    (
        re.compile(r"\b(\w*seconds|\w*bytes\w*|size|key\.use|objects|sent|written|n_files): [\d  .,e+-]+"),
        r"\1: <n>",
    ),
    (re.compile(r"^ +\d+  (?=<instant>)"), "<n>  "),
    (re.compile(r"^(<n>  <instant>.*) \d+$"), r"\1 <n>"),
    (re.compile(r"\b\d+(\.\d+)? s\b"), "<n> s"),
    (re.compile(r" {2,}"), "  "),
)
_PROGRESS = re.compile(r"^… ")


@dataclass
class Step:
    """A command of a page, what the page says it prints, and where these lines are."""

    command: str
    expected: list[str]
    first: int
    after: int


def blocks(text: str, *kinds: str) -> Iterator[tuple[int, list[str]]]:
    """The fenced blocks of these kinds, each with the number of its first line."""
    kind, start, held = None, 0, list[str]()
    for number, line in enumerate(text.splitlines()):
        fence = _FENCE.match(line)
        if fence and kind is None:
            kind, start, held = fence.group(1), number + 1, []
        elif line.startswith("```"):
            if kind in kinds:
                yield start, held
            kind = None
        elif kind is not None:
            held.append(line)


def steps(text: str) -> list[Step]:
    """The commands of a page's console blocks with what they print."""
    found: list[Step] = []
    for start, lines in blocks(text, "console"):
        in_block = False
        for number, line in enumerate(lines, start):
            if line.startswith("$ "):
                found.append(Step(line[2:], [], number + 1, number + 1))
                in_block = True
            elif in_block and line.startswith("> ") and not found[-1].expected:
                found[-1].command += "\n" + line[2:]
                found[-1].first = found[-1].after = number + 1
            elif in_block:
                found[-1].expected.append(line)
                found[-1].after = number + 1
    return found


def command_lines(text: str) -> list[str]:
    """Every ``enclos`` command in a page's fenced blocks, without what it is piped to, redirected or commented with."""
    found = []
    for _, lines in blocks(text, "", "sh", "console", "bash"):
        for line in lines:
            shell = shlex.shlex(line.removeprefix("$ "), posix=True, punctuation_chars="|&;<>")
            shell.whitespace_split, shell.commenters = True, "#"
            try:
                words = list(shell)
            except ValueError:  # a quotation that goes on: a document, not a command
                continue
            parts: list[list[str]] = [[]]
            for word in words:
                parts.append([]) if set(word) <= set("|&;") else parts[-1].append(word)
            for part in parts:
                while part and re.fullmatch(r"[A-Z_]+=.*", part[0]):
                    part.pop(0)
                ends = [n for n, word in enumerate(part) if set(word) <= set("<>")]
                if part and part[0] == "enclos":
                    found.append(shlex.join(part[: ends[0]] if ends else part))
    return found


def comparable(line: str) -> str:
    """A line with what differs from run to run replaced by its kind."""
    for pattern, kind in _VOLATILE:
        line = pattern.sub(kind, line)
    return line.rstrip()


def agrees(expected: Sequence[str], printed: Sequence[str]) -> bool:
    """Whether what was printed is what the page says."""
    wanted, got = [comparable(line) for line in expected], [comparable(line) for line in printed]
    if _ELIDED not in wanted:
        return wanted == got
    cut = wanted.index(_ELIDED)
    head, tail = wanted[:cut], wanted[cut + 1 :]
    return len(got) >= cut + len(tail) and got[:cut] == head and (not tail or got[-len(tail) :] == tail)


def as_written(expected: Sequence[str], printed: list[str]) -> list[str]:
    """What was printed, cut where the page cuts it."""
    if _ELIDED not in expected:
        return printed
    cut = list(expected).index(_ELIDED)
    n_tail = len(expected) - cut - 1
    return [*printed[:cut], _ELIDED, *(printed[-n_tail:] if n_tail else [])]


class Reader:
    """Somebody who follows pages in one folder and one shell."""

    def __init__(self, folder: Path, enclos: Path | None = None) -> None:
        self.folder = folder
        self._ids: dict[str, str] = {}
        home = str((enclos or Path(sys.executable).with_name("enclos")).parent)
        environment = {
            **os.environ,
            "PATH": f"{home}{os.pathsep}{os.environ['PATH']}",
            "COLUMNS": "120",
            "XDG_STATE_HOME": str(folder / ".state"),
        }
        environment.pop("ENCLOS_PASSPHRASE", None)
        self._shell = subprocess.Popen(
            ["/bin/bash", "--norc", "--noprofile"],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def close(self) -> None:
        """End the shell."""
        self._shell.stdin.close()  # type: ignore[union-attr]
        self._shell.wait(60)
        self._shell.stdout.close()  # type: ignore[union-attr]

    def run(self, step: Step) -> list[str]:
        """What a command prints, progress left out; ids that it shares with the page are learnt."""
        command = step.command
        for told, own in self._ids.items():
            command = command.replace(told, own)
        end = "--- end of output ---"
        self._shell.stdin.write(f"{command}\necho; echo '{end}'\n")  # type: ignore[union-attr]
        self._shell.stdin.flush()  # type: ignore[union-attr]
        printed: list[str] = []
        for line in self._shell.stdout:  # type: ignore[union-attr]
            if line.rstrip("\n") == end:
                break
            if not _PROGRESS.match(line):
                printed.append(line.rstrip())
        while printed and not printed[-1]:
            printed.pop()
        for told, own in zip(self._found_ids(step.expected, printed), self._found_ids(printed, printed), strict=False):
            self._ids.setdefault(told, own)
        return printed

    @staticmethod
    def _found_ids(lines: Sequence[str], printed: Sequence[str]) -> list[str]:
        """The ids in lines, those that the page elides left out of both sides by what stands before its cut."""
        return [found for line in lines[: len(printed)] for found in _ID.findall(line)]


def follow(pages: Sequence[Path], folder: Path, *, write: bool, tell: Callable[[str], None]) -> int:
    """Run the pages in order; how many commands printed something else than their page says."""
    reader, n_other = Reader(folder), 0
    try:
        for page in pages:
            lines = page.read_text(encoding="utf-8").splitlines()
            shift = 0
            for step in steps("\n".join(lines)):
                printed = reader.run(step)
                if agrees(step.expected, printed):
                    continue
                n_other += 1
                tell(f"{page.name}, line {step.first + shift}: $ {step.command}")
                tell("\n".join(f"    {line}" for line in printed))
                if write:
                    new = as_written(step.expected, printed)
                    lines[step.first + shift : step.after + shift] = new
                    shift += len(new) - (step.after - step.first)
            if write:
                page.write_text("\n".join(lines) + "\n", encoding="utf-8")
    finally:
        reader.close()
    return n_other


def main() -> int:
    """Follow the pages named, in a folder of their own."""
    words = sys.argv[1:]
    write = "--write" in words
    folder = Path(words[words.index("--in") + 1]) if "--in" in words else None
    pages = [Path(word) for word in words if word.endswith(".md")]
    with tempfile.TemporaryDirectory() as fresh:
        n_other = follow(pages, folder or Path(fresh), write=write, tell=lambda text: print(text, flush=True))
    return 0 if write or not n_other else 1


if __name__ == "__main__":
    sys.exit(main())
