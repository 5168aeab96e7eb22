"""Keep objections under the pseudonym of their circuit, and find again and again whom they speak of."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from enclos.contracts.delivered.document import Kind
from enclos.contracts.sql import SqlEngine
from enclos.contracts.vault import VAULT_DDL
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal
from enclos.pseudonyms.model import Objector
from enclos.pseudonyms.plans import objections as plans
from enclos.pseudonyms.ports import Landed
from enclos.pseudonyms.steps.senders import PSEUDONYM_COLUMN, holds_national_number

_RECEIPTS = "enclos_receipts"
_MAX_SIGNS, _MAX_RANK_DIGITS = 128, 3


def read_objections(text: str, source: str = "") -> tuple[Objector, ...]:
    """The objections of a file with the columns source, pseudonym and, where there is one, rank.

    What ``enclos pseudonymise`` writes is such a file when the source is told: its pseudonyms are known by their name.

    In: source — of lines that do not name one
    Refuses: OBJECTION_FILE with the line, never its value; IDENTITY_SHOWN for a national number in it
    """
    header, *rows = [*csv.reader(text.lstrip("\ufeff").splitlines(), delimiter=";")] or [[]]
    names = ["pseudonym" if name.strip() == PSEUDONYM_COLUMN else name.strip() for name in header]
    wanted = {"pseudonym"} if source else {"source", "pseudonym"}
    if not wanted <= set(names) <= {"source", "pseudonym", "rank"} or len(set(names)) != len(names):
        raise _malformed(1, "the first line is source;pseudonym;rank")
    found = []
    for line, row in enumerate(rows, start=2):
        if not row:
            continue
        if len(row) != len(names):
            raise _malformed(line, "a line has the columns of the first")
        parts = {name: value.strip() for name, value in zip(names, row, strict=True)}
        found.append(_objector(line, parts.get("source", source), parts["pseudonym"], parts.get("rank", "")))
    if not found:
        raise _malformed(2, "there is no objection")
    return tuple(dict.fromkeys(found))


def _objector(line: int, source: str, pseudonym: str, rank: str) -> Objector:
    if not (0 < len(source) <= _MAX_SIGNS and 0 < len(pseudonym) <= _MAX_SIGNS):
        raise _malformed(line, "a line has a source and a pseudonym")
    if rank and not (rank.isascii() and rank.isdigit() and len(rank) <= _MAX_RANK_DIGITS):
        raise _malformed(line, "a rank is a number")
    if holds_national_number(pseudonym):
        raise refusal(
            Code.IDENTITY_SHOWN,
            f"Line {line}: this is a national number, not a pseudonym.",
            "Let the source pseudonymise it first: enclos pseudonymise.",
        )
    return Objector(source, pseudonym, int(rank) if rank else None)


def record_objections(
    engine: SqlEngine, objectors: Sequence[Objector], receipts: Sequence[str], *, recorded_at: datetime
) -> list[tuple[str, bool]]:
    """Keep the objections that do not stand yet; for each its receipt and whether it is new.

    In: receipts — a fresh one for each, used where the objection is new; recorded_at — UTC
    """
    with _arriving(engine, objectors, receipts):
        known = [row[1] for row in engine.rows(plans.plan_known())]
        with engine.transaction():
            engine.execute(plans.plan_record(), [recorded_at.replace(tzinfo=None)])
    return [(old or new, old is None) for old, new in zip(known, receipts, strict=True)]


def withdraw_objections(
    engine: SqlEngine, objectors: Sequence[Objector], receipts: Sequence[str], *, withdrawn_at: datetime
) -> int:
    """End the objections of these pseudonyms, and those of these receipts; how many stood.

    Empty: what does not stand is not withdrawn, and that is no fault
    """
    with _arriving(engine, objectors, [""] * len(objectors)):
        standing = {str(row[1]) for row in engine.rows(plans.plan_known()) if row[1]}
        known = {str(row[0]) for row in engine.rows("SELECT receipt FROM vault.objections WHERE withdrawn_at IS NULL")}
        ended = sorted(standing | (known & set(receipts)))
        engine.register(_RECEIPTS, pa.table({"receipt": pa.array(ended, pa.string())}))
        try:
            with engine.transaction():
                engine.execute(plans.plan_withdraw(_RECEIPTS), [withdrawn_at.replace(tzinfo=None)])
        finally:
            engine.unregister(_RECEIPTS)
    return len(ended)


def list_objections(engine: SqlEngine) -> list[dict[str, Any]]:
    """Every objection: receipt, source and days, never a pseudonym; oldest first."""
    _prepare(engine)
    rows = engine.rows(
        "SELECT receipt, source, recorded_at, withdrawn_at FROM vault.objections ORDER BY recorded_at, receipt"
    )
    return [
        {"receipt": receipt, "source": source, "recorded_at": recorded, "withdrawn_at": withdrawn}
        for receipt, source, recorded, withdrawn in rows
    ]


def count_objections(engine: SqlEngine) -> list[dict[str, Any]]:
    """By source, how many objections stand and were withdrawn, and the instants (UTC) of the last of each."""
    rows = engine.rows(
        "SELECT source, count(*) FILTER (WHERE withdrawn_at IS NULL), count(withdrawn_at), max(recorded_at), "
        "max(withdrawn_at) FROM vault.objections GROUP BY source ORDER BY source"
    )
    return [
        {"source": source, "standing": int(n), "withdrawn": int(n_ended), "recorded_at": last, "withdrawn_at": ended}
        for source, n, n_ended, last, ended in rows
    ]


def objecting_persons(engine: SqlEngine, landed: Landed) -> npt.NDArray[np.int64]:
    """The numbers under which those who object stand in the warehouse, now and until the next build; ascending."""
    _prepare(engine)
    if not engine.scalar("SELECT count(*) FROM vault.objections WHERE withdrawn_at IS NULL"):
        return np.empty(0, dtype=np.int64)
    return np.asarray(engine.query(plans.plan_objecting(_patients(landed)))["person_id"], dtype=np.int64)


def holders_of(
    engine: SqlEngine, landed: Landed, asked: Objector
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The numbers of whoever holds a pseudonym: all that stand until the next build, and of them those of now.

    Nothing is written. Empty: nobody holds it.
    """
    with _arriving(engine, [asked], [""]):
        found = np.asarray(engine.query(plans.plan_holders(_patients(landed), plans.ARRIVING))["person_id"], np.int64)
    now = engine.query("SELECT DISTINCT person_id FROM vault.person_map")["person_id"]
    return found, found[np.isin(found, np.asarray(now, dtype=np.int64))]


