"""Permits: draft, sign, change, show, open."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
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
from enclos.lexicon.refusals import Refusal, refusal
from enclos.permits.document import draft_permit, read_permit
from enclos.permits.model import Permit, SignedPermit, State
from enclos.permits.rules.access import delete_by, results_by
from enclos.permits.rules.applying import check_granter
from enclos.permits.rules.life import check_in_force, state_at
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
from enclos.stores.perimeter_file import PERIMETER_FILE, KeptPersons, PerimeterFile
from enclos.stores.permit_files import PermitFiles, SystemRandomness
from enclos.views.steps import open_view

_SOON = timedelta(days=60)


def draft() -> str:
    """A permit to fill in, as YAML with comments."""
    return draft_permit(datetime.now(UTC).date())


def sign(enclosure: Enclosure, text: str, *, by: str = "") -> dict[str, Any]:
    """Grant a permit and make its key.

    In: by — who of the access body does it; whoever runs the command when not given
    Refuses: what permits refuse of the document.
    """
    with enclosure.at_the_desk():
        return sign_at_desk(enclosure, text, by=by)


def sign_at_desk(enclosure: Enclosure, text: str, *, by: str = "") -> dict[str, Any]:
    """``sign``, for who is alone at the desk already."""
    with enclosure.ledger.intent(Action.PERMIT_SIGN, _access_body(enclosure, by)) as ticket:
        permit = read_permit(text, min_count_floor=enclosure.floor)
        _check_granter(permit, by)
        check_population(permit.terms.population)
        signed = sign_permit(text, now=enclosure.ledger.now(), min_count_floor=enclosure.floor, **_desk(enclosure))
        key = permit_key(signed.permit.id)
        if not enclosure.keys.exists(key):
            enclosure.keys.create(key)
        ticket.facts.update({"permit": signed.permit.id, **signed.facts})
    return _answer(signed)


def amend(
    enclosure: Enclosure, text: str, *, reason: str, by: str = "", of_version: int = 0, of_permit: str = ""
) -> dict[str, Any]:
    """Replace a permit's content by a new signed version.

    In: by — as for ``sign``; of_version, of_permit — the version that was looked at: no other one is changed
    Refuses: what permits refuse of the document; PERMIT_CHANGED.
    """
    actor = _access_body(enclosure, by)
    with enclosure.at_the_desk(), enclosure.ledger.intent(Action.PERMIT_AMEND, actor) as ticket:
        permit = read_permit(text, min_count_floor=enclosure.floor, is_amendment=True)
        check_population(permit.terms.population)
        if of_permit and permit.id != of_permit:
            raise refusal(
                Code.PERMIT_CHANGED, "The document is of another permit.", f"Leave its id as it is: {of_permit}."
            )
        _check_version(enclosure, permit.id, of_version)
        _check_granter(permit, by)
        signed = amend_permit(
            text, now=enclosure.ledger.now(), min_count_floor=enclosure.floor, reason=reason, **_desk(enclosure)
        )
        ticket.facts.update({"permit": signed.permit.id, **signed.facts})
    return _answer(signed)


def renew(
    enclosure: Enclosure, permit_id: str, *, until: datetime, reason: str, by: str = "", of_version: int = 0
) -> dict[str, Any]:
    """Prolong a permit.

    In: by, of_version — as for ``amend``
    """
    actor = _access_body(enclosure, by)
    with enclosure.at_the_desk(), enclosure.ledger.intent(Action.PERMIT_RENEW, actor, permit_id) as ticket:
        _check_version(enclosure, permit_id, of_version)
        _check_granter(newest(enclosure, permit_id).permit, by)
        signed = renew_permit(permit_id, until, now=enclosure.ledger.now(), reason=reason, **_desk(enclosure))
        ticket.facts.update(signed.facts)
    return _answer(signed)


def revoke(enclosure: Enclosure, permit_id: str, *, reason: str, by: str = "", of_version: int = 0) -> dict[str, Any]:
    """End a permit; the next bucket, query or export under it is refused.

    In: by, of_version — as for ``amend``
    """
    actor = _access_body(enclosure, by)
    with enclosure.at_the_desk(), enclosure.ledger.intent(Action.PERMIT_REVOKE, actor, permit_id) as ticket:
        _check_version(enclosure, permit_id, of_version)
        signed = revoke_permit(permit_id, now=enclosure.ledger.now(), reason=reason, **_desk(enclosure))
        remove_cohorts(enclosure.paths.permits / permit_id)
        ticket.facts.update(signed.facts)
    return _answer(signed)


def list_all(enclosure: Enclosure, *, of: str = "") -> dict[str, Any]:
    """Every permit with its state.

    In: of — a user: only the permits that list them
    """
    chains = listing(enclosure, of) if of else [versions[-1] for versions in all_versions(enclosure)]
    return {"permits": list_permits(chains, now=datetime.now(UTC))}


def show_one(enclosure: Enclosure, permit_id: str) -> dict[str, Any]:
    """One permit, its document, versions and state."""
    return show_permit(permit_id, store=_files(enclosure), public_key=_public(enclosure), now=datetime.now(UTC))


def own(enclosure: Enclosure, permit_id: str, user: str) -> SignedPermit:
    """The newest version of a permit that lists the user, in force or not.

    Refuses: PERMIT_UNKNOWN, in the same words for a permit of others and for none.
    """
    try:
        signed = newest(enclosure, permit_id)
    except Refusal as refused:
        if refused.code is not Code.PERMIT_UNKNOWN:
            raise
    else:
        if user in signed.permit.involved_ids:
            return signed
    raise refusal(Code.PERMIT_UNKNOWN, "No permit of this id lists you.", "See those that do.")


def permits_naming(enclosure: Enclosure, user: str) -> list[list[SignedPermit]]:
    """Of every permit that lists a user, or did, all versions, oldest first; others' permits are not read."""
    marks, public_key = enclosure.marks, _public(enclosure)
    mine = marks.named.permits_of(user, marks.signings(), lambda: all_versions(enclosure))
    return [load_versions(permit_id, store=_files(enclosure), public_key=public_key) for permit_id in mine]


