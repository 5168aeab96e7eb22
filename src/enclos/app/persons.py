"""Persons: who is one person across sources."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from enclos.app.certificates import certify
from enclos.app.enclosure import Enclosure
from enclos.app.progress import Report, silent
from enclos.app.report.charts import svg_of
from enclos.ledger.model import Action
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.linkage.model import DEFAULT_THRESHOLD, Method
from enclos.linkage.steps import link, link_indirectly, measure_indirect, measure_links, read_matches, try_indirectly
from enclos.stores.files import storage_border, write_atomically
from enclos.stores.landing import LandingZone
from enclos.stores.stay_scorer import EphemeralBlinding, SplinkStays

SEED = 20_260_101
"""Of the sample from which chance agreement is learnt; the same stays then weigh the same again."""
CHART = "match-weights.svg"


def link_persons(
    enclosure: Enclosure,
    *,
    truth: Path | None = None,
    indirect: Method | None = None,
    threshold: float | None = None,
    seed: int = SEED,
    report: Report = silent,
) -> dict[str, Any]:
    """Run the direct circuit on the link deliveries and destroy the temporary ids; then link the others by their stays.

    In: indirect — how stays are compared, None for the direct circuit alone; threshold — agreeing variables or bits,
        None for the method's own
    Out: per hospital, how many patients were linked; ``indirect`` with groups; with truth, recall, false links and
        precision, also of an indirect linkage that was not asked for: it is tried, and links nobody.
    """
    tables = _truth_tables(truth) if truth else None
    with enclosure.vault_engine() as engine:
        landing = LandingZone(engine, enclosure.paths.vault / "landed", enclosure.keys)
        report("link", 0.0)
        with enclosure.ledger.intent(Action.LINK, enclosure.operator) as ticket:
            linked = link(engine, landing, landing, linked_at=datetime.now(UTC))
            result = linked.as_json()
            ticket.facts.update({"already": linked.already, "n_destroyed": linked.destroyed})
        certify(enclosure)
        if indirect:
            report("link", 0.2)
            with enclosure.ledger.intent(Action.LINK, enclosure.operator) as ticket:
                found, chart = link_indirectly(
                    engine,
                    landing,
                    EphemeralBlinding(),
                    SplinkStays(enclosure.paths.spill),
                    method=indirect,
                    threshold=DEFAULT_THRESHOLD[indirect] if threshold is None else threshold,
                    seed=seed,
                    linked_at=datetime.now(UTC),
                )
                result["indirect"] = found.as_json()
                ticket.facts.update({"method": indirect.value, "threshold": found.threshold, "linked": found.n_linked})
            drawing = enclosure.paths.vault / CHART
            if chart:
                write_atomically(drawing, svg_of(chart), "the chart of match weights")
            if indirect is Method.PROBABILISTIC and drawing.exists():
                result["indirect"]["chart"] = f"vault/{CHART}"
        if tables:
            report("link", 0.7)
            identities, persons = tables
            if indirect is None:
                tried = try_indirectly(
                    engine,
                    landing,
                    EphemeralBlinding(),
                    SplinkStays(enclosure.paths.spill),
                    identities,
                    method=Method.DETERMINISTIC,
                    threshold=DEFAULT_THRESHOLD[Method.DETERMINISTIC],
                    seed=seed,
                    linked_at=datetime.now(UTC),
                )
                result["indirect"] = {"method": Method.DETERMINISTIC.value, "applied": False, **tried.as_json()}
            else:
                result["indirect"] |= measure_indirect(engine, landing, identities).as_json()
            result |= measure_links(engine, landing, identities, persons).as_json()
        report("link", 1.0)
    return result


def match_report(enclosure: Enclosure) -> dict[str, Any]:
    """What linkage found last, by hospital and by source; changes nothing.

    Out: linked: None before the first delivery, else hospitals (patients, linked, unlinked, conflicts, reasons,
        linked_at), indirect (groups by source and method), source_persons, persons
    Refuses: ENCLOSURE_BUSY while the vault is written.
    """
    with enclosure.vault_to_look() as engine:
        if engine is None:
            return {"linked": None}
        mark = _mark(enclosure.paths.vault_database)  # nobody writes it here inside
        return {"linked": enclosure.remembered.once("matches", mark, lambda: read_matches(engine).as_json())}


def _mark(database: Path) -> list[object]:
    """What tells one state of a database from another: its file, and the one beside it of what is to go in yet."""
    found: list[object] = []
    for path in (database, database.with_name(f"{database.name}.wal")):
        with storage_border("the vault"):
            of = path.stat() if path.exists() else None
        found.append(None if of is None else (of.st_mtime_ns, of.st_size, of.st_ino))
    return found


def _truth_tables(truth: Path) -> tuple[Any, Any]:
    try:
        return pq.read_table(truth / "identities.parquet"), pq.read_table(truth / "persons.parquet")
    except OSError:
        raise refusal(
            Code.STORAGE_BROKEN,
            "The truth of a synthetic France is not in this folder.",
            "Name the truth/ that synth wrote.",
        ) from None
