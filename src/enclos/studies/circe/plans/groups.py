"""Conditions on index events: correlated criteria, demographics, and groups of them."""

from __future__ import annotations

from enclos.studies.circe.model import Bound, Correlated, Count, Demographic, Group, GroupKind, Window
from enclos.studies.circe.plans.criteria import counted_name, events_of, filter_sql, joins_of
from enclos.studies.circe.plans.records import Reading


def plan_group(group: Group, events: str, reading: Reading) -> str:
    """The index events for which a group holds.

    In: events — a relation with one row per index event: person_id, event_id, start_date, end_date,
        visit_occurrence_id, op_start_date, op_end_date
    Out: one row per event: person_id, event_id
    """
    if not group.members:
        return f"SELECT person_id, event_id FROM {events}"
    members = [_plan_member(member, events, reading) for member in group.members]
    if group.kind is GroupKind.ALL and len(members) == 1:
        return members[0]
    held = f"SELECT person_id, event_id FROM ({' UNION ALL '.join(f'({member})' for member in members)}) GROUP BY ALL"
    if group.kind is GroupKind.AT_MOST:
        more = f"{held} HAVING count(*) > {group.n}"
        return f"SELECT person_id, event_id FROM {events} ANTI JOIN ({more}) AS more USING (person_id, event_id)"
    least = {GroupKind.ALL: len(members), GroupKind.ANY: 1}.get(group.kind, group.n)
    return f"{held} HAVING count(*) >= {least}" if least else f"SELECT person_id, event_id FROM {events}"


def _plan_member(member: Correlated | Demographic | Group, events: str, reading: Reading) -> str:
    match member:
        case Group():
            return plan_group(member, events, reading)
        case Demographic():
            return _plan_demographic(member, events, reading)
        case Correlated():
            return _plan_correlated(member, events, reading)


def _plan_demographic(member: Demographic, events: str, reading: Reading) -> str:
    tests = " AND ".join(f"({filter_sql(each, reading)})" for each in member.filters)
    joins = joins_of((each.target.joined for each in member.filters), reading)
    where = f"WHERE {tests}" if tests else ""
    return f"SELECT c.person_id, c.event_id FROM {events} AS c {joins} {where}"


def _plan_correlated(member: Correlated, events: str, reading: Reading) -> str:
    """Index events with the wanted number of occurrences in the windows."""
    columns = [member.distinct] if member.distinct is not None else []
    occurrences = events_of(member.criterion, reading, columns)
    condition = " AND ".join(["a.person_id = p.person_id", *_clauses(member)])
    may_be_none = member.count is Count.AT_MOST or member.n == 0
    if member.distinct is None:
        if member.count is Count.AT_LEAST and member.n == 0:
            return f"SELECT p.person_id, p.event_id FROM {events} AS p"
        if member.count is Count.AT_LEAST and member.n == 1:
            return f"SELECT p.person_id, p.event_id FROM {events} AS p SEMI JOIN {occurrences} AS a ON {condition}"
        if member.n == 0:
            return f"SELECT p.person_id, p.event_id FROM {events} AS p ANTI JOIN {occurrences} AS a ON {condition}"
    counted = "a.person_id" if member.distinct is None else f"DISTINCT a.{counted_name(member.distinct)}"
    return (
        f"SELECT p.person_id, p.event_id FROM {events} AS p "
        f"{'LEFT JOIN' if may_be_none else 'JOIN'} {occurrences} AS a ON {condition} "
        f"GROUP BY p.person_id, p.event_id HAVING count({counted}) {member.count.value} {member.n}"
    )


def _clauses(member: Correlated) -> list[str]:
    clauses = []
    if member.within_observation:
        clauses.append("a.start_date >= p.op_start_date AND a.start_date <= p.op_end_date")
    for window in member.windows:
        clauses += _window(window, within_observation=member.within_observation)
    if member.restrict_visit:
        clauses.append("a.visit_occurrence_id = p.visit_occurrence_id")
    return clauses


def _window(window: Window, *, within_observation: bool) -> list[str]:
    day = "a.end_date" if window.use_event_end else "a.start_date"
    index = "p.end_date" if window.use_index_end else "p.start_date"
    return [
        f"{day} {sign} {limit}"
        for sign, bound in ((">=", window.start), ("<=", window.end))
        if (limit := _bound(bound, index, within_observation=within_observation)) is not None
    ]


def _bound(bound: Bound, index: str, *, within_observation: bool) -> str | None:
    if bound.days is not None:
        return f"{index} + ({bound.days})"
    if not within_observation:
        return None
    return "p.op_start_date" if bound.before else "p.op_end_date"
