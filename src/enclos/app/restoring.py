"""Bring a backup back without undoing a right.

Data are restored as they were; what was decided since is not undone: the ledger, permits, objections and requests are
the newest that are known, and a key that was destroyed stays destroyed, since no backup holds keys.
"""

from __future__ import annotations

from contextlib import ExitStack, suppress
from pathlib import Path
from time import perf_counter
from typing import Any

import pyarrow as pa

from enclos.app.backups import OWN_TO_A_PROCESS, backup_place
from enclos.app.enclosure import Enclosure, ledger_parts, operator_account
from enclos.app.keys import Passphrase, UsedKeys, open_keys
from enclos.app.marks import PermitMarks
from enclos.app.objectors import resolve_objections
from enclos.app.parts import parts_of
from enclos.app.paths import EnclosurePaths
from enclos.app.places import catalog_in, lake_objects, remote_catalog, require_empty
from enclos.app.progress import Report, silent
from enclos.app.settings import (
    SETTINGS_FILE,
    CatalogSection,
    KeysSection,
    Settings,
    StorageSection,
    parse_settings,
    read_settings,
)
from enclos.app.waiting import alone
from enclos.hosting.backups import Backup
from enclos.hosting.model import Fault, Seal
from enclos.hosting.ports import Objects
from enclos.hosting.steps import verify_objects
from enclos.ledger.model import Action
from enclos.ledger.rules.tiles import CHECKPOINT
from enclos.ledger.steps import Ledger
from enclos.lexicon.canonical import sha256_hex
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole
from enclos.lexicon.refusals import Refusal, refusal
from enclos.pseudonyms.steps.objections import list_objections
from enclos.stores.backup_place import BackupPlace, write_as_it_was
from enclos.stores.engine import Engine
from enclos.stores.files import lock_exclusive, storage_border, write_atomically
from enclos.stores.keys import KeyStore
from enclos.stores.manifest_file import read_manifest
from enclos.stores.objection_files import read_objections
from enclos.stores.objects import S3Place
from enclos.stores.permit_files import forget_sealed
from enclos.stores.vault import attach_vault

_CATALOG, _VAULT = KeyName(KeyRole.CATALOG), KeyName(KeyRole.VAULT)
_OF_DECISIONS = ("keys", "ledger", "permits", "rights", "release", "sign-in", "conformity", "conformity.toml")
_SURVIVORS = (*_OF_DECISIONS, "catalogue.yaml", "vault/vault.duckdb")


def restore(
    place: str,
    folder: Path,
    *,
    passphrase: Passphrase,
    survivors: Path | None = None,
    backup: int | None = None,
    storage: str = "",
    catalog: str = "",
    report: Report = silent,
) -> dict[str, Any]:
    """Bring a backup back into a new folder, or into the enclosure whose data were lost.

    In: survivors — what is left: the folder of the old enclosure, or of its keys; a new folder needs it, unless the
        keys lie in it already; backup — its number, the newest by default; storage, catalog — where lake and catalog
        will lie, for a new folder
    Out: backup, made_at, snapshot, objects, written (objects and files that were not there), objections (that hold),
        left_out (files of permits whose key is destroyed), ledger_since (entries that the ledger has beyond it).
    Refuses: KEY_MISSING when no backup opens; STORAGE_ALTERED when an object of it is missing or altered, or objections
        that the ledger knows are nowhere; ENCLOSURE_EXISTS; what the places refuse. It can be run again.
    """
    started, paths = perf_counter(), EnclosurePaths(folder)
    is_new = not (folder / SETTINGS_FILE).exists()
    if is_new:
        _bring_survivors(paths, survivors)
    with lock_exclusive(paths.move_lock), ExitStack() as stack:
        known = read_settings(folder) if not is_new else _settings_of(survivors)
        keys = open_keys(paths.keys, known.keys if known else KeysSection(), passphrase)
        at = backup_place(place, keys)
        numbers = at.numbers()
        newest = at.read(numbers[-1] if numbers else 0)
        chosen = newest if backup is None else at.read(backup)
        settings = (
            known if known and not is_new else _new_settings(paths, parse_settings(newest.settings), storage, catalog)
        )
        write_atomically(paths.restoring, settings.to_toml().encode("utf-8"), "a restoration")
        n_left_out, n_written = _bring_decisions(at, newest, paths, keys)
        ledger = stack.enter_context(Ledger.open(*ledger_parts(paths, keys, settings)))
        there = Enclosure(paths, settings, UsedKeys(keys, ledger, operator_account()), ledger, PermitMarks(ledger))
        since = ledger.size() - chosen.n_entries
        facts = {"number": chosen.number, "of_snapshot": chosen.snapshot}
        with alone(there), ledger.intent(Action.RESTORE, there.operator, None, facts) as ticket:
            n_written += _bring_data(at, newest, chosen, there, report)
            n_objections = _objections_hold(there)
            digest = _verified(there, chosen, report)
            if chosen.snapshot:
                ticket.facts.update({"snapshot": chosen.snapshot, "manifest": digest})
            ticket.facts.update({"n_written": n_written, "n_left_out": n_left_out, "objections": n_objections})
        if is_new:
            write_atomically(folder / SETTINGS_FILE, settings.to_toml().encode("utf-8"), "the settings")
        with storage_border("the end of a restoration"):
            paths.restoring.unlink(missing_ok=True)
    return {
        "backup": chosen.number,
        "made_at": chosen.made_at,
        "snapshot": chosen.snapshot or None,
        "objects": len(chosen.objects()),
        "written": n_written,
        "objections": n_objections,
        "left_out": n_left_out,
        "ledger_since": max(0, since),
        "seconds": round(perf_counter() - started, 3),
    }


