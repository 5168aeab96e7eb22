"""OMOP deliveries: CDM 5.3 becomes 5.4, identities become numbers, what identifies by itself is emptied."""

from __future__ import annotations

from collections.abc import Mapping

from enclos.contracts.omop import (
    CHILD_OF_SUBJECT,
    OMOP_53_NAMES,
    PERSON_TABLES,
    omop_tables,
    primary_keys,
    table_of_domain_concept_sql,
    table_of_domain_sql,
)
from enclos.contracts.pseudonymised import PSEUDONYMISED
from enclos.pseudonyms.model import LeftBehind
from enclos.pseudonyms.plans.persons import PATIENTS
from enclos.pseudonyms.plans.shape import superseded

_EMPTIED: dict[str, frozenset[str]] = {
    "location": frozenset({"address_1", "address_2", "latitude", "longitude", "location_source_value"}),
    "payer_plan_period": frozenset({"family_source_value"}),
    "device_exposure": frozenset({"unique_device_id", "production_id"}),
    "specimen": frozenset({"specimen_source_id"}),
}
"""Columns that tell a dwelling, a family, a serial number or a tube."""
NOT_MAPPED: dict[str, LeftBehind] = {
    "note": LeftBehind.FREE_TEXT,
    "note_nlp": LeftBehind.FREE_TEXT,
    "cohort": LeftBehind.OF_A_STUDY,
    "cohort_definition": LeftBehind.OF_A_STUDY,
}
"""Delivered OMOP tables that stay behind, and why."""
_MAYBE_NUMBERS: dict[str, str] = {
    "visit_occurrence": "visit_source_value",
    "visit_detail": "visit_detail_source_value",
}
"""Columns meant for a kind of visit that many hospitals fill with the visit's own number: a value that only one visit
has is replaced by the row's id, which keeps how many values there are."""


_PERSON = 56
"""The domain of persons in FACT_RELATIONSHIP."""
_TWO_PERSONS = f"coalesce(domain_concept_id_1 = {_PERSON} AND domain_concept_id_2 = {_PERSON}, false)"
PROVIDERS = "enclos_providers"
"""(_source, provider_id, provider_key): professionals, and whoever rows name as one."""


def crossing_table(table: str) -> str | None:
    """The pseudonymised table that takes a delivered OMOP table, if any."""
    into = f"omop_{table}"
    return into if into in PSEUDONYMISED else None


def names_provider(table: str) -> bool:
    """Whether rows of the table that cross name a professional."""
    into = crossing_table(table)
    return into is not None and "provider_id" in PSEUDONYMISED[into].names


def columns_read(table: str) -> tuple[str, ...]:
    """What is read of a delivered OMOP table: the 5.4 columns that cross, their 5.3 spellings, and the keys."""
    crossing = [name for name in PSEUDONYMISED[f"omop_{table}"].names if name in omop_tables()[table].names]
    person = ["person_id"] if table in PERSON_TABLES else []
    own = [primary_keys()[table]] if table in primary_keys() else []
    return tuple(dict.fromkeys([*own, *person, *crossing, *OMOP_53_NAMES.get(table, {})]))


def named_rows(relations: Mapping[str, str]) -> str:
    """Whose each row is that a number may name: _source, place (its table), id, person_id.

    A number that rows of two persons bear leads to nobody.

    In: relations — by table, its delivered rows
    """
    each = [
        f"SELECT _source, '{table}' AS place, \"{primary_keys()[table]}\" AS id, min(person_id) AS person_id "
        f"FROM {rows} GROUP BY ALL HAVING count(DISTINCT person_id) = 1"
        for table, rows in relations.items()
    ]
    nobody = "SELECT NULL::VARCHAR AS _source, NULL::VARCHAR AS place, NULL::BIGINT AS id, NULL::BIGINT AS person_id"
    return f"({' UNION ALL '.join([*each, f'({nobody} LIMIT 0)'])})"


def judged_costs(rows: str, named: str) -> str:
    """Every row of an OMOP delivery's COST with the person of the row that it is a cost of.

    In: named — as ``named_rows``
    """
    values = ", ".join(
        f"r.{name}" for name in PSEUDONYMISED["omop_cost"].names if name not in {"person_id", "bucket", "source"}
    )
    return (
        f"SELECT r._source AS source, p.person_id, r._delivery, r._line, {values}, "
        f"CASE WHEN r._superseded THEN '{LeftBehind.SUPERSEDED.value}' "
        f"WHEN {table_of_domain_sql('r.cost_domain_id')} IS NULL THEN '{LeftBehind.POINTS_TO_ROWS.value}' "
        f"WHEN p.person_id IS NULL THEN '{LeftBehind.NO_PERSON.value}' END AS _left "
        f"FROM {superseded(rows, (primary_keys()['cost'],), unique=False)} AS r "
        f"LEFT JOIN {named} AS v ON v._source = r._source AND v.id = r.cost_event_id "
        f"AND v.place = {table_of_domain_sql('r.cost_domain_id')} "
        f"LEFT JOIN {PATIENTS} AS p ON p._source = r._source AND p.patient = CAST(v.person_id AS VARCHAR)"
    )


def judged_episode_events(rows: str, named: str) -> str:
    """Every row of an OMOP delivery's EPISODE_EVENT with the person of its episode.

    In: named — as ``named_rows``, of episodes
    """
    columns = omop_tables()["episode_event"].names
    return (
        f"SELECT r._source AS source, p.person_id, r._delivery, r._line, {', '.join(f'r.{name}' for name in columns)}, "
        f"CASE WHEN r._superseded THEN '{LeftBehind.SUPERSEDED.value}' "
        f"WHEN p.person_id IS NULL THEN '{LeftBehind.NO_PERSON.value}' END AS _left "
        f"FROM {superseded(rows, columns, unique=False)} AS r "
        f"LEFT JOIN {named} AS v ON v._source = r._source AND v.id = r.episode_id "
        f"LEFT JOIN {PATIENTS} AS p ON p._source = r._source AND p.patient = CAST(v.person_id AS VARCHAR)"
    )


