"""What a permit's document would open, before anybody signs it: in numbers, and where it touches a limit."""

from __future__ import annotations

from typing import Any

from enclos.app.enclosure import Enclosure
from enclos.app.objectors import Objectors
from enclos.app.permits import access_body_actor, all_versions, newest
from enclos.app.snapshots import reading_snapshot
from enclos.contracts.omop import omop_tables
from enclos.contracts.view import Access, PotentialIdentifier, ViewTerms, WholeBase, all_tables
from enclos.ledger.model import Action
from enclos.lexicon.canonical import sha256_hex
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from enclos.permits.document import json_from_permit, read_permit
from enclos.permits.document.fields import text_from_instant
from enclos.permits.model import OptOutMoment, Permit
from enclos.permits.rules.life import earliest_day, legal_bases, years_after
from enclos.stores.lake import Lake
from enclos.views.model import Treatment
from enclos.views.rules import column_rules, shown_columns
from enclos.views.steps import foresee

_NO_DATA = frozenset({Code.LAKE_EMPTY, Code.ENCLOSURE_BUSY, Code.VIEW_POPULATION})
_TENS = 10


def read_draft(enclosure: Enclosure, text: str, *, amends: str = "") -> dict[str, Any]:
    """What a document says in plain words, and where it touches a limit; no data are looked at, nothing is written.

    In: amends — the permit that it would amend
    Out: permit, organisation, investigator, purpose, article, legal_basis, users, access, tables (with columns shown
        of how many), identifiers, withheld (the identifying details that are generalised), period, opt_out, min_count,
        round_to, valid_from, valid_until, warnings (each a code with its values)
    Refuses: PERMIT_INVALID with every fault and its line.
    """
    permit = read_permit(text, min_count_floor=enclosure.floor, is_amendment=bool(amends))
    warnings = [each for each in _warnings(enclosure, permit) if (each["warning"], permit.id) != ("taken", amends)]
    return {**told_of(permit), "warnings": warnings}


def read_signed(enclosure: Enclosure, permit_id: str) -> dict[str, Any]:
    """What a signed permit says, as ``read_draft`` tells of a document; a signed one is not warned of.

    Refuses: PERMIT_UNKNOWN and what else is refused of signed permits.
    """
    return {**told_of(newest(enclosure, permit_id).permit), "warnings": []}


def told_of(permit: Permit) -> dict[str, Any]:
    """What a permit says, as ``read_draft`` tells of a document; no warnings among it."""
    document = json_from_permit(permit)
    return {
        "permit": permit.id,
        "organisation": permit.holder.organisation,
        "investigator": permit.holder.investigator,
        "purpose": permit.purpose.text,
        "article": permit.purpose.article,
        "legal_basis": permit.legal_basis,
        "source": legal_bases()[permit.legal_basis].source,
        "users": document["users"],
        "population": document["data"]["population"],
        "access": permit.terms.access.value,
        "tables": [_table(permit.terms, table) for table in permit.terms.tables],
        "all_tables": permit.terms.grants == all_tables(),
        "identifiers": _identifiers(permit),
        "withheld": sorted(each.value for each in PotentialIdentifier if each not in permit.terms.identifiers),
        "period": {**document["data"]["period"], "n_days": permit.terms.period.n_days},
        "opt_out": document["opt_out"],
        "min_count": permit.min_count,
        "round_to": permit.round_to,
        "valid_from": text_from_instant(permit.valid_from),
        "valid_until": text_from_instant(permit.valid_until),
        "counts": None,
    }


def preview_permit(enclosure: Enclosure, text: str, *, by: str, amends: str = "") -> dict[str, Any]:
    """What a document would open, with persons and rows counted on the newest snapshot. For the access body alone.

    A count below the enclosure's floor is not told, and others are rounded, so that no two previews tell one person.
    In: by — who of the access body looks; amends — as for ``read_draft``
    Out: as ``read_draft``; ``counts``: snapshot, complete_until, persons and rows by table, each ``n`` and whether it
        is ``below`` the floor, is_sample; None, with ``uncounted`` for the reason, where nothing can be counted
    Refuses: PERMIT_INVALID.
    """
    shown = read_draft(enclosure, text, amends=amends)
    permit = read_permit(text, min_count_floor=enclosure.floor, is_amendment=bool(amends))
    facts = {"document": sha256_hex(text.encode("utf-8"))}
    with enclosure.ledger.intent(Action.PERMIT_PREVIEW, access_body_actor(by), None, facts) as ticket:
        counts, why = _counts(enclosure, permit)
        ticket.facts.update({"snapshot": counts["snapshot"] if counts else None})
    warnings = list(shown["warnings"])
    if counts and counts["persons"]["below"]:
        warnings.insert(0, {"warning": "few-persons", "floor": enclosure.floor})
    until = counts and counts["complete_until"]
    if until and until < permit.terms.period.end_on.isoformat():
        warnings.append({"warning": "after-the-data", "day": until})
    return {**shown, "warnings": warnings, "counts": counts, "uncounted": why}


