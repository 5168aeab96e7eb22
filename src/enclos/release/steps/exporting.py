"""Export: the package that leaves, made of what was voted on and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from enclos.contracts.result import result_from_csv
from enclos.lexicon.canonical import canonical_bytes
from enclos.release.figures import figure_svg
from enclos.release.model import Package, RequestEvent
from enclos.release.package import sealed_package
from enclos.release.ports import Archive, Check, Desk, Signer
from enclos.release.rules.life import next_state
from enclos.release.steps.documents import EXPORTED, load
from enclos.release.steps.history import check_history


def export_release(
    request_id: str,
    *,
    desk: Desk,
    archive: Archive,
    now: datetime,
    check: Check,
    signer: Signer,
    ledger_proof: Mapping[str, Any],
) -> Package:
    """The signed package of an accepted request; ``mark_exported`` follows when it is written.

    Refuses: RELEASE_TRANSITION before two people accepted; RELEASE_ALTERED; RELEASE_DIFFERENCE when something that left
             since would tell of a few persons; what ``check`` refuses.
    """
    check()
    request = load(desk, request_id)
    next_state(request.state, RequestEvent.EXPORT)
    check_history(request, desk=desk, archive=archive)
    # From here on it counts as having left: whoever is stopped between package and mark goes on with this request.
    desk.write(request_id, EXPORTED, canonical_bytes({"begun": now.isoformat(timespec="seconds")}))
    table, settings = result_from_csv(request.result)
    public = {key: value for key, value in request.facts.items() if key not in {"users", "author", "persons"}}
    # Reviewers are named inside only: outside, that two different people accepted, when, and on what.
    decisions = [
        {"reviewer": number, "accept": vote.accept, "at": vote.at, "content": vote.content}
        for number, vote in enumerate(request.votes, start=1)
    ]
    files = {
        "results.csv": request.result,
        "figure.svg": figure_svg(table, settings),
        "study.yaml": request.study,
        # Which cells were too small and which protect them is for reviewers: outside, both are hidden alike.
        "evidence.json": canonical_bytes({name: said for name, said in request.evidence.items() if name != "cells"}),
        "decisions.json": canonical_bytes({"request": public, "decisions": decisions}),
        "ledger-proof.json": canonical_bytes(dict(ledger_proof)),
    }
    return sealed_package(files, request.facts, content=request.content, exported_at=now, signer=signer)


def mark_exported(request_id: str, *, desk: Desk, now: datetime) -> None:
    """Note that the package has left; it does not leave again."""
    desk.write(request_id, EXPORTED, canonical_bytes({"at": now.isoformat(timespec="seconds")}))
