"""What is stated and what may be told, as a HealthDCAT-AP graph of a NON_PUBLIC data set.

Written for release 8; where others ask for another property of the same thing, that one is there too: releases 5 and 6
(dcat:contactPoint of an agent, csvw:titles of a column, Wikidata for a coding system), and the drafts before them, by
which the French Health Data Hub's catalogue still judges (home page, mailbox, note and kind of the publisher).

Source: HealthDCAT-AP release 8, NON_PUBLIC; Regulation (EU) 2025/327, Art. 51, 77.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence

from enclos.contracts.omop import omop_tables
from enclos.holdings.document import About, Agent, Said
from enclos.holdings.model import Figures, Graph, Iri, PublicFile, Quality, Text, iri
from enclos.holdings.rules.saying import number, said_of_counts, said_of_quality, said_of_sample
from enclos.holdings.vocabularies import coding_systems, concept

EHDS = Iri("http://data.europa.eu/eli/reg/2025/327/oj")
TABLES, COLUMNS = "analytics/tables.csv", "analytics/columns.csv"
_CSV = Iri("http://www.iana.org/assignments/media-types/text/csv")
_DATATYPES = {"BIGINT": "integer", "DATE": "date", "TIMESTAMP": "dateTime", "DOUBLE": "double", "VARCHAR": "string"}


def describe(
    about: About,
    figures: Figures,
    quality: Quality | None,
    analytics: Sequence[PublicFile],
    sample: Sequence[PublicFile],
) -> tuple[Graph, Graph]:
    """The description of the data set, and the same in its catalogue.

    Out: two graphs: a validator that knows DCAT takes a catalogue for a data set, so that HealthData@EU is given the
         data set alone.
    """
    alone, whole = Graph(), Graph()
    for graph in (whole, alone):
        if graph is whole:
            _catalogue(graph, about, figures)
        _dataset(graph, about, figures, quality)
        _distributions(graph, about, figures, analytics, sample)
        _agents(graph, about)
        _variables(graph, about, figures)
        graph.add(EHDS, "rdf:type", iri("eli:LegalResource"))
    return alone, whole


def _at(about: About, name: str) -> Iri:
    return Iri(f"{about.address}{name}")


def _both(said: Said) -> tuple[Text, Text]:
    return Text(said.en, "en"), Text(said.fr, "fr")


def _day(value: object) -> Text:
    return Text(str(value), datatype="xsd:date")


def _count(value: int) -> Text:
    return Text(str(value), datatype="xsd:nonNegativeInteger")


def _concept(graph: Graph, scheme: str, code: str) -> Iri:
    """The concept's address; what it is and where it belongs is stated with it."""
    found = concept(scheme, code)
    classes = ["skos:Concept", *([found.scheme.of_class] if found.scheme.of_class else [])]
    graph.add(found.iri, "rdf:type", *(iri(name) for name in classes))
    graph.add(found.iri, "skos:inScheme", Iri(found.scheme.address))
    graph.add(found.iri, "skos:prefLabel", Text(found.en, "en"), Text(found.fr, "fr"))
    if found.same_as:
        graph.add(found.iri, "skos:closeMatch", Iri(found.same_as))
    graph.add(Iri(found.scheme.address), "rdf:type", iri("skos:ConceptScheme"))
    graph.add(Iri(found.scheme.address), "dct:title", Text(found.scheme.title, "en"))
    return found.iri


def _languages(graph: Graph) -> tuple[Iri, Iri]:
    return _concept(graph, "language", "ENG"), _concept(graph, "language", "FRA")


