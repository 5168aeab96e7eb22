"""Where an enclosure moves: TARGET.toml, and the place that it names."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from enclos.app.settings import KeysSection
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal

_LOCAL = {"", "local"}
_FILE = {"", "file", "ducklake-file"}


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str = ""
    storage: str = "local"
    catalog: str = "file"
    keys: str = Field(default="file", pattern=r"^(file|pkcs11:.+)$")
    keys_for: tuple[str, ...] = ()
    bandwidth_mb_per_second: float | None = Field(default=None, gt=0)


class Target:
    """The new enclosure's folder, where its lake, catalog and keys will lie, and how fast bytes may go there."""

    def __init__(self, folder: Path, document: _Document) -> None:
        self.folder = folder
        self.storage = "" if document.storage in _LOCAL else document.storage
        self.catalog = "" if document.catalog in _FILE else document.catalog
        self.keys = KeysSection(place=document.keys, roles=document.keys_for)
        mb = document.bandwidth_mb_per_second
        self.bytes_per_second = None if mb is None else mb * 1e6

    def __repr__(self) -> str:
        return "Target()"


def read_target(path: Path, leaving: Path) -> Target:
    """The target that a file describes: ``[enclosure]`` with ``path``, ``storage``, ``catalog``, ``keys``, ``keys_for``
    and ``bandwidth_mb_per_second``; a relative path starts at the file.

    In: leaving — the enclosure's folder; where only ``storage`` is told, the new one is made beside it.
    Refuses: SETTINGS_BROKEN.
    """
    try:
        text = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        raise _broken("it cannot be read as TOML" if path.is_file() else "there is no such file") from None
    if set(text) != {"enclosure"} or not isinstance(text["enclosure"], dict):
        raise _broken("it holds one table, [enclosure]")
    try:
        document = _Document.model_validate(text["enclosure"])
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['type']}" for fault in error.errors())
        raise _broken(faults) from None
    if document.path:
        return Target(path.parent / document.path, document)
    if document.storage in _LOCAL:
        raise _broken("it names neither path nor storage")
    return Target(leaving.resolve().with_name(f"{leaving.resolve().name}-moved"), document)


def _broken(why: str) -> Refusal:
    return refusal(
        Code.SETTINGS_BROKEN,
        f"The file of the target does not hold: {why}.",
        'Write [enclosure], then path = "FOLDER", storage = "local" or "s3://…", catalog = "file" or "postgresql://…".',
    )
