"""Persons: who is one person."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

from enclos.cli.application import Dir, Json, application, passphrase
from enclos.cli.console import hint, progress_bars, show


@application.command()
def link(
    directory: Dir,
    truth: Annotated[Path | None, typer.Option("--truth", metavar="DIR", help="truth/ of a synthetic France.")] = None,
    method: Annotated[
        str, typer.Option("--method", metavar="M", help="Of --indirect: deterministic or probabilistic.")
    ] = "probabilistic",
    threshold: Annotated[
        float | None,
        typer.Option("--threshold", metavar="W", help="Agreeing variables (5 to 7), or bits of match weight."),
    ] = None,
    *,
    indirect: Annotated[
        bool, typer.Option("--indirect", help="Link patients without NIR by their stays in the PMSI.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Decide which records belong to one person; temporary ids are destroyed afterwards.

    With --indirect, the stays of hospitals are compared with the PMSI's. A comparison is done once; another
    --threshold decides anew, and the next build follows.

    Example: enclos link home --indirect --method probabilistic --truth france/truth
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.persons import link_persons
    from enclos.linkage.model import Method

    if method not in {each.value for each in Method}:
        raise typer.BadParameter("a method is deterministic or probabilistic")
    if not indirect and threshold is not None:
        raise typer.BadParameter("--threshold goes with --indirect")
    if threshold is not None and not math.isfinite(threshold):
        raise typer.BadParameter("a threshold is a number")
    with open_enclosure(directory, passphrase) as enclosure, progress_bars() as report:
        found = link_persons(
            enclosure,
            truth=truth,
            indirect=Method(method) if indirect else None,
            threshold=threshold,
            report=report,
        )
        show(found, as_json=as_json)
    hint(f"enclos build {directory}", as_json=as_json)
