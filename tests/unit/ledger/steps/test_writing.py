from datetime import timedelta

import pytest

from enclos.ledger.model import Action, Kind, Outcome, Personal
from enclos.ledger.rules.entries import entry_bytes
from enclos.ledger.rules.notes import check_proof, read_checkpoint
from enclos.ledger.steps import Ledger, verify_ledger
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import SecretKey
from enclos.lexicon.refusals import NotAllowed, NotAsPromised, Refusal, refusal
from factories.ledger import (
    ALICE,
    ORIGIN,
    PERMIT,
    PUBLIC_KEY,
    SALT,
    START,
    VERIFYING_KEY,
    SeedSigner,
    SteppingClock,
    begun,
    filled,
    opened,
)
from fakes.ledger import Died, HeldPace, MemoryLedger


def test_a_new_ledger_is_signed_empty_and_carries_its_verifying_key() -> None:
    store = MemoryLedger()
    ledger = begun(store)
    assert (ledger.size(), ledger.last_at(), list(ledger.entries())) == (0, None, [])
    assert read_checkpoint(ledger.checkpoint(), ORIGIN, PUBLIC_KEY).size == 0
    assert store.files["ledger.vkey"].decode() == VERIFYING_KEY + "\n"
    assert verify_ledger(store, PUBLIC_KEY, ORIGIN).size == 0


def test_a_ledger_is_begun_once() -> None:
    store = MemoryLedger()
    begun(store)
    with pytest.raises(NotAsPromised) as refused:
        begun(store)
    assert refused.value.code is Code.LEDGER_EXISTS


def test_a_ledger_that_is_not_there_is_not_begun_by_opening() -> None:
    store = MemoryLedger()
    with pytest.raises(NotAsPromised) as refused:
        opened(store)
    assert refused.value.code is Code.LEDGER_MISSING
    assert not store.files


@pytest.mark.parametrize("origin", ["", "a b", "a+b", "a\nb"])
def test_an_origin_must_do_as_the_name_of_a_key(origin: str) -> None:
    with pytest.raises(ValueError, match="origin"):
        begun(MemoryLedger(), origin=origin)


def test_an_intent_its_outcome_and_an_event() -> None:
    ledger = begun(MemoryLedger())
    ticket = ledger.intent(Action.STUDY, ALICE, PERMIT, {"snapshot": 3})
    assert ledger.size() == 1
    place = ticket.outcome(Outcome.DONE, {"n_rows": 12})
    event = ledger.record(Action.LOGIN, ALICE)
    (_, intent), (_, outcome), (_, login) = ledger.entries()
    assert (ticket.index, place, event) == (0, 1, 2)
    assert (intent.kind, intent.action, intent.permit, intent.facts) == (
        Kind.INTENT,
        Action.STUDY,
        PERMIT,
        {"snapshot": 3},
    )
    assert (outcome.kind, outcome.intent, outcome.outcome, outcome.facts) == (
        Kind.OUTCOME,
        0,
        Outcome.DONE,
        {"n_rows": 12},
    )
    assert (login.kind, login.action) == (Kind.EVENT, Action.LOGIN)
    actors = {intent.actor, outcome.actor, login.actor}
    assert (actors, ledger.digests("bob@example.org")) == (set(ledger.digests(ALICE)), ())
    assert START < intent.at < outcome.at < login.at == ledger.last_at()


def test_an_intent_has_one_outcome() -> None:
    ticket = begun(MemoryLedger()).intent(Action.STUDY, ALICE)
    ticket.outcome(Outcome.DONE)
    with pytest.raises(ValueError, match="one outcome"):
        ticket.outcome(Outcome.FAILED)


