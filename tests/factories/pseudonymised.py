"""Small pseudonymised tables by hand, as if they had crossed the wall, and a snapshot built from them."""

from __future__ import annotations

import atexit
import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date, datetime, time
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow.csv import WriteOptions, write_csv

from enclos.contracts.columns import TableContract
from enclos.contracts.omop import PERSON_TABLES, omop_tables
from enclos.contracts.pseudonymised import PSEUDONYMISED, VOCABULARY
from enclos.contracts.sql import SqlEngine
from enclos.lexicon.keys import KeyName, KeyRole, SecretKey
from enclos.stores.engine import Engine, open_engine
from enclos.stores.lake import Lake, attach_lake
from enclos.warehouse.model import BuildReport, DeliveredPeriod
from enclos.warehouse.steps import build_snapshot

Row = Mapping[str, Any]

CATALOG_KEY = SecretKey(KeyName(KeyRole.CATALOG), b"a catalog key of the unit tests.")
YEAR_2019 = (
    DeliveredPeriod("snds", "snds-dcir", date(2019, 1, 1), date(2020, 1, 1)),
    DeliveredPeriod("snds", "snds-pmsi", date(2019, 1, 1), date(2020, 1, 1)),
)

RELEASED = date(2026, 11, 2)

_TYPES = {
    "BIGINT": pa.int64(),
    "INTEGER": pa.int32(),
    "DOUBLE": pa.float64(),
    "VARCHAR": pa.string(),
    "DATE": pa.date32(),
    "TIMESTAMP": pa.timestamp("us"),
    "BOOLEAN": pa.bool_(),
}


def contract_of(table: str) -> TableContract:
    """The contract of a pseudonymised or vocabulary table."""
    return PSEUDONYMISED.get(table) or VOCABULARY[table]


def arrow_table(table: str, rows: Sequence[Row], n_buckets: int) -> pa.Table:
    """Rows in the contract's shape; what a row does not say is empty, the bucket follows from the person."""
    contract = contract_of(table)
    unknown = {name for row in rows for name in row} - set(contract.names)
    if unknown:
        raise KeyError(f"{table} has no column {sorted(unknown)}")
    filled = []
    for row in rows:
        full = {"source": "snds", **row}
        if "bucket" in contract.names:
            full["bucket"] = full["person_id"] % n_buckets
        filled.append(full)
    schema = pa.schema([(column.name, _TYPES[column.sql_type]) for column in contract])
    columns = [pa.array([row.get(field.name) for row in filled], type=field.type) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema)


class HandCrossing:
    """Tables that crossed, held in memory."""

    def __init__(self, engine: SqlEngine, tables: Mapping[str, Sequence[Row] | pa.Table], n_buckets: int) -> None:
        self._engine = engine
        self._contracts = {}
        self._tables: dict[str, pa.Table] = {}
        self._stamps: dict[tuple[str, tuple[int, ...] | None], str] = {}
        for name, rows in tables.items():
            table = rows if isinstance(rows, pa.Table) else arrow_table(name, rows, n_buckets)
            engine.register(f"crossed_{name}", table)
            self._contracts[name] = contract_of(name)
            self._tables[name] = table

    def tables(self) -> list[str]:
        return list(self._contracts)

    def forget(self) -> None:
        for name in self._contracts:
            self._engine.unregister(f"crossed_{name}")

    def relation(self, table: str, buckets: Sequence[int] | None) -> str | None:
        if table not in self._contracts:
            return None
        if buckets is None or "bucket" not in self._contracts[table].names:
            return f"crossed_{table}"
        return f"(SELECT * FROM crossed_{table} WHERE bucket IN ({', '.join(map(str, buckets))}))"

    def stamp(self, table: str, buckets: Sequence[int] | None) -> str:
        asked = table, None if buckets is None else tuple(buckets)
        if asked not in self._stamps:  # a build asks many times, and tables do not change
            self._stamps[asked] = self._stamped(table, buckets)
        return self._stamps[asked]

    def _stamped(self, table: str, buckets: Sequence[int] | None) -> str:
        written = io.BytesIO()
        if table in self._tables:
            rows = self._tables[table]
            if buckets is not None and "bucket" in rows.column_names:
                rows = rows.filter(pc.is_in(rows["bucket"], pa.array(buckets, pa.int32())))
            write_csv(rows, written, WriteOptions(include_header=False))  # tells an empty text from none
        return hashlib.sha256(b"\n".join(sorted(written.getvalue().split(b"\n")))).hexdigest()

    def n_rows(self) -> int:
        return sum(table.num_rows for table in self._tables.values())


