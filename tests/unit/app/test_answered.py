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


def test_a_person_s_keys_push_out_their_own_oldest_and_nobody_else_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("enclos.app.answered._MOST_KEPT", 3)
    create_enclosure(tmp_path / "home", passphrase=PASSPHRASE, buckets=1)
    answers, done = Answered(), []

    def act() -> dict[str, Any]:
        done.append(1)
        return {"request": len(done)}

    with open_home(tmp_path / "home") as enclosure:
        first = answers.once(enclosure, "bob", "k", "a", act)
        for number in range(5):
            answers.once(enclosure, "alice", f"k{number}", "a", act)
        assert answers.once(enclosure, "bob", "k", "a", act) == first == {"request": 1}
        kept = [number for number in range(5) if answers.has(enclosure, "alice", f"k{number}")]
        assert kept == [2, 3, 4]
        assert sum(path.is_file() for path in enclosure.paths.jobs.rglob("*")) == 4
