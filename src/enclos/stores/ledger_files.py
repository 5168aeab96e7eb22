"""The ledger as files of a local folder; many processes may write to it, one at a time."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from enclos.ledger.model import KEY_BYTES, Session
from enclos.ledger.rules.notes import COSIGNATURE, is_key_name, read_verifying_key, verifying_key
from enclos.ledger.rules.tiles import VERIFYING_KEY
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal

LOCK_WAIT_SECONDS = 30.0
WITNESS_VKEY = "witness.vkey"
_WITNESS_KEY = "witness.key"
_PAUSE_SECONDS = 0.0005
_PRIVATE = "private"
_LOCK = f"{_PRIVATE}/lock"
_WAITING = f"{_PRIVATE}/waiting"
"""Held by all who wait for the lock, together."""
_NEXT = f"{_PRIVATE}/next"
"""Where a file is made before it takes its place; only the holder of the lock writes."""
_SALTS = f"{_PRIVATE}/salts"
_SESSIONS = f"{_PRIVATE}/sessions"
_MONTH_SECONDS = 28 * 86_400
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_CLOSED = {errno.EROFS, errno.EACCES, errno.EPERM}


@contextmanager
def _ledger_border() -> Iterator[None]:
    """Turn what the operating system says of the storage into the refusal that nothing can run."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            what, next_step = "is full", "Free space, then run it again."
        elif error.errno in _CLOSED:
            what, next_step = "is read-only", "Give this account write access, then run it again."
        elif isinstance(error, BlockingIOError):
            what, next_step = "is held by another process", "Wait until it ends, then run it again."
        else:
            what, next_step = "cannot be reached", "Bring the storage back, then run it again."
        raise refusal(Code.LEDGER_UNWRITABLE, f"The ledger's storage {what}.", next_step) from None


