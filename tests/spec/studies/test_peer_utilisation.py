"""The worked examples of DrugUtilisation's own tests: use of drugs, indications, treatments and restart.

Source: darwin-eu/DrugUtilisation, ``tests/testthat``; the figures are theirs, each example says which test it is of.
What is covered where:

- test-addDrugUtilisation (basic functionality, gapEra, restrictIncident, consecutive prescriptions, addDaysPrescribed),
  test-indication (single indication, with unknown table), test-summariseTreatment (levels and their order),
  test-summariseDrugRestart (both), test-erafyCohort, test-require (washout, first entry): here.
- test-generateDrugUtilisationCohortSet (basic functionality drug_conceptId, cohort attrition): here, and on GiBleed
  against the package's results, ``tests/acceptance/test_gibleed_parity_utilisation.py``.
- the same, subsetCohort, and test-summariseProportionOfPatientsCovered: ``test_peer_drug_cohorts.py``.
- test-dailyDose: ``test_utilisation.py``, pattern by pattern, and the generative test of dose coverage, since the
  package's example is random.
- requireDrugInDateRange, requireObservationBeforeDrug: ``require`` in ``test_derived.py``.
- names of columns, temporary tables, suppression, errors of R: nothing to compare.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pyarrow as pa
import pytest

from enclos.studies.derived.model import Collapse, First, Near
from enclos.studies.model import AfterDays, ConceptCohort, DayWindow, Domain, Limit, OpenEnd, Study
from enclos.studies.steps import cohort_table, run_study
from enclos.studies.utilisation.model import Indications, Restart, Treatments, Utilisation
from factories.studies import rows_table, tables_of
from factories.study_tables import EVENTS, OTHERS, derived_members, people, rows_of
from fakes.cdm import cdm_of_rows
from oracle.histories import Exposure

TABLETS, STRONG, OTHER_FORM, MILLIGRAM = 3, 4, 5, 8576
DRUG = ConceptCohort("drug", (TABLETS, STRONG, OTHER_FORM), False, Domain.DRUG, Limit.ALL, OpenEnd.EVENT_END)
THIRD = replace(EVENTS, name="third", concepts=(3,))
STRENGTHS = [
    (TABLETS, 9, 500.0, MILLIGRAM, None, None, None, None),
    (STRONG, 9, 9600.0, MILLIGRAM, None, None, None, None),
]

ENTRY = """
    person | sex | born       | observed               | events
    1      | M   | 1980-01-01 | 2000-01-01..2024-01-01 | {entry}
"""


def use(entry: str, exposures: str, **options: object) -> dict[str, float | None]:
    """What is told of one entry: concept, days and quantity of each exposure of its person."""
    tables = tables_of(people(ENTRY.format(entry=entry)))
    rows = []
    for concept, days, quantity in rows_of(exposures):
        first, last = (date.fromisoformat(each) for each in days.split(".."))
        rows.append((1, int(concept), first, last, None, None, float(quantity)))
    tables["drug_exposure"] = rows_table("drug_exposure", rows)
    tables["drug_strength"] = rows_table("drug_strength", STRENGTHS)
    asked = Utilisation(("events",), ("drug",), ingredient=9, **{"gap_era_days": 1, **options})  # type: ignore[arg-type]
    result = run_study(Study("spec", (EVENTS, DRUG), (asked,)), cdm_of_rows(tables))
    return {
        row["variable_name"]: None if row["estimate_value"] is None else float(row["estimate_value"])
        for row in result.of_type("summarise_drug_utilisation").to_pylist()
        if row["estimate_name"] == "mean"
    }


FIRST_PERSON = """
    concept | days                   | quantity
    3       | 2020-01-15..2020-01-25 | 10
    4       | 2020-01-20..2020-03-15 | 20
    3       | 2020-02-20..2020-02-28 | 30
    3       | 2023-01-01..2023-12-31 | 2
"""
SECOND_PERSON = """
    concept | days                   | quantity
    3       | 2021-02-15..2021-03-15 | 1
    5       | 2021-05-12..2021-05-25 | 10
"""
THIRD_PERSON = """
    concept | days                   | quantity
    3       | 2022-01-12..2022-02-15 | 5
    3       | 2022-11-15..2022-12-14 | 15