class Snapshot:
    """A built snapshot, its report and the engine that reads it."""

    def __init__(self, engine: Engine, lake: Lake, report: BuildReport) -> None:
        self.engine = engine
        self.lake = lake
        self.report = report

    def rows(self, table: str, *columns: str, order: str = "") -> list[tuple[Any, ...]]:
        """The columns of a table's rows, sorted."""
        relation = self.lake.snapshot(self.report.snapshot).relation(table)
        listed = ", ".join(f'"{column}"' for column in columns) or "*"
        return self.engine.rows(f"SELECT {listed} FROM {relation} ORDER BY {order or 'ALL'}")

    def account(self, table: str) -> dict[str, Any]:
        """The account of a delivered table, without zeros."""
        (line,) = [line for line in self.report.account if line.table == table]
        return {
            name: value
            for name, value in line.as_json().items()
            if name not in ("table", "sources") and value not in (0, {})
        }


@contextmanager
def built(
    tables: Mapping[str, Sequence[Row] | pa.Table],
    *,
    n_buckets: int = 1,
    n_threads: int = 1,
    periods: Sequence[DeliveredPeriod] = YEAR_2019,
    **options: Any,
) -> Iterator[Snapshot]:
    """The snapshot that these tables make.

    In: n_threads — over so few rows, two wait for each other longer than they work.
    """
    engine, lake = bench()
    engine.execute(f"SET threads = {n_threads}")
    crossing = HandCrossing(engine, tables, n_buckets)
    try:
        report = build_snapshot(engine, crossing, lake, n_buckets, periods=periods, released_on=RELEASED, **options)
        yield Snapshot(engine, lake, report)
    finally:
        crossing.forget()


@cache
def bench() -> tuple[Engine, Lake]:
    """An engine and a lake that the process keeps: each build is a snapshot of its own."""
    exit_stack = ExitStack()
    atexit.register(exit_stack.close)
    folder = Path(exit_stack.enter_context(TemporaryDirectory()))
    engine = exit_stack.enter_context(open_engine(memory_limit_mb=1024, threads=1))
    return engine, attach_lake(engine, folder / "catalog.ducklake", folder / "lake", CATALOG_KEY)


# -- one-line rows


def ben(person_id: int, **changes: Any) -> dict[str, Any]:
    """A woman born in May 1960 who lives in Lyon 3e."""
    return {
        "person_id": person_id,
        "BEN_SEX_COD": 2,
        "BEN_NAI_ANN": 1960,
        "BEN_NAI_MOI": 5,
        "BEN_RES_DPT": "069",
        "BEN_RES_COM": "383",
        "BEN_DTE_INS": date(2010, 1, 1),
        "MAX_TRT_DTD": date(2019, 11, 1),
    } | changes


def care(person_id: int, day: date, nature: int, **changes: Any) -> dict[str, Any]:
    """The context of a prestation in town that no trap concerns."""
    return {
        "person_id": person_id,
        "FLX_DIS_DTD": date(2019, 7, 1),
        "EXE_SOI_DTD": day,
        "EXE_SOI_DTF": day,
        "PRS_NAT_REF": nature,
        "CPL_MAJ_TOP": 0,
        "executant_key": 77,
    } | changes


def prestation(person_id: int, day: date, nature: int = 1111, quantity: float = 1, **changes: Any) -> dict[str, Any]:
    """A consultation of a general practitioner."""
    return care(person_id, day, nature, PRS_ACT_QTE=quantity, **changes)