def test_leaving_the_block_says_how_it_ended() -> None:
    ledger = begun(MemoryLedger())
    with ledger.intent(Action.STUDY, ALICE, PERMIT) as ticket:
        ticket.facts["n_rows"] = 5
    with (
        pytest.raises(NotAllowed),
        ledger.intent(Action.SQL, ALICE, PERMIT),
    ):
        raise refusal(Code.ENCLOSURE_BUSY, "Another process is at work.")
    with pytest.raises(ZeroDivisionError), ledger.intent(Action.BUILD, ALICE) as ticket:
        ticket.facts["n_rows"] = 1 // 0
    with ledger.intent(Action.LINK, ALICE) as ticket:
        ticket.outcome(Outcome.REFUSED, code=Code.CLOCK_BEHIND)
    outcomes = [entry for _, entry in ledger.entries() if entry.kind is Kind.OUTCOME]
    assert [(entry.outcome, entry.code, entry.facts) for entry in outcomes] == [
        (Outcome.DONE, None, {"n_rows": 5}),
        (Outcome.REFUSED, "ENC-03", {}),
        (Outcome.FAILED, None, {"fault": "ZeroDivisionError"}),
        (Outcome.REFUSED, "ENC-09", {}),
    ]


def test_an_intent_is_durable_before_its_block_begins() -> None:
    store = MemoryLedger()
    ledger = begun(store)
    with ledger.intent(Action.STUDY, ALICE):
        assert verify_ledger(store, PUBLIC_KEY, ORIGIN).n_open == 1
        left = store.after_power_cut()
        assert next(iter(opened(left).entries()))[1].action is Action.STUDY


def test_a_clock_that_runs_behind_is_refused_before_anything_is_written() -> None:
    store, clock = MemoryLedger(), SteppingClock()
    ledger = begun(store, clock=clock)
    ledger.record(Action.LOGIN, ALICE)
    ticket = ledger.intent(Action.STUDY, ALICE)
    last_at, before = ledger.last_at(), dict(store.files)
    clock.at -= timedelta(hours=1)
    for write in (
        lambda: ledger.intent(Action.STUDY, ALICE),
        lambda: ledger.record(Action.LOGIN, ALICE),
        ledger.now,
    ):
        with pytest.raises(NotAsPromised) as refused:
            write()
        assert refused.value.code is Code.CLOCK_BEHIND
    assert store.files == before
    assert last_at is not None
    late_ms = int((last_at - clock.at).total_seconds() * 1000) - 5
    ticket.outcome(Outcome.DONE)
    ((_, outcome),) = ledger.entries(2)
    assert (outcome.at, outcome.facts) == (last_at, {"clock_behind_ms": late_ms})
    clock.at += timedelta(hours=2)
    assert ledger.now() > last_at
    assert verify_ledger(store, PUBLIC_KEY, ORIGIN).size == 3


def test_two_open_ledgers_see_each_other() -> None:
    store, clock = MemoryLedger(), SteppingClock()
    one, two = begun(store, clock=clock), opened(store, clock=clock)
    for n in range(600):
        (one if n % 3 else two).record(Action.LOGIN, ALICE, facts={"n": n})
    assert [entry.facts["n"] for _, entry in one.entries()] == list(range(600))
    assert one.checkpoint() == two.checkpoint()
    assert verify_ledger(store, PUBLIC_KEY, ORIGIN).size == 600


def test_the_living_are_not_interrupted() -> None:
    store, clock = MemoryLedger(), SteppingClock()
    ticket = begun(store, clock=clock).intent(Action.STUDY, ALICE)
    other = opened(store, clock=clock)
    assert other.recover() == 0
    ticket.outcome(Outcome.DONE)
    assert verify_ledger(store, PUBLIC_KEY, ORIGIN).n_open == 0


def test_the_intents_of_the_dead_are_closed_as_interrupted_once() -> None:
    store = MemoryLedger()
    ledger = begun(store)
    done = ledger.intent(Action.LINK, ALICE)
    ledger.intent(Action.STUDY, ALICE, PERMIT, {"snapshot": 3})
    done.outcome(Outcome.DONE)
    ledger.intent(Action.SQL, ALICE, PERMIT)
    left = store.after_kill()
    after = opened(left)
    closed = [(entry.intent, entry.action, entry.permit, entry.outcome) for _, entry in after.entries(4)]
    assert closed == [(1, Action.STUDY, PERMIT, Outcome.INTERRUPTED), (3, Action.SQL, PERMIT, Outcome.INTERRUPTED)]
    assert list(left.sessions()) == []
    assert opened(left.after_kill()).size() == 6
    assert verify_ledger(left, PUBLIC_KEY, ORIGIN).n_open == 0


