"""A small enclosure with requests on its desk: nobody's data, and results with the persons behind them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from enclos.app.enclosure import Enclosure, create_enclosure
from enclos.app.permits import newest, sign
from enclos.app.releases import permit_facts
from enclos.app.rounding import archive_of, desk_of
from enclos.contracts.result import PersonNumbers, StudyResult
from enclos.release.rules.terms import terms_of
from enclos.release.steps import Asked, export_release, mark_exported, request_release, review_release
from factories.enclosure import ALICE, PASSPHRASE, open_home, permit_text
from factories.permits import SeedSigner
from factories.results import Asked as Analysis
from factories.results import crowd, result_of

CAROL, DAN, ERIN = "carol@example.org", "dan@example.org", "erin@example.org"
PERMIT, OTHER = "FR-TEST-0001", "FR-TEST-0002"
STUDY = "study: ages\nanalyses: []\n"


@dataclass(frozen=True)
class AskedHome:
    """The enclosure's folder, the request that left, one that waits, and one of Carol's own project."""

    home: Path
    left: str
    waits: str
    own: str


def asked_home(folder: Path) -> AskedHome:
    """Make it: Alice asked for all, Carol is of the other permit's project."""
    home = folder / "home"
    create_enclosure(home, passphrase=PASSPHRASE, buckets=1)
    large, small = result_of(crowd(3000, 1), Analysis(), attrition=False), result_of(crowd(400, 2))
    with open_home(home) as enclosure:
        for permit, users in ((PERMIT, (ALICE,)), (OTHER, (ALICE, CAROL))):
            sign(enclosure, permit_text(permit, users=users))
        left = ask(enclosure, large, PERMIT, "For the annual report")
        for user in (DAN, ERIN):
            review_release(
                left, user=user, accept=True, reason="Counts are fine", desk=desk_of(enclosure),
                now=enclosure.ledger.now(), check=_valid,
            )  # fmt: skip
        _leave(enclosure, left)
        waits = ask(enclosure, small, PERMIT, "For the <em>steering</em> committee")
        own = ask(enclosure, large, OTHER, "For Carol's own paper")
    return AskedHome(home, left, waits, own)


def ask(enclosure: Enclosure, result: StudyResult, permit: str, purpose: str) -> str:
    """A request by Alice, as of a run that is gone; the same for the same words."""
    asked = Asked(result, permit_facts(newest(enclosure, permit)), STUDY, terms_of(), _same)
    answer = request_release(
        asked, run="a1b2", purpose=purpose, author=ALICE, snapshot=7, desk=desk_of(enclosure),
        archive=archive_of(enclosure), now=enclosure.ledger.now(), check=_valid,
    )  # fmt: skip
    return answer.request


def _leave(enclosure: Enclosure, request: str) -> None:
    proof: dict[str, Any] = {"index": 3, "path": [], "checkpoint": "note"}
    desk, now = desk_of(enclosure), enclosure.ledger.now()
    export_release(
        request, recipient=ALICE, desk=desk, archive=archive_of(enclosure), terms=terms_of(), now=now, check=_valid,
        signer=SeedSigner(9), ledger_proof=proof,
    )  # fmt: skip
    mark_exported(request, recipient=ALICE, desk=desk, now=now)


def _same(numbers: PersonNumbers) -> PersonNumbers:
    return numbers


def _valid() -> None:
    """The permit is in force."""
