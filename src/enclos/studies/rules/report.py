"""From tallies to the rows of a result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from pyroaring import BitMap

from enclos.contracts.result import (
    OVERALL,
    RESULT_COLUMNS,
    RESULT_SCHEMA,
    SEPARATOR,
    Cell,
    EstimateType,
    PersonNumbers,
    ResultSettings,
    StudyResult,
    Values,
)
from enclos.studies.model import AgeGroup, Incidence, Interval, PeriodPrevalence, PointPrevalence
from enclos.studies.rules import estimates
from enclos.studies.rules.attrition import AttritionRow
from enclos.studies.rules.calendar import Windows, in_words
from enclos.studies.rules.outline import Denominator
from enclos.studies.standard.model import Ages
from enclos.studies.standard.rules import standardised

GROUP_NAME = SEPARATOR.join(("denominator_cohort_name", "outcome_cohort_name"))
_OUTCOME, _DENOMINATOR = "Outcome", "Denominator"
_INCIDENCE_ESTIMATES: tuple[tuple[str, str, EstimateType], ...] = (
    (_DENOMINATOR, "denominator_count", EstimateType.INTEGER),
    (_OUTCOME, "outcome_count", EstimateType.INTEGER),
    (_DENOMINATOR, "person_days", EstimateType.NUMERIC),
    (_DENOMINATOR, "person_years", EstimateType.NUMERIC),
    (_OUTCOME, "incidence_100000_pys", EstimateType.NUMERIC),
    (_OUTCOME, "incidence_100000_pys_95CI_lower", EstimateType.NUMERIC),
    (_OUTCOME, "incidence_100000_pys_95CI_upper", EstimateType.NUMERIC),
)
_STANDARDISED_ESTIMATES: tuple[tuple[str, str, EstimateType], ...] = (
    (_OUTCOME, "standardised_100000_pys", EstimateType.NUMERIC),
    (_OUTCOME, "standardised_100000_pys_95CI_lower", EstimateType.NUMERIC),
    (_OUTCOME, "standardised_100000_pys_95CI_upper", EstimateType.NUMERIC),
)
_PREVALENCE_ESTIMATES: tuple[tuple[str, str, EstimateType], ...] = (
    (_DENOMINATOR, "denominator_count", EstimateType.INTEGER),
    (_OUTCOME, "outcome_count", EstimateType.INTEGER),
    (_OUTCOME, "prevalence", EstimateType.NUMERIC),
    (_OUTCOME, "prevalence_95CI_lower", EstimateType.NUMERIC),
    (_OUTCOME, "prevalence_95CI_upper", EstimateType.NUMERIC),
)
_ATTRITION_COUNTS = ("number_records", "number_subjects", "excluded_records", "excluded_subjects")


@dataclass(frozen=True, slots=True)
class Label:
    """The window of one estimate."""

    interval: Interval
    first_day: int
    last_day: int

    def additional(self, prefix: str) -> tuple[str, str]:
        """Name and level of the result's additional column; an overall window does not name its interval."""
        names = [f"{prefix}_start_date", f"{prefix}_end_date"]
        levels = [in_words(self.first_day), in_words(self.last_day)]
        if self.interval is not Interval.OVERALL:
            names.append("analysis_interval")
            levels.append(self.interval.value)
        return SEPARATOR.join(names), SEPARATOR.join(levels)


@dataclass(slots=True)
class IncidenceEstimates:
    """Windows of one pair with what was counted in them."""

    labels: list[Label] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    """Of each window its number among those of its interval, the same for every pair of an analysis."""
    n_events: list[int] = field(default_factory=list)
    person_days: list[int] = field(default_factory=list)
    at_risk: list[BitMap] = field(default_factory=list)
    cases: list[BitMap] = field(default_factory=list)

    def add(self, label: Label, place: int, n_events: int, person_days: int, at_risk: BitMap, cases: BitMap) -> None:
        """Add a window; one in which nobody is at risk has no rate and is left out, as in the peer."""
        if not at_risk:
            return
        self.labels.append(label)
        self.places.append(place)
        self.n_events.append(n_events)
        self.person_days.append(person_days)
        self.at_risk.append(at_risk)
        self.cases.append(cases)

    def columns(self) -> list[list[str | None]]:
        """The text of each estimate, in the order of the result."""
        n_events = np.array(self.n_events, dtype=np.int64)
        person_days = np.array(self.person_days, dtype=np.int64)
        years = estimates.person_years(person_days)
        rate = estimates.per_100k_person_years(n_events, years)
        lower, upper = estimates.poisson_interval_per_100k(n_events, years)
        counts = ([len(each) for each in self.at_risk], self.n_events, self.person_days)
        return [*map(_whole, counts), *map(_printed, (years, rate, lower, upper))]


