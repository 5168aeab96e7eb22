"""Keys: list, rotate, destroy, and the proof that one was destroyed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from enclos.cli.application import Dir, Json, application, passphrase
from enclos.cli.console import progress_bars, show

key_commands = typer.Typer(help="Keys: list, rotate, destroy; a sender's own.", no_args_is_help=True)
application.add_typer(key_commands, name="keys")


@key_commands.command("list")
def keys_list(directory: Dir, *, as_json: Json = False) -> None:
    """Every key and its generations, destroyed ones included; no key is shown.

    Example: enclos keys list home
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.rotation import list_keys

    with open_enclosure(directory, passphrase) as enclosure:
        show(list_keys(enclosure), as_json=as_json)


@key_commands.command("rotate")
def keys_rotate(
    directory: Dir,
    role: Annotated[str, typer.Argument(metavar="ROLE", help="vault, crossing, catalog, desk, ledger, …")] = "",
    permit: Annotated[str, typer.Option("--permit", metavar="P", help="Whose key, for the role permit.")] = "",
    source: Annotated[str, typer.Option("--source", metavar="S", help="Whose key, for the role source.")] = "",
    translation: Annotated[
        Path | None, typer.Option("--translation", metavar="IN", help="What the source made: enclos keys translate.")
    ] = None,
    *,
    resume: Annotated[bool, typer.Option("--resume", help="End a rotation that was stopped.")] = False,
    as_json: Json = False,
) -> None:
    """Replace a key, move all that it held and destroy it; nothing else is done meanwhile.

    A source's key is the source's own: here its earlier pseudonyms give way to those of its next key.

    Example: enclos keys rotate home vault
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.rotation import resume_rotation, rotate_key
    from enclos.app.translation import translate_source

    if resume == bool(role):
        raise typer.BadParameter("name a role, or --resume")
    if (role == "source") != bool(source) or (role == "source") != (translation is not None):
        raise typer.BadParameter("the role source, and only it, is told --source and --translation")
    with open_enclosure(directory, passphrase, to_rotate=True) as enclosure, progress_bars() as report:
        if resume:
            result = resume_rotation(enclosure, report=report)
        elif translation is not None:
            result = translate_source(enclosure, source, translation, report=report)
        else:
            result = rotate_key(enclosure, role, permit=permit, report=report)
    show(result, as_json=as_json)


@key_commands.command("destroy")
def keys_destroy(
    directory: Dir,
    permit: Annotated[str, typer.Option("--permit", metavar="P", help="The permit whose key ends.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept as a digest.")],
    *,
    as_json: Json = False,
) -> None:
    """Destroy a permit's key for ever, and with it its perimeter, runs and person sets.

    Example: enclos keys destroy home --permit FR-2026-0001 --reason "the permit has expired"
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.rotation import destroy_key

    with open_enclosure(directory, passphrase) as enclosure:
        show(destroy_key(enclosure, permit=permit, reason=reason), as_json=as_json)


@key_commands.command("verify")
def keys_verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A certificate from DIR/keys/destroyed.")],
    key: Annotated[str, typer.Option("--key", metavar="HEX", help="The ledger's public key that you trust.")],
    *,
    as_json: Json = False,
) -> None:
    """Check a certificate that a key was destroyed; needs no enclosure.

    Example: enclos keys verify 3f0c.json --key 9d61…
    """
    from enclos.app.certificates import verify_certificate

    show(verify_certificate(file, key), as_json=as_json)
