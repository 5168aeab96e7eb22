"""Reading a permit's fields, and writing them back as JSON."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, TypeVar

from enclos.contracts.omop import VOCABULARY_TABLES, omop_tables
from enclos.contracts.view import (
    GRANTABLE_TABLES,
    Access,
    FromSource,
    Population,
    PotentialIdentifier,
    RandomSample,
    TableGrant,
    ViewTerms,
    WholeBase,
    all_tables,
)
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.lexicon.spans import Span
from enclos.permits.document.tree import Path, Tree, tree_from_yaml
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
from enclos.permits.rules.life import legal_bases, years_after

_SOURCE_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
_ONE_LINE = re.compile(r"[^\x00-\x1f\x7f\u2028\u2029]*")
_MAX_SEED = 2**53 - 1
_MAX_MIN_COUNT = 100_000
_E = TypeVar("_E", bound=Enum)


def read_permit(text: str, *, min_count_floor: int) -> Permit:
    """The permit that a YAML document states.

    In: min_count_floor — the enclosure's smallest minimum count.
    Refuses: PERMIT_INVALID once, with every fault and its line.
    """
    return _permit(tree_from_yaml(text), min_count_floor=min_count_floor, check_length=True)


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
            "population": _json_from_population(terms.population),
            "period": {"start": terms.period.start_on.isoformat(), "end": terms.period.end_on.isoformat()},
            "potential_identifiers": sorted(identifier.value for identifier in terms.identifiers),
        },
        "access": terms.access.value,
        "opt_out": {"applied": permit.opt_out.applied, "as_of": permit.opt_out.as_of.value},
        "disclosure": {"min_count": permit.min_count},
        "valid": {"from": text_from_instant(permit.valid_from), "until": text_from_instant(permit.valid_until)},
    }


def text_from_instant(at: datetime) -> str:
    """An instant as the records write it: UTC, whole seconds, Z."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _json_from_population(population: Population) -> Any:
    match population:
        case WholeBase():
            return "all"
        case FromSource(source):
            return {"source": source}
        case RandomSample(percent, seed):
            return {"sample_percent": format(percent, "f"), "seed": seed}


def _permit(tree: Tree, *, min_count_floor: int, check_length: bool) -> Permit:
    found = _fields(tree, min_count_floor=min_count_floor, check_length=check_length) if not tree.faults else None
    if tree.faults or found is None:
        sentences = tree.sentences()
        count = "1 fault" if len(sentences) == 1 else f"{len(sentences)} faults"
        raise refusal(
            Code.PERMIT_INVALID,
            f"The permit document has {count}: {'; '.join(sentences)}.",
            "Mend the document; `enclos permit draft` prints one to start from.",
        )
    return found


def _fields(tree: Tree, *, min_count_floor: int, check_length: bool) -> Permit | None:
    top = tree.section(
        tree.root,
        (),
        ("permit", "holder", "users", "purpose", "legal_basis", "data", "access", "opt_out", "disclosure", "valid"),
    )
    permit_id = _pattern(tree, top, ("permit",), PERMIT_ID, "letters, digits and inner hyphens, at most 64")
    holder = tree.section(top.get("holder"), ("holder",), ("organisation", "investigator")) if "holder" in top else {}
    organisation = _line(tree, holder, ("holder", "organisation"))
    investigator = _pattern(tree, holder, ("holder", "investigator"), USER_ID, "a user id such as name@example.org")
    users = _users(tree, top)
    purpose = tree.section(top.get("purpose"), ("purpose",), ("article", "text")) if "purpose" in top else {}
    article = _pattern(tree, purpose, ("purpose", "article"), ARTICLE, '53(1)(a) to 53(1)(f), quoted: "53(1)(e)"')
    purpose_text = _line(tree, purpose, ("purpose", "text"))
    basis = _one_of(tree, top, ("legal_basis",), tuple(legal_bases()))
    terms = _terms(tree, top, permit_id)
    objections = tree.section(top.get("opt_out"), ("opt_out",), ("applied", "as_of")) if "opt_out" in top else {}
    applied = objections.get("applied")
    if "applied" in objections and not isinstance(applied, bool):
        tree.fault(("opt_out", "applied"), "must be true or false")
    as_of = _choice(tree, objections, ("opt_out", "as_of"), OptOutMoment)
    disclosure = tree.section(top.get("disclosure"), ("disclosure",), ("min_count",)) if "disclosure" in top else {}
    min_count = _whole(tree, disclosure, ("disclosure", "min_count"), 1, _MAX_MIN_COUNT)
    if min_count is not None and min_count < min_count_floor:
        tree.fault(("disclosure", "min_count"), f"is below this enclosure's floor of {min_count_floor}")
    valid = tree.section(top.get("valid"), ("valid",), ("from", "until")) if "valid" in top else {}
    valid_from = _instant(tree, valid, ("valid", "from"))
    valid_until = _instant(tree, valid, ("valid", "until"))
    if valid_from and valid_until:
        if valid_until <= valid_from:
            tree.fault(("valid", "until"), "must be after the beginning")
        elif check_length and basis and valid_until > years_after(valid_from, legal_bases()[basis].max_years):
            limit = legal_bases()[basis]
            tree.fault(("valid", "until"), f"is more than {limit.max_years} years after the beginning [{limit.source}]")
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
        user_id = _pattern(tree, fields, (*path, "id"), USER_ID, "a user id such as name@example.org")
        role = _choice(tree, fields, (*path, "role"), Role)
        if user_id in users:
            tree.fault((*path, "id"), "is listed twice")
        if user_id and role:
            users[user_id] = PermitUser(user_id, role)
    return tuple(users.values())


