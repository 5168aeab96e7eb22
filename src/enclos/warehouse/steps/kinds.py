"""Which delivered tables hold clinical events, and the kind of each."""

from __future__ import annotations

from enclos.warehouse.plans import conditions, drugs, measurements, procedures
from enclos.warehouse.plans.events import Kind
from enclos.warehouse.steps.sources import Sources


def event_kinds(at: Sources, duration: drugs.DurationRule) -> list[Kind]:
    """The kinds of event whose tables came, in the order in which they are mapped."""
    every = {
        "mco_b": conditions.stay_diagnoses(),
        "mco_d": conditions.associated_diagnoses(at["mco_d"]),
        "imb": conditions.entitlements(at["imb"]),
        "h_condition": conditions.hospital_diagnoses(at["h_condition"]),
        "pha": drugs.dispensings(at["pha"], duration),
        "h_drug": drugs.hospital_drugs(at["h_drug"]),
        "cam": procedures.town_acts(at["cam"]),
        "mco_a": procedures.stay_acts(at["mco_a"]),
        "h_procedure": procedures.hospital_procedures(at["h_procedure"]),
        "h_lab": measurements.laboratory_results(at["h_lab"]),
    }
    return [kind for table, kind in every.items() if table in at]
