"""Indirect linkage: whose stays of the PMSI a hospital patient's stays are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

import pyarrow as pa

from enclos.contracts.delivered.document import Kind
from enclos.contracts.sql import SqlEngine
from enclos.lexicon.canonical import canonical_bytes, sha256_hex
from enclos.linkage import rules
from enclos.linkage.model import RELAXED, VARIABLES, IndirectReport, IndirectTruth, Method, ScoredStays
from enclos.linkage.plans import deciding, relaxation, stays
from enclos.linkage.plans import direct as persons
from enclos.linkage.ports import CodeBlinding, Landed, StayScorer
from enclos.linkage.steps.tables import (
    BENEFICIARY_COLUMNS,
    find_snds_persons,
    hold,
    intermediate,
    prepare,
)

FLOOR = -4.0
"""Bits below which a pair of stays is not kept as a candidate: no sensible threshold lies there."""
_VERSION = 1
"""Raised when the same stays would compare differently."""
_CHAINING = (
    "ETA_NUM",
    "RSA_NUM",
    "NIR_ANO_17",
    "RNG_NAI",
    "EXE_SOI_DTD",
    "EXE_SOI_DTF",
    "NIR_RET",
    "NAI_RET",
    "SEX_RET",
)
_COMPARED_KINDS = (
    Kind.SNDS_REF,
    Kind.SNDS_PMSI,
    Kind.FHIR_BULK,
    Kind.OMOP,
    Kind.HOSPITAL_CSV,
)


def link_indirectly(
    engine: SqlEngine,
    landed: Landed,
    blinding: CodeBlinding,
    scorer: StayScorer,
    *,
    method: Method,
    threshold: float,
    seed: int,
    linked_at: datetime,
) -> tuple[IndirectReport, Mapping[str, object] | None]:
    """Find for each hospital patient the one SNDS person with the same stays, or none.

    Stays are compared once for the same deliveries, method and seed; what is kept is, for each patient, the two
    heaviest persons with their weight, so that another threshold decides anew without comparing. Whatever stops the
    step, nothing of a comparison stays: its tables are temporary.

    In: linked_at — UTC; threshold — agreeing variables (deterministic) or bits (probabilistic)
    Out: the report, and the chart of the weights when they were learnt in this step
    Empty: without a stay on either side nobody is linked
    Source: facts on linkage, § 7; docs/linkage.md
    """
    counts, chart, compared = _compare(engine, landed, blinding, scorer, method, seed, linked_at)
    with engine.transaction():
        for statement in deciding.plan_decide(method, threshold):
            engine.execute(statement)
    return _report(engine, landed, method, threshold, counts, compared=compared), chart


def try_indirectly(
    engine: SqlEngine,
    landed: Landed,
    blinding: CodeBlinding,
    scorer: StayScorer,
    identities: pa.Table,
    *,
    method: Method,
    threshold: float,
    seed: int,
    linked_at: datetime,
) -> IndirectTruth:
    """What linking indirectly would find, against the truth; the links in force stay as they are.

    In: as link_indirectly and measure_indirect
    """
    _compare(engine, landed, blinding, scorer, method, seed, linked_at)
    engine.execute("BEGIN TRANSACTION")
    try:
        for statement in deciding.plan_decide(method, threshold):
            engine.execute(statement)
        return _measured(engine, landed, identities)
    finally:
        engine.execute("ROLLBACK")


def _compare(
    engine: SqlEngine,
    landed: Landed,
    blinding: CodeBlinding,
    scorer: StayScorer,
    method: Method,
    seed: int,
    linked_at: datetime,
) -> tuple[dict[str, int], Mapping[str, object] | None, bool]:
    """Keep each patient's two heaviest persons, unless the same deliveries were compared before.

    Out: what was counted, the chart of the weights when they were learnt now, whether stays were compared now
    """
    prepare(engine)
    inputs = _inputs(engine, seed)
    known = engine.rows(
        "SELECT stays FROM vault.indirect_rounds WHERE method = ? AND inputs = ?", [method.value, inputs]
    )
    chart: Mapping[str, object] | None = None
    if known:
        counts = {str(name): int(n) for name, n in json.loads(known[0][0]).items()}
    else:
        forget = (*persons.plan_forget(), *stays.plan_forget_stays(), *relaxation.plan_forget_relaxation())
        with intermediate(engine, (*forget, f"DROP TABLE IF EXISTS {deciding.SCORED}")):
            find_snds_persons(engine, landed)
            _make_stays(engine, landed, blinding)
            counts = {
                "hospital": int(engine.scalar(f"SELECT count(*) FROM {stays.HOSPITAL_STAYS}")),
                "national": int(engine.scalar(f"SELECT count(*) FROM {stays.NATIONAL_STAYS}")),
            }
            if method is Method.DETERMINISTIC:
                counts |= _relax(engine)
                kept = deciding.plan_keep_candidates(
                    method, relaxation.ranked_by_agreement(), relaxation.several_of_patients()
                )
                model: Mapping[str, object] = {"variables": list(VARIABLES), "relaxed": RELAXED}
            else:
                scored = _score(engine, scorer, seed, empty=not all(counts.values()))
                model, chart = scored.model, scored.chart or None
                kept = deciding.plan_keep_candidates(method, deciding.ranked_by_weight(), None)
            with engine.transaction():
                for statement in kept:
                    engine.execute(statement)
                engine.execute("DELETE FROM vault.indirect_rounds WHERE method = ?", [method.value])
                engine.execute(
                    "INSERT INTO vault.indirect_rounds VALUES (?, ?, ?, ?, ?)",
                    [method.value, inputs, linked_at.replace(tzinfo=None), json.dumps(counts), json.dumps(model)],
                )
    return counts, chart, not known


def measure_indirect(engine: SqlEngine, landed: Landed, identities: pa.Table) -> IndirectTruth:
    """Compare the indirect links in force, of all patients with stays, with the truth of a synthetic France.

    In: identities — true_person, source, source_person_id (SNDS: 'PSA/rank')
    """
    prepare(engine)
    return _measured(engine, landed, identities)


def _measured(engine: SqlEngine, landed: Landed, identities: pa.Table) -> IndirectTruth:
    chaining = landed.relation(Kind.SNDS_PMSI.value, "T_MCOaaC", _CHAINING)
    engine.register("enclos_truth", identities)
    counts = engine.rows(deciding.plan_measured_indirect(chaining))
    engine.unregister("enclos_truth")
    concerned = sum(int(n) for stayed, _, n in counts if stayed)
    found = sum(int(n) for stayed, verdict, n in counts if stayed and verdict == 1)
    true = sum(int(n) for _, verdict, n in counts if verdict == 1)
    links = sum(int(n) for _, verdict, n in counts if verdict)
    return IndirectTruth(rules.share(found, concerned), rules.share(true, links))


def _inputs(engine: SqlEngine, seed: int) -> str:
    kinds = ", ".join(f"'{kind.value}'" for kind in _COMPARED_KINDS)
    rows = engine.rows(f"SELECT delivery_id FROM vault.deliveries WHERE kind IN ({kinds}) ORDER BY ordinal")
    return sha256_hex(canonical_bytes({"deliveries": [row[0] for row in rows], "seed": seed, "version": _VERSION}))


def _make_stays(engine: SqlEngine, landed: Landed, blinding: CodeBlinding) -> None:
    """Fill both comparison tables; codes stand in the clear only within this function."""

    def of(kind: Kind, family: str, *columns: str) -> str:
        return landed.relation(kind.value, family, columns)

    resources = [
        of(Kind.FHIR_BULK, family, "id", "resource")
        for family in ("Patient", "Encounter", "Condition", "Procedure", "Organization")
    ]
    own = (
        stays.told_by_fhir(*resources),
        stays.told_by_omop(
            of(Kind.OMOP, "person", "person_id", "gender_concept_id", "year_of_birth", "month_of_birth"),
            of(
                Kind.OMOP,
                "visit_occurrence",
                "visit_occurrence_id",
                "person_id",
                "visit_concept_id",
                "visit_start_date",
                "visit_end_date",
                "care_site_id",
            ),
            of(
                Kind.OMOP,
                "condition_occurrence",
                "condition_occurrence_id",
                "visit_occurrence_id",
                "condition_source_value",
                "condition_status_source_value",
                "condition_status_concept_id",
            ),
            of(
                Kind.OMOP,
                "procedure_occurrence",
                "procedure_occurrence_id",
                "visit_occurrence_id",
                "procedure_source_value",
            ),
            of(Kind.OMOP, "care_site", "care_site_id", "care_site_source_value"),
        ),
        stays.told_by_plain(
            of(Kind.HOSPITAL_CSV, "PATIENT", "patient_id", "sex", "birth_date"),
            of(Kind.HOSPITAL_CSV, "SEJOUR", "sejour_id", "patient_id", "entree", "sortie", "mode", "finess"),
            of(Kind.HOSPITAL_CSV, "DIAGNOSTIC", "sejour_id", "code_cim10", "rang"),
            of(Kind.HOSPITAL_CSV, "ACTE", "sejour_id", "code_ccam"),
        ),
    )
    engine.execute(stays.plan_told_hospital(own))
    births = (*BENEFICIARY_COLUMNS[:2], "BEN_NAI_ANN", "BEN_NAI_MOI")
    engine.execute(stays.plan_known(of(Kind.SNDS_REF, "IR_BEN_R", *births), of(Kind.SNDS_REF, "IR_BEN_R_ARC", *births)))
    keys = ("ETA_NUM", "RSA_NUM")
    engine.execute(
        stays.plan_told_national(
            of(Kind.SNDS_PMSI, "T_MCOaaC", *_CHAINING),
            of(Kind.SNDS_PMSI, "T_MCOaaB", *keys, "COD_SEX", "DGN_PAL", "DGN_REL"),
            of(Kind.SNDS_PMSI, "T_MCOaaD", *keys, "ASS_DGN"),
            of(Kind.SNDS_PMSI, "T_MCOaaA", *keys, "CDC_ACT"),
        )
    )
    codes = [str(code) for (code,) in engine.rows(stays.plan_codes())]
    blinds = pa.array(blinding.blind(codes), pa.int64())
    hold(engine, stays.BLINDED_CODES, pa.table({"code": pa.array(codes, pa.string()), "blind": blinds}))
    for statement in stays.plan_numbers():
        engine.execute(statement)
    engine.execute(
        stays.plan_comparable(stays.TOLD_HOSPITAL, stays.HOSPITAL_STAYS, stays.PATIENT_NUMBERS, "patient_no", "patient")
    )
    engine.execute(
        stays.plan_comparable(stays.TOLD_NATIONAL, stays.NATIONAL_STAYS, stays.PERSON_NUMBERS, "person_no", "person")
    )
    for statement in stays.plan_forget_values():
        engine.execute(statement)


def _relax(engine: SqlEngine) -> dict[str, int]:
    engine.execute(relaxation.plan_pairs())
    for statement in relaxation.plan_begin():
        engine.execute(statement)
    for relaxed in range(RELAXED + 1):
        for statement in relaxation.plan_step(len(VARIABLES) - relaxed):
            engine.execute(statement)
    counts = dict.fromkeys(("group_1", "group_2", "multiple", "none"), 0)
    for n_agree, matched, n in engine.rows(relaxation.plan_stay_groups()):
        counts[rules.stay_group(n_agree, matched=bool(matched))] += int(n)
    return counts


def _score(engine: SqlEngine, scorer: StayScorer, seed: int, *, empty: bool) -> ScoredStays:
    if empty:
        scored = ScoredStays(_PAIRS.empty_table(), {}, {})
    else:
        hospital, national = (
            engine.query(f"SELECT {', '.join(stays.COMPARED)} FROM {name} ORDER BY unique_id")
            for name in (stays.HOSPITAL_STAYS, stays.NATIONAL_STAYS)
        )
        scored = scorer.score(hospital, national, seed=seed, floor=FLOOR)
    engine.register("enclos_arriving", scored.pairs)
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE {deciding.SCORED} AS SELECT a.stay, h.owner AS patient, a.other, "
        f"n.owner AS person, a.weight, a.own FROM enclos_arriving AS a "
        f"JOIN {stays.HOSPITAL_STAYS} AS h ON h.unique_id = a.stay "
        f"JOIN {stays.NATIONAL_STAYS} AS n ON n.unique_id = a.other"
    )
    engine.unregister("enclos_arriving")
    return scored


_PAIRS = pa.schema(
    {"stay": pa.int64(), "other": pa.int64(), "weight": pa.decimal128(12, 6), "own": pa.decimal128(12, 6)}
)
"""Not yet a table: the first that Arrow makes of Python values imports Pandas where it is installed."""


def _report(
    engine: SqlEngine, landed: Landed, method: Method, threshold: float, counts: Mapping[str, int], *, compared: bool
) -> IndirectReport:
    groups: dict[str, dict[str, int]] = {}
    for source, outcome, n in engine.rows(deciding.plan_group_counts()):
        groups.setdefault(str(source), {})[str(outcome)] = int(n)
    with intermediate(engine, persons.plan_forget()):
        find_snds_persons(engine, landed)
        same, another, nobody = engine.rows(deciding.plan_against_direct(persons.SNDS_PERSONS))[0]
    return IndirectReport(method, threshold, groups, counts, (int(same), int(another), int(nobody)), compared=compared)
