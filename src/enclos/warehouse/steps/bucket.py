"""One bucket of a build: its persons, their visits, their events, written in that order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

from enclos.contracts.omop import PERSON_TABLES, omop_tables
from enclos.contracts.sql import SqlEngine
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.lexicon.spans import Span
from enclos.warehouse.model import Fate
from enclos.warehouse.plans import deaths, drugs, events, observation_periods, person, visit_details, visits
from enclos.warehouse.plans.events import EVENT_TABLES, Kind
from enclos.warehouse.plans.links import OMOP, omop_links_sql
from enclos.warehouse.plans.parts import numbered_rows_sql, stored_rows_sql
from enclos.warehouse.steps.account import Account
from enclos.warehouse.steps.kinds import event_kinds
from enclos.warehouse.steps.sources import Sources
from enclos.warehouse.steps.stage import Stage
from enclos.warehouse.steps.stays import stage_other_fields

_REFERRING_TO_DETAILS = tuple(
    name for name in PERSON_TABLES if "visit_detail_id" in omop_tables()[name].names and name != "visit_detail"
)
_REFERRING_TO_VISITS = (*_REFERRING_TO_DETAILS, "visit_detail")
_COPIED = tuple(
    name
    for name in PERSON_TABLES
    if name not in ("person", "observation_period", "visit_occurrence", "visit_detail", "death")
)
"""OMOP tables whose delivered rows are copied with new numbers."""


@dataclass(frozen=True, slots=True)
class Written:
    """Where the rows of the build go, by table, and what the build knows before the first bucket."""

    names: Mapping[str, str]
    domains: Mapping[str, frozenset[str]]
    """By vocabulary, the domains that its codes lead to."""
    days: Span | None
    """The days that the national deliveries cover."""
    duration: drugs.DurationRule


class Bucket:
    """The making of one bucket."""

    def __init__(
        self,
        engine: SqlEngine,
        sources: Sources,
        number: int,
        written: Written,
        account: Account,
        counts: Counter[str],
        phase: Callable[[str], AbstractContextManager[None]],
    ) -> None:
        self._engine = engine
        self._sources = sources
        self._number = number
        self._written = written
        self._account = account
        self._counts = counts
        self._phase = phase
        self._stage = Stage(engine)

    def make(self) -> None:
        """Write the bucket's rows of every table.

        Refuses: BUILD_UNBALANCED when fewer or more rows are written than were mapped.
        """
        with self._phase("count"):
            if not self._deliver():
                return
        try:
            with self._phase("persons"):
                self._persons()
            with self._phase("visits"):
                self._visits()
            with self._phase("deaths and periods"):
                self._deaths_and_periods()
            self._events()
        finally:
            self._stage.clear()

    def _deliver(self) -> bool:
        n_lines = 0
        for table in self._sources.of_persons:
            for source, n_delivered in self._engine.rows(
                f"SELECT source, count(*) FROM {self._sources[table]} GROUP BY source"
            ):
                self._account.deliver(table, source, n_delivered)
                n_lines += n_delivered
        return n_lines > 0

    def _insert(self, table: str, rows: str, expected: int | None = None) -> int:
        """Insert rows; the columns are the table's, ``bucket`` first."""
        n_rows: int = self._engine.scalar(f"INSERT INTO {self._written.names[table]} {rows}")
        if expected is not None and n_rows != expected:
            raise refusal(
                Code.BUILD_UNBALANCED,
                f"The build was not kept: {table} did not receive the rows that were mapped to it.",
                "The snapshot before it stays. Report this as a bug of the mapping, with the name of the table.",
            )
        self._counts[table] += n_rows
        return n_rows

    def _with_bucket(self, rows: str) -> str:
        return f"SELECT {self._number} AS bucket, * FROM ({rows})"

    def _lines(self, kind: Kind) -> None:
        self._stage.put(kind.name, kind.lines_sql)
        self._account.judge(self._engine, kind.name, f"stage_{kind.name}", kind.traps)

    # -- persons

    def _persons(self) -> None:
        at = self._sources
        self._stage.put("persons", person.persons_sql(at["ben"], at["omop_person"], at["h_patient"]))
        n_persons = self._engine.scalar("SELECT count(*) FROM stage_persons")
        self._insert("person", self._with_bucket(person.person_rows_sql()), n_persons)
        sources = person.person_sources_sql(at["ben"], at["omop_person"], at["h_patient"])
        self._insert(person.PERSON_SOURCE.name, self._with_bucket(sources))
        for table in ("ben", "h_patient", "omop_person"):
            if table in at:
                n_lines, n_mapped = self._engine.rows(
                    "SELECT count(*), count(*) FILTER (WHERE person_id IN (SELECT person_id FROM stage_persons)) "
                    f"FROM {at[table]}"
                )[0]
                self._account.map(table, n_mapped)
                self._account.drop(table, "no_birth_year", Fate.REJECTED, n_lines - n_mapped)

    # -- visits and their details

    def _visits(self) -> None:
        at, engine = self._sources, self._engine
        for table, lines_sql, traps in (
            ("prs", visits.prestation_lines_sql(at["prs"]), visits.PRESTATION_TRAPS),
            ("mco_b", visits.stay_lines_sql(at["mco_b"]), visits.STAY_TRAPS),
            ("h_visit", visits.hospital_visit_lines_sql(at["h_visit"]), visits.VISIT_TRAPS),
            ("mco_um", visit_details.unit_lines_sql(at["mco_um"]), visit_details.STAY_LINE_TRAPS),
        ):
            self._stage.put(table, lines_sql)
            self._account.judge(engine, table, f"stage_{table}", traps)
        others = stage_other_fields(engine, self._stage, self._account, at)
        self._stage.put("visits", visits.visits_sql(at["omop_visit_occurrence"]))
        self._stage.put(
            "omop_visits",
            omop_links_sql(
                "visit_occurrence_id",
                [at["omop_visit_occurrence"]],
                {at["omop_visit_occurrence"]: ["preceding_visit_occurrence_id"]}
                | {
                    at[f"omop_{name}"]: ["visit_occurrence_id"] for name in _REFERRING_TO_VISITS if f"omop_{name}" in at
                },
                "stage_visits",
            ),
        )
        self._stage.put("details", visit_details.details_sql(at["omop_visit_detail"]))
        self._stage.put(
            "omop_details",
            omop_links_sql(
                "visit_detail_id",
                [at["omop_visit_detail"]],
                {at["omop_visit_detail"]: ["preceding_visit_detail_id", "parent_visit_detail_id"]}
                | {at[f"omop_{name}"]: ["visit_detail_id"] for name in _REFERRING_TO_DETAILS if f"omop_{name}" in at},
                "stage_details",
            ),
        )
        tables = {visits.CARE: "prs", visits.PMSI: "mco_b", visits.HOSPITAL: "h_visit", OMOP: "omop_visit_occurrence"}
        n_visits = 0
        for origin, n_rows, n_lines in engine.rows(
            "SELECT origin, count(*), CAST(sum(n_lines) AS BIGINT) FROM stage_visits GROUP BY origin"
        ):
            self._account.map(tables[origin], n_lines - (others.n_stays if origin == visits.PMSI else 0))
            n_visits += n_rows
        parts = [
            part
            for table, part in zip(tables.values(), visits.visit_parts(at["omop_visit_occurrence"]), strict=True)
            if table in at or (table == "mco_b" and others.came)
        ]
        if parts:
            self._insert("visit_occurrence", stored_rows_sql("visit_occurrence", parts, self._number), n_visits)
        tables = {visits.PMSI: "mco_um", OMOP: "omop_visit_detail"}
        n_details = 0
        for origin, n_rows in engine.rows("SELECT origin, count(*) FROM stage_details GROUP BY origin"):
            self._account.map(tables[origin], n_rows - (others.n_details if origin == visits.PMSI else 0))
            n_details += n_rows
        parts = [
            part
            for table, part in zip(tables.values(), visit_details.detail_parts(at["omop_visit_detail"]), strict=True)
            if table in at or (table == "mco_um" and others.came)
        ]
        if parts:
            self._insert("visit_detail", stored_rows_sql("visit_detail", parts, self._number), n_details)

    # -- deaths and observation periods

    def _deaths_and_periods(self) -> None:
        at, engine = self._sources, self._engine
        self._stage.put("deaths", deaths.death_candidates_sql(at["cci"], at["omop_death"]))
        n_deaths = engine.scalar("SELECT count(*) FROM stage_deaths WHERE choice = 1")
        self._insert("death", self._with_bucket(deaths.death_rows_sql()), n_deaths)
        for table, column, origin, traps in (
            ("cci", "BEN_DCD_DTE", deaths.CERTIFICATE, deaths.CERTIFICATE_TRAPS),
            ("omop_death", "death_date", deaths.OMOP, deaths.OMOP_TRAPS),
        ):
            if table in at:
                self._stage.put("records", deaths.record_lines_sql(at[table], column, origin, traps))
                self._account.judge(engine, table, "stage_records", traps)
                self._account.map(
                    table,
                    engine.scalar(f"SELECT count(*) FROM stage_deaths WHERE choice = 1 AND origin = {origin}"),
                )
        delivered = at["omop_observation_period"]
        self._stage.put("periods", observation_periods.observation_periods_sql(delivered, self._written.days))
        n_periods = engine.scalar("SELECT count(*) FROM stage_periods")
        self._insert("observation_period", self._with_bucket("FROM stage_periods"), n_periods)
        if "omop_observation_period" in at:
            self._stage.put("records", observation_periods.omop_lines_sql(delivered))
            self._account.judge(engine, "omop_observation_period", "stage_records", observation_periods.OMOP_TRAPS)
            self._account.map(
                "omop_observation_period", engine.scalar("SELECT coalesce(sum(n_mapped), 0) FROM stage_records")
            )

    # -- events

    def _events(self) -> None:
        at, engine = self._sources, self._engine
        kinds = event_kinds(at, self._written.duration)
        expected: Counter[str] = Counter()
        for kind in kinds:
            if kind.lines_sql:
                with self._phase(f"{kind.name} lines"):
                    self._lines(kind)
            with self._phase(f"{kind.name} tally"):
                for target, vocabulary, code, n_rows, n_lines in engine.rows(events.tally_sql(kind.events_sql)):
                    expected[EVENT_TABLES[target]] += n_rows
                    self._account.map(kind.name, int(n_lines))
                    if vocabulary is not None:
                        self._account.unmapped(vocabulary, code, n_rows)
        for table in _COPIED:
            parts = [
                events.event_part(table, kind)
                for kind in kinds
                if table in EVENT_TABLES and table in kind.targets(self._written.domains)
            ]
            if f"omop_{table}" in at:
                n_delivered = engine.scalar(f"SELECT count(*) FROM {at[f'omop_{table}']}")
                parts.append(events.delivered_part(table, at[f"omop_{table}"]))
                expected[table] += n_delivered
                self._account.map(f"omop_{table}", n_delivered)
            if parts:
                with self._phase(table):
                    self._insert(table, numbered_rows_sql(table, parts, self._number), expected[table])
            elif expected[table]:
                raise AssertionError("events were mapped to a table that no kind can reach")
