"""Applications for permits: write, ask, withdraw, grant, refuse, list, show."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from enclos.cli.application import Dir, Json, application, passphrase, text_of
from enclos.cli.console import show

ApplicationId = Annotated[str, typer.Argument(metavar="APPLICATION")]

application_commands = typer.Typer(
    help="Applications for permits: write, ask, withdraw, grant, refuse, list, show.", no_args_is_help=True
)
application.add_typer(application_commands, name="application")


@application_commands.command("keep")
def application_keep(
    directory: Dir,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A permit's document, as `enclos permit draft` has it.")],
    application_id: Annotated[
        str, typer.Option("--application", metavar="APPLICATION", help="In the place of what it said; else a new one.")
    ] = "",
    *,
    as_json: Json = False,
) -> None:
    """Keep a draft of a permit as an application.

    Example: enclos application keep home permit.yaml
    """
    from enclos.app.applications import keep_application, operator_hand
    from enclos.app.enclosure import open_enclosure
    from enclos.permits.document import whole_permit

    text = whole_permit(text_of(file), lambda name: text_of(file.parent / name))
    with open_enclosure(directory, passphrase) as enclosure:
        kept = keep_application(enclosure, operator_hand(enclosure), text, application=application_id)
        show(kept, as_json=as_json)


@application_commands.command("ask")
def application_ask(directory: Dir, application_id: ApplicationId, *, as_json: Json = False) -> None:
    """Hand an application to the access body.

    Example: enclos application ask home 0a1b2c3d4e5f6071
    """
    from enclos.app.applications import ask_for, operator_hand
    from enclos.app.enclosure import open_enclosure

    with open_enclosure(directory, passphrase) as enclosure:
        show(ask_for(enclosure, operator_hand(enclosure), application_id), as_json=as_json)


@application_commands.command("withdraw")
def application_withdraw(directory: Dir, application_id: ApplicationId, *, as_json: Json = False) -> None:
    """Take an application back.

    Example: enclos application withdraw home 0a1b2c3d4e5f6071
    """
    from enclos.app.applications import operator_hand, withdraw
    from enclos.app.enclosure import open_enclosure

    with open_enclosure(directory, passphrase) as enclosure:
        show(withdraw(enclosure, operator_hand(enclosure), application_id), as_json=as_json)


@application_commands.command("grant")
def application_grant(directory: Dir, application_id: ApplicationId, *, as_json: Json = False) -> None:
    """Sign an application's document as a permit.

    Example: enclos application grant home 0a1b2c3d4e5f6071
    """
    from enclos.app.applications import grant, operator_hand
    from enclos.app.enclosure import open_enclosure

    with open_enclosure(directory, passphrase) as enclosure:
        show(grant(enclosure, operator_hand(enclosure), application_id), as_json=as_json)


@application_commands.command("refuse")
def application_refuse(
    directory: Dir,
    application_id: ApplicationId,
    reason: Annotated[str, typer.Option("--reason", help="What the applicant reads.")],
    *,
    as_json: Json = False,
) -> None:
    """Refuse an application, with the reason.

    Example: enclos application refuse home 0a1b2c3d4e5f6071 --reason "the purpose is not one of the list"
    """
    from enclos.app.applications import operator_hand, refuse
    from enclos.app.enclosure import open_enclosure

    with open_enclosure(directory, passphrase) as enclosure:
        show(refuse(enclosure, operator_hand(enclosure), application_id, why=reason), as_json=as_json)


@application_commands.command("list")
def application_list(directory: Dir, *, as_json: Json = False) -> None:
    """The applications that were asked for, and where they stand.

    Example: enclos application list home
    """
    from enclos.app.applications import list_applications, operator_hand
    from enclos.app.enclosure import open_enclosure

    with open_enclosure(directory, passphrase) as enclosure:
        show(list_applications(enclosure, operator_hand(enclosure)), as_json=as_json)


@application_commands.command("show")
def application_show(directory: Dir, application_id: ApplicationId, *, as_json: Json = False) -> None:
    """One application, its document, and what was done with it.

    Example: enclos application show home 0a1b2c3d4e5f6071
    """
    from enclos.app.applications import operator_hand, show_application
    from enclos.app.enclosure import open_enclosure

    with open_enclosure(directory, passphrase) as enclosure:
        show(show_application(enclosure, operator_hand(enclosure), application_id), as_json=as_json)
