"""The release desk on disk, sealed, and packages as folders or zip files."""

from __future__ import annotations

import io
import os
import re
import secrets
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path, PurePosixPath

from enclos.lexicon.canonical import sha256_hex
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import SecretKey
from enclos.lexicon.refusals import Refusal, refusal
from enclos.release.model import Package, PackageReport
from enclos.release.package import verify_package as verify_files
from enclos.release.steps.documents import REQUEST
from enclos.stores.files import remove_tree, storage_border, sync_folder, write_atomically
from enclos.stores.sealed import mark_of, seal, unseal

_ROUNDING, _INDEX, _BESIDE, _PACKAGE = "rounding", "index", "beside", "package"
_REQUEST_ID = re.compile(r"[0-9a-f]{16}")
_MAX_FILES, _MAX_BYTES = 200, 200 * 2**20
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


class DeskFiles:
    """``release/<request>/``, each document sealed under the desk's key and bound to its request and name.

    Refuses: RELEASE_UNKNOWN, STORAGE_FULL, STORAGE_BROKEN.
    """

    def __init__(self, root: Path, key: SecretKey) -> None:
        self._root = root
        self._key = key

    def __repr__(self) -> str:
        return "DeskFiles()"

    def requests(self) -> Sequence[str]:
        """The requests that were made whole, oldest first."""
        made = [path for path in self._root.glob(f"*/{REQUEST}.sealed") if _REQUEST_ID.fullmatch(path.parent.name)]
        return [path.parent.name for path in sorted(made, key=lambda path: (path.stat().st_mtime_ns, path))]

    def read(self, request: str, name: str) -> bytes:
        """One document of a request."""
        path = self._path(request, name)
        if not _REQUEST_ID.fullmatch(request) or not self._path(request, REQUEST).is_file():
            raise refusal(Code.RELEASE_UNKNOWN, "No such request was made.", "List them: enclos release list DIR.")
        if not path.is_file():
            raise refusal(Code.STORAGE_BROKEN, "A document of this request is missing.", "Restore it from a backup.")
        return unseal(self._key, path.read_bytes(), f"release/{request}/{name}")

    def write(self, request: str, name: str, content: bytes) -> None:
        """Keep one document of a request, whole or not at all."""
        sealed = seal(self._key, content, f"release/{request}/{name}")
        write_atomically(self._path(request, name), sealed, "a release request")

    def keep_package(self, request: str, recipient: str, content: bytes) -> None:
        """Keep what leaves to a person, for the case that it is lost on its way."""
        self.write(request, _package_name(recipient), content)

    def package(self, request: str, recipient: str) -> bytes | None:
        """What left to a person; None when it is not kept, or no more."""
        name = _package_name(recipient)
        return self.read(request, name) if self._path(request, name).is_file() else None

    def forget_packages(self, before: datetime) -> None:
        """Remove what was kept before an instant."""
        with storage_border("a package"):
            for path in self._root.glob(f"*/{_PACKAGE}-*.sealed"):
                if path.stat().st_mtime < before.timestamp():
                    path.unlink(missing_ok=True)

    def mark(self, request: str, names: Sequence[str]) -> str:
        """What changes whenever one of these documents is written."""
        return _mark([self._path(request, name) for name in names])

    def rounding_key(self) -> bytes:
        """The key that lots of rounding are drawn by; made where there is none, and the same ever after."""
        path = self._path(_ROUNDING, "key")
        if not path.is_file():
            write_atomically(path, seal(self._key, secrets.token_bytes(32), f"release/{_ROUNDING}/key"), "a key")
        return unseal(self._key, path.read_bytes(), f"release/{_ROUNDING}/key")

    def _path(self, request: str, name: str) -> Path:
        return self._root / request / f"{name}.sealed"


