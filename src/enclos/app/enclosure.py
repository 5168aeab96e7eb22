"""An enclosure as a whole: made once, opened for each command."""

from __future__ import annotations

import getpass
import itertools
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from enclos.app.keys import Passphrase, UsedKeys, make_keys, open_keys
from enclos.app.marks import PermitMarks
from enclos.app.paths import EnclosurePaths
from enclos.app.places import Environment, catalog_in, lake_folder, lake_objects, remote_catalog, require_empty
from enclos.app.remembered import Remembered
from enclos.app.settings import (
    SETTINGS_FILE,
    CatalogSection,
    EnclosureSection,
    KeysSection,
    LedgerSection,
    Settings,
    StorageSection,
    read_settings,
)
from enclos.contracts.vault import VAULT_TABLES
from enclos.ledger.model import Action
from enclos.ledger.steps import Ledger
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole
from enclos.lexicon.refusals import refusal
from enclos.stores.engine import Engine, open_engine
from enclos.stores.files import lock_exclusive, lock_shared, remove_tree, storage_border, write_atomically
from enclos.stores.keys import KeySigner, KeyStore
from enclos.stores.lake import Lake, attach_lake
from enclos.stores.lake_draft import LakeDraft
from enclos.stores.ledger_files import LedgerFiles
from enclos.stores.ledger_pace import Soon
from enclos.stores.objects import S3Place
from enclos.stores.spare_engine import SpareEngine
from enclos.stores.vault import attach_vault

_ENGINES = itertools.count()
"""Engines of one process, which may work at the same time, spill apart from each other."""
_TABLES_OF_THE_VAULT = "SELECT table_name FROM duckdb_tables() WHERE database_name = 'vault'"
_KEYS_AT_INIT = (
    KeyRole.ACCESS_BODY,
    KeyRole.LEDGER,
    KeyRole.RELEASE,
    KeyRole.CATALOG,
    KeyRole.VAULT,
    KeyRole.CROSSING,
    KeyRole.PSEUDONYM,
    KeyRole.RECORD,
    KeyRole.DESK,
    KeyRole.LEDGER_SALT,
)


