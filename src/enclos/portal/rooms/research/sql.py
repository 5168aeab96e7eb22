"""SQL under a permit: a statement is written beside the tables that are opened, asked, and its answer looked at."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pyarrow as pa
from starlette.routing import Route

from enclos.app.auditing import Sought, explore
from enclos.app.pages.rooms.frame import said_of
from enclos.app.permits import active
from enclos.app.sql import names_of
from enclos.contracts.view import Access
from enclos.lexicon.refusals import Refusal
from enclos.portal.desk import Answer, Asked, Desk, Go, Page, page_status
from enclos.portal.paging import shown
from enclos.portal.rooms.research.room import PERMIT, ROOM, at
from enclos.portal.rooms.research.statements import Statement, Statements

_BEGUN = "SELECT gender_concept_id, count(*) AS n\nFROM person\nGROUP BY gender_concept_id"
_MOST_LETTERS = 100_000
_ROWS_OF_A_PAGE = 100


def routes(desk: Desk) -> list[Route]:
    """Its addresses."""
    pages = _Pages(Statements(desk.opened))
    place = f"{PERMIT}/sql"
    return [
        Route(place, desk.served(ROOM, pages.write)),
        Route(place, desk.served(ROOM, pages.sent), methods=["POST"]),
        Route(f"{place}/ledger", desk.served(ROOM, _ledger)),
        Route(f"{place}/{{statement}}", desk.served(ROOM, pages.one)),
        Route(f"{place}/{{statement}}/cancel", desk.served(ROOM, pages.cancel), methods=["POST"]),
    ]


class _Pages:
    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def write(self, asked: Asked) -> Page:
        """A page to write on."""
        return self._page(asked, asked.form["text"] or _BEGUN)

    def sent(self, asked: Asked) -> Answer:
        """Ask a statement, or count its groups and keep them as a run."""
        of, text = {"permit": asked.path["permit"], "user": asked.user}, asked.form["text"][:_MOST_LETTERS]
        try:
            active(asked.enclosure, of["permit"], asked.user)
            if asked.form["do"] == "keep":
                job = asked.jobs.start(asked.enclosure, "sql-keep", {"query": text}, **of, title="SQL")
                return Go(f"/research/work/{job['job']}")
            begun = self._statements.begin(asked.user, of["permit"], text)
        except Refusal as refused:
            return self._page(asked, text, refused=refused)
        return Go(at(of["permit"], "sql", begun.id))

    def one(self, asked: Asked) -> Answer:
        """One statement and what it gave; a page that follows it is led on when it is over."""
        permit = asked.path["permit"]
        active(asked.enclosure, permit, asked.user)
        found = self._statements.one(asked.user, permit, asked.path["statement"])
        if asked.is_partial and found.state != "running":
            return Go(at(permit, "sql", found.id))
        return self._page(asked, found.text, found)

    def cancel(self, asked: Asked) -> Go:
        """End it."""
        permit = asked.path["permit"]
        found = self._statements.one(asked.user, permit, asked.path["statement"])
        self._statements.cancel(found)
        return Go(at(permit, "sql", found.id))

    def _page(
        self, asked: Asked, text: str, statement: Statement | None = None, refused: Refusal | None = None
    ) -> Page:
        permit = asked.path["permit"]
        _, tables = names_of(asked.enclosure, permit=permit, user=asked.user)
        said = refused or (statement.refused if statement and statement.state == "refused" else None)
        values = {
            "permit": permit,
            "text": text,
            "tables": tables,
            "is_rows": active(asked.enclosure, permit, asked.user).permit.terms.access is Access.ROWS,
            "statement": statement,
            "answer": _told(statement, asked) if statement else None,
            "said": said_of(said) if said else None,
            "history": self._statements.of(asked.user, permit),
        }
        return Page("research_sql", "SQL", values, status=page_status(refused) if refused else 200)


def _told(statement: Statement, asked: Asked) -> dict[str, Any] | None:
    """What a statement gave, a page of rows at a time."""
    answer = statement.answer
    if answer is None:
        return None
    names, table = answer.table.column_names, answer.table
    part = shown(range(table.num_rows), asked.query, _ROWS_OF_A_PAGE)
    rows = table.slice(part.rows[0] if part.rows else 0, len(part.rows)).to_pylist()
    return {
        "columns": [(name, _is_number(table.schema.field(name).type)) for name in names],
        "rows": [[_written(row[name]) for name in names] for row in rows],
        "shown": part,
        "min_count": answer.min_count,
        "snapshot": answer.snapshot,
        "seconds": answer.seconds,
    }


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _written(value: object) -> str | None:
    """A value as text; None where there is none."""
    return None if value is None else value.isoformat(" ") if isinstance(value, datetime) else str(value)


def _ledger(asked: Asked) -> Page:
    """What the ledger has of the person's statements under the permit: when, how they ended, not what they said."""
    permit, before = asked.path["permit"], asked.query.get("before", "")
    active(asked.enclosure, permit, asked.user)
    sought = Sought(action="sql", actor=asked.user, permit=permit)
    number = int(before) if before.isascii() and before.isdigit() and len(before) < 16 else None
    found = explore(asked.enclosure, sought, number)
    return Page("research_statements", "Your statements in the ledger", {"permit": permit, "found": found})
