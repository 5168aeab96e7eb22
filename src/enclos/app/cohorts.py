"""Cohorts of Circe definitions under a permit: how many persons, and what each rule leaves."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from time import perf_counter
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import compute
from pyroaring import BitMap64

from enclos.app.enclosure import Enclosure
from enclos.app.objectors import objectors_at_query
from enclos.app.permits import active, lineage_of, perimeter_of, permit_key, watcher
from enclos.app.progress import Report, silent
from enclos.app.snapshots import reading_snapshot
from enclos.app.spreading import spread_over
from enclos.app.sql import shown_before
from enclos.app.watch import watched
from enclos.ledger.model import Action, Fact
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal
from enclos.permits.model import SignedPermit
from enclos.stores.cohort_file import CohortFile
from enclos.stores.perimeter_file import KeptPersons
from enclos.studies.circe import Definition, read_circe
from enclos.studies.circe.columns import check_held, columns_of
from enclos.studies.circe.kept import Kept
from enclos.studies.circe.steps import Made, made
from enclos.views.rules import check_granted
from enclos.views.sql.rules.withholding import shown_sets
from enclos.views.steps import PermitCdm

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def count(
    enclosure: Enclosure,
    *,
    permit: str,
    user: str,
    texts: Mapping[str, str],
    save: bool = False,
    inclusion: bool = False,
    workers: int | None = None,
    on: str = "",
    kept: Kept | None = None,
    persons: KeptPersons | None = None,
    report: Report = silent,
    also: Callable[[], object] = lambda: None,
) -> dict[str, Any]:
    """Make the cohorts of Circe definitions, and tell how many persons they have.

    In: texts — each definition's JSON by the cohort's name; save — keep their rows for the permit's own queries, in the
        place of those saved under the same name; inclusion — tell too which rules are passed; workers — over how many
        processes the buckets are spread, as enclos.toml says when not given; on — the Spark that looks at them; kept —
        what this process has read for this permit before: then it looks at all buckets itself; persons — whom it has
        found in the permit before; also — asked whenever
        the right is checked: what it raises ends the count
    Out: permit, snapshot, min_count, seconds, and for each cohort: name, digest, cohort_definition_id where saved,
        n_persons, and attrition: the entry events and their persons, then those that fulfil the rules up to each; with
        inclusion, for sets of rules (passed: a letter for each rule, 1 where it is passed), the events that pass these
        and no others, and the persons whose best event does; sets of which nothing is shown are left out. A number is
        None where it, or what it would tell beside all that the permit has shown, rests on fewer persons than the
        permit's minimum.
    Refuses: what permits refuse of the user, CIRCE_UNREADABLE, CIRCE_INVALID, CIRCE_TABLE_MISSING, VIEW_NOT_GRANTED,
        SQL_WITHHELD when the permit has shown too much to compare with.
    """
    started = perf_counter()
    digests = {name: sha256(text.encode("utf-8")).hexdigest() for name, text in texts.items()}
    facts: dict[str, Fact] = {"definitions": list(digests.values()), "save": save}
    with enclosure.ledger.intent(Action.COHORT, user, permit, facts) as ticket:
        signed = active(enclosure, permit, user)
        definitions = _checked(signed, texts)
        with reading_snapshot(enclosure) as (engine, snapshot):
            ticket.facts.update({"snapshot": snapshot.id, "permit_version": signed.version})

            def check() -> None:
                also()
                active(enclosure, permit, user)

            def progress(n_done: int, n_total: int) -> None:
                report("cohorts", n_done / n_total)

            lineage = lineage_of(enclosure, snapshot)
            cdm = PermitCdm(
                signed.permit.terms,
                name=enclosure.settings.enclosure.name,
                engine=engine,
                snapshot=snapshot,
                perimeter=perimeter_of(enclosure, permit, engine, snapshot, kept=persons),
                check=check,
                opted_out=objectors_at_query(enclosure, signed),
                lineage=lineage,
            )
            of_all = {"definitions": list(texts.values())}
            n_workers = workers if kept is None else 1
            with (
                spread_over(enclosure, signed, of_all, snapshot, check, workers=n_workers, on=on) as spread,
                watched(spread or engine, watcher(enclosure, permit, user, also)),
            ):
                elsewhere = None if spread is None else spread.cohorts()
                asked = list(definitions.values())
                parts = list(
                    made(
                        asked,
                        cdm,
                        attrition=True,
                        check=check,
                        progress=progress,
                        spread=elsewhere,
                        kept=kept if lineage else None,
                    )
                )
            check()
        told, ticket.facts["question"] = _told(enclosure, signed, definitions, digests, parts, inclusion=inclusion)
        if save:
            file = CohortFile(enclosure.paths.permits / permit, enclosure.keys.secret(permit_key(permit)))
            rows = {
                name: pa.concat_tables([_of_cohort(part.rows, at) for part in parts]) for at, name in enumerate(texts)
            }
            ids = file.replace(rows, texts)
            ticket.facts["saved"] = list(ids.values())
            told = [{**each, "cohort_definition_id": ids[each["name"]]} for each in told]
    return {
        "permit": permit,
        "snapshot": snapshot.id,
        "cohorts": told,
        "min_count": signed.permit.min_count,
        "seconds": round(perf_counter() - started, 3),
    }


def check(enclosure: Enclosure, *, permit: str, user: str, texts: Mapping[str, str]) -> list[str]:
    """Look at Circe definitions before they are counted: nothing is read of the data, nothing is kept.

    Out: the names of the cohorts
    Refuses: as ``count``, but for what only the data tell; CIRCE_INVALID too for a name that no cohort has.
    """
    signed = active(enclosure, permit, user)
    check_names(texts)
    _checked(signed, texts)
    return list(texts)


def check_names(names: Iterable[str]) -> None:
    """Refuses: CIRCE_INVALID for a name that is none, where no file gives it."""
    if not all(_NAME.fullmatch(name) for name in names):
        what = "A cohort has a name of letters, digits, hyphens and underscores."
        raise refusal(Code.CIRCE_INVALID, what, "Give it such a name.")


def saved(enclosure: Enclosure, *, permit: str, user: str) -> list[dict[str, Any]]:
    """The saved cohorts of a permit: name and cohort_definition_id, by name.

    Refuses: what permits refuse of the user.
    """
    active(enclosure, permit, user)
    kept = CohortFile(enclosure.paths.permits / permit, enclosure.keys.secret(permit_key(permit))).names()
    return [{"name": name, "cohort_definition_id": kept[name]} for name in sorted(kept)]


def _checked(signed: SignedPermit, texts: Mapping[str, str]) -> dict[str, Definition]:
    """The definitions, once the permit opens all that they read."""
    definitions = {name: _read(name, text) for name, text in texts.items()}
    check_held(definitions)
    check_granted(signed.permit.terms, columns_of(list(definitions.values())))
    return definitions


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
    *,
    inclusion: bool,
) -> tuple[list[dict[str, Any]], int]:
    """The numbers that may be shown beside all that the permit has shown; what is shown is remembered first.

    Out: by cohort; the number of the question, which the ledger keeps
    """
    min_count = signed.permit.min_count
    counts = [_counts(at, each, parts, inclusion=inclusion) for at, each in enumerate(definitions.values())]
    digest = sha256("".join(digests.values()).encode("ascii")).hexdigest()
    with shown_before(enclosure, signed) as (history, before):
        steps = _shown([each for count in counts for each in (*count.left, count.persons)], before, min_count)
        passing = _shown([each for count in counts for each in count.passing.values()], [*before, *steps], min_count)
        question = history.keep(digest, [*steps, *passing])
    may_show = {id(each) for each in (*steps, *passing)}

    def told(persons: BitMap64) -> int | None:
        return len(persons) if id(persons) in may_show else None

    answers = []
    for count, (name, definition) in zip(counts, definitions.items(), strict=True):
        reasons = ["entry events", *(rule.name for rule in definition.rules)]
        n_events = events_told(count.events, [id(each) in may_show for each in count.left], min_count)
        answer: dict[str, Any] = {"name": name, "digest": digests[name], "n_persons": told(count.persons)}
        answer["attrition"] = [
            {"reason": reason, "n_persons": told(left), "n_events": n}
            for reason, left, n in zip(reasons, count.left, n_events, strict=True)
        ]
        if inclusion:
            n_passing = passing_told(count.events, list(count.passing), min_count)
            passing_rows = [
                {"passed": passed, "n_persons": told(persons), "n_events": n}
                for (passed, persons), n in zip(count.passing.items(), n_passing, strict=True)
            ]
            answer["inclusion"] = [row for row in passing_rows if (row["n_persons"], row["n_events"]) != (None, None)]
        answers.append(answer)
    return answers, question


def _shown(sets: Sequence[BitMap64], before: Sequence[BitMap64], min_count: int) -> list[BitMap64]:
    decided = shown_sets(sets, before, min_count)
    return [each for each, is_shown in zip(sets, decided, strict=True) if is_shown]


@dataclass(frozen=True, slots=True, repr=False)
class _Counts:
    """The persons of one cohort's numbers."""

    events: pa.Table
    """The events that its rules look at."""
    left: list[BitMap64]
    """With an entry event, and after each rule."""
    persons: BitMap64
    passing: dict[str, BitMap64]
    """For each set of rules that some event passes, those whose best event passes it; most rules come first."""