def _counts(enclosure: Enclosure, permit: Permit) -> tuple[dict[str, Any] | None, str]:
    try:
        with reading_snapshot(enclosure) as (engine, snapshot):
            objecting = Objectors(enclosure) if permit.opt_out.applied else ()
            found = foresee(permit.terms, engine=engine, snapshot=snapshot, opted_out=objecting)
            facts = Lake(engine).facts() or {}
    except Refusal as refused:
        if refused.code not in _NO_DATA:
            raise
        return None, refused.code.id
    if found is None:
        return None, "cohort"
    counts = {
        "snapshot": snapshot.id,
        "complete_until": facts.get("complete_until"),
        "persons": _told(found.n_persons, enclosure.floor),
        "rows": {table: _told(n, enclosure.floor, m) for table, (n, m) in found.tables.items()},
        "all_rows": _told(sum(n for n, _ in found.tables.values()), enclosure.floor, found.n_persons),
        "is_sample": found.n_looked_at < found.n_persons,
    }
    return counts, ""


def _told(n: int, floor: int, n_persons: int | None = None) -> dict[str, Any]:
    """A count as it is told: not at all where fewer persons than the floor stand behind it, else to the nearest ten.

    In: n_persons — who stand behind a count of rows
    """
    if (n if n_persons is None else n_persons) < floor:
        return {"n": None, "below": True}
    return {"n": max(_TENS, round(n / _TENS) * _TENS), "below": False}


def _table(terms: ViewTerms, table: str) -> dict[str, Any]:
    names = omop_tables()[table].names
    rules = [column_rules().get((table, name)) for name in shown_columns(terms, table, names)]
    shown = [rule for rule in rules if rule is None or rule.treatment is not Treatment.HIDDEN]
    coarse = [rule for rule in shown if rule and rule.unless and rule.unless not in terms.identifiers]
    return {"table": table, "n_columns": len(shown), "of": len(names), "n_coarse": len(coarse)}


def _identifiers(permit: Permit) -> list[dict[str, Any]]:
    opened = {
        identifier: sum(
            rule.unless is identifier and (grant := permit.terms.grant(table)) is not None and grant.shows(column)
            for (table, column), rule in column_rules().items()
        )
        for identifier in permit.terms.identifiers
    }
    return [
        {"id": each.value, "why": permit.whys.get(each.value, ""), "n_columns": n}
        for each, n in sorted(opened.items(), key=lambda item: item[0].value)
    ]


def _warnings(enclosure: Enclosure, permit: Permit) -> list[dict[str, Any]]:
    """Where the document touches a limit of policy, or asks for more than most need."""
    terms, basis = permit.terms, legal_bases()[permit.legal_basis]
    bare = sorted(each.value for each in terms.identifiers if each.value not in permit.whys)
    is_longest = permit.valid_until == years_after(permit.valid_from, basis.max_years)
    is_earliest = terms.period.start_on == earliest_day(basis, permit.valid_from)
    is_lifted, follows = not permit.opt_out.applied, permit.opt_out.as_of is OptOutMoment.NOW
    found: dict[str, tuple[bool, dict[str, object]]] = {
        "taken": (any(chain[-1].permit.id == permit.id for chain in all_versions(enclosure)), {}),
        "over": (permit.valid_until <= enclosure.ledger.now(), {"day": permit.valid_until.date().isoformat()}),
        "longest": (is_longest, {"years": basis.max_years, "source": basis.source}),
        "earliest": (is_earliest, {"years": basis.max_past_years, "source": basis.source}),
        "rows-of-all": (isinstance(terms.population, WholeBase) and terms.access is Access.ROWS, {}),
        "all-tables": (terms.grants == all_tables(), {}),
        "bare-identifiers": (bool(bare), {"identifiers": bare}),
        "all-identifiers": (len(terms.identifiers) == len(PotentialIdentifier), {}),
        "objections-lifted": (is_lifted, {}),
        "objections-until-opened": (not is_lifted and not follows, {}),
        "least-count": (permit.min_count == enclosure.floor, {"floor": enclosure.floor}),
        "investigator-out": (
            permit.holder.investigator not in permit.user_ids,
            {"person": permit.holder.investigator},
        ),
    }
    return [{"warning": name, **values} for name, (holds, values) in found.items() if holds]
