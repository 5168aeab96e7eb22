"""What the lake's objects were when they were stored, sealed under the catalog's key beside the catalog."""

from __future__ import annotations

import zlib
from pathlib import Path

from enclos.hosting.model import Manifest
from enclos.lexicon.canonical import sha256_hex
from enclos.lexicon.keys import SecretKey
from enclos.stores.files import storage_border, write_atomically
from enclos.stores.sealed import seal, unseal

MANIFEST_CONTEXT = "enclos lake manifest"


def read_manifest(path: Path, key: SecretKey) -> tuple[Manifest, str]:
    """The manifest and its digest; an empty one, without a digest, before the first build.

    Refuses: STORAGE_BROKEN when it is altered.
    """
    if not path.exists():
        return Manifest(), ""
    with storage_border("the manifest"):
        content = zlib.decompress(unseal(key, path.read_bytes(), MANIFEST_CONTEXT))
    return Manifest.from_bytes(content), sha256_hex(content)


def keep_manifest(path: Path, key: SecretKey, manifest: Manifest) -> str:
    """Keep it in the place of the one before, whole or not at all; its digest.

    Refuses: STORAGE_FULL, STORAGE_BROKEN.
    """
    content = manifest.to_bytes()
    write_atomically(path, seal(key, zlib.compress(content), MANIFEST_CONTEXT), "the manifest")
    return sha256_hex(content)
