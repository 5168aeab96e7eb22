"""Rates of populations of different ages, weighted by one standard so that they can be compared."""

import pytest

from enclos.contracts.result import SEPARATOR
from enclos.studies.model import AgeGroup, Incidence, Interval, Population, Sex, Study
from enclos.studies.standard.model import Standard
from enclos.studies.standard.rules import esp2013, standardised
from enclos.studies.steps import run_study
from factories.study_tables import EVENTS, cdm, rows_of

YOUNG_AND_OLD = Standard("own", (((0, 39), 3), ((40, 150), 1)))
AGES = (AgeGroup(0, 39), AgeGroup(40, 150))
PERSONS = """
    person | sex | born       | observed               | events
    1      | F   | 2000-01-01 | 2019-01-01..2020-12-31 | 2019-07-02
    2      | M   | 2000-01-01 | 2019-01-01..2020-12-31 |
    3      | F   | 1950-01-01 | 2019-01-01..2020-06-30 | 2019-12-31
"""


def weighted(persons: str, analysis: Incidence) -> list[tuple[str, ...]]:
    """Denominator, window, rate and its interval, each rounded to whole events per 100 000 person-years."""
    result = run_study(Study("spec", (EVENTS,), (analysis,)), cdm(persons))
    found: dict[tuple[str, str], list[str]] = {}
    for row in result.of_type("incidence_standardised").to_pylist():
        first, last, *_ = row["additional_level"].split(SEPARATOR)
        number = row["group_level"].split(SEPARATOR)[0].rpartition("_")[2]
        found.setdefault((number, f"{first}..{last}"), []).append(str(round(float(row["estimate_value"]))))
    return [(*place, *each) for place, each in found.items()]


def test_down_s_syndrome_by_mother_s_age_as_published() -> None:
    """Births of fifth or later order in Michigan 1950-64, weighted by all births.

    Source: Fay and Feuer 1997 (Stat. Med. 16:791), data of Stark and Mantel 1966; the vignette of R dsrTest 0.2.1
    prints 75.52901 (67.70212 to 188.30017).
    """
    cases = [0, 8, 63, 112, 262, 295]
    births = [327, 30666, 123419, 149919, 104088, 34392]
    all_births = [319933, 931318, 786511, 488235, 237863, 61313]
    found = standardised(cases, [float(each) for each in births], all_births)
    assert found == pytest.approx((75.52901e-5, 67.70212e-5, 188.30017e-5), rel=1e-7)


def test_the_european_standard_population_has_100_000_persons_in_21_bands() -> None:
    bands = esp2013().bands
    assert (len(bands), sum(weight for _, weight in bands)) == (21, 100_000)
    assert esp2013().weight_of((65, 150)) == 5500 + 5000 + 4000 + 2500 + 1500 + 800 + 200


def test_each_age_counts_as_much_as_it_weighs() -> None:
    """2019: one event in 548 days of the young and one in 365 of the old; 3 to 1 in the standard."""
    analysis = Incidence(("events",), Population(AGES), standard=YOUNG_AND_OLD)
    rate = (3 / 4 * 1 / 548 + 1 / 4 * 1 / 365) * 365.25 * 100_000
    assert weighted(PERSONS, analysis)[0][:3] == ("1", "2019-01-01..2019-12-31", str(round(rate)))


def test_a_window_in_which_an_age_has_nobody_at_risk_has_no_standardised_rate() -> None:
    """In 2020 nobody over 40 is at risk: the old one had the event."""
    analysis = Incidence(("events",), Population(AGES), complete_intervals=False, standard=YOUNG_AND_OLD)
    assert [row[1] for row in weighted(PERSONS, analysis)] == ["2019-01-01..2019-12-31"]


def test_the_overall_window_runs_from_the_first_to_the_last_day_of_any_age() -> None:
    analysis = Incidence(("events",), Population(AGES), (Interval.OVERALL,), standard=YOUNG_AND_OLD)
    assert [row[1] for row in weighted(PERSONS, analysis)] == ["2019-01-01..2020-12-31"]


def test_each_sex_and_prior_observation_has_its_own_rate_and_wider_age_groups_are_left_aside() -> None:
    population = Population((AgeGroup(0, 150), *AGES), (Sex.BOTH, Sex.FEMALE), (0, 30))
    found = weighted(PERSONS, Incidence(("events",), population, (Interval.OVERALL,), standard=YOUNG_AND_OLD))
    assert [row[:2] for row in found] == rows_of("""
        rate | window
        1    | 2019-01-01..2020-12-31
        2    | 2019-01-31..2020-12-31
        3    | 2019-01-01..2019-12-31
        4    | 2019-01-31..2019-12-31
    """)


def test_without_events_the_interval_starts_at_nothing() -> None:
    persons = PERSONS.replace("2019-07-02", "").replace("| 2019-12-31\n", "|\n")
    analysis = Incidence(("events",), Population(AGES), (Interval.OVERALL,), standard=YOUNG_AND_OLD)
    ((_, _, rate, lower, upper),) = weighted(persons, analysis)
    assert (rate, lower) == ("0", "0")
    assert int(upper) > 0
