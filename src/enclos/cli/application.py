"""The application that every command registers with, and the parameters that commands share."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from enclos.signin.model import Role

if TYPE_CHECKING:
    from enclos.app.enclosure import Enclosure

application = typer.Typer(
    name="enclos",
    help="A secure processing environment for national health data.",
    no_args_is_help=True,
    add_completion=False,
    context_settings={"max_content_width": 120},
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
Dir = Annotated[Path, typer.Argument(metavar="DIR", help="The enclosure's folder.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]
Workers = Annotated[
    int | None,
    typer.Option("--workers", metavar="N", min=1, help="Spread buckets over N processes, else as enclos.toml says."),
]
On = Annotated[
    str, typer.Option("--on", metavar="spark[:MASTER]", help="Have buckets looked at by this Spark, as the guide says.")
]
User = Annotated[str, typer.Option("--user", metavar="U", help="Who asks: the id that the permit names.")]
PermitId = Annotated[str, typer.Option("--permit", metavar="P", help="The permit's id.")]


def _version(asked: bool) -> None:
    if asked:
        from enclos.lexicon.version import __version__

        sys.stdout.write(f"enclos {__version__}\n")
        raise typer.Exit


@application.callback()
def _enclos(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


@contextmanager
def acting(directory: Path, user: str, role: Role) -> Iterator[Enclosure]:
    """The enclosure, opened for a person who acts in a role; where it demands so, they have signed in as themselves.

    Refuses: SIGN_IN_MISSING, SIGN_IN_TOKEN, SIGN_IN_ROLE; what opening refuses.
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.sign_in import check_is_signed_in
    from enclos.stores.token_files import kept_token

    with open_enclosure(directory, passphrase) as enclosure:
        if enclosure.settings.sign_in.required:
            check_is_signed_in(enclosure, kept_token(enclosure.settings.ledger.origin), user, role)
        yield enclosure


def passphrase(*, confirm: bool = False) -> str:
    """The key store's passphrase from ENCLOS_PASSPHRASE, or from a prompt on a terminal."""
    given = os.environ.get("ENCLOS_PASSPHRASE")
    if given:
        return given
    if not sys.stdin.isatty():
        raise typer.BadParameter("no passphrase: export ENCLOS_PASSPHRASE=…, since there is no terminal to ask on")
    asked: str = typer.prompt("Passphrase of the key store", hide_input=True, confirmation_prompt=confirm, err=True)
    return asked


def text_of(file: Path) -> str:
    """The text of a file that a person named, without the mark that editors of Windows put before it."""
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise typer.BadParameter(_why_unread(file, "as UTF-8 text")) from None


def bytes_of(file: Path) -> bytes:
    """The content of a file that a person named."""
    try:
        return file.read_bytes()
    except OSError:
        raise typer.BadParameter(_why_unread(file)) from None


def _why_unread(file: Path, how: str = "") -> str:
    if not file.exists():
        return f"there is no file {file.name} here; look at its path"
    if file.is_dir():
        return f"{file.name} is a folder; name a file"
    return f"{file.name} cannot be read {how}".rstrip()
