"""Carry an enclosure's files to another place, each under a new key, read back, and noted in a journal."""

from __future__ import annotations

import json
import os
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from enclos.app.parts import Form, Part
from enclos.app.progress import Report
from enclos.hosting.model import Manifest, Seal
from enclos.hosting.ports import Objects
from enclos.lexicon.canonical import canonical_bytes, sha256_hex
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, SecretKey
from enclos.lexicon.refusals import Refusal, refusal
from enclos.stores.backup_place import put_and_read_back
from enclos.stores.engine import Engine
from enclos.stores.files import write_atomically
from enclos.stores.keys import KeyStore
from enclos.stores.reencrypting import opens_parquet, reencrypted_parquet
from enclos.stores.rekeying import copy_database
from enclos.stores.sealed import seal, unseal

_JOURNAL_CONTEXT = "enclos move journal"
_SECONDS_BETWEEN_NOTES = 1.0
_AT_ONCE = 2
"""Objects on their way at once: while one is written another is encrypted."""

Print = tuple[str, str, str]
"""What tells that a file was replaced since it was carried: its size, its instant of change and its number."""


@dataclass(frozen=True, slots=True)
class Carried:
    """An object of the lake at its new place: what it is there, and its key."""

    seal: Seal
    key: bytes = field(repr=False)


class Journal:
    """What has arrived, sealed under the new catalog's key at the new place; written now and then, and at the end.

    What arrived after the last writing is carried again, under another key.
    """

    def __init__(self, path: Path, key: SecretKey) -> None:
        self._path = path
        self._key = key
        self._lock = threading.Lock()
        self._noted_at = time.monotonic()
        self.lake: dict[str, Carried] = {}
        self.files: dict[str, Print] = {}
        self.snapshot_compared: int | None = None
        self.comparing: int | None = None
        """The snapshot on which ``studies`` were found to be alike, some or all of them."""
        self.studies: list[str] = []
        if path.exists():
            document = json.loads(zlib.decompress(unseal(key, path.read_bytes(), _JOURNAL_CONTEXT)))
            self.lake = {
                name: Carried(Seal(size, digest), bytes.fromhex(file_key))
                for name, (size, digest, file_key) in document["lake"].items()
            }
            self.files = {name: (of[0], of[1], of[2]) for name, of in document["files"].items()}
            self.snapshot_compared, self.studies = document["compared"], document["studies"]
            self.comparing = document.get("comparing", self.snapshot_compared)

    def __repr__(self) -> str:
        return "Journal()"

    def note_object(self, name: str, carried: Carried) -> None:
        """An object of the lake has arrived and was read back."""
        with self._lock:
            self.lake[name] = carried
            if time.monotonic() - self._noted_at > _SECONDS_BETWEEN_NOTES:
                self._write()

    def note_file(self, name: str, print_: Print) -> None:
        """A file has arrived as it was."""
        with self._lock:
            self.files[name] = print_

    def keep(self) -> None:
        """Write down what has arrived."""
        with self._lock:
            self._write()

    def _write(self) -> None:
        document = {
            "lake": {name: [it.seal.size, it.seal.sha256, it.key.hex()] for name, it in self.lake.items()},
            "files": {name: list(of) for name, of in self.files.items()},
            "compared": self.snapshot_compared,
            "comparing": self.comparing,
            "studies": self.studies,
        }
        content = zlib.compress(canonical_bytes(document), 1)
        write_atomically(self._path, seal(self._key, content, _JOURNAL_CONTEXT), "the journal of a move")
        self._noted_at = time.monotonic()


class Throttle:
    """Lets so many bytes a second go, on average; all of them at once where no rate is given."""

    def __init__(self, bytes_per_second: float | None) -> None:
        self._rate = bytes_per_second
        self._free_at = time.monotonic()
        self._lock = threading.Lock()

    def take(self, n_bytes: int) -> None:
        """Wait until these bytes may go."""
        if self._rate is None:
            return
        with self._lock:
            now = time.monotonic()
            start = max(now, self._free_at)
            self._free_at = start + n_bytes / self._rate
        time.sleep(max(0.0, start - now))


def carry_lake(
    objects: Objects,
    to: Objects,
    keys: Mapping[str, bytes],
    manifest: Manifest,
    journal: Journal,
    throttle: Throttle,
    report: Report,
) -> int:
    """Carry every object that has not arrived, under a fresh key of its own; how many bytes went.

    In: keys — the key of each object that the catalog names, by its name; manifest — what they were when stored.
    Empty: an object that is gone is passed over: a build removed it, and the newest catalog names it no more.
    Refuses: STORAGE_ALTERED when an object is not as it was stored, STORAGE_BROKEN when the new place does not give
        back what it was given; what the two places refuse.
    """
    waiting = sorted(set(keys) - set(journal.lake))
    done, n_bytes, began = len(keys) - len(waiting), 0, time.perf_counter()

    def carry(name: str) -> int:
        try:
            content = b"".join(objects.read(name))
        except KeyError:
            return 0
        sealed = manifest.seals.get(name)
        if sealed and Seal(len(content), sha256_hex(content)) != sealed:
            raise refusal(
                Code.STORAGE_ALTERED,
                f"An object is not as it was stored: {name}.",
                "Restore it from a backup, or run `enclos build --full`; then move.",
            )
        key = os.urandom(len(keys[name]))
        content = reencrypted_parquet(content, keys[name], key)
        throttle.take(len(content))
        put_and_read_back(to, name, content)
        journal.note_object(name, Carried(Seal(len(content), sha256_hex(content)), key))
        return len(content)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        try:
            for size in pool.map(carry, waiting):
                done, n_bytes = done + 1, n_bytes + size
                rate = n_bytes / max(time.perf_counter() - began, 1e-6) / 1e6
                report("lake", done / len(keys), f"{rate:.0f} MB/s")
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
        finally:
            journal.keep()
    return n_bytes


