"""Random histories: survival counts and estimates what the slow oracle does, in any number of buckets."""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enclos.contracts.result import SEPARATOR, StudyResult
from enclos.studies.model import AfterDays, AgeGroup, CirceCohort, ConceptCohort, Domain, Limit, OpenEnd, Stratum, Study
from enclos.studies.steps import run_study
from enclos.studies.survival.model import FollowUp, Shown, Survival, Washout
from factories.examples import drawn
from factories.studies import death_cohort, oracle_cohort, tables_of
from factories.survival import Where, cells, left, said
from fakes.cdm import cdm_of_rows
from oracle import survival as oracle
from oracle.histories import FEMALE, MALE, History, Record, until_death
from oracle.survival import CENSORED, COMPETING, OUTCOME, Entry, Rules

FIRST = date(2020, 2, 1)
N_DAYS = 60
PRINTED = 0.5e-4 + 1e-6
"""Half of the last digit that a result prints."""


@st.composite
def histories(draw: st.DrawFn, person_id: int) -> History:
    """One person around 29 February 2020: periods apart or back to back, records on the same days and on their ends."""
    first = draw(st.integers(0, 12))
    periods = [(first, draw(st.integers(first + 10, N_DAYS)))]
    if draw(st.integers(0, 3)) == 0:
        middle = draw(st.integers(first + 1, periods[0][1] - 2))
        periods = [(first, middle), (middle + draw(st.integers(1, 2)), periods[0][1])]
    edges = [day for period in periods for day in period]
    records = []
    for concept, least, most in ((1, 1, 3), (2, 0, 2), (3, 0, 2)):
        for start in draw(
            st.lists(st.integers(first, periods[-1][1]) | st.sampled_from(edges), min_size=least, max_size=most)
        ):
            n_days = draw(st.sampled_from([None, 0, 1, 5, 40]))
            end = None if n_days is None else on_day(start + n_days)
            records.append(Record(concept, on_day(start), end))
    if records and draw(st.booleans()):
        records.append(Record(draw(st.sampled_from([2, 3])), draw(st.sampled_from(records)).start_on, None))
    gender = draw(st.sampled_from([MALE, FEMALE, 8551]))
    born = draw(st.sampled_from([(2000, 2, 29), (2000, 3, 1), (1960, 2, None), (1999, 12, 31), (None, None, None)]))
    days = [(on_day(start), on_day(end)) for start, end in periods]
    died_on = draw(st.none() | st.integers(first, N_DAYS).map(on_day))
    return History(person_id, gender, born, until_death(days, died_on), tuple(records), died_on=died_on)


def on_day(n: int) -> date:
    return FIRST + timedelta(days=n)


PEOPLE = st.integers(4, 9).flatmap(lambda n: st.tuples(*(histories(2**40 * at + 7 * at + 1) for at in range(n))))
ENDS = st.sampled_from([AfterDays(0), AfterDays(3), OpenEnd.EVENT_END, OpenEnd.OBSERVATION_END])
LIMITS = st.sampled_from(Limit)


def cohorts_of(name: str, concept: int) -> st.SearchStrategy[ConceptCohort]:
    return st.builds(
        ConceptCohort, st.just(name), st.just((concept,)), st.booleans(), st.just(Domain.CONDITION), LIMITS, ENDS
    )


WASHOUTS = st.sampled_from([0, 0, 1, 10, None]).map(Washout)
FOLLOW_UPS = st.sampled_from([None, None, 1, 12, 90]).flatmap(
    lambda n_days: st.builds(
        FollowUp,
        st.just(n_days),
        st.sampled_from([False, False, True]),
        st.sampled_from([None, None, None, FIRST + timedelta(days=28), FIRST + timedelta(days=40)]),
        st.sampled_from([0, 1] if n_days == 1 else [0, 1, 3]),
    )
)
SHOWN = st.builds(Shown, st.sampled_from([1, 7]), st.sampled_from([1, 5, 30]), st.sampled_from([None, 1, 10, 45]))
AGES = (AgeGroup(0, 19), AgeGroup(20, 39))
STRATA = st.sampled_from([(), ((Stratum.SEX,),), ((Stratum.AGE_GROUP,), (Stratum.SEX, Stratum.AGE_GROUP))])
DRAWN = {
    "people": PEOPLE,
    "target": cohorts_of("target", 1),
    "outcome": cohorts_of("outcome", 2),
    "competing": cohorts_of("competing", 3) | st.just(death_cohort("competing")) | st.none(),
    "washout": WASHOUTS,
    "competing_washout": WASHOUTS,
    "follow_up": FOLLOW_UPS,
    "shown": SHOWN,
    "strata": STRATA,
    "n_buckets": st.integers(1, 3),
    "at_end": st.sampled_from([False, False, True]),
}


