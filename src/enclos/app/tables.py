"""Tables that may be asked to leave: counted by the platform under a permit, and kept as a run."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from enclos.app.code import code_digest
from enclos.app.enclosure import Enclosure
from enclos.app.objectors import objectors_at_query
from enclos.app.permits import active, perimeter_of, permit_key
from enclos.app.rounding import beyond
from enclos.app.runs import run_files
from enclos.app.snapshots import reading_snapshot
from enclos.app.statements import asked, limits_of
from enclos.contracts.result import StudyResult
from enclos.contracts.sql import SqlEngine
from enclos.contracts.tables import JOB_TABLE, PERSON, SQL_TABLE, KeyKind, TableForm, key_column, value_column
from enclos.contracts.view import Access
from enclos.ledger.model import Action, Fact, Personal
from enclos.lexicon.canonical import canonical_bytes, sha256_hex
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal
from enclos.lexicon.version import __version__
from enclos.permits.model import SignedPermit
from enclos.release.rules.disclosure import assess
from enclos.release.rules.files import MOST_BYTES, file_refused, rows_of
from enclos.stores.run_files import Run
from enclos.studies.tables.document import JobForm, form_from_yaml
from enclos.studies.tables.rules import counted
from enclos.views.plans import plan_open_table
from enclos.views.ports import Snapshot
from enclos.views.sql.steps import check_table
from enclos.views.steps import PermitReader

_RUN_ID_LENGTH = 16
_SQL_DIGITS, _JOB_DIGITS = 12, 3
"""Digits of numbers that are no counts; a job could write in them."""
_BYTES_PER_ROW = 16
"""The least that a row of persons takes; how many may come is left to the limit in bytes."""


def keep_answer(
    enclosure: Enclosure,
    *,
    permit: str,
    user: str,
    text: str,
    unconfined_for_trying_out: bool = False,
    also: Callable[[], object] = lambda: None,
) -> dict[str, Any]:
    """Count the aggregates of one statement under a permit and keep them as a run, which may be asked to leave.

    The engine gives the rows that the statement counts, each with its person; the platform counts them, so that who is
    behind a number follows from the statement's own plan. Nothing is shown: under a permit for aggregates, groups of
    fewer persons than its minimum are not even kept.
    Out:     run — the same for the same statement, permit version, snapshot and persons; n_rows, results, statement as
             it leaves, keys and measures as the platform names them, verdict and reasons as ``release check`` begins
    Refuses: as ``ask``; SQL_NOT_ALLOWED for what cannot be told with the persons behind it.
    """
    started = perf_counter()
    facts: dict[str, Fact] = {"query": Personal(text), "kept": True}
    with asked(enclosure, permit, user, facts, unconfined_for_trying_out, also) as statement:
        signed, ticket = statement.signed, statement.ticket
        with reading_snapshot(enclosure) as (engine, snapshot):
            query = check_table(text, signed.permit.terms, engine)
            check_concepts(query.codes, engine, snapshot)
            rows = statement.rows(query, engine, snapshot)
            population = rows.population()
            study = _document(query.statement)
            limits = limits_of(enclosure)
            most = replace(limits, result_rows=limits.result_bytes // _BYTES_PER_ROW)
            table = statement.answer(query, rows, engine, most)
            after = rows.population()  # who objected meanwhile may or may not be in: another run than either
        form = query.table
        if form is None:
            raise RuntimeError("a statement for a table has its form")
        result = _counted(enclosure, signed, table, form, SQL_TABLE)
        answer = keep_table(
            enclosure, signed, result, study=study, snapshot=snapshot.id, population=_both(population, after)
        )
        ticket.facts.update({"run": answer["run"], "n_rows": result.n_rows, "already": answer["already"]})
    return {**answer, **_named(form), "statement": query.statement, "seconds": round(perf_counter() - started, 3)}


def keep_job(enclosure: Enclosure, *, permit: str, user: str, rows: bytes, form: str) -> dict[str, Any]:
    """Count the rows of a code job by the form that it declares, and keep the table as a run.

    The platform knows which persons the permit shows and counts them; who is in which group, and which value they
    have, is what the job wrote. So such a table never passes without being looked at, and its numbers have few digits.

    In:      rows — CSV as ``rows_of`` reads it, under the permit's own numbers of persons
    Out:     as ``keep_answer``, with ``form`` as it leaves
    Refuses: RELEASE_FILE for every other file; RELEASE_UNTYPED for a form, a code or a person that is none;
             VIEW_NOT_GRANTED under a permit that shows no rows.
    """
    started = perf_counter()
    facts: dict[str, Fact] = {"study": sha256_hex(form.encode("utf-8")), "rows": sha256_hex(rows), "job": True}
    with enclosure.ledger.intent(Action.STUDY, user, permit, facts) as ticket:
        signed = active(enclosure, permit, user)
        if signed.permit.terms.access is not Access.ROWS:
            raise refusal(
                Code.VIEW_NOT_GRANTED,
                "This permit shows no rows, so that no job of yours has any.",
                "Use a study, or enclos sql --keep.",
            )
        declared = form_from_yaml(form)
        found = rows_of(rows, declared.columns, declared.person)
        with reading_snapshot(enclosure) as (engine, snapshot):

            def check() -> None:
                active(enclosure, permit, user)

            reader = PermitReader(
                signed.permit.terms,
                engine=engine,
                snapshot=snapshot,
                perimeter=perimeter_of(enclosure, permit, engine, snapshot),
                check=check,
                opted_out=objectors_at_query(enclosure, signed),
            )
            population = reader.population()
            if not np.isin(found[declared.person].to_numpy(), reader.persons()).all():
                raise _untyped(
                    "somebody whom the permit does not show, or who has objected", "the permit's own numbers"
                )
            check_codes(found, declared, engine, snapshot)
        result = _counted(
            enclosure, signed, _as_counted(found, declared), declared.form, JOB_TABLE, n_digits=_JOB_DIGITS
        )
        study = f"{declared.text}rows: {sha256_hex(rows)}\n"
        answer = keep_table(enclosure, signed, result, study=study, snapshot=snapshot.id, population=population)
        ticket.facts.update({"run": answer["run"], "snapshot": snapshot.id, "n_rows": result.n_rows})
    return {**answer, **_named(declared.form), "form": declared.text, "seconds": round(perf_counter() - started, 3)}


def _as_counted(rows: pa.Table, declared: JobForm) -> pa.Table:
    """The rows under the platform's names, bands by their number."""
    form, columns = declared.form, {PERSON: rows[declared.person]}
    for number, key in enumerate(form.keys):
        column = rows[key.name]
        columns[key_column(number)] = pc.floor(pc.divide(column.cast(pa.float64()), key.width)) if key.width else column
    return pa.table({**columns, **{value_column(number): rows[name] for number, name in enumerate(form.values)}})


