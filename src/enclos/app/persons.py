"""Persons: who is one person across sources."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from enclos.app.enclosure import Enclosure
from enclos.app.progress import Report, silent
from enclos.app.rotation import certify
from enclos.ledger.model import Action
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.linkage.steps import link, measure_links
from enclos.stores.landing import LandingZone


def link_persons(enclosure: Enclosure, *, truth: Path | None = None, report: Report = silent) -> dict[str, Any]:
    """Run the direct circuit on the link deliveries and destroy the temporary ids.

    Out: per hospital, how many patients were linked; with truth, recall and false links.
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
        if tables:
            report("link", 0.7)
            identities, persons = tables
            result |= measure_links(engine, landing, identities, persons).as_json()
        report("link", 1.0)
    return result


def _truth_tables(truth: Path) -> tuple[Any, Any]:
    try:
        return pq.read_table(truth / "identities.parquet"), pq.read_table(truth / "persons.parquet")
    except OSError:
        raise refusal(
            Code.STORAGE_BROKEN,
            "The truth of a synthetic France is not in this folder.",
            "Name the truth/ that synth wrote.",
        ) from None