def _catalogue(graph: Graph, about: About, figures: Figures) -> None:
    catalogue = _at(about, "#catalogue")
    graph.add(catalogue, "rdf:type", iri("dcat:Catalog"))
    graph.add(catalogue, "dct:title", *_both(about.title))
    graph.add(catalogue, "dct:description", *_both(about.description))
    graph.add(catalogue, "dct:publisher", _at(about, "#publisher"))
    graph.add(catalogue, "dcatap:applicableLegislation", EHDS)
    graph.add(catalogue, "dct:language", *_languages(graph))
    graph.add(catalogue, "dct:spatial", _concept(graph, "country", about.country))
    graph.add(catalogue, "dct:modified", _day(figures.built_on))
    graph.add(catalogue, "dct:license", Iri(about.licence))
    graph.add(catalogue, "dcat:themeTaxonomy", Iri(concept("data-theme", "HEAL").scheme.address))
    graph.add(catalogue, "foaf:homepage", _at(about, ""))
    graph.add(catalogue, "dcat:dataset", _at(about, "#dataset"))


def _dataset(graph: Graph, about: About, figures: Figures, quality: Quality | None) -> None:
    dataset = _at(about, "#dataset")
    graph.add(dataset, "rdf:type", iri("dcat:Dataset"))
    graph.add(dataset, "dct:title", *_both(about.title))
    counted = said_of_counts(figures)
    texts = ((about.description.en, counted.en, "en"), (about.description.fr, counted.fr, "fr"))
    graph.add(dataset, "dct:description", *(Text(f"{said} {told}", language) for said, told, language in texts))
    graph.add(dataset, "dct:identifier", Text(f"{about.address}#dataset", datatype="xsd:anyURI"))
    graph.add(dataset, "adms:identifier", _at(about, "#identifier"))
    graph.add(_at(about, "#identifier"), "rdf:type", iri("adms:Identifier"))
    graph.add(_at(about, "#identifier"), "skos:notation", Text(about.identifier))
    graph.add(dataset, "dct:accessRights", _concept(graph, "access-right", "NON_PUBLIC"))
    graph.add(dataset, "dcatap:applicableLegislation", EHDS)
    graph.add(dataset, "dct:type", _concept(graph, "dataset-type", about.type))
    graph.add(dataset, "dcat:theme", _concept(graph, "data-theme", "HEAL"))
    graph.add(dataset, "dcat:keyword", *(Text(word, "en") for word in about.keywords.en))
    graph.add(dataset, "dcat:keyword", *(Text(word, "fr") for word in about.keywords.fr))
    graph.add(dataset, "dct:language", *_languages(graph))
    graph.add(dataset, "dct:spatial", _concept(graph, "country", about.country))
    graph.add(dataset, "dct:accrualPeriodicity", _concept(graph, "frequency", about.frequency))
    graph.add(dataset, "dct:modified", _day(figures.built_on))
    graph.add(dataset, "dcat:version", Text(f"{figures.snapshot}"))
    graph.add(dataset, "dct:conformsTo", _concept(graph, "standard", "OMOP-CDM"))
    graph.add(dataset, "dcat:landingPage", _at(about, ""))
    graph.add(dataset, "foaf:page", _at(about, "en.html"), _at(about, "fr.html"))
    for page in ("", "en.html", "fr.html"):
        graph.add(_at(about, page), "rdf:type", iri("foaf:Document"))
    if about.sources:
        graph.add(dataset, "dct:source", *(Iri(source) for source in about.sources))
    _health(graph, about, figures)
    _statements(graph, about, figures)
    if quality is not None:
        _quality(graph, about, quality)


