"""Counts are rounded alike wherever the same persons are counted, and what follows from them is computed anew."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyroaring import BitMap

from enclos.contracts.result import HIDDEN, PersonNumbers, StudyResult, result_from_csv
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole, SecretKey
from enclos.release.model import Rule
from enclos.release.rules.disclosure import assess
from enclos.release.rules.rounding import Lots, Rounding, digits
from enclos.release.rules.terms import terms_of
from enclos.release.steps import drawn_names
from enclos.release.steps.kept import renumbered_sets
from enclos.stores.release_files import DeskFiles
from enclos.studies.rules.estimates import poisson_interval_per_100k
from factories.corpus import effects
from factories.curves import Followed, curves_of
from factories.groups import Subject, description_of
from factories.results import Asked, crowd, result_of
from unit.release.test_desk import accepted, archive, ask, code_of, export, same
from unit.release.test_standardised import MORE
from unit.release.test_standardised import result as standardised_result

BASE, K = 5, 11
KEY = b"k" * 32
ROUNDING = Rounding(BASE, KEY, same)
RATES = result_of(crowd(900, 3, p_event=0.3), Asked())
GROUPS = description_of(
    [
        Subject("statin", sex, age, frozenset({"gout"}) if number % 3 else frozenset(), number % 50)
        for sex, age in (("Female", "20 to 64"), ("Male", "20 to 64"), ("Male", "65 to 150"))
        for number in range(67)
    ],
    ("gout",),
)


@pytest.fixture
def desk(tmp_path: Path) -> DeskFiles:
    return DeskFiles(tmp_path / "release", SecretKey(KeyName(KeyRole.DESK), b"k" * 32))


def rounded(result: StudyResult, rounding: Rounding = ROUNDING) -> list[tuple[dict[str, Any], str | None]]:
    """Each line that is shown, with what it said before."""
    safe = assess(result, K, rounding).safe
    assert safe is not None
    rows = zip(safe.table.to_pylist(), result.table["estimate_value"].to_pylist(), strict=True)
    return [(row, before) for row, before in rows if row["estimate_value"] not in {HIDDEN, None}]


def lots(base: int = BASE, key: bytes = KEY, n: int = 4000) -> Lots:
    return Lots(base, key, np.arange(n, dtype=np.int64) * 7919 + 1)


def test_every_count_is_a_multiple_next_to_its_own() -> None:
    for result in (RATES, GROUPS):
        counts = [
            (int(row["estimate_value"]), int(before or 0))
            for row, before in rounded(result)
            if row["estimate_type"] == "integer" and row["estimate_name"].endswith("count")
        ]
        assert len(counts) > 6
        assert all(after % BASE == 0 and abs(after - before) < BASE for after, before in counts)
        assert any(after != before for after, before in counts)


def test_the_same_persons_are_rounded_alike_under_any_permit_s_numbers() -> None:
    warehouse = np.arange(1000, dtype=np.int64) * 3 + 5
    order = np.random.default_rng(1).permutation(1000)

    def shuffled(numbers: PersonNumbers) -> PersonNumbers:
        return warehouse[order[numbers]]

    here, there = Rounding(BASE, KEY, lambda numbers: warehouse[numbers]), Rounding(BASE, KEY, shuffled)
    places = np.arange(1000, dtype=np.int64)
    where = np.argsort(order)
    for n in (13, 114, 512):
        persons = BitMap(range(n))
        others = BitMap(where[:n].tolist())
        assert here.lots(places).of(n, persons) == there.lots(places).of(n, others)


def test_rounded_counts_are_right_on_average_and_lots_need_the_key() -> None:
    sets = [BitMap(range(at, at + 113)) for at in range(3000)]
    mine = np.array([lots().of(113, each) for each in sets])
    assert set(mine.tolist()) == {110, 115}
    assert abs(mine.mean() - 113) < 0.15
    other = np.array([lots(key=b"x" * 32).of(113, each) for each in sets])
    assert 0.3 < (mine == other).mean() < 0.7
    assert lots().of(115, sets[0]) == 115
    assert lots().bare(-113) == -lots().bare(113)


def test_rates_and_their_intervals_follow_from_the_counts_that_are_shown() -> None:
    cells: dict[tuple[Any, ...], dict[str, float]] = {}
    for row, _ in rounded(RATES):
        if row["strata_name"] != "reason":
            key = (row["result_id"], row["group_level"], row["additional_level"])
            cells.setdefault(key, {})[row["estimate_name"]] = float(row["estimate_value"])
    whole = [cell for cell in cells.values() if "incidence_100000_pys" in cell]
    assert len(whole) > 5
    for cell in whole:
        years = cell["person_days"] / 365.25
        assert cell["person_years"] == pytest.approx(years, abs=1e-3, rel=1e-5)
        assert cell["incidence_100000_pys"] == pytest.approx(cell["outcome_count"] / years * 1e5, rel=1e-4)
        n, at_risk = np.array([int(cell["outcome_count"])]), np.array([years])
        lower, upper = poisson_interval_per_100k(n, at_risk)
        assert cell["incidence_100000_pys_95CI_lower"] == pytest.approx(lower[0], rel=1e-4)
        assert cell["incidence_100000_pys_95CI_upper"] == pytest.approx(upper[0], rel=1e-4)


def test_days_at_risk_give_no_count_back() -> None:
    """Everybody is at risk all year: the days over those of the year would be the count."""
    people = [replace(person, days=(365,)) for person in crowd(113, 1, p_event=0.4, n_years=1)]
    (days,) = [
        int(row["estimate_value"])
        for row, _ in rounded(result_of(people, Asked(sexes=("Both",), overall=False), attrition=False))
        if row["estimate_name"] == "person_days"
    ]
    assert days % (365 * BASE) == 0


def test_shares_follow_from_the_counts_that_are_shown() -> None:
    shown = {
        (row["variable_name"], row["variable_level"], row["strata_level"], row["estimate_name"]): row["estimate_value"]
        for row, _ in rounded(GROUPS)
    }
    shares = {key: float(value) for key, value in shown.items() if key[-1] == "percentage"}
    assert len(shares) > 3
    for (variable, level, stratum, _), share in shares.items():
        whole = int(shown["Number subjects", None, stratum, "count"])
        assert share == pytest.approx(100 * int(shown[variable, level, stratum, "count"]) / whole, abs=1e-3)


def test_a_mean_could_be_that_of_any_count_nearby() -> None:
    means = [row["estimate_value"] for row, _ in rounded(GROUPS) if row["estimate_name"] == "mean"]
    assert means
    for mean in means:
        step = 10.0 ** -len(mean.partition(".")[2])
        for n in range(60, 70):
            total = round(float(mean) * n)
            assert abs(total / n - float(mean)) <= step


def test_a_curve_is_the_life_table_of_rounded_counts() -> None:
    people = [Followed(at % 300 + 1, at % 3 % 2, "Female" if at % 2 else "Male") for at in range(900)]
    found = assess(curves_of(people, gap_days=30), K, ROUNDING)
    assert found.safe is not None
    rows = found.safe.table.to_pylist()
    for stratum in ("overall", "Female", "Male"):
        own = [row for row in rows if row["strata_level"] == stratum and row["additional_level"].isdigit()]
        values = {(row["estimate_name"], int(row["additional_level"])): float(row["estimate_value"]) for row in own}
        days = sorted(day for name, day in values if name == "n_risk_count")
        assert len(days) > 3
        survival = 1.0
        for before, day in pairwise(days):
            at_risk, lost = values["n_risk_count", before], values["n_censor_count", day]
            events = values["n_events_count", day]
            assert values["n_risk_count", day] == at_risk - events - lost
            assert min(events, lost) >= 0
            assert {at_risk % BASE, events % BASE, lost % BASE} == {0}
            survival *= 1 - events / (at_risk - lost / 2)
            assert values["estimate", day] == pytest.approx(survival, abs=2e-4)


def test_a_standardised_rate_follows_from_the_cells_that_are_shown() -> None:
    rows = [row for row, _ in rounded(standardised_result(MORE))]
    (rate,) = [float(row["estimate_value"]) for row in rows if row["estimate_name"] == "standardised_100000_pys"]
    rates = [float(row["estimate_value"]) for row in rows if row["estimate_name"] == "incidence_100000_pys"]
    assert rate == pytest.approx((3 * rates[0] + rates[1]) / 4, rel=1e-4)


def test_ratios_of_models_keep_three_digits_and_likelihoods_stay_inside() -> None:
    result = effects("target 103/33 ; comparator 104/34 ; hazard_ratio")
    rows = result.table.to_pylist()
    at = next(at for at, row in enumerate(rows) if row["estimate_name"] == "hazard_ratio")
    for name, value, shown in (("hazard_ratio", "1.523456", "1.52"), ("log_likelihood", "-12.345678", HIDDEN)):
        changed = list(rows)
        changed[at] = {**rows[at], "estimate_name": name, "estimate_value": value}
        table = type(result.table).from_pylist(changed, result.table.schema)
        safe = assess(replace(result, table=table), K, ROUNDING).safe
        assert safe is not None
        said = {row["estimate_name"]: row["estimate_value"] for row in safe.table.to_pylist()}
        assert said[name] == shown
        assert int(said["person_days"]) % (90 * BASE) == 0
    assert (digits("0.0123456", 3), digits("98765", 2), digits("TRUE", 3)) == ("0.0123", "99000", "TRUE")


def test_what_is_hidden_and_what_is_told_stay_as_without_rounding() -> None:
    plain, with_base = assess(RATES, K), assess(RATES, K, ROUNDING)
    assert plain.told == with_base.told or len(plain.told) == len(with_base.told)
    assert [each.hidden for each in plain.evidence] == [each.hidden for each in with_base.evidence]
    assert assess(RATES, K, Rounding(1, KEY, same)).safe == plain.safe


def test_evidence_says_how_counts_were_rounded(desk: DeskFiles) -> None:
    found = assess(RATES, K, ROUNDING)
    assert found.summary["rounding"]["base"] == BASE
    assert Rule.ROUNDING in {each.rule for each in found.findings}
    assert found.safe is not None
    assert {each.values["rounded_to"] for each in found.safe.settings} == {str(BASE)}
    package = export(desk, accepted(desk, result=RATES, rounding=ROUNDING))
    assert json.loads(package["evidence.json"])["summary"]["rounding"]["base"] == BASE
    assert json.loads(package["decisions.json"])["request"]["round_to"] == BASE


def test_differences_are_found_between_rounded_tables(desk: DeskFiles) -> None:
    first = accepted(desk, result=result_of(crowd(600, 1)[:600], Asked(), attrition=False), rounding=ROUNDING)
    export(desk, first)
    answer = ask(desk, result=result_of(crowd(600, 1)[:597], Asked(), attrition=False), rounding=ROUNDING, run="b")
    assert answer["verdict"] == "refuse"
    assert first in " ".join(answer["reasons"])


def test_what_was_judged_before_rounding_was_demanded_does_not_leave(desk: DeskFiles) -> None:
    stricter = terms_of(round_to=BASE)
    request = accepted(desk, result=RATES)
    assert code_of(lambda: export(desk, request, terms=stricter)) is Code.RELEASE_TRANSITION
    export(desk, accepted(desk, result=RATES, rounding=ROUNDING, run="b"), terms=stricter)


def test_lots_stay_when_persons_get_other_numbers(desk: DeskFiles) -> None:
    """A pseudonym key that rotates gives new numbers; a set that left keeps its lot, and a second one draws nothing."""

    def counts(answer: str) -> list[str]:
        rows = result_from_csv(desk.read(answer, "results.csv"))[0].to_pylist()
        return [row["estimate_value"] for row in rows if row["estimate_name"].endswith("count")]

    people = np.arange(900, dtype=np.int64) * 1000 + 7
    first = accepted(desk, result=RATES, rounding=ROUNDING)
    export(desk, first)
    before, latest = counts(first), people
    for turn in (1, 2):
        moved = people * (turn + 1) + turn
        for permit, request in archive(desk).requests():
            kept = archive(desk).read(permit, request)
            assert kept is not None
            archive(desk).keep(permit, request, renumbered_sets(kept, latest, moved))
        latest = moved
        persons = {"persons": lambda numbers, turn=turn: numbers * (turn + 1) + turn}
        known = drawn_names(desk, archive(desk))
        assert known
        sticky = replace(ROUNDING, drawn=known, **persons)
        again = accepted(desk, result=RATES, rounding=sticky, run=f"again {turn}", **persons)
        export(desk, again)
        assert counts(again) == before
        anew = ask(desk, result=RATES, rounding=replace(ROUNDING, **persons), run=f"anew {turn}", **persons)
        assert counts(anew["request"]) != before


def test_the_key_of_the_desk_s_lots_is_made_once(desk: DeskFiles) -> None:
    key = desk.rounding_key()
    assert len(key) == 32
    assert desk.rounding_key() == key
    assert key not in b"".join(path.read_bytes() for path in desk._root.rglob("*.sealed"))
    assert repr(Rounding(BASE, key, same)) == "Rounding(5)"
    assert not desk.requests()
