"""What is asked for twice under one key is done once, also at the same time and by another process."""

from __future__ import annotations

from pathlib import Path
from threading import Thread
from time import sleep
from typing import Any

import pytest

from enclos.app.answered import Answered
from enclos.app.enclosure import create_enclosure
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal
from factories.enclosure import PASSPHRASE, open_home


def test_it_is_done_once_also_at_the_same_time_and_after_the_process(tmp_path: Path) -> None:
    home = tmp_path / "home"
    create_enclosure(home, passphrase=PASSPHRASE, buckets=1)
    answers, done = Answered(), []

    def act() -> dict[str, Any]:
        done.append(1)
        sleep(0.05)
        return {"request": len(done)}

    with open_home(home) as enclosure:
        said: list[dict[str, Any]] = []
        asking = [Thread(target=lambda: said.append(answers.once(enclosure, "alice", "k", "a", act))) for _ in range(4)]
        for each in asking:
            each.start()
        for each in asking:
            each.join()
        assert said == [{"request": 1}] * 4
        assert answers.once(enclosure, "bob", "k", "a", act) == {"request": 2}, "a key is its person's"
        with pytest.raises(Refusal) as caught:
            answers.once(enclosure, "alice", "k", "b", act)
        assert caught.value.code is Code.JOB_KEY

        def refused() -> dict[str, Any]:
            raise refusal(Code.PERMIT_UNKNOWN, "There is none.")

        with pytest.raises(Refusal):
            answers.once(enclosure, "alice", "r", "a", refused)
        assert answers.once(enclosure, "alice", "r", "a", act) == {"request": 3}, "what was refused may be asked again"

        def broken() -> dict[str, Any]:
            raise ValueError

        with pytest.raises(ValueError):
            answers.once(enclosure, "alice", "x", "a", broken)
        with pytest.raises(Refusal) as caught:
            answers.once(enclosure, "alice", "x", "a", act)
        assert caught.value.code is Code.JOB_KEY, "it is not known how it ended"
    with open_home(home) as enclosure:
        assert Answered().once(enclosure, "alice", "k", "a", act) == {"request": 1}
    assert b"request" not in b"".join(path.read_bytes() for path in (home / "jobs").rglob("*.sealed"))
