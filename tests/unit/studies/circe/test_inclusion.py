"""Which rules events pass, and the best event of every person: against Circe's words said event by event."""

from __future__ import annotations

import numpy as np
import pytest

from enclos.studies.circe.rules.columns import Events
from enclos.studies.circe.rules.inclusion import best_events, patterns

N_EVENTS = 300


@pytest.mark.parametrize("n_rules", [0, 1, 3, 70])
def test_a_letter_for_each_rule_says_whether_it_is_passed(n_rules: int) -> None:
    chance = np.random.default_rng(n_rules)
    held = [chance.random(N_EVENTS) < 0.5 for _ in range(n_rules)]
    wanted = [bytes("".join("01"[int(rule[at])] for rule in held), "ascii") for at in range(N_EVENTS)]
    assert patterns(held, N_EVENTS) == wanted


@pytest.mark.parametrize("n_rules", [0, 1, 4])
def test_the_best_event_passes_most_rules_then_the_earliest_then_comes_first(n_rules: int) -> None:
    chance = np.random.default_rng(n_rules)
    person, start, number = (chance.integers(0, n, N_EVENTS) for n in (20, 5, N_EVENTS))
    held = [chance.random(N_EVENTS) < 0.4 for _ in range(n_rules)]
    passed = [[at for at, rule in enumerate(held) if rule[event]] for event in range(N_EVENTS)]
    events = Events(person, start, start, start, start, start, number, start, start)
    wanted = {
        min(
            np.flatnonzero(person == one).tolist(),
            key=lambda at: (-len(passed[at]), min(passed[at], default=0), start[at], number[at]),
        )
        for one in set(person.tolist())
    }
    assert set(np.flatnonzero(best_events(events, held)).tolist()) == wanted


def test_nobody_has_no_best_event() -> None:
    none = np.zeros(0, np.int64)
    assert best_events(Events(*[none] * 9), []).tolist() == patterns([], 0) == []
