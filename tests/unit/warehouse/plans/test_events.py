from typing import cast

import pytest

from enclos.contracts.omop import omop_tables
from enclos.warehouse.plans import conditions, drugs, events, measurements, procedures
from enclos.warehouse.plans.codes import ASKED_FOR
from enclos.warehouse.plans.durations import duration_rule
from enclos.warehouse.plans.events import EVENT_TABLES, Kind
from enclos.warehouse.steps.kinds import event_kinds
from enclos.warehouse.steps.sources import Sources

KINDS = [
    conditions.stay_diagnoses(),
    conditions.associated_diagnoses("mco_d"),
    conditions.entitlements("imb"),
    conditions.hospital_diagnoses("h_condition"),
    drugs.dispensings("pha", duration_rule("pack-size")),
    drugs.hospital_drugs("h_drug"),
    procedures.town_acts("cam"),
    procedures.stay_acts("mco_a"),
    procedures.hospital_procedures("h_procedure"),
    measurements.laboratory_results("h_lab"),
]


def test_an_event_has_known_columns_only() -> None:
    with pytest.raises(ValueError, match="no such column"):
        Kind(name="x", home="observation", event={"colour": "1"}, rows="y")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_kind_says_who_when_what_and_by_what_record(kind: Kind) -> None:
    assert {"person_id", "start_on", "source_value", "type_concept_id"} <= kind.event.keys()
    assert kind.home in EVENT_TABLES


@pytest.mark.parametrize("table", EVENT_TABLES)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_an_event_fills_every_required_column_of_any_table(kind: Kind, table: str) -> None:
    part = events.event_part(table, kind)
    key = next(iter(omop_tables()[table])).name
    required = {column.name for column in omop_tables()[table] if column.required} - {key}
    assert required <= part.values.keys()


def test_a_kind_reaches_the_tables_of_its_vocabularies() -> None:
    domains = {"CIM10": frozenset({"Condition", "Observation"}), "CCAM": frozenset({"Measurement"})}
    assert conditions.entitlements("imb").targets(domains) == {"condition_occurrence", "observation"}
    assert procedures.town_acts("cam").targets(domains) == {"procedure_occurrence", "measurement"}
    assert measurements.laboratory_results("h_lab").targets(domains) == {
        "condition_occurrence",
        "observation",
        "measurement",
    }


def test_every_vocabulary_that_the_mapping_names_is_asked_for() -> None:
    class Everything:
        """Every table came."""

        def __contains__(self, table: object) -> bool:
            return True

        def __getitem__(self, table: str) -> str:
            return table

    kinds = event_kinds(cast("Sources", Everything()), duration_rule("pack-size"), ("order",))
    named = frozenset[str]().union(*(kind.vocabularies or () for kind in kinds))
    assert "CIM10" in named
    assert named <= set(ASKED_FOR)
