"""Quality of a snapshot: the published checks, the French figures, and what moved since another snapshot."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from time import perf_counter
from typing import Any

from enclos.app.enclosure import Enclosure
from enclos.app.handed import Keep, hand_over, pages
from enclos.app.pages.quality import quality_page
from enclos.app.pages.words import Language
from enclos.app.progress import Report, silent
from enclos.contracts.omop import OMOP_53_NAMES
from enclos.ledger.model import Action
from enclos.lexicon.keys import KeyName, KeyRole
from enclos.stores.judged_files import JudgedFiles
from enclos.stores.lake import LakeSnapshot
from enclos.warehouse.quality.catalogue import CDM_VERSIONS
from enclos.warehouse.quality.model import Drift, Marginal, QualityReport, Status
from enclos.warehouse.quality.steps import measure_drift, run_quality

CDM_VERSION = CDM_VERSIONS[-1]
RESULTS = "results.json"
MOST_KEPT = 200
"""Failing checks that are kept; more of them are in the results file."""


def judge_quality(
    enclosure: Enclosure,
    *,
    snapshot: int | None = None,
    against: int | None = None,
    cdm_version: str = CDM_VERSION,
    keep: Keep | None = None,
    report: Report = silent,
) -> dict[str, Any]:
    """Judge a snapshot (the newest by default); keep what was found, and make DQD's results file if asked.

    In:  cdm_version — the field list to judge by; 5.3 sees the snapshot with its older column names; keep — takes the
         results file, RESULTS, and the page with pictures.
    Out: snapshot, cdm, checks, passed, failed, not_applicable, seconds, failing checks, French figures; drift since
    ``against`` when it is given.
    Refuses: ENCLOSURE_BUSY while a build runs; what the lake refuses when there is no such snapshot.
    """
    started, started_at = perf_counter(), enclosure.ledger.now()
    with enclosure.ledger.intent(
        Action.QUALITY, enclosure.operator, None, {"against": against, "cdm": cdm_version}
    ) as ticket:
        with enclosure.reading_data(), enclosure.engine() as engine:
            lake = enclosure.lake(engine)
            chosen = lake.snapshot(snapshot)
            judged = run_quality(
                engine,
                _place(chosen, cdm_version),
                cdm_version=cdm_version,
                checked_on=started_at.date(),
                french=True,
                n_buckets=chosen.n_buckets,
                progress=lambda _table, done: report("quality", done),
            )
            moved: tuple[Drift, ...] = ()
            if against is not None:
                earlier = lake.snapshot(against)
                moved = measure_drift(
                    engine, _place(earlier, cdm_version), _place(chosen, cdm_version), cdm_version=cdm_version
                )
        seconds = perf_counter() - started
        if cdm_version == CDM_VERSION:
            _files(enclosure).keep(chosen.id, _kept(judged))
        ticket.facts.update({"snapshot": chosen.id, **judged.summary()})

    def results() -> bytes:
        document = judged.as_dqd_json(
            started_at=f"{started_at:%Y-%m-%d %H:%M:%S}",
            ended_at=f"{enclosure.ledger.now():%Y-%m-%d %H:%M:%S}",
            seconds=seconds,
        )
        return json.dumps(document, ensure_ascii=False, indent=1).encode()

    def page_in(language: Language) -> str:
        compared = moved if against is not None else None
        return quality_page(judged, snapshot=chosen.id, drift=compared, against=against, language=language)

    hand_over(keep, {RESULTS: results, **pages(page_in)})
    answer: dict[str, Any] = {
        "snapshot": chosen.id,
        "cdm": cdm_version,
        **judged.summary(),
        "seconds": round(seconds, 3),
    }
    answer |= {"failing": _failing(judged), "french": [_figure(figure) for figure in judged.marginals]}
    if against is not None:
        answer["drift"] = [_moved(drift) for drift in moved]
    return answer


def judged_quality(enclosure: Enclosure, snapshot: int | None = None) -> dict[str, Any]:
    """What the checks said of a snapshot when it was judged last; of the newest judged one when none is named.

    Out: snapshots (those that were judged), snapshot, judged: None when this one was not; judged_on, cdm, checks,
        passed, failed, not_applicable, kinds, tables, failing (in both languages), n_failing, french.
    """
    files = _files(enclosure)
    known = list(files.snapshots())
    chosen = snapshot if snapshot is not None else known[-1] if known else None
    return {"snapshots": known, "judged": None if chosen is None else files.read(chosen), "snapshot": chosen}


def _files(enclosure: Enclosure) -> JudgedFiles:
    return JudgedFiles(enclosure.paths.judged, enclosure.keys.secret(KeyName(KeyRole.DESK)))


def _kept(judged: QualityReport) -> dict[str, Any]:
    failed = sorted(
        (result for result in judged.results if result.status is Status.FAILED),
        key=lambda result: (-result.tally.share_violated, result.check.key.id),
    )
    kinds = Counter((result.check.type.category, result.status.word) for result in judged.results)
    return {
        "judged_on": judged.checked_on.isoformat(),
        "cdm": judged.cdm_version,
        **judged.summary(),
        "kinds": [{"kind": kind, "status": status, "n": n} for (kind, status), n in sorted(kinds.items())],
        "tables": dict(Counter(result.check.key.table for result in failed).most_common()),
        "n_failing": len(failed),
        "failing": [
            {
                "check": result.check.key.id,
                "en": result.check.said("en"),
                "fr": result.check.said("fr"),
                "violated": result.tally.n_violated,
                "of": result.tally.n_denominator,
            }
            for result in failed[:MOST_KEPT]
        ],
        "french": [_figure(figure) for figure in judged.marginals],
    }


def _place(snapshot: LakeSnapshot, cdm_version: str) -> Callable[[str], str | None]:
    """Where a table of the snapshot is read, with the column names of the version; None when it is not held."""

    def relation(table: str) -> str | None:
        if table not in snapshot.tables:
            return None
        older = OMOP_53_NAMES.get(table) if cdm_version == "5.3" else None
        if older is None:
            return snapshot.relation(table)
        renamed = ", ".join(f"{new} AS {old}" for old, new in older.items())
        return f"(SELECT * RENAME ({renamed}) FROM {snapshot.relation(table)})"

    return relation


def _failing(judged: QualityReport) -> list[dict[str, Any]]:
    return [
        {
            "check": result.check.key.id,
            "expected": result.check.description,
            "violated": result.tally.n_violated,
            "of": result.tally.n_denominator,
        }
        for result in judged.results
        if result.status is Status.FAILED
    ]


def _figure(figure: Marginal) -> dict[str, Any]:
    return {
        "figure": figure.name,
        "measured": None if figure.measured is None else round(figure.measured, 2),
        "published": figure.published,
        "plausible": f"{figure.low:g} to {figure.high:g} {figure.unit}",
        "status": figure.status.word,
    }


def _moved(drift: Drift) -> dict[str, Any]:
    return {
        "table": drift.table,
        "concept_id": drift.concept_id,
        "before": round(drift.before, 4),
        "after": round(drift.after, 4),
        "change": round(drift.change, 4),
    }
