import pytest

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import NotAsPromised
from enclos.warehouse.plans.drugs import DURATION_RULES, duration_rule
from factories.pseudonymised import bench


@pytest.mark.parametrize(
    ("rule", "boxes", "units", "days"),
    [
        ("pack-size", 1, "28", 28),
        ("pack-size", 2, "30", 60),
        ("pack-size", 1, "84", 84),
        ("pack-size", 1, "90", 90),
        ("pack-size", 1, "8", 30),
        ("pack-size", 3, "NULL", 90),
        ("one-box-30", 1, "90", 30),
        ("one-box-30", 3, "NULL", 90),
    ],
)
def test_days_of_supply(rule: str, boxes: int, units: str, days: int) -> None:
    engine, _ = bench()
    assert engine.scalar(f"SELECT {duration_rule(rule).days_sql(str(boxes), units)}") == days


def test_a_rule_bears_its_version() -> None:
    assert {rule.id for rule in DURATION_RULES.values()} == {"one-box-30-1", "pack-size-1"}


def test_an_unknown_rule_is_refused_with_the_known_ones() -> None:
    with pytest.raises(NotAsPromised) as refused:
        duration_rule("ddd")
    assert refused.value.code is Code.BUILD_RULE_UNKNOWN
    assert "one-box-30, pack-size" in str(refused.value)
