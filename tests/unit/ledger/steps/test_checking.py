import pytest

from enclos.ledger.model import Action, Checkpoint, Entry, Kind
from enclos.ledger.rules.entries import entry_bytes
from enclos.ledger.rules.merkle import leaf_hash, tree_root
from enclos.ledger.rules.notes import checkpoint_note
from enclos.ledger.rules.tiles import joined
from enclos.ledger.steps import examine_ledger, verify_ledger
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import NotAsPromised
from factories.ledger import ALICE, ORIGIN, PERMIT, PUBLIC_KEY, START, SeedSigner, begun, filled
from fakes.ledger import MemoryLedger


def test_a_report_says_what_the_ledger_holds() -> None:
    store = MemoryLedger()
    ledger = begun(store)
    with ledger.intent(Action.STUDY, ALICE, PERMIT):
        ledger.record(Action.LOGIN, ALICE)
    ledger.intent(Action.SQL, ALICE, PERMIT)
    report = verify_ledger(store, PUBLIC_KEY, ORIGIN)
    assert (report.origin, report.size, report.n_open, report.faults) == (ORIGIN, 4, 1, ())
    assert report.n_entries == {Action.STUDY: 1, Action.LOGIN: 1, Action.SQL: 1}
    assert report.last_at == ledger.last_at()
    assert report.is_sound


def test_all_faults_are_gathered_and_the_first_is_named() -> None:
    store = MemoryLedger()
    filled(begun(store), 300)
    store.files["tile/0/000"] = bytes(8192)
    store.files["tile/0/002"] = bytes(8192)
    store.files["tile/note.txt"] = b""
    del store.files["tile/1/000.p/1"]
    report = examine_ledger(store, PUBLIC_KEY, ORIGIN)
    assert [fault.what for fault in report.faults] == [
        "The tile tile/0/000 is not that of the entries.",
        "The tile tile/1/000.p/1 is missing or has a wrong length.",
        "There is a file among the tiles that is none.",
    ]
    assert {fault.code for fault in report.faults} == {Code.LEDGER_DAMAGED}
    assert not report.is_sound
    with pytest.raises(NotAsPromised, match=r"tile/0/000 .* \(3 faults in all\)"):
        verify_ledger(store, PUBLIC_KEY, ORIGIN)


def test_a_missing_bundle_is_named() -> None:
    store = MemoryLedger()
    filled(begun(store), 10)
    del store.files["tile/entries/000.p/10"]
    with pytest.raises(NotAsPromised, match=r"tile/entries/000.p/10 is missing"):
        verify_ledger(store, PUBLIC_KEY, ORIGIN)


def _signed(entries: list[bytes]) -> MemoryLedger:
    hashes = [leaf_hash(entry) for entry in entries]
    note = checkpoint_note(Checkpoint(ORIGIN, len(entries), tree_root(hashes)), PUBLIC_KEY, SeedSigner().sign)
    width = len(entries)
    files = {"checkpoint": note, f"tile/0/000.p/{width}": b"".join(hashes)}
    return MemoryLedger({**files, f"tile/entries/000.p/{width}": joined(entries)})


def test_signed_entries_of_another_form_are_faults() -> None:
    good = entry_bytes(Entry(Kind.EVENT, Action.LOGIN, START, "salted:aa"))
    for bad in (b"", b"{}", b"[" * 3000, b"\xff", good + b" ", good.replace(b"login", b"dance")):
        (fault,) = examine_ledger(_signed([good, bad, good]), PUBLIC_KEY, ORIGIN).faults
        assert (fault.code, fault.what) == (Code.LEDGER_DAMAGED, "Entry 1 is not in the ledger's form.")
    assert examine_ledger(_signed([good, good]), PUBLIC_KEY, ORIGIN).is_sound


def test_no_checkpoint_says_nothing() -> None:
    for files in ({}, {"checkpoint": b""}, {"checkpoint": b"x"}):
        with pytest.raises(NotAsPromised) as refused:
            examine_ledger(MemoryLedger(files), PUBLIC_KEY, ORIGIN)
        assert refused.value.code is Code.LEDGER_UNSIGNED


@pytest.mark.parametrize("name", ["tile/0/000.p/5", "tile/entries/000.p/5"])
def test_tiles_no_longer_needed_may_be_cut_short_and_not_be_others(name: str) -> None:
    store = MemoryLedger()
    ledger = filled(begun(store), 5)
    filled(ledger, 3)
    content = store.files[name]
    for good in (content, content[:70], content[:70].ljust(len(content), b"\0"), b""):
        store.files[name] = good
        assert examine_ledger(store, PUBLIC_KEY, ORIGIN).is_sound
    longer = store.files[name.replace("5", "8")]
    for bad in (content[:60] + b"x" + content[61:], b"x", content + b"x", longer, content + b"\0"):
        store.files[name] = bad
        (fault,) = examine_ledger(store, PUBLIC_KEY, ORIGIN).faults
        assert (fault.code, fault.what) == (Code.LEDGER_DAMAGED, f"The file {name} is not that of the entries.")
