"""What is said about numbers, and the tables of them."""

from __future__ import annotations

from dataclasses import replace

from enclos.holdings.model import TableFigures
from enclos.holdings.rules.saying import columns_csv, said_of_counts, tables_csv
from factories.holdings import FIGURES

TABLES = (
    TableFigures("person", 1_500, 1_500, (("person_id", 1_500), ("birth_datetime", None))),
    TableFigures("death", None, None),
)


def test_tables_and_columns_that_too_few_persons_are_in_tell_nothing() -> None:
    figures = replace(FIGURES, tables=TABLES)
    assert tables_csv(figures).decode().splitlines() == ["table,records_at_least,persons_at_least", "person,1500,1500"]
    assert columns_csv(figures).decode().splitlines() == [
        "table,column,persons_at_least",
        "person,person_id,1500",
        "person,birth_datetime,",
    ]


def test_how_numbers_are_told_is_told_in_both_languages() -> None:
    said = said_of_counts(FIGURES)
    assert "1\u202f500 persons" in said.en and "below 100" in said.en
    assert "1\u202f500 personnes" in said.fr and "sous 100" in said.fr