def _terms(tree: Tree, top: dict[str, Any], permit_id: str | None) -> ViewTerms | None:
    access = _choice(tree, top, ("access",), Access)
    if "data" not in top:
        return None
    data = tree.section(top["data"], ("data",), ("tables", "population", "period", "potential_identifiers"))
    grants = _grants(tree, data)
    population = _population(tree, data)
    days = tree.section(data.get("period"), ("data", "period"), ("start", "end")) if "period" in data else {}
    start_on = _day(tree, days, ("data", "period", "start"))
    end_on = _day(tree, days, ("data", "period", "end"))
    if start_on and end_on and end_on <= start_on:
        tree.fault(("data", "period", "end"), "must be after the start; the end is not included")
    listed = data.get("potential_identifiers", [])
    identifiers: set[PotentialIdentifier] = set()
    if not isinstance(listed, list):
        tree.fault(("data", "potential_identifiers"), "must be a list, empty when none is needed")
    else:
        for index, value in enumerate(listed):
            path: Path = ("data", "potential_identifiers", index)
            chosen = _choice(tree, {index: value}, path, PotentialIdentifier)
            if chosen in identifiers:
                tree.fault(path, "is listed twice")
            if chosen:
                identifiers.add(chosen)
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
    return tuple(grant for table in GRANTABLE_TABLES if (grant := grants.get(table)) is not None)


def _grant(tree: Tree, table: str, columns: Any) -> TableGrant | None:
    path: Path = ("data", "tables", table)
    if table in VOCABULARY_TABLES:
        tree.fault(path, "needs no grant: vocabulary tables are readable under every permit")
        return None
    if table not in GRANTABLE_TABLES:
        tree.fault(path, f"is not a table that can be granted; these can: {', '.join(GRANTABLE_TABLES)}")
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


def _population(tree: Tree, data: dict[str, Any]) -> Population | None:
    value, path = data.get("population"), ("data", "population")
    if value == "all":
        return WholeBase()
    if isinstance(value, dict) and set(value) == {"source"}:
        source = _pattern(tree, value, (*path, "source"), _SOURCE_ID, "the id of a source such as hosp-a")
        return FromSource(source) if source else None
    if isinstance(value, dict) and set(value) == {"sample_percent", "seed"}:
        percent = _decimal(value["sample_percent"])
        if percent is None or not 0 < percent <= 100 or percent != round(percent, 4):
            tree.fault((*path, "sample_percent"), "must be above 0, at most 100, with at most four decimals")
            percent = None
        seed = _whole(tree, value, (*path, "seed"), 0, _MAX_SEED)
        return RandomSample(percent, seed) if percent is not None and seed is not None else None
    if isinstance(value, dict) and "circe" in value:
        tree.fault((*path, "circe"), "cohort definitions are not read here yet; use all, a source or a sample")
    elif "population" in data:
        tree.fault(path, "must be `all`, {source: ID} or {sample_percent: N, seed: N}")
    return None


def _decimal(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _last(path: Path) -> Any:
    return path[-1]


def _checked(tree: Tree, fields: dict[Any, Any], path: Path, accept: Callable[[Any], bool], wanted: str) -> Any:
    """The field's value when it is there and accepted; None, with a fault when it is there, otherwise."""
    if _last(path) not in fields:
        return None
    value = fields[_last(path)]
    if accept(value):
        return value
    tree.fault(path, f"must be {wanted}")
    return None


def _pattern(tree: Tree, fields: dict[Any, Any], path: Path, form: re.Pattern[str], wanted: str) -> str | None:
    found: str | None = _checked(
        tree, fields, path, lambda value: isinstance(value, str) and bool(form.fullmatch(value)), wanted
    )
    return found


def _line(tree: Tree, fields: dict[Any, Any], path: Path) -> str | None:
    def accept(value: Any) -> bool:
        return isinstance(value, str) and 3 <= len(value.strip()) <= 2000 and bool(_ONE_LINE.fullmatch(value))

    found: str | None = _checked(tree, fields, path, accept, "one line of 3 to 2000 characters")
    return found


def _whole(tree: Tree, fields: dict[Any, Any], path: Path, least: int, most: int) -> int | None:
    def accept(value: Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most

    found: int | None = _checked(tree, fields, path, accept, f"a whole number from {least} to {most}")
    return found


def _one_of(tree: Tree, fields: dict[Any, Any], path: Path, known: tuple[str, ...]) -> str | None:
    found: str | None = _checked(
        tree, fields, path, lambda value: isinstance(value, str) and value in known, f"one of {', '.join(known)}"
    )
    return found


def _choice(tree: Tree, fields: dict[Any, Any], path: Path, kind: type[_E]) -> _E | None:
    found = _one_of(tree, fields, path, tuple(member.value for member in kind))
    return kind(found) if found is not None else None


def _day(tree: Tree, fields: dict[Any, Any], path: Path) -> date | None:
    value = fields.get(_last(path))
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if _last(path) in fields:
        tree.fault(path, "must be a day such as 2019-01-01")
    return None


def _instant(tree: Tree, fields: dict[Any, Any], path: Path) -> datetime | None:
    value = fields.get(_last(path))
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(Z|[+-]\d{2}:\d{2})", value):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            value = None
    if (
        isinstance(value, datetime)
        and value.tzinfo is not None
        and value.microsecond == 0
        and isinstance(value.utcoffset(), timedelta)
    ):
        return value.astimezone(UTC)
    if _last(path) in fields:
        tree.fault(path, "must be an instant with its time zone such as 2026-11-01T00:00:00Z, in whole seconds")
    return None
