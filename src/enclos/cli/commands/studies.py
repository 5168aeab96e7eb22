"""Studies: run one on a permit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from enclos.cli.application import Dir, Json, PermitId, User, application, passphrase, text_of
from enclos.cli.console import progress_bars, show


@application.command()
def study(
    directory: Dir,
    file: Annotated[Path, typer.Argument(metavar="STUDY.yaml")],
    permit: PermitId,
    user: User,
    *,
    as_json: Json = False,
) -> None:
    """Run a study on a permit's view; its results stay inside until released.

    Example: enclos study france study.yaml --permit FR-2026-0042 --user alice@example.org
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.studies import run, whole_study

    with open_enclosure(directory, passphrase) as enclosure, progress_bars() as report:
        text = whole_study(text_of(file), lambda name: text_of(file.parent / name))
        show(run(enclosure, permit=permit, user=user, text=text, report=report), as_json=as_json)
