"""People's SQL: a statement in, a table out, through the guard and the walls of ``enclos sql``."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from threading import Event
from time import monotonic
from typing import Any

import pyarrow as pa
from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import Field

from enclos.app.sql import ask as ask_sql
from enclos.app.turns import stopped
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal
from enclos.portal.api.asking import Answer, Ask, Body, Key
from enclos.signin.model import Role

router = APIRouter()
_SECONDS = 50.0
"""The process that answers the public waits a minute."""
_MOST_BYTES = 8 << 20
_ARROW = "application/vnd.apache.arrow.stream"
_CONTENT: dict[str, Any] = {"application/json": {}, "text/csv": {}, _ARROW: {}}


class Form(Enum):
    """How the rows are written."""

    JSON = "json"
    CSV = "csv"
    ARROW = "arrow"


class Statement(Body):
    """One SELECT over the tables of a permit."""

    permit: str = Field(min_length=1, max_length=64)
    query: str = Field(min_length=1, max_length=100_000)


class JobTable(Body):
    """Rows of a code job as CSV, and the form (YAML) that says what is counted of them."""

    permit: str = Field(min_length=1, max_length=64)
    rows: str = Field(min_length=1, max_length=900_000)
    form: str = Field(min_length=1, max_length=50_000)


@dataclass(frozen=True, slots=True)
class _Until:
    """A statement's asker, and its end: its time is over, or the portal ends."""

    user: str
    permit: str
    end: float
    is_ending: Event

    def is_set(self) -> bool:
        return monotonic() > self.end or self.is_ending.is_set()

    def check(self) -> None:
        if self.is_set():
            raise stopped()


@router.post(
    "/sql",
    summary="Answer one SELECT under a permit",
    response_class=Response,
    responses={200: {"content": _CONTENT}},
)
def _sql(ask: Ask, asked: Statement, form: Form = Form.JSON) -> Response:
    ask.as_a(Role.RESEARCHER)
    ask.permit = asked.permit
    until = _Until(ask.user, asked.permit, monotonic() + _SECONDS, ask.opened.is_ending)
    try:
        with ask.opened.statements.turn(until, until):
            answer = ask_sql(ask.enclosure, permit=asked.permit, user=ask.user, text=asked.query, also=until.check)
    except Refusal as refused:
        is_late = refused.code is Code.GATE_STOPPED and not until.is_ending.is_set()
        raise (_too_long() if is_late else refused) from None
    if answer.table.nbytes > _MOST_BYTES:
        raise refusal(Code.SQL_LIMIT, "The answer is too large for this way.", "Ask for less, or by the gateway.")
    if form is Form.JSON:
        told = {
            "columns": answer.table.column_names,
            "rows": [{name: _plain(value) for name, value in row.items()} for row in answer.table.to_pylist()],
            "n_rows": answer.table.num_rows,
            "min_count": answer.min_count,
            "snapshot": answer.snapshot,
            "seconds": answer.seconds,
        }
        return Response(json.dumps(told, ensure_ascii=False, default=str), media_type="application/json")
    if form is Form.CSV:
        return Response(_csv(answer.table), media_type="text/csv; charset=utf-8")
    return Response(_arrow(answer.table), media_type=_ARROW)


@router.post("/sql/keep", summary="Count a statement's groups and keep them, in the background", status_code=202)
def _keep(ask: Ask, asked: Statement, key: Key = None) -> Answer:  # noqa: ARG001 - a dependency reads it
    return ask.begin("sql-keep", {"query": asked.query}, permit=asked.permit, title="sql")


@router.post("/tables", summary="Count the rows of a code job and keep the table as a run", status_code=202)
def _table(ask: Ask, asked: JobTable, key: Key = None) -> Answer:  # noqa: ARG001
    return ask.begin("table", {"rows": asked.rows, "form": asked.form}, permit=asked.permit, title="table")


def _too_long() -> Refusal:
    return refusal(
        Code.SQL_LIMIT,
        f"The statement had no answer within {_SECONDS:.0f} seconds, its wait included.",
        "Ask for less, or by the gateway.",
    )


def _plain(value: Any) -> Any:
    """A value that JSON has: no number is none, a span of time is a text."""
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, pa.MonthDayNano):
        return _span(value)
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _span(value: Any) -> str:
    """A span of time. Source: ISO 8601-2:2019, § 4.4 (durations with parts below zero)"""
    months, days, nanoseconds = value
    seconds = f"{Decimal(nanoseconds).scaleb(-9).normalize():f}" if nanoseconds else "0"
    parts = [f"{months}M"] * bool(months) + [f"{days}D"] * bool(days)
    return "".join(["P", *parts, f"T{seconds}S" if nanoseconds or not parts else ""])


def _cell(value: Any) -> Any:
    """A value of a line: lists as JSON writes them."""
    if isinstance(value, list):
        return json.dumps(_plain(value), ensure_ascii=False, default=str)
    return _span(value) if isinstance(value, pa.MonthDayNano) else value


def _csv(table: pa.Table) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.column_names)
    for batch in table.to_batches():
        columns = ([_cell(value) for value in column.to_pylist()] for column in batch.columns)
        writer.writerows(zip(*columns, strict=True))
    return out.getvalue().encode("utf-8")


def _arrow(table: pa.Table) -> bytes:
    out = io.BytesIO()
    with pa.ipc.new_stream(out, table.schema) as stream:
        stream.write_table(table)
    return out.getvalue()
