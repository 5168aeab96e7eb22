"""Compare what would leave with all that left before, of every permit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from enclos.contracts.disclosure import RuleSets, strictest
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal
from enclos.lexicon.verdicts import Verdict
from enclos.release import allowance
from enclos.release.allowance import Sought
from enclos.release.followed import few_between
from enclos.release.history import collisions
from enclos.release.model import Finding, Rule
from enclos.release.ports import Archive, Desk
from enclos.release.rules.policy import policy, stricter
from enclos.release.sets import N_CLASSES, N_DRAWN, Collision, Persons, Sets
from enclos.release.steps.documents import Request
from enclos.release.steps.index import left_earlier
from enclos.release.steps.kept import Kept, digest_of, read_kept
from enclos.release.totals import telling

_SETS, _FROM = "set(s) of persons differ", "from what was released, or from sums and rests of it"
_SUMS = "sum(s), mean(s) or count(s) of records differ from released ones by what few persons may have made up"
_STRETCHES = "rate(s) of the same persons in other days leave days or events of a few beside released ones"


def drawn_names(desk: Desk, archive: Archive) -> dict[bytes, bytes]:
    """By what lots are drawn of sets that left when persons had other numbers: the oldest name of each present one."""
    found: dict[bytes, bytes] = {}
    for each in left_earlier(desk, archive):
        pairs = zip(each.names, each.drawn, strict=True) if any(each.drawn) else ()
        for name, drawn in pairs:
            if drawn is not None:
                found.setdefault(name, drawn)
    return found


def history_finding(kept: bytes, min_count: int, earlier: Sequence[Kept], demands: RuleSets = ()) -> Finding:
    """Whether the sets of a request tell of a few persons together with what left before (``left_earlier``)."""
    sought = Sought(allowance.MOST_WORK)
    found = _collided(read_kept("", kept), min_count, earlier, demands, sought)
    if not found and sought.said:
        verdict = Verdict.REVIEW if sought.is_ended else Verdict.PASS
        return Finding(Rule.HISTORY, verdict, f"some sums of released numbers were not looked at: {sought.said}")
    if not found:
        said = "no released numbers together tell of fewer persons than the minimum, or of what few make up"
        return Finding(Rule.HISTORY, Verdict.PASS, said)
    return Finding(Rule.HISTORY, Verdict.REFUSE, found)


def check_history(request: Request, earlier: Sequence[Kept], *, archive: Archive) -> None:
    """Go on when nothing that left since the request was made collides with it.

    Refuses: RELEASE_DIFFERENCE, also where so much left since that not all could be looked at, and nobody was told;
             RELEASE_ALTERED when its persons are not those that were judged.
    """
    if "persons" not in request.facts:  # made before sets were kept: nothing is known to compare
        raise _again("The persons behind this request were not kept when it was made.")
    kept = archive.read(str(request.facts["permit"]), request.id)
    if kept is None or digest_of(kept) != request.facts["persons"]:
        raise refusal(
            Code.RELEASE_ALTERED,
            "The persons behind this request are not those that were judged.",
            "Make a new request; report this to the security officer.",
        )
    min_count = int(request.facts["min_count"])
    sought = Sought(allowance.MOST_WORK)
    found = _collided(read_kept(request.id, kept), min_count, earlier, request.demands, sought)
    if found:
        raise _again(f"Since this was asked for, {found}.")
    if sought.is_ended and not _was_said(request):
        raise _again("Since this was asked for, so much left that the search ended at its limit.")


def _was_said(request: Request) -> bool:
    """Whether it was said when it was asked for that not all could be looked at, so that people decided."""
    said = (each for each in request.evidence["findings"] if each["rule"] == Rule.HISTORY.value)
    return any(Verdict[each["verdict"].upper()] is not Verdict.PASS for each in said)


def _again(what: str) -> Refusal:
    return refusal(Code.RELEASE_DIFFERENCE, what, "Make a new request, with wider groups where it is refused.")


def _collided(new: Kept, min_count: int, earlier: Sequence[Kept], demands: RuleSets, sought: Sought) -> str:
    """What collides with what left, and with which requests; nothing where nothing does."""
    most = max([min_count, *(each.left.min_count for each in earlier)])
    said = (
        (_collisions(new, earlier, most, sought), f"{_SETS} by fewer than {min_count} persons {_FROM}"),
        (_telling(new, earlier, most, demands, sought), _SUMS),
        (_few_between(new, earlier, most), _STRETCHES),
    )
    return "; ".join(
        f"{len(found)} {what}: see request(s) {', '.join(sorted(set().union(*found)))}" for found, what in said if found
    )


def _telling(new: Kept, earlier: Sequence[Kept], k: int, demands: RuleSets, sought: Sought) -> list[set[str]]:
    """For each sum that tells one which is not known to be of enough, the earlier request that takes part."""
    old = [(total, each.request) for each in earlier for total in each.totals()]
    dominates = stricter(policy(), strictest(demands)).dominance.dominates
    found = telling(list(new.totals()), [total for total, _ in old], k, dominates, sought)
    return [{old[place][1]} for _, place in found]


def _few_between(new: Kept, earlier: Sequence[Kept], k: int) -> list[set[str]]:
    """For each stretch that leaves few days or events beside others, the earlier request that takes part."""
    old = [(one, each.request) for each in earlier for one in each.followed()]
    found = few_between(list(new.followed()), [one for one, _ in old], k)
    return [{old[place][1]} for _, place in found]


def _collisions(new: Kept, earlier: Sequence[Kept], k: int, sought: Sought) -> list[set[str]]:
    """For each set that collides, the earlier requests that take part."""
    starts = np.cumsum([0, *(len(each) for each in earlier)])
    counts = np.concatenate([np.zeros((0, N_CLASSES), np.int32), *(each.counts for each in earlier)])
    sums = np.concatenate([np.zeros(0, np.uint64), *(each.sums for each in earlier)])

    standing = np.concatenate([np.zeros((0, N_DRAWN), np.uint64), *(each.standing for each in earlier)])

    def place(number: int) -> tuple[Kept, int]:
        at = int(np.searchsorted(starts, number, side="right")) - 1
        return earlier[at], number - int(starts[at])

    def persons(number: int) -> Persons:
        one, within = place(number)
        return one.persons(within)

    def named(collision: Collision) -> set[str]:
        numbers = [each for each in collision.others if each < len(counts)]
        return {place(number)[0].request for number in numbers}

    found = collisions(new.sets, Sets(counts, sums, persons, standing), k, sought)
    return [named(collision) for collision in found]
