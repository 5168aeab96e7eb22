"""Applications for permits: their applicant's pages, and the same for the access body, which decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.routing import Route

from enclos.app import applications, previews
from enclos.app.pages.rooms.frame import said_of
from enclos.app.pages.rooms.permit_saying import COUNTED_ACCESS, IDENTIFIERS, MOVES, said_opening
from enclos.app.pages.rooms.words_applications import FRENCH_APPLICATIONS
from enclos.app.permits import draft
from enclos.contracts.view import GRANTABLE_TABLES
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from enclos.permits.document import text_from_form
from enclos.permits.rules.life import legal_bases
from enclos.portal.desk import Act, Answer, Asked, Desk, Go, Page, Room, page_status
from enclos.portal.paging import shown
from enclos.signin.model import Role

ROOM = Room(
    "applications",
    "Applications",
    Role.RESEARCHER,
    [("/applications", "My applications"), ("/applications/new", "New application")],
    FRENCH_APPLICATIONS,
)
_ARTICLES = {
    "53(1)(a)": "53(1)(a) public health",
    "53(1)(b)": "53(1)(b) policy making and regulation",
    "53(1)(c)": "53(1)(c) statistics",
    "53(1)(d)": "53(1)(d) education",
    "53(1)(e)": "53(1)(e) scientific research",
    "53(1)(f)": "53(1)(f) improvement of care",
}
_FIELDS = (
    "permit", "organisation", "investigator", "users", "purpose", "article", "legal_basis", "population", "start",
    "end", "why", "access", "min_count", "from", "until",
)  # fmt: skip
_OPEN = frozenset({"draft", "asked"})


def routes(desk: Desk) -> list[Route]:
    """The applicant's addresses."""
    return application_routes(desk, ROOM, "/applications", for_access_body=False)


def application_routes(desk: Desk, room: Room, base: str, *, for_access_body: bool) -> list[Route]:
    """The addresses of applications below a base, for who applies or for the access body."""
    pages = _Pages(base, for_access_body=for_access_body)
    one = f"{base}/{{application}}"
    acts: dict[str, Act] = {"keep": pages.keep, "ask": pages.ask, "withdraw": pages.withdraw}
    if for_access_body:
        acts |= {"count": pages.count, "grant": pages.grant, "refuse": pages.refuse}
    return [
        Route(base, desk.served(room, pages.listed)),
        Route(base, desk.served(room, pages.keep), methods=["POST"]),
        Route(f"{base}/new", desk.served(room, pages.new)),
        Route(one, desk.served(room, pages.one)),
        *(Route(f"{one}/{name}", desk.served(room, act), methods=["POST"]) for name, act in acts.items()),
    ]


class _Pages:
    """The acts, at one base."""

    def __init__(self, base: str, *, for_access_body: bool) -> None:
        self._base, self._for_access_body = base, for_access_body

    def listed(self, asked: Asked) -> Answer:
        rows = applications.list_applications(asked.enclosure, self._hand(asked))["applications"]
        part = shown(sorted(rows, key=lambda row: row["stage"] not in _OPEN), asked.query)
        return self._page(
            "applications_list",
            "Applications",
            {
                "shown": part,
                "waiting": [row for row in part.rows if row["stage"] in _OPEN],
                "decided": [row for row in part.rows if row["stage"] not in _OPEN],
            },
        )

    def new(self, asked: Asked) -> Answer:
        template = draft()
        now = asked.enclosure.ledger.now().date()
        say = asked.words
        return self._page(
            "applications_new",
            "New application",
            {
                "number_of_it": applications.new_id(),
                "user": "" if self._for_access_body else asked.user,
                "articles": [(article, say(text)) for article, text in _ARTICLES.items()],
                "bases": [
                    (basis.id, say("{id}, {n} years at most", id=basis.id, n=basis.max_years))
                    for basis in legal_bases().values()
                ],
                "tables": [(table, table) for table in GRANTABLE_TABLES],
                "identifiers": [(each, say(text)) for each, text in IDENTIFIERS.items()],
                "accesses": [(each, say(text)) for each, text in COUNTED_ACCESS.items()],
                "floor": asked.enclosure.floor,
                "today": now.isoformat(),
                "later": now.replace(year=now.year + 3, day=min(now.day, 28)).isoformat(),
                "draft": template,
            },
        )

    def one(self, asked: Asked) -> Answer:
        return self._one(asked)

    def keep(self, asked: Asked) -> Answer:
        form = asked.form
        text = f"{form['document']}\n"
        if form["how"] == "form":
            text = text_from_form({name: form[name] for name in _FIELDS}, form.all("tables"), form.all("identifiers"))
        number = asked.path.get("application", form["application"])
        kept = applications.keep_application(asked.enclosure, self._hand(asked), text, application=number)
        return Go(f"{self._base}/{kept['application']}")

    def ask(self, asked: Asked) -> Answer:
        return self._done(asked, applications.ask_for)

    def withdraw(self, asked: Asked) -> Answer:
        return self._done(asked, applications.withdraw)

    def grant(self, asked: Asked) -> Answer:
        return self._done(asked, applications.grant, digest=asked.form["digest"] or "not told", why=asked.form["note"])

    def refuse(self, asked: Asked) -> Answer:
        return self._done(asked, applications.refuse, why=asked.form["why"])

    def count(self, asked: Asked) -> Answer:
        return self._one(asked, is_counted=True)

    # -- inside

    def _done(self, asked: Asked, act: Callable[..., dict[str, Any]], **given: str) -> Answer:
        """Do it and show what came of it; what is wrong with the document or with its stage is told on its page."""
        try:
            act(asked.enclosure, self._hand(asked), asked.path["application"], **given)
        except Refusal as refused:
            if refused.code in {Code.APPLICATION_UNKNOWN, Code.ENCLOSURE_BUSY}:
                raise
            return self._one(asked, refused)
        return Go(f"{self._base}/{asked.path['application']}")

    def _one(self, asked: Asked, refused: Refusal | None = None, *, is_counted: bool = False) -> Page:
        it = applications.show_application(asked.enclosure, self._hand(asked), asked.path["application"])
        opening, faults = None, None
        try:
            if is_counted:
                told = previews.preview_permit(asked.enclosure, it["document"], by=asked.user)
            else:
                told = previews.read_draft(asked.enclosure, it["document"])
            opening = said_opening(told, asked.words, asked.enclosure.floor)
        except Refusal as wrong:
            if wrong.code is not Code.PERMIT_INVALID:
                raise
            faults = said_of(wrong)
        values = {
            "it": it,
            "opening": opening,
            "faults": faults,
            "moves": MOVES,
            "refused": said_of(refused) if refused else None,
        }
        page = self._page("applications_one", "Application {id}", values)
        return Page(
            page.template, page.title, page.values, {"id": it["application"]}, page_status(refused) if refused else 200
        )

    def _page(self, template: str, title: str, values: dict[str, Any]) -> Page:
        return Page(template, title, {**values, "base": self._base, "for_access_body": self._for_access_body})

    def _hand(self, asked: Asked) -> applications.Hand:
        return applications.Hand(asked.user, for_access_body=self._for_access_body)
