"""Pooling: what several enclosures released, together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from enclos.cli.application import Json, application
from enclos.cli.console import show


@application.command()
def pool(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A new folder, or a new file that ends in .zip.")],
    packages: Annotated[list[Path], typer.Argument(metavar="PACKAGE…", help="Released packages: folders or .zip.")],
    keys: Annotated[
        list[str], typer.Option("--key", metavar="HEX", help="A release key that you trust; one for each enclosure.")
    ],
    *,
    as_json: Json = False,
) -> None:
    """Pool the released results of one study from several enclosures; only aggregates are read.

    Example: enclos pool pooled north.zip south.zip --key 3f2a… --key 91c0…
    """
    from enclos.app.pooling import pool_packages

    if out.exists():
        raise typer.BadParameter(f"{out.name} exists already; name another place")
    found = pool_packages(packages, keys, out)
    if as_json:
        show(found, as_json=True)
        return
    for question in found["questions"]:
        show({question["title"]: question["lines"]}, as_json=False)
    show({"sites": found["sites"], "out": found["out"]}, as_json=False)
