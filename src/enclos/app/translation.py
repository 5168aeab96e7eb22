"""A source has a new key: what it calls its persons and records is translated in the vault.

The order: the vault's tables are translated in one transaction, then each landed file as a whole. Killed anywhere,
`enclos keys rotate DIR --resume` goes on from the translation, which lies sealed in the vault until the end.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from enclos.app.certificates import certify
from enclos.app.enclosure import Enclosure
from enclos.app.objectors import resolve_objections
from enclos.app.progress import Report, silent
from enclos.ledger.model import Action, Fact
from enclos.lexicon.canonical import canonical_bytes
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole
from enclos.lexicon.refusals import refusal
from enclos.pseudonyms.steps.translating import read_translation, translate_vault
from enclos.stores.files import storage_border, write_atomically
from enclos.stores.landing import landed_of_source
from enclos.stores.sealed import sealed_copy_sql, sealed_scan_sql
from enclos.stores.sender_files import SenderCsv
from enclos.stores.translating import Translation, translate_parquet

TRANSLATION = "TRANSLATION.csv"
_VAULT, _OWN = KeyName(KeyRole.VAULT), "translation-"


def translate_source(enclosure: Enclosure, source: str, given: Path, *, report: Report = silent) -> dict[str, Any]:
    """Take a source's translation and let the vault use its present pseudonyms; nothing else is done meanwhile.

    In: given — what `enclos keys translate` wrote: the folder, or its file
    Out: role, subject, moved (persons, files)
    Refuses: CIRCUIT_BORDER; KEY_FIXED for a source that sent nothing, or whose link deliveries wait; KEY_ROTATING;
        ENCLOSURE_BUSY
    """
    if enclosure.paths.rotation.exists():
        raise refusal(Code.KEY_ROTATING, "A rotation is open.", "End it: enclos keys rotate DIR --resume.")
    file = SenderCsv(given / TRANSLATION if given.is_dir() else given)
    with closing(file.batches()) as batches:  # a refusal leaves no reader behind
        pairs = read_translation(file.header, (row for _, table in batches for row in table.to_pylist()), source)
    own = KeyName(KeyRole.VAULT, f"{_OWN}{secrets.token_hex(8)}")
    marker = {"role": KeyRole.SOURCE.value, "subject": source, "translation": own.subject}
    with enclosure.at_the_desk(), enclosure.vault_engine() as engine:
        known, n_open = engine.rows(
            "SELECT count(*), count(*) FILTER (WHERE kind = 'link' AND path IS NOT NULL) FROM vault.landed "
            "WHERE source = ?",
            [source],
        )[0]
        if not known or n_open:
            raise refusal(
                Code.KEY_FIXED,
                "A link delivery of this source still waits." if known else "No delivery of this source has landed.",
                "Link first: enclos link DIR." if known else "Name the source that sent it.",
            )
        _destroy_own_keys(enclosure)  # left by one that was stopped before it began
        enclosure.keys.create(own)
        engine.add_parquet_key(enclosure.keys.secret(own))
        engine.register("enclos_pairs", pairs)
        engine.execute(sealed_copy_sql("FROM enclos_pairs", enclosure.paths.translation, own))
        engine.unregister("enclos_pairs")
        write_atomically(enclosure.paths.rotation, canonical_bytes(marker), "a rotation")
    return resume_translation(enclosure, marker, report=report)


def resume_translation(enclosure: Enclosure, marker: Mapping[str, str], *, report: Report = silent) -> dict[str, Any]:
    """Translate the vault and every landed file of the source, whatever of it is done already.

    The translation has a key of its own, which is destroyed at the end: no backup gives it back.
    """
    source, own = marker["subject"], KeyName(KeyRole.VAULT, marker["translation"])
    report(f"translate {source}", 0.0)
    facts: dict[str, Fact] = {"role": KeyRole.SOURCE.value, "subject": source}
    with enclosure.at_the_desk(), enclosure.ledger.intent(Action.KEY_ROTATE, enclosure.operator, None, facts) as ticket:
        moved = {}
        if enclosure.keys.exists(own):  # else it was stopped at the very end
            with enclosure.vault_engine() as engine:
                engine.add_parquet_key(enclosure.keys.secret(own))
                pairs = engine.query(f"FROM {sealed_scan_sql(enclosure.paths.translation, own)}")
                moved["n_persons"] = translate_vault(engine, source, pairs)
                files = landed_of_source(engine, enclosure.paths.vault / "landed", source)
                moved["n_files"] = translate_parquet(engine, files, enclosure.keys.secret(_VAULT), Translation(pairs))
                moved["objections"] = resolve_objections(enclosure, engine)
        ticket.facts.update(moved)
    _destroy_own_keys(enclosure)
    with storage_border("the end of a translation"):
        enclosure.paths.translation.unlink(missing_ok=True)
        enclosure.paths.rotation.unlink()
    certificates = certify(enclosure)
    report(f"translate {source}", 1.0)
    moved.pop("objections", None)
    return {"role": KeyRole.SOURCE.value, "subject": source, "moved": moved, "certificates": certificates}


def _destroy_own_keys(enclosure: Enclosure) -> None:
    for entry in enclosure.keys.entries():
        name = entry.name.of_generation(0)
        if name.role is KeyRole.VAULT and name.subject.startswith(_OWN) and entry.destroyed_at is None:
            enclosure.keys.destroy(name)
