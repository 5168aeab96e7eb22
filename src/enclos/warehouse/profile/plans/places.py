"""What does not belong to a bucket: providers, places, and references from events to what may not exist.

Source: OHDSI Achilles 1.8, analyses 7–9, 226, 300–325, 1100–1202, 1326, 1900, 2200–2201, as definitions.
"""

from __future__ import annotations

from collections.abc import Iterator

from enclos.warehouse.profile.catalogue import DOMAINS, OLDER_NAMES, UNMAPPED
from enclos.warehouse.profile.plans.partial import COUNTS, Source, Sources, add_counts

_IN_VISITS = (
    "drug_exposure",
    "condition_occurrence",
    "device_exposure",
    "procedure_occurrence",
    "measurement",
    "observation",
)
_REFERENCES = {"provider": "provider", "visit": "visit_occurrence", "care_site": "care_site"}


def _lost(table: Source, key: str, target: Source | None) -> str:
    """A FROM clause over the rows whose reference leads nowhere."""
    if not table.has(key):
        return f"{table.relation} WHERE false"
    known = (
        f"SELECT {key} FROM {target.relation} WHERE {key} IS NOT NULL"
        if target is not None
        else "SELECT NULL WHERE false"
    )
    return f'{table.relation} WHERE "{key}" IS NOT NULL AND "{key}" NOT IN ({known})'


def count_lost(sources: Sources) -> Iterator[str]:
    """References of persons (7–9) and of events that lead nowhere."""
    person = sources["person"]
    for analysis, name in ((7, "provider"), (8, "location"), (9, "care_site")):
        yield add_counts(analysis, (), "count(person_id)", _lost(person, f"{name}_id", sources.get(name)))
    for domain in DOMAINS:
        table = sources.get(domain.table)
        for fault, target in _REFERENCES.items():
            if table is not None and fault in domain.faults:
                source = _lost(table, f"{target}_id", sources.get(target))
                yield add_counts(domain.base + domain.faults[fault], (), "count(person_id)", source)


def count_events_of_visits(sources: Sources) -> Iterator[str]:
    """Events by the concept of their visit (226) and of its details (1326); 0 without one."""
    for analysis, table in ((226, "visit_occurrence"), (1326, "visit_detail")):
        visits = sources.get(table)
        concept = "visit_concept_id" if table == "visit_occurrence" else "visit_detail_concept_id"
        for name in _IN_VISITS:
            events = sources.get(name)
            if events is None:
                continue
            joined = (
                f"(SELECT coalesce(v.{concept}, 0) AS concept_id FROM {events.relation} AS t"
                f" LEFT JOIN {visits.relation} AS v ON t.visit_occurrence_id = v.visit_occurrence_id)"
                if visits is not None and events.has("visit_occurrence_id")
                else f"(SELECT 0 AS concept_id FROM {events.relation})"
            )
            yield (
                f"INSERT INTO {COUNTS} (analysis_id, s1, s2, n) SELECT {analysis}, CAST(concept_id AS VARCHAR),"
                f" '{name}', count(*) FROM {joined} GROUP BY concept_id"
            )


def count_providers(sources: Sources) -> Iterator[str]:
    """Providers by specialty (300–325)."""
    provider, visit = sources.get("provider"), sources.get("visit_occurrence")
    if provider is None:
        return
    n = "count(DISTINCT provider_id)"
    yield add_counts(300, (), n, provider.relation)
    yield add_counts(301, (provider.column("specialty_concept_id"),), n, provider.relation)
    yield add_counts(325, (provider.column("specialty_source_concept_id"),), "count(*)", provider.relation)
    if visit is not None and visit.has("provider_id"):
        joined = f"{provider.relation} AS p JOIN {visit.relation} AS v ON v.provider_id = p.provider_id"
        yield add_counts(303, ("p.specialty_concept_id", "v.visit_concept_id"), "count(*)", joined)


def count_places(sources: Sources) -> Iterator[str]:
    """Where persons live and where care is given (1100–1103, 1200–1202)."""
    place, site = sources.get("location"), sources.get("care_site")
    for analysis, name, key in ((1100, "person", "person_id"), (1102, "care_site", "care_site_id")):
        table = sources.get(name)
        if place is None or table is None or not table.has("location_id"):
            continue
        joined = f"{table.relation} AS t JOIN {place.relation} AS l ON t.location_id = l.location_id"
        for number, value in ((analysis, "left(l.zip, 3)"), (analysis + 1, "l.state")):
            filled = f"{joined} WHERE {value} IS NOT NULL"
            yield add_counts(number, (value, "l.location_id"), f"count(DISTINCT t.{key})", filled)
    service = "c.place_of_service_concept_id"
    for analysis, name, key in ((1200, "person", "person_id"), (1201, "visit_occurrence", "visit_occurrence_id")):
        table = sources.get(name)
        if site is not None and table is not None and table.has("care_site_id"):
            joined = f"{table.relation} AS t JOIN {site.relation} AS c ON t.care_site_id = c.care_site_id"
            yield add_counts(analysis, (service,), f"count(t.{key})", f"{joined} WHERE {service} IS NOT NULL")
    if site is not None:
        filled = f"{site.relation} AS c WHERE {service} IS NOT NULL"
        yield add_counts(1202, (service,), "count(c.care_site_id)", filled)


def count_unmapped(sources: Sources) -> Iterator[str]:
    """Source values of records that have no standard concept (1900)."""
    for table, value, concept in UNMAPPED:
        source = sources.get(table)
        if source is None:
            continue
        value_here, concept_here = (
            name if source.has(name) else OLDER_NAMES.get((table, name), name) for name in (value, concept)
        )
        if source.has(value_here, concept_here):
            yield (
                f"INSERT INTO {COUNTS} (analysis_id, s1, s2, s3, n) SELECT 1900, '{table}', '{value_here}',"
                f' CAST("{value_here}" AS VARCHAR), count(*) FROM {source.relation} WHERE "{concept_here}" = 0'
                f' GROUP BY "{value_here}"'
            )


def count_notes(note: Source) -> Iterator[str]:
    """Notes by type (2200, 2201)."""
    kind = note.column("note_type_concept_id")
    yield add_counts(2200, (kind,), "count(DISTINCT person_id)", note.relation)
    yield add_counts(2201, (kind,), "count(person_id)", note.relation)
