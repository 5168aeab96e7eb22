"""The worked examples of circe-be's own tests of windows: which events count around an index event.

Source: OHDSI/circe-be (Apache-2.0), ``src/test/resources/windowcriteria`` and ``corelatedcriteria``: each example is a
pair ``…_PREP.json`` (the records) and ``…_VERIFY.json`` (the events found, with the columns that can be counted), with
its criteria in ``src/test/java/org/ohdsi/circe/cohortdefinition/builders``. Records and figures are theirs. The row of
their cohort table is here a record of another domain; that an event is found, and with which values, is seen by
counting: a person is in the cohort where so many are asked for, and is not where one more is.

Not here: the ``…TimeInterval`` examples (a branch with hours and minutes; its fields are refused by their path). What
else is left out: ``test_circe_be_examples.py``.
"""

from __future__ import annotations

from typing import Any

import pytest

from factories.circe_examples import Definition, before, cohorts, concept_set, distinct, expression, group, records

TEN_YEARS = "1 2000-01-01..2010-01-01"
BOTH_TEN_YEARS = f"{TEN_YEARS}; 2 2000-01-01..2010-01-01"
FIVE_DAYS = "; ".join(f"1 {day}" for day in ("2000-01-01", "2005-01-01", "2005-02-01", "2005-03-01", "2005-04-01"))
FIVE_WEEKS = "; ".join(f"{each}..{each.split()[1][:-2]}07" for each in FIVE_DAYS.split("; "))
ONE_TO_FIVE = (1, 2, 3, 4, 5)
WINDOWS: dict[str, tuple[str, dict[str, tuple[int, ...]]]] = {
    "ConditionEra": (FIVE_WEEKS, {"condition_occurrence_count": (1, 3, 5, 7, 9)}),
    "ConditionOccurrence": (FIVE_DAYS, {}),
    "Death": (FIVE_DAYS, {}),
    "DeviceExposure": (FIVE_DAYS, {"quantity": ONE_TO_FIVE}),
    "DoseEra": (FIVE_WEEKS, {"dose_value": ONE_TO_FIVE, "unit_concept_id": (0, 0, 0, 0, 0)}),
    "DrugEra": (FIVE_WEEKS, {"gap_days": ONE_TO_FIVE, "drug_exposure_count": (10, 11, 12, 13, 14)}),
    "DrugExposure": (
        FIVE_WEEKS,
        {"refills": ONE_TO_FIVE, "quantity": (10, 11, 12, 13, 14), "days_supply": (3, 6, 9, 12, 15)},
    ),
    "Measurement": (
        FIVE_DAYS,
        {"value_as_number": ONE_TO_FIVE, "range_high": (10, 11, 12, 13, 14), "range_low": (3, 6, 9, 12, 15)},
    ),
    "Observation": (FIVE_DAYS, {"value_as_number": ONE_TO_FIVE}),
    "ProcedureOccurrence": (FIVE_DAYS, {"quantity": ONE_TO_FIVE}),
    "Specimen": (FIVE_DAYS, {}),
    "VisitDetail": (FIVE_WEEKS, {"visit_occurrence_id": ONE_TO_FIVE}),
    "VisitOccurrence": (FIVE_WEEKS, {}),
}
"""Records of concept 2 and their further columns; all but the first are in the 365 days before 2006-01-01."""
COUNTED = {
    "condition_occurrence_count": "ERA_OCCURRENCES",
    "drug_exposure_count": "ERA_OCCURRENCES",
    "dose_value": "VALUE_AS_NUMBER",
    "unit_concept_id": "UNIT",
    "visit_occurrence_id": "VISIT_ID",
}
"""The names of columns to count, where they are not the column's own."""


def members(asked: list[Definition], rows: Any, index: str, observed: str, **more: Any) -> list[list[int]]:
    """Who is in the cohort of the index records that meet each group.

    In: asked — correlated criteria; rows — the records they look at; index — the index days of persons;
    more — the concept sets, beside the usual ones, and genders of persons
    """
    domain = "Specimen" if any(table == "observation" for table, _ in rows) else "Observation"
    sets = more.pop("sets", [])
    definitions = [expression({domain: {}}, AdditionalCriteria=group("ALL", each)) for each in asked]
    for each in definitions:
        each["ConceptSets"] += sets
    found = cohorts(definitions, [*rows, *records(domain, 9, index)], observed, **more)
    return [[person for person, _, _ in each] for each in found]


