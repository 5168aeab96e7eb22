"""Circe cohorts by the SQL that ohdsi-circepy writes, put into DuckDB's words; it shares nothing with Enclos.

Circe writes OHDSI's dialect of T-SQL for one definition at a time. Only the handful of forms that it uses are put into
DuckDB's words here. Circe leaves ties open: which of two events of one day comes first is the engine's choice. Each
ordering is therefore completed with every column of the event, upwards or downwards; where the two ways give different
rows the definition has no rows of its own. ohdsi-circepy 0.1.0 writes three queries that no engine runs (specimen,
visit detail, payer plan period); they are corrected here after Circe-be's own templates. Where it says something else
than Circe-be, oracle.circe_histories is right; see docs/decisions/0026.
Source: OHDSI Circe-be, generateCohort.sql (Apache-2.0), as written by ohdsi-circepy 0.1.0.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
from circe.api import cohort_expression_from_json
from circe.cohortdefinition import BuildExpressionQueryOptions
from circe.cohortdefinition.builders import PayerPlanPeriodSqlBuilder, SpecimenSqlBuilder, VisitDetailSqlBuilder
from circe.cohortdefinition.cohort_expression_query_builder import CohortExpressionQueryBuilder

Row = tuple[int, object, object]
"""Person, first day, last day."""

ROWS = "SELECT subject_id, cohort_start_date, cohort_end_date FROM cohort ORDER BY ALL"
"""What a script has left, in order."""

_LITERAL = re.compile(r"'(?:[^']|'')*'")
_COMMENT = re.compile(r"--[^\n]*")
_CALL = re.compile(r"\b(DATEADD|DATEDIFF|DATEFROMPARTS|ISNULL|COUNT_BIG)\s*\(", re.IGNORECASE)
_INTO = re.compile(r"\bINTO\s+#(\w+)\s+(?=FROM\b)", re.IGNORECASE)
_IF = re.compile(r"\{([^{}]*)\}\?\{([^{}]*)\}")
_SORTS = (
    ("ORDER BY E.sort_date {way}, E.event_id", "E.start_date {tie}, E.end_date {tie}, E.visit_occurrence_id {tie}"),
    ("order by pe.start_date {way}", "pe.end_date {tie}, pe.event_id {tie}"),
    ("order by start_date {way}", "end_date {tie}, event_id {tie}"),
)
"""Circe's orderings, each with the columns that complete it."""


class _Specimen(SpecimenSqlBuilder):
    """A specimen lasts until the next day and has no visit."""

    def get_query_template(self) -> str:
        return """
SELECT C.person_id, C.specimen_id as event_id, C.specimen_date as start_date, DATEADD(d,1,C.specimen_date) as end_date,
       CAST(NULL as bigint) as visit_occurrence_id, C.specimen_date as sort_date@additionalColumns
FROM (SELECT s.* @ordinalExpression FROM @cdm_database_schema.SPECIMEN s @codesetClause) C
@joinClause
@whereClause
"""


class _VisitDetail(VisitDetailSqlBuilder):
    def get_query_template(self) -> str:
        return """
SELECT C.person_id, C.visit_detail_id as event_id, C.start_date, C.end_date, C.visit_occurrence_id,
       C.start_date as sort_date@additionalColumns
FROM (SELECT @selectClause @ordinalExpression FROM @cdm_database_schema.VISIT_DETAIL vd @codesetClause) C
@joinClause
@whereClause
"""


class _PayerPlanPeriod(PayerPlanPeriodSqlBuilder):
    def get_query_template(self) -> str:
        return """
SELECT C.person_id, C.payer_plan_period_id as event_id, @startDateExpression as start_date,
       @endDateExpression as end_date, CAST(NULL as bigint) as visit_occurrence_id,
       C.start_date as sort_date@additionalColumns
FROM (SELECT @selectClause, row_number() over (PARTITION BY ppp.person_id ORDER BY ppp.payer_plan_period_start_date,
      ppp.payer_plan_period_id) as ordinal
      FROM @cdm_database_schema.PAYER_PLAN_PERIOD ppp) C
@joinClause
@whereClause
"""


def circe_sql(definition: str) -> str:
    """One definition's script in Circe's own dialect, for tables without schema and cohort 1 of table ``cohort``."""
    options = BuildExpressionQueryOptions()
    options.cdm_schema = options.vocabulary_schema = "@cdm"
    options.target_table = "#cohort"
    options.cohort_id = 1
    options.generate_stats = False
    builder = CohortExpressionQueryBuilder()
    builder.specimen_sql_builder = _Specimen()
    builder.visit_detail_sql_builder = _VisitDetail()
    builder.payer_plan_period_sql_builder = _PayerPlanPeriod()
    return str(builder.build_expression_query(cohort_expression_from_json(definition), options))