def test_closing_with_an_open_intent_leaves_it_to_the_next_opening() -> None:
    store = MemoryLedger()
    with begun(store) as ledger:
        ledger.intent(Action.STUDY, ALICE)
    assert opened(store.after_kill()).size() == 2


def test_closing_without_one_leaves_no_mark() -> None:
    store = MemoryLedger()
    with begun(store) as ledger, ledger.intent(Action.STUDY, ALICE):
        pass
    assert list(store.sessions()) == []
    with ledger.intent(Action.STUDY, ALICE):
        assert len(list(store.sessions())) == 1


def test_a_proof_convinces_without_the_ledger() -> None:
    ledger = filled(begun(MemoryLedger()), 300)
    entries = list(ledger.entries())
    for index in (0, 255, 256, 299):
        checkpoint = check_proof(ledger.prove(index), entry_bytes(entries[index][1]), ORIGIN, PUBLIC_KEY)
        assert checkpoint.size == 300
    with pytest.raises(ValueError, match="no such leaf"):
        ledger.prove(300)


def test_entries_are_read_from_any_place() -> None:
    ledger = filled(begun(MemoryLedger()), 520)
    whole = list(ledger.entries())
    for start in (0, 1, 255, 256, 257, 512, 519, 520, 521):
        assert list(ledger.entries(start)) == whole[start:]


def test_an_altered_bundle_is_not_believed() -> None:
    store = MemoryLedger()
    ledger = filled(begun(store), 300)
    name = "tile/entries/000"
    store.files[name] = store.files[name].replace(b'"snapshot":2', b'"snapshot":3')
    with pytest.raises(NotAsPromised) as refused:
        list(ledger.entries())
    assert refused.value.code is Code.LEDGER_DAMAGED
    assert len(list(ledger.entries(256))) == 44


def test_what_is_personal_is_a_digest_that_dies_with_its_salt() -> None:
    store = MemoryLedger()
    ledger = begun(store)
    ledger.record(Action.OPT_OUT, ALICE, facts={"subject": Personal("1850578006084"), "reason": "she asked"})
    public = b"".join(content for name, content in store.files.items() if not name.startswith("private/"))
    for text in (b"alice", b"1850578006084", b"asked"):
        assert text not in public
    ((_, entry),) = ledger.entries()
    assert entry.facts["subject"] == ledger.digests("1850578006084")[0]
    assert (ledger.forget(ALICE), ledger.forget(ALICE), ledger.digests(ALICE)) == (1, 0, ())
    ledger.record(Action.LOGIN, ALICE)
    assert entry.actor not in ledger.digests(ALICE)
    assert verify_ledger(store, PUBLIC_KEY, ORIGIN).size == 2


def test_who_was_met_last_before_a_day_is_forgotten_and_who_was_met_since_is_not() -> None:
    store, clock = MemoryLedger(), SteppingClock()
    ledger = begun(store, clock=clock)
    ledger.record(Action.LOGIN, ALICE)
    ledger.record(Action.LOGIN, "bob@example.org")
    clock.at = START + timedelta(days=400)
    ledger.record(Action.LOGIN, ALICE)
    assert ledger.forget_unused_since(START + timedelta(days=300)) == 1
    assert (len(ledger.digests(ALICE)), ledger.digests("bob@example.org")) == (1, ())
    assert verify_ledger(store, PUBLIC_KEY, ORIGIN).size == 3


