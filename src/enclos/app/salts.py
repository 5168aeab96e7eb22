"""Earlier keys of the ledger's digests, sealed under the one in use.

A digest in the ledger cannot be made again under another key: nobody keeps what it stands for, and the tree may not
change. So who holds the key in use can still compare earlier digests, and who stole an earlier key cannot compare later
ones.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from enclos.app.certificates import certify
from enclos.app.enclosure import Enclosure
from enclos.app.permits import all_versions, newest, versions_of
from enclos.ledger.model import Action, Entry, Fact, Personal
from enclos.ledger.rules.acts import acts_of
from enclos.lexicon.canonical import canonical_bytes
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole, SecretKey
from enclos.lexicon.refusals import Refusal, refusal
from enclos.permits.model import State
from enclos.permits.rules.access import data_users
from enclos.permits.rules.life import state_at
from enclos.stores.files import lock_exclusive, storage_border, write_atomically
from enclos.stores.permit_files import forget_sealed
from enclos.stores.sealed import seal, unseal

_CONTEXT, _BYTES = "enclos earlier ledger salts", 32
_DAYS_AT_LEAST = 365
"""Source: Regulation (EU) 2025/327, Art. 73(1)(e)."""
_TRACES = frozenset({Action.STUDY, Action.SQL, Action.COHORT, Action.RELEASE_REQUEST, Action.RELEASE_REVIEW}) | {
    Action.RELEASE_EXPORT,
    Action.RELEASE_AGAIN,
}
"""Whose access it is that is told for a year."""


def keep_earlier(path: Path, old: SecretKey, new: SecretKey) -> int:
    """Put the old key, and those before it, under the new one; done twice, it is as once. How many there are."""
    with storage_border("the ledger's earlier keys"):
        sealed = path.read_bytes() if path.exists() else b""
    try:
        return len(unseal(new, sealed, _CONTEXT)) // _BYTES
    except Refusal:
        keys = old.reveal() + (unseal(old, sealed, _CONTEXT) if sealed else b"")
    write_atomically(path, seal(new, keys, _CONTEXT), "the ledger's earlier keys")
    return len(keys) // _BYTES


def ledger_digests(enclosure: Enclosure, value: str) -> tuple[str, ...]:
    """Every digest under which the ledger may know a personal value: under the key in use and under those before."""
    return enclosure.ledger.digests(value, _earlier(enclosure))


def _earlier(enclosure: Enclosure) -> list[SecretKey]:
    path, name = enclosure.paths.earlier_salts, KeyName(KeyRole.LEDGER_SALT)
    if not path.exists():
        return []
    with storage_border("the ledger's earlier keys"):
        keys = unseal(enclosure.keys.secret(name), path.read_bytes(), _CONTEXT)
    return [SecretKey(name, keys[at : at + _BYTES]) for at in range(0, len(keys), _BYTES)]


def forget_person(enclosure: Enclosure, person: str, reason: str) -> dict[str, Any]:
    """Destroy what links a person to their digests in the ledger; the ledger itself, and every proof, stays.

    Out: n_salts; 0 when the ledger does not know the person
    Refuses: LEDGER_RETENTION while a permit lists the person, or their last trace is younger than a year
    """
    now = enclosure.ledger.now()
    digests = ledger_digests(enclosure, person)
    listed = any(
        user.id == person and user.listed_until > now for chain in all_versions(enclosure) for user in data_users(chain)
    )
    last_at = max((entry.at for _, entry in enclosure.ledger.entries() if _is_of(entry, digests)), default=None)
    if listed or (last_at is not None and now - last_at < timedelta(days=_DAYS_AT_LEAST)):
        raise refusal(
            Code.LEDGER_RETENTION,
            "A permit lists this person still, or the ledger met them less than a year ago.",
            "Amend the permits first; after a year, ask again.",
        )
    facts: dict[str, Fact] = {"what": "person", "reason": Personal(reason)}
    with enclosure.ledger.intent(Action.LEDGER_FORGET, enclosure.operator, facts=facts) as ticket:
        n_salts = enclosure.ledger.forget(person, _earlier(enclosure))
        ticket.facts.update({"n_salts": n_salts})
    return {"n_salts": n_salts}


def forget_permit(enclosure: Enclosure, permit: str, reason: str) -> dict[str, Any]:
    """Erase a project that has ended: its key, all that it sealed, and what links texts and people to its traces.

    Its signed versions stay, since the public register tells of every permit; so does every proof. Done again, or after
    a kill, it goes on where it was.

    Out: permit, keys (ids of all that are gone), certificates (new ones), n_files, n_salts, n_users (whom nobody can
        tell any more), salts_from (None, or the day from which salts may go: a year after the last use)
    Refuses: LEDGER_RETENTION while it is in force; ENCLOSURE_BUSY
    Source: Regulation (EU) 2025/327, Art. 68(12), 73(1)(e)
    """
    newest_version, now = newest(enclosure, permit), enclosure.ledger.now()
    if state_at(newest_version, now) not in {State.EXPIRED, State.REVOKED}:
        raise refusal(
            Code.LEDGER_RETENTION, "The permit has not ended.", "Revoke it first: enclos permit revoke DIR PERMIT."
        )
    uses = (act.at for act in acts_of(enclosure.ledger.entries()) if act.permit == permit and act.action in _TRACES)
    free_at = max(uses, default=now - timedelta(days=_DAYS_AT_LEAST)) + timedelta(days=_DAYS_AT_LEAST)
    facts: dict[str, Fact] = {"what": "permit", "permit": permit, "reason": Personal(reason)}
    with (
        enclosure.at_the_desk(),
        lock_exclusive(enclosure.paths.data_lock),
        enclosure.ledger.intent(Action.LEDGER_FORGET, enclosure.operator, facts=facts) as ticket,
    ):
        key = KeyName(KeyRole.PERMIT, permit)
        if enclosure.keys.exists(key):
            enclosure.keys.destroy(key)
        certificates = certify(enclosure)
        n_files = forget_sealed(enclosure.paths.permits / permit)
        n_salts = enclosure.ledger.forget_permit(permit, _earlier(enclosure)) if now >= free_at else 0
        ticket.facts.update({"permit": permit, "n_files": n_files, "n_salts": n_salts})
    users = {user.id for user in data_users(versions_of(enclosure, permit))} if now >= free_at else set()
    return {
        "permit": permit,
        "keys": [entry.id for entry in enclosure.keys.entries() if entry.name.of_generation(0) == key],
        "certificates": certificates,
        "n_files": n_files,
        "n_salts": n_salts,
        "n_users": sum(_forget_if_free(enclosure, user, reason) for user in sorted(users)),
        "salts_from": None if now >= free_at else free_at.date().isoformat(),
    }


def _forget_if_free(enclosure: Enclosure, user: str, reason: str) -> bool:
    """Whether somebody's own salts went; they stay while another permit lists the person or traces are young."""
    try:
        return bool(forget_person(enclosure, user, reason)["n_salts"])
    except Refusal as refused:
        if refused.code is not Code.LEDGER_RETENTION:
            raise
        return False


def forget_old(enclosure: Enclosure) -> dict[str, Any]:
    """Destroy the salts of everybody, and of every text, that the ledger met last before the time of retention.

    Out: retention_months, before (a day), n_salts
    """
    months = enclosure.settings.ledger.retention_months
    before = enclosure.ledger.now() - timedelta(days=-(-months * 365.25 // 12))
    facts: dict[str, Fact] = {"what": "retention", "months": months}
    with enclosure.ledger.intent(Action.LEDGER_FORGET, enclosure.operator, facts=facts) as ticket:
        n_salts = enclosure.ledger.forget_unused_since(before)
        ticket.facts.update({"n_salts": n_salts})
    return {"retention_months": months, "before": before.date().isoformat(), "n_salts": n_salts}


def _is_of(entry: Entry, digests: tuple[str, ...]) -> bool:
    """Whether the entry names somebody as its actor or among its facts."""
    if entry.actor in digests:
        return True
    written = canonical_bytes(dict(entry.facts)).decode("utf-8")
    return any(digest in written for digest in digests)
