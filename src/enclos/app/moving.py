"""Move a whole enclosure to another host: it answers here until a short last step, and there from then on.

What arrives is under new keys; what stays here is ciphertext without any. Stopped anywhere, the same call goes on.
"""

from __future__ import annotations

import json
import os
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

from enclos.app.arriving import arrive, settings_there
from enclos.app.carrying import FileCarrier, Journal, Throttle, carry_lake, copy_folder
from enclos.app.enclosure import Enclosure, open_enclosure
from enclos.app.keys import Passphrase, UsedKeys, make_keys, open_keys, unrecorded
from enclos.app.move_target import Target
from enclos.app.parts import parts_of
from enclos.app.paths import EnclosurePaths
from enclos.app.permits import newest, permit_key
from enclos.app.places import at_target, catalog_in, lake_folder, lake_objects, remote_catalog, require_empty
from enclos.app.progress import Report, silent
from enclos.app.rounding import desk_of
from enclos.app.salts import keep_earlier
from enclos.app.settings import SETTINGS_FILE, CatalogSection, Settings, StorageSection, read_settings
from enclos.app.studies import same_elsewhere
from enclos.app.waiting import alone, shared
from enclos.hosting.model import Manifest
from enclos.hosting.ports import Objects
from enclos.ledger.model import Action
from enclos.ledger.rules.notes import read_checkpoint, verifying_key
from enclos.ledger.rules.tiles import CHECKPOINT, VERIFYING_KEY
from enclos.lexicon.canonical import canonical_bytes
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole, KeyUse
from enclos.lexicon.refusals import Refusal, refusal
from enclos.permits.rules.life import check_in_force
from enclos.release.steps import list_requests
from enclos.stores.files import lock_exclusive, storage_border, write_atomically
from enclos.stores.keys import KeySigner, KeyStore
from enclos.stores.lake import attach_lake, give_files_keys
from enclos.stores.ledger_files import LedgerFiles
from enclos.stores.manifest_file import keep_manifest, read_manifest
from enclos.stores.objects import S3Place
from enclos.stores.rekeying import copy_database

_CATALOG = KeyName(KeyRole.CATALOG)
_ROUNDS = 20
"""How often what changed meanwhile is carried before the last step; more than people build in the time of a round."""
_OWN_TO_A_PROCESS = ("private/lock", "private/waiting", "private/next", "private/sessions/")


@dataclass(frozen=True, slots=True)
class _Place:
    """The new place while it is being filled: not an enclosure yet, since its settings come last."""

    paths: EnclosurePaths
    settings: Settings
    keys: KeyStore
    move: str


def move_enclosure(
    folder: Path,
    target: Target,
    *,
    passphrase: Passphrase,
    target_passphrase: Passphrase,
    report: Report = silent,
) -> dict[str, Any]:
    """Bring an enclosure to its new place, see that it is the same there, and destroy the keys that it had here.

    In: target_passphrase — of the new key store, where keys lie in a file.
    Out: objects, files (carried by this call and in all), bytes, studies (compared on both sides), downtime_seconds
        (from the last moment that something could be done here to the first that it can be done there), keys (ids that
        were destroyed), certificate, ledger (size, origin, and key: what verifies it from now on), seconds.
    Refuses: ENCLOSURE_EXISTS when another enclosure, or anything else, is at the target; ENCLOSURE_BUSY, KEY_ROTATING,
        KEY_FIXED for pseudonym keys in a token; STORAGE_ALTERED, STORAGE_BROKEN, STORAGE_FULL and what the two hosts
        refuse. Whatever is refused, the enclosure goes on here.
    """
    started = perf_counter()
    paths = EnclosurePaths(folder)
    read_settings(folder)
    with lock_exclusive(paths.move_lock):
        answer: dict[str, Any] = {}
        if not paths.moved.exists():
            with open_enclosure(folder, passphrase) as here:
                answer = _leave(here, target, target_passphrase, report)
        answer |= arrive(paths, target, passphrase, target_passphrase)
    return {**answer, "seconds": round(perf_counter() - started, 3)}


