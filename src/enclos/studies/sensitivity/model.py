"""An analysis that is asked in several ways."""

from __future__ import annotations

from dataclasses import dataclass

from enclos.studies.model import CohortAnalysis, is_cohort_name

PRIMARY = "primary"
"""The name of what the study asks first."""
WAY = "comparison"
"""The setting of a result that names the way of asking."""


@dataclass(frozen=True, slots=True)
class Ways(CohortAnalysis):
    """An analysis, and by name others of its kind that ask the same in another way."""

    primary: CohortAnalysis
    others: tuple[tuple[str, CohortAnalysis], ...]

    def __post_init__(self) -> None:
        names = [name for name, _ in self.every]
        if not self.others or len(set(names)) != len(names) or not all(map(is_cohort_name, names)):
            raise ValueError("there are other ways of asking, each with its own name in snake case")
        if any(type(each) is not type(self.primary) for _, each in self.others):
            raise ValueError("another way of asking is an analysis of the same kind")

    @property
    def every(self) -> tuple[tuple[str, CohortAnalysis], ...]:
        """Each way of asking with its name, the primary one first."""
        return ((PRIMARY, self.primary), *self.others)

    @property
    def cohort_names(self) -> tuple[str, ...]:
        """Every cohort that any of them reads, each once."""
        return tuple(dict.fromkeys(name for _, each in self.every for name in each.cohort_names))
