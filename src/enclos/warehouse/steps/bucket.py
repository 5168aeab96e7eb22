"""One pass of a build over some buckets or a slice of one: persons, visits, events, written in that order.

Nothing is made that is not needed: rows are staged when a statement first reads them, and a table or a piece of the
account whose signature is that of the snapshot before stays as it is.
"""

from __future__ import annotations

from collections import Counter
from functools import partial

from enclos.contracts.omop import PERSON_TABLES, omop_tables
from enclos.warehouse.model import Fate
from enclos.warehouse.plans import (
    deaths,
    eras,
    events,
    named_rows,
    observation_periods,
    person,
    visit_details,
    visits,
)
from enclos.warehouse.plans.events import EVENT_TABLES, Kind
from enclos.warehouse.plans.links import OMOP, omop_links_sql
from enclos.warehouse.plans.parts import (
    keyed_rows_sql,
    numbered_rows_sql,
    stored_rows_sql,
    within_sql,
)
from enclos.warehouse.steps.account import Account, delivered_as_sql
from enclos.warehouse.steps.kinds import event_kinds
from enclos.warehouse.steps.money import Money
from enclos.warehouse.steps.stays import OTHERS, define_stays, other_fields, tell_other_fields
from enclos.warehouse.steps.writing import tell_lines

_REFERRING_TO_DETAILS = tuple(
    name for name in PERSON_TABLES if "visit_detail_id" in omop_tables()[name].names and name != "visit_detail"
)
_REFERRING_TO_VISITS = (*_REFERRING_TO_DETAILS, "visit_detail")
_COPIED = tuple(
    name
    for name in PERSON_TABLES
    if name not in ("person", "observation_period", "visit_occurrence", "visit_detail", "death", *eras.ERA_TABLES)
)
"""OMOP tables whose delivered rows are copied with new numbers."""
_VISIT_SOURCES = {visits.CARE: "prs", visits.PMSI: "mco_b", visits.HOSPITAL: "h_visit", OMOP: "omop_visit_occurrence"}
_DETAIL_SOURCES = {visits.PMSI: "mco_um", OMOP: "omop_visit_detail"}


