"""What in a month's acts somebody must look at: each detector is one function from acts to findings.

Source: SNDS security framework § 7.3 (privilege elevation, unauthorised access, output volume too large, abnormal
change of source data); MR-007 SEC-JOU-2 (traces are looked at every month).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import Enum
from statistics import median

from enclos.ledger.model import Action, Outcome
from enclos.ledger.rules.acts import Act
from enclos.lexicon.codes import Code

PRIVILEGED = frozenset(
    {
        Action.PERMIT_SIGN, Action.PERMIT_AMEND, Action.PERMIT_RENEW, Action.PERMIT_REVOKE, Action.KEY_ROTATE,
        Action.KEY_DESTROY, Action.DESTROY, Action.INGEST, Action.LINK, Action.BUILD, Action.EXPLAIN, Action.MOVE,
        Action.BACKUP, Action.RESTORE, Action.OPT_OUT,
    }
)  # fmt: skip
"""Done by those who run the enclosure or grant permits, never by a permit's user."""
USES = frozenset({Action.STUDY, Action.SQL, Action.COHORT, Action.RELEASE_REQUEST})
"""Done by a permit's users on its data."""
_ENDED = frozenset({Code.PERMIT_EXPIRED.id, Code.PERMIT_REVOKED.id})
_TURNS_OF_PERMITS = frozenset({Action.PERMIT_SIGN, Action.PERMIT_AMEND, Action.PERMIT_RENEW, Action.PERMIT_REVOKE})


class Detector(Enum):
    """What is looked for. The words are in reports: they are never changed or reused."""

    PRIVILEGE = "privilege-elevation"
    """A permit's user did or tried what only operators do, or an operator appeared who never was one."""
    VOLUME = "unusual-volume"
    """In one day somebody drew, or took out, far more than they, or anybody, use to."""
    NIGHT = "night-work"
    """Data were used at an hour, or on a day, when nobody works."""
    REPEATED = "near-identical-queries"
    """One question after the other that differs only in its constants: a search for single persons."""
    DENIALS = "mass-denials"
    """Somebody was refused again and again."""
    ENDED = "access-after-end"
    """Somebody used a permit, or tried to, after its end."""
    BROKEN = "interrupted-work"
    """Work died again and again before it could say how it ended."""
    ASKING = "many-questions"
    """One desk asked about so many persons in a day that citizens hardly all asked it to."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From which number on a detector speaks; hours are those of ``zone``."""

    zone: tzinfo = UTC
    day_begins: int = 6
    day_ends: int = 22
    works_weekends: bool = False
    n_at_night: int = 3
    """Acts of one actor in one night, or on one day of a weekend."""
    n_alike: int = 10
    alike_within: timedelta = timedelta(hours=1)
    n_denied: int = 10
    denied_within: timedelta = timedelta(hours=1)
    volume_factor: int = 10
    """How many times the median day of the actor, or of all when the actor has fewer than five days."""
    volume_floor: int = 100_000
    """Rows in a day below which nobody is asked."""
    n_exports: int = 10
    """Exports in a day."""
    n_broken: int = 5
    n_questions: int = 50
    """Questions of one desk in a day."""
    known_after: timedelta = timedelta(days=28)
    """How long a ledger must be before a new operator is news."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at: who, under which permit, from when to when, how many acts, the entries that show it."""

    detector: Detector
    actor: str
    permit: str | None
    begun_at: datetime
    ended_at: datetime
    n: int
    entries: tuple[int, ...] = field(default=())
    """At most 20 of the entries' indices."""


def findings(before: Sequence[Act], month: Sequence[Act], thresholds: Thresholds) -> list[Finding]:
    """What in the month's acts somebody must look at, in the order of time.

    In: before — the acts of the time before the month, from which it is known what is usual.
    """
    found = [one for look in _DETECTORS.values() for one in look(before, month, thresholds)]
    return sorted(found, key=lambda one: (one.begun_at, one.detector.value, one.actor))


