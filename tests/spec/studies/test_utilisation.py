"""Who takes what, for how long, how much, for what, and what happens then."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from enclos.studies.model import AfterDays, ConceptCohort, DayWindow, Domain, Limit, OpenEnd, Study
from enclos.studies.steps import cohort_table, run_study
from enclos.studies.utilisation.model import Indications, Restart, Until, Utilisation
from factories.studies import rows_table, tables_of
from factories.study_tables import EVENTS, Row, people, place_rows, rows_of
from fakes.cdm import CdmOfTables, cdm_of_rows

DRUG = ConceptCohort("drug", (7,), False, Domain.DRUG, Limit.ALL, OpenEnd.EVENT_END, None, 30)
OTHER = ConceptCohort("other", (8,), False, Domain.DRUG, Limit.ALL, OpenEnd.EVENT_END, None, 30)
MILLIGRAM, MICROGRAM, MILLILITRE, HOUR = 8576, 9655, 8587, 8505


def cdm(persons: str, exposures: str, *strengths: tuple[object, ...]) -> CdmOfTables:
    """Persons and their events; person, concept, days and quantity of each exposure; strengths of ingredient 9."""
    tables = tables_of(people(persons))
    rows = []
    for person, concept, days, quantity in rows_of(exposures):
        first, _, last = days.partition("..")
        end = date.fromisoformat(last) if last else None
        given = float(quantity) if quantity else None
        rows.append((int(person), int(concept), date.fromisoformat(first), end, None, None, given))
    tables["drug_exposure"] = rows_table("drug_exposure", rows)
    tables["drug_strength"] = rows_table("drug_strength", list(strengths))
    return cdm_of_rows(tables, n_buckets=2)


PERSONS = """
    person | sex | born       | observed               | events
    1      | F   | 1980-01-01 | 2019-01-01..2021-12-31 | 2020-01-05
    2      | M   | 1980-01-01 | 2020-01-01..2020-12-31 |
"""
EXPOSURES = """
    person | concept | days                   | quantity
    1      | 7       | 2020-01-10..2020-01-19 | 20
    1      | 7       | 2020-01-15..2020-01-24 | 10
    1      | 7       | 2020-02-23..2020-03-03 | 30
    1      | 7       | 2020-06-01..2020-06-10 | 30
    2      | 7       | 2020-05-01..2020-05-02 |
    2      | 8       | 2020-05-10..2020-05-20 | 10
