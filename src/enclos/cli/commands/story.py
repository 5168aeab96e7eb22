"""The whole story, a synthetic France, an empty enclosure."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from enclos.cli.application import Dir, Json, application, passphrase
from enclos.cli.console import hint, progress_bars, show


@application.command()
def demo(
    persons: Annotated[int, typer.Option("--persons", min=500, help="Persons of the synthetic France.")] = 20_000,
    directory: Annotated[Path, typer.Option("--dir", help="Where the demo lives; a second run begins anew.")] = Path(
        "demo"
    ),
    seed: Annotated[int, typer.Option("--seed", help="The same seed draws the same France.")] = 7,
    *,
    as_json: Json = False,
) -> None:
    """The whole story on a synthetic France, and a report with figures.

    Nobody has the passphrase of its enclosure afterwards: for studies of your own,
    `enclos init` one and ingest the demo's deliveries.

    Example: enclos demo --persons 20000 --dir demo
    """
    from enclos.app.demo import run_demo

    with progress_bars() as report:
        show(run_demo(directory, n_persons=persons, seed=seed, report=report), as_json=as_json)


@application.command()
def synth(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder to make.")],
    persons: Annotated[int, typer.Option("--persons", min=100, help="Persons of the France.")],
    years: Annotated[
        str, typer.Option("--years", metavar="2019-2023", help="First and last year of the data.")
    ] = "2019-2023",
    seed: Annotated[int, typer.Option("--seed", help="The same seed draws the same France.")] = 1,
    *,
    traps: Annotated[bool, typer.Option("--traps/--no-traps", help="Inject what breaks ETLs.")] = True,
    min_age: Annotated[
        int, typer.Option("--min-age", min=0, max=95, help="Nobody is younger in the middle of the years.")
    ] = 0,
    as_json: Json = False,
) -> None:
    """A synthetic France: deliveries in the official layouts, and the truth.

    Example: enclos synth france --persons 20000 --years 2019-2023 --seed 7
    """
    from enclos.synthetic import make_france

    with progress_bars() as report:
        result = make_france(out, persons, _years(years), seed, traps=traps, progress=report, min_age=min_age)
    show(result, as_json=as_json)
    hint(f"enclos init home, then enclos ingest home {out}/deliveries/*", as_json=as_json)


def _years(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    try:
        span = int(first), int(last or first)
    except ValueError:
        raise typer.BadParameter("years are written 2019-2023") from None
    if not 2009 <= span[0] <= span[1] <= 2099:
        raise typer.BadParameter("years are written 2019-2023, from 2009 on")
    return span


@application.command()
def init(
    directory: Dir,
    buckets: Annotated[int, typer.Option("--buckets", min=1, max=4096, help="Partitions by person.")] = 16,
    min_count_floor: Annotated[
        int, typer.Option("--min-count-floor", min=1, help="No permit may release fewer persons in a cell.")
    ] = 11,
    name: Annotated[str, typer.Option("--name", help="Name of the data source in results.")] = "",
    storage: Annotated[
        str,
        typer.Option(
            "--storage",
            metavar="URL",
            help="Where the lake lies: s3://BUCKET/PREFIX?endpoint=https://HOST (docs/hosting.md).",
        ),
    ] = "",
    catalog: Annotated[
        str,
        typer.Option(
            "--catalog",
            metavar="URL",
            help="What keeps the catalog: postgresql://HOST/DATABASE (docs/hosting.md).",
        ),
    ] = "",
    keys: Annotated[
        str, typer.Option("--keys", metavar="PLACE", help="file, or a PKCS#11 URI without a PIN (set ENCLOS_PIN).")
    ] = "file",
    keys_for: Annotated[
        list[str] | None,
        typer.Option("--keys-for", metavar="ROLE=PLACE", help="Put the keys of a role into other hands; repeatable."),
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Make an empty enclosure with its keys and its ledger.

    Example: enclos init home --name "synthetic France"
    """
    from enclos.app.enclosure import create_enclosure

    result = create_enclosure(
        directory,
        passphrase=lambda: passphrase(confirm=True),
        buckets=buckets,
        min_count_floor=min_count_floor,
        name=name,
        keys_in=keys,
        keys_for=keys_for or (),
        storage=storage,
        catalog=catalog,
    )
    show(result, as_json=as_json)
    hint(
        f"keep the passphrase and a copy of {directory}/keys elsewhere; then enclos ingest {directory} DELIVERY…",
        as_json=as_json,
    )