# -- while both are there


def _leave(here: Enclosure, target: Target, passphrase: Passphrase, report: Report) -> dict[str, Any]:
    """Carry everything, compare, and hand the ledger over: from the mark on, the enclosure is at its new place."""
    with ExitStack() as stack:
        begun = _begin(here, target)
        facts = {"what": "leave", "move": begun["move"], "storage": begun["storage"], "catalog": begun["catalog_kind"]}
        ticket = stack.enter_context(here.ledger.intent(Action.MOVE, here.operator, None, facts))
        place = _prepared(here, target, begun, passphrase)
        journal = Journal(place.paths.journal, unrecorded(place.keys).secret(_CATALOG))
        there = replace(here, paths=place.paths, settings=place.settings, keys=place.keys, environment=at_target())
        _objects(there).remove_half_written()
        throttle = Throttle(target.bytes_per_second)
        n_bytes = 0
        for _ in range(_ROUNDS):
            n_bytes += _carry_all(here, there, journal, throttle, report)
            _compare(here, there, journal, report)
            with alone(here):
                if _snapshot(here) != journal.snapshot_compared:
                    continue  # somebody built meanwhile: compare that, and try again
                stopped_at = here.ledger.now()
                _carry_last(here, there, journal, throttle)
                objects = len(journal.lake)
                ticket.facts.update(
                    {"n_objects": objects, "n_files": len(journal.files), "n_studies": len(journal.studies)}
                )
                stack.close()  # the outcome is the last that is said here
                _hand_over(here, there)
                mark = {"move": place.move, "stopped_at": stopped_at.isoformat(), "n_objects": objects}
                mark |= {"n_files": len(journal.files), "studies": journal.studies}
                write_atomically(here.paths.moved, canonical_bytes(mark), "the mark of a move")
            return {"bytes": n_bytes}
    raise refusal(
        Code.ENCLOSURE_BUSY, "Something changed in every round.", "Let no build run for a while, then move again."
    )


def _begin(here: Enclosure, target: Target) -> dict[str, Any]:
    """Take the target's folder for this enclosure, once; what it will be is drawn then."""
    paths = EnclosurePaths(target.folder)
    if (target.folder / SETTINGS_FILE).exists():
        raise refusal(Code.ENCLOSURE_EXISTS, "There is an enclosure at the target.", "Name another folder.")
    if target.folder.resolve().is_relative_to(here.paths.root.resolve()):
        raise refusal(Code.ENCLOSURE_EXISTS, "The target lies in the enclosure itself.", "Name another folder.")
    wanted = {"origin": here.ledger.origin, "storage_url": target.storage, "catalog_url": target.catalog}
    if paths.coming.exists():
        begun: dict[str, Any] = json.loads(paths.coming.read_bytes())
        if any(begun[name] != value for name, value in wanted.items()):
            raise refusal(
                Code.ENCLOSURE_EXISTS,
                "Another move to this folder was begun: of another enclosure, or with another storage or catalog.",
                "Give the same TARGET.toml, or name an empty folder.",
            )
        return begun
    if target.folder.exists() and any(target.folder.iterdir()):
        raise refusal(Code.ENCLOSURE_EXISTS, "The target's folder is not empty.", "Name an empty or a new folder.")
    storage = (
        StorageSection(kind="s3", url=S3Place.from_url(target.storage).url) if target.storage else StorageSection()
    )
    if target.storage:
        require_empty(lake_objects(paths, storage, at_target()))
    catalog = catalog_in(target.catalog, at_target()) if target.catalog else CatalogSection()
    begun = {
        **wanted,
        "move": os.urandom(8).hex(),
        "storage": storage.kind,
        "catalog_kind": catalog.kind,
        "catalog_name": catalog.name,
    }
    write_atomically(paths.coming, canonical_bytes(begun), "a move")
    return begun


