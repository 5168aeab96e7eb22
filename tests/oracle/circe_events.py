"""The events that one Circe criterion finds in a person's rows, attribute by attribute; it shares no code with Enclos.

Written from the meaning of Circe-be's criteria, for tables as lists of dictionaries. An attribute whose value is absent
does not hold.
Source: OHDSI Circe-be 1.11, package cohortdefinition.builders (Apache-2.0).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, NamedTuple

Row = Mapping[str, Any]
Tables = Mapping[str, Sequence[Row]]
Json = Mapping[str, Any]


class Event(NamedTuple):
    """One row that a criterion found, in Circe's words."""

    id: int
    start: date
    end: date | None
    visit: int | None
    sort: date
    concept: int | None
    row: Row


@dataclass(frozen=True)
class Domain:
    """Where a criterion's rows stand and what its attributes read."""

    table: str
    key: str
    concept: str
    first_day: str
    last_day: Callable[[Row, date], date | None]
    source: tuple[str, str] = ("", "")
    concepts: Mapping[str, str] = field(default_factory=dict)
    whole: Mapping[str, str] = field(default_factory=dict)
    decimal: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    sets: Mapping[str, str] = field(default_factory=dict)
    starts: str = "OccurrenceStartDate"
    ends: str = ""
    length: str = ""
    age_at: str = "start"


def _next_day(_: Row, start: date) -> date:
    return start + timedelta(days=1)


def _column(name: str) -> Callable[[Row, date], date | None]:
    return lambda row, _: row[name]


def _column_or_next_day(name: str) -> Callable[[Row, date], date]:
    return lambda row, start: row[name] or start + timedelta(days=1)


def _end_of_drug(row: Row, start: date) -> date:
    supply = 1 if row["days_supply"] is None else row["days_supply"]
    return row["drug_exposure_end_date"] or start + timedelta(days=supply)


def _period(table: str, prefix: str, **attributes: Any) -> Domain:
    return Domain(
        table,
        f"{table}_id",
        attributes.pop("concept"),
        f"{prefix}_start_date",
        _column(f"{prefix}_end_date"),
        starts=attributes.pop("starts", "PeriodStartDate"),
        ends=attributes.pop("ends", "PeriodEndDate"),
        length=attributes.pop("length", "PeriodLength"),
        **attributes,
    )


