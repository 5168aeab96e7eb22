"""A source has a new key: what it calls its persons and records is translated in the vault.

The order: the vault's tables are translated in one transaction, then each landed file as a whole. Killed anywhere,
`enclos keys rotate DIR --resume` goes on from the translation, which lies sealed in the vault until the end.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from enclos.app.enclosure import Enclosure
from enclos.app.objectors import resolve_objections
from enclos.app.progress import Report, silent
from enclos.ledger.model import Action, Fact
from enclos.lexicon.canonical import canonical_bytes
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole
from enclos.lexicon.refusals import refusal
from enclos.pseudonyms.steps.translating import read_translation, translate_vault
from enclos.stores.engine import Engine
from enclos.stores.files import storage_border, write_atomically
from enclos.stores.landing import landed_of_source
from enclos.stores.sealed import sealed_copy_sql, sealed_scan_sql
from enclos.stores.sender_files import SenderCsv
from enclos.stores.translating import Translation, translate_parquet

TRANSLATION = "TRANSLATION.csv"
_VAULT = KeyName(KeyRole.VAULT)


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
    rows = (row for _, table in file.batches() for row in table.to_pylist())
    pairs = read_translation(file.header, rows, source)
    marker = {"role": KeyRole.SOURCE.value, "subject": source}
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
        engine.register("enclos_pairs", pairs)
        engine.execute(sealed_copy_sql("FROM enclos_pairs", enclosure.paths.translation, _held(enclosure, engine)))
        engine.unregister("enclos_pairs")
        write_atomically(enclosure.paths.rotation, canonical_bytes(marker), "a rotation")
    return resume_translation(enclosure, source, report=report)


def resume_translation(enclosure: Enclosure, source: str, *, report: Report = silent) -> dict[str, Any]:
    """Translate the vault and every landed file of the source, whatever of it is done already."""
    report(f"translate {source}", 0.0)
    facts: dict[str, Fact] = {"role": KeyRole.SOURCE.value, "subject": source}
    with enclosure.at_the_desk(), enclosure.ledger.intent(Action.KEY_ROTATE, enclosure.operator, None, facts) as ticket:
        moved = {}
        if enclosure.paths.translation.exists():  # else it was stopped at the very end
            with enclosure.vault_engine() as engine:
                pairs = engine.query(f"FROM {sealed_scan_sql(enclosure.paths.translation, _held(enclosure, engine))}")
                moved["n_persons"] = translate_vault(engine, source, pairs)
                files = landed_of_source(engine, enclosure.paths.vault / "landed", source)
                moved["n_files"] = translate_parquet(engine, files, enclosure.keys.secret(_VAULT), Translation(pairs))
                moved["objections"] = resolve_objections(enclosure, engine)
        ticket.facts.update(moved)
    with storage_border("the end of a translation"):
        enclosure.paths.translation.unlink(missing_ok=True)
        enclosure.paths.rotation.unlink()
    report(f"translate {source}", 1.0)
    moved.pop("objections", None)
    return {"role": KeyRole.SOURCE.value, "subject": source, "moved": moved}


def _held(enclosure: Enclosure, engine: Engine) -> KeyName:
    engine.add_parquet_key(enclosure.keys.secret(_VAULT))
    return _VAULT