def _counts(cohort: int, definition: Definition, parts: Sequence[Made], *, inclusion: bool) -> _Counts:
    events = pa.concat_tables([_of_cohort(part.left, cohort) for part in parts if part.left is not None])
    rows = pa.concat_tables([_of_cohort(part.rows, cohort) for part in parts])
    persons, fulfilled = events["person_id"].to_numpy(), events["n_rules"].to_numpy()
    left = [BitMap64(persons[fulfilled >= n]) for n in range(len(definition.rules) + 1)]
    passing = {}
    if inclusion:
        best = events.filter(events["is_best"])
        for passed in sorted(events["passed"].unique().to_pylist(), key=lambda each: (-each.count(b"1"), each)):
            of_best = best.filter(compute.equal(best["passed"], passed))
            passing[passed.decode("ascii")] = BitMap64(of_best["person_id"].to_numpy())
    return _Counts(events, left, BitMap64(rows["subject_id"].to_numpy()), passing)


def events_told(events: pa.Table, shown: Sequence[bool], min_count: int) -> list[int | None]:
    """How many events each step leaves, where its persons are shown and those whose events are gone since the last
    number that was told are none or enough.

    In: events — person_id, n_rules; shown — of each step, whether its persons are
    """
    persons, fulfilled = events["person_id"].to_numpy(), events["n_rules"].to_numpy()
    found: list[int | None] = []
    last: int | None = None
    for step, is_shown in enumerate(shown):
        gone = np.zeros(0, np.int64) if last is None else np.unique(persons[(fulfilled >= last) & (fulfilled < step)])
        if is_shown and not 0 < len(gone) < min_count:
            found.append(int((fulfilled >= step).sum()))
            last = step
        else:
            found.append(None)
    return found


def passing_told(events: pa.Table, sets: Sequence[str], min_count: int) -> list[int | None]:
    """How many events pass each set of rules; none is told where one is of too few persons, since the others and the
    steps would tell it.

    In: events — person_id, passed
    """
    own = [events.filter(compute.equal(events["passed"], passed.encode("ascii"))) for passed in sets]
    if any(len(np.unique(each["person_id"].to_numpy())) < min_count for each in own):
        return [None] * len(sets)
    return [each.num_rows for each in own]


def _of_cohort(table: pa.Table, cohort: int) -> pa.Table:
    return table.filter(pa.array(table["cohort"].to_numpy() == cohort, pa.bool_()))
