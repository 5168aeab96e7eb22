"""What the steward is served: deliveries, what became of their rows, links, quality, snapshots, objections. To read."""

from __future__ import annotations

from typing import Any

from starlette.routing import Route

from enclos.app import deliveries, objections, persons, quality, running, snapshots
from enclos.app.pages.acts_words import ACTIONS
from enclos.app.pages.rooms.frame import said_of
from enclos.app.pages.rooms.words_data import FRENCH_DATA
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from enclos.portal.desk import Asked, Desk, Page, Room
from enclos.portal.paging import shown
from enclos.signin.model import Role

ROOM = Room(
    "data",
    "Data",
    Role.STEWARD,
    [
        ("/data", "Overview"),
        ("/data/deliveries", "Deliveries"),
        ("/data/account", "Account of rows"),
        ("/data/links", "Links"),
        ("/data/quality", "Quality"),
        ("/data/snapshots", "Snapshots"),
        ("/data/objections", "Objections"),
    ],
    FRENCH_DATA,
)
_FATES = ("delivered", "mapped", "cancelled", "filtered", "rejected")
_NOT_NOW = frozenset({Code.ENCLOSURE_BUSY, Code.LAKE_EMPTY})


def routes(desk: Desk) -> list[Route]:
    """Its addresses."""
    acts = {
        "": _overview,
        "/deliveries": _deliveries,
        "/deliveries/{delivery}": _delivery,
        "/account": _account,
        "/links": _links,
        "/quality": _quality,
        "/snapshots": _snapshots,
        "/objections": _objections,
    }
    return [Route(f"/data{path}", desk.served(ROOM, act)) for path, act in acts.items()]


def _overview(asked: Asked) -> Page:
    """What goes on; also while data are being changed, when nothing else can be looked at."""
    values: dict[str, Any] = {
        "work": running.running_work(asked.enclosure),
        "actions": ACTIONS,
        "figures": (),
        "refused": None,
    }
    try:
        landed = deliveries.list_deliveries(asked.enclosure)
    except Refusal as refused:
        if refused.code not in _NOT_NOW:
            raise
        values["refused"] = said_of(refused)
    else:
        number, say, built = asked.words.number, asked.words, asked.enclosure.marks.build()
        values["figures"] = [
            (number(len(landed["deliveries"])), say("deliveries landed")),
            (number(len(landed["refused"])), say("deliveries not taken")),
            (str(built[0]) if built else "–", say("newest snapshot")),
        ]
    return Page("data_overview", "Data", values)


def _deliveries(asked: Asked) -> Page:
    it = deliveries.list_deliveries(asked.enclosure)
    return Page("data_deliveries", "Deliveries", {"it": it, "shown": shown(it["deliveries"], asked.query)})


def _delivery(asked: Asked) -> Page:
    found = deliveries.list_deliveries(asked.enclosure)["deliveries"]
    one = next((each for each in found if each["delivery"] == asked.path["delivery"]), None)
    if one is None:
        return Page("absent", "There is no such page", status=404)
    return Page("data_delivery", "Delivery {id}", {"it": one}, {"id": one["delivery"][:12]})


def _account(asked: Asked) -> Page:
    it = snapshots.snapshot_account(asked.enclosure, _snapshot(asked))
    sums = {fate: sum(row[fate] for row in it["account"]) for fate in _FATES}
    values = {
        "it": it,
        "sums": sums,
        "adds_up": all(2 * row["delivered"] == sum(row[fate] for fate in _FATES) for row in it["account"]),
        "snapshots": it["snapshots"][::-1],
    }
    return Page("data_account", "Account of rows", values)


def _links(asked: Asked) -> Page:
    it = persons.match_report(asked.enclosure)
    hospitals = it["linked"]["hospitals"] if it["linked"] else []
    values = {
        "it": it,
        "n_linked": sum(row["linked"] for row in hospitals),
        "n_conflicts": sum(row["conflicts"] for row in hospitals),
    }
    return Page("data_links", "Links", values)


def _quality(asked: Asked) -> Page:
    it = quality.judged_quality(asked.enclosure, _snapshot(asked))
    judged = it["judged"] or {"kinds": [], "failing": []}
    kinds: dict[str, dict[str, Any]] = {}
    for row in judged["kinds"]:
        kind = kinds.setdefault(row["kind"], {"kind": row["kind"], "passed": 0, "failed": 0, "not_applicable": 0})
        kind[row["status"].replace(" ", "_")] = row["n"]
    values = {"it": it, "kinds": list(kinds.values()), "shown": shown(judged["failing"], asked.query)}
    return Page("data_quality", "Quality", values)


def _snapshots(asked: Asked) -> Page:
    if asked.enclosure.marks.build() is None:
        return Page("data_snapshots", "Snapshots", {"rows": [], "it": None})
    it = snapshots.compare_snapshots(asked.enclosure, _snapshot(asked))
    return Page("data_snapshots", "Snapshots", {"rows": it["snapshots"][::-1], "it": it})


def _objections(asked: Asked) -> Page:
    return Page("data_objections", "Objections", {"it": objections.objections_by_source(asked.enclosure)})


def _snapshot(asked: Asked) -> int | None:
    """The snapshot that is asked for; None for the newest."""
    text = asked.query.get("snapshot", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
