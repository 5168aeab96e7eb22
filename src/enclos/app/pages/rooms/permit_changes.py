"""What an amendment changes of the permit that stands, in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from enclos.app.pages.rooms.permit_saying import IDENTIFIERS
from enclos.app.pages.words import Words
from enclos.contracts.view import GRANTABLE_TABLES
from enclos.lexicon.canonical import sha256_hex

Change = tuple[str, str, str]
_NONE = "–"
_ROLES: Mapping[str, str] = {
    "investigator": "investigator",
    "researcher": "researcher",
    "data-manager": "data manager",
}


def said_changes(
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    said_before: Mapping[str, str],
    said_after: Mapping[str, str],
    words: Words,
) -> list[Change]:
    """Each thing that changes: what it is, how it stands, and how it would be. Empty: the documents say the same.

    In: before, after — the signed document and that of the amendment; said_before, said_after — each thing of them in a
        sentence, as of ``said_opening``
    """
    apart = [words("Who uses the data"), words("Whose data"), words("What is opened"), words("Identifying details")]
    apart += [words("Kept coarse")]  # what is listed among the details is not kept coarse
    found = list(_users(before["users"], after["users"], words))
    if before["data"]["population"] != after["data"]["population"]:
        was, is_now = (said[words("Whose data")] for said in (said_before, said_after))
        if was == is_now:
            was, is_now = (f"{was} {_exactly(each['data']['population'])}" for each in (before, after))
        found.append((words("Whose data"), was, is_now))
    found += _tables(before["data"]["tables"], after["data"]["tables"], words)
    found += _identifiers(before["data"]["potential_identifiers"], after["data"]["potential_identifiers"], words)
    found += [
        (name, said_before[name], said)
        for name, said in said_after.items()
        if name not in apart and said_before[name] != said
    ]
    rules = [each["disclosure"].get("rules", {}) for each in (before, after)]
    if rules[0] != rules[1]:
        found.append((words("Further rules of release"), _pairs(rules[0]), _pairs(rules[1])))
    return found


def _users(before: Sequence[Mapping[str, str]], after: Sequence[Mapping[str, str]], words: Words) -> Iterator[Change]:
    """Who comes, who goes, and whose role is another."""
    was, is_now = ({each["id"]: words(_ROLES[each["role"]]) for each in listed} for listed in (before, after))
    for user in dict.fromkeys([*was, *is_now]):
        if was.get(user) != is_now.get(user):
            yield (words("User {id}", id=user), was.get(user, _NONE), is_now.get(user, _NONE))


def _tables(before: Any, after: Any, words: Words) -> Iterator[Change]:
    def columns(tables: Any, table: str) -> str:
        if tables == "all" or tables.get(table) == "all":
            return words("all columns")
        return ", ".join(tables[table]) if table in tables else _NONE

    for table in GRANTABLE_TABLES:
        was, is_now = columns(before, table), columns(after, table)
        if was != is_now:
            yield (words("Table {table}", table=table), was, is_now)


def _identifiers(before: Sequence[Any], after: Sequence[Any], words: Words) -> Iterator[Change]:
    def listed(identifiers: Sequence[Any]) -> dict[str, str]:
        pairs = [(each["id"], each["why"]) if isinstance(each, Mapping) else (each, "") for each in identifiers]
        return {each: f"{words('shown')} ({why})" if why else words("shown") for each, why in pairs}

    was, is_now = listed(before), listed(after)
    for each, what in IDENTIFIERS.items():
        if was.get(each) != is_now.get(each):
            coarse = words("generalised")
            yield (words(what), was.get(each, coarse), is_now.get(each, coarse))


def _exactly(population: Any) -> str:
    """What sets a population apart from another that a sentence says likewise; a definition by its digest."""
    plain = dict(population)
    if "controls_of" in plain:
        inner = _exactly(plain.pop("controls_of"))
        return f"{inner} [{_pairs(plain)}]"
    if "circe" in plain:
        plain["circe"] = sha256_hex(str(plain["circe"]).encode("utf-8"))[:12]
    return f"[{_pairs(plain)}]"


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}: {value}" for name, value in values.items()) or _NONE
