"""An assessment of an enclosure and its host: probes look, documents are read, every requirement is judged."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from enclos.app.conformity.backup_probes import backup_probes
from enclos.app.conformity.key_probes import key_probes
from enclos.app.conformity.owners import KnownOwners
from enclos.app.conformity.permit_probes import PermitProbes
from enclos.app.conformity.scope import Scope, read_scope
from enclos.app.conformity.sign_in_probes import sign_in_probes
from enclos.app.conformity.trace_probes import Traces, trace_probes
from enclos.app.enclosure import Enclosure
from enclos.app.handed import Keep, hand_over, without_folders
from enclos.app.progress import Report, silent
from enclos.conformity.document import json_of
from enclos.conformity.model import Assessment, Declared, Standing, Verdict
from enclos.conformity.ports import Probe
from enclos.conformity.steps import catalogues, chosen, judged, look, probes_of
from enclos.ledger.model import Action, Fact
from enclos.lexicon.canonical import canonical_bytes, sha256_hex
from enclos.stores.machine.network import network_probes
from enclos.stores.machine.packages import package_probes
from enclos.stores.machine.shut_in import walls_probes
from enclos.stores.machine.system import Machine, system_probes
from enclos.stores.machine.tls import tls_probes
from enclos.stores.statement_files import read_statements

EVIDENCE = Path("conformity") / "evidence"
"""Where statements lie when no folder is named."""


def assess(
    enclosure: Enclosure,
    *,
    frameworks: Sequence[str] = (),
    evidence: Path | None = None,
    out: Path | None = None,
    machine: Machine | None = None,
    keep: Keep | None = None,
    report: Report = silent,
) -> dict[str, Any]:
    """Judge the enclosure and its host against catalogues of requirements.

    In: frameworks — ids of catalogues, or how one begins; all when none is named; evidence — the folder of statements;
        out — a folder for the assessment, its page, its table and OSCAL; keep — takes these files instead
    Out: catalogues (score, floor_reached, counts of verdicts, what each rests on, requirements), probes, documents,
        unknown (what statements name that no catalogue has), seconds.
    Refuses: FRAMEWORK_UNKNOWN, STATEMENT_BROKEN, CONFORMITY_SCOPE, CONFORMITY_PLACE.
    """
    started = perf_counter()
    wanted = chosen(frameworks)
    scope = read_scope(enclosure.paths.root)
    facts: dict[str, Fact] = {"what": "assess", "catalogues": [each.id for each in wanted]}
    with enclosure.ledger.intent(Action.CONFORMITY, enclosure.operator, None, facts) as ticket:
        now = enclosure.ledger.now()
        documents = _documents(enclosure, evidence)
        needed = probes_of(wanted)
        probes = _probes(enclosure, scope, machine or Machine(), needed)
        findings = look(probes, needed, lambda done, total: report("look", done / total))
        assessment = Assessment(
            enclosure=enclosure.settings.enclosure.name,
            origin=enclosure.ledger.origin,
            at=now,
            assessed=judged(wanted, findings, documents),
            findings=tuple(findings.values()),
            documents=tuple(documents),
        )
        document = json_of(assessment)
        if out is not None or keep is not None:
            from enclos.app.conformity.writing import files_of, write_assessment

            files = files_of(assessment, document)
            if out is not None:
                write_assessment(files, out)
            hand_over(keep, without_folders(files))
        counts = {each.value: 0 for each in Verdict}
        for one in assessment.assessed:
            for each in one.judgements:
                counts[each.verdict.value] += 1
        ticket.facts.update({f"n_{word.replace(' ', '_')}": n for word, n in counts.items()})
        ticket.facts.update({"n_documents": len(documents), "digest": sha256_hex(canonical_bytes(document))})
    return {
        **document,
        "unknown": _unknown(documents),
        "out": str(out) if out else None,
        "seconds": round(perf_counter() - started, 3),
    }


def _documents(enclosure: Enclosure, evidence: Path | None) -> list[Declared]:
    folder = evidence or enclosure.paths.root / EVIDENCE
    if evidence is None and not folder.is_dir():
        return []
    today = enclosure.ledger.now().date()
    return read_statements(folder, enclosure.ledger.origin, KnownOwners(enclosure), today)


def _probes(enclosure: Enclosure, scope: Scope, machine: Machine, needed: set[str]) -> list[Probe]:
    now = enclosure.ledger.now()
    traces = Traces(enclosure, now)
    today = now.date()
    data = [enclosure.paths.root, enclosure.paths.permits, enclosure.paths.keys]
    return [
        *system_probes(machine, data[:1], today),
        *network_probes(machine, scope.ports),
        *tls_probes(scope.reached(), now),
        *package_probes(scope.at(scope.sbom), scope.at(scope.vulnerabilities), today),
        *walls_probes(data),
        *trace_probes(traces, needed),
        *PermitProbes(traces).looks(),
        *key_probes(traces),
        *sign_in_probes(enclosure, scope.places),
        *backup_probes(enclosure, scope.backups, scope.places, scope.folder, now),
    ]


def _unknown(documents: Sequence[Declared]) -> list[str]:
    """What statements name that no catalogue has: a slip of the pen must not look like evidence."""
    known = {each.key for catalogue in catalogues().values() for each in catalogue.requirements}
    named = {key for each in documents for key in each.requirements}
    return [f"{catalogue} {number}" for catalogue, number in sorted(named - known)]


def summary_of(answer: dict[str, Any]) -> dict[str, Any]:
    """What a person reads of an assessment on a terminal."""
    standing = {each.value: 0 for each in Standing}
    for document in answer["documents"]:
        standing[document["standing"]] += 1
    return {
        "enclosure": answer["enclosure"],
        "assessed_at": answer["assessed_at"],
        "catalogues": [
            {
                "catalogue": each["id"],
                "status": each["status"],
                "score": f"{100 * each['score']:.1f} %",
                "floor": "reached" if each["floor_reached"] else "not reached" if each["has_floor"] else "none",
                "met": each["met"],
                "not met": each["not_met"],
                "not demonstrated": each["not_demonstrated"],
                "not applicable": each["not_applicable"],
            }
            for each in answer["catalogues"]
        ],
        "documents": {word: n for word, n in standing.items() if n},
        "contradicted": sorted(contradicted_in(answer)),
        "unknown": answer["unknown"],
        "out": answer["out"],
        "seconds": answer["seconds"],
    }


def contradicted_in(answer: dict[str, Any]) -> list[str]:
    """The requirements of which a document says what a probe belies."""
    return [
        f"{one['id']} {each['id']}"
        for one in answer["catalogues"]
        for each in one["requirements"]
        if each["contradicted"]
    ]
