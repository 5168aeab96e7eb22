"""The worked examples of circe-be's own tests of single criteria: which records are events, and from when to when.

Source: OHDSI/circe-be (Apache-2.0), ``src/test/resources/criteria``: each example is a pair ``…_PREP.json`` (the
records) and ``…_VERIFY.json`` (the events), named in the tests by its path without these endings; the criteria are in
``src/test/java/org/ohdsi/circe/cohortdefinition/builders/CriteriaQuery_*_Test.java``. Records and figures are theirs.
The examples ask for the events of one criterion: here they are the stretches of a cohort of all of them.

Not here: ``customEra*`` (criteria newer than the definitions read here); the unit of a dose in
``drugExposureConceptSet`` (a column of CDM 5.0 that 5.3 and 5.4 lack).
"""

from __future__ import annotations

from typing import Any

import pytest

from factories.circe_examples import Definition, check, expression, offset, records

BOTH_IN_2000 = "1 2000-01-01..2001-01-01; 2 2000-01-01..2001-01-01"
ENDING = (
    "1 2000-01-01..2000-01-01; 1 2000-06-01..2000-07-01; 1 2000-12-31..2000-12-31; "
    "2 2000-01-01..2000-01-01; 2 2000-12-31..2000-12-31"
)
OPEN = "1 2000-01-01; 1 2000-06-01..2000-07-01; 1 2000-12-31; 2 2000-01-01; 2 2000-12-31"
CLOSED = (
    "1 2000-01-01..2000-01-02; 1 2000-06-01..2000-07-01; 1 2000-12-31..2001-01-01; "
    "2 2000-01-01..2000-01-02; 2 2000-12-31..2001-01-01"
)
OF_A_DAY = "1 2000-01-01; 1 2000-06-01; 1 2000-12-31; 2 2000-01-01; 2 2000-12-31"
A_DAY_LONG = CLOSED.replace("2000-07-01", "2000-06-02")
MONTH = "1 2000-06-16..2000-06-21"
PERIODS = "1 2000-01-01..2000-05-31; 1 2000-06-01..2000-06-10; 1 2000-07-01..2001-01-01; 2 2000-01-01..2001-12-31"
DEATHS = "1 2000-01-01; 2 2000-06-01; 3 2000-12-31; 4 2000-01-01; 5 2000-12-31"
OF_DEATHS = (
    "1 2000-01-01..2000-01-02; 2 2000-06-01..2000-06-02; 3 2000-12-31..2001-01-01; "
    "4 2000-01-01..2000-01-02; 5 2000-12-31..2001-01-01"
)
MOVED = {"DateAdjustment": {"StartWith": "START_DATE", "StartOffset": 15, "EndWith": "END_DATE", "EndOffset": -10}}
SEPTEMBER = {"UserDefinedPeriod": {"StartDate": "2000-09-01", "EndDate": "2000-09-30"}}
AS_EVENTS = {"EndStrategy": offset("EndDate", 0)}

DATE_OFFSETS = {
    "conditionEra": (ENDING, ENDING, MONTH),
    "conditionOccurrence": (OPEN, CLOSED, MONTH),
    "death": (DEATHS, OF_DEATHS, ""),
    "deviceExposure": (OPEN, CLOSED, MONTH),
    "doseEra": (ENDING, ENDING, MONTH),
    "drugEra": (ENDING, ENDING, MONTH),
    "drugExposure": (OPEN, CLOSED, MONTH),
    "measurement": (OF_A_DAY, A_DAY_LONG, ""),
    "observation": (OF_A_DAY, A_DAY_LONG, ""),
    "procedureOccurrence": (OF_A_DAY, A_DAY_LONG, ""),
    "visitDetail": (ENDING, ENDING, MONTH),
    "visitOccurrence": (ENDING, ENDING, MONTH),
}
"""By the example's name: records of concept 1, their events, and the events from 15 days later to 10 days earlier."""


@pytest.mark.parametrize("name", DATE_OFFSETS)
def test_date_offset(name: str) -> None:
    """criteria/…DateOffset: an event as recorded, and moved; one that would end before it starts is none."""
    text, simple, moved = DATE_OFFSETS[name]
    domain = name[0].upper() + name[1:]
    criteria = [{domain: {"CodesetId": 1, **more}} for more in ({}, MOVED)]
    observed = "; ".join(f"{person} 2000-01-01..2001-01-01" for person in ("12345" if name == "death" else "12"))
    check([expression(each, **AS_EVENTS) for each in criteria], records(domain, 1, text), observed, simple, moved)


