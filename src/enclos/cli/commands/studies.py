"""Studies: run one on a permit, write its protocol."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from enclos.cli.application import Dir, Json, On, PermitId, User, Workers, acting, application, text_of
from enclos.cli.commands.quality import Lang, PageFile, PageLanguage
from enclos.cli.console import hint, progress_bars, say, show
from enclos.signin.model import Role


@application.command()
def study(
    directory: Dir,
    file: Annotated[Path, typer.Argument(metavar="STUDY.yaml")],
    permit: PermitId,
    user: User,
    page: PageFile = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FOLDER", help="Write each table there as CSV, each picture as SVG and PNG."),
    ] = None,
    lang: Lang = PageLanguage.EN,
    workers: Workers = None,
    on: On = "",
    *,
    as_json: Json = False,
) -> None:
    """Run a study on a permit's view; its results stay inside until released.

    A page and files show the whole result to whoever may see the rows that it was made of, to others what could be
    released; which results that leaves out is said before the run. A study that was run before is not run again.

    Example: enclos study home france/truth/studies/first.yaml --permit FR-2026-0001 --user alice@example.org
    """
    from enclos.app.pages.words import Language
    from enclos.app.studies import readable, run, whole_study

    with acting(directory, user, Role.RESEARCHER) as enclosure, progress_bars() as report:
        text = whole_study(text_of(file), lambda name: text_of(file.parent / name))
        result = run(
            enclosure,
            permit=permit,
            user=user,
            text=text,
            page=page,
            out=out,
            language=Language(lang),
            workers=workers,
            on=on,
            report=report,
            warn=say,
        )
        show(result if as_json else readable(result), as_json=as_json)
    who = f"--permit {permit} --user {user}"
    if result["verdict"] == "refuse":
        hint(f"enclos release check {directory} {result['run']} {who} says what of it may leave", as_json=as_json)
    else:
        hint(f"enclos release request {directory} {who} --run {result['run']} --purpose TEXT", as_json=as_json)


@application.command()
def rerun(
    directory: Dir,
    run: Annotated[str, typer.Argument(metavar="RUN")],
    permit: PermitId,
    user: User,
    workers: Workers = None,
    on: On = "",
    *,
    as_json: Json = False,
) -> None:
    """Run a kept run once more on the snapshot that it was made of; say whether its result is the same to the byte.

    Nothing is kept of the second run. Where it differs, it is said whether objections or the program changed.

    Example: enclos rerun home 3f2a9c0d1e5b7a64 --permit FR-2026-0001 --user alice@example.org
    """
    from enclos.app.studies import rerun as run_again

    with acting(directory, user, Role.RESEARCHER) as enclosure, progress_bars() as report:
        answer = run_again(enclosure, permit=permit, user=user, run_id=run, workers=workers, on=on, report=report)
        show(answer, as_json=as_json)


@application.command()
def protocol(
    file: Annotated[Path, typer.Argument(metavar="STUDY.yaml")],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="FILE", help="Write there instead of printing.")
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """The protocol of a study along the order of HARPER and ENCePP, as Markdown; fill in what it marks.

    Example: enclos protocol france/truth/studies/first.yaml -o protocol.md
    """
    from enclos.app import studies

    if out is not None and out.exists():
        raise typer.BadParameter(f"{out.name} exists already; name another file")
    text = studies.protocol(studies.whole_study(text_of(file), lambda name: text_of(file.parent / name)))
    if out is not None:
        out.write_text(text, encoding="utf-8")
    if as_json:
        show({"protocol": text if out is None else str(out)}, as_json=True)
    elif out is None:
        sys.stdout.write(text)