def dispensing(person_id: int, day: date, pack: int, boxes: int = 1, **changes: Any) -> dict[str, Any]:
    """Boxes of a drug from a pharmacy."""
    return care(person_id, day, 3313, PHA_PRS_C13=pack, PHA_ACT_QSN=boxes, **changes)


def town_act(person_id: int, day: date, code: str, quantity: float = 1, **changes: Any) -> dict[str, Any]:
    """A CCAM act in town."""
    act = {"CAM_PRS_IDE": code, "CAM_ACT_COD": "1", "CAM_TRT_PHA": 0, "PRS_ACT_QTE": quantity}
    return care(person_id, day, 1352, **act | changes)


def stay(person_id: int, key: int, entry: date, leave: date, **changes: Any) -> dict[str, Any]:
    """A stay from home to home, chained with certainty."""
    codes = dict.fromkeys(
        ("NIR_RET", "NAI_RET", "SEX_RET", "SEJ_RET", "FHO_RET", "PMS_RET", "DAT_RET", "COH_NAI_RET", "COH_SEX_RET"), "0"
    )
    return (
        {
            "person_id": person_id,
            "stay_key": key,
            "ETA_NUM": "690781810",
            "EXE_SOI_DTD": entry,
            "EXE_SOI_DTF": leave,
            "SEJ_NBJ": (leave - entry).days,
            "ENT_MOD": "8",
            "SOR_MOD": "8",
            "GRG_GHM": "06K04J",
        }
        | codes
        | changes
    )


def of_stay(person_id: int, key: int, **changes: Any) -> dict[str, Any]:
    """A line of a stay: a diagnosis, an act, a unit."""
    return {"person_id": person_id, "stay_key": key, "ETA_NUM": "690781810"} | changes


def sequence(person_id: int, key: int, entry: date, leave: date | None, **changes: Any) -> dict[str, Any]:
    """A week, sequence or care of another field of the PMSI, chained with certainty."""
    return {
        "person_id": person_id,
        "stay_key": key,
        "ETA_NUM": "690781810",
        "EXE_SOI_DTD": entry,
        "EXE_SOI_DTF": leave,
        "NIR_RET": "0",
    } | changes


def on_stay(person_id: int, key: int, **changes: Any) -> dict[str, Any]:
    """A line of a stay of any field, in the table of its noun."""
    return {"person_id": person_id, "stay_key": key} | changes


def at(day: date, hour: int = 12) -> datetime:
    """An hour of a day, as hospitals record it: without a time zone."""
    return datetime.combine(day, time(hour))


def hospital(person_id: int, source: str = "hosp-a", **changes: Any) -> dict[str, Any]:
    """A row of a hospital table."""
    return {"person_id": person_id, "source": source} | changes


# -- a vocabulary small enough to read

DIAGNOSIS, STANDARD_CONDITION = 2_000_000_001, 2_000_000_101
DIAGNOSIS_2, STANDARD_CONDITION_2 = 2_000_000_002, 2_000_000_102
HISTORY, STANDARD_HISTORY = 2_000_000_003, 2_000_000_103
PACK, INGREDIENT = 2_000_000_201, 2_000_000_301
ACT, STANDARD_ACT = 2_000_000_401, 2_000_000_501
ANALYSIS = 2_000_000_601
PACK_CODE = 3400930000011


def concept(concept_id: int, vocabulary: str, code: str, domain: str, standard: str | None = None) -> dict[str, Any]:
    """A valid concept."""
    return {
        "concept_id": concept_id,
        "concept_name": f"{vocabulary} {code}",
        "domain_id": domain,
        "vocabulary_id": vocabulary,
        "concept_class_id": "Undefined",
        "standard_concept": standard,
        "concept_code": code,
        "valid_start_date": date(1970, 1, 1),
        "valid_end_date": date(2099, 12, 31),
    }


def maps_to(source: int, target: int) -> dict[str, Any]:
    """A valid 'Maps to'."""
    return {
        "concept_id_1": source,
        "concept_id_2": target,
        "relationship_id": "Maps to",
        "valid_start_date": date(1970, 1, 1),
        "valid_end_date": date(2099, 12, 31),
    }


