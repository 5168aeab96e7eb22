"""What each requirement leaves of a population, counted one record at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

from oracle.histories import DAY, FEMALE, MALE, History, Requirement, Stretch, birthday, born_on, stays

Row = tuple[History, Stretch | None]


def population_left(
    histories: Sequence[History], requirements: Sequence[Requirement], mine: Requirement, study: Stretch
) -> list[tuple[int, int, int]]:
    """For each reason its number, the records and the persons left, for one of the population's combinations.

    A record is a person with one observation period, or with none. Ages and prior observation are first judged by the
    widest of all combinations, then by one's own.
    """
    lowest = min(each.ages[0] for each in requirements)
    highest = max(each.ages[1] for each in requirements)
    least_prior = min(each.days_prior for each in requirements)

    def of_age(row: Row) -> bool:
        born = born_on(row[0])
        return born is not None and birthday(born, lowest) <= study[1] and birthday(born, highest + 1) > study[0]

    def with_history(row: Row) -> bool:
        if row[1] is None:
            return False
        ready_on: date = row[1][0] + DAY * least_prior
        return ready_on <= study[1] and ready_on <= row[1][1]

    sexes = {"both": (MALE, FEMALE), "male": (MALE,), "female": (FEMALE,)}[mine.sex]
    steps: list[tuple[int, Callable[[Row], bool]]] = [
        (1, lambda _: True),
        (2, lambda row: row[0].born[0] is not None),
        (3, lambda row: row[0].gender_concept_id in {MALE, FEMALE}),
        (4, of_age),
        (5, lambda row: row[1] is not None and row[1][0] <= study[1] and row[1][1] >= study[0]),
        (6, of_age),
        (7, with_history),
    ]
    if mine.sex != "both":
        steps.append((8, lambda row: row[0].gender_concept_id in sexes))
    rows: list[Row] = [(history, period) for history in histories for period in history.periods or (None,)]
    left = []
    for reason_id, holds in steps:
        rows = [row for row in rows if holds(row)]
        left.append((reason_id, len(rows), len({row[0].person_id for row in rows})))
    at_risk = [(history, stay) for history in histories for stay in stays(history, mine, study)]
    return [*left, (10, len(at_risk), len({history.person_id for history, _ in at_risk}))]


def incidence_left(
    stays_of: Sequence[Sequence[Stretch]], stretches_of: Sequence[Sequence[Stretch]], windows: Sequence[Stretch]
) -> list[tuple[int, int, int]]:
    """What an incidence leaves: stays, stretches at risk, and those that reach into a window; one list per person."""
    left = [(11, *_records_and_persons(stays_of)), (12, *_records_and_persons(stretches_of))]
    if not windows:
        return [*left, (13, 0, 0)]
    inside = [[each for each in stretches if _reaches(each, windows)] for stretches in stretches_of]
    return [*left, (14, *_records_and_persons(inside))]


def prevalence_left(
    stays_of: Sequence[Sequence[Stretch]], n_spells_of: Sequence[int], windows: Sequence[Stretch], *, whole: bool
) -> list[tuple[int, int, int]]:
    """What a prevalence leaves; each stay counts once for every spell that its person ever has, at least once."""
    rows_of = [
        [stay for stay in stays_of_one for _ in range(max(n_spells, 1))]
        for stays_of_one, n_spells in zip(stays_of, n_spells_of, strict=True)
    ]
    left = [(11, *_records_and_persons(rows_of))]
    if not windows:
        return [*left, (12, 0, 0), (13, 0, 0)]
    inside = [[each for each in rows if _reaches(each, windows)] for rows in rows_of]
    left.append((12, *_records_and_persons(inside)))
    if not whole:
        return [*left, (14, *_records_and_persons(inside))]
    covering = [[stay for stay in rows if any(stay[0] <= w[0] and w[1] <= stay[1] for w in windows)] for rows in inside]
    return [*left, (13, *_records_and_persons(covering))]


def _reaches(stretch: Stretch, windows: Sequence[Stretch]) -> bool:
    return stretch[1] >= min(first for first, _ in windows) and stretch[0] <= max(last for _, last in windows)


def _records_and_persons(records_of: Sequence[Sequence[Stretch]]) -> tuple[int, int]:
    return sum(len(records) for records in records_of), sum(1 for records in records_of if records)
