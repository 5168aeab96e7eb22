"""Where persons live, for analyses that are made apart for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pyarrow as pa

from enclos.studies.model import CohortAnalysis, Stratum
from enclos.studies.plans.people import plan_homes
from enclos.studies.ports import CdmBucket

COLUMNS: Mapping[str, tuple[str, ...]] = {"person": ("location_id",), "location": ("location_id", "county")}
"""What is read of it."""


def homes(bucket: CdmBucket, strata: Iterable[object]) -> pa.Table | None:
    """Where each person of a bucket lives (see plan_homes); None where no stratum asks for it."""
    return bucket.query(plan_homes()) if _is_asked(strata) else None


def by_department(analysis: CohortAnalysis) -> bool:
    """Whether an analysis of cohorts is made apart for where persons live."""
    return _is_asked(getattr(analysis, "strata", ()))


def _is_asked(strata: Iterable[object]) -> bool:
    names = {getattr(name, "value", name) for each in strata for name in (each if isinstance(each, tuple) else (each,))}
    return Stratum.DEPARTMENT.value in names
