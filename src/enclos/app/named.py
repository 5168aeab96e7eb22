"""Which permits name a person, found once for each state of all permits: many requests ask it, of many permits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from enclos.permits.model import SignedPermit


@dataclass(eq=False, slots=True)
class Named:
    """Persons, and the permits of which a version names them.

    It says where to look, never what holds: a permit that an answer rests on is read and verified for that answer.
    """

    _state: int = -1
    _permits: Mapping[str, Sequence[str]] = field(default_factory=dict, repr=False)

    def permits_of(
        self, person: str, state: int, chains: Callable[[], Iterable[Sequence[SignedPermit]]]
    ) -> Sequence[str]:
        """The permits that name the person, or did, in order.

        In: state — another number whenever another version may be there; chains — reads all versions of every permit
        Refuses: what chains refuses.
        """
        if state != self._state:
            found = defaultdict[str, list[str]](list)
            for chain in chains():
                for name in frozenset[str]().union(*(signed.permit.involved_ids for signed in chain)):
                    found[name].append(chain[-1].permit.id)
            # the permits first: what another thread reads between is at worst found once more
            self._permits, self._state = dict(found), state
        return self._permits.get(person, ())
