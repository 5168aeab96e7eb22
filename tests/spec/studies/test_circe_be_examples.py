"""The worked examples of circe-be's own tests of definitions: a small CDM in, the rows of a cohort out.

Source: OHDSI/circe-be (Apache-2.0), ``src/test/resources``: each example is a pair ``…_PREP.json`` (the records) and
``…_VERIFY.json`` (what comes out), named in the tests by its path without these endings; the definitions are in
``…Expression.json`` beside them, or in ``src/test/java/org/ohdsi/circe/cohortdefinition``. Records and figures are
theirs. Examples of a criterion alone: ``test_circe_be_criteria.py``; of windows: ``test_circe_be_windows.py``.

Not here: ``negativecontrols`` (another function, not of definitions); tables of statistics beside a cohort.
"""

from __future__ import annotations

from typing import Any

from factories.circe_examples import (
    Definition,
    before,
    check,
    expression,
    group,
    offset,
    records,
)

YEAR_2000 = "1 2000-01-01..2001-01-01"
BOTH_IN_2000 = f"{YEAR_2000}; 2 2000-01-01..2001-01-01"
CONDITION = {"ConditionOccurrence": {"CodesetId": 0}}
DRUG = {"DrugExposure": {"CodesetId": 0}}
PROCEDURE = {"ProcedureOccurrence": {"CodesetId": 0}}
SEVEN_DRUGS = "; ".join(f"1 2000-{month:02}-01" for month in (1, 2, 3, 4, 8, 9, 10))


def test_limits() -> None:
    """cohortgeneration/limits/limitTest: the qualified and the final events, then the initial ones, first or last."""

    def limited(initial: str, qualified: str, final: str) -> Definition:
        made = expression(
            CONDITION,
            AdditionalCriteria=group("ALL", before(CONDITION, None, 1)),
            EndStrategy=offset("StartDate", 1),
            CollapseSettings={"CollapseType": "ERA", "EraPad": 60},
            QualifiedLimit={"Type": qualified},
            ExpressionLimit={"Type": final},
        )
        made["PrimaryCriteria"]["PrimaryCriteriaLimit"] = {"Type": initial}
        return made

    days = "; ".join(f"1 2000-{month:02}-01" for month in (1, 2, 6, 7, 8, 11, 12))
    check(
        [
            limited("All", "All", "All"),
            limited("All", "All", "first"),
            limited("All", "first", "first"),
            limited("first", "first", "first"),
            limited("last", "first", "first"),
        ],
        records("ConditionOccurrence", 2, days),
        YEAR_2000,
        "1 2000-02-01..2000-02-02; 1 2000-06-01..2000-08-02; 1 2000-11-01..2000-12-02",
        "1 2000-02-01..2000-02-02",
        "1 2000-02-01..2000-02-02",
        "",
        "1 2000-12-01..2000-12-02",
    )


def test_continuous_exposure() -> None:
    """cohortgeneration/exits/continuousExposure, continuousExposureCensor (the era's offset is cut by observation)."""
    era = {"CustomEra": {"DrugCodesetId": 0, "GapDays": 60, "Offset": 0}}
    long_era = {"CustomEra": {"DrugCodesetId": 0, "GapDays": 60, "Offset": 9999}}
    first = expression(DRUG, EndStrategy=era)
    first["PrimaryCriteria"]["PrimaryCriteriaLimit"] = {"Type": "First"}
    check(
        [expression(DRUG, EndStrategy=era), first, expression(DRUG, EndStrategy=long_era)],
        records("DrugExposure", 2, SEVEN_DRUGS),
        YEAR_2000,
        "1 2000-01-01..2000-04-02; 1 2000-08-01..2000-10-02",
        "1 2000-01-01..2000-04-02",
        "1 2000-01-01..2001-01-01",
    )


def test_fixed_offset() -> None:
    """cohortgeneration/exits/fixedOffset, fixedOffsetCensor: an end after the end of the exposure, or of its supply."""
    supply: list[dict[str, Any]] = [{} for _ in range(7)]
    check(
        [expression(DRUG, EndStrategy=offset("EndDate", days)) for days in (31, 99999)],
        records("DrugExposure", 2, f"{SEVEN_DRUGS}; 2 2000-10-01", *supply, {"days_supply": 7}),
        BOTH_IN_2000,
        "1 2000-01-01..2000-05-03; 1 2000-08-01..2000-11-02; 2 2000-10-01..2000-11-08",
        "1 2000-01-01..2001-01-01; 2 2000-10-01..2001-01-01",
    )


