"""Seal what a build stored; verify later that the host still has it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from hashlib import sha256

from enclos.hosting.model import Finding, Manifest, Seal, Verification
from enclos.hosting.ports import Objects
from enclos.hosting.rules import fault_of, strangers

Progress = Callable[[int, int], None]


def seal_objects(
    objects: Objects, named: Collection[str], before: Manifest, snapshot: int, progress: Progress = lambda *_: None
) -> Manifest:
    """The manifest after a build: what was sealed before stays as it was sealed, what is new is read once.

    In: named — the objects that the catalog names.
    Refuses: KeyError when the host does not give an object that it was just given.
    """
    seals = {name: before.seals[name] for name in named if name in before.seals}
    fresh = sorted(set(named) - set(seals))
    for done, name in enumerate(fresh):
        progress(done, len(fresh))
        seals[name] = _measured(objects, name)
    return Manifest(snapshot, seals)


def verify_objects(
    objects: Objects, named: Collection[str], manifest: Manifest, progress: Progress = lambda *_: None
) -> Verification:
    """Read every object that the catalog names, to the last byte, and compare it with its seal."""
    findings, n_bytes = [], 0
    for done, name in enumerate(sorted(named)):
        progress(done, len(named))
        try:
            found = _measured(objects, name)
            n_bytes += found.size
        except KeyError:
            found = None
        if fault := fault_of(manifest.seals.get(name), found):
            findings.append(Finding(name, fault))
    return Verification(len(named), n_bytes, tuple(findings), strangers(set(objects.names()), named))


def _measured(objects: Objects, name: str) -> Seal:
    digest, size = sha256(), 0
    for piece in objects.read(name):
        digest.update(piece)
        size += len(piece)
    return Seal(size, digest.hexdigest())
