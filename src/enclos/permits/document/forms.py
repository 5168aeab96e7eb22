"""A permit's document as the fields of a form, and the fields as a document: what one says, the other says too."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import yaml

from enclos.contracts.view import CONCEPT_COLUMNS, GRANTABLE_TABLES
from enclos.permits.document.fields import text_from_instant
from enclos.permits.document.tree import tree_from_yaml
from enclos.permits.document.writing import text_of
from enclos.permits.model import Role

Given = Mapping[str, Sequence[str]]
"""What a form sends: values by the name of their field; boxes that are not ticked are not there."""

KINDS = ("all", "region", "departments", "concepts", "circe", "source", "sample", "other")
"""The ways of saying whose data: ``other`` as the document writes it, each of the others by fields of its own."""
PLACES: Mapping[str, str] = {
    "permit": "permit",
    "holder.organisation": "organisation",
    "holder.investigator": "investigator",
    "users": "users",
    "purpose.text": "purpose",
    "purpose.article": "article",
    "legal_basis": "legal_basis",
    "data.tables": "tables",
    "data.population": "persons",
    "data.period.start": "start",
    "data.period.end": "end",
    "data.potential_identifiers": "identifiers",
    "access": "access",
    "disclosure.min_count": "min_count",
    "valid.from": "from",
    "valid.until": "until",
}
"""Which field says what stands at a place of the document, in the order of the form."""
_OF_PERSONS = ("source", "sample_percent", "region", "departments", "concepts", "descendants", "domain", "circe")
_MOST_DIGITS, _MOST_SIGNS = 15, 2000
"""Of a number, and of a population that is written by hand: longer ones stay text, and are then refused as such."""
_ROLES = frozenset(role.value for role in Role)
_NOTHING_SAID: Mapping[str, Any] = {"opt_out": {"applied": True, "as_of": "now"}, "disclosure": {}}


def text_from_form(given: Given, standing: Mapping[str, Any] | None = None) -> str:
    """The document that a form's fields state; what is wrong with it is told when it is read.

    In: given — users (an id on each line, and its role where that is not the usual one), tables and columns
        (``person.year_of_birth``; no table for all, no column for all of a table), persons (one of KINDS) and the
        fields of that kind, start and end, from and until (days), why_commune and so on; standing — the document as
        it stood: what has no field stays as it is there
    """
    return text_of(_document(given, standing))


def document_of(text: str) -> Any:
    """A document's plain values; None where it is not readable."""
    tree = tree_from_yaml(text)
    return None if tree.faults else tree.root


def form_from_document(document: Any) -> dict[str, list[str]] | None:
    """The fields that state a document; None where they could not say all of it, or say it otherwise."""
    try:
        given = _given(document)
        is_same = _plain_values(_document(given, document)) == _plain_values(document)
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    return given if is_same else None


def field_of(place: str, given: Given) -> str:
    """The field that says what stands at a place of the document; the first one where none does."""
    if place.startswith("data.population"):
        return _field_of_persons(place.removeprefix("data.population").lstrip("."), given)
    if found := re.fullmatch(r"data\.potential_identifiers\.(\d+)\.why", place):
        return f"why_{given.get('identifiers', ())[int(found[1])]}"
    return next((field for at, field in PLACES.items() if f"{place}.".startswith(f"{at}.")), "permit")


# -- from a form


def _document(given: Given, standing: Mapping[str, Any] | None) -> dict[str, Any]:
    was = standing or _NOTHING_SAID

    def said(name: str, *place: str) -> Any:
        """A field of text, or what stands where the form has no such field."""
        stood = _at(was, place)
        return _or_as_it_stood(_last(given, name), stood) if name in given or standing is None else stood

    def instant(name: str) -> Any:
        """The beginning of a day, or the instant that stands on it."""
        stood, day = _at(was, ("valid", name)), _last(given, name)
        if standing is not None and (name not in given or _day(stood) == day):
            return text_from_instant(stood) if isinstance(stood, datetime) and stood.tzinfo else stood
        return f"{day}T00:00:00Z"

    investigator = said("investigator", "holder", "investigator")
    return {
        "permit": said("permit", "permit"),
        "holder": {"organisation": said("organisation", "holder", "organisation"), "investigator": investigator},
        "users": _users(_last(given, "users"), investigator),
        "purpose": {"article": said("article", "purpose", "article"), "text": said("purpose", "purpose", "text")},
        "legal_basis": said("legal_basis", "legal_basis"),
        "data": {
            "tables": _tables(given),
            "population": _population(given, _at(was, ("data", "population"))),
            "period": {"start": _last(given, "start"), "end": _last(given, "end")},
            "potential_identifiers": [_identifier(given, each) for each in given.get("identifiers", ())],
        },
        "access": said("access", "access"),
        "opt_out": was["opt_out"],
        "disclosure": {**was["disclosure"], "min_count": _number(_last(given, "min_count"))},
        "valid": {"from": instant("from"), "until": instant("until")},
    }


