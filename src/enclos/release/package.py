"""A release package: a Five Safes RO-Crate whose manifest is signed; anyone verifies it with a public key.

Source: RO-Crate 1.1; Five Safes RO-Crate profile (TRE-FX).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pyarrow as pa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from enclos.contracts.result import ResultSettings, result_csv, result_from_csv
from enclos.lexicon.canonical import canonical_bytes, sha256_hex
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal
from enclos.lexicon.version import __version__
from enclos.release.model import Package, PackageReport
from enclos.release.ports import Signer
from enclos.release.rules.life import N_REVIEWERS

AUTOMATICALLY, BY_TWO_PERSONS = "automatically", "by two persons"
"""How a result was let go."""
_SIGNED_OFF = {
    BY_TWO_PERSONS: "Two reviewers outside the project accepted",
    AUTOMATICALLY: "Released automatically: every check passed, nothing was hidden, and policy names its tables",
}
METADATA, MANIFEST, SIGNATURE = "ro-crate-metadata.json", "manifest.json", "manifest.sig"
_PROFILE = "https://w3id.org/5s-crate/0.4"
_SPECIFICATION = "https://w3id.org/ro/crate/1.1"
_SCHEMA, _SHP = "http://schema.org/", "https://w3id.org/shp#"
_FORMULA = re.compile(r"[=+@\t\r\n＝＋＠]|-(?![0-9i]|$)")
"""What begins a formula in a spreadsheet; a hidden number is a mere dash. Source: OWASP ASVS 1.2.10."""
_HEX_OF_64_BYTES = re.compile(rb"[0-9a-f]{128}\n?")
_MEDIA = {
    "results.csv": ("text/csv", "The checked estimates, as a summarised_result; withheld numbers are written as -"),
    "figure.svg": ("image/svg+xml", "Drawn by the platform from results.csv"),
    "figure.png": ("image/png", "The same drawing as pixels"),
    "study.yaml": ("application/yaml", "The study that was run"),
    "evidence.json": ("application/json", "What the machine checked"),
    "decisions.json": ("application/json", "What was asked and what two people decided"),
    "ledger-proof.json": ("application/json", "That the export is in the ledger"),
}


def canonical_table(csv: bytes) -> tuple[pa.Table, tuple[ResultSettings, ...]]:
    """The table and settings of a CSV that is written as the platform writes it, and that no spreadsheet runs.

    Refuses: RELEASE_UNTYPED for any other: other signs, order of columns or quotes, or a field that begins a formula.
    """
    try:
        table, settings = result_from_csv(csv)
        if result_csv(table, settings) == csv and not any(
            _FORMULA.match(value)
            for name in table.column_names[1:]
            for value in table[name].unique().to_pylist()
            if value is not None
        ):
            return table, settings
    except (ValueError, UnicodeDecodeError):
        pass
    raise refusal(
        Code.RELEASE_UNTYPED, "This table is not written as the platform writes tables.", "Make a new request."
    )


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
            "snapshot": facts["snapshot"],
            "code": facts.get("code", ""),
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
        signature = _signature(files[SIGNATURE])
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


def _signature(content: bytes) -> bytes:
    """Refuses: ValueError for what is not written as the platform writes it; the last end of line may lack."""
    if not _HEX_OF_64_BYTES.fullmatch(content):
        raise ValueError("a signature is 128 small hexadecimal digits")
    return bytes.fromhex(content.decode("ascii"))


def _broken(why: str) -> Refusal:
    return refusal(
        Code.PACKAGE_BROKEN, f"This package is not what was released. {why}.", "Ask the sender for it again."
    )


def _metadata(files: Mapping[str, bytes], facts: Mapping[str, Any], at: str, released: str) -> bytes:
    parts = [
        {
            "@id": name,
            "@type": "File",
            "name": name,
            "encodingFormat": _MEDIA[name][0],
            "description": _MEDIA[name][1],
            "contentSize": str(len(data)),
            "sha256": sha256_hex(data),
        }
        for name, data in sorted(files.items())
    ]
    results = [{"@id": name} for name in sorted(files) if name in {"results.csv", "figure.svg", "figure.png"}]
    permit, study = {"@id": f"#permit-{facts['permit']}"}, {"@id": "study.yaml"}
    done = {"actionStatus": f"{_SCHEMA}CompletedActionStatus"}
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
            "mainEntity": study,
            "mentions": [{"@id": name} for name in ("#run", "#disclosure-check", "#sign-off", "#integrity")],
            "sourceOrganization": permit,
            "publisher": {"@id": "#enclosure"},
        },
        {"@id": _PROFILE, "@type": "Profile", "name": "Five Safes RO-Crate profile"},
        {
            **permit,
            "@type": "Project",
            "name": f"Permit {facts['permit']}, version {facts['permit_version']}",
            "description": str(facts.get("project", "")),
            "identifier": str(facts["permit_digest"]),
        },
        {"@id": "#enclosure", "@type": "Organization", "name": "The enclosure that released this result"},
        {"@id": "#requesting-agent", "@type": "Person", "name": "A user of the permit", "affiliation": permit},
        {"@id": "#reviewers", "@type": "Organization", "name": "Reviewers outside the project"},
        {
            "@id": "#enclos",
            "@type": "SoftwareApplication",
            "name": "enclos",
            "softwareVersion": __version__,
            "identifier": f"sha256:{facts.get('code', '')}",
            "provider": {"@id": "#enclosure"},
        },
        {
            "@id": "#run",
            "@type": "CreateAction",
            "name": f"Run {facts['run']} of the study on snapshot {facts['snapshot']}",
            **done,
            "endTime": str(facts["asked_at"]),
            "agent": {"@id": "#requesting-agent"},
            "instrument": study,
            "object": [study],
            "result": results,
        },
        {
            "@id": "#disclosure-check",
            "@type": "AssessAction",
            "additionalType": {"@id": f"{_SHP}DisclosureCheck"},
            "name": "Disclosure check of the results: passed, small numbers hidden",
            **done,
            "endTime": str(facts["asked_at"]),
            "agent": {"@id": "#enclos"},
            "object": [{"@id": "./"}, {"@id": "results.csv"}],
            "result": {"@id": "evidence.json"},
        },
        {
            "@id": "#sign-off",
            "@type": "AssessAction",
            "additionalType": {"@id": f"{_SHP}SignOff"},
            "name": _SIGNED_OFF[released],
            **done,
            "endTime": at,
            "agent": {"@id": "#reviewers" if released == BY_TWO_PERSONS else "#enclos"},
            "object": [{"@id": "./"}, study, permit],
            "result": {"@id": "decisions.json"},
        },
        {
            "@id": "#integrity",
            "@type": "AssessAction",
            "additionalType": {"@id": f"{_SHP}GenerateCheckValue"},
            "name": "SHA-256 of every file, signed with the release key in manifest.json and manifest.sig",
            **done,
            "endTime": at,
            "agent": {"@id": "#enclos"},
            "object": {"@id": "./"},
        },
        *parts,
    ]
    document = {"@context": f"{_SPECIFICATION}/context", "@graph": graph}
    return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True).encode("utf-8")
