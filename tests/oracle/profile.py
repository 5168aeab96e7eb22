"""Analyses of the profile, one at a time, in plain Python over lists of rows. Slow on purpose.

Follows the definitions of OHDSI Achilles 1.8 literally (joins multiply, groups keep the empty value); shares no code
with the scans. Persons must be unique, as OMOP demands.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

Row = dict[str, Any]
Cdm = dict[str, list[Row]]
Key = tuple[str | None, ...]
Counts = dict[Key, int]
Spreads = dict[Key, tuple[float | None, ...]]

EVENTS = {
    200: ("visit_occurrence", "visit", "visit_start_date", "visit_end_date"),
    1300: ("visit_detail", "visit_detail", "visit_detail_start_date", "visit_detail_end_date"),
    400: ("condition_occurrence", "condition", "condition_start_date", "condition_end_date"),
    600: ("procedure_occurrence", "procedure", "procedure_date", None),
    700: ("drug_exposure", "drug", "drug_exposure_start_date", "drug_exposure_end_date"),
    800: ("observation", "observation", "observation_date", None),
    900: ("drug_era", "drug", "drug_era_start_date", "drug_era_end_date"),
    1000: ("condition_era", "condition", "condition_era_start_date", "condition_era_end_date"),
    1800: ("measurement", "measurement", "measurement_date", None),
    2100: ("device_exposure", "device", "device_exposure_start_date", "device_exposure_end_date"),
}


def day(value: Any) -> date | None:
    return value.date() if isinstance(value, datetime) else value


def month(value: date | None) -> int | None:
    return None if value is None else value.year * 100 + value.month


def decile(year: int | None, person: Row) -> int | None:
    born = person["year_of_birth"]
    return None if year is None or born is None else math.floor((year - born) / 10)


def text(*values: Any) -> Key:
    return tuple(None if value is None else str(value) for value in values)


def persons_by(rows: Iterable[tuple[Any, Key]]) -> Counts:
    """Distinct persons by stratum; a person without a number is counted nowhere, but its stratum is there."""
    found: dict[Key, set[Any]] = defaultdict(set)
    for person, key in rows:
        found[key] |= {person} - {None}
    return {key: len(people) for key, people in found.items()}


def spread(values: list[float | None]) -> tuple[float | None, ...]:
    """Count, min, max, mean, deviation, median, p10, p25, p75, p90."""
    known = sorted(value for value in values if value is not None)
    if not known:
        return (len(values), *(None,) * 9)
    mean = sum(known) / len(known)
    deviation = math.sqrt(sum((v - mean) ** 2 for v in known) / (len(known) - 1)) if len(known) > 1 else None

    def at(percent: int) -> float:
        for rank, value in enumerate(known, start=1):
            if rank * 100 >= percent * len(values) and (rank == len(known) or known[rank] != value):
                return value
        # values equal to their neighbours share the last rank; what is empty pushes the rank to the end
        return known[-1]

    return (len(values), known[0], known[-1], mean, deviation, at(50), at(10), at(25), at(75), at(90))


def spreads(rows: Iterable[tuple[Key, float | None]]) -> Spreads:
    groups: dict[Key, list[float | None]] = defaultdict(list)
    for key, value in rows:
        if None not in key:
            groups[key].append(value)
    return {key: spread(values) for key, values in groups.items()}


class Oracle:
    """All analyses of one CDM, computed when asked."""

    def __init__(self, cdm: Cdm) -> None:
        self.cdm = cdm
        self.person = {row["person_id"]: row for row in cdm["person"]}
        self.periods: dict[Any, list[Row]] = defaultdict(list)
        for row in cdm["observation_period"]:
            self.periods[row["person_id"]].append(row)

    def inside(self, rows: list[Row], start: str) -> Iterator[Row]:
        """Each event once for every period that holds its day."""
        for row in rows:
            yield from [row] * self.times(row, start)

    def times(self, row: Row, start: str, end: str | None = None) -> int:
        first = day(row[start])
        last = (day(row[end]) or first) if end else first
        if row["person_id"] is None or first is None or last is None:
            return 0
        held = 0
        for period in self.periods.get(row["person_id"], []):
            a, b = day(period["observation_period_start_date"]), day(period["observation_period_end_date"])
            held += a is not None and b is not None and first >= a and last <= b
        return held

    def counts(self) -> dict[int, Counts]:
        answer = self._persons() | self._observation()
        for base in EVENTS:
            answer |= self._events(base)
        return answer | self._deaths() | self._sets()

    def distributions(self) -> dict[int, Spreads]:
        firsts = [(pid, self._first(pid)) for pid in self.periods]
        ages = [
            (
                self.person[pid],
                first[0].year - self.person[pid]["year_of_birth"] if known(first, self.person[pid]) else None,
            )
            for pid, first in firsts
            if pid in self.person
        ]
        lengths = [(pid, (first[1] - first[0]).days if None not in first else None) for pid, first in firsts]
        answer: dict[int, Spreads] = {
            103: spreads(((), age) for _, age in ages),
            104: spreads((text(person["gender_concept_id"]), age) for person, age in ages),
            105: spreads(((), length) for _, length in lengths),
            106: spreads((text(self.person[p]["gender_concept_id"]), n) for p, n in lengths if p in self.person),
        }
        for base, (table, stem, start, end) in EVENTS.items():
            rows, concept = list(self.inside(self.cdm[table], start)), f"{stem}_concept_id"
            distinct: dict[Any, set[Any]] = defaultdict(set)
            earliest: dict[tuple[Any, Any], int] = {}
            for row in rows:
                distinct[row["person_id"]] |= {row[concept]} - {None}
                key = (row["person_id"], row[concept])
                earliest[key] = min(earliest.get(key, 9999), day(row[start]).year)  # type: ignore[union-attr]
            if base != 2100:
                answer[base + 3] = spreads(((), len(concepts)) for concepts in distinct.values())
            answer[base + 6] = spreads(
                (
                    text(concept_id, self.person[pid]["gender_concept_id"]),
                    None if self.person[pid]["year_of_birth"] is None else year - self.person[pid]["year_of_birth"],
                )
                for (pid, concept_id), year in earliest.items()
                if pid in self.person
            )
            if end and base in {200, 900, 1000, 1300}:
                answer[base + (13 if base in {200, 1300} else 7)] = spreads(
                    (text(row[concept]), (day(row[end]) - day(row[start])).days if row[end] else None)  # type: ignore[operator]
                    for row in self.cdm[table]
                    for _ in range(self.times(row, start, end if base == 200 else None))
                )
        for analysis, name in ((715, "days_supply"), (716, "refills"), (717, "quantity")):
            drugs = self.inside(self.cdm["drug_exposure"], "drug_exposure_start_date")
            answer[analysis] = spreads((text(d["drug_concept_id"]), d[name]) for d in drugs if d[name] is not None)
        for analysis, stem in ((815, "observation"), (1815, "measurement")):
            answer[analysis] = spreads(
                (text(row[f"{stem}_concept_id"], row["unit_concept_id"]), row["value_as_number"])
                for row in self.inside(self.cdm[stem], f"{stem}_date")
                if row["value_as_number"] is not None
            )
        for analysis, name in ((1816, "range_low"), (1817, "range_high")):
            answer[analysis] = spreads(
                (text(row["measurement_concept_id"], row["unit_concept_id"]), row[name])
                for row in self.inside(self.cdm["measurement"], "measurement_date")
                if None not in (row["value_as_number"], row["range_low"], row["range_high"])
            )
        return answer

    def _first(self, pid: Any) -> tuple[Any, Any]:
        spans = [
            (day(p["observation_period_start_date"]), day(p["observation_period_end_date"])) for p in self.periods[pid]
        ]
        return min(spans, key=lambda span: (span[0] or date.max, span[1] or date.max))

    def _persons(self) -> dict[int, Counts]:
        people = self.cdm["person"]
        dead = {row["person_id"] for row in self.cdm["death"]}

        def by(*names: str, where: Callable[[Row], bool] = lambda _: True) -> Counts:
            return persons_by((p["person_id"], text(*(p[name] for name in names))) for p in people if where(p))

        sex, year, race, origin = "gender_concept_id", "year_of_birth", "race_concept_id", "ethnicity_concept_id"
        return {
            1: {(): len(people)},
            2: by(sex),
            3: by(year),
            4: by(race),
            5: by(origin),
            10: by(year, sex),
            11: by(year, sex, where=lambda p: p["person_id"] not in dead),
            12: by(race, origin),
        }

    def _observation(self) -> dict[int, Counts]:
        spans = [
            (row["person_id"], day(row["observation_period_start_date"]), day(row["observation_period_end_date"]))
            for row in self.cdm["observation_period"]
        ]
        starts = sorted({month(start) for _, start, _ in spans if start})
        years = sorted({start.year for _, start, _ in spans if start})
        whole = [(pid, a, b) for pid, a, b in spans if None not in (pid, a, b)]
        answer: dict[int, Counts] = {
            109: persons_by(
                (pid, text(year))
                for pid, a, b in whole
                for year in range(years[0], years[-1] + 1)
                if a <= date(year, 1, 1) and b >= date(year, 12, 31)
            )
            if years
            else {},
            110: persons_by(
                (pid, text(key))
                for pid, a, b in whole
                for key in starts
                if a <= date(key // 100, key % 100, 1) and b >= last_of(key)
            ),
            116: persons_by(
                (pid, text(year, self.person[pid]["gender_concept_id"], decile(year, self.person[pid])))
                for pid, a, b in whole
                for year in years
                if pid in self.person and a.year <= year <= b.year
            ),
            117: persons_by(
                (pid, text(year * 100 + number))
                for pid, a, b in whole
                for year in range(1900, 2100)
                for number in range(1, 13)
                if month(a) <= year * 100 + number <= month(b)  # type: ignore[operator]
            ),
            111: persons_by((pid, text(month(a))) for pid, a, _ in spans),
            112: persons_by((pid, text(month(b))) for pid, _, b in spans),
            115: {(): sum(pid is not None and bool(a and b and b < a) for pid, a, b in spans)},
            118: {(): sum(pid is not None and pid not in self.person for pid, _, _ in spans)},
            119: dict(Counter(text(row["period_type_concept_id"]) for row in self.cdm["observation_period"])),
        }
        firsts = [(self.person[pid], self._first(pid)) for pid in self.periods if pid in self.person]
        ages = [(p, first[0].year - p["year_of_birth"] if known(first, p) else None) for p, first in firsts]
        answer[101] = dict(Counter(text(age) for _, age in ages))
        answer[102] = dict(Counter(text(p["gender_concept_id"], age) for p, age in ages))
        return answer

    def _events(self, base: int) -> dict[int, Counts]:
        table, stem, start, end = EVENTS[base]
        every = self.cdm[table]
        rows = list(self.inside(every, start))
        concept, pid = f"{stem}_concept_id", "person_id"

        def records(*names: str) -> Counts:
            return dict(Counter(text(*(row[name] for name in names)) for row in rows))

        outside = [row for row in every if not self.times(row, start)]
        per_person = Counter((row[pid], row[concept]) for row in rows)
        answer: dict[int, Counts] = {
            base: persons_by((row[pid], text(row[concept])) for row in rows),
            base + 1: records(concept),
            base + 2: persons_by((row[pid], text(row[concept], month(day(row[start])))) for row in rows),
            base + 4: persons_by(
                (
                    row[pid],
                    text(
                        row[concept],
                        day(row[start]).year,  # type: ignore[union-attr]
                        self.person[row[pid]]["gender_concept_id"],
                        decile(day(row[start]).year, self.person[row[pid]]),  # type: ignore[union-attr]
                    ),
                )
                for row in rows
                if row[pid] in self.person
            ),
            base + 20: dict(Counter(text(month(day(row[start]))) for row in rows)),
            base + 10: {(): len(outside)},
            base + 30: {(): len(rows)},
        }
        if base not in {900, 1000}:
            answer[base + 25] = records(f"{stem}_source_concept_id")
        if base in {400, 600, 700, 800, 1800, 2100}:
            answer[base + 5] = records(concept, f"{stem}_type_concept_id")
        if base in {600, 700, 800, 1800, 2100}:
            answer[base + 91] = {
                text(concept_id, least): sum(n >= least for (_, c), n in per_person.items() if c == concept_id)
                for (_, concept_id), least in per_person.items()
            }
        if end and base != 2100:
            early = sum(bool(r[pid] is not None and r[end] and r[start] and r[end] < r[start]) for r in every)
            answer[base + 11] = {(): early}
        if base in {800, 1800}:
            answer |= self._values(base, rows, every)
        if base in {200, 1300}:
            asked = every if base == 200 else rows
            answer[base + 12] = persons_by(
                (r[pid], text(y, self.person[r[pid]]["gender_concept_id"], decile(y, self.person[r[pid]])))
                for r in asked
                if r[pid] in self.person
                for y in [day(r[start]).year if r[start] else None]  # type: ignore[union-attr]
            )
            answer[base + 21] = persons_by((r[pid], text(day(r[start]).year)) for r in rows)  # type: ignore[union-attr]
        if base == 400:
            answer[414], answer[415] = records("condition_status_concept_id"), records("condition_type_concept_id")
            answer[416] = records("condition_status_concept_id", "condition_type_concept_id")
        return answer

    def _values(self, base: int, rows: list[Row], every: list[Row]) -> dict[int, Counts]:
        stem = "observation" if base == 800 else "measurement"
        concept, other = f"{stem}_concept_id", "qualifier_concept_id" if base == 800 else "operator_concept_id"

        def records(*names: str) -> Counts:
            return dict(Counter(text(*(row[name] for name in names)) for row in rows))

        answer = {
            base + 7: records(concept, "unit_concept_id"),
            base + 22: records(concept, "value_as_concept_id"),
            base + 23: records(concept, other),
            base + 26: records("value_as_concept_id"),
            base + 27: records("unit_concept_id"),
        }
        if base == 800:
            empty = ("value_as_number", "value_as_string", "value_as_concept_id")
            answer[814] = {
                (): sum(r["person_id"] is not None and all(r[name] is None for name in empty) for r in every)
            }
            return answer
        valued = [r for r in rows if r["value_as_number"] is not None or r["value_as_concept_id"] not in {None, 0}]
        answer[1811], answer[1814] = {(): len(valued)}, {(): len(rows) - len(valued)}
        answer[1819] = dict(Counter(text(r[concept]) for r in valued))
        answer[1821] = {(): sum(r["person_id"] is not None and r["value_as_number"] is None for r in every)}
        ranged = [
            r for r in rows if None not in (r["value_as_number"], r["range_low"], r["range_high"], r["unit_concept_id"])
        ]
        answer[1818] = dict(Counter(text(r[concept], r["unit_concept_id"], place(r)) for r in ranged))
        return answer

    def _deaths(self) -> dict[int, Counts]:
        every = self.cdm["death"]
        rows, pid = list(self.inside(every, "death_date")), "person_id"
        return {
            500: persons_by((r[pid], text(r["cause_concept_id"])) for r in rows),
            501: dict(Counter(text(r["cause_concept_id"]) for r in rows)),
            502: persons_by((r[pid], text(month(day(r["death_date"])))) for r in rows),
            504: persons_by(
                (r[pid], text(y, self.person[r[pid]]["gender_concept_id"], decile(y, self.person[r[pid]])))
                for r in rows
                if r[pid] in self.person
                for y in [day(r["death_date"]).year]  # type: ignore[union-attr]
            ),
            505: dict(Counter(text(r["death_type_concept_id"]) for r in rows)),
            510: {(): sum(not self.times(r, "death_date") for r in every)},
            525: dict(Counter(text(r["cause_source_concept_id"]) for r in every)),
        }

    def _sets(self) -> dict[int, Counts]:
        def seen(base: int) -> set[Any]:
            table, _, start, _ = EVENTS[base]
            return {row["person_id"] for row in self.inside(self.cdm[table], start)}

        def there(table: str) -> set[Any]:
            return {row["person_id"] for row in self.cdm[table]} - {None}

        tables = [there(EVENTS[base][0]) for base in (400, 700, 2100, 1800)]
        tables += [there("death"), there("procedure_occurrence"), there("observation")]
        overlaps = {}
        for mask in range(1, 128):
            bits = f"{mask:07b}"
            chosen = [table for bit, table in zip(bits, tables, strict=True) if bit == "1"]
            overlaps[bits] = len(set.intersection(*chosen))
        return {
            2000: {(): len(seen(400) & seen(700))},
            2001: {(): len(seen(400) & seen(600))},
            2002: {(): len(seen(1800) & seen(400) & seen(700))},
            2003: {(): len(seen(200))},
            2004: {text(bits, n / len(self.person) if self.person else None): n for bits, n in overlaps.items()},
        }


def known(first: tuple[Any, Any], person: Row) -> bool:
    return first[0] is not None and person["year_of_birth"] is not None


def last_of(key: int) -> date:
    year, number = divmod(key, 100)
    return date(year + number // 12, number % 12 + 1, 1) - timedelta(days=1)


def place(row: Row) -> str:
    if row["value_as_number"] < row["range_low"]:
        return "Below Range Low"
    return "Within Range" if row["value_as_number"] <= row["range_high"] else "Above Range High"
