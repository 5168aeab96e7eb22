"""An assessment as OSCAL documents, written by us: the same assessment gives the same bytes.

Source: NIST, OSCAL 1.2.1: catalog, profile, component definition, assessment results, plan of action and milestones.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, time
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from enclos.conformity.model import (
    Assessed,
    Assessment,
    Catalogue,
    Declared,
    Finding,
    Judgement,
    Kind,
    Need,
    Requirement,
    Sight,
    Standing,
    Verdict,
)
from enclos.lexicon.version import __version__

OSCAL_VERSION = "1.2.1"
_NAMESPACE = "https://enclos.example/ns/oscal"
_STATES = {
    Verdict.MET: ("satisfied", "pass", "implemented"),
    Verdict.NOT_MET: ("not-satisfied", "fail", "partial"),
    Verdict.NOT_DEMONSTRATED: ("not-satisfied", "other", "planned"),
    Verdict.NOT_APPLICABLE: ("not-satisfied", "other", "not-applicable"),
}
"""OSCAL knows no third state: what was not demonstrated is not satisfied, and what does not apply is told beside it."""

Oscal = dict[str, Any]


def oscal_of(assessment: Assessment) -> dict[str, Oscal]:
    """The documents by the name of their file. There is no plan of action where nothing is open."""
    documents = {
        f"catalog-{each.catalogue.id}.json": _catalog(each.catalogue, assessment.at) for each in assessment.assessed
    }
    documents["profile-floor.json"] = _profile(assessment)
    documents["component-definition.json"] = _components(assessment)
    documents["assessment-results.json"] = _results(assessment)
    if open_ := _open(assessment):
        documents["plan-of-action-and-milestones.json"] = _plan(assessment, open_)
    return documents


def control_id(catalogue: str, number: str) -> str:
    """The number as a token of OSCAL, with its catalogue: R3 of one is not R3 of another."""
    said = re.sub(r"[^A-Za-z0-9._]+", "-", number.replace("-", "_")).strip("-")
    return f"{catalogue}_{said}"


def _uuid(*parts: str) -> str:
    return str(uuid5(NAMESPACE_URL, "/".join((_NAMESPACE, *parts))))


def _metadata(title: str, at: datetime, **more: Any) -> Oscal:
    return {
        "title": title,
        "last-modified": at.isoformat(timespec="seconds"),
        "version": __version__,
        "oscal-version": OSCAL_VERSION,
        **more,
    }


def _prop(name: str, value: str) -> Oscal:
    return {"name": name, "ns": _NAMESPACE, "value": value}


def _catalog(catalogue: Catalogue, at: datetime) -> Oscal:
    remarks = f"{catalogue.source}. {catalogue.licence}. {catalogue.note}".strip()
    return {
        "catalog": {
            "uuid": _uuid("catalog", catalogue.id),
            "metadata": _metadata(
                f"{catalogue.framework}: {catalogue.title}",
                at,
                props=[_prop("status", catalogue.status.value)],
                remarks=remarks,
            ),
            "controls": [_control(each) for each in catalogue.requirements],
        }
    }


def _control(requirement: Requirement) -> Oscal:
    id_ = control_id(*requirement.key)
    return {
        "id": id_,
        "title": requirement.title or requirement.paraphrase,
        "props": [
            {"name": "label", "value": requirement.id},
            _prop("need", requirement.need.value),
            _prop("weight", str(requirement.weight)),
            _prop("evidence", requirement.kind.value),
        ],
        "parts": [{"id": f"{id_}_smt", "name": "statement", "prose": requirement.paraphrase}],
    }


def _profile(assessment: Assessment) -> Oscal:
    """What must be met before a share means anything: of each catalogue what is mandatory, or all where nothing is."""
    imports = []
    for each in assessment.assessed:
        ids = [control_id(*r.key) for r in each.catalogue.requirements if r.need is Need.MANDATORY]
        selected: Oscal = {"include-controls": [{"with-ids": ids}]} if ids else {"include-all": {}}
        imports.append({"href": f"catalog-{each.catalogue.id}.json", **selected})
    return {
        "profile": {
            "uuid": _uuid("profile", *(each.catalogue.id for each in assessment.assessed)),
            "metadata": _metadata("The floors of the frameworks", assessment.at),
            "imports": imports,
            "merge": {"as-is": True},
        }
    }


def _components(assessment: Assessment) -> Oscal:
    """What the software and its host can show by themselves: requirements that name probes."""
    implementations = []
    for each in assessment.assessed:
        shown = [r for r in each.catalogue.requirements if r.kind is not Kind.DOCUMENT]
        if not shown:
            continue
        implementations.append(
            {
                "uuid": _uuid("implementation", each.catalogue.id),
                "source": f"catalog-{each.catalogue.id}.json",
                "description": f"What of {each.catalogue.framework} is shown by looking at the enclosure and its host.",
                "implemented-requirements": [
                    {
                        "uuid": _uuid("implemented", *r.key),
                        "control-id": control_id(*r.key),
                        "description": f"Probes: {', '.join(r.probes)}.",
                        "props": [_prop("evidence", r.kind.value)],
                    }
                    for r in shown
                ],
            }
        )
    component: Oscal = {
        "uuid": _uuid("component", "enclos"),
        "type": "software",
        "title": "Enclos",
        "description": "A secure processing environment for national health data, on the host that was assessed.",
    }
    if implementations:
        component["control-implementations"] = implementations
    return {
        "component-definition": {
            "uuid": _uuid("component-definition", *(each.catalogue.id for each in assessment.assessed)),
            "metadata": _metadata("What Enclos and its host show", assessment.at),
            "components": [component],
        }
    }


def _results(assessment: Assessment) -> Oscal:
    mark = (assessment.origin, assessment.at.isoformat())
    plan = _uuid("plan", *mark)
    judgements = [each for one in assessment.assessed for each in one.judgements]
    observations = [_seen(each, assessment) for each in assessment.findings]
    observations += [_examined(each, assessment) for each in assessment.documents]
    controls = [{"control-id": control_id(*each.requirement.key)} for each in judgements]
    result: Oscal = {
        "uuid": _uuid("result", *mark),
        "title": f"Assessment of {assessment.enclosure}",
        "description": "Probes looked at the enclosure and its host; documents count when signed, known and in force.",
        "start": assessment.at.isoformat(timespec="seconds"),
        "end": assessment.at.isoformat(timespec="seconds"),
        "props": [prop for each in assessment.assessed for prop in _scores(each)],
        "reviewed-controls": {"control-selections": [{"include-controls": controls}]},
        "findings": [_finding(each, assessment) for each in judgements],
    }
    if observations:
        result["observations"] = observations
    return {
        "assessment-results": {
            "uuid": _uuid("assessment-results", *mark),
            "metadata": _metadata(f"Assessment of {assessment.enclosure}", assessment.at),
            "import-ap": {"href": f"#{plan}", "remarks": "There is no separate plan: the catalogues name the probes."},
            "results": [result],
            "back-matter": {
                "resources": [
                    {
                        "uuid": plan,
                        "title": "How it was assessed",
                        "description": "A requirement names its probes and types of documents; all are wanted.",
                    }
                ]
            },
        }
    }


def _scores(assessed: Assessed) -> list[Oscal]:
    id_ = control_id(assessed.catalogue.id, "")
    return [
        _prop(f"{id_}score", str(assessed.score.score)),
        _prop(f"{id_}floor-reached", str(assessed.score.floor_reached).lower()),
    ]


def _probe_uuid(finding: Finding, assessment: Assessment) -> str:
    return _uuid("probe", assessment.origin, assessment.at.isoformat(), finding.probe)


def _document_uuid(id_: str, assessment: Assessment) -> str:
    return _uuid("document", assessment.origin, assessment.at.isoformat(), id_)


def _seen(finding: Finding, assessment: Assessment) -> Oscal:
    return {
        "uuid": _probe_uuid(finding, assessment),
        "title": finding.probe,
        "description": finding.said,
        "props": [_prop("sight", finding.sight.value), _prop("seen", str(finding.n_seen))],
        "methods": ["TEST"],
        "collected": assessment.at.isoformat(timespec="seconds"),
    }


def _examined(declared: Declared, assessment: Assessment) -> Oscal:
    vouched = f", document SHA-256 {declared.sha256}" if declared.sha256 else ""
    return {
        "uuid": _document_uuid(declared.id, assessment),
        "title": declared.title or declared.type,
        "description": f"{declared.type} of {declared.owner}: {declared.standing.value}.",
        "props": [_prop("standing", declared.standing.value), _prop("claim", declared.claim.value.replace(" ", "-"))],
        "methods": ["EXAMINE"],
        "relevant-evidence": [{"description": f"Statement {declared.id}{vouched}."}],
        "collected": _midnight(declared.dated_on.isoformat()),
        "expires": _midnight(declared.expires_on.isoformat()),
    }


def _midnight(day: str) -> str:
    return datetime.combine(datetime.fromisoformat(day), time(), UTC).isoformat(timespec="seconds")


def _finding(judgement: Judgement, assessment: Assessment) -> Oscal:
    requirement = judgement.requirement
    id_ = control_id(*requirement.key)
    state, reason, implemented = _STATES[judgement.verdict]
    related = [_probe_uuid(each, assessment) for each in judgement.findings]
    known = {each.id for each in assessment.documents}
    related += [_document_uuid(each, assessment) for each in judgement.documents if each in known]
    finding: Oscal = {
        "uuid": _uuid("finding", assessment.origin, assessment.at.isoformat(), *requirement.key),
        "title": f"{requirement.id}: {judgement.verdict.value}",
        "description": judgement.why or judgement.verdict.value,
        "target": {
            "type": "statement-id",
            "target-id": f"{id_}_smt",
            "status": {"state": state, "reason": reason},
            "implementation-status": {"state": implemented},
        },
    }
    if related:
        finding["related-observations"] = [{"observation-uuid": each} for each in related]
    return finding


def _open(assessment: Assessment) -> list[Judgement]:
    wanting = {Verdict.NOT_MET, Verdict.NOT_DEMONSTRATED}
    return [each for one in assessment.assessed for each in one.judgements if each.verdict in wanting]


def _plan(assessment: Assessment, open_: Sequence[Judgement]) -> Oscal:
    """What remains to be done, what was found not to be so first."""
    ordered = sorted(open_, key=lambda each: each.verdict is not Verdict.NOT_MET)
    return {
        "plan-of-action-and-milestones": {
            "uuid": _uuid("poam", assessment.origin, assessment.at.isoformat()),
            "metadata": _metadata(f"What {assessment.enclosure} has to do", assessment.at),
            "system-id": {"identifier-type": _NAMESPACE, "id": assessment.origin},
            "poam-items": [
                {
                    "uuid": _uuid("item", assessment.origin, assessment.at.isoformat(), *each.requirement.key),
                    "title": f"{each.requirement.catalogue} {each.requirement.id}: {each.verdict.value}",
                    "description": _to_do(each, assessment.documents),
                    "props": [_prop("need", each.requirement.need.value)],
                }
                for each in ordered
            ],
        }
    }


def _to_do(judgement: Judgement, documents: Sequence[Declared]) -> str:
    """What would show it, in words."""
    steps = [
        f"see to it that {each.probe} holds ({each.said})"
        for each in judgement.findings
        if each.sight is not Sight.HOLDS
    ]
    standing = {
        each.type for each in documents if each.standing is Standing.IN_FORCE and each.id in judgement.documents
    }
    steps += [f"have {each} signed" for each in judgement.requirement.wanted if each not in standing]
    return (
        f"{judgement.requirement.paraphrase} To do: {'; '.join(steps)}." if steps else judgement.requirement.paraphrase
    )
