"""Snapshots: everything that landed becomes one OMOP snapshot; views read it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any

from enclos.app.building import passes_spread
from enclos.app.enclosure import Enclosure
from enclos.app.hosting import seal_lake
from enclos.app.objectors import resolve_objections
from enclos.app.progress import Report, paced, silent
from enclos.contracts.omop import omop_tables
from enclos.intake.steps import read_accounts
from enclos.ledger.model import Action
from enclos.lexicon.keys import KeyName, KeyRole
from enclos.linkage.steps import group_persons
from enclos.pseudonyms.steps import cross, number_persons
from enclos.pseudonyms.steps.objections import forget_former_numbers, has_former_numbers
from enclos.stores.crossing import CrossingZone
from enclos.stores.engine import Engine
from enclos.stores.lake import ALIAS, Lake, LakeSnapshot, SnapshotNote
from enclos.stores.landing import LandingZone
from enclos.warehouse.model import DeliveredPeriod
from enclos.warehouse.plans.durations import duration_rule
from enclos.warehouse.steps import build_snapshot
from enclos.warehouse.steps.account import kept_account, kept_rows
from enclos.warehouse.steps.records import BUILD_PART


def build_omop(
    enclosure: Enclosure,
    *,
    account: bool = False,
    duration: str | None = None,
    full: bool = False,
    workers: int | None = None,
    on: str = "",
    report: Report = silent,
) -> dict[str, Any]:
    """Group and number persons, write the crossing, and build an OMOP snapshot in one transaction.

    In: duration — the rule for days of supply, that of enclos.toml when not given; full — make every table anew, even
    where nothing that it comes from has changed; workers — how many processes make its passes, as enclos.toml says when
    not given; on — the cluster that makes them instead (app/spark.py).
    Out: snapshot, tables (rows), vocabularies (rows without a standard concept), mode, rebuilt (tables and how many of
    their buckets), kept, seconds; with account, what became of every delivered row, the
    seconds of each phase, and what crossed.
    Refuses: BUILD_RULE_UNKNOWN before anything is written; a build whose account does not add up; the snapshot before
    it stays.
    """
    started = perf_counter()
    duration = duration_rule(duration or enclosure.settings.warehouse.drug_duration).name
    with enclosure.ledger.intent(Action.BUILD, enclosure.operator, None, {"buckets": enclosure.n_buckets}) as ticket:
        periods, crossed, numbered, moved, revision = _cross(enclosure, report)
        built, manifest = _build(enclosure, periods, duration, report, full=full, workers=workers, on=on)
        if moved:  # the numbers of before are nobody's in the new snapshot
            with enclosure.vault_engine() as engine:
                forget_former_numbers(engine)
                revision = resolve_objections(enclosure, engine)
        ticket.facts.update(
            {"snapshot": built.snapshot, "n_persons": int(built.tables["person"]), "manifest": manifest}
        )
        ticket.facts.update({"objections": revision} if revision else {})
    answer = built.as_json()
    result = {
        "snapshot": built.snapshot,
        "tables": dict(built.tables),
        "n_persons": numbered.n_persons,
        "vocabularies": answer["vocabularies"],
        "mode": answer["mode"],
        "rebuilt": answer["rebuilt"],
        "kept": answer["kept"],
        "seconds": round(perf_counter() - started, 3),
    }
    if account:
        result |= {key: value for key, value in answer.items() if key not in result}
        result["crossing"] = crossed.as_json()
    return result


def _cross(enclosure: Enclosure, report: Report) -> tuple[list[DeliveredPeriod], Any, Any, bool, int]:
    """The vault wing's part; its engine and its keys are gone when it returns.

    Out: also whether numbers of before still stand in the warehouse, and the revision of the table of objections.
    """
    persons = enclosure.keys.blocks(KeyName(KeyRole.PSEUDONYM))
    records = enclosure.keys.blocks(KeyName(KeyRole.RECORD))
    with enclosure.vault_engine() as engine:
        landing = LandingZone(engine, enclosure.paths.vault / "landed", enclosure.keys)
        report("persons", 0.0)
        group_persons(engine, landing)
        numbered = number_persons(engine, persons)
        moved = has_former_numbers(engine)
        revision = resolve_objections(enclosure, engine)
        report("persons", 1.0)

        def progress(what: str, done: int, total: int) -> None:  # noqa: ARG001 - the port's word
            report("crossing", done / total if total else 1.0)

        crossing = CrossingZone(engine, enclosure.paths.crossing, enclosure.keys)
        crossed = cross(engine, landing, crossing, records, n_buckets=enclosure.n_buckets, progress=progress)
        periods = [
            DeliveredPeriod(account.source, account.kind.value, *account.period)
            for account in read_accounts(engine)
            if account.period
        ]
    return periods, crossed, numbered, moved, revision


def _build(
    enclosure: Enclosure,
    periods: list[DeliveredPeriod],
    duration: str,
    report: Report,
    *,
    full: bool,
    workers: int | None,
    on: str,
) -> tuple[Any, str]:
    """The research wing's part; it holds the crossing key and the catalog key, nothing of the vault.

    Out: the build, and the digest of what the host was given.
    """
    with enclosure.changing_lake() as (engine, lake):
        crossing = CrossingZone(engine, enclosure.paths.crossing, enclosure.keys)
        n_lines = crossing.n_rows()
        pace = paced(report, "build", n_lines)
        with passes_spread(enclosure, engine, n_lines, workers=workers, on=on) as (draft, spread, of_a_pass):
            built = build_snapshot(
                engine,
                crossing,
                draft,
                enclosure.n_buckets,
                periods=periods,
                released_on=enclosure.ledger.now().date(),
                name=enclosure.settings.enclosure.name,
                duration=duration,
                intents=enclosure.settings.warehouse.medication_request_intents,
                full=full,
                lines_per_pass=of_a_pass,
                spread=spread,
                progress=lambda _phase, done: pace(done),
            )
        return built, seal_lake(enclosure, lake, built.snapshot, report)


@contextmanager
def reading_snapshot(enclosure: Enclosure, snapshot: int | None = None) -> Iterator[tuple[Engine, LakeSnapshot]]:
    """An engine with the lake attached for reading, and one snapshot of it (the newest by default).

    Refuses: ENCLOSURE_BUSY while a build runs; what the lake refuses when there is no snapshot.
    """
    with enclosure.reading_data(), enclosure.engine_to_read() as engine:
        lake = enclosure.lake(engine)
        yield engine, lake.snapshot(snapshot)


def snapshot_account(enclosure: Enclosure, snapshot: int | None = None) -> dict[str, Any]:
    """What became of every delivered row in a snapshot, the newest when none is named.

    Out: snapshot, snapshots (all that are kept),
        account (table, sources, delivered = mapped + cancelled + filtered + rejected, reasons),
        vocabularies (rows without a standard concept)
    Refuses: as reading_snapshot.
    """
    return _told_once(enclosure, ("account", snapshot), lambda: _account(enclosure, snapshot))


def _account(enclosure: Enclosure, snapshot: int | None) -> dict[str, Any]:
    with reading_snapshot(enclosure, snapshot) as (engine, chosen):
        account = kept_account(engine, _parts(chosen))
        kept = [note.id for note in Lake(engine).snapshots()]
    return {
        "snapshot": chosen.id,
        "snapshots": kept,
        "account": [line.as_json() for line in account.tables()],
        "vocabularies": [share.as_json() for share in account.vocabularies()],
    }


def compare_snapshots(enclosure: Enclosure, snapshot: int | None = None, against: int | None = None) -> dict[str, Any]:
    """The rows of a snapshot by table, beside those of the one before it or of the one that is named.

    Out: snapshot, against (None when there is none), snapshots (as ``list_snapshots``),
        tables: table, n_before (None where the other has no such table),
        n_rows
    Refuses: as reading_snapshot.
    """
    return _told_once(enclosure, ("rows", snapshot, against), lambda: _compared(enclosure, snapshot, against))


def _compared(enclosure: Enclosure, snapshot: int | None, against: int | None) -> dict[str, Any]:
    with reading_snapshot(enclosure, snapshot) as (engine, chosen):
        lake = Lake(engine)
        notes = lake.snapshots()
        earlier = [note.id for note in notes if note.id < chosen.id]
        other = against if against is not None else earlier[-1] if earlier else None
        before = _rows_of(engine, lake.snapshot(other)) if other is not None else {}
        now = _rows_of(engine, chosen)
    tables = [
        {"table": table, "n_before": before.get(table), "n_rows": n_rows} for table, n_rows in sorted(now.items())
    ]
    kept = [_noted(note) for note in notes]
    return {"snapshot": chosen.id, "against": other, "snapshots": kept, "tables": tables}


def _told_once(enclosure: Enclosure, what: tuple[object, ...], tell: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What snapshots tell, remembered until the ledger knows another build: snapshots do not change."""
    return enclosure.remembered.once(what, enclosure.marks.build(), tell)


def _rows_of(engine: Engine, snapshot: LakeSnapshot) -> dict[str, int]:
    """The rows of a snapshot's OMOP tables; what no part told of is empty."""
    return dict.fromkeys(snapshot.tables & omop_tables().keys(), 0) | {
        table: n_rows for table, n_rows in kept_rows(engine, _parts(snapshot)).items() if table in omop_tables()
    }


def _parts(snapshot: LakeSnapshot) -> str:
    """The table of what the parts of a snapshot's build told."""
    return f'(FROM {ALIAS}.main."{BUILD_PART.name}" AT (VERSION => {snapshot.id}))'


def list_snapshots(enclosure: Enclosure) -> dict[str, Any]:
    """Every OMOP snapshot, oldest first; claims of days from ``complete_until`` on are still coming in."""
    with enclosure.reading_data(), enclosure.engine() as engine:
        return {"snapshots": [_noted(note) for note in enclosure.lake(engine).snapshots()]}


def _noted(note: SnapshotNote) -> dict[str, Any]:
    return {
        "snapshot": note.id,
        "built_at": note.built_at.isoformat(),
        "buckets": note.n_buckets,
        "complete_until": note.facts.get("complete_until"),
    }