class FileCarrier:
    """Carries the files of a folder to the same places of another, from the keys of one store to those of another."""

    def __init__(
        self, root: Path, old: KeyStore, to: Path, new: KeyStore, journal: Journal, throttle: Throttle
    ) -> None:
        self._root, self._old, self._to, self._new = root, old, to, new
        self._journal, self._throttle = journal, throttle
        self._secrets: dict[tuple[bool, KeyName], SecretKey] = {}

    def __repr__(self) -> str:
        return "FileCarrier()"

    def carry(self, parts: Iterable[Part], engine: Engine, report: Report, *, ends: bool) -> int:
        """Carry what has changed since it was carried; how many files. At the end also remove what is no more.

        In: ends — nobody can change a file now; before it, a file that is being changed is left for later.
        Refuses: STORAGE_BROKEN when a file opens under none of its keys.
        """
        everything = list(parts)
        n_carried = 0
        for number, part in enumerate(everything, 1):
            report("files", number / len(everything))
            name = str(part.path.relative_to(self._root))
            try:
                before = _print_of(part.path)
                if self._journal.files.get(name) == before and not _has_more(part):
                    continue
                self._carry(part, self._to / name, engine, read_only=not ends)
            except FileNotFoundError:
                if ends:
                    raise
                continue
            except Refusal as refused:
                if ends or refused.code not in {Code.ENCLOSURE_BUSY, Code.STORAGE_BROKEN}:
                    raise
                continue
            # a database that was opened for writing was written to, though by nobody else
            self._journal.note_file(name, _print_of(part.path) if ends else before)
            n_carried += 1
        if ends:
            self._remove_all_but({str(part.path.relative_to(self._root)) for part in everything})
        self._journal.keep()
        return n_carried

    def _carry(self, part: Part, to: Path, engine: Engine, *, read_only: bool) -> None:
        if part.form is Form.DATABASE:
            self._throttle.take(part.path.stat().st_size)
            old, new = self._secret(part.keys[0]), self._secret(part.keys[0], new=True)
            copy_database(engine, part.path, old, to, new, read_only=read_only)
            return
        content = self._again(part, part.path.read_bytes())
        self._throttle.take(len(content))
        write_atomically(to, content, "a moved file")

    def _again(self, part: Part, content: bytes) -> bytes:
        if part.form is Form.PLAIN:
            return content
        if part.form is Form.SEALED:
            (name,) = part.keys
            plain = unseal(self._secret(name), content, part.context)
            return seal(self._secret(name, new=True), plain, part.context)
        for name in part.keys:
            if opens_parquet(content, self._secret(name).reveal()):
                new = self._secret(name, new=True)
                return reencrypted_parquet(content, self._secret(name).reveal(), new.reveal())
        raise refusal(Code.STORAGE_BROKEN, "A sealed table opens under none of its keys.", "Restore it from a backup.")

    def _secret(self, name: KeyName, *, new: bool = False) -> SecretKey:
        if (new, name) not in self._secrets:
            self._secrets[new, name] = (self._new if new else self._old).secret(name)
        return self._secrets[new, name]

    def _remove_all_but(self, names: set[str]) -> None:
        for name in set(self._journal.files) - names:
            (self._to / name).unlink(missing_ok=True)
            del self._journal.files[name]


def _has_more(part: Part) -> bool:
    """Whether a database has changes beside it that a killed process did not bring in."""
    return part.form is Form.DATABASE and part.path.with_name(f"{part.path.name}.wal").exists()


def _print_of(path: Path) -> Print:
    found = path.stat()
    return str(found.st_size), str(found.st_mtime_ns), str(found.st_ino)


def copy_folder(root: Path, to: Path, wanted: Callable[[str], bool]) -> int:
    """Make a folder hold exactly the wanted files of another, with their instants of change; how many there are."""
    names = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    names = {name for name in names if wanted(name)}
    for name in sorted(names):
        content, found = (root / name).read_bytes(), (root / name).stat()
        private = name.startswith("private")
        write_atomically(to / name, content, "the ledger", 0o600 if private else 0o644)
        os.utime(to / name, ns=(found.st_atime_ns, found.st_mtime_ns))
    for path in [path for path in to.rglob("*") if path.is_file() and str(path.relative_to(to)) not in names]:
        path.unlink()
    return len(names)