def _health(graph: Graph, about: About, figures: Figures) -> None:
    dataset = _at(about, "#dataset")
    categories = (_concept(graph, "health-category", code) for code in about.health_categories)
    graph.add(dataset, "healthdcatap:healthCategory", *categories)
    graph.add(dataset, "healthdcatap:healthTheme", *(_concept(graph, "health-theme", c) for c in about.health_themes))
    known = (coding_systems()[name] for name in figures.vocabularies if name in coding_systems())
    systems = sorted({*known, "OHDSI-VOCAB"})
    graph.add(dataset, "healthdcatap:hasCodingSystem", *(_concept(graph, "coding-system", code) for code in systems))
    for code in systems:
        address = concept("coding-system", code)
        graph.add(address.iri, "dct:title", Text(address.en, "en"), Text(address.fr, "fr"))
    graph.add(dataset, "healthdcatap:numberOfUniqueIndividuals", _count(figures.n_persons))
    graph.add(dataset, "healthdcatap:numberOfRecords", _count(figures.n_records))
    if figures.min_age is not None and figures.max_age is not None:
        graph.add(dataset, "healthdcatap:minTypicalAge", _count(figures.min_age))
        graph.add(dataset, "healthdcatap:maxTypicalAge", _count(figures.max_age))
    graph.add(dataset, "healthdcatap:populationCoverage", *_both(about.population))
    if figures.starts_on is not None and figures.ends_on is not None:
        _period(graph, about, "dct:temporal", "#period", figures.starts_on, figures.ends_on)
    graph.add(dataset, "dcat:temporalResolution", Text("P1D", datatype="xsd:duration"))
    _period(graph, about, "healthdcatap:retentionPeriod", "#retention", about.retention.start, about.retention.end)


def _period(graph: Graph, about: About, predicate: str, name: str, start: object, end: object) -> None:
    graph.add(_at(about, "#dataset"), predicate, _at(about, name))
    graph.add(_at(about, name), "rdf:type", iri("dct:PeriodOfTime"))
    graph.add(_at(about, name), "dcat:startDate", _day(start))
    graph.add(_at(about, name), "dcat:endDate", _day(end))


def _statements(graph: Graph, about: About, figures: Figures) -> None:
    """Provenance, purpose, legal basis, personal data and what the data were generated by."""
    dataset = _at(about, "#dataset")
    graph.add(dataset, "dct:provenance", _at(about, "#provenance"))
    graph.add(_at(about, "#provenance"), "rdf:type", iri("dct:ProvenanceStatement"))
    made = (
        Text(f"{about.provenance.en} Snapshot {figures.snapshot}, built on {figures.built_on}.", "en"),
        Text(f"{about.provenance.fr} Instantané {figures.snapshot}, construit le {figures.built_on}.", "fr"),
    )
    graph.add(_at(about, "#provenance"), "rdfs:label", *made)
    graph.add(dataset, "dpv:hasPurpose", _at(about, "#purpose"))
    graph.add(_at(about, "#purpose"), "rdf:type", iri("dpv:Purpose"))
    graph.add(_at(about, "#purpose"), "dct:description", *_both(about.purpose))
    graph.add(dataset, "dpv:hasLegalBasis", _at(about, "#legal-basis"))
    graph.add(_at(about, "#legal-basis"), "rdf:type", iri("dpv:LegalBasis"))
    graph.add(_at(about, "#legal-basis"), "dct:description", *_both(about.legal_basis))
    graph.add(_at(about, "#legal-basis"), "dct:source", Iri(about.legal_basis.source))
    for term in about.personal_data:
        personal = Iri(f"https://w3id.org/dpv/dpv-pd#{term}")
        graph.add(dataset, "dpv:hasPersonalData", personal)
        graph.add(personal, "rdf:type", iri("dpv:PersonalData"))
    for code in about.activities:
        activity = _at(about, f"#activity-{code.lower()}")
        found = concept("health-activity", code)
        graph.add(dataset, "prov:wasGeneratedBy", activity)
        graph.add(activity, "rdf:type", iri("prov:Activity"))
        graph.add(activity, "rdfs:label", Text(found.en, "en"), Text(found.fr, "fr"))
        graph.add(activity, "dct:type", _concept(graph, "health-activity", code))


def _quality(graph: Graph, about: About, quality: Quality) -> None:
    certificate, said = _at(about, "#quality"), said_of_quality(quality)
    graph.add(_at(about, "#dataset"), "dqv:hasQualityAnnotation", certificate)
    graph.add(certificate, "rdf:type", iri("dqv:QualityCertificate"))
    graph.add(certificate, "rdfs:comment", *_both(said))
    graph.add(certificate, "oa:hasTarget", _at(about, "#dataset"))
    graph.add(certificate, "oa:hasBody", _at(about, "en.html"))
    graph.add(certificate, "oa:motivatedBy", iri("dqv:qualityAssessment"))


