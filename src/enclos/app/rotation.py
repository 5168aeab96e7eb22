"""Keys by noun: what there is, a next generation for one, and an end for a permit's."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from enclos.app.certificates import certify, key_row
from enclos.app.enclosure import Enclosure, ledger_parts
from enclos.app.keys import UsedKeys, unrecorded
from enclos.app.parts import accounts_contexts, desk_contexts, permit_contexts, units_contexts
from enclos.app.permits import perimeter_of, permit_key
from enclos.app.places import remote_catalog
from enclos.app.progress import Report, silent
from enclos.app.rounding import archive_of
from enclos.app.salts import keep_earlier
from enclos.app.snapshots import build_omop, reading_snapshot
from enclos.app.translation import resume_translation
from enclos.contracts.durations import DURATION_RULE_IDS
from enclos.ledger.model import Action, Personal
from enclos.ledger.steps import Ledger
from enclos.lexicon.canonical import canonical_bytes
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole
from enclos.lexicon.refusals import refusal
from enclos.pseudonyms.steps.renumbering import cross_all_again, renumber_persons
from enclos.release.steps import renumbered_sets
from enclos.stores.accounts import lock_of
from enclos.stores.files import lock_exclusive, lock_in_turn, storage_border, write_atomically
from enclos.stores.keys import KeySigner
from enclos.stores.landing import landed_under
from enclos.stores.manifest_file import MANIFEST_CONTEXT
from enclos.stores.objection_files import CONTEXT
from enclos.stores.perimeter_file import PERIMETER_FILE, PerimeterFile
from enclos.stores.rekeying import rekey_database, rekey_parquet, rekey_sealed
from enclos.stores.vault import attach_vault


def list_keys(enclosure: Enclosure) -> dict[str, Any]:
    """Every key and its generations: where it lives, since when, whether it is in use; public keys where there are."""
    return {"keys": [key_row(entry) for entry in enclosure.keys.entries()]}


def rotate_key(enclosure: Enclosure, role: str, *, permit: str = "", report: Report = silent) -> dict[str, Any]:
    """Replace a key by its next generation, move all that the old one held, and destroy the old one.

    Nothing else is done meanwhile; a rotation that was stopped anywhere goes on with ``resume_rotation``.
    Out: role, subject, from and to (key ids), moved (files or persons), certificate.
    Refuses: KEY_FIXED for keys that are not rotated; KEY_ROTATING while another rotation is open; ENCLOSURE_BUSY.
    """
    name = KeyName(_role(role), permit)
    if name.role not in _MOVERS or bool(permit) != (name.role is KeyRole.PERMIT):
        raise refusal(
            Code.KEY_FIXED,
            "A key of this role is not rotated, or the permit is missing or too much.",
            f"Rotate one of: {', '.join(sorted(each.value for each in _MOVERS))}; a permit's key with --permit.",
        )
    if enclosure.paths.rotation.exists():
        raise refusal(Code.KEY_ROTATING, "A rotation is open.", "End it: enclos keys rotate DIR --resume.")
    current = _current(enclosure, name)
    marker = {"role": name.role.value, "subject": permit, "from": current, "to": current + 1}
    with enclosure.at_the_desk(), lock_exclusive(enclosure.paths.data_lock):
        write_atomically(enclosure.paths.rotation, canonical_bytes(marker), "a rotation")
    return resume_rotation(enclosure, report=report)


def resume_rotation(enclosure: Enclosure, *, report: Report = silent) -> dict[str, Any]:
    """End the rotation that was begun.

    Refuses: KEY_FIXED when none was.
    """
    if not enclosure.paths.rotation.exists():
        raise refusal(Code.KEY_FIXED, "No rotation is open.", "Begin one: enclos keys rotate DIR ROLE.")
    marker = json.loads(enclosure.paths.rotation.read_bytes())
    if marker["role"] == KeyRole.SOURCE.value:
        return resume_translation(enclosure, marker, report=report)
    name = KeyName(KeyRole(marker["role"]), marker["subject"])
    old, new = name.of_generation(marker["from"]), name.of_generation(marker["to"])
    keys = unrecorded(enclosure.keys)
    report(f"rotate {name}", 0.0)
    with enclosure.at_the_desk():
        facts = {"role": name.role.value, "subject": name.subject, "generation": new.generation}
        with enclosure.ledger.intent(Action.KEY_ROTATE, enclosure.operator, None, facts) as ticket:
            if not keys.exists(new):
                enclosure.keys.create(new)
            moved = _MOVERS[name.role](enclosure, old, new) if keys.exists(old) else {}
            ticket.facts.update(moved)
        if name.role is KeyRole.LEDGER:  # the last that the old key signs: from here on either key opens the ledger
            enclosure.ledger.hand_over(KeySigner(keys, new))
        if name.role is KeyRole.LEDGER_SALT:  # the records written ahead are bound to it
            enclosure.ledger.settle()
        keys.promote(new)
        with _reopened(enclosure) as after:
            after.keys.destroy(old)
            certificates = certify(after)
    with storage_border("the end of a rotation"):
        enclosure.paths.rotation.unlink()
    report(f"rotate {name}", 1.0)
    ids = {entry.name.generation: entry.id for entry in keys.entries() if entry.name.of_generation(0) == name}
    return {
        "role": name.role.value,
        "subject": name.subject,
        "from": ids.get(old.generation, ""),
        "to": ids.get(new.generation, ""),
        "moved": moved,
        "certificates": certificates,
    }


def destroy_key(enclosure: Enclosure, *, permit: str, reason: str) -> dict[str, Any]:
    """Destroy a permit's key for ever: its perimeter, its runs and their person sets become unreadable.

    Out: permit, keys (ids), certificates.
    Refuses: KEY_MISSING when there is none, ENCLOSURE_BUSY.
    """
    name = KeyName(KeyRole.PERMIT, permit)
    if not permit or not enclosure.keys.exists(name):
        raise refusal(Code.KEY_MISSING, "There is no key of this permit.", "List them: enclos keys list DIR.")
    facts = {"role": name.role.value, "reason": Personal(reason)}
    with (
        enclosure.at_the_desk(),
        lock_exclusive(enclosure.paths.data_lock),
        enclosure.ledger.intent(Action.DESTROY, enclosure.operator, permit, facts),
    ):
        enclosure.keys.destroy(name)
        certificates = certify(enclosure)
    gone = [entry.id for entry in enclosure.keys.entries() if entry.name.of_generation(0) == name]
    return {"permit": permit, "keys": gone, "certificates": certificates}


# -- what each role's key holds

_Moved = dict[str, Any]


def _move_vault(enclosure: Enclosure, old: KeyName, new: KeyName) -> _Moved:
    keys, paths = enclosure.keys, enclosure.paths
    before, after = keys.secret(old), keys.secret(new)
    with lock_exclusive(paths.data_lock), enclosure.engine() as engine:
        n_databases = rekey_database(engine, paths.vault_database, before, after)
        if not paths.vault_database.exists():
            return {"n_files": 0}
        attach_vault(engine, paths.vault_database, after)
        files = landed_under(engine, paths.vault / "landed", KeyName(KeyRole.VAULT))
        return {"n_files": n_databases + rekey_parquet(engine, files, before, after)}


def _move_crossing(enclosure: Enclosure, old: KeyName, new: KeyName) -> _Moved:
    before, after = enclosure.keys.secret(old), enclosure.keys.secret(new)
    root = enclosure.paths.crossing
    with lock_exclusive(enclosure.paths.data_lock), enclosure.engine() as engine:
        n_tables = rekey_parquet(engine, root.rglob("*.parquet"), before, after)
        n_lists = rekey_sealed(units_contexts(enclosure.paths), before, after)
    return {"n_files": n_tables + n_lists}


def _move_catalog(enclosure: Enclosure, old: KeyName, new: KeyName) -> _Moved:
    before, after = enclosure.keys.secret(old), enclosure.keys.secret(new)
    remote = remote_catalog(enclosure.paths, enclosure.settings.catalog)
    with lock_exclusive(enclosure.paths.data_lock):
        if remote:
            remote.refresh(before, after)
            remote.take_mark_off()
        with enclosure.engine() as engine:
            n_databases = rekey_database(engine, enclosure.paths.catalog, before, after)
        if remote and enclosure.paths.catalog.exists():
            remote.publish(after)
        manifests = {path: MANIFEST_CONTEXT for path in [enclosure.paths.manifest] if path.exists()}
        return {"n_files": n_databases + rekey_sealed(manifests, before, after)}


def _move_desk(enclosure: Enclosure, old: KeyName, new: KeyName) -> _Moved:
    contexts = desk_contexts(enclosure.paths)
    return {"n_files": rekey_sealed(contexts, enclosure.keys.secret(old), enclosure.keys.secret(new))}


def _move_objections(enclosure: Enclosure, old: KeyName, new: KeyName) -> _Moved:
    contexts = {path: CONTEXT for path in [enclosure.paths.objections] if path.exists()}
    return {"n_files": rekey_sealed(contexts, enclosure.keys.secret(old), enclosure.keys.secret(new))}


def _move_accounts(enclosure: Enclosure, old: KeyName, new: KeyName) -> _Moved:
    contexts = accounts_contexts(enclosure.paths)
    with lock_in_turn(lock_of(enclosure.paths.accounts)):
        return {"n_files": rekey_sealed(contexts, enclosure.keys.secret(old), enclosure.keys.secret(new))}


def _move_permit(enclosure: Enclosure, old: KeyName, new: KeyName) -> _Moved:
    before, after = enclosure.keys.secret(old), enclosure.keys.secret(new)
    contexts = permit_contexts(enclosure.paths, old.subject)
    with lock_exclusive(enclosure.paths.data_lock):
        return {"n_files": rekey_sealed(contexts, before, after)}


def _move_salts(enclosure: Enclosure, old: KeyName, new: KeyName) -> _Moved:
    """What is in the ledger stays as it is; the old key goes under the new one, to compare earlier digests."""
    keys = enclosure.keys
    return {"n_earlier": keep_earlier(enclosure.paths.earlier_salts, keys.secret(old), keys.secret(new))}


def _nothing_held(enclosure: Enclosure, old: KeyName, new: KeyName) -> _Moved:  # noqa: ARG001 - one shape for all
    """A signing key holds nothing; its public keys stay, so that what it signed still verifies."""
    return {}


def _move_persons(enclosure: Enclosure, old: KeyName, new: KeyName) -> _Moved:
    """New numbers for all: the vault's map, every perimeter, and a snapshot; snapshots under old numbers go."""
    keys = enclosure.keys
    with enclosure.vault_engine() as engine:
        numbers = renumber_persons(engine, keys.blocks(old), keys.blocks(new))
    n_permits = sum(_renumber_perimeter(enclosure, perimeter, numbers) for perimeter in _perimeters(enclosure))
    archive = archive_of(enclosure)
    for permit_id, request in archive.requests():
        content = archive.read(permit_id, request)
        if content is not None:
            old_ids, new_ids = (numbers[name].to_numpy() for name in ("old_id", "new_id"))
            archive.keep(permit_id, request, renumbered_sets(content, old_ids, new_ids))
    return {"n_persons": len(numbers), "n_permits": n_permits, **_built_under(enclosure, new)}


