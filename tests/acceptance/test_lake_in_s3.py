"""The whole story with the lake in a bucket of a host that nobody has to trust."""

from __future__ import annotations

import json
import shutil
from itertools import pairwise

import pytest

from enclos.app import permits, releases
from enclos.app.deliveries import ingest_deliveries, make_delivery
from enclos.app.enclosure import create_enclosure
from enclos.app.hosting import verify_hosting
from enclos.app.persons import link_persons
from enclos.app.rotation import rotate_key
from enclos.app.snapshots import build_omop, reading_snapshot
from enclos.ledger.model import Action, Outcome
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import NotAsPromised, Refusal
from factories.built_in import write_tables
from factories.enclosure import ALICE, CAROL, DAN, PASSPHRASE, call, open_home, permit_text, run_cli
from factories.s3_servers import ceph

pytestmark = [pytest.mark.system("radosgw"), pytest.mark.xdist_group("s3")]
PERMIT = "FR-TEST-0001"
STUDY = """\
study: ages
cohorts:
  bronchitis: {concepts: [260139], domain: condition, limit: first, end: {days: 1}}
analyses:
  - incidence: {outcome: bronchitis, interval: overall}
"""


@pytest.fixture(scope="module")
def host():
    server = ceph()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in server.environment.items():
            patch.setenv(name, value)
        yield server, server.bucket()


@pytest.fixture(scope="module")
def home(host, tmp_path_factory):
    server, bucket = host
    folder = tmp_path_factory.mktemp("s3")
    home = folder / "home"
    write_tables(folder / "delivery")
    run_cli("init", home, "--min-count-floor", 3, "--buckets", 2, "--storage", server.url(bucket))
    make_delivery(folder / "delivery", kind="omop", source="forty")
    with open_home(home) as enclosure:
        ingest_deliveries(enclosure, [folder / "delivery"])
        link_persons(enclosure)
    run_cli("build", home)
    with open_home(home) as enclosure:
        permits.sign(enclosure, permit_text(period="{start: 2000-01-01, end: 2030-01-01}", min_count=3))
        permits.open_one(enclosure, PERMIT)
    return home


def test_from_init_to_a_release_the_lake_lies_with_the_host(home, host, tmp_path):
    server, bucket = host
    kept = server.kept(bucket)
    assert kept and all(name.startswith("lake/main/") and name.endswith(".parquet") for name in kept)
    assert not list(home.rglob("lake/*"))
    (home.parent / "study.yaml").write_text(STUDY)
    run = run_cli("study", home, home.parent / "study.yaml", "--permit", PERMIT, "--user", ALICE)["run"]
    query = "SELECT count(DISTINCT person_id) AS n FROM person"
    assert run_cli("sql", home, query, "--permit", PERMIT, "--user", ALICE)["rows"][0] == {"n": 40}
    with open_home(home) as enclosure:
        asked = releases.request(enclosure, permit=PERMIT, user=ALICE, run=run, purpose="For the yearly report")
        for user in (CAROL, DAN):
            releases.review(enclosure, asked["request"], user=user, accept=True, reason="Counts are fine")
        released = releases.export(enclosure, asked["request"], tmp_path / "package.zip")
    assert releases.verify(tmp_path / "package.zip", released["release_key"])["released"] == "by two persons"
    verified = run_cli("hosting", "verify", home)
    assert (verified["storage"], verified["n_objects"], verified["strangers"]) == ("s3", len(kept), [])
    assert verified["n_bytes"] == sum(map(len, kept.values()))


def test_no_file_of_the_enclosure_holds_the_credentials(home, host):
    server, _ = host
    for file in home.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert server.secret.encode() not in content and server.key_id.encode() not in content, file.name


def test_without_credentials_nothing_is_read_and_the_message_says_what_to_do(home, host):
    server, _ = host
    done = call("snapshots", home, "--json", ENCLOS_S3_KEY_ID="", ENCLOS_S3_SECRET="")
    assert done.returncode == 3 and json.loads(done.stdout)["refused"]["code"] == "ENC-12"
    with pytest.MonkeyPatch.context() as patch, open_home(home) as enclosure:
        patch.setenv("ENCLOS_S3_SECRET", "another secret")
        with pytest.raises(Refusal) as caught, reading_snapshot(enclosure) as (engine, snapshot):
            engine.rows(f"SELECT * FROM {snapshot.relation('person')}")
    assert caught.value.code is Code.STORAGE_CREDENTIALS
    assert server.key_id not in str(caught.value) and "another secret" not in str(caught.value)


