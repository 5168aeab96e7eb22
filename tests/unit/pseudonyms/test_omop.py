"""Every table of CDM 5.4 (5.3 has no other) crosses, is a vocabulary, or stays behind for a reason."""

from __future__ import annotations

import pytest

from enclos.contracts.omop import VOCABULARY_TABLES, omop_tables
from enclos.pseudonyms.plans.omop import NOT_MAPPED, columns_read, crossing_table


@pytest.mark.parametrize("table", omop_tables())
def test_every_table_of_the_cdm_has_one_fate(table: str) -> None:
    fates = [crossing_table(table) is not None, table in VOCABULARY_TABLES, table in NOT_MAPPED]
    assert fates.count(True) == 1


@pytest.mark.parametrize(
    ("table", "hidden"), [("provider", "npi"), ("provider", "provider_name"), ("person", "person_source_value")]
)
def test_what_names_somebody_is_not_even_read(table: str, hidden: str) -> None:
    assert hidden not in columns_read(table)