@dataclass(slots=True)
class StandardisedEstimates:
    """Rates per year with their intervals, and who is behind them."""

    labels: list[Label] = field(default_factory=list)
    rates: list[tuple[float, float, float]] = field(default_factory=list)
    at_risk: list[BitMap] = field(default_factory=list)
    cases: list[BitMap] = field(default_factory=list)

    @classmethod
    def of(cls, groups: Sequence[tuple[IncidenceEstimates, int]]) -> StandardisedEstimates:
        """The rates of the windows that every age group has somebody at risk in.

        In:  groups — each age group with its weight
        Out: a window from the first to the last day of any of them
        """
        found = cls()
        rows = [
            {(label.interval, place): at for at, (label, place) in enumerate(zip(own.labels, own.places, strict=True))}
            for own, _ in groups
        ]
        for window in rows[0]:
            if not all(window in each for each in rows):
                continue
            parts = [(own, each[window], weight) for (own, weight), each in zip(groups, rows, strict=True)]
            labels = [own.labels[at] for own, at, _ in parts]
            first, last = min(each.first_day for each in labels), max(each.last_day for each in labels)
            years = [own.person_days[at] / estimates.DAYS_PER_YEAR for own, at, _ in parts]
            n_events = [own.n_events[at] for own, at, _ in parts]
            found.labels.append(Label(window[0], first, last))
            found.rates.append(standardised(n_events, years, [weight for _, _, weight in parts]))
            found.at_risk.append(BitMap.union(*(own.at_risk[at] for own, at, _ in parts)))
            found.cases.append(BitMap.union(*(own.cases[at] for own, at, _ in parts)))
        return found

    def columns(self) -> list[list[str | None]]:
        """The text of each estimate, in the order of the result."""
        return [[estimates.printed(estimates.per_100k(rates[at])) for rates in self.rates] for at in range(3)]


@dataclass(slots=True)
class PrevalenceEstimates:
    """Windows of one pair with who was counted in them."""

    labels: list[Label] = field(default_factory=list)
    present: list[BitMap] = field(default_factory=list)
    cases: list[BitMap] = field(default_factory=list)

    def add(self, label: Label, present: BitMap, cases: BitMap) -> None:
        """Add a window."""
        self.labels.append(label)
        self.present.append(present)
        self.cases.append(cases)

    def columns(self) -> list[list[str | None]]:
        """The text of each estimate, in the order of the result."""
        n_persons = np.array([len(each) for each in self.present], dtype=np.int64)
        n_cases = np.array([len(each) for each in self.cases], dtype=np.int64)
        lower, upper = estimates.wilson_interval(n_cases, n_persons)
        shares = (estimates.share(n_cases, n_persons), lower, upper)
        return [*map(_whole, (n_persons.tolist(), n_cases.tolist())), *map(_printed, shares)]


def _whole(numbers: Sequence[int]) -> list[str | None]:
    return [str(number) for number in numbers]


def _printed(numbers: estimates.Floats) -> list[str | None]:
    return [estimates.printed(number) for number in numbers.tolist()]


def labels_of(interval: Interval, windows: Windows) -> list[Label]:
    """The label of each window."""
    spans = zip(windows.first_days.tolist(), windows.last_days.tolist(), strict=True)
    return [Label(interval, first_day, last_day) for first_day, last_day in spans]


