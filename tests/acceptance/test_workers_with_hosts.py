"""Several processes where hosts keep the lake and the catalog: the same as one, whatever is killed; nothing is lost."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from enclos.app import cohorts, permits, runs, studies
from enclos.app.building import _greeting
from enclos.app.enclosure import Enclosure
from enclos.app.hosting import verify_hosting
from enclos.app.places import lake_objects
from enclos.app.snapshots import build_omop
from enclos.contracts.result import result_csv
from factories.circe import concept_set, definition
from factories.crews import PASSES, crew_of, facts
from factories.dying import dies_at
from factories.enclosure import ALICE, open_home, permit_text
from factories.postgres import postgres
from factories.released_home import PERMIT, STUDY, built_home, rows_of
from factories.s3_servers import ceph

pytestmark = [pytest.mark.system("radosgw"), pytest.mark.system("postgresql"), pytest.mark.xdist_group("s3")]
BRONCHITIS = 260139
PLACES = ["both", "bucket", "database"]
DRAFT, CATALOG = "enclos.stores.lake_draft", "enclos.stores.remote_catalog:RemoteCatalog"
DIED = [
    ("both", f"{DRAFT}:LakeDraft.take"),
    ("both", f"{DRAFT}:add_files"),
    ("both", f"{DRAFT}:put_durably"),
    ("both", "enclos.app.snapshots:seal_lake"),
    ("both", f"{CATALOG}.publish"),
    ("both", f"{CATALOG}._note"),
    ("bucket", f"{DRAFT}:LakeDraft.take"),
    ("bucket", f"{DRAFT}:put_durably"),
    ("database", f"{DRAFT}:LakeDraft.take"),
    ("database", "enclos.app.snapshots:seal_lake"),
    ("database", f"{CATALOG}.publish"),
    ("database", f"{CATALOG}._note"),
]
"""Where the hosts are, and what a build is about to do when it is killed."""


@dataclass(frozen=True)
class Hosted:
    """An enclosure of forty persons that one process built, and its rows then."""

    home: Path
    rows: dict[str, tuple[int, int]]
    facts: dict[str, Any]


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Hosted]]:
    """By where its hosts are, the enclosure, made when it is first asked for; a test leaves its rows as they were."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**ceph().environment, **postgres().environment}.items():
            patch.setenv(name, value)

        @cache
        def made(place: str) -> Hosted:
            options = {}
            if place != "database":
                options["storage"] = ceph().url(ceph().bucket())
            if place != "bucket":
                options["catalog"] = postgres().url(postgres().database())
            home = built_home(tmp_path_factory.mktemp(place), **options)
            with open_home(home) as enclosure:
                told = facts(enclosure)
            return Hosted(home, rows_of(home), told)

        yield made


@pytest.fixture
def hosted(request: pytest.FixtureRequest, at: Callable[[str], Hosted]) -> Hosted:
    """The lake in a bucket, the catalog in PostgreSQL, or both."""
    return at(request.param)


@contextmanager
def one_is_killed(enclosure: Enclosure) -> Iterator[dict[int, bytes]]:
    """A process that makes passes is killed (SIGKILL) once these have begun to write files.

    Out: its number, and what anybody on the machine can read of it.
    """
    objects = lake_objects(enclosure.paths, enclosure.settings.storage, enclosure.environment)
    killed: dict[int, bytes] = {}
    over = threading.Event()

    def kill() -> None:
        before: set[str] = set()
        while not over.is_set() and not killed:
            time.sleep(0.005)
            workers, now = crew_of(os.getpid(), PASSES), set(objects.names())
            if workers and before and now - before:
                place = Path(f"/proc/{workers[0]}")
                killed[workers[0]] = (place / "cmdline").read_bytes() + (place / "environ").read_bytes()
                os.kill(workers[0], signal.SIGKILL)
            before = before or (now if workers else before)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield killed
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize(
    "hosted", ["both", *(pytest.param(place, marks=pytest.mark.slow) for place in PLACES[1:])], indirect=True
)
def test_builds_by_workers_are_those_of_one_process_though_a_worker_is_killed(hosted: Hosted) -> None:
    with open_home(hosted.home) as enclosure:
        with one_is_killed(enclosure) as killed:
            built = build_omop(enclosure, full=True, workers=2)
        assert (len(killed), built["mode"], facts(enclosure)) == (1, "full", hosted.facts)
        assert not crew_of(os.getpid(), PASSES)
        secrets = (ceph().secret, postgres().password)
        assert not any(secret.encode() in shown for secret in secrets for shown in killed.values())
        assert postgres().password not in json.dumps(_greeting(enclosure, 512, 1))
        again = build_omop(enclosure, workers=2)
        assert (again["rebuilt"], again["tables"]) == ({}, built["tables"])
        # what the killed one had written, nothing names, and it is gone with the next build, parts of uploads too
        assert verify_hosting(enclosure)["strangers"] == []
        assert not lake_objects(enclosure.paths, enclosure.settings.storage).remove_half_written()
        assert not any(enclosure.paths.spill.glob("*"))
    assert rows_of(hosted.home) == hosted.rows


@pytest.mark.slow
@pytest.mark.parametrize("hosted", PLACES, indirect=True)
def test_studies_and_cohorts_by_workers_are_those_of_one_process(hosted: Hosted) -> None:
    found = []
    cough = json.dumps(definition("ConditionOccurrence", 0, ConceptSets=[concept_set(0, BRONCHITIS)]))
    with open_home(hosted.home) as enclosure:
        permits.sign(enclosure, permit_text(PERMIT, period="{start: 2000-01-01, end: 2030-01-01}", min_count=3))
        permits.open_one(enclosure, PERMIT)
        for workers in (1, 2):
            text = f"{STUDY}# by {workers}\n"
            run = studies.run(enclosure, permit=PERMIT, user=ALICE, text=text, workers=workers)
            result = runs.run_files(enclosure, PERMIT).read(run["run"]).result
            cells = [(each.key, set(each.numerator), set(each.denominator)) for each in result.cells]
            counted = cohorts.count(enclosure, permit=PERMIT, user=ALICE, texts={"cough": cough}, workers=workers)
            found.append((run["already"], result_csv(result.table, result.settings), cells, counted["cohorts"]))
    assert found[0] == found[1]
    assert found[0][3][0]["n_persons"]


@pytest.mark.slow
@pytest.mark.parametrize(("hosted", "function"), DIED, indirect=["hosted"])
def test_a_build_that_is_killed_at_any_moment_is_made_again_whole(hosted: Hosted, function: str) -> None:
    dies_at(function, 1, "build", hosted.home, "--full", "--workers", "2")
    assert rows_of(hosted.home) == hosted.rows
    with open_home(hosted.home) as enclosure:
        build_omop(enclosure, workers=2)
        assert facts(enclosure) == hosted.facts
        assert verify_hosting(enclosure)["strangers"] == []
    assert rows_of(hosted.home) == hosted.rows
