"""What one rule set hides of survival curves no other brings back, whatever else the other hides."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pyarrow as pa
import pyarrow.compute as pc
from pyroaring import BitMap

from enclos.contracts.disclosure import Demands
from enclos.contracts.result import HIDDEN, ResultSettings, StudyResult
from enclos.lexicon.verdicts import Verdict
from enclos.release.model import Assessment, Rule
from enclos.release.rules.disclosure import assess
from enclos.studies.model import Population, Sex
from enclos.studies.rules.report import number
from enclos.studies.survival import plans
from factories.curves import Followed, curves_of
from unit.release.test_several import covariates
from unit.release.test_stays import shares

K = 11
COEFFICIENT = number("coefficient", 0.7)
BY_SEX = Population(sexes=(Sex.FEMALE, Sex.MALE))
FEW_STAYS, LARGER_STEPS = Demands(stays=50, residual_degrees=100), Demands(step_persons=12)


def of_both(one: StudyResult, other: StudyResult) -> StudyResult:
    """Two results of the same persons as one."""
    last = max(each.result_id for each in one.settings)
    place = other.table.schema.get_field_index("result_id")
    ids = pc.add(other.table["result_id"], last).cast(other.table.schema.field(place).type)
    table = other.table.set_column(place, other.table.schema.field(place), ids)
    settings = [ResultSettings(each.result_id + last, each.values) for each in other.settings]
    numbers = one.cells[0].person_numbers
    cells = [replace(each, result_id=each.result_id + last, person_numbers=numbers) for each in other.cells]
    return StudyResult(pa.concat_tables([one.table, table]), (*one.settings, *settings), (*one.cells, *cells))


def of_stays_and_survival(n_more: int) -> StudyResult:
    """Twenty men have the outcome in a stay, and so many men more while they are followed; women too.

    A score of forty coefficients stands beside it, whose lines a set may hide: many, and no matter of curves.
    """
    stays = shares([(60, "F", 1, 0), (80, "M", 1, 0), (20, "M", 1, 1)], BY_SEX)
    of_men = next(each for each in stays.cells if each.n_numerator)
    men, cases = of_men.dense_denominator, of_men.dense_numerator
    everybody = range(len(of_men.person_numbers))
    women = [at for at in everybody if at not in men]
    events = {*cases, *list(men - cases)[:n_more], *women[:25]}
    endings = [(5, plans.OUTCOME) if at in events else (400, plans.CENSORED) for at in everybody]
    people = [Followed(*end, "Male" if at in men else "Female") for at, end in enumerate(endings)]
    arms = BitMap(range(40)), BitMap(range(40, 80))
    having = [(BitMap(range(14)), arms[0]), (BitMap(range(40, 54)), arms[1])]
    score = covariates("compare_score", [f"covariate {at}" for at in range(40)], [COEFFICIENT], [having] * 40)
    return of_both(of_both(stays, curves_of(people)), score)


def shown_curves(found: Assessment) -> set[str]:
    """The strata whose curves leave."""
    assert found.safe is not None
    return set(found.safe.of_type("survival_events")["strata_level"].to_pylist())


def with_the_outcome(found: Assessment) -> list[str]:
    """How many stays are told to have the outcome; nobody's are left out."""
    assert found.safe is not None
    rows = found.safe.of_type("prevalence_of_records").to_pylist()
    told = [row["estimate_value"] for row in rows if row["estimate_name"] == "outcome_count"]
    return [each for each in told if each not in {HIDDEN, "0"}]


def test_curves_that_the_platform_hides_stay_hidden_where_another_set_hides_what_they_were_hidden_for() -> None:
    result = of_stays_and_survival(3)
    alone = assess(result, K)
    assert with_the_outcome(alone) == ["20"]
    assert shown_curves(alone) == {"overall"}, "the 23 men of the curve less those 20 are three"
    for demands in ((FEW_STAYS,), *permutations([FEW_STAYS, LARGER_STEPS])):
        found = assess(result, K, demands=demands)
        assert with_the_outcome(found) == []
        assert shown_curves(found) == {"overall"}
        assert [each.verdict for each in found.findings if each.rule is Rule.STEPS] == [Verdict.REVIEW]
        assert sorted(len(each.hidden) for each in found.evidence if each.table == "survival_events") == [0, 2, 2]


def test_curves_that_no_set_hides_leave() -> None:
    found = assess(of_stays_and_survival(0), K, demands=(FEW_STAYS, LARGER_STEPS))
    assert shown_curves(found) == {"overall", "Female", "Male"}
