"""The packs of a build and how long a box of each lasts."""

from __future__ import annotations

from enclos.contracts.durations import ATC_DDD, DRUG_DURATION
from enclos.warehouse.plans import vocabulary
from enclos.warehouse.plans.durations import DurationRule, pack_durations_sql
from enclos.warehouse.steps.sources import Sources
from enclos.warehouse.steps.stage import Stage


def define_packs(shared: Stage, sources: Sources, rule: DurationRule) -> None:
    """The packs, their days under every rule, and those of the chosen rule beside each pack.

    In: the staged codes and units.
    """
    strengths = sources["drug_strength"]
    shared.define("pack_concepts", vocabulary.packs_sql(strengths))
    shared.define(
        DRUG_DURATION.name,
        pack_durations_sql(
            "stage_pack_concepts", strengths, sources["concept"], sources["concept_ancestor"], sources[ATC_DDD.name]
        ),
    )
    shared.define(
        "packs",
        f"SELECT p.*, d.days_per_box FROM stage_pack_concepts AS p LEFT JOIN stage_{DRUG_DURATION.name} AS d "
        f"ON d.drug_source_concept_id = p.source_concept_id AND d.rule = '{rule.name}'",
    )
