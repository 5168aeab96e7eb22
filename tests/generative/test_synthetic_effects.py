"""The drugs of the synthetic France do what its truth says: measured on its persons, before any file is written.

Whether the whole chain finds the same is in tests/acceptance/test_known_effects.py.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache

import numpy as np
import numpy.typing as npt
import pytest

from enclos.synthetic.care import Dispensings, town_care
from enclos.synthetic.effects import EFFECTS, KnownEffect, drawn, new_users
from enclos.synthetic.illness import (
    ATORVASTATIN,
    METFORMIN,
    ROSUVASTATIN,
    Illness,
    Indices,
    boxes_a_month,
    episodes,
    illness,
)
from enclos.synthetic.outcomes import LASTS_DAYS, OUTCOMES, Events, events, exposure
from enclos.synthetic.people import NEVER, People, Shares, people
from enclos.synthetic.references import administered_drugs

START, END = ((day - date(1970, 1, 1)).days for day in (date(2019, 1, 1), date(2024, 1, 1)))
N_CHUNKS, N_PERSONS, MIN_AGE = 6, 8_000, 70
Floats = npt.NDArray[np.float64]
Chunk = tuple[People, Illness, Dispensings, Indices, dict[str, Events]]


@cache
def chunk(seed: int) -> Chunk:
    """Persons, what they have, what they are dispensed, how long a pack lasts, and their outcomes."""
    lasts = boxes_a_month()[1] * LASTS_DAYS
    rng = np.random.Generator(np.random.PCG64(seed))
    folk = people(rng, 0, N_PERSONS, START, END, Shares(), MIN_AGE)
    ill = illness(rng, folk)
    dispensed = town_care(rng, folk, ill, episodes(rng, folk, ill)).dispensed
    used = {e.atc: exposure(folk, dispensed, e.atc, lasts) for outcome in OUTCOMES for e in outcome.effects}
    return folk, ill, dispensed, lasts, {each.name: events(rng, folk, ill, each, used) for each in OUTCOMES}


def rows_of(effect: KnownEffect) -> Floats:
    """Per new user: whether of the target, age in fives, sex, two traits, days used, whether the outcome came then."""
    rows = []
    for seed in range(N_CHUNKS):
        folk, ill, dispensed, lasts, happened = chunk(seed)
        came = happened[effect.outcome.name].first_day(len(folk))
        for atc in (effect.target_atc, effect.comparator_atc):
            spans = exposure(folk, dispensed, atc, lasts)
            begin, stop = spans.start[0], np.minimum(spans.stop[0], folk.leaves)
            who = np.flatnonzero((begin < NEVER) & (begin >= folk.enters + 365) & (came >= begin))
            has = came[who] < stop[who]
            days = np.where(has, came[who] + 1, stop[who]) - begin[who]
            traits = [ill.has[name][who] for name in ("diabetes_2", "coronary")]
            age, arm = folk.age(begin[who], who) // 5, np.full(len(who), atc == effect.target_atc)
            rows.append(np.stack([arm, age, folk.female[who], *traits, days, has], axis=1))
    return np.concatenate(rows).astype(np.float64)


def rate_ratio(rows: Floats, strata: slice) -> tuple[float, float, float]:
    """Mantel and Haenszel's rate ratio over strata, with Greenland and Robins' interval (1985)."""
    target, days, has = rows[:, 0] == 1, rows[:, 5], rows[:, 6]
    _, stratum = np.unique(rows[:, strata], axis=0, return_inverse=True)
    sums = [[np.bincount(stratum, what * arm) for what in (has, days)] for arm in (target, ~target)]
    (events_1, days_1), (events_0, days_0) = sums
    whole = days_1 + days_0
    above, below = (events_1 * days_0 / whole).sum(), (events_0 * days_1 / whole).sum()
    variance = ((events_1 + events_0) * days_1 * days_0 / whole**2).sum() / (above * below)
    ratio, width = above / below, np.exp(1.96 * np.sqrt(variance))
    return float(ratio), float(ratio / width), float(ratio * width)


@pytest.mark.parametrize("effect", EFFECTS, ids=lambda effect: effect.id)
def test_among_alike_persons_the_drug_has_its_effect_and_crude_ratios_are_biased(effect: KnownEffect) -> None:
    rows = rows_of(effect)
    ratio, lower, upper = rate_ratio(rows, slice(1, 5))
    crude, *_ = rate_ratio(rows, slice(0, 0))
    assert lower < effect.hazard_ratio < upper < 1.7 * lower * (1.4 if effect.hazard_ratio == 1 else 1)
    # The younger take the harmful drug, the older and those on metformin the harmless one.
    assert crude < ratio if effect.hazard_ratio > 1 else crude > ratio


@pytest.mark.parametrize("effect", EFFECTS, ids=lambda effect: effect.id)
def test_the_truth_counts_the_same_users_and_finds_the_same_ratio(effect: KnownEffect) -> None:
    """Its strata are of the hazard that only the generator knows; those of the rows, of age, sex and traits."""
    rows = rows_of(effect)
    found = drawn([new_users(*chunk(n)[:4], effect, chunk(n)[4][effect.outcome.name]) for n in range(N_CHUNKS)])
    for arm, mine in (("target", rows[:, 0] == 1), ("comparator", rows[:, 0] == 0)):
        assert found[arm] == {
            "n_persons": mine.sum(),
            "n_events": rows[mine, 6].sum(),
            "person_days": rows[mine, 5].sum(),
        }
    ratio, lower, upper = rate_ratio(rows, slice(1, 5))
    assert found["ratio"] == pytest.approx(ratio, rel=0.05)
    assert found["upper"] / found["lower"] == pytest.approx(upper / lower, rel=0.1)


def test_nobody_and_an_arm_without_events_have_no_ratio() -> None:
    assert drawn([])["ratio"] is None
    some = new_users(*chunk(0)[:4], EFFECTS[0], chunk(0)[4]["gi_bleed"])
    none = replace(some, event=some.event & some.target)
    assert drawn([none])["ratio"] is None
    assert drawn([none])["target"] == drawn([some])["target"]


def test_who_is_diabetic_later_chooses_a_statin_as_anybody_does() -> None:
    """What claims do not show on the day of the choice has no part in it, or no study could adjust for it."""
    diabetic, on_rosuvastatin = [], []
    for seed in range(N_CHUNKS):
        folk, ill, dispensed, lasts, _ = chunk(seed)
        begins = {
            atc: exposure(folk, dispensed, atc, lasts).start[0] for atc in (METFORMIN, ROSUVASTATIN, ATORVASTATIN)
        }
        first = np.minimum(begins[ROSUVASTATIN], begins[ATORVASTATIN])
        who = (first < NEVER) & (begins[METFORMIN] > first)
        diabetic.append(ill.has["diabetes_2"][who])
        on_rosuvastatin.append(begins[ROSUVASTATIN][who] < NEVER)
    later, rosuvastatin = np.concatenate(diabetic), np.concatenate(on_rosuvastatin)
    arms = (rosuvastatin[later], rosuvastatin[~later])
    width = 3 * np.sqrt(sum(arm.var() / len(arm) for arm in arms))
    assert later.sum() > 500
    assert abs(arms[0].mean() - arms[1].mean()) < width < 0.08


def test_no_ward_gives_a_drug_whose_effect_is_known() -> None:
    """A ward would begin the drug on the day of the outcome that brought the person there."""
    given = {atc for atc, _, _ in administered_drugs()}
    assert not given & {atc for effect in EFFECTS for atc in (effect.target_atc, effect.comparator_atc)}