def strata_of(entry: Entry, strata: tuple[Stratum, ...]) -> str:
    """The level of an entry."""
    group = [each for each in AGES if entry.age is not None and each.min_years <= entry.age <= each.max_years]
    words = {Stratum.SEX: entry.sex, Stratum.AGE_GROUP: group[0].word if group else "None"}
    return SEPARATOR.join(words[each] for each in strata) or "overall"


def check_survival_is_what_the_oracle_finds(
    people: tuple[History, ...],
    target: ConceptCohort,
    outcome: ConceptCohort,
    competing: ConceptCohort | CirceCohort | None,
    washout: Washout,
    competing_washout: Washout,
    follow_up: FollowUp,
    shown: Shown,
    strata: tuple[tuple[Stratum, ...], ...],
    *,
    n_buckets: int,
    at_end: bool,
) -> None:
    ages = AGES if any(Stratum.AGE_GROUP in each for each in strata) else ()
    name = None if competing is None else competing.name
    asked = Survival(
        ("target",), ("outcome",), name, washout, competing_washout, follow_up, shown, ages, strata, at_end
    )
    cohorts = [target, outcome, *([] if competing is None else [competing])]
    result = run_study(Study("random", tuple(cohorts), (asked,)), cdm_of_rows(tables_of(people), n_buckets))
    rules = Rules(
        washout.n_days,
        competing_washout.n_days,
        follow_up.n_days,
        follow_up.on_cohort_exit,
        follow_up.on_date,
        follow_up.minimum_days,
        at_end,
    )
    target_of, outcome_of = oracle_cohort(target), oracle_cohort(outcome)
    competing_of = None if competing is None else oracle_cohort(competing)
    found = [each for person in people for each in oracle.entries(person, target_of, outcome_of, competing_of, rules)]
    check_attrition(result, found, asked)
    kept = [each for each in found if each.left_out is None]
    expected = {}
    for cut in ((), *strata):
        levels = sorted({strata_of(each, cut) for each in kept})
        groups = {level: [each for each in kept if strata_of(each, cut) == level] for level in levels}
        if cut and len(levels) < 2:
            continue
        strata_name = SEPARATOR.join(each.value for each in cut) or "overall"
        common = max((each.n_days for each in kept), default=0)
        for level, followed in groups.items():
            expected[strata_name, level] = followed
            last = max(each.n_days for each in followed)
            shown_to = follow_up.n_days if not cut and follow_up.n_days is not None else last
            for kind, variable in ((OUTCOME, "outcome"), (COMPETING, "competing")):
                if kind == OUTCOME or competing is not None:
                    where = ("target", variable, strata_name, level)
                    check_events(result, where, followed, kind, shown_to, shown.event_gap_days)
                    check_estimates(result, where, followed, kind, shown_to, shown.estimate_gap_days, name is None)
                    check_summary(result, where, followed, kind, common, shown_to, shown, name is None)
    assert {where[2:] for where in said(result, "estimates")} == expected.keys()
    assert {where[2:] for where in said(result, "summary")} == expected.keys()


def check_attrition(result: StudyResult, found: list[Entry], asked: Survival) -> None:
    reasons = [None, "after the date", "washout", "short", "competing washout", "competing short"]
    if asked.follow_up.on_date is None:
        reasons.remove("after the date")
    if asked.competing_outcome is None:
        reasons = reasons[:-2]
    expected = []
    for at in range(len(reasons)):
        rest = [each for each in found if each.left_out is None or each.left_out not in reasons[: at + 1]]
        expected.append((len(rest), len({each.person_id for each in rest})))
    assert [each[1:] for each in left(result)["target", "outcome"]] == expected


