"""The lists that a query is held against."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from importlib import resources

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal
from enclos.views.sql.model import AllowedFunction, FunctionKind

MAX_CHARACTERS = 60_000
MAX_TOKENS = 20_000
MAX_NESTING = 60
MAX_DEPTH = 250
MAX_LISTED = 5_000
"""Elements beside each other: of an IN list, a select list, VALUES."""
MAX_TABLES = 40
MAX_CUBE = 6
"""Columns of a CUBE or ROLLUP: a CUBE of n has 2**n groupings."""

TYPES = frozenset(
    {
        "BOOLEAN",
        "TINYINT",
        "SMALLINT",
        "INTEGER",
        "BIGINT",
        "HUGEINT",
        "UTINYINT",
        "USMALLINT",
        "UINTEGER",
        "UBIGINT",
        "FLOAT",
        "DOUBLE",
        "DECIMAL",
        "VARCHAR",
        "DATE",
        "TIME",
        "TIMESTAMP",
        "INTERVAL",
        "LIST",
        "NULL",
        "INTEGER_LITERAL",
    }
)
"""The engine's names of the types that a query may cast to or hold."""


@cache
def allowed_functions() -> Mapping[str, AllowedFunction]:
    """Every function and operator that people may use, by the engine's name."""
    text = resources.files("enclos.views.sql").joinpath("functions.csv").read_text(encoding="utf-8")
    return {
        row["name"]: AllowedFunction(row["name"], FunctionKind(row["kind"]), row["leakproof"] == "yes")
        for row in csv.DictReader(text.splitlines())
    }


_BOUNDED = frozenset(
    {
        *("+", "-", "*", "/", "//", "%", "abs", "ceil", "floor", "round", "trunc", "date_diff", "datediff", "date_sub"),
        *("date_add", "make_date", "to_days", "to_weeks", "to_months", "to_years", "age", "count", "count_star"),
        *("list", "array_agg"),
    }
)
"""What a count may use beside leakproof functions: under TRY it cannot fail, and it takes no longer for one person."""


@cache
def counting_functions() -> frozenset[str]:
    """The functions of queries under a permit for aggregates; the lists are of persons and ours."""
    return frozenset(name for name, found in allowed_functions().items() if found.leakproof) | _BOUNDED


@cache
def refused_functions() -> Mapping[str, str]:
    """Functions that people often look for and may not use, with what to use instead."""
    text = resources.files("enclos.views.sql").joinpath("refused.csv").read_text(encoding="utf-8")
    return {row["name"]: row["instead"] for row in csv.DictReader(text.splitlines())}


def refused(what: str, instead: str = "") -> Refusal:
    """The refusal of a construct; ``what`` names it and never quotes the statement's values."""
    step = f"Use {instead}." if instead else "See docs/sql.md for what a query may hold."
    return refusal(Code.SQL_NOT_ALLOWED, f"The query holds {what}.", step)


def refused_function(name: str) -> Refusal:
    """The refusal of a function; its name is quoted only when it is one that we know."""
    instead = refused_functions().get(name.lower())
    if instead is not None:
        return refused(f"the function {name.lower()}, which is not allowed", instead)
    return refused("a function that is not allowed")
