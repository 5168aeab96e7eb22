"""Random histories: a utilisation tells what the slow oracle tells, in any number of buckets."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enclos.studies.model import ConceptCohort, DayWindow, Domain, Limit, OpenEnd, Study
from enclos.studies.steps import run_study
from enclos.studies.utilisation.model import Indications, Restart, Until, Utilisation
from factories.random_histories import COHORTS, DRUG_COHORTS, SECOND, TREATED
from factories.studies import oracle_cohort, tables_of
from factories.told import assert_same, told
from fakes.cdm import cdm_of_rows
from oracle import utilisation as oracle
from oracle.histories import History

OTHER = ConceptCohort("other_drug", (5,), False, Domain.DRUG, Limit.ALL, OpenEnd.EVENT_END, None, 7)
WINDOWS = (DayWindow(0, 0), DayWindow(-30, 0), DayWindow(None, 0), DayWindow(400, 500))
N_DAYS = 40


@dataclass(frozen=True)
class Drawn:
    """Some persons and the use of two drugs."""

    people: tuple[History, ...]
    reason: ConceptCohort
    drug: ConceptCohort
    gap: int
    until: Until
    incident: bool
    unknown: bool
    first_only: bool
    n_buckets: int


DRAWN = {
    "drawn": st.builds(
        Drawn,
        TREATED,
        COHORTS,
        DRUG_COHORTS,
        st.sampled_from([0, 1, 7, 30]),
        st.sampled_from(Until),
        st.booleans(),
        st.booleans(),
        st.booleans(),
        st.integers(1, 4),
    )
}


def check_a_utilisation(drawn: Drawn) -> None:
    """Everything that is told, against the oracle."""
    people, drug, reason = drawn.people, drawn.drug, drawn.reason
    analysis = Utilisation(
        (drug.name, OTHER.name),
        (drug.name, OTHER.name),
        drawn.gap,
        None,
        drawn.until,
        drawn.incident,
        Indications((SECOND.name, reason.name), WINDOWS, (Domain.CONDITION,) if drawn.unknown else ()),
        N_DAYS,
        Restart((OTHER.name,), (None, 30), drawn.incident, drawn.first_only),
    )
    study = Study("random", (reason, SECOND, drug, OTHER), (analysis,))
    result = run_study(study, cdm_of_rows(tables_of(people), drawn.n_buckets))
    own = [oracle_cohort(each) for each in (drug, OTHER)]
    reasons = [oracle_cohort(each) for each in (SECOND, reason)]
    windows = [(each.from_day, each.to_day) for each in WINDOWS]
    used, why, after = {}, {}, {}
    drugs = {each.name: each.concepts for each in own}
    to_cohort_end = drawn.until is Until.COHORT_END
    for each in own:
        used |= oracle.use(people, each, drugs, gap=drawn.gap, to_cohort_end=to_cohort_end, incident=drawn.incident)
        why |= oracle.indications(people, each, reasons, windows, unknown=drawn.unknown)
        after |= oracle.restarts(
            people, each, own[1:], (None, 30), incident=drawn.incident, first_only=drawn.first_only
        )
        found = told(result, "summarise_proportion_of_patients_covered")
        seen = {int(key[5]): (at.persons, at.among) for key, at in found.items() if key[0] == each.name}
        expected = oracle.covered(people, each, N_DAYS)
        assert seen == (expected if expected[0][0] else {})
        for key, at in found.items():
            assert (len(at.persons), len(at.among)) == (
                at.estimates["outcome_count"],
                at.estimates["denominator_count"],
            ), key
    assert_same(told(result, "summarise_drug_utilisation"), used)
    assert_same(told(result, "summarise_drug_restart"), after)
    by_window = {(*key[:3], key[5], *key[4:]): at for key, at in told(result, "summarise_indication").items()}
    assert_same(by_window, why)


@settings(max_examples=30, deadline=None)
@given(**DRAWN)
def test_a_utilisation_is_what_the_oracle_tells(drawn: Drawn) -> None:
    check_a_utilisation(drawn)


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(**DRAWN)
def test_a_utilisation_is_what_the_oracle_tells_hundreds_of_times(drawn: Drawn) -> None:
    check_a_utilisation(drawn)
