"""Which delivered tables hold clinical events, and the kind of each."""

from __future__ import annotations

from collections.abc import Mapping

from enclos.warehouse.plans import (
    affined,
    conditions,
    costs,
    deaths,
    declared,
    drugs,
    fields,
    hospital_facts,
    kin,
    measurements,
    observation_periods,
    payers,
    procedures,
    stay_lines,
    visit_details,
    visits,
)
from enclos.warehouse.plans.durations import DurationRule
from enclos.warehouse.plans.events import Kind
from enclos.warehouse.plans.traps import Trap
from enclos.warehouse.steps.sources import Sources

LINE_TRAPS: Mapping[str, tuple[Trap, ...]] = {
    "prs": visits.PRESTATION_TRAPS,
    "mco_b": visits.STAY_TRAPS,
    "mco_um": visit_details.STAY_LINE_TRAPS,
    "mco_valo": costs.STAY_AMOUNT_TRAPS,
    "ace_b": stay_lines.BILLED_TRAPS,
    **{field.table: field.traps for field in fields.FIELDS},
    "h_visit": visits.VISIT_TRAPS,
    "orc": payers.COVER_TRAPS,
    "kin": kin.MOTHER_TRAPS,
    "cci": deaths.CERTIFICATE_TRAPS,
    "omop_death": deaths.OMOP_TRAPS,
    "omop_observation_period": observation_periods.OMOP_TRAPS,
}
"""What judges the lines that are no clinical event."""


def event_kinds(at: Sources, duration: DurationRule, intents: tuple[str, ...]) -> list[Kind]:
    """The kinds of event whose tables came, in the order in which they are mapped."""
    every = {
        "mco_b": conditions.stay_diagnoses(),
        "mco_d": conditions.associated_diagnoses(at["mco_d"]),
        "ecd": declared.causes_of_death(at["ecd"]),
        "mat": declared.pregnancies(at["mat"]),
        "imb": conditions.entitlements(at["imb"]),
        "h_condition": conditions.hospital_diagnoses(at["h_condition"]),
        "pha": drugs.dispensings(at["pha"], duration),
        "ucd": affined.hospital_drugs_in_town(at["ucd"]),
        "bio": affined.analyses(at["bio"]),
        "tip": affined.devices(at["tip"]),
        "h_drug": drugs.hospital_drugs(at["h_drug"], intents),
        "cam": procedures.town_acts(at["cam"]),
        "mco_a": procedures.stay_acts(at["mco_a"]),
        "h_procedure": procedures.hospital_procedures(at["h_procedure"]),
        "pmsi_diagnosis": stay_lines.diagnoses(at["pmsi_diagnosis"]),
        "pmsi_act": stay_lines.acts(at["pmsi_act"]),
        "pmsi_analysis": stay_lines.analyses(at["pmsi_analysis"]),
        "pmsi_drug": stay_lines.drugs(at["pmsi_drug"]),
        "pmsi_device": stay_lines.devices(at["pmsi_device"]),
        "h_lab": measurements.laboratory_results(at["h_lab"]),
        "h_allergy": hospital_facts.allergies(at["h_allergy"]),
        "h_device": hospital_facts.devices(at["h_device"]),
    }
    stays_came = any(field.table in at for field in fields.FIELDS)
    return [kind for table, kind in every.items() if table in at or (table == "mco_b" and stays_came)]


def traps_of_tables(at: Sources, duration: DurationRule, intents: tuple[str, ...]) -> dict[str, tuple[Trap, ...]]:
    """What judges the lines of each pseudonymised table that came."""
    return {**LINE_TRAPS, **{kind.name: kind.traps for kind in event_kinds(at, duration, intents) if kind.traps}}