_ERA = {"starts": "EraStartDate", "ends": "EraEndDate", "length": "EraLength"}
DOMAINS = {
    "ConditionOccurrence": Domain(
        "condition_occurrence",
        "condition_occurrence_id",
        "condition_concept_id",
        "condition_start_date",
        _column_or_next_day("condition_end_date"),
        source=("ConditionSourceConcept", "condition_source_concept_id"),
        concepts={"ConditionType": "condition_type_concept_id", "ConditionStatus": "condition_status_concept_id"},
        texts={"StopReason": "stop_reason"},
        ends="OccurrenceEndDate",
    ),
    "DrugExposure": Domain(
        "drug_exposure",
        "drug_exposure_id",
        "drug_concept_id",
        "drug_exposure_start_date",
        _end_of_drug,
        source=("DrugSourceConcept", "drug_source_concept_id"),
        concepts={"DrugType": "drug_type_concept_id", "RouteConcept": "route_concept_id"},
        whole={"Refills": "refills", "DaysSupply": "days_supply"},
        decimal={"Quantity": "quantity"},
        texts={"StopReason": "stop_reason", "LotNumber": "lot_number"},
    ),
    "ProcedureOccurrence": Domain(
        "procedure_occurrence",
        "procedure_occurrence_id",
        "procedure_concept_id",
        "procedure_date",
        _next_day,
        source=("ProcedureSourceConcept", "procedure_source_concept_id"),
        concepts={"ProcedureType": "procedure_type_concept_id", "Modifier": "modifier_concept_id"},
        whole={"Quantity": "quantity"},
    ),
    "Measurement": Domain(
        "measurement",
        "measurement_id",
        "measurement_concept_id",
        "measurement_date",
        _next_day,
        source=("MeasurementSourceConcept", "measurement_source_concept_id"),
        concepts={
            "MeasurementType": "measurement_type_concept_id",
            "Operator": "operator_concept_id",
            "ValueAsConcept": "value_as_concept_id",
            "Unit": "unit_concept_id",
        },
        decimal={"ValueAsNumber": "value_as_number", "RangeLow": "range_low", "RangeHigh": "range_high"},
    ),
    "Observation": Domain(
        "observation",
        "observation_id",
        "observation_concept_id",
        "observation_date",
        _next_day,
        source=("ObservationSourceConcept", "observation_source_concept_id"),
        concepts={
            "ObservationType": "observation_type_concept_id",
            "ValueAsConcept": "value_as_concept_id",
            "Qualifier": "qualifier_concept_id",
            "Unit": "unit_concept_id",
        },
        decimal={"ValueAsNumber": "value_as_number"},
        texts={"ValueAsString": "value_as_string"},
    ),
    "DeviceExposure": Domain(
        "device_exposure",
        "device_exposure_id",
        "device_concept_id",
        "device_exposure_start_date",
        _column_or_next_day("device_exposure_end_date"),
        source=("DeviceSourceConcept", "device_source_concept_id"),
        concepts={"DeviceType": "device_type_concept_id"},
        whole={"Quantity": "quantity"},
        texts={"UniqueDeviceId": "unique_device_id"},
        ends="OccurrenceEndDate",
    ),
    "VisitOccurrence": Domain(
        "visit_occurrence",
        "visit_occurrence_id",
        "visit_concept_id",
        "visit_start_date",
        _column("visit_end_date"),
        source=("VisitSourceConcept", "visit_source_concept_id"),
        concepts={"VisitType": "visit_type_concept_id"},
        ends="OccurrenceEndDate",
        length="VisitLength",
    ),
    "VisitDetail": Domain(
        "visit_detail",
        "visit_detail_id",
        "visit_detail_concept_id",
        "visit_detail_start_date",
        _column("visit_detail_end_date"),
        source=("VisitDetailSourceConcept", "visit_detail_source_concept_id"),
        concepts={"VisitDetailType": "visit_detail_type_concept_id"},
        starts="VisitDetailStartDate",
        ends="VisitDetailEndDate",
        length="VisitDetailLength",
        age_at="end",
    ),
    "Specimen": Domain(
        "specimen",
        "specimen_id",
        "specimen_concept_id",
        "specimen_date",
        _next_day,
        concepts={
            "SpecimenType": "specimen_type_concept_id",
            "Unit": "unit_concept_id",
            "AnatomicSite": "anatomic_site_concept_id",
            "DiseaseStatus": "disease_status_concept_id",
        },
        decimal={"Quantity": "quantity"},
        texts={"SourceId": "specimen_source_id"},
    ),
    "Death": Domain(
        "death",
        "person_id",
        "cause_concept_id",
        "death_date",
        _next_day,
        source=("DeathSourceConcept", "cause_source_concept_id"),
        concepts={"DeathType": "death_type_concept_id"},
    ),
    "ObservationPeriod": _period(
        "observation_period",
        "observation_period",
        concept="period_type_concept_id",
        concepts={"PeriodType": "period_type_concept_id"},
    ),
    "PayerPlanPeriod": _period(
        "payer_plan_period",
        "payer_plan_period",
        concept="payer_concept_id",
        sets={
            f"{name}{kind}Concept": f"{column}{kind_column}_concept_id"
            for name, column in (
                ("Payer", "payer"),
                ("Plan", "plan"),
                ("Sponsor", "sponsor"),
                ("StopReason", "stop_reason"),
            )
            for kind, kind_column in (("", ""), ("Source", "_source"))
        },
    ),
    "ConditionEra": _period(
        "condition_era",
        "condition_era",
        concept="condition_concept_id",
        whole={"OccurrenceCount": "condition_occurrence_count"},
        **_ERA,
    ),
    "DrugEra": _period(
        "drug_era", "drug_era", concept="drug_concept_id", whole={"OccurrenceCount": "drug_exposure_count"}, **_ERA
    ),
    "DoseEra": _period(
        "dose_era",
        "dose_era",
        concept="drug_concept_id",
        concepts={"Unit": "unit_concept_id"},
        decimal={"DoseValue": "dose_value"},
        **_ERA,
    ),
}
_PERIODS = ("ObservationPeriod", "PayerPlanPeriod")


class Person:
    """One person's rows by table, with the places that they point to."""

    def __init__(self, row: Row, tables: Tables, providers: Mapping[int, Row], care_sites: Mapping[int, Row]) -> None:
        self.row, self.tables, self.providers, self.care_sites = row, tables, providers, care_sites

    def age(self, day: date | None) -> int | None:
        return None if day is None else day.year - self.row["year_of_birth"]


