"""A build over several processes: the same rows, facts and account, workers or the build killed or not."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from enclos.app.enclosure import Enclosure
from enclos.app.hosting import verify_hosting
from enclos.app.quality import judge_quality
from enclos.app.snapshots import build_omop, snapshot_account
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole
from enclos.lexicon.refusals import Refusal
from enclos.stores.crew import TRIES
from enclos.synthetic import make_france
from factories.crews import PASSES, crew_of, facts
from factories.dying import dies_at
from factories.enclosure import open_home, run_cli
from factories.released_home import rows_of

DIED = [
    ("enclos.stores.lake_draft:LakeDraft.take", 1),
    ("enclos.stores.lake_draft:add_files", 1),
    ("enclos.stores.lake_draft:put_durably", 1),
    ("enclos.app.snapshots:seal_lake", 1),
]


def build(enclosure: Enclosure, heard: Callable[[str], None] = lambda _: None, **options: Any) -> dict[str, Any]:
    return build_omop(enclosure, account=True, report=lambda phase, *_told: heard(phase), **options)


def kill_one(killed: list[int], *, most: int) -> Callable[[str], None]:
    def kill(_phase: str) -> None:
        for worker in crew_of(os.getpid(), PASSES):
            if len(killed) < most and worker not in killed:
                os.kill(worker, signal.SIGKILL)
                killed.append(worker)

    return kill


def test_a_build_over_processes_is_that_of_one_though_a_worker_is_killed(released, tmp_path):
    home = Path(shutil.copytree(released, tmp_path / "home"))
    before = rows_of(home)
    killed: list[int] = []
    seen: list[bytes] = []

    def heard(phase: str) -> None:
        seen.extend(
            (Path(f"/proc/{each}") / name).read_bytes()
            for each in crew_of(os.getpid(), PASSES)
            for name in ("cmdline", "environ")
        )
        kill_one(killed, most=1)(phase)

    with open_home(home) as enclosure:
        alone = facts(enclosure), snapshot_account(enclosure)["account"]
        built = build(enclosure, heard, full=True, workers=2)
        assert (facts(enclosure), built["account"]) == alone
        assert verify_hosting(enclosure)["strangers"] == []
        with enclosure.reading_data(), enclosure.engine() as engine:
            keys = enclosure.lake(engine).file_keys()
        secret = enclosure.keys.secret(KeyName(KeyRole.CROSSING))
        spill = enclosure.paths.spill
    assert rows_of(home) == before
    assert built["mode"] == "full"
    assert len(killed) == 1
    assert len(set(keys.values())) == len(keys) > 10
    for form in (secret.reveal(), secret.reveal().hex().encode(), secret.reveal_base64().encode()):
        assert not any(form in each for each in seen)
    assert not crew_of(os.getpid(), PASSES)
    assert not any(spill.glob("*"))


@pytest.mark.slow
def test_a_pass_that_kills_whoever_makes_it_ends_the_build_and_leaves_the_snapshot_before(released, tmp_path):
    home = Path(shutil.copytree(released, tmp_path / "home"))
    before = rows_of(home)
    with pytest.MonkeyPatch.context() as patch, open_home(home) as enclosure:
        patch.setattr("enclos.app.building._WORKER", "factories.dead_worker")
        with pytest.raises(Refusal) as refused:
            build(enclosure, full=True, workers=2)
        assert refused.value.code is Code.WORKER_DIED
        assert f"{TRIES} times" in refused.value.what
    assert run_cli("ledger", "verify", home)["n_open"] == 0
    assert rows_of(home) == before


@pytest.mark.slow
@pytest.mark.parametrize(("function", "number"), DIED)
def test_a_build_killed_at_any_moment_is_made_again_whole(released, tmp_path, function, number):
    home = Path(shutil.copytree(released, tmp_path / "home"))
    before = rows_of(home)
    dies_at(function, number, "build", home, "--full", "--workers", "2")
    assert rows_of(home) == before
    with open_home(home) as enclosure:
        build(enclosure, workers=2)
        assert verify_hosting(enclosure)["strangers"] == []
    assert rows_of(home) == before


@pytest.mark.slow
def test_national_and_hospital_deliveries_one_after_the_other_by_any_number_of_workers_and_buckets(tmp_path):
    make_france(tmp_path, 150, (2019, 2019), 5)
    deliveries = sorted((tmp_path / "deliveries").iterdir())
    later = [each for each in deliveries if "hosp" in each.name or "snds-dcir-2019-09" <= each.name < "snds-e"]
    run_cli("init", tmp_path / "keys", "--buckets", 8)
    found = []
    for first, second in ((1, 1), (3, 2), (2, 5)):
        home = Path(shutil.copytree(tmp_path / "keys", tmp_path / f"home-{first}-{second}"))
        for some, workers in (([each for each in deliveries if each not in later], first), (later, second)):
            run_cli("ingest", home, *some)
            run_cli("link", home)
            built = run_cli("build", home, "--account", "--workers", workers)
        with open_home(home) as enclosure:
            quality = judge_quality(enclosure)
            quality = {name: value for name, value in quality.items() if name != "seconds"}
            told = {name: built[name] for name in ("tables", "account", "vocabularies", "unmapped", "snapshot")}
            found.append((rows_of(home), facts(enclosure), told, quality))
    assert found[0] == found[1] == found[2]
