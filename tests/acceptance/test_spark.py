"""A study on Spark: the same to the byte, and no key but where a bucket is looked at."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from enclos.app.hosting import verify_hosting
from enclos.app.permits import revoke
from enclos.app.runs import run_files
from enclos.app.settings import SparkSection
from enclos.app.snapshots import build_omop
from enclos.app.spark import spark_place
from enclos.app.studies import run
from enclos.contracts.result import StudyResult, result_csv
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole
from enclos.lexicon.refusals import NotAllowed, NotAsPromised
from factories.built_in import write_tables
from factories.circe import concept_set, definition
from factories.enclosure import ALICE, ENCLOS, PASSPHRASE, open_home, permit_text, refused, run_cli
from factories.released_home import rows_of
from factories.spark import (
    DRIVER,
    EXECUTOR,
    LOCAL_CLUSTER,
    PYTHON,
    Process,
    Search,
    beside_executors,
    connect_server,
    files,
    processes,
    with_spark,
)

pytestmark = [
    pytest.mark.system("default-jre-headless"),
    pytest.mark.system("pyspark"),
    pytest.mark.xdist_group("spark"),
]
PERMIT = "FR-TEST-0001"
PERIOD = "{start: 1900-01-01, end: 2030-01-01}"
STUDY = """\
study: on-spark
cohorts:
  bleed: {concepts: [192671], descendants: true, domain: condition, limit: all, end: {days: 30}}
  first: {concepts: [192671], descendants: true, domain: condition, limit: first, end: event_end}
analyses:
  - incidence: {outcome: bleed, interval: [years, overall], sex: [both, female]}
  - characterise: {cohort: [bleed], large_scale: {windows: [[null, -1], [0, 0]], event_in_window: [condition, drug]}}
  - survival: {target: first, outcome: bleed, follow_up_days: 365}
"""
EVERY_KIND = """\
study: every-kind
cohorts:
  bleed: {concepts: [192671], descendants: true, domain: condition, limit: all, end: {days: 30}}
  first: {concepts: [192671], descendants: true, domain: condition, limit: first, end: event_end}
  cough: {concepts: [260139], domain: condition, limit: all, end: {days: 20}}
  some: {sampled: {cohort: bleed, number: 20, seed: 3}}
  like: {matched: {cohort: some, traits: [sex], ratio: 1, seed: 3}}
  both: {union: [bleed, cough]}
analyses:
  - incidence: {outcome: [bleed, some], interval: [years, overall], sex: [both, female], strata: [sex]}
  - prevalence: {outcome: bleed, type: period, interval: years}
  - prevalence: {outcome: both, type: point, interval: quarters}
  - characterise: {cohort: [bleed, some, like], timing: first, overlap: true, standardised_differences: true,
                   large_scale: {windows: [[null, -1], [0, 0]], event_in_window: [condition, drug]}}
  - survival: {target: first, outcome: bleed, follow_up_days: 365}
  - pathways: {target: first, treatments: [bleed, cough]}
  - compare: {target: first, comparator: cough, outcome: both, days_prior_observation: 0, stratify: {strata: 2},
              covariates: {domains: [demographics, condition], windows: [any_time]},
              propensity: {prior: normal, variance: 1}}
  - diagnose: {cohort: [bleed, some]}
  - sccs: {exposure: cough, outcome: bleed, windows: {exposed: {}}}
  - self_controlled_cohort: {exposure: cough, outcome: bleed, risk_window: [0, 30], control_window: [-30, -1]}
  - case_crossover: {exposure: cough, outcome: bleed, risk_window: [-30, 0], control_offsets: [-60]}
  - case_control: {exposure: cough, outcome: bleed, controls: 2, age_caliper_years: 40, seed: 5}
