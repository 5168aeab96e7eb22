"""The domains of Circe: their tables, their days, and the attributes that a criterion can test.

Source: OHDSI circe-be, the classes and SQL builders of org.ohdsi.circe.cohortdefinition (semantics, not text).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from enclos.studies.circe.attributes import Attribute, CountColumn, Domain, DomainTable, Joined, Kind, Target

__all__ = [
    "ABNORMAL",
    "DOMAINS",
    "END",
    "PERSON_ATTRIBUTES",
    "START",
    "Attribute",
    "CountColumn",
    "Domain",
    "DomainTable",
    "Joined",
    "Kind",
    "Target",
    "source_attribute",
]


def source_attribute(domain: Domain) -> str:
    """The attribute that names the set of source concepts."""
    return f"{domain.value.removesuffix('Occurrence').removesuffix('Exposure')}SourceConcept"


def _column(name: str) -> Target:
    return Target(f"c.{name}", (name,))


START = Target("c.start_date")
END = Target("c.end_date")
_LENGTH = Target("c.end_date - c.start_date")
_AGE_AT_START = Target("year(c.start_date) - p.year_of_birth", joined=Joined.PERSON, beside=("year_of_birth",))
_AGE_AT_END = Target("year(c.end_date) - p.year_of_birth", joined=Joined.PERSON, beside=("year_of_birth",))
_GENDER = Target("p.gender_concept_id", joined=Joined.PERSON, beside=("gender_concept_id",))
_SPECIALTY = Target("pr.specialty_concept_id", ("provider_id",), Joined.PROVIDER)
_VISIT = Target("v.visit_concept_id", joined=Joined.VISIT)
_PLACE = Target("cs.place_of_service_concept_id", ("care_site_id",), Joined.CARE_SITE)

ABNORMAL = Target("abnormal", ("value_as_number", "range_low", "range_high", "value_as_concept_id"))


def _concepts(name: str, target: Target, *, exclude: str = "") -> dict[str, Attribute]:
    """A property tested by a list of concepts, or by a concept set."""
    return {name: Attribute(Kind.CONCEPTS, target, exclude)} | _chosen(f"{name}CS", target)


def _chosen(name: str, target: Target) -> dict[str, Attribute]:
    return {name: Attribute(Kind.SELECTION, target)}


def _typed(name: str, column: str) -> dict[str, Attribute]:
    return _concepts(name, _column(column), exclude=f"{name}Exclude")


def _days(start: str, end: str) -> dict[str, Attribute]:
    return {start: Attribute(Kind.DAY, START), end: Attribute(Kind.DAY, END)}


def _integer(name: str, target: Target) -> dict[str, Attribute]:
    return {name: Attribute(Kind.INTEGER, target)}


def _decimal(name: str, target: Target) -> dict[str, Attribute]:
    return {name: Attribute(Kind.DECIMAL, target)}


def _text(name: str, column: str) -> dict[str, Attribute]:
    return {name: Attribute(Kind.TEXT, _column(column))}


_OCCURRENCE = _days("OccurrenceStartDate", "OccurrenceEndDate")
_PERSON = _integer("Age", _AGE_AT_START) | _concepts("Gender", _GENDER)
_CARE = _concepts("ProviderSpecialty", _SPECIALTY) | _concepts("VisitType", _VISIT)
_ERA = (
    _days("EraStartDate", "EraEndDate")
    | _integer("EraLength", _LENGTH)
    | _integer("AgeAtStart", _AGE_AT_START)
    | _integer("AgeAtEnd", _AGE_AT_END)
    | _concepts("Gender", _GENDER)
)
_PERIOD = (
    _days("PeriodStartDate", "PeriodEndDate")
    | _integer("PeriodLength", _LENGTH)
    | _integer("AgeAtStart", _AGE_AT_START)
    | _integer("AgeAtEnd", _AGE_AT_END)
)

_ONE_DAY = Target("1")


def _counted(concept: Target, duration: Target | None, **more: Target) -> Mapping[CountColumn, Target]:
    always = {
        CountColumn.DOMAIN_CONCEPT: concept,
        CountColumn.START_DATE: START,
        CountColumn.END_DATE: END,
        CountColumn.VISIT_ID: Target("c.visit_occurrence_id"),
    }
    lasting = {} if duration is None else {CountColumn.DURATION: duration}
    return MappingProxyType(always | lasting | {CountColumn[name.upper()]: each for name, each in more.items()})


_CONCEPT = Target("c.concept_id")

PERSON_ATTRIBUTES: Mapping[str, Attribute] = MappingProxyType(
    _PERSON
    | _concepts("Race", Target("p.race_concept_id", joined=Joined.PERSON, beside=("race_concept_id",)))
    | _concepts("Ethnicity", Target("p.ethnicity_concept_id", joined=Joined.PERSON, beside=("ethnicity_concept_id",)))
    | _OCCURRENCE
)
"""What a demographic criterion can test; its record is the index event."""

DOMAINS: Mapping[Domain, DomainTable] = MappingProxyType(
    {
        Domain.CONDITION_ERA: DomainTable(
            "condition_era",
            "condition_era_id",
            "d.condition_era_start_date",
            "d.condition_era_end_date",
            concept="condition_concept_id",
            attributes=_ERA | _integer("OccurrenceCount", _column("condition_occurrence_count")),
            counted=_counted(_CONCEPT, _LENGTH, era_occurrences=_column("condition_occurrence_count")),
        ),
        Domain.CONDITION_OCCURRENCE: DomainTable(
            "condition_occurrence",
            "condition_occurrence_id",
            "d.condition_start_date",
            "coalesce(d.condition_end_date, d.condition_start_date + 1)",
            concept="condition_concept_id",
            source_concept="condition_source_concept_id",
            visit=True,
            attributes=_OCCURRENCE
            | _PERSON
            | _CARE
            | _typed("ConditionType", "condition_type_concept_id")
            | _concepts("ConditionStatus", _column("condition_status_concept_id"))
            | _text("StopReason", "stop_reason"),
            counted=_counted(_CONCEPT, _LENGTH),
        ),
        Domain.DEATH: DomainTable(
            "death",
            "person_id",
            "d.death_date",
            "d.death_date + 1",
            concept="cause_concept_id",
            source_concept="cause_source_concept_id",
            first=False,
            attributes=_OCCURRENCE | _PERSON | _typed("DeathType", "death_type_concept_id"),
            counted=_counted(Target("coalesce(c.concept_id, 0)"), _ONE_DAY),
        ),
        Domain.DEVICE_EXPOSURE: DomainTable(
            "device_exposure",
            "device_exposure_id",
            "d.device_exposure_start_date",
            "coalesce(d.device_exposure_end_date, d.device_exposure_start_date + 1)",
            concept="device_concept_id",
            source_concept="device_source_concept_id",
            visit=True,
            attributes=_OCCURRENCE
            | _PERSON
            | _CARE
            | _typed("DeviceType", "device_type_concept_id")
            | _text("UniqueDeviceId", "unique_device_id")
            | _integer("Quantity", _column("quantity")),
            counted=_counted(_CONCEPT, _LENGTH, quantity=_column("quantity")),
        ),
        Domain.DOSE_ERA: DomainTable(
            "dose_era",
            "dose_era_id",
            "d.dose_era_start_date",
            "d.dose_era_end_date",
            concept="drug_concept_id",
            attributes=_ERA
            | _concepts("Unit", _column("unit_concept_id"))
            | _decimal("DoseValue", _column("dose_value")),
            counted=_counted(_CONCEPT, _LENGTH, unit=_column("unit_concept_id"), value_as_number=_column("dose_value")),
        ),
        Domain.DRUG_ERA: DomainTable(
            "drug_era",
            "drug_era_id",
            "d.drug_era_start_date",
            "d.drug_era_end_date",
            concept="drug_concept_id",
            attributes=_ERA
            | _integer("OccurrenceCount", _column("drug_exposure_count"))
            | _integer("GapDays", _column("gap_days")),
            counted=_counted(
                _CONCEPT, _LENGTH, era_occurrences=_column("drug_exposure_count"), gap_days=_column("gap_days")
            ),
        ),
        Domain.DRUG_EXPOSURE: DomainTable(
            "drug_exposure",
            "drug_exposure_id",
            "d.drug_exposure_start_date",
            "coalesce(d.drug_exposure_end_date, d.drug_exposure_start_date + CAST(d.days_supply AS INTEGER), "
            "d.drug_exposure_start_date + 1)",
            concept="drug_concept_id",
            source_concept="drug_source_concept_id",
            visit=True,
            attributes=_OCCURRENCE
            | _PERSON
            | _CARE
            | _typed("DrugType", "drug_type_concept_id")
            | _text("StopReason", "stop_reason")
            | _text("LotNumber", "lot_number")
            | _integer("Refills", _column("refills"))
            | _decimal("Quantity", _column("quantity"))
            | _integer("DaysSupply", _column("days_supply"))
            | _concepts("RouteConcept", _column("route_concept_id"))
            | _decimal("EffectiveDrugDose", _column("effective_drug_dose"))
            | _concepts("DoseUnit", _column("dose_unit_concept_id")),
            counted=_counted(
                _CONCEPT,
                _LENGTH,
                days_supply=_column("days_supply"),
                quantity=_column("quantity"),
                refills=_column("refills"),
            ),
        ),
        Domain.EPISODE: DomainTable(
            "episode",
            "episode_id",
            "d.episode_start_date",
            "d.episode_end_date",
            concept="episode_concept_id",
            attributes=_days("EpisodeStartDate", "EpisodeEndDate")
            | _integer("EpisodeNumber", _column("episode_number"))
            | _integer("Age", _AGE_AT_START)
            | _chosen("GenderCS", _GENDER)
            | _chosen("EpisodeObjectConceptCS", _column("episode_object_concept_id"))
            | _chosen("EpisodeTypeCS", _column("episode_type_concept_id")),
            counted=_counted(_CONCEPT, _LENGTH),
        ),
        Domain.LOCATION_REGION: DomainTable(
            "location_history",
            "location_history_id",
            "d.start_date",
            "coalesce(d.end_date, DATE '2099-12-31')",
            concept="region_concept_id",
            first=False,
            adjustable=False,
            counted=_counted(_CONCEPT, None),
        ),
        Domain.MEASUREMENT: DomainTable(
            "measurement",
            "measurement_id",
            "d.measurement_date",
            "d.measurement_date + 1",
            concept="measurement_concept_id",
            source_concept="measurement_source_concept_id",
            visit=True,
            attributes=_OCCURRENCE
            | _PERSON
            | _CARE
            | _typed("MeasurementType", "measurement_type_concept_id")
            | _concepts("Operator", _column("operator_concept_id"))
            | _decimal("ValueAsNumber", _column("value_as_number"))
            | _concepts("ValueAsConcept", _column("value_as_concept_id"))
            | _concepts("Unit", _column("unit_concept_id"))
            | _decimal("RangeLow", _column("range_low"))
            | _decimal("RangeHigh", _column("range_high"))
            | _decimal(
                "RangeLowRatio",
                Target("c.value_as_number / nullif(c.range_low, 0)", ("value_as_number", "range_low")),
            )
            | _decimal(
                "RangeHighRatio",
                Target("c.value_as_number / nullif(c.range_high, 0)", ("value_as_number", "range_high")),
            )
            | {"Abnormal": Attribute(Kind.FLAG, ABNORMAL)},
            counted=_counted(
                _CONCEPT,
                _ONE_DAY,
                value_as_number=_column("value_as_number"),
                range_high=_column("range_high"),
                range_low=_column("range_low"),
                unit=_column("unit_concept_id"),
            ),
        ),
        Domain.OBSERVATION: DomainTable(
            "observation",
            "observation_id",
            "d.observation_date",
            "d.observation_date + 1",
            concept="observation_concept_id",
            source_concept="observation_source_concept_id",
            visit=True,
            attributes=_OCCURRENCE
            | _PERSON
            | _CARE
            | _typed("ObservationType", "observation_type_concept_id")
            | _decimal("ValueAsNumber", _column("value_as_number"))
            | _text("ValueAsString", "value_as_string")
            | _concepts("ValueAsConcept", _column("value_as_concept_id"))
            | _concepts("Qualifier", _column("qualifier_concept_id"))
            | _concepts("Unit", _column("unit_concept_id")),
            counted=_counted(
                _CONCEPT, _ONE_DAY, value_as_number=_column("value_as_number"), unit=_column("unit_concept_id")
            ),
        ),
        Domain.OBSERVATION_PERIOD: DomainTable(
            "observation_period",
            "observation_period_id",
            "d.observation_period_start_date",
            "d.observation_period_end_date",
            period=True,
            attributes=_PERIOD | _concepts("PeriodType", _column("period_type_concept_id")),
            counted=_counted(_column("period_type_concept_id"), _LENGTH),
        ),
        Domain.PAYER_PLAN_PERIOD: DomainTable(
            "payer_plan_period",
            "payer_plan_period_id",
            "d.payer_plan_period_start_date",
            "d.payer_plan_period_end_date",
            period=True,
            attributes=_PERIOD
            | _concepts("Gender", _GENDER)
            | {
                f"{name}{source}Concept": Attribute(Kind.CONCEPT_SET, _column(f"{column}{column_source}_concept_id"))
                for name, column in (
                    ("Payer", "payer"),
                    ("Plan", "plan"),
                    ("Sponsor", "sponsor"),
                    ("StopReason", "stop_reason"),
                )
                for source, column_source in (("", ""), ("Source", "_source"))
            },
            counted=_counted(_column("payer_concept_id"), _LENGTH),
        ),
        Domain.PROCEDURE_OCCURRENCE: DomainTable(
            "procedure_occurrence",
            "procedure_occurrence_id",
            "d.procedure_date",
            "d.procedure_date + 1",
            concept="procedure_concept_id",
            source_concept="procedure_source_concept_id",
            visit=True,
            attributes=_OCCURRENCE
            | _PERSON
            | _CARE
            | _typed("ProcedureType", "procedure_type_concept_id")
            | _concepts("Modifier", _column("modifier_concept_id"))
            | _integer("Quantity", _column("quantity")),
            counted=_counted(_CONCEPT, _ONE_DAY, quantity=_column("quantity")),
        ),
        Domain.SPECIMEN: DomainTable(
            "specimen",
            "specimen_id",
            "d.specimen_date",
            "d.specimen_date + 1",
            concept="specimen_concept_id",
            adjustable=False,
            attributes=_OCCURRENCE
            | _PERSON
            | _typed("SpecimenType", "specimen_type_concept_id")
            | _decimal("Quantity", _column("quantity"))
            | _concepts("Unit", _column("unit_concept_id"))
            | _concepts("AnatomicSite", _column("anatomic_site_concept_id"))
            | _concepts("DiseaseStatus", _column("disease_status_concept_id"))
            | _text("SourceId", "specimen_source_id"),
            counted=_counted(_CONCEPT, _ONE_DAY, quantity=_column("quantity"), unit=_column("unit_concept_id")),
        ),
        Domain.VISIT_DETAIL: DomainTable(
            "visit_detail",
            "visit_detail_id",
            "d.visit_detail_start_date",
            "d.visit_detail_end_date",
            concept="visit_detail_concept_id",
            source_concept="visit_detail_source_concept_id",
            visit=True,
            care_site=True,
            attributes=_days("VisitDetailStartDate", "VisitDetailEndDate")
            | _typed("VisitDetailType", "visit_detail_type_concept_id")
            | _integer("VisitDetailLength", _LENGTH)
            | _integer("Age", _AGE_AT_END)
            | _concepts("Gender", _GENDER)
            | _concepts("ProviderSpecialty", _SPECIALTY)
            | _concepts("PlaceOfService", _PLACE),
            counted=_counted(_CONCEPT, _LENGTH, visit_detail_id=Target("c.event_id")),
        ),
        Domain.VISIT_OCCURRENCE: DomainTable(
            "visit_occurrence",
            "visit_occurrence_id",
            "d.visit_start_date",
            "d.visit_end_date",
            concept="visit_concept_id",
            source_concept="visit_source_concept_id",
            visit=True,
            care_site=True,
            attributes=_OCCURRENCE
            | _PERSON
            | _typed("VisitType", "visit_type_concept_id")
            | _integer("VisitLength", _LENGTH)
            | _concepts("ProviderSpecialty", _SPECIALTY)
            | _concepts("PlaceOfService", _PLACE),
            counted=_counted(_CONCEPT, _LENGTH),
        ),
    }
)
