from itertools import pairwise

from enclos.warehouse.plans import reference
from shared_data import shared


def test_ranges_of_natures_do_not_overlap() -> None:
    ranges = sorted(reference.visit_natures())
    assert all(first <= last for first, last, _ in ranges)
    assert all(before[1] < after[0] for before, after in pairwise(ranges))


def test_doubled_finess_are_the_published_46() -> None:
    doubled = reference.doubled_finess()
    assert len(doubled) == len(set(doubled)) == 46
    assert all(len(finess) == 9 for finess in doubled)
    published = shared("snds", "schema", "finess_doublons_aphp_aphm_hcl.csv")
    if published is not None:
        lines = published.read_text(encoding="utf-8").splitlines()[1:]
        assert {line.split(",")[0] for line in lines} == set(doubled)
    else:  # without the reference data, the three groups at least are there
        assert {finess[:2] for finess in doubled} >= {"13", "69", "75"}


def test_packs_and_units_are_numbers() -> None:
    assert dict(reference.pack_days()) == {28: 28, 30: 30, 84: 84, 90: 90}
    assert dict(reference.ucum_units())["mmol/L"] == 8753
