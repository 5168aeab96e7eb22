"""What a source, the enclosure or a permit demands beyond the platform's rules holds, each threshold by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from pyroaring import BitMap

from enclos.contracts.disclosure import Demands
from enclos.contracts.result import HIDDEN, StudyResult
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole, SecretKey
from enclos.lexicon.verdicts import Verdict
from enclos.release import allowance
from enclos.release.allowance import Sought
from enclos.release.model import Rule
from enclos.release.rules.disclosure import assess
from enclos.release.rules.groups import JudgedGroups, hidden_by_any, judge_groups
from enclos.release.rules.policy import policy, stricter
from enclos.release.rules.several import hidden_by_any_of, judge_several
from enclos.release.rules.terms import terms_of
from enclos.release.steps import show_request
from enclos.stores.release_files import DeskFiles
from enclos.studies.model import Interval, Population, Sex
from enclos.studies.rules.report import number
from factories.curves import Followed, curves_of
from factories.groups import Subject, description_of
from factories.results import Asked, Person, result_of
from unit.release.test_counted import MEDIAN, PERSONS, RECORDS, SUM, people, table
from unit.release.test_desk import PERMIT, accepted, ask, code_of, export
from unit.release.test_several import covariates
from unit.release.test_stays import shares
from unit.release.test_strata import of_departments

K = 11
YEAR_OF_MEN = [Person("Male", 1960, (365,), 0 if at < 40 else None) for at in range(200)]
YEAR_OF_ALL = [*YEAR_OF_MEN, *(Person("Female", 1960, (365,)) for _ in range(100))]


@pytest.fixture
def desk(tmp_path: Path) -> DeskFiles:
    return DeskFiles(tmp_path / "release", SecretKey(KeyName(KeyRole.DESK), b"k" * 32))


def values(result: StudyResult, name: str, *demands: Demands, k: int = K) -> list[str]:
    """Each shown value of an estimate."""
    safe = assess(result, k, demands=demands).safe
    rows = safe.table.to_pylist() if safe else []
    return [row["estimate_value"] for row in rows if row["estimate_name"] == name and row["estimate_value"] != HIDDEN]


def some(n: int = 40, largest: float = 1000) -> list[tuple[object, ...]]:
    return people(n, 1, 2020, lambda at: largest if at < 2 else 50 + at)


@pytest.mark.parametrize(
    ("demanded", "name", "holds", "fails"),
    [
        (Demands(dominance_percent=40), "sum", 700, 1100),
        (Demands(p_percent=100), "sum", 1000, 3000),
    ],
)
def test_a_sum_of_which_two_persons_have_much_is_hidden(
    demanded: Demands, name: str, holds: float, fails: float
) -> None:
    for largest, n_shown in ((holds, 1), (fails, 0)):
        result = table(some(largest=largest), [PERSONS, SUM])
        assert len(values(result, name)) == 1
        assert len(values(result, name, demanded)) == n_shown, largest


def test_records_and_stays_are_as_many_as_is_demanded() -> None:
    result = table([*some(), *some()], [PERSONS, RECORDS])
    assert values(result, "record_count") == ["80"]
    assert values(result, "record_count", Demands(stays=80)) == ["80"]
    assert values(result, "record_count", Demands(stays=81)) == []
    assert values(result, "person_count", Demands(stays=81)) == ["40"]


def test_a_median_has_as_many_persons_on_either_side_as_is_demanded() -> None:
    result = table(some(), [PERSONS, MEDIAN])
    assert values(result, "median")
    assert values(result, "median", Demands(quantile_persons=15))
    assert not values(result, "median", Demands(quantile_persons=21))


def test_small_places_are_told_of_as_many_days_as_is_demanded() -> None:
    found = of_departments(Interval.MONTHS)
    n_all = len(values(found, "denominator_count", k=5))
    assert len(values(found, "denominator_count", Demands(place_days=31), k=5)) == n_all
    assert len(values(found, "denominator_count", Demands(place_days=90), k=5)) < n_all


def test_steps_of_curves_have_as_many_persons_as_is_demanded() -> None:
    people = [Followed(at % 300 + 1, 1 if at % 3 else 0) for at in range(900)]
    curves = curves_of(people)
    few, many = (values(curves, "n_events_count", *demands) for demands in ((), (Demands(step_persons=100),)))
    assert 1 < len(many) < len(few)
    assert all(int(each) == 0 or int(each) >= 100 for each in many)


def test_a_model_has_as_many_degrees_left_as_is_demanded() -> None:
    arms = BitMap(range(40)), BitMap(range(40, 80))
    both = [((BitMap(range(14)), arms[0]), (BitMap(range(40, 54)), arms[1]))]
    result = covariates(
        "compare_score", [f"covariate {at}" for at in range(40)], [number("coefficient", 0.7)], both * 40
    )
    assert values(result, "coefficient")
    assert values(result, "coefficient", Demands(residual_degrees=39))
    assert not values(result, "coefficient", Demands(residual_degrees=40))


def test_nobody_is_hidden_like_a_few_where_it_is_demanded() -> None:
    result = result_of(YEAR_OF_ALL, Asked(sexes=("Both", "Male", "Female"), overall=False), attrition=False)
    assert sorted(values(result, "outcome_count")) == ["0", "40", "40"]
    assert "0" not in values(result, "outcome_count", Demands(hides_zeros=True))
    assert len(values(result, "outcome_count", Demands(hides_zeros=True))) <= 1  # all less men would tell it


def test_what_one_source_hides_another_does_not_bring_back() -> None:
    result = table(some(largest=1100), [PERSONS, SUM])
    strict, loose = Demands(dominance_percent=40), Demands(dominance_percent=99, stays=5)
    assert not values(result, "sum", strict, loose)
    assert not values(result, "sum", loose, strict)
    assert values(result, "sum", loose)


def described() -> StudyResult:
    """Of two sexes and two bands of age; nobody of them has gout."""
    flags = (frozenset({"asthma"}), frozenset[str]())
    people = [
        Subject("statin", ("Female", "Male")[at % 3 > 1], ("0 to 19", "20 to 64")[at % 2], flags[at % 4 > 1], at)
        for at in range(180)
    ]
    return description_of(people, ("asthma", "gout"))


NO_ZEROS, NO_MEDIANS = Demands(hides_zeros=True), Demands(quantile_persons=180)


def test_each_cell_that_any_source_hides_is_said_to_be_hidden() -> None:
    """One source hides more lines, medians of groups whose count is shown; the other hides counts of nobody."""
    result = described()
    alone, medians = (assess(result, K, demands=(each,)) for each in (NO_ZEROS, NO_MEDIANS))
    assert medians.summary["n_hidden"] > alone.summary["n_hidden"]
    assert (medians.verdict, alone.verdict) == (Verdict.PASS, Verdict.REVIEW)
    for demands in ((NO_ZEROS, NO_MEDIANS), (NO_MEDIANS, NO_ZEROS)):
        found = assess(result, K, demands=demands)
        assert [each.hidden for each in found.evidence] == [each.hidden for each in alone.evidence]
        assert [each.hidden for each in found.evidence] != [each.hidden for each in medians.evidence]
        assert found.summary["n_cells_touched"] == alone.summary["n_cells_touched"] > 0
        assert found.verdict is Verdict.REVIEW
        assert [str(each.persons) for each in found.told] == [str(each.persons) for each in alone.told]


def test_where_each_source_hides_another_number_both_are_said_to_be_hidden() -> None:
    """No stay of a woman has the outcome; twenty of a hundred stays of men have it."""
    by_sex = Population(sexes=(Sex.FEMALE, Sex.MALE))
    result = shares([(60, "F", 1, 0), (80, "M", 1, 0), (20, "M", 1, 1)], by_sex)
    few_stays = Demands(stays=50)
    of_women, of_men = (hidden_numbers(result, each) for each in (NO_ZEROS, few_stays))
    assert of_women and of_men and not of_women & of_men
    assert hidden_numbers(result, NO_ZEROS, few_stays) == of_women | of_men
    both, one = (assess(result, K, demands=each) for each in ((NO_ZEROS, few_stays), (NO_ZEROS,)))
    said = [each.sentence for found in (both, one) for each in found.findings if each.rule is Rule.MINIMUM]
    assert [each.split()[0] for each in said] == ["2", "1"]


def hidden_of(every: Sequence[JudgedGroups]) -> list[list[bool]]:
    return [[group.is_hidden for group in each.groups] for each in every]


def hidden_numbers(result: StudyResult, *demands: Demands) -> set[tuple[int, str]]:
    """What the evidence says is hidden, by the result it is of."""
    found = assess(result, K, demands=demands)
    return {(each.result_id, role) for each in found.evidence for role in each.hidden}


def test_the_permit_s_and_the_enclosure_s_rules_are_both_judged_by_and_told(desk: DeskFiles) -> None:
    rates = result_of(YEAR_OF_ALL, Asked(sexes=("Both",), overall=False), attrition=False)
    own, enclosures = Demands(stays=20), Demands(hides_zeros=True)
    permit = replace(PERMIT, demands=own)
    answer = ask(desk, result=rates, permit=permit, terms=terms_of(demands=(enclosures,)))
    assert show_request(answer["request"], desk=desk)["demands"] == [own.as_json(), enclosures.as_json()]
    assert answer["nearest_safe"]["demands"] == [own.as_json(), enclosures.as_json()]


def test_what_was_judged_before_more_was_demanded_does_not_leave(desk: DeskFiles) -> None:
    rates = result_of(YEAR_OF_MEN, Asked(sexes=("Both",), overall=False), attrition=False)
    stricter, higher = terms_of(demands=(Demands(hides_zeros=True),)), terms_of(min_count=20)
    request = accepted(desk, result=rates)
    for terms in (stricter, higher):
        assert code_of(lambda terms=terms: export(desk, request, terms=terms)) is Code.RELEASE_TRANSITION
    export(desk, accepted(desk, result=rates, run="b", terms=stricter), terms=stricter)


def test_what_any_set_hides_is_put_together_without_changing_what_each_found() -> None:
    """What one set hides is in the answer of both together, not in that of the other."""
    result, sought = described(), Sought(allowance.MOST_WORK)
    sets = [policy(), stricter(policy(), NO_ZEROS)]
    found = [judge_groups(result, (), K, each, sought, only_whole=False) for each in sets]
    groups = [each for each in found if each is not None]
    before = [[(group.is_hidden, group.is_primary) for group in each.groups] for each in groups]
    together = hidden_by_any(groups, result)
    assert [[(group.is_hidden, group.is_primary) for group in each.groups] for each in groups] == before
    assert [group.is_hidden for group in together.groups] == [
        any(pair) for pair in zip(*hidden_of(groups), strict=True)
    ]
    assert hidden_of([together]) != hidden_of(groups[:1])

    parts = BitMap(range(40)), BitMap(range(40, 80))
    both = [((BitMap(range(14)), parts[0]), (BitMap(range(40, 54)), parts[1]))]
    score = covariates("compare_score", ["covariate 1"], [number("coefficient", 0.7)], both)
    strict = stricter(policy(), Demands(residual_degrees=100))
    several = [judge_several(score, (), K, each, sought) for each in (policy(), strict)]
    assert [each.n_hidden for each in (hidden_by_any_of(several), *several)] == [1, 0, 1]
