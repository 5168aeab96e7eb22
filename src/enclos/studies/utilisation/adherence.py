"""For how much of the days followed from the first day of each entry a drug was at hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyroaring import BitMap

from enclos.contracts.result import EstimateType
from enclos.studies.rules.entries import EntryColumns, Strata
from enclos.studies.rules.evidence import Feature, Row
from enclos.studies.rules.report import Estimate, Place
from enclos.studies.rules.spread import Spread, count_and_share
from enclos.studies.rules.tally import person_set
from enclos.studies.utilisation.model import Adherence

RESULT_TYPE, GROUP_NAME = "summarise_adherence", "cohort_name"
COVERED, POSSESSED = "proportion of days covered", "medication possession ratio"
ADHERENT = "persons with at least this proportion of days covered"
"""Its level is the proportion."""
_ESTIMATES = ("q25", "median", "q75", "mean", "sd")


@dataclass(slots=True)
class _Found:
    """What the entries of a cohort and stratum have of one drug."""

    covered: Spread = field(default_factory=Spread)
    possessed: Spread = field(default_factory=Spread)
    adherent: BitMap = field(default_factory=BitMap)
    """Persons whose first entry is covered enough."""


class AdherenceCounter:
    """Counts adherence to some drugs.

    Source: PDC and MPR as in Cramer et al. 2008 (Value Health 11:44, ISPOR) and Peterson et al. 2007 (Value Health
            10:3, ISPOR); 80 % is the threshold of the Pharmacy Quality Alliance. No day of supply is moved behind the
            exposure that it overlaps, since exposures have days of their own.
    """

    def __init__(self, asked: Adherence, drugs: Sequence[str]) -> None:
        self.asked = asked
        self._drugs = drugs
        self._found: dict[tuple[str, Strata, str], _Found] = {}
        self._first: dict[tuple[str, Strata], Feature] = {}
        """First entries."""

    def count(
        self,
        used: pa.Table,
        entries: EntryColumns,
        parts: Sequence[tuple[tuple[str, Strata], npt.NDArray[np.int64]]],
        drugs: Sequence[int],
    ) -> None:
        """Count a bucket.

        In: used — rows of plan_use, of exposures within the days followed; parts — the entries of each cohort and
            stratum; drugs — the index of each drug's cohort
        """
        followed = np.minimum(entries.future + 1, self.asked.days)
        for key, index in parts:
            first = index[entries.is_first[index]]
            self._first.setdefault(key, Feature()).add(len(first), person_set(entries.person[first]))
        drug, entry = used["drug"].to_numpy(), used["entry"].to_numpy()
        for number, name in zip(drugs, self._drugs, strict=True):
            own = drug == number
            covered, possessed = np.zeros(entries.n), np.zeros(entries.n)
            covered[entry[own]] = used["days_exposed"].to_numpy()[own]
            possessed[entry[own]] = used["days_supplied"].to_numpy()[own]
            covered, possessed = covered / followed, possessed / followed
            enough = entries.is_first & (covered >= self.asked.threshold)
            for key, index in parts:
                found = self._found.setdefault((*key, name), _Found())
                found.covered.add(covered[index])
                found.possessed.add(possessed[index])
                found.adherent |= person_set(entries.person[index[enough[index]]])

    @property
    def settings(self) -> Mapping[str, str]:
        """What is asked, in words."""
        return {"follow_up_days": str(self.asked.days), "threshold": f"{self.asked.threshold:g}"}

    def rows(self, cohort: str, strata: Strata, persons: BitMap) -> Iterator[Row]:
        """Both measures of the entries, then the persons who are adherent; a cohort of nobody has none.

        In: persons — those of the entries
        """
        for name in self._drugs if persons else ():
            found, first = self._found[cohort, strata, name], self._first[cohort, strata]
            added = ("concept_set", name)
            for variable, spread in ((COVERED, found.covered), (POSSESSED, found.possessed)):
                place = Place(GROUP_NAME, cohort, variable, None, strata, additional=added)
                yield Row(place, _spread(spread), persons, persons, spread.values)
            if first.n:
                level = self.settings["threshold"]
                place = Place(GROUP_NAME, cohort, ADHERENT, level, strata, additional=added)
                share = count_and_share(len(found.adherent), first.n)
                yield Row(place, share, found.adherent, first.persons)


def _spread(spread: Spread) -> Sequence[Estimate]:
    return spread.estimates(_ESTIMATES, EstimateType.NUMERIC)
