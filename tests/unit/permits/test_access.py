"""Who was listed when, and which days are due."""

from datetime import UTC, date, datetime

import pytest

from enclos.permits.model import Role
from enclos.permits.rules.access import DataUser, data_users, delete_by, reminders
from enclos.permits.steps import amend_permit, list_permits, load_newest, load_versions, revoke_permit, show_permit
from factories.permits import NOW, PERMIT_ID, MemoryPermits, SeedSigner, permit_text, signed_permit

SIGNER = SeedSigner()
END = datetime(2029, 11, 1, tzinfo=UTC)
LATER, LAST = datetime(2027, 3, 1, tzinfo=UTC), datetime(2028, 8, 31, tzinfo=UTC)
ONLY_ALICE = "[{id: alice@example.org, role: researcher}]"


@pytest.fixture
def store() -> MemoryPermits:
    store = MemoryPermits()
    signed_permit(store)
    text = permit_text(users=ONLY_ALICE)
    amend_permit(text, store=store, signer=SIGNER, now=LATER, min_count_floor=5, reason="left")
    return store


def test_who_left_was_listed_until_then(store: MemoryPermits) -> None:
    chain = load_versions(PERMIT_ID, store=store, public_key=SIGNER.public_key())
    assert data_users(chain) == [
        DataUser("alice@example.org", Role.RESEARCHER, NOW, END),
        DataUser("bob@example.org", Role.DATA_MANAGER, NOW, LATER),
    ]
    assert reminders(chain[-1]) == [date(2029, 8, 3), date(2029, 10, 2)]
    assert delete_by(chain[-1]) == date(2030, 5, 1)


def test_nobody_is_listed_after_a_revocation(store: MemoryPermits) -> None:
    revoked = revoke_permit(PERMIT_ID, store=store, signer=SIGNER, now=LAST, reason="asked")
    chain = load_versions(PERMIT_ID, store=store, public_key=SIGNER.public_key())
    assert {user.listed_until for user in data_users(chain)} == {LATER, LAST}
    assert reminders(revoked) == []
    assert delete_by(revoked) == date(2029, 2, 28), "six months after 31 August is the last of February"


def test_every_version_has_an_id_of_its_own_and_a_list_says_what_is_due(store: MemoryPermits) -> None:
    public = SIGNER.public_key()
    shown = show_permit(PERMIT_ID, store=store, public_key=public, now=LATER)
    assert [version["id"] for version in shown["versions"]] == [f"{PERMIT_ID}/v1", f"{PERMIT_ID}/v2"]
    (listed,) = list_permits([load_newest(PERMIT_ID, store=store, public_key=public)], now=LATER)
    assert listed["version_id"] == f"{PERMIT_ID}/v2"
    assert listed["reminders"] == ["2029-08-03", "2029-10-02"]
