"""At a sender, without an enclosure: its key, and pseudonyms in the place of identities."""

from __future__ import annotations

import getpass
import json
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import pyarrow as pa

from enclos.app.keys import FILE, Passphrase, key_id, key_store, leave_no_core
from enclos.lexicon.canonical import canonical_bytes
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import BlockCipher, KeyName, KeyRole, SecretKey
from enclos.lexicon.refusals import refusal
from enclos.pseudonyms.model import IdentityColumns
from enclos.pseudonyms.secret_functions import LEVEL_ONE_FUNCTION
from enclos.pseudonyms.secret_functions.distinct import DistinctTags
from enclos.pseudonyms.steps.senders import PSEUDONYM_COLUMN, check_columns, pseudonymise_rows
from enclos.pseudonyms.steps.sent_resources import pseudonymise_resources
from enclos.stores.files import storage_border, write_atomically
from enclos.stores.keys import KeyStore, read_token_uri
from enclos.stores.reidentification_files import public_of, recipient_bytes
from enclos.stores.sender_files import SenderCsv, leaving, ndjson_batches, write_csv, write_ndjson

RECIPIENT = "recipient.json"
_SOURCE, _USES, _FORMAT = "source.json", "uses.jsonl", "enclos-source-1"
_NDJSON = (".ndjson", ".ndjson.gz")


def make_source_key(folder: Path, *, source: str, place: str, passphrase: Passphrase) -> dict[str, Any]:
    """The level-one key of a source, in a folder of the sender's own.

    Out: source, key id, function, place.
    Refuses: KEY_FIXED when there is one, since its pseudonyms depend on it; KEY_URI, TOKEN_UNREACHABLE, TOKEN_PIN
    """
    keys, name = _first_key(folder, KeyName(KeyRole.SOURCE, source), place, passphrase)
    document = {"format": _FORMAT, "source": source, "place": place}
    write_atomically(folder / _SOURCE, canonical_bytes(document), "the source's key")
    return {"source": source, "key": key_id(keys, name), "function": LEVEL_ONE_FUNCTION, "place": place}


def _first_key(folder: Path, name: KeyName, place: str, passphrase: Passphrase) -> tuple[KeyStore, KeyName]:
    """A new key in a folder that has none, and the store that it is in."""
    leave_no_core()
    if (folder / _SOURCE).exists():
        raise refusal(Code.KEY_FIXED, "There is a source's key here already.", "Use it, or name another folder.")
    if place != FILE:
        read_token_uri(place)
    keys = key_store(folder, "keystore" if place == FILE else "token", place, passphrase, new=True)
    keys.create(name)
    return keys, name


def next_source_key(folder: Path, passphrase: Passphrase) -> dict[str, Any]:
    """The source's next key, in use from now on; the earlier one stays to translate by, until ``end_source_key``.

    Out: source, key id, earlier (key ids)
    Refuses: KEY_ROTATING while an earlier one is there
    """
    leave_no_core()
    keys, name = _open_source(folder, passphrase)
    current, earlier = _generations(keys, name)
    if earlier:
        raise refusal(
            Code.KEY_ROTATING,
            "An earlier key of this source is still there.",
            "End it: enclos keys source KEYDIR --end.",
        )
    following = name.of_generation(current + 1)
    if not keys.exists(following):  # made by a run that was stopped
        keys.create(following)
    keys.promote(following)
    return {"source": name.subject, "key": key_id(keys, name), "earlier": [key_id(keys, name.of_generation(current))]}


def end_source_key(folder: Path, passphrase: Passphrase) -> dict[str, Any]:
    """Destroy the source's earlier keys: nothing can be translated any more.

    Out: source, key id, destroyed (key ids)
    Refuses: KEY_FIXED when there is none
    """
    keys, name = _open_source(folder, passphrase)
    _, earlier = _generations(keys, name)
    if not earlier:
        raise refusal(Code.KEY_FIXED, "There is no earlier key of this source.", "Nothing is to be ended.")
    gone = [key_id(keys, name.of_generation(each)) for each in earlier]
    for each, key in zip(earlier, gone, strict=True):
        _note_use(folder, key, ["destroyed"])
        keys.destroy(name.of_generation(each))
    return {"source": name.subject, "key": key_id(keys, name), "destroyed": gone}


