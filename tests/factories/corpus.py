"""The labelled corpus: rows that say a request in a few words, and the results that these words stand for.

Families, and how the column ``asked`` is written in each:

rates          ``120 Male 1960 +30 , 90 Female 1955 +20/11 ; sexes Both ; ages 0-64 65-150 ; windows years``
               so many persons of a sex, born in a year, the first so many with the outcome (in the first/second year)
descriptions   ``30 statin Female 20-64 gout =5 , 20 statin Male 65-150``
               so many of a cohort, a sex, an age group, with conditions, each with a value or with 0, 1, 2 …
histories      ``A 0-299 ; B 0-89 300-310``: cohorts of persons by their numbers; ``earlier`` says what left before:
               ``permit: cohorts | permit: cohorts``
effects        ``target 100/30 ; comparator 100/20 ; hazard_ratio``: persons and outcomes behind an estimate
texts          ``characteristics variable_level <text>``: one label of a safe request says something else
numbers        ``characteristics Days mean <value>``: one number of a safe request says something else
tables         ``40 8507 2020 =ramp x2 yes , 5 8532 2021 ; cube ; flag ; told persons sum ; hide sum 8507 &&& 2020``
               so many of a sex in a year (or with a flag), each with a value or 0, 1, 2 …, with so many rows, fitting
               the condition; margins; what is told; the line that may not be shown
sums           as tables, with tables in ``earlier`` too; ``@60`` are persons from that number on
rounded        ``to 5 ; A 0-299``: as histories, with counts rounded, those that left before too
curves         ``150 30-300 event Female , 150 40-310 lost Female ; gap 1``: persons who have the outcome, or are lost,
               at days spread over a range
automatic      ``incidence : 120 Male 1960 +30``: rates, under a policy that lets these types go without votes
kinds          ``incidence Outcome max_cost 9120 of 1/300``: one line more, with the persons that it rests on
               ``compare_controls Effect hazard_ratio 1.7 of 20/300+30/400 ; 0-40/300``: an estimate of several counts,
               and others of its table, each with who has something (so many, or from one to another) among how many;
               ``34x 0-11/22``: so many of them alike
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyroaring import BitMap

from enclos.contracts.result import (
    OVERALL,
    RESULT_SCHEMA,
    SEPARATOR,
    Cell,
    EstimateType,
    ResultSettings,
    StudyResult,
    Values,
)
from enclos.contracts.tables import QUANTILES, SQL_TABLE, SUMS, Key, KeyKind, Measure, TableForm
from enclos.release.rules.several import SEVERAL
from enclos.release.rules.terms import kinds as kinds_of_tables
from enclos.studies.rules.report import Estimate, Place, Report
from enclos.studies.rules.spread import Spread
from enclos.studies.survival import plans
from enclos.studies.tables.rules import counted
from factories.curves import Followed, curves_of
from factories.days import stretch_of
from factories.groups import KIND, NUMBERS, Subject, description_of
from factories.results import ALL_AGES, Asked, Person, result_of

FOLDER = Path(__file__).resolve().parents[1] / "corpus" / "release"
FAMILIES = (
    "rates",
    "descriptions",
    "histories",
    "rounded",
    "curves",
    "automatic",
    "effects",
    "texts",
    "numbers",
    "kinds",
    "tables",
    "sums",
    "days",
)
MIN_COUNT = 11
_ENDINGS = {"lost": plans.CENSORED, "event": plans.OUTCOME, "competing": plans.COMPETING}
_GROUP = SEPARATOR.join(("target_cohort_name", "comparator_cohort_name", "outcome_cohort_name"))


@dataclass(frozen=True)
class Case:
    """One request, what it is, where it comes from and why."""

    family: str
    id: str
    is_safe: bool
    threat: str
    source: str
    earlier: str
    asked: str
    why: str

    @property
    def before(self) -> list[tuple[str, StudyResult]]:
        """What left before, with its permit."""
        parts = [part.split(":", 1) for part in self.earlier.split("|") if part.strip()]
        told = {"sums": tables, "days": days}.get(self.family, cohorts)
        return [(permit.strip(), told(text)) for permit, text in parts]

    @property
    def round_to(self) -> int:
        """To what its counts are rounded."""
        return int(self.asked.split(";")[0].split()[1]) if self.family == "rounded" else 1

    @property
    def automatic(self) -> tuple[str, ...]:
        """The result types that policy lets go without votes: all of them where the row names none."""
        return tuple(self.asked.split(":")[0].split()) if self.family == "automatic" else tuple(kinds_of_tables())

    @property
    def result(self) -> StudyResult:
        """What is asked for."""
        return _BUILDERS[self.family](self.asked)

    @property
    def must_not_leave(self) -> str:
        """The text or the number that an unsafe request would carry out; empty where persons are counted."""
        if self.family not in {"texts", "numbers", "kinds"} or self.is_safe:
            return ""
        return _spoken(self.asked.split(" ", {"texts": 2}.get(self.family, 3))[-1].split(" of ")[0])


def cases() -> list[Case]:
    """Every row of every family."""
    return [case for family in FAMILIES for case in _read(family)]


def _read(family: str) -> Iterator[Case]:
    with (FOLDER / f"{family}.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["label"] not in {"safe", "unsafe"}:
                raise ValueError(f"{row['id']} is neither safe nor unsafe")
            names = ("threat", "source", "earlier", "asked", "why")
            yield Case(family, row["id"], row["label"] == "safe", *(row.get(name) or "" for name in names))


def days(text: str) -> StudyResult:
    """A rate of the same persons until a day."""
    return stretch_of(text).result


def rates(text: str) -> StudyResult:
    """Incidence of a town."""
    town, *options = [part.strip() for part in text.split(";")]
    said = {name: words for name, *words in (option.split() for option in options)}
    windows = said.get("windows", ["years"])
    people = list(chain.from_iterable(_residents(block.split()) for block in town.split(",")))
    n_years = max((1 + (person.event or 0) for person in people), default=1)
    people = [replace(person, days=(365,) * n_years) for person in people]
    asked = Asked(
        sexes=said.get("sexes", ["Both", "Male", "Female"]),
        ages=[_ages(each) for each in said["ages"]] if "ages" in said else (ALL_AGES,),
        overall="overall" in windows,
        years="years" in windows,
    )
    return result_of(people, asked, attrition="attrition" in said)


def _residents(words: Sequence[str]) -> Iterator[Person]:
    n, sex, born, *events = words
    years = [int(each) for each in events[0].removeprefix("+").split("/")] if events else []
    when = [year for year, n_events in enumerate(years) for _ in range(n_events)]
    for number in range(int(n)):
        yield Person(sex, int(born), (365,), when[number] if number < len(when) else None)


def _ages(text: str) -> tuple[int, int]:
    youngest, oldest = text.split("-")
    return int(youngest), int(oldest)


def rounded(text: str) -> StudyResult:
    """Cohorts whose numbers are rounded."""
    return cohorts(text.split(";", 1)[1])


def automatic(text: str) -> StudyResult:
    """Rates of which a policy lets some types go."""
    return rates(text.split(":", 1)[1])


def curves(text: str) -> StudyResult:
    """A curve of survival."""
    people, *options = [part.strip() for part in text.split(";")]
    said = dict(option.split() for option in options)
    end = int(said["until"]) if "until" in said else None
    gap, competing = int(said.get("gap", "1")), "competing" in people
    return curves_of(followed_of(people), gap_days=gap, follow_up=end, competing=competing)


def followed_of(text: str) -> list[Followed]:
    """Entries that end at days spread over ranges."""
    return list(chain.from_iterable(_followed(block.split()) for block in text.split(",")))


def _followed(words: Sequence[str]) -> Iterator[Followed]:
    n, days, ending, sex = words
    first, _, last = days.partition("-")
    width = int(last or first) - int(first) + 1
    for number in range(int(n)):
        yield Followed(int(first) + number * width // int(n), _ENDINGS[ending], sex)


def descriptions(text: str) -> StudyResult:
    """Characteristics of cohorts."""
    subjects = subjects_of(text)
    return description_of(subjects, sorted(frozenset().union(*(each.flags for each in subjects))))


def subjects_of(text: str) -> list[Subject]:
    """The persons of some cohorts."""
    return list(chain.from_iterable(_subjects(block.split()) for block in text.split(",")))


def _subjects(words: Sequence[str]) -> Iterator[Subject]:
    n, cohort, sex, ages, *rest = words
    flags = frozenset(word for word in rest if not word.startswith("="))
    values = [word.removeprefix("=") for word in rest if word.startswith("=")]
    for number in range(int(n)):
        value = None if not values else number if values[0] == "ramp" else int(values[0])
        yield Subject(cohort, sex, ages.replace("-", " to "), flags, value)


def cohorts(text: str) -> StudyResult:
    """The numbers of subjects of cohorts."""
    named = [part.split() for part in text.split(";") if part.strip()]
    rows: list[dict[str, object]] = []
    cells: list[Cell] = []
    for name, *ranges in named:
        persons = persons_of(ranges)
        line = (OVERALL, OVERALL, "Number subjects", None, "count", "integer", str(len(persons)), OVERALL, OVERALL)
        rows.append(dict(zip(RESULT_SCHEMA.names, (1, "cdm", "cohort_name", name, *line), strict=True)))
        cells.append(Cell(1, name, OVERALL, OVERALL, OVERALL, persons, persons, NUMBERS, "Number subjects"))
    return _of(rows, cells, KIND)


def persons_of(ranges: Iterable[str]) -> BitMap:
    """The persons of ranges of numbers, both ends included."""
    found = BitMap()
    for each in ranges:
        first, _, last = each.partition("-")
        found |= BitMap(range(int(first), int(last or first) + 1))
    return found


def effects(text: str) -> StudyResult:
    """An adjusted estimate of two cohorts."""
    *arms, name = [part.strip() for part in text.split(";")]
    report = Report("test", "1")
    settings = {"comparison": "primary", "unblinded": "TRUE", "withheld_for": ""}
    result_id = report.start("compare_estimates", _GROUP, "adjustment", "", settings)

    def place(variable: str) -> Place:
        return Place(_GROUP, SEPARATOR.join(("new", "old", "harm")), variable, None, ("adjustment", "Adjusted"))

    report.add(result_id, place("Effect"), [Estimate(name, EstimateType.NUMERIC, "1.5")])
    first = 0
    for arm in arms:
        variable, _, counts = arm.partition(" ")
        n, n_events = (int(each) for each in counts.split("/"))
        persons = BitMap(range(first, first + n))
        said = {"n_persons": n, "n_events": n_events, "person_days": n * 90}
        own = place(variable.capitalize())
        report.add(result_id, own, [Estimate(key, EstimateType.INTEGER, str(value)) for key, value in said.items()])
        report.add_cell(result_id, own, BitMap(list(persons)[:n_events]), persons)
        first += n
    return report.result(np.arange(1, first + 1))


def texts(text: str) -> StudyResult:
    """A safe request with another label."""
    base, column, said = text.split(" ", 2)
    result, said = _BASES[base](), _spoken(said)
    if column.startswith("settings."):
        first, *others = result.settings
        first = ResultSettings(first.result_id, {**first.values, column.removeprefix("settings."): said})
        return replace(result, settings=(first, *others))
    rows = result.table.to_pylist()
    place = next(
        row for row in rows if (row["estimate_name"] == "count" and row["variable_level"]) or base != "characteristics"
    )
    same = {key: place[key] for key in ("result_id", "group_level", "variable_name", "variable_level")}
    for row in rows:
        if base != "characteristics" or {key: row[key] for key in same} == same or column == "cdm_name":
            row[column] = said
    cells = result.cells
    if column in {"group_level", "variable_name", "variable_level", "strata_level", "additional_level"}:
        cells = tuple(_labelled(cell, same, column, said, whole=base != "characteristics") for cell in cells)
    return StudyResult(pa.Table.from_pylist(rows, RESULT_SCHEMA), result.settings, cells)


def _labelled(cell: Cell, same: Mapping[str, object], column: str, said: str, *, whole: bool) -> Cell:
    mine = {"group_level": cell.group_level, "variable_name": cell.variable_name, "variable_level": cell.variable_level}
    is_it = all(same[key] == value for key, value in mine.items())
    return replace(cell, **{column: said}) if whole or is_it else cell


def numbers(text: str) -> StudyResult:
    """A safe request with another number."""
    base, variable, estimate, said = text.split(" ", 3)
    result = _BASES[base]()
    rows = result.table.to_pylist()
    name = variable.replace("_", " ")
    row = next(row for row in rows if (row["variable_name"], row["estimate_name"]) == (name, estimate))
    row["estimate_value"] = said
    return replace(result, table=pa.Table.from_pylist(rows, RESULT_SCHEMA))


def kinds(text: str) -> StudyResult:
    """A safe request with one line more; its result type makes a result id of its own where the request has none."""
    kind, variable, estimate, rest = text.split(" ", 3)
    said, _, counts = rest.partition(" of ")
    if kind in SEVERAL:
        return _several(kind, variable, estimate, said, counts)
    result = _BASES["characteristics" if kind == KIND else "incidence"]()
    last = max(each.result_id for each in result.settings)
    own = next((each for each in result.settings if each.result_type == kind), None)
    settings = result.settings
    if own is None:
        own = ResultSettings(last + 1, {**result.settings[0].values, "result_type": kind})
        settings = (*settings, own)
    model = next((row for row in result.table.to_pylist() if row["result_id"] == own.result_id), None)
    row = dict(model or result.table.to_pylist()[0])
    row |= {"result_id": own.result_id, "variable_name": variable.replace("_", " "), "variable_level": None}
    row |= {"estimate_name": estimate, "estimate_type": "numeric", "estimate_value": said}
    cells = result.cells
    if kind not in {each.result_type for each in result.settings} or kind == KIND:
        sizes, _, shape = counts.partition(" ")
        having, among = (BitMap(range(int(each))) for each in sizes.split("/"))
        values = _ramp(len(having)) if shape == "ramp" else None
        sets = {"dense_numerator": having, "dense_denominator": among, "values": values}
        extra = replace(result.cells[0], result_id=own.result_id, **sets)
        cells = (*cells, replace(extra, variable_name=row["variable_name"], variable_level=""))
    table = pa.concat_tables([result.table, pa.Table.from_pylist([row], RESULT_SCHEMA)])
    return StudyResult(table, settings, cells)


def _ramp(n: int) -> Values:
    """What values 3, 4, 5 … of so many persons owe to few of them."""
    spread = Spread()
    spread.add(np.arange(n, dtype=np.float64) + 3)
    values = spread.values
    if values is None:
        raise ValueError("somebody has a value")
    return values


def _several(kind: str, variable: str, estimate: str, said: str, counts: str) -> StudyResult:
    """Estimates of several counts, the first of them saying the number; each cohort has persons of its own."""
    report = Report("cdm", "1")
    result_id = report.start(kind, "outcome_cohort_name", "", "", {"comparison": "primary"})
    n_alike, _, once = counts.partition("x ")
    blocks = [once] * int(n_alike) if once else counts.split(";")
    for at, block in enumerate(blocks):
        name = variable if kind.endswith("_controls") else f"{variable.lower()} {at + 1}"
        is_found = not kind.endswith("_controls")
        added = ("covariate_id", str(1000 * at + 1210)) if is_found else (OVERALL, OVERALL)
        place = Place("outcome_cohort_name", f"control {at + 1}", name, None, additional=added)
        report.add(result_id, place, [Estimate(estimate, EstimateType.NUMERIC, said if at == 0 else f"{3 + at}.5")])
        parts, first = [], 0
        for each in block.strip().split("+"):
            having, _, n = each.partition("/")
            start, _, end = having.partition("-") if "-" in having else (str(250 * at), "", str(250 * at + int(having)))
            among = BitMap(range(first, first + int(n)))
            parts.append((BitMap(range(first + int(start), first + int(end))), among))
            first += 3000
        report.add_parts(result_id, place, parts)
    return report.result(np.arange(1, 9001))


def _spoken(text: str) -> str:
    """Text in which what nobody could read in a table is written with a backslash."""
    return text.encode("latin-1", "backslashreplace").decode("unicode_escape")


def _of(rows: list[dict[str, object]], cells: Sequence[Cell], kind: str) -> StudyResult:
    settings = {"result_type": kind, "package_name": "enclos", "package_version": "0.1.0"}
    return StudyResult(pa.Table.from_pylist(rows, RESULT_SCHEMA), (ResultSettings(1, settings),), tuple(cells))


def _characteristics() -> StudyResult:
    return descriptions(
        "30 statin Female 20-64 gout =ramp , 30 statin Female 65-150 =ramp , "
        "55 statin Male 65-150 =ramp , 15 statin Male 65-150 gout =ramp , 55 statin Male 20-64 =ramp"
    )


def _incidence() -> StudyResult:
    return rates("120 Male 1960 +30 , 150 Female 1955 +40")


_BASES = {"characteristics": _characteristics, "incidence": _incidence}
_TOLD = {
    "persons": Measure("person_count", "persons"),
    "fits": Measure("person_count", "persons", None, 1),
    "records": Measure("record_count", "records of drug_exposure"),
    "stays": Measure("stay_count", "stays"),
    **{name: Measure(name, "cost", 0) for name in (*SUMS, *QUANTILES)},
}


def tables(text: str) -> StudyResult:
    """A table counted from the rows of a town."""
    rows, said = tables_rows(text)
    kind = KeyKind.FLAG if "flag" in said else KeyKind.YEAR
    keys = (Key("gender_concept_id", KeyKind.CONCEPT, 0), Key("condition" if "flag" in said else "year", kind, 1))
    margins = ((0, 1), (0,), (1,), ()) if "cube" in said else ((0, 1),)
    form = TableForm(keys, tuple(_TOLD[word] for word in said.get("told", ["persons"])), margins)
    return counted(pa.Table.from_pylist(rows, _ROWS), form, result_type=SQL_TABLE, name="town", version="1")


def tables_rows(text: str) -> tuple[list[dict[str, Any]], dict[str, list[str]]]:
    """The rows that a town's persons have, and what is asked of them."""
    town, *options = [part.strip() for part in text.split(";")]
    said = {name: words for name, *words in (option.split() for option in options)}
    rows: list[dict[str, Any]] = []
    first = 0
    for n, sex, level, *rest in (block.split() for block in town.split(",")):
        value = next((word.removeprefix("=") for word in rest if word.startswith("=")), None)
        times = next((int(word.removeprefix("x")) for word in rest if word.startswith("x")), 1)
        first = next((int(word.removeprefix("@")) for word in rest if word.startswith("@")), first)
        for at in range(int(n)):
            own = None if value is None else at % 60 if value == "ramp" else int(value)
            row = {"person": first + at, "key_0": int(sex), "key_1": int(level), "value_0": own}
            rows += [
                {**row, "condition_1": "yes" in rest, "stay": (first + at) * 10_000 + time} for time in range(times)
            ]
        first += int(n)
    return rows, said


_ROWS = pa.schema(
    [
        *((name, pa.int64()) for name in ("person", "key_0", "key_1")),
        ("value_0", pa.float64()),
        ("condition_1", pa.bool_()),
        ("stay", pa.int64()),
    ]
)


_BUILDERS = {
    "rates": rates,
    "descriptions": descriptions,
    "histories": cohorts,
    "rounded": rounded,
    "curves": curves,
    "automatic": automatic,
    "effects": effects,
    "texts": texts,
    "numbers": numbers,
    "kinds": kinds,
    "tables": tables,
    "sums": tables,
    "days": days,
}