@pytest.mark.parametrize("domain", WINDOWS)
def test_window(domain: str) -> None:
    """windowcriteria/window…, corelatedcriteria/simpleWindowCriteria: any record of the domain in the year before."""
    text, columns = WINDOWS[domain]
    rows = records(domain, 2, text, *({name: each[at] for name, each in columns.items()} for at in range(5)))
    different = {"START_DATE": 4, "END_DATE": 4, "DOMAIN_CONCEPT": 1, "DURATION": 1}
    different |= {COUNTED.get(name, name.upper()): len({*values[1:]}) for name, values in columns.items()}
    any_record: Definition = {domain: {}}
    counted = [before(any_record, 365, 0, (0, n)) for n in (4, 5)]
    for column, n in different.items():
        counted += [distinct(any_record, n, column), distinct(any_record, n + 1, column)]
    found = members(counted, rows, "1 2006-01-01", TEN_YEARS)
    assert found == [[1], []] * (1 + len(different))


def test_windows_of_observation_periods() -> None:
    """windowcriteria/windowObservationPeriod, windowObservationPeriodUserDefined (its period at any time)."""
    any_time = before(
        {"ObservationPeriod": {"UserDefinedPeriod": {"StartDate": "2008-01-01", "EndDate": "2009-01-01"}}}, 0, 0
    )
    any_time["StartWindow"] = {"Start": {"Coeff": -1}, "End": {"Coeff": 1}, "UseEventEnd": False}
    counted = [before({"ObservationPeriod": {}}, 365, 0, (0, n)) for n in (1, 2)]
    counted += [any_time, {**any_time, "Occurrence": {"Type": 2, "Count": 2}}]
    assert members(counted, [], "1 2006-01-01", "1 2005-06-01..2010-01-01") == [[1], [], [1], []]


def test_inclusion_and_exclusion() -> None:
    """corelatedcriteria/simpleInclusion: at least one condition in the year before, or exactly none."""
    counted = [before({"ConditionOccurrence": {}}, 365, 0, count) for count in ((2, 1), (0, 0))]
    rows = records("ConditionOccurrence", 2, FIVE_DAYS)
    assert members(counted, rows, "1 2006-01-01; 2 2005-01-01", BOTH_TEN_YEARS) == [[1], [2]]


@pytest.mark.parametrize(
    ("column", "third_concept", "person"), [("START_DATE", 2, 1), ("VISIT_ID", 3, 2), (None, 3, 1)]
)
def test_distinct(column: str | None, third_concept: int, person: int) -> None:
    """corelatedcriteria/distinctStart, distinctVisit, distinctDefault: two different days, visits or concepts."""
    visits = [{"visit_occurrence_id": visit} for visit in (1, 2, 3, 4)]
    rows = records("ConditionOccurrence", 2, "1 2000-01-01; 1 2005-01-01; 2 2005-01-01; 2 2005-01-01", *visits)
    third = {"visit_occurrence_id": 2, "condition_occurrence_id": 5}
    rows += records("ConditionOccurrence", third_concept, "1 2005-01-02", third)
    counted = [distinct({"ConditionOccurrence": {}}, 2, column)]
    assert members(counted, rows, "1 2006-01-01; 2 2006-01-01", BOTH_TEN_YEARS) == [[person]]


@pytest.mark.parametrize("property_", ["GenderCS", "ProviderSpecialtyCS"])
def test_visit_details_by_concept_set(property_: str) -> None:
    """corelatedcriteria/visitDetailCodesetCriteria: in the set of concepts 1, 3 and 5, or not in it."""
    rows = [("provider", {"provider_id": each, "specialty_concept_id": each}) for each in (1, 2)]
    rows += [("care_site", {"care_site_id": each, "place_of_service_concept_id": each}) for each in (1, 2)]
    cared = [{"provider_id": each, "care_site_id": each, "visit_occurrence_id": 1} for each in (1, 2)]
    rows += records("VisitDetail", 3, "1 2000-01-01..2000-01-01; 2 2000-01-01..2000-01-01", *cared)
    counted = [
        before({"VisitDetail": {property_: {"CodesetId": 7, "IsExclusion": excluded}}}, 365, 0)
        for excluded in (False, True)
    ]
    sets = [concept_set(7, 1, 3, 5)]
    index = "1 2000-06-01; 2 2000-06-01"
    assert members(counted, rows, index, BOTH_TEN_YEARS, sets=sets, genders={1: 1, 2: 2}) == [[1], [2]]
