"""A description is HealthDCAT-AP, in both of its writings, and would not be without what is mandatory."""

from __future__ import annotations

import pytest
from rdflib import DCAT, DCTERMS, RDF, URIRef
from rdflib import Graph as Read
from rdflib.compare import isomorphic

from enclos.holdings.model import PREFIXES, Graph, Iri, Text
from enclos.holdings.rules.writing import as_json_ld, as_turtle
from factories.holdings import ABOUT, QUALITY, described
from factories.shapes import faults

DATASET = URIRef(f"{ABOUT.address}#dataset")
MANDATORY = [
    *("dct:title", "dct:description", "dct:identifier", "dct:accessRights", "dct:type", "dct:provenance"),
    *("dct:spatial", "dct:publisher", "dcat:contactPoint", "dcat:keyword", "dcat:theme", "dcat:distribution"),
    *("dcatap:applicableLegislation", "healthdcatap:hdab", "healthdcatap:healthCategory", "healthdcatap:healthTheme"),
    *("healthdcatap:hasStructuredData", "dpv:hasPurpose", "adms:sample"),
]
OF_OTHERS = [
    *("dcat:accessURL", "dcatap:applicableLegislation", "foaf:name", "cv:contactPoint", "dcat:contactPoint"),
    *("csvw:name", "csvw:title", "csvw:titles", "csvw:datatype", "csvw:column", "csvw:table", "dcat:startDate"),
    *("dct:identifier", "skos:inScheme", "skos:prefLabel", "dct:rights", "foaf:homepage", "foaf:mbox"),
    *("healthdcatap:publisherType", "healthdcatap:publisherNote", "healthdcatap:trustedDataHolder"),
]
EHDS = URIRef("http://data.europa.eu/eli/reg/2025/327/oj")


def full(name: str) -> URIRef:
    prefix, _, local = name.partition(":")
    return URIRef(PREFIXES[prefix] + local)


@pytest.fixture(scope="module")
def dataset() -> Read:
    return Read().parse(data=as_turtle(described()[0]), format="turtle")


@pytest.fixture(scope="module")
def catalogue() -> Read:
    return Read().parse(data=as_turtle(described()[1]), format="turtle")


def without(graph: Read, statements: list[tuple[object, object, object]]) -> Read:
    left = Read()
    assert statements
    for statement in graph:
        if statement not in statements:
            left.add(statement)
    return left


def test_the_data_set_alone_and_the_catalogue_are_valid(dataset: Read, catalogue: Read) -> None:
    assert faults(dataset) == []
    assert faults(catalogue) == []
    assert not list(dataset.subjects(RDF.type, DCAT.Catalog))
    assert list(catalogue.objects(None, DCAT.dataset)) == [DATASET]
    assert set(dataset) < set(catalogue)


@pytest.mark.parametrize("name", MANDATORY)
def test_without_a_mandatory_property_the_data_set_is_not_valid(dataset: Read, name: str) -> None:
    found = faults(without(dataset, list(dataset.triples((DATASET, full(name), None)))))
    assert any(fault.startswith(f"{full(name)}:") for fault in found), found


def test_structured_data_without_variables_are_not_valid(dataset: Read) -> None:
    found = faults(without(dataset, list(dataset.triples((DATASET, full("healthdcatap:hasVariables"), None)))))
    assert found == [f"{DATASET}: OrConstraintComponent"]


@pytest.mark.parametrize("name", OF_OTHERS)
def test_without_what_is_mandatory_of_the_things_it_names_it_is_not_valid(dataset: Read, name: str) -> None:
    gone = next(s for s in sorted(dataset.triples((None, full(name), None))) if s[0] != DATASET)
    assert faults(without(dataset, list(dataset.triples((gone[0], full(name), None)))))


@pytest.mark.parametrize("name", ["dct:title", "dct:description", "dct:publisher", "dcatap:applicableLegislation"])
def test_a_catalogue_lacks_nothing_either(catalogue: Read, name: str) -> None:
    node = URIRef(f"{ABOUT.address}#catalogue")
    assert faults(without(catalogue, list(catalogue.triples((node, full(name), None)))))


def test_it_is_for_people_of_two_languages_and_says_its_access_rights(dataset: Read) -> None:
    for name in ("dct:title", "dct:description", "dcat:keyword", "healthdcatap:populationCoverage"):
        assert {said.language for said in dataset.objects(DATASET, full(name))} == {"en", "fr"}
    (rights,) = dataset.objects(DATASET, DCTERMS.accessRights)
    assert str(rights).endswith("/access-right/NON_PUBLIC")
    assert (
        DATASET,
        full("dcatap:applicableLegislation"),
        URIRef("http://data.europa.eu/eli/reg/2025/327/oj"),
    ) in dataset


def test_coding_systems_are_those_of_the_snapshot(dataset: Read) -> None:
    found = {
        str(system).rpartition("/")[2] for system in dataset.objects(DATASET, full("healthdcatap:hasCodingSystem"))
    }
    assert found == {"ICD-10-NAT", "LOINC", "OHDSI-VOCAB", "PROC-CODES-NAT"}


def test_quality_is_told_when_it_was_judged_and_else_not_made_up() -> None:
    told = as_turtle(described(QUALITY)[0]).decode()
    assert "1\u202f200 passed of 1\u202f203 that apply" in told
    unjudged = as_turtle(described(None)[0]).decode()
    assert "dqv:hasQualityAnnotation" not in unjudged
    assert faults(Read().parse(data=unjudged, format="turtle")) == []


def test_a_table_that_too_few_persons_are_in_is_no_variable() -> None:
    told = as_turtle(described()[0]).decode()
    assert "#table-person" in told and "#table-death" not in told


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
def test_both_writings_say_the_same_and_twice_the_same_bytes() -> None:
    for graph, again in zip(described(), described(), strict=True):
        turtle, linked = as_turtle(graph), as_json_ld(graph)
        assert (turtle, linked) == (as_turtle(again), as_json_ld(again))
        read = Read().parse(data=turtle, format="turtle")
        assert isomorphic(read, Read().parse(data=linked, format="json-ld"))
        assert len(read) == len(list(graph)) > 100


def test_signs_that_end_a_text_do_not() -> None:
    graph, said = Graph(), 'a "quoted" \\ text\nof two lines\t'
    graph.add(Iri("urn:x"), "dct:title", Text(said, "en"), Text(said, "en"))
    (title,) = Read().parse(data=as_turtle(graph), format="turtle").objects(None, DCTERMS.title)
    assert str(title) == said and title.language == "en"
