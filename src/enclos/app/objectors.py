"""Who objected: found in the vault, read by every query; between the two lies one sealed table of person numbers."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np

from enclos.app.enclosure import Enclosure
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole
from enclos.lexicon.refusals import refusal
from enclos.permits.model import OptOutMoment, SignedPermit
from enclos.pseudonyms.steps.objections import has_objections, objecting_persons
from enclos.stores.engine import Engine
from enclos.stores.landing import LandingZone
from enclos.stores.objection_files import ObjectionTable, read_objections, write_objections

_KEY = KeyName(KeyRole.OBJECTIONS)


def resolve_objections(enclosure: Enclosure, engine: Engine) -> int:
    """Find anew whom the objections speak of, and let every later query know; the revision of the table.

    Nothing is written when nothing has changed. The same objections give the same table after a kill.

    In: engine — with the vault attached
    Empty: 0 when nobody ever objected
    """
    if not has_objections(engine):
        return enclosure.marks.objections()
    persons = objecting_persons(engine, LandingZone(engine, enclosure.paths.vault / "landed", enclosure.keys))
    if not enclosure.keys.exists(_KEY):
        enclosure.keys.create(_KEY)
    key, path, known = enclosure.keys.secret(_KEY), enclosure.paths.objections, enclosure.marks.objections()
    before = read_objections(path, key) if path.exists() else None
    if before and before.revision >= known and np.array_equal(before.persons, persons):
        return before.revision
    revision = max(before.revision if before else 0, known) + 1
    write_objections(path, ObjectionTable(revision, persons), key)
    return revision


class Objectors(Collection[int]):
    """The person numbers that no view shows, read anew each time they are asked for.

    Refuses: STORAGE_BROKEN when the table is missing, or older than the ledger says.
    """

    def __init__(self, enclosure: Enclosure) -> None:
        self._enclosure = enclosure
        self._seen: tuple[int, int, int] | None = None
        self._table = ObjectionTable(0, np.empty(0, dtype=np.int64))

    def __repr__(self) -> str:
        return "Objectors()"

    def __iter__(self) -> Iterator[int]:
        return iter(self._now().persons.tolist())

    def __len__(self) -> int:
        return len(self._now().persons)

    def __contains__(self, person: object) -> bool:
        return person in self._now().persons

    def _now(self) -> ObjectionTable:
        path, known = self._enclosure.paths.objections, self._enclosure.marks.objections()
        try:
            state = path.stat()
        except FileNotFoundError:
            if known:
                raise _missing() from None
            return self._table
        stamp = (state.st_mtime_ns, state.st_ino, state.st_size)
        if stamp != self._seen:
            self._table = read_objections(path, self._enclosure.keys.secret(_KEY))
            self._seen = stamp
        if self._table.revision < known:
            raise _missing()
        return self._table


def objectors_at_query(enclosure: Enclosure, signed: SignedPermit) -> Collection[int]:
    """Whom a query under the permit does not see, beside those whom its opening left out; asked at every bucket."""
    opt_out = signed.permit.opt_out
    return Objectors(enclosure) if opt_out.applied and opt_out.as_of is OptOutMoment.NOW else ()


def objectors_at_opening(enclosure: Enclosure, signed: SignedPermit) -> Collection[int]:
    """Whom the opening of the permit leaves out: nobody when the permit lifts objections for a public interest."""
    return Objectors(enclosure) if signed.permit.opt_out.applied else ()


def _missing() -> Exception:
    # The same words as for any other file of the enclosure: a researcher learns nothing of objections.
    return refusal(
        Code.STORAGE_BROKEN,
        "A sealed file of the enclosure is missing or older than the ledger.",
        "Restore it from a backup, or build again.",
    )
