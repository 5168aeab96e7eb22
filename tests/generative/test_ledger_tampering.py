"""Whatever is done to a ledger's files, both verifiers see it.

The one that tampers holds the files, all public knowledge and keys of its own, not the ledger's; for forks, truncation
and rolling back it holds even the ledger's key, and a checkpoint that a witness kept gives it away.
"""

from __future__ import annotations

import ast
import importlib.util
import random
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

from enclos.ledger.model import Action, Checkpoint, Outcome
from enclos.ledger.rules.merkle import leaf_hash, tree_root
from enclos.ledger.rules.notes import checkpoint_note
from enclos.ledger.rules.tiles import joined, n_levels, split, tile_of, tiles_of_level
from enclos.ledger.steps import verify_ledger
from enclos.lexicon.refusals import NotAsPromised
from factories.ledger import ALICE, ORIGIN, PUBLIC_KEY, VERIFYING_KEY, SeedSigner, begun, filled
from fakes.ledger import MemoryLedger

N_IN_CI = 200
Files = dict[str, bytes]


@cache
def independent() -> ModuleType:
    path = Path(__file__).parents[2] / "tools" / "verify_ledger.py"
    spec = importlib.util.spec_from_file_location("verify_ledger", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def honest(n_entries: int) -> tuple[Files, bytes]:
    """A ledger's published files, and the checkpoint that a witness kept some entries ago."""
    store = MemoryLedger()
    ledger = filled(begun(store), n_entries - 20)
    kept = ledger.checkpoint()
    filled(ledger, 20)
    return public(store), kept


def public(store: MemoryLedger) -> Files:
    return {name: content for name, content in store.files.items() if not name.startswith("private/")}


def needed(files: Files, size: int) -> list[str]:
    """The files that the checkpoint needs."""
    tiles = [tile.name for level in (None, *range(n_levels(size))) for tile in tiles_of_level(level, size)]
    assert files.keys() >= set(tiles)
    return ["checkpoint", *tiles]


def rebuilt(entries: list[bytes], seed: int, origin: str = ORIGIN) -> Files:
    """A whole ledger of these entries, consistent in itself, signed by a key."""
    hashes = [leaf_hash(entry) for entry in entries]
    size = len(entries)
    note = checkpoint_note(
        Checkpoint(origin, size, tree_root(hashes)), SeedSigner(seed).public_key(), SeedSigner(seed).sign
    )
    files = {"checkpoint": note}
    for tile in tiles_of_level(None, size):
        files[tile.name] = joined(entries[tile.n * 256 : tile.n * 256 + tile.width])
    for level in range(n_levels(size)):
        for tile in tiles_of_level(level, size):
            files[tile.name] = b"".join(hashes[tile.n * 256 : tile.n * 256 + tile.width])
        hashes = [tree_root(hashes[i : i + 256]) for i in range(0, len(hashes) // 256 * 256, 256)]
    return files


def entries_in(files: Files, size: int) -> list[bytes]:
    return [entry for tile in tiles_of_level(None, size) for entry in split(files[tile.name])]


Tampering = Callable[[Files, int, random.Random], Files]


def flip(files: Files, size: int, dice: random.Random) -> Files:
    """One bit of any file, those of earlier checkpoints included."""
    name = dice.choice(sorted(set(files) - {"ledger.vkey"}))
    content = bytearray(files[name])
    content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
    return {**files, name: bytes(content)}


def delete(files: Files, size: int, dice: random.Random) -> Files:
    """A file that the checkpoint needs."""
    name = dice.choice(needed(files, size))
    return {other: content for other, content in files.items() if other != name}


def shorten(files: Files, size: int, dice: random.Random) -> Files:
    """A file that the checkpoint needs, cut."""
    name = dice.choice(needed(files, size))
    return {**files, name: files[name][: dice.randrange(len(files[name]))]}


def lengthen(files: Files, size: int, dice: random.Random) -> Files:
    """A file that the checkpoint needs, with more at its end."""
    name = dice.choice(needed(files, size))
    return {**files, name: files[name] + dice.randbytes(dice.choice([1, 2, 32, 34]))}


def swap_files(files: Files, size: int, dice: random.Random) -> Files:
    """Two files in each other's place."""
    tiles = [name for name in needed(files, size) if name != "checkpoint"]
    one = dice.choice(tiles)
    other = dice.choice([name for name in files if files[name] != files[one]])
    return {**files, one: files[other], other: files[one]}


def stray(files: Files, size: int, dice: random.Random) -> Files:
    """A file among the tiles that is none."""
    name = dice.choice(["tile/0/000.tmp", "tile/00/000", "tile/entries/0", "tile/0/000.p/256", "tile/note.txt"])
    return {**files, name: b"x"}


def _bundle_changed(
    files: Files, size: int, dice: random.Random, change: Callable[[list[bytes]], list[bytes]], *, with_tile: bool
) -> Files:
    bundles = list(tiles_of_level(None, size))
    bundle = dice.choice([tile for tile in bundles if tile.width > 2])
    entries = change(split(files[bundle.name]))
    changed = {**files, bundle.name: joined(entries)}
    if with_tile:
        changed[bundle.name.replace("entries", "0")] = b"".join(leaf_hash(entry) for entry in entries)
    return changed


def reorder(files: Files, size: int, dice: random.Random) -> Files:
    """Two entries in each other's place; the hashes with them, or not."""

    def change(entries: list[bytes]) -> list[bytes]:
        one, other = dice.sample(range(len(entries)), 2)
        entries[one], entries[other] = entries[other], entries[one]
        return entries

    return _bundle_changed(files, size, dice, change, with_tile=dice.random() < 0.5)


def insert(files: Files, size: int, dice: random.Random) -> Files:
    """An entry more, a copy of another."""

    def change(entries: list[bytes]) -> list[bytes]:
        entries.insert(dice.randrange(len(entries) + 1), dice.choice(entries))
        return entries

    return _bundle_changed(files, size, dice, change, with_tile=dice.random() < 0.5)


def remove(files: Files, size: int, dice: random.Random) -> Files:
    """An entry less."""

    def change(entries: list[bytes]) -> list[bytes]:
        del entries[dice.randrange(len(entries))]
        return entries

    return _bundle_changed(files, size, dice, change, with_tile=dice.random() < 0.5)


def rewrite(files: Files, size: int, dice: random.Random) -> Files:
    """An entry that says something else, with all tiles made to fit and the old signature."""
    entries = entries_in(files, size)
    place = dice.randrange(size)
    entries[place] = entries[place].replace(b'"v":1', b'"v":2')
    return {**files, **rebuilt(entries, seed=7), "checkpoint": files["checkpoint"]}


def sign_anew(files: Files, size: int, dice: random.Random) -> Files:
    """The same, signed by another key under the same origin, or by the ledger's key for another ledger."""
    entries = entries_in(files, size)
    if dice.random() < 0.5:
        return {**files, **rebuilt(entries[: dice.randrange(1, size)], seed=dice.randrange(8, 200))}
    return {**files, **rebuilt(entries, seed=7, origin="other.example/ledger")}


def fork(files: Files, size: int, dice: random.Random) -> Files:
    """With the ledger's own key: another history from some entry on that the witness has seen."""
    keep = dice.randrange(0, size - 21)
    entries = entries_in(files, size)
    return rebuilt(entries[:keep] + entries[keep + 1 :], seed=7)


def truncate(files: Files, size: int, dice: random.Random) -> Files:
    """With the ledger's own key: the newest entries taken off, one that the witness has seen among them."""
    return rebuilt(entries_in(files, size)[: dice.randrange(0, size - 20)], seed=7)


def disorder(files: Files, size: int, dice: random.Random) -> Files:
    """With the ledger's own key: entries in an order that never was, after those that the witness has seen."""
    entries = entries_in(files, size)
    place = dice.randrange(size - 19, size)
    return rebuilt([*entries[: place - 1], entries[place], entries[place - 1], *entries[place + 1 :]], seed=7)


def outcome_twice(files: Files, size: int, dice: random.Random) -> Files:
    """With the ledger's own key: a second outcome of an intent."""
    entries = entries_in(files, size)
    outcome = next(entry for entry in reversed(entries) if b'"kind":"outcome"' in entry)
    last_at = entries[-1].split(b'"at":"')[1][:24]
    again = outcome.replace(outcome.split(b'"at":"')[1][:24], last_at)
    return rebuilt([*entries, again], seed=7)


TAMPERINGS: list[Tampering] = [
    flip, delete, shorten, lengthen, swap_files, stray, reorder, insert, remove, rewrite,
    sign_anew, fork, truncate, disorder, outcome_twice,
]  # fmt: skip


def sees(files: Files, kept: bytes) -> tuple[bool, bool]:
    """Whether our verifier, and the independent one, find something wrong."""
    try:
        verify_ledger(MemoryLedger(files), PUBLIC_KEY, ORIGIN, kept)
        ours = False
    except NotAsPromised:
        ours = True
    published = {name: content for name, content in files.items() if name != "ledger.vkey"}
    try:
        independent().verify(published, VERIFYING_KEY, kept)
        theirs = False
    except Exception:  # noqa: BLE001 - the tool's own main turns any of these into the exit code
        theirs = True
    return ours, theirs


@pytest.mark.parametrize("n_entries", [25, 256, 300, 600])
def test_an_honest_ledger_passes_both(n_entries: int) -> None:
    files, kept = honest(n_entries)
    assert sees(files, kept) == (False, False)
    report = verify_ledger(MemoryLedger(files), PUBLIC_KEY, ORIGIN, kept)
    told = independent().verify({k: v for k, v in files.items() if k != "ledger.vkey"}, VERIFYING_KEY, kept)
    assert (told["size"], told["n_open"]) == (report.size, report.n_open)


def run(n_runs: int, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - chooses tamperings, not keys
    unseen = []
    for n in range(n_runs):
        tampering = TAMPERINGS[n % len(TAMPERINGS)]
        files, kept = honest(dice.choice([25, 256, 300]))
        size = int(files["checkpoint"].split(b"\n")[1])
        state = dice.getstate()
        tampered = tampering(files, size, dice)
        assert tampered != files, tampering.__name__
        if sees(tampered, kept) != (True, True):
            unseen.append((n, tampering.__name__, sees(tampered, kept), hash(state)))
    assert unseen == []


def test_every_tampering_is_seen() -> None:
    run(N_IN_CI, seed=2026)


@pytest.mark.slow
def test_ten_thousand_tamperings_are_seen() -> None:
    run(10_000, seed=962)


def test_older_partial_tiles_may_go() -> None:
    """C2SP tlog-tiles lets them go once full; here nothing needs them once a later checkpoint stands."""
    files, kept = honest(300)
    older = [name for name in files if (tile := tile_of(name)) and tile.width < 256 and name not in needed(files, 300)]
    assert older
    assert sees({name: content for name, content in files.items() if name not in older}, kept) == (False, False)
    assert sees({**files, older[0]: b""}, kept) == (False, False)


def test_without_a_witness_a_rolled_back_ledger_looks_sound() -> None:
    """What no verifier can see from the files alone; the reason for the witness."""
    files, kept = honest(300)
    shorter = truncate(files, 300, random.Random(1))  # noqa: S311
    assert verify_ledger(MemoryLedger(shorter), PUBLIC_KEY, ORIGIN).size < 280
    with pytest.raises(NotAsPromised):
        verify_ledger(MemoryLedger(shorter), PUBLIC_KEY, ORIGIN, kept)


def test_what_a_crash_leaves_beyond_the_checkpoint_is_no_fault() -> None:
    store = MemoryLedger()
    ledger = filled(begun(store), 30)
    note = ledger.checkpoint()
    ledger.intent(Action.STUDY, ALICE).outcome(Outcome.DONE)
    files = {**public(store), "checkpoint": note}
    assert sees(files, note) == (False, False)


def test_the_independent_verifier_is_short_and_shares_nothing() -> None:
    text = (Path(__file__).parents[2] / "tools" / "verify_ledger.py").read_text(encoding="utf-8")
    assert len(text.splitlines()) < 150
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [each.name for each in node.names])
    }
    assert imported - set(sys.stdlib_module_names) == {"cryptography"}
