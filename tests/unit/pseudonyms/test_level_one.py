"""Level one: published CMAC vectors, an independent oracle row by row, and what makes two identities differ."""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC
from hypothesis import given
from hypothesis import strategies as st

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import NotAsPromised
from enclos.pseudonyms.secret_functions import identity_messages, level_one_pseudonyms
from enclos.pseudonyms.secret_functions.cmac import cmac_of_each, first_subkey
from enclos.pseudonyms.secret_functions.distinct import DistinctTags
from enclos.pseudonyms.secret_functions.identities import record_pseudonyms
from enclos.stores.keys import LocalBlocks

AES_128 = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
AES_256 = bytes.fromhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4")
MESSAGE = bytes.fromhex(
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
    "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
)
IDENTITIES = st.lists(
    st.tuples(
        st.from_regex(r"\A[12][0-9]{4}(2[AB]|[0-9]{2})[0-9]{6}\Z"),
        st.dates().filter(lambda day: day.year >= 1800).map(str),
        st.sampled_from("12MF"),
    ),
    min_size=1,
    max_size=30,
)


def cmac(key: bytes, message: bytes) -> bytes:
    code = CMAC(AES(key))
    code.update(message)
    return code.finalize()


def rows(message: bytes) -> np.ndarray:
    return np.frombuffer(message, dtype=np.uint8).reshape(1, -1)


@pytest.mark.parametrize(
    ("key", "n_bytes", "tag"),
    [
        (AES_128, 16, "070a16b46b4d4144f79bdd9dd04a287c"),
        (AES_128, 64, "51f0bebf7e3b9d92fc49741779363cfe"),
        (AES_256, 16, "28a7023f452e8f82bd4bf28d8c37c35c"),
        (AES_256, 64, "e1992190549f6ed5696a2c056c315410"),
    ],
    ids=[
        "RFC 4493 example 2",
        "RFC 4493 example 4",
        "SP 800-38B AES-256, 128",
        "SP 800-38B AES-256, 512",
    ],
)
def test_the_published_vectors(key, n_bytes, tag):
    assert cmac_of_each(LocalBlocks(key), rows(MESSAGE[:n_bytes])).tobytes().hex() == tag


def test_the_published_subkeys():
    assert first_subkey(LocalBlocks(AES_128)).tobytes().hex() == "fbeed618357133667c85e08f7236a8de"
    assert first_subkey(LocalBlocks(AES_256)).tobytes().hex() == "cad1ed03299eedac2e9a99808621502f"


def test_messages_that_are_not_whole_blocks_are_refused():
    for n_bytes in (0, 15, 17):
        with pytest.raises(ValueError, match="whole blocks"):
            cmac_of_each(LocalBlocks(AES_256), np.zeros((2, n_bytes), dtype=np.uint8))


@given(IDENTITIES)
def test_each_pseudonym_is_the_cmac_of_its_own_message(identities):
    columns = [pa.array(column) for column in zip(*identities, strict=True)]
    found = level_one_pseudonyms(LocalBlocks(AES_256), identity_messages(*columns)).to_pylist()
    for (nir, birth, sex), pseudonym in zip(identities, found, strict=True):
        number = {"M": "1", "F": "2"}.get(sex, sex)
        message = f"{nir}{birth.replace('-', '')}{number}".encode() + b"enclos-p1\x01"
        assert pseudonym == cmac(AES_256, message).hex()


def test_slices_and_long_nirs_are_read_at_their_place():
    nir = pa.array(["x" * 13, "190017512345678", "290017512345678"]).slice(1)
    birth, sex = pa.array(["-", "1990-01-31", "1990-01-31"]).slice(1), pa.array(["-", "1", "F"]).slice(1)
    messages = identity_messages(nir, birth, sex)
    assert [bytes(row) for row in messages] == [
        b"1900175123456199001311enclos-p1\x01",
        b"2900175123456199001312enclos-p1\x01",
    ]


def test_every_part_of_an_identity_counts_and_nothing_else_does():
    base = ("1900175123456", "1990-01-31", "1")
    others = [("1900175123457", *base[1:]), (base[0], "1990-01-30", "1"), (*base[:2], "2")]
    columns = [pa.array(column) for column in zip(base, *others, base, strict=True)]
    found = level_one_pseudonyms(LocalBlocks(AES_256), identity_messages(*columns)).to_pylist()
    assert len(set(found)) == 4 and found[0] == found[-1]
    other_key = level_one_pseudonyms(LocalBlocks(bytes(32)), identity_messages(*columns)).to_pylist()
    assert not set(found) & set(other_key)


def test_a_missing_part_is_refused_whatever_was_checked_before():
    for nir in (None, "190017512345", ""):
        with pytest.raises(ValueError, match="missing"):
            identity_messages(pa.array([nir], pa.string()), pa.array(["1990-01-31"]), pa.array(["1"]))


def tagged(*pairs: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Messages and tags of one repeated byte each."""
    messages, tags = zip(*pairs, strict=True)
    return np.array([[n] * 32 for n in messages], dtype=np.uint8), np.array([[n] * 16 for n in tags], dtype=np.uint8)


@pytest.mark.parametrize("most_waiting", [0, 2, 1000])
def test_a_collision_is_seen_over_a_whole_run_and_a_repeated_identity_is_none(most_waiting):
    seen = DistinctTags(most_waiting=most_waiting)
    for part in ([(7, 1), (8, 2)], [(7, 1)], [(9, 3), (8, 2)]):
        seen.add(*tagged(*part))
    seen.check()
    other = DistinctTags()
    other.add(*tagged((7, 1), (8, 2)))
    other.add(*tagged((5, 5), (4, 2)))
    with pytest.raises(NotAsPromised) as refused:
        other.check()
    assert refused.value.code is Code.PSEUDONYM_COLLISION


def test_tags_that_share_a_half_are_no_collision_and_hide_none():
    halves = np.array([[1] * 8 + [2] * 8, [1] * 8 + [3] * 8, [1] * 8 + [2] * 8], dtype=np.uint8)
    messages, _ = tagged((1, 0), (2, 0), (1, 0))
    seen = DistinctTags()
    seen.add(messages, halves)
    seen.check()
    messages, _ = tagged((1, 0), (2, 0), (3, 0))
    seen.add(messages, halves)
    with pytest.raises(NotAsPromised):
        seen.check()


class OneImage:
    """A cipher that is none: every block has one image, so every identity has one tag."""

    def encrypt(self, blocks: bytes) -> bytes:
        return bytes(len(blocks))


def test_a_collision_between_two_pieces_of_one_delivery_is_refused():
    seen = DistinctTags()
    for nir in ("1900175123456", "1900175123457"):
        identity = [pa.array([part]) for part in (nir, "1990-01-31", "1")]
        assert level_one_pseudonyms(OneImage(), identity_messages(*identity), seen)
    with pytest.raises(NotAsPromised) as refused:
        seen.check()
    assert refused.value.code is Code.PSEUDONYM_COLLISION


def test_record_ids_have_a_function_of_their_own():
    found = record_pseudonyms(LocalBlocks(AES_256), ["Encounter/1", "Encounter/2"])
    message = hashlib.sha256(b"Encounter/1").digest()[:22] + b"enclos-i1\x01"
    assert found[0] == cmac(AES_256, message).hex() and found[0] != found[1]
    assert record_pseudonyms(LocalBlocks(AES_256), []) == []
