"""OMOP deliveries, without what identifies."""

from __future__ import annotations

from enclos.contracts.columns import Column, TableContract
from enclos.contracts.omop import PERSON_TABLES, SHARED_TABLES, omop_tables
from enclos.contracts.pseudonymised.columns import PERSON

_IDENTIFYING = frozenset({"person_id", "person_source_value", "provider_source_value"})
_OF_A_ROW = ("cost", "episode_event")
"""Tables whose rows are of the person of the row that they name."""
_OF_PROFESSIONALS = frozenset(
    {
        "provider_name",
        "npi",
        "dea",
        "year_of_birth",
        "gender_concept_id",
        "gender_source_value",
        "gender_source_concept_id",
    }
)
"""What finds a professional in a public directory; birth year and gender do, beside speciality and place."""


def _omop_table(name: str) -> TableContract:
    """An OMOP table as delivered, without what identifies; original row ids stay, to keep links between rows.

    ``provider_id`` is a keyed hash: hospitals number professionals by their national number.
    """
    hidden = _IDENTIFYING | _OF_PROFESSIONALS if name == "provider" else _IDENTIFYING
    columns = tuple(Column(c.name, c.sql_type) for c in omop_tables()[name] if c.name not in hidden)
    if name in (*PERSON_TABLES, *_OF_A_ROW):
        return TableContract(f"omop_{name}", (*PERSON, *columns))
    return TableContract(f"omop_{name}", (Column("source", "VARCHAR", True), *columns))


OMOP = (
    *(_omop_table(name) for name in (*PERSON_TABLES, *_OF_A_ROW)),
    *(_omop_table(name) for name in SHARED_TABLES),
    # person_id is the first person of a relation, other_id the second; of "child of subject" the other way round
    TableContract(
        "omop_fact_relationship", (*PERSON, Column("other_id", "BIGINT"), Column("relationship_concept_id", "BIGINT"))
    ),
    TableContract(
        "omop_fact_link", (*PERSON, *(Column(c.name, c.sql_type) for c in omop_tables()["fact_relationship"]))
    ),
)
