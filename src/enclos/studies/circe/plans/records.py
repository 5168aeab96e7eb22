"""Records of the domains, each domain's table read once for all definitions."""

from __future__ import annotations

from collections.abc import Sequence

from enclos.studies.circe.domains import DOMAINS, Domain
from enclos.studies.circe.outline import Outline, Pick

_LOCATIONS = """(
    SELECT history.location_history_id, history.entity_id AS person_id, history.start_date, history.end_date,
        location.region_concept_id
    FROM location_history AS history
    JOIN location ON location.location_id = history.location_id
    WHERE history.domain_id = 'PERSON'
)"""


def record_table(domain: Domain) -> str:
    """The table of a domain's records."""
    return f"circe_record_{DOMAINS[domain].table}"


def plan_persons(columns: Sequence[str]) -> str:
    """Make ``circe_person``: what filters read of a person."""
    return f"CREATE OR REPLACE TEMP TABLE circe_person AS SELECT {', '.join(('person_id', *columns))} FROM person"


def plan_records(domain: Domain, outline: Outline) -> str:
    """Make the table of a domain's records, once for each pick that they are in; circe_code must be made."""
    table = DOMAINS[domain]
    picks = {pick: number for pick, number in outline.picks.items() if pick.domain is domain}
    extra = [name for name in outline.columns.get(domain, ()) if name != "visit_occurrence_id"]
    concept = f"d.{table.concept}" if table.concept else "NULL"
    visit = "CAST(d.visit_occurrence_id AS BIGINT)" if table.visit else "CAST(NULL AS BIGINT)"
    selected = ", ".join(
        [
            "d.person_id",
            f"CAST(d.{table.event_id} AS BIGINT) AS event_id",
            f"{table.start} AS start_date",
            f"{table.end} AS end_date",
            f"{visit} AS visit_occurrence_id",
            f"{concept} AS concept_id",
            *(f"d.{name}" for name in extra),
        ]
    )
    source = _LOCATIONS if domain is Domain.LOCATION_REGION else table.table
    parts = []
    for with_concept in (True, False):
        for with_source in (True, False):
            some = {
                number: pick
                for pick, number in picks.items()
                if (pick.concept_set is not None) is with_concept and (pick.source_set is not None) is with_source
            }
            if some:
                parts.append(_part(selected, source, table.concept, table.source_concept, some, outline))
    return f"CREATE OR REPLACE TEMP TABLE {record_table(domain)} AS {' UNION ALL '.join(parts)} ORDER BY pick"


def _part(
    selected: str,
    source: str,
    concept: str | None,
    source_concept: str | None,
    picks: dict[int, Pick],
    outline: Outline,
) -> str:
    """The records of picks that are told in the same way."""
    sample = next(iter(picks.values()))
    if sample.concept_set is None and sample.source_set is None:
        (number,) = picks
        return f"SELECT {number} AS pick, {selected} FROM {source} AS d"
    numbers: Sequence[str] = [
        f"({number}, {_set_number(pick, outline, of_source=False)}, {_set_number(pick, outline, of_source=True)})"
        for number, pick in picks.items()
    ]
    sql = f"SELECT picked.pick, {selected} FROM {source} AS d"
    values = f"(VALUES {', '.join(numbers)}) AS picked(pick, codeset, source_codeset)"
    if sample.source_set is None or sample.concept_set is None:
        column, codeset = (concept, "codeset") if sample.source_set is None else (source_concept, "source_codeset")
        picked = (
            f"(SELECT picked.pick, code.concept_id FROM circe_code AS code "
            f"JOIN {values} ON picked.{codeset} = code.codeset)"
        )
        return f"{sql} JOIN {picked} AS picked ON picked.concept_id = d.{column}"
    return (
        f"{sql} JOIN circe_code AS code ON code.concept_id = d.{concept} "
        f"JOIN circe_code AS source_code ON source_code.concept_id = d.{source_concept} "
        f"JOIN {values} ON picked.codeset = code.codeset AND picked.source_codeset = source_code.codeset"
    )


def _set_number(pick: Pick, outline: Outline, *, of_source: bool) -> str:
    concept_set = pick.source_set if of_source else pick.concept_set
    return str(outline.concept_sets[concept_set]) if concept_set is not None else "NULL"
