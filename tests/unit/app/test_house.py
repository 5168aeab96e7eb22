"""A house that stays open knows the keys in use, and nobody waits in it for anybody."""

from __future__ import annotations

from pathlib import Path

import pytest

from enclos.app.enclosure import create_enclosure
from enclos.app.house import House
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole
from enclos.lexicon.refusals import Refusal
from factories.enclosure import PASSPHRASE, open_home


def test_newcomers_have_the_keys_in_use_while_others_are_inside(tmp_path: Path) -> None:
    folder, key = tmp_path / "home", KeyName(KeyRole.PERMIT, "FR-1")
    create_enclosure(folder, passphrase=PASSPHRASE)
    house = House(folder, PASSPHRASE)
    with house.open() as first, house.open() as again:
        assert first is again
        with open_home(folder) as other:
            other.keys.create(key)
        with house.open() as second:
            assert second is not first
            assert second.keys.exists(key)
            assert second.remembered is first.remembered
            assert first.ledger.size() == second.ledger.size() > 0
    with house.open() as third:
        assert third is second
    rotating = third.paths.rotation
    rotating.parent.mkdir(parents=True, exist_ok=True)
    rotating.touch()
    with pytest.raises(Refusal) as caught, house.open():
        pass
    assert caught.value.code is Code.KEY_ROTATING
    rotating.unlink()
    with house.open() as fourth:
        assert fourth.keys.exists(key)
    house.close()
    assert PASSPHRASE not in repr(house)
