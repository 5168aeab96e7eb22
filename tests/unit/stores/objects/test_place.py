"""A bucket is named by a URL that holds no credentials and asks for TLS."""

from __future__ import annotations

import pytest

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import NotAsPromised
from enclos.stores.objects import S3Place


def test_a_place_is_what_its_url_says():
    place = S3Place.from_url("s3://my-bucket/a/b/?endpoint=https://s3.example.org:8443&region=gra")
    assert place == S3Place("my-bucket", "a/b", "https://s3.example.org:8443", "gra")
    assert place.folder == "s3://my-bucket/a/b/"
    assert S3Place.from_url(place.url) == place
    assert S3Place.from_url("s3://my-bucket/a").endpoint == "https://s3.amazonaws.com"


@pytest.mark.parametrize("host", ["127.0.0.1:7480", "localhost", "[::1]:7480"])
def test_without_tls_only_on_the_loopback(host):
    assert S3Place.from_url(f"s3://bucket/p?endpoint=http://{host}").endpoint == f"http://{host}"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "bucket/prefix",
        "https://bucket/prefix",
        "s3://bucket",
        "s3://bucket/",
        "s3://key:secret@bucket/prefix",
        "s3://bucket/prefix?endpoint=http://s3.example.org",
        "s3://bucket/prefix?endpoint=https://key:secret@s3.example.org",
        "s3://bucket/prefix?endpoint=https://s3.example.org/path",
        "s3://bucket/prefix?endpoint=https://s3.example.org:port",
        "s3://bucket/prefix?endpoint=",
        "s3://bucket/prefix?secret=x",
        "s3://bucket/a/../b",
        "s3://bucket/a//b",
        "s3://bucket/a'b",
        "s3://bucket/a*",
        "s3://BUCKET/prefix",
        "s3://bucket/prefix?region='",
        "s3://bucket/prefix#x",
    ],
)
def test_anything_else_is_refused_without_being_repeated(url):
    with pytest.raises(NotAsPromised) as refused:
        S3Place.from_url(url)
    assert refused.value.code is Code.STORAGE_URL
    assert "secret@" not in str(refused.value) and "key:" not in str(refused.value)
