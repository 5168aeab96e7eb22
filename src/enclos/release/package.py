"""A release package: a Five Safes RO-Crate whose manifest is signed; anyone verifies it with a public key.

Source: RO-Crate 1.1; Five Safes RO-Crate profile (TRE-FX).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from enclos.contracts.result import result_from_csv
from enclos.lexicon.canonical import canonical_bytes, sha256_hex
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal
from enclos.release.model import Package, PackageReport
from enclos.release.ports import Signer
from enclos.release.rules.life import N_REVIEWERS

AUTOMATICALLY, BY_TWO_PERSONS = "automatically", "by two persons"
"""How a result was let go."""
METADATA, MANIFEST, SIGNATURE = "ro-crate-metadata.json", "manifest.json", "manifest.sig"
_PROFILE = "https://w3id.org/5s-crate/0.4"
_SPECIFICATION = "https://w3id.org/ro/crate/1.1"
_MEDIA = {
    "results.csv": ("text/csv", "The checked estimates, as a summarised_result; withheld numbers are written as -"),
    "figure.svg": ("image/svg+xml", "Drawn by the platform from results.csv"),
    "study.yaml": ("application/yaml", "The study that was run"),
    "evidence.json": ("application/json", "What the machine checked"),
    "decisions.json": ("application/json", "What was asked and what two people decided"),
    "ledger-proof.json": ("application/json", "That the export is in the ledger"),
}


def sealed_package(
    files: Mapping[str, bytes],
    facts: Mapping[str, Any],
    *,
    content: str,
    released: str,
    exported_at: datetime,
    signer: Signer,
) -> Package:
    """The files with their RO-Crate metadata, a manifest of hashes, and the manifest's signature."""
    at = exported_at.isoformat(timespec="seconds")
    whole = {**files, METADATA: _metadata(files, facts, at, released)}
    manifest = canonical_bytes(
        {
            "request": facts["request"],
            "permit": facts["permit"],
            "content": content,
            "released": released,
            "exported_at": at,
            "files": {name: sha256_hex(data) for name, data in sorted(whole.items())},
        }
    )
    return {**whole, MANIFEST: manifest, SIGNATURE: signer.sign(manifest).hex().encode("ascii") + b"\n"}


def verify_package(files: Mapping[str, bytes], public_key: bytes) -> PackageReport:
    """What a package is, when every file is there, none is added, none is altered and the key signed it.

    Refuses: PACKAGE_BROKEN.
    """
    try:
        manifest = files[MANIFEST]
        signature = bytes.fromhex(files[SIGNATURE].decode("ascii").strip())
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, manifest)
        said = json.loads(manifest)
        decisions = json.loads(files["decisions.json"])["decisions"]
        table, _ = result_from_csv(files["results.csv"])
    except (KeyError, ValueError, InvalidSignature):
        raise _broken("Its manifest is missing, altered, or signed by another key") from None
    listed: dict[str, str] = said["files"]
    present = set(files) - {MANIFEST, SIGNATURE}
    wrong = sorted(name for name in listed if name not in files or sha256_hex(files[name]) != listed[name])
    if wrong or present != set(listed):
        raise _broken(f"{len(wrong)} file(s) are missing or altered, {len(present - set(listed))} were added")
    accepted = [vote for vote in decisions if vote["accept"] and vote["content"] == said["content"]]
    released = str(said.get("released", BY_TWO_PERSONS))
    if released != AUTOMATICALLY and len({vote["reviewer"] for vote in accepted}) < N_REVIEWERS:
        raise _broken(f"Fewer than {N_REVIEWERS} people accepted it")
    return PackageReport(
        request=said["request"],
        permit=said["permit"],
        content=said["content"],
        n_files=len(files),
        n_estimates=int(table.num_rows),
        n_accepted=len(accepted),
        released=released,
        exported_at=said["exported_at"],
    )


def _broken(why: str) -> Refusal:
    return refusal(
        Code.PACKAGE_BROKEN, f"This package is not what was released. {why}.", "Ask the sender for it again."
    )


def _metadata(files: Mapping[str, bytes], facts: Mapping[str, Any], at: str, released: str) -> bytes:
    parts = [
        {
            "@id": name,
            "@type": "File",
            "encodingFormat": _MEDIA[name][0],
            "description": _MEDIA[name][1],
            "contentSize": str(len(data)),
            "sha256": sha256_hex(data),
        }
        for name, data in sorted(files.items())
    ]
    permit = f"#permit-{facts['permit']}"
    graph: list[dict[str, Any]] = [
        {
            "@id": METADATA,
            "@type": "CreativeWork",
            "about": {"@id": "./"},
            "conformsTo": [{"@id": _SPECIFICATION}],
        },
        {
            "@id": "./",
            "@type": "Dataset",
            "name": f"Released result {facts['request']}",
            "description": str(facts["purpose"]),
            "datePublished": at,
            "license": "No licence is given with this package: its holder states it on publication.",
            "conformsTo": {"@id": _PROFILE},
            "hasPart": [{"@id": name} for name in sorted(files)],
            "mainEntity": {"@id": "study.yaml"},
            "mentions": [{"@id": "#disclosure-check"}, {"@id": "#sign-off"}],
            "sourceOrganization": {"@id": permit},
        },
        {
            "@id": permit,
            "@type": "Project",
            "name": f"Permit {facts['permit']}, version {facts['permit_version']}",
            "identifier": str(facts["permit_digest"]),
        },
        {
            "@id": "#disclosure-check",
            "@type": "AssessAction",
            "additionalType": {"@id": "https://w3id.org/shp#DisclosureCheck"},
            "name": "Disclosure check of the results",
            "actionStatus": "http://schema.org/CompletedActionStatus",
            "endTime": str(facts["asked_at"]),
            "object": {"@id": "results.csv"},
            "result": {"@id": "evidence.json"},
        },
        {
            "@id": "#sign-off",
            "@type": "AssessAction",
            "additionalType": {"@id": "https://w3id.org/shp#SignOff"},
            "name": "Two reviewers outside the project accepted"
            if released == BY_TWO_PERSONS
            else "Released automatically: every check passed, nothing was hidden, and policy names its tables",
            "actionStatus": "http://schema.org/CompletedActionStatus",
            "endTime": at,
            "object": {"@id": "results.csv"},
            "result": {"@id": "decisions.json"},
        },
        *parts,
    ]
    document = {"@context": f"{_SPECIFICATION}/context", "@graph": graph}
    return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True).encode("utf-8")
