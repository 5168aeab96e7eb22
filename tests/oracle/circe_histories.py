"""Circe cohorts by reading the definition aloud, person by person and event by event; it shares no code with Enclos.

Circe leaves open which of two events of one day comes first. ``circe_rows`` asks both ways and has no answer where the
ways differ; ``enclos_rows`` asks as Enclos promises: by the record's number, the domain, the place in the definition.
Source: OHDSI Circe-be 1.11, CohortExpressionQueryBuilder.java and generateCohort.sql (Apache-2.0).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from oracle.circe_events import (
    Event,
    Json,
    Person,
    Tables,
    found_by,
    in_concepts,
    in_dates,
    in_selection,
    in_whole,
    persons,
)

Row = tuple[int, date, date]
Sets = Mapping[int, set[int]]
_FORWARDS, _BACKWARDS, _ENCLOS = "forwards", "backwards", "as Enclos promises"


@dataclass(frozen=True)
class Index:
    """An event that others are looked for around, with its observation period."""

    event: Event
    op_start: date
    op_end: date


def circe_rows(definition: Json, tables: Tables) -> list[Row] | None:
    """The cohort's rows (person, first day, last day) in order, or None where open ties decide which they are."""
    ways = [_rows(definition, tables, ties) for ties in (_FORWARDS, _BACKWARDS)]
    return ways[0] if ways[0] == ways[1] else None


def enclos_rows(definition: Json, tables: Tables) -> list[Row]:
    """The cohort's rows with ties as Enclos orders them."""
    return _rows(definition, tables, _ENCLOS)


def _rows(definition: Json, tables: Tables, ties: str) -> list[Row]:
    sets = concept_sets(definition, tables)
    found: list[Row] = []
    for person in persons(tables):
        included = _included(definition, person, sets, ties)
        spells = [
            (index.event.start, end)
            for index in included
            if (end := _exit(definition, index, person, sets)) is not None and end >= index.event.start
        ]
        pad = (definition.get("CollapseSettings") or {}).get("EraPad") or 0
        found += [(person.row["person_id"], *spell) for spell in _collapsed(spells, pad)]
    return sorted(_censored(definition, found))


def _included(definition: Json, person: Person, sets: Sets, ties: str) -> list[Index]:
    primary = definition["PrimaryCriteria"]
    window = primary["ObservationWindow"]
    prior, post = timedelta(days=window["PriorDays"]), timedelta(days=window["PostDays"])
    indexes = []
    for place, criterion in enumerate(primary["CriteriaList"]):
        order = (next(iter(criterion)) if ties == _ENCLOS else "", place)
        for event in _events(criterion, person, sets):
            for period in person.tables["observation_period"]:
                first, last = period["observation_period_start_date"], period["observation_period_end_date"]
                if first <= event.start <= last and first + prior <= event.start and event.start + post <= last:
                    indexes.append((order, Index(event, first, last)))
    indexes.sort(key=lambda pair: (pair[0], pair[1].event.end or date.max), reverse=ties == _BACKWARDS)
    kept = [index for _, index in sorted(indexes, key=lambda pair: pair[1].event.id)]
    limit = _limit(primary.get("PrimaryCriteriaLimit"), otherwise="first")
    kept.sort(key=lambda index: index.event.sort, reverse=limit == "last")
    kept = _limited(kept, limit)
    extra = definition.get("AdditionalCriteria")
    if extra is not None:
        if not _empty(extra):
            kept = [index for index in kept if _group(extra, index, person, sets)]
        kept = _by_day(kept, _limit(definition.get("QualifiedLimit"), otherwise="all"), ties)
    for rule in definition.get("InclusionRules") or ():
        kept = [index for index in kept if _group(rule["expression"], index, person, sets)]
    return _by_day(kept, _limit(definition.get("ExpressionLimit"), otherwise="all"), ties)


def _limit(limit: Json | None, otherwise: str) -> str:
    return "first" if not limit else (limit.get("Type") or otherwise).lower()


def _limited(indexes: list[Index], limit: str) -> list[Index]:
    return indexes if limit == "all" else indexes[:1]


def _by_day(indexes: list[Index], limit: str, ties: str) -> list[Index]:
    ordered = list(reversed(indexes)) if ties == _BACKWARDS else list(indexes)
    ordered.sort(key=lambda index: index.event.start, reverse=limit == "last")
    return _limited(ordered, limit) if limit != "all" else indexes


