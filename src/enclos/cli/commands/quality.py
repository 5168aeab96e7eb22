"""What a snapshot is worth and what it holds."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from enclos.cli.application import Dir, Json, application, passphrase
from enclos.cli.console import progress_bars, show


class CdmVersion(StrEnum):
    """The versions of the OMOP CDM that have a list of checks."""

    V5_3 = "5.3"
    V5_4 = "5.4"


class PageLanguage(StrEnum):
    """The languages that a page can be written in."""

    EN = "en"
    FR = "fr"


Snapshot = Annotated[int | None, typer.Option("--snapshot", help="The newest when not given.")]
PageFile = Annotated[
    Path | None, typer.Option("--page", metavar="FILE", help="Write a self-contained HTML page with pictures there.")
]
Lang = Annotated[PageLanguage, typer.Option("--lang", help="The page's language.")]


@application.command()
def quality(
    directory: Dir,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write DataQualityDashboard's results JSON there.")
    ] = None,
    snapshot: Snapshot = None,
    cdm: Annotated[
        CdmVersion, typer.Option("--cdm", help="The field list to judge by; the snapshot itself is 5.4.")
    ] = CdmVersion.V5_4,
    page: PageFile = None,
    lang: Lang = PageLanguage.EN,
    against: Annotated[int | None, typer.Option("--against", help="Tell what moved since this snapshot.")] = None,
    *,
    as_json: Json = False,
) -> None:
    """Judge a snapshot by the published checks and the French figures.

    Example: enclos quality home --out quality.json
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.handed import page_to, written_to
    from enclos.app.quality import RESULTS, judge_quality

    with open_enclosure(directory, passphrase) as enclosure, progress_bars() as report:
        result = judge_quality(
            enclosure,
            snapshot=snapshot,
            against=against,
            cdm_version=cdm.value,
            keep=written_to({RESULTS: out, **page_to(page, lang)}),
            report=report,
        )
    show(result, as_json=as_json)


@application.command()
def profile(
    directory: Dir,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FOLDER", help="Write the result tables of Achilles there, as CSV.")
    ] = None,
    snapshot: Snapshot = None,
    page: PageFile = None,
    lang: Lang = PageLanguage.EN,
    *,
    as_json: Json = False,
) -> None:
    """Count what a snapshot holds, as OHDSI Achilles does. Inside the platform only: nothing is suppressed.

    Example: enclos profile home --out profile
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.handed import page_to, written_to
    from enclos.app.profile import profile_snapshot, tables_to

    with open_enclosure(directory, passphrase) as enclosure, progress_bars() as report:
        keep = written_to({**tables_to(out), **page_to(page, lang)})
        result = profile_snapshot(enclosure, snapshot=snapshot, keep=keep, report=report)
    show(result, as_json=as_json)
