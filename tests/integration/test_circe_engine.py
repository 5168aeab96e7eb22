"""Every attribute of every domain becomes SQL that the engine takes, and that reads no column it does not name."""

from __future__ import annotations

import json
import re

import pytest

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import NotAsPromised
from enclos.studies.circe import circe_rows, read_circe
from enclos.studies.circe.columns import check_held, columns_of
from enclos.studies.circe.domains import Domain
from factories.circe import condition, definition, definition_with_everything, person
from fakes.whole_cdm import WholeCdm, whole_cdm_of_rows

OF_OTHER_VERSIONS = (
    ("location", "region_concept_id", "BIGINT"),
    ("drug_exposure", "effective_drug_dose", "DOUBLE"),
    ("drug_exposure", "dose_unit_concept_id", "BIGINT"),
)
"""What Circe reads and CDM 5.4 does not have, beside LOCATION_HISTORY."""


def cdm_with(columns: dict[str, tuple[str, ...]]) -> WholeCdm:
    """A CDM that has these columns of these tables and nothing else."""
    whole = whole_cdm_of_rows(person(1, condition(7, "2020-01-05")))
    for table, column, kind in OF_OTHER_VERSIONS:
        whole.connection.execute(f"ALTER TABLE source.{table} ADD COLUMN {column} {kind}")
    whole.connection.execute(
        "CREATE TABLE source.location_history (location_history_id BIGINT, location_id BIGINT, entity_id BIGINT, "
        "domain_id VARCHAR, start_date DATE, end_date DATE)"
    )
    narrow = WholeCdm()
    for table, names in columns.items():
        listed = ", ".join(f'"{name}"' for name in names)
        narrow.connection.register(
            "given", whole.connection.execute(f"SELECT {listed} FROM source.{table}").to_arrow_table()
        )
        narrow.connection.execute(f"CREATE TABLE source.{table} AS SELECT * FROM given")
        narrow.connection.unregister("given")
    return narrow


@pytest.mark.parametrize("domain", Domain)
def test_all_attributes_at_once_run_on_the_columns_that_are_asked_for(domain: Domain) -> None:
    text = definition_with_everything(domain)
    cdm = cdm_with(columns_of([read_circe(text)]))
    counts_something = domain in (Domain.CONDITION_OCCURRENCE, Domain.OBSERVATION_PERIOD)
    assert circe_rows({"everything": text}, cdm).num_rows == counts_something


def test_definitions_without_any_concept_set_or_item_run() -> None:
    bare = definition("ConditionOccurrence", 7)
    del bare["PrimaryCriteria"]["CriteriaList"][0]["ConditionOccurrence"]["CodesetId"]
    bare["ConceptSets"] = []
    empty = definition("ConditionOccurrence", 7)
    empty["ConceptSets"][6]["expression"]["items"] = []
    texts = {"bare": json.dumps(bare), "empty": json.dumps(empty)}
    rows = circe_rows(texts, whole_cdm_of_rows(person(1, condition(7, "2020-01-05"))))
    assert rows["cohort_name"].to_pylist() == ["bare"]


@pytest.mark.parametrize(
    ("domain", "missing"),
    [
        (Domain.LOCATION_REGION, "location.region_concept_id, location_history"),
        (Domain.DRUG_EXPOSURE, "drug_exposure.dose_unit_concept_id, drug_exposure.effective_drug_dose"),
        (Domain.VISIT_DETAIL, "location.region_concept_id, location_history"),
    ],
)
def test_what_the_warehouse_has_no_place_for_is_refused_by_name(domain: Domain, missing: str) -> None:
    with pytest.raises(NotAsPromised, match=re.escape(f"does not hold: {missing}.")) as caught:
        check_held([read_circe(definition_with_everything(domain))])
    assert caught.value.code is Code.CIRCE_TABLE_MISSING


@pytest.mark.parametrize("domain", [Domain.CONDITION_OCCURRENCE, Domain.MEASUREMENT, Domain.PAYER_PLAN_PERIOD])
def test_what_it_has_a_place_for_is_not(domain: Domain) -> None:
    check_held([read_circe(definition_with_everything(domain))])


def test_no_definition_gives_no_row() -> None:
    assert circe_rows({}, whole_cdm_of_rows(person(1))).num_rows == 0
