"""Hosting: whether the host still has what it was given."""

from __future__ import annotations

import typer

from enclos.cli.application import Dir, Json, application, passphrase
from enclos.cli.console import progress_bars, show

hosting_commands = typer.Typer(help="The host: is all still there, and unaltered.", no_args_is_help=True)
application.add_typer(hosting_commands, name="hosting")


@hosting_commands.command("verify")
def hosting_verify(directory: Dir, *, as_json: Json = False) -> None:
    """Read every object of the lake and compare it with what was stored; needs no trust in the host.

    Example: enclos hosting verify france
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.hosting import verify_hosting

    with open_enclosure(directory, passphrase) as enclosure, progress_bars() as report:
        show(verify_hosting(enclosure, report=report), as_json=as_json)
