"""What the machine finds about a kept run under its permit: found once, and kept beside the run for who looks again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from enclos.app.code import code_digest
from enclos.app.enclosure import Enclosure
from enclos.app.permits import permit_key
from enclos.app.rounding import beyond
from enclos.contracts.result import StudyResult, result_csv, result_from_csv
from enclos.lexicon.canonical import canonical_bytes, sha256_hex
from enclos.permits.model import SignedPermit
from enclos.release.rules.disclosure import assess
from enclos.stores.run_files import Run, RunFiles


@dataclass(frozen=True, slots=True)
class Found:
    """The verdict, its reasons, how much is kept, and the nearest safe version; None where there is none."""

    verdict: str
    reasons: list[str]
    summary: Mapping[str, Any]
    safe: StudyResult | None

    def __repr__(self) -> str:
        return f"Found({self.verdict})"


def found_of(enclosure: Enclosure, signed: SignedPermit, kept: Run) -> Found:
    """What ``assess`` says of a run. Where counts are rounded it is found anew, since what left meanwhile matters."""
    permit = signed.permit
    rounding, demands = beyond(enclosure, permit)
    files = RunFiles(enclosure.paths.permits / permit.id, enclosure.keys.secret(permit_key(permit.id)))
    of = {"permit": signed.digest, "code": code_digest(), "demands": repr(demands)}
    mark = sha256_hex(canonical_bytes(of))
    if rounding is None and (known := files.found(kept.id, mark)):
        document, safe = known
        result = StudyResult(*result_from_csv(safe)) if safe else None
        return Found(document["verdict"], document["reasons"], document["summary"], result)
    now = assess(kept.result, permit.min_count, rounding, demands)
    found = Found(now.verdict.word, now.reasons, dict(now.summary), now.safe)
    if rounding is None:
        document = {"verdict": found.verdict, "reasons": found.reasons, "summary": found.summary}
        safe = result_csv(now.safe.table, now.safe.settings) if now.safe is not None else b""
        files.keep_found(kept.id, mark, document, safe)
    return found
