"""Random queries from a small grammar, and their answers over plain tables of the rows that a view should show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from enclos.contracts.omop import START_DATES, omop_tables, primary_keys
from enclos.contracts.sql import SqlEngine
from factories.cdm import arrow_of

Row = dict[str, Any]


@st.composite
def queries(draw: st.DrawFn, tables: Sequence[str]) -> str:
    """A query over person tables: counts, first uses, joins, probes for a number, numbers themselves."""
    one, other = draw(st.sampled_from(tables)), draw(st.sampled_from(tables))
    key = primary_keys().get(one, "person_id")
    shown = draw(
        st.sampled_from(["count(*)", "count(person_id)", "count(DISTINCT person_id)", f"count(DISTINCT {key})"])
    )
    day = START_DATES.get(one, "person_id")
    number = draw(st.integers(0, 70) | st.sampled_from([2**20, 2**43 - 1]))
    condition = draw(
        st.sampled_from(
            [
                "true",
                f"person_id IN (SELECT person_id FROM {other})",
                f"person_id NOT IN (SELECT person_id FROM {other} WHERE person_id IS NOT NULL)",
                f"EXISTS (SELECT 1 FROM {other} AS o WHERE o.person_id = a.person_id)",
                f"{day} IS NOT NULL",
                f"person_id = {number}",
                f"person_id > {number}",
                f"{number} IN (SELECT person_id FROM {other})",
            ]
        )
    )
    return draw(
        st.sampled_from(
            [
                f"SELECT {shown} AS n FROM {one} AS a WHERE {condition}",
                f"SELECT {day} AS day, {shown} AS n FROM {one} AS a WHERE {condition} GROUP BY {day}",
                (
                    f"SELECT n, count(*) AS persons FROM (SELECT person_id, {shown} AS n FROM {one} AS a "
                    f"WHERE {condition} GROUP BY person_id) GROUP BY n"
                ),
                (
                    f"SELECT count(*) AS n, min(day) AS day FROM (SELECT {day} AS day, "
                    f"row_number() OVER (PARTITION BY person_id ORDER BY {day}) AS place "
                    f"FROM {one} AS a WHERE {condition}) WHERE place = 1"
                ),
                (
                    f"WITH c AS (SELECT DISTINCT person_id FROM {other}) SELECT count(*) AS n, "
                    f"count(DISTINCT a.person_id) AS persons FROM {one} AS a JOIN c ON c.person_id = a.person_id"
                ),
                f"SELECT count(*) AS n FROM {one} JOIN {other} AS b USING (person_id)",
                f"SELECT count(*) AS n FROM {one} AS a JOIN (SELECT {number} AS person_id) AS b USING (person_id)",
                f"SELECT person_id, {shown} AS n FROM {one} AS a WHERE {condition} GROUP BY person_id",
                f"SELECT max(person_id) AS most, min({key}) AS least FROM {one} AS a WHERE {condition}",
                f"SELECT sum(person_id % 7) AS n FROM {one} AS a WHERE {condition}",
                f"SELECT a FROM {one} AS a ORDER BY a LIMIT 3",
            ]
        )
    )


def put_rows(engine: SqlEngine, shown: Mapping[str, Sequence[Row]]) -> None:
    """Make plain tables of the rows that are shown, of whole tables, and of nothing else."""
    for table, rows in shown.items():
        columns = omop_tables()[table]
        engine.register("incoming", arrow_of(table, rows))
        cast = ", ".join(f'"{column.name}"::{column.sql_type} AS "{column.name}"' for column in columns)
        engine.execute(f'CREATE OR REPLACE TEMP TABLE "{table}" AS SELECT {cast} FROM incoming')
        engine.unregister("incoming")


def comparable(found: pa.Table) -> list[str]:
    """The rows of an answer in an order of their own, since only a query that says so has one."""
    return sorted(repr(row) for row in found.to_pylist())