def persons(tables: Tables) -> Iterator[Person]:
    """Everybody, each with their own rows."""
    names = {domain.table for domain in DOMAINS.values()}
    rows: dict[int, dict[str, list[Row]]] = {row["person_id"]: {name: [] for name in names} for row in tables["person"]}
    for name in names:
        for row in tables[name]:
            if row["person_id"] in rows:
                rows[row["person_id"]][name].append(row)
    providers = {row["provider_id"]: row for row in tables["provider"]}
    care_sites = {row["care_site_id"]: row for row in tables["care_site"]}
    for row in tables["person"]:
        yield Person(row, rows[row["person_id"]], providers, care_sites)


def found_by(kind: str, criterion: Json, person: Person, sets: Mapping[int, set[int]]) -> list[Event]:
    """The events of one person that a criterion finds, without its correlated criteria."""
    domain = DOMAINS[kind]
    rows = [row for row in person.tables[domain.table] if _in_sets(domain, kind, criterion, row, sets)]
    if criterion.get("First"):
        rows = sorted(rows, key=lambda row: (row[domain.first_day], row[domain.key]))[:1]
    events = (_event(kind, domain, criterion, row) for row in rows)
    kept = (event for event in events if all(_holds(kind, domain, criterion, event, person, sets)))
    return [_user_defined(kind, criterion, event) for event in kept]


def _in_sets(domain: Domain, kind: str, criterion: Json, row: Row, sets: Mapping[int, set[int]]) -> bool:
    wanted = [(criterion.get("CodesetId") if kind not in _PERIODS else None, domain.concept)]
    wanted.append((criterion.get(domain.source[0]), domain.source[1]))
    return all(row[column] in sets.get(number, ()) for number, column in wanted if number is not None)


def _event(kind: str, domain: Domain, criterion: Json, row: Row) -> Event:
    start: date = row[domain.first_day]
    end = domain.last_day(row, start)
    moved = criterion.get("DateAdjustment")
    if moved and kind != "Specimen" and end is not None:
        by = {"START_DATE": start, "END_DATE": end}
        first, last = by[moved.get("StartWith", "START_DATE")], by[moved.get("EndWith", "END_DATE")]
        if kind == "Death":
            first, last = start, end
        start = first + timedelta(days=moved["StartOffset"])
        end = last + timedelta(days=moved["EndOffset"])
    concept = row[domain.concept]
    if kind == "Death" and concept is None:
        concept = 0
    visit = None if kind in ("Specimen", "Death") else row.get("visit_occurrence_id")
    return Event(row[domain.key], start, end, visit, start, concept, row)


def _user_defined(kind: str, criterion: Json, event: Event) -> Event:
    period = criterion.get("UserDefinedPeriod") if kind in _PERIODS else None
    if not period:
        return event
    start, end = period.get("StartDate"), period.get("EndDate")
    return event._replace(
        start=date.fromisoformat(start) if start else event.start, end=date.fromisoformat(end) if end else event.end
    )


def _holds(
    kind: str, domain: Domain, criterion: Json, event: Event, person: Person, sets: Mapping[int, set[int]]
) -> Iterable[bool]:
    row = event.row
    yield in_dates(event.start, criterion.get(domain.starts))
    yield in_dates(event.end, criterion.get(domain.ends))
    for name, column in domain.concepts.items():
        yield in_concepts(row[column], criterion.get(name), bool(criterion.get(f"{name}Exclude")))
        yield in_selection(row[column], criterion.get(f"{name}CS"), sets)
    for name, column in domain.whole.items():
        yield in_whole(row[column], criterion.get(name))
    for name, column in domain.decimal.items():
        yield in_decimal(row[column], criterion.get(name))
    for name, column in domain.texts.items():
        yield like(row[column], criterion.get(name))
    for name, column in domain.sets.items():
        yield criterion.get(name) is None or row[column] in sets.get(criterion[name], ())
    if domain.length:
        yield in_whole(None if event.end is None else (event.end - event.start).days, criterion.get(domain.length))
    if kind == "Measurement":
        yield _ratios_hold(criterion, row)
    if kind in _PERIODS:
        yield _period_holds(criterion, event)
    yield _person_holds(domain, criterion, event, person, sets)
    yield _places_hold(kind, criterion, row, person, sets)


def _ratios_hold(criterion: Json, row: Row) -> bool:
    value, low, high = row["value_as_number"], row["range_low"], row["range_high"]
    abnormal = (
        (value is not None and low is not None and value < low)
        or (value is not None and high is not None and value > high)
        or row["value_as_concept_id"] in (4155142, 4155143)
    )
    return (
        in_decimal(value / low if value is not None and low else None, criterion.get("RangeLowRatio"))
        and in_decimal(value / high if value is not None and high else None, criterion.get("RangeHighRatio"))
        and (abnormal or not criterion.get("Abnormal"))
    )


