"""An attacker of rounded counts: asks again, in other words and orders and under other permits, and sweeps thresholds.

What averaging could gain is looked at in the numbers themselves: of the same persons no answer ever differs from the
first, so that the mean of all answers is the first. Sweeps that would show where a rounded count turns are refused,
since sets are compared exactly; what leaves is judged as if it were not rounded (tests/oracle/determined.py).
"""

from __future__ import annotations

from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from enclos.contracts.result import PersonNumbers, StudyResult, result_from_csv
from enclos.release.rules.disclosure import assess
from enclos.release.rules.rounding import Rounding
from factories.corpus import cohorts
from factories.desk import KEY, Desk
from factories.results import Asked, crowd, result_of
from generative.test_release_attackers import attack, cohorts_asked


def counts(result: StudyResult, rounding: Rounding) -> dict[tuple[str, str, str], str]:
    """What is said of each group, day and estimate, whatever the order of lines and the ids."""
    safe = assess(result, rounding.base, rounding).safe
    assert safe is not None
    names = ("denominator_sex", "denominator_age_group")
    who = {each.result_id: " ".join(each.values[name] for name in names) for each in safe.settings}
    return {
        (
            who[row["result_id"]],
            row["additional_level"],
            row["estimate_name"],
        ): row["estimate_value"]
        for row in safe.table.to_pylist()
    }


@settings(max_examples=8, deadline=None)
@given(st.integers(150, 400), st.integers(0, 10**6), st.sampled_from([5, 10]))
def test_asking_again_in_any_order_and_under_any_permit_gives_the_same_number(n: int, seed: int, base: int) -> None:
    people = crowd(n, seed, p_event=0.4)
    asked = Asked(overall=False)
    first = counts(result_of(people, asked, attrition=False), Rounding(base, KEY, lambda numbers: numbers))
    order = Random(seed).sample(range(n), n)  # noqa: S311 - test data
    again = result_of([people[at] for at in order], Asked(("Female", "Both", "Male"), overall=False), attrition=False)
    own = again.cells[0].person_numbers

    def warehouse(numbers: PersonNumbers) -> PersonNumbers:
        """The number that the first permit has for each person of the second."""
        return own[np.array(order)[np.searchsorted(own, numbers)]]

    assert counts(again, Rounding(base, KEY, warehouse)) == first


@settings(max_examples=8, deadline=None)
@given(cohorts_asked(), st.integers(2, 4))
def test_no_sequence_of_rounded_answers_determines_a_few(asked: list[str], k: int) -> None:
    attack([cohorts(text) for text in asked], k, round_to=k)


def test_a_threshold_swept_by_one_shows_no_turn() -> None:
    desk, answers = Desk(11, 5), []
    for last in range(295, 310):
        said = desk.ask(cohorts(f"A 0-{last}"), f"P{last % 3}")
        if said.leaves:
            desk.release(said)
            rows = result_from_csv(said.table.encode("utf-8"))[0].to_pylist()
            answers.append(int(rows[0]["estimate_value"]))
    assert len(answers) == 2  # eleven persons apart: what is between them is refused
    assert all(each % 5 == 0 for each in answers)