def test_another_salt_key_opens_a_settled_ledger_and_knows_earlier_digests_by_the_earlier_key() -> None:
    store = MemoryLedger()
    filled(begun(store), 300).settle()
    other = SecretKey(SALT.name, bytes(range(32, 64)))
    ledger = Ledger.open(store, SeedSigner(), SteppingClock(START + timedelta(days=1)), other, ORIGIN)
    assert ledger.size() == 300
    ledger.record(Action.LOGIN, ALICE)
    actors = [entry.actor for _, entry in ledger.entries()]
    assert len(set(actors)) == 2
    assert (actors[-1], actors[0]) == ledger.digests(ALICE, [SALT])
    assert actors[0] not in ledger.digests(ALICE)
    assert verify_ledger(store, PUBLIC_KEY, ORIGIN).size == 301


@pytest.mark.parametrize("power", [False, True])
def test_a_settling_that_dies_at_any_step_loses_no_entry_under_either_key(power: bool) -> None:
    store = MemoryLedger()
    filled(begun(store), 5)
    n_steps = 0
    while True:
        dying = MemoryLedger(store.files, die_at=n_steps)
        try:
            opened(dying).settle()
        except Died:
            left = dying.after_power_cut() if power else dying.after_kill()
            assert opened(left).size() == 5
            n_steps += 1
            continue
        left = dying.after_power_cut() if power else dying.after_kill()
        other = SecretKey(SALT.name, bytes(range(32, 64)))
        assert Ledger.open(left, SeedSigner(), SteppingClock(START + timedelta(days=1)), other, ORIGIN).size() == 5
        break
    assert n_steps > 2


def test_reprs_show_names_only() -> None:
    ledger = begun(MemoryLedger())
    ticket = ledger.intent(Action.STUDY, ALICE)
    assert (repr(ledger), repr(ticket)) == (f"Ledger({ORIGIN})", "Ticket(study, 0)")
    assert SALT.reveal().hex() not in repr(vars(ledger))


def test_another_key_does_not_open_the_ledger() -> None:
    store = MemoryLedger()
    begun(store)
    with pytest.raises(NotAsPromised) as refused:
        opened(store, seed=8)
    assert refused.value.code is Code.LEDGER_UNSIGNED
    with pytest.raises(NotAsPromised):
        Ledger.open(store, SeedSigner(), SteppingClock(), SALT, "other.example/ledger")


def test_what_is_left_to_one_who_waits_is_published_by_whoever_comes_next() -> None:
    store, clock = MemoryLedger(), SteppingClock()
    ledger, other = begun(store, clock=clock), opened(store, clock=clock)
    store.awaited_share = 1.0
    for _ in range(3):
        ledger.record(Action.LOGIN, ALICE)
    assert verify_ledger(store, PUBLIC_KEY, ORIGIN).size == 0
    other.record(Action.LOGIN, ALICE)
    store.awaited_share = 0.0
    ledger.record(Action.LOGIN, ALICE)
    assert verify_ledger(store, PUBLIC_KEY, ORIGIN).size == 5
    store.awaited_share = 1.0
    other.record(Action.LOGIN, ALICE)
    assert ledger.size() == 6  # a reader sees all, and publishes it
    assert verify_ledger(store, PUBLIC_KEY, ORIGIN).size == 6
    other.record(Action.LOGIN, ALICE)
    other.close()
    assert verify_ledger(store, PUBLIC_KEY, ORIGIN).size == 7


def partials(store: MemoryLedger) -> list[str]:
    return [name for name in store.files if ".p/" in name]


def test_what_is_written_in_one_go_has_one_checkpoint() -> None:
    store, pace = MemoryLedger(), HeldPace()
    begun(store).close()
    before = store.files["checkpoint"]
    with opened(store, pace=pace) as ledger:
        for n in range(20):
            ledger.record(Action.LOGIN, ALICE, facts={"n": n})
            assert (ledger.size(), ledger.now() > START, len(list(ledger.entries()))) == (n + 1, True, n + 1)
        assert store.files["checkpoint"] == before and not partials(store)
        assert store.durable["private/ahead/0"] == store.files["private/ahead/0"]
        pace.go()
        assert partials(store) == ["tile/entries/000.p/20", "tile/0/000.p/20"]
        assert verify_ledger(store, PUBLIC_KEY, ORIGIN).size == 20
        ledger.record(Action.LOGIN, ALICE)
        assert ledger.prove(20).note == store.files["checkpoint"]
        ledger.record(Action.LOGIN, ALICE)
    assert verify_ledger(store, PUBLIC_KEY, ORIGIN).size == 22


