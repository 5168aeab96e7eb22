"""Snapshots: build one, list them."""

from __future__ import annotations

from typing import Annotated

import typer

from enclos.cli.application import Dir, Json, On, Workers, application, passphrase
from enclos.cli.console import hint, progress_bars, show

_FOR_PROGRAMS = {"phases", "crossing", "rebuilt", "kept"}
"""What a build gives beside what a person looks for."""


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
    workers: Workers = None,
    on: On = "",
    as_json: Json = False,
) -> None:
    """Make a new OMOP snapshot of everything that landed; tables that would not change are kept as they are.

    Example: enclos build home --account
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.snapshots import build_omop

    with open_enclosure(directory, passphrase) as enclosure, progress_bars() as report:
        built = build_omop(
            enclosure, account=account, duration=duration, full=full, workers=workers, on=on, report=report
        )
    # How long each phase took and what crossed is for programs and engineers.
    show(built if as_json else {name: built[name] for name in built if name not in _FOR_PROGRAMS}, as_json=as_json)
    hint("enclos permit draft -o permit.yaml; or enclos quality, enclos profile to look at it", as_json=as_json)


@application.command()
def explain(
    directory: Dir,
    table: Annotated[str, typer.Argument(metavar="TABLE", help="A table of persons, such as drug_exposure.")],
    number: Annotated[int, typer.Argument(metavar="ID", help="The row's number in that table.")],
    snapshot: Annotated[int | None, typer.Option("--snapshot", help="The newest when not given.")] = None,
    *,
    as_json: Json = False,
) -> None:
    """Tell which delivered lines and which rules made a row of the CDM. For the vault role.

    Example: enclos explain home drug_exposure 8388609
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.lineage import explain_row

    with open_enclosure(directory, passphrase) as enclosure:
        show(explain_row(enclosure, table, number, snapshot=snapshot), as_json=as_json)


@application.command()
def snapshots(directory: Dir, *, as_json: Json = False) -> None:
    """List the OMOP snapshots of an enclosure.

    Example: enclos snapshots home
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.snapshots import list_snapshots

    with open_enclosure(directory, passphrase) as enclosure:
        show(list_snapshots(enclosure), as_json=as_json)