"""
NAMES = (
    "number exposures",
    "number eras",
    "time to exposure",
    "cumulative quantity",
    "initial quantity",
    "days exposed",
)


@pytest.mark.parametrize(
    ("entry", "exposures", "expected", "doses"),
    [
        (
            "2020-01-15..2020-02-28",
            FIRST_PERSON,
            (3, 1, 0, 60, 10, 45),
            (5000 + 9600 * 20 * 40 / 56 + 15000, 5000 / 11),
        ),
        ("2021-01-15..2021-06-08", SECOND_PERSON, (2, 2, 31, 11, 1, 43), (500, 500 / 29)),
        ("2022-02-01..2022-12-01", THIRD_PERSON, (1, 1, 287, 15, 15, 17), (17 / 30 * 15 * 500, 500 * 15 / 30)),
    ],
)
def test_add_drug_utilisation_basic_functionality(
    entry: str, exposures: str, expected: tuple[int, ...], doses: tuple[float, float]
) -> None:
    found = use(entry, exposures)
    assert tuple(found[name] for name in NAMES) == expected
    assert (found["cumulative dose"], found["initial daily dose"]) == pytest.approx(doses)


@pytest.mark.parametrize(
    ("entry", "exposures", "n_exposures", "cumulative", "initial"),
    [
        ("2022-02-01..2022-12-01", THIRD_PERSON, 2, 17 / 30 * 15 * 500 + 15 * 5 * 500 / 35, 5 * 500 / 35),
        (
            "2020-01-24..2020-02-10",
            FIRST_PERSON,
            2,
            10 * 500 * 2 / 11 + 9600 * 20 * 18 / 56,
            500 * 10 / 11 + 9600 * 20 / 56,
        ),
    ],
)
def test_add_drug_utilisation_not_restricted_to_incident_exposures(
    entry: str, exposures: str, n_exposures: int, cumulative: float, initial: float
) -> None:
    found = use(entry, exposures, incident=False)
    assert found["number exposures"] == n_exposures
    assert (found["cumulative dose"], found["initial daily dose"]) == pytest.approx((cumulative, initial))


@pytest.mark.parametrize(("gap", "n_eras"), [(57, 2), (58, 1)])
def test_add_drug_utilisation_gap_era(gap: int, n_eras: int) -> None:
    """From 15 March to 12 May are 58 days."""
    assert use("2021-01-15..2021-06-08", SECOND_PERSON, gap_era_days=gap)["number eras"] == n_eras


def test_gap_era_consecutive_prescriptions() -> None:
    exposures = """
        concept | days                   | quantity
        3       | 2020-01-01..2020-01-19 | 10
        4       | 2020-01-20..2020-03-15 | 10
    """
    found = use("2000-01-01..2022-12-01", exposures)
    assert (found["number exposures"], found["number eras"]) == (2, 1)


@pytest.mark.parametrize(
    ("entry", "incident", "expected"),
    [
        ("2020-01-01..2020-02-15", True, 52),
        ("2020-01-10..2020-03-15", True, 21),
        ("2020-01-10..2020-02-10", True, 16),
        ("2020-01-01..2020-02-15", False, 52),
        ("2020-01-10..2020-03-15", False, 43),
        ("2020-01-10..2020-02-10", False, 38),
    ],
)
def test_add_days_prescribed(entry: str, incident: bool, expected: int) -> None:
    exposures = """
        concept | days                   | quantity
        5       | 2020-01-01..2020-01-31 | 1
        5       | 2020-01-15..2020-01-20 | 1
        5       | 2020-02-01..2020-02-15 | 1
    """
    assert use(entry, exposures, incident=incident)["days prescribed"] == expected


def entries_of_exposures(people_observed: str, exposures: str, gap: int) -> list[dict[str, object]]:
    """The entries of a cohort of the drug with a gap era; person and days of each exposure."""
    tables, drug = tables_of_exposures(people_observed, exposures), replace(DRUG, gap_era_days=gap)
    return cohort_table(Study("spec", (drug,), (Utilisation(("drug",), ("drug",)),)), cdm_of_rows(tables)).to_pylist()


def tables_of_exposures(people_observed: str, exposures: str) -> dict[str, pa.Table]:
    tables = tables_of(people(people_observed))
    rows = []
    for person, days in rows_of(exposures):
        first, _, last = days.partition("..")
        end = date.fromisoformat(last) if last else None
        rows.append((int(person), TABLETS, date.fromisoformat(first), end, None, None, 1.0))
    tables["drug_exposure"] = rows_table("drug_exposure", rows)
    return tables


@pytest.mark.parametrize(
    ("gap", "n_entries"), [(0, 4), (13, 4), (14, 3), (31, 3), (32, 2), (153, 2), (154, 1), (1500, 1)]
)
def test_generate_drug_utilisation_cohort_set_basic_functionality(gap: int, n_entries: int) -> None:
    persons = """
        person | sex | born       | observed               | events
        1      | F   | 1980-01-01 | 2010-01-01..2022-12-31 |
    """
    exposures = """
        person | days
        1      | 2020-04-01..2020-04-30
        1      | 2020-06-01..2020-09-11
        1      | 2021-02-12..2021-02-15
        1      | 2021-03-01..2021-03-24
    """
    assert len(entries_of_exposures(persons, exposures, gap)) == n_entries


ATTRITION_PERSONS = """
    person | sex | born       | observed               | events
    1      | F   | 1980-01-01 | 2010-01-01..2021-03-01 |
    2      | F   | 1980-01-01 | 2010-01-01..2022-01-01 |