def duckdb_statements(script: str, ties: str | None = None) -> list[str]:
    """Circe's script as DuckDB statements; ``ties`` (ASC or DESC) completes its orderings, None leaves them so."""
    kept: list[str] = []

    def keep(found: re.Match[str]) -> str:
        kept.append(found[0])
        return f"$L{len(kept) - 1}$"

    text = _COMMENT.sub("", script)
    text = _LITERAL.sub(keep, text)
    text = _IF.sub(lambda found: found[2] if _holds(found[1]) else "", text)
    text = text.replace("@cdm.", "")
    if ties:
        for sort, rest in _SORTS:
            for way in ("ASC", "DESC"):
                wanted = sort.format(way=way)
                text = text.replace(wanted + ")", f"{wanted}, {rest.format(tie=ties)})")
    text = _calls(text)
    return [
        re.sub(r"\$L(\d+)\$", lambda found: kept[int(found[1])], statement)
        for statement in _statements(text.split(";"))
    ]


def circe_rows(definition: str, connection: duckdb.DuckDBPyConnection) -> list[Row] | None:
    """The cohort's rows in order, or None where Circe's open ties decide which they are.

    In: a definition's JSON text; a connection whose current schema holds the OMOP tables.
    """
    script = circe_sql(definition)
    ways = [_run(duckdb_statements(script, ties), connection) for ties in ("ASC", "DESC")]
    return ways[0] if ways[0] == ways[1] else None


def rows_as_circe_leaves_them(definition: str, connection: duckdb.DuckDBPyConnection) -> list[Row]:
    """The cohort's rows in order with Circe's ties left to the engine."""
    return _run(duckdb_statements(circe_sql(definition)), connection)


def _run(statements: list[str], connection: duckdb.DuckDBPyConnection) -> list[Row]:
    with cohort_made(statements, connection):
        return connection.execute(ROWS).fetchall()


@contextmanager
def cohort_made(statements: list[str], connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Run a script of statements; its rows are in ``cohort`` until the block ends."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE cohort "
        "(cohort_definition_id BIGINT, subject_id BIGINT, cohort_start_date DATE, cohort_end_date DATE)"
    )
    try:
        for statement in statements:
            connection.execute(statement)
        yield
    finally:
        for (table,) in connection.execute("SELECT table_name FROM duckdb_tables() WHERE temporary").fetchall():
            connection.execute(f'DROP TABLE temp."{table}"')


def _statements(parts: list[str]) -> Iterator[str]:
    for part in parts:
        statement = part.strip()
        if not statement or re.match(r"(UPDATE\s+STATISTICS|TRUNCATE|DELETE)\b", statement, re.IGNORECASE):
            continue
        into = _INTO.search(statement)
        if into:
            statement = f"CREATE TEMP TABLE {into[1]} AS {statement[: into.start()]}{statement[into.end() :]}"
        statement = re.sub(r"CREATE\s+TABLE\s+#", "CREATE TEMP TABLE ", statement, flags=re.IGNORECASE)
        yield statement.replace("#", "")


def _holds(condition: str) -> bool:
    """One of Circe's conditions, all of the form ``1 != 0 & 3 != 0``."""
    sides = [part.split("!=") for part in condition.split("&")]
    return all(left.strip() != right.strip() for left, right in sides)


def _calls(text: str) -> str:
    done: list[str] = []
    at = 0
    while found := _CALL.search(text, at):
        arguments, end = _arguments(text, found.end())
        done += [text[at : found.start()], _call(found[1].upper(), [_calls(argument) for argument in arguments])]
        at = end
    return "".join(done) + text[at:]


def _call(name: str, arguments: list[str]) -> str:
    if name == "DATEADD":
        return f"({arguments[2]} + CAST({arguments[1]} AS INTEGER))"
    if name == "DATEDIFF":
        return f"({arguments[2]} - {arguments[1]})"
    words = {"DATEFROMPARTS": "make_date", "ISNULL": "coalesce", "COUNT_BIG": "count"}
    return f"{words[name]}({', '.join(arguments)})"


def _arguments(text: str, start: int) -> tuple[list[str], int]:
    """The arguments of a call whose parenthesis opens just before ``start``, and where the call ends."""
    depth, at, found = 0, start, []
    for end in range(start, len(text)):
        letter = text[end]
        if letter == "(":
            depth += 1
        elif letter == ")" and depth:
            depth -= 1
        elif letter in ",)" and not depth:
            found.append(text[at:end].strip())
            at = end + 1
            if letter == ")":
                return found, at
    raise ValueError("a call of Circe's script does not end")
