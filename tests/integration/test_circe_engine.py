"""Every attribute of every domain becomes SQL that the engine takes, and that reads no column it does not name."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import NotAsPromised
from enclos.studies.circe import circe_rows, read_circe
from enclos.studies.circe.columns import check_held, columns_of
from enclos.studies.circe.domains import Domain
from factories.circe import (
    CORRELATED,
    cohort_of,
    concept_set,
    condition,
    definition,
    definition_with_everything,
    drug,
    person,
)
from fakes.whole_cdm import WholeCdm, whole_cdm_of_rows

AROUND = {**CORRELATED, "Criteria": {"ConditionOccurrence": {"CodesetId": 7}}}
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
        (Domain.LOCATION_REGION, ["LocationRegion (location.region_concept_id, location_history)"]),
        (
            Domain.DRUG_EXPOSURE,
            [
                "DrugExposure.EffectiveDrugDose (drug_exposure.effective_drug_dose)",
                "DrugExposure.DoseUnit (drug_exposure.dose_unit_concept_id)",
                "DrugExposure.DoseUnitCS (drug_exposure.dose_unit_concept_id)",
            ],
        ),
        (
            Domain.VISIT_DETAIL,
            ["VisitDetail.PlaceOfServiceLocation (location.region_concept_id, location_history)"],
        ),
    ],
)
def test_what_the_warehouse_has_no_place_for_is_refused_with_its_path(domain: Domain, missing: list[str]) -> None:
    told = "; ".join(f"PrimaryCriteria.CriteriaList[0].{each}" for each in missing)
    with pytest.raises(NotAsPromised, match=re.escape(f"does not hold: {told}")) as caught:
        check_held({"": read_circe(definition_with_everything(domain))})
    assert caught.value.code is Code.CIRCE_TABLE_MISSING


def test_a_dose_unit_is_refused_wherever_it_stands_and_one_that_asks_nothing_is_not() -> None:
    """CDM 5.0 had dose units of exposures; the SQL of circe-be and of ohdsi-circepy reads their column still."""
    unit = [{"CONCEPT_ID": 8576, "CONCEPT_NAME": "milligram"}]
    rule = {"Type": "ALL", "CriteriaList": [{**CORRELATED, "Criteria": {"DrugExposure": {"DoseUnit": unit}}}]}
    asked = read_circe(json.dumps(definition("DrugExposure", 7, InclusionRules=[{"name": "a", "expression": rule}])))
    place = "InclusionRules[0].expression.CriteriaList[0].Criteria.DrugExposure.DoseUnit"
    with pytest.raises(NotAsPromised, match=re.escape(f"hold: doses: {place} (drug_exposure.dose_unit_concept_id).")):
        check_held({"fine": read_circe(json.dumps(definition("DrugExposure", 7))), "doses": asked})
    unit.clear()
    nothing = json.dumps(definition("DrugExposure", 7, InclusionRules=[{"name": "a", "expression": rule}]))
    check_held({"nothing": read_circe(nothing)})


@pytest.mark.parametrize("domain", [Domain.CONDITION_OCCURRENCE, Domain.MEASUREMENT, Domain.PAYER_PLAN_PERIOD])
def test_what_it_has_a_place_for_is_not(domain: Domain) -> None:
    check_held({"": read_circe(definition_with_everything(domain))})


def test_no_definition_gives_no_row() -> None:
    assert circe_rows({}, whole_cdm_of_rows(person(1))).num_rows == 0


def test_records_that_a_rule_shares_with_a_criterion_that_cannot_be_still_count() -> None:
    """What is read for entry events is not read again for rules; of a criterion that cannot be nothing is read."""
    cannot_be = {"Type": "ALL", "CriteriaList": [{**CORRELATED, "Criteria": {"DrugExposure": {"CodesetId": 99}}}]}
    before = {**CORRELATED, "Criteria": {"ConditionOccurrence": {"CodesetId": 8}}}
    document = definition(
        "ConditionOccurrence",
        7,
        InclusionRules=[{"name": "before", "expression": {"Type": "ALL", "CriteriaList": [before]}}],
    )
    document["ConceptSets"].append(concept_set(99, 99))
    document["PrimaryCriteria"]["CriteriaList"].append(
        {"ConditionOccurrence": {"CodesetId": 8, "CorrelatedCriteria": cannot_be}}
    )
    cdm = whole_cdm_of_rows(person(1, condition(8, "2020-02-20"), condition(7, "2020-03-01")))
    assert cohort_of(document, cdm) == [(1, "2020-03-01", "2020-12-31")]


def test_an_era_is_made_of_all_exposures_where_only_the_first_is_an_entry_event() -> None:
    document = definition(
        "DrugExposure",
        3,
        attributes={"First": True},
        EndStrategy={"CustomEra": {"DrugCodesetId": 3, "GapDays": 30, "Offset": 0}},
    )
    exposures = (drug(3, "2020-01-05", "2020-01-10"), drug(3, "2020-01-20", "2020-01-30"))
    by_source = drug(4, "2020-02-20", "2020-02-25", drug_source_concept_id=3)
    cdm = whole_cdm_of_rows(person(1, *exposures, by_source))
    assert cohort_of(document, cdm) == [(1, "2020-01-05", "2020-02-25")]


def test_eras_of_a_cohort_with_several_criteria_end_it_whatever_their_days() -> None:
    """A day's number may be that of a criterion's place: 19 May 1997 is day 10 000."""
    document = definition(
        "ConditionOccurrence", 7, EndStrategy={"CustomEra": {"DrugCodesetId": 3, "GapDays": 0, "Offset": 0}}
    )
    document["PrimaryCriteria"]["CriteriaList"].append({"DrugExposure": {"CodesetId": 3}})
    observed = (("1997-01-01", "1997-12-31"),)
    records = (condition(7, "1997-05-19"), drug(3, "1997-05-19", "1997-05-30"), drug(3, "1997-05-31", "1997-06-02"))
    cdm = whole_cdm_of_rows(person(1, *records, observed=observed))
    assert cohort_of(document, cdm) == [(1, "1997-05-19", "1997-05-30"), (1, "1997-05-31", "1997-06-02")]


@pytest.mark.parametrize("rules", [[], [{"name": "any", "expression": {"Type": "ALL", "CriteriaList": [AROUND]}}]])
def test_the_qualified_limit_counts_with_additional_criteria_that_ask_for_nothing(rules: list[dict[str, Any]]) -> None:
    """Source: circe-be, CohortExpressionQueryBuilder: additional criteria are there or not, empty or not."""
    end = {"DateOffset": {"DateField": "StartDate", "Offset": 1}}
    document = definition("ConditionOccurrence", 7, InclusionRules=rules, EndStrategy=end)
    cdm = whole_cdm_of_rows(person(1, condition(7, "2020-03-01"), condition(7, "2020-06-01")))
    both = [(1, "2020-03-01", "2020-03-02"), (1, "2020-06-01", "2020-06-02")]
    assert cohort_of(document, cdm) == both
    nothing = {"Type": "ALL", "CriteriaList": [], "DemographicCriteriaList": [], "Groups": []}
    assert cohort_of(document | {"AdditionalCriteria": nothing}, cdm) == both[:1]