"""
ATTRITION_EXPOSURES = """
    person | days
    1      | 2020-01-01..2020-04-30
    1      | 2020-04-01..2020-04-11
    1      | 2021-01-01..2021-02-15
    1      | 2020-01-01
    1      | 2020-01-02
    1      | 2020-12-01..2020-01-01
    1      | 2020-10-01..2020-02-01
    1      | 2020-07-01..2020-03-01
    1      | 2021-04-01..2021-04-24
    2      | 2021-03-01..2021-03-24
"""


def test_an_exposure_without_an_end_makes_an_entry_only_where_the_study_ends_it() -> None:
    """It is none of a drug cohort of the package; one that is followed for days or to the end of observation needs no
    end of its own, as in CDMConnector's cohorts of concepts.
    """
    exposures = "person | days\n1 | 2020-03-01\n1 | 2020-05-01..2020-05-09\n1 | 2020-07-01..2020-06-01"
    tables = tables_of_exposures(ATTRITION_PERSONS, exposures)
    found = {}
    for end in (OpenEnd.EVENT_END, AfterDays(4), OpenEnd.OBSERVATION_END):
        study = Study("spec", (replace(DRUG, end=end),), (Utilisation(("drug",), ("drug",)),))
        rows = cohort_table(study, cdm_of_rows(tables)).to_pylist()
        found[end] = [f"{row['cohort_start_date']}..{row['cohort_end_date']}" for row in rows]
    assert found == {
        OpenEnd.EVENT_END: ["2020-05-01..2020-05-09"],
        AfterDays(4): ["2020-03-01..2020-03-05", "2020-05-01..2020-05-05"],
        OpenEnd.OBSERVATION_END: ["2020-03-01..2021-03-01"],
    }


def test_generate_drug_utilisation_cohort_set_cohort_attrition() -> None:
    """Exposures without an end, that end before they start or start after observation are none.

    The package tells of its three entries 2, 1 and 1 exposures and 132, 46 and 24 days prescribed.
    """
    entries = entries_of_exposures(ATTRITION_PERSONS, ATTRITION_EXPOSURES, gap=1)
    assert [str(row["cohort_start_date"]) for row in entries] == ["2020-01-01", "2021-01-01", "2021-03-01"]
    study = Study("spec", (replace(DRUG, gap_era_days=1),), (Utilisation(("drug",), ("drug",)),))
    result = run_study(study, cdm_of_rows(tables_of_exposures(ATTRITION_PERSONS, ATTRITION_EXPOSURES)))
    wanted = {"number exposures": (2, 1, 1), "days prescribed": (132, 46, 24)}
    means = {
        row["variable_name"]: float(row["estimate_value"])
        for row in result.of_type("summarise_drug_utilisation").to_pylist()
        if row["variable_name"] in wanted and row["estimate_name"] == "mean"
    }
    assert means == pytest.approx({name: sum(values) / 3 for name, values in wanted.items()})


TREATED = """
    person | sex | born | observed | exposures | others | third | another
    1 | F | 1980-01-01 | 2015-01-01..2024-01-01 | 2020-01-01..2020-04-01, 2020-06-01..2020-08-01 | {first} \
