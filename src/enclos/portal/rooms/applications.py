"""Applications for permits: their applicant's pages, and the same for the access body, which decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.routing import Route

from enclos.app import applications, previews
from enclos.app.pages.cases import case_in_french
from enclos.app.pages.rooms.frame import said_of
from enclos.app.pages.rooms.permit_saying import COUNTED_ACCESS, IDENTIFIERS, MOVES, said_opening
from enclos.app.pages.rooms.words_applications import FRENCH_APPLICATIONS
from enclos.app.pages.words import Language
from enclos.app.permits import draft
from enclos.contracts.view import GRANTABLE_TABLES
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from enclos.permits.document import faults_in, text_from_form
from enclos.permits.rules.life import legal_bases
from enclos.portal.desk import Act, Answer, Asked, Desk, Go, Page, Room, page_status
from enclos.portal.forms import Form
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
_PLACES = {
    "permit": "permit",
    "holder.organisation": "organisation",
    "holder.investigator": "investigator",
    "users": "users",
    "purpose.text": "purpose",
    "purpose.article": "article",
    "legal_basis": "legal_basis",
    "data.tables": "tables",
    "data.population": "population",
    "data.period.start": "start",
    "data.period.end": "end",
    "data.potential_identifiers": "identifiers",
    "access": "access",
    "disclosure.min_count": "min_count",
    "valid.from": "from",
    "valid.until": "until",
}
"""Which field of the form says what stands at a place of the document, in the order of the form."""
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
        Route(f"{base}/new", desk.served(room, pages.new)),
        Route(f"{base}/new", desk.served(room, pages.make), methods=["POST"]),
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
        return self._new(asked)

    def make(self, asked: Asked) -> Answer:
        """Keep what the form or the document says as a draft; a form with faults comes back with them at its fields,
        unless it is to be kept all the same.
        """
        form = asked.form
        text = _text_of(form) if form["how"] else f"{form['document']}\n"
        if form["how"] and not form["anyway"] and self._faults(asked):
            page = self._new(asked)
            return Page(page.template, page.title, page.values, status=422)
        try:
            return self._kept(asked, text, form["application"])
        except Refusal as refused:
            if refused.code is not Code.PERMIT_INVALID:
                raise
            return self._new(asked, refused)

    def _faults(self, asked: Asked) -> dict[str, str]:
        """What is wrong with the form, by its fields; empty where none was sent."""
        if not asked.form["how"]:
            return {}
        found: dict[str, list[str]] = {}
        for place, what in faults_in(_text_of(asked.form), min_count_floor=asked.enclosure.floor):
            field = next((name for at, name in _PLACES.items() if f"{place}.".startswith(f"{at}.")), "permit")
            found.setdefault(field, []).append(_said_fault(place, what, asked.language))
        return {field: "; ".join(dict.fromkeys(said)) for field, said in found.items()}

    def _new(self, asked: Asked, refused: Refusal | None = None) -> Page:
        now, form, say = asked.enclosure.ledger.now().date(), asked.form, asked.words
        user, faults = "" if self._for_access_body else asked.user, self._faults(asked)
        begun = {
            "investigator": user,
            "users": user,
            "article": "53(1)(e)",
            "population": "all",
            "access": "aggregates",
            "min_count": str(asked.enclosure.floor),
            "from": now.isoformat(),
            "until": now.replace(year=now.year + 3, day=min(now.day, 28)).isoformat(),
        }
        page = self._page(
            "applications_new",
            "New application",
            {
                "number_of_it": form["application"] or applications.new_id(),
                "given": {name: form[name] if form["how"] else begun.get(name, "") for name in _FIELDS},
                "chosen": {name: form.all(name) for name in ("tables", "identifiers")},
                "faults": {name: faults.get(name, "") for name in _PLACES.values()},
                "order": [name for name in _PLACES.values() if name in faults],
                "refused": said_of(refused) if refused else None,
                "articles": [(article, say(text)) for article, text in _ARTICLES.items()],
                "bases": [
                    (basis.id, say("{id}, {n} years at most", id=basis.id, n=basis.max_years))
                    for basis in legal_bases().values()
                ],
                "tables": [(table, table) for table in GRANTABLE_TABLES],
                "identifiers": [(each, say(text)) for each, text in IDENTIFIERS.items()],
                "accesses": [(each, say(text)) for each, text in COUNTED_ACCESS.items()],
                "floor": asked.enclosure.floor,
                "draft": form["document"] or draft(),
            },
        )
        status = page_status(refused) if refused else 200
        return Page(page.template, page.title, page.values, status=status)

    def one(self, asked: Asked) -> Answer:
        return self._one(asked)

    def keep(self, asked: Asked) -> Answer:
        try:
            return self._kept(asked, f"{asked.form['document']}\n", asked.path["application"])
        except Refusal as refused:
            if refused.code in {Code.APPLICATION_UNKNOWN, Code.ENCLOSURE_BUSY}:
                raise
            return self._one(asked, refused)

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

    def _kept(self, asked: Asked, text: str, number: str) -> Go:
        kept = applications.keep_application(asked.enclosure, self._hand(asked), text, application=number)
        return Go(f"{self._base}/{kept['application']}")

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
            "document": asked.form["document"] or it["document"],
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


def _text_of(form: Form) -> str:
    """The document that the form's fields state."""
    return text_from_form({name: form[name] for name in _FIELDS}, form.all("tables"), form.all("identifiers"))


def _said_fault(place: str, what: str, language: Language) -> str:
    """A fault of a field in the reader's language, without its place in the document."""
    said = case_in_french(f"{place}: {what}") if language is Language.FR and place else None
    return what if said is None else said.partition(":")[2].strip()
