"""Release: ask, check, vote, export, verify."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from enclos.cli.application import Dir, Json, PermitId, User, acting, application, passphrase
from enclos.cli.console import hint, show
from enclos.signin.model import Role

release_commands = typer.Typer(
    help="Release: results leave when every check and two people say so.", no_args_is_help=True
)
application.add_typer(release_commands, name="release")


Tables = Annotated[
    list[str] | None,
    typer.Option("--table", metavar="TYPE", help="A result type, e.g. incidence; may be given again. All when absent."),
]
Request = Annotated[str, typer.Argument(metavar="REQUEST")]
Text = Annotated[str, typer.Option("--text", metavar="TEXT", help="The question or the answer.")]


@release_commands.command("request")
def release_request(
    directory: Dir,
    permit: PermitId,
    user: User,
    run: Annotated[str, typer.Option("--run", metavar="RUN", help="What `enclos study` called its run.")],
    purpose: Annotated[str, typer.Option("--purpose", metavar="TEXT", help="What the result is for, in words.")],
    table: Tables = None,
    *,
    as_json: Json = False,
) -> None:
    """Ask for a result to leave; the machine answers at once.

    Example: enclos release request home --permit FR-2026-0001 --user alice@example.org --run RUN --purpose "paper"
    """
    from enclos.app.releases import request
    from enclos.app.tables import refuse_file

    refuse_file(run)
    with acting(directory, user, Role.RESEARCHER) as enclosure:
        answer = request(enclosure, permit=permit, user=user, run=run, purpose=purpose, tables=table or ())
        show(answer, as_json=as_json)
    if answer["verdict"] == "refuse":
        who = f"--permit {permit} --user {user}"
        hint(f"enclos release check {directory} {run} {who} says what may leave", as_json=as_json)
    else:
        hint(f"two persons outside the project: enclos release review {directory} {answer['request']}", as_json=as_json)


@release_commands.command("check")
def release_check(
    directory: Dir,
    what: Annotated[str, typer.Argument(metavar="RUN|REQUEST", help="A run, with --permit and --user; or a request.")],
    permit: Annotated[str, typer.Option("--permit", metavar="PERMIT", help="With a run: its permit.")] = "",
    user: Annotated[str, typer.Option("--user", metavar="USER", help="With a run: who asks.")] = "",
    table: Tables = None,
    *,
    as_json: Json = False,
) -> None:
    """What a request for a run would be answered, and the nearest version that hides nothing; or a request's evidence.

    Example: enclos release check home RUN --permit FR-2026-0001 --user alice@example.org
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.looks import evidence
    from enclos.app.releases import check
    from enclos.app.tables import refuse_file

    if bool(permit) != bool(user):
        raise typer.BadParameter("A run is checked with --permit and --user, a request with neither.")
    refuse_file(what)
    with acting(directory, user, Role.RESEARCHER) if user else open_enclosure(directory, passphrase) as enclosure:
        found = check(enclosure, permit=permit, user=user, run=what, tables=table or ()) if permit else None
        show(found or evidence(enclosure, what), as_json=as_json)


@release_commands.command("ask")
def release_ask(directory: Dir, request: Request, user: User, text: Text, *, as_json: Json = False) -> None:
    """Ask the project about a request, as a reviewer; until it answers, nobody can accept.

    Example: enclos release ask home REQUEST --user carol@example.org --text "Why are ages below 18 shown?"
    """
    from enclos.app.releases import ask

    with acting(directory, user, Role.CHECKER) as enclosure:
        show(ask(enclosure, request, user=user, text=text), as_json=as_json)


@release_commands.command("answer")
def release_answer(
    directory: Dir,
    request: Request,
    user: User,
    text: Text,
    question: Annotated[int, typer.Option("--question", metavar="N", help="Its number in `release show`.")] = 1,
    *,
    as_json: Json = False,
) -> None:
    """Answer a reviewer's question, as somebody of the project.

    Example: enclos release answer home REQUEST --user alice@example.org --question 1 --text "They are controls."
    """
    from enclos.app.releases import answer

    with acting(directory, user, Role.RESEARCHER) as enclosure:
        show(answer(enclosure, request, question, user=user, text=text), as_json=as_json)


@release_commands.command("show")
def release_show(
    directory: Dir,
    request: Annotated[str, typer.Argument(metavar="REQUEST")],
    user: Annotated[
        str, typer.Option("--user", metavar="USER", help="A reviewer, who is shown every number that would leave.")
    ] = "",
    *,
    as_json: Json = False,
) -> None:
    """One request with its state, questions and votes; to a reviewer also its study and each number that would leave.

    Example: enclos release show home REQUEST --user carol@example.org
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.looks import look, show_one

    with acting(directory, user, Role.CHECKER) if user else open_enclosure(directory, passphrase) as enclosure:
        shown = look(enclosure, request, user=user) if user else show_one(enclosure, request)
        show(shown, as_json=as_json)


@release_commands.command("review")
def release_review(
    directory: Dir,
    request: Annotated[str, typer.Argument(metavar="REQUEST")],
    user: User,
    accept: Annotated[bool, typer.Option("--accept/--refuse", help="The vote.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, in a sentence.")],
    content: Annotated[
        str, typer.Option("--content", metavar="HASH", help="What `release show --user` showed; refused if it changed.")
    ] = "",
    *,
    as_json: Json = False,
) -> None:
    """Vote on a request; two different persons, neither of the project, must accept.

    Example: enclos release review home REQUEST --user carol@example.org --accept --reason "counts and context fit"
    """
    from enclos.app.releases import review

    with acting(directory, user, Role.CHECKER) as enclosure:
        answer = review(enclosure, request, user=user, accept=accept, reason=reason, content=content)
        show(answer, as_json=as_json)


@release_commands.command("export")
def release_export(
    directory: Dir,
    request: Annotated[str, typer.Argument(metavar="REQUEST")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A folder, or a file ending in .zip.")],
    recipient: Annotated[
        str, typer.Option("--to", metavar="USER", help="A person of the permit, once each; the author when absent.")
    ] = "",
    *,
    as_json: Json = False,
) -> None:
    """Write the accepted result as a signed RO-Crate.

    Example: enclos release export home REQUEST package.zip
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.releases import export

    with open_enclosure(directory, passphrase) as enclosure:
        show(export(enclosure, request, out, recipient=recipient), as_json=as_json)
    hint(f"anyone can check it: enclos release verify {out} --key RELEASE_KEY", as_json=as_json)


@release_commands.command("list")
def release_list(
    directory: Dir,
    user: Annotated[
        str, typer.Option("--user", metavar="USER", help="A reviewer: only what waits for their vote, or has it.")
    ] = "",
    *,
    as_json: Json = False,
) -> None:
    """All requests with their states, how long they waited, and how much left under each permit; or a reviewer's queue.

    Example: enclos release list home --user carol@example.org
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.looks import list_all, queue

    with acting(directory, user, Role.CHECKER) if user else open_enclosure(directory, passphrase) as enclosure:
        show(queue(enclosure, user=user) if user else list_all(enclosure), as_json=as_json)


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