| 2020-05-25 | {other}
    2 | F | 1980-01-01 | 2016-05-15..2024-01-01 | 2020-01-02..2020-02-02 |            | |
    3 | F | 1980-01-01 | 2012-12-30..2024-01-01 | 2020-01-01..2020-03-01 | 2020-01-01 | |
"""


def around(persons: str, *more: ConceptCohort, **asked: object) -> dict[str, dict[str, str]]:
    """By window, how many entries have what; the entries are the exposures."""
    histories = []
    for each in people(persons):
        taken = [Exposure(TABLETS, r.start_on, r.end_on) for r in each.records if r.concept_id == 1]
        others = [r for r in each.records if r.concept_id != 1]
        histories.append(replace(each, records=tuple(others), exposures=tuple(taken)))
    analysis = Utilisation(("drug",), ("drug",), **asked)  # type: ignore[arg-type]
    result = run_study(Study("spec", (DRUG, *more), (analysis,)), cdm_of_rows(tables_of(histories)))
    found: dict[str, dict[str, str]] = {}
    for row in result.table.to_pylist():
        if row["additional_name"] == "window_name" and row["estimate_name"] == "count":
            found.setdefault(row["additional_level"], {})[row["variable_level"]] = row["estimate_value"]
    return found


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (DayWindow(0, 0), {"asthma": 1, "none": 3}),
        (DayWindow(-1, 0), {"asthma": 1, "none": 3}),
        (DayWindow(-2, 0), {"asthma": 2, "none": 2}),
        (DayWindow(None, 0), {"asthma": 2, "asthma and covid": 1, "none": 1}),
    ],
)
def test_case_single_indication(window: DayWindow, expected: dict[str, int]) -> None:
    """The first person has asthma two days before the first entry, and both a week before the second."""
    asthma, covid = replace(OTHERS, name="asthma"), replace(THIRD, name="covid")
    persons = TREATED.format(first="2019-12-30, 2020-05-25", other="")
    (found,) = around(persons, asthma, covid, indications=Indications(("asthma", "covid"), (window,))).values()
    assert {level: int(n) for level, n in found.items() if n != "0"} == expected


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (DayWindow(0, 0), {"asthma": 1, "none": 3}),
        (DayWindow(-1, 0), {"asthma": 1, "unknown": 1, "none": 2}),
        (DayWindow(-6, 0), {"asthma": 2, "unknown": 1, "none": 1}),
    ],
)
def test_case_single_indication_with_unknown_indication_table(window: DayWindow, expected: dict[str, int]) -> None:
    """Another condition was recorded the day before the first person's second entry."""
    asthma, covid = replace(OTHERS, name="asthma"), replace(THIRD, name="covid")
    persons = TREATED.format(first="2019-12-30, 2020-05-25", other="2020-05-31")
    reasons = Indications(("asthma", "covid"), (window,), (Domain.CONDITION,))
    (found,) = around(persons, asthma, covid, indications=reasons).values()
    assert {level: int(n) for level, n in found.items() if n != "0"} == expected


def test_summarise_treatment() -> None:
    """Treatments in order of their names, whatever order they are given in; then who has none, and who is not seen."""
    windows = (DayWindow(0, 30), DayWindow(31, 365))
    persons = TREATED.format(first="2020-01-20", other="")
    found = around(persons, OTHERS, THIRD, treatments=Treatments(("third", "others"), windows))
    assert list(found) == ["0 to 30", "31 to 365"]
    assert found["0 to 30"] == {"others": "2", "third": "0", "untreated": "2", "not in observation": "0"}
    assert found["31 to 365"] == {"others": "0", "third": "1", "untreated": "3", "not in observation": "0"}


