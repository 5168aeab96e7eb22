"""Permits: draft, sign, show, open, amend, renew, revoke."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from enclos.cli.application import Dir, Json, application, passphrase, text_of
from enclos.cli.console import hint, show

PermitId = Annotated[str, typer.Argument(metavar="PERMIT")]
Document = Annotated[Path, typer.Argument(metavar="FILE")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, in a sentence; kept with the permit.")]

permit_commands = typer.Typer(help="Permits: draft, sign, show, open, amend, renew, revoke.", no_args_is_help=True)
application.add_typer(permit_commands, name="permit")


@permit_commands.command("draft")
def permit_draft(
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="FILE", help="Write there instead of printing.")
    ] = None,
) -> None:
    """A permit to fill in.

    Example: enclos permit draft -o permit.yaml
    """
    from enclos.app.permits import draft

    text = draft()
    if out is None:
        sys.stdout.write(text)
    else:
        if out.exists():
            raise typer.BadParameter(f"{out.name} exists already; name another file")
        out.write_text(text, encoding="utf-8")
        hint(f"fill {out} in, then enclos permit sign DIR {out}", as_json=False)


@permit_commands.command("sign")
def permit_sign(directory: Dir, file: Document, *, as_json: Json = False) -> None:
    """Sign a permit as the access body.

    Example: enclos permit sign home permit.yaml
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.permits import sign

    with open_enclosure(directory, passphrase) as enclosure:
        signed = sign(enclosure, _whole(file))
    show(signed, as_json=as_json)
    hint(f"enclos permit open {directory} {signed['permit']}", as_json=as_json)


def _whole(file: Path) -> str:
    """The permit's document with the cohort definition that it names."""
    from enclos.permits.document import whole_permit

    return whole_permit(text_of(file), lambda name: text_of(file.parent / name))


@permit_commands.command("amend")
def permit_amend(
    directory: Dir,
    file: Document,
    reason: Reason,
    *,
    as_json: Json = False,
) -> None:
    """Replace a permit by a new version.

    Example: enclos permit amend home permit.yaml --reason "one more user"
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.permits import amend

    with open_enclosure(directory, passphrase) as enclosure:
        show(amend(enclosure, _whole(file), reason=reason), as_json=as_json)


@permit_commands.command("renew")
def permit_renew(
    directory: Dir,
    permit: PermitId,
    until: Annotated[str, typer.Option("--until", metavar="DATE", help="The new end, YYYY-MM-DD (UTC).")],
    reason: Reason,
    *,
    as_json: Json = False,
) -> None:
    """Prolong a permit within the limits of its legal basis.

    Example: enclos permit renew home FR-2026-0001 --until 2030-11-01 --reason "follow-up"
    """
    from datetime import UTC, datetime

    from enclos.app.enclosure import open_enclosure
    from enclos.app.permits import renew

    try:
        end = datetime.fromisoformat(until)
    except ValueError:
        raise typer.BadParameter("--until is a date, YYYY-MM-DD") from None
    with open_enclosure(directory, passphrase) as enclosure:
        show(
            renew(enclosure, permit, until=end if end.tzinfo else end.replace(tzinfo=UTC), reason=reason),
            as_json=as_json,
        )


@permit_commands.command("revoke")
def permit_revoke(
    directory: Dir,
    permit: PermitId,
    reason: Reason,
    *,
    as_json: Json = False,
) -> None:
    """End a permit now.

    Example: enclos permit revoke home FR-2026-0001 --reason "holder asked"
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.permits import revoke

    with open_enclosure(directory, passphrase) as enclosure:
        show(revoke(enclosure, permit, reason=reason), as_json=as_json)


@permit_commands.command("list")
def permit_list(directory: Dir, *, as_json: Json = False) -> None:
    """All permits with their state.

    Example: enclos permit list home
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.permits import list_all

    with open_enclosure(directory, passphrase) as enclosure:
        show(list_all(enclosure), as_json=as_json)


@permit_commands.command("review")
def permit_review(
    directory: Dir,
    year: Annotated[int | None, typer.Option("--year", min=2000, max=2999, help="This year when not given.")] = None,
    *,
    as_json: Json = False,
) -> None:
    """Who had access to what in a year, what they used, and what is due.

    Example: enclos permit review home --year 2027 --json
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.reviews import review_access

    with open_enclosure(directory, passphrase) as enclosure:
        show(review_access(enclosure, year), as_json=as_json)


@permit_commands.command("show")
def permit_show(directory: Dir, permit: PermitId, *, as_json: Json = False) -> None:
    """One permit, its versions and its state.

    Example: enclos permit show home FR-2026-0001
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.permits import show_one

    with open_enclosure(directory, passphrase) as enclosure:
        show(show_one(enclosure, permit), as_json=as_json)


@permit_commands.command("open")
def permit_open(directory: Dir, permit: PermitId, *, as_json: Json = False) -> None:
    """Write the permit's perimeter; no health row is copied.

    Example: enclos permit open home FR-2026-0001
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.permits import open_one

    with open_enclosure(directory, passphrase) as enclosure:
        show(open_one(enclosure, permit), as_json=as_json)
    hint(f"enclos study {directory} STUDY.yaml --permit {permit} --user U; or enclos sql", as_json=as_json)
