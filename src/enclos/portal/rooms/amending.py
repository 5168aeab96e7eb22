"""Amending a permit: by the form of an application or as a document, looked at beside what stands, then signed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from enclos.app import permits, previews
from enclos.app.pages.rooms.frame import said_of
from enclos.app.pages.rooms.permit_changes import said_changes
from enclos.app.pages.rooms.permit_saying import said_opening
from enclos.lexicon.refusals import Refusal
from enclos.permits.document import (
    document_of,
    form_from_document,
    json_from_permit,
    read_permit,
    text_from_form,
    text_of,
)
from enclos.permits.document.forms import Given
from enclos.permits.model import SignedPermit
from enclos.portal.desk import Answer, Asked, Go, Page, page_status
from enclos.portal.rooms import permit_forms
from enclos.portal.rooms.changing import NEVER_SHOWN, reason_fault, version_of


def show(asked: Asked) -> Page:
    """What stands, to be amended, or what was written here."""
    return _page(asked)


def sign(asked: Asked) -> Answer:
    """Say what an amendment changes and opens, with counts or while it is written; or sign one that was looked at."""
    form = asked.form
    if form["look"] or form["how"]:
        return _page(asked)
    lacking = reason_fault(form, asked.words)
    if lacking:
        return _page(asked, lacking=lacking)
    try:
        permits.amend(
            asked.enclosure,
            f"{form['document']}\n",
            reason=form["reason"],
            by=asked.user,
            of_version=version_of(form),
            of_permit=asked.path["permit"],
        )
    except Refusal as refused:
        if refused.code in NEVER_SHOWN:
            raise
        return _page(asked, refused)
    return Go(f"/access/permits/{asked.path['permit']}")


def _page(asked: Asked, refused: Refusal | None = None, lacking: str = "") -> Page:
    form, it = asked.form, permits.show_one(asked.enclosure, asked.path["permit"])
    signed = permits.newest(asked.enclosure, it["permit"])
    standing = json_from_permit(signed.permit)
    text, given, faults = _written(asked, standing)
    is_told, is_live = bool(form["look"] or refused or lacking), form["look"] == "live"
    told = permit_forms.NOTHING_TOLD if is_told else _as_it_stands(asked, signed)
    if is_told:
        told = _told(asked, signed, text, faults, is_counted=form["look"] == "1")
    values = {
        "it": it,
        "here": f"/access/permits/{it['permit']}/amend",
        "version": version_of(form) if form["version"] else signed.version,
        "text": text,
        "reason": form["reason"],
        "lacking": lacking,
        "form": given and permit_forms.form_shown(asked, given, {} if is_live else faults, is_amended=True),
        "look": {**told, "is_asked": is_told and not is_live and not faults},
        "by_document": bool(form["document"]) and form["by"] != "form",
        "refused": said_of(refused) if refused else None,
    }
    status = page_status(refused) if refused else 422 if lacking or (faults and not is_live) else 200
    return Page("access_amend", "Amend {permit}", values, {"permit": it["permit"]}, status)


def _written(asked: Asked, standing: Mapping[str, Any]) -> tuple[str, Given | None, dict[str, str]]:
    """The document as it was written, by whichever way; the form's fields, and what is wrong with them.

    Out: no fields where a form cannot say all that stands
    """
    form, stands = asked.form, form_from_document(standing)
    if stands is not None and form["how"]:
        faults = permit_forms.form_faults(asked, form.values, standing, is_amendment=True)
        return text_from_form(form.values, standing), form.values, faults
    if not form["document"]:
        return text_of(standing), stands, {}
    text = f"{form['document']}\n"
    written = form_from_document(document_of(text)) if stands and form["by"] == "form" else stands
    return text, written, {}


def _as_it_stands(asked: Asked, signed: SignedPermit) -> Mapping[str, Any]:
    told = previews.read_signed(asked.enclosure, signed.permit.id)
    return {**permit_forms.NOTHING_TOLD, "opening": said_opening(told, asked.words, asked.enclosure.floor)}


def _told(
    asked: Asked, signed: SignedPermit, text: str, faults: Mapping[str, str], *, is_counted: bool
) -> Mapping[str, Any]:
    """What an amendment opens and what it changes of what stands, or what keeps it from being read."""
    nothing = permit_forms.NOTHING_TOLD
    if faults:
        return {**nothing, "errors": permit_forms.faults_said(faults, asked.words)}
    told = permit_forms.looked_at(asked, text, is_counted=is_counted, amends=signed.permit.id)
    if not told["opening"]:
        return {**nothing, **told}
    permit = read_permit(text, min_count_floor=asked.enclosure.floor, is_amendment=True)
    said = (dict(_as_it_stands(asked, signed)["opening"]["pairs"]), dict(told["opening"]["pairs"]))
    changes = said_changes(json_from_permit(signed.permit), json_from_permit(permit), *said, asked.words)
    return {**nothing, **told, "changes": changes}