def _distributions(
    graph: Graph, about: About, figures: Figures, analytics: Sequence[PublicFile], sample: Sequence[PublicFile]
) -> None:
    dataset, access = _at(about, "#dataset"), _at(about, "#access")
    graph.add(dataset, "dcat:distribution", access)
    graph.add(access, "rdf:type", iri("dcat:Distribution"))
    graph.add(access, "dct:title", Text("Access under a permit", "en"), Text("Accès sur autorisation", "fr"))
    told = (
        Text("Rows are seen inside a secure processing environment only; apply to the access body.", "en"),
        Text("Les lignes ne se voient que dans un environnement sécurisé ; demande à l'organisme d'accès.", "fr"),
    )
    graph.add(access, "dct:description", *told)
    graph.add(access, "dcat:accessURL", Iri(about.access_page))
    graph.add(access, "dcatap:applicableLegislation", EHDS)
    graph.add(access, "dct:format", _concept(graph, "file-type", "HTML"))
    _rights(graph, about, access, "#rights-access", *told)
    unit = Said(
        en=f"Numbers rounded down to two digits; none below {number(figures.unit)}.",
        fr=f"Nombres arrondis par défaut à deux chiffres ; aucun sous {number(figures.unit)}.",
    )
    titles = {
        TABLES: Said(en="Rows and persons by table", fr="Lignes et personnes par table"),
        COLUMNS: Said(en="Persons with a value by column", fr="Personnes renseignées par colonne"),
    }
    for file in analytics:
        node = _file(graph, about, f"#{_stem(file)}", file, titles[file.name], unit)
        graph.add(dataset, "healthdcatap:analytics", node)
    for file in sample:
        table = _stem(file)
        title = Said(en=f"Synthetic sample: {table}", fr=f"Échantillon synthétique : {table}")
        graph.add(dataset, "adms:sample", _file(graph, about, f"#sample-{table}", file, title, said_of_sample()))


def _stem(file: PublicFile) -> str:
    """The file's name without folder and ending."""
    return file.name.rpartition("/")[2].removesuffix(".csv")


def _rights(graph: Graph, about: About, node: Iri, name: str, *said: Text) -> None:
    graph.add(node, "dct:rights", _at(about, name))
    graph.add(_at(about, name), "rdf:type", iri("dct:RightsStatement"))
    graph.add(_at(about, name), "rdfs:label", *said)


def _file(graph: Graph, about: About, name: str, file: PublicFile, title: Said, told: Said) -> Iri:
    """A CSV file beside the description, named by its digest: DCAT-AP's shapes let a checksum be SHA-1 only.

    Source: RFC 6920.
    """
    node = _at(about, name)
    graph.add(node, "rdf:type", iri("dcat:Distribution"))
    graph.add(node, "dct:title", *_both(title))
    graph.add(node, "dct:description", *_both(told))
    graph.add(node, "dcat:accessURL", _at(about, ""))
    graph.add(node, "dcat:downloadURL", _at(about, file.name))
    graph.add(node, "dcatap:applicableLegislation", EHDS)
    graph.add(node, "dct:format", _concept(graph, "file-type", "CSV"))
    graph.add(node, "dcat:mediaType", _CSV)
    graph.add(_CSV, "rdf:type", iri("dct:MediaType"))
    graph.add(node, "dct:license", Iri(about.licence))
    graph.add(Iri(about.licence), "rdf:type", iri("dct:LicenseDocument"))
    public = (Text("Public; tells of no person.", "en"), Text("Public ; ne décrit personne.", "fr"))
    _rights(graph, about, node, "#rights-public", *public)
    digest = base64.urlsafe_b64encode(bytes.fromhex(file.sha256)).decode("ascii").rstrip("=")
    graph.add(node, "dct:identifier", Text(f"ni:///sha-256;{digest}", datatype="xsd:anyURI"))
    return node