def test_a_checkpoint_that_came_too_late_stops_the_next_entry() -> None:
    """A storage that takes records but no tiles."""
    store, pace = MemoryLedger(), HeldPace()
    begun(store).close()

    def full(name: str, content: bytes, *, durable: bool) -> None:
        raise refusal(Code.LEDGER_UNWRITABLE, "The ledger's storage is full.")

    with opened(store, pace=pace) as ledger:
        ledger.record(Action.LOGIN, ALICE)
        plain, store.write = store.write, full  # type: ignore[method-assign, assignment]
        pace.go()
        with pytest.raises(Refusal):
            ledger.record(Action.LOGIN, ALICE)
        store.write = plain  # type: ignore[method-assign]
        assert ledger.record(Action.LOGIN, ALICE) == 1
    assert verify_ledger(store, PUBLIC_KEY, ORIGIN).size == 2


def test_a_full_bundle_is_published_whoever_waits_and_a_day_ends_with_its_seal() -> None:
    store, clock = MemoryLedger(), SteppingClock()
    ledger = begun(store, clock=clock)
    store.awaited_share = 1.0
    for _ in range(300):
        ledger.record(Action.LOGIN, ALICE)
    assert verify_ledger(store, PUBLIC_KEY, ORIGIN).size == 256
    clock.at = START + timedelta(days=1)
    ledger.record(Action.LOGIN, ALICE)
    ledger.close()
    report = verify_ledger(store, PUBLIC_KEY, ORIGIN)
    assert (report.size, report.n_seals) == (301, 1)


def test_a_permit_s_texts_are_forgotten_with_it_and_people_with_themselves() -> None:
    store = MemoryLedger()
    ledger = begun(store)
    for permit in (PERMIT, "FR-2026-0043"):
        ledger.record(Action.SQL, ALICE, permit, {"query": Personal("SELECT 1"), "asked_by": Personal(ALICE)})
    actors = [entry.actor for _, entry in ledger.entries()]
    queries = [entry.facts["query"] for _, entry in ledger.entries()]
    assert actors[0] == actors[1] and queries[0] != queries[1]
    assert set(queries) == set(ledger.digests("SELECT 1"))
    assert ledger.forget_permit(PERMIT) == 2
    assert ledger.digests("SELECT 1") == (queries[1],)
    assert actors[0] in ledger.digests(ALICE)
    assert ledger.forget_permit(PERMIT) == 0
    assert ledger.forget(ALICE) == 2  # as actor, and what the other permit said of her
    assert ledger.digests(ALICE) == ()
    assert ledger.digests("SELECT 1") == (queries[1],)
    ledger.close()
    assert verify_ledger(store, PUBLIC_KEY, ORIGIN).size == 2


def test_nothing_is_published_late_once_the_ledger_was_settled_for_another_key() -> None:
    """A late call under the old salt key would begin the records written ahead anew, and lose the newest."""
    store, pace = MemoryLedger(), HeldPace()
    begun(store).close()
    with opened(store, pace=pace) as old:
        old.record(Action.LOGIN, ALICE)
        (late,) = pace.waiting
        old.settle()
        assert not pace.waiting
        key = SecretKey(SALT.name, b"n" * 32)
        new = Ledger.open(store, SeedSigner(), SteppingClock(START + timedelta(days=2)), key, ORIGIN, HeldPace())
        new.record(Action.LOGIN, ALICE)
        late()
        assert new.size() == 2
        new.close()
    assert verify_ledger(store, PUBLIC_KEY, ORIGIN).size == 2