def _found(detector: Detector, acts: Sequence[Act], n: int | None = None) -> Finding:
    permits = {act.permit for act in acts}
    return Finding(
        detector=detector,
        actor=acts[0].actor,
        permit=permits.pop() if len(permits) == 1 else None,
        begun_at=min(act.at for act in acts),
        ended_at=max(act.at for act in acts),
        n=len(acts) if n is None else n,
        entries=tuple(sorted(act.index for act in acts)[:20]),
    )


def _by(acts: Iterable[Act], key: Callable[[Act], object]) -> list[list[Act]]:
    grouped: dict[object, list[Act]] = defaultdict(list)
    for act in acts:
        grouped[key(act)].append(act)
    return [sorted(group, key=lambda act: (act.at, act.index)) for group in grouped.values()]


def _bursts(acts: Sequence[Act], n: int, within: timedelta) -> list[list[Act]]:
    """The longest runs in which any ``n`` acts that follow each other lie within that time. In: in order of time."""
    runs: list[list[Act]] = []
    last = -1
    for end in range(n - 1, len(acts)):
        start = end - n + 1
        if acts[end].at - acts[start].at > within:
            continue
        if runs and start <= last:
            runs[-1].append(acts[end])
        else:
            runs.append(list(acts[start : end + 1]))
        last = end
    return runs


# -- the detectors


def _privilege(before: Sequence[Act], month: Sequence[Act], thresholds: Thresholds) -> list[Finding]:
    users = {act.actor for act in (*before, *month) if act.action in USES}
    operators = {act.actor for act in before if act.action in PRIVILEGED and act.outcome is Outcome.DONE}
    begun_at = min((act.at for act in before), default=None)
    is_young = not month or begun_at is None or min(act.at for act in month) - begun_at < thresholds.known_after
    suspects = [
        act
        for act in month
        if act.action in PRIVILEGED and act.actor not in operators and (act.actor in users or not is_young)
    ]
    return [_found(Detector.PRIVILEGE, acts) for acts in _by(suspects, lambda act: act.actor)]


def _volume(before: Sequence[Act], month: Sequence[Act], thresholds: Thresholds) -> list[Finding]:
    def day(act: Act) -> date:
        return act.at.astimezone(thresholds.zone).date()

    def drawn(acts: Iterable[Act]) -> Mapping[str, list[list[Act]]]:
        days: dict[str, list[list[Act]]] = defaultdict(list)
        for group in _by(
            (act for act in acts if act.action in USES and act.number("n_rows")), lambda act: (act.actor, day(act))
        ):
            days[group[0].actor].append(group)
        return days

    def rows(acts: Iterable[Act]) -> int:
        return sum(act.number("n_rows") for act in acts)

    usual = drawn(before)
    all_days = [rows(group) for groups in usual.values() for group in groups]
    found = []
    for actor, groups in drawn(month).items():
        own = [rows(group) for group in usual.get(actor, [])]
        known = own if len(own) >= _DAYS_TO_KNOW else all_days
        limit = max(thresholds.volume_floor, thresholds.volume_factor * median(known) if known else 0)
        found += [_found(Detector.VOLUME, group, rows(group)) for group in groups if rows(group) > limit]
    exports = [act for act in month if act.action is Action.RELEASE_EXPORT and act.outcome is Outcome.DONE]
    for group in _by(exports, lambda act: (act.permit, day(act))):
        if len(group) >= thresholds.n_exports:
            found.append(_found(Detector.VOLUME, group))
    return found


_DAYS_TO_KNOW = 5


