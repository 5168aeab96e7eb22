"""Re-identification: two named persons, a reason of the list, and the source alone learns who it is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from enclos.cli.application import Dir, Json, PermitId, User, acting, application, passphrase
from enclos.cli.console import show
from enclos.signin.model import Role

reidentify_commands = typer.Typer(
    help="Re-identification: let a source know which of its persons a number stands for.", no_args_is_help=True
)
application.add_typer(reidentify_commands, name="reidentify")

RequestId = Annotated[str, typer.Argument(metavar="REQUEST")]
KeyDir = Annotated[Path, typer.Argument(metavar="KEYDIR", help="The source's own folder.")]
SourceId = Annotated[str, typer.Option("--source", metavar="S", help="The source's id.")]
KeysPlace = Annotated[str, typer.Option("--keys", metavar="PLACE", help="file, or a PKCS#11 URI without a PIN.")]
Why = Annotated[str, typer.Option("--why", metavar="TEXT", help="In words; it is kept sealed.")]


@reidentify_commands.command("key")
def reidentify_key(
    folder: KeyDir,
    source: SourceId,
    keys: KeysPlace = "file",
    *,
    as_json: Json = False,
) -> None:
    """At the source: make the key that answers are sealed to, and recipient.json to hand out.

    Example: enclos reidentify key hosp-a-answers --source hosp-a
    """
    from enclos.app.reidentification import make_key

    result = make_key(folder, source=source, passphrase=lambda: passphrase(confirm=True), place=keys)
    show(result, as_json=as_json)


@reidentify_commands.command("request")
def reidentify_request(
    directory: Dir,
    permit: PermitId,
    user: User,
    person: Annotated[int, typer.Option("--person", metavar="N", help="As the permit's view shows it.")],
    reason: Annotated[
        str,
        typer.Option(
            "--reason", metavar="R", help="medical-emergency, significant-finding, rights-request, research-proposal."
        ),
    ],
    recipient: Annotated[Path, typer.Option("--recipient", metavar="FILE", help="recipient.json of the source.")],
    why: Why,
    *,
    as_json: Json = False,
) -> None:
    """Ask that a source be told which of its persons a permit's number stands for.

    Example: enclos reidentify request home --permit FR-2026-0001 --user alice@example.org --person 77
    --reason significant-finding --recipient recipient.json --why "a value that needs care at once"
    """
    from enclos.app.reidentification import request

    with acting(directory, user, Role.RESEARCHER) as enclosure:
        asked = request(
            enclosure, permit=permit, user=user, person=person, reason=reason, text=why, recipient=recipient
        )
        show(asked, as_json=as_json)


@reidentify_commands.command("approve")
def reidentify_approve(directory: Dir, request: RequestId, user: User, why: Why, *, as_json: Json = False) -> None:
    """Approve a request as a named person outside the project; two must.

    Example: enclos reidentify approve home REQUEST --user carol@example.org --why "the value is as reported"
    """
    _decide(directory, request, user, why, approve=True, as_json=as_json)


@reidentify_commands.command("refuse")
def reidentify_refuse(directory: Dir, request: RequestId, user: User, why: Why, *, as_json: Json = False) -> None:
    """Refuse a request; nobody can approve it afterwards.

    Example: enclos reidentify refuse home REQUEST --user carol@example.org --why "no care follows from it"
    """
    _decide(directory, request, user, why, approve=False, as_json=as_json)


@reidentify_commands.command("carry-out")
def reidentify_carry_out(
    directory: Dir,
    request: RequestId,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The file for the source.")],
    *,
    as_json: Json = False,
) -> None:
    """Write the file that the source alone can open.

    Example: enclos reidentify carry-out home REQUEST for-hosp-a.json
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.reidentification import carry_out

    with open_enclosure(directory, passphrase) as enclosure:
        show(carry_out(enclosure, request, out), as_json=as_json)


@reidentify_commands.command("show")
def reidentify_show(directory: Dir, request: RequestId, *, as_json: Json = False) -> None:
    """One request: reason, decisions, state.

    Example: enclos reidentify show home REQUEST
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.reidentification import show_one

    with open_enclosure(directory, passphrase) as enclosure:
        show(show_one(enclosure, request), as_json=as_json)


@reidentify_commands.command("list")
def reidentify_list(directory: Dir, *, as_json: Json = False) -> None:
    """All requests with their states.

    Example: enclos reidentify list home
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.reidentification import list_all

    with open_enclosure(directory, passphrase) as enclosure:
        show(list_all(enclosure), as_json=as_json)


@reidentify_commands.command("open")
def reidentify_open(
    folder: KeyDir,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What the enclosure wrote.")],
    *,
    as_json: Json = False,
) -> None:
    """At the source: read an answer; needs no enclosure.

    Example: enclos reidentify open hosp-a-answers for-hosp-a.json
    """
    from enclos.app.reidentification import open_at_source

    show(open_at_source(folder, file, passphrase), as_json=as_json)


def _decide(directory: Path, request: str, user: str, why: str, *, approve: bool, as_json: bool) -> None:
    from enclos.app.reidentification import decide

    with acting(directory, user, Role.CHECKER) as enclosure:
        show(decide(enclosure, request, user=user, approve=approve, why=why), as_json=as_json)