@pytest.mark.parametrize("domain", ["ObservationPeriod", "PayerPlanPeriod"])
def test_date_offset_of_periods(domain: str) -> None:
    """criteria/observationPeriodDateOffset, payerPlanPeriodDateOffset: also a period of the definition's own."""
    criteria: list[Definition] = [{domain: each} for each in ({}, MOVED, MOVED | SEPTEMBER)]
    plans = domain == "PayerPlanPeriod"
    check(
        [expression(each, **AS_EVENTS) for each in criteria],
        records(domain, 0, PERIODS) if plans else [],
        "1 2000-01-01..2001-12-31; 2 2000-01-01..2001-12-31" if plans else PERIODS,
        PERIODS,
        "1 2000-01-16..2000-05-21; 1 2000-07-16..2000-12-22; 2 2000-01-16..2001-12-21",
        "1 2000-09-01..2000-09-30; 2 2000-09-01..2000-09-30",
    )


def test_abnormal_measurements() -> None:
    """criteria/measurementAbnormal: below or above the range, or said to be abnormal. Observation is added here."""
    values: list[dict[str, Any]] = [
        {"value_as_number": 5, "range_low": 10, "range_high": 20},
        {"value_as_concept_id": 4155142},
        {"value_as_number": 15, "range_low": 10, "range_high": 20},
        {},
        {"value_as_number": 25, "range_low": 10, "range_high": 20},
    ]
    check(
        [expression({"Measurement": {"CodesetId": 1, "Abnormal": True}}, **AS_EVENTS)],
        records("Measurement", 1, "; ".join(f"{person} 2000-01-01" for person in "12345"), *values),
        "; ".join(f"{person} 2000-01-01..2001-01-01" for person in "12345"),
        "; ".join(f"{person} 2000-01-01..2000-01-02" for person in "125"),
    )


ONE_DAY, FIRST_DAY = "1 2000-01-01..2000-01-01", "1 2000-01-01..2000-01-02"
BY_CARE = {"VisitTypeCS": 2, "ProviderSpecialtyCS": 3, "GenderCS": 1}
IN_CARE = {"provider_id": 1, "visit_occurrence_id": 1}
OF_ONE = "; ".join(ENDING.split("; ")[:3])
CONCEPT_SETS: dict[str, tuple[str, dict[str, int], dict[str, Any], str]] = {
    "conditionEra": (ENDING, {"GenderCS": 1}, {}, OF_ONE),
    "conditionOccurrence": (OPEN, {"ConditionTypeCS": 1, **BY_CARE}, {"condition_type_concept_id": 1}, FIRST_DAY),
    "death": ("1 2000-01-01; 2 2000-06-01", {"GenderCS": 1, "DeathTypeCS": 1}, {"death_type_concept_id": 1}, FIRST_DAY),
    "deviceExposure": (OPEN, {"DeviceTypeCS": 1, **BY_CARE}, {"device_type_concept_id": 1}, FIRST_DAY),
    "doseEra": (ENDING, {"GenderCS": 1, "UnitCS": 3}, {"unit_concept_id": 3}, ONE_DAY),
    "drugEra": (ENDING, {"GenderCS": 1}, {}, OF_ONE),
    "drugExposure": (
        OPEN,
        {"DrugTypeCS": 2, "RouteConceptCS": 3, **BY_CARE},
        {"drug_type_concept_id": 2, "route_concept_id": 3},
        FIRST_DAY,
    ),
    "measurement": (
        OF_A_DAY,
        {"OperatorCS": 3, "ValueAsConceptCS": 2, "UnitCS": 1, **BY_CARE},
        {"operator_concept_id": 3, "value_as_concept_id": 2, "unit_concept_id": 1},
        FIRST_DAY,
    ),
    "observation": (
        OF_A_DAY,
        {"ObservationTypeCS": 1, "QualifierCS": 3, "ValueAsConceptCS": 2, "UnitCS": 1, **BY_CARE},
        {
            "observation_type_concept_id": 1,
            "qualifier_concept_id": 3,
            "value_as_concept_id": 2,
            "unit_concept_id": 1,
        },
        FIRST_DAY,
    ),
    "procedureOccurrence": (
        OF_A_DAY,
        {"ModifierCS": 3, "ProcedureTypeCS": 2, **BY_CARE},
        {"procedure_type_concept_id": 2, "modifier_concept_id": 3},
        FIRST_DAY,
    ),
    "specimen": (
        OF_A_DAY,
        {"GenderCS": 1, "SpecimenTypeCS": 2, "UnitCS": 3, "AnatomicSiteCS": 2, "DiseaseStatusCS": 3},
        {
            "specimen_type_concept_id": 2,
            "unit_concept_id": 3,
            "anatomic_site_concept_id": 2,
            "disease_status_concept_id": 3,
        },
        FIRST_DAY,
    ),
    "visitOccurrence": (
        ENDING,
        {"PlaceOfServiceCS": 2, **BY_CARE},
        {"visit_type_concept_id": 2, "care_site_id": 1},
        ONE_DAY,
    ),
}
"""By the example's name: records of concept 1, the sets asked for, the first record's columns, and the events left."""


