"""What a run found, as tables and figures, and what of it is withheld and why."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic
from typing import Any

from starlette.routing import Route

from enclos.app.looks import list_own
from enclos.app.pages.study import StudyPages
from enclos.app.permits import active
from enclos.app.runs import results, study_of
from enclos.portal.desk import Answer, Asked, Desk, File, Page
from enclos.portal.rooms.research.room import PERMIT, ROOM

_MOST_KEPT, _SECONDS_KEPT = 24, 600.0


def routes(desk: Desk) -> list[Route]:
    """Its addresses."""
    seen = _Seen()
    one = f"{PERMIT}/runs/{{run}}"
    return [
        Route(one, desk.served(ROOM, seen.page)),
        Route(f"{one}/figures/{{number:int}}/{{width}}/live.svg", desk.served(ROOM, seen.live)),
        Route(f"{one}/figures/{{number:int}}/{{width}}.svg", desk.served(ROOM, seen.figure)),
    ]


@dataclass(eq=False)
class _Looked:
    """What one person was shown of one run."""

    answer: dict[str, Any]
    pages: StudyPages
    at: float
    drawn: dict[tuple[int, bool], bytes] = field(default_factory=dict)
    lively: dict[tuple[int, bool], bytes] = field(default_factory=dict)
    """The same whose marks say what they stand for."""
    lock: Lock = field(default_factory=Lock)


class _Seen:
    """What people look at is kept for some minutes, since a page asks for its pictures one by one."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: OrderedDict[tuple[str, ...], _Looked] = OrderedDict()

    def page(self, asked: Asked) -> Page:
        """The results of a run."""
        permit, run = asked.path["permit"], asked.path["run"]
        looked = self._look(asked)
        contents = looked.pages.contents()
        values = {
            "permit": permit,
            "run": run,
            "found": looked.answer,
            "notice": looked.pages.notice,
            "contents": contents,
            "readable": {at for _, at in contents if at is not None and looked.pages.can_be_read(at)},
            "study": study_of(asked.enclosure, permit=permit, user=asked.user, run_id=run),
            "requests": [row for row in list_own(asked.enclosure, asked.user) if row["run"] == run],
        }
        return Page("research_run", "Results of {study}", values, {"study": looked.answer["study"]})

    def figure(self, asked: Asked) -> Answer:
        """One picture of it, drawn when it is asked for."""
        looked, number = self._look(asked), int(asked.path["number"])
        is_narrow = asked.path["width"] == "narrow"
        with looked.lock:
            if (number, is_narrow) not in looked.drawn:
                picture = looked.pages.drawn(number, is_narrow=is_narrow)
                if picture is None:
                    return Page("absent", "There is no such page", status=404)
                looked.drawn[number, is_narrow] = picture.encode("utf-8")
            content = looked.drawn[number, is_narrow]
        return File("figure.svg", content, "image/svg+xml", is_shown=True)

    def live(self, asked: Asked) -> Answer:
        """The same picture for a script that goes from value to value, whole or a part of its time."""
        looked, number = self._look(asked), int(asked.path["number"])
        within = tuple(asked.query.get(name, "") for name in ("axis", "from", "to"))
        is_narrow = asked.path["width"] == "narrow"
        with looked.lock:
            content = None if any(within) else looked.lively.get((number, is_narrow))
            if content is None:
                picture = looked.pages.live(number, is_narrow=is_narrow, within=within)
                if picture is None:
                    return Page("absent", "There is no such page", status=404)
                content = picture.encode("utf-8")
                if not any(within):  # a part of its time is drawn for who chose it
                    looked.lively[number, is_narrow] = content
        return File("figure.svg", content, "image/svg+xml", is_shown=True)

    def _look(self, asked: Asked) -> _Looked:
        permit, run, language = asked.path["permit"], asked.path["run"], asked.language
        signed = active(asked.enclosure, permit, asked.user)
        key = (asked.user, asked.person.token, permit, signed.digest, run, language.value)
        with self._lock:
            found = self._kept.get(key)
            if found is not None and monotonic() < found.at + _SECONDS_KEPT:
                return found
        answer, pages = results(asked.enclosure, permit=permit, user=asked.user, run_id=run, language=language)
        looked = _Looked(answer, pages, monotonic())
        with self._lock:
            self._kept[key] = looked
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return looked
