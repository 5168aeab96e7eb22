"""How a study walks the buckets: the right to go on, progress, what is left behind, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import NotAllowed, NotAsPromised, refusal
from enclos.studies.model import (
    AfterDays,
    AgeGroup,
    ConceptCohort,
    DateRange,
    Domain,
    Incidence,
    Interval,
    Limit,
    PeriodPrevalence,
    PointPrevalence,
    Population,
    Sex,
    Study,
)
from enclos.studies.steps import columns_read, counts, run_study
from factories.studies import rows_table, tables_of
from factories.study_tables import EVENTS, people
from fakes.cdm import EMPTY, CdmOfTables, cdm_of_rows

PERSONS = """
    person | sex | born       | observed                                       | events
    1      | F   | 1950-01-01 | 2018-05-01..2020-12-31                         | 2020-07-01
    2      | M   | 1960-02-29 | 2019-01-01..2019-06-30, 2019-08-01..2020-12-31 | 2019-02-01, 2020-01-01..2020-02-01
    3      | F   | 1970-01-01 | 2019-03-01..2020-12-31                         | 2019-03-01, 2020-06-01
    4      | M   | 2019-01-01 | 2019-01-01..2020-11-30                         |
"""
POPULATION = Population((AgeGroup(0, 150), AgeGroup(0, 59)), (Sex.BOTH, Sex.FEMALE), (0, 90))
STUDY = Study(
    "all",
    (EVENTS,),
    (
        Incidence(("events",), POPULATION, (Interval.MONTHS, Interval.OVERALL)),
        Incidence(("events",), POPULATION, washout_days=30),
        PointPrevalence(("events",), POPULATION, (Interval.QUARTERS,)),
        PeriodPrevalence(("events",), POPULATION, full_contribution=True, complete_intervals=False),
    ),
)
GIVEN_DATES = Population(date_range=DateRange(date(2019, 1, 1), date(2019, 12, 31)))


def cdm(n_buckets: int = 1) -> CdmOfTables:
    return cdm_of_rows(tables_of(people(PERSONS)), n_buckets)


def test_the_same_cdm_gives_the_same_result_in_any_number_of_buckets() -> None:
    one = run_study(STUDY, cdm())
    for n_buckets in (1, 3, 8):
        other = run_study(STUDY, cdm(n_buckets))
        assert other.table.equals(one.table)
        assert [each.numerator for each in other.cells] == [each.numerator for each in one.cells]
        assert [each.denominator for each in other.cells] == [each.denominator for each in one.cells]


@pytest.mark.parametrize("max_rows", [1, 7])
def test_counting_early_and_in_portions_changes_nothing(max_rows: int) -> None:
    at_once = run_study(STUDY, cdm(2))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counts, "MAX_ROWS_AT_ONCE", max_rows)
        in_portions = run_study(STUDY, cdm(2))
    assert in_portions.table.equals(at_once.table)
    assert [each.numerator for each in in_portions.cells] == [each.numerator for each in at_once.cells]
    assert [each.denominator for each in in_portions.cells] == [each.denominator for each in at_once.cells]


def checks_until(n_allowed: int) -> tuple[list[int], Callable[[], None]]:
    asked: list[int] = []

    def check() -> None:
        asked.append(len(asked))
        if len(asked) > n_allowed:
            raise refusal(Code.PERMIT_EXPIRED, "The permit has ended.")

    return asked, check


def test_the_right_to_go_on_is_asked_before_every_bucket() -> None:
    asked, check = checks_until(1000)
    run_study(STUDY, cdm(5), check=check)
    assert len(asked) == 10
    asked, check = checks_until(7)
    with pytest.raises(NotAllowed):
        run_study(STUDY, cdm(5), check=check)
    assert len(asked) == 8


def test_progress_counts_the_buckets_of_both_passes() -> None:
    told: list[tuple[int, int]] = []
    run_study(STUDY, cdm(3), progress=lambda n_done, n_total: told.append((n_done, n_total)))
    assert told == [(n, 6) for n in range(1, 7)]


def test_a_study_that_gives_its_dates_reads_each_bucket_once() -> None:
    asked, check = checks_until(1000)
    result = run_study(Study("s", (EVENTS,), (Incidence(("events",), GIVEN_DATES),)), cdm(3), check=check)
    assert len(asked) == 3
    assert result.settings[0].values["denominator_start_date"] == "2019-01-01"


def test_nothing_is_left_behind_in_a_bucket() -> None:
    source = cdm(2)
    run_study(STUDY, source)
    with source.bucket(0) as bucket:
        left = bucket.query("SELECT table_name FROM duckdb_tables() WHERE temporary")["table_name"].to_pylist()
    assert left == []


def test_a_concept_that_the_vocabulary_lacks_is_refused_by_its_number() -> None:
    unknown = ConceptCohort("other", (1, 77, 78), True, Domain.CONDITION, Limit.ALL, AfterDays(0))
    with pytest.raises(NotAsPromised) as refused:
        run_study(Study("s", (unknown,), (Incidence(("other",), Population()),)), cdm())
    assert refused.value.code is Code.STUDY_CONCEPT_UNKNOWN
    assert "77 (cohorts.other.concepts), 78 (cohorts.other.concepts)" in refused.value.what


def test_only_cohorts_that_an_analysis_uses_are_asked_for() -> None:
    unused = ConceptCohort("unused", (77,), True, Domain.CONDITION, Limit.ALL, AfterDays(0))
    study = Study("s", (unused, EVENTS), (Incidence(("events",), Population()),))
    assert run_study(study, cdm()).cells


@pytest.mark.parametrize("with_persons", [True, False])
def test_nobody_observed_gives_attrition_and_no_estimate(with_persons: bool) -> None:
    tables = tables_of(people(PERSONS)) if with_persons else tables_of([])
    del tables["observation_period"]
    result = run_study(STUDY, cdm_of_rows(tables, 2))
    assert result.cells == ()
    assert result.of_type("incidence").num_rows == result.of_type("prevalence").num_rows == 0
    first = result.of_type("incidence_attrition").to_pylist()[0]
    assert first["estimate_value"] == ("4" if with_persons else "0")
    assert result.of_type("prevalence_attrition").to_pylist()[-4]["estimate_value"] == "0"


@pytest.mark.parametrize(
    ("domain", "table", "lasts"),
    [
        (Domain.CONDITION, "condition_occurrence", True),
        (Domain.DRUG, "drug_exposure", True),
        (Domain.VISIT, "visit_occurrence", True),
        (Domain.PROCEDURE, "procedure_occurrence", False),
        (Domain.MEASUREMENT, "measurement", False),
        (Domain.OBSERVATION, "observation", False),
    ],
)
def test_every_domain_is_looked_up_in_its_table_with_descendants(domain: Domain, table: str, lasts: bool) -> None:
    tables = tables_of(people(PERSONS))
    dates = (date(2020, 1, 1), date(2020, 1, 20)) if lasts else (date(2020, 1, 1),)
    rest = (None,) * (len(EMPTY[table]) - 2 - len(dates))
    tables[table] = rows_table(table, [(4, 50, *dates, *rest), (4, 60, *(date(2020, 5, 1) for _ in dates), *rest)])
    tables["concept"] = rows_table("concept", [(50, "a"), (51, "b"), (60, "c")])
    tables["concept_ancestor"] = rows_table("concept_ancestor", [(51, 50), (51, 51)])
    events = {}
    for descendants in (True, False):
        cohort = ConceptCohort("c", (51,), descendants, domain, Limit.ALL, EVENTS.end)
        study = Study("s", (cohort,), (PointPrevalence(("c",), Population(), (Interval.WEEKS,)),))
        cells = run_study(study, cdm_of_rows(tables)).cells
        events[descendants] = [each.additional_level[:10] for each in cells if each.n_numerator]
        columns = columns_read(study)
        assert columns[table][:2] == ("person_id", f"{domain.value}_concept_id")
        assert len(columns[table]) == (4 if lasts else 3)
        assert ("concept_ancestor" in columns) is descendants
    assert events == {True: ["2020-01-06", "2020-01-13", "2020-01-20"] if lasts else [], False: []}


def test_a_study_reads_the_tables_that_it_says() -> None:
    assert columns_read(STUDY) == {
        "person": ("person_id", "gender_concept_id", "year_of_birth", "month_of_birth", "day_of_birth"),
        "observation_period": ("person_id", "observation_period_start_date", "observation_period_end_date"),
        "concept": ("concept_id",),
        "condition_occurrence": (
            "person_id",
            "condition_concept_id",
            "condition_start_date",
            "condition_end_date",
        ),
    }
