"""The worked examples of CohortConstructor's own tests.

Source: OHDSI/CohortConstructor, ``tests/testthat``; the figures are theirs. What is covered where:

- test-conceptCohort (simple example, out of observation), test-collapseCohorts (simple example), test-measurementCohort
  (no values, out of observation), test-intersectCohorts (codelist, the days that both have): here.
- test-intersectCohorts (all others), test-requireDemographics: their data are drawn by an R package, so the examples
  cannot be had; the operations are on GiBleed against the package in ``test_gibleed_parity_derived.py`` and in
  ``test_derived.py``. Entries that only one of two cohorts has (returnNonOverlappingCohorts): not here.
- measurements by value or unit: a Circe definition (``test_circe.py``); ``gap = Inf``, names, codelists: not here.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pyarrow as pa
import pytest

from enclos.studies.derived.model import Collapse, Intersection
from enclos.studies.model import ConceptCohort, DerivedCohort, Domain, Incidence, Limit, OpenEnd, Population, Study
from enclos.studies.steps import cohort_table
from factories.studies import rows_table, tables_of
from factories.study_tables import Row, people, rows_of
from fakes.cdm import cdm_of_rows

START = date(2020, 1, 1)
DRUG = ConceptCohort("drug", (1,), False, Domain.DRUG, Limit.ALL, OpenEnd.EVENT_END)
PERSONS = """
    person | sex | born       | observed               | events
    1      | F   | 1980-01-01 | 2020-01-01..2029-12-31 |
    2      | F   | 1980-01-01 | 2020-01-01..2029-12-31 |
    3      | F   | 1980-01-01 | 2020-01-01..2029-12-31 |
"""
EXPOSURES = """
    person | concept | days
    1      | 1       | 0..400
    1      | 1       | 300..800
    1      | 1       | 1500..1600
    1      | 2       | 750..1550
    2      | 1       | 10..2000
    2      | 1       | 800..1000
    3      | 2       | 150..600