def _period_holds(criterion: Json, event: Event) -> bool:
    days = [date.fromisoformat(day) for day in dict(criterion.get("UserDefinedPeriod") or {}).values() if day]
    return all(event.end is not None and event.start <= day <= event.end for day in days)


def _person_holds(domain: Domain, criterion: Json, event: Event, person: Person, sets: Mapping[int, set[int]]) -> bool:
    return (
        in_whole(person.age(getattr(event, domain.age_at)), criterion.get("Age"))
        and in_whole(person.age(event.start), criterion.get("AgeAtStart"))
        and in_whole(person.age(event.end), criterion.get("AgeAtEnd"))
        and in_concepts(person.row["gender_concept_id"], criterion.get("Gender"))
        and in_selection(person.row["gender_concept_id"], criterion.get("GenderCS"), sets)
    )


def _places_hold(kind: str, criterion: Json, row: Row, person: Person, sets: Mapping[int, set[int]]) -> bool:
    provider = person.providers.get(row.get("provider_id"), {}).get("specialty_concept_id")
    holds = in_concepts(provider, criterion.get("ProviderSpecialty")) and in_selection(
        provider, criterion.get("ProviderSpecialtyCS"), sets
    )
    if kind in ("VisitOccurrence", "VisitDetail"):
        wanted, chosen = criterion.get("PlaceOfService"), criterion.get("PlaceOfServiceCS")
        site = person.care_sites.get(row["care_site_id"])
        place = (site or {}).get("place_of_service_concept_id")
        return holds and (
            not (wanted or chosen)
            or (site is not None and in_concepts(place, wanted) and in_selection(place, chosen, sets))
        )
    wanted, chosen = criterion.get("VisitType"), criterion.get("VisitTypeCS")
    if not (wanted or chosen):
        return holds
    visits = [v for v in person.tables["visit_occurrence"] if v["visit_occurrence_id"] == row["visit_occurrence_id"]]
    return holds and any(
        in_concepts(v["visit_concept_id"], wanted) and in_selection(v["visit_concept_id"], chosen, sets) for v in visits
    )


def in_dates(day: date | None, wanted: Json | None) -> bool:
    """Whether a day lies in a Circe date range; no range asks nothing."""
    return wanted is None or _in_range(day, wanted, date.fromisoformat)


def in_whole(value: float | None, wanted: Json | None) -> bool:
    """Whether a number lies in a Circe range whose bounds are cut to whole numbers."""
    return wanted is None or _in_range(value, wanted, int)


def in_decimal(value: float | None, wanted: Json | None) -> bool:
    """Whether a number lies in a Circe range whose bounds are written with four decimals."""
    return wanted is None or _in_range(value, wanted, lambda bound: float(f"{bound:.4f}"))


def _in_range(value: Any, wanted: Json, read: Callable[[Any], Any]) -> bool:
    if value is None:
        return False
    bound, sign = read(wanted["Value"]), wanted["Op"]
    if sign.endswith("bt"):
        return bool(bound <= value <= read(wanted["Extent"])) != sign.startswith("!")
    answers = {"lt": value < bound, "lte": value <= bound, "eq": value == bound}
    answers |= {"!eq": value != bound, "gt": value > bound, "gte": value >= bound}
    return bool(answers[sign])


def in_concepts(concept: int | None, wanted: Sequence[Json] | None, exclude: bool = False) -> bool:
    """Whether a concept is in a list; an absent concept is neither in nor out."""
    if not wanted:
        return True
    return concept is not None and (concept in {w["CONCEPT_ID"] for w in wanted}) != exclude


def in_selection(concept: int | None, wanted: Json | None, sets: Mapping[int, set[int]]) -> bool:
    """Whether a concept is in, or outside, a concept set; outside an empty set is everything, an absent concept too."""
    if not wanted:
        return True
    members = sets.get(wanted["CodesetId"], set())
    if wanted.get("IsExclusion"):
        return not members or (concept is not None and concept not in members)
    return concept in members


def like(text: str | None, wanted: Json | None) -> bool:
    """Whether a text starts with, ends with, contains or is the wanted one."""
    if not wanted:
        return True
    if text is None:
        return False
    sign = wanted["Op"]
    before = ".*" if sign.endswith(("endsWith", "contains")) else ""
    after = ".*" if sign.endswith(("startsWith", "contains")) else ""
    wild = "".join({"%": ".*", "_": "."}.get(letter, re.escape(letter)) for letter in wanted["Text"])
    return bool(re.fullmatch(f"{before}{wild}{after}", text)) != sign.startswith("!")
