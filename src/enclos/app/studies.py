"""Studies: run one on a permit's view; what it finds stays inside, and is shown by runs.py."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

from enclos.app.code import code_digest
from enclos.app.enclosure import Enclosure
from enclos.app.found import Found, found_of
from enclos.app.objectors import objectors_at_query
from enclos.app.pages.words import Language
from enclos.app.permits import active, newest, perimeter_of, permit_key, watcher
from enclos.app.progress import Report, silent, unheard
from enclos.app.runs import pages_of, run_files, word_of
from enclos.app.snapshots import reading_snapshot
from enclos.app.spreading import spread_over
from enclos.app.watch import watched
from enclos.contracts.result import StudyResult, digests_of_persons, result_csv
from enclos.ledger.model import Action, Fact
from enclos.lexicon.canonical import canonical_bytes, sha256_hex
from enclos.lexicon.keys import SecretKey
from enclos.lexicon.version import __version__
from enclos.permits.model import SignedPermit
from enclos.release.rules.disclosure import kinds_with_rules
from enclos.stores.cohort_file import CohortFile
from enclos.stores.engine import Engine
from enclos.stores.lake import LakeSnapshot
from enclos.stores.run_files import Run
from enclos.studies.document import definition_texts, study_from_yaml, whole_study, with_saved
from enclos.studies.model import CirceCohort, Study
from enclos.studies.overview import overview
from enclos.studies.ports import Check
from enclos.studies.protocol import protocol_text, results_of, words_of
from enclos.studies.steps import columns_read, run_study
from enclos.studies.summary import summary
from enclos.views.rules import check_granted, may_see_rows_read
from enclos.views.steps import PermitCdm

_RUN_ID_LENGTH = 16

__all__ = [
    "protocol",
    "readable",
    "rerun",
    "run",
    "same_elsewhere",
    "title_of",
    "validate",
    "whole_study",
]


def run(
    enclosure: Enclosure,
    *,
    permit: str,
    user: str,
    text: str,
    page: Path | None = None,
    out: Path | None = None,
    language: Language = Language.EN,
    workers: int | None = None,
    on: str = "",
    report: Report = silent,
    warn: Callable[[str], None] = unheard,
    also: Callable[[], object] = lambda: None,
) -> dict[str, Any]:
    """Run a study under a permit and keep its result inside.

    The definitions of saved cohorts take the place of their names: what runs, is kept and is released is that text.

    In:  page — a file for the page with pictures and tables; out — a folder for each table as CSV and each picture as
         SVG and PNG. They show the whole result to whoever may see the rows that the study read; to all others they
         show what ``summary`` does: what could be released as it is; workers — over how many processes its buckets are
         spread, as enclos.toml says when not given, with the same result; on — the Spark that looks at them; warn — is
         told before the run of which analyses nothing, or not all, will be shown; also — asked whenever the right is
         checked: what it raises ends the study.

    Out: run — the same for the same study, permit version, snapshot and persons, so that a second run finds the first;
         n_rows, results (path inside the enclosure), summary (the estimates that could be released as they are; a
         withheld number is None); stays_inside, by analysis the types of results that no rule of release speaks of;
         shown, whole or releasable, where a page or a folder was asked for.
    Refuses: what permits refuse of the user, what studies refuse of the document.
    """
    started = perf_counter()
    with enclosure.ledger.intent(Action.STUDY, user, permit, {"study": sha256_hex(text.encode("utf-8"))}) as ticket:
        signed = active(enclosure, permit, user)
        secret = enclosure.keys.secret(permit_key(permit))
        text = with_saved(text, CohortFile(enclosure.paths.permits / permit, secret).definition)
        ticket.facts["study"] = sha256_hex(text.encode("utf-8"))
        study = study_from_yaml(text)
        needs = columns_read(study)
        check_granted(signed.permit.terms, needs)
        whole = may_see_rows_read(signed.permit.terms, needs)
        inside = stays_inside(study)
        for each in inside:
            warn(_warning(each, whole=whole))
        definitions = {cohort.name: cohort.digest for cohort in study.cohorts if isinstance(cohort, CirceCohort)}
        if definitions:
            ticket.facts["definitions"] = list(definitions.values())
        with reading_snapshot(enclosure) as (engine, snapshot):
            files = run_files(enclosure, permit)

            def check() -> None:
                also()
                active(enclosure, permit, user)

            cdm = permit_cdm(enclosure, signed, engine, snapshot, check)
            population = cdm.population()
            run_id = _run_id(text, signed, snapshot.id, population, secret)
            ticket.facts.update({"run": run_id, "snapshot": snapshot.id, "permit_version": signed.version})
            already = files.exists(run_id)
            if not already:

                def progress(n_done: int, n_total: int) -> None:
                    report(f"study {study.name}", n_done / n_total, f"{n_done} of {n_total}")

                asked = {"study": text}
                with (
                    spread_over(enclosure, signed, asked, snapshot, check, workers=workers, on=on) as spread,
                    watched(spread or engine, watcher(enclosure, permit, user, also)),
                ):
                    result = run_study(study, cdm, progress=progress, check=check, spread=spread)
                after = cdm.population()
                if after != population:  # somebody objected meanwhile: the next run is another one
                    population = f"{population} {after}"
                    run_id = _run_id(text, signed, snapshot.id, population, secret)
                    ticket.facts.update({"run": run_id})
                facts = {
                    "study": study.name,
                    "permit": permit,
                    "permit_version": signed.version,
                    "snapshot": snapshot.id,
                    "enclos": __version__,
                    "code": code_digest(),
                    "definitions": definitions,
                    "population": population,  # a move renews the permit's key, and what a run would be called
                }
                if not files.exists(run_id):
                    files.keep(Run(run_id, text, result, facts))
            kept = files.read(run_id)
            shown = _judged(enclosure, signed, kept, f"disclosure {study.name}", report)
            ticket.facts.update({"n_rows": kept.result.n_rows, "already": already})
            drawn: dict[str, Any] = {}
            if page is not None or out is not None:
                drawn = {"shown": word_of(whole=whole)}
                ticket.facts.update(drawn)
                check()
                pages_of(enclosure, kept, permit, shown, whole=whole, language=language, report=report).write(page, out)
    folder = files.folder(run_id)
    return {
        "run": run_id,
        "study": study.name,
        "snapshot": kept.facts["snapshot"],
        "n_rows": kept.result.n_rows,
        "results": str(folder.relative_to(enclosure.paths.root)),
        "already": already,
        "seconds": round(perf_counter() - started, 3),
        "verdict": shown.verdict,
        "reasons": shown.reasons,
        "nearest_safe": dict(shown.summary),
        # What a command prints has left: only what could be released is shown, the rest stays in the run.
        "summary": summary(shown.safe) if shown.safe else [],
        "stays_inside": inside,
        **drawn,
    }


def _judged(enclosure: Enclosure, signed: SignedPermit, kept: Run, step: str, report: Report) -> Found:
    """What ``found_of`` says; announced, since of many small numbers it takes a while."""
    report(step, 0.0)
    shown = found_of(enclosure, signed, kept)
    report(step, 1.0)
    return shown


def rerun(
    enclosure: Enclosure,
    *,
    permit: str,
    user: str,
    run_id: str,
    workers: int | None = None,
    on: str = "",
    report: Report = silent,
    also: Callable[[], object] = lambda: None,
) -> dict[str, Any]:
    """Run a kept run once more, from its id alone, on the snapshot that it was made of; nothing is kept of it.

    In: workers, on, also — as in ``run``
    Out: same, whether every line and every set of persons is as it was; same_persons, same_code, whether objections
         or the program changed meanwhile, which may be why it is not; study, snapshot, n_rows.
    Refuses: what permits refuse of the user; RUN_UNKNOWN; what the lake refuses of a snapshot that is gone.
    """
    started = perf_counter()
    with enclosure.ledger.intent(Action.STUDY, user, permit, {"run": run_id}) as ticket:
        signed = active(enclosure, permit, user)
        kept = run_files(enclosure, permit).read(run_id)
        study = study_from_yaml(kept.study)
        result, population = _again(enclosure, signed, kept, user, report, also, workers, on)
        snapshot = int(kept.facts["snapshot"])
        same = _written(result) == _written(kept.result)
        ticket.facts.update({"snapshot": snapshot, "same": same})
    return {
        "run": run_id,
        "study": study.name,
        "snapshot": snapshot,
        "n_rows": result.n_rows,
        "same": same,
        "same_persons": kept.facts.get("population") == population,
        "same_code": kept.facts.get("code") == code_digest(),
        "seconds": round(perf_counter() - started, 3),
    }


def same_elsewhere(here: Enclosure, there: Enclosure, *, permit: str, run_id: str, report: Report = silent) -> bool:
    """Whether a kept run, made once more on the data of two enclosures, has every line and every person alike.

    In: there — the other's folder, keys and data, with the ledger and the marks of this one
    Refuses: what permits refuse: it is run as its permit's first user, and the ledger says that the operator did.
    """
    user = newest(here, permit).permit.users[0].id
    results = []
    for enclosure in (here, there):
        signed = active(enclosure, permit, user)
        kept = run_files(enclosure, permit).read(run_id)
        facts: dict[str, Fact] = {"run": run_id, "snapshot": int(kept.facts["snapshot"]), "what": "compare"}
        with enclosure.ledger.intent(Action.STUDY, enclosure.operator, permit, facts):
            results.append(_written(_again(enclosure, signed, kept, user, report)[0]))
    return results[0] == results[1]


def _again(
    enclosure: Enclosure,
    signed: SignedPermit,
    kept: Run,
    user: str,
    report: Report,
    also: Callable[[], object] = lambda: None,
    workers: int | None = None,
    on: str = "",
) -> tuple[StudyResult, str]:
    """A kept run once more on the snapshot that it was made of, and the population that it is of."""
    study, permit = study_from_yaml(kept.study), signed.permit.id
    check_granted(signed.permit.terms, columns_read(study))
    with reading_snapshot(enclosure, int(kept.facts["snapshot"])) as (engine, snapshot):

        def check() -> None:
            also()
            active(enclosure, permit, user)

        def progress(n_done: int, n_total: int) -> None:
            report(f"study {study.name}", n_done / n_total, f"{n_done} of {n_total}")

        cdm = permit_cdm(enclosure, signed, engine, snapshot, check)
        population = cdm.population()
        asked = {"study": kept.study}
        with (
            spread_over(enclosure, signed, asked, snapshot, check, workers=workers, on=on) as spread,
            watched(spread or engine, watcher(enclosure, permit, user, also)),
        ):
            return run_study(study, cdm, progress=progress, check=check, spread=spread), population


def _written(result: StudyResult) -> tuple[bytes, object]:
    """The result to the byte, and who is behind it."""
    return result_csv(result.table, result.settings), digests_of_persons(result.cells)


def permit_cdm(
    enclosure: Enclosure, signed: SignedPermit, engine: Engine, snapshot: LakeSnapshot, check: Check
) -> PermitCdm:
    """The CDM that a permit sees, without those who object now."""
    return PermitCdm(
        signed.permit.terms,
        name=enclosure.settings.enclosure.name,
        engine=engine,
        snapshot=snapshot,
        perimeter=perimeter_of(enclosure, signed.permit.id, engine, snapshot),
        check=check,
        opted_out=objectors_at_query(enclosure, signed),
    )


def stays_inside(study: Study) -> list[dict[str, Any]]:
    """By analysis, which types of its results no rule of release speaks of.

    Empty: an analysis of which all can be released is not there
    """
    known, found = kinds_with_rules(), []
    for number, analysis in enumerate(study.analyses, start=1):
        kinds = results_of(analysis)
        if kept := [kind for kind in kinds if kind not in known]:
            released = [kind for kind in kinds if kind in known]
            title = words_of(analysis).title
            found.append({"analysis": number, "title": title, "kinds": kept, "released": released})
    return found


def _warning(each: Mapping[str, Any], *, whole: bool) -> str:
    kinds, released = ", ".join(each["kinds"]), ", ".join(each["released"])
    who = f"Analysis {each['analysis']} ({each['title']})"
    can = f"; what can is {released}" if released else ""
    where = "They are on the page (--page) and in the files (--out) alone." if whole else (
        "This permit shows nothing else, so they are neither on the page nor in the files; `access: rows` with the "
        "exact dates shows them to the permit's users."
    )  # fmt: skip
    return f"{who}: no rule of release speaks of {kinds}, so they stay inside{can}. {where}"


def readable(result: Mapping[str, Any]) -> dict[str, Any]:
    """What ``run`` gives as people read it: the summary as tables, what is told already left out."""
    told = {name: value for name, value in result.items() if name not in {"summary", "stays_inside"}}
    note = "what could be released; – is withheld or cannot be told. --page shows the rest to whoever may see rows"
    return {**told, **overview(result["summary"]), "shown here": note}


def protocol(text: str) -> str:
    """The protocol of a whole study file, as Markdown; it needs no enclosure and reads no data.

    Refuses: what studies refuse of the document.
    """
    return protocol_text(study_from_yaml(text), text, definition_texts(text))


def validate(text: str) -> dict[str, Any]:
    """What a whole study document is: its name, cohorts, analyses, and what of them no rule of release speaks of.

    Refuses: what studies refuse of the document; each fault names its line.
    """
    study = study_from_yaml(text)
    return {
        "study": study.name,
        "cohorts": [cohort.name for cohort in study.cohorts],
        "analyses": [words_of(analysis).title for analysis in study.analyses],
        "stays_inside": stays_inside(study),
    }


def title_of(text: str) -> str:
    """The name of a whole study; a document that names saved cohorts is no study before it is under its permit."""
    found = re.search(r"^study:\s*(\S{1,80})\s*$", text, re.MULTILINE)
    return found[1] if found else "study"


def _run_id(text: str, signed: SignedPermit, snapshot: int, population: str, key: SecretKey) -> str:
    """Under the permit's key, since who knows the permit's numbers could try out who is missing otherwise."""
    what = {
        "study": text,
        "permit": signed.digest,
        "snapshot": snapshot,
        "population": population,
        "enclos": __version__,
    }
    return hmac.new(key.reveal(), b"enclos run 1\n" + canonical_bytes(what), "sha256").hexdigest()[:_RUN_ID_LENGTH]
