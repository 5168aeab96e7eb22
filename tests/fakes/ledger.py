"""A ledger's files in memory that tell apart what is durable, and a process that can die at any step."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime

from enclos.ledger.model import Session

SECTOR = 512
"""Bytes that a disk writes whole or not at all; a checkpoint fits into one."""


class Died(BaseException):
    """The process was killed."""


class MemoryLedger:
    """Files by name. ``die_at``: the number of the writing step at which the process is killed."""

    def __init__(self, files: dict[str, bytes] | None = None, die_at: int | None = None, seed: int = 0) -> None:
        self.files = dict(files or {})
        self.durable = dict(self.files)
        self.fickle: dict[str, list[bytes]] = {}
        """Contents since the last durable one, of files that were put without a sync."""
        self.used: dict[str, datetime] = {}
        self._added: set[str] = set()
        """Files that were added to since they were put."""
        self.n_steps = 0
        self._die_at = die_at
        self._random = random.Random(seed)  # noqa: S311 - chooses crashes, not keys
        self._mine: set[str] = set()
        self._is_locked = False
        self.awaited_share = 0.0
        """How often somebody waits for the lock."""
        self._waits = random.Random(3)  # noqa: S311 - the same in every run

    # -- what a crash leaves

    def after_kill(self) -> MemoryLedger:
        """What the next process finds when this one was killed: every write that took place."""
        return MemoryLedger(self.files)

    def after_power_cut(self) -> MemoryLedger:
        """What the next process finds when the power went: of each file that was not durable, some earlier content."""
        left = {}
        for name in sorted(self.files.keys() | self.durable.keys()):
            choices = [self.durable.get(name), self.files.get(name)]
            safe, whole = (len(content.get(name, b"")) for content in (self.durable, self.files))
            if name in self.fickle:
                choices += [b"", bytes(whole), *self.fickle[name]]
                if whole > SECTOR:  # a sector is written whole or not at all
                    n_left = self._random.randrange(0, whole, SECTOR)
                    rest = bytes(self._random.choice((0, whole - n_left)))
                    choices.append(self.files[name][:n_left] + rest)
            elif name in self._added and safe < whole:  # of what was added without a sync, any part may be left
                choices.append(self.files[name][: self._random.randint(safe, whole)])
            content = self._random.choice(choices)
            if content is not None:
                left[name] = content
        return MemoryLedger(left)

    def _step(self) -> bool:
        """Count a writing step; whether the process dies in the midst of it."""
        self.n_steps += 1
        return self.n_steps - 1 == self._die_at

    def _die(self) -> None:
        raise Died

    # -- reading

    def read(self, name: str) -> bytes | None:
        return self.files.get(name)

    def names(self, under: str) -> Iterable[str]:
        return [name for name in self.files if name.startswith(f"{under}/")]

    def size(self, name: str) -> int | None:
        return None if name not in self.files else len(self.files[name])

    def read_from(self, name: str, offset: int) -> bytes:
        return self.files[name][offset:]

    # -- writing

    @contextmanager
    def lock(self) -> Iterator[None]:
        assert not self._is_locked, "the lock is not reentrant"
        self._is_locked = True
        try:
            yield
        finally:
            self._is_locked = False

    def is_awaited(self) -> bool:
        return self._waits.random() < self.awaited_share

    def write(self, name: str, content: bytes, *, durable: bool) -> None:
        dies = self._step()
        if dies and self._random.random() < 0.5:
            self._die()
        self.files[name] = content
        self._added.discard(name)
        if not durable:
            self.fickle.setdefault(name, []).append(content)
        if dies:
            self._die()
        if durable:
            self.durable[name] = content
            self.fickle.pop(name, None)

    def append(self, name: str, content: bytes, *, durable: bool = True) -> None:
        self._added.add(name)
        if self._step():
            n_written = self._random.randint(0, len(content))
            self.files[name] += content[:n_written]
            self._die()
        self.files[name] += content
        if durable:
            self.durable[name] = self.files[name]

    def sync(self, name: str) -> None:
        if self._step():
            self._die()
        if name in self.files:
            self.durable[name] = self.files[name]

    def cut(self, name: str, length: int) -> None:
        if self._step():
            self._die()
        self.files[name] = self.files[name][:length]
        self.durable[name] = self.files[name]

    def delete(self, names: Iterable[str]) -> None:
        for name in names:
            if name in self.files:
                if self._step():
                    self._die()
                del self.files[name]
                if self._random.random() < 0.5:
                    self.durable.pop(name, None)

    def salt(self, name: str, used_at: datetime) -> bytes:
        if self.known_salt(name) is None:
            self.write(f"private/salts/{name}", os.urandom(32), durable=True)
        self.used[name] = used_at
        return self.files[f"private/salts/{name}"]

    def known_salt(self, name: str) -> bytes | None:
        return self.files.get(f"private/salts/{name}")

    def salts(self) -> Iterable[str]:
        return [name.removeprefix("private/salts/") for name in self.names("private/salts")]

    def destroy_salts(self, names: Iterable[str]) -> int:
        there = [f"private/salts/{name}" for name in names if f"private/salts/{name}" in self.files]
        self.delete(there)
        return len(there)

    def destroy_salts_unused_since(self, at: datetime) -> int:
        return self.destroy_salts([name for name, used_at in self.used.items() if used_at < at])

    def start_session(self, size: int) -> str:
        session = os.urandom(8).hex()
        self._mine.add(session)
        self.write(f"private/sessions/{session}-{size}", b"", durable=True)
        return session

    def end_session(self, session: str) -> None:
        self.delete([name for name in self.names("private/sessions") if name.split("/")[-1].startswith(session)])

    def sessions(self) -> Iterable[Session]:
        for name in self.names("private/sessions"):
            session, _, size = name.split("/")[-1].partition("-")
            yield Session(session, int(size), session in self._mine)


class HeldPace:
    """Lets every checkpoint wait until it is told to go on."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def later(self, publish: Callable[[], None]) -> None:
        self.waiting[:] = [publish]

    def stop(self) -> None:
        self.waiting.clear()

    def go(self) -> None:
        for publish in list(self.waiting):
            self.waiting.clear()
            publish()
