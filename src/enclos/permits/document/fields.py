"""Reading a permit's fields, and writing them back as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any

import yaml

from enclos.contracts.definitions import entries, with_definitions
from enclos.contracts.disclosure import BOUNDS, DEMANDED, NOTHING_MORE, Demands
from enclos.contracts.omop import VOCABULARY_TABLES, omop_tables
from enclos.contracts.view import GRANTABLE_TABLES, Access, PotentialIdentifier, TableGrant, ViewTerms, all_tables
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.lexicon.spans import Span
from enclos.permits.document.population import json_from_population, read_population
from enclos.permits.document.tree import Path, Tree, tree_from_yaml
from enclos.permits.document.values import choice, day, instant, line, one_of, pattern, whole
from enclos.permits.model import (
    ARTICLE,
    PERMIT_ID,
    USER_ID,
    Holder,
    OptOut,
    OptOutMoment,
    Permit,
    PermitUser,
    Purpose,
    Role,
)
from enclos.permits.rules.life import earliest_day, legal_bases, years_after

_MAX_MIN_COUNT = 100_000
_FIRST_YEAR, _LAST_YEAR = 1970, 2199


def read_permit(text: str, *, min_count_floor: int, is_amendment: bool = False) -> Permit:
    """The permit that a YAML document states.

    In: min_count_floor — the enclosure's smallest minimum count; is_amendment — its end is that of the permit that
        stands, which may have been prolonged: ``check_same_permit`` sees to it
    Refuses: PERMIT_INVALID once, with every fault and its line.
    """
    tree = tree_from_yaml(text)
    return _permit(tree, min_count_floor=min_count_floor, check_length=True, is_amendment=is_amendment)


def faults_in(text: str, *, min_count_floor: int, is_amendment: bool = False) -> list[tuple[str, str]]:
    """What keeps a document from being a permit: the place of each fault, as ``holder.organisation``, and what it is.

    Empty: it reads as one.
    """
    tree = tree_from_yaml(text)
    if not tree.faults:
        _fields(tree, min_count_floor=min_count_floor, check_length=True, is_amendment=is_amendment)
    found = [said.partition(": ") for _, said in tree.faults]
    return [(place, what) if what else ("", place) for place, _, what in found]


def whole_permit(text: str, read: Callable[[str], str]) -> str:
    """The document with the cohort definition of its population in the place of its file's name: that is signed.

    In: read — gives the text of a file by its name
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return text  # reading it says what is wrong
    return with_definitions(text, _definitions_in(root), read) if root is not None else text


def _definitions_in(root: yaml.Node) -> Iterator[yaml.ScalarNode]:
    populations = [
        population
        for section, data in entries(root)
        for name, population in (entries(data) if section == "data" else ())
        if name == "population"
    ]
    while populations:
        for name, value in entries(populations.pop()):
            if name == "circe" and isinstance(value, yaml.ScalarNode):
                yield value
            elif name == "controls_of":
                populations.append(value)


def permit_from_json(content: Any) -> Permit:
    """The permit in a signed record; limits were checked when it was signed.

    Refuses: PERMIT_INVALID.
    """
    return _permit(Tree(content), min_count_floor=1, check_length=False)


def json_from_permit(permit: Permit) -> dict[str, Any]:
    """The permit as the JSON document that is signed; reading it gives the same permit."""
    terms = permit.terms
    tables = {grant.table: list(grant.columns) if grant.columns else "all" for grant in terms.grants}
    return {
        "permit": permit.id,
        "holder": {"organisation": permit.holder.organisation, "investigator": permit.holder.investigator},
        "users": [{"id": user.id, "role": user.role.value} for user in permit.users],
        "purpose": {"article": permit.purpose.article, "text": permit.purpose.text},
        "legal_basis": permit.legal_basis,
        "data": {
            "tables": "all" if terms.grants == all_tables() else tables,
            "population": json_from_population(terms.population),
            "period": {"start": terms.period.start_on.isoformat(), "end": terms.period.end_on.isoformat()},
            "potential_identifiers": [
                {"id": name, "why": permit.whys[name]} if name in permit.whys else name
                for name in sorted(identifier.value for identifier in terms.identifiers)
            ],
        },
        "access": terms.access.value,
        "opt_out": {"applied": permit.opt_out.applied, "as_of": permit.opt_out.as_of.value},
        "disclosure": {"min_count": permit.min_count, **_beyond(permit)},
        "valid": {"from": text_from_instant(permit.valid_from), "until": text_from_instant(permit.valid_until)},
    }


