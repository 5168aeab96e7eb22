"""Signing, loading and changing permits."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from enclos.lexicon.canonical import canonical_bytes
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import NotAllowed, Refusal
from enclos.permits.document import text_from_permit
from enclos.permits.model import SignedPermit, State
from enclos.permits.steps import (
    amend_permit,
    list_permits,
    load_active,
    load_newest,
    renew_permit,
    revoke_permit,
    show_permit,
    sign_permit,
)
from factories.permits import ALICE, NOW, PERMIT_ID, MemoryPermits, SeedSigner, permit_text, signed_permit

SIGNER = SeedSigner()
START = datetime(2026, 11, 1, tzinfo=UTC)
END = datetime(2029, 11, 1, tzinfo=UTC)


def load(store: MemoryPermits, user: str = ALICE, now: datetime = NOW, permit: str = PERMIT_ID) -> SignedPermit:
    return load_active(permit, user, now, store=store, public_key=SIGNER.public_key(), min_count_floor=5)


def refused(store: MemoryPermits, user: str = ALICE, now: datetime = NOW, permit: str = PERMIT_ID) -> Code:
    with pytest.raises(NotAllowed) as caught:
        load(store, user, now, permit)
    assert caught.value.exit_code == 3
    return caught.value.code


@pytest.fixture
def store() -> MemoryPermits:
    store = MemoryPermits()
    signed_permit(store)
    return store


def test_a_signed_permit_loads_for_its_users(store: MemoryPermits) -> None:
    signed = load(store)
    assert signed.state is State.GRANTED
    assert signed.version == 1
    assert load(store, "bob@example.org") == signed


def test_nobody_else(store: MemoryPermits) -> None:
    assert refused(store, "mallory@example.org") is Code.PERMIT_USER_MISSING
    assert refused(store, ALICE.upper()) is Code.PERMIT_USER_MISSING
    assert refused(store, "") is Code.PERMIT_USER_MISSING


def test_its_first_instant_is_in_and_its_last_is_out(store: MemoryPermits) -> None:
    early = MemoryPermits()
    signed_permit(early, now=START - timedelta(days=9))
    assert refused(early, now=START - timedelta(seconds=1)) is Code.PERMIT_NOT_YET_VALID
    assert load(early, now=START).version == 1
    assert load(early, now=END - timedelta(microseconds=1)).version == 1
    assert refused(early, now=END) is Code.PERMIT_EXPIRED
    assert refused(store, now=END + timedelta(days=365)) is Code.PERMIT_EXPIRED


def test_a_clock_before_the_signature_opens_nothing(store: MemoryPermits) -> None:
    assert refused(store, now=NOW - timedelta(seconds=1)) is Code.PERMIT_NOT_YET_VALID


def test_unknown_permits_and_names_that_are_paths(store: MemoryPermits) -> None:
    assert refused(store, permit="FR-2026-9999") is Code.PERMIT_UNKNOWN
    assert refused(store, permit=f"../permits/{PERMIT_ID}") is Code.PERMIT_UNKNOWN
    assert refused(store, permit="") is Code.PERMIT_UNKNOWN


def test_an_unsigned_document_opens_nothing(store: MemoryPermits) -> None:
    document = json.loads(store.files[PERMIT_ID][0])
    del document["signature"]
    store.files[PERMIT_ID][0] = canonical_bytes(document)
    assert refused(store) is Code.PERMIT_UNSIGNED
    store.files[PERMIT_ID][0] = permit_text().encode()
    assert refused(store) is Code.PERMIT_ALTERED
    store.files[PERMIT_ID][0] = b"{}"
    assert refused(store) is Code.PERMIT_UNSIGNED


def test_every_altered_byte_is_noticed(store: MemoryPermits) -> None:
    signed = store.files[PERMIT_ID][0]
    for place in range(len(signed)):
        store.files[PERMIT_ID][0] = signed[:place] + bytes([signed[place] ^ 1]) + signed[place + 1 :]
        assert refused(store) in {Code.PERMIT_ALTERED, Code.PERMIT_UNSIGNED}
    store.files[PERMIT_ID][0] = signed + b" "
    assert refused(store) is Code.PERMIT_ALTERED


def test_a_widened_permit_is_altered(store: MemoryPermits) -> None:
    document = json.loads(store.files[PERMIT_ID][0])
    document["permit"]["users"].append({"id": "mallory@example.org", "role": "researcher"})
    store.files[PERMIT_ID][0] = canonical_bytes(document)
    assert refused(store, "mallory@example.org") is Code.PERMIT_ALTERED


def test_another_body_s_signature_is_none(store: MemoryPermits) -> None:
    theirs = MemoryPermits()
    sign_permit(permit_text(), store=theirs, signer=SeedSigner(2), now=NOW, min_count_floor=5)
    assert refused(theirs) is Code.PERMIT_ALTERED


def test_another_permit_s_file_in_this_place_is_refused(store: MemoryPermits) -> None:
    signed_permit(store, permit="FR-2026-0043")
    store.files[PERMIT_ID] = store.files["FR-2026-0043"]
    assert refused(store) is Code.PERMIT_ALTERED


def test_signing_twice_is_refused(store: MemoryPermits) -> None:
    with pytest.raises(NotAllowed) as caught:
        signed_permit(store)
    assert caught.value.code is Code.PERMIT_EXISTS


def test_a_permit_that_is_over_is_not_signed() -> None:
    with pytest.raises(NotAllowed) as caught:
        signed_permit(MemoryPermits(), now=END)
    assert caught.value.code is Code.PERMIT_EXPIRED


def narrowed(store: MemoryPermits, now: datetime) -> SignedPermit:
    text = permit_text(users="[{id: bob@example.org, role: researcher}]")
    return amend_permit(text, store=store, signer=SIGNER, now=now, min_count_floor=5, reason="Alice left")


def test_an_amendment_takes_effect_at_once(store: MemoryPermits) -> None:
    amended = narrowed(store, NOW + timedelta(hours=1))
    assert (amended.version, amended.state) == (2, State.AMENDED)
    later = NOW + timedelta(hours=1)
    assert refused(store, ALICE, later) is Code.PERMIT_USER_MISSING
    assert load(store, "bob@example.org", later) == amended


def test_an_older_wider_version_is_never_replayed(store: MemoryPermits) -> None:
    narrowed(store, NOW + timedelta(hours=1))
    later = NOW + timedelta(hours=2)
    first, second = store.files[PERMIT_ID]
    store.files[PERMIT_ID] = [first]
    assert refused(store, ALICE, later) is Code.PERMIT_ROLLED_BACK
    store.files[PERMIT_ID] = [first, first]
    assert refused(store, ALICE, later) is Code.PERMIT_ROLLED_BACK
    store.files[PERMIT_ID] = [second, first]
    assert refused(store, ALICE, later) is Code.PERMIT_ROLLED_BACK
    store.files[PERMIT_ID] = [second]
    assert refused(store, "bob@example.org", later) is Code.PERMIT_ROLLED_BACK
    store.files[PERMIT_ID] = []
    assert refused(store, ALICE, later) is Code.PERMIT_ROLLED_BACK


def test_a_version_that_nobody_remembers_is_refused(store: MemoryPermits) -> None:
    store.marks.clear()
    assert refused(store) is Code.PERMIT_ROLLED_BACK


def test_an_amendment_keeps_basis_and_validity(store: MemoryPermits) -> None:
    for changes in (
        {"valid": "{from: 2026-11-01T00:00:00Z, until: 2030-11-01T00:00:00Z}"},
        {"legal_basis": "cnil-2023-146"},
    ):
        with pytest.raises(NotAllowed) as caught:
            amend_permit(permit_text(**changes), store=store, signer=SIGNER, now=NOW, min_count_floor=5, reason="more")
        assert caught.value.code is Code.PERMIT_TRANSITION


def test_revocation_is_for_ever(store: MemoryPermits) -> None:
    revoke_permit(PERMIT_ID, store=store, signer=SIGNER, now=NOW, reason="misuse")
    assert refused(store) is Code.PERMIT_REVOKED
    for attempt in (
        lambda: narrowed(store, NOW),
        lambda: renew_permit(PERMIT_ID, END + timedelta(days=9), store=store, signer=SIGNER, now=NOW, reason=""),
        lambda: revoke_permit(PERMIT_ID, store=store, signer=SIGNER, now=NOW, reason="again"),
    ):
        with pytest.raises(NotAllowed) as caught:
            attempt()
        assert caught.value.code is Code.PERMIT_TRANSITION


def renew(store: MemoryPermits, until: datetime, now: datetime = NOW) -> SignedPermit:
    return renew_permit(PERMIT_ID, until, store=store, signer=SIGNER, now=now, reason="the study goes on")


def test_a_renewal_prolongs_once(store: MemoryPermits) -> None:
    assert renew(store, datetime(2034, 11, 1, tzinfo=UTC)).state is State.RENEWED
    assert load(store, now=END + timedelta(days=1)).version == 2
    with pytest.raises(Refusal) as caught:
        renew(store, datetime(2035, 11, 1, tzinfo=UTC))
    assert caught.value.code is Code.PERMIT_TOO_LONG


def test_a_permit_that_lasts_longer_than_one_grant_is_amended_and_keeps_its_end(store: MemoryPermits) -> None:
    renewed = renew(store, datetime(2039, 11, 1, tzinfo=UTC))
    text = text_from_permit(replace(renewed.permit, min_count=20))
    longer = text.replace("2039-11-01", "2040-11-01")
    with pytest.raises(Refusal) as caught:
        amend_permit(longer, store=store, signer=SIGNER, now=NOW, min_count_floor=5, reason="")
    assert caught.value.code is Code.PERMIT_TRANSITION
    amended = amend_permit(text, store=store, signer=SIGNER, now=NOW, min_count_floor=5, reason="stricter")
    assert (amended.permit.min_count, amended.permit.valid_until) == (20, renewed.permit.valid_until)


def test_a_renewal_is_asked_for_before_the_end_and_is_bounded(store: MemoryPermits) -> None:
    with pytest.raises(NotAllowed) as late:
        renew(store, datetime(2034, 11, 1, tzinfo=UTC), now=END)
    assert late.value.code is Code.PERMIT_TRANSITION
    for until in (END, datetime(2039, 11, 1, 0, 0, 1, tzinfo=UTC)):
        with pytest.raises(Refusal) as caught:
            renew(store, until)
        assert caught.value.code is Code.PERMIT_TOO_LONG


def test_the_cnil_basis_is_not_renewed() -> None:
    store = MemoryPermits()
    signed_permit(store, legal_basis="cnil-2023-146")
    with pytest.raises(Refusal) as caught:
        renew(store, END + timedelta(days=1))
    assert caught.value.code is Code.PERMIT_TOO_LONG


def test_the_floor_of_the_enclosure_wins(store: MemoryPermits) -> None:
    signed = load_active(PERMIT_ID, ALICE, NOW, store=store, public_key=SIGNER.public_key(), min_count_floor=20)
    assert signed.permit.min_count == 20
    assert load(store).permit.min_count == 11


def test_every_version_is_shown_with_its_time(store: MemoryPermits) -> None:
    narrowed(store, NOW + timedelta(hours=1))
    shown = show_permit(PERMIT_ID, store=store, public_key=SIGNER.public_key(), now=NOW + timedelta(hours=2))
    assert shown["state"] == "AMENDED"
    assert [v["active_from"] for v in shown["versions"]] == ["2026-11-02T12:00:00Z", "2026-11-02T13:00:00Z"]
    assert [v["active_until"] for v in shown["versions"]] == ["2026-11-02T13:00:00Z", "2029-11-01T00:00:00Z"]
    assert shown["versions"][1]["reason"] == "Alice left"
    listed = list_permits([load_newest(PERMIT_ID, store=store, public_key=SIGNER.public_key())], now=END)
    assert [entry["state"] for entry in listed] == ["EXPIRED"]
    json.dumps([shown, listed])
