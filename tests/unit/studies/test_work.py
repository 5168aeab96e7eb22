"""Buckets looked at elsewhere add up to what is found here, whatever their order and number."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from pyroaring import BitMap

from enclos.contracts.result import StudyResult, result_csv
from enclos.studies.document import study_from_yaml
from enclos.studies.steps import run_study
from enclos.studies.work import Look, Partial, Survey, Tally, Work, in_bytes, of_bytes
from factories.studies import tables_of
from factories.study_tables import people
from fakes.cdm import CdmOfTables, cdm_of_rows
from fakes.spread import spread_over

PERSONS = """
    person | sex | born       | observed                                       | events
    1      | F   | 1950-01-01 | 2018-05-01..2020-12-31                         | 2020-07-01
    2      | M   | 1960-02-29 | 2019-01-01..2019-06-30, 2019-08-01..2020-12-31 | 2019-02-01, 2020-01-01..2020-02-01
    3      | F   | 1970-01-01 | 2019-03-01..2020-12-31                         | 2019-03-01, 2020-06-01
    4      | M   | 2019-01-01 | 2019-01-01..2020-11-30                         |
    5      | F   | 1981-05-02 | 2018-01-01..2020-12-31                         | 2019-05-01, 2019-09-01, 2020-06-11
    6      | M   | 1990-01-01 | 2018-01-01..2020-12-31                         | 2018-07-07
"""
STUDY = study_from_yaml("""
study: every-way
cohorts:
  events: {concepts: [1], domain: condition, limit: all, end: event_end}
  first: {concepts: [1], domain: condition, limit: first, end: event_end}
  drawn: {sampled: {cohort: events, number: 3, seed: 7}}
analyses:
  - incidence: {outcome: [events, drawn], interval: [months, overall], sex: [both, female],
                age_groups: [[0, 150], [0, 59]]}
  - prevalence: {outcome: events, type: point, interval: quarters}
  - prevalence: {outcome: events, type: period, interval: years, level: record}
  - characterise: {cohort: [events, first, drawn], timing: all, overlap: true, standardised_differences: true,
                   large_scale: {windows: [[null, -1], [0, 0]], event_in_window: condition}, strata: [sex]}
  - survival: {target: first, outcome: events}
  - diagnose: {cohort: [events, drawn]}
  - sccs: {exposure: first, outcome: events, windows: {exposed: {}}}
  - case_crossover: {exposure: drawn, outcome: events, risk_window: [-30, 0], control_offsets: [-60]}
""")


def cdm(n_buckets: int) -> CdmOfTables:
    return cdm_of_rows(tables_of(people(PERSONS)), n_buckets)


def written(result: StudyResult) -> tuple[bytes, object]:
    cells = [(each.key, set(each.numerator), set(each.denominator)) for each in result.cells]
    return result_csv(result.table, result.settings), cells


@pytest.mark.parametrize("n_buckets", [2, 5])
def test_buckets_looked_at_elsewhere_give_the_same_result_to_the_byte(n_buckets: int) -> None:
    here = run_study(STUDY, cdm(n_buckets))
    elsewhere = run_study(STUDY, cdm(n_buckets), spread=spread_over(STUDY, cdm(n_buckets)))
    assert written(elsewhere) == written(here)
    assert result_csv(elsewhere.table, elsewhere.settings) == result_csv(run_study(STUDY, cdm(3)).table, here.settings)


def test_progress_counts_buckets_that_are_elsewhere() -> None:
    told: list[tuple[int, int]] = []
    buckets = cdm(3)
    run_study(STUDY, buckets, progress=lambda *so_far: told.append(so_far), spread=spread_over(STUDY, buckets))
    assert told == [(done, 9) for done in range(1, 10)]


def test_a_work_says_in_bytes_all_that_it_is() -> None:
    given = {"drawn": pa.table({"person_id": [3, 5], "first_day": [1, 2], "last_day": [9, 9]})}
    work = Work(Look.COUNT, 1, ("2A", "75"), given, Survey((10, 20), {3: (11, 12)}))
    head, tables = work.told()
    again = Work.of(head, of_bytes(in_bytes(tables)))
    assert (again.look, again.draw, again.departments) == (Look.COUNT, 1, ("2A", "75"))
    assert again.survey == work.survey
    assert again.given["drawn"].equals(given["drawn"])
    assert Work.of(*Work(Look.SURVEY).told()).survey == Survey()


def test_a_partial_gives_back_what_was_put_into_it_persons_counted_on() -> None:
    partial = Partial()
    partial.tally.put(np.array([1, 2, 3]), 7)
    partial.tally.put_people(BitMap([0, 4]), BitMap())
    for rows in (1, 2):
        partial.put("SELECT 1", pa.table({"n": [rows]}))
    again = Partial.of(of_bytes(in_bytes(partial.tables())))
    assert again.tally.numbers().tolist() == [1, 2, 3]
    assert again.tally.number() == 7
    assert list(again.tally.people(70_000)) == [70_000, 70_004]
    assert not again.tally.people(70_000)
    assert [again.answer("SELECT 1")["n"].to_pylist() for _ in (1, 2)] == [[1], [2]]


def test_a_question_that_a_bucket_was_not_asked_has_no_answer() -> None:
    partial = Partial()
    partial.put("SELECT 1", pa.table({"n": [1]}))
    partial.answer("SELECT 1")
    for question in ("SELECT 1", "SELECT 2"):
        with pytest.raises(KeyError):
            partial.answer(question)


def test_tallies_of_buckets_add_up() -> None:
    tally = Tally()
    tally.put(np.array([1, 2]), np.array([5]))
    have, other = np.array([10, 20]), np.array([0])
    tally.add_to(have, other)
    assert have.tolist() == [11, 22]
    assert other.tolist() == [5]
