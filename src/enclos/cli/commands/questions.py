"""A citizen's question: am I in, and which projects used my data?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from enclos.cli.application import Dir, Json, application, passphrase, text_of
from enclos.cli.commands.reidentify import KeysPlace, SourceId
from enclos.cli.commands.rights import typed_identity
from enclos.cli.console import show

if TYPE_CHECKING:
    from enclos.pseudonyms.model import Objector

question_commands = typer.Typer(
    help="A citizen's question: am I in, and which projects used my data?", no_args_is_help=True
)
application.add_typer(question_commands, name="question")

DeskDir = Annotated[Path, typer.Argument(metavar="DESKDIR", help="The desk's own folder.")]
AskedFile = Annotated[Path, typer.Argument(metavar="ENCLOSURE", help="What the enclosure gave when it accepted.")]
Out = Annotated[Path, typer.Argument(metavar="OUT", help="The file to write.")]


@question_commands.command("desk")
def question_desk(
    folder: DeskDir,
    source: SourceId,
    keys: KeysPlace = "file",
    *,
    as_json: Json = False,
) -> None:
    """At a desk that knows identities: make its key, and desk.json to hand out.

    Example: enclos question desk hosp-a-desk --source hosp-a
    """
    from enclos.app.desks import make_desk

    show(make_desk(folder, source=source, passphrase=passphrase, place=keys), as_json=as_json)


@question_commands.command("accept")
def question_accept(
    directory: Dir,
    desk: Annotated[Path, typer.Argument(metavar="DESK", help="desk.json of the desk.")],
    out: Out,
    *,
    as_json: Json = False,
) -> None:
    """Let a desk ask for the persons of its source; OUT is what it needs to ask.

    Example: enclos question accept home desk.json home.json
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.questions import accept

    with open_enclosure(directory, passphrase) as enclosure:
        show(accept(enclosure, desk, out), as_json=as_json)


@question_commands.command("dismiss")
def question_dismiss(
    directory: Dir, source: Annotated[str, typer.Argument(metavar="SOURCE")], *, as_json: Json = False
) -> None:
    """Let nobody ask for the persons of a source any more.

    Example: enclos question dismiss home hosp-a
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.questions import dismiss

    with open_enclosure(directory, passphrase) as enclosure:
        show(dismiss(enclosure, source), as_json=as_json)


@question_commands.command("ask")
def question_ask(
    folder: DeskDir,
    enclosure: AskedFile,
    out: Out,
    key: Annotated[
        Path | None,
        typer.Option("--key", metavar="KEYDIR", help="Ask for an identity; this source's key replaces it."),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", metavar="FILE", help="One line source;pseudonym;rank under this header.")
    ] = None,
    days: Annotated[int, typer.Option("--days", min=1, max=31, help="How long it may be answered.")] = 31,
    *,
    as_json: Json = False,
) -> None:
    """At the desk: write a question about one person; the identity is typed unseen and not kept.

    Example: enclos question ask hosp-a-desk france.json question.json --key hosp-a-key
    """
    from enclos.app.desks import ask

    asked = _asked(key, file)
    show(ask(folder, enclosure, out, asked=asked, passphrase=passphrase, days=days), as_json=as_json)


@question_commands.command("answer")
def question_answer(
    directory: Dir,
    question: Annotated[Path, typer.Argument(metavar="QUESTION", help="What the desk wrote.")],
    out: Out,
    *,
    as_json: Json = False,
) -> None:
    """Answer a question into a file that its desk alone can open.

    Example: enclos question answer home question.json answer.json
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.questions import answer

    with open_enclosure(directory, passphrase) as enclosure:
        show(answer(enclosure, question, out), as_json=as_json)


@question_commands.command("open")
def question_open(
    folder: DeskDir,
    answer: Annotated[Path, typer.Argument(metavar="ANSWER", help="What the enclosure wrote.")],
    enclosure: AskedFile,
    *,
    as_json: Json = False,
) -> None:
    """At the desk: read an answer, once the enclosure's ledger is found to hold it; needs no enclosure.

    Example: enclos question open hosp-a-desk answer.json france.json
    """
    from enclos.app.desks import open_one

    show(open_one(folder, answer, enclosure, passphrase=passphrase), as_json=as_json)


def _asked(key: Path | None, file: Path | None) -> Objector:
    from enclos.pseudonyms.steps.objections import read_objections

    if key is not None and file is None:
        return typed_identity(key)
    if file is None or key is not None:
        raise typer.BadParameter("give either --key or --file")
    found = read_objections(text_of(file))
    if len(found) != 1:
        raise typer.BadParameter("a question is about one person")
    return found[0]
