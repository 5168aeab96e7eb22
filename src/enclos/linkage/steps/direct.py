"""Direct linkage: run the circuits, and say who is one person."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from enclos.contracts.delivered.document import Kind
from enclos.contracts.sql import SqlEngine
from enclos.linkage import rules
from enclos.linkage.model import (
    GroupReport,
    HospitalLinks,
    LinkOutcome,
    LinkReport,
    LinkTruth,
    MatchReport,
)
from enclos.linkage.plans import direct as plans
from enclos.linkage.ports import Landed, LinkKeys
from enclos.linkage.steps.tables import find_snds_persons, hold, intermediate, prepare

_HOSPITAL_COLUMNS = ("source", "patient_id", "id_temp")
_THIRD_COLUMNS = ("source", "id_temp", "third_party", "id_third")
_NATIONAL_COLUMNS = ("source", "id_temp", "BEN_NIR_PSA", "BEN_RNG_GEM")

_LINKED_AT = "SELECT source, max(linked_at) FROM vault.link_reports GROUP BY source"
_INDIRECT = "SELECT source, method, outcome, count(*) FROM vault.indirect_links GROUP BY ALL ORDER BY ALL"


def link(engine: SqlEngine, landed: Landed, link_keys: LinkKeys, *, linked_at: datetime) -> LinkReport:
    """Run the direct circuits whose two halves have come, then destroy their temporary ids.

    A hospital sends (patient, temporary id); the national side answers (temporary id, pseudonym), through the numbers
    of a third party where several hospitals were merged. What is kept is (patient, pseudonym). A link delivery is
    destroyed, key first, when all its hospitals are linked; whatever stops the step, the next run completes it.

    In: engine — with the vault attached; linked_at — UTC
    Out: one report per hospital; already is True when there was nothing to link
    Source: CNIL, guide on circuits (12/2020), single-centre circuit repeated per hospital
    """
    prepare(engine)
    destroyed = _destroy_validated(engine, link_keys)
    open_deliveries = engine.rows(
        "SELECT delivery_id, ordinal FROM vault.deliveries WHERE kind = 'link' "
        "AND delivery_id NOT IN (SELECT delivery_id FROM vault.link_rounds) ORDER BY ordinal"
    )
    if not open_deliveries:
        return LinkReport(_stored_reports(engine), (), destroyed, already=True)
    ordinals = {int(ordinal): str(delivery_id) for delivery_id, ordinal in open_deliveries}
    with intermediate(engine, plans.plan_forget()):
        hospital_rows = landed.relation(Kind.LINK.value, "LINK_HOSPITAL", _HOSPITAL_COLUMNS, deliveries=tuple(ordinals))
        national_rows = landed.relation(Kind.LINK.value, "LINK_SNDS", _NATIONAL_COLUMNS, deliveries=tuple(ordinals))
        third_rows = landed.relation(Kind.LINK.value, "LINK_THIRD_PARTY", _THIRD_COLUMNS, deliveries=tuple(ordinals))
        halves = plans.national_halves(national_rows, third_rows)
        find_snds_persons(engine, landed)
        complete, waiting = _halves(engine, hospital_rows, halves)
        reports = _run_circuits(engine, complete, hospital_rows, plans.national_answers(national_rows, third_rows))
        speaks_of = engine.rows(plans.plan_hospitals_by_delivery(hospital_rows, halves, third_rows))
        unfinished = {int(ordinal) for ordinal, source in speaks_of if source in waiting}
        validated = [ordinals[ordinal] for ordinal in ordinals if ordinal not in unfinished]
        _keep(engine, reports, validated, linked_at)
    destroyed += _destroy_validated(engine, link_keys)
    return LinkReport(_stored_reports(engine), tuple(waiting), destroyed, already=not reports)


def group_persons(engine: SqlEngine, landed: Landed, *, indirect: bool = True) -> GroupReport:
    """Decide anew which source persons are one person: SNDS pseudonyms of one BEN_IDT_ANO, and patients linked to it.

    A patient whose links name two SNDS persons stays alone. Needs no link: without one, each patient is a person.

    In: indirect — whether patients without a direct link follow the indirect one
    """
    prepare(engine)
    with intermediate(engine, plans.plan_forget()):
        find_snds_persons(engine, landed)
        fhir = landed.relation(Kind.FHIR_BULK.value, "Patient", ("id",))
        plain = landed.relation(Kind.HOSPITAL_CSV.value, "PATIENT", ("patient_id",))
        omop = landed.relation(Kind.OMOP.value, "person", ("person_id",))
        engine.execute(plans.plan_source_persons(fhir, plain, omop))
        engine.execute(plans.plan_person_nodes())
        edges = engine.query(plans.plan_edges(indirect=indirect))
        sure = np.asarray(edges["n_persons"]) == 1
        left, right = np.asarray(edges["node"], np.int64), np.asarray(edges["snds_node"], np.int64)
        nodes, labels = rules.component_labels(left[sure], right[sure])
        hold(engine, plans.LABELS, pa.table({"node": nodes, "label": labels}))
        engine.execute(plans.plan_clusters())
        counts = engine.rows("SELECT source, count(*) FROM vault.clusters GROUP BY source ORDER BY source")
        n_persons = int(engine.scalar("SELECT count(DISTINCT cluster) FROM vault.clusters"))
        return GroupReport({str(source): int(n) for source, n in counts}, n_persons, len(set(left[~sure].tolist())))


def measure_links(engine: SqlEngine, landed: Landed, identities: pa.Table, persons: pa.Table) -> LinkTruth:
    """Group persons by their direct links and compare them with the truth of a synthetic France.

    In: identities — true_person, source, source_person_id (SNDS: 'PSA/rank'), linkable; persons — true_person and
        snds, the list of the person's pseudonyms
    """
    group_persons(engine, landed, indirect=False)
    with intermediate(engine, plans.plan_forget()):
        find_snds_persons(engine, landed)
        engine.register("enclos_truth", identities)
        engine.register("enclos_true_persons", persons)
        counts = engine.rows(plans.plan_measured())
        engine.unregister("enclos_truth")
        engine.unregister("enclos_true_persons")
    group_persons(engine, landed)
    total = {"known": 0, "linkable": 0, "true": 0, "false": 0, "found": 0}
    for known, linkable, verdict, n_patients in counts:
        total["known"] += int(n_patients) * bool(known)
        total["linkable"] += int(n_patients) * bool(linkable)
        total["true"] += int(n_patients) * (verdict == 1)
        total["found"] += int(n_patients) * (verdict == 1 and bool(linkable))
        total["false"] += int(n_patients) * (verdict == 2)
    return LinkTruth(total["known"], total["linkable"], total["true"], total["found"], total["false"])


def _halves(engine: SqlEngine, hospital_rows: str, national_rows: str) -> tuple[list[str], list[str]]:
    """Hospitals of which both halves have come, and the others; without any SNDS person all of them wait."""
    rows = engine.rows(plans.plan_circuit_halves(hospital_rows, national_rows))
    if not engine.scalar(f"SELECT count(*) FROM {plans.SNDS_PERSONS}"):
        return [], [str(source) for source, _, _ in rows]
    complete = [str(source) for source, own, national in rows if own and national]
    return complete, [str(source) for source, own, national in rows if not (own and national)]


def _run_circuits(
    engine: SqlEngine, complete: Sequence[str], hospital_rows: str, national_rows: str
) -> list[HospitalLinks]:
    if not complete:
        return []
    hold(engine, "enclos_complete", pa.table({"source": pa.array(complete, pa.string())}))
    chosen = "(SELECT * FROM {} WHERE source IN (SELECT source FROM enclos_complete))"
    snds_sources = engine.rows(f"SELECT DISTINCT source FROM {plans.SNDS_PERSONS}")
    # The national side may sign its answers with another name than its deliveries, as long as there is one SNDS.
    snds_source = f"'{snds_sources[0][0]}'" if len(snds_sources) == 1 else "_source"
    engine.execute(plans.plan_circuit(chosen.format(hospital_rows)))
    engine.execute(plans.plan_answers(chosen.format(national_rows), snds_source))
    engine.execute("DROP TABLE enclos_complete")
    engine.execute(plans.plan_patient_answers())
    outcomes: dict[str, dict[LinkOutcome, int]] = {source: {} for source in complete}
    for source, shares, answered, n_persons, n_patients in engine.rows(plans.plan_outcome_counts()):
        outcome = rules.link_outcome(n_shared_ids=int(shares), n_answers=int(answered), n_persons=int(n_persons))
        counts = outcomes[str(source)]
        counts[outcome] = counts.get(outcome, 0) + int(n_patients)
    return [HospitalLinks(source, sum(counts.values()), counts) for source, counts in outcomes.items()]


def _keep(engine: SqlEngine, reports: Sequence[HospitalLinks], validated: Sequence[str], linked_at: datetime) -> None:
    at = linked_at.replace(tzinfo=None)
    with engine.transaction():
        if reports:
            engine.execute(plans.plan_keep_links())
        for report in reports:
            engine.execute("DELETE FROM vault.link_reports WHERE source = ?", [report.source])
            engine.execute(
                "INSERT INTO vault.link_reports VALUES (?, ?, ?)", [report.source, at, json.dumps(report.as_json())]
            )
        for delivery_id in validated:
            engine.execute("INSERT INTO vault.link_rounds VALUES (?, ?, false)", [delivery_id, at])


def _destroy_validated(engine: SqlEngine, link_keys: LinkKeys) -> int:
    """Destroy the temporary ids of every validated delivery that still has them; how many deliveries."""
    rows = engine.rows(
        "SELECT DISTINCT r.delivery_id, l.key_subject FROM vault.link_rounds AS r "
        "JOIN vault.landed AS l ON l.delivery_id = r.delivery_id WHERE NOT r.destroyed ORDER BY ALL"
    )
    for delivery_id, key_subject in rows:
        link_keys.destroy_link(str(delivery_id), str(key_subject))
        with engine.transaction():
            engine.execute("UPDATE vault.landed SET path = NULL WHERE delivery_id = ?", [delivery_id])
            engine.execute("UPDATE vault.link_rounds SET destroyed = true WHERE delivery_id = ?", [delivery_id])
    return len(rows)


def read_matches(engine: SqlEngine) -> MatchReport:
    """What the circuits found last, and how many persons the sources' persons are; changes nothing."""
    linked_at = {str(source): at.replace(tzinfo=UTC) for source, at in engine.rows(_LINKED_AT)}
    groups: dict[tuple[str, str], dict[str, int]] = {}
    for source, method, outcome, n in engine.rows(_INDIRECT):
        groups.setdefault((str(source), str(method)), {})[str(outcome)] = int(n)
    counts = engine.rows("SELECT source, count(*) FROM vault.clusters GROUP BY source ORDER BY source")
    n_persons = int(engine.scalar("SELECT count(DISTINCT cluster) FROM vault.clusters"))
    return MatchReport(
        _stored_reports(engine), linked_at, groups, {str(source): int(n) for source, n in counts}, n_persons
    )


def _stored_reports(engine: SqlEngine) -> tuple[HospitalLinks, ...]:
    found = []
    for (text,) in engine.rows("SELECT report FROM vault.link_reports ORDER BY source"):
        document = json.loads(text)
        outcomes = {LinkOutcome(name): int(n) for name, n in document["reasons"].items()}
        found.append(HospitalLinks(document["source"], int(document["patients"]), outcomes))
    return tuple(found)