def listing(enclosure: Enclosure, user: str) -> list[SignedPermit]:
    """The newest version of every permit that lists a user, in force or not."""
    newest_ones = (versions[-1] for versions in permits_naming(enclosure, user))
    return [signed for signed in newest_ones if user in signed.permit.involved_ids]


def own_permits(enclosure: Enclosure, user: str) -> list[dict[str, Any]]:
    """The permits that list a user, as ``show_one`` gives them, those in force first, with what is left of their time.

    Out: ends_in (until the end), gone (the share of its time that is over), is_in_force, begins_later, ends_soon (in
        the last 60 days), is_user (may work under it, not only answer for it), min_count; delete_by and
        results_by, the last days for what was kept under it and for making results public.
    """
    now, rows = enclosure.ledger.now(), []
    for signed in listing(enclosure, user):
        permit = signed.permit
        begins = max(permit.valid_from, signed.active_from)
        has_ended = state_at(signed, now) in {State.REVOKED, State.EXPIRED}
        rows.append(
            {
                **show_one(enclosure, permit.id),
                "ends_in": permit.valid_until - now,
                "gone": min(max((now - permit.valid_from) / (permit.valid_until - permit.valid_from), 0.0), 1.0),
                "is_in_force": not has_ended and now >= begins,
                "begins_later": not has_ended and now < begins,
                "ends_soon": permit.valid_until - now < _SOON,
                "is_user": user in permit.user_ids,
                "delete_by": delete_by(signed).isoformat(),
                "results_by": results_by(signed).isoformat(),
                "min_count": permit.min_count,
            }
        )
    return sorted(rows, key=lambda row: (not row["is_in_force"], row["ends_in"]))


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


def watcher(
    enclosure: Enclosure, permit_id: str, user: str, also: Callable[[], object] = lambda: None
) -> Callable[[], object]:
    """What a watch asks beside running work: ``active`` by files and clock alone; the ledger is not its to touch.

    In: also — asked each time too
    Refuses: as active, but for what only the ledger knows.
    """
    files, public_key, floor = PermitFiles(enclosure.paths.permits), _public(enclosure), enclosure.floor

    def look() -> object:
        also()
        return load_active(
            permit_id, user, datetime.now(UTC), store=files, public_key=public_key, min_count_floor=floor
        )

    return look


