"""Judge a result before anybody is asked: the verdict, why, and the nearest version in which nothing is hidden."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from enclos.contracts.disclosure import RuleSets, rule_sets
from enclos.contracts.result import HIDDEN, StudyResult, result_csv
from enclos.lexicon.codes import Code
from enclos.lexicon.labels import shows_all
from enclos.lexicon.refusals import refusal
from enclos.lexicon.verdicts import Verdict
from enclos.release.model import NOTHING_PROBED, Assessment, Finding, PermitFacts, Probes, Renumber, Role, Rule, Terms
from enclos.release.ports import Archive, Desk
from enclos.release.rules.changing import study_change
from enclos.release.rules.coarser import coarser_version
from enclos.release.rules.disclosure import assess
from enclos.release.rules.nearest import kept_of, nearest_version
from enclos.release.rules.rounding import Rounding
from enclos.release.rules.terms import is_automatic, kinds, probes_finding, volume_finding
from enclos.release.steps.history import history_finding
from enclos.release.steps.index import left_earlier
from enclos.release.steps.kept import Kept, kept_sets, volume_of


@dataclass(frozen=True, slots=True, repr=False)
class Asked:
    """What is asked for, under which permit and terms, and how its persons are found among all.

    ``persons`` gives the warehouse's numbers of the permit's, so that releases of all permits can be compared;
    ``tables`` are the result types that are asked for, all where none is named; ``rounding`` is what counts are
    rounded by, where the permit, the enclosure or a source demands it; ``probes`` is what the permit was told before.
    """

    result: StudyResult
    permit: PermitFacts
    study: str
    terms: Terms
    persons: Renumber
    tables: Collection[str] = ()
    rounding: Rounding | None = None
    probes: Probes = NOTHING_PROBED

    @property
    def demands(self) -> RuleSets:
        """What the permit, the enclosure and its sources demand beyond the platform's rules."""
        return rule_sets((self.permit.demands, *self.terms.demands))

    def __repr__(self) -> str:
        return f"Asked({self.permit.id})"


@dataclass(frozen=True, slots=True, repr=False)
class Judged:
    """What the machine says of a result, and what would leave of it."""

    found: Assessment
    csv: bytes
    kept: bytes
    """The persons of each number that would be shown."""
    tables: tuple[dict[str, Any], ...]
    """Each table with its title, and how many of its estimates are shown or hidden."""
    nearest: dict[str, Any]
    automatic: bool

    @property
    def n_estimates(self) -> int:
        """Estimates that would be shown."""
        return sum(int(each["n_shown"]) for each in self.tables)

    def __repr__(self) -> str:
        return f"Judged({self.found.verdict.word})"


def judge(asked: Asked, *, desk: Desk, archive: Archive) -> Judged:
    """The verdict on a result beside all that left; nothing is written.

    Refuses: RELEASE_REQUEST when the run has no such table.
    """
    permit, terms = asked.permit, asked.terms
    result = _of_tables(asked.result, asked.tables)
    found = assess(result, permit.min_count, asked.rounding, asked.demands)
    earlier = left_earlier(desk, archive)
    kept = kept_sets(found, asked.persons, asked.rounding.drawn if asked.rounding else {})
    csv = result_csv(found.safe.table, found.safe.settings) if found.safe else b""
    described = _described(found.safe or result, is_safe=found.safe is not None)
    own = (sum(int(each["n_shown"]) for each in described), len(csv))
    more = (
        history_finding(kept, permit.min_count, earlier, asked.demands),
        volume_finding(volume_of(permit.id, earlier), own, terms),
        *probes_finding(asked.probes),
    )
    nearest = _nearest(result, found, asked, earlier)
    found = replace(found, findings=(*found.findings, *more, *_said_of_study(asked.study)))
    return Judged(found, csv, kept, described, nearest, is_automatic(found, described, terms, asked.study))


def tells_of_few(findings: Iterable[Finding], nearest: Mapping[str, Any]) -> bool:
    """Whether an answer says that numbers, or those of the version that it proposes, differ by a few from released
    ones.
    """
    merged = nearest.get("merged") or {}
    is_told = any(each.rule is Rule.HISTORY and each.verdict is Verdict.REFUSE for each in findings)
    return is_told or merged.get("verdict") == Verdict.REFUSE.word