def of_two_persons(rows: str) -> str:
    """The rows of a FACT_RELATIONSHIP that relate persons."""
    return f"(FROM {rows} WHERE {_TWO_PERSONS})"


def of_rows(rows: str) -> str:
    """The rows of a FACT_RELATIONSHIP that relate rows of other tables."""
    return f"(FROM {rows} WHERE NOT ({_TWO_PERSONS}))"


def judged_fact_links(rows: str, named: str) -> str:
    """Every row of an OMOP delivery's FACT_RELATIONSHIP that relates rows of one person.

    In: rows — as ``of_rows``; named — as ``named_rows``
    """
    columns = omop_tables()["fact_relationship"].names
    joins = " ".join(
        f"LEFT JOIN {named} AS v{side} ON v{side}._source = r._source AND v{side}.id = r.fact_id_{side} "
        f"AND v{side}.place = {table_of_domain_concept_sql(f'r.domain_concept_id_{side}')}"
        for side in (1, 2)
    )
    unknown = " OR ".join(f"{table_of_domain_concept_sql(f'r.domain_concept_id_{side}')} IS NULL" for side in (1, 2))
    return (
        f"SELECT r._source AS source, p.person_id, r._delivery, r._line, {', '.join(f'r.{name}' for name in columns)}, "
        f"CASE WHEN r._superseded THEN '{LeftBehind.SUPERSEDED.value}' "
        f"WHEN {unknown} OR v1.person_id <> v2.person_id THEN '{LeftBehind.POINTS_TO_ROWS.value}' "
        f"WHEN p.person_id IS NULL OR v2.person_id IS NULL THEN '{LeftBehind.NO_PERSON.value}' END AS _left "
        f"FROM {superseded(rows, columns, unique=False)} AS r {joins} "
        f"LEFT JOIN {PATIENTS} AS p ON p._source = r._source AND p.patient = CAST(v1.person_id AS VARCHAR)"
    )


def judged_relationships(rows: str) -> str:
    """Every row of an OMOP delivery's FACT_RELATIONSHIP that relates two persons, with both: its owner first.

    In: rows — as ``of_two_persons``
    """
    first, second = (
        f"CASE WHEN r.relationship_concept_id = {CHILD_OF_SUBJECT} THEN r.fact_id_{other} ELSE r.fact_id_{own} END"
        for own, other in ((1, 2), (2, 1))
    )
    return (
        "SELECT r._source AS source, p.person_id, o.person_id AS other_id, r.relationship_concept_id, r._delivery, "
        f"r._line, CASE WHEN r._superseded THEN '{LeftBehind.SUPERSEDED.value}' "
        f"WHEN p.person_id IS NULL OR o.person_id IS NULL THEN '{LeftBehind.NO_PERSON.value}' END AS _left "
        f"FROM {superseded(rows, omop_tables()['fact_relationship'].names, unique=False)} AS r "
        f"LEFT JOIN {PATIENTS} AS p ON p._source = r._source AND p.patient = CAST({first} AS VARCHAR) "
        f"LEFT JOIN {PATIENTS} AS o ON o._source = r._source AND o.patient = CAST({second} AS VARCHAR)"
    )


def judged_omop(table: str, rows: str) -> str:
    """Every row of an OMOP table with its person; the latest delivery's rows hold where several have a row id.

    Rows of one delivery that share an id all cross: telling the sender is for the quality checks.
    """
    older = {new: old for old, new in OMOP_53_NAMES.get(table, {}).items()}
    values = []
    for name in PSEUDONYMISED[f"omop_{table}"].names:
        if name in {"person_id", "bucket", "source"}:
            continue
        if name in _EMPTIED.get(table, ()):
            values.append(f"NULL AS {name}")
        elif name == _MAYBE_NUMBERS.get(table):
            alone = f"count(*) OVER (PARTITION BY r._source, r.{name}) = 1"
            values.append(
                f"CASE WHEN {alone} THEN CAST(r.{primary_keys()[table]} AS VARCHAR) ELSE r.{name} END AS {name}"
            )
        elif name == "provider_id":
            values.append("d.provider_key AS provider_id")
        elif name in older:
            values.append(f"coalesce(r.{name}, r.{older[name]}) AS {name}")
        else:
            values.append(f"r.{name}")
    provider = ""
    if names_provider(table):
        provider = f" LEFT JOIN {PROVIDERS} AS d ON d._source = r._source AND d.provider_id = r.provider_id"
    identity = (primary_keys()[table],) if table in primary_keys() else columns_read(table)
    latest = superseded(rows, identity, unique=False)
    late = f"WHEN r._superseded THEN '{LeftBehind.SUPERSEDED.value}'"
    if table not in PERSON_TABLES:
        return f"SELECT r._source AS source, {', '.join(values)}, CASE {late} END AS _left FROM {latest} AS r{provider}"
    return (
        f"SELECT r._source AS source, p.person_id, r._delivery, r._line, {', '.join(values)}, CASE {late} "
        f"WHEN p.person_id IS NULL "
        f"THEN '{LeftBehind.NO_PERSON.value}' END AS _left FROM {latest} AS r "
        f"LEFT JOIN {PATIENTS} AS p ON p._source = r._source AND p.patient = CAST(r.person_id AS VARCHAR)"
        f"{provider}"
    )
