"""Probes of permits: each is asked what it must refuse, now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

from enclos.app.conformity.trace_probes import Traces
from enclos.app.objectors import Objectors
from enclos.app.permits import active, all_versions, perimeter_of, permit_key
from enclos.app.snapshots import reading_snapshot
from enclos.conformity.model import Finding, Sight
from enclos.conformity.ports import Look
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from enclos.permits.document import json_from_permit
from enclos.permits.model import SignedPermit, State
from enclos.permits.rules.access import data_users, delete_by, ended_at
from enclos.permits.rules.life import check_in_force, check_user, state_at

_NOBODY = "nobody@conformity.invalid"
_UNKNOWN = "NO-SUCH-PERMIT"
_FIELDS = ("permit", "holder", "users", "purpose", "legal_basis", "data", "access", "opt_out", "disclosure", "valid")
"""Source: Regulation (EU) 2025/327, Art. 68(10)."""
_SEVERAL = 2


class PermitProbes:
    """The probes of permits; their documents are read and verified once."""

    def __init__(self, traces: Traces) -> None:
        self._enclosure, self._now = traces.enclosure, traces.now

    def looks(self) -> list[Look]:
        """Each with the names that it answers for."""
        looks: dict[tuple[str, ...], Callable[[], list[Finding]]] = {
            ("app.permit",): self._refuses_strangers,
            ("app.permit-register", "app.permit-register:fields"): self._register,
            ("iam.timebox",): self._ends,
            ("iam.leaver",): self._leavers,
            ("iam.list",): self._list,
            ("data.retention",): self._deleted,
            ("crypto.tenantkey",): self._own_keys,
            ("app.pseudo",): self._unlinkable,
            ("app.optout",): self._objections,
        }
        return [Look(names, see) for names, see in looks.items()]

    @cached_property
    def _chains(self) -> Sequence[Sequence[SignedPermit]]:
        return all_versions(self._enclosure)

    def _in_force(self) -> list[SignedPermit]:
        return [
            chain[-1] for chain in self._chains if _refusal_of(lambda c=chain: check_in_force(c[-1], self._now)) is None
        ]

    def _refuses_strangers(self) -> list[Finding]:
        """Live: somebody who is on no permit, and a permit that there is not."""
        permits = self._in_force()
        tried = [_refusal_of(active, self._enclosure, each.permit.id, _NOBODY) for each in permits]
        tried_none = _refusal_of(active, self._enclosure, _UNKNOWN, _NOBODY)
        if not permits:
            return [Finding("app.permit", Sight.BLIND, "no permit is in force that could refuse anybody")]
        holds = tried_none is Code.PERMIT_UNKNOWN and all(code is Code.PERMIT_USER_MISSING for code in tried)
        said = f"{len(permits)} permits in force {'refuse' if holds else 'do not all refuse'} who is not on them"
        return [Finding("app.permit", Sight.HOLDS if holds else Sight.FAILS, said, len(permits))]

    def _register(self) -> list[Finding]:
        names = ("app.permit-register", "app.permit-register:fields")
        n = len(self._chains)
        if not n:
            return [Finding(name, Sight.BLIND, "there is no permit yet") for name in names]
        documents = [json_from_permit(chain[-1].permit) for chain in self._chains]
        lacking = sum(any(document.get(name) in (None, "", [], {}) for name in _FIELDS) for document in documents)
        n_versions = sum(map(len, self._chains))
        return [
            Finding(names[0], Sight.HOLDS, f"{n_versions} versions of {n} permits are as they were signed", n_versions),
            Finding(
                names[1],
                Sight.FAILS if lacking else Sight.HOLDS,
                f"{n - lacking} of {n} permits have every field that the law names",
                n,
            ),
        ]

    def _ends(self) -> list[Finding]:
        """Every permit is asked at its own end, and those that have ended are asked now."""
        if not self._chains:
            return [Finding("iam.timebox", Sight.BLIND, "there is no permit yet")]
        newest = [chain[-1] for chain in self._chains]
        at_end = [_refusal_of(check_in_force, each, ended_at(each)) for each in newest]
        ended = [each for each in newest if state_at(each, self._now) in {State.EXPIRED, State.REVOKED}]
        now = [_refusal_of(active, self._enclosure, e.permit.id, _first_user(e)) for e in ended]
        holds = None not in at_end and set(now) <= {Code.PERMIT_EXPIRED, Code.PERMIT_REVOKED}
        said = f"{len(newest)} permits refuse at their end, {len(ended)} of them have ended and refuse now"
        return [Finding("iam.timebox", Sight.HOLDS if holds else Sight.FAILS, said, len(newest))]

    def _leavers(self) -> list[Finding]:
        gone = [
            (chain[-1], user)
            for chain in self._chains
            for user in {each.id for each in data_users(chain)} - set(chain[-1].permit.user_ids)
        ]
        if not gone:
            return [Finding("iam.leaver", Sight.BLIND, "nobody was taken off a permit yet")]
        let_in = sum(_refusal_of(check_user, signed, user) is None for signed, user in gone)
        said = f"{len(gone) - let_in} of {len(gone)} who were taken off a permit are refused"
        return [Finding("iam.leaver", Sight.FAILS if let_in else Sight.HOLDS, said, len(gone))]

    def _list(self) -> list[Finding]:
        users = {user.id for chain in self._chains for user in data_users(chain)}
        if not users:
            return [Finding("iam.list", Sight.BLIND, "nobody has access to anything yet")]
        said = f"who may reach what is listed: {len(users)} persons under {len(self._chains)} permits"
        return [Finding("iam.list", Sight.HOLDS, said, len(users))]

    def _deleted(self) -> list[Finding]:
        """Six months after its end a permit's key is gone, and with it all that it sealed. Source: EHDS Art. 73(1)."""
        today = self._now.date()
        due = [
            chain[-1] for chain in self._chains if ended_at(chain[-1]) <= self._now and delete_by(chain[-1]) <= today
        ]
        if not due:
            return [Finding("data.retention", Sight.BLIND, "no permit is past the delay after its end yet")]
        kept = sum(self._enclosure.keys.exists(permit_key(each.permit.id)) for each in due)
        said = f"of {len(due)} permits past the delay after their end, {kept} can still be opened"
        return [Finding("data.retention", Sight.FAILS if kept else Sight.HOLDS, said, len(due))]

    def _own_keys(self) -> list[Finding]:
        names = {str(permit_key(chain[-1].permit.id)) for chain in self._chains}
        entries = [each for each in self._enclosure.keys.entries() if str(each.name.of_generation(0)) in names]
        owners: dict[str, set[str]] = {}
        for each in entries:
            owners.setdefault(each.id, set()).add(str(each.name.of_generation(0)))
        having = {name for found in owners.values() for name in found}
        if not having:
            return [Finding("crypto.tenantkey", Sight.BLIND, "no permit has a key yet")]
        shared = sum(len(found) > 1 for found in owners.values())
        said = f"{len(having)} permits have keys of their own, {shared} keys are shared"
        return [Finding("crypto.tenantkey", Sight.FAILS if shared else Sight.HOLDS, said, len(having))]

    def _unlinkable(self) -> list[Finding]:
        """The same persons under two permits: how many have one number in both."""
        opened = [each.permit.id for each in self._in_force() if self._is_open(each.permit.id)][:_SEVERAL]
        if len(opened) < _SEVERAL:
            return [Finding("app.pseudo", Sight.BLIND, "two permits in force and opened are needed to compare")]
        with reading_snapshot(self._enclosure) as (engine, snapshot):
            rows = [perimeter_of(self._enclosure, permit, engine, snapshot).rows() for permit in opened]
        first, second = (
            dict(zip(*(r[c].to_pylist() for c in ("person_id", "permit_person")), strict=True)) for r in rows
        )
        shared = first.keys() & second.keys()
        same = sum(first[person] == second[person] for person in shared)
        if not shared:
            return [Finding("app.pseudo", Sight.BLIND, "no person is under both permits")]
        said = f"{same} of {len(shared)} persons have the same number under two permits"
        return [Finding("app.pseudo", Sight.FAILS if same > len(shared) // 1000 else Sight.HOLDS, said, len(shared))]

    def _is_open(self, permit: str) -> bool:
        from enclos.stores.perimeter_file import PERIMETER_FILE

        return (self._enclosure.paths.permits / permit / PERIMETER_FILE).is_file()

    def _objections(self) -> list[Finding]:
        """The table that every query reads is there, as new as the ledger says, and its last change was ended."""
        known = self._enclosure.marks.objections()
        if not known:
            return [Finding("app.optout", Sight.BLIND, "nobody objected yet")]
        if self._enclosure.marks.objections_broken_off():
            return [Finding("app.optout", Sight.FAILS, "the last change of objections was stopped before its end")]
        n = len(Objectors(self._enclosure))
        said = f"queries leave out {n} persons, by the revision of objections that the ledger knows"
        return [Finding("app.optout", Sight.HOLDS, said, known)]


def _first_user(signed: SignedPermit) -> str:
    return next(iter(signed.permit.user_ids))


def _refusal_of(call: Callable[..., object], *given: object) -> Code | None:
    """The code that a call is refused with; None when it is let through."""
    try:
        call(*given)
    except Refusal as refused:
        return refused.code
    return None