def _last(given: Given, name: str) -> str:
    return _sent((given.get(name) or ("",))[-1])


def _sent(text: str) -> str:
    """A text as a form sends it back."""
    return text.replace("\r\n", "\n").strip()


def _or_as_it_stood(text: str, stood: Any) -> Any:
    """What was typed, or the very text that stood there, with the white space that a form does not keep."""
    return stood if isinstance(stood, str) and _sent(stood) == text else text


def _at(document: Any, place: Sequence[str]) -> Any:
    for name in place:
        document = document[name] if isinstance(document, Mapping) and name in document else ""
    return document


def _users(text: str, investigator: Any) -> list[dict[str, str]]:
    """A person on each line, whose role may follow; several ids on a line are several persons."""
    found = []
    for line in text.splitlines():
        words = line.split()
        role = words.pop() if len(words) > 1 and words[-1] in _ROLES else ""
        found += [{"id": user, "role": role or _usual_role(user, investigator)} for user in words]
    return found


def _usual_role(user: Any, investigator: Any) -> str:
    role = Role.INVESTIGATOR if user == investigator else Role.RESEARCHER
    return str(role.value)


def _tables(given: Given) -> Any:
    columns: dict[str, list[str]] = {}
    for each in given.get("columns", ()):
        table, _, column = each.partition(".")
        columns.setdefault(table, []).append(column)
    # columns of a table that was unticked again open nothing
    named = dict.fromkeys(given.get("tables") or columns)
    ordered = sorted(named, key=lambda table: GRANTABLE_TABLES.index(table) if table in GRANTABLE_TABLES else -1)
    return {table: columns.get(table) or "all" for table in ordered} or "all"


def _population(given: Given, stood: Any) -> Any:
    kind, chosen = _last(given, "persons"), "all"
    if kind == "other":
        return _yaml(_last(given, "population"))
    if kind != "all":
        chosen = _of_kind(given, kind, _at(stood, ("controls_of",)) or stood)
    if not _last(given, "per_case"):
        return chosen
    return {
        "controls_of": chosen,
        "per_case": _number(_last(given, "per_case")),
        "seed": _number(_last(given, "control_seed")),
    }


def _of_kind(given: Given, kind: str, stood: Any) -> Any:
    match kind:
        case "departments":
            return {"departments": [each.upper() for each in _several(given, "departments")]}
        case "concepts":
            concepts = [_number(each) for each in _several(given, "concepts")]
            descendants = bool(given.get("descendants"))
            return {"concepts": concepts, "descendants": descendants, "domain": _last(given, "domain")}
        case "sample":
            share = _last(given, "sample_percent").replace(",", ".")
            return {"sample_percent": share, "seed": _number(_last(given, "sample_seed"))}
        case "region" | "source" | "circe":
            return {kind: _or_as_it_stood(_last(given, kind), _at(stood, (kind,)))}
    return ""


def _several(given: Given, name: str) -> list[str]:
    return [each for each in re.split(r"[\s,;]+", _last(given, name)) if each]


def _identifier(given: Given, identifier: str) -> Any:
    why = _last(given, f"why_{identifier}")
    return {"id": identifier, "why": why} if why else identifier


def _number(text: str) -> Any:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else text


def _yaml(text: str) -> Any:
    """A value as the document writes it; what cannot be read stays text, and is then refused as such."""
    try:
        return yaml.safe_load(text) if len(text) <= _MOST_SIGNS else text
    except (yaml.YAMLError, ValueError, RecursionError):
        return text


