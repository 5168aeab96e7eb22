"""What a study computes, each thing once."""

from datetime import date

from enclos.studies.model import (
    AfterDays,
    AgeGroup,
    ConceptCohort,
    DateRange,
    Domain,
    Incidence,
    Limit,
    PointPrevalence,
    Population,
    Sex,
    Study,
)
from enclos.studies.rules.calendar import day_of
from enclos.studies.rules.outline import outline_of, study_days_of

ONE, TWO, UNUSED = (
    ConceptCohort(name, (1,), False, Domain.CONDITION, Limit.ALL, AfterDays(0)) for name in ("one", "two", "unused")
)
GIVEN = DateRange(date(2020, 1, 1), date(2020, 12, 31))


def test_denominators_are_shared_and_pairs_are_numbered_outcome_first() -> None:
    both = Population(sexes=(Sex.BOTH, Sex.MALE))
    study = Study("s", (UNUSED, ONE, TWO), (Incidence(("two", "one"), both), PointPrevalence(("one",), Population())))
    outline = outline_of(study)
    assert [cohort.name for cohort in outline.cohorts] == ["one", "two"]
    assert [each.sex for each in outline.denominators] == [Sex.BOTH, Sex.MALE]
    first, second = outline.blocks
    assert [(p.number, p.denominator, p.cohort, p.denominator_number) for p in first.pairs] == [
        (0, 0, 1, 1),
        (1, 1, 1, 2),
        (2, 0, 0, 1),
        (3, 1, 0, 2),
    ]
    assert [(p.number, p.denominator, p.cohort, p.denominator_name) for p in second.pairs] == [
        (4, 0, 0, "denominator_cohort_1")
    ]
    assert outline.prevalence_denominators == (0,)


def test_a_different_date_range_makes_a_different_denominator() -> None:
    study = Study(
        "s",
        (ONE,),
        (Incidence(("one",), Population()), Incidence(("one",), Population((AgeGroup(0, 150),), date_range=GIVEN))),
    )
    outline = outline_of(study)
    assert len(outline.denominators) == 2
    assert outline.needs_observed_days


def test_a_study_that_gives_both_dates_needs_no_observed_days() -> None:
    outline = outline_of(Study("s", (ONE,), (Incidence(("one",), Population(date_range=GIVEN)),)))
    assert not outline.needs_observed_days
    assert outline.prevalence_denominators == ()


def test_open_ends_are_taken_from_the_observed_days() -> None:
    given = (day_of(date(2020, 1, 1)), day_of(date(2020, 12, 31)))
    assert study_days_of(Population(date_range=GIVEN), None) == given
    assert study_days_of(Population(), (3, 9)) == (3, 9)
    assert study_days_of(Population(date_range=DateRange(date(2020, 1, 1), None)), (3, 99_999)) == (given[0], 99_999)
    assert study_days_of(Population(date_range=DateRange(date(2020, 1, 1), None)), None) is None