class SystemClock:
    """The machine's clock; the ledger checks that it does not run back."""

    def now(self) -> datetime:
        """The present instant in UTC."""
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Enclosure:
    """An open enclosure: where things lie, its settings, its keys and its ledger."""

    paths: EnclosurePaths
    settings: Settings
    keys: KeyStore
    ledger: Ledger
    marks: PermitMarks
    environment: Environment = None
    """Where the credentials of its hosts are, when they are not this process's own."""
    acting: str = ""
    """The person who signed in and runs steps which no permit names a user for; nobody on the command line."""
    spare: SpareEngine | None = None
    """The engine that stays for the next question while the enclosure is open."""
    remembered: Remembered = field(default_factory=Remembered, repr=False)

    @property
    def operator(self) -> str:
        """Who runs steps which no permit names a user for: the person who signed in, or the account."""
        return self.acting or operator_account()

    @property
    def n_buckets(self) -> int:
        """Partitions by person."""
        return self.settings.enclosure.buckets

    @property
    def floor(self) -> int:
        """The least number of distinct persons in a cell that any permit may release."""
        return self.settings.enclosure.min_count_floor

    @contextmanager
    def engine(self, *, is_bare: bool = False) -> Iterator[Engine]:
        """A fresh engine; its encrypted spill files go when it closes. In: is_bare — for reading a database alone."""
        spill = self.paths.spill / f"{os.getpid()}-{next(_ENGINES)}"
        with storage_border("spill files"):
            spill.mkdir(parents=True, exist_ok=True)
        limits = self.settings.engine
        try:
            with open_engine(spill, limits.memory_limit_mb, limits.threads, is_bare=is_bare) as engine:
                yield engine
        finally:
            remove_tree(spill)

    @contextmanager
    def engine_to_read(self) -> Iterator[Engine]:
        """An engine for one question, as if fresh: its extensions stay loaded for the next one, and nothing else."""
        if self.spare is None:
            with self.engine() as engine:
                yield engine
            return
        limits, spill = self.settings.engine, self.paths.spill / f"{os.getpid()}-{next(_ENGINES)}"
        with self.spare.lent(spill, limits.memory_limit_mb, limits.threads) as engine:
            yield engine

    def lake(self, engine: Engine) -> Lake:
        """The lake, attached to the engine for reading.

        Refuses: LAKE_EMPTY, STORAGE_BROKEN, ENCLOSURE_BUSY; STORAGE_ALTERED when the catalog is an earlier one than
            that of the newest build; of a lake in a bucket STORAGE_CREDENTIALS, STORAGE_UNREACHABLE.
        """
        self.refresh_catalog()
        return self._attached(engine, read_only=True)

    def _attached(self, engine: Engine, *, read_only: bool) -> Lake:
        key = self.keys.secret(KeyName(KeyRole.CATALOG))
        folder = lake_folder(self.paths, self.settings.storage, self.environment)
        known = self.marks.build()
        if not self.paths.catalog.exists():
            if known and read_only:
                raise refusal(
                    Code.STORAGE_ALTERED,
                    "The catalog is not there, though the ledger knows of builds.",
                    "Restore it from a backup; without one, build anew.",
                )
            known = None
        lake = attach_lake(engine, self.paths.catalog, folder, key, read_only=read_only)
        if known and (lake.newest() or 0) < known[0]:
            raise refusal(
                Code.STORAGE_ALTERED,
                "The catalog is an earlier one than that of the newest build in the ledger.",
                "Restore the newest from a backup; without one, remove it and build anew.",
            )
        return lake

    def refresh_catalog(self) -> bool:
        """Have the newest catalog here when a database keeps it; whether there is one.

        Refuses: STORAGE_ALTERED, STORAGE_BROKEN, STORAGE_UNREACHABLE, STORAGE_CREDENTIALS.
        """
        if remote := remote_catalog(self.paths, self.settings.catalog, self.environment):
            remote.refresh(self.keys.secret(KeyName(KeyRole.CATALOG)))
        return self.paths.catalog.exists()

    @contextmanager
    def changing_lake(self) -> Iterator[tuple[Engine, Lake]]:
        """An engine with the lake attached for writing, alone on the data; a catalog that a database keeps is given to
        it at the end.

        Refuses: what attaching refuses; ENCLOSURE_BUSY also when another machine changed the catalog meanwhile.
        """
        remote = remote_catalog(self.paths, self.settings.catalog, self.environment)
        with lock_exclusive(self.paths.data_lock):
            self.refresh_catalog()
            lake_objects(self.paths, self.settings.storage, self.environment).remove_half_written()
            if remote:
                remote.take_mark_off()
            with self.engine() as engine:
                yield engine, self._attached(engine, read_only=False)
            if remote:
                remote.publish(self.keys.secret(KeyName(KeyRole.CATALOG)))

    def draft_of_lake(self, engine: Engine) -> LakeDraft:
        """The lake that is attached to the engine for writing, whose next build takes up files that others write."""
        key = self.keys.secret(KeyName(KeyRole.CATALOG))
        folder = lake_folder(self.paths, self.settings.storage, self.environment)
        draft = self.paths.spill / f"{os.getpid()}-{next(_ENGINES)}.draft"
        return LakeDraft(engine, self.paths.catalog, draft, lambda catalog: attach_lake(engine, catalog, folder, key))

    @contextmanager
    def vault_engine(self) -> Iterator[Engine]:
        """An engine with the vault attached, alone on the data.

        Refuses: ENCLOSURE_BUSY.
        """
        with lock_exclusive(self.paths.data_lock):
            self._sweep_spill()
            with self.engine() as engine:
                attach_vault(engine, self.paths.vault_database, self.keys.secret(KeyName(KeyRole.VAULT)))
                yield engine

    @contextmanager
    def vault_beside_readers(self) -> Iterator[Engine]:
        """An engine with the vault attached while views are read: for changes that touch no table that a view reads.

        Refuses: ENCLOSURE_BUSY while a build runs, or another such change.
        """
        with lock_exclusive(self.paths.rights_lock), lock_shared(self.paths.data_lock), self.engine() as engine:
            attach_vault(engine, self.paths.vault_database, self.keys.secret(KeyName(KeyRole.VAULT)))
            yield engine

    @contextmanager
    def vault_to_look(self) -> Iterator[Engine | None]:
        """An engine that can look into the vault and change nothing, beside others who look; None before the first
        delivery.

        Refuses: ENCLOSURE_BUSY while the vault is written.
        """
        with lock_shared(self.paths.rights_lock), lock_shared(self.paths.data_lock):
            if not self.paths.vault_database.exists():
                yield None
                return
            with self.engine(is_bare=True) as engine:
                key = self.keys.secret(KeyName(KeyRole.VAULT))
                attach_vault(engine, self.paths.vault_database, key, read_only=True)
                held = {str(name) for (name,) in engine.rows(_TABLES_OF_THE_VAULT)}
                yield engine if held >= VAULT_TABLES else None

    @contextmanager
    def reading_data(self) -> Iterator[None]:
        """Keep builds out while a view is read; other readers may come.

        Refuses: ENCLOSURE_BUSY.
        """
        with lock_shared(self.paths.data_lock):
            yield

    @contextmanager
    def at_the_desk(self) -> Iterator[None]:
        """Be the only one who changes permits or release requests.

        Refuses: ENCLOSURE_BUSY.
        """
        with lock_exclusive(self.paths.desk_lock):
            yield

    def _sweep_spill(self) -> None:
        """Remove what killed processes left; the caller holds the data alone, so nobody spills now."""
        remove_tree(self.paths.spill)