def _beyond(permit: Permit) -> dict[str, Any]:
    """What is said only where it is demanded, so that permits of before keep their digest."""
    rounded = {"round_to": permit.round_to} if permit.round_to > 1 else {}
    return {**rounded, "rules": permit.demands.as_json()} if permit.demands != NOTHING_MORE else rounded


def text_from_instant(at: datetime) -> str:
    """An instant as the records write it: UTC, whole seconds, Z."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _permit(tree: Tree, *, min_count_floor: int, check_length: bool, is_amendment: bool = False) -> Permit:
    found = None
    if not tree.faults:
        found = _fields(tree, min_count_floor=min_count_floor, check_length=check_length, is_amendment=is_amendment)
    if tree.faults or found is None:
        sentences = tree.sentences()
        count = "1 fault" if len(sentences) == 1 else f"{len(sentences)} faults"
        raise refusal(
            Code.PERMIT_INVALID,
            f"The permit document has {count}: {'; '.join(sentences)}.",
            "Mend the document; `enclos permit draft` prints one to start from.",
        )
    return found


def _fields(tree: Tree, *, min_count_floor: int, check_length: bool, is_amendment: bool = False) -> Permit | None:
    top = tree.section(
        tree.root,
        (),
        ("permit", "holder", "users", "purpose", "legal_basis", "data", "access", "opt_out", "disclosure", "valid"),
    )
    permit_id = pattern(tree, top, ("permit",), PERMIT_ID, "letters, digits and inner hyphens, at most 64")
    holder = tree.section(top.get("holder"), ("holder",), ("organisation", "investigator")) if "holder" in top else {}
    organisation = line(tree, holder, ("holder", "organisation"))
    investigator = pattern(tree, holder, ("holder", "investigator"), USER_ID, "a user id such as name@example.org")
    users = _users(tree, top)
    purpose = tree.section(top.get("purpose"), ("purpose",), ("article", "text")) if "purpose" in top else {}
    article = pattern(tree, purpose, ("purpose", "article"), ARTICLE, '53(1)(a) to 53(1)(f), quoted: "53(1)(e)"')
    purpose_text = line(tree, purpose, ("purpose", "text"))
    basis = one_of(tree, top, ("legal_basis",), tuple(legal_bases()))
    whys: dict[str, str] = {}
    terms = _terms(tree, top, permit_id, whys)
    objections = tree.section(top.get("opt_out"), ("opt_out",), ("applied", "as_of")) if "opt_out" in top else {}
    applied = objections.get("applied")
    if "applied" in objections and not isinstance(applied, bool):
        tree.fault(("opt_out", "applied"), "must be true or false")
    as_of = choice(tree, objections, ("opt_out", "as_of"), OptOutMoment)
    disclosure = _disclosure(tree, top)
    round_to = whole(tree, disclosure, ("disclosure", "round_to"), 1, _MAX_MIN_COUNT)
    min_count = whole(tree, disclosure, ("disclosure", "min_count"), 1, _MAX_MIN_COUNT)
    if min_count is not None and min_count < min_count_floor:
        tree.fault(("disclosure", "min_count"), f"is below this enclosure's floor of {min_count_floor}")
    if min_count is not None and round_to is not None and round_to > min_count:
        tree.fault(("disclosure", "round_to"), f"is above the minimum count of {min_count}")
    demands = _demands(tree, disclosure)
    valid = tree.section(top.get("valid"), ("valid",), ("from", "until")) if "valid" in top else {}
    valid_from = instant(tree, valid, ("valid", "from"))
    valid_until = instant(tree, valid, ("valid", "until"))
    if check_length and not _in_our_time(tree, {"from": valid_from, "until": valid_until}):
        return None
    if valid_from and valid_until:
        if valid_until <= valid_from:
            tree.fault(("valid", "until"), "must be after the beginning")
        elif (
            check_length
            and not is_amendment
            and basis
            and valid_until > years_after(valid_from, legal_bases()[basis].max_years)
        ):
            limit = legal_bases()[basis]
            tree.fault(("valid", "until"), f"is more than {limit.max_years} years after the beginning [{limit.source}]")
    if check_length and terms and valid_from and basis:
        _check_basis(tree, terms, whys, valid_from, basis)
    if tree.faults or terms is None or as_of is None or valid_from is None or valid_until is None:
        return None
    return Permit(
        Holder(str(organisation), str(investigator)),
        users,
        Purpose(str(article), str(purpose_text)),
        str(basis),
        terms,
        OptOut(bool(applied), as_of),
        int(min_count or 0),
        valid_from,
        valid_until,
        whys,
        round_to or 1,
        demands,
    )


def _in_our_time(tree: Tree, instants: Mapping[str, datetime | None]) -> bool:
    """Whether the instants lie where years can be counted from them; a fault for each that does not."""
    far = [name for name, at in instants.items() if at and not _FIRST_YEAR <= at.year <= _LAST_YEAR]
    for name in far:
        tree.fault(("valid", name), f"must lie from {_FIRST_YEAR} to {_LAST_YEAR}")
    return not far


def _disclosure(tree: Tree, top: dict[str, Any]) -> dict[str, Any]:
    """The minimum count, and where it is said what counts are rounded to, and rules beyond the platform's."""
    if "disclosure" not in top:
        return {}
    said = top["disclosure"]
    more = [name for name in ("round_to", "rules") if isinstance(said, dict) and name in said]
    return tree.section(said, ("disclosure",), ("min_count", *more))


