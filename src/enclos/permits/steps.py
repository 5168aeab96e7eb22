"""What can be done with permits: sign, amend, renew, revoke, load, list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal
from enclos.permits.document.fields import json_from_permit, read_permit, text_from_instant
from enclos.permits.model import PERMIT_ID, Event, Permit, SignedPermit, State, instant
from enclos.permits.ports import PermitStore, Signer
from enclos.permits.rules.access import reminders
from enclos.permits.rules.life import check_renewal, check_same_permit, check_valid, next_state, state_at
from enclos.permits.rules.record import chain_of, message_of, read_signed, record_of, signed_bytes

_MAX_REASON = 2000


def sign_permit(text: str, *, store: PermitStore, signer: Signer, now: datetime, min_count_floor: int) -> SignedPermit:
    """Grant the permit that a YAML document states: version 1, signed by the access body.

    Refuses: PERMIT_INVALID; PERMIT_EXISTS when the id is taken; PERMIT_EXPIRED when it would be born dead.
    """
    permit = read_permit(text, min_count_floor=min_count_floor)
    if store.versions(permit.id) or store.newest(permit.id):
        raise refusal(
            Code.PERMIT_EXISTS,
            f"Permit {permit.id} is already signed.",
            "Change it by amendment, or give the new permit its own id.",
        )
    _check_not_over(permit, instant(now))
    return _keep(permit, None, State.GRANTED, "", store=store, signer=signer, now=now)


def amend_permit(
    text: str, *, store: PermitStore, signer: Signer, now: datetime, min_count_floor: int, reason: str
) -> SignedPermit:
    """Replace a permit's content by an amended document; its legal basis and validity stay.

    Refuses: PERMIT_INVALID, PERMIT_UNKNOWN, PERMIT_TRANSITION.
    """
    permit = read_permit(text, min_count_floor=min_count_floor, is_amendment=True)
    before = _chain(permit.id, store=store, public_key=signer.public_key())[-1]
    state = next_state(state_at(before, instant(now)), Event.AMEND)
    check_same_permit(before.permit, permit)
    return _keep(permit, before, state, reason, store=store, signer=signer, now=now)


def renew_permit(
    permit_id: str, until: datetime, *, store: PermitStore, signer: Signer, now: datetime, reason: str
) -> SignedPermit:
    """Prolong a permit before it ends.

    Refuses: PERMIT_UNKNOWN, PERMIT_TRANSITION, PERMIT_TOO_LONG.
    """
    chain = _chain(permit_id, store=store, public_key=signer.public_key())
    state = next_state(state_at(chain[-1], instant(now)), Event.RENEW)
    n_renewals = sum(version.state is State.RENEWED for version in chain)
    check_renewal(chain[-1], instant(until), n_renewals)
    permit = replace(chain[-1].permit, valid_until=instant(until))
    return _keep(permit, chain[-1], state, reason, store=store, signer=signer, now=now)


def revoke_permit(permit_id: str, *, store: PermitStore, signer: Signer, now: datetime, reason: str) -> SignedPermit:
    """Withdraw a permit for ever; it takes effect at once.

    Refuses: PERMIT_UNKNOWN, PERMIT_TRANSITION.
    """
    before = _chain(permit_id, store=store, public_key=signer.public_key())[-1]
    state = next_state(state_at(before, instant(now)), Event.REVOKE)
    return _keep(before.permit, before, state, reason, store=store, signer=signer, now=now)


def load_active(
    permit_id: str, user: str, now: datetime, *, store: PermitStore, public_key: bytes, min_count_floor: int
) -> SignedPermit:
    """The newest version of a permit, if this user may act under it at this instant.

    In: min_count_floor — the enclosure's floor; a permit signed under a lower one is raised to it.
    Refuses: PERMIT_UNKNOWN, PERMIT_UNSIGNED, PERMIT_ALTERED, PERMIT_ROLLED_BACK, PERMIT_NOT_YET_VALID,
             PERMIT_EXPIRED, PERMIT_REVOKED, PERMIT_USER_MISSING.
    """
    signed = load_newest(permit_id, store=store, public_key=public_key)
    check_valid(signed, user, now)
    if signed.permit.min_count >= min_count_floor:
        return signed
    return replace(signed, permit=replace(signed.permit, min_count=min_count_floor))


def load_newest(permit_id: str, *, store: PermitStore, public_key: bytes) -> SignedPermit:
    """The newest version of a permit, in force or not.

    Refuses: PERMIT_UNKNOWN, PERMIT_UNSIGNED, PERMIT_ALTERED, PERMIT_ROLLED_BACK.
    """
    return _chain(permit_id, store=store, public_key=public_key)[-1]


def load_versions(permit_id: str, *, store: PermitStore, public_key: bytes) -> list[SignedPermit]:
    """All versions of a permit, oldest first.

    Refuses: as load_newest.
    """
    return _chain(permit_id, store=store, public_key=public_key)


def show_permit(permit_id: str, *, store: PermitStore, public_key: bytes, now: datetime) -> dict[str, Any]:
    """The permit, its state and all its versions with the time in which each was active, as JSON values."""
    chain = _chain(permit_id, store=store, public_key=public_key)
    ends = [later.active_from for later in chain[1:]]
    versions = [
        {
            "version": signed.version,
            "id": signed.version_id,
            "state": signed.state.value,
            "active_from": text_from_instant(signed.active_from),
            "active_until": text_from_instant(end) if end else text_from_instant(signed.permit.valid_until),
            "reason": signed.reason,
            "digest": signed.digest,
        }
        for signed, end in zip(chain, [*ends, None], strict=True)
    ]
    newest = chain[-1]
    return {**_summary(newest, now), "document": json_from_permit(newest.permit), "versions": versions}


def list_permits(newest: Iterable[SignedPermit], *, now: datetime) -> list[dict[str, Any]]:
    """Permits with their states, as JSON values."""
    return [_summary(signed, now) for signed in newest]


def _summary(signed: SignedPermit, now: datetime) -> dict[str, Any]:
    permit = signed.permit
    return {
        "permit": permit.id,
        "version": signed.version,
        "version_id": signed.version_id,
        "state": state_at(signed, now).value,
        "organisation": permit.holder.organisation,
        "purpose": permit.purpose.text,
        "n_users": len(permit.users),
        "valid_from": text_from_instant(permit.valid_from),
        "valid_until": text_from_instant(permit.valid_until),
        "reminders": [on.isoformat() for on in reminders(signed)],
    }


def _chain(permit_id: str, *, store: PermitStore, public_key: bytes) -> list[SignedPermit]:
    if not PERMIT_ID.fullmatch(permit_id):
        raise _unknown()
    newest = store.newest(permit_id)
    chain = chain_of(list(store.versions(permit_id)), permit_id, public_key)
    if not chain and newest is None:
        raise _unknown()
    if newest is None or newest not in [signed.mark for signed in chain]:
        raise refusal(
            Code.PERMIT_ROLLED_BACK,
            f"The newest version of permit {permit_id} is missing.",
            "Restore all signed versions.",
        )
    return chain


def _unknown() -> Refusal:
    return refusal(
        Code.PERMIT_UNKNOWN, "No such permit was signed in this enclosure.", "List them: enclos permit list DIR."
    )


def _check_not_over(permit: Permit, now: datetime) -> None:
    if permit.valid_until <= now:
        raise refusal(
            Code.PERMIT_EXPIRED, f"Permit {permit.id} would have ended before it is signed.", "Give it a later end."
        )


def _keep(
    permit: Permit,
    before: SignedPermit | None,
    state: State,
    reason: str,
    *,
    store: PermitStore,
    signer: Signer,
    now: datetime,
) -> SignedPermit:
    if len(reason) > _MAX_REASON:
        raise refusal(Code.PERMIT_INVALID, f"The reason is longer than {_MAX_REASON} characters.", "Shorten it.")
    record = record_of(
        permit,
        version=before.version + 1 if before else 1,
        state=state,
        supersedes=before.digest if before else "",
        active_from=instant(now),
        reason=reason,
    )
    content = signed_bytes(record, signer.sign(message_of(record)))
    signed = read_signed(content, signer.public_key())
    store.append(permit.id, signed.version, content, signed.mark)
    return signed
