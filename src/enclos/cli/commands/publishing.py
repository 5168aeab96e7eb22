"""What the enclosure tells the public."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from enclos.cli.application import Dir, Json, application, passphrase
from enclos.cli.console import show


@application.command()
def register(directory: Dir, out: Annotated[Path, typer.Argument(metavar="OUT")], *, as_json: Json = False) -> None:
    """Write the public register of permits and releases as static pages, with their proofs.

    Example: enclos register france /srv/www/register
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.register import export_register

    with open_enclosure(directory, passphrase) as enclosure:
        show(export_register(enclosure, out), as_json=as_json)