"""
SECRET = "a-secret-of-an-object-storage"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("spark")
    write_tables(folder / "delivery")
    run_cli("delivery", "make", folder / "delivery", "--kind", "omop", "--source", "gibleed")
    home = folder / "home"
    run_cli("init", home, "--min-count-floor", "1", "--buckets", 3)
    run_cli("ingest", home, folder / "delivery")
    run_cli("build", home)
    file = folder / "permit.yaml"
    file.write_text(permit_text(PERMIT, period=PERIOD, min_count=1, users=(ALICE,)), encoding="utf-8")
    run_cli("permit", "sign", home, file)
    run_cli("permit", "open", home, PERMIT)
    return home


def ran(home: Path, text: str, on: str, heard: Callable[[], None] = lambda: None) -> StudyResult:
    with open_home(home) as enclosure:
        found = run(enclosure, permit=PERMIT, user=ALICE, text=text, on=on, report=lambda *_told: heard())
        assert not found["already"]
        return run_files(enclosure, PERMIT).read(found["run"]).result


def written(result: StudyResult) -> tuple[bytes, object]:
    cells = [(each.key, set(each.numerator), set(each.denominator)) for each in result.cells]
    return result_csv(result.table, result.settings), cells


def forms(home: Path) -> list[bytes]:
    """What must be nowhere: the keys of the run in the ways that they could be written, and what opens them."""
    found = [PASSPHRASE.encode(), SECRET.encode()]
    with open_home(home) as enclosure:
        for name in (KeyName(KeyRole.CATALOG), KeyName(KeyRole.CROSSING), KeyName(KeyRole.PERMIT, PERMIT)):
            key = enclosure.keys.secret(name)
            found += [key.reveal(), key.reveal().hex().encode(), key.reveal_base64()[:40].encode()]
    return found


def once(act: Callable[[], None]) -> Callable[[], None]:
    """The act, done the first time only."""
    left = [act]
    return lambda: left.pop()() if left else None


@pytest.fixture
def search(home: Path, monkeypatch: pytest.MonkeyPatch) -> Search:
    monkeypatch.setenv("ENCLOS_S3_SECRET", SECRET)
    monkeypatch.setenv("ENCLOS_PASSPHRASE", PASSPHRASE)
    return Search(forms(home))


def test_spark_gives_the_same_to_the_byte_and_writes_no_key(home: Path, search: Search) -> None:
    """Two executors, the event log on: their environments, arguments, files and logs are searched while they work."""
    events, spill = home.parent / "events", home / ".spill"
    events.mkdir()
    conf = (f"spark.eventLog.dir={events.as_uri()}", "spark.eventLog.enabled=true", "spark.eventLog.compress=false")
    log = with_spark(home, *conf, "spark.eventLog.rolling.enabled=false")
    executors: list[int] = []

    def look() -> None:
        executors.extend(each.pid for each in processes(EXECUTOR))
        for what, found in {"executor": processes(EXECUTOR), "driver": processes(DRIVER)}.items():
            for each in found:
                search.process(what, each)
        for each in beside_executors():
            search.process("python", each)
        for _, content in files(spill):
            search.through("spill", content)

    on_spark = ran(home, f"{STUDY}# on Spark\n", LOCAL_CLUSTER, once(look))
    assert len(executors) == 2, "two executors, each a process of its own"
    for path, content in files(events, log):
        search.through("log" if path == log else "event log", content)
    assert written(on_spark) == written(ran(home, f"{STUDY}# here\n", ""))
    for what in ("executor environment", "driver environment", "python environment", "spill", "event log", "log"):
        assert search.n_bytes[what] > 100, (what, search.n_bytes)
    assert not processes(EXECUTOR) + processes(DRIVER)
    assert not list(spill.glob("*-spark-*"))


@pytest.mark.slow
def test_no_page_and_no_memory_of_spark_holds_a_key(home: Path, search: Search) -> None:
    """As a heap dump would show it: all memory of the JVMs, and of the Python processes that Spark keeps for tasks."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with_spark(home, "spark.ui.enabled=true", f"spark.ui.port={port}")

    def look() -> None:
        search.pages(port)
        for what, found in {"executor": processes(EXECUTOR), "driver": processes(DRIVER)}.items():
            for each in found:
                search.memory(what, each)
        for each in beside_executors():
            search.memory("python", each)

    ran(home, f"{STUDY}# looked into\n", LOCAL_CLUSTER, once(look))
    for what in ("executor memory", "driver memory", "python memory", "page environment/", "page SQL/"):
        assert search.n_bytes[what] > 1000, (what, search.n_bytes)


@pytest.mark.slow
def test_a_build_on_spark_is_that_of_one_process_though_an_executor_is_killed(
    home: Path, search: Search, tmp_path: Path
) -> None:
    """Executors are told the crossing's key for a pass; neither it nor the catalog's is where Spark could keep it."""
    copy = Path(shutil.copytree(home, tmp_path / "home"))
    log, before = with_spark(copy), rows_of(copy)
    killed: list[int] = []

    def look() -> None:
        for what, found in {"executor": processes(EXECUTOR), "driver": processes(DRIVER)}.items():
            for each in found:
                search.process(what, each)
        for each in beside_executors():
            search.process("python", each)
        for _, content in files(copy / ".spill"):
            search.through("spill", content)
        if not killed and (found := children_that_look()):
            killed.append(found[0].pid)
            os.kill(found[0].pid, signal.SIGKILL)

    with open_home(copy) as enclosure:
        built = build_omop(enclosure, full=True, on=LOCAL_CLUSTER, report=lambda *_told: look())
        assert verify_hosting(enclosure)["strangers"] == []
    assert built["mode"] == "full"
    assert rows_of(copy) == before
    assert killed
    for _, content in files(log):
        search.through("log", content)
    for what in ("executor environment", "driver environment", "python environment", "spill", "log"):
        assert search.n_bytes[what] > 100, (what, search.n_bytes)
    assert not processes(EXECUTOR) + processes(DRIVER)


