"""Signed notes, verifying keys, checkpoints and proofs as text.

Source: C2SP signed-note, tlog-checkpoint, tlog-proof.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from enclos.ledger.model import HASH_BYTES, KEY_BYTES, Checkpoint, Proof
from enclos.ledger.rules.merkle import is_included, leaf_hash
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal

ED25519 = b"\x01"
"""The signature type. Another algorithm gets another byte, and so another key id; notes may bear both."""
COSIGNATURE = b"\x04"
"""The type of a witness's signature, by Ed25519 and with its time. Source: C2SP tlog-cosignature."""
MAX_SIGNATURES = 100
_ID_BYTES = 4
_TIME_BYTES = 8
_DASH = "\u2014 "
_NUMBER = re.compile(r"0|[1-9]\d{0,18}", re.ASCII)
_INDEX = re.compile(r"index (0|[1-9]\d{0,18})", re.ASCII)
_PROOF_HEAD = "c2sp.org/tlog-proof@v1"
_PROOF_MAX_HASHES = 64


def is_key_name(name: str) -> bool:
    """Whether a key, and so a ledger's origin, can bear the name."""
    return bool(name) and "+" not in name and not any(char.isspace() or ord(char) < 0x20 for char in name)


def key_id(name: str, public_key: bytes, kind: bytes = ED25519) -> bytes:
    """The four bytes that tell keys apart; not a proof of anything."""
    return hashlib.sha256(name.encode() + b"\n" + kind + public_key).digest()[:_ID_BYTES]


def verifying_key(name: str, public_key: bytes, kind: bytes = ED25519) -> str:
    """The key in the one-line form that verifiers take."""
    return f"{name}+{key_id(name, public_key, kind).hex()}+{_base64(kind + public_key)}"


def read_verifying_key(text: str, kind: bytes = ED25519) -> tuple[str, bytes]:
    """The name and the public key of a verifying key.

    Refuses: LEDGER_UNSIGNED when it is malformed, of another algorithm or kind, or its id is not its own.
    """
    line = text.strip("\n")
    name, _, rest = line.partition("+")
    _, _, encoded = rest.partition("+")
    public_key = _bytes(encoded)[1:]
    if len(public_key) != KEY_BYTES or not is_key_name(name) or verifying_key(name, public_key, kind) != line:
        whose, file = ("witness's", "witness.vkey") if kind == COSIGNATURE else ("ledger's", "ledger.vkey")
        raise refusal(
            Code.LEDGER_UNSIGNED,
            f"The verifying key is not a {whose} Ed25519 key in the form of a signed note.",
            f"Give the line that stands in {file}, from a source that you trust.",
        )
    return name, public_key


def signed(text: str, name: str, public_key: bytes, sign: Callable[[bytes], bytes]) -> bytes:
    """The text as a note with one signature.

    Refuses: ValueError when the text or the name cannot be in a note.
    """
    if not text.endswith("\n") or any(ord(char) < 0x20 and char != "\n" for char in text) or not is_key_name(name):
        raise ValueError("a note is lines of text, signed under a name without spaces")
    signature = _base64(key_id(name, public_key) + sign(text.encode()))
    return f"{text}\n{_DASH}{name} {signature}\n".encode()


def opened(note: bytes, name: str, public_key: bytes) -> str:
    """The text of a note that the key has signed. Signatures of other keys are passed over.

    Refuses: LEDGER_UNSIGNED when the note is malformed, or not or wrongly signed by the key.
    """
    text, mine = _signatures_of(note, name, key_id(name, public_key))
    for signature in mine:
        _check(public_key, signature, text.encode())
    return text


def cosigned(note: bytes, name: str, public_key: bytes, at: datetime, sign: Callable[[bytes], bytes]) -> bytes:
    """The checkpoint's note with a witness's signature after its own: at this time, nothing larger was seen.

    An earlier signature of the same witness gives way. Source: C2SP tlog-cosignature.
    In: at — cut to the second.
    """
    text, _ = _parts(note)
    seconds, own_id = int(at.timestamp()), key_id(name, public_key, COSIGNATURE)
    raw = own_id + seconds.to_bytes(_TIME_BYTES, "big") + sign(_witnessed(text, seconds))
    head, _, tail = note.rpartition(b"\n\n")
    others = [
        line
        for line in tail.decode().splitlines()
        if not (line.startswith(f"{_DASH}{name} ") and _bytes(line.rpartition(" ")[2])[:_ID_BYTES] == own_id)
    ]
    return head + b"\n\n" + "".join(f"{line}\n" for line in [*others, f"{_DASH}{name} {_base64(raw)}"]).encode()


def cosigned_at(note: bytes, name: str, public_key: bytes) -> datetime:
    """When the witness signed the checkpoint of this note; the latest time when it did so more than once.

    Refuses: LEDGER_UNSIGNED when the note is malformed, or not or wrongly signed by the witness.
    """
    text, mine = _signatures_of(note, name, key_id(name, public_key, COSIGNATURE))
    times = []
    for signature in mine:
        seconds = int.from_bytes(signature[:_TIME_BYTES], "big")
        _check(public_key, signature[_TIME_BYTES:], _witnessed(text, seconds))
        times.append(seconds)
    return datetime.fromtimestamp(max(times), UTC)


def _witnessed(text: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def _signatures_of(note: bytes, name: str, wanted: bytes) -> tuple[str, list[bytes]]:
    """The note's text, and the signatures, one at least, under that name and key id; others are passed over."""
    text, signatures = _parts(note)
    mine = [raw[_ID_BYTES:] for signer, raw in signatures if (signer, raw[:_ID_BYTES]) == (name, wanted)]
    if not mine:
        raise _unsigned("The checkpoint is not signed by the given key under this name.")
    return text, mine


def _check(public_key: bytes, signature: bytes, signed_bytes: bytes) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, signed_bytes)
    except InvalidSignature:
        raise _unsigned("The checkpoint's signature does not fit its text.") from None