def _events(criterion: Json, person: Person, sets: Sets) -> list[Event]:
    ((kind, body),) = criterion.items()
    body = body or {}
    events = found_by(kind, body, person, sets)
    around = body.get("CorrelatedCriteria")
    if around is None or _empty(around):
        return events
    return [
        event
        for event in events
        if any(
            period["observation_period_start_date"] <= event.start <= period["observation_period_end_date"]
            and _group(
                around,
                Index(event, period["observation_period_start_date"], period["observation_period_end_date"]),
                person,
                sets,
            )
            for period in person.tables["observation_period"]
        )
    ]


def _empty(group: Json) -> bool:
    return not (group.get("CriteriaList") or group.get("DemographicCriteriaList") or group.get("Groups"))


def _group(group: Json, index: Index, person: Person, sets: Sets) -> bool:
    if _empty(group):
        return True
    answers = [_correlated(each, index, person, sets) for each in group.get("CriteriaList") or ()]
    answers += [_demographic(each, index, person, sets) for each in group.get("DemographicCriteriaList") or ()]
    answers += [_group(each, index, person, sets) for each in group.get("Groups") or ()]
    n, kind = sum(answers), group["Type"].upper()
    if kind == "ALL":
        return n == len(answers)
    if kind == "ANY":
        return n > 0
    return bool(n >= group["Count"] if kind == "AT_LEAST" else n <= group["Count"])


def _demographic(wanted: Json, index: Index, person: Person, sets: Sets) -> bool:
    row = person.row
    return (
        in_whole(person.age(index.event.start), wanted.get("Age"))
        and in_dates(index.event.start, wanted.get("OccurrenceStartDate"))
        and in_dates(index.event.end, wanted.get("OccurrenceEndDate"))
        and all(
            in_concepts(row[f"{name.lower()}_concept_id"], wanted.get(name))
            and in_selection(row[f"{name.lower()}_concept_id"], wanted.get(f"{name}CS"), sets)
            for name in ("Gender", "Race", "Ethnicity")
        )
    )


def _correlated(wanted: Json, index: Index, person: Person, sets: Sets) -> bool:
    near = [event for event in _events(wanted["Criteria"], person, sets) if _in_windows(wanted, event, index)]
    occurrence = wanted["Occurrence"]
    n = len(near)
    if occurrence.get("IsDistinct"):
        column = occurrence.get("CountColumn") or "DOMAIN_CONCEPT"
        values = {_counted(event, column) for event in near}
        n = len(values - {None})
    kind, count = occurrence["Type"], occurrence["Count"]
    return bool(n == count if kind == 0 else n <= count if kind == 1 else n >= count)


def _counted(event: Event, column: str) -> Any:
    return {
        "DOMAIN_CONCEPT": event.concept,
        "START_DATE": event.start,
        "END_DATE": event.end,
        "VISIT_ID": event.visit,
        "DURATION": None if event.end is None else (event.end - event.start).days,
    }[column]


def _in_windows(wanted: Json, event: Event, index: Index) -> bool:
    observed = not wanted.get("IgnoreObservationPeriod")
    if observed and not index.op_start <= event.start <= index.op_end:
        return False
    if wanted.get("RestrictVisit") and (event.visit is None or event.visit != index.event.visit):
        return False
    start, end = wanted["StartWindow"], wanted.get("EndWindow")
    if not _in_window(start, event.end if start.get("UseEventEnd") else event.start, index, observed):
        return False
    if end is None:
        return True
    by_end = end.get("UseEventEnd") is None or end["UseEventEnd"]
    return _in_window(end, event.end if by_end else event.start, index, observed)


def _in_window(window: Json, day: date | None, index: Index, observed: bool) -> bool:
    anchor = index.event.end if window.get("UseIndexEnd") else index.event.start
    bounds: list[date | None] = []
    for side in ("Start", "End"):
        bound = window[side]
        if bound.get("Days") is None:
            if not observed:
                bounds.append(date.min if side == "Start" else date.max)
            else:
                bounds.append(index.op_start if bound["Coeff"] == -1 else index.op_end)
        else:
            bounds.append(None if anchor is None else anchor + timedelta(days=bound["Coeff"] * bound["Days"]))
    first, last = bounds
    if (first, last) == (date.min, date.max):
        return True
    return day is not None and first is not None and last is not None and first <= day <= last


