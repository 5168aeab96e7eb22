"""Permits: draft, sign, change, show, open."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

from enclos.app.enclosure import Enclosure
from enclos.app.keys import AccessBodySigner
from enclos.app.objectors import objectors_at_opening
from enclos.app.populations import check_population, cohort_persons
from enclos.app.snapshots import reading_snapshot
from enclos.ledger.model import Action
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole
from enclos.lexicon.refusals import Refusal
from enclos.permits.document import draft_permit, read_permit
from enclos.permits.model import SignedPermit
from enclos.permits.rules.life import check_in_force
from enclos.permits.steps import (
    amend_permit,
    list_permits,
    load_active,
    load_newest,
    load_versions,
    renew_permit,
    revoke_permit,
    show_permit,
    sign_permit,
)
from enclos.stores.cohort_file import remove_cohorts
from enclos.stores.engine import Engine
from enclos.stores.lake import LakeSnapshot
from enclos.stores.perimeter_file import PERIMETER_FILE, PerimeterFile
from enclos.stores.permit_files import PermitFiles, SystemRandomness
from enclos.views.steps import open_view


def draft() -> str:
    """A permit to fill in, as YAML with comments."""
    return draft_permit(datetime.now(UTC).date())


def sign(enclosure: Enclosure, text: str) -> dict[str, Any]:
    """Grant a permit and make its key.

    Refuses: what permits refuse of the document.
    """
    with enclosure.at_the_desk(), enclosure.ledger.intent(Action.PERMIT_SIGN, _access_body(enclosure)) as ticket:
        check_population(read_permit(text, min_count_floor=enclosure.floor).terms.population)
        signed = sign_permit(text, now=enclosure.ledger.now(), min_count_floor=enclosure.floor, **_desk(enclosure))
        key = permit_key(signed.permit.id)
        if not enclosure.keys.exists(key):
            enclosure.keys.create(key)
        ticket.facts.update({"permit": signed.permit.id, **signed.facts})
    return _answer(signed)


def amend(enclosure: Enclosure, text: str, *, reason: str) -> dict[str, Any]:
    """Replace a permit's content by a new signed version."""
    with enclosure.at_the_desk(), enclosure.ledger.intent(Action.PERMIT_AMEND, _access_body(enclosure)) as ticket:
        check_population(read_permit(text, min_count_floor=enclosure.floor).terms.population)
        signed = amend_permit(
            text, now=enclosure.ledger.now(), min_count_floor=enclosure.floor, reason=reason, **_desk(enclosure)
        )
        ticket.facts.update({"permit": signed.permit.id, **signed.facts})
    return _answer(signed)


def renew(enclosure: Enclosure, permit_id: str, *, until: datetime, reason: str) -> dict[str, Any]:
    """Prolong a permit."""
    actor = _access_body(enclosure)
    with enclosure.at_the_desk(), enclosure.ledger.intent(Action.PERMIT_RENEW, actor, permit_id) as ticket:
        signed = renew_permit(permit_id, until, now=enclosure.ledger.now(), reason=reason, **_desk(enclosure))
        ticket.facts.update(signed.facts)
    return _answer(signed)


def revoke(enclosure: Enclosure, permit_id: str, *, reason: str) -> dict[str, Any]:
    """End a permit; the next bucket, query or export under it is refused."""
    actor = _access_body(enclosure)
    with enclosure.at_the_desk(), enclosure.ledger.intent(Action.PERMIT_REVOKE, actor, permit_id) as ticket:
        signed = revoke_permit(permit_id, now=enclosure.ledger.now(), reason=reason, **_desk(enclosure))
        remove_cohorts(enclosure.paths.permits / permit_id)
        ticket.facts.update(signed.facts)
    return _answer(signed)


def list_all(enclosure: Enclosure) -> dict[str, Any]:
    """Every permit with its state."""
    return {"permits": list_permits(store=_files(enclosure), public_key=_public(enclosure), now=datetime.now(UTC))}


def show_one(enclosure: Enclosure, permit_id: str) -> dict[str, Any]:
    """One permit, its document, versions and state."""
    return show_permit(permit_id, store=_files(enclosure), public_key=_public(enclosure), now=datetime.now(UTC))


def active(enclosure: Enclosure, permit_id: str, user: str) -> SignedPermit:
    """The permit, if this user may act under it now; a refusal is in the ledger with who asked.

    Of a permit that has ended the saved cohorts go at the first use after its end.

    Refuses: unknown, unsigned, altered, rolled back, not yet valid, expired, revoked, user not listed.
    """
    try:
        return load_active(
            permit_id,
            user,
            enclosure.ledger.now(),
            store=_files(enclosure),
            public_key=_public(enclosure),
            min_count_floor=enclosure.floor,
        )
    except Refusal as refused:
        if refused.code in {Code.PERMIT_EXPIRED, Code.PERMIT_REVOKED}:
            remove_cohorts(enclosure.paths.permits / permit_id)
        raise