def _patients(landed: Landed) -> str:
    return landed.relation(Kind.FHIR_BULK.value, "Patient", ("id", "resource"))


def has_objections(engine: SqlEngine) -> bool:
    """Whether anybody ever objected."""
    _prepare(engine)
    return bool(engine.scalar("SELECT count(*) FROM vault.objections"))


def has_former_numbers(engine: SqlEngine) -> bool:
    """Whether persons moved since the last build that stands."""
    _prepare(engine)
    return bool(engine.scalar("SELECT count(*) FROM vault.former_numbers"))


def forget_former_numbers(engine: SqlEngine) -> None:
    """Forget the numbers that persons had before they moved: a build that knows the new ones stands."""
    _prepare(engine)
    engine.execute("DELETE FROM vault.former_numbers")


def _prepare(engine: SqlEngine) -> None:
    for statement in VAULT_DDL:
        engine.execute(statement)


@contextmanager
def _arriving(engine: SqlEngine, objectors: Sequence[Objector], receipts: Sequence[str]) -> Iterator[None]:
    _prepare(engine)
    table = pa.table(
        {
            "place": pa.array(range(len(objectors)), pa.int64()),
            "receipt": pa.array(receipts, pa.string()),
            "source": pa.array([each.source for each in objectors], pa.string()),
            "pseudonym": pa.array([each.pseudonym for each in objectors], pa.string()),
            "pseudonym_rank": pa.array([each.rank for each in objectors], pa.int64()),
        }
    )
    engine.register(plans.ARRIVING, table)
    try:
        yield
    finally:
        engine.unregister(plans.ARRIVING)


def _malformed(line: int, rule: str) -> Refusal:
    return refusal(
        Code.OBJECTION_FILE, f"Line {line} is not an objection: {rule}.", "Correct the file; nothing was recorded."
    )
