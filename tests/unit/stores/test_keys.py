"""The file key store: wrapped one by one, destroyed for ever, silent about its content."""

from __future__ import annotations

import base64
import json
import subprocess
import sys

import pytest
from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole
from enclos.lexicon.refusals import NotAllowed, NotAsPromised
from enclos.stores.keys import FileKeyStore, KeySigner

VAULT, CROSSING, LEDGER = (KeyName(role) for role in (KeyRole.VAULT, KeyRole.CROSSING, KeyRole.LEDGER))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "keystore.json"


def test_a_key_comes_back_the_same_under_the_same_passphrase(path):
    store = FileKeyStore.initialise(path, "one two three")
    store.create(VAULT)
    again = FileKeyStore.open(path, "one two three")
    assert again.secret(VAULT).reveal() == store.secret(VAULT).reveal()
    assert again.names() == ["vault"]


def test_a_wrong_passphrase_is_refused_at_once(path):
    FileKeyStore.initialise(path, "right")
    with pytest.raises(NotAllowed) as refused:
        FileKeyStore.open(path, "wrong")
    assert refused.value.code is Code.PASSPHRASE_WRONG


def test_keys_differ_and_do_not_stand_in_the_file(path):
    store = FileKeyStore.initialise(path, "p")
    store.create(VAULT)
    store.create(CROSSING)
    keys = [store.secret(name).reveal() for name in (VAULT, CROSSING)]
    assert keys[0] != keys[1]
    content = path.read_bytes()
    for key in keys:
        assert key not in content
        assert key.hex().encode() not in content
    assert path.stat().st_mode & 0o077 == 0


def test_a_passphrase_is_stretched_as_much_as_is_advised(path):
    """Source: RFC 9106, § 4, second choice; ASVS 5.0.0, appendix C, asks for 12 MiB at three passes."""
    store = FileKeyStore.initialise(path, "p")
    salt = base64.b64decode(json.loads(path.read_bytes())["kdf"]["salt"])
    advised = {"time_cost": 3, "memory_cost": 65_536, "parallelism": 4, "hash_len": 32, "type": Type.ID}
    assert len(salt) == 16
    assert store._wrapping_key == hash_secret_raw(b"p", salt, **advised)


def test_a_destroyed_key_is_gone_and_its_name_is_never_used_again(path):
    store = FileKeyStore.initialise(path, "p")
    store.create(VAULT)
    store.destroy(VAULT)
    assert not store.exists(VAULT)
    with pytest.raises(NotAsPromised) as refused:
        store.secret(VAULT)
    assert refused.value.code is Code.KEY_MISSING
    with pytest.raises(ValueError):
        store.create(VAULT)
    assert "wrapped" not in json.loads(path.read_bytes())["keys"]["vault"]


def test_an_entry_moved_under_another_name_does_not_open(path):
    store = FileKeyStore.initialise(path, "p")
    store.create(VAULT)
    store.create(LEDGER)
    document = json.loads(path.read_bytes())
    document["keys"]["vault"], document["keys"]["ledger"] = document["keys"]["ledger"], document["keys"]["vault"]
    path.write_text(json.dumps(document))
    with pytest.raises(NotAsPromised) as refused:
        store.secret(VAULT)
    assert refused.value.code is Code.STORAGE_BROKEN


def test_a_broken_file_is_refused(path):
    FileKeyStore.initialise(path, "p")
    path.write_text("{")
    with pytest.raises(NotAsPromised):
        FileKeyStore.open(path, "p")


def test_signatures_verify_with_the_public_key(path):
    store = FileKeyStore.initialise(path, "p")
    store.create(LEDGER)
    signer = KeySigner(store, LEDGER)
    Ed25519PublicKey.from_public_bytes(signer.public_key()).verify(signer.sign(b"note"), b"note")
    assert "ledger" in repr(signer)


def test_a_key_of_one_role_does_not_fit_anothers_function(path):
    store = FileKeyStore.initialise(path, "p")
    persons = KeyName(KeyRole.PSEUDONYM)
    for name in (VAULT, LEDGER, persons):
        store.create(name)
    for wrong in (lambda: store.secret(LEDGER), lambda: store.secret(persons), lambda: store.blocks(VAULT)):
        with pytest.raises(ValueError, match="not for this use"):
            wrong()
    with pytest.raises(ValueError, match="not for this use"):
        store.sign(VAULT, b"note")


def test_a_rotated_key_is_another_one_and_the_old_one_goes_alone(path):
    store = FileKeyStore.initialise(path, "p")
    store.create(LEDGER)
    old = store.public(LEDGER)
    following = LEDGER.of_generation(2)
    store.create(following)
    assert store.public(LEDGER) == old
    store.promote(following)
    store.destroy(LEDGER.of_generation(1))
    assert store.public(LEDGER) == store.public(following) != old
    assert [(e.name.generation, e.is_current, e.public) for e in store.entries()] == [
        (1, False, old),
        (2, True, store.public(LEDGER)),
    ]
    store.destroy(LEDGER)
    assert not store.exists(LEDGER) and store.names() == []


def test_many_open_it_at_once(path):
    """In a process of its own: derivations that wait for each other for ever would hold this one too."""
    FileKeyStore.initialise(path, "p").create(VAULT)
    program = (
        "import sys; from concurrent.futures import ThreadPoolExecutor; from pathlib import Path\n"
        "from enclos.stores.keys import FileKeyStore\n"
        "opened = lambda _: FileKeyStore.open(Path(sys.argv[1]), 'p').names()\n"
        "with ThreadPoolExecutor(4) as threads: assert list(threads.map(opened, range(4))) == [['vault']] * 4\n"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], check=True, timeout=60)


def test_what_is_known_of_keys_follows_the_file_whoever_writes_it(path):
    store = FileKeyStore.initialise(path, "p")
    other = FileKeyStore.open(path, "p")
    assert other.entries() == store.entries() == ()
    store.create(VAULT)
    (entry,) = other.entries()
    assert (entry.name, entry.is_current, entry.destroyed_at) == (VAULT.of_generation(1), True, None)
    store.create(VAULT.of_generation(2))
    store.promote(VAULT.of_generation(2))
    assert [entry.is_current for entry in other.entries()] == [False, True]
    store.destroy(VAULT.of_generation(1))
    assert [entry.destroyed_at is None for entry in other.entries()] == [False, True]
    path.write_bytes(b"{}")
    with pytest.raises(NotAsPromised):
        other.entries()
