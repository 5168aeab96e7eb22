"""What the enclosure tells the public."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from enclos.cli.application import Dir, Json, application, passphrase
from enclos.cli.console import progress_bars, show

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

    Example: enclos catalogue france /srv/www/catalogue
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

    Example: enclos register france /srv/www/register
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.register import export_register

    with open_enclosure(directory, passphrase) as enclosure:
        show(export_register(enclosure, out, catalogue=with_catalogue, about=about), as_json=as_json)
