"""How a study writes other ways of asking: a name, and the options that differ."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Container, Iterator, Sequence
from typing import Annotated, ClassVar, Generic, Self, TypeAlias, TypeVar

from pydantic import Field, WithJsonSchema

from enclos.lexicon.codes import Code
from enclos.studies.document.values import NAME_PATTERN, AnalysisDocument, Complaint, Document, Many
from enclos.studies.model import CohortAnalysis, is_cohort_name
from enclos.studies.sensitivity.model import PRIMARY, Ways

_Name: TypeAlias = Annotated[str, WithJsonSchema({"type": "string", "pattern": NAME_PATTERN})]


class OtherWayDocument(Document):
    """The same question asked in another way: what is given replaces what the analysis says."""

    name: _Name = Field(description="The name that results carry (snake case).")


Other = TypeVar("Other", bound=OtherWayDocument)


class SensitiveDocument(AnalysisDocument, Generic[Other]):
    """An analysis that may be asked in other ways as well; what these may change is up to its kind."""

    _alike: ClassVar[Sequence[Sequence[str]]] = ()
    """Options of which one replaces the others."""

    sensitivity: Annotated[list[Other], Many] | None = Field(
        None, description="Other ways of asking the same; each gives what differs."
    )

    @abstractmethod
    def own_faults(self, cohorts: Container[str]) -> Iterator[Complaint]:
        """What the shape of one way of asking does not show.

        In: cohorts — the names of the study's cohorts
        """

    @abstractmethod
    def own_noun(self) -> CohortAnalysis:
        """The analysis meant, without its other ways."""

    def faults(self, cohorts: Container[str]) -> Iterator[Complaint]:
        """What the shape does not show; of another way, what comes with what it gives."""
        own, names = list(self.own_faults(cohorts)), {PRIMARY}
        yield from own
        for at, other in enumerate(self.sensitivity or ()):
            place, given = ("sensitivity", at), _given(other)
            if not is_cohort_name(other.name):
                yield (*place, "name"), "is snake case, at most 64 characters", Code.STUDY_INVALID
            if other.name in names:
                yield (*place, "name"), "a name is given twice", Code.STUDY_INVALID
            if not given:
                yield (*place, "name"), "nothing differs from the analysis", Code.STUDY_INVALID
            names.add(other.name)
            for complaint in self.asked_as(other).own_faults(cohorts):
                where, what, code = complaint
                if where[0] in given or complaint not in own:
                    yield (*place, *where), what, code

    def asked_as(self, other: OtherWayDocument) -> Self:
        """The document with the options of another way in the place of its own."""
        given = {name: getattr(other, name) for name in _given(other)}
        kept = {name: value for name, value in given.items() if value is not None or not self._is_required(name)}
        dropped = {name: None for alike in self._alike if not given.keys().isdisjoint(alike) for name in alike}
        return self.model_copy(update={**dropped, **kept, "sensitivity": None})

    @classmethod
    def _is_required(cls, option: str) -> bool:
        return cls.model_fields[option].is_required()

    def noun(self) -> CohortAnalysis:
        """The analysis meant, with its other ways where there are any."""
        others = tuple((each.name, self.asked_as(each).own_noun()) for each in self.sensitivity or ())
        return Ways(self.own_noun(), others) if others else self.own_noun()


def _given(other: OtherWayDocument) -> set[str]:
    return other.model_fields_set - {"name"}
