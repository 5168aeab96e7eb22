"""Places for who asks at once: who holds how many, who waits, and who comes next."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint

from enclos.portal.shares import Shares, TooManyWait


class Held:
    """Requests that last until they are told to end."""

    def __init__(self, shares: Shares, group: anyio.abc.TaskGroup) -> None:
        self.shares, self._group = shares, group
        self.ends: list[tuple[str, anyio.Event]] = []

    async def begin(self, who: str, n: int = 1) -> int:
        """So many requests more of somebody. Out: how many of theirs have a place then."""
        for _ in range(n):
            self._group.start_soon(self._one, who)
        await settle()
        return self.shares.of(who)

    async def end(self, who: str, n: int = 1) -> None:
        for _ in range(n):
            turn = next(each for each in self.ends if each[0] == who)
            self.ends.remove(turn)
            turn[1].set()
        await settle()

    async def _one(self, who: str) -> None:
        async with self.shares.place(who):
            end = anyio.Event()
            self.ends.append((who, end))
            await end.wait()


async def settle() -> None:
    for _ in range(20):
        await checkpoint()


def run(shares: Shares, story: Callable[[Held], Coroutine[Any, Any, None]]) -> None:
    async def all_of_it() -> None:
        async with anyio.create_task_group() as group:
            await story(Held(shares, group))
            group.cancel_scope.cancel()

    anyio.run(all_of_it)


def test_nobody_holds_more_than_they_leave_free_and_who_comes_has_a_place() -> None:
    async def story(held: Held) -> None:
        assert await held.begin("alice", 30) == 12
        assert await held.begin("bob", 30) == 6
        assert await held.begin("carol", 30) == 3
        assert [await held.begin(who, 2) for who in ("dan", "erin")] == [1, 1]
        assert await held.begin("fay") == 1
        assert await held.begin("gus") == 0, "all places are taken: he waits"
        await held.end("alice")
        assert (held.shares.of("gus"), held.shares.of("alice")) == (1, 11), "before those who hold some"

    run(Shares(24), story)


def test_who_waits_has_the_place_that_comes_free() -> None:
    async def story(held: Held) -> None:
        assert await held.begin("alice", 4) == 2
        await held.end("alice", 2)
        assert held.shares.of("alice") == 2
        await held.end("alice", 2)
        assert (held.shares.of("alice"), held.ends) == (0, [])

    run(Shares(4), story)


def test_who_goes_away_while_they_wait_takes_no_place_along() -> None:
    async def story(held: Held) -> None:
        await held.begin("alice", 2)
        with anyio.CancelScope() as gone:
            async with AsyncExitStack() as places:
                gone.cancel()
                await places.enter_async_context(held.shares.place("alice"))
        await held.end("alice")
        assert await held.begin("bob") == 1
        await held.end("alice")
        assert held.shares.of("alice") == 0

    run(Shares(2), story)


def test_of_nobody_more_than_so_many_wait() -> None:
    async def story(held: Held) -> None:
        await held.begin("alice", 1 + 3)
        with pytest.raises(TooManyWait):
            async with held.shares.place("alice"):
                pass
        assert await held.begin("bob") == 1

    run(Shares(2, most_waiting=3), story)
