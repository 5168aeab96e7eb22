"""Whether two identities have one pseudonym, checked over all that one run pseudonymises.

Of each identity 24 bytes are kept: its tag, and a number of its message that is mixed under a multiplier drawn for the
run, which never leaves it. Messages that differ in one of their four words have different numbers; others have the same
one about once in 2^64, and what goes unseen must collide in its tag as well.
"""

from __future__ import annotations

import secrets

import numpy as np
import numpy.typing as npt

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.pseudonyms.secret_functions.arrays import BLOCK_BYTES, Blocks

_Words = npt.NDArray[np.uint64]
_MOST_WAITING = 8_000_000
"""Rows that wait, at least, before those of one identity are counted as one: 192 MB."""


class DistinctTags:
    """The identities of a run by their tags; two different ones under one tag are refused."""

    def __init__(self, *, most_waiting: int = _MOST_WAITING) -> None:
        self._factor = np.uint64(secrets.randbits(64) | 1)
        self._known = _none()
        self._waiting: list[tuple[_Words, _Words, _Words]] = []
        self._n_waiting = 0
        self._most_waiting = most_waiting

    def __repr__(self) -> str:
        return "DistinctTags()"

    def add(self, messages: Blocks, tags: Blocks) -> None:
        """Take up identities and their tags.

        Refuses: PSEUDONYM_COLLISION, here or in ``check``
        """
        words = np.ascontiguousarray(tags).view(np.uint64).reshape(-1, BLOCK_BYTES // 8)
        self._waiting.append((words[:, 0].copy(), words[:, 1].copy(), self._numbers(messages)))
        self._n_waiting += len(tags)
        if self._n_waiting > max(self._most_waiting, len(self._known[0])):
            self.check()

    def check(self) -> None:
        """All identities so far have tags of their own.

        Refuses: PSEUDONYM_COLLISION
        """
        if not self._waiting:
            return
        parts = [self._known, *self._waiting]
        first, second, number = (np.concatenate([part[place] for part in parts]) for place in range(3))
        self._waiting, self._n_waiting = [], 0
        ascending = np.sort(first)
        if not np.any(ascending[1:] == ascending[:-1]):  # each identity once: nothing to compare
            self._known = (first, second, number)
            return
        order = np.argsort(first)
        same = first[order[1:]] == first[order[:-1]]
        if np.any(same & (second[order[1:]] != second[order[:-1]])):  # halves of tags that meet by chance
            order = np.lexsort((number, second, first))
            same = (first[order[1:]] == first[order[:-1]]) & (second[order[1:]] == second[order[:-1]])
        if np.any(same & (number[order[1:]] != number[order[:-1]])):
            raise refusal(
                Code.PSEUDONYM_COLLISION,
                "Two identities would have one pseudonym.",
                "Make a new key for this source: another key gives other pseudonyms.",
            )
        kept = order[np.concatenate([[True], ~same])] if len(order) else order
        self._known = (first[kept], second[kept], number[kept])

    def _numbers(self, messages: Blocks) -> _Words:
        words: _Words = np.ascontiguousarray(messages).view(np.uint64)
        found = words[:, 0].copy()
        for place in range(1, words.shape[1]):
            found ^= found >> np.uint64(32)
            found *= self._factor
            found += words[:, place]
        return found


def _none() -> tuple[_Words, _Words, _Words]:
    empty: _Words = np.empty(0, dtype=np.uint64)
    return empty, empty, empty