def watcher(enclosure: Enclosure, permit_id: str, user: str) -> Callable[[], object]:
    """What a watch asks beside running work: ``active`` by files and clock alone; the ledger is not its to touch.

    Refuses: as active, but for what only the ledger knows.
    """
    files, public_key, floor = PermitFiles(enclosure.paths.permits), _public(enclosure), enclosure.floor

    def look() -> object:
        return load_active(
            permit_id, user, datetime.now(UTC), store=files, public_key=public_key, min_count_floor=floor
        )

    return look


def newest(enclosure: Enclosure, permit_id: str) -> SignedPermit:
    """The newest version, in force or not."""
    return load_newest(permit_id, store=_files(enclosure), public_key=_public(enclosure))


def all_versions(enclosure: Enclosure) -> list[list[SignedPermit]]:
    """Of every permit all versions, oldest first."""
    files, public_key = _files(enclosure), _public(enclosure)
    return [load_versions(permit_id, store=files, public_key=public_key) for permit_id in files.ids()]


def versions_of(enclosure: Enclosure, permit_id: str) -> list[SignedPermit]:
    """All versions of one permit, oldest first."""
    return load_versions(permit_id, store=_files(enclosure), public_key=_public(enclosure))


def permit_key(permit_id: str) -> KeyName:
    """The name of a permit's own key."""
    return KeyName(KeyRole.PERMIT, permit_id)


def open_one(enclosure: Enclosure, permit_id: str) -> dict[str, Any]:
    """Write the permit's perimeter for the newest snapshot and nothing else.

    Out: persons, bytes written, seconds.
    """
    started = perf_counter()
    signed = newest(enclosure, permit_id)
    check_in_force(signed, enclosure.ledger.now())
    with (
        enclosure.at_the_desk(),
        enclosure.ledger.intent(Action.PERMIT_OPEN, _access_body(enclosure), permit_id) as ticket,
        reading_snapshot(enclosure) as (engine, snapshot),
    ):
        objecting = objectors_at_opening(enclosure, signed)
        opened = open_view(
            signed.permit.terms,
            engine=engine,
            snapshot=snapshot,
            perimeter=perimeter_of(enclosure, permit_id, engine, snapshot),
            randomness=SystemRandomness(),
            opted_out=objecting,
            cohort=cohort_persons(signed.permit.terms, engine, snapshot, objecting),
        )
        ticket.facts.update({"snapshot": snapshot.id, "n_bytes": opened.n_bytes, **signed.facts})
    return {
        "permit": permit_id,
        "snapshot": snapshot.id,
        "n_persons": opened.n_persons,
        "bytes_written": opened.n_bytes,
        "bytes_per_person": round(opened.n_bytes / opened.n_persons, 4) if opened.n_persons else None,
        "seconds": round(perf_counter() - started, 3),
    }


def perimeter_of(enclosure: Enclosure, permit_id: str, engine: Engine, snapshot: LakeSnapshot) -> PerimeterFile:
    """A permit's perimeter, for whoever reads that snapshot.

    Refuses: KEY_MISSING when the permit's key is destroyed.
    """
    path = enclosure.paths.permits / permit_id / PERIMETER_FILE
    terms = [signed.permit.terms for signed in versions_of(enclosure, permit_id)]
    return PerimeterFile(engine, snapshot, path, enclosure.keys.secret(permit_key(permit_id)), terms)


def _answer(signed: SignedPermit) -> dict[str, Any]:
    return {
        "permit": signed.permit.id,
        "version": signed.version,
        "version_id": signed.version_id,
        "state": signed.state.value,
        "valid_from": signed.permit.valid_from.isoformat(),
        "valid_until": signed.permit.valid_until.isoformat(),
        "min_count": signed.permit.min_count,
        "round_to": signed.permit.round_to,
        "digest": signed.digest,
    }


def _access_body(enclosure: Enclosure) -> str:
    return f"access-body:{enclosure.operator}"


def _files(enclosure: Enclosure) -> PermitFiles:
    return PermitFiles(enclosure.paths.permits, recorded=enclosure.marks.newest)


def _desk(enclosure: Enclosure) -> dict[str, Any]:
    return {"store": _files(enclosure), "signer": AccessBodySigner(enclosure.keys)}


def _public(enclosure: Enclosure) -> bytes:
    return AccessBodySigner(enclosure.keys).public_key()
