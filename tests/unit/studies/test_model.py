"""A study that makes no sense cannot be built."""

from datetime import date

import pytest

from enclos.studies.model import (
    AfterDays,
    AgeGroup,
    ConceptCohort,
    DateRange,
    Domain,
    Incidence,
    Interval,
    Limit,
    OpenEnd,
    PeriodPrevalence,
    PointPrevalence,
    Population,
    Sex,
    Study,
)

COHORT = ConceptCohort("bleed", (1,), True, Domain.CONDITION, Limit.ALL, OpenEnd.EVENT_END)
EVERYONE = Population()


@pytest.mark.parametrize("years", [(-1, 5), (5, 4), (0, 151)])
def test_an_age_group_runs_from_0_to_150(years: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="age group"):
        AgeGroup(*years)


def test_a_date_range_runs_forward() -> None:
    assert DateRange(date(2020, 1, 1), date(2020, 1, 1)).end_on == date(2020, 1, 1)
    with pytest.raises(ValueError, match="date range"):
        DateRange(date(2020, 1, 2), date(2020, 1, 1))


@pytest.mark.parametrize("n_days", [-1, 100_000])
def test_a_cohort_ends_after_a_number_of_days_that_can_be(n_days: int) -> None:
    with pytest.raises(ValueError, match="days"):
        AfterDays(n_days)


@pytest.mark.parametrize("name", ["", "Bleed", "1st", "gi-bleed", "a" * 65, "bleed\n"])
def test_a_cohort_has_a_name_in_snake_case(name: str) -> None:
    with pytest.raises(ValueError, match="snake case"):
        ConceptCohort(name, (1,), True, Domain.CONDITION, Limit.ALL, OpenEnd.EVENT_END)


@pytest.mark.parametrize("concepts", [(), (1, 1), (0,), (2**31,)])
def test_a_cohort_has_concepts(concepts: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="concept"):
        ConceptCohort("bleed", concepts, True, Domain.CONDITION, Limit.ALL, OpenEnd.EVENT_END)


@pytest.mark.parametrize(
    "wrong",
    [
        {"age_groups": ()},
        {"sexes": (Sex.BOTH, Sex.BOTH)},
        {"days_prior_observation": (-1,)},
        {"days_prior_observation": (100_000,)},
    ],
)
def test_a_population_has_each_value_once_and_in_range(wrong: dict[str, tuple[object, ...]]) -> None:
    with pytest.raises(ValueError, match=r"population|prior observation"):
        Population(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [Incidence, PointPrevalence, PeriodPrevalence])
def test_an_analysis_has_an_outcome_and_an_interval(kind: type) -> None:
    for outcomes, intervals in [((), (Interval.YEARS,)), (("bleed",), ()), (("bleed", "bleed"), (Interval.YEARS,))]:
        with pytest.raises(ValueError, match="analysis"):
            kind(outcomes, EVERYONE, intervals)


def test_a_point_has_no_overall_interval_and_a_washout_is_in_range() -> None:
    with pytest.raises(ValueError, match="overall"):
        PointPrevalence(("bleed",), EVERYONE, (Interval.OVERALL,))
    with pytest.raises(ValueError, match="washout"):
        Incidence(("bleed",), EVERYONE, washout_days=-1)


def test_a_study_names_cohorts_that_it_defines() -> None:
    analysis = Incidence(("bleed",), EVERYONE)
    assert Study("s", (COHORT,), (analysis,)).analyses == (analysis,)
    for name, cohorts, analyses, why in [
        ("", (COHORT,), (analysis,), "name"),
        ("s", (COHORT, COHORT), (analysis,), "one name"),
        ("s", (COHORT,), (), "at least one"),
        ("s", (COHORT,), (Incidence(("other",), EVERYONE),), "cohorts of the study"),
    ]:
        with pytest.raises(ValueError, match=why):
            Study(name, cohorts, analyses)
