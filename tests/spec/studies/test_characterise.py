"""Who the persons of a cohort are on the day they enter, and what happens around it."""

from enclos.studies.characterise.model import Characterisation, Entries, Intersection, LargeScale, Shown
from enclos.studies.model import AgeGroup, DayWindow, Domain, Stratum
from factories.study_tables import estimates, rows_of

PERSONS = """
    person | sex | born       | observed               | events                             | others
    1      | F   | 1980-02-29 | 2019-01-01..2021-12-31 | 2020-02-28..2020-03-05, 2020-03-10 | 2020-02-20..2020-02-28
    2      | M   | 2004-06-01 | 2020-01-01..2020-12-31 | 2020-01-01..2020-01-10             | 2020-06-01
    3      | M   | 1960-01-01 | 2020-01-01..2020-06-30 |                                    | 2020-03-01
"""
GROUPS = (AgeGroup(0, 17), AgeGroup(18, 64))


def test_every_entry_is_a_record_and_ages_are_completed_years_at_entry() -> None:
    analysis = Characterisation(("events",), GROUPS)
    assert estimates(PERSONS, analysis, "Number records", "Number subjects", "Age group") == rows_of("""
        cohort | strata  | variable        | level    | estimates
        events | overall | Number records  |          | count 3
        events | overall | Number subjects |          | count 2
        events | overall | Age group       | 0 to 17  | count 1, percentage 33.3333333333333
        events | overall | Age group       | 18 to 64 | count 2, percentage 66.6666666666667
    """)
    ages = "min 15, q25 27, median 39, q75 40, max 40, mean 31.3333333333333, sd 14.1539158303748"
    assert estimates(PERSONS, analysis, "Age") == [("events", "overall", "Age", "", ages)]


def test_days_are_counted_within_the_observation_period_of_the_entry() -> None:
    analysis = Characterisation(("events",))
    variables = ("Prior observation", "Days in cohort", "Days to next record")
    found = [(*row[2:4], row[4].partition(", q25")[0]) for row in estimates(PERSONS, analysis, *variables)]
    assert found == rows_of("""
        variable            | level | smallest
        Prior observation   |       | min 0
        Days in cohort      |       | min 1
        Days to next record |       | min 5
    """)


def test_another_cohort_is_looked_for_in_a_window_where_it_is_observed() -> None:
    before = Intersection(("others",), DayWindow(None, -1), Shown.FLAG, "before")
    around = Intersection(("others",), DayWindow(-30, 0), Shown.COUNT, "around")
    analysis = Characterisation(("events",), intersections=(before, around))
    assert estimates(PERSONS, analysis, "Before") == rows_of("""
        cohort | strata  | variable | level  | estimates
        events | overall | Before   | Others | count 2, percentage 100
    """)


def test_strata_are_told_apart() -> None:
    analysis = Characterisation(("events",), strata=(Stratum.SEX,))
    assert estimates(PERSONS, analysis, "Number records") == rows_of("""
        cohort | strata     | variable       | level | estimates
        events | overall    | Number records |       | count 3
        events | sex Female | Number records |       | count 2
        events | sex Male   | Number records |       | count 1
    """)


def test_an_event_counts_where_it_starts_and_an_episode_wherever_it_lasts() -> None:
    windows = (DayWindow(-5, -1), DayWindow(0, 0))
    events = Characterisation(("events",), large_scale=LargeScale(windows, events=(Domain.CONDITION,)))
    episodes = Characterisation(("events",), large_scale=LargeScale(windows, episodes=(Domain.CONDITION,)))
    assert estimates(PERSONS, events, "concept 2") == []
    assert estimates(PERSONS, episodes, "concept 2") == rows_of("""
        cohort | strata  | variable  | level    | estimates
        events | overall | concept 2 | -5 to -1 | count 1, percentage 50.00
        events | overall | concept 2 | 0 to 0   | count 1, percentage 33.33
    """)


def test_two_cohorts_share_persons_and_days_pass_between_their_entries() -> None:
    analysis = Characterisation(("events", "others"), overlap=True, timing=Entries.FIRST)
    assert estimates(PERSONS, analysis, "Only in comparator cohort", "In both cohorts")[:2] == rows_of("""
        cohorts           | strata  | variable                  | level    | estimates
        events &&& others | overall | In both cohorts           | Subjects | count 2, percentage 66.6666666666667
        events &&& others | overall | Only in comparator cohort | Subjects | count 1, percentage 33.3333333333333
    """)
    found = estimates(PERSONS, analysis, "number records", "days_between_cohort_entries")
    assert [(row[0], row[4]) for row in found] == rows_of("""
        cohorts           | estimates
        events &&& others | count 2
        events &&& others | min -8, q25 32, median 72, q75 112, max 152
        others &&& events | count 2
        others &&& events | min -152, q25 -112, median -72, q75 -32, max 8
    """)


def test_a_standardised_difference_is_in_units_of_the_pooled_deviation() -> None:
    analysis = Characterisation(("events", "others"), differences=True)
    found = estimates(PERSONS, analysis, "Sex")
    assert [row for row in found if row[0] == "events &&& others"] == rows_of("""
        cohorts           | strata  | variable | level  | estimates
        events &&& others | overall | Sex      | Female | smd 0.707106781186547
        events &&& others | overall | Sex      | Male   | smd -0.707106781186547
    """)