def test_censoring_events() -> None:
    """cohortgeneration/exits/censorEvent: any procedure ends a stretch of exposures."""
    procedures = records("ProcedureOccurrence", 2, "1 2000-03-07; 1 2000-06-01; 1 2000-09-07")
    check(
        [expression(DRUG, EndStrategy=offset("StartDate", 31), CensoringCriteria=[{"ProcedureOccurrence": {}}])],
        [*records("DrugExposure", 2, SEVEN_DRUGS), *procedures],
        YEAR_2000,
        "1 2000-01-01..2000-03-07; 1 2000-04-01..2000-05-02; 1 2000-08-01..2000-09-07; 1 2000-10-01..2000-11-01",
    )


def test_censor_window() -> None:
    """cohortgeneration/censorWindow/censorWindow: stretches are cut to the window, and dropped outside it."""
    window = {"StartDate": "2000-04-01", "EndDate": "2000-09-01"}
    check(
        [expression(CONDITION, EndStrategy=offset("StartDate", 90), CensorWindow=window)],
        records("ConditionOccurrence", 2, "1 2000-02-01; 1 2000-07-01; 2 2000-01-01"),
        BOTH_IN_2000,
        "1 2000-04-01..2000-05-01; 1 2000-07-01..2000-09-01",
    )


FIRST_OF_EACH = {
    "ConditionEra": ("1 2000-06-01..2000-06-02; 1 2000-09-01..2000-09-02; 2 2000-01-01..2000-01-02", "2000-06-01"),
    "ConditionOccurrence": ("1 2000-06-07; 1 2000-09-01; 2 2000-01-01", "2000-06-07"),
    "DeviceExposure": ("1 2000-06-28; 1 2000-09-01; 2 2000-01-01", "2000-06-28"),
    "DrugEra": ("1 2000-07-01..2000-08-01; 1 2000-09-01..2000-09-02; 2 2000-01-01..2000-01-02", "2000-07-01"),
    "DrugExposure": ("1 2000-07-01; 1 2000-09-01; 2 2000-01-01", "2000-07-01"),
    "Measurement": ("1 2000-07-07; 1 2000-09-01; 2 2000-01-01", "2000-07-07"),
    "Observation": ("1 2000-07-14; 1 2000-09-01; 2 2000-01-01", "2000-07-14"),
    "PayerPlanPeriod": ("1 2000-07-05..2000-07-12; 1 2000-09-01..2000-09-02; 2 2000-01-01..2000-01-02", "2000-07-05"),
    "ProcedureOccurrence": ("1 2000-07-21; 1 2000-09-01; 2 2000-01-01", "2000-07-21"),
    "Specimen": ("1 2000-07-28; 1 2000-09-01; 2 2000-01-01", "2000-07-28"),
    "VisitOccurrence": ("1 2000-07-05..2000-07-12; 1 2000-09-01..2000-09-02; 2 2000-01-01..2000-01-02", "2000-07-05"),
}


def test_first_occurrence() -> None:
    """cohortgeneration/firstOccurrence/firstOccurrenceTest: the first record, if 90 days are observed before it."""
    definitions = []
    for domain in FIRST_OF_EACH:
        coded = {} if domain == "PayerPlanPeriod" else {"CodesetId": 0}
        definitions.append(expression({domain: {"First": True, **coded}}, "First"))
        definitions[-1]["PrimaryCriteria"]["ObservationWindow"]["PriorDays"] = 90
    rows = [row for domain, (text, _) in FIRST_OF_EACH.items() for row in records(domain, 2, text)]
    check(definitions, rows, BOTH_IN_2000, *(f"1 {start}..2001-01-01" for _, start in FIRST_OF_EACH.values()))


def test_counts_of_correlated_criteria() -> None:
    """cohortgeneration/correlatedCriteria/countsTest: exactly none, at least one, at most none, a visit around."""
    counted = [
        expression(CONDITION, AdditionalCriteria=group("ALL", before(CONDITION, None, 1, count)))
        for count in ((0, 0), (2, 1), (1, 0))
    ]
    around = before({"VisitOccurrence": {}}, None, 1)
    around["EndWindow"] = {"Start": {"Days": 1, "Coeff": 1}, "End": {"Coeff": 1}, "UseEventEnd": True}
    visits = records(
        "VisitOccurrence", 2, "1 2000-06-07..2000-06-09; 1 2000-08-31..2000-09-04", {}, {"visit_occurrence_id": 1}
    )
    early, late = "1 2000-06-07..2001-01-01", "1 2000-09-01..2001-01-01"
    check(
        [*counted, expression(CONDITION, AdditionalCriteria=group("ALL", around))],
        [*records("ConditionOccurrence", 2, "1 2000-06-07; 1 2000-09-01"), *visits],
        YEAR_2000,
        early,
        late,
        early,
        late,
    )