def vocabulary() -> dict[str, list[Row]]:
    """CIM-10 K92.2 and I10, Z85.0 (a history, which is an observation), a pack of 28, a CCAM act, a LOINC analysis."""
    return {
        "concept": [
            concept(0, "None", "No matching concept", "Metadata"),
            concept(DIAGNOSIS, "CIM10", "K92.2", "Condition"),
            concept(DIAGNOSIS_2, "CIM10", "I10", "Condition"),
            concept(HISTORY, "CIM10", "Z85.0", "Observation"),
            concept(STANDARD_CONDITION, "ENCLOS", "K92.2", "Condition", "S"),
            concept(STANDARD_CONDITION_2, "ENCLOS", "I10", "Condition", "S"),
            concept(STANDARD_HISTORY, "ENCLOS", "Z85.0", "Observation", "S"),
            concept(PACK, "CIP13", str(PACK_CODE), "Drug"),
            concept(INGREDIENT, "ENCLOS", "simvastatin", "Drug", "S"),
            concept(ACT, "CCAM", "HHQE005", "Procedure"),
            concept(STANDARD_ACT, "ENCLOS", "HHQE005", "Procedure", "S"),
            concept(ANALYSIS, "LOINC", "718-7", "Measurement", "S"),
            concept(8713, "UCUM", "g/dL", "Unit", "S"),
        ],
        "concept_relationship": [
            maps_to(DIAGNOSIS, STANDARD_CONDITION),
            maps_to(DIAGNOSIS_2, STANDARD_CONDITION_2),
            maps_to(HISTORY, STANDARD_HISTORY),
            maps_to(PACK, INGREDIENT),
            maps_to(ACT, STANDARD_ACT),
        ],
        "drug_strength": [
            {
                "drug_concept_id": PACK,
                "ingredient_concept_id": INGREDIENT,
                "box_size": 28,
                "valid_start_date": date(1970, 1, 1),
                "valid_end_date": date(2099, 12, 31),
            }
        ],
    }


# -- an OMOP delivery, as the vault hands it over

_RENAMED = {
    "admitting_source_concept_id": "admitted_from_concept_id",
    "admitting_source_value": "admitted_from_source_value",
    "discharge_to_concept_id": "discharged_to_concept_id",
    "discharge_to_source_value": "discharged_to_source_value",
    "visit_detail_parent_id": "parent_visit_detail_id",
}


PERSON_NUMBER = "CAST(hash(CAST(person_id AS BIGINT)) % 8796093022208 AS BIGINT)"
"""What stands for the vault's numbering here."""


def omop_delivery(engine: Engine, folder: Path, n_buckets: int, source: str = "gibleed") -> dict[str, pa.Table]:
    """The Parquet tables of an OMOP folder in the shape in which they cross; persons get scattered numbers."""
    tables = {}
    for path in sorted(folder.glob("*.parquet")):
        name = path.stem
        contract = PSEUDONYMISED.get(f"omop_{name}") or VOCABULARY.get(name)
        if contract is None or not engine.scalar(f"SELECT count(*) FROM '{path}'"):
            continue
        present = {
            _RENAMED.get(column, column): column
            for (column,) in engine.rows(f"SELECT column_name FROM (DESCRIBE SELECT * FROM '{path}')")
        }
        values = {
            column.name: f'CAST("{present[column.name]}" AS {column.sql_type})'
            if column.name in present
            else f"CAST(NULL AS {column.sql_type})"
            for column in contract
        }
        if "source" in contract.names:
            values["source"] = f"'{source}'"
        if name in PERSON_TABLES:
            values["person_id"] = PERSON_NUMBER
            values["bucket"] = f"CAST({PERSON_NUMBER} % {n_buckets} AS INTEGER)"
        listed = ", ".join(f'{value} AS "{column}"' for column, value in values.items())
        tables[contract.name] = engine.query(f"SELECT {listed} FROM '{path}'")
    return tables


def event_columns(table: str) -> tuple[str, ...]:
    """The columns of an OMOP table."""
    return omop_tables()[table].names
