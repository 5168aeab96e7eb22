"""The cohorts that a permit's users saved, as their queries see them."""

from __future__ import annotations

from enclos.contracts.columns import Column, TableContract

SAVED_COHORT = TableContract(
    "cohort",
    (
        Column("cohort_definition_id", "BIGINT", True),
        Column("subject_id", "BIGINT", True),
        Column("cohort_start_date", "DATE", True),
        Column("cohort_end_date", "DATE", True),
        Column("person_id", "BIGINT", True),
    ),
)
"""OMOP's COHORT, and the person once more under the name that all tables of persons have, so that it joins as they."""
