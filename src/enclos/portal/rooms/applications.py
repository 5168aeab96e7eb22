"""Applications for permits: their applicant's pages, and the same for the access body, which decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.routing import Route

from enclos.app import applications
from enclos.app.pages.rooms.frame import said_of
from enclos.app.pages.rooms.permit_saying import MOVES
from enclos.app.pages.rooms.words_applications import FRENCH_APPLICATIONS
from enclos.app.permits import draft
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from enclos.permits.document import document_of, form_from_document, text_from_form
from enclos.portal.desk import Act, Answer, Asked, Desk, Go, Page, Room, page_status
from enclos.portal.paging import shown
from enclos.portal.rooms import permit_forms
from enclos.signin.model import Role

ROOM = Room(
    "applications",
    "Applications",
    Role.RESEARCHER,
    [("/applications", "My applications"), ("/applications/new", "New application")],
    FRENCH_APPLICATIONS,
)
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
        Route(f"{one}/form", desk.served(room, pages.mend)),
        Route(f"{one}/form", desk.served(room, pages.mended), methods=["POST"]),
        *(Route(f"{one}/{name}", desk.served(room, act), methods=["POST"]) for name, act in acts.items()),
    ]


class _Pages:
    """The acts, at one base."""

    def __init__(self, base: str, *, for_access_body: bool) -> None:
        self._base, self._for_access_body = base, for_access_body

    def listed(self, asked: Asked) -> Answer:
        rows = applications.list_applications(asked.enclosure, self._hand(asked))["applications"]
        # first what this person may still write
        rows.sort(key=lambda row: (row["stage"] not in _OPEN, "keep" not in row["may"]))
        part = shown(rows, asked.query)
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
        return self._writing(asked)

    def make(self, asked: Asked) -> Answer:
        """Keep what the form or the document says as a draft; a form with faults comes back with them at its fields,
        unless it is to be kept all the same.
        """
        form = asked.form
        if form["how"]:
            return self._written(asked, form["application"], None)
        try:
            return self._kept(asked, f"{form['document']}\n", form["application"])
        except Refusal as refused:
            if refused.code is not Code.PERMIT_INVALID:
                raise
            return self._writing(asked, refused=refused)

    def mend(self, asked: Asked) -> Answer:
        """The form of what is kept already, where it can say all of that; its page where it cannot."""
        it, standing = self._kept_as_form(asked)
        return self._writing(asked, it, standing) if standing else Go(f"{self._base}/{it['application']}")

    def mended(self, asked: Asked) -> Answer:
        it, standing = self._kept_as_form(asked)
        if not standing:
            return Go(f"{self._base}/{it['application']}")
        return self._written(asked, it["application"], it, standing)

    def _kept_as_form(self, asked: Asked) -> tuple[dict[str, Any], dict[str, Any] | None]:
        it = applications.show_application(asked.enclosure, self._hand(asked), asked.path["application"])
        document = document_of(it["document"])
        can = "keep" in it["may"] and form_from_document(document) is not None
        return it, document if can else None

    def _written(
        self, asked: Asked, number: str, it: dict[str, Any] | None, standing: dict[str, Any] | None = None
    ) -> Answer:
        """Look at what a form states, or keep it."""
        form = asked.form
        if form["look"]:
            return self._writing(asked, it, standing)
        if not form["anyway"] and permit_forms.form_faults(asked, form.values, standing):
            page = self._writing(asked, it, standing)
            return Page(page.template, page.title, page.values, page.named, 422)
        try:
            return self._kept(asked, text_from_form(form.values, standing), number)
        except Refusal as refused:
            if refused.code is not Code.PERMIT_INVALID:
                raise
            return self._writing(asked, it, standing, refused)

    def _writing(
        self,
        asked: Asked,
        it: dict[str, Any] | None = None,
        standing: dict[str, Any] | None = None,
        refused: Refusal | None = None,
    ) -> Page:
        """The page on which an application is written: a new one, or one that is kept already."""
        form = asked.form
        user = "" if self._for_access_body else asked.user
        given = form.values if form["how"] else permit_forms.begun(asked.enclosure, user)
        if standing and not form["how"]:
            given = form_from_document(standing) or {}
        is_asked, is_told = bool(form["look"]), bool(form["look"] or (standing and not form["how"]))
        faults = permit_forms.form_faults(asked, given, standing) if form["how"] or standing else {}
        told = permit_forms.look_at_form(asked, given, faults, standing) if is_told else permit_forms.NOTHING_TOLD
        number = it["application"] if it else form["application"] or applications.new_id()
        values = {
            "it": it,
            "number_of_it": number,
            "form": permit_forms.form_shown(asked, given, {} if is_told else faults),
            "look": {**told, "is_asked": is_asked},
            "refused": said_of(refused) if refused else None,
            "by_document": bool(form["document"]),
            "draft": form["document"] or draft(),
        }
        page = self._page("applications_new", "Application {id}" if it else "New application", values)
        status = page_status(refused) if refused else 200
        return Page(page.template, page.title, page.values, {"id": number} if it else {}, status)

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
        told = permit_forms.looked_at(asked, it["document"], is_counted=is_counted)
        values = {
            "it": it,
            "document": asked.form["document"] or it["document"],
            "opening": told["opening"],
            "faults": told["refused"],
            "has_form": form_from_document(document_of(it["document"])) is not None,
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
