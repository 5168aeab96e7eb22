"""Keys, notes and malformations published with the signed-note format (BSD-3-Clause: golang.org/x/mod/sumdb/note)."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from enclos.ledger.model import Checkpoint, Proof
from enclos.ledger.rules.merkle import leaf_hash, node_hash
from enclos.ledger.rules.notes import (
    COSIGNATURE,
    MAX_SIGNATURES,
    check_proof,
    checkpoint_note,
    cosigned,
    cosigned_at,
    opened,
    proof_text,
    read_checkpoint,
    read_proof,
    read_verifying_key,
    signed,
    verifying_key,
)
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import NotAsPromised

PETER_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
ENOCH_KEY = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETER_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
ENOCH_LINE = (
    "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
)
PETER = read_verifying_key(PETER_KEY)
ENOCH = read_verifying_key(ENOCH_KEY)


def sign_as_peter(message: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(PETER_SEED).sign(message)


def is_refused(function: Callable[[], object]) -> bool:
    try:
        function()
    except NotAsPromised as refused:
        return refused.code is Code.LEDGER_UNSIGNED
    return False


def test_a_verifying_key_reads_and_writes_as_published() -> None:
    assert PETER[0] == "PeterNeumann"
    assert verifying_key(*PETER) == PETER_KEY
    assert verifying_key(*ENOCH) == ENOCH_KEY


def test_every_cut_or_altered_verifying_key_is_refused() -> None:
    cuts = [PETER_KEY[i:j] for i in range(len(PETER_KEY)) for j in range(i + 1, len(PETER_KEY) + 1)]
    altered = [PETER_KEY[:i] + chr(ord(char) + 1) + PETER_KEY[i + 1 :] for i, char in enumerate(PETER_KEY)]
    others = [
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "",
    ]
    wrong = [text for text in (*cuts, *altered, *others) if text != PETER_KEY]
    assert [text for text in wrong if not is_refused(lambda text=text: read_verifying_key(text))] == []


def test_a_note_is_signed_as_published() -> None:
    assert signed(TEXT, *PETER, sign_as_peter).decode() == f"{TEXT}\n{PETER_LINE}"


@pytest.mark.parametrize(
    ("text", "name"), [("abc", "a"), ("a\tb\n", "a"), (TEXT, "bad name"), (TEXT, "a+b"), (TEXT, "")]
)
def test_what_cannot_be_in_a_note_is_not_signed(text: str, name: str) -> None:
    with pytest.raises(ValueError, match="a note is"):
        signed(text, name, PETER[1], sign_as_peter)


@pytest.mark.parametrize("lines", [PETER_LINE + ENOCH_LINE, ENOCH_LINE + PETER_LINE, PETER_LINE * 16])
def test_a_note_opens_for_each_of_its_signers(lines: str) -> None:
    note = f"{TEXT}\n{lines}".encode()
    assert opened(note, *PETER) == TEXT
    assert (ENOCH_LINE not in lines) == is_refused(lambda: opened(note, *ENOCH))


@pytest.mark.parametrize(
    "note",
    [
        TEXT,
        TEXT + "\n",
        TEXT + "\n" + PETER_LINE[:-1],
        "\x01" + TEXT + "\n" + PETER_LINE,
        TEXT + "\n" + PETER_LINE.replace("PeterNeumann", "Bad Name"),
        TEXT + "\n" + PETER_LINE + "Unexpected line.\n",
        TEXT + "\n" + PETER_LINE[:60] + "ABCD" + PETER_LINE[60:],
        TEXT + "\n" + PETER_LINE * (MAX_SIGNATURES + 1),
        TEXT + "\n" + PETER_LINE.replace("PeterNeumann", "CarmenSandiego"),
        TEXT + "\n" + PETER_LINE.replace("x08g", "xxxx"),
        TEXT + "\n" + PETER_LINE.replace("JnAM=", "JnAN="),
        TEXT.replace("think", "thunk") + "\n" + PETER_LINE,
        TEXT + "\n" + PETER_LINE + PETER_LINE[:60] + "ABCD" + PETER_LINE[60:],
        "",
    ],
)
def test_malformed_and_wrongly_signed_notes_are_refused(note: str) -> None:
    assert is_refused(lambda: opened(note.encode(), *PETER))


def test_bytes_that_are_no_text_are_refused() -> None:
    assert is_refused(lambda: opened(b"\xff" + f"{TEXT}\n{PETER_LINE}".encode(), *PETER))


ORIGIN = "PeterNeumann"
CHECKPOINT = Checkpoint(ORIGIN, 20852163, base64.b64decode("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="))
"""Size and root of the example in C2SP tlog-checkpoint."""


def test_a_checkpoint_has_the_lines_of_the_specification() -> None:
    note = checkpoint_note(CHECKPOINT, PETER[1], sign_as_peter)
    assert note.decode().split("\n\n")[0] == f"{ORIGIN}\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
    assert read_checkpoint(note, *PETER) == CHECKPOINT


def test_extension_lines_are_passed_over() -> None:
    text = f"{ORIGIN}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\nextension\n"
    assert read_checkpoint(signed(text, *PETER, sign_as_peter), *PETER).size == 0


@pytest.mark.parametrize(
    "text",
    [
        "other.example/log\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
        f"{ORIGIN}\n01\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
        f"{ORIGIN}\n-1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
        f"{ORIGIN}\n١\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
        f"{ORIGIN}\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I\n",
        f"{ORIGIN}\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\n",
        f"{ORIGIN}\n1\nCsUY\n",
        f"{ORIGIN}\n1\n",
        f"{ORIGIN}\n",
        f"{ORIGIN}\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\nmore\n",
    ],
)
def test_signed_text_that_is_no_checkpoint_of_this_ledger_is_refused(text: str) -> None:
    note = signed(text, *PETER, sign_as_peter)
    assert is_refused(lambda: read_checkpoint(note, *PETER))


def _proof() -> Proof:
    left, right = leaf_hash(b"left"), leaf_hash(b"right")
    note = checkpoint_note(Checkpoint(ORIGIN, 2, node_hash(left, right)), PETER[1], sign_as_peter)
    return Proof(1, (left,), note)


def test_a_proof_goes_by_file_and_convinces_without_the_ledger() -> None:
    text = proof_text(_proof())
    assert text.startswith(b"c2sp.org/tlog-proof@v1\nindex 1\n")
    assert read_proof(text) == _proof()
    assert check_proof(read_proof(text), b"right", *PETER).size == 2
    with_extra = text.replace(b"index 1", b"extra eHl6\nindex 1")
    assert read_proof(with_extra) == _proof()


def test_a_proof_of_another_entry_or_place_does_not_convince() -> None:
    proof = _proof()
    for wrong, entry in (
        (proof, b"wrong"),
        (Proof(0, proof.path, proof.note), b"right"),
        (Proof(1, (), proof.note), b"right"),
    ):
        with pytest.raises(NotAsPromised) as refused:
            check_proof(wrong, entry, *PETER)
        assert refused.value.code is Code.LEDGER_DAMAGED


@pytest.mark.parametrize(
    ("old", "new"), [(b"proof@v1", b"proof@v2"), (b"index 1", b"index 01"), (b"index 1", b"1"), (b"=\n\n", b"\n\n")]
)
def test_a_malformed_proof_is_refused(old: bytes, new: bytes) -> None:
    with pytest.raises(NotAsPromised) as refused:
        read_proof(proof_text(_proof()).replace(old, new))
    assert refused.value.code is Code.LEDGER_DAMAGED


def test_a_cosigners_verifying_key_reads_as_published() -> None:
    """Published with the witness formats (Apache-2.0: github.com/transparency-dev/formats)."""
    line = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"
    name, public_key = read_verifying_key(line, COSIGNATURE)
    assert verifying_key(name, public_key, COSIGNATURE) == line
    assert is_refused(lambda: read_verifying_key(line))
    assert is_refused(lambda: read_verifying_key(PETER_KEY, COSIGNATURE))


def test_a_cosignature_signs_time_and_text_as_the_specification_says() -> None:
    note = checkpoint_note(Checkpoint("example.com/log", 3, bytes(32)), PETER[1], sign_as_peter)
    at = datetime.fromtimestamp(1679315147, UTC)
    signed_note = cosigned(note, "PeterNeumann", PETER[1], at, sign_as_peter)
    raw = base64.b64decode(signed_note.rpartition(b" ")[2])
    assert raw[4:12] == (1679315147).to_bytes(8, "big") and len(raw) == 76
    text = note.rpartition(b"\n\n")[0] + b"\n"
    Ed25519PublicKey.from_public_bytes(PETER[1]).verify(raw[12:], b"cosignature/v1\ntime 1679315147\n" + text)
    assert cosigned_at(signed_note, *PETER) == at
    assert read_checkpoint(signed_note, "example.com/log", PETER[1]).size == 3


def test_a_cosignature_takes_the_place_of_the_same_witness_only() -> None:
    note = checkpoint_note(Checkpoint("example.com/log", 3, bytes(32)), PETER[1], sign_as_peter)
    first, later = (datetime.fromtimestamp(second, UTC) for second in (100, 200))
    once = cosigned(note, "PeterNeumann", PETER[1], first, sign_as_peter)
    other = cosigned(once, "another", PETER[1], first, sign_as_peter)
    twice = cosigned(other, "PeterNeumann", PETER[1], later, sign_as_peter)
    assert len(twice.splitlines()) == len(note.splitlines()) + 2
    assert cosigned_at(twice, *PETER) == later
    assert cosigned_at(twice, "another", PETER[1]) == first


def test_a_cosignature_of_another_time_or_text_is_refused() -> None:
    note = checkpoint_note(Checkpoint("example.com/log", 3, bytes(32)), PETER[1], sign_as_peter)
    signed_note = cosigned(note, "PeterNeumann", PETER[1], datetime.fromtimestamp(100, UTC), sign_as_peter)
    head, _, encoded = signed_note.rpartition(b" ")
    raw = bytearray(base64.b64decode(encoded))
    raw[11] += 1
    assert is_refused(lambda: cosigned_at(head + b" " + base64.b64encode(raw) + b"\n", *PETER))
    assert is_refused(lambda: cosigned_at(signed_note.replace(b"\n3\n", b"\n4\n"), *PETER))
    assert is_refused(lambda: cosigned_at(note, *PETER))
