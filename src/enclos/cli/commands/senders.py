"""At a sender, without an enclosure: its key and its pseudonyms."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from enclos.cli.application import Json, application, passphrase
from enclos.cli.commands.keys import key_commands
from enclos.cli.console import show

if TYPE_CHECKING:
    from enclos.pseudonyms.model import IdentityColumns


@key_commands.command("source")
def keys_source(
    folder: Annotated[Path, typer.Argument(metavar="KEYDIR", help="The folder to make; it stays at the sender.")],
    source: Annotated[str, typer.Option("--source", metavar="S", help="The sender's id, for a new key.")] = "",
    keys: Annotated[
        str, typer.Option("--keys", metavar="PLACE", help="file, or a PKCS#11 URI without a PIN.")
    ] = "file",
    *,
    following: Annotated[bool, typer.Option("--next", help="Make the next key; the earlier one stays.")] = False,
    end: Annotated[bool, typer.Option("--end", help="Destroy the earlier key.")] = False,
    as_json: Json = False,
) -> None:
    """Make a sender's own key for level-one pseudonyms, or its next one; needs no enclosure.

    Example: ENCLOS_PASSPHRASE=… enclos keys source hosp-a-key --source hosp-a
    """
    from enclos.app.senders import end_source_key, make_source_key, next_source_key

    if bool(source) + following + end != 1:
        raise typer.BadParameter("give --source for a new key, or --next, or --end")
    if following:
        result = next_source_key(folder, passphrase)
    elif end:
        result = end_source_key(folder, passphrase)
    else:
        result = make_source_key(folder, source=source, place=keys, passphrase=lambda: passphrase(confirm=True))
    show(result, as_json=as_json)


@key_commands.command("translate")
def keys_translate(
    given: Annotated[Path, typer.Argument(metavar="IN", help="An export: tables, FHIR NDJSON, or a CSV.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder to make.")],
    key: Annotated[Path, typer.Option("--key", metavar="KEYDIR", help="The sender's key, with its next one made.")],
    columns: Annotated[
        str, typer.Option("--columns", metavar="nir=A,birth=B,sex=C", help="A CSV's columns of an identity.")
    ] = "",
    *,
    as_json: Json = False,
) -> None:
    """At a sender: which earlier pseudonym is which present one, for everybody and everything in an export.

    Example: enclos keys translate export translation --key hosp-a-key
    """
    from enclos.app.circuits import translate_export

    identity = _columns(columns, "") if columns else None
    show(translate_export(given, out, key=key, passphrase=passphrase, columns=identity), as_json=as_json)


@application.command()
def pseudonymise(
    given: Annotated[Path, typer.Argument(metavar="IN", help="A CSV, an .ndjson file, or a folder of .ndjson files.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The file or folder to make.")],
    key: Annotated[Path, typer.Option("--key", metavar="KEYDIR", help="The sender's key: enclos keys source.")],
    columns: Annotated[
        str, typer.Option("--columns", metavar="nir=A,birth=B,sex=C", help="A CSV's columns of an identity.")
    ] = "",
    keep: Annotated[
        str, typer.Option("--keep", metavar="A,B", help="A CSV's columns that may leave; no other does.")
    ] = "",
    separator: Annotated[str, typer.Option("--separator", help="Of a CSV.")] = ";",
    encoding: Annotated[str, typer.Option("--encoding", help="Of a CSV: utf-8 or iso-8859-1.")] = "utf-8",
    *,
    as_json: Json = False,
) -> None:
    """Replace identities by level-one pseudonyms at the sender; runs without an enclosure.

    Example: enclos pseudonymise in.csv out.csv --key hosp-a-key --columns nir=NIR,birth=DDN,sex=SEXE --keep sejour
    """
    from enclos.app.senders import pseudonymise as replace

    result = replace(
        given,
        out,
        key=key,
        passphrase=passphrase,
        columns=_columns(columns, keep) if columns else None,
        separator=_one_sign(separator),
        encoding=_encoding(encoding),
    )
    show(result, as_json=as_json)


def _columns(text: str, keep: str) -> IdentityColumns:
    from enclos.pseudonyms.model import IdentityColumns as Columns

    parts = dict(part.partition("=")[::2] for part in text.split(","))
    if parts.keys() != {"nir", "birth", "sex"} or text.count("=") != 3:
        raise typer.BadParameter("columns are written nir=…,birth=…,sex=…")
    try:
        return Columns(**parts, kept=tuple(filter(None, keep.split(","))))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _one_sign(text: str) -> str:
    sign = {"tab": "\t", "\\t": "\t"}.get(text, text)
    if len(sign) != 1:
        raise typer.BadParameter("a separator is one sign, or tab")
    return sign


def _encoding(text: str) -> str:
    if text.lower() not in {"utf-8", "iso-8859-1"}:
        raise typer.BadParameter("a file is in utf-8 or iso-8859-1")
    return text.lower()
