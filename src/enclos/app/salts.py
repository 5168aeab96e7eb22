"""Earlier keys of the ledger's digests, sealed under the one in use.

A digest in the ledger cannot be made again under another key: nobody keeps what it stands for, and the tree may not
change. So who holds the key in use can still compare earlier digests, and who stole an earlier key cannot compare later
ones.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from enclos.app.enclosure import Enclosure
from enclos.app.permits import all_versions
from enclos.ledger.model import Action, Entry, Fact, Personal
from enclos.lexicon.canonical import canonical_bytes
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole, SecretKey
from enclos.lexicon.refusals import Refusal, refusal
from enclos.permits.rules.access import data_users
from enclos.stores.files import storage_border, write_atomically
from enclos.stores.sealed import seal, unseal

_CONTEXT, _BYTES = "enclos earlier ledger salts", 32
_DAYS_AT_LEAST = 365
"""Source: Regulation (EU) 2025/327, Art. 73(1)(e)."""


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
