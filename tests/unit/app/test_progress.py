import re

import pytest

from enclos.app.progress import paced, within
from enclos.cli.console import progress_bars


def test_a_pace_says_the_share_and_how_many_rows_a_second() -> None:
    heard = []
    pace = paced(within(lambda *said: heard.append(said), "all of it"), "build", 1_000_000)
    pace(0.0)
    pace(0.5)
    assert heard[0] == ("all of it", 0.0, "")
    phase, done, note = heard[1]
    assert (phase, done) == ("all of it", 0.5)
    assert re.fullmatch(r"[0-9 ]+ rows/s", note)


def test_without_a_terminal_a_long_phase_says_its_rate_and_the_time_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter((100.0, 105.0, 120.0, 121.0))
    monkeypatch.setattr("enclos.cli.console.perf_counter", lambda: next(clock))
    said: list[str] = []
    monkeypatch.setattr("enclos.cli.console.say", said.append)
    with progress_bars() as report:
        for done in (0.0, 0.25, 0.5, 0.6):
            report("ingest", done, "300 000 rows/s")
    assert said == ["… ingest", "… ingest 50%, 300 000 rows/s, 20 s left"]
    assert capsys.readouterr().out == ""
