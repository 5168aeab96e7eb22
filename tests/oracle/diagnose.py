"""Phenotype diagnostics record by record; shares no code with the engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from oracle.histories import Cohort, History, Stretch, spells


def records_of(history: History, concepts: Iterable[int]) -> list[tuple[int, date, date | None]]:
    """Concept, first and last day of the records of some concepts."""
    return [(each.concept_id, each.start_on, each.end_on) for each in history.records if each.concept_id in concepts]


def in_observation(history: History, day: date) -> bool:
    """Whether the person is observed on a day."""
    return any(start <= day <= end for start, end in history.periods)


def record_stages(history: History, cohort: Cohort) -> dict[str, int]:
    """How many records of a person each step leaves of a cohort of conditions, before only first ones are kept."""
    records = records_of(history, cohort.concepts)
    observed = [each for each in records if in_observation(history, each[1])]
    dated = [each for each in observed if each[2] is None or each[1] <= each[2]]
    return {
        "Initial qualifying events": len(records),
        "Record in observation": len(observed),
        "Not missing record date": len(dated),
        "Merge overlapping records": len(spells(history, replace(cohort, first_only=False))),
    }


def excluded(stages: Mapping[str, tuple[int, int]]) -> list[tuple[str, int, int, int, int]]:
    """Reason, records, subjects, and how many of each are gone since the reason before."""
    found = []
    before = None
    for reason, (n_records, n_subjects) in stages.items():
        gone = (0, 0) if before is None else (before[0] - n_records, before[1] - n_subjects)
        found.append((reason, n_records, n_subjects, *gone))
        before = (n_records, n_subjects)
    return found


def code_use(
    people: Sequence[History], concepts: Iterable[int], entries: Mapping[int, Sequence[Stretch]], timing: str
) -> dict[int, dict[int, int]]:
    """Of each concept, how many records each person has: overall, those of members, or those on a day of entry."""
    found: dict[int, dict[int, int]] = {}
    for person in people:
        own = entries.get(person.person_id, ())
        starts = {start for start, _ in own}
        for concept, start, _ in records_of(person, concepts):
            counts = {"overall": True, "any": bool(own), "entry": start in starts}[timing]
            if counts and in_observation(person, start):
                of = found.setdefault(concept, {})
                of[person.person_id] = of.get(person.person_id, 0) + 1
    return found


def started(entries: Mapping[int, Sequence[Stretch]]) -> dict[int, dict[int, int]]:
    """Of each year between the first and the last entry, how many entries of each person begin in it."""
    years = [start.year for own in entries.values() for start, _ in own]
    found: dict[int, dict[int, int]] = {year: {} for year in range(min(years), max(years) + 1)} if years else {}
    for person, own in entries.items():
        for start, _ in own:
            found[start.year][person] = found[start.year].get(person, 0) + 1
    return found
