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

    Example: enclos hosting verify home
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

    Example: enclos move home --to new-host.toml
    """
    from enclos.app.move_target import read_target
    from enclos.app.moving import move_enclosure

    target = read_target(to, directory)
    with progress_bars() as report:
        moved = move_enclosure(
            directory, target, passphrase=passphrase, target_passphrase=_target_passphrase, report=report
        )
    show(moved, as_json=as_json)


@application.command("backup")
def backup(
    directory: Dir,
    to: Annotated[str, typer.Option("--to", metavar="PLACE", help="A folder, or s3://BUCKET/PREFIX?endpoint=…")],
    keep: Annotated[int, typer.Option("--keep", metavar="N", min=0, help="How many backups stay; 0: all.")] = 0,
    *,
    as_json: Json = False,
) -> None:
    """Put all that is new since the last backup at a place that learns nothing; keys are not in it.

    Example: enclos backup home --to backups --keep 30
    """
    from enclos.app.backups import back_up
    from enclos.app.enclosure import open_enclosure

    with open_enclosure(directory, passphrase) as enclosure, progress_bars() as report:
        show(back_up(enclosure, to, keep=keep, report=report), as_json=as_json)


@application.command("restore")
def restore(
    place: Annotated[str, typer.Argument(metavar="PLACE", help="Where the backups are.")],
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="A new folder, or the enclosure that lost data.")],
    keys: Annotated[
        Path | None,
        typer.Option("--keys", metavar="FOLDER", help="For a new folder: what is left of the old one, or its keys."),
    ] = None,
    number: Annotated[
        int | None, typer.Option("--backup", metavar="NUMBER", help="Which; the newest by default.")
    ] = None,
    storage: Annotated[str, typer.Option("--storage", metavar="URL", help="For a new folder: a bucket.")] = "",
    catalog: Annotated[str, typer.Option("--catalog", metavar="URL", help="For a new folder: a database.")] = "",
    *,
    as_json: Json = False,
) -> None:
    """Bring data back as they were at a backup; permits, objections, erasures and the ledger stay as they are now.

    Example: enclos restore backups --to home-again --keys home
    """
    from enclos.app.restoring import restore as bring_back

    with progress_bars() as report:
        restored = bring_back(
            place,
            to,
            passphrase=passphrase,
            survivors=keys,
            backup=number,
            storage=storage,
            catalog=catalog,
            report=report,
        )
    show(restored, as_json=as_json)


@application.command("destroy")
def destroy(
    directory: Dir,
    permit: Annotated[str, typer.Option("--permit", metavar="P", help="The ended permit whose project ends.")] = "",
    confirm: Annotated[str, typer.Option("--confirm", metavar="NAME", help="With --all: the enclosure's name.")] = "",
    reason: Annotated[str, typer.Option("--reason", help="Why; kept as a digest.")] = "",
    *,
    everything: Annotated[bool, typer.Option("--all", help="The whole enclosure.")] = False,
    due: Annotated[bool, typer.Option("--due", help="Only list ended permits and their last days.")] = False,
    as_json: Json = False,
) -> None:
    """Destroy the keys of a project that has ended, or of everything, with a certificate; no copy opens any more.

    Example: enclos destroy home --permit FR-2026-0001 --reason "six months are over"
    """
    from enclos.app.destroying import destroy_all, destroy_permit, list_due
    from enclos.app.enclosure import open_enclosure

    if sum((bool(permit), everything, due)) != 1:
        raise typer.BadParameter("name one of --permit, --all and --due")
    if not (due or reason):
        raise typer.BadParameter("say why: --reason")
    if everything:
        with progress_bars() as report:
            ended = destroy_all(directory, passphrase=passphrase, confirm=confirm, reason=reason, report=report)
        show(ended, as_json=as_json)
        return
    with open_enclosure(directory, passphrase) as enclosure:
        show(list_due(enclosure) if due else destroy_permit(enclosure, permit, reason), as_json=as_json)


def _target_passphrase() -> str:
    return os.environ.get("ENCLOS_TARGET_PASSPHRASE") or passphrase()