def _move_records(enclosure: Enclosure, old: KeyName, new: KeyName) -> _Moved:  # noqa: ARG001 - one shape for all
    """New keys for stays, visits and executants: everything crosses again, and snapshots under old keys go."""
    with enclosure.vault_engine() as engine:
        cross_all_again(engine)
    return _built_under(enclosure, new)


def _built_under(enclosure: Enclosure, new: KeyName) -> _Moved:
    """A snapshot made with the next key, alone in the lake; none when there was none."""
    unrecorded(enclosure.keys).promote(new)
    if not enclosure.refresh_catalog():
        return {}
    build_omop(enclosure, duration=_duration_of_newest(enclosure), full=True)
    for perimeter in _perimeters(enclosure):  # the lists of persons that they hang on go with the other snapshots
        perimeter.anchor()
    with enclosure.changing_lake() as (_, lake):
        return {"n_snapshots_gone": lake.forget_all_but_newest()}


def _duration_of_newest(enclosure: Enclosure) -> str | None:
    """By which rule the newest snapshot's dispensings last, so that the next one has the same rows."""
    with enclosure.reading_data(), enclosure.engine() as engine:
        facts = enclosure.lake(engine).facts() or {}
    names = {id_: name for name, id_ in DURATION_RULE_IDS.items()}
    return names.get(str(facts.get("duration")))


