"""The signed form of a version: canonical JSON under an Ed25519 signature.

Source: RFC 8785 (canonical JSON), RFC 8032 (Ed25519). The signature covers a context line and the canonical bytes
of everything but itself; the file must be canonical too, so that one version has one byte string.
"""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from enclos.lexicon.canonical import canonical_bytes, sha256_hex
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal
from enclos.permits.document.fields import json_from_permit, permit_from_json, text_from_instant
from enclos.permits.model import Permit, SignedPermit, State

FORMAT = "enclos-permit-1"
_CONTEXT = f"{FORMAT}\n".encode("ascii")
_KEY_BYTES = 32
_MOST_KNOWN = 1024
_FIELDS = {"format", "permit", "version", "state", "supersedes", "active_from", "reason"}


def record_of(
    permit: Permit, *, version: int, state: State, supersedes: str, active_from: datetime, reason: str
) -> dict[str, Any]:
    """The record of a version, before it is signed."""
    return {
        "format": FORMAT,
        "permit": json_from_permit(permit),
        "version": version,
        "state": state.value,
        "supersedes": supersedes,
        "active_from": text_from_instant(active_from),
        "reason": reason,
    }


def message_of(record: dict[str, Any]) -> bytes:
    """The bytes that the access body signs."""
    return _CONTEXT + canonical_bytes(record)


def signed_bytes(record: dict[str, Any], signature: bytes) -> bytes:
    """The file of a signed version."""
    return canonical_bytes({**record, "signature": base64.b64encode(signature).decode("ascii")})


@lru_cache(maxsize=_MOST_KNOWN)
def read_signed(content: bytes, public_key: bytes) -> SignedPermit:
    """The version in a file, after its signature was checked; the same bytes under the same key are checked once.

    In: public_key — the access body's; where it was rotated, the earlier keys follow, 32 bytes each
    Refuses: PERMIT_UNSIGNED without a signature; PERMIT_ALTERED when one byte is not as it was signed.
    """
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise _altered() from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise refusal(
            Code.PERMIT_UNSIGNED, "This is not a signed permit.", "Have it signed: enclos permit sign DIR FILE."
        )
    if "signature" not in document:
        raise refusal(Code.PERMIT_UNSIGNED, "The permit has no signature.", "Have it signed by the access body.")
    record = {name: value for name, value in document.items() if name != "signature"}
    try:
        signature = base64.b64decode(str(document["signature"]), validate=True)
        if not any(_verifies(key, signature, message_of(record)) for key in _each(public_key)):
            raise _altered()
        if set(record) != _FIELDS or canonical_bytes(document) != content:
            raise _altered()
        return SignedPermit(
            permit=permit_from_json(record["permit"]),
            version=int(record["version"]),
            state=State(record["state"]),
            supersedes=str(record["supersedes"]),
            active_from=datetime.fromisoformat(record["active_from"]),
            reason=str(record["reason"]),
            digest=sha256_hex(canonical_bytes(record)),
        )
    except (binascii.Error, ValueError):
        raise _altered() from None


def _each(public_keys: bytes) -> list[bytes]:
    return [public_keys[at : at + _KEY_BYTES] for at in range(0, len(public_keys), _KEY_BYTES)]


def _verifies(public_key: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def _altered() -> Refusal:
    return refusal(
        Code.PERMIT_ALTERED,
        "The permit is not what the access body signed.",
        "Restore the signed file, or have the permit signed again.",
    )


def chain_of(contents: list[bytes], permit_id: str, public_key: bytes) -> list[SignedPermit]:
    """All versions of a permit, oldest first, each the successor of the one before.

    Refuses: as read_signed; PERMIT_ALTERED when a version stands in another's place or belongs to another permit;
    PERMIT_ROLLED_BACK when a link of the chain is missing.
    """
    chain: list[SignedPermit] = []
    for number, content in enumerate(contents, start=1):
        signed = read_signed(content, public_key)
        if signed.permit.id != permit_id:
            raise _altered()
        if signed.version != number or signed.supersedes != (chain[-1].digest if chain else ""):
            raise refusal(
                Code.PERMIT_ROLLED_BACK,
                f"A version of permit {permit_id} is missing or stands in another's place.",
                "Restore all signed versions.",
            )
        chain.append(signed)
    return chain
