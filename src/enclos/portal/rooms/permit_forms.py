"""The form of a permit's document, as applicants write it and the access body mends and amends it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from enclos.app import previews
from enclos.app.enclosure import Enclosure
from enclos.app.pages.cases import case_in_french
from enclos.app.pages.rooms.frame import said_of
from enclos.app.pages.rooms.permit_fields import ARTICLES, DOMAINS, FIELDS, FORM_FAULTS, PERSONS
from enclos.app.pages.rooms.permit_saying import COUNTED_ACCESS, IDENTIFIERS, said_opening
from enclos.app.pages.words import Language, Words
from enclos.contracts.omop import omop_tables
from enclos.contracts.view import GRANTABLE_TABLES, MOST_CONTROLS
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from enclos.permits.document import faults_in, field_of, text_from_form
from enclos.permits.document.forms import Given
from enclos.permits.document.population import regions_by_name
from enclos.permits.rules.life import legal_bases
from enclos.portal.desk import Asked

_KEPT = frozenset({"permit", "legal_basis", "from", "until"})
"""What an amendment leaves as it is."""
_LISTED = ("tables", "columns", "identifiers")


def begun(enclosure: Enclosure, user: str) -> dict[str, list[str]]:
    """What a form says before anybody wrote in it."""
    today = enclosure.ledger.now().date()
    texts = {
        "investigator": user,
        "users": user,
        "article": "53(1)(e)",
        "persons": "all",
        "access": "aggregates",
        "min_count": str(enclosure.floor),
        "from": today.isoformat(),
        "until": _years_later(today).isoformat(),
    }
    return {name: [text] for name, text in texts.items()}


def form_faults(
    asked: Asked, given: Given, standing: Mapping[str, Any] | None = None, *, is_amendment: bool = False
) -> dict[str, str]:
    """What is wrong with a form, by its fields."""
    found: dict[str, list[str]] = {}
    text, floor = text_from_form(given, standing), asked.enclosure.floor
    for place, what in faults_in(text, min_count_floor=floor, is_amendment=is_amendment):
        field = field_of(place, given)
        beginning, told = FORM_FAULTS.get(field, ("", ""))
        is_told = told and what.startswith(beginning)
        said = asked.words(told) if is_told else _said(place, what, asked.language)
        if field == "permit" and place not in {"permit", ""}:
            said = f"{place}{asked.words(':')} {said}"  # what no field says is named
        found.setdefault(field, []).append(said)
    return {field: "; ".join(dict.fromkeys(said)) for field, said in found.items()}


def form_shown(
    asked: Asked, given: Given, faults: Mapping[str, str] | None = None, *, is_amended: bool = False
) -> dict[str, Any]:
    """What the template of a form shows: its values, what can be chosen, and what is wrong, if that is to be said."""
    say, faults = asked.words, faults or {}
    hidden = _KEPT if is_amended else frozenset[str]()
    given = {**_USUAL, **given}
    names = [name for name in FIELDS if name not in hidden]
    return {
        "given": {name: (given.get(name) or ("",))[-1] for name in FIELDS},
        "chosen": {name: frozenset(given.get(name, ())) for name in _LISTED},
        "named": {name: say(FIELDS[name]) for name in names},
        "faults": {name: faults.get(name, "") for name in FIELDS},
        "errors": faults_said(faults, say),
        "articles": _said_options(ARTICLES, say),
        "bases": [
            (basis.id, say("{id}, {n} years at most", id=basis.id, n=basis.max_years))
            for basis in legal_bases().values()
        ],
        "kinds": _said_options(PERSONS, say),
        "regions": list(regions_by_name().items()),
        "domains": _said_options(DOMAINS, say),
        "tables": [(table, omop_tables()[table].names) for table in GRANTABLE_TABLES],
        "identifiers": _said_options(IDENTIFIERS, say),
        "accesses": _said_options(COUNTED_ACCESS, say),
        "floor": asked.enclosure.floor,
        "most_controls": MOST_CONTROLS,
        "is_amended": is_amended,
    }


def faults_said(faults: Mapping[str, str], words: Words) -> list[tuple[str, str]]:
    """Each field that is wrong, in the order of the form, with its name and what is wrong."""
    return [(name, f"{words(FIELDS[name])}{words(':')} {faults[name]}") for name in FIELDS if name in faults]


def looked_at(asked: Asked, text: str, *, is_counted: bool = False, amends: str = "") -> dict[str, Any]:
    """What a document opens, in plain words, or why it cannot be read as a permit.

    In: is_counted — persons and rows are counted, for the access body alone
    Out: opening or refused, the other is None
    """
    try:
        if is_counted:
            told = previews.preview_permit(asked.enclosure, text, by=asked.user, amends=amends)
        else:
            told = previews.read_draft(asked.enclosure, text, amends=amends)
    except Refusal as wrong:
        if wrong.code is not Code.PERMIT_INVALID:
            raise
        return {"opening": None, "refused": said_of(wrong)}
    return {"opening": said_opening(told, asked.words, asked.enclosure.floor), "refused": None}


def look_at_form(
    asked: Asked,
    given: Given,
    faults: Mapping[str, str],
    standing: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What the document of a form opens, or which fields keep it from being a permit."""
    if faults:
        return {**NOTHING_TOLD, "errors": faults_said(faults, asked.words)}
    text = text_from_form(given, standing)
    return {**NOTHING_TOLD, **looked_at(asked, text)}


NOTHING_TOLD: Mapping[str, Any] = {"opening": None, "errors": (), "refused": None, "changes": None}
_USUAL: Mapping[str, Sequence[str]] = {
    "persons": ("all",),
    "descendants": (),
    "domain": ("condition",),
    "sample_seed": ("1",),
    "control_seed": ("1",),
}
"""What fields say that a document had nothing to say of."""


def _years_later(day: date) -> date:
    return day.replace(year=day.year + 3, day=min(day.day, 28))


def _said_options(options: Mapping[str, str], say: Words) -> list[tuple[str, str]]:
    return [(each, say(text)) for each, text in options.items()]


def _said(place: str, what: str, language: Language) -> str:
    """A fault of a field in the reader's language, without its place in the document."""
    said = case_in_french(f"{place}: {what}") if language is Language.FR and place else None
    return what if said is None else said.partition(":")[2].strip()
