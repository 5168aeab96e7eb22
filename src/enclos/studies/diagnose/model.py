"""What phenotype diagnostics ask."""

from __future__ import annotations

from dataclasses import dataclass

from enclos.studies.model import AgeGroup, CohortAnalysis, Interval, Stratum, check_age_groups

DECADES: tuple[AgeGroup, ...] = (*(AgeGroup(age, age + 9) for age in range(0, 100, 10)), AgeGroup(100, 150))


@dataclass(frozen=True, slots=True)
class Diagnosis(CohortAnalysis):
    """Whether some cohorts are what their definitions meant."""

    cohorts: tuple[str, ...]
    age_groups: tuple[AgeGroup, ...] = DECADES
    strata: tuple[Stratum, ...] = ()
    interval: Interval = Interval.YEARS

    def __post_init__(self) -> None:
        lists: tuple[tuple[object, ...], ...] = (self.cohorts, self.age_groups, self.strata)
        if not self.cohorts or any(len(set(values)) != len(values) for values in lists):
            raise ValueError("diagnostics have at least one cohort; each cohort, age group and stratum once")
        check_age_groups(self.age_groups, self.strata)
        if self.interval is Interval.OVERALL:
            raise ValueError("a trend has intervals")

    @property
    def cohort_names(self) -> tuple[str, ...]:
        """Every cohort that the analysis reads, each once."""
        return self.cohorts