def source_ciphers(folder: Path, passphrase: Passphrase, files: list[str]) -> tuple[str, BlockCipher, BlockCipher]:
    """The source, its earlier key and its present one; both uses are in its own trace before.

    Refuses: KEY_FIXED when there is no earlier key
    """
    leave_no_core()
    keys, name = _open_source(folder, passphrase)
    _, earlier = _generations(keys, name)
    if len(earlier) != 1:
        raise refusal(
            Code.KEY_FIXED,
            "There is no earlier key of this source.",
            "Make the next one: enclos keys source KEYDIR --next.",
        )
    old = name.of_generation(earlier[0])
    for each in (old, name):
        _note_use(folder, key_id(keys, each), files)
    return name.subject, keys.blocks(old), keys.blocks(name)


def pseudonymise(
    given: Path,
    out: Path,
    *,
    key: Path,
    passphrase: Passphrase,
    columns: IdentityColumns | None = None,
    separator: str = ";",
    encoding: str = "utf-8",
) -> dict[str, Any]:
    """Write a file, or a folder of FHIR NDJSON, with level-one pseudonyms in the place of identities.

    In: given — a CSV (with ``columns``), an .ndjson file or a folder of them
    Out: source, function, key id, rows or resources by file, seconds.
    Refuses: IDENTITY_INVALID, IDENTITY_SHOWN and SENDER_FILE with the line; PSEUDONYM_COLLISION over all files; nothing
        is left of a refused file.
    """
    started = perf_counter()
    leave_no_core()
    if out.exists():
        raise refusal(Code.SENDER_FILE, "There is something where the pseudonyms would go.", "Name another place.")
    keys, name = _open_source(key, passphrase)
    cipher = keys.blocks(name)
    files = ndjson_files(given) if given.is_dir() else [given]
    if not files or not all(path.is_file() for path in files):
        raise refusal(Code.SENDER_FILE, "There is no file to pseudonymise.", "Name a CSV, or FHIR NDJSON.")
    _note_use(key, key_id(keys, name), [path.name for path in files])
    counts: dict[str, int] = {}
    seen = DistinctTags()
    for path in files:
        target = out / path.name.removesuffix(".gz") if given.is_dir() else out
        if path.name.endswith(_NDJSON):
            found = (
                each for batch in ndjson_batches(path) for each in pseudonymise_resources(batch, cipher, seen=seen)
            )
            with leaving(target) as file:
                counts[path.name] = write_ndjson(file, found)
                seen.check()
            if not counts[path.name]:
                target.unlink()  # nothing in it may leave, for instance practitioners
        elif columns is None:
            raise refusal(
                Code.SENDER_FILE, "A CSV needs its columns named.", "Give --columns nir=…,birth=…,sex=… and --keep."
            )
        else:
            table = SenderCsv(path, separator=separator, encoding=encoding)
            check_columns(table.header, columns)
            with leaving(target) as file, closing(table.batches()) as batches:  # a refusal leaves no reader behind
                rows = (pseudonymise_rows(rows, line, columns, cipher, seen=seen) for line, rows in batches)
                counts[path.name] = write_csv(file, rows, separator=separator)
                seen.check()
    return {
        "source": name.subject,
        "function": LEVEL_ONE_FUNCTION,
        "key": key_id(keys, name),
        "files": counts,
        "seconds": round(perf_counter() - started, 3),
    }


def ndjson_files(folder: Path) -> list[Path]:
    """The FHIR NDJSON files of a folder, in the order of their names."""
    with storage_border("what is given"):
        return sorted(path for path in folder.iterdir() if path.name.endswith(_NDJSON)) if folder.is_dir() else []


