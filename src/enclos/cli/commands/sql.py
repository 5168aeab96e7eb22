"""SQL: ask one question under a permit."""

from __future__ import annotations

import json
import sys
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from enclos.cli.application import Dir, Json, PermitId, User, acting, application, bytes_of, text_of
from enclos.cli.console import say, show
from enclos.signin.model import Role

if TYPE_CHECKING:
    import pyarrow as pa


class Format(Enum):
    """How the rows are printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    ARROW = "arrow"


@application.command()
def sql(
    directory: Dir,
    query: Annotated[str, typer.Argument(metavar="SELECT…")],
    permit: PermitId,
    user: User,
    *,
    form: Annotated[
        Format, typer.Option("--format", help="table, csv, json (a row per line) or arrow.")
    ] = Format.TABLE,
    keep: Annotated[
        bool, typer.Option("--keep", help="Count its groups and keep them as a run that `release` may be asked for.")
    ] = False,
    unconfined: Annotated[
        bool,
        typer.Option("--unconfined-for-trying-out", help="Also where bubblewrap is missing: synthetic data only."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Answer one SELECT over the tables of a permit (docs/sql.md); the rows are for the eyes of its user.

    With --keep its aggregates become a table that may be asked to leave, and nothing is shown.

    Example: enclos sql home --permit FR-2026-0001 --user alice@example.org "SELECT count(*) AS n FROM person"
    """
    from enclos.app.sql import ask
    from enclos.app.tables import keep_answer

    if keep:
        with acting(directory, user, Role.RESEARCHER) as enclosure:
            kept = keep_answer(enclosure, permit=permit, user=user, text=query, unconfined_for_trying_out=unconfined)
        show(kept, as_json=as_json)
        return
    with acting(directory, user, Role.RESEARCHER) as enclosure:
        answer = ask(enclosure, permit=permit, user=user, text=query, unconfined_for_trying_out=unconfined)
    if unconfined:
        say("this query ran without walls: for trying out on synthetic data only")
    if as_json:
        show(
            {
                "columns": answer.table.column_names,
                "rows": answer.table.to_pylist(),
                "n_rows": answer.table.num_rows,
                "min_count": answer.min_count,
                "snapshot": answer.snapshot,
                "seconds": answer.seconds,
            },
            as_json=True,
        )
    else:
        _print(answer.table, form)
        if answer.min_count:
            say(f"counts of fewer than {answer.min_count} persons, and none, look the same: they are not shown")
        say(f"{answer.table.num_rows} rows, {answer.seconds} s, snapshot {answer.snapshot}")


@application.command()
def table(
    directory: Dir,
    rows: Annotated[Path, typer.Argument(metavar="ROWS", help="CSV of a person per line or more, as FORM declares.")],
    form: Annotated[Path, typer.Argument(metavar="FORM", help="YAML: the columns, and what is counted of them.")],
    permit: PermitId,
    user: User,
    *,
    as_json: Json = False,
) -> None:
    """Count the rows of a code job and keep the table as a run that `release` may be asked for (docs/release.md).

    Example: enclos table home rows.csv form.yaml --permit FR-2026-0001 --user alice@example.org
    """
    from enclos.app.tables import keep_job

    content, said = bytes_of(rows), text_of(form)
    with acting(directory, user, Role.RESEARCHER) as enclosure:
        show(keep_job(enclosure, permit=permit, user=user, rows=content, form=said), as_json=as_json)


def _print(table: pa.Table, form: Format) -> None:
    if form is Format.TABLE:
        show({"rows": table.to_pylist()} if table.num_rows else {"columns": table.column_names}, as_json=False)
    elif form is Format.JSON:
        for row in table.to_pylist():
            sys.stdout.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")
    elif form is Format.CSV:
        import csv

        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(table.column_names)
        for batch in table.to_batches():
            writer.writerows(zip(*(column.to_pylist() for column in batch.columns), strict=True))
    else:
        import pyarrow as pa

        with pa.ipc.new_stream(sys.stdout.buffer, table.schema) as stream:
            stream.write_table(table)