def _bring_survivors(paths: EnclosurePaths, survivors: Path | None) -> None:
    """Let the folder hold what is left of the old one, which no backup may put back to an earlier state."""
    others = (
        {path.name for path in paths.root.iterdir()} - {"keys", paths.move_lock.name} if paths.root.exists() else set()
    )
    if others and not paths.restoring.exists():
        raise refusal(Code.ENCLOSURE_EXISTS, "The folder is not empty.", "Name an empty or a new folder.")
    if not paths.restoring.exists():
        write_atomically(paths.restoring, b"", "a restoration")
    if survivors is None:
        if not paths.keys.exists():
            raise refusal(
                Code.KEY_MISSING, "No backup holds keys, and none are in the folder.", "Name where they are: --keys."
            )
        return
    if not (survivors / SETTINGS_FILE).exists():
        _copy_missing(survivors, paths.keys)
        return
    for name in _SURVIVORS:
        _copy_missing(survivors / name, paths.root / name)


def _copy_missing(root: Path, to: Path) -> None:
    """Copy a file, or the files of a folder, that are not there yet; nothing happens when there is nothing to copy."""
    found = [root] if root.is_file() else [path for path in root.rglob("*") if path.is_file()]
    for path in found:
        name = str(path.relative_to(root))
        target = to if path == root else to / name
        if not target.exists() and not name.startswith(OWN_TO_A_PROCESS):
            was = path.stat()
            write_as_it_was(target, path.read_bytes(), str(was.st_mtime_ns), was.st_mode & 0o777)


def _settings_of(survivors: Path | None) -> Settings | None:
    return read_settings(survivors) if survivors and (survivors / SETTINGS_FILE).exists() else None


def _new_settings(paths: EnclosurePaths, was: Settings, storage: str, catalog: str) -> Settings:
    """The settings for a new folder: lake and catalog in it, or where they are told to lie; drawn once."""
    if paths.restoring.stat().st_size:
        return parse_settings(paths.restoring.read_text(encoding="utf-8"))
    section = StorageSection(kind="s3", url=S3Place.from_url(storage).url) if storage else StorageSection()
    if storage:
        require_empty(lake_objects(paths, section))
    of_catalog = catalog_in(catalog) if catalog else CatalogSection()
    return was.model_copy(update={"storage": section, "catalog": of_catalog})


def _bring_decisions(at: BackupPlace, newest: Backup, paths: EnclosurePaths, keys: KeyStore) -> tuple[int, int]:
    """What was decided, where it is not there: never in the place of what is. Files left out, and files written."""
    n_left_out = n_written = 0
    for folder in paths.permits.iterdir() if paths.permits.exists() else ():
        if not keys.exists(KeyName(KeyRole.PERMIT, folder.name)):
            n_left_out += forget_sealed(folder)
    if not (paths.ledger / CHECKPOINT).exists():
        for name, kept in sorted(newest.ledger.items(), key=lambda item: item[0] == CHECKPOINT):
            content, mode = (
                at.get(kept.object, kept.seal, is_sealed=False),
                0o600 if name.startswith("private") else 0o644,
            )
            write_as_it_was(paths.ledger / name, content, kept.changed_ns, mode)
            n_written += 1
    for name, kept in newest.files.items():
        if kept.of_the_data or (paths.root / name).exists():
            continue
        if _is_erased(name, keys):
            n_left_out += 1
            continue
        write_as_it_was(paths.root / name, at.get(kept.object, kept.seal, is_sealed=False), kept.changed_ns)
        n_written += 1
    return n_left_out, n_written


def _is_erased(name: str, keys: KeyStore) -> bool:
    """Whether a file belongs to a permit whose key was destroyed, and is none of its signed versions."""
    parts = Path(name).parts
    of_a_permit = parts[0] == "permits" and name.endswith(".sealed")
    return of_a_permit and not keys.exists(KeyName(KeyRole.PERMIT, parts[1]))


