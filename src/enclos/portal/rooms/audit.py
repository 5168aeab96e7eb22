"""What an auditor is served: the ledger by pages, each entry with its proof, all of it verified, a month reviewed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup
from starlette.routing import Route

from enclos.app.auditing import ACTIONS, MARKED, OUTCOMES, Sought, explore, show_entry, state_of
from enclos.app.monthly import read_month
from enclos.app.pages.acts_words import ACTIONS as SAID_ACTS
from enclos.app.pages.page import Picture, ReportPage
from enclos.app.pages.review import review_of
from enclos.app.pages.rooms.frame import said_of
from enclos.app.pages.rooms.words_audit import FRENCH_AUDIT
from enclos.app.pages.words import Language
from enclos.app.reviewing import Reviews
from enclos.app.verifying import Verifications
from enclos.lexicon.refusals import Refusal
from enclos.portal.desk import Answer, Asked, Desk, File, Go, Page, Room, page_status
from enclos.signin.model import Role
from enclos.studies.figures.style import STYLE

ROOM = Room(
    "audit",
    "Audit",
    Role.AUDITOR,
    [
        ("/audit", "Ledger"),
        ("/audit/broken", "Broken off"),
        ("/audit/verify", "Verify"),
        ("/audit/month", "Monthly review"),
        ("/audit/seals", "Seals and witnesses"),
    ],
    FRENCH_AUDIT,
)
_SOON = 2.0
"""Seconds that a form waits for a verification or a review which may be over at once."""
_MOST_DIGITS = 15
_AS_DRAWN = Markup(f'<svg role="img" {STYLE}')  # noqa: S704 - a constant of ours


def routes(desk: Desk) -> list[Route]:
    """Its addresses."""
    verifications, reviews = Verifications(), Reviews()

    def month(asked: Asked) -> Page | Go:
        return _month(asked, reviews)

    def review(asked: Asked) -> Go:
        of, user = asked.form["month"].strip(), asked.user

        def make() -> dict[Language, ReportPage]:
            with desk.opened.use() as (enclosure, _):
                found = read_month(enclosure, of or None, user=user)
            return {language: review_of(found, language) for language in Language}

        reviews.begin(user, of, make).ended.wait(_SOON)
        return Go(f"/audit/month?{urlencode({'month': of})}")

    def verify(_asked: Asked) -> Page:
        return _verification(verifications)

    def begin(asked: Asked) -> Answer:
        form = asked.form
        try:
            begun = verifications.begin(asked.enclosure, key=form["key"], note=form["note"], witness=form["witness"])
        except Refusal as refused:
            return _verification(verifications, refused, {name: form[name] for name in ("key", "note", "witness")})
        begun.ended.wait(_SOON)
        return Go("/audit/verify")

    return [
        Route("/audit", desk.served(ROOM, _ledger)),
        Route("/audit/broken", desk.served(ROOM, _broken)),
        Route("/audit/entry/{index:str}", desk.served(ROOM, _entry)),
        Route("/audit/entry/{index:str}/proof", desk.served(ROOM, _proof)),
        Route("/audit/verify", desk.served(ROOM, begin), methods=["POST"]),
        Route("/audit/verify", desk.served(ROOM, verify)),
        Route("/audit/month", desk.served(ROOM, review), methods=["POST"]),
        Route("/audit/month", desk.served(ROOM, month)),
        Route("/audit/seals", desk.served(ROOM, _seals)),
    ]


def _ledger(asked: Asked) -> Page:
    query = asked.query
    wrong = {name for name in ("since", "until") if query.get(name) and _day(query[name]) is None}
    sought = Sought(
        action=query.get("action", "") if query.get("action") in ACTIONS else "",
        actor=query.get("actor", "").strip(),
        permit=query.get("permit", "").strip(),
        outcome=query.get("outcome", "") if query.get("outcome") in OUTCOMES else "",
        since=_day(query.get("since", "")),
        until=_day(query.get("until", "")),
    )
    values = {
        "sought": sought,
        "actions": ACTIONS,
        "said_acts": SAID_ACTS,
        "outcomes": OUTCOMES,
        "days": {name: query.get(name, "") for name in ("since", "until")},
        "wrong": wrong,
    }
    if wrong:  # what would be found without that day is not what was asked for
        return Page("audit_ledger", "Ledger", {**values, "found": None}, status=422)
    return Page("audit_ledger", "Ledger", {**values, **_found(asked, sought)})


def _broken(asked: Asked) -> Page:
    return Page("audit_broken", "Broken off", _found(asked, Sought(outcome=MARKED)))


def _found(asked: Asked, sought: Sought) -> dict[str, object]:
    found = explore(asked.enclosure, sought, _number(asked.query, "before"))
    kept = {name: value for name, value in asked.query.items() if name not in {"before", "lang"} and value}
    older = f"?{urlencode({**kept, 'before': found['older']})}" if found["older"] is not None else ""
    newest = f"?{urlencode(kept)}" if "before" in asked.query else ""
    return {"found": found, "older": older, "newest": newest, "said_acts": SAID_ACTS}


def _entry(asked: Asked) -> Page:
    shown = _shown(asked)
    return (
        Page(
            "audit_entry",
            "Entry {index}",
            {"shown": shown, "said_acts": SAID_ACTS},
            {"index": asked.path["index"]},
        )
        if shown
        else _absent()
    )


def _proof(asked: Asked) -> Answer:
    """The proof as a file that any verifier of C2SP's format reads."""
    shown = _shown(asked)
    if shown is None:
        return _absent()
    name = f"entry-{shown['act']['index']}.tlog-proof"
    return File(name, shown["proof"].encode("utf-8"), "text/plain; charset=utf-8")


