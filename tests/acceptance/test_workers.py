"""A study over several processes: the same to the byte, workers killed or not; no worker outlives who started it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from enclos.app.permits import revoke
from enclos.app.runs import run_files
from enclos.app.studies import run
from enclos.contracts.result import StudyResult, result_csv
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole
from enclos.lexicon.refusals import NotAllowed
from factories.built_in import write_tables
from factories.crews import BUCKETS, crew_of, is_alive
from factories.enclosure import ALICE, ENCLOS, PASSPHRASE, open_home, permit_text, run_cli

PERMIT = "FR-TEST-0001"
PERIOD = "{start: 1900-01-01, end: 2030-01-01}"
STUDY = """\
study: spread
cohorts:
  bleed: {concepts: [192671], descendants: true, domain: condition, limit: all, end: {days: 30}}
  first: {concepts: [192671], descendants: true, domain: condition, limit: first, end: event_end}
  some: {sampled: {cohort: bleed, number: 20, seed: 3}}
analyses:
  - incidence: {outcome: [bleed, some], interval: [years, overall], sex: [both, female]}
  - prevalence: {outcome: bleed, type: period, interval: years}
  - characterise: {cohort: [bleed, some], timing: first, overlap: true,
                   large_scale: {windows: [[null, -1], [0, 0]], event_in_window: [condition, drug]}}
  - survival: {target: first, outcome: bleed, follow_up_days: 365}
"""


def made(folder: Path, n_buckets: int) -> Path:
    home = folder / "home"
    run_cli("init", home, "--min-count-floor", "1", "--buckets", n_buckets)
    run_cli("ingest", home, folder.parent / "delivery")
    run_cli("build", home)
    file = folder / "permit.yaml"
    file.write_text(permit_text(PERMIT, period=PERIOD, min_count=1, users=(ALICE,)), encoding="utf-8")
    run_cli("permit", "sign", home, file)
    run_cli("permit", "open", home, PERMIT)
    return home


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("workers")
    write_tables(folder / "delivery")
    run_cli("delivery", "make", folder / "delivery", "--kind", "omop", "--source", "gibleed")
    return folder


@pytest.fixture(scope="module")
def home(folder: Path) -> Path:
    (folder / "seven").mkdir()
    return made(folder / "seven", 7)


def ran(home: Path, text: str, workers: int, heard: Callable[[int], None] = lambda _: None) -> StudyResult:
    """The result of a study that was not run before: a comment makes each another one."""

    def report(_phase: str, done: float, *_told: object) -> None:
        heard(round(done * 1000))

    with open_home(home) as enclosure:
        found = run(enclosure, permit=PERMIT, user=ALICE, text=text, workers=workers, report=report)
        assert not found["already"]
        return run_files(enclosure, PERMIT).read(found["run"]).result


def written(result: StudyResult) -> tuple[bytes, object]:
    cells = [(each.key, set(each.numerator), set(each.denominator)) for each in result.cells]
    return result_csv(result.table, result.settings), cells


@pytest.fixture(scope="module")
def alone(home: Path) -> tuple[bytes, object]:
    """What one process finds."""
    return written(ran(home, STUDY, 1))


def test_any_number_of_workers_gives_the_same_to_the_byte(home: Path, alone: tuple[bytes, object]) -> None:
    assert written(ran(home, f"{STUDY}# 3\n", 3)) == alone


@pytest.mark.slow
def test_any_number_of_buckets_gives_the_same_to_the_byte(home: Path, folder: Path) -> None:
    """The two permits have numbers of their own, so that a sample by number would draw others."""
    text = STUDY.replace("bleed, some", "bleed, first")
    (folder / "two").mkdir()
    other = made(folder / "two", 2)
    found = [ran(each, text, 2) for each in (home, other)]
    assert written(found[0])[0] == written(found[1])[0]


def test_a_worker_that_is_killed_is_replaced_and_nothing_is_lost_or_counted_twice(
    home: Path, alone: tuple[bytes, object]
) -> None:
    killed: list[int] = []

    def kill(_done: int) -> None:
        if not killed and (workers := crew_of(os.getpid(), BUCKETS)):
            os.kill(workers[0], signal.SIGKILL)
            killed.append(workers[0])

    disturbed = ran(home, f"{STUDY}# killed\n", 2, kill)
    assert killed
    assert written(disturbed) == alone
    assert not crew_of(os.getpid(), BUCKETS)


@pytest.mark.slow
def test_a_worker_shows_no_key_and_leaves_no_core_and_no_spill(home: Path) -> None:
    with open_home(home) as enclosure:
        names = (KeyName(KeyRole.CATALOG), KeyName(KeyRole.PERMIT, PERMIT))
        secrets = [enclosure.keys.secret(name) for name in names]
        spill = enclosure.paths.spill
    seen: list[bytes] = []

    def look(_done: int) -> None:
        for pid in crew_of(os.getpid(), BUCKETS):
            place = Path(f"/proc/{pid}")
            seen.append((place / "cmdline").read_bytes() + (place / "environ").read_bytes())
            limits = (place / "limits").read_text(encoding="ascii")
            assert "Max core file size        0                    0" in limits

    ran(home, f"{STUDY}# looked at\n", 2, look)
    assert seen
    for secret in secrets:
        for form in (secret.reveal(), secret.reveal().hex().encode(), secret.reveal_base64().encode()):
            assert not any(form in each for each in seen)
    assert b"ENCLOS" not in b"".join(seen)
    assert not list(spill.glob("*-crew-*"))


@pytest.mark.slow
def test_a_revoked_permit_ends_the_study_between_two_buckets(home: Path) -> None:
    file = home.parent / "other.yaml"
    file.write_text(permit_text("FR-TEST-0002", period=PERIOD, min_count=1, users=(ALICE,)), encoding="utf-8")
    run_cli("permit", "sign", home, file)
    run_cli("permit", "open", home, "FR-TEST-0002")
    ended: list[object] = []
    with open_home(home) as enclosure:

        def end(_phase: str, done: float, *_told: object) -> None:
            if done < 0.2 and not ended:
                ended.append(revoke(enclosure, "FR-TEST-0002", reason="a test"))

        with pytest.raises(NotAllowed) as refused:
            run(enclosure, permit="FR-TEST-0002", user=ALICE, text=STUDY, workers=2, report=end)
        assert refused.value.code is Code.PERMIT_REVOKED
    assert not crew_of(os.getpid(), BUCKETS)


@pytest.mark.parametrize("how", [signal.SIGKILL, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_whoever_ends_who_started_the_workers_ends_them_too(home: Path, how: signal.Signals) -> None:
    study = home.parent / f"{how.name}.yaml"
    many = "".join(f"  - incidence: {{outcome: bleed, interval: weeks, washout_days: {days}}}\n" for days in range(60))
    study.write_text(f"{STUDY}{many}# {how.name}\n", encoding="utf-8")
    words = ["study", home, study, "--permit", PERMIT, "--user", ALICE, "--workers", 2, "--json"]
    environment = {**os.environ, "ENCLOS_PASSPHRASE": PASSPHRASE}
    process = subprocess.Popen(
        [str(ENCLOS), *map(str, words)], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    end = time.monotonic() + 60
    while len(workers := crew_of(process.pid, BUCKETS)) < 2:
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.02)
    process.send_signal(how)
    process.wait(timeout=30)
    end = time.monotonic() + 10
    while any(is_alive(each) for each in workers):
        assert time.monotonic() < end
        time.sleep(0.05)
