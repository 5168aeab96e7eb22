"""Deliveries: declare, verify, land."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from enclos.cli.application import Dir, Json, application, passphrase
from enclos.cli.console import hint, progress_bars, show

delivery_commands = typer.Typer(help="Deliveries: declare what a folder holds.", no_args_is_help=True)
application.add_typer(delivery_commands, name="delivery")


@delivery_commands.command("make")
def delivery_make(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder that holds the files, or one zip.")],
    kind: Annotated[
        str, typer.Option("--kind", metavar="K", help="snds-dcir, snds-pmsi, snds-ref, fhir-bulk, omop, …")
    ],
    source: Annotated[str, typer.Option("--source", metavar="S", help="The sender's id.")],
    *,
    dates: Annotated[
        str | None,
        typer.Option("--dates", metavar="F", help="DD/MM/YYYY, YYYYMMDD, DDMMYYYY, DDMONYYYY or official; else iso."),
    ] = None,
    decimal: Annotated[
        str | None, typer.Option("--decimal", metavar="SIGN", help="The decimal sign, where it is a comma.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write delivery.json beside files that have none.

    Example: enclos delivery make gibleed --kind omop --source gibleed
    """
    from enclos.app.deliveries import make_delivery

    show(make_delivery(folder, kind=kind, source=source, dates=dates, decimal=decimal), as_json=as_json)


@application.command()
def ingest(
    directory: Dir,
    deliveries: Annotated[list[Path], typer.Argument(metavar="DELIVERY…", help="Folders with a delivery.json.")],
    *,
    as_json: Json = False,
) -> None:
    """Verify deliveries and land them unchanged and encrypted; rejects are kept with their reasons.

    Example: enclos ingest home france/deliveries/*
    """
    from enclos.app.deliveries import ingest_deliveries
    from enclos.app.enclosure import open_enclosure

    with open_enclosure(directory, passphrase) as enclosure, progress_bars() as report:
        landed = ingest_deliveries(enclosure, deliveries, report=report)
    rows = [{name: row[name] for name in row if name != "delivery"} for row in landed["deliveries"]]
    show(landed if as_json else {**landed, "deliveries": rows}, as_json=as_json)
    hint(f"enclos link {directory}, then enclos build {directory}", as_json=as_json)