class LedgerFiles:
    """A ledger's files in a folder. ``private/`` is never published; all the rest is, as it is.

    A file takes its place whole, by renaming. The lock and the marks of living processes are the operating system's:
    they end with the process, however it ends.
    Refuses: LEDGER_UNWRITABLE.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._marks: dict[str, tuple[Path, int]] = {}

    def __repr__(self) -> str:
        return "LedgerFiles()"

    # -- reading

    def read(self, name: str) -> bytes | None:
        """The file's content, or None when there is no such file."""
        with _ledger_border():
            try:
                return self._path(name).read_bytes()
            except (FileNotFoundError, NotADirectoryError):
                return None

    def names(self, under: str) -> Iterable[str]:
        """The names of all files below a folder."""
        with _ledger_border():
            found: list[str] = []
            for folder, _, files in os.walk(self._path(under), onerror=_raise_unless_missing):
                base = Path(folder).relative_to(self._folder)
                found.extend((base / file).as_posix() for file in files)
            return found

    def size(self, name: str) -> int | None:
        """The file's length, or None when there is no such file."""
        with _ledger_border():
            try:
                return self._path(name).stat().st_size
            except FileNotFoundError:
                return None

    def read_from(self, name: str, offset: int) -> bytes:
        """The file's content from an offset on."""
        with _ledger_border(), self._path(name).open("rb") as file:
            file.seek(offset)
            return file.read()

    # -- writing

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep all other writers out, threads of this process included, until the block ends."""
        with _ledger_border():
            path = self._path(_LOCK)
            _make_folder(path.parent, 0o700)
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            with _ledger_border():
                if not _taken(handle):
                    with self._waiting():
                        _wait_for(handle)
            yield
        finally:
            os.close(handle)

    def is_awaited(self) -> bool:
        """Whether somebody waits for the lock that this one holds."""
        with _ledger_border():
            handle = os.open(self._path(_WAITING), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                return not _taken(handle)
            finally:
                os.close(handle)

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        """Mark that one waits, as long as the process lives; who asks whether somebody does holds it for a moment."""
        handle = os.open(self._path(_WAITING), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_SH)
            yield
        finally:
            os.close(handle)

    def write(self, name: str, content: bytes, *, durable: bool) -> None:
        """Put the file's content whole; durable: it survives a power cut."""
        with _ledger_border():
            path, made = self._path(name), self._path(_NEXT)
            _write_whole(made, content, durable=durable)
            try:
                made.replace(path)
            except FileNotFoundError:
                _make_folder(path.parent, 0o700 if name.startswith(_PRIVATE) else 0o755)
                made.replace(path)
            if durable:
                _sync_folder(path.parent)

    def append(self, name: str, content: bytes, *, durable: bool = True) -> None:
        """Add to the end of a file; on refusal the file is as long as before."""
        with _ledger_border():
            handle = os.open(self._path(name), os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
            try:
                length = os.fstat(handle).st_size
                try:
                    _write_all(handle, content)
                    if durable:
                        os.fdatasync(handle)
                except OSError:
                    with suppress(OSError):
                        os.ftruncate(handle, length)
                        os.fdatasync(handle)
                    raise
            finally:
                os.close(handle)

    def sync(self, name: str) -> None:
        """Make durable what was added to a file; processes that do so at once share the disk's work."""
        with _ledger_border():
            try:
                handle = os.open(self._path(name), os.O_WRONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                return
            try:
                os.fdatasync(handle)
            finally:
                os.close(handle)

    def cut(self, name: str, length: int) -> None:
        """Shorten a file, durably."""
        with _ledger_border():
            handle = os.open(self._path(name), os.O_WRONLY | os.O_CLOEXEC)
            try:
                os.ftruncate(handle, length)
                os.fdatasync(handle)
            finally:
                os.close(handle)

    def delete(self, names: Iterable[str]) -> None:
        """Remove files; those that are not there are passed over, and folders of partial tiles go when empty."""
        with _ledger_border():
            emptied = set()
            for name in names:
                path = self._path(name)
                path.unlink(missing_ok=True)
                if path.parent.suffix == ".p":
                    emptied.add(path.parent)
            for folder in emptied:
                with suppress(OSError):
                    folder.rmdir()

    # -- salts

    def salt(self, name: str, used_at: datetime) -> bytes:
        """The 32 random bytes kept under that name, made when asked for the first time; their use is noted."""
        salt, path = self.known_salt(name), self._path(f"{_SALTS}/{name}")
        if salt is None:
            salt = os.urandom(KEY_BYTES)
            self.write(f"{_SALTS}/{name}", salt, durable=True)
        with _ledger_border():
            if salt and abs(path.stat().st_mtime - used_at.timestamp()) > _MONTH_SECONDS:
                os.utime(path, (used_at.timestamp(), used_at.timestamp()))
        return salt

    def known_salt(self, name: str) -> bytes | None:
        """The bytes kept under that name, if there are any."""
        salt = self.read(f"{_SALTS}/{name}")
        if salt is not None and len(salt) != KEY_BYTES:
            raise refusal(
                Code.LEDGER_DAMAGED, "A salt of the ledger is broken.", "Restore the ledger's private folder."
            )
        return salt

    def destroy_salt(self, name: str) -> bool:
        """Remove the bytes kept under that name, from the storage too as far as it allows."""
        with _ledger_border():
            path = self._path(f"{_SALTS}/{name}")
            if not path.exists():
                return False
            _overwrite(path)
            path.unlink()
            _sync_folder(path.parent)
            return True

    def destroy_salts_unused_since(self, at: datetime) -> int:
        """Remove all that were last used before."""
        with _ledger_border():
            names = [Path(name) for name in self.names(_SALTS)]
            old = [name.name for name in names if self._path(name.as_posix()).stat().st_mtime < at.timestamp()]
        return sum(self.destroy_salt(name) for name in old)

    # -- sessions

    def start_session(self, size: int) -> str:
        """A new random session id, marked alive as long as this process lives."""
        session = os.urandom(8).hex()
        with _ledger_border():
            path = self._path(f"{_SESSIONS}/{session}-{size}")
            _make_folder(path.parent, 0o700)
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            fcntl.flock(handle, fcntl.LOCK_EX)
            os.fsync(handle)
            _sync_folder(path.parent)
        self._marks[session] = (path, handle)
        return session

    def end_session(self, session: str) -> None:
        """Remove a session's mark."""
        with _ledger_border():
            path, handle = self._marks.pop(session, (None, None))
            for mark in [path] if path else self._path(_SESSIONS).glob(f"{session}-*"):
                mark.unlink(missing_ok=True)
            if handle is not None:
                os.close(handle)

    def sessions(self) -> Iterable[Session]:
        """All marked sessions; one whose mark nobody holds is dead."""
        found = []
        with _ledger_border():
            for name in self.names(_SESSIONS):
                session, _, size = Path(name).name.partition("-")
                found.append(Session(session, int(size), _is_held(self._path(name))))
        return found

    def _path(self, name: str) -> Path:
        return self._folder / name


class WitnessKey:
    """A witness's own Ed25519 key and the name that it signs under."""

    def __init__(self, key: Ed25519PrivateKey, name: str) -> None:
        self._key = key
        self._name = name

    def __repr__(self) -> str:
        return f"WitnessKey({self._name})"

    @property
    def name(self) -> str:
        """The name, without spaces."""
        return self._name

    def public_key(self) -> bytes:
        """The public key (32 bytes)."""
        return self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """The signature of the message (64 bytes)."""
        return self._key.sign(message)


class WitnessFiles:
    """What a witness remembers of one ledger, and its own key, in a folder of its own.

    The key lies as a host's key does: readable by its account alone, without a passphrase, so that the witness can
    look on its own every hour (decision 0070).
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def recall(self) -> bytes | None:
        """The last checkpoint that was accepted, under this witness's signature."""
        return self._read("checkpoint")

    def key(self, name: str = "") -> WitnessKey:
        """The witness's key, made at the first look.

        In: name — what a new key signs under; its own digest when empty.
        Refuses: LEDGER_UNSIGNED when the file is no key, or the witness has another name already
        """
        pem = self._read(_WITNESS_KEY)
        if pem is None:
            made = Ed25519PrivateKey.generate()
            pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            public = made.public_key().public_bytes_raw()
            signs_as = name or f"witness-{hashlib.sha256(public).hexdigest()[:12]}"
            if not is_key_name(signs_as):
                raise refusal(Code.LEDGER_UNSIGNED, "A witness's name has neither spaces nor plus signs.")
            self._put(_WITNESS_KEY, pem, mode=0o600)
            self._put(WITNESS_VKEY, f"{verifying_key(signs_as, public, COSIGNATURE)}\n".encode())
        try:
            key = load_pem_private_key(pem, password=None)
        except ValueError:
            key = None
        signs_as, _ = read_verifying_key((self._read(WITNESS_VKEY) or b"").decode(errors="replace"), COSIGNATURE)
        if not isinstance(key, Ed25519PrivateKey) or name not in {"", signs_as}:
            raise refusal(
                Code.LEDGER_UNSIGNED,
                "The witness's key cannot be read, or it signs under another name.",
                "Name the folder of this witness, or begin a new one elsewhere.",
            )
        return WitnessKey(key, signs_as)

    def vkey(self) -> str | None:
        """The witness's verifying key, once it has signed."""
        line = self._read(WITNESS_VKEY)
        return None if line is None else line.decode(errors="replace")

    def trusted(self) -> str | None:
        """The ledger's verifying key that this witness believes since its first look."""
        line = self._read(VERIFYING_KEY)
        return None if line is None else line.decode(errors="replace")

    def trust(self, line: str) -> None:
        """Believe this verifying key of the ledger from now on."""
        self._put(VERIFYING_KEY, line.encode())

    def _read(self, name: str) -> bytes | None:
        with _ledger_border():
            try:
                return (self._folder / name).read_bytes()
            except FileNotFoundError:
                return None

    def remember(self, note: bytes) -> None:
        """Keep the checkpoint in the place of the earlier one, durably."""
        self._put("checkpoint", note)

    def keep_conflict(self, note: bytes) -> None:
        """Keep a checkpoint that contradicts the remembered one, as evidence; the same one once."""
        self._put(f"conflict-{hashlib.sha256(note).hexdigest()[:16]}", note)

    def _put(self, name: str, note: bytes, mode: int = 0o644) -> None:
        with _ledger_border():
            _make_folder(self._folder, 0o700)
            made = self._folder / f"next.{os.getpid()}"
            made.unlink(missing_ok=True)
            _write_whole(made, note, durable=True, mode=mode)
            made.replace(self._folder / name)
            _sync_folder(self._folder)


def _raise_unless_missing(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def _taken(handle: int) -> bool:
    """Whether the lock could be taken at once."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _wait_for(handle: int) -> None:
    until = time.monotonic() + LOCK_WAIT_SECONDS
    while not _taken(handle):
        if time.monotonic() > until:
            raise BlockingIOError
        time.sleep(_PAUSE_SECONDS)


def _is_held(path: Path) -> bool:
    handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        return not _taken(handle)
    finally:
        os.close(handle)


def _make_folder(folder: Path, mode: int) -> None:
    if folder.is_dir():
        return
    _make_folder(folder.parent, mode)
    with suppress(FileExistsError):
        folder.mkdir(mode)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_whole(path: Path, content: bytes, *, durable: bool, mode: int = 0o644) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    try:
        _write_all(handle, content)
        if durable:
            os.fsync(handle)
    finally:
        os.close(handle)


def _overwrite(path: Path) -> None:
    """Put zeros over a file's content where it lies; a file system that copies on write keeps the old one a while."""
    handle = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        _write_all(handle, bytes(os.fstat(handle).st_size))
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_all(handle: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(handle, rest) :]
