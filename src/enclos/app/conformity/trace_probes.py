"""Probes that read the ledger: whether it holds, how far it reaches, and which duties left their trace in it."""

from __future__ import annotations

import re
import shutil
import stat
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from enclos.app.enclosure import Enclosure
from enclos.conformity.model import Finding, Sight
from enclos.conformity.ports import Look
from enclos.ledger.model import Action, Outcome
from enclos.ledger.rules.acts import Act, acts_of
from enclos.ledger.rules.watching import PRIVILEGED
from enclos.ledger.steps import verify_ledger
from enclos.lexicon.refusals import Refusal
from enclos.stores.ledger_files import LedgerFiles

_RETENTION = re.compile(r"log\.retention:(\d+)(?:-(\d+))?")
_JUSTIFIED_BEYOND = 365
_GRACE = timedelta(days=31)
_ROOM = 2


@dataclass(frozen=True)
class Traces:
    """The ledger of an enclosure as the probes read it: once."""

    enclosure: Enclosure
    now: datetime

    @cached_property
    def acts(self) -> Sequence[Act]:
        """All acts, in the order in which they ended."""
        return tuple(acts_of(self.enclosure.ledger.entries()))

    def done(self, *actions: Action) -> list[Act]:
        """The acts of these kinds that were done."""
        return [act for act in self.acts if act.action in actions and act.outcome is Outcome.DONE]

    def last(self, *actions: Action) -> datetime | None:
        """When one of these kinds was last done."""
        return max((act.at for act in self.done(*actions)), default=None)


def trace_probes(traces: Traces, retentions: Iterable[str]) -> list[Look]:
    """The probes of the ledger. In: retentions — the bounds that the frameworks set, as their probes are named."""
    bounds = tuple(sorted(name for name in retentions if _RETENTION.fullmatch(name)))
    looks: dict[tuple[str, ...], Callable[[], list[Finding]]] = {
        ("log.integrity", "log.integrity:sealed-days", "crypto.sign"): lambda: _integrity(traces),
        ("log.timestamp",): lambda: [_timestamps(traces)],
        ("log.access",): lambda: [_readers(traces)],
        ("log.capacity",): lambda: [_room(traces)],
        ("log.admin",): lambda: [_administrators(traces)],
        ("app.audit",): lambda: [_canary(traces)],
        ("app.self-audit",): lambda: [_earlier(traces)],
        ("log.review",): lambda: [_recent(traces, "log.review", "the traces were reviewed", 31, Action.LEDGER_REVIEW)],
        ("iam.review",): lambda: [_recent(traces, "iam.review", "access was reviewed", 366, Action.PERMIT_REVIEW)],
        ("app.reversibility",): lambda: [_recent(traces, "app.reversibility", "all was moved out", 1096, Action.MOVE)],
        ("app.catalogue",): lambda: [_since_build(traces, "app.catalogue", "described", Action.CATALOGUE)],
        ("app.quality-label",): lambda: [_since_build(traces, "app.quality-label", "measured", Action.QUALITY)],
        ("app.public-register",): lambda: [_published(traces)],
        ("app.export:two-persons", "iam.sod"): lambda: _exports(traces),
        ("app.reid",): lambda: [_reidentified(traces)],
        bounds: lambda: [_retention(traces, name) for name in bounds],
    }
    return [Look(names, see) for names, see in looks.items() if names]


def _days(traces: Traces, at: datetime) -> int:
    return (traces.now - at).days


def _integrity(traces: Traces) -> list[Finding]:
    enclosure = traces.enclosure
    try:
        report = verify_ledger(
            LedgerFiles(enclosure.paths.ledger), enclosure.ledger.public_key, enclosure.ledger.origin
        )
    except Refusal as refused:
        said = f"the ledger does not hold ({refused.code.id})"
        return [Finding(n, Sight.FAILS, said) for n in ("log.integrity", "log.integrity:sealed-days", "crypto.sign")]
    n = report.size
    sealed = f"{report.n_seals} days are sealed and hold"
    signed = "an Ed25519 signature stands under the checkpoint and holds"
    return [
        Finding("log.integrity", Sight.HOLDS, f"{n} entries are as they were signed", n),
        Finding("log.integrity:sealed-days", Sight.HOLDS if report.n_seals else Sight.BLIND, sealed, report.n_seals),
        Finding("crypto.sign", Sight.HOLDS, signed, 1),
    ]


