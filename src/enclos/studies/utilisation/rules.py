"""What is counted of the use of drugs, and how it is said."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from pyroaring import BitMap

from enclos.contracts.result import OVERALL, EstimateType
from enclos.studies.rules.entries import Strata
from enclos.studies.rules.evidence import Feature, Measure, Row, cohort_attrition
from enclos.studies.rules.report import Estimate, Place
from enclos.studies.rules.spread import count_and_share

GROUP_NAME = "cohort_name"
WHOLE_NUMBERS = (
    "number exposures",
    "time to exposure",
    "initial exposure duration",
    "number eras",
    "days exposed",
    "days prescribed",
)
QUANTITIES = ("cumulative quantity", "initial quantity")
DOSES = ("initial daily dose", "cumulative dose")
_ESTIMATES = ("q25", "median", "q75", "mean", "sd")
RESTARTS = ("restart", "switch", "restart and switch", "untreated")
_COUNT = EstimateType.INTEGER
Used: TypeAlias = tuple[str, str, str]
"""A variable, its unit (of a dose), and the drug."""


@dataclass(slots=True)
class Use:
    """Everything counted of one cohort."""

    entries: Feature = field(default_factory=Feature)
    measures: dict[Used, Measure] = field(default_factory=lambda: defaultdict(Measure))
    covered: list[tuple[BitMap, BitMap]] = field(default_factory=list)
    """On each day after the first entry: persons covered, among those observed."""
    ended: Feature = field(default_factory=Feature)
    """Entries whose end is followed."""
    restarts: dict[tuple[int, str], Feature] = field(default_factory=lambda: defaultdict(Feature))
    """By number of the follow-up and what happened."""
    left: list[Feature] = field(default_factory=list)
    """Stretches left after each reason."""


def fill_doses(uses: Collection[Use]) -> None:
    """Let entries without a dose in a unit that others have count as nought, as in the package."""
    doses = {key for use in uses for key in use.measures if key[0] in DOSES}
    for use in uses:
        for key in doses if use.entries.n else ():
            measure = use.measures[key]
            measure.kind = EstimateType.NUMERIC
            measure.spread.add(np.zeros(use.entries.n - measure.spread.n))


def use_rows(cohort: str, strata: Strata, use: Use, drugs: Sequence[str]) -> Iterator[Row]:
    """The use of each drug during each entry.

    Source: DrugUtilisation 1.2, summariseDrugUtilisation: an empty cohort has its two counts alone.
    """
    everyone = use.entries.persons
    for variable, n in (("number records", use.entries.n), ("number subjects", len(everyone))):
        place = Place(GROUP_NAME, cohort, variable, None, strata)
        yield Row(place, [Estimate("count", _COUNT, str(n))], everyone, everyone)
    for (variable, unit, drug), measure in sorted(use.measures.items(), key=lambda each: _order(each[0], drugs)):
        n_missing = use.entries.n - measure.spread.n
        missing = (
            Estimate("count_missing", _COUNT, str(n_missing)),
            Estimate("percentage_missing", EstimateType.PERCENTAGE, count_and_share(n_missing, use.entries.n)[1].value),
        )
        place = Place(GROUP_NAME, cohort, variable, unit or None, strata, additional=("concept_set", drug))
        estimates = [*measure.spread.estimates(_ESTIMATES, measure.kind), *missing]
        yield Row(place, estimates, measure.persons, everyone, measure.spread.values)


def _order(used: Used, drugs: Sequence[str]) -> tuple[int, str, int]:
    return (*WHOLE_NUMBERS, *QUANTITIES, *DOSES).index(used[0]), used[1], drugs.index(used[2])


def covered_rows(cohort: str, strata: Strata, use: Use) -> Iterator[Row]:
    """The proportion of patients covered, day by day after the first entry; a cohort of nobody has none.

    Source: DrugUtilisation 1.2, summariseProportionOfPatientsCovered: Wilson's interval, two decimals.
    """
    for day, (covered, observed) in enumerate(use.covered if use.entries.n else ()):
        n, n_of = len(covered), len(observed)
        estimates = [Estimate("outcome_count", _COUNT, str(n)), Estimate("denominator_count", _COUNT, str(n_of))]
        for name, value in zip(("ppc", "ppc_lower", "ppc_upper"), _wilson(n, n_of), strict=True):
            estimates.append(Estimate(name, EstimateType.PERCENTAGE, value))
        place = Place(GROUP_NAME, cohort, OVERALL, OVERALL, strata, additional=("time", str(day)))
        yield Row(place, estimates, covered, observed)


def _wilson(n: int, n_of: int) -> tuple[str | None, str | None, str | None]:
    """A share with its 95 % interval within 0 and 1, as percentages; none of nobody."""
    if not n_of:
        return None, None, None
    from scipy.special import ndtri

    z = float(ndtri(0.975))
    share = n / n_of
    centre = (n + z * z / 2) / (n_of + z * z)
    half = z * float(np.sqrt(n_of)) / (n_of + z * z) * float(np.sqrt(share * (1 - share) + z * z / (4 * n_of)))
    values = (share, max(0.0, centre - half), min(1.0, centre + half))
    first, second, third = (f"{100 * value:.2f}" for value in values)
    return first, second, third


def restart_rows(cohort: str, strata: Strata, use: Use, follow_up: Sequence[int | None]) -> Iterator[Row]:
    """What happens after a treatment ends.

    Source: DrugUtilisation 1.2, summariseDrugRestart.
    """
    for number, days in enumerate(follow_up):
        words = "till end of observation" if days is None else f"in {days} days"
        additional = ("follow_up_days", f"{'inf' if days is None else days} days")
        for level in RESTARTS:
            found = use.restarts[number, level]
            place = Place(GROUP_NAME, cohort, f"Drug restart {words}", level, strata, additional=additional)
            yield Row(place, count_and_share(found.n, use.ended.n), found.persons, use.ended.persons)


def attrition_rows(cohort: str, use: Use, gap_days: int) -> Iterator[Row]:
    """What bridging gaps, and keeping first eras alone, leaves of a cohort of drugs.

    Source: DrugUtilisation 1.2, attrition of cohorts of drugs.
    """
    words = (
        "Initial qualifying events",
        f"Collapse records separated by {gap_days} or less days",
        "Restricted to first entry",
    )
    yield from cohort_attrition(cohort, zip(words, use.left, strict=False))
