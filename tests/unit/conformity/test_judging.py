"""Verdicts and scores: nothing shown is nothing, and what a probe saw wins."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enclos.conformity.model import (
    Claim,
    Declared,
    Finding,
    Ground,
    Kind,
    Need,
    Requirement,
    Sight,
    Standing,
    Verdict,
)
from enclos.conformity.rules.judging import judge, score_of, standing_of
from enclos.conformity.steps import catalogues

TODAY = date(2026, 11, 28)


def requirement(
    id_: str = "1",
    kind: Kind = Kind.BOTH,
    need: Need = Need.MANDATORY,
    weight: int = 1,
    probes: tuple[str, ...] = ("p",),
) -> Requirement:
    has_probes, has_documents = kind is not Kind.DOCUMENT, kind is not Kind.AUTO
    documents = ("doc.risk",) if has_documents else ()
    return Requirement("c", id_, "", "words", need, weight, kind, probes if has_probes else (), documents)


def document(
    *ids: str,
    claim: Claim = Claim.COVERS,
    standing: Standing = Standing.IN_FORCE,
    type_: str = "doc.risk",
    id_: str = "d",
) -> Declared:
    reason = "no such thing here" if claim is Claim.EXCLUDES else ""
    covered = frozenset(("c", each) for each in ids or ("1",))
    return Declared(
        id_, type_, "t", "Ada", date(2026, 1, 1), date(2027, 1, 1), claim, covered, reason, standing=standing
    )


def seen(sight: Sight, probe: str = "p") -> dict[str, Finding]:
    return {probe: Finding(probe, sight, "said")}


@pytest.mark.parametrize(
    ("kind", "sight", "documents", "verdict"),
    [
        (Kind.AUTO, Sight.HOLDS, [], Verdict.MET),
        (Kind.AUTO, Sight.BLIND, [document()], Verdict.NOT_DEMONSTRATED),
        (Kind.AUTO, Sight.FAILS, [document()], Verdict.NOT_MET),
        (Kind.BOTH, Sight.HOLDS, [document()], Verdict.MET),
        (Kind.BOTH, Sight.HOLDS, [], Verdict.NOT_DEMONSTRATED),
        (Kind.BOTH, Sight.HOLDS, [document(type_="doc.pssi")], Verdict.NOT_DEMONSTRATED),
        (Kind.BOTH, Sight.HOLDS, [document("2")], Verdict.NOT_DEMONSTRATED),
        (Kind.BOTH, Sight.BLIND, [document()], Verdict.NOT_DEMONSTRATED),
        (Kind.BOTH, Sight.FAILS, [document()], Verdict.NOT_MET),
        (Kind.DOCUMENT, None, [document()], Verdict.MET),
        (Kind.DOCUMENT, None, [], Verdict.NOT_DEMONSTRATED),
        *((Kind.DOCUMENT, None, [document(standing=s)], Verdict.NOT_DEMONSTRATED) for s in list(Standing)[1:]),
        (Kind.AUTO, Sight.BLIND, [document(claim=Claim.EXCLUDES)], Verdict.NOT_APPLICABLE),
        (Kind.AUTO, Sight.HOLDS, [document(claim=Claim.EXCLUDES)], Verdict.MET),
        (Kind.AUTO, Sight.FAILS, [document(claim=Claim.EXCLUDES)], Verdict.NOT_MET),
        (Kind.AUTO, None, [document(claim=Claim.EXCLUDES)], Verdict.NOT_DEMONSTRATED),
        (Kind.AUTO, Sight.BLIND, [document(claim=Claim.EXCLUDES, standing=Standing.EXPIRED)], Verdict.NOT_DEMONSTRATED),
    ],
)
def test_a_verdict_follows_from_what_was_seen_and_what_is_in_force(kind, sight, documents, verdict) -> None:
    assert judge(requirement(kind=kind), seen(sight) if sight else {}, documents).verdict is verdict


def test_a_document_that_a_probe_belies_is_named() -> None:
    judged = judge(requirement(), seen(Sight.FAILS), [document(), document(id_="old", standing=Standing.EXPIRED)])
    assert (judged.verdict, judged.contradicted, judged.ground) == (Verdict.NOT_MET, ("d",), Ground.PROBES)


def test_every_probe_and_every_document_is_wanted() -> None:
    two = requirement(probes=("p", "q"), kind=Kind.AUTO)
    assert judge(two, seen(Sight.HOLDS), []).verdict is Verdict.NOT_DEMONSTRATED
    assert judge(two, seen(Sight.HOLDS) | seen(Sight.HOLDS, "q"), []).verdict is Verdict.MET
    assert judge(two, seen(Sight.HOLDS) | seen(Sight.FAILS, "q"), []).verdict is Verdict.NOT_MET


def test_where_the_catalogue_names_no_type_any_document_will_do_but_none_will_not() -> None:
    free = Requirement("c", "1", "", "words", Need.MANDATORY, 1, Kind.DOCUMENT, (), ())
    assert judge(free, {}, [document(type_="doc.whatever")]).verdict is Verdict.MET
    assert judge(free, {}, []).verdict is Verdict.NOT_DEMONSTRATED


def test_the_score_is_a_weighted_share_and_the_floor_is_everything_mandatory() -> None:
    rows = [
        (requirement("1", Kind.DOCUMENT, weight=3), [document("1")]),
        (requirement("2", Kind.DOCUMENT, Need.RECOMMENDED, 1), []),
    ]
    score = score_of([judge(each, {}, documents) for each, documents in rows])
    assert (score.score, score.floor_reached, score.blocking) == (0.75, True, ())
    below = score_of([judge(each, {}, []) for each, _ in rows])
    assert (below.score, below.floor_reached, below.blocking) == (0.0, False, ("1",))
    assert below.rests_on[Ground.NOBODY] == 1.0


def test_a_catalogue_of_which_nothing_applies_is_worth_nothing() -> None:
    excluded = judge(requirement(kind=Kind.DOCUMENT), {}, [document(claim=Claim.EXCLUDES)])
    score = score_of([excluded])
    assert (excluded.verdict, score.score, score.floor_reached) == (Verdict.NOT_APPLICABLE, 0.0, False)


@pytest.mark.parametrize("catalogue", catalogues().values(), ids=lambda each: each.id)
def test_an_empty_host_scores_nothing_under_any_framework(catalogue) -> None:
    score = score_of([judge(each, {}, []) for each in catalogue.requirements])
    assert (score.score, score.floor_reached) == (0.0, False)
    assert score.counts[Verdict.NOT_DEMONSTRATED] == len(catalogue.requirements)


@pytest.mark.parametrize(
    ("changed", "standing"),
    [
        ({}, Standing.IN_FORCE),
        ({"is_known": False}, Standing.STRANGER),
        ({"is_signed": False}, Standing.UNSIGNED),
        ({"is_here": False}, Standing.ELSEWHERE),
        ({"is_whole": False}, Standing.MISSING),
        ({"today": date(2025, 12, 31)}, Standing.NOT_YET),
        ({"today": date(2026, 12, 31)}, Standing.IN_FORCE),
        ({"today": date(2027, 1, 1)}, Standing.EXPIRED),
    ],
)
def test_a_document_counts_when_signed_by_a_known_owner_about_this_enclosure_within_its_time(changed, standing) -> None:
    facts = {"is_signed": True, "is_known": True, "is_here": True, "is_whole": True, "today": TODAY} | changed
    assert standing_of(document(), **facts) is standing


PROBES = ("p", "q")
REQUIREMENTS = st.lists(
    st.builds(
        lambda kind, need, weight, probes: (kind, need, weight, probes),
        st.sampled_from(Kind),
        st.sampled_from(Need),
        st.integers(0, 3),
        st.sampled_from([("p",), ("q",), PROBES]),
    ),
    min_size=1,
    max_size=5,
)
DOCUMENTS = st.lists(
    st.tuples(st.sets(st.integers(0, 4), min_size=1), st.sampled_from(Claim), st.sampled_from(Standing)), max_size=5
)


@settings(max_examples=200, deadline=None)
@given(REQUIREMENTS, st.dictionaries(st.sampled_from(PROBES), st.sampled_from(Sight)), DOCUMENTS)
def test_taking_any_evidence_away_never_raises_a_score_or_reaches_a_floor(rows, sights, drawn) -> None:
    requirements = [requirement(str(n), kind, need, w, probes) for n, (kind, need, w, probes) in enumerate(rows)]
    findings = {probe: Finding(probe, sight, "said") for probe, sight in sights.items()}
    documents = [
        document(*map(str, ids), claim=claim, standing=standing, id_=str(n))
        for n, (ids, claim, standing) in enumerate(drawn)
    ]

    def scored(findings, documents):
        return score_of([judge(each, findings, documents) for each in requirements])

    whole = scored(findings, documents)
    assert sum(whole.rests_on.values()) + whole.refuted in (0, pytest.approx(1, abs=1e-5))
    less = [({k: v for k, v in findings.items() if k != probe}, documents) for probe in findings]
    less += [(findings, documents[:n] + documents[n + 1 :]) for n in range(len(documents))]
    for fewer in less:
        without = scored(*fewer)
        assert without.score <= whole.score
        assert without.floor_reached <= whole.floor_reached