def _demands(tree: Tree, disclosure: dict[str, Any]) -> Demands:
    """Thresholds beyond the platform's rules, as many as are said; none of them can loosen anything."""
    said, path = disclosure.get("rules", {}), ("disclosure", "rules")
    named = [name for name in DEMANDED if isinstance(said, dict) and name in said]
    section = tree.section(said, path, named or DEMANDED if "rules" in disclosure else ())
    if not isinstance(section.get("hides_zeros", False), bool):
        tree.fault((*path, "hides_zeros"), "must be true or false")
    numbers = {name: whole(tree, section, (*path, name), *BOUNDS[name]) for name in section if name in BOUNDS}
    if tree.faults:
        return NOTHING_MORE
    return Demands(**{**section, **{name: number for name, number in numbers.items() if number is not None}})


def _check_basis(tree: Tree, terms: ViewTerms, whys: dict[str, str], valid_from: datetime, basis: str) -> None:
    """What the legal basis allows of days and of identifying details."""
    limit = legal_bases()[basis]
    earliest = earliest_day(limit, valid_from)
    if earliest and terms.period.start_on < earliest:
        tree.fault(
            ("data", "period", "start"),
            f"is before {earliest}: {basis} allows {limit.max_past_years} years before the year it begins in "
            f"[{limit.source}]",
        )
    bare = sorted(each.value for each in terms.identifiers if each.value not in whys)
    if limit.wants_whys and bare:
        tree.fault(
            ("data", "potential_identifiers"),
            f"must each be justified, as {{id: {bare[0]}, why: …}} [{limit.source}]",
        )


def _users(tree: Tree, top: dict[str, Any]) -> tuple[PermitUser, ...]:
    listed = top.get("users", [])
    if "users" in top and (not isinstance(listed, list) or not listed):
        tree.fault(("users",), "must list at least one person, each with id and role")
        return ()
    users: dict[str, PermitUser] = {}
    for index, entry in enumerate(listed):
        path: Path = ("users", index)
        fields = tree.section(entry, path, ("id", "role"))
        user_id = pattern(tree, fields, (*path, "id"), USER_ID, "a user id such as name@example.org")
        role = choice(tree, fields, (*path, "role"), Role)
        if user_id in users:
            tree.fault((*path, "id"), "is listed twice")
        if user_id and role:
            users[user_id] = PermitUser(user_id, role)
    return tuple(users.values())


