"""Random persons: periods, records and exposures that overlap, touch, miss observation or end before they start."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import strategies as st

from enclos.studies.model import AfterDays, ConceptCohort, Domain, Limit, OpenEnd
from factories.studies import death_cohort
from oracle.histories import FEMALE, MALE, Exposure, History, Record, until_death

FIRST, LAST = date(2018, 11, 20), date(2021, 3, 10)
DAYS = st.integers(0, (LAST - FIRST).days).map(lambda n: FIRST + timedelta(days=n))
CONCEPTS = (1, 2, 3)
DEPARTMENTS = (1, 75)


@st.composite
def histories(draw: st.DrawFn, person_id: int) -> History:
    """One person: some periods apart or back to back, records in and out of them, often on the same days.

    Some have died, in observation or out of it; records may come after a death.
    """
    edges = sorted(draw(st.lists(DAYS, min_size=0, max_size=6, unique=True)))
    periods = list(zip(edges[::2], edges[1::2], strict=False))
    if len(periods) > 1 and draw(st.booleans()):
        periods[1] = (periods[0][1] + timedelta(days=1), periods[1][1])
    died_on = draw(st.none() | st.none() | DAYS | st.sampled_from([*edges, FIRST]))
    starts = draw(st.lists(DAYS | st.sampled_from([*edges, FIRST]), max_size=7))
    records = []
    for start in starts:
        n_days = draw(st.sampled_from([None, -1, 0, 1, 3, 30, 400]))
        end = None if n_days is None else start + timedelta(days=n_days)
        records.append(Record(draw(st.sampled_from(CONCEPTS)), start, end))
    gender = draw(st.sampled_from([MALE, MALE, FEMALE, FEMALE, 8551]))
    year = draw(st.sampled_from([1936, 1960, 2000, 2001, 2017, 2018, 2019]))
    born = draw(
        st.sampled_from([(year, 2, 28), (year, 6, 15), (year, 12, None), (year, None, None), (year, 1, 1)])
        | st.sampled_from([(1936, 2, 29), (2000, 2, 29), (None, None, None)])
    )
    department = draw(st.sampled_from([None, *DEPARTMENTS]))
    observed = until_death(periods, died_on)
    return History(person_id, gender, born, observed, tuple(records), department=department, died_on=died_on)


COHORTS = st.builds(
    ConceptCohort,
    st.just("first_outcome"),
    st.sampled_from([(1,), (1, 2)]),
    st.booleans(),
    st.just(Domain.CONDITION),
    st.sampled_from(Limit),
    st.sampled_from([AfterDays(0), AfterDays(1), AfterDays(40), OpenEnd.EVENT_END, OpenEnd.OBSERVATION_END]),
)
SECOND = ConceptCohort("second_outcome", (3,), False, Domain.CONDITION, Limit.ALL, AfterDays(10))
DEATH = death_cohort("second_outcome")
OUTCOMES = ("first_outcome", "second_outcome")

PEOPLE = st.integers(1, 5).flatmap(
    lambda n: st.tuples(*(histories(2**40 * index + 7 * index + 1) for index in range(n)))
)

DRUGS = (4, 5)
ROUTES = (6, 8)


@st.composite
def treated(draw: st.DrawFn, person_id: int) -> History:
    """One person with exposures too, close enough to each other for eras."""
    history = draw(histories(person_id))
    edges = [day for period in history.periods for day in period] or [FIRST]
    exposures = []
    for _ in range(draw(st.integers(0, 6))):
        start = draw(st.sampled_from(edges)) + timedelta(days=draw(st.integers(-5, 120)))
        n_days = draw(st.sampled_from([None, -1, 0, 1, 7, 30]))
        end = None if n_days is None else start + timedelta(days=n_days)
        quantity = draw(st.sampled_from([None, 0.0, 2.5, 30.0]))
        route = draw(st.sampled_from([None, *ROUTES]))
        exposures.append(Exposure(draw(st.sampled_from(DRUGS)), start, end, quantity, route))
    return replace(history, exposures=tuple(exposures))


TREATED = st.integers(1, 5).flatmap(
    lambda n: st.tuples(*(treated(2**40 * index + 7 * index + 1) for index in range(n)))
)
DRUG_COHORTS = st.builds(
    ConceptCohort,
    st.just("drug"),
    st.sampled_from([(4,), (4, 5)]),
    st.booleans(),
    st.just(Domain.DRUG),
    st.sampled_from(Limit),
    st.sampled_from([OpenEnd.EVENT_END, OpenEnd.EVENT_END, OpenEnd.OBSERVATION_END, AfterDays(20)]),
    st.none(),
    st.sampled_from([0, 1, 30]),
)