def _agents(graph: Graph, about: About) -> None:
    dataset = _at(about, "#dataset")
    graph.add(dataset, "dct:publisher", _agent(graph, about, "publisher", about.publisher))
    publisher = _at(about, "#publisher")
    graph.add(publisher, "healthdcatap:publisherType", concept("publisher-type", about.publisher.type).iri)
    graph.add(publisher, "healthdcatap:publisherNote", *_both(about.publisher.note))
    trusted = Text(str(about.publisher.trusted_data_holder).lower(), datatype="xsd:boolean")
    graph.add(publisher, "healthdcatap:trustedDataHolder", trusted)
    graph.add(dataset, "healthdcatap:hdab", _agent(graph, about, "access-body", about.access_body))
    if about.custodian is not None:
        graph.add(dataset, "geodcatap:custodian", _agent(graph, about, "custodian", about.custodian))
    contact = _at(about, "#contact")
    graph.add(dataset, "dcat:contactPoint", contact)
    _card(graph, contact, about.title, about.contact.email, about.contact.page)


def _agent(graph: Graph, about: About, role: str, agent: Agent) -> Iri:
    node, point, card = (_at(about, f"#{role}{part}") for part in ("", "-contact", "-card"))
    graph.add(node, "rdf:type", iri("foaf:Agent"))
    graph.add(node, "foaf:name", *_both(agent.name))
    graph.add(node, "dct:type", _concept(graph, "publisher-type", agent.type))
    graph.add(node, "cv:contactPoint", point)
    graph.add(point, "rdf:type", iri("cv:ContactPoint"))
    graph.add(point, "cv:email", Text(agent.email))
    graph.add(point, "cv:contactPage", Iri(agent.page))
    graph.add(node, "dcat:contactPoint", card)
    graph.add(node, "foaf:homepage", Iri(agent.page))
    graph.add(node, "foaf:mbox", Iri(f"mailto:{agent.email}"))
    graph.add(Iri(agent.page), "rdf:type", iri("foaf:Document"))
    _card(graph, card, agent.name, agent.email, agent.page)
    return node


def _card(graph: Graph, node: Iri, name: Said, email: str, page: str) -> None:
    graph.add(node, "rdf:type", iri("vcard:Kind"))
    graph.add(node, "vcard:fn", *_both(name))
    graph.add(node, "vcard:hasEmail", Iri(f"mailto:{email}"))
    graph.add(node, "vcard:hasURL", Iri(page))


def _variables(graph: Graph, about: About, figures: Figures) -> None:
    """Tables that persons' rows are in, and all their columns."""
    group = _at(about, "#variables")
    graph.add(_at(about, "#dataset"), "healthdcatap:hasStructuredData", Text("true", datatype="xsd:boolean"))
    graph.add(_at(about, "#dataset"), "healthdcatap:hasVariables", group)
    graph.add(group, "rdf:type", iri("csvw:TableGroup"))
    graph.add(group, "dct:title", Text("Tables of the OMOP CDM 5.4", "en"), Text("Tables de l'OMOP CDM 5.4", "fr"))
    for name in (table.table for table in figures.tables if table.n_persons is not None):
        table = _at(about, f"#table-{name}")
        graph.add(group, "csvw:table", table)
        graph.add(table, "rdf:type", iri("csvw:Table"))
        graph.add(table, "dct:title", Text(name, "en"))
        for column in omop_tables()[name]:
            node = _at(about, f"#column-{name}.{column.name}")
            graph.add(table, "csvw:column", node)
            graph.add(node, "rdf:type", iri("csvw:Column"))
            graph.add(node, "csvw:name", Text(column.name))
            for predicate in ("csvw:title", "csvw:titles"):  # the second in releases 5 to 7
                graph.add(node, predicate, Text(column.name.replace("_", " "), "en"))
            told = (
                Text(f"{column.name} of {name} as the OMOP CDM 5.4 defines it", "en"),
                Text(f"{column.name} de {name} selon l'OMOP CDM 5.4", "fr"),
            )
            graph.add(node, "dct:description", *told)
            graph.add(node, "csvw:datatype", Text(_DATATYPES[column.sql_type]))