@dataclass(frozen=True, slots=True)
class Place:
    """Where an estimate stands in a result: its group, stratum, variable and what is added; names and levels."""

    group_name: str
    group_level: str
    variable: str | None = None
    variable_level: str | None = None
    strata: tuple[str, str] = (OVERALL, OVERALL)
    additional: tuple[str, str] = (OVERALL, OVERALL)


@dataclass(frozen=True, slots=True)
class Estimate:
    """One number as it is printed; None where there is none."""

    name: str
    type: EstimateType
    value: str | None


class Report:
    """Collects the rows of a result in order."""

    def __init__(self, cdm_name: str, package_version: str) -> None:
        self._cdm_name = cdm_name
        self._version = package_version
        self._columns: dict[str, list[object]] = {name: [] for name in RESULT_COLUMNS}
        self._tables: list[pa.Table] = []
        """Rows before those in ``_columns``."""
        self._settings: list[ResultSettings] = []
        self._cells: list[tuple[int, Place, BitMap, BitMap, Values | None]] = []

    def start(self, result_type: str, group: str, strata: str, additional: str, values: Mapping[str, str]) -> int:
        """Start a result id with its settings."""
        shared = {
            "result_type": result_type,
            "package_name": "enclos",
            "package_version": self._version,
            "group": group,
            "strata": strata,
            "additional": additional,
            "min_cell_count": "0",
        }
        self._settings.append(ResultSettings(len(self._settings) + 1, {**shared, **values}))
        return len(self._settings)

    def add_incidence(
        self, result_id: int, group_level: str, found: IncidenceEstimates, strata: tuple[str, str]
    ) -> None:
        """Add the estimates of one pair."""
        texts = found.columns()
        self._add_estimates(result_id, (group_level, strata), "incidence", found.labels, _INCIDENCE_ESTIMATES, texts)
        self._add_cells(result_id, (group_level, strata), "incidence", found.labels, found.cases, found.at_risk)

    def add_standardised(
        self, result_id: int, group_level: str, found: StandardisedEstimates, strata: tuple[str, str]
    ) -> None:
        """Add the standardised rates of one outcome."""
        texts = found.columns()
        self._add_estimates(result_id, (group_level, strata), "incidence", found.labels, _STANDARDISED_ESTIMATES, texts)
        self._add_cells(result_id, (group_level, strata), "incidence", found.labels, found.cases, found.at_risk)

    def add_prevalence(
        self, result_id: int, group_level: str, found: PrevalenceEstimates, strata: tuple[str, str]
    ) -> None:
        """Add the estimates of one pair."""
        texts = found.columns()
        self._add_estimates(result_id, (group_level, strata), "prevalence", found.labels, _PREVALENCE_ESTIMATES, texts)
        self._add_cells(result_id, (group_level, strata), "prevalence", found.labels, found.cases, found.present)

    def _add_estimates(
        self,
        result_id: int,
        where: tuple[str, tuple[str, str]],
        prefix: str,
        labels: Sequence[Label],
        kinds: Sequence[tuple[str, str, EstimateType]],
        texts: Sequence[Sequence[str | None]],
    ) -> None:
        n_kinds, n = len(kinds), len(labels)
        additional = [label.additional(prefix) for label in labels]
        add = self._columns
        add["variable_name"] += [variable for variable, _, _ in kinds] * n
        add["estimate_name"] += [name for _, name, _ in kinds] * n
        add["estimate_type"] += [kind.value for _, _, kind in kinds] * n
        add["estimate_value"] += [text[row] for row in range(n) for text in texts]
        add["additional_name"] += [name for name, _ in additional for _ in range(n_kinds)]
        add["additional_level"] += [level for _, level in additional for _ in range(n_kinds)]
        self._fill(n * n_kinds, result_id, *where)

    def _fill(self, n: int, result_id: int, group_level: str, strata: tuple[str, str]) -> None:
        add = self._columns
        add["result_id"] += [result_id] * n
        add["cdm_name"] += [self._cdm_name] * n
        add["group_name"] += [GROUP_NAME] * n
        add["group_level"] += [group_level] * n
        add["strata_name"] += [strata[0]] * n
        add["strata_level"] += [strata[1]] * n
        add["variable_level"] += [None] * n

    def _add_cells(
        self,
        result_id: int,
        where: tuple[str, tuple[str, str]],
        prefix: str,
        labels: Sequence[Label],
        numerators: Sequence[BitMap],
        denominators: Sequence[BitMap],
    ) -> None:
        for label, numerator, denominator in zip(labels, numerators, denominators, strict=True):
            place = Place(GROUP_NAME, where[0], strata=where[1], additional=label.additional(prefix))
            self._cells.append((result_id, place, numerator, denominator, None))

    def add(self, result_id: int, place: Place, found: Sequence[Estimate]) -> None:
        """Add the estimates of one place.

        In: place — with a variable
        """
        rows: dict[str, object] = {
            "result_id": result_id,
            "cdm_name": self._cdm_name,
            "group_name": place.group_name,
            "group_level": place.group_level,
            "strata_name": place.strata[0],
            "strata_level": place.strata[1],
            "variable_name": place.variable,
            "variable_level": place.variable_level,
            "additional_name": place.additional[0],
            "additional_level": place.additional[1],
        }
        for name, value in rows.items():
            self._columns[name] += [value] * len(found)
        self._columns["estimate_name"] += [each.name for each in found]
        self._columns["estimate_type"] += [each.type.value for each in found]
        self._columns["estimate_value"] += [each.value for each in found]

    def add_series(
        self, result_id: int, place: Place, levels: pa.Array, kinds: Sequence[tuple[str, EstimateType]], texts: pa.Array
    ) -> None:
        """Add the same estimates for many levels of the additional column.

        In: place — with a variable; its additional level is left aside
            kinds — name and type of each estimate
            texts — for each of them in turn, one text per level
        """
        n, n_kinds = len(levels), len(kinds)
        by_level = pa.array(np.arange(n * n_kinds).reshape(n_kinds, n).T.ravel())
        names, types = ([name for name, _ in kinds], [kind.value for _, kind in kinds])
        columns: dict[str, pa.Array] = {
            "result_id": pa.array(np.full(n * n_kinds, result_id)),
            "cdm_name": _repeated([self._cdm_name] * n_kinds, n),
            "group_name": _repeated([place.group_name] * n_kinds, n),
            "group_level": _repeated([place.group_level] * n_kinds, n),
            "strata_name": _repeated([place.strata[0]] * n_kinds, n),
            "strata_level": _repeated([place.strata[1]] * n_kinds, n),
            "variable_name": _repeated([place.variable] * n_kinds, n),
            "variable_level": _repeated([place.variable_level] * n_kinds, n),
            "estimate_name": _repeated(names, n),
            "estimate_type": _repeated(types, n),
            "estimate_value": texts.take(by_level),
            "additional_name": _repeated([place.additional[0]] * n_kinds, n),
            "additional_level": levels.take(pa.array(np.repeat(np.arange(n), n_kinds))),
        }
        self._tables += [self._taken(), pa.table(columns, schema=RESULT_SCHEMA)]

    def _taken(self) -> pa.Table:
        """The rows gathered one by one so far, which are then forgotten."""
        rows = pa.table(self._columns, schema=RESULT_SCHEMA)
        self._columns = {name: [] for name in RESULT_COLUMNS}
        return rows

    def add_cell(
        self, result_id: int, place: Place, numerator: BitMap, denominator: BitMap, values: Values | None = None
    ) -> None:
        """Say who is behind the estimates of one place: persons by dense number, the numerator's among the others'.

        In: values — what means and quantiles of the place owe to few
        """
        self._cells.append((result_id, place, numerator, denominator, values))

    def add_attrition(self, result_id: int, group_level: str, rows: Sequence[AttritionRow]) -> None:
        """Add the attrition of one pair."""
        add = self._columns
        n = len(_ATTRITION_COUNTS)
        for row in rows:
            counts = (row.left.n_records, row.left.n_subjects, row.excluded_records, row.excluded_subjects)
            add["variable_name"] += _ATTRITION_COUNTS
            add["estimate_name"] += ["count"] * n
            add["estimate_type"] += [EstimateType.INTEGER.value] * n
            add["estimate_value"] += [None if count is None else str(count) for count in counts]
            add["additional_name"] += ["reason_id"] * n
            add["additional_level"] += [str(row.left.reason_id)] * n
            self._fill(n, result_id, group_level, ("reason", row.left.reason))

    def result(self, person_numbers: PersonNumbers) -> StudyResult:
        """The result, its cells holding the persons' numbers."""
        cells = tuple(
            Cell(
                result_id,
                place.group_level,
                *place.strata,
                place.additional[1],
                numerator,
                denominator,
                person_numbers,
                place.variable or "",
                place.variable_level or "",
                values,
            )
            for result_id, place, numerator, denominator, values in self._cells
        )
        table = pa.concat_tables([*self._tables, self._taken()])
        return StudyResult(table, tuple(self._settings), cells)


