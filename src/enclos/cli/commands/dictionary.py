"""The data dictionary of a permit, and the study files that its users keep."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from enclos.cli.application import Dir, Json, PermitId, User, acting, application, text_of
from enclos.cli.console import hint, progress_bars, say, show
from enclos.signin.model import Role

Name = Annotated[str, typer.Argument(metavar="NAME", help="The study file's name.")]

study_file_commands = typer.Typer(
    help="Study files that are kept under a permit, for all of its users: check, keep, list, show, remove.",
    no_args_is_help=True,
)
application.add_typer(study_file_commands, name="study-file")


@application.command()
def dictionary(
    directory: Dir,
    permit: PermitId,
    user: User,
    *,
    count: Annotated[bool, typer.Option("--count", help="Count it anew on the newest snapshot first.")] = False,
    table: Annotated[str, typer.Option("--table", metavar="TABLE", help="The columns of one table.")] = "",
    as_json: Json = False,
) -> None:
    """Tell what a permit opens: of each table and column how many persons have a value, as far as few are not told.

    It is counted once for all users of the permit; without --count what was counted last is shown.

    Example: enclos dictionary home --permit FR-2026-0001 --user alice@example.org --count
    """
    from enclos.app import dictionary as dictionaries

    with acting(directory, user, Role.RESEARCHER) as enclosure:
        if count:
            with progress_bars() as report:
                dictionaries.count(enclosure, permit=permit, user=user, report=report)
        found = dictionaries.show(enclosure, permit=permit, user=user)
    if found is None:
        say("nothing was counted yet for this version of the permit: --count counts it")
    show({"permit": permit, "dictionary": found} if as_json else _as_tables(found, table), as_json=as_json)


@study_file_commands.command("check")
def study_file_check(
    directory: Dir,
    file: Annotated[Path, typer.Argument(metavar="STUDY.yaml")],
    permit: PermitId,
    user: User,
    *,
    as_json: Json = False,
) -> None:
    """Tell what is wrong with a study under a permit, if anything; nothing is run and nothing is kept.

    Example: enclos study-file check home first.yaml --permit FR-2026-0001 --user alice@example.org
    """
    from enclos.app import drafts
    from enclos.app.studies import whole_study

    with acting(directory, user, Role.RESEARCHER) as enclosure:
        text = whole_study(text_of(file), lambda name: text_of(file.parent / name))
        show(drafts.check(enclosure, permit=permit, user=user, text=text), as_json=as_json)


@study_file_commands.command("keep")
def study_file_keep(
    directory: Dir,
    file: Annotated[Path, typer.Argument(metavar="STUDY.yaml")],
    permit: PermitId,
    user: User,
    *,
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="Else the file's own.")] = "",
    as_json: Json = False,
) -> None:
    """Keep a study file under a permit, valid or not, in the place of the one of that name.

    Example: enclos study-file keep home first.yaml --permit FR-2026-0001 --user alice@example.org
    """
    from enclos.app import drafts

    with acting(directory, user, Role.RESEARCHER) as enclosure:
        kept = drafts.keep(enclosure, permit=permit, user=user, name=name or file.stem, text=text_of(file))
    show({key: kept[key] for key in ("name", "user", "at")}, as_json=as_json)
    hint(f"enclos study-file show {directory} {kept['name']} --permit {permit} --user {user}", as_json=as_json)


@study_file_commands.command("list")
def study_file_list(directory: Dir, permit: PermitId, user: User, *, as_json: Json = False) -> None:
    """List the study files of a permit, the newest first.

    Example: enclos study-file list home --permit FR-2026-0001 --user alice@example.org
    """
    from enclos.app import drafts

    with acting(directory, user, Role.RESEARCHER) as enclosure:
        show({"files": drafts.list_all(enclosure, permit=permit, user=user)}, as_json=as_json)


@study_file_commands.command("show")
def study_file_show(directory: Dir, name: Name, permit: PermitId, user: User, *, as_json: Json = False) -> None:
    """Print a study file as it was kept.

    Example: enclos study-file show home first --permit FR-2026-0001 --user alice@example.org
    """
    from enclos.app import drafts

    with acting(directory, user, Role.RESEARCHER) as enclosure:
        found = drafts.show_one(enclosure, permit=permit, user=user, name=name)
    if as_json:
        show(found, as_json=True)
    else:
        sys.stdout.write(found["text"].rstrip("\n") + "\n")


@study_file_commands.command("remove")
def study_file_remove(directory: Dir, name: Name, permit: PermitId, user: User, *, as_json: Json = False) -> None:
    """Remove a study file.

    Example: enclos study-file remove home first --permit FR-2026-0001 --user alice@example.org
    """
    from enclos.app import drafts

    with acting(directory, user, Role.RESEARCHER) as enclosure:
        drafts.remove(enclosure, permit=permit, user=user, name=name)
    show({"removed": name}, as_json=as_json)


def _as_tables(found: dict[str, Any] | None, table: str) -> dict[str, Any]:
    """The dictionary as tables: of all tables, or of the columns of one."""
    if found is None:
        return {"tables": []}
    told = {name: found[name] for name in ("snapshot", "at", "is_newest")}
    names = [each["table"] for each in found["tables"]]
    if not table:
        rows = [
            {
                "table": each["table"],
                "rows": each["n_records"],
                "persons": each["n_persons"],
                "columns": len(each["columns"]),
                "with values": sum(column["n_persons"] is not None for column in each["columns"]),
            }
            for each in found["tables"]
        ]
        return {**told, "tables": rows}
    if table not in names:
        raise typer.BadParameter(f"the permit opens no table of this name; it opens {', '.join(names)}")
    columns = found["tables"][names.index(table)]["columns"]
    return {
        **told,
        "columns": [
            {"column": each["column"], "type": each["sql_type"], "persons": each["n_persons"]} for each in columns
        ],
    }
