"""Lineage: from a row of the CDM to the delivered lines and the rules that made it.

The two wings meet here and nowhere else: the vault crosses the person again and keeps the lines, the warehouse makes
the row again from what crossed. Neither learns what the other knows; nothing is stored.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from enclos.app.enclosure import Enclosure
from enclos.contracts.durations import DURATION_RULE_IDS
from enclos.contracts.pseudonymised.hospital import ORDERING_INTENTS
from enclos.intake.steps import read_accounts
from enclos.ledger.model import Action, Fact, Personal
from enclos.lexicon.codes import Code
from enclos.lexicon.ids import ORDINAL_BITS
from enclos.lexicon.keys import KeyName, KeyRole
from enclos.lexicon.refusals import refusal
from enclos.pseudonyms.steps import trace_person
from enclos.stores.crossing import CrossingZone
from enclos.stores.engine import Engine
from enclos.stores.lake import LakeSnapshot
from enclos.stores.landing import LandedFile, LandingByFile, LandingZone
from enclos.warehouse.model import DeliveredPeriod
from enclos.warehouse.steps.explaining import EXPLAINED_TABLES, Explainer, key_of

_OWN_NUMBER = ("person", "death")
"""Tables whose rows bear the person's number."""

Lines = list[tuple[LandedFile, int]]


def explain_row(enclosure: Enclosure, table: str, number: int, *, snapshot: int | None = None) -> dict[str, Any]:
    """The delivered lines and the rules that made a row of the CDM.

    In: number — the row's own; of person and death the person's.
    Out: sources (source, delivery, table, file and the SHA-256 of its content, line), rules, verdicts (the rule and the
    traps that the lines passed, by table), vocabulary (each step to the standard concept); of an era also its records.
    Refuses: EXPLAIN_UNKNOWN, EXPLAIN_CHANGED when what landed since makes the row otherwise.
    """
    if table not in EXPLAINED_TABLES:
        raise refusal(
            Code.EXPLAIN_UNKNOWN,
            "Rows of this table are not explained.",
            f"Name one of: {', '.join(EXPLAINED_TABLES)}.",
        )
    person_id = number if table in _OWN_NUMBER else number >> ORDINAL_BITS
    facts: dict[str, Fact] = {"table": table, "row": Personal(str(number))}
    with enclosure.ledger.intent(Action.EXPLAIN, enclosure.operator, None, facts) as ticket:
        tables, lines, periods = _trace(enclosure, person_id)
        with enclosure.reading_data(), enclosure.engine() as engine:
            lake = enclosure.lake(engine)
            stored_in = lake.snapshot(snapshot)
            stored = _stored(engine, stored_in, table, number, person_id)
            rules = _rules(engine, stored_in)
            crossing = CrossingZone(engine, enclosure.paths.crossing, enclosure.keys)
            duration = next(
                (name for name, each in DURATION_RULE_IDS.items() if each == rules.get("enclos drug duration")),
                "pack-size",
            )
            intents = tuple(rules.get("enclos MedicationRequest intents", "").split()) or ORDERING_INTENTS
            explainer = Explainer(engine, crossing, person_id, tables, periods, duration, intents)
            found = explainer.explain(table, stored)
            days = _duration(engine, stored_in, stored, duration)
        sources = [
            {
                "source": file.source,
                "delivery": file.delivery,
                "table": file.table,
                "file": file.path,
                "sha256": file.sha256,
                "line": line,
            }
            for file, line in sorted(
                {each for name, place in found.origins for each in lines[name][place]},
                key=lambda each: (each[0].source, each[0].table, each[0].path, each[1]),
            )
        ]
        ticket.facts.update({"n_lines": len(sources)})
    return {
        "table": table,
        "id": number,
        "snapshot": stored_in.id,
        "sources": sources,
        "crossed_as": sorted({name for name, _ in found.origins}),
        "rules": rules | days,
        "verdicts": [each.as_json() for each in found.verdicts],
        "vocabulary": [step.as_json() for step in found.path],
        "records": [{"table": name, "id": record} for name, record in found.records],
    }


def _trace(
    enclosure: Enclosure, person_id: int
) -> tuple[dict[str, pa.Table], dict[str, list[Lines]], list[DeliveredPeriod]]:
    """The vault's part: what crossed of the person, and the lines of each row; keys and engine are gone at its end."""
    with enclosure.vault_engine() as engine:
        zone = LandingZone(engine, enclosure.paths.vault / "landed", enclosure.keys)
        landed = LandingByFile(engine, zone, enclosure.paths.vault / "landed")
        crossing = CrossingZone(engine, enclosure.paths.crossing, enclosure.keys)
        records = enclosure.keys.blocks(KeyName(KeyRole.RECORD))
        parts: defaultdict[str, list[pa.Table]] = defaultdict(list)
        lines: defaultdict[str, list[Lines]] = defaultdict(list)
        for traced in trace_person(engine, landed, crossing, records, person_id):
            parts[traced.table].append(traced.rows)
            lines[traced.table] += [[landed.line(line) for line in each] for each in traced.lines]
        periods = [
            DeliveredPeriod(account.source, account.kind.value, *account.period)
            for account in read_accounts(engine)
            if account.period
        ]
    return {name: pa.concat_tables(rows) for name, rows in parts.items()}, dict(lines), periods


def _stored(engine: Engine, snapshot: LakeSnapshot, table: str, number: int, person_id: int) -> Mapping[str, Any]:
    found = engine.query(
        f"SELECT * FROM {snapshot.relation(table)} WHERE bucket = {person_id % snapshot.n_buckets} "
        f'AND "{key_of(table)}" = {number}'
    ).to_pylist()
    if not found:
        raise refusal(
            Code.EXPLAIN_UNKNOWN,
            "The snapshot has no row of this number in this table.",
            "Take the number from the snapshot that is asked, not from a permit's view.",
        )
    row: Mapping[str, Any] = found[0]
    return row


def _rules(engine: Engine, snapshot: LakeSnapshot) -> dict[str, str]:
    """The rules that made the snapshot."""
    return dict(engine.rows(f"SELECT name, value_as_string FROM {snapshot.relation('metadata')} ORDER BY name"))


def _duration(engine: Engine, snapshot: LakeSnapshot, row: Mapping[str, Any], rule: str) -> dict[str, str]:
    """The rule that really gave a dispensing its days."""
    if "days_supply" not in row or row["days_supply"] is None or "drug_duration" not in snapshot.tables:
        return {}
    found = engine.rows(
        f"SELECT rule_id FROM {snapshot.relation('drug_duration')} WHERE drug_source_concept_id = ? AND rule = ?",
        [row["drug_source_concept_id"], rule],
    )
    return {"days of this row": found[0][0] if found else DURATION_RULE_IDS["one-box-30"]}
