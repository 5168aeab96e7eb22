"""Rates and shares made apart for what persons are on their first day at risk."""

from dataclasses import replace

from enclos.contracts.result import SEPARATOR, StudyResult
from enclos.studies.model import (
    AgeGroup,
    Incidence,
    Interval,
    PeriodPrevalence,
    Population,
    Stratum,
    Study,
    Target,
)
from enclos.studies.steps import columns_read, run_study
from factories.studies import tables_of
from factories.study_tables import EVENTS, OTHERS, Row, cdm, people, rows_of
from fakes.cdm import cdm_of_rows

PERSONS = """
    person | sex | born       | observed               | events     | others
    1      | F   | 1990-07-01 | 2019-01-01..2020-12-31 | 2020-07-02 | 2019-01-01..2019-01-31, 2020-01-01..2020-12-31
    2      | M   | 1950-01-01 | 2019-01-01..2019-12-31 |            | 2019-01-01..2019-12-31
    3      | F   | 1950-01-01 | 2019-07-01..2019-12-31 | 2019-07-01 |
"""
YOUNG_AND_OLD = (AgeGroup(0, 28), AgeGroup(29, 150))


def counts(analysis: Incidence | PeriodPrevalence) -> list[Row]:
    """Stratum, window, persons and outcomes."""
    result = run_study(Study("spec", (EVENTS, OTHERS), (analysis,)), cdm(PERSONS))
    kind = "incidence" if isinstance(analysis, Incidence) else "prevalence"
    return counts_of(result, kind)


def counts_of(result: StudyResult, kind: str) -> list[Row]:
    """Stratum, window, persons and outcomes of a result."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for row in result.of_type(kind).to_pylist():
        place = row["strata_level"].replace(SEPARATOR, ", "), "..".join(row["additional_level"].split(SEPARATOR)[:2])
        found.setdefault(place, {})[row["estimate_name"]] = row["estimate_value"]
    return [(*place, each["denominator_count"], each["outcome_count"]) for place, each in found.items()]


def test_beside_all_persons_each_stratum_has_estimates_in_the_same_windows() -> None:
    population = Population(strata=((Stratum.SEX,), (Stratum.SEX, Stratum.AGE_GROUP)), strata_age_groups=YOUNG_AND_OLD)
    assert counts(Incidence(("events",), population, (Interval.YEARS,))) == rows_of("""
        stratum           | window                 | persons | events
        overall           | 2019-01-01..2019-12-31 | 3       | 1
        Male              | 2019-01-01..2019-12-31 | 1       | 0
        Female            | 2019-01-01..2019-12-31 | 2       | 1
        Male, 29 to 150   | 2019-01-01..2019-12-31 | 1       | 0
        Female, 0 to 28   | 2019-01-01..2019-12-31 | 1       | 0
        Female, 29 to 150 | 2019-01-01..2019-12-31 | 1       | 1
    """)


def test_a_stratum_by_age_is_that_of_the_day_on_which_the_stay_starts() -> None:
    """Person 1 is 28 on entering the target for the first time and 29 the second time."""
    in_target = Population(target=Target("others"), strata=((Stratum.AGE_GROUP,),), strata_age_groups=YOUNG_AND_OLD)
    assert counts(Incidence(("events",), in_target, (Interval.OVERALL,))) == rows_of("""
        stratum   | window                 | persons | events
        overall   | 2019-01-01..2020-07-02 | 2       | 1
        0 to 28   | 2019-01-01..2020-07-02 | 1       | 0
        29 to 150 | 2019-01-01..2020-07-02 | 2       | 1
    """)


def test_strata_can_stand_without_all_persons() -> None:
    by_sex = Population(strata=((Stratum.SEX,),), include_overall=False)
    assert counts(Incidence(("events",), by_sex, (Interval.YEARS,))) == rows_of("""
        stratum | window                 | persons | events
        Male    | 2019-01-01..2019-12-31 | 1       | 0
        Female  | 2019-01-01..2019-12-31 | 2       | 1
    """)


def test_persons_are_told_apart_by_where_they_live_and_who_is_of_no_department_is_in_none() -> None:
    histories = [replace(each, department={1: 75, 2: 13}.get(each.person_id)) for each in people(PERSONS)]
    by_home = PeriodPrevalence(("events",), Population(strata=((Stratum.DEPARTMENT,),)), (Interval.OVERALL,))
    study = Study("spec", (EVENTS,), (by_home,))
    assert counts_of(run_study(study, cdm_of_rows(tables_of(histories), n_buckets=2)), "prevalence") == rows_of("""
        stratum | window                 | persons | cases
        overall | 2019-01-01..2020-12-31 | 3       | 2
        13      | 2019-01-01..2020-12-31 | 1       | 0
        75      | 2019-01-01..2020-12-31 | 1       | 1
    """)


def test_the_permit_must_grant_where_persons_live() -> None:
    by_home = Incidence(("events",), Population(strata=((Stratum.DEPARTMENT,),)))
    read = columns_read(Study("spec", (EVENTS,), (by_home,)))
    assert read["location"] == ("location_id", "county")
    assert "location_id" in read["person"]


def test_windows_in_which_a_stratum_has_nobody_are_left_out() -> None:
    by_sex = Population(strata=((Stratum.SEX,),))
    assert counts(PeriodPrevalence(("events",), by_sex)) == rows_of("""
        stratum | window                 | persons | cases
        overall | 2019-01-01..2019-12-31 | 3       | 1
        overall | 2020-01-01..2020-12-31 | 1       | 1
        Male    | 2019-01-01..2019-12-31 | 1       | 0
        Female  | 2019-01-01..2019-12-31 | 2       | 1
        Female  | 2020-01-01..2020-12-31 | 1       | 1
    """)
