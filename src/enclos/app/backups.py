"""Backups: all of an enclosure but its keys, at a place that learns nothing."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import Any

from enclos.app.enclosure import Enclosure
from enclos.app.keys import key_id
from enclos.app.parts import Form, Part, parts_of
from enclos.app.places import lake_objects
from enclos.app.progress import Report, silent
from enclos.app.waiting import alone, shared
from enclos.hosting.backups import Backup, Kept
from enclos.hosting.model import Seal
from enclos.hosting.ports import Objects
from enclos.ledger.model import Action
from enclos.ledger.rules.tiles import tile_of
from enclos.lexicon.canonical import sha256_hex
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole
from enclos.lexicon.refusals import refusal
from enclos.stores.backup_place import BackupPlace
from enclos.stores.files import lock_exclusive
from enclos.stores.keys import KeyStore
from enclos.stores.ledger_files import LedgerFiles
from enclos.stores.manifest_file import read_manifest
from enclos.stores.objects import LocalObjects, S3Objects, S3Place, read_credentials

_CATALOG, _VAULT = KeyName(KeyRole.CATALOG), KeyName(KeyRole.VAULT)
OWN_TO_A_PROCESS = ("private/lock", "private/waiting", "private/next")


def back_up(enclosure: Enclosure, place: str, *, keep: int = 0, report: Report = silent) -> dict[str, Any]:
    """Put all that is new since the last backup at a place: a folder, or the URL of a bucket.

    In: keep — how many backups stay; older ones go, and what only they need; 0: all stay
    Out: backup (its number), snapshot, objects (in it), sent (objects that were not there), bytes, removed, seconds.
    Refuses: STORAGE_ALTERED when the host of the lake changed an object: it is not backed up; ENCLOSURE_BUSY while it
        is moved or backed up already; STORAGE_URL, STORAGE_CREDENTIALS, STORAGE_UNREACHABLE, STORAGE_FULL.
    """
    started = perf_counter()
    facts = {"kind": "s3" if place.startswith("s3://") else "local"}
    with (
        lock_exclusive(enclosure.paths.move_lock),
        enclosure.ledger.intent(Action.BACKUP, enclosure.operator, None, facts) as ticket,
    ):
        at = backup_place(place, enclosure.keys)
        numbers = at.numbers()
        before = at.read(numbers[-1]) if numbers else None
        sender = _Sender(at, before)
        lake, snapshot = _send_lake(enclosure, sender, report)
        with alone(enclosure, readers_may_stay=True):
            files = _send_files(enclosure, sender, report)
            n_entries = enclosure.ledger.size()
            ledger = _send_ledger(enclosure, sender)
        number = (numbers[-1] if numbers else 0) + 1
        made_at = enclosure.ledger.now().isoformat()
        settings = enclosure.settings.to_toml()
        backup = Backup(number, made_at, settings, snapshot, n_entries, lake, files, ledger)
        at.keep(backup)
        n_removed = at.prune(keep) if keep else 0
        counts = {"n_objects": len(backup.objects()), "n_sent": sender.n_sent, "n_bytes": sender.n_bytes}
        ticket.facts.update({**counts, "number": number, "of_snapshot": snapshot, "n_removed": n_removed})
    return {
        "backup": number,
        "snapshot": snapshot or None,
        "objects": counts["n_objects"],
        "sent": sender.n_sent,
        "bytes": sender.n_bytes,
        "removed": n_removed,
        "seconds": round(perf_counter() - started, 3),
    }


class _Sender:
    def __init__(self, at: BackupPlace, before: Backup | None) -> None:
        self._at = at
        self._known = {**before.lake, **before.files, **before.ledger} if before else {}
        self.n_sent = self.n_bytes = 0

    def again(self, name: str, size: int, changed_ns: str) -> Kept | None:
        """What the last backup kept of a file that has not changed since."""
        kept = self._known.get(name)
        same = kept and (kept.seal.size, kept.changed_ns) == (size, changed_ns) and self._at.holds(kept.object)
        return kept if same else None

    def known(self, seal: Seal, changed_ns: str) -> Kept | None:
        """A content that is there, without reading it here."""
        name = self._at.name_of(seal.sha256)
        return Kept(name, seal, changed_ns, of_the_data=True) if self._at.holds(name) else None

    def send(self, content: bytes, changed_ns: str, *, is_sealed: bool, of_the_data: bool = False) -> Kept:
        name, n_bytes = self._at.put(content, is_sealed=is_sealed)
        self.n_sent += bool(n_bytes)
        self.n_bytes += n_bytes
        return Kept(name, Seal(len(content), sha256_hex(content)), changed_ns, of_the_data)


def _send_lake(enclosure: Enclosure, sender: _Sender, report: Report) -> tuple[dict[str, Kept], int]:
    """Every object of the lake as it lies there: it is ciphertext, under keys that only the catalog has."""
    kept: dict[str, Kept] = {}
    with shared(enclosure):
        if not enclosure.refresh_catalog():
            return kept, 0
        with enclosure.engine() as engine:
            lake = enclosure.lake(engine)
            named, snapshot = sorted(lake.objects()), lake.newest() or 0
        manifest, _ = read_manifest(enclosure.paths.manifest, enclosure.keys.secret(_CATALOG))
        objects = lake_objects(enclosure.paths, enclosure.settings.storage)
        for number, name in enumerate(named, 1):
            sealed = manifest.seals.get(name)
            found = sender.known(sealed, "0") if sealed else None
            if found is None:
                content = _content(objects, name, sealed)
                found = sender.send(content, "0", is_sealed=True, of_the_data=True)
            kept[name] = found
            report("lake", number / len(named))
    return kept, snapshot


def _content(objects: Objects, name: str, sealed: Seal | None) -> bytes:
    try:
        content = b"".join(objects.read(name))
    except KeyError:
        content = b""
    if not content or (sealed and Seal(len(content), sha256_hex(content)) != sealed):
        raise refusal(
            Code.STORAGE_ALTERED,
            f"An object is not as it was stored: {name}.",
            "Restore it from the last backup, or run `enclos build --full`.",
        )
    return content


def _send_files(enclosure: Enclosure, sender: _Sender, report: Report) -> dict[str, Kept]:
    """Every other file, as it lies there and sealed once more; the caller keeps changes out."""
    paths, kept = enclosure.paths, dict[str, Kept]()
    parts = list(parts_of(paths, enclosure.keys))
    beside = [path for path in (paths.catalog, paths.manifest) if path.exists()]
    parts += [Part(path, Form.DATABASE, is_of_the_data=True) for path in beside]
    for number, part in enumerate(parts, 1):
        for path in (part.path, part.path.with_name(f"{part.path.name}.wal")):
            if path == part.path or (part.form is Form.DATABASE and path.exists()):
                name = str(path.relative_to(paths.root))
                kept[name] = _file(path, name, sender, of_the_data=part.is_of_the_data)
        report("files", number / len(parts))
    return kept


def _file(path: Path, name: str, sender: _Sender, *, of_the_data: bool = False) -> Kept:
    found = path.stat()
    changed = str(found.st_mtime_ns)
    known = sender.again(name, found.st_size, changed)
    return known or sender.send(path.read_bytes(), changed, is_sealed=False, of_the_data=of_the_data)


def _send_ledger(enclosure: Enclosure, sender: _Sender) -> dict[str, Kept]:
    """The ledger as it is at one moment: what may change is read under its lock, full tiles never change."""
    root, kept = enclosure.paths.ledger, dict[str, Kept]()
    enclosure.ledger.checkpoint()
    with LedgerFiles(root).lock():
        names = [str(path.relative_to(root)) for path in sorted(root.rglob("*")) if path.is_file()]
        names = [name for name in names if not name.startswith(OWN_TO_A_PROCESS)]
        full = [name for name in names if (tile := tile_of(name)) and tile == tile.whole]
        read = {name: ((root / name).read_bytes(), (root / name).stat()) for name in set(names) - set(full)}
    for name, (content, found) in read.items():
        kept[name] = sender.send(content, str(found.st_mtime_ns), is_sealed=False)
    for name in full:
        kept[name] = _file(root / name, f"ledger/{name}", sender)
    return kept


def backup_place(place: str, keys: KeyStore) -> BackupPlace:
    """The backups at a place, a folder or the URL of a bucket, that the catalog's key in use opens.

    Refuses: STORAGE_URL, STORAGE_CREDENTIALS.
    """
    objects: Objects = (
        S3Objects(S3Place.from_url(place), read_credentials()) if "://" in place else LocalObjects(Path(place))
    )
    return BackupPlace(objects, keys.secret(_CATALOG), key_id(keys, _CATALOG))
