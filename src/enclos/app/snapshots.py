"""Snapshots: everything that landed becomes one OMOP snapshot; views read it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any

from enclos.app.enclosure import Enclosure
from enclos.app.hosting import seal_lake
from enclos.app.objectors import resolve_objections
from enclos.app.progress import Report, paced, silent
from enclos.intake.steps import read_accounts
from enclos.ledger.model import Action
from enclos.lexicon.keys import KeyName, KeyRole
from enclos.linkage.steps import group_persons
from enclos.pseudonyms.steps import cross, number_persons
from enclos.pseudonyms.steps.objections import forget_former_numbers, has_former_numbers
from enclos.stores.crossing import CrossingZone
from enclos.stores.engine import Engine
from enclos.stores.lake import LakeSnapshot
from enclos.stores.landing import LandingZone
from enclos.warehouse.model import DeliveredPeriod
from enclos.warehouse.plans.durations import duration_rule
from enclos.warehouse.steps import build_snapshot


def build_omop(
    enclosure: Enclosure,
    *,
    account: bool = False,
    duration: str | None = None,
    full: bool = False,
    report: Report = silent,
) -> dict[str, Any]:
    """Group and number persons, write the crossing, and build an OMOP snapshot in one transaction.

    In: duration — the rule for days of supply, that of enclos.toml when not given; full — make every table anew, even
    where nothing that it comes from has changed.
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
        built, manifest = _build(enclosure, periods, duration, report, full=full)
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
    enclosure: Enclosure, periods: list[DeliveredPeriod], duration: str, report: Report, *, full: bool
) -> tuple[Any, str]:
    """The research wing's part; it holds the crossing key and the catalog key, nothing of the vault.

    Out: the build, and the digest of what the host was given.
    """
    with enclosure.changing_lake() as (engine, lake):
        crossing = CrossingZone(engine, enclosure.paths.crossing, enclosure.keys)
        pace = paced(report, "build", crossing.n_rows())
        built = build_snapshot(
            engine,
            crossing,
            lake,
            enclosure.n_buckets,
            periods=periods,
            released_on=enclosure.ledger.now().date(),
            name=enclosure.settings.enclosure.name,
            duration=duration,
            intents=enclosure.settings.warehouse.medication_request_intents,
            full=full,
            progress=lambda _phase, done: pace(done),
        )
        return built, seal_lake(enclosure, lake, built.snapshot, report)


@contextmanager
def reading_snapshot(enclosure: Enclosure, snapshot: int | None = None) -> Iterator[tuple[Engine, LakeSnapshot]]:
    """An engine with the lake attached for reading, and one snapshot of it (the newest by default).

    Refuses: ENCLOSURE_BUSY while a build runs; what the lake refuses when there is no snapshot.
    """
    with enclosure.reading_data(), enclosure.engine() as engine:
        lake = enclosure.lake(engine)
        yield engine, lake.snapshot(snapshot)


def list_snapshots(enclosure: Enclosure) -> dict[str, Any]:
    """Every OMOP snapshot, oldest first; claims of days from ``complete_until`` on are still coming in."""
    with enclosure.reading_data(), enclosure.engine() as engine:
        lake = enclosure.lake(engine)
        return {
            "snapshots": [
                {
                    "snapshot": note.id,
                    "built_at": note.built_at.isoformat(),
                    "buckets": note.n_buckets,
                    "complete_until": note.facts.get("complete_until"),
                }
                for note in lake.snapshots()
            ]
        }
