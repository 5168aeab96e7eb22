"""Conformity: which requirements of which framework are met, on what evidence."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from enclos.cli.application import Dir, Json, application, passphrase
from enclos.cli.commands.reidentify import KeysPlace
from enclos.cli.console import progress_bars, show

conformity_commands = typer.Typer(
    help="Conformity: which requirements of which framework are met, on what evidence.", no_args_is_help=True
)
application.add_typer(conformity_commands, name="conformity")

OwnerDir = Annotated[Path, typer.Argument(metavar="OWNERDIR", help="The owner's own folder.")]
OwnerFile = Annotated[Path, typer.Argument(metavar="OWNER", help="owner.json of the owner.")]


@conformity_commands.command("assess")
def conformity_assess(
    directory: Dir,
    framework: Annotated[
        list[str] | None,
        typer.Option("--framework", "--catalogue", metavar="ID", help="A catalogue, or how one begins; all without."),
    ] = None,
    evidence: Annotated[
        Path | None, typer.Option("--evidence", metavar="FOLDER", help="Signed statements; DIR/conformity/evidence.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FOLDER", help="For the assessment, its page, its table and OSCAL.")
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Judge the enclosure and its host: probes look, documents are read, and what nobody showed is not demonstrated.

    Example: enclos conformity assess home --framework secnumcloud --evidence documents --out assessed
    """
    from enclos.app.conformity.assessing import assess, summary_of
    from enclos.app.enclosure import open_enclosure

    with open_enclosure(directory, passphrase) as enclosure, progress_bars() as report:
        answer = assess(enclosure, frameworks=framework or (), evidence=evidence, out=out, report=report)
    show(answer if as_json else summary_of(answer), as_json=as_json)


@conformity_commands.command("compare")
def conformity_compare(
    files: Annotated[list[Path], typer.Argument(metavar="FILES…", help="assessment.json of each host.")],
    picture: Annotated[Path | None, typer.Option("--picture", metavar="SVG", help="The hosts as a picture.")] = None,
    *,
    as_json: Json = False,
) -> None:
    """Hosts side by side: those above the floor first, then by their share.

    Example: enclos conformity compare one.json two.json three.json --picture hosts.svg
    """
    from enclos.app.conformity.comparing import compare

    show(compare(files, picture=picture), as_json=as_json)


@conformity_commands.command("diff")
def conformity_diff(
    before: Annotated[Path, typer.Argument(metavar="BEFORE", help="An earlier assessment.json.")],
    after: Annotated[Path, typer.Argument(metavar="AFTER", help="A later one.")],
    *,
    as_json: Json = False,
) -> None:
    """What changed between two assessments: verdicts and what they rest on, never words or times.

    Example: enclos conformity diff october.json november.json
    """
    from enclos.app.conformity.comparing import diff

    show(diff(before, after), as_json=as_json)


@conformity_commands.command("owner")
def conformity_owner(
    folder: OwnerDir,
    owner: Annotated[str, typer.Option("--owner", help="Who answers: name and function.")],
    keys: KeysPlace = "file",
    *,
    as_json: Json = False,
) -> None:
    """Make a key for who answers for documents, and owner.json to hand out.

    Example: enclos conformity owner ada --owner "Ada Lovelace, security officer"
    """
    from enclos.app.conformity.owners import make_owner

    show(make_owner(folder, owner=owner, passphrase=lambda: passphrase(confirm=True), place=keys), as_json=as_json)


@conformity_commands.command("sign")
def conformity_sign(
    folder: OwnerDir,
    statement: Annotated[Path, typer.Argument(metavar="STATEMENT", help="A statement in TOML.")],
    *,
    as_json: Json = False,
) -> None:
    """Sign a statement about a document; its signature is put beside it.

    Example: enclos conformity sign ada documents/risk.toml
    """
    from enclos.app.conformity.owners import sign

    show(sign(folder, statement, passphrase=passphrase), as_json=as_json)


@conformity_commands.command("accept")
def conformity_accept(directory: Dir, owner: OwnerFile, *, as_json: Json = False) -> None:
    """Let what an owner signs count here from now on; compare the key with the owner first.

    Example: enclos conformity accept home ada/owner.json
    """
    from enclos.app.conformity.owners import accept
    from enclos.app.enclosure import open_enclosure

    with open_enclosure(directory, passphrase) as enclosure:
        show(accept(enclosure, owner), as_json=as_json)


@conformity_commands.command("dismiss")
def conformity_dismiss(directory: Dir, owner: OwnerFile, *, as_json: Json = False) -> None:
    """Let nothing that an owner signed count here any more.

    Example: enclos conformity dismiss home ada/owner.json
    """
    from enclos.app.conformity.owners import dismiss
    from enclos.app.enclosure import open_enclosure

    with open_enclosure(directory, passphrase) as enclosure:
        show(dismiss(enclosure, owner), as_json=as_json)
