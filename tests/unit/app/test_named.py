"""Whom permits name is found once for each state of all permits, by whichever process they were signed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from enclos.app.enclosure import Enclosure, create_enclosure
from enclos.app.permits import amend, list_all, listing, permits_naming, revoke, sign
from enclos.ledger.model import Action
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from enclos.stores.permit_files import PermitFiles
from factories.enclosure import ALICE, CAROL, PASSPHRASE, open_home, permit_text


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Enclosure]:
    create_enclosure(tmp_path / "home", passphrase=PASSPHRASE, buckets=2)
    with open_home(tmp_path / "home") as enclosure:
        yield enclosure


def listed(home: Enclosure, user: str) -> list[str]:
    own = [signed.permit.id for signed in listing(home, user)]
    assert [row["permit"] for row in list_all(home, of=user)["permits"]] == own
    return own


def named(home: Enclosure, user: str) -> list[str]:
    return [versions[-1].permit.id for versions in permits_naming(home, user)]


def test_what_another_process_signs_is_found_at_the_next_question(home: Enclosure) -> None:
    assert listed(home, ALICE) == []
    with open_home(home.paths.root) as other:
        sign(other, permit_text("FR-2", users=(ALICE, CAROL)))
        assert listed(home, ALICE) == listed(home, CAROL) == ["FR-2"]
        sign(other, permit_text("FR-1"))
        assert (listed(home, ALICE), listed(home, CAROL)) == (["FR-1", "FR-2"], ["FR-2"])
        amend(other, permit_text("FR-2"), reason="Carol has left")
        revoke(other, "FR-1", reason="it ended")
    assert (listed(home, ALICE), listed(home, CAROL)) == (["FR-1", "FR-2"], [])
    assert (named(home, ALICE), named(home, CAROL)) == (["FR-1", "FR-2"], ["FR-2"]), "whom an earlier version named"


def test_a_version_that_was_kept_before_its_signing_broke_off_is_found(
    home: Enclosure, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = PermitFiles.append

    def keep_and_end(self: PermitFiles, *given: Any) -> None:
        assert listed(home, ALICE) == [], "somebody looks when it has begun"
        keep(self, *given)
        raise KeyboardInterrupt

    with open_home(home.paths.root) as other:
        monkeypatch.setattr(PermitFiles, "append", keep_and_end)
        with pytest.raises(KeyboardInterrupt):
            sign(other, permit_text("FR-1"))
    assert listed(home, ALICE) == ["FR-1"]


def test_others_permits_are_not_read_and_ones_own_are_verified_each_time(home: Enclosure) -> None:
    sign(home, permit_text("FR-1"))
    sign(home, permit_text("FR-2", users=(CAROL,)))
    assert (listed(home, ALICE), listed(home, CAROL)) == (["FR-1"], ["FR-2"])
    file = home.paths.permits / "FR-2" / "v0001.json"
    file.write_bytes(file.read_bytes().replace(b"A test", b"A ruse"))
    assert listed(home, ALICE) == ["FR-1"]
    with pytest.raises(Refusal) as refused:
        listed(home, CAROL)
    assert refused.value.code is Code.PERMIT_ALTERED


def test_another_act_has_nobody_look_again(home: Enclosure) -> None:
    sign(home, permit_text("FR-1"))
    before = home.marks.signings()
    with home.ledger.intent(Action.LEDGER_REVIEW, home.operator, None, {}):
        pass
    assert home.marks.signings() == before
    revoke(home, "FR-1", reason="it ended")
    assert home.marks.signings() > before