# -- to a form


def _given(document: Any) -> dict[str, list[str]]:
    data, holder = document["data"], document["holder"]
    tables = data["tables"]
    identifiers = [each if isinstance(each, Mapping) else {"id": each} for each in data["potential_identifiers"]]
    texts = {
        "permit": document["permit"],
        "organisation": holder["organisation"],
        "investigator": holder["investigator"],
        "users": "\n".join(_said_user(user, holder["investigator"]) for user in document["users"]),
        "purpose": document["purpose"]["text"],
        "article": document["purpose"]["article"],
        "legal_basis": document["legal_basis"],
        **_persons(data["population"]),
        "start": data["period"]["start"],
        "end": data["period"]["end"],
        **{f"why_{each['id']}": each["why"] for each in identifiers if "why" in each},
        "access": document["access"],
        "min_count": document["disclosure"]["min_count"],
        "from": _day(document["valid"]["from"]),
        "until": _day(document["valid"]["until"]),
    }
    listed = {
        "tables": [] if tables == "all" else list(tables),
        "columns": []
        if tables == "all"
        else [f"{t}.{c}" for t, names in tables.items() if names != "all" for c in names],
        "identifiers": [each["id"] for each in identifiers],
    }
    return {**{name: [str(value)] for name, value in texts.items()}, **listed}


def _said_user(user: Mapping[str, Any], investigator: Any) -> str:
    usual = user["role"] == _usual_role(user["id"], investigator)
    return str(user["id"]) if usual else f"{user['id']} {user['role']}"


def _persons(population: Any) -> dict[str, Any]:  # noqa: PLR0911 - one kind after the other
    if not isinstance(population, Mapping):
        return {"persons": "all"} if population == "all" else _other(population)
    if "controls_of" in population:
        inner = _persons(population["controls_of"])
        more = {"per_case": population["per_case"], "control_seed": population["seed"]}
        return _other(population) if inner["persons"] == "other" else {**inner, **more}
    match sorted(population):
        case ["region" | "source" | "circe" as kind]:
            return {"persons": kind, kind: population[kind]}
        case ["departments"]:
            return {"persons": "departments", "departments": ", ".join(population["departments"])}
        case ["sample_percent", "seed"]:
            share = {"sample_percent": population["sample_percent"], "sample_seed": population["seed"]}
            return {"persons": "sample", **share}
        case ["concepts", "descendants", "domain"] if population["domain"] in CONCEPT_COLUMNS:
            ticked = {"descendants": "yes"} if population["descendants"] is True else {}
            ids = ", ".join(map(str, population["concepts"]))
            return {"persons": "concepts", "concepts": ids, "domain": population["domain"], **ticked}
    return _other(population)


def _other(population: Any) -> dict[str, Any]:
    text = yaml.safe_dump(population, default_flow_style=True, allow_unicode=True, width=_MOST_SIGNS)
    return {"persons": "other", "population": text.removesuffix("...\n").strip()}


def _day(at: Any) -> Any:
    return text_from_instant(at)[:10] if isinstance(at, datetime) and at.tzinfo else str(at)[:10]


def _plain_values(value: Any) -> Any:
    """A document to compare with another: values as text, what has no order in one."""
    if isinstance(value, Mapping):
        return {str(name): _plain_values(each) for name, each in value.items()}
    if isinstance(value, list):
        # users, tables' columns, departments, concepts, details: sets, all of them
        return sorted((_plain_values(each) for each in value), key=repr)
    if isinstance(value, datetime):
        return text_from_instant(value) if value.tzinfo else value.isoformat()
    return value.isoformat() if isinstance(value, date) else str(value)


def _field_of_persons(place: str, given: Given) -> str:
    if _last(given, "persons") == "other":
        return "population"
    if place == "controls_of":
        return "per_case"
    is_inner = place.startswith("controls_of.")
    name = place.removeprefix("controls_of.").partition(".")[0]
    if name == "per_case":
        return name
    if name == "seed":
        return "control_seed" if _last(given, "per_case") and not is_inner else "sample_seed"
    return name if name in _OF_PERSONS else "persons"
