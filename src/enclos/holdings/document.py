"""The document about the holdings: what the public is told and no snapshot can know (YAML, data/draft.yaml).

Refuses: CATALOGUE_DOCUMENT once, with every fault and its line; never a value that was written.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from importlib import resources
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from enclos.holdings.vocabularies import codes
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.permits.document.tree import Tree, tree_from_yaml

_ADDRESS = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?(#[A-Za-z0-9._~:-]*)?")
_EMAIL = re.compile(r"[A-Za-z0-9._+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_TEXT = re.compile(r"[^\x00-\x1f\x7f\u2028\u2029]{3,2000}")


def _matching(form: re.Pattern[str], wanted: str) -> AfterValidator:
    def check(value: str) -> str:
        if not form.fullmatch(value):
            raise ValueError(f"must be {wanted}")
        return value

    return AfterValidator(check)


def _of(scheme: str) -> AfterValidator:
    def check(value: str) -> str:
        if value not in codes(scheme):
            raise ValueError(f"must be one of {', '.join(codes(scheme))}")
        return value

    return AfterValidator(check)


Address = Annotated[str, _matching(_ADDRESS, "an http or https address without a query")]
Email = Annotated[str, _matching(_EMAIL, "an e-mail address")]
Line = Annotated[str, _matching(_TEXT, "one line of 3 to 2000 characters")]
Identifier = Annotated[str, _matching(re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{2,99}"), "an identifier without blanks")]
PersonalData = Annotated[str, _matching(re.compile(r"[A-Z][A-Za-z]{1,59}"), "a term of dpv-pd, such as Age")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Said(_Part):
    """A text in English and in French."""

    en: Line
    fr: Line


class Keywords(_Part):
    """Words to find it by, in English and in French."""

    en: list[Line] = Field(min_length=1)
    fr: list[Line] = Field(min_length=1)


class LegalBasis(Said):
    """The right to hold the data, and the law that it rests on."""

    source: Address


class Agent(_Part):
    """A body: its name, its kind and how to reach it; never a natural person."""

    name: Said
    type: Annotated[str, _of("publisher-type")]
    email: Email
    page: Address


class Publisher(Agent):
    """The body that publishes: what it says of itself, and whether it is a trusted health data holder (Art. 72)."""

    note: Said
    trusted_data_holder: bool


class Contact(_Part):
    """Where questions are answered."""

    email: Email
    page: Address


class Retention(_Part):
    """The days between which the data are kept."""

    start: date
    end: date

    @model_validator(mode="after")
    def _in_order(self) -> Retention:
        if self.end <= self.start:
            raise ValueError("must end after it starts")
        return self


class About(_Part):
    """The whole document."""

    address: Annotated[Address, _matching(re.compile(r"[^#]*/"), "an address that ends with /")]
    identifier: Identifier
    type: Annotated[str, _of("dataset-type")]
    title: Said
    description: Said
    keywords: Keywords
    population: Said
    provenance: Said
    purpose: Said
    legal_basis: LegalBasis
    publisher: Publisher
    access_body: Agent
    custodian: Agent | None = None
    contact: Contact
    access_page: Address
    health_categories: list[Annotated[str, _of("health-category")]] = Field(min_length=1)
    health_themes: list[Annotated[str, _of("health-theme")]] = Field(min_length=1)
    activities: list[Annotated[str, _of("health-activity")]] = Field(min_length=1)
    personal_data: list[PersonalData] = Field(min_length=1)
    country: Annotated[str, _of("country")]
    frequency: Annotated[str, _of("frequency")]
    retention: Retention
    sources: list[Address] = []
    licence: Address
    reviewed_on: date

    @property
    def review_by(self) -> date:
        """The day by which the description has to be looked at again. Source: Regulation (EU) 2025/327, Art. 77."""
        return self.reviewed_on + timedelta(365)


def draft_about() -> str:
    """The document to fill in, with comments."""
    return resources.files("enclos.holdings").joinpath("data", "draft.yaml").read_text(encoding="utf-8")


def read_about(text: str) -> About:
    """The document that the text states.

    Refuses: CATALOGUE_DOCUMENT.
    """
    tree = tree_from_yaml(text)
    found = None
    if not tree.faults:
        try:
            found = About.model_validate(tree.root)
        except ValidationError as error:
            _gather(tree, error)
    if found is None:
        raise refusal(
            Code.CATALOGUE_DOCUMENT,
            f"The document about the holdings does not hold: {'; '.join(tree.sentences())}.",
            "Repair it; `enclos catalogue DIR --draft` shows one that holds.",
        )
    return found


_SENTENCES = {
    "missing": "is missing",
    "extra_forbidden": "is not a known field",
    "too_short": "must name one at least",
    "string_type": "must be a text",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "date_type": "must be a day (2026-01-31)",
}


def _gather(tree: Tree, error: ValidationError) -> None:
    for fault in error.errors(include_input=False, include_url=False):
        said = str(fault["ctx"]["error"]) if fault["type"] == "value_error" else _SENTENCES.get(fault["type"])
        tree.fault(tuple(fault["loc"]), said or "is not what it must be")
