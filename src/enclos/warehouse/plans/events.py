"""Clinical events: the one shape that all mapped lines take, and the OMOP table that each goes to.

A line's table is decided by the domain of its standard concept; a line without one stays in the table of its kind.

Source: OHDSI convention, "domain decides table"; HL7 FHIR-OMOP guide f2o-037.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from enclos.contracts.omop import START_DATES, omop_tables, primary_keys
from enclos.warehouse.plans.relations import row_id_sql
from enclos.warehouse.plans.traps import Trap

EVENT_TABLES: tuple[str, ...] = (
    "condition_occurrence",
    "drug_exposure",
    "procedure_occurrence",
    "device_exposure",
    "measurement",
    "observation",
)
"""Tables that lines are routed to."""

_TABLE_OF_DOMAIN = {
    "Condition": "condition_occurrence",
    "Drug": "drug_exposure",
    "Procedure": "procedure_occurrence",
    "Device": "device_exposure",
    "Measurement": "measurement",
}
_ELSEWHERE = "observation"
"""Where a standard concept of any other domain goes."""

_EVENT: dict[str, str] = {
    "person_id": "BIGINT",
    "start_on": "DATE",
    "start_at": "TIMESTAMP",
    "end_on": "DATE",
    "end_at": "TIMESTAMP",
    "concept_id": "BIGINT",
    "source_concept_id": "BIGINT",
    "source_value": "VARCHAR",
    "type_concept_id": "BIGINT",
    "status_concept_id": "BIGINT",
    "status_source_value": "VARCHAR",
    "visit_occurrence_id": "BIGINT",
    "quantity": "DOUBLE",
    "days_supply": "BIGINT",
    "modifier": "VARCHAR",
    "value": "DOUBLE",
    "unit_concept_id": "BIGINT",
    "unit": "VARCHAR",
    "range_low": "DOUBLE",
    "range_high": "DOUBLE",
}
"""The columns of an event and their types."""

_COLUMNS: dict[str, dict[str, str]] = {
    "condition_occurrence": {
        "condition_concept_id": "concept_id",
        "condition_start_date": "start_on",
        "condition_start_datetime": "start_at",
        "condition_end_date": "end_on",
        "condition_end_datetime": "end_at",
        "condition_type_concept_id": "type_concept_id",
        "condition_status_concept_id": "coalesce(status_concept_id, 0)",
        "condition_source_value": "source_value",
        "condition_source_concept_id": "source_concept_id",
        "condition_status_source_value": "status_source_value",
    },
    "drug_exposure": {
        "drug_concept_id": "concept_id",
        "drug_exposure_start_date": "start_on",
        "drug_exposure_start_datetime": "start_at",
        "drug_exposure_end_date": "coalesce(end_on, start_on)",
        "drug_exposure_end_datetime": "end_at",
        "drug_type_concept_id": "type_concept_id",
        "quantity": "quantity",
        "days_supply": "days_supply",
        "drug_source_value": "source_value",
        "drug_source_concept_id": "source_concept_id",
    },
    "procedure_occurrence": {
        "procedure_concept_id": "concept_id",
        "procedure_date": "start_on",
        "procedure_datetime": "start_at",
        "procedure_type_concept_id": "type_concept_id",
        "quantity": "CAST(quantity AS BIGINT)",
        "procedure_source_value": "source_value",
        "procedure_source_concept_id": "source_concept_id",
        "modifier_source_value": "modifier",
    },
    "device_exposure": {
        "device_concept_id": "concept_id",
        "device_exposure_start_date": "start_on",
        "device_exposure_start_datetime": "start_at",
        "device_exposure_end_date": "end_on",
        "device_type_concept_id": "type_concept_id",
        "quantity": "CAST(quantity AS BIGINT)",
        "device_source_value": "source_value",
        "device_source_concept_id": "source_concept_id",
    },
    "measurement": {
        "measurement_concept_id": "concept_id",
        "measurement_date": "start_on",
        "measurement_datetime": "start_at",
        "measurement_type_concept_id": "type_concept_id",
        "value_as_number": "value",
        "unit_concept_id": "unit_concept_id",
        "range_low": "range_low",
        "range_high": "range_high",
        "measurement_source_value": "source_value",
        "measurement_source_concept_id": "source_concept_id",
        "unit_source_value": "unit",
        "value_source_value": "CAST(value AS VARCHAR)",
    },
    "observation": {
        "observation_concept_id": "concept_id",
        "observation_date": "start_on",
        "observation_datetime": "start_at",
        "observation_type_concept_id": "type_concept_id",
        "value_as_number": "value",
        "unit_concept_id": "unit_concept_id",
        "observation_source_value": "source_value",
        "observation_source_concept_id": "source_concept_id",
        "unit_source_value": "unit",
        "qualifier_source_value": "status_source_value",
    },
}
"""What each table takes from an event; what is not named is empty."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of delivered line that becomes events."""

    name: str
    """Its lines are kept for the bucket as ``stage_<name>``, with at least verdict, n_lines and n_mapped."""
    home: str
    """The table of a line without a standard concept."""
    events_sql: str
    """Its events, from the stage."""
    lines_sql: str = ""
    """Its lines judged and counted, from the delivered table; empty where another kind counts them."""
    traps: tuple[Trap, ...] = ()
    vocabularies: frozenset[str] | None = None
    """The vocabularies of its codes; None: any."""

    def targets(self, domains: Mapping[str, frozenset[str]]) -> frozenset[str]:
        """The tables that its events can go to.

        In: domains — by vocabulary, the domains that its codes lead to.
        """
        chosen = domains.keys() if self.vocabularies is None else self.vocabularies & domains.keys()
        return frozenset({self.home, *(_TABLE_OF_DOMAIN.get(d, _ELSEWHERE) for v in chosen for d in domains[v])})


