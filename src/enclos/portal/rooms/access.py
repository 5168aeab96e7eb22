"""What the access body is served: applications, permits and their life, what falls due, reviews."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlencode

from starlette.routing import Route

from enclos.app import applications, permits, previews
from enclos.app.calendar import permit_calendar
from enclos.app.monthly import review_month
from enclos.app.pages.acts_words import ACTIONS
from enclos.app.pages.review_words import DETECTORS
from enclos.app.pages.rooms.frame import said_of
from enclos.app.pages.rooms.permit_saying import DAYS, said_opening
from enclos.app.pages.rooms.words_access import FRENCH_ACCESS
from enclos.app.reviewing import Review, Reviews
from enclos.app.reviews import review_access
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from enclos.permits.model import State
from enclos.permits.rules.access import delete_by
from enclos.permits.rules.life import legal_bases, years_after
from enclos.portal.desk import Act, Answer, Asked, Desk, Go, Page, Room, page_status
from enclos.portal.paging import shown
from enclos.portal.rooms import amending
from enclos.portal.rooms.applications import application_routes
from enclos.portal.rooms.changing import NEVER_SHOWN, reason_fault, version_of
from enclos.signin.model import Role

ROOM = Room(
    "access",
    "Access",
    Role.ACCESS_BODY,
    [
        ("/access", "Overview"),
        ("/access/applications", "Applications"),
        ("/access/permits", "Permits"),
        ("/access/calendar", "Calendar"),
        ("/access/reviews", "Reviews"),
    ],
    FRENCH_ACCESS,
)
_SOON, _MONTHS, _YEARS, _WIDTH, _MOST_SPANS = 90, 12, 5, 1000, 60
_OVER = frozenset({State.REVOKED.value, State.EXPIRED.value})
_PATIENCE = 2.0
"""Seconds that a form waits for a review which may be over at once."""
_RULES = {code.id: code.rule for code in Code}
_DETECTORS = {detector.value: text for detector, text in DETECTORS.items()}


def routes(desk: Desk) -> list[Route]:
    """Its addresses."""
    one = "/access/permits/{permit}"
    reviews = Reviews()

    def review(asked: Asked) -> Page | Go:
        return _reviews(asked, reviews)

    def begin(asked: Asked) -> Go:
        return _begin(asked, desk, reviews)

    asked = {"amend": (amending.show, amending.sign), "renew": (_renew, _renewed), "revoke": (_revoke, _revoked)}
    return [
        Route("/access", desk.served(ROOM, _overview)),
        *application_routes(desk, ROOM, "/access/applications", for_access_body=True),
        Route("/access/permits", desk.served(ROOM, _permits)),
        Route(one, desk.served(ROOM, _permit)),
        Route(f"{one}/open", desk.served(ROOM, _open), methods=["POST"]),
        *(Route(f"{one}/{name}", desk.served(ROOM, _of_the_living(look))) for name, (look, _) in asked.items()),
        *(Route(f"{one}/{name}", desk.served(ROOM, do), methods=["POST"]) for name, (_, do) in asked.items()),
        Route("/access/calendar", desk.served(ROOM, _calendar)),
        Route("/access/reviews", desk.served(ROOM, begin), methods=["POST"]),
        Route("/access/reviews", desk.served(ROOM, review)),
    ]


def _overview(asked: Asked) -> Page:
    hand = applications.Hand(asked.user, for_access_body=True)
    found = applications.list_applications(asked.enclosure, hand)["applications"]
    calendar = permit_calendar(asked.enclosure)
    days = [day for month in calendar["months"] for day in month["days"]]
    due = [day for day in days if _is_now(day) or (day["state"] == "ahead" and day["n_left"] <= _SOON)]
    values = {
        "waiting": [row for row in found if row["stage"] == "asked"],
        "n_in_force": sum(span["state"] not in {"REVOKED", "EXPIRED"} for span in calendar["permits"]),
        "soon": sorted(due, key=_on),
        "n_late": calendar["n_late"],
        "day_texts": DAYS,
    }
    return Page("access_overview", "Access", values)


# -- permits


def _permits(asked: Asked) -> Page:
    rows = permits.list_all(asked.enclosure)["permits"]
    return Page("access_permits", "Permits", {"shown": shown(rows, asked.query)})


def _permit(asked: Asked) -> Page:
    return _shown_permit(asked, None)


def _open(asked: Asked) -> Page:
    opened = permits.open_one(asked.enclosure, asked.path["permit"], by=asked.user)
    floor, n_persons = asked.enclosure.floor, opened["n_persons"]
    few = asked.words("fewer than {floor}", floor=floor)
    persons = few if 0 < n_persons < floor else asked.words.number(n_persons)
    return _shown_permit(asked, {"snapshot": opened["snapshot"], "persons": persons})


def _shown_permit(asked: Asked, opened: Mapping[str, Any] | None) -> Page:
    it = _it(asked)
    values = {
        "it": it,
        "can_be_renewed": _can_be_renewed(it),
        "is_alive": it["state"] not in _OVER,
        "opening": _opening(asked, previews.read_signed(asked.enclosure, it["permit"])),
        "opened": opened,
    }
    return Page("access_permit", "Permit {permit}", values, {"permit": it["permit"]})


def _of_the_living(look: Act) -> Act:
    """A form that changes a permit; of one that is over, where each change is refused, its page instead."""

    def looked(asked: Asked) -> Answer:
        it = _it(asked)
        return Go(f"/access/permits/{it['permit']}") if it["state"] in _OVER else look(asked)

    return looked


def _renew(asked: Asked) -> Page:
    return _renewing(asked)


def _renewed(asked: Asked) -> Answer:
    form = asked.form
    lacking = reason_fault(form, asked.words)
    if lacking:
        return _renewing(asked, lacking=lacking)

    def act() -> None:
        try:
            end = datetime.combine(date.fromisoformat(form["until"]), datetime.min.time(), UTC)
        except ValueError:
            end = datetime.min.replace(tzinfo=UTC)  # no day at all is no later end
        permits.renew(
            asked.enclosure,
            asked.path["permit"],
            until=end,
            reason=form["reason"],
            by=asked.user,
            of_version=version_of(form),
        )

    return _changed(asked, act, lambda refused: _renewing(asked, refused))


def _renewing(asked: Asked, refused: Refusal | None = None, lacking: str = "") -> Page:
    it = _it(asked)
    signed = permits.newest(asked.enclosure, it["permit"])
    basis = legal_bases()[signed.permit.legal_basis]
    latest = years_after(signed.permit.valid_until, basis.max_years).date().isoformat()
    values = {
        "it": it,
        "basis": basis,
        "can": _can_be_renewed(it),
        "until": asked.form["until"] or latest,
        "reason": asked.form["reason"],
        "lacking": lacking,
        "refused": said_of(refused) if refused else None,
    }
    status = page_status(refused) if refused else 422 if lacking else 200
    return Page("access_renew", "Renew {permit}", values, {"permit": it["permit"]}, status)


def _can_be_renewed(it: Mapping[str, Any]) -> bool:
    """Whether its legal basis allows one renewal more."""
    n_renewals: int = sum(version["state"] == State.RENEWED.value for version in it["versions"])
    return n_renewals < legal_bases()[it["document"]["legal_basis"]].max_renewals


def _revoke(asked: Asked) -> Page:
    return _revoking(asked)


def _revoked(asked: Asked) -> Answer:
    form, permit = asked.form, asked.path["permit"]
    is_wrong, lacking = form["confirm"] != permit, reason_fault(form, asked.words)
    if is_wrong or lacking:
        return _revoking(asked, is_wrong=is_wrong, lacking=lacking)

    def act() -> None:
        permits.revoke(asked.enclosure, permit, reason=form["reason"], by=asked.user, of_version=version_of(form))

    return _changed(asked, act, lambda refused: _revoking(asked, refused))


def _revoking(asked: Asked, refused: Refusal | None = None, *, is_wrong: bool = False, lacking: str = "") -> Page:
    it = _it(asked)
    signed, now = permits.newest(asked.enclosure, it["permit"]), asked.enclosure.ledger.now()
    values = {
        "it": it,
        "reason": asked.form["reason"],
        "is_wrong": is_wrong,
        "lacking": lacking,
        "delete_by": delete_by(replace(signed, state=State.REVOKED, active_from=now)).isoformat(),
        "refused": said_of(refused) if refused else None,
    }
    status = page_status(refused) if refused else 422 if is_wrong or lacking else 200
    return Page("access_revoke", "Revoke {permit}", values, {"permit": it["permit"]}, status)


def _changed(asked: Asked, act: Callable[[], None], again: Callable[[Refusal], Page]) -> Answer:
    """Change a permit and show it; what is refused of the form is told above it."""
    try:
        act()
    except Refusal as refused:
        if refused.code in NEVER_SHOWN:
            raise
        return again(refused)
    return Go(f"/access/permits/{asked.path['permit']}")


def _it(asked: Asked) -> dict[str, Any]:
    return permits.show_one(asked.enclosure, asked.path["permit"])


def _opening(asked: Asked, told: Mapping[str, Any]) -> dict[str, Any]:
    return said_opening(told, asked.words, asked.enclosure.floor)


# -- calendar and reviews


def _calendar(asked: Asked) -> Page:
    calendar = permit_calendar(asked.enclosure)
    spans = calendar["permits"]
    alive = [span for span in spans if span["destroyed_on"] is None] or spans
    drawn = alive[:_MOST_SPANS]
    begin = min((span["begins_on"] for span in drawn), default=calendar["today"])
    end = max((*(span["delete_by"] for span in drawn), calendar["today"]))
    part = shown(calendar["months"], asked.query, _MONTHS)
    values = {
        "spans": [_span(span, begin, end, calendar["today"]) for span in drawn],
        "now": _place(calendar["today"], begin, end),
        "axis": f"{begin[:4]}–{end[:4]}",
        "day_texts": DAYS,
        "n_more": len(spans) - len(drawn),
        "now_due": sorted((day for month in calendar["months"] for day in month["days"] if _is_now(day)), key=_on),
        "shown": part,
        "ahead": [month for month in part.rows if not month["is_over"]],
        "over": [month for month in part.rows if month["is_over"]],
    }
    return Page("access_calendar", "Calendar", values)


def _is_now(day: Mapping[str, Any]) -> bool:
    return day["state"] in {"due", "late"}


def _on(day: Mapping[str, Any]) -> str:
    return str(day["on"])


def _span(span: Mapping[str, Any], begin: str, end: str, today: str) -> dict[str, Any]:
    first, last, deleted = (_place(span[name], begin, end) for name in ("begins_on", "ends_on", "delete_by"))
    is_late = span["destroyed_on"] is None and span["delete_by"] < today
    return {**span, "from": first, "to": last, "tail": deleted, "width": max(2, last - first), "is_late": is_late}


def _place(day: str, begin: str, end: str) -> int:
    first, last, here = (date.fromisoformat(each).toordinal() for each in (begin, end, day))
    return round(_WIDTH * (here - first) / max(1, last - first))


def _begin(asked: Asked, desk: Desk, reviews: Reviews) -> Go:
    """Have a month of the ledger reviewed, or the access of a year; anything else leads back to the choice."""
    user, today = asked.user, asked.enclosure.ledger.now().date()
    month, year = asked.form["month"], asked.form["year"]
    what, value = ("month", month) if month in _months(today) else ("year", year)
    if what == "year" and year not in _past(today):
        return Go("/access/reviews")

    def make() -> dict[str, Any]:
        with desk.opened.use() as (enclosure, _):
            acting = replace(enclosure, acting=user)
            return review_month(acting, month) if what == "month" else review_access(acting, int(year))

    reviews.begin(user, value, make).ended.wait(_PATIENCE)
    return Go(f"/access/reviews?{what}={value}")


def _reviews(asked: Asked, reviews: Reviews) -> Page | Go:
    """What this person had reviewed last of the month or the year that they ask for."""
    today = asked.enclosure.ledger.now().date()
    month, year = asked.query.get("month", ""), asked.query.get("year", "")
    last = reviews.last(asked.user, month or year)
    here = f"/access/reviews?{urlencode({'month': month} if month else {'year': year})}"
    if asked.is_partial and last and last.is_over:
        return Go(here)
    reviewed, access = (_found(last), None) if month else (None, _found(last))
    values = {
        "months": [(each, each) for each in _months(today)],
        "years": [(each, each) for each in _past(today)],
        "month": month,
        "year": year,
        "last": last,
        "refused": said_of(last.refused) if last and last.refused else None,
        "here": here,
        "reviewed": reviewed,
        "n_denied": sum(reviewed["denials"].values()) if reviewed else 0,
        "access": access,
        "detectors": _DETECTORS,
        "actions": ACTIONS,
        "rules": _RULES,
    }
    return Page("access_reviews", "Reviews", values)


def _found(last: Review | None) -> dict[str, Any] | None:
    return last.found if last and isinstance(last.found, dict) else None


def _past(today: date) -> Sequence[str]:
    """The years that can be reviewed, the present one first."""
    return [str(today.year - back) for back in range(_YEARS)]


def _months(today: date) -> Sequence[str]:
    """The months that can be reviewed, the present one first."""
    count = today.year * 12 + today.month - 1
    return [f"{each // 12:04d}-{each % 12 + 1:02d}" for each in range(count, count - _MONTHS, -1)]
