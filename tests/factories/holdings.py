"""What is stated and told of holdings, small enough to read."""

from __future__ import annotations

from datetime import date

from enclos.holdings.document import draft_about, read_about
from enclos.holdings.model import Figures, Graph, PublicFile, Quality, TableFigures
from enclos.holdings.rules.describing import COLUMNS, TABLES, describe

ABOUT = read_about(draft_about())
FIGURES = Figures(
    snapshot=3,
    built_on=date(2026, 11, 2),
    unit=100,
    n_persons=1_500,
    n_records=190_000,
    tables=(TableFigures("person", 1_500, 1_500), TableFigures("death", None, None)),
    min_age=0,
    max_age=90,
    starts_on=date(2019, 1, 1),
    ends_on=date(2020, 12, 31),
    vocabularies=("CCAM", "CIM10", "CIP13", "LOINC"),
)
QUALITY = Quality("5.4", 2_535, 1_200, 3)


def described(quality: Quality | None = QUALITY) -> tuple[Graph, Graph]:
    """The data set alone, and in its catalogue."""
    sample = [PublicFile("sample/person.csv", "cd" * 32, 200)]
    analytics = [PublicFile(TABLES, "ab" * 32, 1), PublicFile(COLUMNS, "ef" * 32, 2)]
    return describe(ABOUT, FIGURES, quality, analytics, sample)