class ArchiveFiles:
    """``permits/<permit>/released/<request>.sealed``: the persons behind a request, under the permit's own key.

    In: secret_of — a permit's key; None when it is destroyed
    Refuses: STORAGE_FULL, STORAGE_BROKEN.
    """

    def __init__(self, permits: Path, secret_of: Callable[[str], SecretKey | None]) -> None:
        self._permits = permits
        self._secret_of = secret_of

    def __repr__(self) -> str:
        return "ArchiveFiles()"

    def requests(self) -> Sequence[tuple[str, str]]:
        """The permits and requests whose persons are kept."""
        found = sorted(self._permits.glob("*/released/*.sealed"))
        return [(path.parent.parent.name, path.name.removesuffix(".sealed")) for path in found]

    def keep(self, permit: str, request: str, content: bytes) -> None:
        """Keep a request's persons, whole or not at all."""
        key = self._secret_of(permit)
        if key is None:
            raise refusal(Code.KEY_MISSING, "The key of this permit is destroyed.", "Ask for a new permit.")
        write_atomically(self._path(permit, request), seal(key, content, f"released/{request}"), "a release request")

    def read(self, permit: str, request: str) -> bytes | None:
        """The persons of a request; None when the permit's key is destroyed."""
        key, path = self._secret_of(permit), self._path(permit, request)
        if key is None:
            return None
        if not path.is_file():
            raise refusal(
                Code.STORAGE_BROKEN, "The persons behind an earlier request are missing.", "Restore them from a backup."
            )
        return unseal(key, path.read_bytes(), f"released/{request}")

    def mark(self, permit: str, request: str) -> str:
        """What changes whenever a request's persons are written."""
        return _mark([self._path(permit, request)])

    def has_key(self, permit: str) -> bool:
        """Whether the permit's key is still there."""
        return self._secret_of(permit) is not None

    def indexed(self) -> Sequence[str]:
        """The permits that have segments of an index."""
        return sorted({path.parent.parent.parent.name for path in self._permits.glob(f"*/released/{_INDEX}/*.sealed")})

    def segments(self, permit: str) -> Mapping[str, bytes]:
        """A permit's segments by name; one that cannot be read is empty."""
        key = self._secret_of(permit)
        if key is None:
            return {}
        found: dict[str, bytes] = {}
        for path in self._folder(permit).glob("*.sealed"):
            name = path.name.removesuffix(".sealed")
            try:
                found[name] = unseal(key, path.read_bytes(), _of_segment(permit, name))
            except (Refusal, FileNotFoundError):  # altered, of another key, or put in the place of by another process
                found[name] = b""
        return found

    def keep_segment(self, permit: str, content: bytes) -> None:
        """Keep one segment more, whole or not at all."""
        key, name = self._secret_of(permit), secrets.token_hex(8)
        if key is not None:
            sealed = seal(key, content, _of_segment(permit, name))
            write_atomically(self._folder(permit) / f"{name}.sealed", sealed, "an index of releases")

    def drop_segments(self, permit: str, names: Sequence[str]) -> None:
        """Remove segments."""
        for name in names:
            (self._folder(permit) / f"{name}.sealed").unlink(missing_ok=True)

    def beside(self, permit: str, request: str) -> bytes:
        """What was found beside a request; empty where nothing was, or where it cannot be read."""
        key = self._secret_of(permit)
        if key is None:
            return b""
        try:
            return unseal(key, self._found(permit, request).read_bytes(), _of_found(permit, request))
        except (Refusal, FileNotFoundError):  # altered, or of an earlier key
            return b""

    def keep_beside(self, permit: str, request: str, content: bytes) -> None:
        """Keep what was found beside a request, whole or not at all."""
        key = self._secret_of(permit)
        if key is not None:
            sealed = seal(key, content, _of_found(permit, request))
            write_atomically(self._found(permit, request), sealed, "what is shown of a request")

    def _found(self, permit: str, request: str) -> Path:
        return self._permits / permit / "released" / _BESIDE / f"{request}.sealed"

    def _folder(self, permit: str) -> Path:
        return self._permits / permit / "released" / _INDEX

    def _path(self, permit: str, request: str) -> Path:
        return self._permits / permit / "released" / f"{request}.sealed"


def _package_name(recipient: str) -> str:
    return f"{_PACKAGE}-{sha256_hex(recipient.strip().casefold().encode())[:16]}"


def _of_segment(permit: str, name: str) -> str:
    return f"released/{permit}/{_INDEX}/{name}"


def _of_found(permit: str, request: str) -> str:
    return f"released/{permit}/{_BESIDE}/{request}"


