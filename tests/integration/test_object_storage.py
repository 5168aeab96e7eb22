"""Objects and a lake in real S3 servers, which differ in what they understand."""

from __future__ import annotations

import os
from functools import partial

import pytest

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from enclos.stores.objects import LocalObjects, S3Credentials, S3Lake, S3Objects, S3Place, read_credentials
from factories.faulty_network import failing_network
from factories.gateway import certificate
from factories.lakes import attached, bucket_lake, build, n_persons
from factories.s3_servers import S3Server, ceph, swift

SERVERS = [
    pytest.param(ceph, id="ceph", marks=pytest.mark.system("radosgw")),
    pytest.param(swift, id="swift", marks=pytest.mark.system("swift-proxy")),
]
FIRST_HERE_ALL_IN_SOAK = [
    SERVERS[0],
    pytest.param(swift, id="swift", marks=[pytest.mark.system("swift-proxy"), pytest.mark.slow]),
]


@pytest.fixture(params=SERVERS)
def server(request) -> S3Server:
    return request.param()


@pytest.fixture
def bucket(server: S3Server) -> str:
    return server.bucket()


@pytest.fixture(params=[*SERVERS, pytest.param(None, id="folder")])
def objects(request, tmp_path):
    if request.param is None:
        return LocalObjects(tmp_path)
    server = request.param()
    return server.objects(server.bucket())


def test_every_place_keeps_objects_in_the_same_way(objects):
    assert list(objects.names()) == []
    large = os.urandom(3_000_001)
    for name, content in {"b/2": b"two", "a": b"", "b/1": large, "b.c": b"x"}.items():
        objects.put(name, content)
    assert list(objects.names()) == ["a", "b.c", "b/1", "b/2"]
    assert b"".join(objects.read("b/1")) == large
    assert b"".join(objects.read("a")) == b""
    objects.put("b/2", b"another")
    assert b"".join(objects.read("b/2")) == b"another"
    for _ in range(2):
        objects.remove("b/2")
    assert list(objects.names()) == ["a", "b.c", "b/1"]
    with pytest.raises(KeyError):
        list(objects.read("b/2"))


def test_a_prefix_sees_nothing_of_its_neighbours(server, bucket):
    one, other = server.objects(bucket, "one"), server.objects(bucket, "one-more")
    one.put("x", b"1")
    other.put("y", b"2")
    assert (list(one.names()), list(other.names())) == (["x"], ["y"])


@pytest.mark.parametrize("server", FIRST_HERE_ALL_IN_SOAK, indirect=True)
def test_other_credentials_are_refused_without_being_shown(server, bucket, tmp_path):
    place, wrong = S3Place.from_url(server.url(bucket)), S3Credentials(server.key_id, "ANOTHERSECRET")
    tries = [
        lambda: list(S3Objects(place, wrong).names()),
        lambda: S3Objects(place, wrong).put("x", b"1"),
        lambda: list(S3Objects(place, wrong).read("x")),
        partial(build, tmp_path / "catalog.ducklake", type(bucket_lake(server, bucket))(place, wrong), 1),
    ]
    for attempt in tries:
        with pytest.raises(Refusal) as refused:
            attempt()
        assert refused.value.code is Code.STORAGE_CREDENTIALS
        assert "ANOTHERSECRET" not in str(refused.value) and server.key_id not in str(refused.value)
        assert refused.value.__cause__ is None


@pytest.mark.system("radosgw")
def test_temporary_credentials_serve_for_objects_and_a_lake_and_are_renewed_in_their_file(tmp_path):
    """Ceph's security token service gives them; who renews them writes the file anew, and nothing is opened again."""
    server, file = ceph(), tmp_path / "s3.toml"
    bucket = server.bucket()
    place = S3Place.from_url(server.url(bucket))

    def write(key_id, secret, token):
        text = f'key_id = "{key_id}"\nsecret = "{secret}"\nsession_token = "{token}"\n'
        (tmp_path / "next").touch(0o600)
        (tmp_path / "next").write_text(text)
        (tmp_path / "next").replace(file)

    one, two = server.temporary(), server.temporary()
    write(one[0], one[1], two[2])
    credentials = read_credentials({"ENCLOS_S3_CREDENTIALS": str(file)})
    objects = S3Objects(place, credentials)
    with pytest.raises(Refusal) as refused:
        objects.put("x", b"1")
    assert refused.value.code is Code.STORAGE_CREDENTIALS
    assert not [part for part in (*one, *two) if part in str(refused.value)]
    write(*one)
    objects.put("x", b"1")
    objects.remove("x")
    lake = S3Lake(place, credentials)
    build(tmp_path / "catalog.ducklake", lake, 2)
    write(*two)
    assert n_persons(tmp_path / "catalog.ducklake", lake) == 2
    assert list(objects.names())


def test_uploads_that_never_ended_are_removed(server, bucket):
    client, objects = server.client(), server.objects(bucket)
    objects.put("whole", b"1")
    begun = client.create_multipart_upload(Bucket=bucket, Key="lake/half")
    client.upload_part(
        Bucket=bucket, Key="lake/half", UploadId=begun["UploadId"], PartNumber=1, Body=os.urandom(5 << 20)
    )
    assert list(objects.names()) == ["whole"]
    assert objects.remove_half_written() == 1
    assert objects.remove_half_written() == 0
    assert list(objects.names()) == ["whole"]


@pytest.mark.parametrize("server", FIRST_HERE_ALL_IN_SOAK, indirect=True)
def test_a_lake_in_a_bucket_is_a_lake(server, bucket, tmp_path):
    catalog, place = tmp_path / "catalog.ducklake", bucket_lake(server, bucket)
    objects = server.objects(bucket)
    first, second = build(catalog, place, 3), build(catalog, place, 5)
    assert [n_persons(catalog, place, report.snapshot) for report in (first, second)] == [3, 5]
    objects.put("main/left-by-a-killed-build.parquet", b"half")
    with attached(catalog, place, read_only=False) as (_, lake):
        lake.begin()
        lake.abandon()
        assert set(objects.names()) == lake.objects()
        assert lake.forget_all_but_newest() == 1
        assert set(objects.names()) == lake.objects()
    assert n_persons(catalog, place) == 5
    gone = sorted(objects.names())
    for name in gone:
        objects.remove(name)
    with pytest.raises(Refusal) as refused:
        n_persons(catalog, place)
    assert refused.value.code is Code.STORAGE_BROKEN
    assert bucket not in str(refused.value)
    assert list(tmp_path.iterdir()) == [catalog]


@pytest.mark.parametrize("server", SERVERS[:1], indirect=True)
def test_over_tls_both_clients_believe_the_named_authority_and_no_other(bucket, server, tmp_path, monkeypatch):
    """The engine lists objects through connections of its own, which must be told too."""
    own, catalog = certificate(tmp_path), tmp_path / "catalog.ducklake"
    with failing_network(server, own.context()) as network:
        safe = network.server
        monkeypatch.setenv("SSL_CERT_FILE", str(own.chain))
        assert n_persons(catalog, bucket_lake(safe, bucket), build(catalog, bucket_lake(safe, bucket), 3).snapshot) == 3
        assert list(safe.objects(bucket).names())
        monkeypatch.delenv("SSL_CERT_FILE")
        with pytest.raises(Refusal) as by_python:
            list(safe.objects(bucket).names())
        with pytest.raises(Refusal) as by_engine:
            n_persons(catalog, bucket_lake(safe, bucket))
    assert (by_python.value.code, by_engine.value.code) == (Code.STORAGE_UNREACHABLE, Code.STORAGE_UNREACHABLE)