def check_events(result: StudyResult, where: Where, followed: list[Entry], kind: str, shown_to: int, gap: int) -> None:
    days = sorted({*range(0, shown_to + 1, gap), shown_to})
    rows, behind = said(result, "events")[where], cells(result, "events")
    assert sorted(rows) == days
    for before, day in zip([-1, *days], days, strict=False):
        ended = [each for each in followed if before < each.n_days <= day]
        assert rows[day] == {
            "n_risk_count": sum(each.n_days >= day for each in followed),
            "n_events_count": sum(each.ending == kind for each in ended),
            "n_censor_count": sum(each.ending == CENSORED for each in ended),
        }
        cell = behind[where, str(day)]
        assert set(cell.numerator) == {each.person_id for each in ended if each.ending == kind}
        assert set(cell.denominator) == {each.person_id for each in followed if each.n_days > before}


def check_estimates(
    result: StudyResult, where: Where, followed: list[Entry], kind: str, shown_to: int, gap: int, single: bool
) -> None:
    rows, behind = said(result, "estimates")[where], cells(result, "estimates")
    days = list(range(0, shown_to + 1, gap))
    assert sorted(rows) == days

    def share(weights: Any, day: int) -> float:
        if single:
            return oracle.surviving(followed, weights, day)
        return oracle.having_had(followed, weights, kind, day)

    steps = sorted({each.n_days for each in followed})
    known: dict[int, tuple[float, float]] = {}
    having: set[int] = set()
    for day in days:
        step = max((each for each in steps if each <= day), default=-1)
        if step not in known:
            known[step] = oracle.with_error(lambda weights, on=step: share(weights, on), len(followed))
        value, error = known[step]
        lower, upper = oracle.interval(value, error)
        for estimate, wanted in zip(("", "_95CI_lower", "_95CI_upper"), (value, lower, upper), strict=True):
            got = rows[day][f"estimate{estimate}"]
            assert (got is None) == (wanted is None)
            assert got is None or wanted is None or abs(got - wanted) <= PRINTED
        new = {each.person_id for each in followed if each.ending == kind and each.n_days <= day}
        cell = behind.get((where, str(day)))
        # A person with two entries can have the outcome again: a cell then says it though nobody is new.
        assert cell is not None or (new == having and day > 0)
        if cell is not None:
            assert set(cell.numerator) == new
            assert set(cell.denominator) == {each.person_id for each in followed}
        having = new


def check_summary(
    result: StudyResult,
    where: Where,
    followed: list[Entry],
    kind: str,
    common: int,
    shown_to: int,
    shown: Shown,
    single: bool,
) -> None:
    numbers = said(result, "summary")[where][0]
    assert numbers["number_records_count"] == len(followed)
    assert numbers["n_events_count"] == sum(each.ending == kind for each in followed)
    to_day = shown.restricted_mean_days or common
    if shown_to - shown_to % shown.estimate_gap_days < (shown.restricted_mean_days or 0):
        assert numbers["restricted_mean_survival"] is None
    else:

        def mean(weights: Any) -> float:
            if single:
                return oracle.mean_of_days(lambda day: oracle.surviving(followed, weights, day), to_day)
            return oracle.mean_of_days(lambda day: oracle.having_had(followed, weights, kind, day), to_day)

        value, error = oracle.with_error(mean, len(followed))
        wanted = {"": value, "_95CI_lower": value - oracle.Z * error, "_95CI_upper": value + oracle.Z * error}
        for end, number in wanted.items():
            got = numbers[f"restricted_mean_survival{end}"]
            assert got is not None
            assert abs(got - number) <= 0.5 + 1e-4
    if single:
        for estimate, p in {"q0": 0.0, "q05": 0.05, "q25": 0.25, "q75": 0.75, "q95": 0.95, "q100": 1.0}.items():
            day = oracle.first_day_at(followed, p)
            got = numbers[f"{estimate}_survival"]
            assert (got is None) == (day is None)
            assert got is None or day is None or math.isclose(got, round(day))


@settings(max_examples=drawn(80), deadline=None)
@given(**DRAWN)
def test_survival_is_what_the_oracle_finds(**drawn: Any) -> None:
    check_survival_is_what_the_oracle_finds(**drawn)


@pytest.mark.slow
@settings(max_examples=drawn(2000), deadline=None)
@given(**DRAWN)
def test_survival_is_what_the_oracle_finds_thousands_of_times(**drawn: Any) -> None:
    check_survival_is_what_the_oracle_finds(**drawn)