def _mark(paths: Sequence[Path]) -> str:
    try:
        return sha256_hex(b"".join(mark_of(path) for path in paths))
    except FileNotFoundError:
        raise refusal(
            Code.STORAGE_BROKEN, "A document of an earlier request is missing.", "Restore it from a backup."
        ) from None


def write_package(package: Package, out: Path) -> None:
    """Write a package as a folder, or as one file when the name ends in .zip; whole or not at all.

    Refuses: PACKAGE_BROKEN when the place is taken; STORAGE_FULL, STORAGE_BROKEN.
    """
    if out.exists():
        raise refusal(Code.PACKAGE_BROKEN, "There is something where the package would go.", "Choose another place.")
    temporary = out.with_name(f".{out.name}.{os.getpid()}.tmp")
    with storage_border("a package"):
        out.parent.mkdir(parents=True, exist_ok=True)
        try:
            if out.suffix == ".zip":
                write_atomically(temporary, zipped(package), "a package", mode=0o644)
            else:
                for name, content in package.items():
                    write_atomically(temporary / name, content, "a package", mode=0o644)
            temporary.rename(out)
            sync_folder(out.parent)
        finally:
            if temporary.is_dir():
                remove_tree(temporary)
            else:
                temporary.unlink(missing_ok=True)


def zipped(package: Package) -> bytes:
    """A package as one file: always the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(package):
            archive.writestr(zipfile.ZipInfo(name, _ZIP_EPOCH), package[name], zipfile.ZIP_DEFLATED)
    return out.getvalue()


def read_package(path: Path) -> Package:
    """The files of a package, folder or zip; nothing outside it is followed and nothing large is unpacked.

    Refuses: PACKAGE_BROKEN.
    """
    if path.is_dir():
        return _read_folder(path)
    if path.is_file():
        return _read_zip(path)
    raise _broken("There is no package at this place.")


def _read_folder(path: Path) -> Package:
    found: dict[str, bytes] = {}
    n_bytes = 0
    for each in sorted(path.rglob("*")):
        if each.is_symlink() or not (each.is_file() or each.is_dir()):
            raise _broken("It holds something that is not a file.")
        if each.is_file():
            n_bytes += each.stat().st_size
            _check_size(len(found) + 1, n_bytes)
            found[each.relative_to(path).as_posix()] = each.read_bytes()
    return found


def _read_zip(path: Path) -> Package:
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            _check_size(len(infos), sum(info.file_size for info in infos))
            if archive.comment or _n_bytes_beside(path, infos):
                raise _broken("It carries more than its files.")
            names = [info.filename for info in infos]
            if len(set(names)) != len(names) or any(_leads_out(name) for name in names):
                raise _broken("It holds a file under a name that no package has.")
            return {info.filename: archive.read(info) for info in infos}
    except (zipfile.BadZipFile, zlib.error, OSError, RuntimeError, EOFError, ValueError):
        raise _broken("It is not a zip file that can be read.") from None


def _n_bytes_beside(path: Path, infos: Sequence[zipfile.ZipInfo]) -> int:
    """How many bytes of a zip belong to none of its files: before, between or behind them, or in their extra fields."""
    entry, local, end = 46, 30, 22
    names = sum(len(info.orig_filename.encode("utf-8")) for info in infos)
    files = sum(info.compress_size for info in infos)
    return path.stat().st_size - (files + 2 * names + len(infos) * (entry + local) + end)


def _leads_out(name: str) -> bool:
    parts = PurePosixPath(name)
    return parts.is_absolute() or ".." in parts.parts or "\\" in name or name.endswith("/")


def _check_size(n_files: int, n_bytes: int) -> None:
    if n_files > _MAX_FILES or n_bytes > _MAX_BYTES:
        raise _broken("It is larger than any package.")


def _broken(why: str) -> Refusal:
    return refusal(Code.PACKAGE_BROKEN, f"This package cannot be trusted. {why}", "Ask for it again.")


def verify_package(path: Path, public_key: bytes) -> PackageReport:
    """Check a package with its files and the release key alone, offline.

    Refuses: PACKAGE_BROKEN.
    """
    return verify_files(read_package(path), public_key)
