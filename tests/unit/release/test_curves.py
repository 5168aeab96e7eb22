"""A released survival curve tells of steps that rest on enough; no curve, and no two of them, tells of fewer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enclos.contracts.result import HIDDEN, StudyResult
from enclos.lexicon.verdicts import Verdict
from enclos.release.model import Rule
from enclos.release.rules.disclosure import assess
from enclos.studies.survival import plans
from factories.curves import Followed, curves_of

Counts = dict[int, tuple[int, int | None, int | None]]
"""By day: followed beyond, outcomes and losses since the day before."""


def counts(result: StudyResult, outcome: str = "bleed") -> dict[str, Counts]:
    """What a result shows of persons at risk, by stratum."""
    found: dict[str, dict[int, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for row in result.of_type("survival_events").to_pylist():
        if row["variable_level"] == outcome:
            day = found[row["strata_level"]][int(row["additional_level"])]
            day[row["estimate_name"]] = int(row["estimate_value"])
    return {
        level: {
            day: (each["n_risk_count"], each.get("n_events_count"), each.get("n_censor_count"))
            for day, each in sorted(days.items())
        }
        for level, days in found.items()
    }


def curve(result: StudyResult, outcome: str = "bleed", level: str = "overall") -> dict[int, float]:
    """The share without the outcome on each day that is shown."""
    return {
        int(row["additional_level"]): float(row["estimate_value"])
        for row in result.of_type("survival_estimates").to_pylist()
        if (row["variable_level"], row["strata_level"], row["estimate_name"]) == (outcome, level, "estimate")
    }


def inverted(shares: Mapping[int, float], n: int) -> list[int]:
    """The attack: how many had the outcome between two days of a curve, whoever is at risk being known."""
    steps, before = [], 1.0
    for share in shares.values():
        steps.append(round(n * (before - share)))
        before = share
    return [each for each in steps if each]


EVENT = plans.OUTCOME


def ward(n_events: int, n_lost: int, sex: str = "Female") -> list[Followed]:
    """An outcome on each of the days 1, 2, 3…; the others are followed to day 400."""
    return [Followed(day, EVENT, sex) for day in range(1, n_events + 1)] + [Followed(400, sex=sex)] * n_lost


def test_the_study_s_own_curve_is_a_list_of_events_and_the_released_one_is_not() -> None:
    result = curves_of(ward(60, 240))
    safe = assess(result, 11).safe
    assert safe is not None
    assert inverted(curve(result), 300) == [1] * 60
    assert inverted(curve(safe), 300) == [20, 20, 20]


def test_steps_are_put_together_until_the_minimum_had_the_outcome() -> None:
    safe = assess(curves_of(ward(60, 240)), 11).safe
    assert safe is not None
    told = counts(safe)["overall"]
    assert [(day, each[1]) for day, each in told.items() if each[1]] == [(20, 20), (40, 20), (60, 20)]
    assert told[20] == (280, 20, 0)


def test_zero_is_shown_and_the_end_of_somebody_is_not() -> None:
    safe = assess(curves_of([*ward(60, 240)[:-1], Followed(405)]), 11).safe
    assert safe is not None
    days = list(counts(safe)["overall"])
    assert days[-1] == 390
    assert counts(safe)["overall"][390] == (240, 0, 0)


def test_the_end_that_the_study_set_is_shown() -> None:
    people = [Followed(min(each.n_days, 365), each.ending) for each in ward(60, 240)]
    safe = assess(curves_of(people, follow_up=365), 11).safe
    assert safe is not None
    assert counts(safe)["overall"][365] == (0, 0, 240)
    assert curve(safe)[365] == pytest.approx(0.8)


def test_few_losses_wait_for_others() -> None:
    people = [*ward(60, 240), *(Followed(5) for _ in range(4)), *(Followed(45) for _ in range(9))]
    safe = assess(curves_of(people), 11).safe
    assert safe is not None
    assert [each[2] for each in counts(safe)["overall"].values()][1] == 13


def test_a_stratum_with_few_events_takes_another_with_it() -> None:
    people = [*ward(60, 240), *ward(5, 300, "Male")]
    found = assess(curves_of(people), 11)
    assert found.safe is not None
    assert set(counts(found.safe)) == {"overall"}
    (said,) = [each for each in found.findings if each.rule is Rule.STEPS]
    assert said.verdict is Verdict.REVIEW


def test_with_a_competing_outcome_both_have_the_minimum_in_each_step() -> None:
    people = [*ward(60, 240), *(Followed(day, plans.COMPETING) for day in range(2, 120, 4))]
    safe = assess(curves_of(people, competing=True), 11).safe
    assert safe is not None
    for outcome in ("bleed", "death"):
        events = [each[1] for each in counts(safe, outcome)["overall"].values() if each[1] is not None]
        assert all(n == 0 or n >= 11 for n in events)
    last = max(curve(safe))
    assert curve(safe)[last] == pytest.approx(curve(curves_of(people, competing=True))[last], abs=0.01)


def test_that_everybody_had_the_outcome_is_not_told() -> None:
    found = assess(curves_of([Followed(day, EVENT) for day in range(1, 60)]), 11)
    assert found.verdict is Verdict.REVIEW
    assert found.safe is not None
    assert not any(found.safe.of_type(kind).num_rows for kind in ("survival_estimates", "survival_events"))
    assert set(found.safe.of_type("survival_summary")["estimate_value"].to_pylist()) <= {HIDDEN, None}


def test_counts_that_their_persons_do_not_bear_out_are_refused() -> None:
    result = curves_of(ward(60, 240))
    rows = result.table.to_pylist()
    (row, *_) = [row for row in rows if row["estimate_name"] == "n_events_count" and row["estimate_value"] != "0"]
    row["estimate_value"] = "9"
    forged = StudyResult(pa.Table.from_pylist(rows, result.table.schema), result.settings, result.cells)
    assert assess(forged, 5).safe is None


def test_a_long_curve_has_sixty_steps() -> None:
    people = [Followed(day, EVENT if day % 5 == 0 else plans.CENSORED) for day in range(2_000) for _ in range(2)]
    safe = assess(curves_of(people), 2).safe
    assert safe is not None
    days = list(counts(safe)["overall"])
    assert days[:3] == [0, 40, 80]
    assert len(days) <= 61


people_of = st.lists(
    st.builds(
        Followed,
        st.integers(0, 60),
        st.sampled_from([plans.CENSORED, plans.CENSORED, EVENT, plans.COMPETING]),
        st.sampled_from(["Female", "Male"]),
    ),
    min_size=1,
    max_size=120,
)


@pytest.mark.parametrize("competing", [False, True])
def test_a_stratum_of_which_nobody_is_left_has_no_share_in_the_steps_of_the_others(competing: bool) -> None:
    people = [*[Followed(0, sex="Male")] * 2, *[Followed(20)] * 4]
    safe = assess(curves_of(people, competing=competing), 2).safe
    assert safe is not None
    assert counts(safe)["Male"][20] == (0, 0, 0)
    rows = safe.of_type("survival_estimates").filter(pc.field("strata_level") == "Male").to_pylist()
    shares = {row["additional_level"]: row["estimate_value"] for row in rows if row["estimate_name"] == "estimate"}
    assert shares["20"] is None
    assert shares["0"] == ("0" if competing else "1")


@settings(max_examples=60, deadline=None)
@given(people_of, st.integers(2, 6))
def test_no_step_of_a_curve_and_no_difference_of_curves_tells_of_a_few(people: list[Followed], k: int) -> None:
    safe = assess(curves_of(people, competing=True, gap_days=7), k).safe
    if safe is None:
        return
    told: dict[tuple[str, int, int, str], int] = {}
    for outcome in ("bleed", "death"):
        for level, days in counts(safe, outcome).items():
            ends = [day for day, each in days.items() if each[1] is not None]
            before = {end: start for start, end in zip([-1, *ends], ends, strict=False)}
            for day in ends:
                beyond, n_events, n_lost = days[day]
                assert n_events is not None
                assert n_lost is not None
                assert not any(0 < n < k for n in (beyond, n_events, n_lost))
                told[level, before[day], day, outcome] = n_events
                told[level, before[day], day, "lost"] = n_lost
    # Who holds the curves of one sex and of all subtracts them wherever the steps of all fill those of the sex.
    for (level, start, end, what), n in told.items():
        if level == "overall":
            continue
        wholes = [
            (s, e, m) for (of, s, e, w), m in told.items() if (of, w) == ("overall", what) and start <= s < e <= end
        ]
        if sum(e - s for s, e, _ in wholes) == end - start:
            rest = sum(m for *_, m in wholes) - n
            assert rest == 0 or rest >= k
