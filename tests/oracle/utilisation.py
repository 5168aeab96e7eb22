"""The use of drugs, person by person and day by day, as plainly as it is defined."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations

from oracle.characterise import (
    Entry,
    Key,
    Told,
    Window,
    count_and_share,
    entries_of,
    found_in,
    ids,
    in_window,
    is_observed,
    spread,
)
from oracle.histories import DAY, Cohort, Exposure, History, Stretch, days_of, spells


@dataclass(frozen=True)
class Strata:
    """Some entries by name and level."""

    name: str
    level: str
    hold: Callable[[Entry], bool]


EVERYBODY = Strata("overall", "overall", lambda _: True)
Taken = list[tuple[date, date, Exposure]]
"""Exposures with their own first and last day."""


def taken(entry: Entry, concepts: Iterable[int], end: date, *, incident: bool) -> Taken:
    """The exposures that count for an entry until a day; one without an end is none."""
    found = []
    for drug in entry.person.exposures:
        if (last := drug.end_on) is None:
            continue
        counts = drug.concept_id in concepts and drug.start_on <= last
        if counts and drug.start_on <= end and last >= entry.first and (drug.start_on >= entry.first or not incident):
            found.append((drug.start_on, last, drug))
    return found


def use(
    people: Sequence[History],
    cohort: Cohort,
    drugs: Mapping[str, frozenset[int]],
    *,
    gap: int,
    to_cohort_end: bool,
    incident: bool,
    strata: Strata = EVERYBODY,
) -> dict[Key, Told]:
    """Number of exposures and eras, days, quantities."""
    entries = [entry for entry in entries_of(people, cohort) if strata.hold(entry)]
    everyone = ids(entries)
    place = (cohort.name, strata.name, strata.level)
    found: dict[Key, Told] = {
        (*place, "number records", "", "overall"): Told({"count": len(entries)}, everyone, everyone),
        (*place, "number subjects", "", "overall"): Told({"count": len(everyone)}, everyone, everyone),
    }
    for name, concepts in drugs.items() if entries else ():
        measured = []
        for entry in entries:
            end = entry.last if to_cohort_end else entry.period[1]
            measured.append(_measures(entry, taken(entry, concepts, end, incident=incident), end, gap))
        for variable in measured[0]:
            having = [(entry, each[variable]) for entry, each in zip(entries, measured, strict=True)]
            known = [(entry, value) for entry, value in having if value is not None]
            whole = "quantity" not in variable
            estimates = {k: v for k, v in spread([v for _, v in known], whole).items() if k not in {"min", "max"}}
            n_missing = len(entries) - len(known)
            estimates |= {"count_missing": n_missing, "percentage_missing": 100 * n_missing / len(entries)}
            found[(*place, variable, "", name)] = Told(estimates, ids(entry for entry, _ in known), everyone)
    return found


def doses(
    people: Sequence[History],
    cohorts: Sequence[Cohort],
    per_piece: Mapping[int, tuple[float, str]],
    *,
    to_cohort_end: bool,
    incident: bool,
) -> dict[tuple[str, str, str, str], float]:
    """The mean dose by cohort, variable, unit and drug; an entry without has nought.

    In: per_piece — what a piece of a drug holds, and its unit
    """
    found: dict[tuple[str, str, str, str], list[float]] = {}
    for cohort in cohorts:
        for entry in entries_of(people, cohort):
            end = entry.last if to_cohort_end else entry.period[1]
            for drug in cohorts:
                dosed = [
                    (first, last, per_piece[each.concept_id][0] * each.quantity / len(days_of((first, last))), each)
                    for first, last, each in taken(entry, drug.concepts, end, incident=incident)
                    if each.concept_id in per_piece and each.quantity
                ]
                start = min((first for first, _, _, _ in dosed), default=entry.first)
                for unit in {per_piece[each.concept_id][1] for _, _, _, each in dosed}:
                    own = [each for each in dosed if per_piece[each[3].concept_id][1] == unit]
                    initial = math.fsum(dose for first, _, dose, _ in own if first == start or first <= entry.first)
                    inside = [
                        dose
                        for first, last, dose, _ in own
                        for day in days_of((first, last))
                        if entry.first <= day <= end
                    ]
                    found.setdefault((cohort.name, "initial daily dose", unit, drug.name), []).append(initial)
                    found.setdefault((cohort.name, "cumulative dose", unit, drug.name), []).append(math.fsum(inside))
    n_entries = {cohort.name: len(entries_of(people, cohort)) for cohort in cohorts}
    keys = {key[1:] for key in found}
    return {
        (name, *key): math.fsum(found.get((name, *key), [])) / n for name, n in n_entries.items() if n for key in keys
    }


def adherence(
    people: Sequence[History],
    cohort: Cohort,
    drugs: Mapping[str, frozenset[int]],
    *,
    n_days: int,
    threshold: float,
    incident: bool,
    strata: Strata = EVERYBODY,
) -> dict[Key, Told]:
    """Days covered and days supplied over days followed, and the persons whose first entry is covered enough."""
    entries = [entry for entry in entries_of(people, cohort) if strata.hold(entry)]
    firsts = [entry for entry in entries if entry == entries_of([entry.person], cohort)[0]]
    place, found = (cohort.name, strata.name, strata.level), {}
    for name, concepts in drugs.items() if entries else ():
        shares, supplies, adherent = [], [], []
        for entry in entries:
            followed = [day for day in days_of((entry.first, entry.period[1])) if (day - entry.first).days < n_days]
            exposures = taken(entry, concepts, followed[-1], incident=incident)
            covered = [day for day in followed if any(first <= day <= last for first, last, _ in exposures)]
            supplied = [day for first, last, _ in exposures for day in days_of((first, last)) if day >= entry.first]
            shares.append(len(covered) / len(followed))
            supplies.append(len(supplied) / len(followed))
            if entry in firsts and len(covered) / len(followed) >= threshold:
                adherent.append(entry)
        measures = {"proportion of days covered": shares, "medication possession ratio": supplies}
        for variable, values in measures.items():
            told = {k: v for k, v in spread(values, whole=False).items() if k not in {"min", "max"}}
            found[(*place, variable, "", name)] = Told(told, ids(entries), ids(entries))
        if firsts:
            enough = "persons with at least this proportion of days covered"
            told = count_and_share(len(adherent), len(firsts))
            found[(*place, enough, f"{threshold:g}", name)] = Told(told, ids(adherent), ids(firsts))
    return found


def _measures(entry: Entry, exposures: Taken, end: date, gap: int) -> dict[str, float | None]:
    """What is measured of one entry."""
    eras = _eras(exposures, gap)
    start = min((first for first, _, _ in exposures), default=None)
    initial = [each for each in exposures if each[0] == start]

    def inside(stretches: Iterable[Stretch]) -> int:
        return sum(entry.first <= day <= end for stretch in stretches for day in days_of(stretch))

    return {
        "number exposures": len(exposures),
        "time to exposure": None if start is None else max(0, (start - entry.first).days),
        "initial exposure duration": max((len(days_of((first, last))) for first, last, _ in initial), default=None),
        "number eras": len(eras),
        "days exposed": inside(eras),
        "days prescribed": inside((first, last) for first, last, _ in exposures),
        "cumulative quantity": math.fsum(drug.quantity or 0 for _, _, drug in exposures),
        "initial quantity": math.fsum(drug.quantity or 0 for _, _, drug in initial),
    }


def _eras(exposures: Taken, gap: int) -> list[Stretch]:
    """Exposures parted by at most a gap are one era."""
    eras: list[Stretch] = []
    for first, last, _ in sorted(exposures, key=lambda each: each[:2]):
        if eras and first - eras[-1][1] <= DAY * gap:
            eras[-1] = (eras[-1][0], max(eras[-1][1], last))
        else:
            eras.append((first, last))
    return eras


def indications(
    people: Sequence[History],
    cohort: Cohort,
    reasons: Sequence[Cohort],
    windows: Sequence[Window],
    *,
    unknown: bool,
    strata: Strata = EVERYBODY,
) -> dict[Key, Told]:
    """The reason of each entry in each window."""
    also = ("unknown", "none") if unknown else ("none",)
    entries = [entry for entry in entries_of(people, cohort) if strata.hold(entry)]
    ordered = sorted(reasons, key=lambda each: each.name)
    levels = [
        " and ".join(each.name for each in some)
        for n in range(1, len(ordered) + 1)
        for some in combinations(ordered, n)
    ]
    found: dict[Key, Told] = {}
    for window in windows:
        word = f"{'-inf' if window[0] is None else window[0]} to {'inf' if window[1] is None else window[1]}"
        said = [_reason(entry, ordered, window, unknown=unknown) for entry in entries]
        for level in (*levels, *also, "not in observation"):
            own = [entry for entry, reason in zip(entries, said, strict=True) if reason == level]
            found[cohort.name, strata.name, strata.level, word, level, word] = _share(own, entries)
    return found


def treatments(
    people: Sequence[History],
    cohort: Cohort,
    others: Sequence[Cohort],
    windows: Sequence[Window],
    strata: Strata = EVERYBODY,
) -> dict[Key, Told]:
    """The treatments around each entry in each window, each on its own."""
    entries = [entry for entry in entries_of(people, cohort) if strata.hold(entry)]
    found: dict[Key, Told] = {}
    for window in windows:
        word = f"{'-inf' if window[0] is None else window[0]} to {'inf' if window[1] is None else window[1]}"
        seen = [entry for entry in entries if is_observed(entry, window)]
        having = {other.name: [entry for entry in seen if found_in(entry, other, window)] for other in others}
        levels = {
            **having,
            "untreated": [entry for entry in seen if not any(found_in(entry, other, window) for other in others)],
            "not in observation": [entry for entry in entries if not is_observed(entry, window)],
        }
        for level, own in levels.items():
            found[cohort.name, strata.name, strata.level, word, level, word] = _share(own, entries)
    return found


def _share(own: Sequence[Entry], entries: Sequence[Entry]) -> Told:
    share = round(100 * len(own) / len(entries), 5) if entries else 0
    return Told({"count": len(own), "percentage": share}, ids(own), ids(entries))


def coverage(people: Sequence[History], drugs: Mapping[int, tuple[float, str, str] | None]) -> dict[Key, Told]:
    """Of all exposures to some drugs, how many have a daily dose, and how large it is.

    In: drugs — what a piece holds, its unit and pattern; None where its strength is not understood
    """
    exposures = [(person, drug) for person in people for drug in person.exposures if drug.concept_id in drugs]
    found: dict[Key, Told] = {}
    parts: dict[tuple[str, str], list[tuple[History, Exposure]]] = {("overall", "overall"): exposures}
    for person, drug in exposures:
        _, unit, pattern = drugs[drug.concept_id] or (0, "missing", "missing")
        route = "missing" if drug.route is None else f"concept {drug.route}"
        for names in (("unit",), ("route", "unit"), ("unit", "route", "pattern")):
            words = {"unit": unit, "route": route, "pattern": pattern}
            level = " &&& ".join(words[name] for name in names)
            parts.setdefault((" &&& ".join(names), level), []).append((person, drug))
    for strata, own in parts.items():
        everyone = frozenset(person.person_id for person, _ in own)
        doses = [(person, _daily(drug, drugs[drug.concept_id])) for person, drug in own]
        without = frozenset(person.person_id for person, dose in doses if dose is None)
        known = [dose for _, dose in doses if dose is not None]
        place = ("concept 9", *strata)
        found[(*place, "number records", "", "overall")] = Told({"count": len(own)}, everyone, everyone)
        found[(*place, "number subjects", "", "overall")] = Told({"count": len(everyone)}, everyone, everyone)
        if own:
            n_missing = len(own) - len(known)
            missing = {"count_missing": n_missing, "percentage_missing": 100 * n_missing / len(own)}
            found[(*place, "Missing dose", "", "overall")] = Told(missing, without, everyone)
        if known and strata[0] != "overall":
            dosed = frozenset(person.person_id for person, dose in doses if dose is not None)
            told = {k: v for k, v in spread(known, whole=False).items() if k not in {"min", "max"}}
            found[(*place, "daily_dose", "", "overall")] = Told(told, dosed, everyone)
    return found


def _daily(drug: Exposure, strength: tuple[float, str, str] | None) -> float | None:
    if strength is None or not drug.quantity or drug.end_on is None or drug.end_on < drug.start_on:
        return None
    return strength[0] * drug.quantity / len(days_of((drug.start_on, drug.end_on)))


def _reason(entry: Entry, reasons: Sequence[Cohort], window: Window, *, unknown: bool) -> str:
    if not is_observed(entry, window):
        return "not in observation"
    if found := [reason.name for reason in reasons if found_in(entry, reason, window)]:
        return " and ".join(found)
    for record in entry.person.records if unknown else ():
        last = record.end_on or record.start_on
        if record.start_on <= entry.period[1] and last >= entry.period[0] and in_window(record.start_on, entry, window):
            return "unknown"
    return "none"


def covered(
    people: Sequence[History], cohort: Cohort, n_days: int, strata: Strata = EVERYBODY
) -> dict[int, tuple[frozenset[int], frozenset[int]]]:
    """On each day after a person's first entry: who is in the cohort, and who is still observed."""
    found: dict[int, tuple[set[int], set[int]]] = {day: (set(), set()) for day in range(n_days + 1)}
    for person in people:
        entries = entries_of([person], cohort)
        own = [entry for entry in entries if strata.hold(entry)]
        for day in range(n_days + 1) if own else ():
            on = entries[0].first + DAY * day
            if any(entry.first <= on <= entry.last for entry in own):
                found[day][0].add(person.person_id)
            if any(entry.period[1] >= on for entry in own):
                found[day][1].add(person.person_id)
    return {day: (frozenset(one), frozenset(other)) for day, (one, other) in found.items()}


