"""The end of a move, from the mark on: the enclosure opens at its new place, and the keys of the old one go."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from enclos.app.certificates import certify, certify_move
from enclos.app.enclosure import Enclosure, ledger_parts, operator_account
from enclos.app.keys import Passphrase, UsedKeys, open_keys
from enclos.app.ledger import verify as verify_files_of_ledger
from enclos.app.marks import PermitMarks
from enclos.app.move_target import Target
from enclos.app.paths import EnclosurePaths
from enclos.app.places import at_target, lake_folder
from enclos.app.settings import SETTINGS_FILE, CatalogSection, Settings, StorageSection, read_settings
from enclos.ledger.model import Action, Fact
from enclos.ledger.rules.notes import verifying_key
from enclos.ledger.steps import Ledger
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole
from enclos.lexicon.refusals import refusal
from enclos.stores.files import storage_border, write_atomically
from enclos.stores.keys import KeyStore
from enclos.stores.lake import attach_lake
from enclos.stores.manifest_file import read_manifest

_CATALOG = KeyName(KeyRole.CATALOG)


def arrive(
    old: EnclosurePaths, target: Target, passphrase: Passphrase, target_passphrase: Passphrase
) -> dict[str, Any]:
    """Open the new enclosure, destroy the old keys and certify it; done again, it goes on where it was."""
    mark = json.loads(old.moved.read_bytes())
    paths = EnclosurePaths(target.folder)
    if not paths.coming.exists():
        raise refusal(Code.ENCLOSURE_MOVED, "This enclosure has moved.", "Work at its new place.")
    begun = json.loads(paths.coming.read_bytes())
    if begun["move"] != mark["move"]:
        raise refusal(Code.ENCLOSURE_MOVED, "This enclosure has moved elsewhere.", "Work at its new place.")
    was = read_settings(old.root)
    settings = settings_there(was, target, begun)
    before, keys = open_keys(old.keys, was.keys, passphrase), open_keys(paths.keys, settings.keys, target_passphrase)
    with Ledger.open(*ledger_parts(paths, keys, settings)) as ledger:
        there = Enclosure(
            paths, settings, UsedKeys(keys, ledger, operator_account()), ledger, PermitMarks(ledger), at_target()
        )
        if not (paths.root / SETTINGS_FILE).exists():
            facts = {"what": "arrive", "move": mark["move"]}
            with ledger.intent(Action.MOVE, there.operator, None, facts) as ticket:
                ticket.facts.update(_found_at(there))
            write_atomically(paths.root / SETTINGS_FILE, settings.to_toml().encode("utf-8"), "the settings")
        answers_at = datetime.fromtimestamp((paths.root / SETTINGS_FILE).stat().st_mtime, UTC)
        vkey = verifying_key(ledger.origin, ledger.public_key)
        ledger.checkpoint()
        verify_files_of_ledger(paths.ledger, key=vkey)
        _destroy_all(there, before)
        gone = [entry for entry in before.entries() if entry.destroyed_at]
        certificate = certify_move(there, mark, gone, before)
        certificates = certify(there)
        size = ledger.size()
    write_atomically(old.certificates / certificate.name, certificate.read_bytes(), "a certificate")
    with storage_border("the end of a move"):
        half = [*paths.root.rglob(".*.tmp"), *paths.root.rglob(".*.rekeying")]  # of runs that were killed
        for path in (*half, paths.journal, paths.keys / ".made", paths.coming):
            path.unlink(missing_ok=True)
    return {
        "enclosure": str(target.folder),
        "objects": mark["n_objects"],
        "files": mark["n_files"],
        "studies": mark["studies"],
        "downtime_seconds": round((answers_at - datetime.fromisoformat(mark["stopped_at"])).total_seconds(), 3),
        "keys": [entry.id for entry in gone],
        "certificate": str(certificate),
        "certificates": certificates,
        "ledger": {"origin": settings.ledger.origin, "size": size, "key": vkey},
    }


def _found_at(there: Enclosure) -> dict[str, Fact]:
    """The snapshot that opens at the new place, and the digest of what its host was given."""
    if not there.paths.catalog.exists():
        return {}
    key = there.keys.secret(_CATALOG)
    with there.engine() as engine:
        folder = lake_folder(there.paths, there.settings.storage, there.environment)
        newest_there = attach_lake(engine, there.paths.catalog, folder, key, read_only=True).newest()
    _, digest = read_manifest(there.paths.manifest, key)
    return {} if newest_there is None else {"snapshot": newest_there, "manifest": digest}


def _destroy_all(there: Enclosure, before: KeyStore) -> None:
    """Destroy every key of the old place; the new ledger says so before each."""
    for entry in before.entries():
        if entry.destroyed_at is None:
            name = entry.name
            facts = {"role": name.role.value, "subject": name.subject, "key": entry.id}
            said = {**facts, "use": "destroy", "within": Action.MOVE.value}
            there.ledger.record(Action.KEY_DESTROY, there.operator, facts=said)
            before.destroy(name)


def settings_there(settings: Settings, target: Target, begun: dict[str, Any]) -> Settings:
    """The settings of the enclosure at its new place, by what was drawn for it when the move began."""
    url, name = target.catalog or None, begun["catalog_name"]
    return settings.model_copy(
        update={
            "keys": target.keys,
            "storage": StorageSection(kind=begun["storage"], url=target.storage or None),
            "catalog": CatalogSection(kind=begun["catalog_kind"], url=url, name=name),
        }
    )
