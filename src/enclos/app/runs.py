"""Runs that were kept: which there are, and what each found, as it is shown to whoever may see it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from enclos.app.enclosure import Enclosure
from enclos.app.found import Found, found_of
from enclos.app.pages.words import Language
from enclos.app.permits import active, permit_key
from enclos.app.progress import Report, silent
from enclos.ledger.model import Action
from enclos.stores.run_files import Run, RunFiles
from enclos.studies.document import study_from_yaml
from enclos.studies.model import Study
from enclos.studies.steps import columns_read
from enclos.studies.summary import summary
from enclos.views.rules import may_see_rows_read

if TYPE_CHECKING:
    from enclos.app.pages.study import StudyPages


def run_files(enclosure: Enclosure, permit: str) -> RunFiles:
    """Where the runs of a permit are kept.

    Refuses: KEY_MISSING when the permit's key is destroyed.
    """
    folder: Path = enclosure.paths.permits / permit
    return RunFiles(folder, enclosure.keys.secret(permit_key(permit)))


def results(
    enclosure: Enclosure, *, permit: str, user: str, run_id: str, language: Language = Language.EN
) -> tuple[dict[str, Any], StudyPages]:
    """What a kept run found, as ``run`` with a page shows it: the whole result to whoever may see the rows that the
    study read, to all others what could be released as it is.

    Out: run, study, snapshot, n_rows, verdict, reasons, nearest_safe, summary, shown (whole or releasable); the page
         and the files
    Refuses: what permits refuse of the user; RUN_UNKNOWN.
    """
    with enclosure.ledger.intent(Action.STUDY, user, permit, {"run": run_id, "what": "look"}) as ticket:
        signed = active(enclosure, permit, user)
        kept = run_files(enclosure, permit).read(run_id)
        is_of_now = kept.facts["permit_version"] == signed.version  # what an earlier version opened may be less now
        study = _study_in(kept)
        sees = study is not None and may_see_rows_read(signed.permit.terms, columns_read(study))
        whole = is_of_now and sees
        shown = found_of(enclosure, signed, kept)
        answer = {
            "run": run_id,
            "study": kept.facts["study"],
            "snapshot": kept.facts["snapshot"],
            "n_rows": kept.result.n_rows,
            "verdict": shown.verdict,
            "reasons": shown.reasons,
            "nearest_safe": dict(shown.summary),
            "summary": summary(shown.safe) if shown.safe else [],
            "shown": word_of(whole=whole),
        }
        ticket.facts.update({"n_rows": kept.result.n_rows, "shown": answer["shown"]})
        return answer, pages_of(enclosure, kept, permit, shown, whole=whole, language=language)


def list_runs(enclosure: Enclosure, *, permit: str, user: str) -> list[dict[str, Any]]:
    """What was run under a permit and kept, the newest first: run, study, snapshot, permit_version, at.

    Refuses: what permits refuse of the user.
    """
    active(enclosure, permit, user)
    return [
        {
            **{name: found[name] for name in ("run", "study", "snapshot", "permit_version")},
            "at": datetime.fromtimestamp(found["at"], UTC).isoformat(),
        }
        for found in run_files(enclosure, permit).all()
    ]


def study_of(enclosure: Enclosure, *, permit: str, user: str, run_id: str) -> str:
    """The study file of a kept run.

    Refuses: what permits refuse of the user; RUN_UNKNOWN.
    """
    active(enclosure, permit, user)
    return run_files(enclosure, permit).study(run_id)


def word_of(*, whole: bool) -> str:
    """What is shown of a run, by the word that answers and the ledger have for it."""
    return "whole" if whole else "releasable"


def pages_of(
    enclosure: Enclosure,
    kept: Run,
    permit: str,
    shown: Found,
    *,
    whole: bool,
    language: Language,
    report: Report = silent,
) -> StudyPages:
    """The page and the files of a run.

    In: shown — what of it could be released; whole — whether all of it is shown
    """
    from enclos.app.pages.study import SAFE, WHOLE, StudyPages

    study = _study_in(kept)
    return StudyPages(
        kept.result if whole else shown.safe,
        name=str(kept.facts["study"]),
        lead=f"{enclosure.settings.enclosure.name}, {permit}, snapshot {kept.facts['snapshot']}, {kept.id}",
        notice=WHOLE if whole else SAFE,
        types=[each.result_type for each in kept.result.settings],
        names=[cohort.name for cohort in study.cohorts] if study else (),
        language=language,
        report=report,
    )


def _study_in(kept: Run) -> Study | None:
    """The study that a run is of; None for a table from SQL or a code job, which its document says first."""
    return None if kept.study.startswith("table:") else study_from_yaml(kept.study)
