"""What a rate or a share says beside its counts, printed as the study prints it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from enclos.release.model import Role
from enclos.studies.rules import estimates


def incidence_values(n_events: int, n_days: int, n_persons: int) -> Mapping[Role, str | None]:
    """Every estimate of an incidence, from its counts.

    Units: days at risk; a rate per 100 000 person-years
    """
    events, days = np.array([n_events], dtype=np.int64), np.array([n_days], dtype=np.int64)
    years = estimates.person_years(days)
    lower, upper = estimates.poisson_interval_per_100k(events, years)
    return {
        Role.DENOMINATOR: str(n_persons),
        Role.NUMERATOR: str(n_events),
        Role.TIME: str(n_days),
        Role.OF_TIME: estimates.printed(float(years[0])),
        Role.RATIO: estimates.printed(float(estimates.per_100k_person_years(events, years)[0])),
        Role.LOWER: estimates.printed(float(lower[0])),
        Role.UPPER: estimates.printed(float(upper[0])),
    }


def prevalence_values(n_cases: int, n_persons: int) -> Mapping[Role, str | None]:
    """Every estimate of a prevalence, from its counts."""
    cases, persons = np.array([n_cases]), np.array([n_persons])
    lower, upper = estimates.wilson_interval(cases, persons)
    return {
        Role.DENOMINATOR: str(n_persons),
        Role.NUMERATOR: str(n_cases),
        Role.RATIO: estimates.printed(float(estimates.share(cases, persons)[0])),
        Role.LOWER: estimates.printed(float(lower[0])),
        Role.UPPER: estimates.printed(float(upper[0])),
    }
