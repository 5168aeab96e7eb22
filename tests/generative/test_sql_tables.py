"""Random questions in SQL become tables: numbers and persons are those of plain Python, numbers those of the engine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enclos.contracts.result import OVERALL, SEPARATOR
from enclos.contracts.tables import SQL_TABLE
from enclos.stores.engine import Engine, open_engine
from enclos.studies.tables.rules import counted
from enclos.views.sql.steps import check_table
from factories.asking import TERMS
from factories.examples import drawn
from oracle.tables import all_margins, largest_two, table_of

Row = dict[str, Any]
SOME = st.none() | st.integers(0, 40)
PERSON = st.tuples(st.sampled_from([8507, 8532]), st.integers(1940, 1962))
RECORD = st.tuples(
    st.integers(0, 6), st.integers(0, 900), SOME, st.none() | st.integers(1, 3), st.sampled_from([11, 22])
)


@dataclass(frozen=True)
class Said:
    """A part of a statement in SQL and in Python."""

    sql: str
    name: str
    of: Callable[[Row], Any]


def _or_missing(value: object) -> str:
    return "missing" if value is None else str(value)


def _band(value: int, width: int) -> str:
    low = value // width * width
    return f"{low} to {low + width - 1}"


KEYS = [
    Said("p.gender_concept_id", "gender_concept_id", lambda r: str(r["gender_concept_id"])),
    Said("year(d.drug_exposure_start_date)", "year_of_drug_exposure_start_date", lambda r: str(r["day"].year)),
    Said("date_trunc('quarter', d.drug_exposure_start_date)", "quarter_from_drug_exposure_start_date",
         lambda r: f"{r['day'].year}-{(r['day'].month - 1) // 3 * 3 + 1:02d}"),
    Said("(year(d.drug_exposure_start_date) - p.year_of_birth) // 10", "age_at_drug_exposure_start_date_by_10",
         lambda r: _band(r["day"].year - r["year_of_birth"], 10)),
    Said("d.days_supply // 15", "days_supply_by_15",
         lambda r: "missing" if r["days_supply"] is None else _band(r["days_supply"], 15)),
    Said("p.year_of_birth < 1950", "condition", lambda r: "yes" if r["year_of_birth"] < 1950 else "no"),
    Said("CASE WHEN d.days_supply > 20 THEN 1 WHEN p.gender_concept_id = 8507 THEN 2 END", "choice",
         lambda r: "1" if (r["days_supply"] or 0) > 20 else "2" if r["gender_concept_id"] == 8507 else "missing"),
    Said("d.drug_concept_id", "drug_concept_id", lambda r: _or_missing(r["drug_concept_id"])),
]  # fmt: skip
MEASURES = [
    Said("count(*)", "record_count", lambda _: 1),
    Said("count(DISTINCT p.person_id)", "person_count", lambda r: r["person_id"]),
    Said("count(DISTINCT d.visit_occurrence_id)", "stay_count", lambda r: r["visit_occurrence_id"]),
    Said("sum(d.days_supply)", "sum", lambda r: r["days_supply"]),
    Said("avg(d.days_supply)", "mean", lambda r: r["days_supply"]),
    Said("stddev(d.days_supply)", "sd", lambda r: r["days_supply"]),
    Said("median(year(d.drug_exposure_start_date) - p.year_of_birth)", "median",
         lambda r: r["day"].year - r["year_of_birth"]),
    Said("quantile_cont(d.days_supply, 0.25)", "q25", lambda r: r["days_supply"]),
]  # fmt: skip
CONDITIONS = [
    Said("d.days_supply >= 10", "", lambda r: r["days_supply"] is not None and r["days_supply"] >= 10),
    Said("p.gender_concept_id = 8507 OR p.year_of_birth IN (1941, 1942)", "",
         lambda r: r["gender_concept_id"] == 8507 or r["year_of_birth"] in {1941, 1942}),
    Said("NOT (year(d.drug_exposure_start_date) = 2019)", "", lambda r: r["day"].year != 2019),
]  # fmt: skip


ASKED = st.tuples(st.sampled_from(MEASURES), st.sampled_from([None, *CONDITIONS]))


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with open_engine(threads=1) as engine:
        yield engine


def _rows(people: list[tuple[int, int]], records: list[tuple[int, int, int | None, int | None, int]]) -> list[Row]:
    rows = []
    for at, (person, days, supply, visit, drug) in enumerate(records):
        number = person % len(people)
        sex, born = people[number]
        rows.append(
            {
                "person_id": number + 1,
                "gender_concept_id": sex,
                "year_of_birth": born,
                "day": date(2018, 1, 1) + timedelta(days=days),
                "days_supply": supply,
                "visit_occurrence_id": None if visit is None else (2**42 + number) * 2**20 + visit,
                "drug_concept_id": drug,
                "drug_exposure_id": at,
            }
        )
    return rows


def _load(engine: Engine, people: list[tuple[int, int]], rows: list[Row]) -> None:
    persons = [
        {"person_id": at, "gender_concept_id": sex, "year_of_birth": born} for at, (sex, born) in enumerate(people, 1)
    ]
    drugs = [
        {
            "person_id": row["person_id"],
            "drug_exposure_start_date": row["day"],
            **{name: row[name] for name in ("days_supply", "visit_occurrence_id", "drug_concept_id")},
        }
        for row in rows
    ]
    kinds = {"drug_exposure_start_date": "DATE"}
    for name, listed in (("person", persons), ("drug_exposure", drugs)):
        columns = {key: [row[key] for row in listed] for key in listed[0]}
        table = pa.table(
            {key: pa.array(each, pa.date32() if key in kinds else pa.int64()) for key, each in columns.items()}
        )
        engine.register("incoming", table)
        engine.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM incoming")
        engine.unregister("incoming")


@settings(max_examples=drawn(25), deadline=None)
@given(
    people=st.lists(PERSON, min_size=1, max_size=6),
    records=st.lists(RECORD, min_size=1, max_size=40),
    keys=st.lists(st.sampled_from(KEYS), max_size=3, unique_by=lambda key: key.name),
    measures=st.lists(ASKED, min_size=1, max_size=4, unique_by=lambda each: (each[0].name, each[1] and each[1].sql)),
    where=st.sampled_from([None, *CONDITIONS]),
    cube=st.booleans(),
)  # fmt: skip
def test_numbers_and_persons_are_those_of_plain_python(
    engine: Engine, people, records, keys, measures, where, cube
) -> None:
    rows = _rows(people, records)
    _load(engine, people, rows)
    told = [each.sql + (f" FILTER (WHERE {condition.sql})" if condition else "") for each, condition in measures]
    grouped = f"CUBE ({', '.join(f'k{at}' for at in range(len(keys)))})" if cube and keys else "ALL"
    body = "FROM person p JOIN drug_exposure d USING (person_id)" + (f" WHERE {where.sql}" if where else "")
    columns = ", ".join([*(f"{key.sql} AS k{at}" for at, key in enumerate(keys)), *told])
    text = f"SELECT {columns} {body} GROUP BY {grouped}"
    query = check_table(text, TERMS, engine)
    assert query.table is not None
    for scan in query.scans:
        engine.execute(f'CREATE OR REPLACE TEMP VIEW "{scan.name}" AS SELECT * FROM {scan.table}')
    found = counted(engine.query(query.sql), query.table, result_type=SQL_TABLE, name="test", version="1")

    names = [key.name for key in keys]
    counts = [(each.name, each.of, condition.of if condition else lambda _: True) for each, condition in measures]
    margins = all_margins(names) if cube and keys else [tuple(names)]
    kept = [row for row in rows if where is None or where.of(row)]
    expected = table_of(kept, {key.name: key.of for key in keys}, counts, margins)

    cells = {cell.key: cell for cell in found.cells}
    seen = {}
    conditions = list(dict.fromkeys(condition.sql for _, condition in measures if condition))
    for row in found.table.to_pylist():
        group = () if row["strata_name"] == OVERALL else tuple(
            zip(row["strata_name"].split(SEPARATOR), row["strata_level"].split(SEPARATOR), strict=True)
        )  # fmt: skip
        level = row["variable_level"] or ""
        said = conditions[int(level.split()[-1]) - 1] if level else None
        number = next(
            at
            for at, (each, condition) in enumerate(measures)
            if each.name == row["estimate_name"] and (condition and condition.sql) == said
        )
        cell = cells[
            1, OVERALL, row["strata_name"], row["strata_level"], row["variable_name"], level, row["additional_level"]
        ]
        seen[group, number] = (float(row["estimate_value"]), frozenset(cell.numerator))
        assert cell.dense_numerator.issubset(cell.dense_denominator)
        if cell.values is not None and row["estimate_name"] in {"sum", "mean", "sd", "q25", "median"}:
            totals: dict[int, float] = defaultdict(float)
            for each in kept:
                if counts[number][2](each) and counts[number][1](each) is not None and all(
                    KEYS_BY_NAME[name].of(each) == its for name, its in group
                ):  # fmt: skip
                    totals[each["person_id"]] += counts[number][1](each)
            assert cell.values.largest == pytest.approx(largest_two(totals.values()))
            assert cell.values.total == pytest.approx(sum(map(abs, totals.values())))
    assert seen.keys() == expected.keys()
    for place, (value, persons) in expected.items():
        assert seen[place][0] == pytest.approx(value, rel=1e-9, abs=1e-9)
        assert seen[place][1] == persons
    if not cube:  # what the engine says of the statement as it was written
        own = engine.rows(text)
        by_engine = sorted(float(value) for line in own for value in line[len(keys) :] if value is not None)
        by_platform = sorted(value for value, _ in expected.values())
        assert [value for value in by_engine if value] == pytest.approx([value for value in by_platform if value])


KEYS_BY_NAME = {key.name: key for key in KEYS}
