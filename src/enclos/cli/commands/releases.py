"""Release: ask, check, vote, export, verify."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from enclos.cli.application import Dir, Json, PermitId, User, application, passphrase
from enclos.cli.console import show

release_commands = typer.Typer(
    help="Release: results leave when every check and two people say so.", no_args_is_help=True
)
application.add_typer(release_commands, name="release")


@release_commands.command("request")
def release_request(
    directory: Dir,
    permit: PermitId,
    user: User,
    run: Annotated[str, typer.Option("--run", metavar="RUN")],
    purpose: Annotated[str, typer.Option("--purpose", metavar="TEXT")],
    *,
    as_json: Json = False,
) -> None:
    """Ask for a result to leave; the machine answers at once.

    Example: enclos release request france --permit FR-2026-0042 --user alice@example.org --run RUN --purpose "paper"
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.releases import request

    with open_enclosure(directory, passphrase) as enclosure:
        show(request(enclosure, permit=permit, user=user, run=run, purpose=purpose), as_json=as_json)


@release_commands.command("check")
def release_check(
    directory: Dir, request: Annotated[str, typer.Argument(metavar="REQUEST")], *, as_json: Json = False
) -> None:
    """The machine's evidence on a request.

    Example: enclos release check france REQUEST
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.releases import evidence

    with open_enclosure(directory, passphrase) as enclosure:
        show(evidence(enclosure, request), as_json=as_json)


@release_commands.command("show")
def release_show(
    directory: Dir, request: Annotated[str, typer.Argument(metavar="REQUEST")], *, as_json: Json = False
) -> None:
    """One request with its state and votes.

    Example: enclos release show france REQUEST
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.releases import show_one

    with open_enclosure(directory, passphrase) as enclosure:
        show(show_one(enclosure, request), as_json=as_json)


@release_commands.command("review")
def release_review(
    directory: Dir,
    request: Annotated[str, typer.Argument(metavar="REQUEST")],
    user: User,
    accept: Annotated[bool, typer.Option("--accept/--refuse")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT")],
    *,
    as_json: Json = False,
) -> None:
    """Vote on a request; two different persons, neither of the project, must accept.

    Example: enclos release review france REQUEST --user carol@example.org --accept --reason "counts and context fit"
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.releases import review

    with open_enclosure(directory, passphrase) as enclosure:
        show(review(enclosure, request, user=user, accept=accept, reason=reason), as_json=as_json)


@release_commands.command("export")
def release_export(
    directory: Dir,
    request: Annotated[str, typer.Argument(metavar="REQUEST")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A folder, or a file ending in .zip.")],
    *,
    as_json: Json = False,
) -> None:
    """Write the accepted result as a signed RO-Crate.

    Example: enclos release export france REQUEST package.zip
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.releases import export

    with open_enclosure(directory, passphrase) as enclosure:
        show(export(enclosure, request, out), as_json=as_json)


@release_commands.command("list")
def release_list(directory: Dir, *, as_json: Json = False) -> None:
    """All requests with their states.

    Example: enclos release list france
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.releases import list_all

    with open_enclosure(directory, passphrase) as enclosure:
        show(list_all(enclosure), as_json=as_json)


@release_commands.command("verify")
def release_verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A package: folder or .zip.")],
    key: Annotated[
        str, typer.Option("--key", metavar="HEX", help="The release key that you trust (64 hex digits).")
    ] = "",
    *,
    as_json: Json = False,
) -> None:
    """Check a package with nothing but its files and a public key.

    Example: enclos release verify package.zip --key 3f2a…
    """
    from enclos.app.releases import verify

    show(verify(file, key), as_json=as_json)