def test_groups() -> None:
    """cohortgeneration/correlatedCriteria/groupTest: A or B or (C and D), then at least, at most, all of them."""
    single = [before(DRUG, 30, 0), before(PROCEDURE, 30, 0)]
    wider = [before(DRUG, 60, 0), before(PROCEDURE, 60, 0)]
    both, none = group("ALL", *wider), group("AT_MOST", *wider, Count=0)
    asked = [
        group("ANY", *single, Groups=[both]),
        group("AT_LEAST", *single, Groups=[both], Count=2),
        group("AT_MOST", *single, Groups=[both], Count=2),
        group("ALL", *single, Groups=[none]),
        group("ALL", *single),
    ]
    rows = [
        *records("ConditionOccurrence", 2, "1 2000-06-01; 2 2000-06-01; 3 2000-06-01"),
        *records("DrugExposure", 2, "1 2000-05-02; 3 2000-05-01"),
        *records("ProcedureOccurrence", 2, "2 2000-05-02; 1 2000-05-02; 3 2000-05-01"),
    ]
    check(
        [expression(CONDITION, AdditionalCriteria=each) for each in asked],
        rows,
        f"{BOTH_IN_2000}; 3 2000-01-01..2001-01-01",
        *(
            "; ".join(f"{person} 2000-06-01..2001-01-01" for person in members)
            for members in ("123", "1", "23", "", "1")
        ),
    )


def test_an_inclusion_rule() -> None:
    """cohortgeneration/inclusionRules/simpleInclusionRule: another condition at any time before."""
    rule = {"name": "prior", "expression": group("ALL", before({"ConditionOccurrence": {"CodesetId": 3}}, None, 1))}
    check(
        [expression({"ConditionOccurrence": {"CodesetId": 2}}, "First", InclusionRules=[rule])],
        [
            *records("ConditionOccurrence", 2, "1 2000-06-01; 2 2000-01-01"),
            *records("ConditionOccurrence", 3, "1 2000-01-01", {"condition_occurrence_id": 9}),
        ],
        BOTH_IN_2000,
        "1 2000-06-01..2001-01-01",
    )


def test_standard_and_source_concepts_together() -> None:
    """cohortgeneration/mixedConceptsets/mixedConceptsets: a record must be in both sets."""
    check(
        [expression({"ConditionOccurrence": {"CodesetId": 2, "ConditionSourceConcept": 3}}, "First")],
        records("ConditionOccurrence", 2, "1 2000-02-01; 1 2000-07-01", {}, {"condition_source_concept_id": 3}),
        YEAR_2000,
        "1 2000-07-01..2001-01-01",
    )


def test_eras_of_records_with_one_number() -> None:
    """cohortgeneration/eraDupes/eraDupes: records that share their number and their days are one stretch."""
    numbered = {"condition_occurrence_id": 1}
    rows = records("ConditionOccurrence", 2, "1 2009-06-16..2009-06-19; 1 2009-07-01..2009-07-04")
    for concept in (3, 4, 5):
        rows += records("ConditionOccurrence", concept, "1 2009-07-27..2009-07-30", numbered)
    check(
        [expression({"ConditionOccurrence": {}}, EndStrategy=offset("EndDate", 0))],
        rows,
        "1 2000-01-01..2012-01-01",
        "1 2009-06-16..2009-06-19; 1 2009-07-01..2009-07-04; 1 2009-07-27..2009-07-30",
    )


def test_the_status_of_a_condition() -> None:
    """cohortgeneration/conditionOccurrence/conditionStatusTest: no list and an empty one ask for nothing."""
    of_status = {"ConditionStatus": [{"CONCEPT_ID": 1, "CONCEPT_NAME": "1"}]}
    statuses = ({"condition_status_concept_id": 0}, {"condition_status_concept_id": 1})
    every = "1 2000-02-01..2001-01-01; 2 2000-01-01..2001-01-01"
    check(
        [expression({"ConditionOccurrence": each}, "First") for each in ({}, {"ConditionStatus": []}, of_status)],
        records("ConditionOccurrence", 2, "1 2000-02-01; 1 2000-07-01; 2 2000-01-01", *statuses),
        BOTH_IN_2000,
        every,
        every,
        "1 2000-07-01..2001-01-01",
    )
