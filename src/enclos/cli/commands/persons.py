"""Persons: who is one person."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from enclos.cli.application import Dir, Json, application, passphrase
from enclos.cli.console import progress_bars, show


@application.command()
def link(
    directory: Dir,
    truth: Annotated[Path | None, typer.Option("--truth", metavar="DIR", help="truth/ of a synthetic France.")] = None,
    *,
    as_json: Json = False,
) -> None:
    """Decide which records belong to one person; temporary ids are destroyed afterwards.

    Example: enclos link france --truth france-data/truth
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.persons import link_persons

    with open_enclosure(directory, passphrase) as enclosure, progress_bars() as report:
        show(link_persons(enclosure, truth=truth, report=report), as_json=as_json)
