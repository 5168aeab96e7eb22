"""What was paid, by whom, who is whose mother, and rows that name rows."""

from __future__ import annotations

from functools import partial

from enclos.warehouse.plans import costs, kin, named_rows, payers
from enclos.warehouse.plans.parts import Part
from enclos.warehouse.steps.account import Account
from enclos.warehouse.steps.naming import define_named, named_by
from enclos.warehouse.steps.writing import Writing, tell_lines


class Money(Writing):
    """COST, PAYER_PLAN_PERIOD, FACT_RELATIONSHIP and EPISODE_EVENT of a pass."""

    def _money_and_kin(self) -> None:
        at, stage = self._sources, self._stage
        stage.define("mco_valo", costs.stay_amount_lines_sql(at["mco_valo"]))
        if named_by(stage, at, "cost") <= {"visit_occurrence"}:
            self._costs()
        stage.define("schemes", payers.schemes_sql(at["prs"]), by_content=True)
        stage.define("orc", payers.cover_lines_sql(at["orc"]))
        stage.define("kin", kin.mother_lines_sql(at["kin"]))
        for table, traps in (
            ("orc", payers.COVER_TRAPS),
            ("kin", kin.MOTHER_TRAPS),
            ("mco_valo", costs.STAY_AMOUNT_TRAPS),
        ):
            if table in at:
                self._tell(f"mapped {table}", partial(tell_lines, stage, table, traps), f"FROM stage_{table}")

    def _costs(self) -> None:
        """What visits cost, and what deliveries say that rows cost."""
        at, stage = self._sources, self._stage
        amounts = [costs.town_amounts_sql()] if "prs" in at else []
        amounts += [costs.stay_amounts_sql()] if "mco_valo" in at else []
        define_named(stage, at, "cost")
        delivered = [costs.delivered_costs_sql(at["omop_cost"])] if "omop_cost" in at else []
        self._write("cost", costs.cost_rows_sql(amounts, delivered, self._bucket) if amounts or delivered else "")
        for copied in delivered:
            counted = f"SELECT (SELECT count(*) FROM {at['omop_cost']}), (SELECT count(*) FROM ({copied}))"
            self._tell_named("omop_cost", counted)

    def _naming_rows(self) -> None:
        """Rows that name rows of any table: now all of these have their numbers."""
        at, stage = self._sources, self._stage
        if not named_by(stage, at, "cost") <= {"visit_occurrence"}:
            self._costs()
        related, linked = at["omop_fact_relationship"], ""
        if "omop_fact_link" in at:
            define_named(stage, at, "fact_link")
            stage.define("omop_fact_link", named_rows.link_lines_sql(at["omop_fact_link"]))
            linked = "FROM stage_omop_fact_link WHERE fact_id_1 IS NOT NULL AND fact_id_2 IS NOT NULL"
            self._tell_named("omop_fact_link", named_rows.mapped_sql("omop_fact_link", "fact_id_1", "fact_id_2"))
        are_kin = any(table in at for table in ("kin", "omop_fact_relationship", "omop_fact_link"))
        rows = kin.relationship_rows_sql(self._bucket, related, linked) if are_kin else ""
        self._write("fact_relationship", rows)
        if "omop_fact_relationship" in at:
            n_related = f"SELECT count(*) FROM {related}"

            def tell_related(piece: Account) -> None:
                piece.map("omop_fact_relationship", stage.scalar(n_related))

            self._tell("mapped omop_fact_relationship", tell_related, n_related)
        came = "omop_episode_event" in at
        if came:
            define_named(stage, at, "episode_event")
            stage.define("omop_episode_event", named_rows.event_lines_sql(at["omop_episode_event"]))
            mapped = named_rows.mapped_sql("omop_episode_event", "episode_id", "event_id")
            self._tell_named("omop_episode_event", mapped)
        self._write("episode_event", named_rows.event_rows_sql(self._bucket) if came else "")

    def _payer_parts(self) -> tuple[list[Part], int]:
        """The parts of PAYER_PLAN_PERIOD that the SNDS makes, and how many rows they have."""
        every = {"prs": payers.scheme_part(), "orc": payers.cover_part()}
        parts = [part for table, part in every.items() if table in self._sources]
        counted = [f"SELECT count(*) FROM (SELECT 1 {part.rows})" for part in parts]

        def tell(piece: Account) -> None:
            piece.expected["payer_plan_period"] = sum(self._stage.scalar(sql) for sql in counted)

        return parts, self._tell("mapped payers", tell, *counted).expected["payer_plan_period"] if parts else 0