def _identifiers(tree: Tree, listed: Any, whys: dict[str, str]) -> set[PotentialIdentifier]:
    """The identifying details that are shown; fills in why, where the document says it."""
    found: set[PotentialIdentifier] = set()
    if not isinstance(listed, list):
        tree.fault(("data", "potential_identifiers"), "must be a list, empty when none is needed")
        return found
    for index, value in enumerate(listed):
        path: Path = ("data", "potential_identifiers", index)
        fields = tree.section(value, path, ("id", "why")) if isinstance(value, dict) else {}
        why = line(tree, fields, (*path, "why"))
        if isinstance(value, dict):
            chosen = choice(tree, fields, (*path, "id"), PotentialIdentifier)
        else:
            chosen = choice(tree, {index: value}, path, PotentialIdentifier)
        if chosen in found:
            tree.fault(path, "is listed twice")
        if chosen:
            found.add(chosen)
        if chosen and why:
            whys[chosen.value] = why
    return found


def _terms(tree: Tree, top: dict[str, Any], permit_id: str | None, whys: dict[str, str]) -> ViewTerms | None:
    access = choice(tree, top, ("access",), Access)
    if "data" not in top:
        return None
    data = tree.section(top["data"], ("data",), ("tables", "population", "period", "potential_identifiers"))
    grants = _grants(tree, data)
    population = read_population(tree, data["population"], ("data", "population")) if "population" in data else None
    days = tree.section(data.get("period"), ("data", "period"), ("start", "end")) if "period" in data else {}
    start_on = day(tree, days, ("data", "period", "start"))
    end_on = day(tree, days, ("data", "period", "end"))
    if start_on and end_on and end_on <= start_on:
        tree.fault(("data", "period", "end"), "must be after the start; the end is not included")
    identifiers = _identifiers(tree, data.get("potential_identifiers", []), whys)
    if tree.faults or permit_id is None or population is None or start_on is None or end_on is None or access is None:
        return None
    return ViewTerms(permit_id, grants, population, Span(start_on, end_on), frozenset(identifiers), access)


def _grants(tree: Tree, data: dict[str, Any]) -> tuple[TableGrant, ...]:
    tables = data.get("tables")
    if tables == "all":
        return all_tables()
    if "tables" not in data:
        return ()
    if not isinstance(tables, dict) or not tables:
        tree.fault(("data", "tables"), "must be `all`, or tables with `all` or a list of columns each")
        return ()
    grants = {table: _grant(tree, table, columns) for table, columns in tables.items()}
    _fault_unknown(tree, [table for table in tables if table not in (*GRANTABLE_TABLES, *VOCABULARY_TABLES)])
    return tuple(grant for table in GRANTABLE_TABLES if (grant := grants.get(table)) is not None)


def _fault_unknown(tree: Tree, tables: Sequence[Any]) -> None:
    """Say of each table that it cannot be granted, with the nearest that can; all that can are listed once."""
    for number, table in enumerate(tables):
        near = get_close_matches(str(table), GRANTABLE_TABLES, n=1)
        said = "is not a table that can be granted" + (f": did you mean {near[0]}?" if near else "")
        if number == len(tables) - 1:
            said += f"; these can: {', '.join(GRANTABLE_TABLES)}"
        tree.fault(("data", "tables", table), said)


def _grant(tree: Tree, table: str, columns: Any) -> TableGrant | None:
    path: Path = ("data", "tables", table)
    if table in VOCABULARY_TABLES:
        tree.fault(path, "needs no grant: vocabulary tables are readable under every permit")
        return None
    if table not in GRANTABLE_TABLES:
        return None
    if columns == "all":
        return TableGrant(table)
    if not isinstance(columns, list) or not columns:
        tree.fault(path, "must be `all` or a list of columns")
        return None
    known = omop_tables()[table].names
    unknown = [index for index, column in enumerate(columns) if column not in known]
    for index in unknown:
        tree.fault((*path, index), f"is not a column of {table} [OMOP CDM 5.4]")
    if len({str(column) for column in columns}) != len(columns):
        tree.fault(path, "lists a column twice")
    return None if unknown else TableGrant(table, tuple(name for name in known if name in columns))
