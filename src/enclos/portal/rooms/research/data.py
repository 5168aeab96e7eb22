"""The dictionary of what a permit opens."""

from __future__ import annotations

from typing import Any

from starlette.routing import Route

from enclos.app import dictionary
from enclos.app.permits import active
from enclos.contracts.omop import omop_tables
from enclos.holdings.rules.counts import unit_of
from enclos.portal.desk import Asked, Desk, Go, Page
from enclos.portal.rooms.research.room import GOES_ON, PERMIT, ROOM


def routes(desk: Desk) -> list[Route]:
    """Its addresses."""
    return [
        Route(f"{PERMIT}/data", desk.served(ROOM, _data)),
        Route(f"{PERMIT}/data", desk.served(ROOM, _count), methods=["POST"]),
    ]


def _counting(asked: Asked) -> str:
    """The work that counts for this permit now, begun by this person; empty where there is none."""
    mine = asked.jobs.mine(asked.enclosure, asked.user)
    here = [each for each in mine if (each["work"], each["permit"]) == ("dictionary", asked.path["permit"])]
    return next((str(each["job"]) for each in here if each["state"] in GOES_ON), "")


def _data(asked: Asked) -> Page:
    """All tables, or one of them (``table``) with its columns."""
    permit = asked.path["permit"]
    found = dictionary.show(asked.enclosure, permit=permit, user=asked.user)
    tables = found["tables"] if found else []
    table = next((each for each in tables if each["table"] == asked.query.get("table")), None)
    values = {
        "permit": permit,
        "found": found,
        "counting": "" if found and found["is_newest"] else _counting(asked),
        "tables": tables,
        "table": table,
        "granted": active(asked.enclosure, permit, asked.user).permit.terms.tables,
        "keys": _links(table["table"]) if table else {},
        "unit": unit_of(found["floor"]) if found else 0,
        "bars": _bars(table, asked) if table else {},
    }
    if table is None:
        return Page("research_data", "Data dictionary of {permit}", values, {"permit": permit})
    return Page("research_data", "Table {table}", values, {"table": table["table"]})


def _count(asked: Asked) -> Go:
    counting = _counting(asked)
    if counting:
        return Go(f"/research/work/{counting}")
    of = {"permit": asked.path["permit"], "user": asked.user}
    job = asked.jobs.start(asked.enclosure, "dictionary", {}, **of, title=asked.words("Data dictionary"))
    return Go(f"/research/work/{job['job']}")


def _bars(table: dict[str, Any], asked: Asked) -> dict[str, list[tuple[str, int | None, str]]]:
    """Of every column that is told by years or bands, a bar each; too few is a gap."""
    few, number = asked.words("too few"), asked.words.number
    return {
        each["column"]: [(str(value), n, few if n is None else f"≥ {number(n)}") for value, _name, n in each["values"]]
        for each in table["columns"]
        if each["kind"] in {"year", "band"}
    }


def _links(table: str) -> dict[str, str]:
    """What the columns of a table refer to."""
    known = omop_tables()
    found = {
        name: "concept" if name.endswith("concept_id") else name.removesuffix("_id") for name in known[table].names
    }
    return {name: to for name, to in found.items() if name.endswith("_id") and to in known and to != table}