def pseudonym_of(key: Path, passphrase: Passphrase, *, nir: str, birth: str, sex: str) -> tuple[str, str]:
    """The source of a key and the level-one pseudonym of one identity, computed in memory; nothing is kept.

    Refuses: IDENTITY_INVALID
    """
    leave_no_core()
    keys, name = _open_source(key, passphrase)
    _note_use(key, key_id(keys, name), ["one identity, typed"])
    rows = pa.table({"nir": [nir], "birth": [birth], "sex": [sex]})
    found = pseudonymise_rows(rows, 1, IdentityColumns("nir", "birth", "sex"), keys.blocks(name))
    return name.subject, str(found[PSEUDONYM_COLUMN][0].as_py())


def make_recipient_key(folder: Path, *, source: str, passphrase: Passphrase, place: str) -> str:
    """A key of the source's own to which answers are sealed, in a folder of its own; its public half.

    Refuses: KEY_FIXED when there is one; KEY_URI, TOKEN_UNREACHABLE, TOKEN_PIN
    """
    keys, name = _first_key(folder, KeyName(KeyRole.RECIPIENT, source), place, passphrase)
    public = public_of(keys.secret(name))
    write_atomically(folder / RECIPIENT, recipient_bytes(source, public), "a public key", mode=0o644)
    document = {"format": _FORMAT, "source": source, "place": place}
    write_atomically(folder / _SOURCE, canonical_bytes(document), "the source's key")
    return public


def recipient_key(folder: Path, passphrase: Passphrase, file: str) -> SecretKey:
    """The key that opens answers; its use is in the source's own trace before."""
    return desk_key(folder, passphrase, file)[1]


def desk_key(folder: Path, passphrase: Passphrase, file: str) -> tuple[str, SecretKey]:
    """The source of a folder with a key for answers, and that key; its use is in the source's own trace before."""
    leave_no_core()
    keys, name = _open_source(folder, passphrase, KeyRole.RECIPIENT)
    if not keys.exists(name):
        raise refusal(
            Code.KEY_MISSING, "There is no key for answers in this folder.", "Make one: enclos reidentify key."
        )
    _note_use(folder, key_id(keys, name), [file])
    return name.subject, keys.secret(name)


def has_key(folder: Path) -> bool:
    """Whether there is a source's key in the folder."""
    return (folder / _SOURCE).exists()


def source_cipher(folder: Path, passphrase: Passphrase, file: str) -> tuple[str, BlockCipher]:
    """The source and its key for pseudonyms; its use is in the source's own trace before."""
    leave_no_core()
    keys, name = _open_source(folder, passphrase)
    _note_use(folder, key_id(keys, name), [file])
    return name.subject, keys.blocks(name)


def _open_source(folder: Path, passphrase: Passphrase, role: KeyRole = KeyRole.SOURCE) -> tuple[KeyStore, KeyName]:
    try:
        document = json.loads((folder / _SOURCE).read_bytes())
        source, place = str(document["source"]), str(document["place"])
    except (OSError, ValueError, KeyError, TypeError):
        raise refusal(
            Code.KEY_MISSING, "There is no source's key in this folder.", "Make one with `enclos keys source`."
        ) from None
    keys = key_store(folder, "keystore" if place == FILE else "token", place, passphrase, new=False)
    return keys, KeyName(role, source)


def _generations(keys: KeyStore, name: KeyName) -> tuple[int, list[int]]:
    """The generation in use, and the earlier ones that are still there."""
    entries = [entry for entry in keys.entries() if entry.name.of_generation(0) == name]
    current = next(entry.name.generation for entry in entries if entry.is_current)
    earlier = [e.name.generation for e in entries if e.name.generation < current and e.destroyed_at is None]
    return current, earlier


def _note_use(folder: Path, key: str, files: list[str]) -> None:
    """The sender's own trace of who used the key, before it is used. Source: SNDS référentiel 6.4."""
    line = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "actor": getpass.getuser(),
        "key": key,
        "files": files,
    }
    with storage_border("the trace of the key's use"), (folder / _USES).open("ab") as file:
        file.write(canonical_bytes(line) + b"\n")
