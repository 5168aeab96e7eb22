"""The seam of parallel work: what a bucket is asked, in plain values, and what it answers, in plain tables."""

from __future__ import annotations

import json
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyroaring import BitMap

Ints: TypeAlias = npt.NDArray[np.int64]
Given: TypeAlias = Mapping[str, pa.Table]
"""The entries of cohorts that are known before a bucket is opened, by name: person_id, first_day, last_day."""
NOTHING_GIVEN: Given = MappingProxyType({})


class Look(StrEnum):
    """What all buckets are looked at for, once each."""

    DEPARTMENTS = "departments"
    DRAW = "draw"
    SURVEY = "survey"
    COUNT = "count"


@dataclass(slots=True)
class Survey:
    """The observed days of the whole database, and of each denominator of a prevalence."""

    observed: tuple[int, int] | None = None
    denominators: dict[int, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Work:
    """One look of a study at all buckets: with the study's text and a bucket it says all that is to be done.

    It holds no key and no place. ``given`` and the days are what earlier looks found.
    """

    look: Look
    draw: int = 0
    """Which of the study's draws."""
    departments: tuple[str, ...] = ()
    given: Given = field(default_factory=dict)
    survey: Survey = field(default_factory=Survey)

    def told(self) -> tuple[bytes, list[pa.Table]]:
        """The work in bytes and tables; ``Work.of`` makes it again."""
        head = {
            "look": self.look.value,
            "draw": self.draw,
            "departments": self.departments,
            "given": list(self.given),
            "observed": self.survey.observed,
            "denominators": [[number, *days] for number, days in self.survey.denominators.items()],
        }
        return json.dumps(head).encode(), list(self.given.values())

    @classmethod
    def of(cls, head: bytes, tables: Sequence[pa.Table]) -> Work:
        """The work that was told."""
        told = json.loads(head)
        observed = told["observed"]
        survey = Survey(
            None if observed is None else (observed[0], observed[1]),
            {number: (first, last) for number, first, last in told["denominators"]},
        )
        given = dict(zip(told["given"], tables, strict=True))
        return cls(Look(told["look"]), told["draw"], tuple(told["departments"]), given, survey)


class Tally:
    """Whole numbers and sets of persons in an order that giver and taker know; persons count from 0 in a bucket."""

    def __init__(self) -> None:
        self._numbers: deque[Ints] = deque()
        self._people: deque[BitMap] = deque()

    def put(self, *numbers: Ints | int) -> None:
        """Add arrays or single numbers."""
        self._numbers.extend(np.atleast_1d(np.asarray(each, dtype=np.int64)) for each in numbers)

    def put_people(self, *people: BitMap) -> None:
        """Add sets of persons."""
        self._people.extend(people)

    def numbers(self) -> Ints:
        """The next array."""
        return self._numbers.popleft()

    def add_to(self, *numbers: Ints) -> None:
        """Add the next arrays to these, in place."""
        for each in numbers:
            np.add(each, self.numbers(), out=each)

    def number(self) -> int:
        """The next single number."""
        return int(self._numbers.popleft()[0])

    def people(self, first_person: int) -> BitMap:
        """The next set, its persons counted from there."""
        found: BitMap = self._people.popleft().shift(first_person)
        return found

    def tables(self) -> list[pa.Table]:
        """All of it as two tables."""
        numbers = pa.array([each.tobytes() for each in self._numbers], pa.large_binary())
        people = pa.array([each.serialize() for each in self._people], pa.large_binary())
        return [pa.table({"numbers": numbers}), pa.table({"people": people})]

    @classmethod
    def of(cls, numbers: pa.Table, people: pa.Table) -> Tally:
        """The tally that the tables are of."""
        found = cls()
        found._numbers.extend(np.frombuffer(each.as_py(), dtype=np.int64) for each in numbers["numbers"])
        found._people.extend(BitMap.deserialize(each.as_py()) for each in people["people"])
        return found


class Partial:
    """What one bucket answers to one work: a tally, and answers that are understood only beside those of all buckets.

    It is the same wherever it is made, and says nothing of other buckets.
    """

    def __init__(self) -> None:
        self.tally = Tally()
        self._answers: dict[str, deque[pa.Table]] = defaultdict(deque)

    def __repr__(self) -> str:
        return "Partial()"

    def put(self, question: str, answer: pa.Table) -> None:
        """Add an answer."""
        self._answers[question].append(answer)

    def answer(self, question: str) -> pa.Table:
        """The next answer to the question.

        Refuses: a KeyError for a question that the bucket was not asked.
        """
        if not self._answers[question]:
            raise KeyError("the bucket was not asked this")
        return self._answers[question].popleft()

    def tables(self) -> list[pa.Table]:
        """All of it as Arrow tables; ``Partial.of`` makes it again."""
        questions = [question for question, answers in self._answers.items() for _ in answers]
        answers = [answer for answers in self._answers.values() for answer in answers]
        return [pa.table({"question": pa.array(questions, pa.string())}), *self.tally.tables(), *answers]

    @classmethod
    def of(cls, tables: Sequence[pa.Table]) -> Partial:
        """The partial that the tables are of."""
        questions, numbers, people, *answers = tables
        found = cls()
        found.tally = Tally.of(numbers, people)
        for question, answer in zip(questions["question"].to_pylist(), answers, strict=True):
            found.put(question, answer)
        return found


def in_bytes(tables: Sequence[pa.Table]) -> bytes:
    """Tables as one run of Arrow streams, each behind its length."""
    sink = pa.BufferOutputStream()
    for table in tables:
        part = pa.BufferOutputStream()
        with pa.ipc.new_stream(part, table.schema) as writer:
            writer.write_table(table)
        buffer = part.getvalue()
        sink.write(len(buffer).to_bytes(8, "big"))
        sink.write(buffer)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def of_bytes(content: bytes) -> list[pa.Table]:
    """The tables that ``in_bytes`` wrote."""
    return list(_tables(memoryview(content)))


def _tables(content: memoryview) -> Iterator[pa.Table]:
    at = 0
    while at < len(content):
        end = at + 8 + int.from_bytes(content[at : at + 8], "big")
        yield pa.ipc.open_stream(pa.py_buffer(content[at + 8 : end])).read_all()
        at = end
