"""One rule set more, of a source, the enclosure or a permit, never lets more out, and each of them holds."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from enclos.contracts.disclosure import BOUNDS, Demands, rule_sets, strictest
from enclos.contracts.result import HIDDEN, StudyResult
from enclos.release.model import Assessment
from enclos.release.rules.courses import CURVES
from enclos.release.rules.disclosure import assess
from factories.corpus import MIN_COUNT, cases
from factories.examples import drawn

CASES = [case for case in cases() if case.family in {"rates", "descriptions", "tables", "sums", "effects", "kinds"}]
WIDE = {"stays": 60, "quantile_persons": 60, "step_persons": 60, "residual_degrees": 60, "place_days": 400}
demands = st.builds(
    Demands,
    **{
        name: st.just(nothing) | st.integers(least, WIDE.get(name, most))
        for name, (least, most) in BOUNDS.items()
        for nothing in [100 if name == "dominance_percent" else 0]
    },
    hides_zeros=st.booleans(),
)


def shown(result: StudyResult, found: Assessment) -> dict[tuple[str, ...], str]:
    """What could leave, line by line; curves take other steps under other rules, each of which has its own check."""
    if found.safe is None:
        return {}
    aside = {each.result_id for each in result.settings if each.result_type in CURVES}
    return {
        tuple(str(value) for name, value in row.items() if name != "estimate_value"): row["estimate_value"]
        for row in found.safe.table.to_pylist()
        if row["estimate_value"] != HIDDEN and row["result_id"] not in aside
    }


@settings(max_examples=drawn(60), deadline=None)
@given(st.sampled_from(CASES), st.lists(demands, max_size=2), demands)
def test_one_rule_set_more_never_lets_more_out(case: object, before: list[Demands], more: Demands) -> None:
    result = case.result  # type: ignore[attr-defined]
    fewer = shown(result, assess(result, MIN_COUNT, demands=rule_sets(before)))
    with_more = shown(result, assess(result, MIN_COUNT, demands=rule_sets([*before, more])))
    assert with_more.items() <= fewer.items()
    assert with_more.items() <= shown(result, assess(result, MIN_COUNT)).items()
    assert with_more.items() <= shown(result, assess(result, MIN_COUNT, demands=rule_sets([more]))).items()


@given(st.lists(demands, max_size=4))
def test_the_strictest_of_each_threshold_holds_in_any_order(every: list[Demands]) -> None:
    together = strictest(every)
    assert strictest(reversed(every)) == together == strictest([together, *every])
    for name in (*BOUNDS, "hides_zeros"):
        values = [getattr(each, name) for each in (*every, Demands())]
        assert getattr(together, name) == (min(values) if name == "dominance_percent" else max(values))