def restarts(
    people: Sequence[History],
    cohort: Cohort,
    switch: Sequence[Cohort],
    follow_up: Sequence[int | None],
    *,
    incident: bool,
    first_only: bool,
    strata: Strata = EVERYBODY,
) -> dict[Key, Told]:
    """What happens after each entry, or each person's first one, ends."""
    entries = [
        entry
        for person in people
        for entry in (entries_of([person], cohort)[:1] if first_only else entries_of([person], cohort))
        if strata.hold(entry)
    ]
    found: dict[Key, Told] = {}
    for days in follow_up:
        said = [_after(entry, switch, days, incident=incident) for entry in entries]
        variable = "Drug restart till end of observation" if days is None else f"Drug restart in {days} days"
        for level in ("restart", "switch", "restart and switch", "untreated"):
            own = [entry for entry, what in zip(entries, said, strict=True) if what == level]
            key = (cohort.name, strata.name, strata.level, variable, level, f"{'inf' if days is None else days} days")
            found[key] = Told(count_and_share(len(own), len(entries)), ids(own), ids(entries))
    return found


def _after(entry: Entry, switch: Sequence[Cohort], days: int | None, *, incident: bool) -> str:
    end = entry.period[1] if days is None else min(entry.period[1], entry.last + DAY * days)
    again = entry.next_first is not None and entry.next_first <= end
    others = [
        first
        for other in switch
        for first, last in spells(entry.person, other)
        if last >= entry.last and (first >= entry.last or not incident)
    ]
    other = bool(others) and min(others) <= end
    return {(True, True): "restart and switch", (True, False): "restart", (False, True): "switch"}.get(
        (again, other), "untreated"
    )