def _night(before: Sequence[Act], month: Sequence[Act], thresholds: Thresholds) -> list[Finding]:  # noqa: ARG001
    def night(act: Act) -> date | None:
        """The evening that the night began on, or the day of the weekend; None at a time of work."""
        local = act.at.astimezone(thresholds.zone)
        if local.hour >= thresholds.day_ends:
            return local.date()
        if local.hour < thresholds.day_begins:
            return local.date() - timedelta(days=1)
        return None if thresholds.works_weekends or local.weekday() < _SATURDAY else local.date()

    at_night = [act for act in month if act.action in USES and night(act) is not None]
    groups = _by(at_night, lambda act: (act.actor, night(act)))
    return [_found(Detector.NIGHT, acts) for acts in groups if len(acts) >= thresholds.n_at_night]


_SATURDAY = 5


def _repeated(before: Sequence[Act], month: Sequence[Act], thresholds: Thresholds) -> list[Finding]:  # noqa: ARG001
    """Queries of one shape; the same text again, with the same constants, asks nothing new and does not count."""
    found = []
    queries = [act for act in month if act.action is Action.SQL and "shape" in act.facts]
    for group in _by(queries, lambda act: (act.actor, act.permit, act.facts["shape"])):
        first_of_each = {act.facts.get("query"): act for act in reversed(group)}
        distinct = sorted(first_of_each.values(), key=lambda act: (act.at, act.index))
        found += [
            _found(Detector.REPEATED, run) for run in _bursts(distinct, thresholds.n_alike, thresholds.alike_within)
        ]
    return found


def _denials(before: Sequence[Act], month: Sequence[Act], thresholds: Thresholds) -> list[Finding]:  # noqa: ARG001
    groups = _by((act for act in month if act.is_denied), lambda act: act.actor)
    return [
        _found(Detector.DENIALS, run)
        for group in groups
        for run in _bursts(group, thresholds.n_denied, thresholds.denied_within)
    ]


def _ended(before: Sequence[Act], month: Sequence[Act], thresholds: Thresholds) -> list[Finding]:  # noqa: ARG001
    """Attempts that were refused; and what was done under a permit whose revocation was written before it began."""
    revoked = {
        act.permit: act.ended_at or act.at
        for act in (*before, *month)
        if act.action is Action.PERMIT_REVOKE and act.outcome is Outcome.DONE
    }

    def is_late(act: Act) -> bool:
        if act.code in _ENDED and act.action not in _TURNS_OF_PERMITS:
            return True
        return (
            act.action in USES
            and act.outcome is Outcome.DONE
            and act.permit in revoked
            and act.at > revoked[act.permit]
        )

    return [_found(Detector.ENDED, acts) for acts in _by(filter(is_late, month), lambda act: (act.actor, act.permit))]


def _broken(before: Sequence[Act], month: Sequence[Act], thresholds: Thresholds) -> list[Finding]:  # noqa: ARG001
    broken = [act for act in month if act.outcome in {Outcome.INTERRUPTED, Outcome.FAILED}]
    groups = _by(broken, lambda act: (act.actor, act.at.astimezone(thresholds.zone).date()))
    return [_found(Detector.BROKEN, acts) for acts in groups if len(acts) >= thresholds.n_broken]


def _asking(before: Sequence[Act], month: Sequence[Act], thresholds: Thresholds) -> list[Finding]:  # noqa: ARG001
    """The desk is a fact of the answer; the actor is who gave it."""
    asked = [act for act in month if act.action is Action.QUESTION and act.facts.get("what") == "answer"]
    groups = _by(asked, lambda act: (act.facts.get("desk"), act.at.astimezone(thresholds.zone).date()))
    return [_found(Detector.ASKING, acts) for acts in groups if len(acts) >= thresholds.n_questions]


_DETECTORS: Mapping[Detector, Callable[[Sequence[Act], Sequence[Act], Thresholds], list[Finding]]] = {
    Detector.PRIVILEGE: _privilege,
    Detector.VOLUME: _volume,
    Detector.NIGHT: _night,
    Detector.REPEATED: _repeated,
    Detector.DENIALS: _denials,
    Detector.ENDED: _ended,
    Detector.BROKEN: _broken,
    Detector.ASKING: _asking,
}
