"""An assessment as one JSON document, and what is read back from one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from enclos.conformity.model import Assessed, Assessment, Declared, Finding, Judgement, Standing, Verdict
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.lexicon.version import __version__

FORMAT = "enclos-assessment-1"
_COUNTS = {verdict: verdict.value.replace(" ", "_") for verdict in Verdict}
_OF_A_CATALOGUE = ("id", "framework", "score", "floor_reached", "has_floor", "rests_on", "refuted", "requirements")


def json_of(assessment: Assessment) -> dict[str, Any]:
    """The assessment, whole."""
    return {
        "format": FORMAT,
        "version": __version__,
        "enclosure": assessment.enclosure,
        "origin": assessment.origin,
        "assessed_at": assessment.at.isoformat(timespec="seconds"),
        "catalogues": [_catalogue(each, assessment) for each in assessment.assessed],
        "probes": [_finding(each) for each in assessment.findings],
        "documents": [_document(each) for each in assessment.documents],
    }


def read_assessment(name: str, content: bytes) -> dict[str, Any]:
    """The document of an assessment.

    Refuses: ASSESSMENT_FILE with the file's name.
    """
    try:
        document = json.loads(content)
        if document["format"] != FORMAT or not document["enclosure"] or not document["assessed_at"]:
            raise ValueError
        for catalogue in document["catalogues"]:
            if any(key not in catalogue for key in (*_OF_A_CATALOGUE, *_COUNTS.values())):
                raise ValueError
            for each in catalogue["requirements"]:
                Verdict(each["verdict"])
    except (ValueError, KeyError, TypeError):
        raise refusal(
            Code.ASSESSMENT_FILE,
            f"{name} is not an assessment as this version writes them.",
            "Name assessment.json of `enclos conformity assess --out`.",
        ) from None
    return dict(document)


def _catalogue(assessed: Assessed, assessment: Assessment) -> dict[str, Any]:
    catalogue, score = assessed.catalogue, assessed.score
    used = {id_ for each in assessed.judgements for id_ in each.documents}
    dates = [d.dated_on for d in assessment.documents if d.id in used and d.standing is Standing.IN_FORCE]
    return {
        "id": catalogue.id,
        "framework": catalogue.framework,
        "title": catalogue.title,
        "status": catalogue.status.value,
        "source": catalogue.source,
        "licence": catalogue.licence,
        "note": catalogue.note,
        "floor": catalogue.floor,
        "score": score.score,
        **{word: score.counts[verdict] for verdict, word in _COUNTS.items()},
        "floor_reached": score.floor_reached,
        "has_floor": score.has_floor,
        "blocking": list(score.blocking),
        "rests_on": {ground.value: share for ground, share in score.rests_on.items()},
        "refuted": score.refuted,
        "oldest_document": min(dates).isoformat() if dates else None,
        "requirements": [_judgement(each) for each in assessed.judgements],
    }


def _judgement(judgement: Judgement) -> dict[str, Any]:
    requirement = judgement.requirement
    return {
        "id": requirement.id,
        "title": requirement.title,
        "paraphrase": requirement.paraphrase,
        "need": requirement.need.value,
        "weight": requirement.weight,
        "kind": requirement.kind.value,
        "verdict": judgement.verdict.value,
        "why": judgement.why,
        "rests_on": judgement.ground.value,
        "probes": list(requirement.probes),
        "documents": list(judgement.documents),
        "contradicted": list(judgement.contradicted),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "probe": finding.probe,
        "sight": finding.sight.value,
        "said": finding.said,
        "n_seen": finding.n_seen,
        "ready_on": finding.ready_on.isoformat() if finding.ready_on else None,
    }


def _document(declared: Declared) -> Mapping[str, Any]:
    return {
        "id": declared.id,
        "type": declared.type,
        "title": declared.title,
        "owner": declared.owner,
        "dated_on": declared.dated_on.isoformat(),
        "expires_on": declared.expires_on.isoformat(),
        "claim": declared.claim.value,
        "reason": declared.reason,
        "sha256": declared.sha256,
        "standing": declared.standing.value,
        "requirements": [list(key) for key in sorted(declared.requirements)],
    }
