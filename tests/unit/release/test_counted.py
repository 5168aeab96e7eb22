"""Tables counted from rows: what is hidden of them, by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyarrow as pa
import pytest

from enclos.contracts.result import StudyResult
from enclos.contracts.tables import JOB_TABLE, SQL_TABLE, Key, KeyKind, Measure, TableForm
from enclos.lexicon.verdicts import Verdict
from enclos.release.rules.coarser import Coarser, coarser_version
from enclos.release.rules.disclosure import assess
from enclos.studies.tables.rules import counted

K = 11
SEX, YEAR = Key("gender_concept_id", KeyKind.CONCEPT, 0), Key("year", KeyKind.YEAR, 1)
PERSONS, RECORDS = Measure("person_count", "persons"), Measure("record_count", "records of visit_occurrence")
STAYS = Measure("stay_count", "stays")
SUM, MEAN, MEDIAN, Q25 = (Measure(each, "cost", 0) for each in ("sum", "mean", "median", "q25"))
Row = tuple[object, ...]


def table(
    rows: Sequence[Row],
    measures: Sequence[Measure],
    keys: Sequence[Key] = (SEX, YEAR),
    margins: Sequence[tuple[int, ...]] | None = None,
    kind: str = SQL_TABLE,
) -> StudyResult:
    """In: rows — person, sex, year, cost, stay, fits"""
    names = ("person", "key_0", "key_1", "value_0", "stay", "condition_1")
    columns = {name: [row[at] if at < len(row) else None for row in rows] for at, name in enumerate(names)}
    columns["condition_1"] = [bool(each) for each in columns["condition_1"]]
    columns["value_0"] = [None if each is None else float(each) for each in columns["value_0"]]
    form = TableForm(tuple(keys), tuple(measures), tuple(margins or [tuple(range(len(keys)))]))
    return counted(pa.table(columns), form, result_type=kind, name="test", version="1")


def shown(result: StudyResult, k: int = K) -> dict[tuple[str, str], str]:
    found = assess(result, k)
    assert found.safe is not None, found.reasons
    rows = found.safe.table.to_pylist()
    return {(row["strata_level"], row["estimate_name"]): row["estimate_value"] for row in rows}


def people(
    n: int, sex: int, year: int, cost: Callable[[int], float] = lambda at: 100 + at, first: int = 0
) -> list[Row]:
    return [(first + at, sex, year, cost(at), (first + at) * 10, False) for at in range(n)]


def both(*parts: list[Row]) -> list[Row]:
    return [row for part in parts for row in part]


def test_c6_51_a_small_group_and_an_absent_one_look_the_same() -> None:
    large = both(people(40, 1, 2020), people(40, 2, 2020, first=100), people(40, 1, 2021, first=200))
    with_few = both(large, people(3, 2, 2021, first=300))
    with_enough = both(large, people(12, 2, 2021, first=300))
    assert set(shown(table(with_few, [PERSONS]))) < set(shown(table(with_enough, [PERSONS])))
    assert shown(table(with_few, [PERSONS])) == {
        place: value for place, value in shown(table(with_enough, [PERSONS])).items() if place[0] != "2 &&& 2021"
    }


def test_c6_52_72_rows_and_stays_of_few_persons_are_hidden_however_many_they_are() -> None:
    rows = [(at % 2, 1, 2020, 1.0, at, False) for at in range(400)]
    assert assess(table(rows, [RECORDS, STAYS, PERSONS]), K).verdict is Verdict.REFUSE


def test_c6_52_a_few_records_more_than_persons_leave_no_line_and_are_said_to_be_hidden() -> None:
    rows = both(people(43, 1, 2020), people(40, 2, 2020, first=100), people(3, 1, 2020))
    told = shown(table(rows, [RECORDS, PERSONS]))
    assert {name for _, name in told} == {"person_count", "record_count"}
    assert ("1 &&& 2020", "record_count") not in told
    assert assess(table(rows, [RECORDS, PERSONS]), K).verdict is Verdict.REVIEW


def test_c6_61_a_count_of_records_that_two_persons_make_up_is_hidden() -> None:
    rows = both(
        people(40, 1, 2020), people(40, 2, 2020, first=100), [(0, 1, 2020, 5.0, at, False) for at in range(4000)]
    )
    told = shown(table(rows, [RECORDS, PERSONS]))
    assert told["1 &&& 2020", "person_count"] == "40"
    assert ("1 &&& 2020", "record_count") not in told


def test_c6_61_a_sum_or_mean_that_one_person_makes_up_is_hidden_whatever_its_rows() -> None:
    rich = [(0, 1, 2020, 10.0, 0, False) for _ in range(5000)]
    rows = both(people(40, 1, 2020, lambda at: 1 + at / 40), rich, people(40, 2, 2020, first=100))
    told = shown(table(rows, [SUM, MEAN, PERSONS]))
    assert not {("1 &&& 2020", "sum"), ("1 &&& 2020", "mean")} & told.keys()
    assert ("2 &&& 2020", "sum") in told


def test_c6_61_values_of_which_one_differs_are_hidden() -> None:
    rows = both(people(40, 1, 2020, lambda at: 7 if at else 8), people(40, 2, 2020, first=100))
    assert {place for place in shown(table(rows, [SUM, PERSONS])) if place[1] == "sum"} == {("2 &&& 2020", "sum")}


def test_c6_60_a_quantile_needs_the_minimum_of_persons_on_either_side() -> None:
    many = [(0, 1, 2020, 3.0, 0, False) for _ in range(300)]  # one person's rows are the lowest half
    rows = both(people(60, 1, 2020), many, people(30, 2, 2020, first=100), people(60, 3, 2020, first=200))
    told = shown(table(rows, [MEDIAN, Q25, PERSONS]))
    assert {place for place, name in told if name == "q25"} == {"3 &&& 2020"}
    assert {place for place, name in told if name == "median"} >= {"2 &&& 2020", "3 &&& 2020"}


def test_c6_51_a_group_that_everybody_of_its_margin_is_in_is_hidden() -> None:
    flag = Key("condition", KeyKind.FLAG, 1)
    rows = both(people(40, 1, 1), people(40, 2, 1, first=100), people(40, 2, 0, first=200))
    told = shown(table(rows, [PERSONS], keys=(SEX, flag)))
    # All of the one sex are in it, and all who are not are of the other.
    assert set(told) == {("2 &&& yes", "person_count")}


def test_a_code_beside_its_name_tells_nothing_of_everybody() -> None:
    name = Key("concept_name", KeyKind.CONCEPT, 0)
    rows = both(people(40, 1, 11), people(40, 2, 22, first=100))
    assert len(shown(table(rows, [PERSONS], keys=(SEX, name)))) == 2


def test_c6_53_margins_do_not_give_a_hidden_cell_back() -> None:
    rows = both(
        *(
            people(40, sex, year, first=100 * (2 * sex + year))
            for sex in (1, 2, 3)
            for year in (2020, 2021)
            if sex * year != 2021
        ),
        people(5, 1, 2021, first=0),
    )
    told = shown(table(rows, [PERSONS], margins=[(0, 1), (0,), (1,), ()]))
    cells = {place: int(value) for (place, _), value in told.items()}
    missing = {f"{sex} &&& {year}" for sex in (1, 2, 3) for year in (2020, 2021)} - cells.keys()
    assert "1 &&& 2021" in missing
    assert "1" not in cells or "1 &&& 2020" not in cells
    assert "2021" not in cells or len({each for each in missing if each.endswith("2021")}) > 1


def test_c6_53_a_sum_of_a_whole_is_not_told_where_a_part_is_hidden() -> None:
    rich = people(40, 1, 2021, lambda at: 1e6 if at == 0 else at, first=100)
    rows = both(people(40, 1, 2020), rich, people(40, 2, 2020, first=200), people(40, 2, 2021, first=300))
    told = shown(table(rows, [SUM, PERSONS], margins=[(0, 1), (0,), ()]))
    sums = {place for place, name in told if name == "sum"}
    assert sums == {"1 &&& 2020", "2 &&& 2020", "2 &&& 2021", "2"}
    assert told["1", "person_count"] == "80"


def test_c6_54_a_condition_that_leaves_a_few_out_is_hidden() -> None:
    fits = Measure("person_count", "persons", None, 1)
    rows = [(at, 1 + at % 2, 2020, 1.0, 0, at % 100 > 5) for at in range(300)]
    told = shown(table([(*row[:5], row[0] > 5) for row in rows], [PERSONS, fits], keys=(SEX,)))
    assert len(told) == 2  # only those of everybody
    everybody = [(*row[:5], True) for row in rows]
    assert len(shown(table(everybody, [PERSONS, fits], keys=(SEX,)))) == 2  # that all have it is told neither


@pytest.mark.parametrize(
    ("kind", "level"),
    [
        (KeyKind.CONCEPT, "Dupont"),
        (KeyKind.CONCEPT, "12345678901"),
        (KeyKind.YEAR, "2020-01-03"),
        (KeyKind.CHOICE, "73"),
        (KeyKind.NAME, "=HYPERLINK(1)"),
        (KeyKind.NAME, "<script>"),
        (KeyKind.NAME, "zero\u200bwidth"),
    ],
)
def test_c6_66_c7_74_a_label_that_is_not_of_its_list_refuses_the_table(kind: KeyKind, level: str) -> None:
    rows = [(at, level, None, 1.0, 0, False) for at in range(50)]
    found = assess(table(rows, [PERSONS], keys=(Key("key", kind, 0),)), K)
    assert found.verdict is Verdict.REFUSE
    assert found.safe is None


def test_what_a_job_wrote_never_passes_without_being_looked_at() -> None:
    rows = both(people(40, 1, 2020), people(40, 2, 2020, first=100))
    assert assess(table(rows, [PERSONS]), K).verdict is Verdict.PASS
    assert assess(table(rows, [PERSONS], kind=JOB_TABLE), K).verdict is Verdict.REVIEW


def test_c6_61_sums_over_conditions_that_share_persons_do_not_stand_beside_each_other() -> None:
    few = {200 + at for at in range(24)}
    rows = [(at, 1 + at % 2, 2020, 1e4 if at == 200 else at, 0, at not in few) for at in range(300)]
    whole, most = Measure("sum", "cost", 0), Measure("mean", "cost", 0, 1)
    names = {name for _, name in shown(table(rows, [whole, most, PERSONS], keys=(SEX,)))}
    assert names == {"sum", "person_count"}  # the sum of all less that of most would be one person's
    only = {name for _, name in shown(table(rows, [most, PERSONS], keys=(SEX,)))}
    assert only == {"mean", "person_count"}


def test_c6_69_a_sum_and_a_mean_that_give_each_other_fall_together() -> None:
    # All add up to the same but in different numbers of records, so that their means differ.
    rows = [(at, 1, 2020, 60 / (1 + at % 3), 0, False) for at in range(60) for _ in range(1 + at % 3)]
    rows += [(100 + at, 2, 2020, float(at), 0, False) for at in range(60)]
    told = shown(table(rows, [SUM, MEAN, RECORDS], keys=(SEX,)))
    assert not {("1", "sum"), ("1", "mean")} & told.keys()
    assert {("2", "sum"), ("2", "mean"), ("1", "record_count")} <= told.keys()


def nearest(result: StudyResult) -> Coarser | None:
    return coarser_version(result, assess(result, K))


def test_the_nearest_table_has_the_fewest_keys_widened_and_hides_nothing() -> None:
    by_year = both(*(people(6, 1 + at % 2, 1930 + at, first=100 * at) for at in range(40)))
    found = nearest(table(by_year, [PERSONS, SUM]))
    assert found is not None
    assert [move.sentence for move in found.moves] == ["take year by ten years"]
    assert {int(cell.n_numerator) for cell in found.version.cells} == {30}
    assert shown(found.version).keys() == {
        (f"{sex} &&& {year}", "person_count") for sex in (1, 2) for year in (1930, 1940, 1950, 1960)
    }


def test_where_nothing_is_hidden_nothing_is_proposed_and_where_all_is_small_neither() -> None:
    assert nearest(table(both(people(40, 1, 2020), people(40, 2, 2020, first=100)), [PERSONS])) is None
    assert nearest(table(people(5, 1, 2020), [PERSONS])) is None
    assert nearest(table(both(people(40, 1, 2020), people(3, 2, 2020, first=100)), [SUM])) is None


def test_bands_are_made_wider_and_meet() -> None:
    age = Key("age_by_5", KeyKind.BAND, 1, 5)
    rows = both(*(people(7, 1 + at % 2, at // 2, first=100 * at) for at in range(24)))
    found = nearest(table(rows, [PERSONS], keys=(SEX, age)))
    assert found is not None
    assert [move.sentence for move in found.moves] == ["make the bands of age_by_5 2 times as wide"]
    assert {cell.strata_level.split(" &&& ")[1] for cell in found.version.cells} == {
        f"{low} to {low + 9}" for low in range(0, 60, 10)
    }
