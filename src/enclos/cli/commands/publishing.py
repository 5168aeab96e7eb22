"""What the enclosure tells the public."""

from __future__ import annotations

import sys
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any

import typer

from enclos.cli.application import Dir, Json, application, passphrase
from enclos.cli.console import progress_bars, say, show

About = Annotated[
    Path | None,
    typer.Option("--about", metavar="FILE", help="The document about the holdings; DIR/catalogue.yaml when not given."),
]


@application.command()
def catalogue(
    directory: Dir,
    out: Annotated[Path | None, typer.Argument(metavar="OUT", help="A folder; nothing is written without one.")] = None,
    about: About = None,
    *,
    draft: Annotated[bool, typer.Option("--draft", help="Print a document about the holdings to fill in.")] = False,
    as_json: Json = False,
) -> None:
    """Describe what the enclosure holds as HealthDCAT-AP, with pages and a sample made of nobody.

    Example: enclos catalogue home catalogue
    """
    from enclos.app.catalogue import draft as drafted
    from enclos.app.catalogue import publish_catalogue
    from enclos.app.enclosure import open_enclosure

    if draft:
        sys.stdout.write(drafted())
        return
    with open_enclosure(directory, passphrase) as enclosure, progress_bars() as report:
        result = publish_catalogue(enclosure, out, about, report=report)
    show(result, as_json=as_json)


@application.command()
def sample(out: Annotated[Path, typer.Argument(metavar="OUT")], *, as_json: Json = False) -> None:
    """Make the sample of every description again: without an enclosure, without data.

    Example: enclos sample sample
    """
    from enclos.app.catalogue import write_sample

    show(write_sample(out), as_json=as_json)


@application.command()
def register(
    directory: Dir,
    out: Annotated[Path, typer.Argument(metavar="OUT")],
    about: About = None,
    *,
    with_catalogue: Annotated[
        bool, typer.Option("--catalogue", help="Put the description of the holdings into OUT/catalogue and link it.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Write the public register of permits and releases as static pages, with their proofs.

    Example: enclos register home register
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.register import export_register

    with open_enclosure(directory, passphrase) as enclosure:
        show(export_register(enclosure, out, catalogue=with_catalogue, about=about), as_json=as_json)


@application.command()
def serve(
    directory: Dir,
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Its port; 0 takes a free one.")] = 8400,
    certificate: Annotated[Path | None, typer.Option("--certificate", metavar="PEM", help="Serve by https.")] = None,
    key: Annotated[Path | None, typer.Option("--key", metavar="PEM", help="The certificate's private key.")] = None,
    about: About = None,
    *,
    with_catalogue: Annotated[
        bool, typer.Option("--catalogue", help="Serve the description of the holdings too, and link it.")
    ] = False,
    every: Annotated[
        float, typer.Option(min=0.1, metavar="SECONDS", help="How often to look whether the register is to be renewed.")
    ] = 60.0,
    as_json: Json = False,
) -> None:
    """Serve the public register, always the newest, and the published ledger, until stopped.

    Example: enclos serve home --port 8400
    """
    from enclos.portal.serving import Door, serve_public

    if (certificate is None) != (key is None):
        raise typer.BadParameter("--certificate and --key belong together")
    if certificate is None and not _is_own(host):
        raise typer.BadParameter(
            "plain http serves this machine alone: give --certificate and --key, or a proxy with TLS"
        )

    def began(addresses: dict[str, Any]) -> None:
        show(addresses, as_json=as_json)
        sys.stdout.flush()

    serve_public(
        directory,
        cache(passphrase),
        Door(host, port, certificate, key),
        catalogue=with_catalogue,
        about=about,
        every=every,
        began=began,
        refused=lambda refused: say(f"The register is not renewed: {refused.what} Next: {refused.next_step}"),
    )


def _is_own(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
