"""Level two anew: every person's number under another key, the counters as they were."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from enclos.contracts.sql import SqlEngine
from enclos.contracts.vault import VAULT_DDL
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import BlockCipher
from enclos.lexicon.refusals import refusal
from enclos.pseudonyms.secret_functions import person_numbers

_NEW = "enclos_renumbered"


def renumber_persons(engine: SqlEngine, old: BlockCipher, new: BlockCipher) -> pa.Table:
    """Give the persons of vault.person_map their numbers under the new key, all at once; done twice, it is as once.

    Out: old_id, new_id of every counter that was given, also of those given up
    Refuses: PSEUDONYM_COLLISION
    """
    for statement in VAULT_DDL:
        engine.execute(statement)
    n_counters = int(engine.scalar("SELECT coalesce(max(next_counter), 0) FROM vault.numberings"))
    counters = np.arange(n_counters, dtype=np.int64)
    before, after = person_numbers(old, counters), person_numbers(new, counters)
    if len(np.unique(after)) != n_counters:
        raise refusal(
            Code.PSEUDONYM_COLLISION, "A person number would belong to two persons.", "Rotate to another key."
        )
    engine.register(_NEW, pa.table({"counter": counters, "person_id": after}))
    try:
        outdated = f"vault.person_map AS m JOIN {_NEW} AS n ON n.counter = m.counter WHERE m.person_id <> n.person_id"
        n_moved = int(engine.scalar(f"SELECT count(*) FROM {outdated}"))
        if n_moved:
            _renumber(engine, n_moved, n_counters)
    finally:
        engine.unregister(_NEW)
    return pa.table({"old_id": before, "new_id": after})


def cross_all_again(engine: SqlEngine) -> None:
    """Let every unit cross again with the next build, as if a number had moved."""
    for statement in VAULT_DDL:
        engine.execute(statement)
    engine.execute(
        "INSERT INTO vault.numberings SELECT coalesce(max(revision), 0) + 1, 0, 1, coalesce(max(next_counter), 0) "
        "FROM vault.numberings"
    )


def _renumber(engine: SqlEngine, n_moved: int, n_counters: int) -> None:
    revision = 1 + int(engine.scalar("SELECT max(revision) FROM vault.numberings"))
    with engine.transaction():
        engine.execute(
            f"UPDATE vault.person_map SET person_id = n.person_id, revision = {revision} FROM {_NEW} AS n "
            "WHERE n.counter = person_map.counter"
        )
        engine.execute("INSERT INTO vault.numberings VALUES (?, ?, ?, ?)", [revision, 0, n_moved, n_counters])
