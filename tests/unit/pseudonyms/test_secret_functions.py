"""Person numbers and record keys: standard vectors, no collision."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from hypothesis import given
from hypothesis import strategies as st

from enclos.lexicon.ids import MAX_PERSONS
from enclos.pseudonyms.secret_functions import ff1_encrypt, person_numbers, record_keys
from enclos.pseudonyms.secret_functions.numbers import ff1_decrypt, person_counters
from enclos.stores.keys import LocalBlocks

NIST_KEY = bytes.fromhex("2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F7F036D6F04FC6A94")


def secret(byte: int = 7) -> LocalBlocks:
    return LocalBlocks(bytes([byte]) * 32)


@pytest.mark.parametrize(
    ("n_bytes", "ciphertext"), [(16, 2433477484), (24, 2830668132), (32, 6657667009)], ids=["1", "4", "7"]
)
def test_ff1_gives_the_published_samples(n_bytes, ciphertext):
    """NIST, FF1 samples 1, 4 and 7: radix 10, empty tweak, plaintext 0123456789."""
    assert ff1_encrypt(LocalBlocks(NIST_KEY[:n_bytes]), 10, 10, np.array([123456789])).tolist() == [ciphertext]


def test_ff1_is_a_permutation_of_its_whole_domain():
    image = ff1_encrypt(LocalBlocks(NIST_KEY), 10, 6, np.arange(10**6))
    assert np.array_equal(np.sort(image), np.arange(10**6))


def test_person_numbers_are_distinct_small_enough_and_unlike_their_counters():
    numbers = person_numbers(secret(), np.arange(200_000))
    assert len(np.unique(numbers)) == 200_000
    assert numbers.min() >= 0 and numbers.max() < MAX_PERSONS
    assert abs(np.corrcoef(numbers, np.arange(200_000))[0, 1]) < 0.02
    assert np.bincount(numbers % 16).min() > 200_000 / 16 * 0.95


@given(st.lists(st.integers(0, MAX_PERSONS - 1), min_size=1, max_size=50))
def test_a_number_depends_on_its_counter_alone(counters):
    alone = [int(person_numbers(secret(), np.array([counter]))[0]) for counter in counters]
    assert person_numbers(secret(), np.array(counters)).tolist() == alone


def test_another_secret_gives_other_numbers():
    counters = np.arange(1000)
    assert not np.array_equal(person_numbers(secret(1), counters), person_numbers(secret(2), counters))


@pytest.mark.parametrize("counter", [-1, MAX_PERSONS])
def test_outside_its_domain_the_permutation_is_refused(counter):
    with pytest.raises(ValueError, match="digits"):
        person_numbers(secret(), np.array([counter]))


def test_record_keys_are_aes_of_the_digest_cut_to_63_bits():
    digests = [hashlib.sha256(text).digest() for text in (b"a", b"b", b"")]
    encryptor = Cipher(AES(bytes([7]) * 32), ECB()).encryptor()  # noqa: S305 - the definition
    expected = [int.from_bytes(encryptor.update(digest[:16])[:8], "big") & (2**63 - 1) for digest in digests]
    assert record_keys(secret(), b"".join(digests)).tolist() == expected
    assert record_keys(secret(), b"").tolist() == []
    with pytest.raises(ValueError, match="32 bytes"):
        record_keys(secret(), b"x")


@pytest.mark.parametrize(("n_bytes", "radix", "n_digits"), [(16, 10, 10), (32, 2, 43), (32, 10, 7)])
def test_ff1_undone_gives_what_was_there(n_bytes, radix, n_digits):
    numbers = np.array([0, 1, 5, radix**n_digits - 1, *range(1000, 1000 + (1 << 14))])
    cipher = LocalBlocks(NIST_KEY[:n_bytes])
    assert (ff1_decrypt(cipher, radix, n_digits, ff1_encrypt(cipher, radix, n_digits, numbers)) == numbers).all()


def test_a_person_number_leads_back_to_its_counter_under_its_own_key_only():
    counters = np.arange(1000)
    numbers = person_numbers(LocalBlocks(NIST_KEY), counters)
    assert (person_counters(LocalBlocks(NIST_KEY), numbers) == counters).all()
    assert not (person_counters(LocalBlocks(NIST_KEY[::-1]), numbers) == counters).any()
