"""Where an enclosure's ciphertext lies: below its folder, or with a host."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from enclos.app.paths import EnclosurePaths
from enclos.app.settings import CatalogSection, StorageSection
from enclos.hosting.ports import Objects
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.stores.objects import LocalObjects, S3Lake, S3Objects, S3Place, read_credentials
from enclos.stores.postgres import PostgresCatalog, PostgresPlace
from enclos.stores.remote_catalog import RemoteCatalog

Environment = Mapping[str, str] | None
"""Where credentials are looked for; None: in this process's environment."""
_AT_TARGET, _OWN = "ENCLOS_TARGET_", "ENCLOS_"


def at_target() -> Mapping[str, str]:
    """The credentials of the place where an enclosure moves: ENCLOS_TARGET_… where it is set, else the same ones."""
    given = {name: value for name, value in os.environ.items() if name.startswith(_AT_TARGET)}
    return {**os.environ, **{_OWN + name.removeprefix(_AT_TARGET): value for name, value in given.items()}}


def lake_folder(paths: EnclosurePaths, storage: StorageSection, environment: Environment = None) -> Path | S3Lake:
    """Where the lake's files lie, for the engine.

    Refuses: STORAGE_URL, STORAGE_CREDENTIALS.
    """
    return paths.lake if storage.url is None else S3Lake(S3Place.from_url(storage.url), read_credentials(environment))


def lake_objects(paths: EnclosurePaths, storage: StorageSection, environment: Environment = None) -> Objects:
    """The same files as objects, to look at without the engine.

    Refuses: STORAGE_URL, STORAGE_CREDENTIALS.
    """
    if storage.url is None:
        return LocalObjects(paths.lake)
    return S3Objects(S3Place.from_url(storage.url), read_credentials(environment))


def remote_catalog(
    paths: EnclosurePaths, catalog: CatalogSection, environment: Environment = None
) -> RemoteCatalog | None:
    """The catalog that a database keeps; None where it is a file.

    Refuses: STORAGE_URL.
    """
    if catalog.url is None or catalog.name is None:
        return None
    keeper = PostgresCatalog(PostgresPlace.from_url(catalog.url), catalog.name, environment)
    return RemoteCatalog(paths.catalog, keeper, catalog.name)


def catalog_in(url: str, environment: Environment = None) -> CatalogSection:
    """A new catalog in the database of the URL, which is asked whether it will keep it.

    Refuses: STORAGE_URL, STORAGE_CREDENTIALS, STORAGE_UNREACHABLE.
    """
    place, name = PostgresPlace.from_url(url), os.urandom(16).hex()
    PostgresCatalog(place, name, environment).prepare()
    return CatalogSection(kind="postgres", url=place.url, name=name)


def require_empty(objects: Objects) -> None:
    """See that nothing lies there, and that what is written there can be read and removed.

    Refuses: ENCLOSURE_EXISTS, STORAGE_BROKEN, STORAGE_UNREACHABLE, STORAGE_CREDENTIALS.
    """
    if next(objects.names(), None) is not None:
        raise refusal(Code.ENCLOSURE_EXISTS, "There are objects under this prefix.", "Name a prefix that is empty.")
    name, content = os.urandom(16).hex(), os.urandom(4096)
    objects.put(name, content)
    try:
        same = b"".join(objects.read(name)) == content
    except KeyError:
        same = False
    objects.remove(name)
    if not same or name in objects.names():
        raise refusal(
            Code.STORAGE_BROKEN,
            "The storage does not keep what it is given, or does not remove it.",
            "Ask its operator, or name another.",
        )
