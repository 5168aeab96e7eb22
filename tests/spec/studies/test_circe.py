"""What a Circe definition means, where its readers went wrong before."""

from __future__ import annotations

from typing import Any

import pytest

from factories.circe import cohort_of, concept_set, condition, definition, drug, person
from fakes.whole_cdm import whole_cdm_of_rows

TWO_PERIODS = (("2020-01-01", "2020-06-30"), ("2020-09-01", "2020-12-31"))


def made(expression: dict[str, Any], *records: Any, **of_person: Any) -> list[tuple[str, str]]:
    """The stretches of one person."""
    cdm = whole_cdm_of_rows(person(1, *records, **of_person))
    return [(start, end) for _, start, end in cohort_of(expression, cdm)]


def within(criterion: dict[str, Any], count: tuple[int, int] = (2, 1), **more: Any) -> dict[str, Any]:
    """A correlated criterion at any time within the observation period; count is (type, number)."""
    return {
        "Criteria": criterion,
        "StartWindow": {"Start": {"Coeff": -1}, "End": {"Coeff": 1}, "UseEventEnd": False},
        "Occurrence": {"Type": count[0], "Count": count[1], "IsDistinct": False},
        **more,
    }


def group(kind: str, *criteria: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A group of correlated criteria."""
    return {"Type": kind, "CriteriaList": list(criteria), "DemographicCriteriaList": [], "Groups": [], **more}


TWICE = (condition(7, "2020-01-05", "2020-01-09"), condition(7, "2020-05-05", "2020-05-09"))
OFFSET = {"EndStrategy": {"DateOffset": {"DateField": "EndDate", "Offset": 0}}}


def test_the_qualified_limit_counts_only_with_additional_criteria() -> None:
    both = [("2020-01-05", "2020-01-09"), ("2020-05-05", "2020-05-09")]
    assert made(definition("ConditionOccurrence", 7, **OFFSET), *TWICE) == both
    additional = group("ALL", within({"ConditionOccurrence": {"CodesetId": 7}}))
    assert made(definition("ConditionOccurrence", 7, AdditionalCriteria=additional, **OFFSET), *TWICE) == both[:1]


def test_first_is_decided_before_the_other_attributes() -> None:
    late = {"First": True, "OccurrenceStartDate": {"Op": "gt", "Value": "2020-03-01"}}
    assert made(definition("ConditionOccurrence", 7, attributes=late), *TWICE) == []


def test_an_open_end_is_the_day_after_the_start() -> None:
    assert made(definition("ConditionOccurrence", 7, **OFFSET), condition(7, "2020-01-05")) == [
        ("2020-01-05", "2020-01-06")
    ]


def test_an_exposure_without_an_end_lasts_its_days_of_supply() -> None:
    open_one = drug(7, "2020-01-05", days_supply=30)
    assert made(definition("DrugExposure", 7, **OFFSET), open_one) == [("2020-01-05", "2020-02-04")]


def test_without_an_end_strategy_a_person_stays_until_the_end_of_observation() -> None:
    assert made(definition("ConditionOccurrence", 7), *TWICE, observed=TWO_PERIODS) == [("2020-01-05", "2020-06-30")]


def test_an_exit_is_never_after_the_observation_period() -> None:
    offset = {"EndStrategy": {"DateOffset": {"DateField": "StartDate", "Offset": 90}}}
    assert made(definition("ConditionOccurrence", 7, **offset), *TWICE, observed=TWO_PERIODS) == [
        ("2020-01-05", "2020-04-04"),
        ("2020-05-05", "2020-06-30"),
    ]


def test_the_era_pad_joins_stretches_and_is_taken_away_again() -> None:
    padded = {"CollapseSettings": {"CollapseType": "ERA", "EraPad": 117}}
    apart = {"CollapseSettings": {"CollapseType": "ERA", "EraPad": 116}}
    assert made(definition("ConditionOccurrence", 7, **padded, **OFFSET), *TWICE) == [("2020-01-05", "2020-05-09")]
    assert len(made(definition("ConditionOccurrence", 7, **apart, **OFFSET), *TWICE)) == 2


def test_an_event_outside_every_observation_period_is_no_event() -> None:
    record = condition(7, "2020-08-01")
    assert made(definition("ConditionOccurrence", 7), record, observed=TWO_PERIODS) == []


def test_prior_observation_is_asked_of_the_period_that_the_event_is_in() -> None:
    wanted = definition("ConditionOccurrence", 7)
    wanted["PrimaryCriteria"]["ObservationWindow"] = {"PriorDays": 30, "PostDays": 0}
    records = (condition(7, "2020-09-10"), condition(7, "2020-10-10"))
    assert made(wanted, *records, observed=TWO_PERIODS) == [("2020-10-10", "2020-12-31")]


@pytest.mark.parametrize(("limit", "start"), [("First", "2020-01-05"), ("Last", "2020-05-05")])
def test_a_limit_keeps_one_event_of_a_person(limit: str, start: str) -> None:
    wanted = definition("ConditionOccurrence", 7, ExpressionLimit={"Type": limit}, **OFFSET)
    assert [first for first, _ in made(wanted, *TWICE)] == [start]


@pytest.mark.parametrize(
    ("count", "is_in"), [((2, 2), True), ((2, 3), False), ((1, 1), False), ((0, 2), True), ((0, 0), False)]
)
def test_occurrences_are_counted_at_least_at_most_or_exactly(count: tuple[int, int], is_in: bool) -> None:
    rule = {"name": "twice", "expression": group("ALL", within({"ConditionOccurrence": {"CodesetId": 7}}, count))}
    assert bool(made(definition("ConditionOccurrence", 7, InclusionRules=[rule]), *TWICE)) is is_in


def test_distinct_occurrences_are_different_concepts_unless_a_column_says_otherwise() -> None:
    def asked(n: int, **more: Any) -> list[tuple[str, str]]:
        counted = within({"ConditionOccurrence": {"CodesetId": 7}})
        counted["Occurrence"] = {"Type": 2, "Count": n, "IsDistinct": True, **more}
        rule = {"name": "different", "expression": group("ALL", counted)}
        return made(definition("ConditionOccurrence", 7, InclusionRules=[rule]), *TWICE)

    assert asked(1) and not asked(2)
    assert asked(2, CountColumn="START_DATE") and not asked(3, CountColumn="START_DATE")


def test_a_group_that_asks_for_at_most_so_many_holds_for_none() -> None:
    no_drug = group("AT_MOST", within({"DrugExposure": {"CodesetId": 3}}), Count=0)
    rule = {"name": "no drug", "expression": no_drug}
    wanted = definition("ConditionOccurrence", 7, InclusionRules=[rule])
    assert made(wanted, *TWICE)
    assert not made(wanted, *TWICE, drug(3, "2020-02-01"))


def test_a_window_without_end_stops_where_observation_does_unless_it_is_told_not_to() -> None:
    other = condition(9, "2020-10-01")
    rule = {"name": "other", "expression": group("ALL", within({"ConditionOccurrence": {"CodesetId": 9}}))}
    wanted = definition("ConditionOccurrence", 7, InclusionRules=[rule])
    assert not made(wanted, TWICE[0], other, observed=TWO_PERIODS)
    rule["expression"]["CriteriaList"][0]["IgnoreObservationPeriod"] = True
    assert made(wanted, TWICE[0], other, observed=TWO_PERIODS)


def test_an_end_window_looks_at_the_end_of_the_other_event_unless_it_says_otherwise() -> None:
    during = within({"ConditionOccurrence": {"CodesetId": 9}})
    during["EndWindow"] = {"Start": {"Days": 0, "Coeff": -1}, "End": {"Days": 10, "Coeff": 1}}
    rule = {"name": "ends soon", "expression": group("ALL", during)}
    wanted = definition("ConditionOccurrence", 7, InclusionRules=[rule])
    assert made(wanted, TWICE[0], condition(9, "2019-12-01", "2020-01-15"), observed=[("2019-01-01", "2020-12-31")])
    assert not made(wanted, TWICE[0], condition(9, "2020-01-05", "2020-01-16"))
    during["EndWindow"]["UseEventEnd"] = False
    assert made(wanted, TWICE[0], condition(9, "2020-01-05", "2020-01-16"))


def test_a_criterion_can_have_conditions_of_its_own() -> None:
    nested = {"CodesetId": 9, "CorrelatedCriteria": group("ALL", within({"DrugExposure": {"CodesetId": 3}}))}
    rule = {"name": "nested", "expression": group("ALL", within({"ConditionOccurrence": nested}))}
    wanted = definition("ConditionOccurrence", 7, InclusionRules=[rule])
    assert not made(wanted, *TWICE, condition(9, "2020-02-01"))
    assert made(wanted, *TWICE, condition(9, "2020-02-01"), drug(3, "2020-02-01"))


def test_age_is_the_year_of_the_event_less_the_year_of_birth() -> None:
    old = {"Age": {"Op": "gte", "Value": 70}}
    assert made(definition("ConditionOccurrence", 7, attributes=old), TWICE[0], born=1950)
    assert not made(definition("ConditionOccurrence", 7, attributes=old), TWICE[0], born=1951)


def test_a_drug_era_ends_after_its_last_exposure_and_its_offset_and_bridges_its_gap() -> None:
    era = {"EndStrategy": {"CustomEra": {"DrugCodesetId": 7, "GapDays": 30, "Offset": 5}}}
    exposures = (
        drug(7, "2020-01-01", "2020-01-30"),
        drug(7, "2020-02-29", "2020-03-10"),
        drug(7, "2020-08-01", "2020-08-10"),
    )
    assert made(definition("DrugExposure", 7, **era), *exposures) == [
        ("2020-01-01", "2020-03-15"),
        ("2020-08-01", "2020-08-15"),
    ]
    era["EndStrategy"]["CustomEra"]["DaysSupplyOverride"] = 10
    assert made(definition("DrugExposure", 7, **era), exposures[0]) == [("2020-01-01", "2020-01-16")]


def test_a_censoring_event_ends_the_stretch_on_its_day() -> None:
    wanted = definition("ConditionOccurrence", 7, CensoringCriteria=[{"DrugExposure": {"CodesetId": 3}}])
    assert made(wanted, TWICE[0], drug(3, "2020-03-03")) == [("2020-01-05", "2020-03-03")]


def test_the_censor_window_cuts_and_drops_stretches() -> None:
    window = {"CensorWindow": {"StartDate": "2020-01-07", "EndDate": "2020-04-30"}}
    assert made(definition("ConditionOccurrence", 7, **window, **OFFSET), *TWICE) == [("2020-01-07", "2020-01-09")]


def test_a_date_adjustment_moves_the_event_and_not_which_record_is_first() -> None:
    moved = {
        "First": True,
        "DateAdjustment": {"StartWith": "END_DATE", "StartOffset": 1, "EndWith": "END_DATE", "EndOffset": 3},
    }
    assert made(definition("ConditionOccurrence", 7, attributes=moved, **OFFSET), *TWICE) == [
        ("2020-01-10", "2020-01-12")
    ]


def test_a_criterion_without_a_concept_set_takes_every_record_of_its_domain() -> None:
    wanted = definition("ConditionOccurrence", 7, **OFFSET)
    del wanted["PrimaryCriteria"]["CriteriaList"][0]["ConditionOccurrence"]["CodesetId"]
    assert len(made(wanted, *TWICE, condition(9, "2020-03-03"))) == 3


def test_what_is_excluded_from_a_concept_set_is_excluded_with_its_descendants() -> None:
    wanted = definition("ConditionOccurrence", 7, **OFFSET)
    excluded = concept_set(0, 9)["expression"]["items"]
    wanted["ConceptSets"][6]["expression"]["items"] += [{**item, "isExcluded": True} for item in excluded]
    rows = person(1, condition(7, "2020-01-05"), condition(8, "2020-02-05"), condition(9, "2020-03-05"))
    rows["concept_ancestor"] += [
        {"ancestor_concept_id": 7, "descendant_concept_id": 8},
        {"ancestor_concept_id": 7, "descendant_concept_id": 9},
    ]
    assert [start for _, start, _ in cohort_of(wanted, whole_cdm_of_rows(rows))] == ["2020-01-05", "2020-02-05"]


def test_events_of_one_day_are_ordered_by_the_number_of_their_record_then_by_domain() -> None:
    wanted = definition("ConditionOccurrence", 7, **OFFSET)
    wanted["PrimaryCriteria"]["CriteriaList"].append({"DrugExposure": {"CodesetId": 7}})
    wanted["PrimaryCriteria"]["PrimaryCriteriaLimit"] = {"Type": "First"}
    first = condition(7, "2020-01-05", "2020-01-09", condition_occurrence_id=2)
    lower = drug(7, "2020-01-05", "2020-01-20", drug_exposure_id=1)
    equal = drug(7, "2020-01-05", "2020-01-20", drug_exposure_id=2)
    assert made(wanted, first, lower) == [("2020-01-05", "2020-01-20")]
    assert made(wanted, first, equal) == [("2020-01-05", "2020-01-09")]
