"""The drugs whose effect is known: the studies that ask after it, and what the persons drawn make of it.

A population is a draw: its own ratio lies beside the true one by chance, and an estimate from its deliveries should
lie at the drawn one. So the truth states both, and how many new users, events and days it rests on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from enclos.synthetic.care import Dispensings
from enclos.synthetic.illness import APIXABAN, ATORVASTATIN, RIVAROXABAN, ROSUVASTATIN, Illness, Indices
from enclos.synthetic.outcomes import (
    GAP_DAYS,
    GI_BLEED,
    MYOCARDIAL_INFARCTION,
    Events,
    Outcome,
    base_hazard,
    exposure,
)
from enclos.synthetic.people import NEVER, People
from enclos.synthetic.vocabulary import ingredient_id

PRIOR_DAYS = 365
"""Days in the data before the first dispensing that make a new user."""
_N_STRATA = 20
_Z_95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class KnownEffect:
    """A drug against another that does nothing to the outcome, and what it does."""

    target: str
    target_atc: str
    comparator: str
    comparator_atc: str
    outcome: Outcome
    hazard_ratio: float

    @property
    def id(self) -> str:
        """Its name."""
        return f"{self.target}-{self.outcome.name.replace('_', '-')}"

    @property
    def study(self) -> str:
        """The study that asks after it, beside the truth."""
        return f"studies/{self.target}.yaml"


EFFECTS = (
    KnownEffect("rivaroxaban", RIVAROXABAN, "apixaban", APIXABAN, GI_BLEED, GI_BLEED.effects[0].ratio),
    KnownEffect("rosuvastatin", ROSUVASTATIN, "atorvastatin", ATORVASTATIN, MYOCARDIAL_INFARCTION, 1.0),
)
"""A drug that harms and one that does not."""


@dataclass(frozen=True, slots=True)
class NewUsers:
    """New users of both drugs of an effect, one per position, while they use it and until the first outcome."""

    target: npt.NDArray[np.bool_]
    hazard: npt.NDArray[np.float64]
    """Events per person-year at the first dispensing, had the drug no effect."""
    days: Indices
    event: npt.NDArray[np.bool_]


def new_users(
    folk: People, ill: Illness, dispensed: Dispensings, lasts: Indices, effect: KnownEffect, came: Events
) -> NewUsers:
    """Who begins one of the drugs after a year in the data and without the outcome, as the effect's study has it.

    In: lasts — per pack, days that one dispensing lasts; came — the events of the effect's outcome
    """
    spans = [exposure(folk, dispensed, atc, lasts) for atc in (effect.target_atc, effect.comparator_atc)]
    begins, ends = np.stack([each.start[0] for each in spans]), np.stack([each.stop[0] for each in spans])
    arm, everyone = np.argmin(begins, axis=0), np.arange(len(folk))
    begin, end = begins[arm, everyone], np.minimum(ends[arm, everyone], folk.leaves)
    first = came.first_day(len(folk))
    who = np.flatnonzero((begin < NEVER) & (begin - folk.enters >= PRIOR_DAYS) & (first >= begin))
    begin, end, first = begin[who], end[who], first[who]
    hazard = base_hazard(effect.outcome, folk.age(begin, who), folk.female[who], ill, who)
    return NewUsers(arm[who] == 0, hazard, np.minimum(end, first + 1) - begin, first < end)


@dataclass
class EffectsTruth:
    """New users of every effect, gathered over chunks."""

    found: dict[str, list[NewUsers]] = field(default_factory=dict)

    def add(self, folk: People, ill: Illness, dispensed: Dispensings, lasts: Indices, came: dict[str, Events]) -> None:
        """Gather one chunk of persons.

        In: came — by outcome, its events
        """
        for effect in EFFECTS:
            users = new_users(folk, ill, dispensed, lasts, effect, came[effect.outcome.name])
            self.found.setdefault(effect.id, []).append(users)

    def rows(self) -> list[dict[str, Any]]:
        """Per effect: id, the true hazard ratio, its study, and what was drawn."""
        return [
            {
                "id": effect.id,
                "hazard_ratio": effect.hazard_ratio,
                "study": effect.study,
                "drawn": drawn(self.found.get(effect.id, [])),
            }
            for effect in EFFECTS
        ]


def drawn(parts: list[NewUsers]) -> dict[str, Any]:
    """What the new users make of an effect.

    Out:    target and comparator with n_persons, n_events and person_days; ratio with lower and upper, of rates among
            persons alike in the hazard that they would have without the drug
    Empty:  ratio, lower and upper are None where an arm has no event
    Source: Mantel and Haenszel's rate ratio; its interval: Greenland and Robins 1985, Biometrics 41:55.
    """
    target, hazard, days, event = (
        np.concatenate([np.asarray(getattr(part, name), dtype=np.float64) for part in parts] or [np.zeros(0)])
        for name in ("target", "hazard", "days", "event")
    )
    arms = {"target": target == 1, "comparator": target == 0}
    counts = {
        name: {"n_persons": int(who.sum()), "n_events": int(event[who].sum()), "person_days": int(days[who].sum())}
        for name, who in arms.items()
    }
    unknown = {**counts, "ratio": None, "lower": None, "upper": None}
    if not len(hazard):
        return unknown
    stratum = np.searchsorted(np.quantile(hazard, np.arange(1, _N_STRATA) / _N_STRATA), hazard)
    sums = [[np.bincount(stratum, what * who) for what in (event, days)] for who in arms.values()]
    (events_1, days_1), (events_0, days_0) = sums
    whole = np.maximum(days_1 + days_0, 1)
    above, below = (events_1 * days_0 / whole).sum(), (events_0 * days_1 / whole).sum()
    if not above or not below:
        return unknown
    variance = ((events_1 + events_0) * days_1 * days_0 / whole**2).sum() / (above * below)
    ratio, width = above / below, np.exp(_Z_95 * np.sqrt(variance))
    ends = {"ratio": ratio, "lower": ratio / width, "upper": ratio * width}
    return {**counts, **{name: round(float(value), 6) for name, value in ends.items()}}


def compare_study(effect: KnownEffect, outcome_concept: int) -> str:
    """The study that asks after an effect.

    In: outcome_concept — the concept above all codes of the outcome
    """
    target, comparator, outcome = effect.target, effect.comparator, effect.outcome.name
    cohorts = [(drug, ingredient_id(drug), "drug", f", gap_era: {GAP_DAYS}") for drug in (target, comparator)]
    cohorts.append((outcome, outcome_concept, "condition", ""))
    return "\n".join(
        [
            f"# New users of {target} against new users of {comparator}. Age and sex choose the drug as well as the",
            "# outcome, and so do other conditions that the claims show: a crude ratio is biased.",
            f"study: {effect.id}",
            "cohorts:",
            *(cohort_line(*each) for each in cohorts),
            "analyses:",
            "  - compare:",
            f"      target: {target}",
            f"      comparator: {comparator}",
            f"      outcome: {outcome}",
            f"      days_prior_observation: {PRIOR_DAYS}",
            "      first_exposure: true",
            "      follow_up: on_treatment",
            "      censor_at_switch: true",
            "      covariates: {domains: [demographics, condition, drug], windows: [any_time]}",
            "      # Of few persons, folds would choose a penalty that leaves out age and sex.",
            "      propensity: {prior: laplace, variance: 1}",
            "      weight: {estimand: overlap}",
            "",
        ]
    )


def cohort_line(name: str, concept: int, domain: str, more: str = "") -> str:
    """One cohort of first records, in a study file."""
    return (
        f"  {name}: {{concepts: [{concept}], descendants: true, domain: {domain}, limit: first, end: event_end{more}}}"
    )
