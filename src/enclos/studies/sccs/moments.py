"""When a day is: age, season and calendar of each month of each case, as the values of splines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from enclos.studies.sccs import splines
from enclos.studies.sccs.intervals import Floats, Ints, People, Stretches, in_months, month_of
from enclos.studies.sccs.model import Time

AGE, SEASON, CALENDAR = "age_spline", "season_spline", "calendar_spline"


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """The components of each spline, zero columns for one that is not asked for, and where it starts."""

    age: Floats
    first_age_days: int
    season: Floats
    calendar: Floats
    first_month: int

    @property
    def names(self) -> tuple[str, ...]:
        """The spline of each column of ``at``."""
        parts = ((AGE, self.age), (SEASON, self.season), (CALENDAR, self.calendar))
        return tuple(name for name, curve in parts for _ in range(curve.shape[1]))

    def of_age(self, age_days: Ints) -> Ints:
        """The row of ages; beyond the ends the curve stays as it is there."""
        return np.clip(age_days - self.first_age_days, 0, len(self.age) - 1)

    def of_calendar(self, month: Ints) -> Ints:
        """The row of months."""
        return np.clip(month - self.first_month, 0, len(self.calendar) - 1)


def curves_of(people: People, asked: Time) -> Curves:
    """The splines asked for, knots where these cases have them."""
    flat = np.zeros((1, 0))
    age_knots, month_knots = np.zeros(1), np.zeros(1)
    age = calendar = flat
    season = np.zeros((12, 0))
    if asked.age_knots:
        ages = people.outcome_day - people.born_day[people.outcome_case]
        age_knots = splines.age_knots(ages, asked.age_knots)
        age = splines.curve(age_knots)
    if asked.season_knots:
        season = splines.season(asked.season_knots)
    if asked.calendar_knots:
        first, last = month_of(people.first_day), month_of(people.last_day)
        month_knots = splines.month_knots(first, last, asked.calendar_knots)
        calendar = splines.curve(month_knots)
    first_age, first_month = (int(knots[0]) if len(knots) else 0 for knots in (age_knots, month_knots))
    return Curves(age, first_age, season, calendar, first_month)


def moments_of(people: People, curves: Curves) -> tuple[Stretches, Floats]:
    """Each case's time by months, and the splines' values at each kind of month.

    A month counts with its first day on which the case counts.

    Out: stretches whose kind is a row of the values; the values, one column per component
    """
    months = in_months(people)
    age_days = months.first_day - people.born_day[months.case]
    places = np.column_stack(
        (
            curves.of_age(age_days) if curves.age.shape[1] else np.zeros(len(months), dtype=np.int64),
            months.kind % 12 if curves.season.shape[1] else np.zeros(len(months), dtype=np.int64),
            curves.of_calendar(months.kind) if curves.calendar.shape[1] else np.zeros(len(months), dtype=np.int64),
        )
    )
    kinds, kind = np.unique(places, axis=0, return_inverse=True)
    values = np.hstack((curves.age[kinds[:, 0]], curves.season[kinds[:, 1]], curves.calendar[kinds[:, 2]]))
    return Stretches(months.case, kind.reshape(-1), months.first_day, months.last_day), values
