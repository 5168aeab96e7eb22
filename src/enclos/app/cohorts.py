"""Cohorts of Circe definitions under a permit: how many persons, and what each rule leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from time import perf_counter
from typing import Any

import numpy as np
import pyarrow as pa
from pyroaring import BitMap64

from enclos.app.enclosure import Enclosure
from enclos.app.objectors import objectors_at_query
from enclos.app.permits import active, perimeter_of, permit_key, watcher
from enclos.app.progress import Report, silent
from enclos.app.snapshots import reading_snapshot
from enclos.app.sql import shown_before
from enclos.app.watch import watched
from enclos.ledger.model import Action, Fact
from enclos.lexicon.refusals import Refusal, refusal
from enclos.permits.model import SignedPermit
from enclos.stores.cohort_file import CohortFile
from enclos.studies.circe import Definition, read_circe
from enclos.studies.circe.columns import check_held, columns_of
from enclos.studies.circe.steps import Made, made
from enclos.views.rules import check_granted
from enclos.views.sql.rules.withholding import shown_sets
from enclos.views.steps import PermitCdm


def count(
    enclosure: Enclosure,
    *,
    permit: str,
    user: str,
    texts: Mapping[str, str],
    save: bool = False,
    report: Report = silent,
) -> dict[str, Any]:
    """Make the cohorts of Circe definitions, and tell how many persons they have.

    In: texts — each definition's JSON by the cohort's name; save — keep their rows for the permit's own queries, in the
        place of those saved under the same name
    Out: permit, snapshot, min_count, seconds, and for each cohort: name, digest, cohort_definition_id where saved,
        n_persons, and attrition: the persons with an entry event, then those with one that fulfils the rules up to
        each. A number is None where it, or what it would tell beside all that the permit has shown, rests on fewer
        persons than the permit's minimum.
    Refuses: what permits refuse of the user, CIRCE_UNREADABLE, CIRCE_INVALID, CIRCE_TABLE_MISSING, VIEW_NOT_GRANTED,
        SQL_WITHHELD when the permit has shown too much to compare with.
    """
    started = perf_counter()
    digests = {name: sha256(text.encode("utf-8")).hexdigest() for name, text in texts.items()}
    facts: dict[str, Fact] = {"definitions": list(digests.values()), "save": save}
    with enclosure.ledger.intent(Action.COHORT, user, permit, facts) as ticket:
        signed = active(enclosure, permit, user)
        definitions = {name: _read(name, text) for name, text in texts.items()}
        check_held(list(definitions.values()))
        check_granted(signed.permit.terms, columns_of(list(definitions.values())))
        with reading_snapshot(enclosure) as (engine, snapshot):
            ticket.facts.update({"snapshot": snapshot.id, "permit_version": signed.version})

            def check() -> None:
                active(enclosure, permit, user)

            def progress(n_done: int, n_total: int) -> None:
                report("cohorts", n_done / n_total)

            cdm = PermitCdm(
                signed.permit.terms,
                name=enclosure.settings.enclosure.name,
                engine=engine,
                snapshot=snapshot,
                perimeter=perimeter_of(enclosure, permit, engine, snapshot),
                check=check,
                opted_out=objectors_at_query(enclosure, signed),
            )
            with watched(engine, watcher(enclosure, permit, user)):
                parts = list(made(list(definitions.values()), cdm, attrition=True, check=check, progress=progress))
            check()
        told, ticket.facts["question"] = _told(enclosure, signed, definitions, digests, parts)
        if save:
            kept = CohortFile(enclosure.paths.permits / permit, enclosure.keys.secret(permit_key(permit)))
            rows = {
                name: pa.concat_tables([_of_cohort(part.rows, at) for part in parts]) for at, name in enumerate(texts)
            }
            ids = kept.replace(rows, texts)
            ticket.facts["saved"] = list(ids.values())
            told = [{**each, "cohort_definition_id": ids[each["name"]]} for each in told]
    return {
        "permit": permit,
        "snapshot": snapshot.id,
        "cohorts": told,
        "min_count": signed.permit.min_count,
        "seconds": round(perf_counter() - started, 3),
    }


def _read(name: str, text: str) -> Definition:
    try:
        return read_circe(text)
    except Refusal as refused:
        raise refusal(refused.code, f"Cohort {name}: {refused.what}", refused.next_step) from None


def _told(
    enclosure: Enclosure,
    signed: SignedPermit,
    definitions: Mapping[str, Definition],
    digests: Mapping[str, str],
    parts: Sequence[Made],
) -> tuple[list[dict[str, Any]], int]:
    """The numbers that may be shown beside all that the permit has shown; what is shown is remembered first.

    Out: by cohort; the number of the question, which the ledger keeps
    """
    steps = [
        (at, step, persons)
        for at, definition in enumerate(definitions.values())
        for step, persons in enumerate(_persons(at, len(definition.rules), parts))
    ]
    sets = [persons for _, _, persons in steps]
    digest = sha256("".join(digests.values()).encode("ascii")).hexdigest()
    with shown_before(enclosure, signed) as (history, before):
        shown = shown_sets(sets, before, signed.permit.min_count)
        question = history.keep(digest, [found for found, is_shown in zip(sets, shown, strict=True) if is_shown])
    number = {
        (at, step): len(found) if is_shown else None for (at, step, found), is_shown in zip(steps, shown, strict=True)
    }
    told = [
        {
            "name": name,
            "digest": digests[name],
            "n_persons": number[at, len(definition.rules) + 1],
            "attrition": [
                {"reason": reason, "n_persons": number[at, step]}
                for step, reason in enumerate(["entry events", *(rule.name for rule in definition.rules)])
            ],
        }
        for at, (name, definition) in enumerate(definitions.items())
    ]
    return told, question


def _persons(cohort: int, n_rules: int, parts: Sequence[Made]) -> list[BitMap64]:
    """The persons with an entry event, those left after each rule, and those of the cohort."""
    left = [_of_cohort(part.left, cohort) for part in parts if part.left is not None]
    found = [
        BitMap64(
            np.concatenate(
                [
                    np.zeros(0, np.int64),
                    *(part["person_id"].to_numpy()[part["n_rules"].to_numpy() >= n] for part in left),
                ]
            )
        )
        for n in range(n_rules + 1)
    ]
    rows = [_of_cohort(part.rows, cohort)["subject_id"].to_numpy() for part in parts]
    return [*found, BitMap64(np.concatenate([np.zeros(0, np.int64), *rows]))]


def _of_cohort(table: pa.Table, cohort: int) -> pa.Table:
    return table.filter(pa.array(table["cohort"].to_numpy() == cohort, pa.bool_()))
