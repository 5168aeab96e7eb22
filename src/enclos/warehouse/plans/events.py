"""Clinical events: the one shape that all mapped lines take, and the OMOP table that each goes to.

A line's table is decided by the domain of its standard concept; a line without one stays in the table of its kind.

Source: OHDSI convention, "domain decides table"; HL7 FHIR-OMOP guide f2o-037.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from enclos.contracts.omop import omop_tables, primary_keys
from enclos.warehouse.plans.parts import Part
from enclos.warehouse.plans.providers import provider_join_sql
from enclos.warehouse.plans.relations import key_sql
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
    "route": "VARCHAR",
    "dose_unit": "VARCHAR",
    "provider_id": "BIGINT",
    "value": "DOUBLE",
    "operator_concept_id": "BIGINT",
    "value_concept_id": "BIGINT",
    "value_source_value": "VARCHAR",
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
        "route_source_value": "route",
        "dose_unit_source_value": "dose_unit",
        "drug_source_value": "source_value",
        "drug_source_concept_id": "source_concept_id",
    },
    "procedure_occurrence": {
        "procedure_concept_id": "concept_id",
        "procedure_date": "start_on",
        "procedure_datetime": "start_at",
        "procedure_end_date": "end_on",
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
        "operator_concept_id": "operator_concept_id",
        "value_as_number": "value",
        "value_as_concept_id": "value_concept_id",
        "unit_concept_id": "unit_concept_id",
        "range_low": "range_low",
        "range_high": "range_high",
        "measurement_source_value": "source_value",
        "measurement_source_concept_id": "source_concept_id",
        "unit_source_value": "unit",
        "value_source_value": "coalesce(value_source_value, CAST(value AS VARCHAR))",
    },
    "observation": {
        "observation_concept_id": "concept_id",
        "observation_date": "start_on",
        "observation_datetime": "start_at",
        "observation_type_concept_id": "type_concept_id",
        "value_as_number": "value",
        "value_as_concept_id": "value_concept_id",
        "unit_concept_id": "unit_concept_id",
        "observation_source_value": "source_value",
        "observation_source_concept_id": "source_concept_id",
        "unit_source_value": "unit",
        "qualifier_source_value": "status_source_value",
        "value_source_value": "value_source_value",
    },
}
"""What each table takes from an event; what is not named is empty."""


_BY_VOCABULARY = "stage_codes AS m ON m.vocabulary = e.vocabulary AND m.code = e.code_key"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of delivered line that becomes events, one per standard concept of the line."""

    name: str
    """Its lines are kept for the bucket as ``stage_<name>``, with at least verdict, n_lines and n_mapped."""
    home: str
    """The table of a line without a standard concept."""
    event: Mapping[str, str]
    """What a line says, event column by event column, as SQL over the line ``e`` and its concepts ``m``."""
    rows: str
    """The kept lines, under the alias ``e``, with what they are joined to."""
    lines_sql: str = ""
    """The delivered lines, judged and counted; empty where another kind counts them."""
    traps: tuple[Trap, ...] = ()
    vocabularies: frozenset[str] | None = None
    """The vocabularies of its codes; None: any."""
    vocabulary: str = "e.vocabulary"
    codes: str = _BY_VOCABULARY
    """The join that finds a line's concepts."""
    n_lines: str = "e.n_mapped"
    """Delivered lines that an event stands for, as SQL."""
    routed: bool = True
    """Whether the domain of the standard concept decides the table; else it is always the home."""

    def __post_init__(self) -> None:
        if not self.event.keys() <= _EVENT.keys():
            raise ValueError("an event has no such column")

    @property
    def says(self) -> Mapping[str, str]:
        """What its events say; concepts come from the codes."""
        return {
            "concept_id": "coalesce(m.concept_id, 0)",
            "source_concept_id": "coalesce(m.source_concept_id, 0)",
            **self.event,
        }

    @property
    def events_sql(self) -> str:
        """Its events.

        Out: the event's columns, tie (a number that stands for all it says), target (a position in EVENT_TABLES),
        vocabulary, n_lines (delivered lines, on a line's first event only).
        """
        says = self.says
        domain = "m.domain" if self.routed else "NULL"
        listed = ", ".join(f"CAST({says.get(name, 'NULL')} AS {type_}) AS {name}" for name, type_ in _EVENT.items())
        whens = " ".join(f"WHEN '{domain}' THEN {_number(table)}" for domain, table in _TABLE_OF_DOMAIN.items())
        return f"""
            SELECT {listed}, hash('{" ".join(says)}', {", ".join(says.values())}) AS tie,
                   CAST(CASE WHEN {domain} IS NULL THEN {_number(self.home)}
                        ELSE CASE {domain} {whens} ELSE {_number(_ELSEWHERE)} END END AS TINYINT) AS target,
                   {self.vocabulary} AS vocabulary,
                   CASE WHEN coalesce(m.part, 1) = 1 THEN {self.n_lines} ELSE 0 END AS n_lines
            FROM {self.rows} LEFT JOIN {self.codes}
        """

    def targets(self, domains: Mapping[str, frozenset[str]]) -> frozenset[str]:
        """The tables that its events can go to.

        In: domains — by vocabulary, the domains that its codes lead to.
        """
        if not self.routed:
            return frozenset({self.home})
        chosen = domains.keys() if self.vocabularies is None else self.vocabularies & domains.keys()
        return frozenset({self.home, *(_TABLE_OF_DOMAIN.get(d, _ELSEWHERE) for v in chosen for d in domains[v])})


