"""A study: its cohorts, and the analyses that use them."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TypeAlias

from enclos.studies.model.cohorts import Cohort, circular, sources_of
from enclos.studies.model.rates import Incidence, Rate

_STUDY_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,99}")


def is_study_name(name: str) -> bool:
    """Whether a study can have that name: letters, digits, dot, dash, underscore."""
    return _STUDY_NAME.fullmatch(name) is not None


class CohortAnalysis(ABC):
    """An analysis that follows the persons of cohorts; each kind has a folder of its own in this room."""

    __slots__ = ()

    @property
    @abstractmethod
    def cohort_names(self) -> tuple[str, ...]:
        """Every cohort that the analysis reads, each once."""


Analysis: TypeAlias = Rate | CohortAnalysis


def cohorts_used(analysis: Analysis) -> tuple[str, ...]:
    """The names of the cohorts that an analysis reads."""
    if isinstance(analysis, CohortAnalysis):
        return analysis.cohort_names
    target = analysis.population.target
    censor = analysis.censor if isinstance(analysis, Incidence) else None
    others = (None if target is None else target.cohort, censor)
    return tuple(dict.fromkeys([*analysis.outcomes, *(name for name in others if name is not None)]))


@dataclass(frozen=True, slots=True)
class Study:
    """A name, the cohorts it defines, and the analyses that use them."""

    name: str
    cohorts: tuple[Cohort, ...]
    analyses: tuple[Analysis, ...]

    def __post_init__(self) -> None:
        if not is_study_name(self.name):
            raise ValueError("a study's name is made of letters, digits, dot, dash and underscore")
        names = [cohort.name for cohort in self.cohorts]
        if len(set(names)) != len(names):
            raise ValueError("two cohorts have one name")
        if not self.analyses:
            raise ValueError("a study has at least one analysis")
        if any(name not in names for analysis in self.analyses for name in cohorts_used(analysis)):
            raise ValueError("an analysis reads cohorts of the study")
        if any(name not in names for cohort in self.cohorts for name in sources_of(cohort)):
            raise ValueError("a derived cohort is made of cohorts of the study")
        if circular({cohort.name: sources_of(cohort) for cohort in self.cohorts}):
            raise ValueError("no cohort is made of itself")
