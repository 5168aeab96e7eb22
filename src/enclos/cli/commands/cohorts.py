"""Cohorts: make those of Circe definitions under a permit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from enclos.cli.application import Dir, Json, On, PermitId, User, Workers, acting, application, text_of
from enclos.cli.console import progress_bars, say, show
from enclos.signin.model import Role


@application.command()
def cohort(
    directory: Dir,
    permit: PermitId,
    user: User,
    *,
    circe: Annotated[
        list[Path] | None,
        typer.Option("--circe", metavar="FILE", help="A Circe definition (ATLAS); can be given again."),
    ] = None,
    more: Annotated[list[Path] | None, typer.Argument(metavar="FILE…", help="More definitions.")] = None,
    save: Annotated[
        bool, typer.Option("--save", help="Keep the rows: they are table `cohort` in this permit's SQL.")
    ] = False,
    inclusion: Annotated[
        bool, typer.Option("--inclusion", help="Tell too how many events and persons pass which rules, as ATLAS does.")
    ] = False,
    workers: Workers = None,
    on: On = "",
    as_json: Json = False,
) -> None:
    """Make the cohorts of Circe definitions on a permit's view; tell how many events and persons each rule leaves.

    Without --circe the saved cohorts of the permit are listed.

    Example: enclos cohort home --permit FR-2026-0001 --user alice@example.org --circe statin.json bleed.json
    """
    from enclos.app.cohorts import count, saved

    files = [*(circe or []), *(more or [])]
    if not files:
        with acting(directory, user, Role.RESEARCHER) as enclosure:
            show({"permit": permit, "saved": saved(enclosure, permit=permit, user=user)}, as_json=as_json)
        return
    if len({file.stem for file in files}) != len(files):
        raise typer.BadParameter("two files have one name: the name of a cohort is that of its file")
    texts = {file.stem: text_of(file) for file in files}
    with acting(directory, user, Role.RESEARCHER) as enclosure, progress_bars() as report:
        answer = count(
            enclosure,
            permit=permit,
            user=user,
            texts=texts,
            save=save,
            inclusion=inclusion,
            workers=workers,
            on=on,
            report=report,
        )
    show(answer if as_json else _as_tables(answer), as_json=as_json)
    say(f"numbers of fewer than {answer['min_count']} persons, and what would tell them, are not shown")


def _as_tables(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer with its attrition, and which rules are passed, as tables beside the cohorts."""
    cohorts = answer["cohorts"]
    tables = {
        name: [{"cohort": each["name"], **row} for each in cohorts for row in each.get(name, [])]
        for name in ("attrition", "inclusion")
    }
    flat = [{name: value for name, value in each.items() if name not in tables} for each in cohorts]
    return {**answer, "cohorts": flat, **{name: rows for name, rows in tables.items() if rows}}
