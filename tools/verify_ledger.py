"""Verify an Enclos ledger by its published files and its public key alone; shares no code with Enclos.

    python verify_ledger.py LEDGER_FOLDER VERIFYING_KEY [--checkpoint KEPT_ELSEWHERE [--witness WITNESS_KEY]]

VERIFYING_KEY is the line of ledger.vkey, or a file that holds it, from a source that you trust: not from the folder
that you verify. For a web address, the folder that `enclos ledger verify URL --copy` filled. With --checkpoint, the
ledger must contain what that earlier checkpoint has signed, or a witness on it. Needs Python 3.11 and "cryptography".
Ends with size and root and 0, or the fault and 4. RFC 6962 § 2.1; C2SP signed-note, tlog-{checkpoint,tiles,cosignature}
"""

import argparse
import base64
import hashlib
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

TILE = re.compile(r"tile/(entries|0|[1-9]\d?)/((?:x\d{3}/)*\d{3})(?:\.p/(\d+))?", re.ASCII)
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)


def demand(condition: object, fault: str) -> None:
    if not condition:
        raise ValueError(fault)


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def root_of(hashes: list[bytes]) -> bytes:
    """RFC 6962's root, by its own definition, over leaf hashes or over roots of equal full subtrees."""
    if len(hashes) < 2:
        return hashes[0] if hashes else sha256(b"")
    split = 1 << ((len(hashes) - 1).bit_length() - 1)
    return sha256(b"\x01" + root_of(hashes[:split]) + root_of(hashes[split:]))


def checkpoint_of(note: bytes, vkey: str, of: str = "") -> tuple[int, bytes]:
    """Size and root of a checkpoint whose signature by the key holds. In: of - the ledger, for a witness's key."""
    name, key_id, encoded = vkey.strip().split("+", 2)
    key = base64.b64decode(encoded, validate=True)
    demand(key[:1] == (b"\x04" if of else b"\x01") and len(key) == 33, "the verifying key is of another kind")
    demand(sha256(name.encode() + b"\n" + key)[:4].hex() == key_id, "the verifying key's id is not its own")
    text, _, tail = note.decode().rpartition("\n\n")
    demand(text and tail.endswith("\n"), "the checkpoint is not a signed note")
    n_signatures = 0
    for line in tail[:-1].split("\n"):
        demand(re.fullmatch(r"— [^\s+]+ [A-Za-z0-9+/]+=*", line), "the checkpoint has a malformed signature")
        signer, signature = line.split(" ")[1:]
        raw = base64.b64decode(signature, validate=True)
        demand(base64.b64encode(raw).decode() == signature, "the checkpoint has a malformed signature")
        if (signer, raw[:4].hex()) == (name, key_id):
            head = f"cosignature/v1\ntime {int.from_bytes(raw[4:12])}\n" if of else ""
            Ed25519PublicKey.from_public_bytes(key[1:]).verify(raw[12 if of else 4 :], f"{head}{text}\n".encode())
            n_signatures += 1
    demand(n_signatures, "the checkpoint is not signed by the given key")
    origin, size, root = text.split("\n")[:3]
    demand(origin == (of or name) and re.fullmatch("0|[1-9][0-9]*", size), "the checkpoint is of another ledger")
    return int(size), base64.b64decode(root, validate=True)


def name_of(level: str, n: int, width: int) -> str:
    path = f"{n % 1000:03}"
    while n := n // 1000:
        path = f"x{n % 1000:03}/{path}"
    return f"tile/{level}/{path}" + ("" if width == 256 else f".p/{width}")


def framed_entries(bundle: bytes) -> list[bytes]:
    """The entries of a bundle, each still with its length before it."""
    if not bundle:
        return []
    end = 2 + int.from_bytes(bundle[:2], "big")
    demand(end <= len(bundle), "a bundle ends within an entry")
    return [bundle[:end], *framed_entries(bundle[end:])]


