"""Who runs long work: a process for each piece, in turn; nothing of it is lost sight of when this process ends."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic, sleep
from typing import Any

from enclos.app.enclosure import Enclosure
from enclos.app.house import House
from enclos.app.jobs.kept import files_of_work, folder_of_work
from enclos.app.jobs.model import (
    HOUSE,
    Job,
    JobState,
    id_of_key,
    stopped,
    too_much,
    unfinished,
    unknown,
    used_for_another,
)
from enclos.app.jobs.process import Ended, Process
from enclos.app.jobs.works import WORKS
from enclos.app.permits import active, permit_key, permits_naming
from enclos.app.settings import read_settings
from enclos.app.turns import FairQueue
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal
from enclos.stores.job_files import JobFiles
from enclos.stores.permit_files import PermitFiles

_MOST_KEPT = 200
"""Pieces of work of one person under one permit, or of the house; the oldest of theirs that are over go."""
_SECONDS_TO_WRITE, _PAUSE_SECONDS = 60.0, 0.2


@dataclass(eq=False, slots=True)
class _Live:
    """A piece of work that waits or runs here."""

    job: Job
    stop: threading.Event = field(default_factory=threading.Event)
    is_ours: bool = False
    """Whether it was stopped by our end, not by its person."""
    is_running: bool = False
    step: str = ""
    done: float = 0.0
    note: str = ""
    process: Process | None = None
    thread: threading.Thread | None = None

    @property
    def user(self) -> str:
        return self.job.user

    @property
    def permit(self) -> str:
        return self.job.permit or f"house of {self.job.user}"


class Jobs:
    """The long work of an enclosure that one process serves.

    What was asked for is kept before its turn comes, what came of it when it ends. Work of a process that died is told
    as interrupted; whoever began it starts it anew, and what it had finished is found again, not done twice.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._me = secrets.token_hex(8)
        self._queue = FairQueue(read_settings(house.folder).jobs, busy=too_much, ended=stopped)
        self._change = threading.Lock()
        self._live: dict[str, _Live] = {}
        self._closed = False

    def __repr__(self) -> str:
        return "Jobs()"

    # -- what people do

    def start(
        self,
        enclosure: Enclosure,
        work: str,
        given: Mapping[str, Any],
        *,
        user: str,
        permit: str = HOUSE,
        title: str = "",
        key: str = "",
        anew: str = "",
    ) -> dict[str, Any]:
        """Begin a piece of work; under a key that the person used before, the piece that was begun then.

        In: work — a name of ``WORKS``; given — what it is told; key — what tells the same asking from another, also
            after this process; anew — the piece that is begun once more
        Out: as ``show``
        Refuses: what permits refuse of the user; JOB_BUSY; JOB_KEY when the key was used for something else.
        """
        if WORKS[work].needs_permit:
            active(enclosure, permit, user)
        id_ = id_of_key(user, key) if key else secrets.token_hex(8)
        job = Job(id_, work, title, user, permit, dict(given), self._me, _now(), anew=anew)
        with self._change:
            if key and (before := self._find(enclosure, id_)):
                if before.user != user or before.asked != job.asked:
                    raise used_for_another()
                return self._shown(enclosure, before)
            self._check_room(user)
            files = files_of_work(enclosure, permit)
            _forget_oldest(files, user)
            files.keep(id_, job.as_json())
            live = self._live[id_] = _Live(job)
            live.thread = threading.Thread(target=self._work, args=(live,), name="enclos-job", daemon=True)
            live.thread.start()
            return self._told(job)

    def has(self, enclosure: Enclosure, user: str, key: str) -> bool:
        """Whether the person began work under this key."""
        return self._find(enclosure, id_of_key(user, key)) is not None

    def again(self, enclosure: Enclosure, job_id: str, user: str, *, key: str = "") -> dict[str, Any]:
        """Start a piece of work that is over anew, as another piece; under a key as ``start``.

        Refuses: JOB_UNKNOWN; JOB_UNFINISHED when it is not over; as ``start``.
        """
        before = self._own(enclosure, job_id, user)
        if not before.state.is_over:
            raise refusal(Code.JOB_UNFINISHED, "The work goes on.", "Cancel it first, or wait for its end.")
        given, anew = before.given, before.id
        return self.start(
            enclosure, before.work, given, user=user, permit=before.permit, title=before.title, key=key, anew=anew
        )

    def show(self, enclosure: Enclosure, job_id: str, user: str) -> dict[str, Any]:
        """How a piece of the person's work is.

        Out: job, work, title, permit, state, began_at, ended_at; while it waits n_before, how many of others are
            before it; while it runs step, done (0 to 1), note (n of how many); refused, when it was, as a refusal's
            parts; once it is done files, the names of those that the command would have written, and run, of a study
        Refuses: JOB_UNKNOWN.
        """
        return self._shown(enclosure, self._own(enclosure, job_id, user))

    def mine(self, enclosure: Enclosure, user: str) -> list[dict[str, Any]]:
        """All work of the person that is known, newest first, each as ``show``."""
        places = _places(enclosure, of=user)
        found = [job for permit in places for job in self._kept(enclosure, permit) if job.user == user]
        return [self._told(job) for job in sorted(found, key=lambda job: (job.began_at, job.id), reverse=True)]

    def result(self, enclosure: Enclosure, job_id: str, user: str) -> bytes:
        """What came of a piece of work, as the command answers, as JSON.

        Refuses: JOB_UNKNOWN; JOB_UNFINISHED; what permits refuse of the user now.
        """
        found = self._done(enclosure, job_id, user).result(job_id)
        if found is None:
            raise unfinished()
        return found

    def file(self, enclosure: Enclosure, job_id: str, user: str, name: str) -> bytes:
        """A file that the command would have written, of those that ``show`` names.

        Refuses: as ``result``; JOB_UNKNOWN when there is no such file.
        """
        found = self._done(enclosure, job_id, user).file(job_id, name)
        if found is None:
            raise refusal(Code.JOB_UNKNOWN, "The work has no such file.", "See which it has at its address.")
        return found

    def cancel(self, enclosure: Enclosure, job_id: str, user: str) -> dict[str, Any]:
        """End a piece of work; one that is over stays as it is.

        Refuses: JOB_UNKNOWN.
        """
        self._own(enclosure, job_id, user)
        with self._change:
            live = self._live.get(job_id)
        if live is not None:
            _end(live)
            if live.thread is not None:
                live.thread.join(5)
        return self.show(enclosure, job_id, user)

    def close(self) -> None:
        """End what runs; it is kept as interrupted, and so is what waits."""
        with self._change:
            self._closed = True
            living = list(self._live.values())
        for live in living:
            live.is_ours = True
            _end(live)
        self._queue.close()
        for live in living:
            if live.thread is not None:
                live.thread.join()

    # -- inside

    def _check_room(self, user: str) -> None:
        if self._closed:
            raise refusal(Code.ENCLOSURE_BUSY, "The service is ending.", "Ask again in a minute.")
        waiting = sum(live.user == user and not live.is_running for live in self._live.values())
        if waiting >= read_settings(self._house.folder).jobs.waiting:
            raise too_much()

    def _work(self, live: _Live) -> None:
        """In a thread of its own: wait for the turn, let a process do the work, keep how it ended."""
        ended = Ended(JobState.INTERRUPTED)
        try:
            with self._queue.turn(live, live.stop):
                live.is_running = True
                live.process = Process.of(live.job, self._house)
                if live.stop.is_set():
                    live.process.stop()
                ended = live.process.follow(lambda step, done, note: _hear(live, step, done, note))
        except Refusal as refused:
            # its turn never came, or the enclosure does not open now
            ended = Ended(JobState.CANCELLED if live.stop.is_set() else JobState.REFUSED, refused=refused)
        except OSError:
            ended = Ended(JobState.FAILED)
        finally:
            if live.stop.is_set() and ended.state is not JobState.DONE:
                ended = Ended(JobState.INTERRUPTED if live.is_ours else JobState.CANCELLED)
            self._keep(live, ended)

    def _keep(self, live: _Live, ended: Ended) -> None:
        """Keep how it ended; while a key is rotated, nothing is written, so that this waits."""
        job = live.job.ended(ended.state, _now(), ended.refused, ended.run)
        until = monotonic() + _SECONDS_TO_WRITE
        while True:
            try:
                with self._house.open() as enclosure:
                    files_of_work(enclosure, job.permit).keep(job.id, job.as_json())
            except Refusal:
                if monotonic() > until or self._closed:
                    break  # it is told as interrupted
                sleep(_PAUSE_SECONDS)
            else:
                break
        with self._change:
            self._live.pop(job.id, None)

    def _done(self, enclosure: Enclosure, job_id: str, user: str) -> JobFiles:
        """Where what came of a person's work lies, which they may see now."""
        job = self._own(enclosure, job_id, user)
        if job.permit:
            active(enclosure, job.permit, user)
        if job.state is not JobState.DONE:
            raise unfinished()
        return files_of_work(enclosure, job.permit)

    def _own(self, enclosure: Enclosure, job_id: str, user: str) -> Job:
        job = self._find(enclosure, job_id)
        if job is None or job.user != user:
            raise unknown()
        return job

    def _find(self, enclosure: Enclosure, job_id: str) -> Job | None:
        live = self._live.get(job_id)
        if live is not None:
            return live.job
        if not (job_id.isascii() and job_id.isalnum()):
            return None
        for permit in _places(enclosure):
            if not (folder_of_work(enclosure, permit) / f"{job_id}.sealed").exists():
                continue  # no key is opened to look
            with suppress(Refusal):
                found = files_of_work(enclosure, permit).read(job_id)
                if found is not None:
                    return self._as_it_is(Job.from_json(found))
        return None

    def _kept(self, enclosure: Enclosure, permit: str) -> list[Job]:
        try:
            return [self._as_it_is(Job.from_json(found)) for found in files_of_work(enclosure, permit).all()]
        except Refusal:  # the permit's key is destroyed
            return []

    def _as_it_is(self, job: Job) -> Job:
        """What was not over when its runner died was interrupted."""
        if job.state.is_over or job.id in self._live:
            return job
        return job.ended(JobState.INTERRUPTED, job.began_at)

    def _shown(self, enclosure: Enclosure, job: Job) -> dict[str, Any]:
        told = self._told(job)
        if job.state is not JobState.DONE:
            return told
        return told | {"files": files_of_work(enclosure, job.permit).files_of(job.id), "run": job.run or None}

    def _told(self, job: Job) -> dict[str, Any]:
        told: dict[str, Any] = {
            "job": job.id,
            "work": job.work,
            "title": job.title,
            "permit": job.permit or None,
            "state": job.state.value,
            "began_at": job.began_at.isoformat(),
            "ended_at": job.ended_at.isoformat() if job.ended_at else None,
        }
        live = self._live.get(job.id)
        if live is not None and live.is_running:
            told |= {"state": JobState.RUNNING.value, "step": live.step, "done": live.done, "note": live.note}
        elif live is not None:
            told["n_before"] = self._queue.n_before(live)
        if job.refused is not None:
            told["refused"] = dict(job.refused)
        return told


def _end(live: _Live) -> None:
    live.stop.set()
    if live.process is not None:
        live.process.stop()


def _hear(live: _Live, step: str, done: float, note: str) -> None:
    live.step, live.done, live.note = step, done, note


def _places(enclosure: Enclosure, *, of: str = "") -> list[str]:
    """The permits whose key is there, and the house; those alone that work was begun under.

    In: of — a person: only permits that list them, or did
    """
    if of:
        permits = [versions[-1].permit.id for versions in permits_naming(enclosure, of)]
    else:
        permits = list(PermitFiles(enclosure.paths.permits).ids())
    begun = [permit for permit in (HOUSE, *permits) if folder_of_work(enclosure, permit).exists()]
    return [permit for permit in begun if permit == HOUSE or enclosure.keys.exists(permit_key(permit))]


def _forget_oldest(files: JobFiles, user: str) -> None:
    own = (job for job in map(Job.from_json, files.all()) if job.user == user)
    for number, job in enumerate(own, start=1):
        if number >= _MOST_KEPT and job.state.is_over:
            files.remove(job.id)


def _now() -> datetime:
    return datetime.now(UTC)