def _prepared(here: Enclosure, target: Target, begun: dict[str, Any], passphrase: Passphrase) -> _Place:
    """The new place with its key store: the next generation of every key, and the pseudonym keys as they are."""
    paths, settings = EnclosurePaths(target.folder), settings_there(here.settings, target, begun)
    made = paths.keys / ".made"
    with storage_border("a new key store"):
        paths.keys.mkdir(parents=True, exist_ok=True)
    if not made.exists():
        make_keys(paths.keys, settings.keys, passphrase)
        write_atomically(made, b"", "a new key store")
    store = open_keys(paths.keys, settings.keys, passphrase)
    keys = UsedKeys(store, here.ledger, here.operator)
    old = unrecorded(here.keys)
    for entry in here.keys.entries():
        if entry.is_current and entry.name.role.use is KeyUse.PSEUDONYMISE:
            if not store.exists(entry.name):
                keys.adopt(entry.name, old.carried(entry.name))
                store.promote(entry.name)
            continue
        store.take_over(entry)
        following = entry.name.of_generation(entry.name.generation + 1)
        if entry.is_current and not store.exists(following):
            keys.create(following)
        if entry.is_current:
            store.promote(following)
    return _Place(paths, settings, keys, begun["move"])


def _carry_all(here: Enclosure, there: Enclosure, journal: Journal, throttle: Throttle, report: Report) -> int:
    """Carry all that is there now, while people work; builds wait for the file that is on its way."""
    with shared(here), here.engine() as engine:
        exists = here.refresh_catalog()
        keys = here.lake(engine).file_keys() if exists else {}
    manifest, _ = read_manifest(here.paths.manifest, here.keys.secret(_CATALOG))
    n_bytes = carry_lake(_objects(here), _objects(there), keys, manifest, journal, throttle, report)
    with shared(here), here.engine() as engine:
        _files(here, there, journal, throttle).carry(parts_of(here.paths, here.keys), engine, report, ends=False)
    return n_bytes


def _carry_last(here: Enclosure, there: Enclosure, journal: Journal, throttle: Throttle) -> None:
    """Carry what changed since, and the catalog; nothing can be done here now."""
    with here.engine() as engine:
        carrier = _files(here, there, journal, throttle)
        carrier.carry(parts_of(here.paths, here.keys), engine, silent, ends=True)
    if here.paths.catalog.exists():
        _carry_catalog(here, there, journal)


def _carry_catalog(here: Enclosure, there: Enclosure, journal: Journal) -> None:
    """Put the catalog, its files' new keys and the manifest at the new place; what arrived in vain is removed there."""
    old, new = here.keys.secret(_CATALOG), there.keys.secret(_CATALOG)
    remote = remote_catalog(there.paths, there.settings.catalog, there.environment)
    if remote:
        remote.refresh(new)
        remote.take_mark_off()
    file_keys = {name: carried.key for name, carried in journal.lake.items()}
    with here.engine() as engine:
        copy_database(
            engine, here.paths.catalog, old, there.paths.catalog, new, read_only=True,
            then=lambda alias: give_files_keys(engine, alias, file_keys),
        )  # fmt: skip
    if remote:
        remote.publish(new)
    with there.engine() as engine:
        named = attach_lake(
            engine,
            there.paths.catalog,
            lake_folder(there.paths, there.settings.storage, there.environment),
            new,
            read_only=True,
        )
        names, newest_there = named.objects(), named.newest() or 0
    for name in set(journal.lake) - names:
        _objects(there).remove(name)
        del journal.lake[name]
    seals = {name: carried.seal for name, carried in journal.lake.items()}
    keep_manifest(there.paths.manifest, new, Manifest(newest_there, seals))
    journal.keep()


def _compare(here: Enclosure, there: Enclosure, journal: Journal, report: Report) -> None:
    """Run what was released once more on both sides, once for each build.

    Refuses: STORAGE_BROKEN when a line or a person differs.
    """
    with shared(here):
        snapshot = _snapshot(here)
    if snapshot is None or snapshot == journal.snapshot_compared:
        journal.snapshot_compared = snapshot
        return
    with shared(here):
        _carry_catalog(here, there, journal)
    journal.studies = compare_studies(here, there, journal, snapshot, report)
    journal.snapshot_compared = snapshot
    journal.keep()


