"""Hosting: seal what a build gave to the host, and find out whether the host still has it."""

from __future__ import annotations

import os
from collections import Counter
from time import perf_counter
from typing import Any
from uuid import uuid4

from enclos.app.enclosure import Enclosure
from enclos.app.places import lake_objects
from enclos.app.progress import Report, silent
from enclos.hosting.model import Fault, Manifest, Seal
from enclos.hosting.ports import Objects
from enclos.hosting.rules import is_behind
from enclos.hosting.steps import seal_objects, verify_objects
from enclos.ledger.model import Action
from enclos.lexicon.canonical import sha256_hex
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole
from enclos.lexicon.refusals import refusal
from enclos.stores.backup_place import put_and_read_back
from enclos.stores.lake import Lake
from enclos.stores.manifest_file import keep_manifest, read_manifest
from enclos.stores.reencrypting import reencrypted_parquet

_SHOWN = 5


def seal_lake(enclosure: Enclosure, lake: Lake, snapshot: int, report: Report = silent) -> str:
    """Read what a build has just stored and seal its bytes; the digest of the whole, for the ledger.

    In: lake — attached, nobody else writing.
    Refuses: STORAGE_BROKEN when the host has not what it was just given; STORAGE_UNREACHABLE, STORAGE_FULL.
    """
    key = enclosure.keys.secret(KeyName(KeyRole.CATALOG))
    objects = lake_objects(enclosure.paths, enclosure.settings.storage, enclosure.environment)
    before, _ = read_manifest(enclosure.paths.manifest, key)
    try:
        parted = _part_keys(lake, objects, before, report)
        before = Manifest(before.snapshot, {**before.seals, **parted})
        manifest = seal_objects(
            objects, lake.objects(), before, snapshot, lambda done, total: report("seal", done / total)
        )
    except KeyError:
        raise refusal(
            Code.STORAGE_BROKEN,
            "The storage does not give what it was given a moment ago.",
            "Check the storage, then run `enclos build` again.",
        ) from None
    return keep_manifest(enclosure.paths.manifest, key, manifest)


def _part_keys(lake: Lake, objects: Objects, before: Manifest, report: Report) -> dict[str, Seal]:
    """Give each new file that shares its key with others a key, and a name, of its own; what these files are.

    So a host that exchanges two is noticed by whoever reads one. What is left of a killed build is removed by the next.

    Refuses: KeyError when the host does not give what it was just given; STORAGE_BROKEN.
    """
    keys = lake.file_keys()
    shared = {key for key, n_files in Counter(keys.values()).items() if n_files > 1}
    waiting = sorted(name for name, key in keys.items() if name not in before.seals and key in shared)
    files: dict[str, tuple[str, bytes]] = {}
    seals: dict[str, Seal] = {}
    for done, name in enumerate(waiting):
        report("seal", done / len(waiting))
        key, (folder, _, _) = os.urandom(len(keys[name])), name.rpartition("/")
        content = reencrypted_parquet(b"".join(objects.read(name)), keys[name], key)
        own = f"{folder}/ducklake-{uuid4()}.parquet"
        put_and_read_back(objects, own, content)
        files[name], seals[own] = (own, key), Seal(len(content), sha256_hex(content))
    lake.replace_files(files)
    for name in files:
        objects.remove(name)
    return seals


def verify_hosting(enclosure: Enclosure, *, report: Report = silent) -> dict[str, Any]:
    """Read every object of the lake and compare it with what was stored; trusts the keys and the ledger only.

    Out: storage, snapshot, n_objects, n_bytes, strangers (objects that nothing names and nothing reads), seconds.
    Refuses: STORAGE_ALTERED when an object is missing, altered, exchanged or an earlier one, or the catalog is;
        STORAGE_BROKEN when the catalog does not open; LAKE_EMPTY, ENCLOSURE_BUSY, STORAGE_UNREACHABLE.
    """
    started, kind = perf_counter(), enclosure.settings.storage.kind
    with enclosure.ledger.intent(Action.HOSTING_VERIFY, enclosure.operator, None, {"storage": kind}) as ticket:
        key = enclosure.keys.secret(KeyName(KeyRole.CATALOG))
        with enclosure.reading_data(), enclosure.engine() as engine:
            lake = enclosure.lake(engine)
            named, newest = lake.objects(), lake.newest()
            manifest, digest = read_manifest(enclosure.paths.manifest, key)
            behind = is_behind(manifest, newest, enclosure.marks.build(), digest)
            found = verify_objects(
                lake_objects(enclosure.paths, enclosure.settings.storage, enclosure.environment),
                named,
                manifest,
                lambda done, total: report("verify", done / total),
            )
        counts = {fault.value: len(found.named([fault])) for fault in Fault}
        ticket.facts.update({"n_objects": found.n_objects, "n_bytes": found.n_bytes, "behind": behind, **counts})
        if behind:
            raise refusal(
                Code.STORAGE_ALTERED,
                "The catalog or the manifest is an earlier one than that of the newest build in the ledger.",
                "Restore the newest from a backup, or run `enclos build` and compare.",
            )
        if found.findings:
            several = ", ".join(f"{n} {fault}" for fault, n in counts.items() if n)
            shown = ", ".join(finding.name for finding in found.findings[:_SHOWN])
            raise refusal(
                Code.STORAGE_ALTERED,
                f"Of {found.n_objects} objects, {several}: {shown}{' …' if len(found.findings) > _SHOWN else ''}.",
                "Restore them from a backup; `enclos build --full` writes all anew, and seals what is unsealed.",
            )
    return {
        "storage": kind,
        "snapshot": newest,
        "n_objects": found.n_objects,
        "n_bytes": found.n_bytes,
        "strangers": list(found.strangers),
        "seconds": round(perf_counter() - started, 3),
    }