def create_enclosure(
    folder: Path,
    *,
    passphrase: Passphrase,
    buckets: int = 16,
    min_count_floor: int = 11,
    name: str = "",
    keys_in: str = "file",
    keys_for: Sequence[str] = (),
    storage: str = "",
    catalog: str = "",
) -> dict[str, Any]:
    """Make an empty enclosure with its keys and its ledger.

    In: keys_in — ``file`` or a PKCS#11 URI; keys_for — roles whose keys live elsewhere, each ``role=place``; storage —
        where the lake lies: the URL of a bucket, or nothing for a folder of the enclosure; catalog — the URL of the
        database that keeps the catalog, or nothing for a file of the enclosure
    Refuses: ENCLOSURE_EXISTS when the folder or the bucket holds one, or anything else; KEY_URI, TOKEN_UNREACHABLE,
        SETTINGS_BROKEN for its name; TOKEN_PIN, STORAGE_URL, STORAGE_CREDENTIALS, STORAGE_UNREACHABLE.
    """
    paths = EnclosurePaths(folder)
    name = _name_of(name, folder)
    if (folder / SETTINGS_FILE).exists():
        raise refusal(Code.ENCLOSURE_EXISTS, "There is an enclosure in this folder.", "Use it, or name another folder.")
    unfinished = folder / ".init"
    if folder.exists() and any(folder.iterdir()) and not unfinished.exists():
        raise refusal(Code.ENCLOSURE_EXISTS, "The folder is not empty.", "Name an empty or a new folder.")
    settings = Settings(
        enclosure=EnclosureSection(name=name, buckets=buckets, min_count_floor=min_count_floor),
        ledger=LedgerSection(origin=f"enclos.example/{_slug(name)}"),
        keys=KeysSection(place=keys_in, roles=tuple(keys_for)),
        storage=StorageSection(kind="s3", url=S3Place.from_url(storage).url) if storage else StorageSection(),
        catalog=catalog_in(catalog) if catalog else CatalogSection(),
    )
    if storage:
        require_empty(lake_objects(paths, settings.storage))
    with storage_border("a new enclosure"):
        folder.mkdir(parents=True, exist_ok=True)
        unfinished.touch()
        for part in (paths.keys, paths.ledger):  # what a killed init left is begun anew: it held nothing
            remove_tree(part)
    keys = make_keys(paths.keys, settings.keys, passphrase)
    for role in _KEYS_AT_INIT:
        keys.create(KeyName(role))
    ledger = Ledger.create(*ledger_parts(paths, keys, settings))
    with ledger:
        facts = {
            "buckets": buckets,
            "min_count_floor": min_count_floor,
            "n_keys": len(_KEYS_AT_INIT),
            "storage": settings.storage.kind,
            "catalog": settings.catalog.kind,
        }
        ledger.record(Action.INIT, operator_account(), facts=facts)
    # The settings come last: an enclosure is one only when everything else stands.
    write_atomically(folder / SETTINGS_FILE, settings.to_toml().encode("utf-8"), "the settings")
    unfinished.unlink()
    return {
        "enclosure": name,
        "buckets": buckets,
        "min_count_floor": min_count_floor,
        "ledger_origin": settings.ledger.origin,
        "access_body_key": keys.public(KeyName(KeyRole.ACCESS_BODY)).hex(),
        "release_key": keys.public(KeyName(KeyRole.RELEASE)).hex(),
    }


