"""The tables and columns that definitions read, so that a permit can be asked before they are made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from enclos.contracts.omop import omop_tables
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.studies.circe.domains import DOMAINS, Domain, Joined
from enclos.studies.circe.model import Definition
from enclos.studies.circe.outline import outline_of

_JOINED: Mapping[Joined, tuple[str, tuple[str, ...]]] = {
    Joined.PROVIDER: ("provider", ("provider_id", "specialty_concept_id")),
    Joined.VISIT: ("visit_occurrence", ("person_id", "visit_occurrence_id", "visit_concept_id")),
    Joined.CARE_SITE: ("care_site", ("care_site_id", "place_of_service_concept_id")),
}
_OF_HISTORY = ("entity_id", "location_id", "start_date", "end_date", "domain_id")
_OF_LOCATION = ("location_id", "region_concept_id")
_MOST_TOLD = 20


def missing_of(table: str, columns: Iterable[str]) -> tuple[str, ...]:
    """Of a table and some of its columns, what OMOP CDM 5.4 does not have: the table, or columns as table.column."""
    contract = omop_tables().get(table)
    if contract is None:
        return (table,)
    return tuple(f"{table}.{name}" for name in columns if name not in contract.names)


def missing_of_regions() -> tuple[str, ...]:
    """The same of where places were when."""
    return (*missing_of("location", _OF_LOCATION), *missing_of("location_history", _OF_HISTORY))


def check_held(definitions: Mapping[str, Definition]) -> None:
    """Refuse definitions that read what OMOP CDM 5.4 has no place for; names it, with its path in the definition.

    In: definitions — by the name of the cohort; no name where there is but one
    Refuses: CIRCE_TABLE_MISSING.
    """
    told = []
    for name, definition in definitions.items():
        missing = {each for table, names in columns_of([definition]).items() for each in missing_of(table, names)}
        paths = [f"{path} ({', '.join(names)})" for path, names in definition.beyond]
        untold = missing.difference(*(names for _, names in definition.beyond))
        told += [f"{name}: {each}" if name else each for each in (*paths, *sorted(untold))]
    if told:
        more = f"; and {len(told) - _MOST_TOLD} more" if len(told) > _MOST_TOLD else ""
        raise refusal(
            Code.CIRCE_TABLE_MISSING,
            f"A cohort definition reads what this warehouse does not hold: {'; '.join(told[:_MOST_TOLD])}{more}.",
            "Leave the criterion out, or say it by other records.",
        )


def columns_of(definitions: Sequence[Definition]) -> dict[str, tuple[str, ...]]:
    """The columns that the definitions read, by table."""
    if not definitions:
        return {}
    outline = outline_of(definitions)
    found: dict[str, dict[str, None]] = {
        "person": {"person_id": None},
        "observation_period": dict.fromkeys(
            ("person_id", "observation_period_start_date", "observation_period_end_date")
        ),
        "concept": dict.fromkeys(("concept_id", "invalid_reason")),
        "concept_ancestor": dict.fromkeys(("ancestor_concept_id", "descendant_concept_id")),
        "concept_relationship": dict.fromkeys(("concept_id_1", "concept_id_2", "relationship_id", "invalid_reason")),
    }

    def read(table: str, *names: str | None) -> None:
        found.setdefault(table, {}).update({name: None for name in names if name})

    for pick in outline.picks:
        table = DOMAINS[pick.domain]
        visit = "visit_occurrence_id" if table.visit else None
        source = table.source_concept if pick.source_set is not None else None
        if pick.domain is Domain.LOCATION_REGION:
            read(table.table, *table.columns, *_OF_HISTORY)
            read("location", *_OF_LOCATION)
        else:
            read(table.table, "person_id", *table.columns, table.concept, source, visit)
            read(table.table, *outline.columns.get(pick.domain, ()))
    if any(criterion.location_set is not None for criterion in outline.criteria):
        read("location_history", *_OF_HISTORY)
        read("location", *_OF_LOCATION)
    for joined, names in outline.beside.items():
        if joined is Joined.PERSON:
            read("person", *names)
        else:
            read(_JOINED[joined][0], *_JOINED[joined][1])
    return {table: tuple(names) for table, names in found.items()}