"""


def tables_with(persons: str, exposures: str, start: date) -> dict[str, pa.Table]:
    """The tables of some persons and their exposures, each with its days since the start; one may have no last day."""
    rows = []
    for person, concept, days in rows_of(exposures):
        first, last = (start + timedelta(days=int(each)) if each else None for each in days.split(".."))
        rows.append((int(person), int(concept), first, last))
    return {**tables_of(people(persons)), "drug_exposure": rows_table("drug_exposure", rows)}


def drug_members(more: str, *, gap: int | None = None) -> list[Row]:
    """Person and stretch, in days since the first of 2020, of the cohort of drug 1."""
    tables = tables_with(PERSONS, EXPOSURES.rstrip() + "\n" + more, START)
    name = "drug" if gap is None else "collapsed"
    cohorts = (DRUG, DerivedCohort("collapsed", Collapse("drug", gap or 0)))
    study = Study("spec", cohorts, (Incidence((name,), Population()),))
    return [
        (
            str(row["subject_id"]),
            f"{(row['cohort_start_date'] - START).days}..{(row['cohort_end_date'] - START).days}",
        )
        for row in cohort_table(study, cdm_of_rows(tables)).to_pylist()
        if row["cohort_name"] == name
    ]


def test_concept_cohort_simple_example() -> None:
    """Exposures that share a day are one entry; each of the last four ends on the day that the next one begins."""
    more = "1 | 1 | 1800..1801\n1 | 1 | 1801..1802\n1 | 1 | 1802..1803\n1 | 1 | 1803..1804"
    assert drug_members(more) == rows_of("""
        person | days
        1      | 0..800
        1      | 1500..1600
        1      | 1800..1804
        2      | 10..2000
    """)


@pytest.mark.parametrize(("gap", "n_entries"), [(0, 7), (1, 4)])
def test_collapse_cohorts_simple_example(gap: int, n_entries: int) -> None:
    """Four exposures of one day, on days in a row."""
    more = "1 | 1 | 1800..1800\n1 | 1 | 1801..1801\n1 | 1 | 1802..1802\n1 | 1 | 1803..1803"
    assert len(drug_members(more, gap=gap)) == n_entries


def test_concept_cohort_out_of_observation() -> None:
    """A record that begins before observation, or ends before it begins, is none; one that lasts on ends with it."""
    more = "3 | 1 | -10..50\n3 | 1 | 430..400\n3 | 1 | 3000..9000"
    assert drug_members(more)[-1] == ("3", f"3000..{(date(2029, 12, 31) - START).days}")
    assert [person for person, _ in drug_members(more)].count("3") == 1


def test_intersect_cohorts_codelist() -> None:
    """Two cohorts of concepts, and the days that both have; days since the first of 2010."""
    more = """
        1 | 1 | 1800..1801
        1 | 1 | 1801..1802
        1 | 1 | 1802..1803
        1 | 1 | 1803..1804
        3 | 1 | 430..400
        3 | 2 | -10..-100
        1 | 3 | 100..
        2 | 3 | 123..190
        3 | 3 | -10..123
        3 | 3 | 1000..1500
    """
    persons = "person | sex | born | observed | events\n"
    persons += "\n".join(f"{person} | F | 1980-01-01 | 1990-01-01..2020-01-01 |" for person in (1, 2, 3))
    tables = tables_with(persons, EXPOSURES.rstrip() + more, date(2010, 1, 1))
    sources = (replace(DRUG, name="c1", concepts=(1, 3)), replace(DRUG, name="c2", concepts=(2,)))
    both = DerivedCohort("both", Intersection(("c1", "c2")))
    study = Study("spec", (*sources, both), (Incidence(("both",), Population()),))
    found = cohort_table(study, cdm_of_rows(tables)).to_pylist()
    assert sorted(str(row["cohort_start_date"]) for row in found) == [
        *("2009-12-22", "2010-01-01", "2010-01-11", "2010-05-31", "2012-01-21"),
        *("2012-01-21", "2012-09-27", "2014-02-09", "2014-02-09", "2014-12-06"),
    ]
    assert sorted(str(row["cohort_end_date"]) for row in found) == [
        *("2010-05-04", "2011-08-24", "2012-03-11", "2012-03-11", "2014-02-09"),
        *("2014-03-31", "2014-03-31", "2014-05-20", "2014-12-10", "2015-06-24"),
    ]
    assert sorted(row["subject_id"] for row in found) == [1, 1, 1, 1, 1, 1, 2, 3, 3, 3]
    assert [
        (row["subject_id"], str(row["cohort_start_date"]), str(row["cohort_end_date"]))
        for row in found
        if row["cohort_name"] == "both"
    ] == [(1, "2012-01-21", "2012-03-11"), (1, "2014-02-09", "2014-03-31")]


def test_measurement_cohort_no_values() -> None:
    persons = """
        person | sex | born       | observed               | events
        1      | M   | 1997-08-22 | 2000-06-03..2013-06-29 |
        2      | M   | 1963-01-27 | 1999-04-05..2003-06-15 |
        3      | M   | 1986-03-10 | 2015-01-15..2015-10-11 |
    """
    days = rows_of("""
        person | concept | day
        1      | 7       | 2000-07-01
        1      | 8       | 2000-12-11
        2      | 8       | 2002-09-08
        3      | 9       | 2015-02-19
        3      | 9       | 2015-02-20
        1      | 7       | 1900-01-01
        1      | 7       | 2050-01-01
    """)
    rows = [(int(person), int(concept), date.fromisoformat(day)) for person, concept, day in days]
    tables = {**tables_of(people(persons)), "measurement": rows_table("measurement", rows)}
    pressure = ConceptCohort("pressure", (7, 8, 9), False, Domain.MEASUREMENT, Limit.ALL, OpenEnd.EVENT_END)
    study = Study("spec", (pressure,), (Incidence(("pressure",), Population()),))
    found = cohort_table(study, cdm_of_rows(tables)).to_pylist()
    assert [(str(row["subject_id"]), str(row["cohort_start_date"])) for row in found] == rows_of("""
        person | day
        1      | 2000-07-01
        1      | 2000-12-11
        2      | 2002-09-08
        3      | 2015-02-19
        3      | 2015-02-20
    """)
