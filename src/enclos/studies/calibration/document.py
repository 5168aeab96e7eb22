"""How a study writes positive controls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, TypeAlias

from pydantic import BeforeValidator, Field, StrictFloat, StrictInt, WithJsonSchema

from enclos.lexicon.codes import Code
from enclos.studies.calibration.model import MAX_EFFECT, PositiveControls
from enclos.studies.document.values import Complaint, Document, Many, listed, one_or_many

Threshold: TypeAlias = Annotated[
    StrictFloat | StrictInt | None, WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0}, {"type": "null"}]})
]
"""What a diagnostic must reach; null: not judged."""
_USUAL = PositiveControls()


class PositiveControlsDocument(Document):
    """Positive controls made of the negative ones, by adding outcomes while exposed."""

    effects: Annotated[
        list[Annotated[StrictFloat | StrictInt, Field(gt=1, le=MAX_EFFECT)]],
        BeforeValidator(listed),
        Many,
        one_or_many({"type": "number", "exclusiveMinimum": 1, "maximum": MAX_EFFECT}),
    ] = Field(list(_USUAL.effects), description="The ratios that they have, above 1.")
    seed: Annotated[StrictInt, Field(ge=0, le=2**31 - 1)] = Field(
        _USUAL.seed, description="Who gets the outcomes that are added."
    )
    min_outcomes: Annotated[StrictInt, Field(ge=1, le=10**6)] = Field(
        _USUAL.min_outcomes, description="A negative control with fewer outcomes while exposed gives none."
    )

    def noun(self) -> PositiveControls:
        """The controls meant."""
        return PositiveControls(tuple(float(each) for each in self.effects), self.seed, self.min_outcomes)


def wrong_controls(
    asked: list[str], negative: list[str] | None, positive: PositiveControlsDocument | None
) -> Iterator[Complaint]:
    """Controls that are asked about too or are given twice, and positive ones that there is nothing to make of."""
    controls = negative or []
    if len(set(controls)) != len(controls):
        yield ("negative_controls",), "a value is given twice", Code.STUDY_INVALID
    for at, name in enumerate(controls):
        if name in asked:
            yield ("negative_controls", at), "what is asked about is not a negative control", Code.STUDY_INVALID
    if positive is None:
        return
    if not controls:
        yield ("positive_controls",), "are made of negative controls, and there are none", Code.STUDY_INVALID
    if len({float(each) for each in positive.effects}) != len(positive.effects):
        yield ("positive_controls", "effects"), "a value is given twice", Code.STUDY_INVALID
