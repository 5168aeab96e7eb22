"""For how many exposures to an ingredient a daily dose is known, and how large it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from enclos.contracts.result import OVERALL, SEPARATOR, EstimateType
from enclos.studies.ports import CdmBucket
from enclos.studies.rules.evidence import Feature, Measure, Row
from enclos.studies.rules.report import Estimate, Place
from enclos.studies.rules.spread import count_and_share
from enclos.studies.rules.tally import person_set
from enclos.studies.utilisation import plans

RESULT_TYPE, GROUP_NAME = "summarise_dose_coverage", "ingredient_name"
STRATA = ((), ("unit",), ("route", "unit"), ("unit", "route", "pattern"))
"""What exposures are told apart by."""
STRATA_NAMES = SEPARATOR.join(STRATA[-1])
_MISSING = "missing"
_ESTIMATES = ("mean", "sd", "q25", "median", "q75")
_COUNT = EstimateType.INTEGER


@dataclass(slots=True)
class _Coverage:
    exposures: Feature = field(default_factory=Feature)
    without: Feature = field(default_factory=Feature)
    """Exposures whose daily dose is not known."""
    doses: Measure = field(default_factory=lambda: Measure(kind=EstimateType.NUMERIC))


class CoverageCounter:
    """Counts the exposures to some ingredients that the permit shows, whoever has them."""

    def __init__(self, ingredients: Sequence[int]) -> None:
        self._ingredients = ingredients
        self._names: dict[int, str] = {}
        self._found: dict[int, dict[tuple[str, str], _Coverage]] = {each: {} for each in ingredients}

    def count(self, bucket: CdmBucket, first_person: int) -> None:
        """Count a bucket whose ``study_person`` is made."""
        if self._ingredients and not self._names:
            rows = bucket.query(plans.plan_concept_names(self._ingredients)).to_pylist()
            self._names = {each: str(each) for each in self._ingredients}
            self._names |= {row["concept_id"]: row["concept_name"] for row in rows if row["concept_name"]}
        for ingredient in self._ingredients:
            rows = bucket.query(plans.plan_dose_coverage(ingredient))
            if rows.num_rows:
                self._add(self._found[ingredient], rows, first_person)

    def _add(self, found: dict[tuple[str, str], _Coverage], rows: pa.Table, first_person: int) -> None:
        person = rows["ordinal"].to_numpy().astype(np.uint32) + np.uint32(first_person)
        dose = rows["dose"].to_numpy().astype(np.float64)
        for names in STRATA:
            place = np.zeros(rows.num_rows, dtype=np.int64)
            """Of each exposure, the number of its combination of levels."""
            levels: list[tuple[str, ...]] = [()]
            for name in names:
                words = rows[name].combine_chunks().fill_null(_MISSING).dictionary_encode()
                place = place * len(words.dictionary) + words.indices.to_numpy()
                levels = [(*level, word) for level in levels for word in words.dictionary.to_pylist()]
            for at in np.unique(place).tolist():
                own = place == at
                known = own & ~np.isnan(dose)
                key = (SEPARATOR.join(names) or OVERALL, SEPARATOR.join(levels[at]) or OVERALL)
                coverage = found.setdefault(key, _Coverage())
                coverage.exposures.add(int(own.sum()), person_set(person[own]))
                coverage.without.add(int((own & ~known).sum()), person_set(person[own & ~known]))
                coverage.doses.spread.add(dose[known])
                coverage.doses.persons |= person_set(person[known])

    def rows(self) -> Iterator[Row]:
        """Exposures, those whose dose is not known, and the daily doses in each unit.

        Source: DrugUtilisation 1.2, summariseDoseCoverage. Of all units together there is no dose here.
        """
        order = [SEPARATOR.join(names) or OVERALL for names in STRATA]
        for ingredient, found in self._found.items():
            whole = (OVERALL, OVERALL)
            for key in sorted(found or {whole: _Coverage()}, key=lambda each: (order.index(each[0]), each[1])):
                yield from self._rows_of(self._names.get(ingredient, str(ingredient)), key, found.get(key, _Coverage()))

    def _rows_of(self, ingredient: str, strata: tuple[str, str], found: _Coverage) -> Iterator[Row]:
        everyone = found.exposures.persons
        for variable, n in (("number records", found.exposures.n), ("number subjects", len(everyone))):
            place = Place(GROUP_NAME, ingredient, variable, None, strata)
            yield Row(place, [Estimate("count", _COUNT, str(n))], everyone, everyone)
        if not found.exposures.n:
            return
        share = count_and_share(found.without.n, found.exposures.n)[1].value
        missing = (
            Estimate("count_missing", _COUNT, str(found.without.n)),
            Estimate("percentage_missing", EstimateType.PERCENTAGE, share),
        )
        yield Row(Place(GROUP_NAME, ingredient, "Missing dose", None, strata), missing, found.without.persons, everyone)
        if strata[0] != OVERALL and found.doses.persons:
            place = Place(GROUP_NAME, ingredient, "daily_dose", None, strata)
            spread = found.doses.spread
            yield Row(
                place, spread.estimates(_ESTIMATES, found.doses.kind), found.doses.persons, everyone, spread.values
            )