def _said_of_study(study: str) -> Iterator[Finding]:
    """Whether those who read the study, which leaves too, see all of it."""
    if not shows_all(study):
        yield Finding(Rule.TYPED, Verdict.REFUSE, "the study holds signs that nobody sees, or letters that look alike")


def cells_by_fate(found: Assessment) -> list[dict[str, Any]]:
    """How many cells are shown, below the minimum, or hidden for another's sake, by kind of interval."""
    fates: Counter[tuple[str, str]] = Counter()
    for cell in found.evidence:
        if not cell.hidden:
            fate = "shown"
        elif Role.NUMERATOR.value in cell.hidden and 0 < cell.n_numerator < found.min_count:
            fate = "below the minimum"
        else:
            fate = "protects another cell"
        fates[cell.table, fate] += 1
    return [{"table": kind, "fate": fate, "n": n} for (kind, fate), n in sorted(fates.items())]


def cells_told(cells: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same for whoever is not to learn which hidden cell was small: shown or hidden."""
    fates: Counter[tuple[str, str]] = Counter()
    for each in cells:
        fates[each["table"], "shown" if each["fate"] == "shown" else "hidden"] += each["n"]
    return [{"table": kind, "fate": fate, "n": n} for (kind, fate), n in sorted(fates.items())]


def _of_tables(result: StudyResult, tables: Collection[str]) -> StudyResult:
    """The results of these types."""
    present = {each.result_type for each in result.settings}
    if not set(tables) <= present:
        raise refusal(
            Code.RELEASE_REQUEST, "The run has no such table.", f"Name some of: {', '.join(sorted(present))}."
        )
    if not tables:
        return result
    settings = tuple(each for each in result.settings if each.result_type in set(tables))
    ids = {each.result_id for each in settings}
    kept = np.isin(result.table["result_id"].to_numpy(), list(ids))
    cells = tuple(cell for cell in result.cells if cell.result_id in ids)
    return StudyResult(result.table.filter(pa.array(kept)), settings, cells)


def _described(result: StudyResult, *, is_safe: bool) -> tuple[dict[str, Any], ...]:
    types = {each.result_id: each.result_type for each in result.settings}
    n_all: Counter[str] = Counter()
    n_hidden: Counter[str] = Counter()
    for result_id, value in zip(
        result.table["result_id"].to_pylist(), result.table["estimate_value"].to_pylist(), strict=True
    ):
        kind = types.get(result_id, "")
        n_all[kind] += 1
        n_hidden[kind] += not is_safe or value == HIDDEN
    return tuple(
        {
            "table": kind,
            "title": kinds()[kind].title if kind in kinds() else kind,
            "n_shown": n - n_hidden[kind],
            "n_hidden": n_hidden[kind],
        }
        for kind, n in sorted(n_all.items())
    )


def _nearest(result: StudyResult, found: Assessment, asked: Asked, earlier: Sequence[Kept]) -> dict[str, Any]:
    """What hiding keeps, and what merging would keep and take."""
    said: dict[str, Any] = {"kept": kept_of(found, result, result).as_json(), "merged": None}
    nearest = nearest_version(result, found)
    if nearest is not None:
        kept = kept_sets(nearest.found, asked.persons)
        history = history_finding(kept, asked.permit.min_count, earlier, asked.demands)
        said["merged"] = {
            "changes": nearest.sentences,
            "study_change": study_change(asked.study, nearest.moves),
            "kept": nearest.kept.as_json(),
            "verdict": max(nearest.found.verdict, history.verdict).word,
            "left_out": "The attrition of merged bands is counted when the changed study runs.",
        }
    if coarser := coarser_version(result, found):
        kept = kept_sets(coarser.found, asked.persons)
        history = history_finding(kept, asked.permit.min_count, earlier, asked.demands)
        said["merged"] = {
            "changes": [move.sentence for move in coarser.moves],
            "study_change": "",
            "kept": kept_of(coarser.found, coarser.version, result).as_json(),
            "verdict": max(coarser.found.verdict, history.verdict).word,
            "left_out": "What is told beside persons is counted when the coarser question is asked.",
        }
    return said