def _repeated(values: Sequence[str | None], n_times: int) -> pa.Array:
    """The values one after the other, again and again."""
    return pa.array(values, pa.string()).take(pa.array(np.tile(np.arange(len(values)), n_times)))


def additional_name(prefix: str) -> str:
    """The names that the additional column carries for estimates with an interval."""
    return SEPARATOR.join((f"{prefix}_start_date", f"{prefix}_end_date", "analysis_interval"))


def incidence_settings(analysis: Incidence, study_days: tuple[int, int] | None, each: Denominator) -> dict[str, str]:
    """The settings of an incidence for one denominator, by the names that the field's readers know."""
    return {
        "analysis_censor_cohort_name": analysis.censor or "None",
        "analysis_complete_database_intervals": _logical(analysis.complete_intervals),
        "analysis_outcome_washout": "inf" if analysis.washout_days is None else str(analysis.washout_days),
        "analysis_repeated_events": _logical(analysis.repeated_events),
        **_denominator_settings(study_days, each),
    }


def standardised_settings(incidence: Mapping[str, str], name: str, weights: Mapping[Ages, int]) -> dict[str, str]:
    """The settings of standardised rates: those of the rates that they are made of, over all ages, and the standard.

    In: incidence — settings of any of these rates; weights — of each age group, in order of age
    """
    return {
        **incidence,
        "denominator_age_group": AgeGroup(min(weights)[0], max(weights)[1]).word,
        "standard_name": name,
        "standard_ages": " ".join(f"{lowest}-{highest}" for lowest, highest in weights),
        "standard_weights": " ".join(map(str, weights.values())),
    }


