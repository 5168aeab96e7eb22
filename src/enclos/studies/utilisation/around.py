"""What persons have around each entry: the reasons of a treatment, or other treatments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from enclos.contracts.result import EstimateType
from enclos.studies.model import DayWindow, Domain
from enclos.studies.plans import entries as entry_plans
from enclos.studies.ports import CdmBucket
from enclos.studies.rules.entries import EntryColumns, Strata
from enclos.studies.rules.evidence import Feature, Row
from enclos.studies.rules.report import Estimate, Place
from enclos.studies.rules.tally import person_set
from enclos.studies.utilisation import plans
from enclos.studies.utilisation.model import Indications, Treatments

GROUP_NAME = "cohort_name"
UNKNOWN, NOT_OBSERVED = "unknown", "not in observation"


@dataclass(frozen=True, slots=True)
class Around:
    """Cohorts looked for in windows around each entry, and how what is found is called."""

    cohorts: tuple[str, ...]
    windows: tuple[DayWindow, ...]
    exclusive: bool
    """Whether an entry has one combination of the cohorts, or each of them on its own."""
    unknown: tuple[Domain, ...]
    """Tables any record of which, without one of the cohorts, is something unknown."""
    variable: str
    none: str
    result_type: str

    @classmethod
    def of(cls, asked: Indications | Treatments) -> Around:
        """What is asked for, with its words."""
        if isinstance(asked, Indications):
            words = ("Indication", "none", "summarise_indication")
            return cls(tuple(sorted(asked.cohorts)), asked.windows, True, asked.unknown, *words)
        words = ("Medication", "untreated", "summarise_treatment")
        return cls(tuple(sorted(asked.cohorts)), asked.windows, asked.exclusive, (), *words)

    @property
    def levels(self) -> list[str]:
        """Every combination by its words, smaller ones first, or each cohort; then what else an entry can be."""
        sizes = range(1, len(self.cohorts) + 1 if self.exclusive else 2)
        combined = [" and ".join(some) for n in sizes for some in combinations(self.cohorts, n)]
        return [*combined, *([UNKNOWN] if self.unknown else []), self.none, NOT_OBSERVED]

    def has(self, bits: int) -> list[str]:
        """The levels of an entry that has some of the cohorts, which the bits say."""
        own = [name for bit, name in enumerate(self.cohorts) if bits >> bit & 1]
        return [" and ".join(own)] if self.exclusive else own


class AroundCounter:
    """Counts what is found around the entries of cohorts and strata."""

    def __init__(self, asked: Indications | Treatments) -> None:
        self.given = asked
        self.asked = Around.of(asked)
        self._found: dict[tuple[str, Strata, int, str], Feature] = {}
        """By cohort and stratum, number of the window and level."""

    def count(
        self,
        bucket: CdmBucket,
        entries: EntryColumns,
        parts: Sequence[tuple[tuple[str, Strata], npt.NDArray[np.int64]]],
        places: Mapping[str, int],
    ) -> None:
        """Count a bucket whose ``study_entry`` is made.

        In: parts — the entries of each cohort and stratum; places — the index of each cohort
        """
        asked = self.asked
        wanted = [(places[name], window) for window in asked.windows for name in asked.cohorts]
        rows = bucket.query(entry_plans.plan_intersections(wanted))
        number, entry = rows["number"].to_numpy(), rows["entry"].to_numpy()
        any_record = [bucket.query(plans.plan_any_record(domain, asked.windows)) for domain in asked.unknown]
        for at, window in enumerate(asked.windows):
            found = np.zeros(entries.n, dtype=np.int64)
            """Of each entry, the cohorts it has, as bits."""
            for bit in range(len(asked.cohorts)):
                found[entry[number == at * len(asked.cohorts) + bit]] |= 1 << bit
            known = np.zeros(entries.n, dtype=np.bool_)
            for table in any_record:
                known[table["entry"].to_numpy()[table["number"].to_numpy() == at]] = True
            code = np.where(found > 0, found, np.where(known, -1, -2))
            code[~entries.observed(window)] = -3
            words = {-1: [UNKNOWN], -2: [asked.none], -3: [NOT_OBSERVED]}
            for (cohort, strata), index in parts:
                for each in np.unique(code[index]).tolist():
                    some = index[code[index] == each]
                    for level in words.get(each) or asked.has(each):
                        feature = self._found.setdefault((cohort, strata, at, level), Feature())
                        feature.add(len(some), person_set(entries.person[some]))

    def rows(self, cohort: str, strata: Strata, entries: Feature) -> Iterator[Row]:
        """What the entries of a cohort and stratum have in each window.

        Source: DrugUtilisation 1.2, summariseIndication and summariseTreatment; five decimals.
        """
        for at, window in enumerate(self.asked.windows):
            for level in self.asked.levels:
                found = self._found.get((cohort, strata, at, level), Feature())
                share = f"{100 * found.n / entries.n:.5f}" if found.n else "0"
                estimates = (
                    Estimate("count", EstimateType.INTEGER, str(found.n)),
                    Estimate("percentage", EstimateType.PERCENTAGE, share),
                )
                variable = f"{self.asked.variable} {window_words(window)}"
                place = Place(GROUP_NAME, cohort, variable, level, strata, additional=("window_name", window.word))
                yield Row(place, estimates, found.persons, entries.persons)


def window_words(window: DayWindow) -> str:
    """A window in words, as DrugUtilisation says it."""
    first, last = window.from_day, window.to_day
    known = {
        (0, 0): "on index date",
        (None, 0): "any time before or on index date",
        (0, None): "any time after or on index date",
        (None, None): "any time",
    }
    if (first, last) in known:
        return known[first, last]
    if first == 0:
        return f"from index date to {_days(last)} after"
    if last == 0:
        return f"from {_days(first)} before to the index date"
    sides = ("before" if first is None or first < 0 else "after", "after" if last is None or last > 0 else "before")
    return f"from {_days(first)} {sides[0]} to {_days(last)} {sides[1]} the index date"


def _days(day: int | None) -> str:
    if day is None:
        return "any time"
    return f"{abs(day)} day" if abs(day) == 1 else f"{abs(day)} days"
