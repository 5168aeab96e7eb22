"""Merged cells are those that a study with the wider bands finds."""

from random import Random

import pytest

from enclos.contracts.result import StudyResult
from enclos.lexicon.verdicts import Verdict
from enclos.release.rules.disclosure import assess
from enclos.release.rules.merging import DropStrata, JoinSexes, Lengthen, MergeAges, Move, merged, moves_of
from enclos.release.rules.policy import policy
from enclos.release.rules.reading import read_result
from enclos.studies.model import (
    AgeGroup,
    Incidence,
    Interval,
    PeriodPrevalence,
    PointPrevalence,
    Population,
    Sex,
    Stratum,
    Study,
)
from enclos.studies.standard.model import Standard
from enclos.studies.steps import run_study
from factories.study_tables import EVENTS, cdm

YOUNG, MIDDLE, OLD = AgeGroup(0, 39), AgeGroup(40, 59), AgeGroup(60, 150)
YEARS, QUARTERS, OVERALL = Interval.YEARS, Interval.QUARTERS, Interval.OVERALL


def _cdm():
    random = Random(3)  # noqa: S311 - test data
    lines = ["person | sex | born | observed | events"]
    for number in range(160):
        month, day = random.randint(1, 12), random.randint(1, 28)
        happened = sorted({f"20{random.randint(19, 20)}-{random.randint(1, 12):02}-15" for _ in range(number % 3)})
        born = f"{random.choice((1955, 1959, 1960, 1961, 1979, 1980, 1990))}-{month:02}-{day:02}"
        observed = f"2019-{random.randint(1, 12):02}-01..2020-12-31"
        lines.append(f"{number + 1} | {'FM'[number % 2]} | {born} | {observed} | {', '.join(happened)}")
    return cdm("\n".join(lines))


CDM = _cdm()


def ran(*ages: AgeGroup, sexes=(Sex.BOTH,), intervals=(YEARS,), kind=Incidence, **options) -> StudyResult:
    population = Population(ages or (AgeGroup(0, 150),), sexes, **options.pop("population", {}))
    return run_study(Study("spec", (EVENTS,), (kind(("events",), population, intervals, **options),)), CDM)


def told(result: StudyResult) -> dict[tuple[object, ...], object]:
    """Every estimate, and the persons behind it, by whom and which days it is about."""
    settings = {each.result_id: each.values for each in result.settings}
    found: dict[tuple[object, ...], object] = {}
    for row in result.table.to_pylist():
        values = settings[row["result_id"]]
        if row["strata_name"] != "reason":
            who = (values["denominator_age_group"], values["denominator_sex"], row["strata_level"])
            found[*who, row["additional_name"], row["additional_level"], row["estimate_name"]] = row["estimate_value"]
    for cell in result.cells:
        values = settings[cell.result_id]
        who = (values["denominator_age_group"], values["denominator_sex"], cell.strata_level, cell.additional_level)
        found[who] = (sorted(cell.numerator), sorted(cell.denominator))
    return found


def after(result: StudyResult, *moves: Move) -> StudyResult:
    for move in moves:
        result = merged(read_result(result, policy()), result, move)
    return result


MERGE = MergeAges((0, 39), (40, 59))


@pytest.mark.parametrize(
    "options",
    [
        {"washout_days": None},
        {"washout_days": 30, "repeated_events": True, "intervals": (YEARS, OVERALL)},
        {"kind": PointPrevalence},
        {"kind": PeriodPrevalence},
    ],
)
def test_two_age_groups_become_the_wider_one(options) -> None:
    assert told(after(ran(YOUNG, MIDDLE, OLD, **options), MERGE)) == told(ran(AgeGroup(0, 59), OLD, **options))


def test_sexes_become_both_and_give_way_where_both_are_there() -> None:
    apart = ran(sexes=(Sex.MALE, Sex.FEMALE))
    assert told(after(apart, JoinSexes())) == told(ran())
    assert told(after(ran(sexes=(Sex.BOTH, Sex.MALE)), JoinSexes())) == told(ran())


def test_quarters_become_years_and_years_all_time() -> None:
    assert told(after(ran(intervals=(QUARTERS,)), Lengthen("quarters"))) == told(ran())
    assert told(after(ran(intervals=(QUARTERS, YEARS)), Lengthen("quarters"))) == told(ran())
    assert told(after(ran(), Lengthen("years"))) == told(ran(intervals=(OVERALL,)))


def test_several_moves_are_one_study() -> None:
    found = after(ran(YOUNG, MIDDLE, OLD, sexes=(Sex.MALE, Sex.FEMALE)), MERGE, JoinSexes(), Lengthen("years"))
    assert told(found) == told(ran(AgeGroup(0, 59), OLD, intervals=(OVERALL,)))


def test_strata_are_given_up() -> None:
    apart = {"population": {"strata": ((Stratum.SEX,),)}}
    assert told(after(ran(**apart), DropStrata("sex"))) == told(ran())


def test_no_stretch_of_a_prevalence_is_made_of_shorter_ones() -> None:
    point = ran(intervals=(YEARS,), kind=PointPrevalence)
    assert moves_of(read_result(point, policy()), point) == []


@pytest.mark.parametrize("standard", [False, True])
def test_what_is_merged_is_as_typed_and_backed_as_what_it_was_made_of(standard: bool) -> None:
    weights = Standard("own", (((0, 39), 5), ((40, 59), 3), ((60, 150), 2)))
    options = {"standard": weights} if standard else {}
    found = after(ran(YOUNG, MIDDLE, OLD, sexes=(Sex.MALE, Sex.FEMALE), **options), MERGE)
    assert all(each.verdict is Verdict.PASS for each in read_result(found, policy()).findings)
    assert assess(found, 1).safe is not None
