"""A small OMOP CDM grown around Circe definitions, so that their cohorts are seldom empty.

Rows use the definitions' concepts and near misses (descendants, invalid ones, mapped source concepts, strangers), its
dates, window lengths, ages, numbers and texts, each also a step aside; days crowd around a few anchors per person, so
that events share days.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from random import Random
from typing import Any

import pyarrow as pa

from enclos.contracts.columns import Column
from enclos.contracts.omop import END_DATES, START_DATES, omop_tables, primary_keys
from factories.cdm import arrow_of

Row = dict[str, Any]
Cdm = dict[str, list[Row]]
FIRST_DAY = date(2015, 1, 1)
N_DAYS = 1500
DOMAINS = {
    "ConditionOccurrence": "condition_occurrence",
    "DrugExposure": "drug_exposure",
    "ProcedureOccurrence": "procedure_occurrence",
    "Measurement": "measurement",
    "Observation": "observation",
    "DeviceExposure": "device_exposure",
    "VisitOccurrence": "visit_occurrence",
    "VisitDetail": "visit_detail",
    "Specimen": "specimen",
    "Death": "death",
    "PayerPlanPeriod": "payer_plan_period",
    "ConditionEra": "condition_era",
    "DrugEra": "drug_era",
    "DoseEra": "dose_era",
}
"""The table that each kind of criterion reads."""
TABLES = (
    *("concept", "concept_ancestor", "concept_relationship"),
    *("location", "care_site", "provider", "person", "observation_period"),
    *DOMAINS.values(),
)
_MAIN_CONCEPT = {
    "condition_occurrence": ("condition_concept_id", "condition_source_concept_id"),
    "drug_exposure": ("drug_concept_id", "drug_source_concept_id"),
    "procedure_occurrence": ("procedure_concept_id", "procedure_source_concept_id"),
    "measurement": ("measurement_concept_id", "measurement_source_concept_id"),
    "observation": ("observation_concept_id", "observation_source_concept_id"),
    "device_exposure": ("device_concept_id", "device_source_concept_id"),
    "visit_occurrence": ("visit_concept_id", "visit_source_concept_id"),
    "visit_detail": ("visit_detail_concept_id", "visit_detail_source_concept_id"),
    "specimen": ("specimen_concept_id",),
    "death": ("cause_concept_id", "cause_source_concept_id"),
    "condition_era": ("condition_concept_id",),
    "drug_era": ("drug_concept_id",),
    "dose_era": ("drug_concept_id",),
}
_N_ITEMS = 5
"""So many concepts of a set are given rows; a set of thousands needs no more to be met."""


class _Told:
    """What definitions name: concepts by table, concepts of attributes, days, lengths, numbers and texts."""

    def __init__(self, definitions: Iterable[Row]) -> None:
        self.sets: dict[tuple[int, int], list[Row]] = {}
        self.by_table: dict[str, list[tuple[int, int]]] = defaultdict(list)
        self.attributes: set[int] = set()
        self.days: set[date] = set()
        self.numbers: set[float] = set()
        self.texts: set[str] = set()
        for self._number, definition in enumerate(definitions):
            for each in definition.get("ConceptSets") or ():
                self.sets[self._number, each["id"]] = each["expression"]["items"]
            self._read({key: value for key, value in definition.items() if key != "ConceptSets"}, None)

    def _read(self, node: Any, table: str | None) -> None:
        for each in node if isinstance(node, list) else ():
            self._read(each, table)
        for key, value in node.items() if isinstance(node, dict) else ():
            if key in DOMAINS and isinstance(value, dict):
                self._read(value, DOMAINS[key])
            elif isinstance(value, dict) and "CodesetId" in value and key.endswith("CS"):
                members = self.sets.get((self._number, value["CodesetId"]), ())
                self.attributes |= {item["concept"]["CONCEPT_ID"] for item in members}
            elif key == "CustomEra":
                self._read(value, "drug_exposure")
            elif table and key.endswith(("CodesetId", "SourceConcept", "Concept")) and isinstance(value, int):
                self.by_table[table].append((self._number, value))
            elif key in ("Text", "CONCEPT_ID"):
                (self.texts if key == "Text" else self.attributes).add(value)
            elif key in ("Value", "Extent", "Days", "StartDate", "EndDate", "Offset", "GapDays", "EraPad"):
                self._tell(value)
            else:
                self._read(value, table)

    def _tell(self, value: Any) -> None:
        if isinstance(value, str) and value:
            self.days.add(date.fromisoformat(value))
        elif isinstance(value, int | float):
            self.numbers.add(value)


def circe_cdm(definitions: Iterable[Row], seed: int, n_persons: int = 20) -> Cdm:
    """Tables as rows, the same for the same definitions and seed."""
    random = Random(seed)  # noqa: S311 - test data
    told = _Told(definitions)
    cdm: Cdm = {table: [] for table in TABLES}
    pools = _vocabulary(cdm, told, random)
    for number in range(1, 4):
        cdm["location"].append({"location_id": number})
        cdm["care_site"].append({"care_site_id": number, "place_of_service_concept_id": _attribute(told, random)})
        cdm["provider"].append({"provider_id": number, "specialty_concept_id": _attribute(told, random)})
    for person in range(1, n_persons + 1):
        _person(cdm, person, told, pools, random)
    for table in DOMAINS.values():
        _number(cdm[table], table, random)
    return {
        table: [{**dict.fromkeys(omop_tables()[table].names), **row} for row in rows] for table, rows in cdm.items()
    }


def arrow_cdm(cdm: Cdm) -> dict[str, pa.Table]:
    """The tables of a CDM as Arrow, columns and types as the CDM 5.4 has them."""
    return {table: arrow_of(table, rows) for table, rows in cdm.items()}


def _vocabulary(cdm: Cdm, told: _Told, random: Random) -> dict[str, list[int]]:
    """Concepts, ancestors and mappings; by table, the concepts worth a row."""
    concepts: dict[int, str | None] = {}
    members: dict[tuple[int, int], list[int]] = {}
    fresh = iter(range(2**31 - 4, 2**31 + 100_000))
    ancestors: set[tuple[int, int]] = set()
    for number, items in told.sets.items():
        chosen = random.sample(items, min(_N_ITEMS, len(items)))
        members[number] = []
        for item in chosen:
            concept = item["concept"]["CONCEPT_ID"]
            family = [concept, *(next(fresh) for _ in range(random.randint(0, 2)))]
            for each in family:
                if each not in concepts and (each != concept or random.random() < 0.95):
                    concepts[each] = "D" if random.random() < 0.12 else None
            ancestors |= {(concept, each) for each in family if random.random() < 0.95}
            for each in family:
                source = next(fresh)
                if random.random() < 0.5:
                    concepts[source] = None
                    cdm["concept_relationship"].append(_maps(source, each, random))
                    members[number].append(source)
            members[number] += family
    for concept in told.attributes | {0, 8507, 8532}:
        concepts.setdefault(concept, None)
    known = list(concepts)
    if len(known) > 2:  # one set's concept may lie under another's
        ancestors |= {(random.choice(known), random.choice(known)) for _ in range(3)}
    cdm["concept"] += [
        {"concept_id": c, "concept_name": f"concept {c}", "invalid_reason": r} for c, r in concepts.items()
    ]
    cdm["concept_ancestor"] += [
        {"ancestor_concept_id": above, "descendant_concept_id": below} for above, below in sorted(ancestors)
    ]
    everything = [each for of_set in members.values() for each in of_set] or [0]
    pools = {
        table: [each for number in numbers for each in members.get(number, ())] or everything
        for table, numbers in told.by_table.items()
    }
    return defaultdict(lambda: everything, pools)


def _maps(source: int, target: int, random: Random) -> Row:
    return {
        "concept_id_1": source,
        "concept_id_2": target,
        "relationship_id": random.choice(("Maps to", "Maps to", "Maps to", "Mapped from")),
        "invalid_reason": random.choice((None, None, None, "D")),
    }


def _person(cdm: Cdm, person: int, told: _Told, pools: dict[str, list[int]], random: Random) -> None:
    anchors = [FIRST_DAY + timedelta(days=random.randrange(N_DAYS)) for _ in range(random.randint(1, 3))]
    anchors += random.sample(sorted(told.days), min(len(told.days), random.randint(0, 2)))
    ages = [int(number) for number in told.numbers if 0 < number < 100] or [40]
    cdm["person"].append(
        {
            "person_id": person,
            "gender_concept_id": random.choice((8507, 8532, 8507, 8532, _attribute(told, random) or 0)),
            "year_of_birth": random.choice(anchors).year
            - random.choice((*ages, *ages, 40))
            - random.choice((-1, 0, 1)),
            "race_concept_id": _attribute(told, random) or 0,
            "ethnicity_concept_id": _attribute(told, random) or 0,
            "location_id": random.randint(1, 3),
        }
    )
    if random.random() < 0.96:
        cdm["observation_period"] += _periods(person, anchors, told, random)
    weights = {table: 5 if table in told.by_table else 0 for table in DOMAINS.values()}
    for table in DOMAINS.values():
        if table == "death":
            n_rows = random.choice((0, 0, 1)) if weights[table] == 0 else random.choice((0, 1, 1))
        elif table == "visit_occurrence":
            n_rows = random.randint(1, 4)
        else:
            n_rows = random.choice((0, 0, 1)) if weights[table] == 0 else random.randint(1, weights[table])
        cdm[table] += [_event(table, person, anchors, told, pools[table], random) for _ in range(n_rows)]


def _periods(person: int, anchors: Sequence[date], told: _Told, random: Random) -> Iterator[Row]:
    """One to three periods that do not overlap, often beginning or ending near an anchor."""
    edges = {_near(random.choice(anchors), told, random) for _ in range(random.choice((2, 2, 2, 4, 6)))}
    edges |= {
        FIRST_DAY - timedelta(days=random.randint(0, 900)),
        FIRST_DAY + timedelta(days=N_DAYS + random.randint(0, 900)),
    }
    days = sorted(edges) if random.random() < 0.4 else [min(edges), max(edges)]
    for number, (first, last) in enumerate(zip(days[::2], days[1::2], strict=False), 1):
        yield {
            "observation_period_id": person * 10 + number,
            "person_id": person,
            "observation_period_start_date": first,
            "observation_period_end_date": last,
            "period_type_concept_id": _attribute(told, random) or 0,
        }


def _event(table: str, person: int, anchors: Sequence[date], told: _Told, pool: list[int], random: Random) -> Row:
    row: Row = {column.name: _value(column, told, random) for column in omop_tables()[table]}
    row["person_id"] = person
    main = _MAIN_CONCEPT.get(table, ())
    for name in main:
        row[name] = random.choice(pool) if random.random() < 0.85 else random.choice((0, 1, 2))
    if table == "death" and random.random() < 0.2:
        row["cause_concept_id"] = None
    if table == "payer_plan_period":
        row |= {name: random.choice((*pool, 0)) for name in row if name.endswith("concept_id")}
    start = _near(random.choice(anchors), told, random)
    row[START_DATES[table]] = start
    if table in END_DATES:
        end: date | None = start + timedelta(days=abs(_step(told, random)))
        optional = not omop_tables()[table].column(END_DATES[table]).required
        if (
            table != "drug_exposure" and random.random() < 0.03
        ):  # as sources have it; drug eras of such rows depend on ties
            end = start - timedelta(days=random.randint(1, 40))
        row[END_DATES[table]] = None if optional and random.random() < 0.35 else end
    for name in ("provider_id", "care_site_id"):
        if name in row:
            row[name] = random.choice((1, 2, 3, 4, None))
    if "visit_occurrence_id" in row and table != "visit_occurrence":
        row["visit_occurrence_id"] = random.choice(
            (None, *range(1, 5))
        )  # the person's visit of that place, see _number
    return row


def _value(column: Column, told: _Told, random: Random) -> Any:
    if column.name.endswith("concept_id"):
        value: Any = _attribute(told, random)
        return 0 if value is None and column.required else value
    if column.name == "days_supply":
        return random.choice((None, 0, 1, 5, 30, 90))
    if (
        column.sql_type == "DOUBLE"
        or column.name in ("quantity", "refills", "gap_days")
        or column.name.endswith("_count")
    ):
        choices = [None, 0, 1, 2, *(n + step for n in told.numbers for step in (0, 0, 1, -1, 0.5, 0.0004))]
        number = random.choice(choices)
        if column.required and number is None:
            number = 1
        return number if number is None or column.sql_type == "DOUBLE" else int(number)
    if column.sql_type == "VARCHAR":
        texts = [f"{before}{text}{after}" for text in told.texts for before in ("", "x ") for after in ("", " y")]
        return random.choice((None, "other", *texts))
    return None


def _attribute(told: _Told, random: Random) -> int | None:
    known = sorted(told.attributes)
    return random.choice((None, 0, 1, *known, *known, *known))


def _step(told: _Told, random: Random) -> int:
    lengths = [int(n) for n in told.numbers if abs(n) < 2000] or [30]
    length = random.choice(lengths) * random.choice((1, 1, -1))
    return random.choice(
        (0, 0, 1, -1, length, length, length + 1, length - 1, random.randint(-40, 40), random.randint(-400, 400))
    )


def _near(anchor: date, told: _Told, random: Random) -> date:
    return anchor + timedelta(days=_step(told, random))


def _number(rows: list[Row], table: str, random: Random) -> None:
    """Number rows in no order of time, so low that tables share numbers; visits are a person's first to fourth."""
    key = primary_keys().get(table)
    if table == "visit_occurrence":
        seen: dict[int, int] = defaultdict(int)
        for row in rows:
            seen[row["person_id"]] += 1
            row["visit_occurrence_id"] = row["person_id"] * 4 + seen[row["person_id"]] - 4
        return
    if key and key != "person_id":
        numbers = list(range(1, len(rows) + 1))
        random.shuffle(numbers)
        for row, number in zip(rows, numbers, strict=True):
            row[key] = number
    for row in rows:
        if row.get("visit_occurrence_id") is not None:
            owner = row["person_id"] if random.random() < 0.95 else row["person_id"] + 1
            row["visit_occurrence_id"] += owner * 4 - 4
