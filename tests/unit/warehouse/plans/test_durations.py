import pytest

from enclos.contracts.durations import DURATION_RULE_IDS
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import NotAsPromised
from enclos.warehouse.plans.durations import duration_rule


def test_a_rule_bears_its_version() -> None:
    assert dict(DURATION_RULE_IDS) == {"one-box-30": "one-box-30-1", "pack-size": "pack-size-1", "ddd": "ddd-1"}
    assert duration_rule("ddd").id == "ddd-1"


def test_an_unknown_rule_is_refused_with_the_known_ones() -> None:
    with pytest.raises(NotAsPromised) as refused:
        duration_rule("one-box-28")
    assert refused.value.code is Code.BUILD_RULE_UNKNOWN
    assert "ddd, one-box-30, pack-size" in str(refused.value)