def _exit(definition: Json, index: Index, person: Person, sets: Sets) -> date | None:
    """The earliest of the cohort's ends that is not before the event; None where there is none."""
    strategy = definition.get("EndStrategy") or {}
    offset, era = strategy.get("DateOffset"), strategy.get("CustomEra")
    ends: list[date | None] = []
    if offset:
        day = index.event.start if offset["DateField"] == "StartDate" else index.event.end
        ends.append(None if day is None else min(day + timedelta(days=offset["Offset"]), index.op_end))
    else:
        ends.append(index.op_end)
    if era:
        ends += [last for first, last in _drug_eras(era, person, sets) if first <= index.event.start <= last]
    for criterion in definition.get("CensoringCriteria") or ():
        days = [event.start for event in _events(criterion, person, sets)]
        days = [day for day in days if index.event.start <= day <= index.op_end]
        ends += [min(days)] if days else []
    return min((end for end in ends if end is not None and end >= index.event.start), default=None)


def _drug_eras(era: Json, person: Person, sets: Sets) -> list[tuple[date, date]]:
    gap, override = era.get("GapDays") or 0, era.get("DaysSupplyOverride")
    members = sets.get(era["DrugCodesetId"], set())
    spells = []
    for row in person.tables["drug_exposure"]:
        start = row["drug_exposure_start_date"]
        if not {row["drug_concept_id"], row["drug_source_concept_id"]} & members:
            continue
        supply = 1 if row["days_supply"] is None else row["days_supply"]
        end = row["drug_exposure_end_date"] or start + timedelta(days=supply)
        if override is not None:
            end = start + timedelta(days=override)
        spells.append((start, end + timedelta(days=era.get("Offset") or 0)))
    return _collapsed(spells, gap)


def _collapsed(spells: Sequence[tuple[date, date]], pad: int) -> list[tuple[date, date]]:
    """Spells joined where the next begins within the pad after all before it have ended."""
    joined: list[tuple[date, date]] = []
    for start, end in sorted(spells):
        if joined and joined[-1][1] + timedelta(days=pad) >= start:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def _censored(definition: Json, rows: list[Row]) -> list[Row]:
    window = definition.get("CensorWindow") or {}
    first = date.fromisoformat(window["StartDate"]) if window.get("StartDate") else date.min
    last = date.fromisoformat(window["EndDate"]) if window.get("EndDate") else date.max
    cut = [(person, max(start, first), min(end, last)) for person, start, end in rows]
    return [row for row in cut if row[1] <= row[2]] if window else rows


def concept_sets(definition: Json, tables: Tables) -> dict[int, set[int]]:
    """The concepts of each of a definition's sets."""
    known = {row["concept_id"]: row for row in tables["concept"]}

    def part(items: list[Json]) -> set[int]:
        own = {item["concept"]["CONCEPT_ID"] for item in items}
        found = own & known.keys()
        found |= descendants([item for item in items if item.get("includeDescendants")])
        mapped = [item for item in items if item.get("includeMapped")]
        targets = {item["concept"]["CONCEPT_ID"] for item in mapped} & known.keys()
        targets |= descendants([item for item in mapped if item.get("includeDescendants")])
        found |= {
            row["concept_id_1"]
            for row in tables["concept_relationship"]
            if row["concept_id_2"] in targets and row["relationship_id"] == "Maps to" and row["invalid_reason"] is None
        }
        return found

    def descendants(items: list[Json]) -> set[int]:
        above = {item["concept"]["CONCEPT_ID"] for item in items}
        return {
            row["descendant_concept_id"]
            for row in tables["concept_ancestor"]
            if row["ancestor_concept_id"] in above
            and row["descendant_concept_id"] in known
            and known[row["descendant_concept_id"]]["invalid_reason"] is None
        }

    sets = {}
    for each in definition.get("ConceptSets") or ():
        items = each["expression"]["items"]
        kept = part([item for item in items if not item.get("isExcluded")])
        sets[each["id"]] = kept - part([item for item in items if item.get("isExcluded")])
    return sets
