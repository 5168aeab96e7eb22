"""Sealed data: Parquet under a named key, and small blobs under AES-256-GCM."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, SecretKey
from enclos.lexicon.refusals import refusal
from enclos.stores.engine import quoted

_NONCE_BYTES = 12
_TAG_BYTES = 16
_MAGIC = b"ENCLOS1\x00"


def sealed_copy_sql(
    select_sql: str,
    path: Path,
    key: KeyName,
    *,
    partition_by: Sequence[str] = (),
    file_name: str = "",
    row_group_size: int = 122_880,
) -> str:
    """The COPY statement that writes a query's rows as encrypted Parquet; the engine must hold the key.

    In: path — a file, or a folder when partition_by names columns; file_name — pattern of the files in it.
    """
    options = [
        "FORMAT parquet",
        "COMPRESSION zstd",
        f"ROW_GROUP_SIZE {row_group_size}",
        f"ENCRYPTION_CONFIG {{footer_key: '{key}'}}",
    ]
    if partition_by:
        columns = ", ".join(f'"{column}"' for column in partition_by)
        options += [f"PARTITION_BY ({columns})", "OVERWRITE_OR_IGNORE", "WRITE_PARTITION_COLUMNS true"]
        if file_name:
            options.append(f"FILENAME_PATTERN '{file_name}_{{i}}'")
    return f"COPY ({select_sql}) TO '{quoted(path)}' ({', '.join(options)})"


def sealed_scan_sql(paths: Path | Sequence[Path], key: KeyName, *, hive: bool = False) -> str:
    """A FROM-able expression over encrypted Parquet; a Path may be a glob.

    Empty: an empty sequence of paths is a ValueError, since there would be no schema.
    """
    many = [paths] if isinstance(paths, Path) else list(paths)
    if not many:
        raise ValueError("no file to read")
    listed = ", ".join(f"'{quoted(path)}'" for path in many)
    options = [f"encryption_config = {{footer_key: '{key}'}}", f"hive_partitioning = {str(hive).lower()}"]
    # union_by_name stays off: with encrypted files DuckDB 1.5.5 dereferences a null pointer.
    return f"read_parquet([{listed}], {', '.join(options)})"


def seal(key: SecretKey, content: bytes, context: str) -> bytes:
    """The content encrypted and bound to its context (for instance its file name).

    Source: AES-256-GCM, NIST SP 800-38D, random 96-bit nonce.
    """
    nonce = os.urandom(_NONCE_BYTES)
    return _MAGIC + nonce + AESGCM(key.reveal()).encrypt(nonce, content, context.encode("utf-8"))


def mark_of(path: Path) -> bytes:
    """What tells one sealing from any other: its nonce and its tag, read without a key.

    Refuses: nothing; a file that is gone is a FileNotFoundError.
    """
    with path.open("rb", buffering=0) as file:
        head = file.read(len(_MAGIC) + _NONCE_BYTES)
        file.seek(-min(_TAG_BYTES, file.seek(0, os.SEEK_END)), os.SEEK_END)
        return head + file.read(_TAG_BYTES)


def unseal(key: SecretKey, sealed: bytes, context: str) -> bytes:
    """The content of a sealed blob.

    Refuses: STORAGE_BROKEN when the blob, its key or its context is not the one it was sealed with.
    """
    nonce, body = sealed[len(_MAGIC) : len(_MAGIC) + _NONCE_BYTES], sealed[len(_MAGIC) + _NONCE_BYTES :]
    try:
        if not sealed.startswith(_MAGIC) or len(nonce) != _NONCE_BYTES:
            raise InvalidTag
        return AESGCM(key.reveal()).decrypt(nonce, body, context.encode("utf-8"))
    except InvalidTag:
        raise refusal(
            Code.STORAGE_BROKEN,
            f"A sealed file ({context}) is altered or its key is another one.",
            "Restore it from a backup.",
        ) from None