def events_sql(
    columns: Mapping[str, str],
    source: str,
    home: str,
    *,
    vocabulary: str = "e.vocabulary",
    n_lines: str = "e.n_mapped",
    codes: str = "stage_codes AS m ON m.vocabulary = e.vocabulary AND m.code = e.code_key",
) -> str:
    """Lines as events, one row per standard concept of a line.

    In: columns — what the lines say, as SQL over the lines ``e`` and the concepts ``m``; source — the lines, with alias
    ``e``; codes — the join that finds the concepts.
    Out: the event's columns, target (its table), vocabulary, n_lines (delivered lines, on a line's first event only).
    """
    said = {
        "concept_id": "coalesce(m.concept_id, 0)",
        "source_concept_id": "coalesce(m.source_concept_id, 0)",
        **columns,
    }
    unknown = said.keys() - _EVENT.keys()
    if unknown:
        raise ValueError("an event has no such column")
    listed = ", ".join(f"CAST({said.get(name, 'NULL')} AS {type_}) AS {name}" for name, type_ in _EVENT.items())
    whens = " ".join(f"WHEN '{domain}' THEN '{table}'" for domain, table in _TABLE_OF_DOMAIN.items())
    return f"""
        SELECT {listed}, CASE WHEN m.domain IS NULL THEN '{home}' ELSE CASE m.domain {whens} ELSE '{_ELSEWHERE}' END END
                   AS target,
               {vocabulary} AS vocabulary, CASE WHEN coalesce(m.part, 1) = 1 THEN {n_lines} ELSE 0 END AS n_lines
        FROM {source} LEFT JOIN {codes}
    """


def tally_sql(events: str) -> str:
    """Events by table, and the codes without a standard concept.

    Out: target, vocabulary and code (NULL for a mapped event), n_rows, n_lines.
    """
    return f"""
        SELECT target, CASE WHEN concept_id = 0 THEN vocabulary END AS vocabulary,
               CASE WHEN concept_id = 0 THEN source_value END AS code, count(*) AS n_rows, sum(n_lines) AS n_lines
        FROM ({events}) GROUP BY ALL
    """


def delivered_sql(table: str, relation: str) -> str:
    """The rows of a delivered OMOP table as rows of the same table, its numbers recomposed.

    What a row says is copied, faults included: quality reports them. References to rows of other tables that carry no
    composed number (``…_event_id``), to providers and to families are left empty.
    """
    values = {}
    joins = []
    for name in omop_tables()[table].names:
        values[name] = f'd."{name}"'
    names = values.keys()
    values.update(dict.fromkeys({"provider_id", "family_source_value"} & names, "NULL"))
    values.update({name: "NULL" for name in names if name.endswith("_event_id") or "event_field" in name})
    for name, links in (("visit_occurrence_id", "stage_omop_visits"), ("visit_detail_id", "stage_omop_details")):
        if name in names:
            alias = f"l_{name}"
            joins.append(
                f"LEFT JOIN {links} AS {alias} ON {alias}.person_id = d.person_id "
                f'AND {alias}.key = hash(d.source, d."{name}")'
            )
            values[name] = f"{alias}.id"
    key = primary_keys().get(table)
    listed = ", ".join(f'{value} AS "{name}"' for name, value in values.items() if name != key)
    return f"SELECT {listed} FROM {relation} AS d {' '.join(joins)}"


def event_rows_sql(table: str, events: str) -> str:
    """The rows of a table that a kind's events make, without the row number."""
    key = primary_keys()[table]
    taken = {"person_id": "person_id", "visit_occurrence_id": "visit_occurrence_id", **_COLUMNS[table]}
    listed = ", ".join(
        f'CAST({taken.get(column.name, "NULL")} AS {column.sql_type}) AS "{column.name}"'
        for column in omop_tables()[table]
        if column.name != key
    )
    return f"SELECT {listed} FROM ({events}) WHERE target = '{table}'"


def numbered_rows_sql(table: str, parts: Sequence[str], bucket: int) -> str:
    """The rows of a table, numbered within their person by date and then by all they say, sorted by person and date.

    The number depends neither on the order of delivery nor on the number of buckets; rows that say exactly the same
    are interchangeable.
    """
    key, start_on = primary_keys()[table], START_DATES[table]
    names = [name for name in omop_tables()[table].names if name != key]
    everything = ", ".join(f'"{name}"' for name in names)
    number = row_id_sql("person_id", f'row_number() OVER (PARTITION BY person_id ORDER BY "{start_on}", tie)')
    listed = ", ".join(
        f'{number if name == key else f"{chr(34)}{name}{chr(34)}"} AS "{name}"' for name in omop_tables()[table].names
    )
    union = " UNION ALL ".join(parts)
    return f"""
        SELECT {bucket} AS bucket, {listed}
        FROM (SELECT *, hash({everything}) AS tie FROM ({union}))
        ORDER BY person_id, "{start_on}"
    """
