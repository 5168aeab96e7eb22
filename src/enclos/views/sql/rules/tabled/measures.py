"""What is told of each group of a table: counts and statistics of which it can be said on whom they rest."""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from enclos.contracts.tables import QUANTILES, Measure
from enclos.views.sql.rules.aggregates import are_rows_persons
from enclos.views.sql.rules.tabled.columns import Reader, check_rows_own, joins_of, not_tabled, numbered, value_name

_OF_VALUES: Mapping[type[exp.Expr], str] = {
    exp.Sum: "sum",
    exp.Avg: "mean",
    exp.Stddev: "sd",
    exp.StddevSamp: "sd",
    exp.Median: "median",
}
_ROWS = "the rows that it counts"


def measure_of(value: exp.Expr, reader: Reader) -> Measure:
    """What an aggregate tells of a group, and of which value and condition."""
    condition = 0
    if isinstance(value, exp.Filter):
        where = value.expression.this
        check_rows_own(where, reader)
        condition = numbered(where, reader.conditions) + 1
        value = value.this
    if isinstance(value, exp.Count):
        return _count(value, reader, condition)
    estimate = _OF_VALUES.get(type(value), "")
    if isinstance(value, exp.PercentileCont | exp.Quantile):
        share = value.args.get("expression") or value.args.get("quantile")
        shares = {str(number): name for name, number in QUANTILES.items()}
        said = str(float(share.this)) if isinstance(share, exp.Literal) and not share.is_string else ""
        estimate = shares.get(said, "")
        if not estimate:
            raise not_tabled("a quantile that is not on the list", f"one of {', '.join(shares)}")
    if not estimate:
        raise not_tabled(_why_not(value), "count, sum, avg, stddev, median or quantile_cont, each alone in its column")
    if isinstance(value.this, exp.Distinct):
        raise not_tabled("an aggregate of distinct values", f"the aggregate of {_ROWS}")
    name = value_name(value.this, reader)
    return Measure(estimate, name, numbered(value.this, reader.values), condition)


def _why_not(value: exp.Expr) -> str:
    if isinstance(value, exp.Max | exp.Min | exp.AnyValue | exp.First | exp.Last | exp.ArgMax | exp.ArgMin | exp.Mode):
        return "an extreme or a chosen value, which is one person's"
    if isinstance(value, exp.ArrayAgg | exp.GroupConcat):
        return "a list of values"
    if not isinstance(value, exp.AggFunc | exp.AnonymousAggFunc):
        return "something computed from aggregates: the persons behind it are not those of either"
    return "an aggregate of which nobody can say on how many persons it rests"


def _count(value: exp.Count, reader: Reader, condition: int) -> Measure:
    counted = value.this
    name = ""
    if isinstance(counted, exp.Distinct):
        columns = [each for each in counted.expressions if isinstance(each, exp.Column)]
        name = columns[0].name.lower() if len(columns) == len(counted.expressions) == 1 else ""
    elif isinstance(counted, exp.Star) or (isinstance(counted, exp.Column) and counted.name.lower() == "person_id"):
        name = "person_id" if are_rows_persons(reader.select) else "*"
    if name == "person_id":
        return Measure("person_count", "persons", None, condition)
    if name == "visit_occurrence_id":
        return Measure("stay_count", "stays", None, condition)
    if name == "*":
        table = reader.select.args["from_"].this.name.lower()
        joined = any(
            str(join.args.get("kind") or "").upper() not in {"SEMI", "ANTI"} for join in joins_of(reader.select)
        )
        return Measure("record_count", "joined records" if joined else f"records of {table}", None, condition)
    raise not_tabled(
        "a count of values that are neither persons, stays nor records",
        "count(*), count(DISTINCT person_id) or count(DISTINCT visit_occurrence_id), with FILTER (WHERE …) if need be",
    )
