"""Keys in a real PKCS#11 token (SoftHSM2): what must not leave it does not, and destroyed is destroyed."""

from __future__ import annotations

import json

import numpy as np
import pkcs11
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pkcs11 import Attribute, ObjectClass

from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole
from enclos.lexicon.refusals import NotAllowed, NotAsPromised
from enclos.pseudonyms.secret_functions import person_numbers
from enclos.stores.keys import KeysByRole, read_token_uri
from enclos.stores.keys.token import TokenKeyStore
from factories.tokens import PIN, token, token_folder

pytestmark = pytest.mark.system("softhsm2")

VAULT, LEDGER = KeyName(KeyRole.VAULT), KeyName(KeyRole.LEDGER)
PERSONS, SOURCE = KeyName(KeyRole.PSEUDONYM), KeyName(KeyRole.SOURCE, "hosp-a")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "token.json"


@pytest.fixture
def store(path):
    return TokenKeyStore.initialise(path, read_token_uri(token()), PIN)


def again(path):
    return TokenKeyStore.open(path, read_token_uri(token()), PIN)


def objects(store, kind):
    found = store._held.session.get_objects({Attribute.CLASS: kind})
    return [each for each in found if store._object("") in each[Attribute.LABEL]]


def test_a_sealing_key_comes_back_the_same_and_stands_nowhere_in_clear(store, path):
    store.create(VAULT)
    key = store.secret(VAULT).reveal()
    assert again(path).secret(VAULT).reveal() == key
    kept = [path, *(file for file in token_folder().rglob("*") if file.is_file())]
    assert len(kept) > 2
    for file in kept:
        content = file.read_bytes()
        assert key not in content and key.hex().encode() not in content


def test_signing_and_pseudonym_keys_cannot_be_read_out_of_the_token(store):
    for name in (LEDGER, PERSONS, SOURCE, VAULT):
        store.create(name)
    secrets = objects(store, ObjectClass.SECRET_KEY) + objects(store, ObjectClass.PRIVATE_KEY)
    assert len(secrets) == 4
    for each in secrets:
        assert each[Attribute.SENSITIVE] and not each[Attribute.EXTRACTABLE]
        with pytest.raises(pkcs11.PKCS11Error):
            each[Attribute.VALUE]
        with pytest.raises(pkcs11.PKCS11Error):
            each[Attribute.EXTRACTABLE] = True


def test_a_pseudonym_key_encrypts_and_does_not_decrypt(store):
    store.create(SOURCE)
    key = store.blocks(SOURCE)
    image = key.encrypt(bytes(32))
    assert image[:16] == image[16:] and len(image) == 32
    assert not key._key[Attribute.DECRYPT] and not key._key[Attribute.WRAP]


def test_buffers_larger_than_one_call_are_the_same_in_parts(store):
    store.create(SOURCE)
    key = store.blocks(SOURCE)
    blocks = np.arange((3 << 20) + 5, dtype=np.uint64).repeat(2).tobytes()
    image = key.encrypt(blocks)
    assert len(image) == len(blocks)
    assert image[-16:] == key.encrypt(blocks[-16:]) and image[:16] == key.encrypt(blocks[:16])
    at = (2 << 20) * 8
    assert image[at : at + 16] == key.encrypt(blocks[at : at + 16])


def test_signatures_made_in_the_token_verify(store):
    store.create(LEDGER)
    signature = store.sign(LEDGER, b"note")
    Ed25519PublicKey.from_public_bytes(store.public(LEDGER)).verify(signature, b"note")


def test_person_numbers_made_in_the_token_are_a_permutation(store):
    store.create(PERSONS)
    numbers = person_numbers(store.blocks(PERSONS), np.arange(50_000))
    assert len(np.unique(numbers)) == 50_000
    assert person_numbers(store.blocks(PERSONS), np.array([49_999]))[0] == numbers[-1]


def test_a_destroyed_key_stays_destroyed_even_with_a_copy_of_the_register(store, path):
    store.create(VAULT)
    store.create(SOURCE)
    copy = path.read_bytes()
    store.destroy(VAULT)
    store.destroy(SOURCE)
    path.write_bytes(copy)
    for use in (lambda: again(path).secret(VAULT), lambda: again(path).blocks(SOURCE)):
        with pytest.raises(NotAsPromised) as refused:
            use()
        assert refused.value.code is Code.KEY_MISSING


def test_a_wrapped_key_moved_under_another_name_does_not_open(store, path):
    desk = KeyName(KeyRole.DESK)
    store.create(VAULT)
    store.create(desk)
    document = json.loads(path.read_bytes())
    keys = document["keys"]
    keys["vault"]["wrapped"], keys["desk"]["wrapped"] = keys["desk"]["wrapped"], keys["vault"]["wrapped"]
    path.write_text(json.dumps(document))
    with pytest.raises(NotAsPromised) as refused:
        store.secret(VAULT)
    assert refused.value.code is Code.STORAGE_BROKEN


def test_a_killed_creation_leaves_no_second_key(store, path):
    before = path.read_bytes()
    store.create(SOURCE)
    path.write_bytes(before)  # as if the process had died before the key was entered
    store.create(SOURCE)
    assert len(objects(store, ObjectClass.SECRET_KEY)) == 1


def test_the_wrong_pin_is_refused_whether_or_not_the_token_is_open(path):
    place = read_token_uri(token("untouched"))
    for _ in range(2):
        with pytest.raises(NotAllowed) as refused:
            TokenKeyStore.initialise(path, place, "000000")
        assert refused.value.code is Code.TOKEN_PIN
        TokenKeyStore.initialise(path, place, PIN)


def test_a_token_that_is_not_there_is_refused_without_the_modules_text(path):
    known = read_token_uri(token())
    for uri in (f"pkcs11:token=nobody?module-path={known.module}", "pkcs11:token=x?module-path=/nonexistent.so"):
        with pytest.raises(NotAsPromised) as refused:
            TokenKeyStore.initialise(path, read_token_uri(uri), PIN)
        assert refused.value.code is Code.TOKEN_UNREACHABLE


def test_a_rotated_key_is_another_one_in_the_token(store):
    store.create(LEDGER)
    old = store.public(LEDGER)
    store.create(LEDGER.of_generation(2))
    store.promote(LEDGER.of_generation(2))
    store.destroy(LEDGER.of_generation(1))
    assert store.public(LEDGER) != old
    assert [entry.public == old for entry in store.entries()] == [True, False]


def test_roles_in_different_hands_lie_in_different_tokens(store, tmp_path):
    other = TokenKeyStore.initialise(tmp_path / "ledger.json", read_token_uri(token("ledger-keeper")), PIN)
    keys = KeysByRole(store, {KeyRole.LEDGER: other})
    keys.create(LEDGER)
    keys.create(VAULT)
    assert keys.names() == ["ledger", "vault"]
    assert [len(objects(each, ObjectClass.PRIVATE_KEY)) for each in (store, other)] == [0, 1]
    assert keys.public(LEDGER) == other.public(LEDGER)
    assert "Token" not in repr(keys) and "Token" in repr(other) and PIN not in repr(other._held)