"""


def estimates(
    analysis: Utilisation, exposures: str, *wanted: str, strengths: tuple[tuple[object, ...], ...] = ()
) -> list[Row]:
    """Estimates of some variables without deviations and what is missing."""
    result = run_study(Study("spec", (DRUG, OTHER, EVENTS), (analysis,)), cdm(PERSONS, exposures, *strengths))
    return place_rows(result, *wanted, without={"sd", "count_missing", "percentage_missing"})


def test_exposures_parted_by_at_most_a_gap_are_one_era_of_the_cohort() -> None:
    study = Study("spec", (DRUG,), (Utilisation(("drug",), ("drug",)),))
    rows = cohort_table(study, cdm(PERSONS, EXPOSURES)).to_pylist()
    found = [(str(row["subject_id"]), f"{row['cohort_start_date']}..{row['cohort_end_date']}") for row in rows]
    assert found == rows_of("""
        person | era
        1      | 2020-01-10..2020-03-03
        1      | 2020-06-01..2020-06-10
        2      | 2020-05-01..2020-05-02
    """)


def test_days_prescribed_add_up_and_days_exposed_are_those_of_eras() -> None:
    analysis = Utilisation(("drug",), ("drug",), gap_era_days=0)
    wanted = ("number exposures", "number eras", "days exposed", "days prescribed", "initial exposure duration")
    assert estimates(analysis, EXPOSURES, *wanted) == rows_of("""
        cohort | strata  | variable                  | level | estimates
        drug   | overall | number exposures          |       | q25 1, median 1, q75 2, mean 1.66666666666667
        drug   | overall | initial exposure duration |       | q25 6, median 10, q75 10, mean 7.33333333333333
        drug   | overall | number eras               |       | q25 1, median 1, q75 2, mean 1.33333333333333
        drug   | overall | days exposed              |       | q25 6, median 10, q75 18, mean 12.3333333333333
        drug   | overall | days prescribed           |       | q25 6, median 10, q75 20, mean 14
    """)


def test_an_exposure_without_an_end_is_none_of_an_entry_that_the_study_ends() -> None:
    """Nobody knows how long it lasted: of the entry are told no exposure, no day and no quantity."""
    exposures = """
        person | concept | days       | quantity
        2      | 7       | 2020-05-01 | 10
    """
    wanted = ("number exposures", "days prescribed", "cumulative quantity")
    assert estimates(Utilisation(("drug",), ("drug",)), exposures, *wanted) == []
    study = Study("spec", (replace(DRUG, end=AfterDays(30)),), (Utilisation(("drug",), ("drug",)),))
    without = {"sd", "count_missing", "percentage_missing"}
    found = place_rows(run_study(study, cdm(PERSONS, exposures)), *wanted, without=without)
    assert [row[2:] for row in found] == rows_of("""
        variable            | level | estimates
        number exposures    |       | q25 0, median 0, q75 0, mean 0
        days prescribed     |       | q25 0, median 0, q75 0, mean 0
        cumulative quantity |       | q25 0, median 0, q75 0, mean 0
    """)


def test_without_an_exposure_its_time_and_duration_are_missing_and_the_rest_is_nought() -> None:
    analysis = Utilisation(("drug",), ("other",), until=Until.OBSERVATION_END)
    assert estimates(analysis, EXPOSURES, "time to exposure", "cumulative quantity") == rows_of("""
        cohort | strata  | variable            | level | estimates
        drug   | overall | time to exposure    |       | q25 9, median 9, q75 9, mean 9
        drug   | overall | cumulative quantity |       | q25 0, median 0, q75 5, mean 3.33333333333333
    """)


@pytest.mark.parametrize(("rule", "days"), [("one-box-30", "30"), ("ddd", "14"), (None, "7")])
def test_exposures_last_by_the_duration_rule_of_their_cohort(rule: str | None, days: str) -> None:
    """A pack of 28 units holds 14 daily doses; the snapshot itself has it last a week."""
    tables = tables_of(people(PERSONS))
    dispensed, pack = 32869, 70
    row = (1, 7, date(2020, 1, 1), date(2020, 1, 7), dispensed, pack, 28.0)
    tables["drug_exposure"] = rows_table("drug_exposure", [row])
    rules = [(pack, name, f"{name}-1", 28, days_of) for name, days_of in (("one-box-30", 30.0), ("ddd", 14.0))]
    tables["drug_duration"] = rows_table("drug_duration", rules)
    drug = replace(DRUG, duration=rule)
    result = run_study(Study("spec", (drug,), (Utilisation(("drug",), ("drug",)),)), cdm_of_rows(tables))
    found = place_rows(result, "days exposed", "days prescribed", "initial exposure duration", without={"sd"})
    assert {row[4].partition(",")[0] for row in found} == {f"q25 {days}"}


@pytest.mark.parametrize(
    ("strength", "initial", "unit"),
    [
        ((7, 9, 500.0, MILLIGRAM, None, None, None, None), "500", "milligram"),
        ((7, 9, 500.0, MICROGRAM, None, None, None, None), "0.5", "milligram"),
        ((7, 9, None, None, 20.0, MILLIGRAM, 5.0, MILLILITRE), "20", "milligram"),
        ((7, 9, None, None, 20.0, MILLIGRAM, None, MILLILITRE), "20", "milligram"),
        ((7, 9, None, None, 24.0, MILLIGRAM, 48.0, HOUR), "12", "milligram"),
        ((7, 9, None, None, 24.0, MILLIGRAM, 12.0, HOUR), "24", "milligram"),
        ((7, 9, None, None, 2.0, MILLIGRAM, None, HOUR), "48", "milligram"),
    ],
    ids=["pieces", "micrograms", "in so many ml", "in each ml", "over 48 hours", "over 12 hours", "in each hour"],
)
def test_a_daily_dose_follows_from_the_strength_by_its_pattern(
    strength: tuple[object, ...], initial: str, unit: str
) -> None:
    exposures = """
        person | concept | days                   | quantity
        1      | 7       | 2020-01-01..2020-01-10 | 10
    """
    analysis = Utilisation(("drug",), ("drug",), ingredient=9)
    cumulative = f"{float(initial) * 10:g}"
    found = estimates(analysis, exposures, "initial daily dose", "cumulative dose", strengths=(strength,))
    assert [(*row[2:4], row[4].rpartition(" ")[2]) for row in found] == [
        ("initial daily dose", unit, initial),
        ("cumulative dose", unit, cumulative),
    ]


@pytest.mark.parametrize("asked", [{"ingredient": 77}, {"dose_coverage": (9, 77)}])
def test_an_ingredient_that_the_vocabulary_does_not_have_is_refused(asked: dict[str, Any]) -> None:
    analysis = Utilisation(("drug",), ("drug",), **asked)
    with pytest.raises(Refusal, match=rf"does not have: 77 \(utilisation.{next(iter(asked))}\)") as refused:
        run_study(Study("spec", (DRUG,), (analysis,)), cdm(PERSONS, EXPOSURES))
    assert refused.value.code is Code.STUDY_CONCEPT_UNKNOWN


def test_of_two_strengths_or_an_unknown_pattern_there_is_no_dose() -> None:
    analysis = Utilisation(("drug",), ("drug",), ingredient=9)
    two = ((7, 9, 500.0, MILLIGRAM, None, None, None, None), (7, 9, 250.0, MILLIGRAM, None, None, None, None))
    assert estimates(analysis, EXPOSURES, "initial daily dose", strengths=two) == []
    unknown = ((7, 9, 500.0, HOUR, None, None, None, None),)
    assert estimates(analysis, EXPOSURES, "initial daily dose", strengths=unknown) == []


def test_an_entry_has_one_reason_in_a_window() -> None:
    reasons = Indications(("events",), (DayWindow(-30, 0),), (Domain.CONDITION,))
    analysis = Utilisation(("drug",), ("drug",), indications=reasons)
    found = estimates(analysis, EXPOSURES, "Indication from 30 days before to the index date")
    assert [row[3:] for row in found] == rows_of("""
        level              | estimates
        events             | count 1, percentage 33.33333
        unknown            | count 0, percentage 0
        none               | count 2, percentage 66.66667
        not in observation | count 0, percentage 0
    """)


def test_after_the_end_a_person_restarts_switches_does_both_or_neither() -> None:
    analysis = Utilisation(("drug",), ("drug",), restart=Restart(("other",), (30, None)))
    found = estimates(analysis, EXPOSURES, "Drug restart in 30 days", "Drug restart till end of observation")
    assert [row for row in found if "count 0" not in row[4]] == rows_of("""
        cohort | strata  | variable                             | level     | estimates
        drug   | overall | Drug restart in 30 days              | switch    | count 1, percentage 50
        drug   | overall | Drug restart in 30 days              | untreated | count 1, percentage 50
        drug   | overall | Drug restart till end of observation | restart   | count 1, percentage 50
        drug   | overall | Drug restart till end of observation | switch    | count 1, percentage 50
    """)


def test_patients_are_covered_while_in_the_cohort_among_those_still_observed() -> None:
    analysis = Utilisation(("drug",), ("drug",), covered_days=1)
    result = run_study(Study("spec", (DRUG,), (analysis,)), cdm(PERSONS, EXPOSURES))
    rows = result.of_type("summarise_proportion_of_patients_covered").to_pylist()
    assert [(row["additional_level"], row["estimate_name"], row["estimate_value"]) for row in rows] == rows_of("""
        day | estimate          | value
        0   | outcome_count     | 2
        0   | denominator_count | 2
        0   | ppc               | 100.00
        0   | ppc_lower         | 34.24
        0   | ppc_upper         | 100.00
        1   | outcome_count     | 2
        1   | denominator_count | 2
        1   | ppc               | 100.00
        1   | ppc_lower         | 34.24
        1   | ppc_upper         | 100.00
    """)
