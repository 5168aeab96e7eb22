"""A storage that fails in between: work tries again within bounds, goes on where it was, and loses nothing."""

from __future__ import annotations

import os
import time

import pytest

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from factories.faulty_network import Fault, failing_network
from factories.lakes import attached, bucket_lake, build, n_persons
from factories.s3_servers import ceph

pytestmark = [pytest.mark.system("radosgw"), pytest.mark.xdist_group("s3")]
PASSING = (Fault.BUSY, Fault.REFUSED, Fault.SLOW, Fault.THROTTLED, Fault.LOST, Fault.BROKEN)


@pytest.fixture
def network():
    with failing_network(ceph()) as network:
        yield network


def now_and_then(method, path, number):
    """Every fourth request fails, each time in another way."""
    return PASSING[number // 4 % len(PASSING)] if number % 4 == 0 else Fault.NONE


def test_a_lake_is_built_and_read_through_passing_faults(network, tmp_path):
    server, bucket = ceph(), ceph().bucket()
    catalog, place = tmp_path / "catalog.ducklake", bucket_lake(network.server, bucket)
    network.plan = now_and_then
    report = build(catalog, place, 4)
    assert n_persons(catalog, place, report.snapshot) == 4
    assert all(network.seen[fault] for fault in PASSING), network.seen
    with attached(catalog, bucket_lake(server, bucket)) as (_, lake):
        assert set(server.objects(bucket).names()) == lake.objects()
    assert server.objects(bucket).remove_half_written() == 0
    assert n_persons(catalog, bucket_lake(server, bucket)) == 4


def test_objects_are_read_and_written_through_passing_faults(network):
    bucket, content = ceph().bucket(), os.urandom(5_000_000)
    objects = network.server.objects(bucket)
    network.plan = lambda _method, _path, number: PASSING[number % len(PASSING)] if number % 2 else Fault.NONE
    objects.put("x", content)
    assert list(objects.names()) == ["x"]
    network.plan = lambda method, _path, number: Fault.CUT if method == "GET" and number % 2 else Fault.NONE
    assert b"".join(objects.read("x")) == content
    assert network.seen[Fault.CUT]
    objects.remove("x")
    assert list(ceph().objects(bucket).names()) == []


@pytest.mark.parametrize("fault", [pytest.param(Fault.BUSY, marks=pytest.mark.slow), Fault.REFUSED])
def test_a_storage_that_stays_away_ends_the_build_and_nothing_of_it_is_kept(network, tmp_path, fault):
    server, bucket = ceph(), ceph().bucket()
    catalog, place = tmp_path / "catalog.ducklake", bucket_lake(network.server, bucket)
    first = build(catalog, place, 3)
    writes = []

    def away_from_the_tenth_write_on(method, _path, number):
        writes.append(method in {"PUT", "POST"})
        return fault if sum(writes) > 10 else Fault.NONE

    network.plan = away_from_the_tenth_write_on
    started = time.monotonic()
    with pytest.raises(Refusal) as refused:
        build(catalog, place, 5)
    assert refused.value.code is Code.STORAGE_UNREACHABLE
    assert time.monotonic() - started < 120
    assert bucket not in str(refused.value)
    assert n_persons(catalog, bucket_lake(server, bucket)) == 3
    network.plan = lambda *_: Fault.NONE
    server.objects(bucket).remove_half_written()
    second = build(catalog, place, 5)
    assert [n_persons(catalog, place, each.snapshot) for each in (first, second)] == [3, 5]
    with attached(catalog, place) as (_, lake):
        assert set(server.objects(bucket).names()) == lake.objects()
