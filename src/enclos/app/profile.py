"""The profile of a snapshot: everything counted, for those who run the platform; nothing of it is released."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from enclos.app.enclosure import Enclosure
from enclos.app.handed import Files, Keep, hand_over, pages, takes
from enclos.app.pages.profile import NOTICE, profile_page, shown_concepts
from enclos.app.pages.words import Language
from enclos.app.progress import Report, silent
from enclos.app.snapshots import reading_snapshot
from enclos.ledger.model import Action
from enclos.warehouse.profile.model import COUNT_COLUMNS, SPREAD_COLUMNS, Analysis, Profile
from enclos.warehouse.profile.steps import run_profile

_COUNTS, _SPREADS, _ANALYSES = TABLES = (
    "achilles_results.csv",
    "achilles_results_dist.csv",
    "achilles_analysis.csv",
)


def tables_to(folder: Path | None) -> dict[str, Path | None]:
    """The places of the tables in a folder, for ``written_to``."""
    return {name: folder / name if folder else None for name in TABLES}


def profile_snapshot(
    enclosure: Enclosure,
    *,
    snapshot: int | None = None,
    keep: Keep | None = None,
    report: Report = silent,
) -> dict[str, Any]:
    """Count what a snapshot (the newest by default) holds, as OHDSI Achilles does.

    In:  keep — takes TABLES and the page with pictures.
    Out: snapshot, notice, persons, analyses with their rows, seconds.
    Refuses: ENCLOSURE_BUSY while a build runs; what the lake refuses when there is no such snapshot.
    """
    started = perf_counter()
    with enclosure.ledger.intent(Action.PROFILE, enclosure.operator, None, {"written": takes(keep, _COUNTS)}) as ticket:
        profile, chosen, concepts = read_profile(enclosure, snapshot=snapshot, report=report)
        n_rows = sum(len(profile.of(analysis.id)) for analysis in profile.analyses)
        ticket.facts.update({"snapshot": chosen, "analyses": len(profile.analyses), "rows": n_rows})

        def page_in(language: Language) -> str:
            return profile_page(profile, snapshot=chosen, concepts=concepts, language=language)

        hand_over(keep, {**_tables(profile), **pages(page_in)})
    return {
        "snapshot": chosen,
        "notice": NOTICE,
        "persons": profile.count(1),
        "rows": n_rows,
        "scans": profile.n_scans,
        "seconds": round(perf_counter() - started, 3),
        "analyses": [_analysis(profile, analysis) for analysis in profile.analyses],
    }


def read_profile(
    enclosure: Enclosure, *, snapshot: int | None = None, report: Report = silent
) -> tuple[Profile, int, dict[str, str]]:
    """The profile of a snapshot, the snapshot's id and the names of its frequent concepts.

    The caller has told the ledger.
    """
    with reading_snapshot(enclosure, snapshot) as (engine, chosen):
        profile = run_profile(
            engine,
            lambda table: chosen.relation(table) if table in chosen.tables else None,
            profiled_on=enclosure.ledger.now().date(),
            buckets=chosen.buckets,
            progress=report,
        )
        wanted = ", ".join(sorted(str(int(concept)) for concept in shown_concepts(profile))) or "0"
        named = engine.rows(
            f"SELECT concept_id, concept_name FROM {chosen.relation('concept')} WHERE concept_id IN ({wanted})"
            if "concept" in chosen.tables
            else "SELECT 0, '' WHERE false"
        )
    return profile, chosen.id, {str(concept): str(name) for concept, name in named if name is not None}


def _analysis(profile: Profile, analysis: Analysis) -> dict[str, Any]:
    """One analysis with its rows, named as in the peer's result tables; ``strata`` says what each stratum is."""
    rows = profile.of(analysis.id)
    columns = SPREAD_COLUMNS if analysis.is_distribution else COUNT_COLUMNS
    return {
        "analysis_id": analysis.id,
        "analysis": analysis.name,
        "category": analysis.category,
        "n_rows": len(rows),
        "strata": list(analysis.strata),
        "rows": [dict(zip(columns[1:], (*row.strata, *row[2:]), strict=True)) for row in rows],
    }


def _tables(profile: Profile) -> Files:
    """The result tables by the names of their files."""
    analyses = [
        (a.id, a.name, *(*a.strata, *("",) * (5 - len(a.strata))), int(a.is_distribution), a.category)
        for a in profile.analyses
    ]
    names = ("analysis_id", "analysis_name", *(f"stratum_{n}_name" for n in range(1, 6)), "is_distribution", "category")
    return {
        _COUNTS: lambda: _as_csv(COUNT_COLUMNS, profile.table(distributions=False)),
        _SPREADS: lambda: _as_csv(SPREAD_COLUMNS, profile.table(distributions=True)),
        _ANALYSES: lambda: _as_csv(names, analyses),
    }


def _as_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue().encode("utf-8")