@pytest.mark.parametrize("name", CONCEPT_SETS)
def test_concept_set(name: str) -> None:
    """criteria/…ConceptSet: every property of a record tested by a concept set; person 1 is of gender 1."""
    text, sets, columns, expected = CONCEPT_SETS[name]
    domain = name[0].upper() + name[1:]
    in_care = dict(IN_CARE) if "ProviderSpecialtyCS" in sets else {}
    rows = [("provider", {"provider_id": 1, "specialty_concept_id": 3})]
    rows += [("care_site", {"care_site_id": 1, "place_of_service_concept_id": 2})]
    if name != "visitOccurrence":
        rows += records("VisitOccurrence", 2, ONE_DAY)
    asked = {each: {"CodesetId": number, "IsExclusion": False} for each, number in sets.items()}
    check(
        [expression({domain: {"CodesetId": 1, **asked}}, **AS_EVENTS)],
        [*rows, *records(domain, 1, text, in_care | columns)],
        BOTH_IN_2000,
        expected,
        genders={1: 1},
    )


def test_concept_set_of_observation_periods() -> None:
    """criteria/observationPeriodConceptSet: periods of one type."""
    asked = expression({"ObservationPeriod": {"PeriodTypeCS": {"CodesetId": 1, "IsExclusion": False}}}, **AS_EVENTS)
    typed = records("ObservationPeriod", 1, "1 2000-01-01..2000-05-31")
    rest = "1 2000-06-01..2000-06-10; 1 2000-07-01..2001-01-01; 2 2000-01-01..2001-12-31"
    check([asked], [(table, {**row, f"{table}_id": 9}) for table, row in typed], rest, "1 2000-01-01..2000-05-31")


EPISODES = "1 2018-06-01..2018-06-15; 1 2018-07-01..2018-07-20; 2 2018-06-01..2018-06-15"
OF_EPISODES: list[tuple[Definition, str]] = [
    (
        {
            "EpisodeNumber": {"Op": "eq", "Value": 1},
            "GenderCS": {"CodesetId": 1},
            "EpisodeObjectConceptCS": {"CodesetId": 2, "IsExclusion": False},
            "EpisodeTypeCS": {"CodesetId": 3, "IsExclusion": False},
        },
        EPISODES[:24],
    ),
    ({}, EPISODES),
    ({"First": True}, f"{EPISODES[:24]}; {EPISODES[52:]}"),
    ({"EpisodeNumber": {"Op": "gt", "Value": 1}}, EPISODES[26:50]),
    ({"EpisodeStartDate": {"Op": "gt", "Value": "2018-06-30"}}, EPISODES[26:50]),
    ({"EpisodeEndDate": {"Op": "lt", "Value": "2018-06-30"}}, f"{EPISODES[:24]}; {EPISODES[52:]}"),
    ({"GenderCS": {"CodesetId": 1, "IsExclusion": True}}, EPISODES[52:]),
    ({"EpisodeObjectConceptCS": {"CodesetId": 2, "IsExclusion": True}}, ""),
    ({"EpisodeTypeCS": {"CodesetId": 2}}, ""),
    ({"Age": {"Op": "lt", "Value": 2018}}, ""),
    (MOVED, ""),
]
"""By what is asked of episodes, the events; the first is the example's, the others are added here."""


@pytest.mark.parametrize(("asked", "expected"), OF_EPISODES)
def test_episode(asked: Definition, expected: str) -> None:
    """criteria/episode: episodes of a number, of what and of which type, and of whom; person 1 is of gender 1."""
    columns = [
        {"episode_number": number, "episode_object_concept_id": 2, "episode_type_concept_id": 3} for number in (1, 2, 1)
    ]
    check(
        [expression({"Episode": {"CodesetId": 1, **asked}}, **AS_EVENTS)],
        records("Episode", 1, EPISODES, *columns),
        "1 2018-01-01..2018-12-31; 2 2018-01-01..2018-12-31",
        expected,
        genders={1: 1},
    )
