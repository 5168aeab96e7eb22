"""Run notebooks in a folder and compare what their cells give with what they show, or with --write keep it.

    python tools/run_notebooks.py [--write] --in FOLDER docs/notebooks/first_study.ipynb …

The folder holds the enclosure ``home`` that the notebooks speak of, and ENCLOS_PASSPHRASE opens it. Texts and tables
are compared, with ids, instants and seconds by their kind; of a picture it is compared that there is one.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from run_pages import comparable

_SECONDS_FOR_A_CELL = 300
_TABLE_NUMBER = re.compile(r'(id="T_|data-vega-)\w+')


def executed(path: Path, folder: Path) -> Any:
    """The notebook with the outputs of this run, in a kernel of this Python; a cell that fails ends it."""
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    for cell in notebook.cells:
        cell.pop("outputs", None)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    place = {"metadata": {"path": str(folder)}}
    client = NotebookClient(notebook, kernel_name="python3", timeout=_SECONDS_FOR_A_CELL, resources=place)
    client.execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    notebook.metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    return notebook


def shown(notebook: Any) -> list[list[str]]:
    """What each cell gives, as far as it is the same in every run."""
    return [[line for output in cell.get("outputs", ()) for line in _lines(output)] for cell in notebook.cells]


def _lines(output: Any) -> list[str]:
    if "text" in output:
        return [comparable(line) for line in output["text"].splitlines()]
    data = output.get("data", {})
    pictures = [kind for kind in sorted(data) if kind.startswith("image/")]
    if pictures:
        return pictures
    return [comparable(_TABLE_NUMBER.sub("", line)) for line in data.get("text/plain", "").splitlines()]


def main() -> int:
    """Run the notebooks that are named."""
    words = sys.argv[1:]
    write, folder, stale = "--write" in words, Path(words[words.index("--in") + 1]).resolve(), 0
    for path in (Path(word) for word in words if word.endswith(".ipynb")):
        known = shown(nbformat.read(path, as_version=4))  # type: ignore[no-untyped-call]
        found = executed(path, folder)
        if write:
            nbformat.write(found, path)  # type: ignore[no-untyped-call]
            continue
        for number, (before, now) in enumerate(zip(known, shown(found), strict=True)):
            if before != now:
                stale += 1
                print(f"{path.name}, cell {number}: shows\n  {before}\nand gives\n  {now}")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
