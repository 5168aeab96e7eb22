"""The end of a project, or of everything: keys are destroyed, so that no copy anywhere opens, and it is certified."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

from enclos.app.certificates import certify, certify_end
from enclos.app.enclosure import Enclosure, ledger_parts, operator_account
from enclos.app.keys import Passphrase, UsedKeys, open_keys
from enclos.app.marks import PermitMarks
from enclos.app.paths import EnclosurePaths
from enclos.app.permits import all_versions, newest, permit_key
from enclos.app.places import lake_objects, remote_catalog
from enclos.app.progress import Report, silent
from enclos.app.salts import forget_permit
from enclos.app.settings import read_settings
from enclos.app.waiting import alone
from enclos.ledger.model import Action, Fact, Personal
from enclos.ledger.steps import Ledger
from enclos.lexicon.canonical import canonical_bytes
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole
from enclos.lexicon.refusals import Refusal, refusal
from enclos.permits.model import SignedPermit, State
from enclos.permits.rules.access import delete_by, ended_at
from enclos.permits.rules.life import state_at
from enclos.stores.files import lock_exclusive, remove_tree, storage_border, write_atomically
from enclos.stores.permit_files import forget_sealed

_LAST = (KeyRole.LEDGER, KeyRole.LEDGER_SALT)
"""The keys that end after all others: the ledger says how these ended, and the certificate is signed by the last."""


def destroy_permit(enclosure: Enclosure, permit: str, reason: str) -> dict[str, Any]:
    """End a project: its key and all that it sealed; the signed versions and the ledger stay.

    Out: what ``forget_permit`` gives, and delete_by, the last day that the law gives, and in_time.
    Refuses: LEDGER_RETENTION while the permit is in force; ENCLOSURE_BUSY.
    Source: Regulation (EU) 2025/327, Art. 68(12)
    """
    last = delete_by(newest(enclosure, permit))
    answer = forget_permit(enclosure, permit, reason)
    return {**answer, "delete_by": last.isoformat(), "in_time": enclosure.ledger.now().date() <= last}


def list_due(enclosure: Enclosure) -> dict[str, Any]:
    """Every permit that has ended, with the last day for destroying what was kept under it.

    Out: permits (permit, state, ended_on, delete_by, days_left: negative when it is late, destroyed_on: None while its
        key is there), n_late.
    Source: Regulation (EU) 2025/327, Art. 68(12): six months
    """
    now = enclosure.ledger.now()
    rows = [_due(enclosure, chain[-1], now.date()) for chain in all_versions(enclosure) if _has_ended(chain[-1], now)]
    rows.sort(key=lambda row: (row["delete_by"], row["permit"]))
    n_late = sum(row["destroyed_on"] is None and row["days_left"] < 0 for row in rows)
    return {"permits": rows, "n_late": n_late}


def _has_ended(signed: SignedPermit, now: datetime) -> bool:
    return state_at(signed, now) in {State.EXPIRED, State.REVOKED}


def _due(enclosure: Enclosure, signed: SignedPermit, today: date) -> dict[str, Any]:
    permit = signed.permit.id
    key, last = permit_key(permit), delete_by(signed)
    ends = [
        entry.destroyed_at for entry in enclosure.keys.entries()
        if entry.name.of_generation(0) == key and entry.destroyed_at
    ]  # fmt: skip
    return {
        "permit": permit,
        "state": State.REVOKED.value if signed.state is State.REVOKED else State.EXPIRED.value,
        "ended_on": ended_at(signed).date().isoformat(),
        "delete_by": last.isoformat(),
        "days_left": (last - today).days,
        "destroyed_on": max(ends)[:10] if ends and not enclosure.keys.exists(key) else None,
    }


def destroy_all(
    folder: Path, *, passphrase: Passphrase, confirm: str, reason: str, report: Report = silent
) -> dict[str, Any]:
    """End an enclosure: every key, so that neither what lies here, nor at its hosts, nor in any backup opens again.

    Files, objects and database rows are removed too, as far as their hosts answer. The ledger's published files, the
    permits' signed versions, what was published and the certificates stay. Stopped anywhere, the same call goes on.

    In: confirm — the enclosure's name
    Out: keys (ids), removed (files and objects), left (hosts that did not answer: what lies there is ciphertext),
        certificate.
    Refuses: DESTROY_UNCONFIRMED; ENCLOSURE_BUSY, PASSPHRASE_WRONG, TOKEN_UNREACHABLE, TOKEN_PIN.
    """
    paths, settings = EnclosurePaths(folder), read_settings(folder)
    if confirm != settings.enclosure.name:
        raise refusal(
            Code.DESTROY_UNCONFIRMED,
            "This would destroy the whole enclosure for ever.",
            "Say which: --confirm NAME, the name in enclos.toml.",
        )
    with lock_exclusive(paths.move_lock):
        keys = open_keys(paths.keys, settings.keys, passphrase)
        certificate = paths.certificates / "enclosure.json"
        removed, left = 0, list[str]()
        if keys.exists(KeyName(KeyRole.LEDGER)):
            with Ledger.open(*ledger_parts(paths, keys, settings)) as ledger:
                used = UsedKeys(keys, ledger, operator_account())
                enclosure = Enclosure(paths, settings, used, ledger, PermitMarks(ledger))
                facts: dict[str, Fact] = {"what": "all", "reason": Personal(reason)}
                with alone(enclosure), ledger.intent(Action.DESTROY, enclosure.operator, None, facts) as ticket:
                    mark = {"began_at": ledger.now().isoformat()}
                    write_atomically(paths.ended, canonical_bytes(mark), "the mark of an end")
                    left, removed = _end_all_but_the_ledger(enclosure, report)
                    ticket.facts.update({"n_removed": removed, "left": left})
                certify_end(enclosure, certificate, removed=removed, left=left)
                ledger.checkpoint()
            for role in _LAST:
                keys.destroy(KeyName(role))
        with storage_border("the end of an enclosure"):
            remove_tree(paths.ledger / "private")
        gone = [entry.id for entry in keys.entries()]
    return {"keys": gone, "removed": removed, "left": left, "certificate": str(certificate)}


def _end_all_but_the_ledger(enclosure: Enclosure, report: Report) -> tuple[list[str], int]:
    """Keys first: from then on what remains is nothing. Out: which hosts did not answer, and what was removed."""
    for entry in enclosure.keys.entries():
        if entry.destroyed_at is None and entry.name.role not in _LAST:
            enclosure.keys.destroy(entry.name)
    certify(enclosure)
    paths, left, n_removed = enclosure.paths, list[str](), 0
    try:
        objects = lake_objects(paths, enclosure.settings.storage)
        objects.remove_half_written()
        names = list(objects.names())
        for number, name in enumerate(names, 1):
            objects.remove(name)
            n_removed += 1
            report("lake", number / len(names))
    except Refusal:
        left.append("storage")
    try:
        if remote := remote_catalog(paths, enclosure.settings.catalog):
            remote.forget()
    except Refusal:
        left.append("catalog")
    with storage_border("the end of an enclosure"):
        for path in (paths.catalog, paths.manifest, *paths.root.glob("catalog.ducklake.*")):
            n_removed += path.exists()
            path.unlink(missing_ok=True)
        for folder in (
            paths.vault,
            paths.crossing,
            paths.lake,
            paths.release,
            paths.applications,
            paths.judged,
            paths.objections.parent,
            paths.accounts.parent,
        ):
            n_removed += sum(path.is_file() for path in folder.rglob("*"))
            remove_tree(folder)
    for folder in paths.permits.iterdir() if paths.permits.exists() else ():
        n_removed += forget_sealed(folder)
    return left, n_removed
