"""The enclosure as the portal has it open."""

from __future__ import annotations

from pathlib import Path

import pytest

from enclos.app.enclosure import create_enclosure
from enclos.app.paths import EnclosurePaths
from enclos.app.settings import SETTINGS_FILE
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from enclos.portal.opened import Opened
from factories.enclosure import PASSPHRASE


def test_it_stays_open_lets_nobody_in_while_a_key_is_rotated_and_sees_new_settings(tmp_path: Path) -> None:
    home = tmp_path / "home"
    create_enclosure(home, passphrase=PASSPHRASE, buckets=1)
    opened = Opened(home, PASSPHRASE)
    with opened.use():
        pass  # the keys of sign-in are made when they are first needed
    with opened.use() as (first, door), opened.use() as (second, same):
        assert first is second
        assert door is same
    marker = EnclosurePaths(home).rotation
    marker.touch()
    with pytest.raises(Refusal) as caught, opened.use():
        pass
    assert caught.value.code is Code.KEY_ROTATING
    marker.unlink()
    settings = home / SETTINGS_FILE
    settings.write_text(settings.read_text().replace("minutes = 60", "minutes = 5"))
    with opened.use() as (third, _):
        assert third is not first
        assert third.settings.sign_in.minutes == 5
    opened.close()
