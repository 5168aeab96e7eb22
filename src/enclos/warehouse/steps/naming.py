"""Which rows the delivered rows of an OMOP table name, and where their numbers lead."""

from __future__ import annotations

from enclos.warehouse.plans import named_rows
from enclos.warehouse.steps.sources import Sources
from enclos.warehouse.steps.stage import Stage

_PLACES = {
    "cost": named_rows.cost_places_sql,
    "fact_link": named_rows.fact_places_sql,
    "episode_event": named_rows.event_places_sql,
}


def named_by(stage: Stage, at: Sources, table: str) -> frozenset[str]:
    """The delivered tables whose rows the delivered rows of a table name."""
    if f"omop_{table}" not in at:
        return frozenset()
    places = stage.rows(_PLACES[table](at[f"omop_{table}"]))
    return frozenset(place for (place,) in places if place and f"omop_{place}" in at)


def define_named(stage: Stage, at: Sources, table: str) -> None:
    """Stage where the numbers that the table's rows name lead (``omop_named_<table>``)."""
    stage.define(f"omop_named_{table}", named_rows.named_sql(sorted(named_by(stage, at, table))))
