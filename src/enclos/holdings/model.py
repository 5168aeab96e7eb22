"""The nouns of a description: terms of RDF, a graph, and the numbers that may be told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType

PREFIXES: Mapping[str, str] = MappingProxyType(
    {
        "adms": "http://www.w3.org/ns/adms#",
        "csvw": "http://www.w3.org/ns/csvw#",
        "cv": "http://data.europa.eu/m8g/",
        "dcat": "http://www.w3.org/ns/dcat#",
        "dcatap": "http://data.europa.eu/r5r/",
        "dct": "http://purl.org/dc/terms/",
        "dpv": "https://w3id.org/dpv#",
        "dqv": "http://www.w3.org/ns/dqv#",
        "eli": "http://data.europa.eu/eli/ontology#",
        "foaf": "http://xmlns.com/foaf/0.1/",
        "geodcatap": "http://data.europa.eu/930/",
        "healthdcatap": "http://healthdataportal.eu/ns/health#",
        "oa": "http://www.w3.org/ns/oa#",
        "prov": "http://www.w3.org/ns/prov#",
        "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
        "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
        "skos": "http://www.w3.org/2004/02/skos/core#",
        "vcard": "http://www.w3.org/2006/vcard/ns#",
        "xsd": "http://www.w3.org/2001/XMLSchema#",
    }
)


@dataclass(frozen=True, slots=True)
class Iri:
    """A resource by its whole address."""

    value: str


@dataclass(frozen=True, slots=True)
class Text:
    """A literal: plain, in a language, or of an XML Schema type (``xsd:date``)."""

    value: str
    language: str = ""
    datatype: str = ""


Term = Iri | Text


@dataclass(slots=True)
class Graph:
    """Statements by subject, in the order in which they were made; nothing is said twice, no node is nameless."""

    statements: dict[Iri, dict[str, list[Term]]] = field(default_factory=dict)

    def add(self, subject: Iri, predicate: str, *objects: Term) -> None:
        """State something; the predicate is a prefixed name (``dct:title``)."""
        said = self.statements.setdefault(subject, {}).setdefault(predicate, [])
        said.extend(term for term in dict.fromkeys(objects) if term not in said)

    def __iter__(self) -> Iterator[tuple[Iri, str, Term]]:
        for subject, predicates in self.statements.items():
            for predicate, objects in predicates.items():
                for term in objects:
                    yield subject, predicate, term


def iri(prefixed: str) -> Iri:
    """The resource that a prefixed name stands for."""
    prefix, _, name = prefixed.partition(":")
    return Iri(PREFIXES[prefix] + name)


@dataclass(frozen=True, slots=True)
class TableFigures:
    """What may be told of one table: rows and persons rounded down; None where too few persons are in it."""

    table: str
    n_records: int | None
    n_persons: int | None
    filled: tuple[tuple[str, int | None], ...] = ()
    """By column, the persons of whom it says something; None of too few."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What may be told of a snapshot.

    Units: ages in years; ``unit`` is the least number that any count is told in.
    """

    snapshot: int
    built_on: date
    unit: int
    n_persons: int
    n_records: int
    tables: tuple[TableFigures, ...]
    min_age: int | None
    max_age: int | None
    starts_on: date | None
    ends_on: date | None
    vocabularies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Quality:
    """What the published checks said of the snapshot."""

    cdm: str
    n_checks: int
    n_passed: int
    n_failed: int


@dataclass(frozen=True, slots=True)
class PublicFile:
    """A file beside the description: its place, its digest and its size."""

    name: str
    sha256: str
    n_rows: int


@dataclass(frozen=True, slots=True)
class ColumnTold:
    """What may be told of one column of a view.

    In: kind — ``concept``, ``year``, ``band`` or nothing: what the values are told by; n_persons — of whom it says
        something, None of too few; values — value, its name where it has one, persons; the most frequent concepts, or
        every year or band, of too few None
    """

    column: str
    sql_type: str
    n_persons: int | None
    kind: str = ""
    values: tuple[tuple[int, str, int | None], ...] = ()


@dataclass(frozen=True, slots=True)
class TableTold:
    """What may be told of one table of a view; rows and persons are None where too few persons are in it."""

    table: str
    n_records: int | None
    n_persons: int | None
    columns: tuple[ColumnTold, ...]
