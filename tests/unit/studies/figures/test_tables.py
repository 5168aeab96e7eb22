"""Tables for people and for programs say what the result says."""

from __future__ import annotations

import csv
import io

from enclos.contracts.result import HIDDEN, StudyResult
from enclos.studies.figures.model import Kind, Table
from enclos.studies.figures.parts import figures_of, tables_of
from enclos.studies.figures.reading import analyses_of
from enclos.studies.figures.tables import MOST_ROWS, table_csv
from enclos.studies.figures.values import shown
from factories.places import At, rates, result_of_places


def kinds(result: StudyResult) -> list[Kind]:
    return [kind for each in analyses_of(result.table, result.settings) for kind in each.kinds]


def tables(result: StudyResult) -> list[Table]:
    return [table for each in analyses_of(result.table, result.settings) for table in tables_of(each)]


def read(kind: Kind) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table_csv(kind).decode("utf-8"))))


RATES = [("2019-01-01", "1234", "12.345", "10", "15"), ("2020-01-01", HIDDEN, HIDDEN, HIDDEN, HIDDEN)]


def test_a_rate_has_its_interval_and_what_is_withheld_says_so() -> None:
    parts = [({"denominator_sex": sex}, rates("incidence", RATES)) for sex in ("Male", "Female")]
    (table,) = tables(result_of_places(*(("incidence", values, places) for values, places in parts)))
    assert table.columns[:2] == ("outcome", "population")
    assert table.rows[0][:6] == ("bleed", "Male", "years", "2019-01-01", "2019-12-31", "1\u202f234")
    assert table.rows[0][-1] == "12.345 (10 – 15)"
    assert table.rows[3][1] == "Female"
    assert table.rows[3][-1] == "–"


def test_a_share_of_stays_is_one_line_and_one_picture_as_a_share_of_persons_is() -> None:
    result = result_of_places(("prevalence_of_records", {}, rates("prevalence", RATES)))
    (table,) = tables(result)
    assert table.columns[5:] == ("stays", "with the outcome", "share (95 % interval)")
    assert [(row[3], row[5], row[-1]) for row in table.rows] == [
        ("2019-01-01", "1\u202f234", "12.345 (10 – 15)"),
        ("2020-01-01", "–", "–"),
    ]
    (kind,) = kinds(result)
    assert [(row["denominator_count"], row["prevalence"]) for row in read(kind)] == [
        ("1234", "12.345"),
        (HIDDEN, HIDDEN),
    ]
    (figure,) = (each for part in analyses_of(result.table, result.settings) for each in figures_of(part))
    assert figure.title == "Prevalence among stays of bleed, by years"


def test_csv_has_every_place_to_the_last_digit_in_a_fixed_order() -> None:
    parts = [({"denominator_sex": sex}, rates("incidence", RATES)) for sex in ("Male", "Female")]
    (kind,) = kinds(result_of_places(*(("incidence", values, places) for values, places in parts)))
    rows = read(kind)
    assert next(iter(rows[0])) == "denominator_sex"
    assert [row["denominator_sex"] for row in rows] == ["Male", "Male", "Female", "Female"]
    assert [row["incidence_100000_pys"] for row in rows] == ["12.345", HIDDEN, "12.345", HIDDEN]
    assert table_csv(kind) == table_csv(kind)


def test_a_number_of_four_decimals_and_one_that_is_not_there() -> None:
    assert [shown(text) for text in ("0.123456", "1000000", "-2.50", None, HIDDEN, "2019-05-01")] == [
        "0.1235",
        "1\u202f000\u202f000",
        "-2.5",
        "",
        "–",
        "2019-05-01",
    ]
    assert shown("1234.5", lambda text, **_: {".": ","}[text]) == "1\u202f234,5"


def test_table_one_has_a_column_a_cohort_and_a_row_a_characteristic() -> None:
    places = []
    for cohort, n in (("statin", "40"), ("aspirin", "20")):
        group = {"cohort_name": cohort}
        places += [
            At(group, "Number subjects", None, {"count": n}),
            At(group, "Age", None, {"min": "1", "q25": "30", "median": "50", "q75": "60", "max": "99", "mean": "48"}),
            At(group, "Sex", "Female", {"count": "5", "percentage": "12.5"}),
        ]
    (table,) = tables(result_of_places(("summarise_characteristics", {}, places)))
    assert table.columns == ("characteristic", "statin", "aspirin")
    assert list(table.rows) == [
        ("Number subjects", "40", "20"),
        ("Age", "50 [30 – 60]", "50 [30 – 60]"),
        ("Sex: Female", "5 (12.5 %)", "5 (12.5 %)"),
    ]


def test_a_long_table_is_cut_for_people_and_whole_in_the_file() -> None:
    n = MOST_ROWS + 3
    places = [At({"target_cohort": "gout"}, "pathway", f"p{at}", {"count": str(at)}) for at in range(n)]
    result = result_of_places(("treatment_pathways", {}, places))
    (table,), (kind,) = tables(result), kinds(result)
    assert (len(table.rows), table.n_left_out) == (MOST_ROWS, 3)
    assert [row["count"] for row in read(kind)] == [str(at) for at in range(n)]


def test_two_analyses_of_a_kind_stay_apart_and_an_unknown_kind_has_a_table() -> None:
    row = rates("incidence", RATES)
    attrition = ("incidence_attrition", {}, [])
    strange = ("never_heard_of", {}, [At({"thing": "a"}, "v", None, {"n": "3"})])
    result = result_of_places(("incidence", {}, row), attrition, ("incidence", {}, row), attrition, strange)
    found = analyses_of(result.table, result.settings)
    assert [(each.number, each.family) for each in found] == [(1, "incidence"), (2, "incidence"), (3, "never_heard_of")]
    (table,) = tables_of(found[2])
    assert (table.title, table.columns) == ("never heard of", ("thing", "variable name", "n"))
