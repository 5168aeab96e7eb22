"""What a difference between what was stored and what is found means."""

from __future__ import annotations

from collections.abc import Collection

from enclos.hosting.model import Fault, Manifest, Seal


def fault_of(sealed: Seal | None, found: Seal | None) -> Fault | None:
    """What is wrong with an object that the catalog names; None when it is as it was stored."""
    if found is None:
        return Fault.MISSING
    if sealed is None:
        return Fault.UNSEALED
    return None if found == sealed else Fault.ALTERED


def strangers(found: Collection[str], named: Collection[str]) -> tuple[str, ...]:
    """The objects that no catalog names, in order."""
    return tuple(sorted(set(found) - set(named)))


def is_behind(manifest: Manifest, newest: int | None, written: tuple[int, str] | None, digest: str) -> bool:
    """Whether the catalog or the manifest is an earlier one than that of the newest build in the ledger.

    In: newest — the newest build of the catalog; written — that of the ledger and the digest of its manifest, None when
        it knows none; digest — of the manifest that is there.
    """
    if written is None:
        return False
    snapshot, sealed = written
    if (newest or 0) < snapshot:
        return True
    # a build that was killed before its outcome leaves a manifest that is ahead of the ledger: nobody else can make one
    return bool(sealed) and (manifest.snapshot < snapshot or (manifest.snapshot == snapshot and digest != sealed))
