"""Permits on disk behave as permits in memory, and survive what disks do."""

from datetime import timedelta
from pathlib import Path

import pytest

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import NotAllowed, NotAsPromised
from enclos.permits.model import VersionMark
from enclos.permits.steps import amend_permit, load_active, sign_permit
from enclos.stores.permit_files import PermitFiles
from factories.permits import ALICE, NOW, PERMIT_ID, SeedSigner, permit_text

SIGNER = SeedSigner()


def signed(root: Path) -> PermitFiles:
    store = PermitFiles(root)
    sign_permit(permit_text(), store=store, signer=SIGNER, now=NOW, min_count_floor=5)
    return store


def load(store: PermitFiles, **more: object) -> int:
    return load_active(
        PERMIT_ID, ALICE, NOW + timedelta(days=1), store=store, public_key=SIGNER.public_key(), min_count_floor=5
    ).version


def test_versions_are_kept_side_by_side(tmp_path: Path) -> None:
    store = signed(tmp_path)
    amend_permit(
        permit_text(access="aggregates"), store=store, signer=SIGNER, now=NOW, min_count_floor=5, reason="less"
    )
    assert [path.name for path in sorted((tmp_path / PERMIT_ID).iterdir())] == [
        "newest.json",
        "v0001.json",
        "v0002.json",
    ]
    assert load(store) == 2
    assert list(store.ids()) == [PERMIT_ID]


def test_a_version_is_never_replaced(tmp_path: Path) -> None:
    store = signed(tmp_path)
    with pytest.raises(NotAllowed) as caught:
        store.append(PERMIT_ID, 1, b"other", VersionMark(1, "x"))
    assert caught.value.code is Code.PERMIT_EXISTS
    assert load(store) == 1


def test_a_lost_newest_version_is_noticed(tmp_path: Path) -> None:
    store = signed(tmp_path)
    amend_permit(
        permit_text(access="aggregates"), store=store, signer=SIGNER, now=NOW, min_count_floor=5, reason="less"
    )
    (tmp_path / PERMIT_ID / "v0002.json").unlink()
    with pytest.raises(NotAllowed) as caught:
        load(store)
    assert caught.value.code is Code.PERMIT_ROLLED_BACK


def test_the_ledger_remembers_what_a_restored_folder_forgets(tmp_path: Path) -> None:
    signed(tmp_path)
    store = PermitFiles(tmp_path, recorded=lambda _permit: VersionMark(2, "digest of version 2"))
    with pytest.raises(NotAllowed) as caught:
        load(store)
    assert caught.value.code is Code.PERMIT_ROLLED_BACK


def test_death_between_version_and_mark_loses_nothing(tmp_path: Path) -> None:
    store = signed(tmp_path)
    mark = (tmp_path / PERMIT_ID / "newest.json").read_bytes()
    amend_permit(
        permit_text(access="aggregates"), store=store, signer=SIGNER, now=NOW, min_count_floor=5, reason="less"
    )
    (tmp_path / PERMIT_ID / "newest.json").write_bytes(mark)
    assert load(store) == 2


def test_a_broken_mark_is_refused(tmp_path: Path) -> None:
    store = signed(tmp_path)
    (tmp_path / PERMIT_ID / "newest.json").write_bytes(b"{")
    with pytest.raises(NotAsPromised):
        load(store)


def test_an_empty_place_has_no_permits(tmp_path: Path) -> None:
    assert list(PermitFiles(tmp_path / "none").ids()) == []
    assert PermitFiles(tmp_path).versions("FR-1") == []