def _number(table: str) -> int:
    return EVENT_TABLES.index(table)


def tally_sql(events: str) -> str:
    """Events by table and vocabulary, and the codes without a standard concept.

    Out: target (a position in EVENT_TABLES), vocabulary, code (NULL for a mapped event), n_rows, n_lines.
    """
    return f"""
        SELECT target, vocabulary, CASE WHEN concept_id = 0 THEN coalesce(source_value, '') END AS code,
               count(*) AS n_rows, sum(n_lines) AS n_lines
        FROM ({events}) GROUP BY ALL
    """


def delivered_part(table: str, relation: str) -> Part:
    """The rows of a delivered OMOP table as rows of the same table, its numbers recomposed.

    What a row says is copied, faults included: quality reports them. References to rows of other tables that carry no
    composed number (``…_event_id``) and to families are left empty. Of an episode, its parent is told apart
    (``plans/episodes``), and equal ones keep the order of their numbers.
    """
    links = {"visit_occurrence_id": "stage_omop_visits", "visit_detail_id": "stage_omop_details"}
    values = {}
    joins = []
    for name in omop_tables()[table].names:
        if name in links:
            alias, column = f"l_{name}", f'd."{name}"'
            joins.append(
                f"LEFT JOIN {links[name]} AS {alias} ON {alias}.person_id = d.person_id "
                f"AND {alias}.key = {key_sql('d.source', column)}"
            )
            values[name] = f"{alias}.id"
        elif name == "provider_id":
            joins.append(provider_join_sql("l_provider_id", "d"))
            values[name] = "l_provider_id.provider_id"
        elif name not in (primary_keys().get(table), "family_source_value", "episode_parent_id") and not (
            name.endswith("_event_id") or "event_field" in name
        ):
            values[name] = f'd."{name}"'
    key = key_sql("d.source", f'd."{primary_keys()[table]}"')
    told = [*values.values(), *([key] if table == "episode" else [])]
    return Part(values, f"FROM {relation} AS d {' '.join(joins)}", f"hash('omop', {', '.join(told)})", key)


def event_part(table: str, kind: Kind) -> Part:
    """The rows of a table that a kind's events make."""
    says = kind.says
    everywhere = ("person_id", "visit_occurrence_id", "provider_id")
    taken = {name: name for name in everywhere} | _COLUMNS[table]
    values = {column: value for column, value in taken.items() if value not in _EVENT or value in says}
    return Part(values, f"FROM ({kind.events_sql}) WHERE target = {_number(table)}", "tie")