def prevalence_settings(
    analysis: PointPrevalence | PeriodPrevalence, study_days: tuple[int, int] | None, each: Denominator
) -> dict[str, str]:
    """The settings of a prevalence for one denominator, by the names that the field's readers know."""
    if isinstance(analysis, PointPrevalence):
        own = {
            "analysis_complete_database_intervals": _logical(value=False),
            "analysis_full_contribution": _logical(value=False),
            "analysis_level": "person",
            "analysis_time_point": analysis.time_point.value,
            "analysis_type": "point prevalence",
        }
    else:
        own = {
            "analysis_complete_database_intervals": _logical(analysis.complete_intervals),
            "analysis_full_contribution": _logical(analysis.full_contribution),
            "analysis_level": "person",
            "analysis_type": "period prevalence",
        }
    return {**own, **_denominator_settings(study_days, each)}


def _denominator_settings(study_days: tuple[int, int] | None, each: Denominator) -> dict[str, str]:
    first, last = ("", "") if study_days is None else (in_words(study_days[0]), in_words(study_days[1]))
    return {
        "denominator_age_group": each.age_group.word,
        "denominator_days_prior_observation": str(each.days_prior_observation),
        "denominator_end_date": last,
        "denominator_requirements_at_entry": _logical(each.requirements_at_entry),
        "denominator_sex": each.sex.word,
        "denominator_start_date": first,
        "denominator_target_cohort_name": each.target or "None",
        "denominator_time_at_risk": each.window.word.replace("inf", "Inf"),
    }


def _logical(value: bool) -> str:
    return "TRUE" if value else "FALSE"
