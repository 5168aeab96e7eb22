"""The truth beside the deliveries: who is whom, how often the outcomes really occur, and what the drugs do.

Incidence is counted as IncidencePrevalence counts it with days_prior_observation 0, washout all, no repeated events
and complete intervals: a person is at risk from the latest of the first day of the data, the birth and the birthday
on which the age group begins, to the earliest of the last day of the data, the death, the eve of the birthday on
which the age group ends, and the day of the first event, all included. Birthdays are those of the first day of the
birth month, since the SNDS gives year and month of birth only.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from enclos.synthetic.effects import EFFECTS, cohort_line, compare_study
from enclos.synthetic.hospitals.records import Record
from enclos.synthetic.hospitals.written import patient_ids
from enclos.synthetic.illness import Indices
from enclos.synthetic.outcomes import GI_BLEED, MYOCARDIAL_INFARCTION, OUTCOMES, Events
from enclos.synthetic.people import DAYS_A_YEAR, NEVER, Days, People
from enclos.synthetic.references import departments
from enclos.synthetic.stays.model import NONE
from enclos.synthetic.vocabulary import condition_id

AGE_GROUPS: tuple[tuple[int, int], ...] = ((0, 150), *((low, low + 9) for low in range(0, 90, 10)), (90, 150))
"""All ages, then decades; both ends belong to the group."""
SEXES = ("both", "male", "female")


@dataclass
class IncidenceTruth:
    """Persons, events and days at risk by outcome, age group, sex and interval, added up over chunks.

    The last interval is the whole time ('overall').
    """

    years: range
    cells: dict[str, npt.NDArray[np.int64]] = field(default_factory=dict)

    def add(self, folk: People, outcome: str, found: Events) -> None:
        """Count one outcome of one chunk of persons."""
        total = self.cells.setdefault(outcome, np.zeros((len(AGE_GROUPS), 3, len(self.years) + 1, 3), dtype=np.int64))
        birthday = folk.birth.astype("datetime64[D]").astype("datetime64[M]")
        first = found.first_day(len(folk))
        for group, (low, high) in enumerate(AGE_GROUPS):
            since = (birthday + np.timedelta64(low * 12, "M")).astype("datetime64[D]").astype(np.int64)
            until = (birthday + np.timedelta64((high + 1) * 12, "M")).astype("datetime64[D]").astype(np.int64)
            begin = np.maximum(folk.enters, since)
            end = np.minimum(np.minimum(folk.leaves, until), first + 1)  # half-open
            for interval in range(len(self.years) + 1):
                low_day, high_day = self._interval(folk, interval)
                start, stop = np.maximum(begin, low_day), np.minimum(end, high_day)
                days = np.maximum(stop - start, 0)
                event = (days > 0) & (first >= start) & (first < stop)
                for sex, chosen in enumerate((np.ones(len(folk), dtype=bool), ~folk.female, folk.female)):
                    mine = chosen & (days > 0)
                    total[group, sex, interval] += (mine.sum(), (event & chosen).sum(), days[mine].sum())

    def _interval(self, folk: People, interval: int) -> tuple[int, int]:
        if interval == len(self.years):
            return folk.start, folk.end
        year = self.years[interval]
        return _day(date(year, 1, 1)), _day(date(year + 1, 1, 1))

    def rows(self) -> list[dict[str, Any]]:
        """One row per cell."""
        found = []
        for outcome, total in self.cells.items():
            for group, (low, high) in enumerate(AGE_GROUPS):
                for sex, name in enumerate(SEXES):
                    for interval in range(len(self.years) + 1):
                        n_persons, n_events, n_days = (int(value) for value in total[group, sex, interval])
                        years = n_days / DAYS_A_YEAR
                        found.append(
                            {
                                "outcome": outcome,
                                "age_group": f"{low} to {high}",
                                "sex": name,
                                "interval": "overall" if interval == len(self.years) else str(self.years[interval]),
                                "n_persons": n_persons,
                                "n_events": n_events,
                                "person_days": n_days,
                                "per_100k_person_years": round(n_events / years * 1e5, 6) if years else None,
                            }
                        )
        return found


def _day(when: date) -> int:
    return (when - date(1970, 1, 1)).days


@dataclass
class IdentityTruth:
    """Who is whom, written chunk after chunk."""

    folder: Path
    _writers: dict[str, pq.ParquetWriter] = field(default_factory=dict)
    _files: list[BinaryIO] = field(default_factory=list)

    def add(self, folk: People, records: Sequence[Record], mother: Indices) -> None:
        """Write the identities of one chunk.

        In: mother — by person, the position in the chunk of who gave birth to them
        """
        n = len(folk)
        snds = [[f"{psa.decode()}/{rank}"] for psa, rank in zip(folk.psa.tolist(), folk.rank.tolist(), strict=True)]
        for index in np.flatnonzero(folk.second_psa != b"").tolist():
            snds[index].append(f"{folk.second_psa[index].decode()}/{folk.rank[index]}")
        person = (folk.first + np.arange(n)).tolist()
        long: list[tuple[int, str, str, bool]] = [
            (person[index], "snds", key, True) for index, keys in enumerate(snds) for key in keys
        ]
        numbers: dict[str, list[list[str]]] = {}
        linkable: list[list[str]] = [[] for _ in range(n)]
        for found in records:
            mine: list[list[str]] = [[] for _ in range(n)]
            answered = (found.patients.has_nir & ~found.patients.mistyped).tolist()
            for index, key, sure in zip(found.patients.person.tolist(), patient_ids(found), answered, strict=True):
                mine[index].append(key)
                long.append((person[index], found.source, key, sure))
                if sure and found.source not in linkable[index]:
                    linkable[index].append(found.source)
            numbers[found.source.replace("-", "_")] = mine
        self._put(
            "identities",
            {
                "true_person": pa.array([row[0] for row in long], pa.int64()),
                "source": pa.array([row[1] for row in long], pa.string()),
                "source_person_id": pa.array([row[2] for row in long], pa.string()),
                "linkable": pa.array([row[3] for row in long], pa.bool_()),
            },
        )
        texts = pa.list_(pa.string())
        self._put(
            "persons",
            {
                "true_person": pa.array(person, pa.int64()),
                "sex": pa.array(np.where(folk.female, 2, 1), pa.int8()),
                "birth_on": _dates(folk.birth),
                "death_on": _dates(folk.death),
                "department": pa.array([departments()[d].number for d in folk.department.tolist()], pa.string()),
                "ben_idt_ano": pa.array([key.decode() for key in folk.idt.tolist()], pa.string()),
                "snds": pa.array(snds, texts),
                **{source: pa.array(mine, texts) for source, mine in numbers.items()},
                "linkable": pa.array(linkable, texts),
                "mother": pa.array(folk.first + mother, pa.int64(), mask=mother == NONE),
            },
        )

    def _put(self, name: str, columns: dict[str, pa.Array]) -> None:
        table = pa.table(columns)
        if name not in self._writers:
            # the file is Python's own: its errors then carry the system's number
            self._files.append((self.folder / f"{name}.parquet").open("wb"))
            self._writers[name] = pq.ParquetWriter(self._files[-1], table.schema)
        self._writers[name].write_table(table)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failure: object, *_details: object) -> None:
        for writer in self._writers.values():
            with suppress(OSError) if failure else nullcontext():
                writer.close()
            writer.is_open = False  # or it would try again when it is collected
        for file in self._files:
            with suppress(OSError) if failure else nullcontext():
                file.close()


def _dates(days: Days) -> pa.Array:
    return pa.array(np.where(days >= NEVER, 0, days).astype(np.int32), pa.int32(), mask=days >= NEVER).cast(pa.date32())


OUTCOME_CONCEPTS = {
    GI_BLEED.name: (condition_id, "K922"),
    MYOCARDIAL_INFARCTION.name: (condition_id, "I21"),
}
"""How to find the concept above all codes of an outcome."""


def outcome_concept(name: str) -> int:
    """The standard concept whose descendants are the codes of an outcome."""
    find, code = OUTCOME_CONCEPTS[name]
    return find(code)


def _incidence_study(years: range) -> str:
    groups = ", ".join(f"[{low}, {high}]" for low, high in AGE_GROUPS)
    lines = ["# The incidence that truth/incidence.json states: all of its age groups, sexes and intervals."]
    lines += ["study: incidence", "cohorts:"]
    lines += [cohort_line(outcome.name, outcome_concept(outcome.name), "condition") for outcome in OUTCOMES]
    names = ", ".join(outcome.name for outcome in OUTCOMES)
    lines += [
        "analyses:",
        "  - incidence:",
        f"      outcome: [{names}]",
        f"      age_groups: [{groups}]",
        "      sex: [both, male, female]",
        "      days_prior_observation: [0]",
        "      interval: [years, overall]",
        "      washout_days: all",
        "      repeated_events: false",
        "      complete_intervals: true",
        f"      date_range: [{years[0]}-01-01, {years[-1]}-12-31]",
    ]
    return "\n".join(lines) + "\n"


def _first_study() -> str:
    """A study whose numbers are large enough to leave, even of two thousand persons."""
    lines = ["# A first study: how often two events happen. Its numbers are large enough to be released."]
    lines += ["study: first", "cohorts:"]
    lines += [cohort_line(outcome.name, outcome_concept(outcome.name), "condition") for outcome in OUTCOMES]
    names = ", ".join(outcome.name for outcome in OUTCOMES)
    lines += ["analyses:", f"  - incidence: {{outcome: [{names}], interval: [overall], washout_days: all}}"]
    return "\n".join(lines) + "\n"


def write_studies(folder: Path, years: range) -> None:
    """Write truth/studies."""
    studies = folder / "studies"
    studies.mkdir(parents=True, exist_ok=True)
    texts = {"studies/first.yaml": _first_study(), "studies/incidence.yaml": _incidence_study(years)}
    texts |= {effect.study: compare_study(effect, outcome_concept(effect.outcome.name)) for effect in EFFECTS}
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")


def write_incidence(folder: Path, truth: IncidenceTruth) -> None:
    """Write incidence.json and the same as incidence.parquet."""
    found = truth.rows()
    write_json(folder / "incidence.json", found)
    pq.write_table(pa.Table.from_pylist(found), folder / "incidence.parquet")


def write_json(path: Path, content: object) -> None:
    """Write a JSON document with sorted keys."""
    path.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
