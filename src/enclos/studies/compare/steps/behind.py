"""Who is behind the numbers of a comparison that rest on both cohorts at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap
from scipy.sparse import csc_array

from enclos.studies.compare.rules.population import Followed
from enclos.studies.compare.steps.estimating import Findings, OutcomeFindings
from enclos.studies.rules.report import Part

Ints: TypeAlias = npt.NDArray[np.int64]
Bools: TypeAlias = npt.NDArray[np.bool_]
_MOST_COVARIATES = 100
"""Of the largest differences before, and of those after adjustment, this many are told with their persons."""


def set_of(persons: Ints) -> BitMap:
    """The persons of some entries."""
    return BitMap(persons.astype(np.uint32))


def arms_of(persons: Ints, treated: Bools) -> list[Part]:
    """Each cohort among both."""
    both = set_of(persons)
    return [(set_of(persons[treated == arm]), both) for arm in (True, False)]


def outcomes_by_arm(seen: Followed) -> list[Part]:
    """Who has the outcome in each cohort, among all of it."""
    arms = [seen.treated == arm for arm in (True, False)]
    return [(set_of(seen.person[those & seen.with_outcome]), set_of(seen.person[those])) for those in arms]


def most_different(found: Findings, outcome: OutcomeFindings) -> list[int]:
    """The columns of the covariates that differ most before or after adjustment."""
    columns: set[int] = set()
    for each in (found.before, outcome.balance):
        if each is not None:
            sizes = np.nan_to_num(np.abs(each.difference))
            columns.update(np.argsort(-sizes, kind="stable")[:_MOST_COVARIATES].tolist())
    return sorted(columns)


def covariate_parts(
    found: Findings, columns: Sequence[int], seen: Followed | None = None
) -> Mapping[int, tuple[Part, Part]]:
    """Who has a covariate in each cohort, by its column.

    In:    seen — the entries that are looked at; None: all that the score was fitted on
    Empty: a covariate that is no yes or no is not there
    """
    if found.covariates is None:
        return {}
    kept = np.arange(len(found.at)) if seen is None else np.searchsorted(found.at, seen.at)
    persons, treated = found.steps[-1].person[kept], found.treated[kept]
    rows = csc_array(csc_array(found.covariates.values[:, list(columns)]).tocsr()[kept])
    arms = [treated == arm for arm in (True, False)]
    among = [set_of(persons[those]) for those in arms]
    parts: dict[int, tuple[Part, Part]] = {}
    for at, column in enumerate(columns):
        start, end = rows.indptr[at], rows.indptr[at + 1]
        having = np.zeros(len(kept), dtype=np.bool_)
        having[rows.indices[start:end]] = True
        if (rows.data[start:end] == 1).all():
            target, comparator = ((set_of(persons[having & those]), of) for those, of in zip(arms, among, strict=True))
            parts[column] = (target, comparator)
    return parts
