"""The profile's verb: a few scans a table, bucket by bucket, added up at the end."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from enclos.contracts.sql import SqlEngine
from enclos.warehouse.profile.catalogue import DOMAINS, TABLES, Domain, analyses
from enclos.warehouse.profile.model import CountRow, Profile, Row, SpreadRow
from enclos.warehouse.profile.plans.events import (
    DEATH,
    OBSERVATION,
    count_months,
    plan_groups,
    plan_last_events,
    plan_lengths,
    plan_months,
    plan_outside_persons,
    plan_sets,
    plan_totals,
)
from enclos.warehouse.profile.plans.partial import Source, Sources, plan_counts, plan_partial_tables, plan_spreads
from enclos.warehouse.profile.plans.people import (
    count_coverage,
    count_periods,
    count_persons,
    count_plans,
    plan_periods,
    plan_persons,
    plan_starts,
)
from enclos.warehouse.profile.plans.places import (
    count_events_of_visits,
    count_lost,
    count_notes,
    count_places,
    count_providers,
    count_unmapped,
)
from enclos.warehouse.profile.rules import outside_rows, rows_of_sets, rows_of_values, strata

Relation = Callable[[str], str | None]
Progress = Callable[[str, float], None]
VERSION = "enclos profile 1"
ROWS_AT_ONCE = 20_000_000
_MEASUREMENT, _NO_NUMBER, _BY_VALUE = 1800, 1821, 1833


def _silent(_what: str, _done: float) -> None:
    """No progress is shown."""


@dataclass(slots=True)
class _Counter:
    """Runs scans; keeps the totals of each domain."""

    engine: SqlEngine
    n_scans: int = 0
    totals: dict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    sets: Counter[tuple[int, int]] = field(default_factory=Counter)

    def run(self, statements: Iterable[str]) -> None:
        for statement in statements:
            self.n_scans += 1
            self.engine.execute(statement)

    def add(self, domain: Domain, names: Sequence[str], sql: str) -> None:
        self.n_scans += 1
        (answer,) = self.engine.rows(sql)
        self.totals[domain.base].update({name: int(n or 0) for name, n in zip(names, answer, strict=True)})


def run_profile(
    engine: SqlEngine,
    relation: Relation,
    *,
    profiled_on: date,
    buckets: Sequence[int] = (),
    rows_at_once: int = ROWS_AT_ONCE,
    progress: Progress = _silent,
) -> Profile:
    """Profile the OMOP tables of one snapshot.

    In:    relation — where to read a table from, None when it does not exist; CDM 5.3 or 5.4 columns;
           buckets — the numbers of the buckets when person tables have a ``bucket`` column; persons do not share one;
           rows_at_once — how many events are counted together, in as many buckets as hold them.
    Out:   every analysis whose table exists; rows of an analysis in the order of their strata.
    Empty: an analysis that counts one thing says 0; one by strata has no row. Absent tables have no analysis.
    """
    sources = _sources(engine, relation)
    counter = _Counter(engine)
    counter.run(plan_partial_tables())
    if "observation_period" in sources:
        counter.run(plan_starts(sources["observation_period"], "observation_period_start_date", "profile_start"))
    if "payer_plan_period" in sources:
        counter.run(plan_starts(sources["payer_plan_period"], "payer_plan_period_start_date", "profile_plan"))
    parts = _parts(engine, sources, buckets, rows_at_once)
    for number, part in enumerate(parts):
        _profile_part(counter, {name: _part(source, part) for name, source in sources.items()})
        progress("profile", (number + 1) / (len(parts) + 1))
    counter.run(count_lost(sources))
    counter.run(count_events_of_visits(sources))
    counter.run(count_providers(sources))
    counter.run(count_places(sources))
    counter.run(count_unmapped(sources))
    if "note" in sources:
        counter.run(count_notes(sources["note"]))
    rows = _collected(counter, sources)
    name = _source_name(engine, sources)
    n_persons = rows[1][0].count_value if rows.get(1) else 0
    rows[0] = [CountRow(0, strata(name, VERSION, f"{profiled_on:%Y-%m-%d}"), n_persons)]
    progress("profile", 1.0)
    asked = tuple(analysis for analysis in analyses().values() if _is_asked(analysis.id, sources))
    return Profile(
        profiled_on, name, asked, {analysis.id: tuple(rows.get(analysis.id, ())) for analysis in asked}, counter.n_scans
    )


def _sources(engine: SqlEngine, relation: Relation) -> dict[str, Source]:
    places = {name: relation(name) for name in TABLES}
    return {
        name: Source(
            f"(SELECT * FROM {place})",
            frozenset(str(row[0]).lower() for row in engine.rows(f"DESCRIBE SELECT * FROM {place}")),
        )
        for name, place in places.items()
        if place is not None
    }


def _parts(engine: SqlEngine, sources: Sources, buckets: Sequence[int], rows_at_once: int) -> list[tuple[int, ...]]:
    """The buckets in groups that hold about so many events; one empty group when there are none."""
    if not buckets:
        return [()]
    events = [sources[domain.table].relation for domain in DOMAINS if domain.table in sources]
    n_rows = sum(int(engine.scalar(f"SELECT count(*) FROM {relation}")) for relation in events)
    size = max(1, len(buckets) * rows_at_once // max(1, n_rows))
    return [tuple(buckets[first : first + size]) for first in range(0, len(buckets), size)]


def _part(source: Source, buckets: tuple[int, ...]) -> Source:
    if not buckets or not source.has("bucket"):
        return source
    listed = ", ".join(str(bucket) for bucket in buckets)
    return Source(f"(SELECT * FROM {source.relation} WHERE bucket IN ({listed}))", source.columns)


def _profile_part(counter: _Counter, sources: Sources) -> None:
    person, periods, death = sources["person"], sources["observation_period"], sources.get("death")
    counter.run(plan_persons(person))
    counter.run(plan_periods(periods))
    counter.run(count_persons(person, death))
    counter.run(count_periods(periods))
    counter.run(count_coverage(periods))
    if "payer_plan_period" in sources:
        counter.run(count_plans(sources["payer_plan_period"]))
    for domain in DOMAINS:
        source = sources.get(domain.table)
        if source is not None:
            _profile_domain(counter, domain, source)
    if death is not None:
        counter.run(plan_last_events(death))
    counter.n_scans += 1
    counter.sets.update({(any_, inside): n for any_, inside, n in counter.engine.rows(plan_sets())})
    counter.run(["DELETE FROM profile_marks"])


def _profile_domain(counter: _Counter, domain: Domain, source: Source) -> None:
    counter.run(plan_months(domain, source))
    counter.run(count_months(domain))
    counter.add(domain, ("persons_outside", "persons"), plan_outside_persons())
    counter.run(plan_groups(domain, source))
    lengths = plan_lengths(domain, source)
    counter.run([lengths] if lengths else [])
    names = ("records", "inside", "outside", "stranger", "backwards", "no_value", "no_number")
    counter.add(domain, names, plan_totals(domain, source))


def _collected(counter: _Counter, sources: Sources) -> dict[int, list[Row]]:
    rows: dict[int, list[Row]] = defaultdict(list)
    for analysis, *found, n in counter.engine.rows(plan_counts()):
        rows[analysis].append(CountRow(analysis, strata(*found), n))
    for analysis, *found in counter.engine.rows(plan_spreads()):
        rows[analysis].append(SpreadRow(analysis, strata(*found[:5]), *found[5:]))
    for domain in DOMAINS:
        if domain.table in sources:
            for row in _rows_of_totals(domain, counter.totals[domain.base]):
                rows[row.analysis_id].append(row)
    by_value = rows.pop(_BY_VALUE, [])
    if "measurement" in sources:
        for made in _rows_of_values(by_value):
            rows[made.analysis_id].append(made)
    if "death" in sources and not rows[DEATH + 11]:  # the peer says 0 here, and nothing for its neighbours
        rows[DEATH + 11] = [SpreadRow(DEATH + 11, strata(), 0, *(None,) * 9)]
    n_persons = rows[1][0].count_value if rows[1] else 0
    for row in rows_of_sets(counter.sets, n_persons):
        rows[row.analysis_id].append(row)
    return rows


def _rows_of_values(found: Iterable[Row]) -> Iterable[CountRow]:
    by_value: dict[str | None, list[int]] = defaultdict(lambda: [0, 0])
    for row in found:
        by_value[row.strata[0]][row.strata[1] == "true"] = row.count_value
    return rows_of_values({concept: (without, valued) for concept, (without, valued) in by_value.items()})


def _rows_of_totals(domain: Domain, totals: Counter[str]) -> Iterable[CountRow]:
    for fault in ("stranger", "outside", "backwards"):
        if fault in domain.faults:
            yield CountRow(domain.base + domain.faults[fault], strata(), totals[fault])
    yield CountRow(domain.base + 30, strata(), totals["inside"])
    yield from outside_rows(domain, totals["outside"], totals["records"], totals["persons_outside"], totals["persons"])
    if domain.base == OBSERVATION:
        yield CountRow(OBSERVATION + 14, strata(), totals["no_value"])
    if domain.base == _MEASUREMENT:
        yield CountRow(_NO_NUMBER, strata(), totals["no_number"])


_NEEDED: tuple[tuple[range, str], ...] = (
    (range(1, 100), "person"),
    (range(100, 200), "observation_period"),
    (range(300, 400), "provider"),
    (range(1100, 1102), "location"),
    (range(1102, 1104), "location"),
    (range(1200, 1203), "care_site"),
    (range(1203, 1204), "visit_occurrence"),
    (range(1400, 1500), "payer_plan_period"),
    (range(2200, 2300), "note"),
    *((range(domain.base, domain.base + 100), domain.table) for domain in DOMAINS),
)


def _is_asked(analysis: int, sources: Sources) -> bool:
    return all(table in sources for ids, table in _NEEDED if analysis in ids)


def _source_name(engine: SqlEngine, sources: Sources) -> str:
    source = sources.get("cdm_source")
    if source is None or not source.has("cdm_source_name"):
        return ""
    found: Any = engine.scalar(f"SELECT cdm_source_name FROM {source.relation} LIMIT 1")
    return "" if found is None else str(found)