def compare_studies(here: Enclosure, there: Enclosure, journal: Journal, snapshot: int, report: Report) -> list[str]:
    """Run what was released once more on both sides; what a move that was killed had compared is not run again.

    Out: the runs that are alike
    Refuses: STORAGE_BROKEN when a line or a person differs.
    """
    if journal.comparing != snapshot:
        journal.comparing, journal.studies = snapshot, []
    published = published_studies(here)
    for permit, run_id in published:
        if run_id in journal.studies:
            continue
        if not same_elsewhere(here, there, permit=permit, run_id=run_id, report=report):
            raise refusal(
                Code.STORAGE_BROKEN,
                f"The study of run {run_id} finds another result at the new place.",
                "Nothing was handed over: the enclosure goes on here. Empty the target and move again.",
            )
        journal.studies.append(run_id)
        journal.keep()
    return [run_id for _, run_id in published]


def published_studies(enclosure: Enclosure) -> list[tuple[str, str]]:
    """The runs whose results have left under a permit that is in force, each with its permit.

    Empty: where none has left yet, all kept runs of such permits.
    """
    now = enclosure.ledger.now()

    def is_in_force(permit: str) -> bool:
        try:
            check_in_force(newest(enclosure, permit), now)
        except Refusal:
            return False
        return enclosure.keys.exists(permit_key(permit))

    with enclosure.at_the_desk():
        left = {(row["permit"], row["run"]) for row in list_requests(desk=desk_of(enclosure)) if row["n_exports"]}
    kept = {(path.parents[1].name, path.name) for path in enclosure.paths.permits.glob("*/runs/[0-9a-f]*")}
    in_force = {permit for permit, _ in left | kept if is_in_force(permit)}
    return sorted(pair for pair in (left & kept or kept) if pair[0] in in_force)


def _hand_over(here: Enclosure, there: Enclosure) -> None:
    """Let the ledger go on at the new place, under its new keys and from the same tree."""
    before, after = unrecorded(here.keys), unrecorded(there.keys)  # what is said now would not come along
    new, salt = KeySigner(after, KeyName(KeyRole.LEDGER)), KeyName(KeyRole.LEDGER_SALT)
    old_files = LedgerFiles(here.paths.ledger)
    for _ in range(_ROUNDS):
        here.ledger.settle()
        here.ledger.hand_over(new)
        with old_files.lock():
            copy_folder(here.paths.ledger, there.paths.ledger, lambda name: not name.startswith(_OWN_TO_A_PROCESS))
        keep_earlier(there.paths.earlier_salts, before.secret(salt), after.secret(salt))
        line = verifying_key(here.ledger.origin, new.public_key())
        write_atomically(there.paths.ledger / VERIFYING_KEY, f"{line}\n".encode(), "the ledger's key", 0o644)
        try:
            read_checkpoint(
                LedgerFiles(there.paths.ledger).read(CHECKPOINT) or b"", here.ledger.origin, new.public_key()
            )
        except Refusal as refused:  # somebody was denied something just now: the entry is to come along
            if refused.code is not Code.LEDGER_UNSIGNED:
                raise
            continue
        return
    raise refusal(Code.ENCLOSURE_BUSY, "The ledger is written to without end.", "Stop what writes, then move again.")


# -- inside


def _files(here: Enclosure, there: Enclosure, journal: Journal, throttle: Throttle) -> FileCarrier:
    return FileCarrier(here.paths.root, here.keys, there.paths.root, there.keys, journal, throttle)


def _objects(enclosure: Enclosure) -> Objects:
    return lake_objects(enclosure.paths, enclosure.settings.storage, enclosure.environment)


def _snapshot(enclosure: Enclosure) -> int | None:
    """The newest build; the caller keeps builds out."""
    with enclosure.engine() as engine:
        return enclosure.lake(engine).newest() if enclosure.refresh_catalog() else None
