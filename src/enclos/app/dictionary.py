"""The dictionary of what a permit opens: each column's completeness and spread, as far as small counts allow."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict
from functools import partial
from time import perf_counter
from typing import Any

from enclos.app.enclosure import Enclosure
from enclos.app.permits import active, permit_key, watcher
from enclos.app.progress import Report, silent
from enclos.app.snapshots import reading_snapshot
from enclos.app.studies import permit_cdm
from enclos.app.watch import watched
from enclos.holdings.steps import Ask, read_dictionary
from enclos.ledger.model import Action
from enclos.stores.dictionary_file import DictionaryFile
from enclos.stores.engine import Engine
from enclos.stores.lake import LakeSnapshot
from enclos.views.sql.steps import granted_columns
from enclos.views.steps import PermitCdm


def count(
    enclosure: Enclosure,
    *,
    permit: str,
    user: str,
    report: Report = silent,
    also: Callable[[], object] = lambda: None,
) -> dict[str, Any]:
    """Count the dictionary of a permit on the newest snapshot, and keep it for all of its users.

    Numbers of persons are rounded down as in the public description, with the permit's smallest count as the floor
    where it is the higher one; what fewer persons are behind is not told.

    In:  also — asked whenever the right is checked: what it raises ends the work
    Out: snapshot, at, unit, tables (each with n_records, n_persons and columns), seconds
    Refuses: what permits refuse of the user; VIEW_UNOPENED.
    """
    started = perf_counter()
    with enclosure.ledger.intent(Action.STUDY, user, permit, {"what": "dictionary"}) as ticket:
        signed = active(enclosure, permit, user)
        floor = max(enclosure.floor, signed.permit.min_count)
        with reading_snapshot(enclosure) as (engine, snapshot):

            def check() -> None:
                also()
                active(enclosure, permit, user)

            cdm = permit_cdm(enclosure, signed, engine, snapshot, check)
            shown = granted_columns(signed.permit.terms).tables
            with watched(engine, watcher(enclosure, permit, user, also)):
                names = partial(_names, engine, snapshot)
                tables = read_dictionary(_buckets(cdm, report), shown, floor=floor, names=names)
        document = {
            "snapshot": snapshot.id,
            "digest": signed.digest,
            "at": enclosure.ledger.now().isoformat(),
            "floor": floor,
            "tables": [asdict(table) for table in tables],
        }
        DictionaryFile(enclosure.paths.permits / permit, enclosure.keys.secret(permit_key(permit))).keep(document)
        ticket.facts.update({"snapshot": snapshot.id, "permit_version": signed.version})
    return {**document, "seconds": round(perf_counter() - started, 3)}


def show(enclosure: Enclosure, *, permit: str, user: str) -> dict[str, Any] | None:
    """The dictionary that was counted; None when there is none, or of what the permit was before it was amended.

    Out: as ``count``; is_newest, whether it is of the newest snapshot
    Refuses: what permits refuse of the user.
    """
    signed = active(enclosure, permit, user)
    found = DictionaryFile(enclosure.paths.permits / permit, enclosure.keys.secret(permit_key(permit))).read()
    if found is None or found["digest"] != signed.digest:
        return None
    newest = enclosure.marks.build()
    return {**found, "is_newest": newest is None or newest[0] == found["snapshot"]}


def _names(engine: Engine, snapshot: LakeSnapshot, concepts: Collection[int]) -> dict[int, str]:
    if not concepts or "concept" not in snapshot.tables:
        return {}
    wanted = ", ".join(str(int(concept)) for concept in concepts)
    table = snapshot.relation("concept")
    return dict(engine.rows(f"SELECT concept_id, concept_name FROM {table} WHERE concept_id IN ({wanted})"))


def _buckets(cdm: PermitCdm, report: Report) -> Iterator[Ask]:
    for number, at in enumerate(cdm.buckets, start=1):
        with cdm.bucket(at) as bucket:
            yield lambda sql, bucket=bucket: (  # type: ignore[misc]
                tuple(row.values()) for row in bucket.query(sql).to_pylist()
            )
        report("dictionary", number / len(cdm.buckets), f"{number} of {len(cdm.buckets)}")
