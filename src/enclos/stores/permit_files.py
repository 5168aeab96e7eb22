"""Permits on disk: signed versions that are never replaced."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from enclos.lexicon.canonical import canonical_bytes
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.permits.model import VersionMark
from enclos.stores.files import remove_tree, storage_border, sync_folder, write_atomically

_VERSION = re.compile(r"v[0-9]{4}\.json")


class PermitFiles:
    """``permits/<permit>/v0001.json`` and so on, with the newest version's mark beside them.

    In: recorded — what the ledger remembers of a permit's newest version, or None; it catches what files alone
        cannot: somebody who puts back the whole folder as it was.
    """

    def __init__(self, root: Path, recorded: Callable[[str], VersionMark | None] | None = None) -> None:
        self._root = root
        self._recorded = recorded

    def ids(self) -> Sequence[str]:
        """The permits that have at least one version, in order."""
        if not self._root.is_dir():
            return []
        return sorted(folder.name for folder in self._root.iterdir() if self._files(folder.name))

    def versions(self, permit_id: str) -> Sequence[bytes]:
        """The versions as they were signed, oldest first; empty when the permit is unknown."""
        return [path.read_bytes() for path in self._files(permit_id)]

    def append(self, permit_id: str, version: int, signed: bytes, mark: VersionMark) -> None:
        """Keep one more version, durably; never replaces one.

        Refuses: PERMIT_EXISTS, STORAGE_FULL, STORAGE_BROKEN.
        """
        path = self._root / permit_id / f"v{version:04d}.json"
        with storage_border("a permit"):
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
            write_atomically(temporary, signed, "a permit")
            try:
                os.link(temporary, path)
            except FileExistsError:
                raise refusal(
                    Code.PERMIT_EXISTS,
                    f"Version {version} of permit {permit_id} is already signed.",
                    "Look at it first: enclos permit show DIR PERMIT.",
                ) from None
            finally:
                temporary.unlink(missing_ok=True)
            sync_folder(path.parent)
        content = canonical_bytes({"version": mark.version, "digest": mark.digest})
        write_atomically(self._root / permit_id / "newest.json", content, "a permit")

    def newest(self, permit_id: str) -> VersionMark | None:
        """The newest version that was ever kept: what the file beside the versions and the ledger say."""
        marks = [self._mark(permit_id), self._recorded(permit_id) if self._recorded else None]
        return max((mark for mark in marks if mark is not None), key=lambda mark: mark.version, default=None)

    def _mark(self, permit_id: str) -> VersionMark | None:
        try:
            document = json.loads((self._root / permit_id / "newest.json").read_bytes())
            return VersionMark(int(document["version"]), str(document["digest"]))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            raise refusal(
                Code.STORAGE_BROKEN, f"The mark of permit {permit_id} cannot be read.", "Restore it from a backup."
            ) from None

    def _files(self, permit_id: str) -> list[Path]:
        with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
            return sorted(path for path in (self._root / permit_id).iterdir() if _VERSION.fullmatch(path.name))
        return []


def forget_sealed(permit_folder: Path) -> int:
    """Remove all that lies beside a permit's versions: perimeter, runs, cohorts, sets of persons; how many files."""
    with storage_border("a permit"):
        others = [
            path for path in permit_folder.iterdir() if path.name != "newest.json" and not _VERSION.fullmatch(path.name)
        ]
        n_files = sum(path.is_file() for other in others for path in (other, *other.rglob("*")))
        for path in others:
            if path.is_dir():
                remove_tree(path)
            else:
                path.unlink()
        sync_folder(permit_folder)
    return n_files


class SystemRandomness:
    """The operating system's random numbers."""

    def numbers(self, n_numbers: int, n_bits: int) -> NDArray[np.int64]:
        """Uniform numbers of so many bits, at most 63."""
        drawn = np.frombuffer(os.urandom(8 * n_numbers), dtype=np.uint64)
        return (drawn >> np.uint64(64 - n_bits)).astype(np.int64)
