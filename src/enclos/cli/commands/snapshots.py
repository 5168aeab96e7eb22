"""Snapshots: build one, list them."""

from __future__ import annotations

from typing import Annotated

import typer

from enclos.cli.application import Dir, Json, application, passphrase
from enclos.cli.console import progress_bars, show


@application.command()
def build(
    directory: Dir,
    *,
    account: Annotated[bool, typer.Option("--account", help="What became of every delivered row.")] = False,
    duration: Annotated[
        str | None,
        typer.Option(
            "--duration",
            metavar="RULE",
            help="How long dispensings last: one-box-30, pack-size or ddd; enclos.toml says which otherwise.",
        ),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Make everything anew, whatever could be kept.")] = False,
    as_json: Json = False,
) -> None:
    """Make a new OMOP snapshot of everything that landed; tables that would not change are kept as they are.

    Example: enclos build france --account
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.snapshots import build_omop

    with open_enclosure(directory, passphrase) as enclosure, progress_bars() as report:
        show(build_omop(enclosure, account=account, duration=duration, full=full, report=report), as_json=as_json)


@application.command()
def snapshots(directory: Dir, *, as_json: Json = False) -> None:
    """List the OMOP snapshots of an enclosure.

    Example: enclos snapshots france
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.snapshots import list_snapshots

    with open_enclosure(directory, passphrase) as enclosure:
        show(list_snapshots(enclosure), as_json=as_json)