def test_init_takes_no_bucket_that_holds_something_and_no_secret_in_a_url(home, host, tmp_path):
    server, bucket = host
    for url, code in (
        (server.url(bucket), Code.ENCLOSURE_EXISTS),
        (server.url("no-such-bucket"), Code.STORAGE_BROKEN),
        (f"s3://{server.key_id}:{server.secret}@{bucket}/x", Code.STORAGE_URL),
    ):
        with pytest.raises(NotAsPromised) as caught:
            create_enclosure(tmp_path / "new", passphrase=PASSPHRASE, storage=url)
        assert caught.value.code is code
        assert server.secret not in str(caught.value) and not (tmp_path / "new").exists()


def verify(home):
    with open_home(home) as enclosure:
        return verify_hosting(enclosure)


def found_out(home) -> str:
    with pytest.raises(Refusal) as caught:
        verify(home)
    assert caught.value.code is Code.STORAGE_ALTERED
    return str(caught.value)


def test_whatever_the_host_does_is_found_out(home, host):
    server, bucket = host
    client, kept = server.client(), server.kept(bucket)
    large = max(kept, key=lambda name: len(kept[name]))
    by_size = sorted(kept, key=lambda name: len(kept[name]))
    twins = next((a, b) for a, b in pairwise(by_size) if kept[a] != kept[b])

    def put(name, content):
        client.put_object(Bucket=bucket, Key=name, Body=content)

    middle = len(kept[large]) // 2
    flipped = kept[large][:middle] + bytes([kept[large][middle] ^ 1]) + kept[large][middle + 1 :]
    for does, says in (
        (lambda: put(large, flipped), "1 altered"),
        (lambda: put(large, kept[large][:-1]), "1 altered"),
        (lambda: put(large, b""), "1 altered"),
        (lambda: client.delete_object(Bucket=bucket, Key=large), "1 missing"),
        (lambda: [put(twins[0], kept[twins[1]]), put(twins[1], kept[twins[0]])], "2 altered"),
    ):
        does()
        assert says in found_out(home)
        for name in {large, *twins}:
            put(name, kept[name])
    put("lake/main/planted.parquet", b"not ours")
    assert verify(home)["strangers"] == ["main/planted.parquet"]
    client.delete_object(Bucket=bucket, Key="lake/main/planted.parquet")
    with open_home(home) as enclosure:
        last = [entry for _, entry in enclosure.ledger.entries(0) if entry.action is Action.HOSTING_VERIFY]
    outcomes = [entry.outcome for entry in last if entry.outcome]
    assert outcomes.count(Outcome.REFUSED) == 5 and outcomes[-1] is Outcome.DONE


@pytest.mark.slow
def test_an_earlier_catalog_or_manifest_is_found_out_at_the_next_read(home, host, tmp_path):
    server, bucket = host
    before = server.kept(bucket)
    kept_files = ("catalog.ducklake", "lake.manifest")
    for name in kept_files:
        shutil.copy(home / name, tmp_path / name)
    with open_home(home) as enclosure:
        build_omop(enclosure, full=True)
    newer = {name: (home / name).read_bytes() for name in kept_files}
    assert server.kept(bucket).keys() > before.keys()
    shutil.copy(tmp_path / "lake.manifest", home)
    assert "earlier" in found_out(home)
    shutil.copy(tmp_path / "catalog.ducklake", home)
    for attempt in (lambda enclosure: reading_snapshot(enclosure).__enter__(), build_omop):
        with open_home(home) as enclosure, pytest.raises(Refusal) as caught:
            attempt(enclosure)
        assert caught.value.code is Code.STORAGE_ALTERED
    for name, content in newer.items():
        (home / name).write_bytes(content)
    assert verify(home)["n_objects"] == len(server.kept(bucket))
    with open_home(home) as enclosure:
        rotate_key(enclosure, role="catalog")
    assert verify(home)["n_objects"] == len(server.kept(bucket))
