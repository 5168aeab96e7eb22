"""A build in a draft of the catalog, whose rows other processes may write: each writes pieces of the lake.

The draft is a copy of the encrypted catalog. It takes the catalog's place, at once, when it names everything; until
then a killed build has changed nothing. A piece has a catalog in memory, under which the engine writes files and
keys as it does for a build of one process.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from enclos.contracts.columns import TableContract
from enclos.stores.engine import Engine, EngineFault
from enclos.stores.files import put_durably, storage_border
from enclos.stores.lake import Lake, attach_piece, detach_lake
from enclos.stores.lake_files import LakeFiles, add_files, named_files, table_folders
from enclos.stores.objects import S3Lake


class LakeDraft(Lake):
    """The attached lake; its next build takes up files that others wrote.

    In: attach — attaches the lake for writing, under the catalog of that path.
    """

    def __init__(self, engine: Engine, catalog: Path, draft: Path, attach: Callable[[Path], Lake]) -> None:
        super().__init__(engine)
        self._catalog = catalog
        self._draft = draft
        self._attach = attach
        self._folders: dict[str, str] = {}
        self._taken: list[LakeFiles] = []
        self._gone: list[str] = []

    def __repr__(self) -> str:
        return "LakeDraft()"

    def begin(self) -> None:
        """Start a build, in the draft."""
        self._close(self._catalog)
        with storage_border("a draft of the catalog"):
            self._draft.unlink(missing_ok=True)
            shutil.copyfile(self._catalog, self._draft)
        self._attach(self._draft)
        self._folders = table_folders(self._engine)
        super().begin()

    def create(self, table: TableContract, *, by_bucket: bool, folder: str = "") -> str:
        """Replace the table by an empty one inside the build."""
        self._folders[table.name] = folder or uuid4().hex
        return super().create(table, by_bucket=by_bucket, folder=self._folders[table.name])

    def folders(self) -> Mapping[str, str]:
        """By table, the folder of its files."""
        return self._folders

    def held(self, buckets: Sequence[int]) -> LakeFiles:
        """The files that the snapshot before has of some buckets."""
        return named_files(self._engine, buckets)

    def take(self, files: LakeFiles, gone: Sequence[str]) -> None:
        """Have files that another process wrote read by the build, and others of the snapshot before no longer."""
        self._taken.append(files)
        self._gone += gone

    def commit(self, facts: Mapping[str, Any]) -> int:
        """Make the build visible, whole: the draft becomes the catalog. The build itself wrote some table too."""
        before = self.newest()
        snapshot = super().commit(facts)
        if snapshot == before:
            raise AssertionError("a build that writes no table of its own makes no snapshot")
        if self._taken:
            add_files(self._engine, self._taken, self._gone)
        self._close(self._draft)
        with storage_border("the catalog"):
            put_durably(self._draft, self._catalog)
        self._attach(self._catalog)
        return snapshot

    def _close(self, catalog: Path) -> None:
        """Close the attached catalog; its file holds everything then."""
        detach_lake(self._engine)
        if catalog.with_name(f"{catalog.name}.wal").exists():
            raise AssertionError("a closed catalog has nothing left to write")

    def abandon(self) -> None:
        """Undo the build: the draft goes."""
        super().abandon()
        with suppress(EngineFault):
            detach_lake(self._engine)
        self._draft.unlink(missing_ok=True)
        self._attach(self._catalog)


class Piece:
    """The files that a process writes for a build, of tables by bucket."""

    def __init__(self, engine: Engine, held: LakeFiles) -> None:
        self._engine = engine
        self._held = held
        self.files = held
        self.gone: list[str] = []

    def close(self) -> None:
        """Find what was written, and what of the files before is no longer read."""
        now = named_files(self._engine)
        before = set(self._held.paths)
        self.gone = sorted(before.difference(now.paths))
        self.files = now.without(before)


@contextmanager
def open_piece(
    engine: Engine, data: Path | S3Lake, tables: Mapping[TableContract, str], held: LakeFiles
) -> Iterator[Piece]:
    """Let the engine write a piece of the lake; what it wrote is in the piece when the block ends.

    In: data — where the lake's files lie; tables — by bucket, with the folders of their files; held — what a snapshot
        has there already.
    """
    lake = attach_piece(engine, data)
    try:
        with engine.transaction():
            for table, folder in tables.items():
                lake.create(table, by_bucket=True, folder=folder)
        if held.paths:
            add_files(engine, [held])
        piece = Piece(engine, held)
        with engine.transaction():
            yield piece
        piece.close()
    finally:
        detach_lake(engine)
