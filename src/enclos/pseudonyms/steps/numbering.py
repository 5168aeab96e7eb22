"""Give every person a number."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from enclos.contracts.sql import SqlEngine
from enclos.contracts.vault import VAULT_DDL
from enclos.lexicon.codes import Code
from enclos.lexicon.ids import MAX_PERSONS
from enclos.lexicon.keys import BlockCipher
from enclos.lexicon.refusals import refusal
from enclos.pseudonyms.model import NumberingReport
from enclos.pseudonyms.plans import numbering as plans
from enclos.pseudonyms.secret_functions import person_numbers

_ARRIVING = "enclos_arriving"
_MOVED = "enclos_moved"


def number_persons(engine: SqlEngine, cipher: BlockCipher) -> NumberingReport:
    """Number the persons of vault.clusters; numbers given before stay.

    A new person takes the next counter of a dense row and its keyed image. When persons turn out to be one, the
    smaller counter stays and the others are given up for ever; when one turns out to be two, the larger part keeps
    the number. All of it in one transaction; nothing new changes nothing.

    Refuses: PSEUDONYM_COLLISION when a number would belong to two persons (checked, not assumed)
    """
    for statement in VAULT_DDL:
        engine.execute(statement)
    try:
        return _number(engine, cipher)
    finally:
        for statement in plans.plan_forget():
            engine.execute(statement)


def _number(engine: SqlEngine, cipher: BlockCipher) -> NumberingReport:
    revision, next_counter = engine.rows(
        "SELECT coalesce(max(revision), 0), coalesce(max(next_counter), 0) FROM vault.numberings"
    )[0]
    engine.execute(plans.plan_known())
    engine.execute(plans.plan_chosen())
    engine.execute(plans.plan_numbered(next_counter))
    counters = np.asarray(engine.query(plans.plan_new_counters())["counter"], dtype=np.int64)
    if next_counter + len(counters) > MAX_PERSONS:
        raise ValueError("more persons than person numbers")
    numbers = person_numbers(cipher, counters)
    engine.register(_ARRIVING, pa.table({"counter": counters, "person_id": numbers}))
    engine.execute(f"CREATE OR REPLACE TEMP TABLE {plans.NEW_NUMBERS} AS SELECT * FROM {_ARRIVING}")
    engine.unregister(_ARRIVING)
    if engine.scalar(plans.plan_collisions()):
        raise refusal(
            Code.PSEUDONYM_COLLISION,
            "A person number would belong to two persons.",
            "Check that the pseudonym key is the one that this vault was numbered with.",
        )
    n_merged = int(engine.scalar(plans.plan_given_up()))
    engine.execute(f"CREATE OR REPLACE TEMP TABLE {_MOVED} AS {plans.plan_moved()}")
    n_moved = int(engine.scalar(f"SELECT count(*) FROM {_MOVED}"))
    n_new, n_persons = len(counters), int(engine.scalar(f"SELECT count(*) FROM {plans.NUMBERED}"))
    n_unmapped = int(
        engine.scalar(
            "SELECT count(*) FROM vault.clusters AS c ANTI JOIN vault.person_map AS m "
            "ON m.source = c.source AND m.source_person_key = c.source_person_key"
        )
    )
    if not (n_new or n_moved or n_unmapped):
        return NumberingReport(int(revision), n_persons, 0, 0, 0)
    revision = int(revision) + 1
    with engine.transaction():
        engine.execute(plans.plan_add_keys(revision))
        engine.execute(plans.plan_keep_former(_MOVED))
        engine.execute(plans.plan_move_keys(revision, _MOVED))
        engine.execute(
            "INSERT INTO vault.numberings VALUES (?, ?, ?, ?)",
            [revision, n_unmapped, n_moved, int(next_counter) + n_new],
        )
    return NumberingReport(revision, n_persons, n_new, n_merged, n_moved)