def _timestamps(traces: Traces) -> Finding:
    acts = traces.acts
    bare = sum(act.at.utcoffset() is None for act in acts)
    said = f"{len(acts) - bare} of {len(acts)} entries bear an instant with its zone"
    return Finding("log.timestamp", Sight.FAILS if bare else Sight.HOLDS, said, len(acts))


def _readers(traces: Traces) -> Finding:
    folder = traces.enclosure.paths.ledger
    written = [place for place in [folder, *folder.rglob("*")] if place.stat().st_mode & stat.S_IWOTH]
    private = [place for place in (folder / "private").rglob("*") if place.is_file()]
    is_closed = not (folder / "private").stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    read = [] if is_closed else [place for place in private if place.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH)]
    said = f"{len(written)} files that anybody may write, {len(read)} private ones that others may read"
    return Finding("log.access", Sight.FAILS if written or read else Sight.HOLDS, said, len(private))


def _room(traces: Traces) -> Finding:
    folder = traces.enclosure.paths.ledger
    used = sum(place.stat().st_size for place in folder.rglob("*") if place.is_file())
    first = min((act.at for act in traces.acts), default=traces.now)
    days = max(1, _days(traces, first))
    needed = used / days * traces.enclosure.settings.ledger.retention_months * 31
    free = shutil.disk_usage(folder).free
    said = f"{free // 2**20} MiB are free, at this pace {needed / 2**20:.0f} MiB are needed for the time of retention"
    return Finding("log.capacity", Sight.HOLDS if free > _ROOM * needed else Sight.FAILS, said, days)


def _administrators(traces: Traces) -> Finding:
    acts = [act for act in traces.acts if act.action in PRIVILEGED]
    if not acts:
        return Finding("log.admin", Sight.BLIND, "nothing was administered yet")
    nobody = sum(not act.actor for act in acts)
    said = f"{len(acts) - nobody} of {len(acts)} acts of administration name who did them"
    return Finding("log.admin", Sight.FAILS if nobody else Sight.HOLDS, said, len(acts))


def _canary(traces: Traces) -> Finding:
    """The assessment that looks must itself stand in the ledger, open, with who began it."""
    own = [act for act in traces.acts if act.action is Action.CONFORMITY and act.outcome is None and act.actor]
    said = "this assessment stands in the ledger, with who began it" if own else "this assessment is not in the ledger"
    return Finding("app.audit", Sight.HOLDS if own else Sight.FAILS, said, len(traces.acts))


def _earlier(traces: Traces) -> Finding:
    at = max((act.at for act in traces.done(Action.CONFORMITY) if act.facts.get("what") == "assess"), default=None)
    if at is None:
        return Finding("app.self-audit", Sight.BLIND, "this is the first assessment")
    days = _days(traces, at)
    said = f"the last assessment was {days} days ago"
    return Finding("app.self-audit", Sight.HOLDS if days <= 366 else Sight.FAILS, said, 1)


def _recent(traces: Traces, probe: str, what: str, within: int, action: Action) -> Finding:
    """That something was done within so many days; what an enclosure younger than that never did is not shown."""
    at = traces.last(action)
    if at is not None:
        days = _days(traces, at)
        said = f"{what} {days} days ago, at least every {within} days is wanted"
        return Finding(probe, Sight.HOLDS if days <= within else Sight.FAILS, said, 1)
    began = min((act.at for act in traces.acts), default=traces.now)
    if _days(traces, began) <= within:
        return Finding(probe, Sight.BLIND, f"it is not in the ledger yet that {what}")
    return Finding(probe, Sight.FAILS, f"never in {_days(traces, began)} days it is in the ledger that {what}")


def _since_build(traces: Traces, probe: str, what: str, action: Action) -> Finding:
    built, done = traces.last(Action.BUILD), traces.last(action)
    if built is None:
        return Finding(probe, Sight.BLIND, "no snapshot was built yet")
    holds = done is not None and done >= built
    said = f"the newest snapshot was {what}" if holds else f"the newest snapshot was not {what}"
    return Finding(probe, Sight.HOLDS if holds else Sight.FAILS, said, 1)