def with_signature_of(note: bytes, other: bytes) -> bytes:
    """The note with the signatures of another note of the same text after its own.

    Refuses: ValueError when the texts differ
    """
    (text, _, mine), (same, _, theirs) = note.rpartition(b"\n\n"), other.rpartition(b"\n\n")
    if text != same:
        raise ValueError("two notes with different texts")
    lines = dict.fromkeys([*mine.splitlines(), *theirs.splitlines()])
    return text + b"\n\n" + b"\n".join(lines) + b"\n"


def _parts(note: bytes) -> tuple[str, list[tuple[str, bytes]]]:
    try:
        whole = note.decode()
    except UnicodeDecodeError:
        raise _unsigned("The checkpoint is not a signed note.") from None
    head, blank, tail = whole.rpartition("\n\n")
    lines = tail.split("\n")
    is_note = blank and lines.pop() == "" and 0 < len(lines) <= MAX_SIGNATURES
    if not is_note or any(ord(char) < 0x20 and char != "\n" for char in whole):
        raise _unsigned("The checkpoint is not a signed note.")
    signatures = []
    for line in lines:
        name, _, encoded = line.removeprefix(_DASH).partition(" ")
        raw = _bytes(encoded)
        if not line.startswith(_DASH) or not is_key_name(name) or len(raw) <= _ID_BYTES:
            raise _unsigned("The checkpoint has a malformed signature line.")
        signatures.append((name, raw))
    return head + "\n", signatures


def checkpoint_note(checkpoint: Checkpoint, public_key: bytes, sign: Callable[[bytes], bytes]) -> bytes:
    """The checkpoint signed under its origin."""
    text = f"{checkpoint.origin}\n{checkpoint.size}\n{_base64(checkpoint.root)}\n"
    return signed(text, checkpoint.origin, public_key, sign)


def read_checkpoint(note: bytes, origin: str, public_key: bytes) -> Checkpoint:
    """The checkpoint in a note that the key signed under that origin. Extension lines are passed over.

    Refuses: LEDGER_UNSIGNED when it is anything else.
    """
    return _checkpoint_of(opened(note, origin, public_key), origin)


def read_cosigned(note: bytes, origin: str, name: str, public_key: bytes) -> tuple[Checkpoint, datetime]:
    """The checkpoint in a note that a witness signed, and when; the ledger's own signature is not looked at.

    Refuses: LEDGER_UNSIGNED when it is anything else.
    """
    at = cosigned_at(note, name, public_key)
    return _checkpoint_of(_parts(note)[0], origin), at


def read_unsigned(note: bytes, origin: str) -> Checkpoint:
    """The checkpoint in a note, for a reader who compares it with a tree that is signed; no signature is looked at.

    Refuses: LEDGER_UNSIGNED when it is no checkpoint of this ledger.
    """
    return _checkpoint_of(_parts(note)[0], origin)


def _checkpoint_of(text: str, origin: str) -> Checkpoint:
    lines = text.split("\n")[:-1]
    root = _bytes(lines[2]) if len(lines) >= 3 else b""
    if len(root) != HASH_BYTES or not _NUMBER.fullmatch(lines[1]) or "" in lines:
        raise _unsigned("The signed text is not a checkpoint.")
    if lines[0] != origin:
        raise _unsigned("The checkpoint belongs to another ledger.")
    return Checkpoint(origin, int(lines[1]), root)


def proof_text(proof: Proof) -> bytes:
    """The proof as a file that anyone can check with the ledger's verifying key."""
    lines = [_PROOF_HEAD, f"index {proof.index}", *(_base64(part) for part in proof.path), ""]
    return "\n".join(lines).encode() + b"\n" + proof.note


def read_proof(text: bytes) -> Proof:
    """The proof in a file; nothing is checked yet.

    Refuses: LEDGER_DAMAGED when the file is not a proof.
    """
    head, _, note = text.partition(b"\n\n")
    lines = head.decode(errors="replace").split("\n")
    if len(lines) > 1 and lines[1].startswith("extra "):
        del lines[1]
    path = tuple(_bytes(line) for line in lines[2:])
    index = _INDEX.fullmatch(lines[1]) if len(lines) > 1 else None
    are_hashes = len(path) <= _PROOF_MAX_HASHES and all(len(part) == HASH_BYTES for part in path)
    if lines[0] != _PROOF_HEAD or index is None or not are_hashes:
        raise refusal(Code.LEDGER_DAMAGED, "The ledger proof is malformed.", "Ask its sender for it again.")
    return Proof(int(index[1]), path, note)


def check_proof(proof: Proof, entry: bytes, origin: str, public_key: bytes) -> Checkpoint:
    """The checkpoint under which the entry is proved to stand in the ledger.

    Refuses: LEDGER_UNSIGNED, LEDGER_DAMAGED when the entry is not the one proved.
    """
    checkpoint = read_checkpoint(proof.note, origin, public_key)
    if not is_included(proof.index, checkpoint.size, leaf_hash(entry), proof.path, checkpoint.root):
        raise refusal(Code.LEDGER_DAMAGED, "The proof does not lead from the entry to the ledger's root.")
    return checkpoint


def _unsigned(what: str) -> Refusal:
    return refusal(Code.LEDGER_UNSIGNED, what, "Do not rely on this ledger; report it to the access body.")


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _bytes(encoded: str) -> bytes:
    """The bytes of strict base64, or none at all when it is not the one encoding of them."""
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return b""
    return data if _base64(data) == encoded else b""