def _shown(asked: Asked) -> dict[str, Any] | None:
    index = _number(asked.path, "index")
    return None if index is None else show_entry(asked.enclosure, index)


def _absent() -> Page:
    return Page("absent", "There is no such page", status=404)


def _verification(
    verifications: Verifications, refused: Refusal | None = None, form: Mapping[str, str] | None = None
) -> Page:
    last = verifications.last
    values = {
        "last": last.as_json() if last else None,
        "ended": said_of(last.refused) if last and last.refused else None,
        "refused": said_of(refused) if refused else None,
        "form": form or {"key": "", "note": "", "witness": ""},
    }
    return Page("audit_verify", "Verify", values, status=200 if refused is None else page_status(refused))


def _month(asked: Asked, reviews: Reviews) -> Page | Go:
    """The review of a month that this person asked for; the ledger says that they did."""
    month = asked.query.get("month", "")
    last = reviews.last(asked.user, month) if "month" in asked.query else None
    here = f"/audit/month?{urlencode({'month': month})}"
    if asked.is_partial and last and last.is_over:
        return Go(here)
    found = last.found if last else None
    review = found[asked.language] if isinstance(found, dict) else None
    values = {
        "review": review,
        "last": last,
        "refused": said_of(last.refused) if last and last.refused else None,
        "month": month,
        "here": here,
        "pictures": [_plain(each.picture, each.title) if each.picture else None for each in review.sections]
        if review
        else [],
    }
    return Page("audit_month", "Monthly review", values)


def _plain(picture: Picture, title: str) -> Markup:
    """The drawing with its name, and without a style of its own, which a page of the portal would not heed."""
    named = Markup('<svg role="img" aria-label="{}"').format(title)
    return Markup(picture.wide.replace(_AS_DRAWN, named, 1))  # noqa: S704 - escaped already


def _seals(asked: Asked) -> Page:
    return Page("audit_seals", "Seals and witnesses", {"state": state_of(asked.enclosure)})


def _number(given: Mapping[str, str], name: str) -> int | None:
    said = given.get(name, "")
    return int(said) if said.isascii() and said.isdigit() and len(said) <= _MOST_DIGITS else None


def _day(said: str) -> date | None:
    try:
        return date.fromisoformat(said)
    except ValueError:
        return None
