"""Probes of keys and ciphertext: where keys lie, how old they are, and whether what is stored is ciphertext."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from itertools import islice

from enclos.app.certificates import opens
from enclos.app.conformity.trace_probes import Traces
from enclos.app.enclosure import Enclosure
from enclos.app.keys import unrecorded
from enclos.app.places import lake_objects
from enclos.conformity.model import Finding, Sight
from enclos.conformity.ports import Look
from enclos.lexicon.keys import KeyName, KeyRole
from enclos.lexicon.refusals import Refusal
from enclos.stores.keys import read_token_uri
from enclos.stores.vault import attach_vault

_YEARS_OF_A_KEY = 3
_SAMPLE = 200
_ENCRYPTED_PARQUET = b"PARE"
_SECRETS = re.compile(rb"PRIVATE KEY-----|pin-value=|(?i:password|passphrase|secret[_-]?access[_-]?key)\s*[=:]\s*\S")
_SOFTWARE = "softhsm"


def key_probes(traces: Traces) -> list[Look]:
    """The probes of keys."""
    enclosure, now = traces.enclosure, traces.now
    looks: dict[tuple[str, ...], Callable[[], list[Finding]]] = {
        ("crypto.kms",): lambda: [_custody(enclosure)],
        ("crypto.keyage",): lambda: [_ages(enclosure, now)],
        ("crypto.algos",): lambda: [_ciphertext(enclosure)],
        ("data.erase",): lambda: [_destroyed(enclosure)],
        ("app.identity-separation",): lambda: [_two_keys(enclosure)],
        ("vuln.secrets",): lambda: [_secrets(enclosure)],
    }
    return [Look(names, see) for names, see in looks.items()]


def _custody(enclosure: Enclosure) -> Finding:
    """Keys in a file can be copied; a token of software is a file too, whatever it answers."""
    living = [each for each in enclosure.keys.entries() if each.destroyed_at is None]
    in_file = sum(each.place == "file" for each in living)
    section = enclosure.settings.keys
    places = [section.place, *(role.partition("=")[2] for role in section.roles)]
    soft = [place for place in places if place != "file" and _SOFTWARE in read_token_uri(place).module.lower()]
    said = f"{len(living) - in_file} of {len(living)} keys lie in a token{', which is software' if soft else ''}"
    return Finding("crypto.kms", Sight.FAILS if in_file or soft else Sight.HOLDS, said, len(living))


def _ages(enclosure: Enclosure, now: datetime) -> Finding:
    used = [each for each in enclosure.keys.entries() if each.is_current and each.destroyed_at is None]
    ages = [(now - datetime.fromisoformat(each.created_at)).days for each in used]
    old = sum(age > 366 * _YEARS_OF_A_KEY for age in ages)
    oldest = max(ages, default=0)
    said = f"the oldest of {len(used)} keys in use is {oldest} days old, {_YEARS_OF_A_KEY} years are the most"
    return Finding("crypto.keyage", Sight.FAILS if old else Sight.HOLDS, said, len(used))


def _ciphertext(enclosure: Enclosure) -> Finding:
    """The first bytes of stored objects: Parquet that hides its footer says so."""
    objects = lake_objects(enclosure.paths, enclosure.settings.storage)
    heads = [next(iter(objects.read(name)), b"")[:4] for name in islice(objects.names(), _SAMPLE)]
    if not heads:
        return Finding("crypto.algos", Sight.BLIND, "nothing is stored yet")
    plain = sum(head != _ENCRYPTED_PARQUET for head in heads)
    said = f"{len(heads) - plain} of {len(heads)} stored objects are Parquet with an encrypted footer (AES-GCM)"
    return Finding("crypto.algos", Sight.FAILS if plain else Sight.HOLDS, said, len(heads))


def _destroyed(enclosure: Enclosure) -> Finding:
    gone = [each for each in enclosure.keys.entries() if each.destroyed_at is not None]
    if not gone:
        return Finding("data.erase", Sight.BLIND, "no key was destroyed yet")
    open_ = sum(opens(unrecorded(enclosure.keys), each.name) for each in gone)
    said = f"{len(gone) - open_} of {len(gone)} destroyed keys open nothing"
    return Finding("data.erase", Sight.FAILS if open_ else Sight.HOLDS, said, len(gone))


def _two_keys(enclosure: Enclosure) -> Finding:
    """Live: the key that opens the warehouse is tried on the vault of identities."""
    if not enclosure.paths.vault_database.exists():
        return Finding("app.identity-separation", Sight.BLIND, "there is no vault of identities yet")
    with enclosure.engine() as engine:
        try:
            key = enclosure.keys.secret(KeyName(KeyRole.CATALOG))
            attach_vault(engine, enclosure.paths.vault_database, key, read_only=True)
        except Refusal:
            said = "the key of the warehouse does not open the vault of identities"
            return Finding("app.identity-separation", Sight.HOLDS, said, 1)
    return Finding("app.identity-separation", Sight.FAILS, "the key of the warehouse opens the vault of identities", 1)


def _secrets(enclosure: Enclosure) -> Finding:
    files = [f for kind in ("*.toml", "*.yaml", "*.json") for f in sorted(enclosure.paths.root.glob(kind))]
    found = [file.name for file in files if _SECRETS.search(file.read_bytes())]
    said = f"{len(found)} of {len(files)} files of settings hold what looks like a secret"
    return Finding("vuln.secrets", Sight.FAILS if found else Sight.HOLDS, said, len(files))