def check_entry(index: int, data: bytes, last_at: str, open_intents: dict[int, Any]) -> str:
    """The entry's instant, once its form, its place in time and the intent that it closes are found right."""
    entry = json.loads(data)
    canonical = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    demand(canonical == data and entry["v"] == 1, f"entry {index} is not in canonical form")
    demand(INSTANT.fullmatch(entry["at"]) and entry["at"] >= last_at, f"entry {index} is earlier than the one before")
    kind, who = entry["kind"], (entry["action"], entry["actor"], entry.get("permit"))
    demand(kind in ("intent", "outcome", "event"), f"entry {index} is of no kind")
    if kind == "intent":
        open_intents[index] = who
    demand(kind != "outcome" or open_intents.pop(entry["intent"], 0) == who, f"entry {index} closes no such intent")
    return str(entry["at"])


def verify(files: Mapping[str, bytes], vkey: str, kept: bytes | None = None, witness: str = "") -> dict[str, Any]:
    """What the ledger holds. In: files - the checkpoint and all files below tile/, by name; witness - a key of one."""
    size, root = checkpoint_of(files.get("checkpoint", b""), vkey)
    items: dict[str, list[bytes]] = {"entries": []}
    for n in range(-(-size // 256)):
        width = min(256, size - n * 256)
        whole = files.get(name_of("entries", n, 256), b"")
        items["entries"] += framed_entries(files.get(name_of("entries", n, width), whole))[:width]
    leaves = [sha256(b"\x00" + entry[2:]) for entry in items["entries"]]
    demand(len(leaves) == size and root_of(leaves) == root, "the entries do not lead to the signed root")
    last_at, open_intents = "", dict[int, Any]()
    for index, entry in enumerate(items["entries"]):
        last_at = check_entry(index, entry[2:], last_at, open_intents)
    hashes = leaves
    while hashes:
        items[str(len(items) - 1)] = hashes
        hashes = [root_of(hashes[start : start + 256]) for start in range(0, len(hashes) // 256 * 256, 256)]
    for level, made in items.items():
        for n in range(-(-len(made) // 256)):
            name, full = name_of(level, n, min(256, len(made) - n * 256)), name_of(level, n, 256)
            demand(files.get(name, files.get(full, b"")).strip(b"\0"), f"{name} is missing")
    for name in files.keys() - {"checkpoint"}:  # also partial tiles of earlier checkpoints or left by a crash
        match, data = TILE.fullmatch(name), files[name]
        level, n, width = (match[1], int(re.sub("[x/]", "", match[2])), int(match[3] or 256)) if match else ("", 0, 0)
        demand(name == name_of(level, n, width), "there is a file among the tiles that is none")
        ours = items.get(level, [])[n * 256 : n * 256 + width]
        is_same = data == b"".join(ours) if len(ours) == width else data.startswith(b"".join(ours))
        is_emptied = not data.strip(b"\0") and n * 256 + width < len(items.get(level, []))
        demand(is_same or is_emptied, f"{name} is not that of the entries")
    if kept is not None:
        kept_size, kept_root = checkpoint_of(kept, witness or vkey, vkey.split("+", maxsplit=1)[0] if witness else "")
        demand(kept_size <= size and root_of(leaves[:kept_size]) == kept_root, "the kept checkpoint is not contained")
    return {"size": size, "root": base64.b64encode(root).decode(), "n_open": len(open_intents)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Verify an Enclos ledger with its files and its public key.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("verifying_key")
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--witness", default="")
    given = parser.parse_args()
    paths = [given.folder / "checkpoint", *(path for path in given.folder.glob("tile/**/*") if path.is_file())]
    try:
        found = {path.relative_to(given.folder).as_posix(): path.read_bytes() for path in paths}
        key_line = Path(given.verifying_key).read_text() if Path(given.verifying_key).is_file() else given.verifying_key
        kept_note = given.checkpoint.read_bytes() if given.checkpoint else None
        print(json.dumps(verify(found, key_line, kept_note, given.witness)))
    except (OSError, ValueError, KeyError, TypeError, RecursionError, InvalidSignature) as fault:
        print("Not as signed:", fault if type(fault) is ValueError else "a file is malformed", file=sys.stderr)
        sys.exit(4)