def _bring_data(at: BackupPlace, newest: Backup, chosen: Backup, there: Enclosure, report: Report) -> int:
    """The data as they were: what is as it was stays, all else gives way; the catalog last."""
    paths, n_written = there.paths, 0
    objects = lake_objects(paths, there.settings.storage)
    objects.remove_half_written()
    present = set(objects.names())
    for number, (name, kept) in enumerate(chosen.lake.items(), 1):
        if name not in present or _seal_of(objects, name) != kept.seal:
            objects.put(name, at.get(kept.object, kept.seal, is_sealed=True))
            n_written += 1
        report("lake", number / len(chosen.lake))
    with there.engine() as engine:
        objections = _newest_objections(at, newest, there, engine)
    wanted = {name: kept for name, kept in chosen.files.items() if kept.of_the_data}
    wanted = {name: kept for name, kept in wanted.items() if not _is_erased(name, there.keys)}
    for part in list(parts_of(paths, there.keys)):
        if part.is_of_the_data and str(part.path.relative_to(paths.root)) not in wanted:
            part.path.unlink()
    for path in (paths.vault_database, paths.catalog):
        path.with_name(f"{path.name}.wal").unlink(missing_ok=True)
    paths.catalog.with_name(f"{paths.catalog.name}.revision").unlink(missing_ok=True)
    for name, kept in sorted(wanted.items(), key=lambda item: item[0].startswith("catalog.")):
        path = paths.root / name
        if path.exists() and Seal(path.stat().st_size, sha256_hex(path.read_bytes())) == kept.seal:
            continue
        write_as_it_was(path, at.get(kept.object, kept.seal, is_sealed=False), kept.changed_ns)
        n_written += 1
    if remote := remote_catalog(paths, there.settings.catalog):
        remote.put_back(there.keys.secret(_CATALOG))
    if objections is not None:
        with there.engine() as engine:
            attach_vault(engine, paths.vault_database, there.keys.secret(_VAULT))
            list_objections(engine)  # makes the table where it is missing
            engine.register("enclos_newest", objections)
            with engine.transaction():
                engine.execute("DELETE FROM vault.objections")
                engine.execute("INSERT INTO vault.objections BY NAME FROM enclos_newest")
            engine.unregister("enclos_newest")
    return n_written


def _newest_objections(at: BackupPlace, newest: Backup, there: Enclosure, engine: Engine) -> pa.Table | None:
    """The newest table of objections that is known: of the vault that is left, else of the newest backup."""
    vault = there.paths.vault_database
    if vault.exists():
        with suppress(Refusal):  # what is left of it may not open any more
            return _objections_in(vault, there, engine)
    kept = newest.files.get(str(vault.relative_to(there.paths.root)))
    if kept is None:
        return None
    trial = there.paths.spill / "newest.duckdb"
    try:
        write_as_it_was(trial, at.get(kept.object, kept.seal, is_sealed=False), kept.changed_ns)
        with suppress(Refusal):  # then the ledger says whether objections are missing
            return _objections_in(trial, there, engine)
    finally:
        trial.unlink(missing_ok=True)
    return None


def _objections_in(path: Path, there: Enclosure, engine: Engine) -> pa.Table | None:
    """The table of objections of a vault; None where it has none yet."""
    engine.attach_database("newest", path, there.keys.secret(_VAULT))
    try:
        tables = engine.rows("SELECT table_name FROM duckdb_tables() WHERE database_name = 'newest'")
        return engine.query("FROM newest.objections") if ("objections",) in tables else None
    finally:
        engine.execute("DETACH newest")


def _objections_hold(there: Enclosure) -> int:
    """Let queries see whom the objections speak of; how many stand.

    Refuses: STORAGE_ALTERED when the ledger knows of later objections than are left anywhere.
    """
    known, path = there.marks.objections(), there.paths.objections
    revision = read_objections(path, there.keys.secret(KeyName(KeyRole.OBJECTIONS))).revision if path.exists() else 0
    if revision < known:
        raise refusal(
            Code.STORAGE_ALTERED,
            "The ledger knows of objections that neither the folder nor the newest backup holds.",
            "Name the folder where they are left: --keys FOLDER of the old enclosure.",
        )
    if not there.paths.vault_database.exists():
        return 0
    with there.engine() as engine:
        attach_vault(engine, there.paths.vault_database, there.keys.secret(_VAULT))
        resolve_objections(there, engine)
        return sum(row["withdrawn_at"] is None for row in list_objections(engine))


def _verified(there: Enclosure, chosen: Backup, report: Report) -> str:
    """Read every object of the restored lake; the digest of its manifest.

    Refuses: STORAGE_BROKEN when one is not what it was.
    """
    if not chosen.lake:
        return ""
    manifest, digest = read_manifest(there.paths.manifest, there.keys.secret(_CATALOG))
    objects = lake_objects(there.paths, there.settings.storage)
    found = verify_objects(objects, set(chosen.lake), manifest, lambda done, total: report("verify", done / total))
    if found.named([Fault.MISSING, Fault.ALTERED]):
        raise refusal(
            Code.STORAGE_BROKEN, "The storage does not give back what was restored.", "Check it, then run it again."
        )
    return digest


def _seal_of(objects: Objects, name: str) -> Seal:
    content = b"".join(objects.read(name))
    return Seal(len(content), sha256_hex(content))
