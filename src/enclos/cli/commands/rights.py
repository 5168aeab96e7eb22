"""Rights of persons: objections."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from enclos.cli.application import Dir, Json, application, passphrase, text_of
from enclos.cli.console import show

if TYPE_CHECKING:
    from enclos.pseudonyms.model import Objector


class OptOutVerb(StrEnum):
    """What is done with objections."""

    ADD = "add"
    REMOVE = "remove"
    LIST = "list"


@application.command()
def optout(
    directory: Dir,
    verb: Annotated[OptOutVerb, typer.Argument(metavar="add|remove|list")],
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Lines source;pseudonym;rank under this header; - is stdin.")
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option("--key", metavar="KEYDIR", help="Ask for an identity instead; this source's key replaces it."),
    ] = None,
    source: Annotated[str, typer.Option("--source", metavar="S", help="Of a FILE whose lines do not name one.")] = "",
    receipt: Annotated[list[str] | None, typer.Option("--receipt", metavar="R", help="Of an objection.")] = None,
    *,
    as_json: Json = False,
) -> None:
    """Record, withdraw or list objections to the use of a person's data; identities are never kept.

    Example: enclos optout home add objections.csv
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.objections import add_objections, list_all, remove_objections

    n_ways = (file is not None) + (key is not None) + bool(receipt)
    if n_ways != (verb is not OptOutVerb.LIST) or (receipt and verb is not OptOutVerb.REMOVE):
        raise typer.BadParameter("add takes a FILE or --key; remove takes a FILE, --key or --receipt; list takes none")
    objectors = _objectors(file, key, source)
    with open_enclosure(directory, passphrase) as enclosure:
        match verb:
            case OptOutVerb.ADD:
                result = add_objections(enclosure, objectors)
            case OptOutVerb.REMOVE:
                result = remove_objections(enclosure, objectors, receipts=tuple(dict.fromkeys(receipt or ())))
            case OptOutVerb.LIST:
                result = list_all(enclosure)
    show(result, as_json=as_json)


def _objectors(file: Path | None, key: Path | None, source: str) -> tuple[Objector, ...]:
    from enclos.pseudonyms.steps.objections import read_objections

    if key is not None:
        return (typed_identity(key),)
    if file is None:
        return ()
    return read_objections(sys.stdin.read() if str(file) == "-" else text_of(file), source)


def typed_identity(key: Path) -> Objector:
    """One identity, asked for and replaced at once by the pseudonym that the source's key gives it."""
    from enclos.app.senders import pseudonym_of
    from enclos.pseudonyms.model import Objector as One

    nir, birth, sex = (_asked(what) for what in ("NIR", "Birth date (YYYY-MM-DD)", "Sex (1 or 2)"))
    return One(*pseudonym_of(key, passphrase, nir=nir, birth=birth, sex=sex))


def _asked(what: str) -> str:
    """A part of an identity: typed unseen, or the next line of standard input; never an argument, which others see."""
    if sys.stdin.isatty():
        answer: str = typer.prompt(what, hide_input=True, err=True)
        return answer.strip()
    return sys.stdin.readline().strip()
