"""What a reviewer is shown beside a request: which lines rules looked at, who shares persons with it, what happened."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from enclos.contracts.result import HIDDEN, OVERALL, Cell, result_from_csv
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from enclos.release.model import RequestState
from enclos.release.ports import Archive, Desk
from enclos.release.rules.life import check_reviewer, is_by
from enclos.release.steps.documents import Request, load
from enclos.release.steps.index import left_earlier
from enclos.release.steps.kept import Kept
from enclos.release.steps.sharing import FEW, NEARLY_ALL, Sharing, digest_of_set, sharing_with

MOST_ROWS, MOST_RELEASES = 40, 8
"""Sets of persons and earlier releases that are set side by side: those that share most, and the newest."""
_DECIDED = 8
"""So many of those that were decided last are made ready for a look too."""
_WITH, _OF, _WITHOUT = "who have it", "all", "who have it not"


def queue_of(user: str, *, desk: Desk, now: datetime) -> dict[str, Any]:
    """What a person may vote on, and what they have voted on; nothing of a project that they are of.

    Out: waiting, oldest first, each with its age; voted, newest first, where the person's vote is in; n_own, requests
        that are not theirs to judge; n_altered, those that are not what was judged
    Units: seconds
    """
    waiting, voted, n_own, n_altered = [], [], 0, 0
    for name in desk.requests():
        try:
            request = load(desk, name)
        except Refusal as refused:
            if refused.code is not Code.RELEASE_ALTERED:
                raise
            n_altered += 1
            continue
        try:
            check_reviewer(user, involved=request.involved, votes=())
        except Refusal:
            n_own += not request.state.is_decided
            continue
        if any(is_by(user, vote) for vote in request.votes):
            voted.append(_queued(request, now))
        elif not request.state.is_decided:
            waiting.append(_queued(request, now))
    waiting.sort(key=lambda row: (row["asked_at"], row["request"]))
    voted.sort(key=lambda row: (row["asked_at"], row["request"]), reverse=True)
    return {"waiting": waiting, "voted": voted, "n_own": n_own, "n_altered": n_altered}


def _queued(request: Request, now: datetime) -> dict[str, Any]:
    facts = request.facts
    return {
        **{name: facts[name] for name in ("request", "permit", "asked_at", "verdict", "purpose")},
        "tables": [str(each["title"]) for each in facts.get("tables", ())],
        "n_estimates": facts.get("n_estimates"),
        "state": request.state.word,
        "n_collided_before": request.evidence.get("probes", {}).get("n_collided", 0),
        "n_votes": len(request.votes),
        "n_open_questions": sum(not each.answer for each in request.questions),
        "waits_seconds": int((now - datetime.fromisoformat(str(facts["asked_at"]))).total_seconds()),
        "turnaround_seconds": request.turnaround_seconds,
    }


def show_beside(request_id: str, *, user: str, cells: Sequence[Cell], desk: Desk, archive: Archive) -> dict[str, Any]:
    """What stands beside the numbers that a reviewer is shown (``show_numbers``), for the same person.

    In:  cells — those of the run, by which a line's persons are known; none where the run is gone
    Out: voted, whether the person's vote is in; marks, for each line what rules saw in it: ``hidden``, ``same`` (the
        persons of an earlier release's number), ``shares`` (some of them), ``counted`` (nobody's), or nothing (no
        number of persons); beside, the rows and columns of the picture: which earlier release shares persons with
        which number; course, what happened to the request
    Never: a number of persons below the minimum, of those who are shared or of those who are not, nor one from which
        it follows: numbers of shared persons are multiples of the minimum
    Refuses: RELEASE_REVIEWER for people of the project; RELEASE_UNKNOWN, RELEASE_ALTERED.
    """
    request = load(desk, request_id)
    check_reviewer(user, involved=request.involved, votes=())
    shared = _shared(request, left_earlier(desk, archive, own=request_id), archive)
    keys = _sets_by_key(cells)
    return {
        "voted": any(is_by(user, vote) for vote in request.votes),
        "marks": _marks(request, keys, shared),
        "beside": None if shared is None else _picture(shared, keys, desk),
        "course": _course(request),
    }


def find_beside(
    desk: Desk, archive: Archive, *, check: Callable[[str], object], ends: Callable[[], bool] = lambda: False
) -> int:
    """Find how waiting requests lie to what left, and the last that were decided, so that no look has to.

    What is found and kept is what ``show_beside`` would find; nothing is shown to anybody. A request that a look would
    be refused for, or whose persons ended with their key, is left to whoever looks at it.
    In:  check — given a permit, raises a refusal where its requests are looked at no more; ends — asked between
        requests, and between releases: what is not found by then is found by the next call, or by a look
    Out: of how many requests it is known now
    Refuses: RELEASE_ALTERED, STORAGE_BROKEN when what left is not what was judged; STORAGE_FULL.
    """
    earlier = left_earlier(desk, archive)
    n_known = 0
    for name in _looked_at_next(desk):
        if ends():
            break
        try:
            request = load(desk, name)
            check(str(request.facts["permit"]))
            found = _shared(request, [each for each in earlier if each.request != name], archive, ends)
        except Refusal as refused:
            if refused.code is Code.STORAGE_FULL:
                raise
            continue  # whoever looks at it is told
        n_known += found is not None
    return n_known


def _looked_at_next(desk: Desk) -> list[str]:
    """The requests that wait, oldest first, and the last that were decided; none of which nothing is shown."""
    waiting: list[str] = []
    decided: list[tuple[str, str]] = []
    for name in desk.requests():
        try:
            request = load(desk, name)
        except Refusal:  # altered, or a document is missing
            continue
        if request.state.is_decided:
            decided.append((request.decided_at, name))
        elif request.state is not RequestState.QUARANTINED:
            waiting.append(name)
    return [*waiting, *(name for _, name in sorted(decided, reverse=True)[:_DECIDED])]


class _Shared:
    """How the sets of one request lie to what left earlier; sets by their places."""

    def __init__(self, found: Sharing, min_count: int, earlier: Sequence[Kept], newest: Sequence[Kept]) -> None:
        self.found, self.min_count, self.n_releases, self.newest = found, min_count, len(earlier), newest
        known = [set(each.names) for each in newest]
        self.is_same = [[name in each for each in known] for name in found.names]
        everywhere = set().union(*(each.names for each in earlier))
        self.was_told = [name in everywhere for name in found.names]

    def say(self, place: int, at: int) -> dict[str, Any]:
        """How a set lies to an earlier release."""
        if self.is_same[place][at]:
            return {"how": "same", "n_shared": self.found.sizes[place]}
        told = int(self.found.told[at][place])
        if told == FEW:
            return {"how": "few", "n_shared": None}
        if told == NEARLY_ALL:
            return {"how": "nearly all", "n_shared": None}
        return {"how": "some", "n_shared": told}

    def strongest(self, place: int) -> str:
        """What a line is marked with whose number tells this set."""
        if self.was_told[place]:
            return "same"
        return "shares" if any(each[place] != FEW for each in self.found.told) else "counted"


def _shared(
    request: Request, earlier: Sequence[Kept], archive: Archive, ends: Callable[[], bool] = lambda: False
) -> _Shared | None:
    min_count = max([request.min_count, *(each.left.min_count for each in earlier)])
    newest = earlier[: -MOST_RELEASES - 1 : -1]
    found = sharing_with(request, newest, min_count, archive, ends)
    return None if found is None else _Shared(found, min_count, earlier, newest)


def _sets_by_key(cells: Iterable[Cell]) -> dict[tuple[Any, ...], list[tuple[str, bytes]]]:
    """The sets of persons of each cell, by their digests, and which of its persons each is."""
    return {
        cell.key: [
            (_OF, digest_of_set(cell.dense_denominator.serialize())),
            (_WITH, digest_of_set(cell.dense_numerator.serialize())),
            (_WITHOUT, digest_of_set((cell.dense_denominator - cell.dense_numerator).serialize())),
        ]
        for cell in cells
    }


def _marks(
    request: Request, keys: Mapping[tuple[Any, ...], list[tuple[str, bytes]]], shared: _Shared | None
) -> list[str]:
    if not request.result:
        return []
    table, _ = result_from_csv(request.result)
    order = ("same", "shares", "counted")
    place_of = shared.found.place_of if shared else {}
    marks = []
    for line in table.to_pylist():
        head = (line["result_id"], line["group_level"], line["strata_name"], line["strata_level"])
        own = (*head, line["variable_name"], line["variable_level"] or "", line["additional_level"])
        sets = keys.get(own) or keys.get((*head, "", "", line["additional_level"])) or []
        places = [place_of[name] for _, name in sets if name in place_of]
        if line["estimate_value"] == HIDDEN:
            marks.append("hidden")
        elif shared is not None and places:
            marks.append(min((shared.strongest(place) for place in places), key=order.index))
        else:
            marks.append("counted" if sets else "")
    return marks


def _picture(shared: _Shared, keys: Mapping[tuple[Any, ...], list[tuple[str, bytes]]], desk: Desk) -> dict[str, Any]:
    """Rows: the sets that share most with what left, the largest first; columns: the newest releases."""
    labels: dict[int, list[list[str]]] = defaultdict(list)
    for key, sets in keys.items():
        for which, name in sets:
            if name in shared.found.place_of:
                labels[shared.found.place_of[name]].append([*_said(key), which])
    columns = [{"request": each.request, **_left(load(desk, each.request))} for each in shared.newest]
    rows: list[dict[str, Any]] = [
        {
            "labels": labels[place][:3],
            "n_labels": len(labels[place]),
            "n_persons": n_persons,
            "with": [shared.say(place, at) for at in range(len(columns))],
        }
        for place, n_persons in enumerate(shared.found.sizes)
    ]
    rows.sort(key=lambda row: (-sum(each["how"] != "few" for each in row["with"]), -row["n_persons"]))
    return {
        "min_count": shared.min_count,
        "releases": columns,
        "n_releases": shared.n_releases,
        "rows": rows[:MOST_ROWS],
        "n_rows": len(rows),
    }


def _said(key: tuple[Any, ...]) -> list[str]:
    """What of a cell's key tells it from others."""
    _, group, names, levels, *rest = key
    strata = "" if names == OVERALL else f"{names}: {levels}"
    return [part for part in (group, strata, *rest) if part and part != OVERALL]


def _left(request: Request) -> dict[str, str]:
    times = [at for _, at in request.course.exports]
    return {"permit": str(request.facts["permit"]), "left_at": min(times) if times else request.course.begun_at}


def _course(request: Request) -> list[dict[str, str]]:
    """What happened, in order; of votes nothing but that they were given, until the decision has fallen."""
    told = [{"at": str(request.facts["asked_at"]), "what": "asked"}]
    if request.course.automatic:
        told.append({"at": str(request.facts["asked_at"]), "what": "let go by policy"})
    for each in request.questions:
        told.append({"at": each.at, "what": "question"})
        if each.answer:
            told.append({"at": each.answered_at, "what": "answer"})
    decided = request.state.is_decided
    word = {True: "accepted", False: "refused"} if decided else dict.fromkeys((True, False), "vote")
    told += [{"at": vote.at, "what": word[vote.accept]} for vote in request.votes]
    told += [{"at": at, "what": "left"} for _, at in request.course.exports]
    return sorted(told, key=lambda each: each["at"])