class Pass(Money):
    """The making of the persons of a cut."""

    def make(self) -> None:
        """Write the cut's rows of every table.

        Refuses: BUILD_UNBALANCED when fewer or more rows are written than were mapped.
        """
        try:
            with self._phase("count"):
                self._deliver()
            with self._phase("persons"):
                self._persons()
            with self._phase("visits"):
                self._visits()
                self._details()
            with self._phase("deaths and periods"):
                self._deaths()
                self._periods()
            with self._phase("money and kin"):
                self._money_and_kin()
            self._stage.forget("prs")
            self._events()
            with self._phase("rows that name rows"):
                self._naming_rows()
            with self._phase("eras"):
                self._eras()
        finally:
            self._stage.clear()

    def _deliver(self) -> None:
        for table in self._sources.of_persons:
            came = delivered_as_sql(table)
            counted = f"SELECT {came} AS came, source, count(*) FROM {self._sources[table]} GROUP BY ALL"

            def tell(piece: Account, counted: str = counted) -> None:
                for came, source, n_delivered in self._stage.rows(counted):
                    piece.deliver(came, source, n_delivered)

            self._tell(f"delivered {table}", tell, counted)

    # -- persons

    def _persons(self) -> None:
        at, stage = self._sources, self._stage
        stage.define("ages", person.ages_sql(at["prs"], at["ben"]), by_content=True)
        stage.define("persons", person.persons_sql(at["ben"], at["omop_person"], at["h_patient"]))
        stage.define("known", "SELECT person_id FROM stage_persons", by_content=True)
        n_persons = stage.scalar("SELECT count(*) FROM stage_known")
        self._write("person", self._with_bucket(person.person_rows_sql()), n_persons)
        sources = person.person_sources_sql(at["ben"], at["omop_person"], at["h_patient"])
        self._write(person.PERSON_SOURCE.name, self._with_bucket(sources))
        for table in ("ben", "h_patient", "omop_person"):
            if table in at:
                counted = (
                    "SELECT count(*), count(*) FILTER (WHERE person_id IN (SELECT person_id FROM stage_known)) "
                    f"FROM {at[table]}"
                )

                def tell(piece: Account, table: str = table, counted: str = counted) -> None:
                    n_lines, n_mapped = stage.rows(counted)[0]
                    piece.map(table, n_mapped)
                    piece.drop(table, "no_birth_year", Fate.REJECTED, n_lines - n_mapped)

                self._tell(f"mapped {table}", tell, counted)

    # -- visits and their details

    def _visits(self) -> None:
        at, stage = self._sources, self._stage
        delivered = at["omop_visit_occurrence"]
        stage.define("prs", visits.prestation_lines_sql(at["prs"]))
        stage.define("h_visit", visits.hospital_visit_lines_sql(at["h_visit"]))
        define_stays(stage, at)
        came = bool(other_fields(at))
        if came:
            reads = ("FROM stage_sequences", "FROM stage_ace_b")
            self._tell("mapped other fields", lambda piece: tell_other_fields(piece, stage, at), *reads)
        lines = {
            "prs": ("stage_prs", visits.PRESTATION_TRAPS),
            "mco_b": ("stage_mco_b_lines", visits.STAY_TRAPS),
            "h_visit": ("stage_h_visit", visits.VISIT_TRAPS),
        }
        n_visits = 0
        for origin, table in _VISIT_SOURCES.items():
            staged = visits.VISIT_STAGES[origin]
            stage.define(staged, visits.visits_sql(origin, delivered))
            counted = f"SELECT count(*), coalesce(CAST(sum(n_lines) AS BIGINT), 0) FROM stage_{staged}"
            others = f"SELECT count(*) FROM stage_mco_b {OTHERS}"

            def tell(piece: Account, table: str = table, counted: str = counted, others: str = others) -> None:
                n_rows, n_lines = stage.rows(counted)[0]
                piece.expected["visit_occurrence"] = n_rows
                if table in at:
                    if table in lines:
                        piece.judge(stage, table, *lines[table])
                    piece.map(table, n_lines - (stage.scalar(others) if table == "mco_b" and came else 0))

            if table in at or (table == "mco_b" and came):
                judged = f"FROM {lines[table][0]}" if table in lines else ""
                n_visits += self._tell(f"mapped {table}", tell, counted, judged).expected["visit_occurrence"]
        stage.define(
            "omop_visits",
            omop_links_sql(
                "visit_occurrence_id",
                [delivered],
                {delivered: ["preceding_visit_occurrence_id"]}
                | {
                    at[f"omop_{name}"]: ["visit_occurrence_id"] for name in _REFERRING_TO_VISITS if f"omop_{name}" in at
                },
                f"stage_{visits.VISIT_STAGES[OMOP]}",
                visits.visits_before(OMOP),
            ),
        )
        parts = [
            part
            for table, part in zip(_VISIT_SOURCES.values(), visits.visit_parts(delivered), strict=True)
            if table in at or (table == "mco_b" and came)
        ]
        self._write_parts("visit_occurrence", parts, n_visits, stored_rows_sql)

    def _details(self) -> None:
        at, stage = self._sources, self._stage
        delivered = at["omop_visit_detail"]
        stage.define("details", visit_details.details_sql(delivered))
        stage.define(
            "omop_details",
            omop_links_sql(
                "visit_detail_id",
                [delivered],
                {delivered: ["preceding_visit_detail_id", "parent_visit_detail_id"]}
                | {at[f"omop_{name}"]: ["visit_detail_id"] for name in _REFERRING_TO_DETAILS if f"omop_{name}" in at},
                "stage_details",
            ),
        )
        counted = "SELECT origin, count(*) FROM stage_details GROUP BY origin"
        others, came = f"SELECT count(*) FROM stage_mco_um {OTHERS}", bool(other_fields(at))

        def tell(piece: Account) -> None:
            if "mco_um" in at:
                piece.judge(stage, "mco_um", "stage_mco_um_lines", visit_details.STAY_LINE_TRAPS)
            for origin, n_rows in stage.rows(counted):
                n_others = stage.scalar(others) if origin == visits.PMSI and came else 0
                piece.map(_DETAIL_SOURCES[origin], n_rows - n_others)
                piece.expected["visit_detail"] += n_rows

        n_details = self._tell("mapped details", tell, counted, "FROM stage_mco_um_lines").expected["visit_detail"]
        parts = [
            part
            for table, part in zip(_DETAIL_SOURCES.values(), visit_details.detail_parts(delivered), strict=True)
            if table in at or (table == "mco_um" and came)
        ]
        self._write_parts("visit_detail", parts, n_details, stored_rows_sql)

    # -- deaths and observation periods

    def _deaths(self) -> None:
        at, stage = self._sources, self._stage
        stage.define("deaths", deaths.death_candidates_sql(at["cci"], at["omop_death"]))
        counted = "SELECT origin, count(*) FROM stage_deaths WHERE choice = 1 GROUP BY origin"
        delivered = {
            "cci": ("BEN_DCD_DTE", deaths.CERTIFICATE, deaths.CERTIFICATE_TRAPS),
            "omop_death": ("death_date", deaths.OMOP, deaths.OMOP_TRAPS),
        }
        present = [table for table in delivered if table in at]
        for table in present:
            stage.define(f"{table}_records", deaths.record_lines_sql(at[table], *delivered[table]))

        def tell(piece: Account) -> None:
            found = dict(stage.rows(counted))
            piece.expected["death"] = sum(found.values())
            for table in present:
                _, origin, traps = delivered[table]
                piece.judge(stage, table, f"stage_{table}_records", traps)
                piece.map(table, found.get(origin, 0))

        reads = [f"FROM stage_{table}_records" for table in present]
        n_deaths = self._tell("mapped deaths", tell, counted, *reads).expected["death"]
        self._write("death", self._with_bucket(deaths.death_rows_sql()), n_deaths)

    def _periods(self) -> None:
        at, stage = self._sources, self._stage
        delivered = at["omop_observation_period"]
        stage.define("periods", observation_periods.observation_periods_sql(delivered, self._written.days))
        stage.define("period_records", observation_periods.omop_lines_sql(delivered))
        counted, mapped = "SELECT count(*) FROM stage_periods", "SELECT sum(n_mapped) FROM stage_period_records"

        def tell(piece: Account) -> None:
            piece.expected["observation_period"] = stage.scalar(counted)
            if "omop_observation_period" in at:
                table = "omop_observation_period"
                piece.judge(stage, table, "stage_period_records", observation_periods.OMOP_TRAPS)
                piece.map(table, int(stage.scalar(mapped) or 0))

        n_periods = self._tell("mapped periods", tell, counted, mapped).expected["observation_period"]
        self._write("observation_period", self._with_bucket("FROM stage_periods"), n_periods)

    # -- events

    def _events(self) -> None:
        at, stage = self._sources, self._stage
        kinds = event_kinds(at, self._written.duration, self._written.intents)
        expected: Counter[str] = Counter()
        reached = {
            table: [kind for kind in kinds if table in EVENT_TABLES and table in kind.targets(self._written.domains)]
            for table in _COPIED
        }
        waiting, written = list(kinds), Counter[str]()
        for table in _COPIED:
            # A kind's lines are staged for its first table and forgotten after its last: they are never all there.
            for kind in [kind for kind in reached[table] if kind in waiting]:
                waiting.remove(kind)
                with self._phase(f"{kind.name} lines"):
                    expected += self._tally(kind).expected
            parts = [events.event_part(table, kind) for kind in reached.pop(table)]
            if table == "payer_plan_period":
                parts, expected[table] = self._payer_parts()
            if f"omop_{table}" in at:
                counted = f"SELECT count(*) FROM {at[f'omop_{table}']}"
                copied = events.delivered_part(table, at[f"omop_{table}"])
                stage.define(f"omop_rows_{table}", keyed_rows_sql(table, [*parts, copied]))
                parts.append(named_rows.episode_part(at["omop_episode"]) if table == "episode" else copied)

                def tell(piece: Account, table: str = table, counted: str = counted) -> None:
                    piece.expected[table] = stage.scalar(counted)
                    piece.map(f"omop_{table}", piece.expected[table])

                expected += self._tell(f"mapped omop_{table}", tell, counted).expected
            with self._phase(table):
                self._write_parts(table, parts, expected[table], numbered_rows_sql)
            written[table] = expected[table]
            still_read = {kind.name for kinds_of_table in reached.values() for kind in kinds_of_table}
            stage.forget(*(kind.name for kind in kinds if kind not in waiting and kind.name not in still_read))
        if waiting or +written != +expected:
            raise AssertionError("events were mapped to a table that no kind can reach")

    def _eras(self) -> None:
        at, stage = self._sources, self._stage
        sources = person.person_sources_sql(at["ben"], at["omop_person"], at["h_patient"])
        brought = [at[f"omop_{table}"] for table in eras.ERA_TABLES]
        stage.define("era_persons", eras.era_persons_sql(sources, brought), by_content=True)
        for (table, records), delivered in zip(eras.ERA_TABLES.items(), brought, strict=True):
            written = f"(SELECT * FROM {self._written.names[records]} WHERE {within_sql(self._cut)})"
            parts = [eras.made_part(table, written)]
            if f"omop_{table}" in at:
                parts.append(eras.kept_part(table, delivered))
                stage.define(f"omop_{table}", eras.delivered_lines_sql(delivered))
                tell = partial(tell_lines, stage, f"omop_{table}", eras.REBUILT)
                self._tell(f"mapped omop_{table}", tell, f"FROM stage_omop_{table}")
            self._write(table, numbered_rows_sql(table, parts, self._bucket))

    def _tally(self, kind: Kind) -> Account:
        """Judge a kind's lines and count its events by table."""
        tally, lines = events.tally_sql(kind.events_sql), f"stage_{kind.name}"
        if kind.lines_sql:
            self._stage.define(kind.name, kind.lines_sql)

        def tell(piece: Account) -> None:
            mapped = piece.judge(self._stage, kind.name, lines, kind.traps) if kind.lines_sql else Counter[str]()
            several = mapped.keys() - {kind.name}
            for came in mapped if several else ():
                piece.map(came, mapped[came])
            for target, vocabulary, code, n_rows, n_lines in self._stage.rows(tally):
                piece.expected[EVENT_TABLES[target]] += n_rows
                if not several:
                    piece.map(kind.name, int(n_lines))
                if vocabulary is not None:
                    piece.unmapped(vocabulary, code, n_rows)

        return self._tell(f"mapped {kind.name}", tell, tally, lines if kind.lines_sql else "")
