"""How a study writes a utilisation."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, Field, StrictBool, StrictFloat, StrictInt

from enclos.lexicon.codes import Code
from enclos.studies.document.values import (
    AgeGroups,
    AnalysisDocument,
    Complaint,
    Days,
    Document,
    Domains,
    Many,
    Names,
    StrataNames,
    WindowDays,
    listed,
    one_or_many,
    twice,
    unknown_names,
    wrong_strata,
    wrong_windows,
)
from enclos.studies.model import MAX_CONCEPT_ID, MAX_DAYS, AgeGroup, DayWindow, Domain, Stratum
from enclos.studies.utilisation.model import (
    MAX_INDICATIONS,
    MAX_TREATMENTS,
    Adherence,
    Indications,
    Restart,
    Treatments,
    Until,
    Utilisation,
)

_Ingredients: TypeAlias = Annotated[
    list[Annotated[StrictInt, Field(gt=0, le=MAX_CONCEPT_ID)]],
    BeforeValidator(listed),
    one_or_many({"type": "integer", "minimum": 1, "maximum": MAX_CONCEPT_ID}),
]
_FollowUp: TypeAlias = Annotated[list[Days | None], Many]


class AroundDocument(Document):
    """Cohorts around the first day of each entry."""

    cohort: Names
    windows: Annotated[list[WindowDays], Many] = Field(
        description="Windows of days around the first day of the entry; null leaves an end open."
    )

    def _at_most(self) -> int:
        return MAX_INDICATIONS

    def faults(self, cohorts: Container[str]) -> Iterator[Complaint]:
        """What the shape does not show."""
        yield from unknown_names("cohort", self.cohort, cohorts)
        yield from twice(self, "cohort", "windows")
        yield from wrong_windows("windows", self.windows)
        if len(self.cohort) > self._at_most():
            yield ("cohort",), f"there are at most {self._at_most()} of them", Code.STUDY_INVALID

    def _windows(self) -> tuple[DayWindow, ...]:
        return tuple(DayWindow(*each) for each in self.windows)


class IndicationDocument(AroundDocument):
    """Why drugs are taken."""

    cohort: Names = Field(description="The cohorts that can be the reason, at most 8.")
    unknown: Domains = Field([], description="Tables any record of which, without a reason, makes the reason unknown.")

    def faults(self, cohorts: Container[str]) -> Iterator[Complaint]:
        """What the shape does not show."""
        yield from super().faults(cohorts)
        yield from twice(self, "unknown")

    def noun(self) -> Indications:
        """The indications meant."""
        return Indications(tuple(self.cohort), self._windows(), tuple(Domain(each) for each in self.unknown))


class TreatmentDocument(AroundDocument):
    """Treatments around the first day."""

    cohort: Names = Field(description="The cohorts of treatments, at most 60; at most 8 where they are told together.")
    exclusive: StrictBool = Field(
        False, description="Whether an entry has one combination of treatments, or each of them on its own."
    )

    def _at_most(self) -> int:
        return MAX_INDICATIONS if self.exclusive else MAX_TREATMENTS

    def noun(self) -> Treatments:
        """The treatments meant."""
        return Treatments(tuple(self.cohort), self._windows(), self.exclusive)


class RestartDocument(Document):
    """What happens after a treatment ends."""

    switch: Names = Field(description="The cohorts that a person can switch to.")
    days: _FollowUp = Field([None], description="Days of follow-up; null is to the end of observation.")
    incident: StrictBool = Field(True, description="Whether a switch has to start on or after the last day.")
    first_only: StrictBool = Field(True, description="Whether only the end of a person's first treatment counts.")

    def faults(self, cohorts: Container[str]) -> Iterator[Complaint]:
        """What the shape does not show."""
        yield from unknown_names("switch", self.switch, cohorts)
        yield from twice(self, "switch", "days")

    def noun(self) -> Restart:
        """The restart meant."""
        return Restart(tuple(self.switch), tuple(self.days), self.incident, self.first_only)


class AdherenceDocument(Document):
    """How much of the days followed is covered."""

    days: Annotated[StrictInt, Field(ge=1, le=MAX_DAYS)] = Field(
        365, description="Days followed, the first day of the entry among them; fewer where observation ends before."
    )
    threshold: Annotated[StrictFloat | StrictInt, Field(gt=0, le=1)] = Field(
        0.8, description="The least proportion of days covered with which a person is adherent."
    )

    def noun(self) -> Adherence:
        """The adherence meant."""
        return Adherence(self.days, float(self.threshold))


class UtilisationDocument(AnalysisDocument):
    """A utilisation."""

    cohort: Names = Field(description="The cohort, or cohorts, whose entries are followed.")
    exposures: Names | None = Field(
        None, description="Cohorts of drugs whose concepts are the exposures that count; those of cohort if not given."
    )
    gap_era: Days = Field(30, description="Exposures parted by at most so many days are one era.")
    ingredient: Annotated[StrictInt, Field(gt=0, le=MAX_CONCEPT_ID)] | None = Field(
        None, description="The OMOP ingredient whose dose is told; without it no dose is."
    )
    until: Literal["cohort_end", "observation_end"] = Field(
        "cohort_end", description="The last day on which exposures count."
    )
    incident: StrictBool = Field(True, description="Whether exposures have to start on or after the first day.")
    indication: IndicationDocument | None = Field(None, description="Why drugs are taken.")
    treatment: TreatmentDocument | None = Field(None, description="Treatments around the first day of each entry.")
    dose_coverage: _Ingredients = Field(
        [],
        description="OMOP ingredients of which it is told for how many exposures, whoever has them, a daily dose is "
        "known, by unit, route and pattern.",
    )
    covered_days: Annotated[StrictInt, Field(ge=1, le=MAX_DAYS)] | None = Field(
        None, description="Tell the proportion of patients covered on each of so many days after the first entry."
    )
    restart: RestartDocument | None = Field(None, description="What happens after a treatment ends.")
    adherence: AdherenceDocument | None = Field(
        None, description="Proportion of days covered and medication possession ratio of each entry."
    )
    strata: StrataNames = Field([], description="What estimates are also made apart for.")
    age_groups: AgeGroups | None = Field(
        None, description="For strata: ages in completed years that do not overlap, both included."
    )

    def faults(self, cohorts: Container[str]) -> Iterator[Complaint]:
        """What the shape does not show."""
        yield from unknown_names("cohort", self.cohort, cohorts)
        yield from twice(self, "cohort", "strata", "dose_coverage")
        yield from wrong_strata(self.age_groups or [], self.strata)
        option = "cohort" if self.exposures is None else "exposures"
        if self.exposures is not None:
            yield from unknown_names("exposures", self.exposures, cohorts)
            yield from twice(self, "exposures")
        for at, name in enumerate(self.exposures or self.cohort):
            if isinstance(cohorts, Mapping) and name in cohorts and not _is_of_drugs(cohorts[name]):
                yield (option, at), "exposures are cohorts made of concepts of drugs", Code.STUDY_INVALID
        for inner in ("indication", "treatment", "restart"):
            if (part := getattr(self, inner)) is not None:
                for where, what, code in part.faults(cohorts):
                    yield (inner, *where), what, code
        for at, name in enumerate([] if self.restart is None else self.restart.switch):
            if _same_drug(name, self.cohort, cohorts):
                yield (
                    ("restart", "switch", at),
                    "a switch is to another drug than those of cohort; leave it out, a new entry is a restart",
                    Code.STUDY_INVALID,
                )

    def noun(self) -> Utilisation:
        """The analysis meant."""
        return Utilisation(
            tuple(self.cohort),
            tuple(self.exposures or self.cohort),
            self.gap_era,
            self.ingredient,
            Until(self.until),
            self.incident,
            None if self.indication is None else self.indication.noun(),
            self.covered_days,
            None if self.restart is None else self.restart.noun(),
            tuple(Stratum(each) for each in self.strata),
            tuple(AgeGroup(lowest, highest) for lowest, highest in self.age_groups or ()),
            None if self.treatment is None else self.treatment.noun(),
            tuple(self.dose_coverage),
            None if self.adherence is None else self.adherence.noun(),
        )


def _is_of_drugs(cohort: object) -> bool:
    return getattr(cohort, "domain", None) == Domain.DRUG.value


def _same_drug(name: str, followed: Sequence[str], cohorts: Container[str]) -> bool:
    """Whether a cohort is one of those followed, or made of the same concepts as one."""
    if name in followed:
        return True
    if not isinstance(cohorts, Mapping) or not (own := _concepts(cohorts.get(name))):
        return False
    return any(_concepts(cohorts.get(each)) == own for each in followed)


def _concepts(cohort: object) -> frozenset[int]:
    return frozenset(getattr(cohort, "concepts", None) or ()) if _is_of_drugs(cohort) else frozenset()