def _published(traces: Traces) -> Finding:
    changed = traces.last(Action.PERMIT_SIGN, Action.PERMIT_AMEND, Action.PERMIT_REVOKE, Action.RELEASE_EXPORT)
    published = traces.last(Action.REGISTER)
    if changed is None:
        return Finding("app.public-register", Sight.BLIND, "there is nothing to publish yet")
    if published is not None and published >= changed:
        return Finding("app.public-register", Sight.HOLDS, "the public register is newer than what it tells of", 1)
    late = traces.now - changed > _GRACE
    said = f"the last change, {_days(traces, changed)} days ago, is not in the public register"
    return Finding("app.public-register", Sight.FAILS if late else Sight.BLIND, said)


def _exports(traces: Traces) -> list[Finding]:
    """Two persons voted on all that left by a vote, neither the one who asked for it; what they said is sealed."""
    asked = {act.facts.get("request"): act for act in traces.done(Action.RELEASE_REQUEST)}
    votes: dict[object, set[str]] = {}
    for act in traces.done(Action.RELEASE_REVIEW):
        votes.setdefault(act.facts.get("request"), set()).add(act.actor)
    left = {act.facts.get("request") for act in traces.done(Action.RELEASE_EXPORT)}
    voted = [each for each in left if each in asked and not asked[each].facts.get("automatic")]
    if not voted:
        said = "nothing left by a vote yet"
        return [Finding(name, Sight.BLIND, said) for name in ("app.export:two-persons", "iam.sod")]
    few = sum(len(votes.get(each, ())) < 2 for each in voted)
    own = sum(asked[each].actor in votes.get(each, ()) for each in voted)
    return [
        Finding(
            "app.export:two-persons",
            Sight.FAILS if few else Sight.HOLDS,
            f"{len(voted) - few} of {len(voted)} results that left by a vote have two votes",
            len(voted),
        ),
        Finding(
            "iam.sod",
            Sight.FAILS if own else Sight.HOLDS,
            f"{own} of {len(voted)} results were voted on by who asked for them",
            len(voted),
        ),
    ]


def _reidentified(traces: Traces) -> Finding:
    done = [act for act in traces.done(Action.REIDENTIFY) if act.facts.get("what") == "carry-out"]
    if not done:
        return Finding("app.reid", Sight.BLIND, "nobody was found again yet")
    approvals: dict[object, set[str]] = {}
    for act in traces.done(Action.REIDENTIFY):
        if act.facts.get("what") == "approve":
            approvals.setdefault(act.facts.get("request"), set()).add(act.actor)
    few = sum(len(approvals.get(act.facts.get("request"), ())) < 2 for act in done)
    said = f"{len(done) - few} of {len(done)} re-identifications have two approvals in the ledger"
    return Finding("app.reid", Sight.FAILS if few else Sight.HOLDS, said, len(done))


def _retention(traces: Traces, probe: str) -> Finding:
    """How long it can be told who did what: never less than the framework's least, never more than its most.

    A young ledger cannot show that it keeps; it says when it will.
    """
    bounds = _RETENTION.fullmatch(probe)
    if bounds is None:
        raise ValueError("a retention names its days")
    least, most = int(bounds[1]), int(bounds[2] or 0)
    kept = round(traces.enclosure.settings.ledger.retention_months * 365.25 / 12)
    first = min((act.at for act in traces.acts), default=traces.now)
    age = _days(traces, first)
    said = (
        f"kept for {kept} days, {least}{f' to {most}' if most else ''} are wanted; the oldest entry is {age} days old"
    )
    if kept < least or (most and kept > most + 1):
        return Finding(probe, Sight.FAILS, said, len(traces.acts))
    if most > _JUSTIFIED_BEYOND and kept > _JUSTIFIED_BEYOND + 1:
        return Finding(probe, Sight.BLIND, f"{said}; beyond a year it needs a justification", len(traces.acts))
    forgotten = traces.last(Action.LEDGER_FORGET)
    if most and age > kept + _GRACE.days and (forgotten is None or traces.now - forgotten > _GRACE):
        return Finding(probe, Sight.FAILS, f"{said}; what is older was not forgotten", len(traces.acts))
    if age < least:
        ready = (first + timedelta(days=least)).date()
        return Finding(probe, Sight.BLIND, f"{said}; it can be shown from {ready} on", len(traces.acts), ready)
    return Finding(probe, Sight.HOLDS, said, len(traces.acts))
