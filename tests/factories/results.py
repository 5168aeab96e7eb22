"""Results of small populations, with the persons behind every cell, as a study would hand them over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from random import Random

import numpy as np
import pyarrow as pa
from pyroaring import BitMap

from enclos.contracts.result import OVERALL, RESULT_COLUMNS, RESULT_SCHEMA, SEPARATOR, Cell, ResultSettings, StudyResult

GROUP_NAME = SEPARATOR.join(("denominator_cohort_name", "outcome_cohort_name"))
ALL_AGES = (0, 150)
YEARS = (2019, 2020, 2021)


@dataclass(frozen=True)
class Person:
    """Somebody with the days at risk in each year and the year of an event, if any."""

    sex: str
    born: int
    days: tuple[int, ...]
    event: int | None = None
    prior_days: int = 9999


def crowd(n_persons: int, seed: int, *, p_event: float = 0.1, n_years: int = len(YEARS)) -> list[Person]:
    """A random population."""
    random = Random(seed)  # noqa: S311 - test data
    people = []
    for _ in range(n_persons):
        days = tuple(random.choice((0, 100, 365)) for _ in range(n_years))
        at_risk = [year for year, n_days in enumerate(days) if n_days]
        event = random.choice(at_risk) if at_risk and random.random() < p_event else None
        sex = "Male" if random.random() < 0.5 else "Female"
        people.append(Person(sex, random.randint(1930, 2010), days, event, random.choice((0, 9999))))
    return people


@dataclass(frozen=True)
class Asked:
    """What a study asks for."""

    sexes: Sequence[str] = ("Both", "Male", "Female")
    ages: Sequence[tuple[int, int]] = (ALL_AGES,)
    priors: Sequence[int] = (0,)
    overall: bool = True
    years: bool = True
    outcome: str = "bleed"
    washout: str = "inf"


def result_of(people: Sequence[Person], *analyses: Asked, attrition: bool = True) -> StudyResult:
    """Incidence of the first event by calendar year and overall, with its attrition."""
    writer = _Writer()
    for asked in analyses or (Asked(),):
        strata = list(product(asked.ages, asked.sexes, asked.priors))
        for number, (age, sex, prior) in enumerate(strata, start=1):
            values = _settings(asked, age, sex, prior)
            group_level = SEPARATOR.join((f"denominator_cohort_{number}", asked.outcome))
            result_id = writer.start("incidence", values)
            n_years = len(people[0].days) if people else len(YEARS)
            windows: list[tuple[str, Sequence[int]]] = []
            if asked.years:
                windows += [(_year(year, year), [year]) for year in range(n_years)]
            if asked.overall:
                windows.append((_year(0, n_years - 1, "overall"), range(n_years)))
            for level, years in windows:
                writer.add_incidence(result_id, group_level, level, *_counted(people, years, age, sex, prior))
            if attrition:
                attrition_id = writer.start("incidence_attrition", values)
                writer.add_attrition(attrition_id, group_level, _chain(people, age, sex, prior, n_years))
    return writer.result(len(people))


def _counted(
    people: Sequence[Person], years: Iterable[int], age: tuple[int, int], sex: str, prior: int
) -> tuple[BitMap, BitMap, int]:
    at_risk, cases, n_days = BitMap(), BitMap(), 0
    for number, person in enumerate(people):
        for year in years:
            if person.days[year] and _belongs(person, year, age, sex, prior):
                at_risk.add(number)
                n_days += person.days[year]
                if person.event == year:
                    cases.add(number)
    return cases, at_risk, n_days


def _belongs(person: Person, year: int, age: tuple[int, int], sex: str, prior: int) -> bool:
    old = 2019 + year - person.born
    return sex in {"Both", person.sex} and age[0] <= old <= age[1] and person.prior_days >= prior


def _chain(
    people: Sequence[Person], age: tuple[int, int], sex: str, prior: int, n_years: int
) -> list[tuple[int, str, int]]:
    """What is left after each reason."""
    of_sex = [person for person in people if sex in {"Both", person.sex}]
    left = [p for p in of_sex if any(p.days[y] and _belongs(p, y, age, sex, prior) for y in range(n_years))]
    chain = [(1, "Starting population", len(people))]
    if sex != "Both":
        chain.append((8, f"Not {sex}", len(of_sex)))
    return [*chain, (10, "No observation time available", len(left))]


def _settings(asked: Asked, age: tuple[int, int], sex: str, prior: int) -> dict[str, str]:
    return {
        "package_name": "enclos",
        "package_version": "0.1.0",
        "group": GROUP_NAME,
        "min_cell_count": "0",
        "analysis_outcome_washout": asked.washout,
        "denominator_age_group": f"{age[0]} to {age[1]}",
        "denominator_sex": sex,
        "denominator_days_prior_observation": str(prior),
    }


def _year(first: int, last: int, interval: str = "years") -> str:
    days = f"{2019 + first}-01-01", f"{2019 + last}-12-31"
    return SEPARATOR.join(days if interval == "overall" else (*days, interval))


class _Writer:
    def __init__(self) -> None:
        self.rows: list[dict[str, object]] = []
        self.settings: list[ResultSettings] = []
        self.cells: list[tuple[int, str, str, BitMap, BitMap]] = []

    def start(self, result_type: str, values: dict[str, str]) -> int:
        self.settings.append(ResultSettings(len(self.settings) + 1, {"result_type": result_type, **values}))
        return len(self.settings)

    def add_incidence(
        self, result_id: int, group_level: str, level: str, cases: BitMap, at_risk: BitMap, n_days: int
    ) -> None:
        if not at_risk:
            return
        years = round(n_days / 365.25, 3)
        rate = len(cases) / years * 100_000
        for variable, name, kind, value in (
            ("Denominator", "denominator_count", "integer", str(len(at_risk))),
            ("Outcome", "outcome_count", "integer", str(len(cases))),
            ("Denominator", "person_days", "numeric", str(n_days)),
            ("Denominator", "person_years", "numeric", f"{years:.3f}"),
            ("Outcome", "incidence_100000_pys", "numeric", f"{rate:.3f}"),
            ("Outcome", "incidence_100000_pys_95CI_lower", "numeric", f"{rate * 0.8:.3f}"),
            ("Outcome", "incidence_100000_pys_95CI_upper", "numeric", f"{rate * 1.2 + 1:.3f}"),
        ):
            self._row(result_id, group_level, (OVERALL, OVERALL), variable, name, kind, value, ("", level))
        self.cells.append((result_id, group_level, level, cases, at_risk))

    def add_attrition(self, result_id: int, group_level: str, chain: Sequence[tuple[int, str, int]]) -> None:
        before: int | None = None
        for reason_id, reason, left in chain:
            taken = None if before is None else str(before - left)
            for variable, value in (
                ("number_records", str(left)),
                ("number_subjects", str(left)),
                ("excluded_records", taken),
                ("excluded_subjects", taken),
            ):
                strata, additional = ("reason", reason), ("reason_id", str(reason_id))
                self._row(result_id, group_level, strata, variable, "count", "integer", value, additional)
            before = left

    def _row(
        self,
        result_id: int,
        group_level: str,
        strata: tuple[str, str],
        variable: str,
        name: str,
        kind: str,
        value: str | None,
        additional: tuple[str, str],
    ) -> None:
        names = SEPARATOR.join(("incidence_start_date", "incidence_end_date"))
        if additional[1].count(SEPARATOR) == 2:
            names = SEPARATOR.join((names, "analysis_interval"))
        self.rows.append(
            dict(
                zip(
                    RESULT_COLUMNS,
                    (
                        result_id,
                        "base",
                        GROUP_NAME,
                        group_level,
                        *strata,
                        variable,
                        None,
                        name,
                        kind,
                        value,
                        additional[0] or names,
                        additional[1],
                    ),
                    strict=True,
                )
            )
        )

    def result(self, n_persons: int) -> StudyResult:
        numbers = np.arange(n_persons, dtype=np.int64) * 1000 + 7
        cells = tuple(
            Cell(result_id, group, OVERALL, OVERALL, level, cases, at_risk, numbers)
            for result_id, group, level, cases, at_risk in self.cells
        )
        return StudyResult(pa.Table.from_pylist(self.rows, schema=RESULT_SCHEMA), tuple(self.settings), cells)