def _perimeters(enclosure: Enclosure) -> Iterator[PerimeterFile]:
    """The perimeters of all permits whose key is there, before the newest snapshot."""
    ids = sorted(path.parent.name for path in enclosure.paths.permits.glob(f"*/{PERIMETER_FILE}"))
    if not ids:
        return
    with reading_snapshot(enclosure) as (engine, snapshot):
        for permit_id in ids:
            if enclosure.keys.exists(permit_key(permit_id)):
                perimeter = perimeter_of(enclosure, permit_id, engine, snapshot)
                if perimeter.exists():
                    yield perimeter


def _renumber_perimeter(enclosure: Enclosure, perimeter: PerimeterFile, numbers: pa.Table) -> bool:
    """Let the permit's numbers stand for the persons' new ones; whether that was still to do."""
    rows = perimeter.rows()
    persons = rows["person_id"].to_numpy()
    old, new = (numbers[name].to_numpy() for name in ("old_id", "new_id"))
    if np.isin(persons, new).all():
        return False
    order = np.argsort(old)
    place = np.minimum(np.searchsorted(old, persons, sorter=order), len(old) - 1)
    if not np.array_equal(old[order[place]], persons):
        raise refusal(Code.STORAGE_BROKEN, "A perimeter would lose persons.", "Open the permit again afterwards.")
    moved = new[order[place]]
    bucket = pa.array((moved % enclosure.n_buckets).astype(np.int32))
    perimeter.replace_persons(pa.table({"bucket": bucket, "person_id": moved, "permit_person": rows["permit_person"]}))
    return True


