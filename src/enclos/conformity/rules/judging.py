"""Verdicts and scores. Nothing that is taken away can raise either, and what nobody showed counts as not shown.

Source: European Commission, Cloud Sovereignty Framework 1.2.1: a floor that everything must reach, and a weighted share
to rank what is above it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date

from enclos.conformity.model import (
    ANY_DOCUMENT,
    Assessed,
    Catalogue,
    Claim,
    Declared,
    Finding,
    Ground,
    Judgement,
    Kind,
    Need,
    Requirement,
    Score,
    Sight,
    Standing,
    Verdict,
)

_DIGITS = 6
_GROUND = {Kind.AUTO: Ground.PROBES, Kind.DOCUMENT: Ground.DOCUMENTS, Kind.BOTH: Ground.BOTH}


def standing_of(
    declared: Declared, *, is_signed: bool, is_known: bool, is_here: bool, is_whole: bool, today: date
) -> Standing:
    """Whether a declared document counts today; its last day is excluded.

    In: is_signed — by the key that is given for its owner; is_known — this key was accepted here; is_here — it is about
        this enclosure; is_whole — the file that it vouches for is what was signed.
    """
    if not is_known:
        return Standing.STRANGER
    if not is_signed:
        return Standing.UNSIGNED
    if not is_here:
        return Standing.ELSEWHERE
    if not is_whole:
        return Standing.MISSING
    if today < declared.dated_on:
        return Standing.NOT_YET
    return Standing.IN_FORCE if today < declared.expires_on else Standing.EXPIRED


def judge(requirement: Requirement, findings: Mapping[str, Finding], documents: Sequence[Declared]) -> Judgement:
    """The verdict on one requirement.

    A probe that saw it fail decides, whatever documents say. It is met when every probe saw it hold and every wanted
    document is in force and names it. It does not apply when a document in force says so with its reason, where nothing
    else is shown and each of its probes reported: so that taking a document or a finding away never helps.
    """
    seen = tuple(findings.get(probe) or _unseen(probe) for probe in requirement.probes)
    named = [each for each in documents if requirement.key in each.requirements]
    standing = [each for each in named if each.standing is Standing.IN_FORCE]
    covering = [each for each in standing if each.claim is Claim.COVERS]
    excluding = [each for each in standing if each.claim is Claim.EXCLUDES]
    failed = [each for each in seen if each.sight is Sight.FAILS]
    ids = tuple(sorted(each.id for each in named))

    def judged(verdict: Verdict, why: str, ground: Ground, contradicted: tuple[str, ...] = ()) -> Judgement:
        return Judgement(requirement, verdict, why, ground, seen, ids, contradicted)

    if failed:
        belied = tuple(sorted(each.id for each in standing))
        why = "; ".join(f"{each.probe}: {each.said}" for each in failed)
        return judged(Verdict.NOT_MET, why, Ground.PROBES, belied)
    blind = [each for each in seen if each.sight is Sight.BLIND]
    missing = [wanted for wanted in requirement.wanted if not any(_is_of(each, wanted) for each in covering)]
    if not blind and not missing:
        return judged(Verdict.MET, _shown_by(seen, covering), _GROUND[requirement.kind])
    if excluding and all(probe in findings for probe in requirement.probes):
        return judged(Verdict.NOT_APPLICABLE, excluding[0].reason, Ground.DOCUMENTS)
    lacking = [f"{each.probe}: {each.said}" for each in blind]
    lacking += [f"no {wanted} in force names it{_worthless(named, wanted)}" for wanted in missing]
    return judged(Verdict.NOT_DEMONSTRATED, "; ".join(lacking), Ground.NOBODY)


def assess(catalogue: Catalogue, findings: Mapping[str, Finding], documents: Sequence[Declared]) -> Assessed:
    """Every requirement of a catalogue judged, and its score. In: findings by probe."""
    judgements = tuple(judge(requirement, findings, documents) for requirement in catalogue.requirements)
    return Assessed(catalogue, judgements, score_of(judgements))


def score_of(judgements: Sequence[Judgement]) -> Score:
    """The numbers of a catalogue's verdicts; without a single requirement that is met, 0 and no floor.

    Out: never above what is met, and 1 only where everything that applies is met and something is.
    """
    counts = Counter(each.verdict for each in judgements)
    applying = [each for each in judgements if each.verdict is not Verdict.NOT_APPLICABLE]
    weight = sum(each.requirement.weight for each in applying)
    grounds: Counter[Ground] = Counter()
    refuted = 0
    for each in applying:
        if each.verdict is Verdict.NOT_MET:
            refuted += each.requirement.weight
        else:
            grounds[each.ground] += each.requirement.weight
    met = sum(each.requirement.weight for each in applying if each.verdict is Verdict.MET)
    mandatory = [each for each in judgements if each.requirement.need is Need.MANDATORY]
    blocking = tuple(
        each.requirement.id for each in mandatory if each.verdict in {Verdict.NOT_MET, Verdict.NOT_DEMONSTRATED}
    )
    return Score(
        counts={verdict: counts[verdict] for verdict in Verdict},
        score=_share(met, weight),
        floor_reached=not blocking and any(each.verdict is Verdict.MET for each in mandatory),
        has_floor=bool(mandatory),
        blocking=blocking,
        rests_on={ground: _share(grounds[ground], weight) for ground in Ground},
        refuted=_share(refuted, weight),
    )


def _share(part: int, whole: int) -> float:
    return round(part / whole, _DIGITS) if whole else 0.0


def _unseen(probe: str) -> Finding:
    return Finding(probe, Sight.BLIND, "nothing was reported")


def _is_of(declared: Declared, wanted: str) -> bool:
    return wanted in {declared.type, ANY_DOCUMENT}


def _shown_by(seen: Sequence[Finding], covering: Sequence[Declared]) -> str:
    said = [f"{each.probe}: {each.said}" for each in seen]
    return "; ".join([*said, *(f"{each.type} of {each.owner}, until {each.expires_on}" for each in covering)])


def _worthless(named: Sequence[Declared], wanted: str) -> str:
    """Why a document that names it does not count."""
    there = sorted(
        {each.standing.value for each in named if _is_of(each, wanted) and each.standing is not Standing.IN_FORCE}
    )
    return f" (there is one: {', '.join(there)})" if there else ""
