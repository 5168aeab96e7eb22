"""A town's release desk: requests go the way of ``enclos release request``, and some of them leave."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pyroaring import BitMap

from enclos.contracts.result import HIDDEN, PersonNumbers, StudyResult
from enclos.release.model import PermitFacts
from enclos.release.rules.rounding import Rounding
from enclos.release.rules.terms import terms_of
from enclos.release.steps import Asked, export_release, mark_exported, request_release, review_release, show_request
from enclos.release.steps.documents import RESULT
from factories.permits import SeedSigner
from fakes.desk import MemoryArchive, MemoryDesk

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
SIGNER = SeedSigner(9)
KEY = b"rounding" * 4
_OF_ALL = {"denominator_count", "person_days", "person_years", "n_persons"}
_OF_THOSE_WHO_HAVE = {"outcome_count", "n_events", "count"}
"""Numbers that tell one of a cell's two sets; all others tell both."""


@dataclass(frozen=True)
class Said:
    """What the desk answered, and the table that could leave; empty where nothing can."""

    request: str
    verdict: str
    reasons: tuple[str, ...]
    table: str
    state: str = ""

    @property
    def leaves(self) -> bool:
        """Whether anything can leave at all."""
        return bool(self.table)


class Desk:
    """Requests of any permit; person numbers of permits are those of the town."""

    def __init__(self, min_count: int, round_to: int = 1, automatic: Collection[str] = ()) -> None:
        self._min_count, self._terms = min_count, terms_of(automatic)
        self._rounding = Rounding(round_to, KEY, _same) if round_to > 1 else None
        self._desk, self._archive, self._n = MemoryDesk(), MemoryArchive(), 0

    def ask(self, result: StudyResult, permit: str = "FR-2026-0001") -> Said:
        """Put a request on the desk."""
        self._n += 1
        study = "study: town\nanalyses: []\n"
        asked = Asked(result, self._permit(permit), study, self._terms, _same, rounding=self._rounding)
        answer = request_release(
            asked,
            run=f"run{self._n}",
            purpose="For the annual report",
            author="alice@example.org",
            snapshot=7,
            desk=self._desk,
            archive=self._archive,
            now=NOW,
            check=_valid,
        )
        state = show_request(answer.request, desk=self._desk)["state"]
        table = "" if state == "quarantined" else self._desk.read(answer.request, RESULT).decode()
        return Said(answer.request, answer.verdict.word, answer.reasons, table, state)

    def release(self, said: Said) -> dict[str, bytes]:
        """Let it leave: two people accept where policy does not, and it is exported."""
        for user in () if said.state == "accepted" else ("carol@example.org", "dan@example.org"):
            review_release(
                said.request, user=user, accept=True, reason="Counts are fine", desk=self._desk, now=NOW, check=_valid
            )
        proof: dict[str, Any] = {"index": 3, "path": [], "checkpoint": "note"}
        package = export_release(
            said.request,
            recipient="alice@example.org",
            desk=self._desk,
            archive=self._archive,
            terms=self._terms,
            now=NOW,
            check=_valid,
            signer=SIGNER,
            ledger_proof=proof,
        )
        mark_exported(said.request, recipient="alice@example.org", desk=self._desk, now=NOW)
        return dict(package)

    def _permit(self, name: str) -> PermitFacts:
        users = frozenset({"alice@example.org", "bob@example.org"})
        return PermitFacts(name, 1, name.ljust(64, "d"), users, self._min_count, NOW + timedelta(days=9))


def _same(numbers: PersonNumbers) -> PersonNumbers:
    return numbers


def _valid() -> None:
    """The permit is in force."""


def sets_shown(result: StudyResult, rows: list[dict[str, Any]]) -> set[frozenset[int]]:
    """The sets of persons behind the numbers that a table shows; a whole result's own table shows all of them.

    Persons are told by their numbers of the result, whatever the line says of them: a rate tells its count.
    """
    cells = {cell.key: cell for cell in result.cells}
    found: set[frozenset[int]] = set()
    for row in rows:
        if row["estimate_value"] in {None, HIDDEN}:
            continue
        head = (int(row["result_id"]), row["group_level"], row["strata_name"], row["strata_level"])
        own = (*head, row["variable_name"], row["variable_level"] or "", row["additional_level"])
        cell = cells.get(own) or cells.get((*head, "", "", row["additional_level"]))
        if cell is None:
            continue
        if row["estimate_name"] not in _OF_THOSE_WHO_HAVE:
            found.add(_people(cell.dense_denominator, cell.person_numbers))
        if row["estimate_name"] not in _OF_ALL:
            found.add(_people(cell.dense_numerator, cell.person_numbers))
    return found - {frozenset()}


def _people(persons: BitMap, numbers: PersonNumbers) -> frozenset[int]:
    return frozenset(int(numbers[place]) for place in persons)
