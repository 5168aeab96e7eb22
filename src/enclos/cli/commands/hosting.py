"""Hosting: whether the host still has what it was given, and how to leave it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

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


@application.command("move")
def move(
    directory: Dir,
    to: Annotated[Path, typer.Option("--to", metavar="FILE", help="TARGET.toml: path, storage, catalog, keys.")],
    *,
    as_json: Json = False,
) -> None:
    """Bring the whole enclosure to another host under new keys, and destroy the keys that it had here.

    People work on meanwhile, but for a last step of seconds. Stopped anywhere, the same command goes on. The passphrase
    of a new key file is ENCLOS_TARGET_PASSPHRASE, else the same one.

    Example: enclos move france --to new-host.toml
    """
    from enclos.app.move_target import read_target
    from enclos.app.moving import move_enclosure

    target = read_target(to)
    with progress_bars() as report:
        moved = move_enclosure(
            directory, target, passphrase=passphrase, target_passphrase=_target_passphrase, report=report
        )
    show(moved, as_json=as_json)


def _target_passphrase() -> str:
    return os.environ.get("ENCLOS_TARGET_PASSPHRASE") or passphrase()
