"""With the whole bucket in hand but no key, nothing about a person can be read; with the key destroyed, by nobody."""

from __future__ import annotations

import math
import re
import zlib
from collections import Counter

import pytest

from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole, SecretKey
from enclos.lexicon.refusals import Refusal
from enclos.stores.engine import open_engine
from enclos.stores.lake import attach_lake
from factories.lakes import CANARIES, attached, bucket_lake, build
from factories.s3_servers import ceph

pytestmark = [pytest.mark.system("radosgw"), pytest.mark.xdist_group("s3")]
NAME = re.compile(r"lake/main/([0-9a-f]{32})/ducklake-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.parquet")
N_PERSONS, N_MORE = 150, 60


@pytest.fixture(scope="module")
def hosted(tmp_path_factory):
    """Two snapshots in a bucket: the server, the bucket, the catalog, and all that the host has."""
    server, catalog = ceph(), tmp_path_factory.mktemp("hosted") / "catalog.ducklake"
    bucket = server.bucket()
    for n in (N_PERSONS, N_PERSONS + N_MORE):
        build(catalog, bucket_lake(server, bucket), n)
    return server, bucket, catalog, server.kept(bucket)


def test_neither_names_nor_bytes_hold_a_word_of_what_the_lake_holds(hosted):
    _, _, catalog, kept = hosted
    assert len(kept) > 20
    everything = b"\n".join([*kept.values(), *(name.encode() for name in kept), catalog.read_bytes()])
    for canary in CANARIES:
        assert canary.encode() not in everything, canary
        assert canary.encode("utf-16-le") not in everything, canary


def test_names_are_random_and_alike(hosted):
    server, bucket, _, kept = hosted
    client = server.client()
    folders = {found[1] for name in kept if (found := NAME.fullmatch(name))}
    assert all(NAME.fullmatch(name) for name in kept)
    assert len(folders) > 10
    assert not any(client.head_object(Bucket=bucket, Key=name)["Metadata"] for name in list(kept)[:5])


def ciphertext(content: bytes) -> list[bytes]:
    """The modules of an encrypted Parquet file, without the four bytes before each that tell its length.

    Source: Apache Parquet, Parquet Modular Encryption § 5 (serialisation of encrypted modules).
    """
    footer = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    modules, at = [], 4
    while at < footer:
        length = int.from_bytes(content[at : at + 4], "little")
        modules.append(content[at + 4 : at + 4 + length])
        at += 4 + length
    assert at == footer, "bytes that are no module"
    return modules


def test_bytes_are_as_good_as_random(hosted):
    """Beside lengths and Parquet's own marks there is nothing that chance would not write: neither all bytes together
    nor a large module by itself can be told from it."""
    _, _, _, kept = hosted
    assert {(content[:4], content[-4:]) for content in kept.values()} == {(b"PARE", b"PARE")}
    modules = [module for content in kept.values() for module in ciphertext(content)]
    counts, n = Counter(b"".join(modules)), sum(map(len, modules))
    chi_square = sum((counts[byte] - n / 256) ** 2 / (n / 256) for byte in range(256))
    assert n > 30_000 and 255 - 6 * math.sqrt(510) < chi_square < 255 + 6 * math.sqrt(510), (n, chi_square)
    assert max(map(len, modules)) > 500
    assert all(len(zlib.compress(module, 9)) >= len(module) for module in modules if len(module) > 200)
    assert len({module[:12] for module in modules}) == len(modules), "a nonce was used twice"


def test_without_the_catalogs_key_no_copy_opens(hosted, tmp_path):
    server, bucket, catalog, kept = hosted
    copy = tmp_path / "catalog.ducklake"
    copy.write_bytes(catalog.read_bytes())
    another = SecretKey(KeyName(KeyRole.CATALOG), b"32 bytes that a host could guess")
    with open_engine() as engine, pytest.raises(Refusal) as refused:
        attach_lake(engine, copy, bucket_lake(server, bucket), another, read_only=True)
    assert refused.value.code is Code.STORAGE_BROKEN
    stolen = tmp_path / "stolen.parquet"
    with open_engine() as engine:
        engine.add_parquet_key(another)
        for content in kept.values():
            stolen.write_bytes(content)
            for way in ("", f", encryption_config = {{footer_key: '{another.name}'}}"):
                for function in ("read_parquet", "parquet_metadata", "parquet_schema"):
                    if way and function != "read_parquet":
                        continue
                    with pytest.raises(Refusal):
                        engine.rows(f"SELECT * FROM {function}('{stolen}'{way})")


def test_a_byte_that_the_host_changes_is_found_when_it_is_read(hosted):
    server, bucket, catalog, kept = hosted
    client = server.client()
    with attached(catalog, bucket_lake(server, bucket)) as (engine, lake):
        rows = engine.rows("SELECT DISTINCT filename FROM (SELECT *, filename FROM lake.main.drug_exposure)")
    name = rows[0][0].removeprefix(f"s3://{bucket}/")
    whole = kept[name]
    for changed in (
        whole[:40] + bytes([whole[40] ^ 4]) + whole[41:],
        whole[: len(whole) // 2] + bytes([whole[len(whole) // 2] ^ 1]) + whole[len(whole) // 2 + 1 :],
        whole[:-60] + bytes([whole[-60] ^ 1]) + whole[-59:],
        whole[:-1],
        b"",
        None,
    ):
        if changed is None:
            client.delete_object(Bucket=bucket, Key=name)
        else:
            client.put_object(Bucket=bucket, Key=name, Body=changed)
        with attached(catalog, bucket_lake(server, bucket)) as (engine, lake):
            with pytest.raises(Refusal) as refused:
                engine.rows(f"SELECT * FROM {lake.snapshot().relation('drug_exposure')}")
            assert refused.value.code is Code.STORAGE_BROKEN
    client.put_object(Bucket=bucket, Key=name, Body=whole)
    with attached(catalog, bucket_lake(server, bucket)) as (engine, lake):
        assert len(engine.rows(f"SELECT * FROM {lake.snapshot().relation('person')}")) == N_PERSONS + N_MORE