def check_codes(rows: pa.Table, declared: JobForm, engine: SqlEngine, snapshot: Snapshot) -> None:
    """Every code of a job is a concept of the snapshot's vocabulary.

    Refuses: RELEASE_UNTYPED.
    """
    named = [key.name for key in declared.form.keys if key.kind is KeyKind.CONCEPT]
    check_concepts(set().union(*(rows[name].drop_null().unique().to_pylist() for name in named)), engine, snapshot)


def check_concepts(used: Collection[int], engine: SqlEngine, snapshot: Snapshot) -> None:
    """Go on where numbers are concepts of the snapshot's vocabulary, or zero.

    Refuses: RELEASE_UNTYPED.
    """
    used = set(used) - {0}
    if not used:
        return
    listed = ", ".join(str(int(each)) for each in sorted(used))
    known = engine.query(
        f"SELECT concept_id FROM ({plan_open_table('concept', snapshot)}) WHERE concept_id IN ({listed})"
    )
    if not used <= set(known["concept_id"].to_pylist()):
        raise _untyped("a code that the vocabulary does not have", "numbers of concepts")


def _untyped(what: str, instead: str) -> Refusal:
    return refusal(Code.RELEASE_UNTYPED, f"The table would hold {what}.", f"Use {instead}.")


def refuse_file(place: str) -> None:
    """Go on where a place names no file; nobody asks for a file to leave.

    Refuses: RELEASE_FILE, telling what the file is by its bytes.
    """
    path = Path(place)
    if path.is_file():
        raise file_refused(path.read_bytes()[:MOST_BYTES])
    if path.is_dir():
        raise file_refused(b"")


def _both(before: str, after: str) -> str:
    return before if before == after else f"{before} {after}"


def _named(form: TableForm) -> dict[str, Any]:
    """Keys and measures as the platform names them."""
    measures = [
        f"{each.estimate} of {each.of}" + (f" where condition {each.condition}" if each.condition else "")
        for each in form.measures
    ]
    return {"keys": [key.name for key in form.keys], "measures": measures}


def _counted(
    enclosure: Enclosure,
    signed: SignedPermit,
    rows: pa.Table,
    form: TableForm,
    result_type: str,
    *,
    n_digits: int = _SQL_DIGITS,
) -> StudyResult:
    permit = signed.permit
    return counted(
        rows,
        form,
        result_type=result_type,
        name=enclosure.settings.enclosure.name,
        version=__version__,
        n_digits=n_digits,
        min_persons=permit.min_count if permit.terms.access is Access.AGGREGATES else 0,
    )


def keep_table(
    enclosure: Enclosure, signed: SignedPermit, result: StudyResult, *, study: str, snapshot: int, population: str
) -> dict[str, Any]:
    """Keep a counted table as a run under its permit; a second time finds the first."""
    permit = signed.permit
    files = run_files(enclosure, permit.id)
    what = {
        "study": study,
        "permit": signed.digest,
        "snapshot": snapshot,
        "population": population,
        "enclos": __version__,
    }
    key = enclosure.keys.secret(permit_key(permit.id)).reveal()
    run_id = hmac.new(key, b"enclos table 1\n" + canonical_bytes(what), "sha256").hexdigest()[:_RUN_ID_LENGTH]
    already = files.exists(run_id)
    if not already:
        facts = {
            "study": "table",
            "permit": permit.id,
            "permit_version": signed.version,
            "snapshot": snapshot,
            "enclos": __version__,
            "code": code_digest(),
            "definitions": {},
        }
        files.keep(Run(run_id, study, result, facts))
    found = assess(result, permit.min_count, demands=beyond(enclosure, permit)[1])
    return {
        "run": run_id,
        "snapshot": snapshot,
        "n_rows": result.n_rows,
        "results": str(files.folder(run_id).relative_to(enclosure.paths.root)),
        "already": already,
        "verdict": found.verdict.word,
        "reasons": found.reasons,
    }


def _document(statement: str) -> str:
    """A statement as the study of its run."""
    lines = "\n".join(f"  {line}" for line in statement.splitlines())
    return f"table: sql\nstatement: |\n{lines}\n"
