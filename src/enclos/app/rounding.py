"""To what released counts are rounded: the widest that the permit, the enclosure or one of its sources demands."""

from __future__ import annotations

import numpy as np

from enclos.app.enclosure import Enclosure
from enclos.app.permits import perimeter_of, permit_key
from enclos.app.snapshots import reading_snapshot
from enclos.contracts.disclosure import RuleSets, rule_sets
from enclos.contracts.result import PersonNumbers
from enclos.lexicon.keys import KeyName, KeyRole, SecretKey
from enclos.permits.model import Permit
from enclos.release.model import Renumber
from enclos.release.rules.rounding import Rounding
from enclos.release.steps import drawn_names
from enclos.stores.release_files import ArchiveFiles, DeskFiles


def rounding_of(enclosure: Enclosure, permit: Permit) -> Rounding | None:
    """What rounds the counts of a permit's results; None where nothing is demanded."""
    base = max(permit.round_to, enclosure.settings.round_to)
    if base == 1:
        return None
    desk = desk_of(enclosure)
    drawn = drawn_names(desk, archive_of(enclosure))
    return Rounding(base, desk.rounding_key(), numbers_of(enclosure, permit.id), drawn)


def beyond(enclosure: Enclosure, permit: Permit) -> tuple[Rounding | None, RuleSets]:
    """What holds of a permit's results beyond the platform's rules: how counts are rounded, and what is demanded."""
    return rounding_of(enclosure, permit), rule_sets((permit.demands, *enclosure.settings.demands))


def desk_of(enclosure: Enclosure) -> DeskFiles:
    """Where requests lie."""
    return DeskFiles(enclosure.paths.release, enclosure.keys.secret(KeyName(KeyRole.DESK)))


def archive_of(enclosure: Enclosure) -> ArchiveFiles:
    """Where the persons behind requests are kept."""

    def secret_of(permit: str) -> SecretKey | None:
        name = permit_key(permit)
        return enclosure.keys.secret(name) if enclosure.keys.exists(name) else None

    return ArchiveFiles(enclosure.paths.permits, secret_of)


def numbers_of(enclosure: Enclosure, permit: str) -> Renumber:
    """The warehouse's numbers of a permit's persons; one who is no longer in has a number that no other can have."""

    def renumber(numbers: PersonNumbers) -> PersonNumbers:
        with reading_snapshot(enclosure) as (engine, snapshot):
            rows = perimeter_of(enclosure, permit, engine, snapshot).rows()
        shown, persons = (rows[name].to_numpy() for name in ("permit_person", "person_id"))
        if not len(shown):
            return -1 - numbers
        order = np.argsort(shown)
        place = np.minimum(np.searchsorted(shown, numbers, sorter=order), len(shown) - 1)
        return np.where(shown[order[place]] == numbers, persons[order[place]], -1 - numbers)

    return renumber
