"""The controlled vocabularies of HealthDCAT-AP, as far as a description uses them (data/README.md)."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources

from enclos.holdings.model import Iri


@dataclass(frozen=True, slots=True)
class Scheme:
    """A vocabulary: its address, its title and the class of its concepts besides skos:Concept."""

    name: str
    address: str
    title: str
    of_class: str


@dataclass(frozen=True, slots=True)
class Concept:
    """A concept: its code, its labels and an address of the same thing elsewhere."""

    scheme: Scheme
    code: str
    en: str
    fr: str
    same_as: str

    @property
    def iri(self) -> Iri:
        """The concept's address."""
        return Iri(f"{self.scheme.address}/{self.code}")


def concept(scheme: str, code: str) -> Concept:
    """The concept of that code; KeyError when the vocabulary has none here."""
    return concepts()[scheme][code]


def codes(scheme: str) -> tuple[str, ...]:
    """The codes of a vocabulary that a document may name."""
    return tuple(concepts()[scheme])


@cache
def concepts() -> dict[str, dict[str, Concept]]:
    """Every concept by vocabulary and code."""
    schemes = {
        row["scheme"]: Scheme(row["scheme"], row["address"], row["title"], row["class"]) for row in _rows("schemes")
    }
    found: dict[str, dict[str, Concept]] = {name: {} for name in schemes}
    for row in _rows("concepts"):
        scheme = schemes[row["scheme"]]
        found[scheme.name][row["code"]] = Concept(scheme, row["code"], row["en"], row["fr"], row["same_as"])
    return found


@cache
def coding_systems() -> dict[str, str]:
    """Codes of coding systems by the vocabulary_id of OMOP."""
    return {row["vocabulary_id"]: row["code"] for row in _rows("coding_systems")}


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = resources.files("enclos.holdings").joinpath("data", f"{name}.csv").read_text(encoding="utf-8")
    yield from csv.DictReader(text.splitlines())
