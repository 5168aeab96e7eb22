"""One flat object per estimate."""

import pyarrow as pa

from enclos.contracts.result import HIDDEN, StudyResult
from enclos.studies.model import AgeGroup, Incidence, Interval, PointPrevalence, Population, Sex, Study
from enclos.studies.steps import run_study
from enclos.studies.summary import summary
from factories.study_tables import EVENTS, cdm

PERSONS = """
    person | sex | born       | observed               | events
    1      | F   | 1950-01-01 | 2019-01-01..2020-12-31 | 2020-07-01
    2      | M   | 1950-01-01 | 2019-01-01..2020-12-31 |
"""


def test_each_estimate_says_what_it_is_about() -> None:
    women = Population((AgeGroup(65, 150),), (Sex.FEMALE,), (30,))
    study = Study("s", (EVENTS,), (Incidence(("events",), women, (Interval.YEARS, Interval.OVERALL)),))
    found = summary(run_study(study, cdm(PERSONS)))
    assert found == [
        {
            "analysis": "incidence",
            "denominator": "denominator_cohort_1",
            "outcome": "events",
            "age_group": "65 to 150",
            "sex": "Female",
            "days_prior_observation": 30,
            "interval": "overall",
            "start_on": "2019-01-31",
            "end_on": "2020-07-01",
            "n_persons": 1,
            "n_events": 1,
            "person_days": 518,
            "person_years": 1.418,
            "per_100k_person_years": 70521.862,
            "lower": 1785.459,
            "upper": 392922.665,
        }
    ]


def test_a_share_and_a_share_of_nobody() -> None:
    persons = PERSONS.replace("2019-01-01..2020-12-31", "2018-06-01..2018-07-01, 2020-06-01..2021-01-01")
    study = Study("s", (EVENTS,), (PointPrevalence(("events",), Population()),))
    found = summary(run_study(study, cdm(persons)))
    assert [each["start_on"] for each in found] == ["2019-01-01", "2020-01-01", "2021-01-01"]
    assert [(each["n_persons"], each["prevalence"]) for each in found] == [(0, None), (0, None), (2, 0.0)]
    assert found[0]["analysis"] == "point prevalence"
    assert found[2]["upper"] == 0.65762


def test_a_withheld_number_is_none() -> None:
    study = Study("s", (EVENTS,), (PointPrevalence(("events",), Population()),))
    result = run_study(study, cdm(PERSONS))
    values = result.table["estimate_value"].to_pylist()
    hidden = result.table.set_column(
        result.table.column_names.index("estimate_value"), "estimate_value", pa.array([HIDDEN] * len(values))
    )
    found = summary(StudyResult(hidden, result.settings))
    assert [each["n_persons"] for each in found] == [None, None]
