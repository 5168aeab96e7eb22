"""How a study writes a cohort."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from hashlib import sha256
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Discriminator, Field, PlainValidator, StrictBool, StrictInt, Tag, WithJsonSchema
from pydantic_core import PydanticCustomError

from enclos.contracts.definitions import is_definition
from enclos.contracts.durations import DURATION_RULE_IDS
from enclos.lexicon.refusals import Refusal
from enclos.studies.circe import read_circe
from enclos.studies.derived.document import OPERATIONS, DerivedCohortDocument
from enclos.studies.document.values import DAYS_SCHEMA, Days, Document, Path
from enclos.studies.model import (
    MAX_CONCEPT_ID,
    MAX_DAYS,
    AfterDays,
    CirceCohort,
    CohortEnd,
    ConceptCohort,
    Domain,
    Limit,
    OpenEnd,
    is_cohort_name,
)

MAX_CONCEPTS = 100_000


def _end(value: object) -> CohortEnd:
    if isinstance(value, str) and value in {end.value for end in OpenEnd}:
        return OpenEnd(value)
    if isinstance(value, dict) and set(value) == {"days"}:
        days = value["days"]
        if isinstance(days, int) and not isinstance(days, bool) and 0 <= days <= MAX_DAYS:
            return AfterDays(days)
    raise PydanticCustomError("cohort_end", "should be event_end, observation_end or {days: 0 to 99999}")


_AFTER_DAYS_SCHEMA = {
    "type": "object",
    "properties": {"days": {**DAYS_SCHEMA, "description": "Days after the first day of the record."}},
    "required": ["days"],
    "additionalProperties": False,
}
_End: TypeAlias = Annotated[
    AfterDays | OpenEnd,
    PlainValidator(_end),
    WithJsonSchema({"anyOf": [{"type": "string", "enum": [end.value for end in OpenEnd]}, _AFTER_DAYS_SCHEMA]}),
]


def _duration(value: object) -> object:
    if value is not None and value not in tuple(DURATION_RULE_IDS):
        raise PydanticCustomError("duration", f"should be one of {', '.join(DURATION_RULE_IDS)}")
    return value


_Duration: TypeAlias = Annotated[
    str | None, BeforeValidator(_duration), WithJsonSchema({"type": "string", "enum": [*DURATION_RULE_IDS]})
]


_NAME_FAULT = "a cohort's name is snake case, at most 64 characters"


class CohortDocument(Document):
    """A cohort made of concepts."""

    concepts: Annotated[
        list[Annotated[StrictInt, Field(gt=0, le=MAX_CONCEPT_ID)]], Field(min_length=1, max_length=MAX_CONCEPTS)
    ] = Field(description="OMOP concept ids; a record of any of them enters the cohort.")
    descendants: StrictBool = Field(True, description="Whether all descendants of the concepts count too.")
    domain: Literal["condition", "drug", "procedure", "measurement", "observation", "visit"] = Field(
        description="The OMOP table in which the concepts are looked up."
    )
    limit: Literal["first", "all"] = Field("first", description="Whether only a person's first record counts, or all.")
    end: _End = Field(
        OpenEnd.OBSERVATION_END,
        description="When a person leaves the cohort; never after the observation period.",
        json_schema_extra={"default": OpenEnd.OBSERVATION_END.value},
    )
    duration: _Duration = Field(
        None, description="For drugs: the rule by which dispensings last; the snapshot's own when not given."
    )
    gap_era: Days = Field(
        0,
        description="For drugs: exposures with at most so many days from the end of one to the start of the next are "
        "one era; with limit first, the first era counts.",
    )

    def faults(self, name: str) -> Iterator[tuple[Path, str]]:
        """What the shape does not show."""
        if not is_cohort_name(name):
            yield (), _NAME_FAULT
        if len(set(self.concepts)) != len(self.concepts):
            yield ("concepts",), "a concept is given twice"
        if self.duration is not None and self.domain != Domain.DRUG.value:
            yield ("duration",), "only a cohort of drugs has this option"
        if self.gap_era and self.domain != Domain.DRUG.value:
            yield ("gap_era",), "only a cohort of drugs has this option"

    def noun(self, name: str) -> ConceptCohort:
        """The cohort meant."""
        return ConceptCohort(
            name,
            tuple(self.concepts),
            self.descendants,
            Domain(self.domain),
            Limit(self.limit),
            self.end,
            self.duration,
            self.gap_era,
        )


class CirceCohortDocument(Document):
    """A cohort made by a Circe definition."""

    circe: Annotated[str, Field(min_length=1)] = Field(
        description="The file with the definition (ATLAS, Circe JSON), its path beginning where the study's file is; "
        "or the definition itself, as a text."
    )

    def faults(self, name: str) -> Iterator[tuple[Path, str]]:
        """What the shape does not show."""
        if not is_cohort_name(name):
            yield (), _NAME_FAULT
        if not is_definition(self.circe):
            yield ("circe",), "names a file that did not come with the study"
            return
        try:
            read_circe(self.circe)
        except Refusal as refused:
            yield ("circe",), f"cannot be used: {refused.what.removesuffix('.')}"

    def noun(self, name: str) -> CirceCohort:
        """The cohort meant."""
        return CirceCohort(name, read_circe(self.circe), sha256(self.circe.encode("utf-8")).hexdigest())


class SavedCohortDocument(Document):
    """A cohort saved under the permit; its definition takes the place of its name before the study runs."""

    saved: Annotated[str, Field(min_length=1)] = Field(
        description="The name under which enclos cohort --save kept it, which is that of its definition's file."
    )

    def faults(self, name: str) -> Iterator[tuple[Path, str]]:
        """A name alone says nothing: whoever reads the study under a permit has put the definition in its place."""
        if not is_cohort_name(name):
            yield (), _NAME_FAULT
        yield ("saved",), "only a run under the permit knows its saved cohorts"

    def noun(self, name: str) -> CirceCohort:
        """Never asked for: there is always a fault."""
        raise TypeError(f"the definition of {name} is not in the study")


_FORMS = {
    "circe": "circe",
    "saved": "saved",
    "concepts": "concepts",
    **dict.fromkeys(OPERATIONS, "derived"),
    **dict.fromkeys(CohortDocument.model_fields, "concepts"),
}
"""The form of a cohort by an option that tells it, those that tell most first."""
_NEAR = 0.6


def _form(value: Any) -> str:
    """The form that a cohort has, or would have if an option were spelt right."""
    given = value if isinstance(value, dict) else {}
    for name, form in _FORMS.items():
        if name in given:
            return form
    near = (get_close_matches(str(name), _FORMS, n=1, cutoff=_NEAR) for name in given)
    return next((_FORMS[name] for names in near for name in names), "concepts")


AnyCohortDocument: TypeAlias = Annotated[
    Annotated[CohortDocument, Tag("concepts")]
    | Annotated[CirceCohortDocument, Tag("circe")]
    | Annotated[SavedCohortDocument, Tag("saved")]
    | Annotated[DerivedCohortDocument, Tag("derived")],
    Discriminator(_form),
]
"""The forms of a cohort; an error's place then has the tag behind the cohort's name."""
