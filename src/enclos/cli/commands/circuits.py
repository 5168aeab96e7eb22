"""The circuits of linkage, a command for each actor; none needs an enclosure."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from enclos.cli.application import Json, application, passphrase
from enclos.cli.console import show

circuit_commands = typer.Typer(help="Linkage circuits, a step for each actor.", no_args_is_help=True)
application.add_typer(circuit_commands, name="circuit")

Out = Annotated[Path, typer.Argument(metavar="OUT", help="The folder to make.")]


@circuit_commands.command("hospital")
def circuit_hospital(
    given: Annotated[
        Path, typer.Argument(metavar="IN", help="A folder of hospital-csv files, or of FHIR NDJSON, with identities.")
    ],
    out: Out,
    key: Annotated[Path, typer.Option("--key", metavar="KEYDIR", help="The hospital's key: enclos keys source.")],
    *,
    as_json: Json = False,
) -> None:
    """At a hospital: identities with temporary ids apart from health data without identity.

    Example: enclos circuit hospital export to-send --key hosp-a-key
    """
    from enclos.app.circuits import at_hospital

    show(at_hospital(given, out, key=key, passphrase=passphrase), as_json=as_json)


@circuit_commands.command("third-party")
def circuit_third_party(
    out: Out,
    given: Annotated[list[Path], typer.Argument(metavar="IDENTITY…", help="identity/ folders, one a hospital.")],
    name: Annotated[str, typer.Option("--name", metavar="T", help="The third party's id.")],
    *,
    as_json: Json = False,
) -> None:
    """At the third party: the identities of several hospitals merged under fresh numbers.

    Example: enclos circuit third-party merged a/identity b/identity --name emc2
    """
    from enclos.app.circuits import at_third_party

    show(at_third_party(out, given, name=name), as_json=as_json)


@circuit_commands.command("reconstruct")
def circuit_reconstruct(
    given: Annotated[Path, typer.Argument(metavar="TRAITS", help="A hospital's traits/ folder.")],
    out: Out,
    register: Annotated[Path, typer.Option("--register", metavar="FILE", help="The register of identities, a CSV.")],
    *,
    as_json: Json = False,
) -> None:
    """At the body that rebuilds NIRs from names, birth and sex.

    Example: enclos circuit reconstruct a/traits rebuilt --register register.csv
    """
    from enclos.app.circuits import at_reconstruction

    show(at_reconstruction(given, out, register=register), as_json=as_json)


@circuit_commands.command("cnam")
def circuit_cnam(
    given: Annotated[Path, typer.Argument(metavar="IDENTITY", help="An identity/ folder.")],
    out: Out,
    reference: Annotated[Path, typer.Option("--reference", metavar="FILE", help="Identities and pseudonyms, a CSV.")],
    *,
    as_json: Json = False,
) -> None:
    """At the national side: temporary ids answered with SNDS pseudonyms.

    Example: enclos circuit cnam merged/identity answered --reference reference.csv
    """
    from enclos.app.circuits import at_national_side

    show(at_national_side(given, out, reference=reference), as_json=as_json)