@contextmanager
def open_enclosure(folder: Path, passphrase: Passphrase, *, to_rotate: bool = False) -> Iterator[Enclosure]:
    """Open an enclosure; what a crash left half done in its ledger is completed first.

    In: to_rotate — also while a rotation that was begun is not ended
    Refuses: KEY_ROTATING, ENCLOSURE_MOVED, ENCLOSURE_MISSING, SETTINGS_BROKEN, PASSPHRASE_WRONG, TOKEN_UNREACHABLE,
        TOKEN_PIN, the ledger's refusals.
    """
    settings = read_settings(folder)
    paths = EnclosurePaths(folder)
    if paths.moved.exists():
        raise refusal(
            Code.ENCLOSURE_MOVED,
            "This enclosure has moved, and its keys here are destroyed.",
            "Work at its new place; if the move was stopped, end it: enclos move DIR --to TARGET.toml.",
        )
    if paths.ended.exists():
        raise refusal(
            Code.ENCLOSURE_ENDED,
            "This enclosure was destroyed.",
            "Its ledger still verifies; if the end was stopped, end it: enclos destroy DIR --all.",
        )
    if paths.restoring.exists():
        raise refusal(
            Code.ENCLOSURE_BUSY,
            "A restoration goes on, or was stopped before its end.",
            "Wait, or end it: enclos restore PLACE --to DIR.",
        )
    if paths.rotation.exists() and not to_rotate:
        raise refusal(
            Code.KEY_ROTATING,
            "The rotation of a key goes on, or was stopped before its end.",
            "Wait, or end it: enclos keys rotate DIR --resume.",
        )
    keys = open_keys(paths.keys, settings.keys, passphrase)
    with ExitStack() as stack:
        ledger = stack.enter_context(Ledger.open(*ledger_parts(paths, keys, settings)))
        used, spare = UsedKeys(keys, ledger, operator_account()), SpareEngine()
        stack.callback(spare.close)
        yield Enclosure(paths, settings, used, ledger, PermitMarks(ledger), spare=spare)


def operator_account() -> str:
    return f"operator:{getpass.getuser()}"


def ledger_parts(paths: EnclosurePaths, keys: KeyStore, settings: Settings) -> tuple[Any, ...]:
    """What the ledger is opened with."""
    return (
        LedgerFiles(paths.ledger),
        KeySigner(keys, KeyName(KeyRole.LEDGER)),
        SystemClock(),
        keys.secret(KeyName(KeyRole.LEDGER_SALT)),
        settings.ledger.origin,
        Soon(),
    )


def _name_of(name: str, folder: Path) -> str:
    """The name that results will bear, that of the folder as far as it may stand in one when none is given.

    Refuses: SETTINGS_BROKEN for a name under which nothing could ever be released.
    """
    from enclos.release.rules.policy import policy

    form = policy().labels["cdm_name"]
    if not name:
        name = re.sub(r"[^A-Za-z0-9 ._-]+", "-", folder.resolve().name).lstrip(" ._-") or "enclosure"
    if not form.fullmatch(name):
        raise refusal(
            Code.SETTINGS_BROKEN,
            "The name of the enclosure has signs that no released result may bear.",
            "Take letters without accents, digits, blanks, points and hyphens, a hundred at most.",
        )
    return name


def _slug(name: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in name.lower()).strip("-") or "enclosure"