def newest(enclosure: Enclosure, permit_id: str) -> SignedPermit:
    """The newest version, in force or not."""
    return load_newest(permit_id, store=_files(enclosure), public_key=_public(enclosure))


def all_versions(enclosure: Enclosure) -> list[list[SignedPermit]]:
    """Of every permit all versions, oldest first."""
    files = PermitFiles(enclosure.paths.permits, recorded=enclosure.marks.newest_of_all().get)
    public_key = _public(enclosure)
    return [load_versions(permit_id, store=files, public_key=public_key) for permit_id in files.ids()]


def versions_of(enclosure: Enclosure, permit_id: str) -> list[SignedPermit]:
    """All versions of one permit, oldest first."""
    return load_versions(permit_id, store=_files(enclosure), public_key=_public(enclosure))


def permit_key(permit_id: str) -> KeyName:
    """The name of a permit's own key."""
    return KeyName(KeyRole.PERMIT, permit_id)


def open_one(enclosure: Enclosure, permit_id: str, *, by: str = "") -> dict[str, Any]:
    """Write the permit's perimeter for the newest snapshot and nothing else.

    In: by — as for ``sign``
    Out: persons, bytes written, seconds.
    """
    started = perf_counter()
    signed = newest(enclosure, permit_id)
    check_in_force(signed, enclosure.ledger.now())
    with (
        enclosure.at_the_desk(),
        enclosure.ledger.intent(Action.PERMIT_OPEN, _access_body(enclosure, by), permit_id) as ticket,
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


def perimeter_of(
    enclosure: Enclosure,
    permit_id: str,
    engine: Engine,
    snapshot: LakeSnapshot,
    *,
    kept: KeptPersons | None = None,
) -> PerimeterFile:
    """A permit's perimeter, for whoever reads that snapshot.

    In: kept — its persons as this process has looked them up before
    Refuses: KEY_MISSING when the permit's key is destroyed.
    """
    path = enclosure.paths.permits / permit_id / PERIMETER_FILE
    terms = [signed.permit.terms for signed in versions_of(enclosure, permit_id)]
    key, lineage = enclosure.keys.secret(permit_key(permit_id)), lineage_of(enclosure, snapshot)
    return PerimeterFile(engine, snapshot, path, key, terms, kept=kept if lineage else None, lineage=lineage)


def lineage_of(enclosure: Enclosure, snapshot: LakeSnapshot) -> str:
    """What tells a snapshot from another one of its number, as after a restoration: the ledger's newest build.

    Empty: the ledger knows of none; nothing that was read of the snapshot may be kept then
    """
    build = enclosure.marks.build()
    return f"{snapshot.id} {build}" if build else ""


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


def access_body_actor(person: str) -> str:
    """What the ledger calls a person who acts for the access body."""
    return person if person.startswith("access-body:") else f"access-body:{person}"


def _access_body(enclosure: Enclosure, by: str = "") -> str:
    return access_body_actor(by or enclosure.operator)


def _check_granter(permit: Permit, by: str) -> None:
    """Refuses: APPLICATION_PERSON when a person who signed in would grant what they use; the operator is nobody's."""
    if by:
        check_granter(permit, by)


def _check_version(enclosure: Enclosure, permit_id: str, version: int) -> None:
    """Refuses: PERMIT_CHANGED when the newest version is not the one that was looked at."""
    if version and newest(enclosure, permit_id).version != version:
        raise refusal(
            Code.PERMIT_CHANGED,
            f"Permit {permit_id} was changed since it was looked at.",
            "Look at its newest version, then decide again.",
        )


def _files(enclosure: Enclosure) -> PermitFiles:
    return PermitFiles(enclosure.paths.permits, recorded=enclosure.marks.newest)


def _desk(enclosure: Enclosure) -> dict[str, Any]:
    return {"store": _files(enclosure), "signer": AccessBodySigner(enclosure.keys)}


def _public(enclosure: Enclosure) -> bytes:
    return AccessBodySigner(enclosure.keys).public_key()