def test_treatments_that_exclude_each_other() -> None:
    persons = TREATED.format(first="2020-01-20", other="")
    asked = Treatments(("third", "others"), (DayWindow(0, 365),), exclusive=True)
    (found,) = around(persons, OTHERS, THIRD, treatments=asked).values()
    assert found == {"others": "1", "third": "0", "others and third": "1", "untreated": "2", "not in observation": "0"}


RESTART = """
    person | sex | born       | observed               | events | others | third
    1      | M   | 1980-01-01 | 2000-01-01..2024-01-01 | 2020-01-01..2020-02-28, 2020-10-01..2020-12-31, \
2021-01-01..2021-05-01 | 2020-11-10..2021-02-01 | 2021-01-01..2021-10-10
    2      | M   | 1980-01-01 | 2000-01-01..2024-01-01 | 2020-01-01..2020-06-01 | 2021-07-20 |
    3      | M   | 1980-01-01 | 2000-01-01..2024-01-01 | 2020-01-01..2020-10-11 | | 2022-06-15
"""


@pytest.mark.parametrize(
    ("switch", "incident", "expected"),
    [
        ("others third", True, ["0 0 0 5", "0 0 1 4", "0 0 1 4", "0 0 2 3", "0 2 2 1"]),
        ("others third", False, ["0 2 0 3", "0 1 1 3", "0 1 1 3", "0 1 2 2", "0 3 2 0"]),
        ("third", True, ["0 0 0 5", "0 0 1 4", "0 0 1 4", "1 0 1 3", "0 1 2 2"]),
    ],
)
def test_add_drug_restart(switch: str, incident: bool, expected: list[str]) -> None:
    """Restart, switch, both and neither, of all entries, in 0, 1, 100 and 300 days and to the end."""
    restart = Restart(tuple(switch.split()), (0, 1, 100, 300, None), incident, first_only=False)
    study = Study("spec", (EVENTS, OTHERS, THIRD, DRUG), (Utilisation(("events",), ("drug",), restart=restart),))
    result = run_study(study, cdm_of_rows(tables_of(people(RESTART))))
    found: dict[str, list[str]] = {}
    for row in result.of_type("summarise_drug_restart").to_pylist():
        if row["estimate_name"] == "count":
            found.setdefault(row["variable_name"], []).append(row["estimate_value"])
    assert [" ".join(each) for each in found.values()] == expected


@pytest.mark.parametrize(("gap", "stretches"), [(5, ["01..05", "11..20"]), (6, ["01..20"])])
def test_erafy_cohort(gap: int, stretches: list[str]) -> None:
    persons = """
        person | sex | born       | observed               | events
        1      | M   | 1980-01-01 | 2000-01-01..2024-01-01 | 2020-01-01..2020-01-05, 2020-01-11..2020-01-20
    """
    found = derived_members(persons, Collapse("events", gap))
    assert [stretch.replace("2020-01-", "") for _, stretch in found] == stretches


@pytest.mark.parametrize(("days", "n_left"), [(90, 2), (10, 3), (None, 2)])
def test_require_prior_use_washout(days: int | None, n_left: int) -> None:
    """A washout is that the person is not in the cohort itself on the days before."""
    persons = """
        person | sex | born       | observed               | events
        1      | M   | 1980-01-01 | 2015-01-01..2024-01-01 | 2020-01-01..2020-04-01, 2020-06-01..2020-08-01
        2      | M   | 1980-01-01 | 2016-05-15..2024-01-01 | 2020-01-01, 2020-01-02..2020-02-02
    """
    washout = Near("events", "events", DayWindow(None if days is None else -days, -1), present=False)
    assert len(derived_members(persons, washout)) == n_left


def test_require_is_first_drug_entry() -> None:
    persons = """
        person | sex | born       | observed               | events
        1      | M   | 1980-01-01 | 1980-01-01..2024-01-01 | 2020-04-01, 2020-05-01, 2020-06-01
        2      | M   | 1980-01-01 | 1980-01-01..2024-01-01 | 2022-05-21
        3      | M   | 1980-01-01 | 1980-01-01..2024-01-01 | 1983-08-02, 1983-12-02
    """
    starts = [stretch[:10] for _, stretch in derived_members(persons, First("events"))]
    assert starts == ["2020-04-01", "2022-05-21", "1983-08-02"]
