"""A source has a new key: its earlier pseudonyms give way to the present ones wherever the vault names them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import pyarrow as pa

from enclos.contracts.sql import SqlEngine
from enclos.contracts.vault import VAULT_DDL
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal
from enclos.pseudonyms.plans import translating as plans

COLUMNS = ("source", "old", "new")
_PSEUDONYM = re.compile(r"[0-9a-f]{32}")
_BOTH = "enclos_under_both"


def read_translation(header: Sequence[str], rows: Iterable[Mapping[str, str]], source: str) -> pa.Table:
    """The pairs of a source's translation: old, new, in the order of old.

    Refuses: CIRCUIT_BORDER for other columns, another source, values that are no pseudonyms, or one that stands twice
    """
    if tuple(header) != COLUMNS:
        raise _malformed("its columns are source;old;new")
    pairs: dict[str, str] = {}
    for row in rows:
        if row["source"] != source:
            raise _malformed("it speaks of another source")
        if not (_PSEUDONYM.fullmatch(row["old"]) and _PSEUDONYM.fullmatch(row["new"])):
            raise _malformed("a value is no pseudonym of 32 hexadecimal digits")
        if pairs.setdefault(row["old"], row["new"]) != row["new"]:
            raise _malformed("an old pseudonym has two new ones")
    after = set(pairs.values())
    if not pairs or len(after) != len(pairs) or after & pairs.keys():
        raise _malformed("a new pseudonym stands for two old ones, or is one")
    old = sorted(pairs)
    return pa.table({"old": old, "new": [pairs[each] for each in old]})


def translate_vault(engine: SqlEngine, source: str, translation: pa.Table) -> int:
    """Let every table of the vault name the source's persons by their present pseudonyms; how many persons those are.

    A person who has come under both is one person from here on, with the older number. Everything of the source crosses
    again with the next build. In one transaction; done twice, it is as once.
    """
    for statement in VAULT_DDL:
        engine.execute(statement)
    engine.register(plans.TRANSLATION, translation)
    try:
        revision, following = engine.rows(
            "SELECT coalesce(max(revision), 0) + 1, coalesce(max(next_counter), 0) FROM vault.numberings"
        )[0]
        engine.execute(f"CREATE OR REPLACE TEMP TABLE {_BOTH} AS {plans.plan_present_before(source)}")
        n_persons = int(
            engine.scalar(
                f"SELECT count(*) FROM vault.person_map AS m SEMI JOIN {plans.TRANSLATION} AS t "
                f"ON m.source = '{source}' AND m.source_person_key IN (t.old, t.new)"
            )
        )
        with engine.transaction():
            for statement in plans.plan_translate(source, int(revision), _BOTH):
                engine.execute(statement)
            engine.execute("INSERT INTO vault.numberings VALUES (?, 0, ?, ?)", [revision, n_persons, following])
    finally:
        engine.execute(f"DROP TABLE IF EXISTS {_BOTH}")
        engine.unregister(plans.TRANSLATION)
    return n_persons


def _malformed(rule: str) -> Refusal:
    return refusal(
        Code.CIRCUIT_BORDER,
        f"The translation is not what a source sends: {rule}.",
        "Make it again: enclos keys translate.",
    )
