"""The ledger: verify it, look into it, find an entry, witness it, review it, forget."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from enclos.cli.application import Dir, Json, application, passphrase
from enclos.cli.commands.quality import Lang, PageFile, PageLanguage
from enclos.cli.console import show

ledger_commands = typer.Typer(help="Ledger: verify, show, find, witness, review, forget.", no_args_is_help=True)
application.add_typer(ledger_commands, name="ledger")

Source = Annotated[str, typer.Argument(metavar="DIR", help="The enclosure, or its published ledger's folder or URL.")]


@ledger_commands.command("verify")
def ledger_verify(
    source: Source,
    key: Annotated[str, typer.Option("--key", metavar="VKEY", help="The verifying key that you trust, one line.")] = "",
    witness: Annotated[Path | None, typer.Option("--witness", metavar="DIR", help="A witness's memory.")] = None,
    copy: Annotated[
        Path | None, typer.Option("--copy", metavar="OUT", help="Put what was read here, for other verifiers.")
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Prove that nothing in the ledger was altered, lost or reordered; needs no passphrase.

    Example: enclos ledger verify https://data.example/ledger --witness /media/witness
    """
    from enclos.app.ledger import verify

    show(verify(source, key=key, witnessed=witness, copy=copy), as_json=as_json)


@ledger_commands.command("show")
def ledger_show(
    directory: Dir,
    last: Annotated[int, typer.Option("--last", min=1, help="How many entries.")] = 20,
    *,
    as_json: Json = False,
) -> None:
    """The last entries of the ledger.

    Example: enclos ledger show home --last 50
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.ledger import show_last

    with open_enclosure(directory, passphrase) as enclosure:
        show(show_last(enclosure, last), as_json=as_json)


@ledger_commands.command("find")
def ledger_find(
    directory: Dir,
    action: Annotated[str, typer.Option("--action", metavar="WORD", help="What was done, as entries say it.")] = "",
    actor: Annotated[str, typer.Option("--by", metavar="USER", help="An id, or the beginning of a digest.")] = "",
    permit: Annotated[str, typer.Option("--permit", metavar="P", help="Under which permit.")] = "",
    outcome: Annotated[
        str, typer.Option("--outcome", metavar="WORD", help="DONE, REFUSED, FAILED, INTERRUPTED, none, or marked.")
    ] = "",
    since: Annotated[datetime | None, typer.Option("--since", formats=["%Y-%m-%d"], help="The first day.")] = None,
    until: Annotated[datetime | None, typer.Option("--until", formats=["%Y-%m-%d"], help="The last day.")] = None,
    before: Annotated[
        int | None, typer.Option("--before", min=0, help="An entry: look back from there, as `older` says.")
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """What was done, by whom and how it ended, the newest first; ``marked`` is all that broke off.

    Example: enclos ledger find home --outcome marked
    """
    from enclos.app.auditing import ACTIONS, OUTCOMES, Sought, explore
    from enclos.app.enclosure import open_enclosure

    if action not in {"", *ACTIONS} or outcome not in {"", *OUTCOMES}:
        raise typer.BadParameter(f"actions are {', '.join(ACTIONS)}; outcomes are {', '.join(OUTCOMES)}")
    days = (each.date() if each else None for each in (since, until))
    with open_enclosure(directory, passphrase) as enclosure:
        show(explore(enclosure, Sought(action, actor, permit, outcome, *days), before), as_json=as_json)


@ledger_commands.command("entry")
def ledger_entry(
    directory: Dir,
    index: Annotated[int, typer.Argument(metavar="N", min=0)],
    proof: Annotated[
        Path | None, typer.Option("--proof", metavar="FILE", help="Keep the proof, for who has the key alone.")
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """One entry as it was hashed, with the proof that it stands in the ledger.

    Example: enclos ledger entry home 3 --proof entry-3.tlog-proof
    """
    from enclos.app.auditing import keep_proof, show_entry
    from enclos.app.enclosure import open_enclosure

    with open_enclosure(directory, passphrase) as enclosure:
        shown = show_entry(enclosure, index)
    if shown is None:
        raise typer.BadParameter("there is no such entry")
    if proof is not None:
        keep_proof(shown, proof)
    show(shown, as_json=as_json)


@ledger_commands.command("witness")
def ledger_witness(
    source: Source,
    state: Annotated[Path, typer.Option("--state", metavar="DIR", help="The witness's own memory and key, elsewhere.")],
    key: Annotated[str, typer.Option("--key", metavar="VKEY", help="The verifying key that you trust, one line.")] = "",
    name: Annotated[str, typer.Option("--name", help="What the witness signs under, at its first look.")] = "",
    tolerance: Annotated[
        int, typer.Option("--tolerance", metavar="MINUTES", min=0, help="How far clocks and copies may lag.")
    ] = 5,
    *,
    as_json: Json = False,
) -> None:
    """Sign and remember the checkpoint; refuse a ledger that does not contain the one remembered.

    Example: enclos ledger witness https://data.example/ledger --state /srv/witness --name witness.example/1
    """
    from enclos.app.ledger import witness

    show(witness(source, state, key=key, name=name, minutes=tolerance), as_json=as_json)


@ledger_commands.command("review")
def ledger_review(
    directory: Dir,
    month: Annotated[
        str | None, typer.Option("--month", metavar="YYYY-MM", help="The last whole month when not given.")
    ] = None,
    page: PageFile = None,
    lang: Lang = PageLanguage.EN,
    *,
    as_json: Json = False,
) -> None:
    """What was done in a month, and what somebody must look at; with a page of pictures when asked.

    Example: enclos ledger review home --month 2026-10 --page october.html --lang fr
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.handed import page_to, written_to
    from enclos.app.monthly import review_month

    with open_enclosure(directory, passphrase) as enclosure:
        show(review_month(enclosure, month, keep=written_to(page_to(page, lang))), as_json=as_json)


@ledger_commands.command("forget")
def ledger_forget(
    directory: Dir,
    user: Annotated[str, typer.Option("--user", help="Whose digests nobody shall be able to tell any more.")] = "",
    permit: Annotated[str, typer.Option("--permit", metavar="P", help="A project that has ended, with its key.")] = "",
    reason: Annotated[str, typer.Option("--reason", help="Why; only its digest is kept.")] = "",
    *,
    old: Annotated[bool, typer.Option("--old", help="All that were met last before the time of retention.")] = False,
    as_json: Json = False,
) -> None:
    """Destroy what links people to their traces, when the law wants it; every proof stays.

    Example: enclos ledger forget home --old
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.salts import forget_old, forget_permit, forget_person

    if old + bool(user) + bool(permit) != 1:
        raise typer.BadParameter("give --user, --permit or --old")
    with open_enclosure(directory, passphrase) as enclosure:
        if old:
            result = forget_old(enclosure)
        elif permit:
            result = forget_permit(enclosure, permit, reason)
        else:
            result = forget_person(enclosure, user, reason)
    show(result, as_json=as_json)
