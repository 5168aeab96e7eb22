"""From a person number back to what one source calls the person."""

from __future__ import annotations

import pyarrow as pa

from enclos.contracts.sql import SqlEngine
from enclos.contracts.vault import VAULT_DDL
from enclos.lexicon.keys import BlockCipher
from enclos.pseudonyms.secret_functions.numbers import Numbers, person_counters

_ASKED = "enclos_asked_back"


def source_keys(engine: SqlEngine, cipher: BlockCipher, numbers: Numbers, source: str) -> list[str]:
    """A source's own keys of the persons with these numbers: level two is undone under its key, nothing is looked up.

    In: source — only its keys are read
    Empty: the source does not know them
    """
    for statement in VAULT_DDL:
        engine.execute(statement)
    counters = person_counters(cipher, numbers)
    engine.register(_ASKED, pa.table({"counter": counters, "person_id": numbers}))
    try:
        rows = engine.rows(
            f"SELECT m.source_person_key FROM vault.person_map AS m JOIN {_ASKED} AS a ON a.counter = m.counter "
            "AND a.person_id = m.person_id WHERE m.source = ? ORDER BY m.source_person_key",
            [source],
        )
    finally:
        engine.unregister(_ASKED)
    return [str(key) for (key,) in rows]