_MOVERS: dict[KeyRole, Callable[[Enclosure, KeyName, KeyName], _Moved]] = {
    KeyRole.VAULT: _move_vault,
    KeyRole.CROSSING: _move_crossing,
    KeyRole.CATALOG: _move_catalog,
    KeyRole.DESK: _move_desk,
    KeyRole.OBJECTIONS: _move_objections,
    KeyRole.PERMIT: _move_permit,
    KeyRole.LEDGER: _nothing_held,
    KeyRole.LEDGER_SALT: _move_salts,
    KeyRole.RELEASE: _nothing_held,
    KeyRole.ACCESS_BODY: _nothing_held,
    KeyRole.PSEUDONYM: _move_persons,
    KeyRole.RECORD: _move_records,
    KeyRole.SIGN_IN: _nothing_held,
    KeyRole.ACCOUNTS: _move_accounts,
}


# -- inside


@contextmanager
def _reopened(enclosure: Enclosure) -> Iterator[Enclosure]:
    """The enclosure with its ledger opened anew, under the ledger's key that is in use now."""
    keys = unrecorded(enclosure.keys)
    with Ledger.open(*ledger_parts(enclosure.paths, keys, enclosure.settings)) as ledger:
        yield replace(enclosure, ledger=ledger, keys=UsedKeys(keys, ledger, enclosure.operator))


def _current(enclosure: Enclosure, name: KeyName) -> int:
    for entry in enclosure.keys.entries():
        if entry.is_current and entry.name.of_generation(0) == name:
            return entry.name.generation
    raise refusal(Code.KEY_MISSING, "There is no such key.", "List them: enclos keys list DIR.")


def _role(text: str) -> KeyRole:
    try:
        return KeyRole(text)
    except ValueError:
        raise refusal(Code.KEY_FIXED, "There is no such role.", "List the keys: enclos keys list DIR.") from None
