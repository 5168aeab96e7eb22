"""The life of a request, and what is hidden of a result, as small tables."""

from itertools import product

import pytest

from enclos.contracts.result import HIDDEN, StudyResult
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import NotAllowed
from enclos.lexicon.verdicts import Verdict
from enclos.release.model import RequestEvent, RequestState
from enclos.release.rules.disclosure import assess
from enclos.release.rules.life import TRANSITIONS, next_state
from factories.results import Asked, Person, crowd, result_of


def test_the_table_is_total() -> None:
    assert set(TRANSITIONS) == set(product(RequestState, RequestEvent))


@pytest.mark.parametrize(
    "state", [state for state in RequestState if state not in {RequestState.ACCEPTED, RequestState.EXPORTED}]
)
def test_nothing_leaves_before_it_is_accepted(state: RequestState) -> None:
    with pytest.raises(NotAllowed) as caught:
        next_state(state, RequestEvent.EXPORT)
    assert caught.value.code is Code.RELEASE_TRANSITION


@pytest.mark.parametrize("state", [RequestState.REFUSED, RequestState.QUARANTINED])
def test_what_was_refused_or_failed_stays_where_it_is(state: RequestState) -> None:
    for event in RequestEvent:
        assert TRANSITIONS[state, event] is None


def test_two_accept_or_policy_does_and_nothing_else_leads_to_accepted() -> None:
    ways = {way for way, after in TRANSITIONS.items() if after is RequestState.ACCEPTED}
    assert ways == {
        (RequestState.HALF_FOR, RequestEvent.ACCEPT),
        (RequestState.OPEN, RequestEvent.RELEASE),
    }


def test_a_failed_check_stops_whatever_was_decided() -> None:
    stopped = {state for state in RequestState if TRANSITIONS[state, RequestEvent.FAIL] is RequestState.QUARANTINED}
    assert stopped == {*RequestState} - {RequestState.REFUSED, RequestState.QUARANTINED}


def test_the_first_vote_shows_in_no_word() -> None:
    assert RequestState.HALF_FOR.word == RequestState.HALF_AGAINST.word == "half"
    assert not RequestState.HALF_AGAINST.is_decided


def test_nor_in_what_a_refusal_says_before_the_second() -> None:
    said = set()
    for state in (RequestState.HALF_FOR, RequestState.HALF_AGAINST):
        with pytest.raises(NotAllowed) as caught:
            next_state(state, RequestEvent.EXPORT)
        said.add((caught.value.what, caught.value.next_step))
    assert len(said) == 1


def people(men: int, male_cases: int, women: int, female_cases: int) -> list[Person]:
    """Everybody in one year; the first so many of each sex have the event."""
    return [
        Person(sex, 1960, (365,), 0 if number < cases else None)
        for sex, n, cases in (("Male", men, male_cases), ("Female", women, female_cases))
        for number in range(n)
    ]


def shown(result: StudyResult) -> dict[tuple[str, str], str]:
    """What a table of one year says, by sex and estimate."""
    sexes = {each.result_id: each.values["denominator_sex"] for each in result.settings}
    rows = result.table.to_pylist()
    return {(sexes[row["result_id"]], row["estimate_name"]): row["estimate_value"] for row in rows}


def released(
    *counts: int, k: int = 5, sexes: tuple[str, ...] = ("Both", "Male", "Female")
) -> dict[tuple[str, str], str]:
    asked = Asked(sexes=sexes, overall=False)
    found = assess(result_of(people(*counts), asked, attrition=False), k)
    assert found.safe is not None
    return shown(found.safe)


def test_large_counts_and_zeros_are_shown_as_they_are() -> None:
    table = released(100, 20, 80, 0)
    assert table["Male", "outcome_count"] == "20"
    assert table["Female", "outcome_count"] == "0"
    assert HIDDEN not in table.values()


def test_a_small_count_hides_what_its_total_would_tell_and_all_that_is_computed_from_it() -> None:
    table = released(100, 20, 80, 2)
    assert table["Female", "outcome_count"] == HIDDEN
    assert HIDDEN in {table["Male", "outcome_count"], table["Both", "outcome_count"]}
    assert table["Female", "incidence_100000_pys"] == HIDDEN
    assert table["Female", "incidence_100000_pys_95CI_lower"] == HIDDEN
    assert table["Female", "incidence_100000_pys_95CI_upper"] == HIDDEN
    assert table["Female", "denominator_count"] == "80"
    assert table["Female", "person_days"] == str(80 * 365)


def test_a_small_denominator_hides_the_whole_cell() -> None:
    table = released(100, 20, 3, 0)
    assert {value for (sex, _), value in table.items() if sex == "Female"} == {HIDDEN}


def test_few_without_the_outcome_are_as_telling_as_few_with_it() -> None:
    table = released(100, 20, 80, 78)
    assert table["Female", "outcome_count"] == HIDDEN


def test_everybody_with_the_outcome_tells_it_of_each() -> None:
    assert released(100, 20, 80, 80)["Female", "outcome_count"] == HIDDEN


def test_two_shown_numbers_may_not_differ_by_a_few() -> None:
    table = released(100, 20, 80, 2, sexes=("Both", "Male"))
    assert HIDDEN in {table["Both", "outcome_count"], table["Male", "outcome_count"]}


@pytest.mark.parametrize(("n", "is_shown"), [(4, False), (5, True), (6, True)])
def test_the_minimum_itself_is_enough(n: int, is_shown: bool) -> None:
    assert (released(100, 20, 80, n)["Female", "outcome_count"] == str(n)) is is_shown


def test_a_minimum_of_one_hides_nothing() -> None:
    assert HIDDEN not in released(3, 1, 2, 2, k=1).values()


def test_a_result_of_too_few_is_refused_whole() -> None:
    found = assess(result_of(people(2, 1, 2, 1)), 11)
    assert found.verdict is Verdict.REFUSE


def test_a_whole_less_a_part_tells_no_few_who_were_never_of_the_part() -> None:
    asked = Asked(sexes=("Both",), ages=((0, 150), (0, 64), (65, 150)))
    result = result_of(crowd(22, 149, p_event=0.5), asked)
    found = assess(result, 11)
    assert found.safe is not None
    ages = {each.result_id: each.values["denominator_age_group"] for each in result.settings}
    told = {
        ages[row["result_id"]]: row["estimate_value"]
        for row in found.safe.table.to_pylist()
        if row["estimate_name"] == "denominator_count" and "years" not in row["additional_level"]
    }
    assert HIDDEN in {told["0 to 150"], told["0 to 64"]}  # 7 of 20 persons were never under 65