@pytest.mark.slow
def test_executors_that_are_killed_are_replaced_and_nothing_is_lost_or_counted_twice(home: Path) -> None:
    """A JVM, a Python process beside one, and a child in the midst of a bucket."""
    with_spark(home)
    killed: list[int] = []

    def kill() -> None:
        kinds = [processes(EXECUTOR), beside_executors(), children_that_look()]
        if len(killed) < 3 and (found := kinds[len(killed)]):
            killed.append(found[0].pid)
            with suppress(ProcessLookupError):
                os.kill(found[0].pid, signal.SIGKILL)

    disturbed = ran(home, f"{STUDY}# killed\n", LOCAL_CLUSTER, kill)
    assert len(killed) >= 2, "an executor and its Python process"
    assert written(disturbed) == written(ran(home, f"{STUDY}# not killed\n", ""))


def children_that_look() -> list[Process]:
    """The processes that look at buckets now."""
    known = {each.pid for each in beside_executors()}
    return [each for each in processes(PYTHON) if each.pid not in known]


@pytest.mark.slow
def test_spark_connect_gives_the_same_to_the_byte(home: Path, search: Search, tmp_path: Path) -> None:
    log = with_spark(home)
    with connect_server(tmp_path / "server") as master:
        on_spark = ran(home, f"{STUDY}# by Spark Connect\n", master)
        for path, content in files(tmp_path / "server"):
            search.through(path.name, content)
    for _, content in files(log):
        search.through("log", content)
    assert written(on_spark) == written(ran(home, f"{STUDY}# not by Spark Connect\n", ""))
    assert search.n_bytes["server.log"] > 100


@pytest.mark.slow
def test_all_kinds_of_analyses_and_cohorts_give_the_same_to_the_byte(home: Path) -> None:
    with_spark(home)
    assert written(ran(home, f"{EVERY_KIND}# on Spark\n", LOCAL_CLUSTER)) == written(
        ran(home, f"{EVERY_KIND}# here\n", "")
    )
    bleeding = definition("ConditionOccurrence", 0) | {"ConceptSets": [concept_set(0, 192671)]}
    file = home.parent / "bleed.json"
    file.write_text(json.dumps(bleeding), encoding="utf-8")
    asked = ["cohort", home, "--permit", PERMIT, "--user", ALICE, "--circe", file]
    told = [run_cli(*asked, "--on", LOCAL_CLUSTER), run_cli(*asked)]
    assert told[0]["cohorts"] == told[1]["cohorts"]
    assert told[0]["cohorts"][0]["n_persons"] > 10


@pytest.mark.slow
def test_a_revoked_permit_ends_the_study_on_spark(home: Path) -> None:
    other = "FR-TEST-0002"
    file = home.parent / "other.yaml"
    file.write_text(permit_text(other, period=PERIOD, min_count=1, users=(ALICE,)), encoding="utf-8")
    run_cli("permit", "sign", home, file)
    run_cli("permit", "open", home, other)
    with_spark(home)
    with open_home(home) as enclosure:
        end = once(lambda: revoke(enclosure, other, reason="a test"))
        with pytest.raises(NotAllowed) as refused:
            run(enclosure, permit=other, user=ALICE, text=STUDY, on=LOCAL_CLUSTER, report=lambda *_told: end())
        assert refused.value.code is Code.PERMIT_REVOKED
    assert not processes(EXECUTOR) + processes(DRIVER) + processes(PYTHON)


@pytest.mark.slow
def test_whoever_kills_the_study_ends_spark(home: Path) -> None:
    with_spark(home)
    study = home.parent / "killed.yaml"
    study.write_text(f"{STUDY}# ended\n", encoding="utf-8")
    words = ["study", home, study, "--permit", PERMIT, "--user", ALICE, "--on", LOCAL_CLUSTER, "--json"]
    environment = {**os.environ, "ENCLOS_PASSPHRASE": PASSPHRASE}
    process = subprocess.Popen(
        [str(ENCLOS), *map(str, words)], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 240
    while not (executors := processes(EXECUTOR)):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)
    started = [*executors, *processes(DRIVER)]
    process.kill()
    process.wait()
    while any(Path(f"/proc/{each.pid}/cmdline").exists() for each in started):
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.parametrize("on", ["spark", "spark:", "flink:local", ":yarn"])
def test_a_cluster_that_is_not_named_is_refused(on: str) -> None:
    with pytest.raises(NotAsPromised) as said:
        spark_place(SparkSection(), on)
    assert said.value.code is Code.SPARK_FAILED
    assert "[spark]" in said.value.next_step
    assert spark_place(SparkSection(master="yarn"), "spark").master == "yarn"
    assert spark_place(SparkSection(master="yarn"), "spark:k8s://there").master == "k8s://there"


def study_file(home: Path) -> Path:
    file = home.parent / "study.yaml"
    file.write_text(STUDY, encoding="utf-8")
    return file


@pytest.mark.slow
def test_a_spark_that_does_not_start_is_said(home: Path) -> None:
    log = with_spark(home, "spark.driver.port=not a port")
    _, code, said = refused("study", home, study_file(home), "--permit", PERMIT, "--user", ALICE, "--on", LOCAL_CLUSTER)
    assert code == Code.SPARK_FAILED.id
    assert "not a port" not in said
    assert b"not a port" in log.read_bytes()
