"""The decisions of a view: the rule of each column, and what a permit grants."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from functools import cache
from hashlib import sha256
from importlib import resources
from types import MappingProxyType

from enclos.contracts.durations import DRUG_DURATION
from enclos.contracts.omop import PERSON_TABLES, VOCABULARY_TABLES
from enclos.contracts.view import PLACE_TABLES, Access, PotentialIdentifier, ViewTerms
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.views.model import ColumnRule, Numbered, Treatment

OPEN_TABLES: tuple[str, ...] = (*VOCABULARY_TABLES, "cdm_source", DRUG_DURATION.name)
"""Readable whole under every permit; they hold no person."""

SPAN_TABLES: tuple[str, ...] = ("observation_period", "payer_plan_period")
"""A row is a span of time rather than something that happened: it is in when it touches the period."""

ALWAYS_SHOWN: tuple[str, ...] = ("person_id",)
PLACE_KEYS: Mapping[str, str] = MappingProxyType({table: f"{table}_id" for table in PLACE_TABLES})
"""The keys of tables that persons share; always shown, so that two buckets' rows can be told to be one."""
REFERRED: Mapping[str, Numbered] = MappingProxyType(
    {"provider_id": Numbered.PROVIDER, "care_site_id": Numbered.CARE_SITE}
)
"""Columns whose numbers are the permit's own and looked up."""

"""The permit's own number of the person comes with every granted person table, so that tables can be joined."""


@cache
def column_rules() -> dict[tuple[str, str], ColumnRule]:
    """The rule of every column of every table that can be granted."""
    text = resources.files("enclos.views").joinpath("columns.csv").read_text(encoding="utf-8")
    return {
        (row["table"], row["column"]): ColumnRule(
            row["table"],
            row["column"],
            Treatment(row["treatment"]),
            row["argument"],
            PotentialIdentifier(row["unless"]) if row["unless"] else None,
        )
        for row in csv.DictReader(text.splitlines())
    }


def opening_of(terms: ViewTerms) -> str:
    """A text that decides who is in a perimeter: an amendment that changes it asks for opening the permit again."""
    return sha256(repr((terms.population, terms.period)).encode()).hexdigest()


def shown_columns(terms: ViewTerms, table: str, columns: Iterable[str]) -> tuple[str, ...]:
    """Those of the columns that the permit grants, in their order.

    Refuses: VIEW_NOT_GRANTED when the table is not granted.
    """
    grant = terms.grant(table)
    if grant is None:
        raise refusal(
            Code.VIEW_NOT_GRANTED, f"Table {table} is not in this permit.", "Ask the holder for an amendment."
        )
    always = ALWAYS_SHOWN if table in PERSON_TABLES else (PLACE_KEYS.get(table, ""),)
    return tuple(column for column in columns if column in always or grant.shows(column))


def referring_tables(terms: ViewTerms, column: str) -> tuple[str, ...]:
    """The granted tables of persons that show this reference to a professional or a care site."""
    return tuple(
        table
        for table in terms.tables
        if (table, column) in column_rules()
        and table in PERSON_TABLES
        and column in shown_columns(terms, table, [column])
    )


def check_granted(terms: ViewTerms, needs: Mapping[str, Iterable[str]]) -> None:
    """Refuse unless every table and column that a study reads is granted; names all that are missing.

    In: needs — columns by table; tables that are open to every permit may be named.
    Refuses: VIEW_NOT_GRANTED.
    """
    missing: list[str] = []
    for table, columns in needs.items():
        grant = terms.grant(table)
        if table in OPEN_TABLES:
            continue
        if grant is None:
            missing.append(table)
        else:
            missing += [
                f"{table}.{column}"
                for column in columns
                if not (column in {*ALWAYS_SHOWN, PLACE_KEYS.get(table)} or grant.shows(column))
            ]
    if missing:
        raise refusal(
            Code.VIEW_NOT_GRANTED,
            f"The permit does not grant what this needs: {', '.join(sorted(missing))}.",
            "Ask the holder for an amendment, or ask for less.",
        )


def may_see_rows_read(terms: ViewTerms, needs: Mapping[str, Iterable[str]]) -> bool:
    """Whether a person under the permit may look at the rows that a study reads, with the days that it computes with.

    Whoever may not learns, from exact counts of studies that differ by a day, what the view turns into a month.
    In: needs — columns by table, as for ``check_granted``
    """
    rules = (column_rules().get((table, column)) for table, columns in needs.items() for column in columns)
    listed = all(rule is None or rule.unless is None or rule.unless in terms.identifiers for rule in rules)
    return terms.access is Access.ROWS and listed
